"""An ask that comes while a worker has a slot free is taken in the very commit that keeps it."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from bot.ask import Lease, Signal
from bot.caps import Caps
from bot.errors import StoreDown
from bot.inbox import Arrival, Inbox
from bot.policy import Policy
from bot.rooms import Rooms
from bot.store import Store, Transaction
from bot.store.sqlite import SqliteStore
from bot.sweep import FAILURES_AT_MOST
from bot.worker import Worker
from tests.bot.stores import Clock, ask


class Hand:
    """A worker's hand held open: so many slots, and what was put into it."""

    def __init__(self, slots: int, *, person: int = 9, channel: int = 9) -> None:
        self.free = slots
        self.caps = Caps(person, channel)
        self.held: list[Lease] = []
        self.told = asyncio.Event()

    def wants(self) -> Caps | None:
        """Keep a slot, if there is one."""
        if not self.free:
            return None
        self.free -= 1
        return self.caps

    def begin(self, lease: Lease | None) -> None:
        """Use a kept slot, or let go of it."""
        self.told.set()
        if lease is None:
            self.free += 1
        else:
            self.held.append(lease)


class Counting:
    """A store that counts its commits, and makes none before it may."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.commits = 0
        self.began, self.may = asyncio.Event(), asyncio.Event()
        self.may.set()
        self.read, self.soon = store.read, store.soon
        self.ready, self.close = store.ready, store.close

    async def commit(self, tx: Transaction) -> Any:
        """Count, wait, and pass on."""
        self.commits += 1
        self.began.set()
        await self.may.wait()
        return await self._store.commit(tx)


def arrival(**changes: object) -> Arrival:
    """An ask under a key of its own."""
    one = ask(**changes)
    return Arrival((f"event:{one.id}",), one)


async def test_an_ask_is_kept_and_taken_in_one_commit(store: Store, clock: Clock) -> None:
    """With a slot free, one commit keeps the ask and leases it; nobody has to look."""
    counting, hand = Counting(store), Hand(1)
    inbox = Inbox(counting, now=clock, worker="w1")
    inbox.feed(hand)
    came = arrival()

    assert await inbox.put(came) == "new"
    assert [(lease.ask, lease.attempt) for lease in hand.held] == [(came.ask, 1)]
    assert counting.commits == 1
    assert (await inbox.queue()).leased == 1


async def test_without_a_slot_it_waits(inbox: Inbox) -> None:
    """An ask that finds no slot waits like any other, and whoever waits for news hears of it."""
    hand = Hand(0)
    inbox.feed(hand)
    await inbox.put(arrival())
    await asyncio.wait_for(inbox.wait(60.0), 5.0)

    assert hand.held == []
    assert (await inbox.queue()).waiting == 1


async def test_nobody_is_fed_who_has_let_go(inbox: Inbox) -> None:
    """A worker that is to stop is given nothing more."""
    hand = Hand(1)
    inbox.feed(hand)
    inbox.feed(None)
    await inbox.put(arrival())

    assert (hand.held, hand.free) == ([], 1)
    assert (await inbox.queue()).waiting == 1


async def test_the_oldest_is_given_first(inbox: Inbox) -> None:
    """What waited before is taken first, not what has just come."""
    first, second = arrival(), arrival()
    await inbox.put(first)
    hand = Hand(1)
    inbox.feed(hand)
    await inbox.put(second)

    assert [lease.ask for lease in hand.held] == [first.ask]
    assert (await inbox.queue()).waiting == 1


async def test_what_ended_its_workers_is_fed_to_nobody(inbox: Inbox) -> None:
    """An ask that was tried too often is passed by, and holds up none of its thread, before anybody has buried it."""
    await inbox.put(arrival(thread="9.0"))
    for _ in range(FAILURES_AT_MOST):
        await inbox.take(person_in_flight=9, channel_in_flight=9)
        await inbox.reclaim()
    hand, behind = Hand(2), arrival(thread="9.0")
    inbox.feed(hand)
    await inbox.put(behind)
    await inbox.put(arrival(thread="9.0"))

    assert [lease.ask for lease in hand.held] == [behind.ask]


async def test_caps_and_lanes_hold(inbox: Inbox) -> None:
    """A person at the cap, or a thread that is busy, waits although there are slots, which stay free."""
    hand = Hand(5, person=2)
    inbox.feed(hand)
    await inbox.put(arrival(thread="7.0", user="U2"))
    await inbox.put(arrival(thread="7.0", user="U3"))
    for _ in range(3):
        await inbox.put(arrival())

    assert [lease.ask.user for lease in hand.held] == ["U2", "U1", "U1"]
    assert hand.free == 2


async def test_what_is_known_takes_nothing(inbox: Inbox) -> None:
    """A second delivery changes nothing: no lease, and its slot is free again."""
    await inbox.put(arrival(thread="9.0"))
    came = arrival(thread="9.0")
    await inbox.put(came)
    hand = Hand(1)
    inbox.feed(hand)

    assert await inbox.put(came) == "known"
    assert (hand.held, hand.free) == ([], 1)


async def test_a_failed_commit_gives_the_slot_back(tmp_path: Path, clock: Clock) -> None:
    """Where nothing could be stored nothing is taken, and the slot is free again."""
    store = await SqliteStore.open(tmp_path / "purser.db", serve=True)
    inbox, hand = Inbox(store, now=clock, worker="w1"), Hand(1)
    inbox.feed(hand)
    await store.close()

    with pytest.raises(StoreDown):
        await inbox.put(arrival())
    assert (hand.held, hand.free) == ([], 1)


async def test_a_door_that_gave_up_takes_nothing_along(store: Store, clock: Clock) -> None:
    """Where the commit is late, nobody hears that it was kept, but it is worked on all the same."""
    slow, hand = Counting(store), Hand(1)
    inbox = Inbox(slow, now=clock, worker="w1")
    inbox.feed(hand)
    slow.may.clear()
    came = arrival()
    put = asyncio.create_task(inbox.put(came))
    await asyncio.wait_for(slow.began.wait(), 5.0)
    put.cancel()
    await asyncio.wait({put})
    slow.may.set()
    await asyncio.wait_for(hand.told.wait(), 5.0)

    assert put.cancelled()
    assert [lease.ask for lease in hand.held] == [came.ask]


async def test_a_signal_alone_gives_the_slot_back(inbox: Inbox) -> None:
    """A stop is no ask: with nothing waiting, nothing is taken."""
    hand = Hand(1)
    inbox.feed(hand)
    stop = Signal("s1", "k1", "stop", "T1", "C1", "U1", 2_000.0, thread="1.0")

    assert await inbox.put(Arrival(("k1",), None, stop)) == "new"
    assert (hand.held, hand.free) == ([], 1)


async def test_a_worker_keeps_no_more_slots_than_it_has(inbox: Inbox, store: Store) -> None:
    """Slots that are kept for asks on their way count as taken, until they turn out to be none."""
    nobody = cast("Any", None)
    rooms = Rooms(
        store=store,
        inbox=inbox,
        policy=Policy(),
        askers=nobody,
        threads=nobody,
        conversations=nobody,
        prefetch=nobody,
        turn=nobody,
        commands=nobody,
        clicks=nobody,
        offers=nobody,
        posting=nobody,
        handover=nobody,
        retention=nobody,
        digests=nobody,
        homes=nobody,
        schedule=nobody,
        decisions=nobody,
        replies=nobody,
        metrics=nobody,
        now=lambda: 0.0,
    )
    worker = Worker(rooms, slots=2)

    assert [worker.wants() is not None for _ in range(3)] == [True, True, False]
    worker.begin(None)
    await asyncio.sleep(0)
    assert worker.wants() == Caps(5, 20)
    assert worker.wants() is None
