"""The books: each billed iteration once, exact, in the months of the workspace, and sums that are those of the rows."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.ask import Lease
from bot.errors import LeaseLost
from bot.inbox import Arrival, Inbox
from bot.journal import Journal
from bot.ledger import PAGE, Entry, Ledger, month_of
from bot.prices import assumed, dollars, picos
from bot.store import Store, Transaction
from bot.usage import Usage
from tests.bot.entries import NOVEMBER, book, entry, warm
from tests.bot.inside import Inside
from tests.bot.stores import Clock, ask
from tests.chance import share

EVER = 2.0**40
COLUMNS = """entry_id, message_id, iteration, ask_id, at, team, channel, user, thread, feature, purpose, model,
prompt_version, input_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, output_tokens,
thinking_tokens, service_tier, speed, inference_geo, stop_reason, refusal_category, billed, cost_usd, price_version,
request_id, ttft_ms, latency_ms, status"""


@pytest.fixture
def ledger(store: Store, clock: Clock) -> Ledger:
    """Books in UTC."""
    return Ledger(store, zone=UTC, now=clock)


async def spent(store: Store, channel: str = "C1", month: str = "2026-11") -> Decimal:
    """What counts against a channel's budget."""
    row = (await store.read("budget.state", channel=channel, month=month))[0]
    return dollars(row["spent"])


async def test_an_entry_comes_back_as_it_was_booked(store: Store, ledger: Ledger) -> None:
    """Every column, exact dollars, nulls where nothing is known, and flags as flags."""
    whole = entry(cost=Decimal("0.000000000001"), refusal_category="cyber", thinking_tokens=7)
    shared = warm(message_id=None, stop_reason=None, cost=None, price_version=None, ttft_ms=None)
    unbilled = entry(billed=False, cost=Decimal(0), status="unconfirmed", request_id=None)
    await book(store, ledger, whole, shared, unbilled)

    rows = await ledger.rows(since=0, until=EVER)
    assert rows == sorted([whole, shared, unbilled], key=lambda row: row.entry_id)


def test_the_columns_are_those_of_the_contract() -> None:
    """Names and order, as whoever reads `purser ledger` relies on them."""
    assert list(entry().columns()) == COLUMNS.replace("\n", " ").split(", ")
    assert entry(cost=Decimal("1.5")).columns()["cost_usd"] == Decimal("1.5")


async def test_an_iteration_is_booked_once(store: Store, ledger: Ledger) -> None:
    """However often it is said, in one transaction or several, it costs once; another iteration is another row."""
    one = entry(entry_id="msg_1:0", cost=Decimal(1))
    await book(store, ledger, one, one)
    await book(store, ledger, replace(one, cost=Decimal(9)))
    await book(store, ledger, replace(one, entry_id="msg_1:1", iteration=1))

    assert [row.cost for row in await ledger.rows(since=0, until=EVER)] == [1, 1]
    assert await spent(store) == 2


async def test_what_is_not_billed_costs_nothing(store: Store, ledger: Ledger) -> None:
    """A refusal that is not billed is a row with its tokens, billed false, and costs exactly 0."""
    refusal = entry(billed=False, cost=Decimal(0), stop_reason="refusal", refusal_category="cyber")
    await book(store, ledger, refusal, entry(billed=False, cost=None))

    rows = await ledger.rows(since=0, until=EVER)
    assert {(str(row.billed), row.cost) for row in rows} == {("False", Decimal(0)), ("False", None)}
    assert await spent(store) == 0


async def test_an_unknown_price_is_null_and_counts(store: Store, ledger: Ledger) -> None:
    """A row without a price says so; against the budget counts what is assumed of all its tokens."""
    unknown = entry(cost=None, price_version=None, input_tokens=10, cache_read_tokens=20)
    unknown = replace(unknown, cache_write_5m_tokens=30, cache_write_1h_tokens=40, output_tokens=5)
    await book(store, ledger, unknown)

    assert (await ledger.rows(since=0, until=EVER))[0].cost is None
    assert await spent(store) == dollars(assumed(100, 5))
    assert await ledger.differences() == {}


async def test_months_are_those_of_the_workspace(store: Store, clock: Clock) -> None:
    """A quarter past midnight in Berlin is the new month, though it is not in London."""
    berlin = Ledger(store, zone=ZoneInfo("Europe/Berlin"), now=clock)
    at = datetime(2026, 11, 30, 23, 15, tzinfo=UTC).timestamp()
    await book(store, berlin, entry(at=at, cost=Decimal(3)))

    assert (await spent(store, month="2026-11"), await spent(store, month="2026-12")) == (0, 3)
    assert month_of(at, UTC) == "2026-11"


async def test_a_span_has_its_beginning_and_not_its_end(store: Store, ledger: Ledger) -> None:
    """Rows are found by time and by channel, in order."""
    rows = [entry(at=NOVEMBER + n, channel=f"C{n % 2}") for n in range(6)]
    await book(store, ledger, *reversed(rows))

    assert await ledger.rows(since=NOVEMBER + 1, until=NOVEMBER + 5) == rows[1:5]
    assert await ledger.rows(since=0, until=EVER, channel="C1") == rows[1::2]


async def test_page_by_page_none_is_missed(store: Store, ledger: Ledger) -> None:
    """Read one by one, rows of the same moment are each told once, however many pages they fill."""
    rows = [entry(at=NOVEMBER + n // 900) for n in range(2 * PAGE + 1)]
    await book(store, ledger, *rows)

    told = [row async for row in ledger.each(since=0, until=EVER)]
    assert told == sorted(rows, key=lambda row: (row.at, row.entry_id))
    assert [row async for row in ledger.each(since=NOVEMBER + 2, until=EVER)] == told[1800:]


COST = st.none() | st.integers(0, 10**15).map(dollars)
ROW = st.fixed_dictionaries(
    {
        "entry_id": st.integers(0, 40).map(lambda n: f"msg_{n}:0"),
        "channel": st.sampled_from(["C1", "C2", None]),
        "at": st.sampled_from([NOVEMBER, NOVEMBER + 86_400 * 20]),
        "cost": COST,
        "billed": st.booleans(),
    }
)


@settings(max_examples=share(0.4), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROW, min_size=1, max_size=30))
async def test_kept_sums_are_those_of_the_rows(
    store: Store, ledger: Ledger, drawn: list[dict[str, Any]]
) -> None:
    """Booked in any order, some twice, in all channels and none: each sum is that of its rows, to the pico-dollar."""
    await book(store, ledger, *(entry(**values) for values in drawn))

    expected: dict[tuple[str, str], int] = {}
    for row in await ledger.rows(since=0, until=EVER):
        key = (month_of(row.at, UTC), row.channel or "")
        counted = assumed(row.input_tokens, row.output_tokens) if row.billed else 0
        counted = counted if row.cost is None else picos(row.cost)
        expected[key] = expected.get(key, 0) + counted
    for (month, channel), total in expected.items():
        if channel:
            assert await spent(store, channel, month) == dollars(total)
    everything = [sum(n for (m, _), n in expected.items() if m == month) for month, _ in expected]
    assert [picos(await spent(store, "", month)) for month, _ in expected] == everything
    assert await ledger.differences() == {}


async def test_a_difference_is_found(store: Store, ledger: Ledger, inside: Inside) -> None:
    """Where somebody changed a sum or a row behind our back, it is named with both numbers."""
    await book(store, ledger, entry(cost=dollars(500)), entry(cost=dollars(7), channel="C2"))
    inside.run("UPDATE spent SET picos = 400 WHERE channel = 'C1'")
    inside.run("DELETE FROM spent WHERE channel = 'C2'")

    assert await ledger.differences() == {
        ("2026-11", "C1"): (400, 500),
        ("2026-11", "C2"): (0, 7),
    }


async def leased(inbox: Inbox) -> Lease:
    """A lease of a new ask."""
    one = ask()
    await inbox.put(Arrival((one.key,), one))
    lease = await inbox.take(person_in_flight=9, channel_in_flight=9)
    assert lease is not None
    return lease


async def test_who_lost_the_ask_books_nothing(
    store: Store, inbox: Inbox, ledger: Ledger, clock: Clock
) -> None:
    """A row in a transaction of a lost lease is not booked, and its sum is not kept."""
    lost = await leased(inbox)
    clock.at += 31
    assert await inbox.take(person_in_flight=9, channel_in_flight=9) is not None
    tx = Transaction(lost)
    ledger.book(tx, entry(cost=Decimal(1)))
    with pytest.raises(LeaseLost):
        await store.commit(tx)

    assert await ledger.rows(since=0, until=EVER) == []
    assert await spent(store) == 0


async def test_what_was_booked_is_not_booked_again_as_lost(
    store: Store, inbox: Inbox, ledger: Ledger, clock: Clock
) -> None:
    """A request that a second attempt has booked as unconfirmed is in the books once when the ask ends."""
    journal, lease = Journal(store, now=clock), await leased(inbox)
    tx = Transaction(lease)
    for n in (1, 2):
        journal.sending(
            tx,
            lease,
            n=n,
            model="claude-sonnet-5-5",
            purpose="answer",
            prefix_hash="h",
            estimate=Usage(input_tokens=100, cache_read_tokens=20, service_tier="batch"),
            estimate_cost=5,
            price_version="list 1",
            prompt_version="p7",
        )
    await store.commit(tx)
    by_hand = entry(entry_id=f"{lease.ask.id}:1:unconfirmed", cost=dollars(5), at=clock.at)
    tx = Transaction(lease)
    ledger.book(tx, by_hand)  # its request is still open, as if the journal had not been told
    inbox.done(tx, lease, outcome="answered")
    await store.commit(tx)

    rows = await ledger.rows(since=0, until=EVER)
    assert [row.entry_id for row in rows] == [
        f"{lease.ask.id}:1:unconfirmed",
        f"{lease.ask.id}:2:unconfirmed",
    ]
    assert await ledger.differences() == {}
    lost: Entry = rows[1]
    assert (lost.cost, lost.price_version, lost.prompt_version) == (dollars(5), "list 1", "p7")
    assert (lost.input_tokens, lost.cache_read_tokens, lost.service_tier) == (100, 20, "batch")
    assert (lost.message_id, lost.stop_reason, lost.status) == (None, None, "unconfirmed")
