"""The figures beside the sums: exact, the dearest ask found, losses counted once."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bot.figures import Lost, lost, per_ask
from tests.bot.entries import NOVEMBER, entry, warm

PICOS = st.integers(0, 10**13).map(lambda n: Decimal(n) / 10**12)


# What one ask costs


def test_an_ask_is_all_its_calls() -> None:
    """The calls of one ask count together; the median and the dearest are of asks, not of calls."""
    rows = [
        entry(ask_id=ask, cost=Decimal(cost)) for ask, cost in zip("aabcc", "12419", strict=True)
    ]
    rows.append(entry(ask_id="c", thread="7.0", cost=Decimal(5)))

    (one,) = per_ask(rows)
    assert (one.asks, one.median, one.worst, one.ask_id) == (3, 4, 15, "c")


def test_features_stand_apart_and_the_dearest_first() -> None:
    """Each feature has a line of its own; what all share is no ask."""
    rows = [entry(cost=Decimal(1)), entry(feature="review", cost=Decimal(2)), warm(cost=Decimal(9))]

    assert [(one.feature, one.worst) for one in per_ask(rows)] == [("review", 2), ("chat", 1)]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["chat", "review"]), PICOS)))
def test_the_dearest_is_no_less_than_any(rows: list[tuple[str, str, Decimal]]) -> None:
    """Median and worst are within what asks cost, to the last digit."""
    entries = [entry(ask_id=f"{f}{a}", feature=f, cost=cost) for a, f, cost in rows]

    for one in per_ask(entries):
        costs = [
            sum((e.cost or 0 for e in entries if e.ask_id == ask), Decimal(0))
            for ask in {e.ask_id for e in entries if e.feature == one.feature}
        ]
        assert one.worst == max(costs)
        assert min(costs) <= one.median <= one.worst
        assert one.asks == len(costs)


# What was paid for no answer


def test_refusals_rewordings_and_repetitions_stand_apart() -> None:
    """Each call is lost for one reason; an estimate with nothing after it was not made again."""
    rows = [
        entry(ask_id="a", stop_reason="refusal", cost=Decimal(1)),
        entry(ask_id="a", purpose="rephrase", cost=Decimal(2)),
        entry(ask_id="b", status="unconfirmed", cost=Decimal(4)),
        entry(ask_id="b", at=NOVEMBER + 9, cost=Decimal(8)),
        entry(ask_id="c", status="unconfirmed", cost=Decimal(16)),
        entry(ask_id="d", purpose="fallback", stop_reason="refusal", cost=Decimal(32)),
    ]

    assert lost(rows) == Lost(Decimal(33), 2, Decimal(2), Decimal(4))
