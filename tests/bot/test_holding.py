"""Holding an ask: its lease is renewed while it is worked on, and what people say meanwhile is heard at once."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from bot.ask import Ask, Lease, Signal
from bot.errors import LeaseLost, StoreDown
from bot.holding import Holding
from bot.inbox import Arrival, Inbox
from bot.store import Row, Store, Transaction
from tests.bot.stores import Clock, ask

LONG = 60.0  # seconds between renewals where none is wanted
Other = Callable[[], Awaitable[object]]


class Between:
    """A store in which something happens behind the next read, or which is down for so many calls."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.behind_read: Other | None = None
        self.down = self.reads = 0
        self.committed: list[str] = []  # names of statements
        self.soon, self.ready, self.close = store.soon, store.ready, store.close

    def _maybe_down(self) -> None:
        if self.down:
            self.down -= 1
            raise StoreDown

    async def read(self, name: str, **values: Any) -> list[Row]:
        """Read, then let the other thing happen before the caller hears of it."""
        self._maybe_down()
        self.reads += 1
        rows = await self._store.read(name, **values)
        other, self.behind_read = self.behind_read, None
        if other is not None:
            await other()
        return rows

    async def commit(self, tx: Transaction) -> list[list[Row]]:
        """Commit."""
        self._maybe_down()
        rows = await self._store.commit(tx)
        self.committed += [statement.name for statement in tx.statements]
        return rows


async def leased(inbox: Inbox, **changes: Any) -> Lease:
    """A lease of a new ask."""
    one = ask(**changes)
    await inbox.put(Arrival((one.key,), one))
    lease = await inbox.take(person_in_flight=100, channel_in_flight=100)
    assert lease is not None
    return lease


async def say(inbox: Inbox, kind: Any, about: Ask, **changes: Any) -> None:
    """Somebody says something about an ask."""
    place = {"team": about.team, "channel": about.channel, "ts": about.ts, "user": "U7", **changes}
    signal = Signal(id=f"{kind}:{about.id}:{place['user']}", key="", kind=kind, at=1_999.0, **place)
    await inbox.put(Arrival((signal.id,), None, signal))


@asynccontextmanager
async def kept(holding: Holding) -> AsyncGenerator["asyncio.Task[None]"]:
    """An ask that is held meanwhile."""
    task = asyncio.create_task(holding.keep())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, LeaseLost, StoreDown):
            await task


async def until(condition: Callable[[], object]) -> None:
    """Wait for something, for at most ten seconds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("kind", ["stop", "delete"])
async def test_a_stop_is_heard_at_once(inbox: Inbox, kind: str) -> None:
    """Whoever holds the ask hears of a stop or a deletion, and by whom, without waiting for a renewal."""
    lease = await leased(inbox)
    holding = Holding(inbox, lease, renew_seconds=LONG)
    async with kept(holding):
        assert not holding.stop.is_set()
        await say(inbox, kind, lease.ask)
        await asyncio.wait_for(holding.stop.wait(), 10)

    assert holding.stopped_by == "U7"
    assert not holding.edited


async def test_an_edit_is_noted(inbox: Inbox) -> None:
    """An edit stops nothing; it is known when the answer is spoken."""
    lease = await leased(inbox)
    holding = Holding(inbox, lease, renew_seconds=LONG)
    async with kept(holding):
        await say(inbox, "edit", lease.ask, text="other words")
        await until(lambda: holding.edited)

    assert not holding.stop.is_set()


async def test_what_was_said_before_is_heard_at_the_beginning(inbox: Inbox) -> None:
    """A stop that came between the taking and the holding is not lost."""
    lease = await leased(inbox)
    await say(inbox, "stop", lease.ask)
    holding = Holding(inbox, lease, renew_seconds=LONG)
    async with kept(holding):
        await asyncio.wait_for(holding.stop.wait(), 10)


async def test_of_two_who_stop_the_first_is_known(inbox: Inbox) -> None:
    """Who stopped an ask is who said so first; whoever says it again stopped nothing."""
    lease = await leased(inbox)
    await say(inbox, "stop", lease.ask, user="U7")
    await say(inbox, "stop", lease.ask, user="U8")
    holding = Holding(inbox, lease, renew_seconds=LONG)
    async with kept(holding):
        await asyncio.wait_for(holding.listened.wait(), 10)

    assert holding.stopped_by == "U7"


async def test_what_is_said_during_a_look_is_heard(store: Store, clock: Clock) -> None:
    """A stop that is committed while its holder looks for an earlier word is heard right after."""
    between = Between(store)
    inbox = Inbox(between, now=clock, worker="w1")
    lease = await leased(inbox)
    between.behind_read = lambda: say(inbox, "stop", lease.ask)
    await say(inbox, "edit", lease.ask)  # so that there is something to look for

    holding = Holding(inbox, lease, renew_seconds=LONG)
    async with kept(holding):
        await asyncio.wait_for(holding.stop.wait(), 10)


async def test_who_has_heard_sleeps_again(store: Store, clock: Clock) -> None:
    """After a word was heard its holder looks no more until there is another one."""
    between = Between(store)
    inbox = Inbox(between, now=clock, worker="w1")
    lease = await leased(inbox)
    holding = Holding(inbox, lease, renew_seconds=LONG)
    async with kept(holding):
        await say(inbox, "stop", lease.ask)
        await asyncio.wait_for(holding.stop.wait(), 10)
        looks = between.reads
        await asyncio.sleep(0.05)

        assert between.reads <= looks + 1


async def test_no_holder_takes_anothers_wakening(inbox: Inbox) -> None:
    """When many asks of a channel are stopped at once, each of their holders hears it."""
    leases = [await leased(inbox) for _ in range(30)]
    holdings = [Holding(inbox, lease, renew_seconds=LONG) for lease in leases]
    tasks = [asyncio.create_task(holding.keep()) for holding in holdings]
    await asyncio.gather(*(say(inbox, "stop", lease.ask) for lease in leases))

    await until(lambda: all(holding.stop.is_set() for holding in holdings))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_other_channels_sleep_on(inbox: Inbox) -> None:
    """A word in one channel wakes only who listens there; who went away is forgotten."""
    here, there = await leased(inbox, channel="C1"), await leased(inbox, channel="C2")
    with inbox.listening(here) as near, inbox.listening(there) as far:
        await say(inbox, "stop", here.ask)
        assert (near.is_set(), far.is_set()) == (True, False)
        near.clear()
        with inbox.listening(here) as second:
            await say(inbox, "delete", here.ask)
            assert near.is_set()
            assert second.is_set()

    assert inbox._listeners == {}


async def test_a_held_ask_is_taken_by_nobody_else(store: Store, clock: Clock) -> None:
    """However long the work lasts, its lease is renewed in time."""
    between = Between(store)
    inbox = Inbox(between, now=clock, worker="w1")
    other = Inbox(store, now=clock, worker="w2")
    async with kept(Holding(inbox, await leased(inbox), renew_seconds=0.01)):
        for _ in range(4):
            clock.at += 20
            between.committed.clear()
            await until(lambda: between.committed.count("inbox.renew") >= 2)
            assert await other.take(person_in_flight=9, channel_in_flight=9) is None


async def test_a_lost_ask_is_noticed(store: Store, inbox: Inbox, clock: Clock) -> None:
    """When another worker has the ask, holding it ends in LeaseLost."""
    lease = await leased(inbox)
    clock.at += 31
    other = Inbox(store, now=clock, worker="w2")
    assert await other.take(person_in_flight=9, channel_in_flight=9) is not None

    async with kept(Holding(inbox, lease, renew_seconds=0.01)) as task:
        with pytest.raises(LeaseLost):
            await asyncio.wait_for(asyncio.shield(task), 10)


async def test_a_store_that_is_down_for_a_moment_ends_no_work(store: Store, clock: Clock) -> None:
    """A look or a renewal that fails is tried again while the lease lasts, and then words are heard again."""
    between = Between(store)
    inbox = Inbox(between, now=clock, worker="w1")
    lease = await leased(inbox)
    holding = Holding(inbox, lease, renew_seconds=0.5)
    await say(inbox, "stop", lease.ask)
    between.down = 3
    async with kept(holding) as task:
        await asyncio.wait_for(holding.stop.wait(), 10)
        assert not task.done()


async def test_a_store_that_stays_down_ends_the_work(store: Store, clock: Clock) -> None:
    """When the lease cannot be renewed in time, the work must end: somebody else may have it soon."""
    between = Between(store)
    inbox = Inbox(between, now=clock, worker="w1")
    lease = await leased(inbox)
    between.down = 1_000_000
    async with kept(Holding(inbox, lease, renew_seconds=0.01)) as task:
        with pytest.raises(StoreDown):
            await asyncio.wait_for(asyncio.shield(task), 10)
