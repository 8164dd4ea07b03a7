"""Accounts, drawn up from the books: of one channel alone, with what is known of its single asks, where these are few."""

from datetime import UTC
from decimal import Decimal
from typing import Any

from bot.account import Account, Accounts
from bot.answer import Estimate
from bot.estimates import Estimates
from bot.hindsight import Hindsight
from bot.inbox import Arrival, Inbox
from bot.journal import Journal
from bot.ledger import Ledger
from bot.prices import PICOS
from bot.report import Period
from bot.store import Store, Transaction
from bot.usage import Usage
from tests.bot.entries import NOVEMBER, book, entry
from tests.bot.stores import Clock, ask


async def drawn(
    store: Store, period: str = "this month", *, channel: str | None = "C1", most: int | None = None
) -> Account:
    """The account of a channel."""
    clock = Clock(NOVEMBER)
    ledger, estimates = Ledger(store, zone=UTC, now=clock), Estimates(store, now=clock)
    accounts = Accounts(ledger, Hindsight(store), estimates, now=clock, calls_at_most=most)
    span = Period.parse(period, now=NOVEMBER, zone=UTC)
    return await accounts.draw(span, by="feature", channel=channel)


async def booked(store: Store, *entries: Any) -> None:
    """Book rows."""
    await book(store, Ledger(store, zone=UTC, now=Clock(NOVEMBER)), *entries)


async def test_a_channel_has_its_own_asks_alone(store: Store) -> None:
    """Another channel's single asks are in the account of all channels, and not in this one's."""
    await booked(store, entry(), entry(channel="C2", cost=Decimal(9)))
    own, every = (await drawn(store)).single, (await drawn(store, channel=None)).single

    assert own is not None
    assert every is not None
    assert [one.worst for one in own.asks] == [Decimal("0.003")]
    assert [one.worst for one in every.asks] == [Decimal(9)]


async def test_where_calls_are_too_many_the_sums_are_all(store: Store) -> None:
    """Then no call is looked at, and what was spent is told all the same."""
    await booked(store, entry(), entry())
    made = await drawn(store, most=1)

    assert made.single is None
    assert made.report.total.asks == 2
    assert (await drawn(store, most=2)).single is not None


async def test_only_the_month_that_has_begun_is_foretold(store: Store) -> None:
    """One that is over has its sum, and a week has no end to foretell."""
    foretold = {
        period: (await drawn(store, period)).foretells
        for period in ("this month", "2026-11", "last month", "7d")
    }

    assert foretold == {"this month": True, "2026-11": True, "last month": False, "7d": False}


async def test_estimates_are_judged_where_they_were_made(store: Store, inbox: Inbox) -> None:
    """What another channel's asks were thought to cost says nothing of this one's."""
    estimates = Estimates(store, now=Clock(NOVEMBER))
    for channel, dollars in (("C1", 1), ("C2", 100)):
        one = ask(channel=channel)
        await inbox.put(Arrival((one.key,), one))
        lease = await inbox.take(person_in_flight=9, channel_in_flight=9)
        assert lease is not None
        tx = Transaction(lease)
        estimates.put(tx, lease, Estimate(9, dollars * PICOS, 1.0))
        inbox.done(tx, lease, outcome="answer")
        await store.commit(tx)
        await booked(store, entry(channel=channel, ask_id=one.id, cost=Decimal(2)))
    single = (await drawn(store)).single

    assert single is not None
    assert (single.estimated, single.off) == (1, Decimal(1))


async def test_what_claude_says_of_a_miss_and_who_began_beside_is_told(
    store: Store, inbox: Inbox
) -> None:
    """Where the books and the journal's hashes know no cause, Claude's word is taken; cold starts are misses, too."""
    one = ask()
    await inbox.put(Arrival((one.key,), one))
    lease = await inbox.take(person_in_flight=9, channel_in_flight=9)
    assert lease is not None
    journal, tx = Journal(store, now=Clock(NOVEMBER)), Transaction(lease)
    what = {"model": "m", "purpose": "answer", "prefix_hash": "h"}
    journal.sending(tx, lease, n=0, estimate=Usage(), estimate_cost=1, **what)
    journal.started(tx, lease, n=0, message_id="msg_b")
    journal.ended(tx, lease, n=0, response={"cache_miss": "tools_changed"})
    values: dict[str, Any] = {
        "ask_id": one.id,
        "cost": Decimal(1),
        "latency_ms": 100,
        "ttft_ms": 50,
    }
    first = entry(message_id="msg_a", cache_write_5m_tokens=9_000, **values)
    again = entry(message_id="msg_b", at=NOVEMBER + 1, input_tokens=9_500, **values)
    beside = [
        entry(at=NOVEMBER + 9 + n / 100, thread=f"{n}.0", cache_write_1h_tokens=5_000, **values)
        for n in (7, 8)
    ]
    await store.commit(tx)
    await booked(store, first, again, *beside)
    single = (await drawn(store)).single

    assert single is not None
    assert sorted(miss.cause for miss in single.misses) == ["cold", "tools"]
