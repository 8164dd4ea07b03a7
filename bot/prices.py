"""What tokens cost: genai-prices behind one function, exact, and None where a price is unknown.

Money is counted in pico-dollars (1e-12 $): a token costs at least 5,000 of them even at batch prices, so every price
is a whole number, and 64 bits hold nine million dollars.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
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

PROVIDER = "anthropic"  # as the price list names it
_STANDARD = ("", "standard")
_KINDS = (
    "input_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_read_tokens",
    "output_tokens",
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a response cost, and by which price list."""

    picos: int
    version: str


def price(usage: Usage, *, model: str, at: float) -> Cost | None:
    """The price of one billed iteration; None when it is unknown. Never raises.

    The list is asked once a day for each kind of token, since what a thousand of them cost is a thousand times that.

    Args:
        usage: its tokens.
        model: who served it.
        at: when, in epoch seconds: prices are dated.
    """
    day, prompt = int(at // DAY_SECONDS), usage.prompt_tokens
    above = max((start for start in _cliffs(model, day) if start < prompt), default=0)
    each = _each(model, usage.service_tier, usage.speed, day, above)
    counts = [getattr(usage, kind) for kind in _KINDS]
    if each is None or min(counts) < 0:
        return None
    total = sum((n * one for n, one in zip(counts, each, strict=True)), Decimal(0))
    return Cost(picos(total * (US_GEO if usage.inference_geo == "us" else 1)), _price_list())


@lru_cache(maxsize=1024)
def _each(model: str, tier: str, speed: str, day: int, above: int) -> tuple[Decimal, ...] | None:
    """What one token of each kind costs on a day, in a prompt of more than so many tokens; None where it is unknown."""
    size = above + 1
    usage = Usage(service_tier=tier, speed=speed)
    prompt = _asked(replace(usage, input_tokens=size), model, day)
    answered = _asked(replace(usage, input_tokens=size, output_tokens=1), model, day)
    kinds = [_asked(replace(usage, **{kind: size}), model, day) for kind in _KINDS[:-1]]
    found = [one / size for one in kinds if one is not None]
    if prompt is None or answered is None or len(found) < len(kinds):
        return None
    return (*found, answered - prompt)


def _asked(usage: Usage, model: str, day: int) -> Decimal | None:
    """What the list says of a usage, in dollars."""
    import genai_prices

    at = datetime.fromtimestamp(day * DAY_SECONDS, UTC)
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
            provider_id=PROVIDER,
            genai_request_timestamp=at,
            price_context=context or None,
        )
    except (LookupError, ValueError):
        return None
    return found.total_price if _priced(found.model.price_variants or (), context, at) else None


def load() -> None:
    """Read the price list now, and keep Anthropic's: with the first answer, the loop would stand still for it."""
    import genai_prices
    from genai_prices.data import providers
    from genai_prices.data_snapshot import DataSnapshot, set_custom_snapshot

    ours = [one for one in providers if one.id == PROVIDER]
    set_custom_snapshot(DataSnapshot(ours, from_auto_update=False))
    del sys.modules["genai_prices.data"]  # forty others' prices, 4 MB
    delattr(genai_prices, "data")


def estimate(usage: Usage, *, model: str, at: float) -> Cost | None:
    """The price beforehand; quick for tokens in round numbers, whose prices are known already."""
    return _estimated(usage, model, int(at // DAY_SECONDS))


@lru_cache(maxsize=1024)
def _estimated(usage: Usage, model: str, day: int) -> Cost | None:
    return price(usage, model=model, at=day * DAY_SECONDS)


def cliff(model: str, at: float) -> int | None:
    """Prompt tokens, cached ones too, above which every token of a request costs more; None where there is no such price."""
    return min(_cliffs(model, int(at // DAY_SECONDS)), default=None)


@lru_cache(maxsize=256)
def _cliffs(model: str, day: int) -> tuple[int, ...]:
    found = _listed(model, day)
    price = found.model_price.input_mtok if found else None
    return tuple(tier.start for tier in getattr(price, "tiers", ()))


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
            provider_id=PROVIDER,
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
