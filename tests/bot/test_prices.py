"""What tokens cost: exact, by tier, kind of cache, speed and place; null where nobody knows."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from typing import Any

import pytest
from genai_prices import data, data_snapshot, extract_usage
from genai_prices.types import ConditionalPrice, ModelPrice, StartDateConstraint, TieredPrices
from hypothesis import given
from hypothesis import strategies as st

from bot.prices import PICOS, Cost, assumed, dollars, estimate, load, picos, price
from bot.usage import Usage

NOVEMBER = 1_795_000_000.0  # 2026-11-18
FEBRUARY = 1_770_000_000.0  # 2026-02-02
SONNET, OPUS, HAIKU = "claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-5-5"
MODELS = (SONNET, OPUS, HAIKU)
KINDS: tuple[str, ...] = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
)
# Dollars a million tokens, by the pricing page of November 2026.
LISTED: Mapping[str, tuple[str, ...]] = {
    SONNET: ("2", "10", "0.10", "2.50", "4"),
    OPUS: ("4", "20", "0.20", "5", "8"),
    HAIKU: ("0.10", "0.50", "0.01", "0.125", "0.20"),
}


def usage_of(**values: Any) -> Usage:
    """A usage by names."""
    return Usage(**values)


def cost(usage: Usage, model: str, at: float = NOVEMBER) -> Decimal | None:
    """The price in dollars."""
    found = price(usage, model=model, at=at)
    return dollars(found.picos) if found else None


@pytest.mark.parametrize("model", MODELS)
def test_a_token_of_each_kind_costs_what_is_listed(model: str) -> None:
    """Fresh, written, read from cache, generated: each at its own price, to the last digit."""
    for kind, listed in zip(KINDS, LISTED[model], strict=True):
        assert cost(usage_of(**{kind: 1_000}), model) == Decimal(listed) / 1_000, kind


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "output_tokens"])
def test_haikus_long_prompts_cost_five_times(kind: str) -> None:
    """Up to 100,000 tokens of prompt, cached ones too, is one price; one more, and all of them and the output cost five times."""
    base = dict(zip(KINDS, map(Decimal, LISTED[HAIKU]), strict=True))
    for tokens, factor in ((100_000, 1), (100_001, 5)):
        expected = (base[kind] * tokens + base["output_tokens"] * 10) * factor / 10**6

        assert cost(usage_of(**{kind: tokens, "output_tokens": 10}), HAIKU) == expected


@pytest.mark.parametrize("model", MODELS)
def test_batch_is_half(model: str) -> None:
    """What ran in a batch costs half of everything."""
    usage: dict[str, Any] = dict.fromkeys(KINDS, 1_000)
    whole = cost(Usage(**usage), model)
    assert whole is not None
    assert cost(Usage(**usage, service_tier="batch"), model) == whole / 2


def test_speed_and_place_have_prices_of_their_own() -> None:
    """Fast Opus costs double, inference in the US a tenth more, also of a batch."""
    usage: dict[str, Any] = dict.fromkeys(KINDS, 1_000)
    whole = cost(Usage(**usage), OPUS)
    assert whole is not None
    assert cost(Usage(**usage, speed="fast"), OPUS) == whole * 2
    assert cost(Usage(**usage, inference_geo="us"), OPUS) == whole * Decimal("1.1")
    assert cost(Usage(**usage, inference_geo="global"), OPUS) == whole
    batch = Usage(**usage, inference_geo="us", service_tier="batch")
    assert cost(batch, OPUS) == whole * Decimal("0.55")


def test_prices_are_dated() -> None:
    """A long prompt of Sonnet 4.6 cost double before March 2026; of batches before October 2026 no price is listed."""
    long, batch = Usage(input_tokens=300_000), Usage(input_tokens=1_000, service_tier="batch")

    assert cost(long, "claude-sonnet-4-6", FEBRUARY) == Decimal("1.8")
    assert cost(long, "claude-sonnet-4-6", NOVEMBER) == Decimal("0.9")
    assert cost(batch, SONNET, FEBRUARY) is None


@pytest.mark.parametrize(
    ("model", "odd"),
    [
        ("claude-nova-9", {}),
        ("", {}),
        ("gpt-5", {}),
        ("claude-sonnet-5-5-latest", {}),
        (SONNET, {"speed": "fast"}),
        (SONNET, {"service_tier": "priority"}),
        (OPUS, {"service_tier": "batch", "speed": "fast"}),
        (OPUS, {"speed": "ludicrous"}),
        (SONNET, {"output_tokens": -1}),
    ],
)
def test_an_unknown_price_is_none(model: str, odd: dict[str, Any]) -> None:
    """A model, a speed or a tier that the list does not know has no price, nor has less than nothing: not 0, and not the standard one."""
    assert price(Usage(input_tokens=1_000, **odd), model=model, at=NOVEMBER) is None


def test_the_price_list_is_named() -> None:
    """With each price goes the version of the list it is from."""
    found = price(Usage(output_tokens=1), model=SONNET, at=NOVEMBER)

    assert found == Cost(10_000_000, f"genai-prices {version('genai-prices')}")


US = Decimal("1.1")  # on all token prices
COUNT = st.integers(0, 400_000)
(CLAUDE,) = (provider for provider in data.providers if provider.id == "anthropic")


@given(
    model=st.sampled_from([*MODELS, *(model.id for model in CLAUDE.models)]),
    counts=st.tuples(*[COUNT] * 5),
    at=st.sampled_from([FEBRUARY, NOVEMBER]),
)
def test_it_is_what_the_price_list_says_of_the_response(
    model: str, counts: tuple[int, ...], at: float
) -> None:
    """Read off a response of the wire by both, our price and that of genai-prices are the same number, of every model."""
    fresh, output, read, five, hour = counts
    wire = {
        "input_tokens": fresh,
        "output_tokens": output,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": five + hour,
        "cache_creation": {"ephemeral_5m_input_tokens": five, "ephemeral_1h_input_tokens": hour},
        "service_tier": "standard",
    }
    listed = extract_usage({"model": model, "usage": wire}, provider_id="anthropic").calc_price(
        genai_request_timestamp=datetime.fromtimestamp(at, UTC)
    )

    assert cost(Usage.from_wire(wire), model, at) == listed.total_price


def test_no_price_changes_within_a_day() -> None:
    """The list is asked once for a day: it knows no price of Claude's that goes by the hour."""
    listed = [prices for one in CLAUDE.models for prices in _conditional(one.prices)]
    constraints = [one.constraint for one in listed]
    constraints += [v.constraint for one in CLAUDE.models for v in one.price_variants or ()]

    assert {type(one) for one in constraints} <= {StartDateConstraint, type(None)}


def _conditional(prices: ModelPrice | list[ConditionalPrice]) -> list[ConditionalPrice]:
    return [] if isinstance(prices, ModelPrice) else prices


@given(st.integers(0, 2**63 - 1))
def test_money_is_whole_inside_and_exact_outside(amount: int) -> None:
    """Pico-dollars to dollars and back is the same number."""
    assert picos(dollars(amount)) == amount


@given(st.decimals(0, 9_000_000, places=20))
def test_no_fraction_is_lost(amount: Decimal) -> None:
    """What is smaller than a pico-dollar is rounded up: never less than it is."""
    assert amount <= Decimal(picos(amount)) / PICOS < amount + Decimal(1) / PICOS


def test_what_is_assumed_is_above_every_price() -> None:
    """Where a price is unknown, at least the highest known one is assumed, so that budgets hold."""
    most = {"input": Decimal(0), "output": Decimal(0)}
    for model in CLAUDE.models:
        listed = [model.prices] if isinstance(model.prices, ModelPrice) else model.prices
        prices = [p if isinstance(p, ModelPrice) else p.prices for p in listed]
        prices += [variant.prices for variant in model.price_variants or ()]
        for one in prices:
            for name, value in vars(one).items():
                if not name.endswith("_mtok") or value is None:
                    continue
                side = "output" if name.startswith("output") else "input"
                dearest = value if isinstance(value, Decimal) else _dearest(value)
                most[side] = max(most[side], dearest)

    assert dollars(assumed(1_000_000, 0)) >= most["input"] * US
    assert dollars(assumed(0, 1_000_000)) >= most["output"] * US


def _dearest(value: TieredPrices) -> Decimal:
    return max(value.base, *(tier.price for tier in value.tiers))


def test_odd_usage_counts_as_nothing() -> None:
    """What is no count is none; a write without its split is one for five minutes."""
    odd = {"input_tokens": None, "output_tokens": "7", "cache_creation": [], "service_tier": None}

    assert Usage.from_wire(odd) == Usage()
    assert Usage.from_wire({"cache_creation_input_tokens": 5}) == Usage(cache_write_5m_tokens=5)
    assert Usage.from_wire({}).prompt_tokens == 0


def test_all_of_a_usage_is_read() -> None:
    """Each field of the wire stands in its own place, and the prompt is all that was in it."""
    usage = Usage.from_wire(
        {
            "input_tokens": 1,
            "cache_creation_input_tokens": 30,
            "cache_read_input_tokens": 400,
            "output_tokens": 5_000,
            "output_tokens_details": {"thinking_tokens": 600},
            "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
            "service_tier": "batch",
            "speed": "fast",
            "inference_geo": "us",
        }
    )

    assert usage == Usage(1, 10, 20, 400, 5_000, 600, "batch", "fast", "us")
    assert usage.prompt_tokens == 431


@pytest.mark.parametrize(("at", "dollars_"), [(FEBRUARY, "1.8"), (NOVEMBER, "0.9")])
def test_an_estimate_is_a_price_of_its_day(at: float, dollars_: str) -> None:
    """What is reserved beforehand goes by the list as it stood when the day began."""
    long = Usage(input_tokens=300_000)
    day = at - at % 86_400

    for moment in (day, at, day + 86_399.0):
        found = estimate(long, model="claude-sonnet-4-6", at=moment)
        assert found == price(long, model="claude-sonnet-4-6", at=day)
        assert found is not None
        assert dollars(found.picos) == Decimal(dollars_)


def test_nobody_estimates_what_nobody_knows() -> None:
    """A model without a price has none beforehand either."""
    assert estimate(usage_of(input_tokens=1), model="no-such-model", at=NOVEMBER) is None


def test_a_list_that_was_let_go_but_for_ours_says_the_same() -> None:
    """What a process that serves keeps of the price list is Anthropic's, and prices alike."""
    asked = usage_of(input_tokens=1_000, output_tokens=500, cache_write_1h_tokens=300)
    try:
        data_snapshot.set_custom_snapshot(None)
        whole = [price(asked, model=model, at=NOVEMBER) for model in (*MODELS, "gpt-5")]
        load()
        assert [one.id for one in data_snapshot.get_snapshot().providers] == ["anthropic"]
        assert [price(asked, model=model, at=NOVEMBER) for model in (*MODELS, "gpt-5")] == whole
    finally:
        data_snapshot.set_custom_snapshot(None)
