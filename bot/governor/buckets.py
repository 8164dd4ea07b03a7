"""One limit of Claude's as we believe it to stand: a bucket that refills all the time, and from which others take, too.

How fast we go depends on how full it is, and on nothing else: freely while it is half full, then ever slower. Other
processes with the same key see the same bucket and follow the same rule, so that all go equally fast and together as
fast as it refills, without knowing of each other.
"""

import math
from dataclasses import dataclass

MINUTE = 60.0  # limits are per minute
FREE = 0.5  # share of the bucket above which nothing is held back
ALONE = 0.35  # share at which one process alone takes what is refilled
STEEP = 10.0  # two processes meet at a share 0.07 lower, eight at 0.21 lower
LEAST = 1 / 16  # of what is refilled, taken however empty it is: sixteen processes share one limit
UNHEARD = 1 / 4  # of what is refilled, counted on until a response says what is left
FLOW_SECONDS = 90.0  # how far back our own pace is measured
FLOW_WEIGHT = 0.65  # of it in foretelling; the rest is what the level lets us hope for (tried in benchmarks/pace.py)


@dataclass(slots=True)
class Bucket:
    """A limit: `level` at the time `at`.

    Attributes:
        size: what it holds, which is what it refills in a minute.
        flow: what we took, a second.
    """

    size: float
    level: float
    at: float
    flow: float = 0.0
    _ready: float = 0.0  # when the next may take

    @property
    def refilled(self) -> float:
        """What comes in, a second."""
        return self.size / MINUTE

    @property
    def rate(self) -> float:
        """What we may take, a second, as full as it is."""
        share = self.level / self.size
        if share >= FREE:
            return math.inf
        return self.refilled * max(LEAST, math.exp(STEEP * (share - ALONE)))

    def refill(self, now: float) -> None:
        """Bring it up to now; of what came in, we count on our share alone."""
        passed = max(0.0, now - self.at)
        counted = min(self.refilled, max(self.rate, UNHEARD * self.refilled))
        self.level = min(self.size, self.level + passed * counted)
        self.flow *= math.exp(-passed / FLOW_SECONDS)
        self.at = now

    def take(self, amount: float, now: float, ramp: float = 1.0) -> None:
        """Take from it, which keeps the next from it for a while; longer at a share of the pace."""
        self.refill(now)
        rate = self.rate if ramp == 1.0 else min(self.rate, ramp * self.refilled)
        self._ready = max(self._ready, now) + amount / rate
        self.level -= amount
        self.flow += amount / FLOW_SECONDS

    def give_back(self, amount: float) -> None:
        """What was taken and not used; with less than nothing, what was used beyond it."""
        self.level = min(self.size, self.level + amount)

    def seconds_until(self, need: float, now: float) -> float:
        """How long until somebody may take so much."""
        self.refill(now)
        lacking = min(need, self.size) - self.level
        return max(0.0, self._ready - now, lacking / self.refilled)

    def seconds_for(self, amount: float) -> tuple[float, float]:
        """How long until all of this was taken: about, between the pace we had and the one we may have now, and at least."""
        lacking = max(0.0, amount - max(0.0, self.level - ALONE * self.size))
        now = min(self.rate, self.refilled)
        flow = max(self.flow, LEAST * self.refilled)
        pace = flow**FLOW_WEIGHT * now ** (1 - FLOW_WEIGHT)
        return lacking / min(self.refilled, pace), max(0.0, amount - self.level) / self.refilled

    def tell(self, left: float, now: float) -> None:
        """Take in how much a response said is left, what we took since then already taken off."""
        self.refill(now)
        self.level = min(left, self.size)
