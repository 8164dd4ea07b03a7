"""What a cache mark or a keep-alive call gains, in fresh input tokens: one that is written or read costs a multiple. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.caching.marks import Ttl
from bot.prices import DAY_SECONDS, estimate
from bot.usage import Usage

SAMPLE_TOKENS = 10_000  # of which prices are compared, below every cliff
OPENING_TOKENS = 20  # of the first words of an answer that is not given yet, about
# Tokens below which nothing is cached; https://platform.claude.com/docs/en/build-with-claude/prompt-caching.
_MINIMA = (
    (re.compile(r"claude-((opus|sonnet|haiku)-5-5|opus-5$|(fable|mythos)-5)"), 512),
    (re.compile(r"claude-opus-4-7"), 2_048),
    (re.compile(r"claude-(opus-4-[56]|haiku-4)"), 4_096),
)
_MINIMUM = 1_024


@dataclass(frozen=True, slots=True)
class Rates:
    """What a token costs that is read from cache or written to it, in fresh ones."""

    read: float
    write_5m: float
    write_1h: float

    @classmethod
    def of(cls, model: str, at: float) -> "Rates":
        """A model's rates at a time in epoch seconds; the usual ones where its price is unknown."""
        return _rates(model, int(at // DAY_SECONDS))

    @property
    def pays(self) -> float:
        """How likely something has to be read again for its writing to pay."""
        return (self.write_5m - 1) / (self.write_5m - self.read)


@lru_cache(64)
def _rates(model: str, day: int) -> Rates:
    at = float(day * DAY_SECONDS)
    fresh, read, short, long = (
        estimate(usage, model=model, at=at)
        for usage in (
            Usage(input_tokens=SAMPLE_TOKENS),
            Usage(cache_read_tokens=SAMPLE_TOKENS),
            Usage(cache_write_5m_tokens=SAMPLE_TOKENS),
            Usage(cache_write_1h_tokens=SAMPLE_TOKENS),
        )
    )
    if not (fresh and read and short and long and fresh.picos):
        return Rates(0.1, 1.25, 2.0)
    return Rates(*(one.picos / fresh.picos for one in (read, short, long)))


def cache_minimum(model: str) -> int:
    """How many tokens a prefix has at least that a model's cache takes."""
    return next((tokens for name, tokens in _MINIMA if name.match(model)), _MINIMUM)


def carried(
    hazards: Sequence[float],
    rates: Rates,
    *,
    shared: int,
    thread: int,
    answer: int,
    lighter: int = 0,
    lasting: int = 0,
) -> float:
    """What a call is worth that carries a thread's cache from five minutes of silence to an hour; 0 where it is not.

    It reads what stands there and writes the first words of the answer behind it for an hour, and with them all before:
    the next ask reads both. A call every five minutes would read everything as often, and seldom be worth more.

    Args:
        hazards: the thread's.
        rates: the model's.
        shared: tokens at its beginning that other threads keep alive anyway.
        thread: the thread's own tokens in cache.
        answer: those behind them, which are not.
        lighter: by how many fewer those that do not last are written anew where they are lost.
        lasting: those of the thread that lie in cache for an hour without it.
    """
    whole = thread + answer
    lost = whole - lasting
    kept = _later(hazards) * (rates.write_5m * (lost - lighter) - rates.read * lost)
    return max(0.0, kept - rates.read * (shared + thread) - rates.write_1h * answer)


def lifetime(
    hazards: Sequence[float],
    rates: Rates,
    *,
    shared: int,
    thread: int,
    fresh: int,
    again: float,
    keep: bool,
    lasting: int = 0,
) -> Ttl | None:
    """How long the end of an ask's first request is worth keeping; None where it is likely to be read by nobody.

    Args:
        hazards: the thread's.
        rates: the model's.
        shared: tokens at its beginning that other threads keep alive anyway.
        thread: all its other tokens.
        fresh: those of them that are not in cache yet, and are written.
        again: the chance that the same ask goes on with another request.
        keep: whether a call may carry it further than five minutes.
        lasting: those of the thread that lie in cache for an hour already.
    """
    soon = again + (1 - again) * hazards[0]
    silence = 1 - soon
    spared = soon * (rates.write_5m - rates.read) * fresh
    call = carried(
        hazards, rates, shared=shared, thread=thread, answer=OPENING_TOKENS, lasting=lasting
    )
    later = _later(hazards) * (rates.write_5m - rates.read) * (thread - lasting)
    short = spared + silence * (call if keep else 0.0) - (rates.write_5m - 1) * fresh
    long = spared + silence * later - (rates.write_1h - 1) * fresh
    if max(short, long) <= 0:
        return None
    return "1h" if long > short else "5m"


def _later(hazards: Sequence[float]) -> float:
    """The chance that somebody goes on within the hour, after five minutes in which nobody did."""
    silent = 1.0
    for chance in hazards[1:]:
        silent *= 1 - chance
    return 1 - silent
