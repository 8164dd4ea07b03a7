"""An account in sentences: what a manager asks for, in order, and nothing about what is nothing."""

from dataclasses import replace
from datetime import UTC
from decimal import Decimal

import pytest

from bot.account import Account, Single
from bot.figures import Lost, PerAsk
from bot.forecast import Forecast
from bot.misses import Cause, Miss
from bot.report import Line, Period, Report
from bot.sentences import CAUSES, EARLY, MANY, sentences
from bot.sums import Sum
from tests.bot.entries import NOVEMBER, entry

MONTH = Period.parse("2026-11", now=NOVEMBER, zone=UTC)
WEEK = Period.parse("7d", now=NOVEMBER, zone=UTC)
LIMIT = Decimal(50)


def dollars(amount: Decimal) -> str:
    """As short as can be."""
    return f"${amount}"


def account(period: Period = MONTH, **total: object) -> Account:
    """What was spent, in a total alone."""
    values: dict[str, object] = {"asks": 3, "cost": Decimal(40), **total}
    line = Line("total", **values)  # type: ignore[arg-type]
    return Account(Report(period, "feature", (line,), line, ()), single=Single())


def told(made: Account, limit: Decimal | None = LIMIT) -> list[str]:
    """Its sentences."""
    return sentences(made, money=dollars, limit=limit)


def single(**values: object) -> Account:
    """An account of which single asks are known."""
    return replace(account(), single=Single(**values))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("made", "limit", "said"),
    [
        (account(), LIMIT, "$40 for 3 asks, of a budget of $50 (80%): $10 left."),
        (
            account(cost=Decimal(60)),
            LIMIT,
            "$60 for 3 asks, of a budget of $50 (120%): $10 over it.",
        ),
        (account(cost=LIMIT), LIMIT, "$50 for 3 asks, of a budget of $50 (100%): $0 left."),
        (account(asks=1), Decimal(0), "$40 for 1 ask, of a budget of $0: $40 over it."),
        (account(), None, "$40 for 3 asks."),
        (account(WEEK), LIMIT, "$40 for 3 asks."),
    ],
)
def test_what_was_spent_stands_against_the_months_budget(
    made: Account, limit: Decimal | None, said: str
) -> None:
    """A month has a budget, what is left of it or over it; a week, or a place without one, has not."""
    assert told(made, limit) == [said]


@pytest.mark.parametrize(
    ("high", "expected", "end"),
    [
        ("50", "45", "."),
        ("51", "45", ": perhaps over the budget."),
        ("70", "51", ": over the budget."),
    ],
)
def test_the_forecast_says_whether_the_budget_holds(high: str, expected: str, end: str) -> None:
    """It is over, perhaps over, or not spoken of; where it is too early, that is said."""
    made = Forecast(Decimal(expected), Decimal(41), Decimal(high))
    foretold = replace(account(), foretells=True, forecast=made)

    assert told(foretold)[1] == (
        f"By the month's end about ${expected}, most likely $41 to ${high}{end}"
    )
    assert told(replace(account(), foretells=True))[1] == EARLY


def test_a_single_ask_has_its_median_and_its_worst() -> None:
    """Each feature by its name, the dearest first."""
    asks = [
        PerAsk(feature, 3, Decimal(1), Decimal(2), "a", "C1", "1.0")
        for feature in ("review", "chat", "summarize")
    ]

    assert told(single(asks=tuple(asks)))[1] == (
        "Median cost: a review $1 (at most $2); an answer $1 (at most $2); a summary $1 (at most $2)."
    )


def test_few_features_are_told_one_by_one() -> None:
    """Of many the first ones, which are the dearest; refusals are told once, where single asks are known."""
    asks = [PerAsk(f"f{n}", 1, Decimal(n), Decimal(n), "a", "C1", "1.0") for n in range(9, 0, -1)]
    gone = Lost(refused=Decimal(2), refused_asks=1)
    made = replace(account(refused=Decimal(2)), single=Single(asks=tuple(asks), lost=gone))

    assert "f6 $6" in told(made)[1]
    assert "f5" not in told(made)[1]
    assert "".join(told(made)).count("refusals") == 1


def test_misses_are_told_with_what_they_cost_and_why() -> None:
    """Each cause has its dollars, the dearest first; one that nobody knows is called unknown."""
    causes: tuple[Cause, ...] = ("messages", "expired", "expired", "")
    missed = tuple(Miss(None, entry(), 1, Decimal(2 + n), cause) for n, cause in enumerate(causes))
    made = replace(account(saved=Decimal(9)), single=Single(misses=missed))

    assert told(made)[1] == (
        f"The cache saved $9. 4 calls missed it, for $14 more ($7 {CAUSES['expired']}, $5 cause unknown, "
        "$2 since the thread had changed)."
    )
    assert told(replace(made, single=Single(misses=missed[3:])))[1].endswith(
        "1 call missed it, for $5 more (cause unknown)."
    )
    assert told(account(saved=Decimal(-1)))[1] == "The cache cost $1 more than it saved."


def test_keeping_threads_warm_has_a_line_of_its_own() -> None:
    """What it cost and for how many calls; nothing where there were none."""
    one, two = Sum(entries=1, cost=Decimal(1)), Sum(entries=2, cost=Decimal(3))
    lines = [
        [line for line in told(replace(account(), carried=made)) if "warm" in line]
        for made in (Sum(), one, two)
    ]

    assert lines == [
        [],
        ["Keeping the cache of threads warm: $1 for 1 call, in the sum above."],
        ["Keeping the cache of threads warm: $3 for 2 calls, in the sum above."],
    ]


def test_what_was_paid_for_nothing_and_what_people_said() -> None:
    """Refusals, rewordings, repetitions and thumbs, each only where there are any."""
    lost = Lost(Decimal(1), 2, Decimal(3), Decimal(4))

    assert told(single(lost=lost, liked=5, disliked=1, disliked_cost=Decimal(7)))[1:] == [
        (
            "$1 of it went into refusals (2 asks), $3 into asking once more in other words, "
            "$4 into calls that broke off and were made again."
        ),
        "Thumbs down: 1 answer, for $7; thumbs up: 5.",
    ]


def test_how_far_estimates_were_off() -> None:
    """What was said before asks is held against what they cost, by the median."""
    made = replace(account(), single=Single(estimated=12, off=Decimal("0.184")))

    assert told(made)[-1] == "Estimates, made before 12 asks, were off by 18% (median)."


def test_where_there_is_too_much_it_is_said() -> None:
    """Nothing is claimed of asks that were not looked at; what was refused is known from the sums."""
    made = replace(account(refused=Decimal(2)), single=None)

    assert told(made)[1:] == [MANY, "$2 of it went into refusals."]
