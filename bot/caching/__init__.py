"""What is worth a place in Claude's cache, and for how long. Pure.

rhythm   how soon people go on, learnt while they do
worth    what a mark or a keep-alive call gains, by that and by the prices of a model
marks    where the marks stand in a request
"""

from bot.caching.choice import Alive, Caching, Size
from bot.caching.marks import Marks, Ttl, held, marked
from bot.caching.rhythm import SLOT_SECONDS, SLOTS, Rhythm, Thread
from bot.caching.worth import Rates, carried, lifetime

__all__ = [
    "SLOTS",
    "SLOT_SECONDS",
    "Alive",
    "Caching",
    "Marks",
    "Rates",
    "Rhythm",
    "Size",
    "Thread",
    "Ttl",
    "carried",
    "held",
    "lifetime",
    "marked",
]
