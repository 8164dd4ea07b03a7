"""What must hold, and whether it does. Pure."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.town import Round
from benchmarks.trial import Crowd, Leg, Race

ACK_TIMES = 1.1  # of the bare app's, and the disk's fsync on top
CPU_TIMES = 1.2  # of the bare app's; asks a second and core are the reciprocal, 0.83
SIGN_MS = 300.0
IN_FLIGHT = 500
MEGABYTES = 220.0


@dataclass(frozen=True, slots=True)
class Target:
    """One of them: what was measured, and its limit (the least for what must be reached)."""

    name: str
    value: float
    limit: float
    at_least: bool = False

    @property
    def ok(self) -> bool:
        """Whether it is met."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def quantile(values: Iterable[float], share: float) -> float:
    """The value that this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def ms(values: Callable[[Round], Iterable[float]], share: float, legs: Sequence[Leg]) -> float:
    """The median over the rounds of a quantile, in milliseconds."""
    return median(quantile(values(leg.round), share) for leg in legs) * 1000


def cpu_ms(legs: Sequence[Leg]) -> float:
    """Processor time for an answered ask, the median over the rounds, in milliseconds."""
    return median(leg.cpu / leg.round.asks for leg in legs) * 1000


def judged(crowd: Crowd, race: Race, twice: Round) -> list[Target]:
    """Every target, in the order in which they are told."""
    fsync = quantile(race.fsyncs, 0.99) * 1000
    ack = ACK_TIMES * ms(lambda r: r.acks, 0.99, race.bare) + fsync
    return [
        Target("ack p99, ms", ms(lambda r: r.acks, 0.99, race.purser), ack),
        Target("CPU for an answered ask, ms", cpu_ms(race.purser), CPU_TIMES * cpu_ms(race.bare)),
        Target("first sign p99, ms", ms(lambda r: r.signs, 0.99, race.purser), SIGN_MS),
        Target(
            "asks in flight at once", crowd.in_flight, min(IN_FLIGHT, crowd.asks), at_least=True
        ),
        Target(f"memory with {crowd.asks} waiting asks, MB", crowd.megabytes, MEGABYTES),
        Target(
            f"of {twice.asks} delivered twice, answered twice",
            sum(n for answers, n in twice.answers.items() if answers > 1),
            0,
        ),
    ]
