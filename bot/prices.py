"""What tokens cost: genai-prices behind one function, exact, and None where a price is unknown.

Money is counted in pico-dollars (1e-12 $): a token costs at least 5,000 of them even at batch prices, so every price
is a whole number, and 64 bits hold nine million dollars.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version

from bot.usage import Usage

PICOS = 10**12  # in a dollar
US_GEO = Decimal("1.1")  # `inference_geo: us`, on all token prices, Claude 4.6 and later
# Source: https://platform.claude.com/docs/en/about-claude/pricing; genai-prices does not know it.


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

    context = _context(usage)
    tokens = genai_prices.Usage(
        input_tokens=usage.prompt_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_5m_tokens + usage.cache_write_1h_tokens,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
        output_tokens=usage.output_tokens,
    )
    try:
        found = genai_prices.calc_price(
            tokens,
            model,
            provider_id="anthropic",
            genai_request_timestamp=datetime.fromtimestamp(at, UTC),
            price_context=context or None,
        )
    except (LookupError, ValueError):
        return None
    total = found.total_price * (US_GEO if usage.inference_geo == "us" else 1)
    return Cost(picos(total), f"genai-prices {version('genai-prices')}")


def _context(usage: Usage) -> dict[str, str]:
    context: dict[str, str] = {}
    if usage.service_tier == "batch":
        context["processing"] = "batch"
    if usage.speed == "fast":
        context["speed"] = "fast"
    return context


def dollars(amount: int) -> Decimal:
    """Pico-dollars as exact dollars."""
    return Decimal(amount) / PICOS


def picos(amount: Decimal) -> int:
    """Dollars as pico-dollars; a fraction of one is rounded up, never lost."""
    return int((amount * PICOS).to_integral_value(rounding="ROUND_CEILING"))
