"""What goes wrong, and when: planned by a seed before anything begins, so that it can be had again."""

import random
from dataclasses import dataclass
from typing import Literal

from bot.inbox import LEASE_SECONDS

Kind = Literal["kill", "pause", "cut", "lost", "restart", "away"]

EVERY: dict[Kind, float] = {"kill": 9.0, "cut": 12.0, "lost": 6.0}
"""Seconds between two of a kind, on average."""

APART = 20.0  # seconds between two kills of the same process at least: what dies four times over an ask gives it up
PAUSE = LEASE_SECONDS + 5.0  # until somebody else may have what was paused


@dataclass(frozen=True, slots=True)
class Blow:
    """What befalls whom, so many seconds after the beginning.

    kill: a process ends as at a power cut. pause: it stands still until its leases have run out, and goes on. cut: all
    connections of Slack break. lost: Slack does what it is asked, and its answer is lost. restart: the database
    restarts. away: it is away for a while.
    """

    at: float
    kind: Kind
    replica: int = 0


def planned(seed: int, *, seconds: float, replicas: int, stands: float = PAUSE) -> list[Blow]:
    """What is to happen, in its order.

    Args:
        seed: of all chance.
        seconds: in which all of it begins.
        replicas: processes there are.
        stands: seconds that the one that is paused stands still; nobody kills it then.
    """
    rng = random.Random(f"blows {seed}")
    pause = Blow(rng.uniform(0.1, 0.25) * seconds, "pause", rng.randrange(replicas))
    blows = [
        pause,
        Blow(rng.uniform(0.35, 0.5) * seconds, "restart"),
        Blow(rng.uniform(0.6, 0.8) * seconds, "away"),
    ]
    killed = [-APART] * replicas
    for kind, every in EVERY.items():
        at = 0.0
        while (at := at + rng.uniform(0.4, 1.6) * every) < seconds:
            replica = rng.randrange(replicas) if kind == "kill" else 0
            if kind == "kill":
                still = pause.replica == replica and pause.at - 1.0 < at < pause.at + stands
                if still or at - killed[replica] < APART:
                    continue
                killed[replica] = at
            blows.append(Blow(at, kind, replica))
    return sorted(blows, key=lambda blow: blow.at)
