"""What is worth a place in Claude's cache, and for how long. Pure.

rhythm   how soon people go on, learnt while they do
worth    what a mark or a keep-alive call gains, by that and by the prices of a model
choice   the marks of an ask, and which threads are worth a call
asking   one ask's requests, and what they leave in cache
left     how the next ask has to begin to read that
marks    where the marks stand in a request
sections what the beginning of a request is told apart by
"""

from bot.caching.asking import Asking, Size
from bot.caching.choice import Alive, Caching
from bot.caching.left import HOUR_SECONDS, Lasting, Left, Read
from bot.caching.marks import Marks, Ttl, held, marked
from bot.caching.rhythm import SLOT_SECONDS, SLOTS, Rhythm, Thread
from bot.caching.sections import DIGITS, Section, Sections, prefixes, short
from bot.caching.worth import Rates, cache_minimum, carried, lifetime

__all__ = [
    "DIGITS",
    "HOUR_SECONDS",
    "SLOTS",
    "SLOT_SECONDS",
    "Alive",
    "Asking",
    "Caching",
    "Lasting",
    "Left",
    "Marks",
    "Rates",
    "Read",
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
