"""A long day: that what the process holds is read, and that growth is found."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.longday import CONNECTIONS, Reading, judged, live, table

CALM = Reading(asks=1000, megabytes=100.0, threads=8, connections=50, cpu=10.0, wrong=0)


async def test_a_day_is_lived_through(tmp_path: Path) -> None:
    """After its last ask the process is looked at: memory, threads and connections, and every ask has one answer."""
    said: list[str] = []
    (reading,) = await live(tmp_path, 3, seconds=0.0, postgres=False, say=said.append)

    assert (reading.asks, reading.wrong) == (3, 0)
    assert min(reading.megabytes, reading.threads, reading.connections, reading.cpu) > 0
    assert said == [f"3 asks: {reading.megabytes:.1f} MB"]
    assert "| 3 |" in table([reading])


@pytest.mark.parametrize(
    ("place", "last"),
    [
        (0, replace(CALM, asks=2000, megabytes=105.1)),
        (1, replace(CALM, asks=2000, threads=9)),
        (2, replace(CALM, asks=2000, connections=CONNECTIONS + 1)),
        (3, replace(CALM, asks=2000, wrong=1)),
    ],
)
def test_growth_is_found(place: int, last: Reading) -> None:
    """Five percent more memory than after the first thousand are as flat as was wanted, and not a thread more."""
    first = replace(CALM, asks=500, megabytes=80.0, threads=3)
    flat = replace(CALM, asks=2000, megabytes=105.0, connections=CONNECTIONS)

    assert [target.ok for target in judged([first, CALM, flat])] == [True] * 4
    assert [t.ok for t in judged([first, CALM, last])] == [n != place for n in range(4)]
