"""Digests are kept, begun hours before they are due, each day once, and not any more once they are stopped."""

import itertools
from datetime import UTC, datetime

import pytest

from bot.digests import Cadence, Digest, Digests, Subject
from bot.digests.kept import IN_A_CHANNEL, LATE_SECONDS, LEAD_SECONDS
from bot.inbox import Arrival, Inbox
from bot.prices import DAY_SECONDS
from bot.store import Store
from tests.bot.stores import Clock, ask

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC).timestamp()
DUE = datetime(2026, 11, 27, 7, tzinfo=UTC).timestamp()
SHOP = Subject("project", "SHOP")
NIGHTLY = Cadence(tuple(range(7)))


@pytest.fixture
def digests(store: Store, clock: Clock) -> Digests:
    """The digests on each engine, at noon."""
    clock.at = NOON
    return again(store, clock)


def again(store: Store, clock: Clock) -> Digests:
    """Digests as a process sees them that has just started."""
    ids = itertools.count()
    inbox = Inbox(store, now=clock, worker="w")
    start = id(inbox)
    return Digests(store, inbox, zone=UTC, new_id=lambda: f"ask{start}{next(ids):06d}", now=clock)


async def taken(store: Store, clock: Clock) -> list[tuple[str, float, str]]:
    """Everything that can be worked on now: key, `at` and the digest it is of."""
    inbox, found = Inbox(store, now=clock, worker="w2"), list[tuple[str, float, str]]()
    while lease := await inbox.take(person_in_flight=99, channel_in_flight=99):
        found.append((lease.ask.key, lease.ask.at, lease.ask.digest))
    return found


async def put(digests: Digests, subject: Subject = SHOP, cadence: Cadence = NIGHTLY) -> Digest:
    """A digest that somebody wants."""
    made = await digests.add(ask(), subject, cadence)
    assert made is not None
    return made


async def test_a_digest_is_begun_once_hours_before_it_is_due(
    store: Store, clock: Clock, digests: Digests
) -> None:
    """Two processes look, one of them again and again: one ask of that day, at the moment it is due."""
    made = await put(digests)
    clock.at = DUE - LEAD_SECONDS - 1
    await digests.look()
    assert await taken(store, clock) == []
    clock.at += 1
    for one in (digests, digests, again(store, clock)):
        await one.look()

    assert await taken(store, clock) == [(f"digest:{made.id}:2026-11-27", DUE, made.id)]


async def test_what_was_begun_is_not_remembered_for_ever(clock: Clock, digests: Digests) -> None:
    """A process that serves for weeks knows the days that may still be begun, and no others."""
    await put(digests)
    known: list[int] = []
    for day in range(5):
        clock.at = DUE + day * DAY_SECONDS
        await digests.look()
        known.append(len(digests._begun))

    assert known == [1] * 5


async def test_a_digest_waits_behind_who_asks(store: Store, clock: Clock, digests: Digests) -> None:
    """Who asked before it was due is served first, although the digest has lain there for hours."""
    await put(digests)
    clock.at = DUE - LEAD_SECONDS
    await digests.look()
    await Inbox(store, now=clock, worker="w").put(Arrival((), ask(user="U2", at=DUE - 1)))
    clock.at = DUE
    (first, _, _), (second, at, _) = await taken(store, clock)

    assert not first.startswith("digest:")
    assert (second.startswith("digest:"), at) == (True, DUE)


async def test_what_nobody_began_in_time_is_begun_late_or_left(
    store: Store, clock: Clock, digests: Digests
) -> None:
    """Where nobody looked in the night it is begun in the morning; half a day later it is left to the next one."""
    made = await put(digests)
    clock.at = DUE + LATE_SECONDS - 60
    await digests.look()
    assert [key for key, _, _ in await taken(store, clock)] == [f"digest:{made.id}:2026-11-27"]
    clock.at += 36 * 3600
    await digests.look()

    days = [key.rpartition(":")[2] for key, _, _ in await taken(store, clock)]
    assert days == ["2026-11-27", "2026-11-29"]  # that of the 27th was never ended


async def test_a_digest_does_not_come_for_a_time_before_it_was_wanted(
    store: Store, clock: Clock, digests: Digests
) -> None:
    """Who asks at noon for seven o'clock gets it tomorrow."""
    made = await put(digests)
    await digests.look()

    assert await taken(store, clock) == []
    assert digests.next(made) == DUE


async def test_a_stopped_digest_comes_no_more(store: Store, clock: Clock, digests: Digests) -> None:
    """It is in no list, nothing of it is begun, and what it was about is not kept."""
    made = await put(digests)
    await digests.stop(made, user="U1")
    clock.at = DUE
    await digests.look()
    stopped = await digests.get(made.id)

    assert await digests.of("C1") == []
    assert await taken(store, clock) == []
    assert stopped is not None
    assert (stopped.stopped, stopped.subject.name) == (True, "")


async def test_the_same_ask_wants_the_same_digest(
    store: Store, clock: Clock, digests: Digests
) -> None:
    """A worker that died right after keeping it keeps no second one."""
    one = ask()
    made = [await digests.add(one, SHOP, NIGHTLY) for _ in range(2)]

    assert made[0] == made[1]
    assert await digests.of("C1") == [made[0]]


async def test_a_channel_has_a_few_digests(store: Store, clock: Clock, digests: Digests) -> None:
    """One more than it may have is not kept, until one of them is stopped."""
    made = [await put(digests) for _ in range(IN_A_CHANNEL)]
    assert await digests.add(ask(), SHOP, NIGHTLY) is None
    await digests.stop(made[0])

    assert await digests.add(ask(), SHOP, NIGHTLY) is not None
