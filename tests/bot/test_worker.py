"""The pool of a worker: what it begins, and when it looks for more."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.answer import Ended, Receipt, Stopped
from bot.ask import Click, Lease
from bot.inbox import Arrival, Inbox
from bot.metrics import Metrics
from bot.policy import Policy
from bot.retention import Retention
from bot.rooms import Rooms
from bot.store import Store
from bot.worker import Worker
from tests.bot.stores import Clock, ask


class Sleepy(Inbox):
    """An inbox at which a worker sleeps until it is woken; how often it was."""

    woken = 0

    async def wait(self, seconds: float) -> None:
        """For ever, nearly."""
        await super().wait(600 * seconds)

    def ended(self) -> None:
        """Count, and wake."""
        self.woken += 1
        super().ended()


class Presses:
    """Everybody may press, and nothing comes of it; remembers what was, until all were that are to be."""

    def __init__(self, wanted: int) -> None:
        self.buttons: list[str] = []
        self.all = asyncio.Event()
        self._wanted = wanted

    async def look(self, _ask: object) -> tuple[object, object]:
        """Somebody, and that they may."""
        return SimpleNamespace(name="Ana"), SimpleNamespace(allowed=True)

    async def press(self, lease: Lease, *_: object) -> Ended:
        """Nothing comes of it."""
        assert lease.ask.click is not None
        self.buttons.append(lease.ask.click.value)
        if len(self.buttons) == self._wanted:
            self.all.set()
        return Stopped("", Receipt())


def rooms_of(store: Store, inbox: Inbox, presses: Presses, clock: Clock) -> Rooms:
    """As much as a press needs."""
    nobody, policy = cast("Any", None), Policy()
    return Rooms(
        store=store,
        inbox=inbox,
        policy=policy,
        askers=cast("Any", presses),
        clicks=cast("Any", presses),
        turn=cast("Any", SimpleNamespace(prompts=SimpleNamespace(version="v"))),
        retention=Retention(store, policy, now=clock),
        metrics=Metrics(),
        now=clock,
        threads=nobody,
        conversations=nobody,
        prefetch=nobody,
        commands=nobody,
        offers=nobody,
        posting=nobody,
        handover=nobody,
        digests=nobody,
        homes=nobody,
        schedule=nobody,
        decisions=nobody,
        replies=nobody,
    )


@pytest.mark.parametrize("waiting", [0, 1, 2])
async def test_whoever_waited_for_another_is_begun_when_that_one_ends(
    store: Store, clock: Clock, waiting: int
) -> None:
    """The end of an ask wakes its worker if anybody waits by then, and if nobody does, it is not looked for."""
    inbox, stopping = Sleepy(store, now=clock, worker="w1"), asyncio.Event()
    presses = Presses(1 + waiting)
    buttons = [f"object:{n}" for n in range(1 + waiting)]
    for button in buttons:
        one = ask(feature="click", origin="click", click=Click("go", button))
        await inbox.put(Arrival((one.key,), one))
    running = asyncio.create_task(Worker(rooms_of(store, inbox, presses, clock)).run(stopping))
    await asyncio.wait_for(presses.all.wait(), 10)
    stopping.set()
    inbox.ended()
    await running

    assert presses.buttons == buttons
    assert inbox.woken == waiting + 1  # by us, when all was done
