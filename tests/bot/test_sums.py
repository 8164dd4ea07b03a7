"""What is kept of days and months is what the rows add up to, to the last digit."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.ledger import Entry, Ledger, day_of
from bot.prices import dollars, price
from bot.store import Store
from bot.store.sqlite import SqliteStore
from bot.sums import By, Sum, spans
from bot.usage import Usage
from tests.bot.entries import NOVEMBER, book, entry, warm
from tests.bot.inside import Inside
from tests.bot.stores import Clock
from tests.chance import share

BERLIN = ZoneInfo("Europe/Berlin")
FIRST, LAST = date(2026, 1, 1), date(2027, 12, 1)
SIDES: tuple[By, ...] = ("channel", "user", "model", "feature", "purpose", "day")
SHARED: dict[str, Any] = dict.fromkeys(("ask_id", "channel", "user", "feature"))


@pytest.fixture
def ledger(store: Store, clock: Clock) -> Ledger:
    """Books in Berlin."""
    return Ledger(store, zone=BERLIN, now=clock)


def added(entries: list[Entry], asks: int, model_asks: int) -> Sum:
    """Add rows up by hand."""
    unknown = [e for e in entries if e.cost is None]
    known = [(e, e.cost) for e in entries if e.cost is not None]
    return Sum(
        entries=len(entries),
        asks=asks,
        model_asks=model_asks,
        input_tokens=sum(e.input_tokens for e in entries),
        cache_write_5m_tokens=sum(e.cache_write_5m_tokens for e in entries),
        cache_write_1h_tokens=sum(e.cache_write_1h_tokens for e in entries),
        cache_read_tokens=sum(e.cache_read_tokens for e in entries),
        output_tokens=sum(e.output_tokens for e in entries),
        thinking_tokens=sum(e.thinking_tokens for e in entries),
        unpriced_tokens=sum(e.usage.prompt_tokens + e.output_tokens for e in unknown),
        cost=sum((cost for _, cost in known), Decimal(0)),
        unconfirmed=sum((c for e, c in known if e.status == "unconfirmed"), Decimal(0)),
        refused=sum((c for e, c in known if e.stop_reason == "refusal"), Decimal(0)),
        saved=sum((without_cache(e) for e in entries), Decimal(0)),
    )


def without_cache(row: Entry) -> Decimal:
    """What a row would have cost more, had its whole prompt been fresh."""
    prompt = row.usage.prompt_tokens
    if row.cost is None or not row.billed or prompt == row.input_tokens:
        return Decimal(0)
    fresh = price(
        Usage(input_tokens=prompt, output_tokens=row.output_tokens), model=row.model, at=row.at
    )
    assert fresh is not None
    return (Decimal(0) if row.purpose == "warm" else dollars(fresh.picos)) - row.cost


MOMENT = st.sampled_from(
    [
        datetime(2026, 3, 28, 23, 30, tzinfo=UTC),  # half past midnight, of the day with 23 hours
        datetime(2026, 3, 29, 21, 59, 59, tzinfo=UTC),  # its last second
        datetime(2026, 10, 24, 22, 0, tzinfo=UTC),  # the first of the day with 25 hours
        datetime(2026, 10, 25, 22, 59, 59, tzinfo=UTC),  # its last second
        datetime(2026, 10, 31, 22, 59, 59, tzinfo=UTC),  # October's last
        datetime(2026, 10, 31, 23, 0, tzinfo=UTC),  # November's first
        datetime(2026, 12, 31, 23, 0, tzinfo=UTC),  # the new year's
    ]
).map(datetime.timestamp)
ROW = st.builds(
    lambda values, nobody: {**values, **SHARED, "purpose": "warm"} if nobody else values,
    st.fixed_dictionaries(
        {
            "entry_id": st.integers(0, 60).map(lambda n: f"msg_{n}:0"),
            "ask_id": st.integers(0, 8).map(lambda n: f"ask{n}"),
            "channel": st.sampled_from(["C1", "C2"]),
            "user": st.sampled_from(["U1", "U2"]),
            "feature": st.sampled_from(["chat", "review"]),
            "purpose": st.sampled_from(["answer", "rephrase"]),
            "model": st.sampled_from(["claude-sonnet-5-5", "claude-opus-5-5"]),
            "at": MOMENT,
            "input_tokens": st.integers(0, 10**6),
            "cache_write_1h_tokens": st.integers(0, 10**4),
            "cache_read_tokens": st.integers(0, 10**6),
            "cost": st.none() | st.integers(0, 10**15).map(dollars),
            "billed": st.booleans(),
            "status": st.sampled_from(["settled", "unconfirmed"]),
            "stop_reason": st.sampled_from(["end_turn", "refusal"]),
        }
    ),
    st.booleans(),
)


def once(drawn: list[dict[str, Any]]) -> list[Entry]:
    """The rows that are booked: of each id the first; an ask has one channel, one person and one feature."""
    home: dict[str, dict[str, Any]] = {}
    rows: dict[str, Entry] = {}
    for values in drawn:
        sides = {side: values[side] for side in ("channel", "user", "feature")}
        if values["ask_id"]:
            sides = home.setdefault(values["ask_id"], sides)
        rows.setdefault(values["entry_id"], entry(**{**values, **sides}))
    return list(rows.values())


@settings(max_examples=share(0.4), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROW, min_size=1, max_size=30))
async def test_sums_are_those_of_the_rows(
    tmp_path_factory: pytest.TempPathFactory, clock: Clock, drawn: list[dict[str, Any]]
) -> None:
    """By whatever they are added up, sums of days and months equal the rows, and rebuilding changes nothing."""
    store = await SqliteStore.open(tmp_path_factory.mktemp("sums") / "purser.db", serve=True)
    ledger, rows = Ledger(store, zone=BERLIN, now=clock), once(drawn)
    await book(store, ledger, *rows)
    await book(store, ledger, *rows)

    for _ in range(2):
        for by in SIDES:
            assert await ledger.totals(by, FIRST, LAST) == by_hand(rows, by)
        daily = sum((day.sum for day in await ledger.daily(FIRST, LAST)), Sum())
        assert daily == sum((await ledger.totals("channel", FIRST, LAST)).values(), Sum())
        assert (await ledger.off(), await ledger.differences()) == ([], {})
        await ledger.rebuild()
    await store.close()


def by_hand(rows: list[Entry], by: By) -> dict[str, Sum]:
    """What `totals` should say; rows in the order in which they were booked."""
    groups: dict[str, list[Entry]] = {}
    asks: dict[str, int] = {}
    model_asks: dict[str, int] = {}
    seen: set[object] = set()
    for row in rows:
        key = day_of(row.at, BERLIN) if by == "day" else cast("str", getattr(row, by) or "")
        groups.setdefault(key, []).append(row)
        for counts, mark in ((asks, row.ask_id), (model_asks, (row.ask_id, row.model))):
            counts[key] = counts.get(key, 0) + bool(row.ask_id and mark not in seen)
            seen.add(mark)
    return {key: added(group, asks[key], model_asks[key]) for key, group in groups.items()}


async def test_a_day_is_the_workspaces(store: Store, ledger: Ledger) -> None:
    """Days have 23, 24 and 25 hours, and a month ends at the workspace's midnight."""
    ends = [datetime(2026, 3, 29, tzinfo=BERLIN), datetime(2026, 10, 25, tzinfo=BERLIN)]
    ends.append(datetime(2026, 10, 31, tzinfo=BERLIN))
    for midnight in ends:
        following = (midnight + timedelta(days=1)).timestamp()
        moments = (midnight.timestamp() - 1, midnight.timestamp(), following - 1, following)
        await book(store, ledger, *(entry(at=at, cost=Decimal(1)) for at in moments))

    for midnight in ends:
        day = midnight.date()
        (found,) = await ledger.daily(day, day + timedelta(days=1))
        assert (found.day, found.sum.entries) == (day, 2)
    months = [
        (await ledger.totals("channel", since, until))["C1"].cost
        for since, until in pairwise([date(2026, 3, 1), date(2026, 11, 1), date(2026, 12, 1)])
    ]
    assert months == [11, 1]


async def test_an_ask_counts_where_it_began(store: Store, ledger: Ledger) -> None:
    """An ask that went on past midnight, or changed its model, is one ask; of models each counts it."""
    late = datetime(2026, 10, 31, 23, 59, tzinfo=BERLIN).timestamp()
    one = entry(ask_id="a1", at=late, entry_id="r1")
    other = {"at": late + 120, "model": "claude-opus-5-5"}
    await book(store, ledger, one, replace(one, entry_id="r2", **other), entry(**other))
    await book(store, ledger, warm(at=late))

    days = await ledger.totals("day", date(2026, 10, 31), date(2026, 11, 2))
    models = await ledger.totals("model", date(2026, 10, 1), date(2026, 12, 1))
    assert {day: total.asks for day, total in days.items()} == {"2026-10-31": 1, "2026-11-01": 1}
    assert {model: total.model_asks for model, total in models.items()} == {
        "claude-sonnet-5-5": 1,
        "claude-opus-5-5": 2,
    }


async def test_sums_of_one_channel_and_one_person(store: Store, ledger: Ledger) -> None:
    """A channel's sums hold nothing of another's, nor a person's."""
    await book(store, ledger, entry(cost=Decimal(1)), entry(channel="C2", cost=Decimal(2)))
    await book(store, ledger, entry(channel="C2", user="U2", cost=Decimal(4)))
    span = (date(2026, 11, 10), date(2026, 12, 1))

    async def costs(by: By, **only: str) -> dict[str, Decimal]:
        return {key: found.cost for key, found in (await ledger.totals(by, *span, **only)).items()}

    assert await costs("user") == {"U1": 3, "U2": 4}
    assert await costs("user", channel="C2") == {"U1": 2, "U2": 4}
    assert await costs("user", channel="C2", user="U2") == {"U2": 4}
    assert await costs("channel", user="U1") == {"C1": 1, "C2": 2}
    assert await costs("day", channel="C2", user="U1") == {"2026-11-18": 2}
    assert await costs("feature") == {"chat": 7}
    assert [day.sum.cost for day in await ledger.daily(*span, channel="C1")] == [1]


async def test_a_wrong_sum_is_named_and_mended(
    store: Store, ledger: Ledger, inside: Inside
) -> None:
    """Whatever was changed behind our back is named, and right again once it is rebuilt."""
    await book(store, ledger, entry(at=NOVEMBER), entry(at=NOVEMBER, channel="C2"))
    inside.run("UPDATE sums SET output_tokens = 99 WHERE channel = 'C1' AND span = '2026-11'")
    inside.run("DELETE FROM sums WHERE channel = 'C2' AND who = 'U1'")
    inside.run("UPDATE spent SET picos = 1")

    assert [name.split()[:3] for name in await ledger.off()] == [
        ["2026-11", "*", "C1"],
        ["2026-11", "U1", "C1"],
        ["2026-11", "U1", "C2"],
        ["2026-11-18", "U1", "C2"],
    ]
    await ledger.rebuild()
    assert (await ledger.off(), await ledger.differences()) == ([], {})


def test_whole_months_are_read_as_months() -> None:
    """A span is read by its months, and by the days that are left at both its ends."""
    assert spans(date(2026, 1, 30), date(2026, 4, 2), months=True) == [
        *("2026-01-30", "2026-01-31", "2026-02", "2026-03", "2026-04-01"),
    ]
    assert spans(date(2026, 2, 27), date(2026, 3, 2), months=False) == [
        *("2026-02-27", "2026-02-28", "2026-03-01"),
    ]
    assert spans(date(2026, 12, 1), date(2027, 1, 1), months=True) == ["2026-12"]
