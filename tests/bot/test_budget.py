"""Budgets: spent plus reserved never passes a limit, whatever happens at the same time, at a month's end or after a kill."""

import asyncio
import itertools
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bot.ask import Lease
from bot.budget import Budget, BudgetState
from bot.errors import LeaseLost, OverBudget
from bot.inbox import LEASE_SECONDS, Arrival, Inbox
from bot.journal import Journal
from bot.ledger import Ledger, month_of
from bot.prices import UNKNOWN_OUTPUT_PICOS, dollars
from bot.store import Store, Transaction
from bot.sweep import FAILURES_AT_MOST
from bot.usage import Usage
from tests.bot.entries import entry
from tests.bot.shelf import Shelf
from tests.bot.stores import Clock, ask
from tests.chance import share
from tests.postgres import Postgres

BERLIN = ZoneInfo("Europe/Berlin")
NOVEMBER = datetime(2026, 11, 30, 23, 0, tzinfo=BERLIN).timestamp()
UNIT = 1_000_000_000  # picos: a tenth of a cent
ASK, CHANNEL, WORKSPACE = 6, 10, 15  # limits in units


def limit(units: int) -> Decimal:
    """So many units in dollars."""
    return dollars(units * UNIT)


class Room:
    """Everything that has to do with money, on one store."""

    def __init__(self, store: Store, inbox: Inbox, clock: Clock) -> None:
        self.store, self.inbox, self.clock = store, inbox, clock
        self.budget = Budget(store, now=clock, zone=BERLIN)
        self.ledger = Ledger(store, zone=BERLIN, now=clock)
        self.journal = Journal(store, now=clock)

    async def lease(self, channel: str = "C1") -> Lease:
        """A new ask in hand."""
        one = ask(channel=channel, at=self.clock.at)
        await self.inbox.put(Arrival((one.key,), one))
        lease = await self.inbox.take(person_in_flight=99, channel_in_flight=99)
        assert lease is not None
        return lease

    async def reserve(self, lease: Lease, n: int, units: int, *, priced: bool = True) -> None:
        """Reserve and journal a request, as a turn does before it leaves."""
        tx = Transaction(lease)
        self.budget.reserve(
            tx,
            lease,
            n=n,
            picos=units * UNIT,
            channel_limit=limit(CHANNEL),
            workspace_limit=limit(WORKSPACE),
            ask_limit=limit(ASK),
        )
        self.journal.sending(
            tx,
            lease,
            n=n,
            model="claude-sonnet-5-5",
            purpose="answer",
            prefix_hash="h",
            estimate=Usage(output_tokens=10),
            estimate_cost=min(units, 1) * UNIT if priced else None,
        )
        await self.store.commit(tx)

    async def book(self, lease: Lease, n: int, units: int, *, priced: bool = True) -> None:
        """Book what a request cost, and give back what was reserved for it."""
        tx = Transaction(lease)
        tokens = units * UNIT // UNKNOWN_OUTPUT_PICOS
        row = entry(
            entry_id=f"{lease.ask.id}:{n}",
            ask_id=lease.ask.id,
            channel=lease.ask.channel,
            at=self.clock.at,
            cost=limit(units) if priced else None,
            input_tokens=0,
            output_tokens=tokens,
        )
        self.ledger.book(tx, row)
        self.journal.ended(tx, lease, n=n, response={"id": "msg"})
        self.budget.release(tx, lease, n=n)
        await self.store.commit(tx)

    async def drop(self, lease: Lease, n: int) -> None:
        """A request came to nothing: what was reserved is free."""
        tx = Transaction(lease)
        self.journal.ended(tx, lease, n=n, response=None, error="Overloaded")
        self.budget.release(tx, lease, n=n)
        await self.store.commit(tx)

    async def end(self, lease: Lease) -> None:
        """The ask ends, whatever it left open."""
        tx = Transaction(lease)
        self.inbox.done(tx, lease, outcome="stopped")
        await self.store.commit(tx)

    async def state(self, channel: str = "C1") -> tuple[int, int]:
        """Spent and reserved of a channel this month, in units; of all with ""."""
        state = await self.budget.state(channel, limit(CHANNEL))
        return int(state.spent / limit(1)), int(state.reserved / limit(1))


@pytest.fixture
def room(store: Store, inbox: Inbox, clock: Clock) -> Room:
    """A room whose clock stands an hour before December."""
    clock.at = NOVEMBER
    return Room(store, inbox, clock)


async def refused(room: Room, lease: Lease, n: int, units: int) -> str:
    """Whose limit does not cover a call, or ""."""
    try:
        await room.reserve(lease, n, units)
    except OverBudget as over:
        return over.scope
    return ""


async def test_each_limit_is_kept(room: Room) -> None:
    """The ask's, the workspace's and the channel's limit are reached exactly and never passed; the error says which."""
    first, second, third = await room.lease(), await room.lease(), await room.lease("C2")

    assert await refused(room, first, 1, ASK + 1) == "ask"
    assert await refused(room, first, 1, ASK) == ""
    assert await refused(room, first, 2, 1) == "ask"
    assert await refused(room, second, 1, CHANNEL - ASK + 1) == "channel"
    assert await refused(room, second, 1, CHANNEL - ASK) == ""
    assert await refused(room, third, 1, WORKSPACE - CHANNEL + 1) == "workspace"
    assert await refused(room, third, 1, WORKSPACE - CHANNEL) == ""
    assert await room.state("C1") == (0, CHANNEL)
    assert await room.state("") == (0, WORKSPACE)


async def test_what_is_refused_leaves_nothing(room: Room) -> None:
    """Neither a reservation nor a journalled request remains of a call that was not covered."""
    lease = await room.lease()
    assert await refused(room, lease, 1, CHANNEL + 1) == "ask"

    assert await room.state() == (0, 0)
    assert (await room.journal.read(lease.ask.id)).attempts == ()


async def test_asks_cannot_pass_it_together(room: Room) -> None:
    """Of many that reserve at the same moment, only as many succeed as are covered."""
    leases = [await room.lease() for _ in range(CHANNEL + 5)]
    scopes = await asyncio.gather(*(refused(room, lease, 1, 1) for lease in leases))

    assert (scopes.count(""), scopes.count("channel")) == (CHANNEL, 5)


async def test_a_booking_stands_in_the_place_of_what_was_reserved(room: Room) -> None:
    """What was not used is free again; what was is spent."""
    lease = await room.lease()
    await room.reserve(lease, 1, ASK)
    await room.book(lease, 1, 2)

    assert await room.state() == (2, 0)
    assert await refused(room, lease, 2, ASK - 1) == "ask"
    assert await refused(room, lease, 2, ASK - 2) == ""
    assert await room.budget.state("C1", limit(CHANNEL)) == BudgetState(
        limit(2), limit(ASK - 2), limit(CHANNEL)
    )
    assert (await room.budget.state("C1", limit(CHANNEL))).left == limit(CHANNEL - ASK)
    assert (await room.budget.state("C1", limit(1))).left == 0


async def test_an_unknown_price_counts_as_the_highest(room: Room) -> None:
    """What nobody can price is not free: it counts as assumed, while its row says that the price is unknown."""
    lease = await room.lease()
    await room.reserve(lease, 1, ASK, priced=False)
    await room.book(lease, 1, ASK - 1, priced=False)

    assert await room.state() == (ASK - 1, 0)
    assert await refused(room, lease, 2, 2) == "ask"
    (row,) = await room.ledger.rows(since=0, until=2**40)
    assert row.cost is None


async def test_what_was_reserved_in_november_is_spent_in_december(room: Room) -> None:
    """A call that is in flight over the month's end is counted in the new month before it is booked there."""
    lease, other = await room.lease(), await room.lease()
    await room.reserve(lease, 1, ASK)
    room.clock.at += 2 * 3600

    assert await room.state() == (0, ASK)
    assert await refused(room, other, 1, CHANNEL - ASK + 1) == "channel"
    assert await refused(room, other, 1, CHANNEL - ASK) == ""
    await room.book(lease, 1, ASK)
    assert await room.state() == (ASK, CHANNEL - ASK)


async def test_a_new_month_begins_with_nothing_spent(room: Room) -> None:
    """The month is that of the workspace's zone."""
    lease = await room.lease()
    await room.reserve(lease, 1, ASK)
    await room.book(lease, 1, ASK)
    room.clock.at += 1_800  # still November in Berlin
    assert await room.state() == (ASK, 0)
    room.clock.at += 1_800  # December there, still November in UTC

    assert await room.state() == (0, 0)


@pytest.mark.parametrize("priced", [True, False])
@pytest.mark.parametrize("how", ["done", "dead", "buried"])
async def test_what_an_ask_leaves_open_is_booked_with_its_end(
    room: Room, how: str, priced: bool
) -> None:
    """Killed with a request in flight: by its end the estimate is booked as unconfirmed, and nothing stays reserved."""
    lease = await room.lease()
    await room.reserve(lease, 1, 2)
    await room.book(lease, 1, 1)
    await room.reserve(lease, 2, 3, priced=priced)
    tx = Transaction(lease)
    room.journal.started(tx, lease, n=2, message_id="msg_lost")
    await room.store.commit(tx)
    sent_at = room.clock.at
    room.clock.at += 5
    if how == "buried":
        for _ in range(FAILURES_AT_MOST):
            room.clock.at += LEASE_SECONDS + 1
            await room.inbox.take(person_in_flight=9, channel_in_flight=9)
        assert (await room.inbox.queue()).dead == 1
    else:
        tx = Transaction(lease)
        if how == "done":
            room.inbox.done(tx, lease, outcome="stopped")
        else:
            room.inbox.dead(tx, lease, reason="it broke")
        await room.store.commit(tx)

    counted = 1 if priced else 3
    assert await room.state() == (1 + counted, 0)
    rows = {row.entry_id: row for row in await room.ledger.rows(since=0, until=2**40)}
    lost = rows[f"{lease.ask.id}:2:unconfirmed"]
    assert len(rows) == 2
    assert lost.cost == (limit(1) if priced else None)
    assert (lost.status, lost.billed, lost.message_id, lost.at) == (
        "unconfirmed",
        True,
        "msg_lost",
        sent_at,
    )
    assert (lost.channel, lost.user, lost.thread) == ("C1", "U1", lease.ask.thread)
    assert (lost.feature, lost.purpose, lost.output_tokens) == ("chat", "answer", 10)
    told = await room.journal.read(lease.ask.id)
    assert [(sent.status, sent.error) for sent in told.attempts] == [
        ("ended", ""),
        ("ended", "lost"),
    ]
    assert await room.ledger.differences() == {}


async def test_who_lost_the_ask_reserves_nothing(room: Room) -> None:
    """With a lost lease nothing is reserved, booked or released."""
    lost = await room.lease()
    await room.reserve(lost, 1, 2)
    room.clock.at += LEASE_SECONDS + 1
    assert await room.inbox.take(person_in_flight=9, channel_in_flight=9) is not None

    for write in (room.reserve(lost, 2, 1), room.book(lost, 1, 1), room.drop(lost, 1)):
        with pytest.raises(LeaseLost):
            await write
    with pytest.raises(LeaseLost):
        await room.end(lost)
    assert await room.state() == (0, 2)
    assert await room.ledger.rows(since=0, until=2**40) == []


# --- anything, in any order ---


@dataclass(frozen=True)
class Reserved:
    """What is reserved for a call, in units."""

    channel: str
    month: str
    units: int
    priced: bool


@dataclass
class Account:
    """Money as it should be, in units."""

    reserved: dict[tuple[str, int], Reserved] = field(
        default_factory=dict[tuple[str, int], Reserved]
    )
    spent: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    asks: dict[str, int] = field(default_factory=dict[str, int])

    def spend(self, month: str, channel: str, ask_id: str, units: int) -> None:
        """Count what was spent."""
        self.spent[month, channel] = self.spent.get((month, channel), 0) + units
        self.asks[ask_id] = self.asks.get(ask_id, 0) + units

    def total(self, month: str, channel: str = "") -> int:
        """Spent in a month plus all that is reserved."""
        spent = sum(u for (m, c), u in self.spent.items() if m == month and channel in ("", c))
        return spent + sum(r.units for r in self.reserved.values() if channel in ("", r.channel))

    def of_ask(self, ask_id: str) -> int:
        """Spent and reserved of one ask."""
        reserved = (r.units for (of, _), r in self.reserved.items() if of == ask_id)
        return self.asks.get(ask_id, 0) + sum(reserved)

    def verdict(self, month: str, channel: str, ask_id: str, units: int) -> str:
        """Whose limit does not cover so much more, or ""."""
        if self.of_ask(ask_id) + units > ASK:
            return "ask"
        if self.total(month) + units > WORKSPACE:
            return "workspace"
        return "channel" if self.total(month, channel) + units > CHANNEL else ""


WISH = st.tuples(st.integers(0, 3), st.integers(0, 5), st.booleans())
"""Which ask wants how much, and whether the price is known."""


class Spending(RuleBasedStateMachine):
    """Asks reserve, book, give up and die, at the same time and over the ends of months."""

    server: Postgres | None = None  # in the place of a file

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        place = self.server or Path(self._folder.name)
        self.shelf = Shelf(place, at=NOVEMBER + 5_400)  # in UTC still November
        self.room = Room(self.shelf.store, self.shelf.inbox, self.shelf.clock)
        self.account = Account()
        self.leases: list[Lease] = []
        self.numbers = itertools.count(1)

    def teardown(self) -> None:
        """See that the kept sums are those of the rows, and close what was opened."""
        assert self.shelf.run(self.room.ledger.differences()) == {}
        self.shelf.close()
        self._folder.cleanup()

    @property
    def month(self) -> str:
        """The month it is."""
        return month_of(self.shelf.clock.at, BERLIN)

    @initialize()
    def begin(self) -> None:
        """Four asks in two channels are worked on."""
        self.leases = [self.shelf.run(self.room.lease(f"C{n % 2}")) for n in range(4)]

    @rule(wishes=st.lists(WISH, min_size=1, max_size=6))
    def reserve_at_once(self, wishes: Sequence[tuple[int, int, bool]]) -> None:
        """Some reserve at the same moment: exactly those succeed whom all three limits cover."""
        calls = [(self.leases[i], next(self.numbers), units, known) for i, units, known in wishes]

        async def together() -> list[Any]:
            reserving = (self.room.reserve(a, n, u, priced=p) for a, n, u, p in calls)
            return await asyncio.gather(*reserving, return_exceptions=True)

        for (lease, n, units, known), found in zip(calls, self.shelf.run(together()), strict=True):
            channel = lease.ask.channel
            verdict = self.account.verdict(self.month, channel, lease.ask.id, units)
            assert (found.scope if isinstance(found, OverBudget) else "") == verdict
            if not verdict:
                key = (lease.ask.id, n)
                self.account.reserved[key] = Reserved(channel, self.month, units, known)

    @precondition(lambda self: self.account.reserved)
    @rule(which=st.integers(0, 99), saved=st.integers(0, 5), booked=st.booleans())
    def end_a_call(self, which: int, saved: int, booked: bool) -> None:
        """A request ends, with a response that cost at most what was reserved, or without one."""
        ask_id, n = sorted(self.account.reserved)[which % len(self.account.reserved)]
        reserved = self.account.reserved.pop((ask_id, n))
        lease = next(lease for lease in self.leases if lease.ask.id == ask_id)
        if not booked:
            self.shelf.run(self.room.drop(lease, n))
            return
        cost = max(0, reserved.units - saved)
        self.shelf.run(self.room.book(lease, n, cost, priced=reserved.priced))
        self.account.spend(self.month, reserved.channel, ask_id, cost)

    @rule(which=st.integers(0, 3))
    def end_an_ask(self, which: int) -> None:
        """An ask ends with whatever is open, and another begins in its place."""
        lease = self.leases[which]
        self.shelf.run(self.room.end(lease))
        for key in [key for key in self.account.reserved if key[0] == lease.ask.id]:
            lost = self.account.reserved.pop(key)
            units = min(1, lost.units) if lost.priced else lost.units
            self.account.spend(lost.month, lost.channel, lease.ask.id, units)
        self.leases[which] = self.shelf.run(self.room.lease(lease.ask.channel))

    @rule(days=st.sampled_from([1, 20]))
    def pass_time(self, days: int) -> None:
        """Days go by, and months; whoever holds an ask renews its lease."""
        self.shelf.clock.at += days * 86_400
        for lease in self.leases:
            self.shelf.run(self.shelf.inbox.renew(lease))

    @invariant()
    def no_limit_is_passed(self) -> None:
        """Spent plus reserved is within each limit, and as the account says."""
        for channel, most in (("C0", CHANNEL), ("C1", CHANNEL), ("", WORKSPACE)):
            spent, reserved = self.shelf.run(self.room.state(channel))
            assert spent + reserved <= most
            assert spent + reserved == self.account.total(self.month, channel)
        assert all(self.account.of_ask(lease.ask.id) <= ASK for lease in self.leases)


Spending.TestCase.settings = settings(max_examples=share(0.2), stateful_step_count=30)
TestSpending = pytest.mark.timeout(240)(Spending.TestCase)  # a busy disk makes it slow


def test_spending_on_a_server(postgres: Postgres) -> None:
    """The same on PostgreSQL, by fewer examples."""
    few = settings(max_examples=share(0.05), stateful_step_count=30)

    class Served(Spending):
        server = postgres

    run_state_machine_as_test(Served, settings=few)
