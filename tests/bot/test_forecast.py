"""The forecast of a month: medians of weekdays, never below what is spent, its error measured on a seeded half year."""

import random
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.forecast import DAYS_AT_LEAST, HISTORY_DAYS, forecast

CENTS = st.integers(0, 10_000_000).map(lambda n: Decimal(n) / 100)
TODAY = date(2026, 11, 18)  # a Wednesday; 13 days of November are to come, with this one
FIRST = date(2026, 6, 1)


def half_year(seed: int) -> dict[date, Decimal]:
    """June to November: quiet weekends, slow growth, noise, and now and then a wild day."""
    rng = random.Random(seed)
    spent: dict[date, Decimal] = {}
    for n in range(183):
        day = FIRST + timedelta(days=n)
        usual = (2.0 if day.weekday() > 4 else 14.0) * (1 + n / 600)
        wild = 4.0 if rng.random() < 0.03 else 1.0
        spent[day] = Decimal(round(usual * wild * rng.uniform(0.6, 1.4) * 100)) / 100
    return spent


def steady(days: int, *, cost: int = 10, weekend: int = 0) -> dict[date, Decimal]:
    """So many days before today, all weekdays alike."""
    every = [TODAY - timedelta(days=n) for n in range(1, days + 1)]
    return {day: Decimal(weekend if day.weekday() > 4 else cost) for day in every}


def test_steady_days_go_on() -> None:
    """Where every weekday costs the same, the month's end is known, and the range is a point."""
    made = forecast(steady(60), today=TODAY)

    assert made is not None
    assert made.expected == made.low == made.high == 21 * 10  # November 2026 has 21 weekdays


def test_one_wild_day_changes_nothing_to_come() -> None:
    """A day of a hundred times the usual stands in the sum, once, and in no day to come."""
    spent = steady(60)
    spent[TODAY - timedelta(days=2)] = Decimal(1_000)
    made = forecast(spent, today=TODAY)

    assert made is not None
    assert made.expected == 20 * 10 + 1_000


def test_a_dear_day_that_has_not_ended_counts() -> None:
    """Today counts with what it has cost already, where that is more than usual."""
    made = forecast({**steady(60), TODAY: Decimal(50)}, today=TODAY)

    assert made is not None
    assert made.expected == 20 * 10 + 50


@pytest.mark.parametrize(("days", "early"), [(DAYS_AT_LEAST - 1, True), (DAYS_AT_LEAST, False)])
def test_with_few_days_it_is_too_early(days: int, *, early: bool) -> None:
    """Under ten whole days on the books nothing is foretold."""
    assert (forecast(steady(days, weekend=10), today=TODAY) is None) is early


def test_nothing_spent_foretells_nothing() -> None:
    """Without any spending there is no forecast, whatever days are named."""
    assert forecast({}, today=TODAY) is None
    assert forecast({FIRST: Decimal(0)}, today=TODAY) is None


def test_what_is_long_ago_is_forgotten() -> None:
    """Only the last eight weeks count: a team that grew is not measured by its beginning."""
    before = {TODAY - timedelta(days=HISTORY_DAYS + n): Decimal(1) for n in range(1, 100)}

    assert forecast({**before, **steady(HISTORY_DAYS)}, today=TODAY) == forecast(
        steady(HISTORY_DAYS), today=TODAY
    )


@given(st.lists(CENTS, min_size=DAYS_AT_LEAST, max_size=70), CENTS)
def test_it_is_never_below_what_is_spent(costs: list[Decimal], begun: Decimal) -> None:
    """Whatever the days were: spent <= low <= expected <= high."""
    spent = {TODAY - timedelta(days=n + 1): cost for n, cost in enumerate(costs)} | {TODAY: begun}
    so_far = sum(c for day, c in spent.items() if (day.year, day.month) == (2026, 11))
    made = forecast(spent, today=TODAY)

    if made is not None:
        assert so_far <= made.low <= made.expected <= made.high


def test_its_error_on_half_a_year_is_small() -> None:
    """Made each day from August to November: half are wrong by less than 5 %, nine of ten by less than 17 %; of ten ranges eight hold."""
    errors: list[Decimal] = []
    inside = 0
    for seed in range(5):
        spent = half_year(seed)
        for today in [day for day in spent if day.month > 7]:
            truth = sum(c for day, c in spent.items() if day.month == today.month)
            made = forecast({d: c for d, c in spent.items() if d < today}, today=today)
            assert made is not None
            errors.append(abs(made.expected - truth) / truth)
            inside += made.low <= truth <= made.high

    errors.sort()
    assert median(errors) < Decimal("0.05")
    assert errors[int(len(errors) * 0.9)] < Decimal("0.17")
    assert inside / len(errors) > 0.8
