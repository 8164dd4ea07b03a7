"""The demo's clock: one time for all who have its file, and hands that let hours pass, but not while the bot works."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

import pytest_asyncio

from bot.demo.clock import Clock, Hands, told

HOUR = 3600.0


class Stage:
    """A clock, its hands, and a bot that is at work as long as it is told."""

    def __init__(self, clock: Clock) -> None:
        self.working = False
        self.leaps: list[float] = []
        self.seen = asyncio.Event()
        self.hands = Hands(clock, busy=self._busy, told=self._told, tick=0.001)

    async def _busy(self) -> bool:
        return self.working

    def _told(self) -> None:
        self.leaps.append(self.hands.clock.ahead)
        self.seen.set()


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncGenerator[Stage]:
    """A stage whose clock goes with this machine's."""
    made = Stage(Clock(tmp_path / "clock"))
    yield made
    await made.hands.stop()


def test_who_has_the_file_has_the_time(tmp_path: Path) -> None:
    """A clock that another process moved is moved here, too, and one that is opened later is where the others are."""
    one, other = Clock(tmp_path / "clock"), Clock(tmp_path / "clock")
    before = other()
    one.move(13 * HOUR)

    assert 13 * HOUR <= other() - before < 14 * HOUR
    assert Clock(tmp_path / "clock").ahead == 13 * HOUR


async def test_hours_pass_in_leaps_that_become_smaller(stage: Stage) -> None:
    """A moment is reached exactly, in many leaps, and what is due near it is not leapt over."""
    to = stage.hands.clock() + 13 * HOUR
    stage.hands.set_out(to)
    assert stage.hands.to == to
    await stage.hands.arrived()
    leaps = [b - a for a, b in zip(stage.leaps, stage.leaps[1:], strict=False) if b > a]

    assert 0 <= stage.hands.clock() - to < 1
    assert stage.hands.to is None
    assert leaps[0] > 2 * leaps[-2]
    assert max(leaps[-20:]) < HOUR / 10


async def test_no_hour_passes_while_the_bot_works(stage: Stage) -> None:
    """An answer is not older for the clock's being moved: the hands wait until it is whole."""
    stage.working = True
    stage.hands.set_out(stage.hands.clock() + HOUR)
    for _ in range(3):
        await stage.seen.wait()
        stage.seen.clear()
    assert stage.hands.clock.ahead == 0
    stage.working = False
    await stage.hands.arrived()

    assert stage.hands.clock.ahead > HOUR - 60


def test_the_next_morning(stage: Stage) -> None:
    """It is the next moment at which it is that hour, today or tomorrow."""
    clock = stage.hands.clock
    seven = stage.hands.next(7)
    clock.move(seven - clock())
    after = stage.hands.next(7)

    assert datetime.fromtimestamp(seven, UTC).strftime("%H:%M:%S") == "07:00:00"
    assert after - seven == 24 * HOUR
    assert told(seven).endswith(" 07:00 UTC")
