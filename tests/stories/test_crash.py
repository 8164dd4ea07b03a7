"""The crash harness at its smallest: one process on a file, killed, cut off and locked out while people ask."""

import random
from collections import Counter
from pathlib import Path

from benchmarks.crash.blows import Blow
from benchmarks.crash.trial import Scale, tried

PATIENT = (0.0, 1.0, 2.0, 5.0, 20.0)  # so that a start on a busy machine is not too late
SMALL = Scale(asks=12, seconds=3.0, away=0.7, end=60.0, quiet=0.5, pause=0.5, retries=PATIENT)
BLOWS = (
    Blow(0.5, "lost"),
    Blow(0.9, "kill"),
    Blow(2.4, "cut"),
    Blow(3.2, "away"),
    Blow(4.0, "pause"),
)


async def test_whatever_falls_nothing_is_lost_doubled_or_unbooked(tmp_path: Path) -> None:
    """Killed and started again, cut off from Slack, locked out of its file and stopped: each ask has its one answer."""
    seen = await tried(
        tmp_path, postgres=False, replicas=1, scale=SMALL, blows=BLOWS, rng=random.Random(1)
    )

    assert seen.wrong == []
    assert seen.fell == []
    assert seen.blows >= Counter(kill=1, pause=1, away=1, lost=1)
    assert seen.rows["settled"] >= SMALL.asks
