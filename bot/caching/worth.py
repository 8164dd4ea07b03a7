"""What a cache mark or a keep-alive call gains, in fresh input tokens: one that is written or read costs a multiple. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.caching.marks import Ttl
from bot.prices import DAY_SECONDS, estimate
from bot.usage import Usage

SAMPLE_TOKENS = 10_000  # of which prices are compared, below every cliff


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


def gain(hazards: Sequence[float], rates: Rates, *, shared: int, thread: int, slot: int) -> float:
    """What a keep-alive call is worth that carries a thread's cache into a slot of silence; 0 where it is not.

    It reads all that stands there and is worth what is not written again if somebody asks in that slot, or in one
    that further calls reach.

    Args:
        hazards: the thread's.
        rates: the model's.
        shared: tokens that other threads keep alive anyway.
        thread: tokens of this thread in cache.
        slot: from 1; into the first one nothing has to be carried.
    """
    value = 0.0
    for chance in reversed(hazards[slot:]):
        kept = chance * (rates.write_5m - rates.read) * thread
        value = max(0.0, kept + (1 - chance) * value - rates.read * (shared + thread))
    return value


def lifetime(
    hazards: Sequence[float],
    rates: Rates,
    *,
    shared: int,
    thread: int,
    fresh: int,
    again: float,
    keep: bool,
) -> Ttl | None:
    """How long the end of a request is worth keeping; None where it is likely to be read by nobody.

    Args:
        hazards: the thread's.
        rates: the model's.
        shared: tokens at its beginning that other threads keep alive anyway.
        thread: all its other tokens.
        fresh: those of them that are not in cache yet, and are written.
        again: the chance that the same ask goes on with another request.
        keep: whether keep-alive calls may carry it further than five minutes.
    """
    soon = again + (1 - again) * hazards[0]
    silence = (1 - again) * (1 - hazards[0])
    spared = soon * (rates.write_5m - rates.read) * fresh
    carried = gain(hazards, rates, shared=shared, thread=thread, slot=1) if keep else 0.0
    later, silent = 0.0, 1.0
    for chance in hazards[1:]:
        later, silent = later + silent * chance, silent * (1 - chance)
    lasting = later * (rates.write_5m - rates.read) * thread
    short = spared + silence * carried - (rates.write_5m - 1) * fresh
    long = spared + silence * lasting - (rates.write_1h - 1) * fresh
    if max(short, long) <= 0:
        return None
    return "1h" if long > short else "5m"
