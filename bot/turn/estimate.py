"""What an ask is likely to take, before its first request leaves.

    bound      by the request's bytes, as if nothing of it were cached: where this is cheap, nobody is asked more
    likely     the same bytes as they mostly are: what came before the last message is read from cache
    counted    by Claude's own count, and what the books say of its cache

An ask takes more than its first request: what tools bring, and what is written. Those are the numbers here.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from bot.answer import Estimate
from bot.ask import Feature
from bot.estimates import Warmth
from bot.prices import assumed, estimate
from bot.turn.request import LIKELY_PART, ROUND_TOKENS, TOKENS_PER_SECOND, Order
from bot.usage import Usage

FIRST_SECONDS = 2.0  # until Claude's first word


@dataclass(frozen=True, slots=True)
class Work:
    """What a kind of ask is likely to take beside its first request.

    Attributes:
        output: tokens generated, thoughts included.
        brought: tokens that tools bring into later requests.
    """

    output: int
    brought: int = 0


# Chosen, not measured: an answer has about 400 words (600 tokens) and at medium effort as many thoughts again and a
# half; a review has a dozen findings of 150 tokens, and thinks longer than it writes; a summary reads its ticket (or
# the list of a sprint) first, which a tool cuts at some 24,000 characters. `Estimates.pairs` tells how they hold.
WORK: Mapping[Feature, Work] = {
    "chat": Work(1_500),
    "review": Work(5_000),
    "summarize": Work(2_000, brought=8_000),
    "digest": Work(1_500),
}
# Of the output, by how hard Claude is to think.
EFFORTS: Mapping[str, float] = {"low": 0.5, "medium": 1.0, "high": 2.0, "xhigh": 3.0, "max": 4.0}


def of(
    model: str,
    *,
    prompt: int,
    output: int,
    at: float,
    cached: int = 0,
    speed: float | None = None,
) -> Estimate:
    """What one request is likely to take; several add up.

    Args:
        model: who is asked.
        prompt: its tokens, cached ones too.
        output: tokens generated.
        at: when, epoch seconds: prices are dated.
        cached: of the prompt, read from cache; all the rest is priced as written to it.
        speed: tokens generated in a second; None takes what is assumed everywhere.
    """
    cached = min(cached, prompt)
    usage = Usage(
        cache_read_tokens=_rounded(cached),
        cache_write_5m_tokens=_rounded(prompt - cached),
        output_tokens=output,
    )
    cost = estimate(usage, model=model, at=at)
    picos = assumed(prompt, output) if cost is None else cost.picos
    seconds = FIRST_SECONDS + output / (speed or TOKENS_PER_SECOND)
    return Estimate(prompt + output, picos, seconds)


def bound(order: Order, feature: Feature, *, effort: str, at: float) -> Estimate:
    """What an ask that begins with this request takes at most, unless it takes more than its kind does."""
    prompt = order.input_tokens + _work(feature).brought
    return of(order.model, prompt=prompt, output=output_of(feature, effort), at=at)


def likely(order: Order, feature: Feature, *, effort: str, at: float) -> Estimate:
    """What it takes as far as can be said without asking anybody."""
    before = max(0, order.input_tokens - order.fresh_tokens)
    warm = Warmth(cached=round(before * LIKELY_PART), speed=None)
    return counted(
        order, round(order.input_tokens * LIKELY_PART), feature, effort=effort, warm=warm, at=at
    )


def counted(
    order: Order, tokens: int, feature: Feature, *, effort: str, warm: Warmth, at: float
) -> Estimate:
    """What an ask takes that begins with a request of so many tokens, with a cache that is so warm."""
    return of(
        order.model,
        prompt=tokens + _work(feature).brought,
        cached=min(warm.cached, tokens),
        output=output_of(feature, effort),
        at=at,
        speed=warm.speed,
    )


def output_of(feature: Feature, effort: str) -> int:
    """Tokens that an ask of this kind is likely to have written, thoughts included."""
    return round(_work(feature).output * EFFORTS.get(effort, 1.0))


def _work(feature: Feature) -> Work:
    return WORK.get(feature, WORK["chat"])


def _rounded(tokens: int) -> int:
    """In round numbers, whose prices are known already."""
    return math.ceil(tokens / ROUND_TOKENS) * ROUND_TOKENS
