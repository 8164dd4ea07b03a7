"""Prices are exact, dated, and unknown rather than wrong."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.prices import PICOS, Cost, assumed, dollars, picos, price
from bot.usage import Usage

NOVEMBER = 1_795_000_000.0  # seconds; 2026-11-18
SEPTEMBER = 1_790_000_000.0  # 2026-09-21
FEBRUARY = 1_771_000_000.0  # 2026-02-13
SONNET, OPUS, HAIKU = "claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-5-5"
KINDS = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
)


def cost(model: str, *, at: float = NOVEMBER, **usage: Any) -> Decimal | None:
    """What tokens cost in dollars."""
    found = price(Usage(**usage), model=model, at=at)
    return None if found is None else dollars(found.picos)


# Source: https://platform.claude.com/docs/en/about-claude/pricing, November 2026; dollars a million tokens.
LIST = {
    SONNET: ("2", "10", "0.10", "2.50", "4"),
    OPUS: ("4", "20", "0.20", "5", "8"),
    HAIKU: ("0.10", "0.50", "0.01", "0.125", "0.20"),
}


@pytest.mark.parametrize("model", LIST)
@pytest.mark.parametrize("kind", range(5), ids=KINDS.__getitem__)
def test_each_kind_of_token_has_its_list_price(model: str, kind: int) -> None:
    """Input, output, cache reads and both kinds of cache writes, at what the vendor's page says."""
    assert cost(model, **{KINDS[kind]: 100_000}) == Decimal(LIST[model][kind]) / 10


@given(counts=st.tuples(*[st.integers(0, 200_000)] * 5), model=st.sampled_from([SONNET, OPUS]))
def test_a_response_costs_what_its_kinds_cost(counts: tuple[int, ...], model: str) -> None:
    """The whole is the sum of the parts, to the last pico-dollar."""
    each = dict(zip(KINDS, counts, strict=True))
    parts = [cost(model, **{kind: n}) or Decimal(0) for kind, n in each.items()]

    assert cost(model, **each) == sum(parts)


@pytest.mark.parametrize("kind", ["input_tokens", "cache_read_tokens", "cache_write_1h_tokens"])
def test_a_long_prompt_makes_haiku_dearer_as_a_whole(kind: str) -> None:
    """Beyond 100,000 tokens of prompt, cached ones too, everything costs five times as much."""
    short = cost(HAIKU, **{kind: 100_000}, output_tokens=1_000)
    long = cost(HAIKU, **{kind: 100_001}, output_tokens=1_000)
    one = cost(HAIKU, **{kind: 1})

    assert short is not None
    assert one is not None
    assert long == 5 * (short + one)


def test_thinking_is_output_and_is_paid_once() -> None:
    """Thinking tokens are part of the output tokens, not on top of them."""
    assert cost(SONNET, output_tokens=500, thinking_tokens=400) == cost(SONNET, output_tokens=500)


def test_prices_are_those_of_the_day() -> None:
    """Long prompts cost twice as much on Sonnet 4.6 until March 13th, 2026."""
    long: dict[str, Any] = {"model": "claude-sonnet-4-6", "input_tokens": 300_000}

    assert cost(**long, at=FEBRUARY) == Decimal("1.80")
    assert cost(**long, at=NOVEMBER) == Decimal("0.90")


def test_batches_fast_mode_and_a_region_have_prices_of_their_own() -> None:
    """Half for batches, double for Opus in fast mode, a tenth more for processing in the US."""
    assert cost(OPUS, input_tokens=10**6, service_tier="batch") == 2
    assert cost(OPUS, input_tokens=10**6, speed="fast") == 8
    assert cost(OPUS, input_tokens=10**6, inference_geo="us") == Decimal("4.4")
    assert cost(OPUS, input_tokens=10**6, inference_geo="global") == 4


@pytest.mark.parametrize(
    "usage",
    [
        {"model": "claude-next-9"},
        {"model": ""},
        {"model": "gpt-5"},
        {"model": SONNET, "speed": "fast"},
        {"model": OPUS, "service_tier": "priority"},
        {"model": OPUS, "service_tier": "batch", "at": SEPTEMBER},
    ],
    ids=str,
)
def test_what_no_list_says_is_unknown_and_never_nothing(usage: dict[str, Any]) -> None:
    """An unknown model, tier or speed has no price; the standard one would be a guess."""
    asked: dict[str, Any] = {"input_tokens": 1_000, **usage}

    assert cost(**asked) is None


@given(model=st.text(max_size=40), tokens=st.integers(0, 10**9))
def test_no_model_name_breaks_it(model: str, tokens: int) -> None:
    """Whatever a response names as its model, it is priced or it is not."""
    assert isinstance(price(Usage(input_tokens=tokens), model=model, at=NOVEMBER), Cost | None)


def test_a_cost_names_its_price_list() -> None:
    """By the list's version any cost can be computed again."""
    found = price(Usage(input_tokens=1), model=SONNET, at=NOVEMBER)

    assert found is not None
    assert found.version.startswith("genai-prices ")
    assert found.version.split()[1][0].isdigit()


def test_what_has_no_price_counts_for_more_than_any_that_has() -> None:
    """A budget holds also for a model nobody knows the price of."""
    for model in LIST:
        dearest = cost(model, cache_write_1h_tokens=10**6, output_tokens=10**6, inference_geo="us")
        assert dearest is not None
        assert dollars(assumed(10**6, 10**6)) > dearest


@given(st.integers(0, 2**63 - 1))
def test_money_comes_back_as_it_was(amount: int) -> None:
    """Pico-dollars to dollars and back lose nothing."""
    assert picos(dollars(amount)) == amount


@given(st.decimals(0, 1000, places=15))
def test_a_fraction_is_rounded_up(amount: Decimal) -> None:
    """Less than a pico-dollar is never lost, and never more than one is added."""
    assert 0 <= Decimal(picos(amount)) - amount * PICOS < 1
