"""From rows of the books to sums: exact, in the workspace's own days and months."""

import random
from collections import Counter
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ledger import Entry, Ledger
from bot.report import DIMENSIONS, BadPeriod, By, Line, Period, build, cell, summed
from bot.store import Store
from bot.sums import Sum
from tests.bot.entries import NOVEMBER, book, entry, warm

UTC = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
AUCKLAND = ZoneInfo("Pacific/Auckland")
HOUR = 3600.0


def month(zone: ZoneInfo = UTC) -> Period:
    """November 2026."""
    return Period.parse("2026-11", now=NOVEMBER, zone=zone)


def lines(entries: list[Entry], by: By, zone: ZoneInfo = UTC) -> dict[str, Line]:
    """The lines of a report by their keys."""
    return {line.key: line for line in build(entries, by=by, period=month(zone)).lines}


# Periods


@pytest.mark.parametrize(
    ("text", "name", "hours"),
    [
        ("today", "2026-11-18", 24),
        ("Yesterday", "2026-11-17", 24),
        ("7d", "2026-11-12 to 2026-11-18", 7 * 24),
        ("this month", "2026-11", 30 * 24),
        ("", "2026-11", 30 * 24),
        ("  LAST   month ", "2026-10", 31 * 24),
        ("2026-02", "2026-02", 28 * 24),
        ("2025-12", "2025-12", 31 * 24),
    ],
)
def test_periods_are_named_as_people_say_them(text: str, name: str, hours: int) -> None:
    """Days, weeks and months are read, in any case and spacing."""
    period = Period.parse(text, now=NOVEMBER, zone=UTC)

    assert (period.name, period.until - period.since) == (name, hours * HOUR)


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-00", "tomorrow", "0d", "367d", "2026-12", "1999-01", "2026-11-01"]
)
def test_what_is_no_period_is_told_by_example(text: str) -> None:
    """Nonsense, the future and too long a look back are answered with what would be understood."""
    with pytest.raises(BadPeriod, match="2026-11"):
        Period.parse(text, now=NOVEMBER, zone=UTC)


def test_yesterday_has_its_own_hours() -> None:
    """It ends where today begins, also where the clocks were set back in it."""
    monday = 1_793_012_400.0  # 2026-10-26, noon in Berlin
    yesterday, today = (
        Period.parse(one, now=monday, zone=BERLIN) for one in ("yesterday", "today")
    )

    assert (yesterday.until, yesterday.until - yesterday.since) == (today.since, 25 * HOUR)


def test_a_month_is_the_workspaces_own() -> None:
    """It begins at midnight where the workspace is, and has an hour more where clocks are set back."""
    berlin, auckland = month(BERLIN), month(AUCKLAND)
    october = Period.parse("last month", now=NOVEMBER, zone=BERLIN)

    assert month().since - berlin.since == HOUR
    assert month().since - auckland.since == 13 * HOUR
    assert october.until - october.since == (31 * 24 + 1) * HOUR
    assert october.until == berlin.since


def test_the_end_of_a_month_belongs_to_the_next() -> None:
    """`since` is inside, `until` is not: adjoining months count every row once."""
    inside, outside = entry(at=month().since), entry(at=month().until)

    assert build([inside, outside], by="channel", period=month()).total.asks == 1


def test_days_are_the_workspaces_own() -> None:
    """The same row is of one day in Berlin and of the next in Auckland."""
    late = [entry(at=NOVEMBER + 8 * HOUR)]  # 19:06 in UTC

    assert list(lines(late, "day", BERLIN)) == ["2026-11-18"]
    assert list(lines(late, "day", AUCKLAND)) == ["2026-11-19"]


# Sums


@pytest.mark.parametrize("by", [by for by in DIMENSIONS if by != "feedback"])
def test_every_dimension_has_a_line_of_its_own(by: By) -> None:
    """Rows that differ in what is asked for stand in different lines, others in one."""
    different = {
        "channel": "C2",
        "user": "U2",
        "model": "claude-opus-5-5",
        "feature": "review",
        "at": NOVEMBER - 48 * HOUR,
    }
    rows = [entry(), entry()] + [entry(**{k: v}) for k, v in different.items()]

    counted = [line.asks for line in build(rows, by=by, period=month()).lines]
    assert sorted(counted) == [1, 6]


def test_the_dearest_line_stands_first_and_days_stand_in_order() -> None:
    """Lines are sorted by what they cost; days by the calendar."""
    rows = [
        entry(channel="C1", at=NOVEMBER, cost=Decimal(1)),
        entry(channel="C2", at=NOVEMBER - 48 * HOUR, cost=Decimal(2)),
        entry(channel="C3", at=NOVEMBER - 24 * HOUR, cost=Decimal(3)),
    ]

    assert list(lines(rows, "channel")) == ["C3", "C2", "C1"]
    assert list(lines(rows, "day")) == ["2026-11-16", "2026-11-17", "2026-11-18"]


def test_thumbs_are_a_dimension_of_their_own() -> None:
    """What was disliked, what was liked, and all the rest; each with what it cost."""
    rows = [entry(ask_id=ask, cost=Decimal(n)) for n, ask in enumerate("abcd", 1)]
    thumbs = {"a": "bad", "c": "bad", "d": "good"}
    report = build(rows, by="feedback", period=month(), thumbs=thumbs)

    assert [(line.key, line.cost, line.asks) for line in report.lines] == [
        ("thumbs down", 4, 2),
        ("thumbs up", 4, 1),
        ("not rated", 2, 1),
    ]


def test_what_all_share_has_a_line() -> None:
    """Keeping caches warm is nobody's, and is no ask; without it the total would be too good."""
    report = build([entry(cost=Decimal(2)), warm(cost=Decimal(1))], by="channel", period=month())

    assert {line.key: line.cost for line in report.lines} == {"C1": 2, "shared": 1}
    assert (report.total.cost, report.total.asks) == (3, 1)


def test_an_ask_is_counted_once_however_many_calls_it_took() -> None:
    """Several rows of one ask are one ask, also when two models worked on it."""
    rows = [
        entry(ask_id="a", model="claude-sonnet-5-5"),
        entry(ask_id="a", model="claude-opus-5-5"),
        entry(ask_id="a", model="claude-opus-5-5"),
    ]

    assert [line.asks for line in lines(rows, "model").values()] == [1, 1]
    assert build(rows, by="model", period=month()).total.asks == 1


def test_an_unknown_price_is_never_nothing() -> None:
    """Its tokens are counted as unpriced and its model is named, beside what is known."""
    rows = [
        entry(cost=None, model="claude-next", input_tokens=30, output_tokens=12),
        entry(cost=Decimal("0.5")),
    ]
    report = build(rows, by="channel", period=month())

    assert (report.total.cost, report.total.unpriced) == (Decimal("0.5"), 42)
    assert report.unpriced_models == ("claude-next",)


def test_estimates_and_refusals_are_shown_within_the_cost() -> None:
    """What is unconfirmed, and what ended in refusals, is part of the cost and said beside it."""
    rows = [
        entry(cost=Decimal(1)),
        entry(cost=Decimal(2), status="unconfirmed"),
        entry(cost=Decimal(4), stop_reason="refusal"),
    ]
    total = build(rows, by="channel", period=month()).total

    assert (total.cost, total.unconfirmed, total.refused) == (7, 2, 4)


def test_names_are_shown_for_channels_and_people_alone() -> None:
    """Whoever has names gives them; models and features are their own names."""
    report = build([entry()], by="user", period=month(), named=lambda key: f"<{key}>")
    models = build([entry()], by="model", period=month(), named=lambda key: f"<{key}>")

    assert [line.key for line in report.lines] == ["<U1>"]
    assert [line.key for line in models.lines] == ["claude-sonnet-5-5"]


# What the cache saved


def test_reading_from_cache_saves_the_difference_to_fresh_input() -> None:
    """A million tokens read by Sonnet 5.5 cost 0.10 instead of 2 dollars."""
    read = entry(input_tokens=0, cache_read_tokens=1_000_000, output_tokens=0, cost=Decimal("0.10"))

    report = build([read], by="channel", period=month())
    assert (report.total.saved, report.total.cached_share) == (Decimal("1.9"), 1.0)


def test_writing_the_cache_and_keeping_it_warm_is_paid_out_of_what_it_saves() -> None:
    """Nothing is saved by a write that nobody reads: 2.50 instead of 2 dollars, and warming on top."""
    written = entry(
        input_tokens=0, cache_write_5m_tokens=1_000_000, output_tokens=0, cost=Decimal("2.50")
    )
    warmed = warm(input_tokens=0, cache_read_tokens=1_000_000, cost=Decimal("0.10"))
    report = build([written, warmed], by="channel", period=month())

    assert {line.key: line.saved for line in report.lines} == {
        "C1": Decimal("-0.5"),
        "shared": Decimal("-0.1"),
    }


def test_nothing_is_said_to_be_saved_where_it_is_not_known() -> None:
    """Without a cache, without a price or without a bill there is no saving to speak of."""
    rows = [
        entry(),
        entry(cost=None, model="claude-next", cache_read_tokens=1_000),
        entry(cost=Decimal(0), billed=False, cache_read_tokens=1_000),
    ]

    assert build(rows, by="channel", period=month()).total.saved == 0


# Properties

ROWS = st.lists(
    st.builds(
        entry,
        channel=st.sampled_from(["C1", "C2", "C3"]),
        user=st.sampled_from(["U1", "U2"]),
        model=st.sampled_from(["claude-sonnet-5-5", "claude-haiku-5-5", "claude-next"]),
        feature=st.sampled_from(["chat", "review", "summarize"]),
        at=st.floats(NOVEMBER - 60 * 24 * HOUR, NOVEMBER + 60 * 24 * HOUR),
        cost=st.none() | st.integers(0, 10**14).map(lambda n: Decimal(n).scaleb(-12)),
        cache_read_tokens=st.integers(0, 10**6),
        output_tokens=st.integers(0, 10**5),
        status=st.sampled_from(["settled", "unconfirmed"]),
    ),
    max_size=30,
)


@given(rows=ROWS, by=st.sampled_from(DIMENSIONS))
def test_the_lines_add_up_to_the_total_and_the_total_to_the_rows(rows: list[Entry], by: By) -> None:
    """By whatever is asked for, money and tokens equal the rows of the period to the last digit."""
    report = build(rows, by=by, period=month(BERLIN))
    kept = [r for r in rows if report.period.since <= r.at < report.period.until]

    assert report.total.cost == sum((r.cost or Decimal(0) for r in kept), Decimal(0))
    assert report.total.output_tokens == sum(r.output_tokens for r in kept)
    for name in ("cost", "unconfirmed", "output_tokens", "cached_tokens", "unpriced"):
        summed = sum((getattr(line, name) for line in report.lines), Decimal(0))
        assert getattr(report.total, name) == summed
    assert max(Counter(line.key for line in report.lines).values(), default=1) == 1


async def test_the_sums_that_are_kept_make_the_same_report(store: Store) -> None:
    """By whatever is asked for, a report of the books' sums is the report of their rows."""
    rng = random.Random(7)
    ledger = Ledger(store, zone=BERLIN, now=lambda: NOVEMBER)
    rows = [
        entry(
            ask_id=f"a{n // 2}",
            channel=f"C{n // 2 % 3}",
            user=f"U{n // 2 % 5}",
            at=NOVEMBER + rng.uniform(-30, 30) * 24 * HOUR + n,
            cost=None if n % 11 == 0 else Decimal(rng.randrange(10**13)).scaleb(-12),
            model="claude-next" if n % 11 == 0 else "claude-sonnet-5-5",
            stop_reason="refusal" if n % 7 == 0 else "end_turn",
            status="unconfirmed" if n % 13 == 0 else "settled",
        )
        for n in range(0, 400, 2)
    ]
    await book(store, ledger, *rows, warm(cost=Decimal("0.01")))
    period = month(BERLIN)
    kept = await ledger.rows(since=period.since, until=period.until)
    models = await ledger.totals("model", period.first, period.end)

    for by in ("channel", "user", "model", "feature", "day"):
        sums = await ledger.totals(by, period.first, period.end)
        assert summed(sums, models, by=by, period=period) == build(kept, by=by, period=period)


def test_only_one_person_may_be_named() -> None:
    """All others stand in one line, which adds up with it; what all share stays apart."""
    sums = {
        "U1": Sum(asks=1, cost=Decimal(1)),
        "U2": Sum(asks=2, cost=Decimal(2)),
        "U3": Sum(asks=3, cost=Decimal(4)),
        "": Sum(cost=Decimal(8)),
    }
    mine = summed(sums, {}, by="user", period=month(), named=str.lower, alone="U1")
    nobodys = summed(sums, {}, by="user", period=month(), alone="")

    assert [(line.key, line.cost) for line in mine.lines] == [
        ("shared", 8),
        ("others", 6),
        ("u1", 1),
    ]
    assert [(line.key, line.cost) for line in nobodys.lines] == [("shared", 8), ("others", 7)]
    assert mine.total.cost == nobodys.total.cost == 15


# Columns


def test_the_table_ends_with_the_total_and_shows_money_as_exact_text() -> None:
    """No digit is lost and no exponent is written, however small the sum."""
    report = build(
        [entry(cost=Decimal(5).scaleb(-12)), entry(channel="C2", cost=Decimal(1))],
        by="channel",
        period=month(),
    )
    rows = report.table()

    assert [row["channel"] for row in rows] == ["C2", "C1", "total"]
    assert [row["cost_usd"] for row in rows] == ["1", "0.000000000005", "1.000000000005"]
    assert rows[-1]["asks"] == 2


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(start: str) -> None:
    """A text that a spreadsheet would calculate is quoted; numbers stay numbers."""
    assert cell(f"{start}1+1") == f"'{start}1+1"
    assert cell("plain = text") == "plain = text"
    assert cell(-5) == -5
