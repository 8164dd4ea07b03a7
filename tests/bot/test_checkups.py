"""The doctor's daily look inside the service: what is newly ill is told to admins, once."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from bot.alerts import AdminAlerts
from bot.app.examination import SERVED_SECONDS, checkups, daily
from bot.app.reload import Keyring
from bot.doctor import Finding
from bot.doctor.daily import Checkups
from bot.inbox import Arrival, Inbox
from bot.policy import Policy
from bot.rules import PolicyFile
from bot.settings import Settings
from bot.store import Store, Transaction
from tests.bot.stores import Clock, ask

DAY = 24 * 3600.0
MISSING = Finding("Slack scope files:read", "red", "is missing", "reinstall the app")
OLD = Finding("Model claude-old-1", "yellow", "retires on 2026-12-08", "name its successor")
OVER = Finding("Model claude-old-1", "red", "is retired", "name its successor")
BUSY = Finding("Claude", "yellow", "Claude is busy", passing=True)
WELL = Finding("Clock", "green", "within 60 s of Slack's")


class Ward:
    """A service whose examination finds what it is told to."""

    def __init__(self, store: Store, inbox: Inbox, clock: Clock) -> None:
        numbers = itertools.count()
        self.found: Sequence[Finding] = ()
        self.alerts = AdminAlerts(
            *(inbox,),
            admins=lambda: ["U0RUTH"],
            team="T1",
            new_id=lambda: f"alert{next(numbers)}",
            now=clock,
        )
        self._store, self._inbox, self._clock = store, inbox, clock
        self._checkups = Checkups(self.examine, store, self.alerts, now=clock)

    async def examine(self) -> Sequence[Finding]:
        """What is ill today."""
        return self.found

    async def day(self, *found: Finding) -> list[str]:
        """A day with these findings: what admins are told on it."""
        self._clock.at += DAY
        self.found = found
        await self._checkups.look()
        return await self.told()

    async def told(self) -> list[str]:
        """What admins have been told since somebody asked."""
        texts: list[str] = []
        while lease := await self._inbox.take(person_in_flight=99, channel_in_flight=99):
            texts.append(lease.ask.text)
            tx = Transaction(lease)
            self._inbox.done(tx, lease, outcome="answer")
            await self._store.commit(tx)
        return texts


@pytest.fixture
def ward(store: Store, inbox: Inbox, clock: Clock) -> Ward:
    """A service on each engine."""
    return Ward(store, inbox, clock)


async def test_what_is_ill_is_told_once(ward: Ward) -> None:
    """All that is new is one message, with the mend; on the days after, it is not told again."""
    (first,) = await ward.day(WELL, MISSING, OLD)

    assert "✘ Slack scope files:read: is missing → reinstall the app" in first
    assert "! Model claude-old-1: retires on 2026-12-08 → name its successor" in first
    assert "Clock" not in first
    assert await ward.day(WELL, MISSING, OLD) == []


async def test_what_becomes_worse_is_news_and_nothing_else(ward: Ward) -> None:
    """From yellow to red it is told once more, alone."""
    await ward.day(MISSING, OLD)
    (second,) = await ward.day(MISSING, OVER)

    assert "is retired" in second
    assert "files:read" not in second
    assert await ward.day(MISSING, OLD) == []


async def test_what_was_mended_and_falls_ill_again_is_news(ward: Ward) -> None:
    """Being well is remembered, too."""
    await ward.day(MISSING)
    await ward.day(WELL)

    assert len(await ward.day(MISSING)) == 1


async def test_what_passes_by_itself_is_not_told(ward: Ward) -> None:
    """A stranger that is busy for once tells nobody, and what could not be looked at is not taken for mended."""
    await ward.day(MISSING)

    assert await ward.day(BUSY) == []
    assert await ward.day(MISSING) == []


async def test_two_processes_tell_the_same_once(
    ward: Ward, store: Store, inbox: Inbox, clock: Clock
) -> None:
    """Both look before either has remembered: the admins hear it once."""
    other = Ward(store, inbox, clock)
    other.found = ward.found = (MISSING,)
    await ward.alerts.tell(ward._checkups._key([MISSING]), "said by the other process")
    await ward._checkups.look()

    assert await ward.told() == ["said by the other process"]


async def test_it_is_looked_once_a_day_after_some_time_of_service(
    store: Store, inbox: Inbox, clock: Clock
) -> None:
    """A process that has just begun examines nothing; later it does, with the settings in force, without any token."""
    ward = Ward(store, inbox, clock)
    settings = Settings.read({"DATABASE_URL": "sqlite:////nowhere/purser.db"})

    def here() -> datetime:
        return datetime.fromtimestamp(clock(), UTC).replace(hour=9)

    policy = Policy(PolicyFile(admins=("U0RUTH",)))
    made = checkups(Keyring(settings), policy, store, ward.alerts, now=clock)
    look = daily(made, now=clock, here=here)
    await look()
    assert await ward.told() == []

    clock.at += SERVED_SECONDS
    await look()
    await look()
    (told,) = await ward.told()
    assert "✘ ANTHROPIC_API_KEY: is not set" in told


async def test_what_has_come_is_counted_the_same_on_both_engines(
    store: Store, inbox: Inbox
) -> None:
    """Mentions and direct messages are told apart; presses and what Purser says by itself are neither."""
    asks = [
        ask(channel="C1", at=100.0),
        ask(channel="D1", at=101.0),
        ask(channel="C1", at=102.0, ts="", feature="summarize"),
        ask(channel="C1", at=103.0, feature="click"),
        ask(channel="", at=104.0, ts="", feature="purser"),
    ]
    for one in asks:
        await inbox.put(Arrival((one.key,), one))

    (row,) = await store.read("doctor.heard")
    assert (row["asks"], row["mention"], row["direct"]) == (3, 100.0, 101.0)
    (version,) = await store.read("doctor.version")
    assert str(version["version"]).split()[0] in {"SQLite", "PostgreSQL"}
