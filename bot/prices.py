"""What tokens cost: genai-prices behind one function, exact, and None where a price is unknown.

Money is counted in pico-dollars (1e-12 $): a token costs at least 5,000 of them even at batch prices, so every price
is a whole number, and 64 bits hold nine million dollars.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, lru_cache
from importlib.metadata import version
from typing import Any

from bot.usage import Usage

PICOS = 10**12  # in a dollar
DAY_SECONDS = 86_400
US_GEO = Decimal("1.1")  # `inference_geo: us`, on all token prices, Claude 4.6 and later
# Source: https://platform.claude.com/docs/en/about-claude/pricing; genai-prices does not know it.

# Taken where a price is unknown, so that a budget holds all the same; above every price known.
UNKNOWN_INPUT_PICOS = 40_000_000  # a token, $40 a million
UNKNOWN_OUTPUT_PICOS = 100_000_000  # a token, $100 a million

SMALLEST_WINDOW = 200_000  # tokens; Claude 4.5 and before

_STANDARD = ("", "standard")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a response cost, and by which price list."""

    picos: int
    version: str


def price(usage: Usage, *, model: str, at: float) -> Cost | None:
    """The price of one billed iteration; None when it is unknown. Never raises.

    Args:
        usage: its tokens.
        model: who served it.
        at: when, in epoch seconds: prices are dated.
    """
    import genai_prices

    asked = datetime.fromtimestamp(at, UTC)
    tokens = genai_prices.Usage(
        input_tokens=usage.prompt_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_5m_tokens + usage.cache_write_1h_tokens,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
        output_tokens=usage.output_tokens,
    )
    context = _context(usage)
    try:
        found = genai_prices.calc_price(
            tokens,
            model,
            provider_id="anthropic",
            genai_request_timestamp=asked,
            price_context=context or None,
        )
    except (LookupError, ValueError):
        return None
    if not _priced(found.model.price_variants or (), context, asked):
        return None
    total = found.total_price * (US_GEO if usage.inference_geo == "us" else 1)
    return Cost(picos(total), _price_list())


def load() -> None:
    """Read the price list now: with the first answer, the loop would stand still for it."""
    import genai_prices.data_snapshot

    genai_prices.data_snapshot.get_snapshot()


def estimate(usage: Usage, *, model: str, at: float) -> Cost | None:
    """The price beforehand, by the list at the day's beginning (UTC); quick for tokens in round numbers."""
    return _estimated(usage, model, int(at // DAY_SECONDS))


@lru_cache(maxsize=1024)
def _estimated(usage: Usage, model: str, day: int) -> Cost | None:
    return price(usage, model=model, at=day * DAY_SECONDS)


def cliff(model: str, at: float) -> int | None:
    """Prompt tokens, cached ones too, above which every token of a request costs more; None where there is no such price."""
    found = _model(model, at)
    price = found.model_price.input_mtok if found else None
    starts = [tier.start for tier in getattr(price, "tiers", ())]
    return min(starts, default=None)


def window(model: str, at: float) -> int:
    """Tokens that a model reads at once; of one that nobody knows, what the smallest reads."""
    found = _model(model, at)
    return (found.model.context_window if found else None) or SMALLEST_WINDOW


def _model(model: str, at: float) -> Any:
    """What the price list knows of a model; None where it does not know it."""
    return _listed(model, int(at // DAY_SECONDS))


@lru_cache(maxsize=256)
def _listed(model: str, day: int) -> Any:
    import genai_prices

    try:
        return genai_prices.calc_price(
            genai_prices.Usage(input_tokens=1),
            model,
            provider_id="anthropic",
            genai_request_timestamp=datetime.fromtimestamp(day * DAY_SECONDS, UTC),
        )
    except (LookupError, ValueError):
        return None


def _context(usage: Usage) -> dict[str, str]:
    """What is not at the standard price, in the words of the price list."""
    context: dict[str, str] = {}
    if usage.service_tier not in _STANDARD:
        context["processing"] = usage.service_tier
    if usage.speed not in _STANDARD:
        context["speed"] = usage.speed
    return context


def _priced(variants: Any, context: Mapping[str, str], at: datetime) -> bool:
    """Whether the list has this very price: where it has none, it gives the standard one without a word."""
    return not context or any(
        variant.when == context and (variant.constraint is None or variant.constraint.active(at))
        for variant in variants
    )


@cache
def _price_list() -> str:
    return f"genai-prices {version('genai-prices')}"


def assumed(input_tokens: int, output_tokens: int) -> int:
    """What so many tokens count for, in pico-dollars, while nobody knows their price."""
    return input_tokens * UNKNOWN_INPUT_PICOS + output_tokens * UNKNOWN_OUTPUT_PICOS


def dollars(amount: int) -> Decimal:
    """Pico-dollars as exact dollars."""
    return Decimal(amount) / PICOS


def picos(amount: Decimal) -> int:
    """Dollars as pico-dollars; a fraction of one is rounded up, never lost."""
    return int((amount * PICOS).to_integral_value(rounding="ROUND_CEILING"))
