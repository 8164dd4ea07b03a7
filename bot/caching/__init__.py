"""What is worth a place in Claude's cache, and for how long. Pure.

rhythm   how soon people go on, learnt while they do
worth    what a mark or a keep-alive call gains, by that and by the prices of a model
marks    where the marks stand in a request
sections what the beginning of a request is told apart by
"""

from bot.caching.choice import Alive, Caching, Size
from bot.caching.marks import Marks, Ttl, held, marked
from bot.caching.rhythm import SLOT_SECONDS, SLOTS, Rhythm, Thread
from bot.caching.sections import DIGITS, Section, Sections, prefixes, short
from bot.caching.worth import Rates, cache_minimum, carried, lifetime

__all__ = [
    "DIGITS",
    "SLOTS",
    "SLOT_SECONDS",
    "Alive",
    "Caching",
    "Marks",
    "Rates",
    "Rhythm",
    "Section",
    "Sections",
    "Size",
    "Thread",
    "Ttl",
    "cache_minimum",
    "carried",
    "held",
    "lifetime",
    "marked",
    "prefixes",
    "short",
]
