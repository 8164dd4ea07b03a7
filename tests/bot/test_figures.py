"""The figures beside the sums: exact, the dearest ask found, misses and losses counted once."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.figures import Lost, lost, misses, per_ask
from bot.ledger import Entry
from bot.prices import dollars, price
from bot.usage import Usage
from tests.bot.entries import NOVEMBER, entry, warm

PICOS = st.integers(0, 10**13).map(lambda n: Decimal(n) / 10**12)


def response(
    at: float = 0, *, read: int = 0, wrote: int = 0, fresh: int = 100, **over: Any
) -> Entry:
    """A response in thread 1.0 so many seconds later, at its true price."""
    tokens = {"input_tokens": fresh, "cache_write_5m_tokens": wrote, "cache_read_tokens": read}
    usage = Usage(
        input_tokens=fresh, cache_write_5m_tokens=wrote, cache_read_tokens=read, output_tokens=100
    )
    cost = price(usage, model="claude-sonnet-5-5", at=NOVEMBER)
    assert cost is not None
    return entry(at=NOVEMBER + at, cost=dollars(cost.picos), **tokens, **over)


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


# What the cache missed


def test_what_was_there_and_was_not_read_is_a_miss() -> None:
    """A second response that wrote what it could have read cost the difference of both prices more."""
    missed = response(60, wrote=10_000)
    had = response(60, read=10_000)
    (miss,) = misses([response(wrote=10_000), missed])

    assert missed.cost is not None
    assert had.cost is not None
    assert (miss.message_id, miss.tokens, miss.cause) == (missed.message_id, 10_000, "")
    assert miss.extra == missed.cost - had.cost > 0


@pytest.mark.parametrize(("seconds", "cause"), [(299, ""), (301, "pause")])
def test_a_pause_is_a_known_cause(seconds: float, cause: str) -> None:
    """After more than five minutes the cache was gone."""
    (miss,) = misses([response(wrote=5_000), response(seconds, wrote=5_000)])

    assert miss.cause == cause


def test_what_is_no_miss() -> None:
    """The first of a thread, one that reads all there is, another thread, another model, and an estimate."""
    first = response(wrote=5_000)
    others = (
        response(9, read=5_000, wrote=800),
        response(9, wrote=5_000, thread="2.0"),
        response(9, wrote=5_000, channel="C2"),
        response(9, wrote=5_000, model="claude-opus-5-5"),
        response(9, wrote=5_000, status="unconfirmed"),
        response(9, wrote=5_000, thread=None),
    )

    assert [misses([first, other]) for other in others] == [[]] * len(others)


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
