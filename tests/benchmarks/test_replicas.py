"""PostgreSQL beside a file, and two processes beside one: that each is measured, and judged against the right one."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.replicas import FILE, ONE, TWICE, TWO, House, Scale, judged, measure, table
from benchmarks.town import Round
from benchmarks.trial import Leg


def leg(*, ack: float = 0.05, cpu: float = 1.0, answers: int = 1) -> Leg:
    """A round of a hundred asks."""
    return Leg(Round(100, 1.0, (ack,), (0.1,), (1.0,), Counter(), Counter({answers: 100})), cpu)


def houses(**changes: Leg) -> dict[str, House]:
    """What meets each target exactly."""
    given = {FILE: leg(), ONE: leg(cpu=1.5), TWO: leg(cpu=1.65), TWICE: leg(cpu=1.65), **changes}
    empty: Any = None  # nobody lives there
    return {name: House(empty, (), [one]) for name, one in given.items()}


@pytest.mark.parametrize(
    ("place", "changes"),
    [
        (0, {ONE: leg(ack=0.051, cpu=1.5)}),
        (1, {FILE: leg(cpu=0.99)}),
        (2, {TWO: leg(cpu=1.66)}),
        (3, {TWICE: leg(cpu=1.66)}),
        (4, {TWO: leg(cpu=1.65, answers=2)}),
    ],
)
def test_limits(place: int, changes: dict[str, Leg]) -> None:
    """At its limit a target is met; beyond it that one is missed, and no other."""
    assert [target.ok for target in judged(houses())] == [True] * 5
    assert [t.ok for t in judged(houses(**changes))] == [n != place for n in range(5)]


@pytest.mark.timeout(120)  # two processes and a server are started
async def test_two_processes_answer_each_ask_once(tmp_path: Path, postgres: object) -> None:
    """Two processes on a server are measured like one: each ask has one answer, and CPU is counted."""
    del postgres  # there is one, or this is skipped
    scale = Scale(asks=4, at_a_time=2, rounds=1)
    seen = await measure(tmp_path, scale, [TWO])

    (leg,) = seen[TWO].legs
    assert len(seen[TWO].apps) == 2
    assert leg.round.answers == Counter({1: 4})
    assert leg.cpu > 0
    assert "| CPU for an answered ask |" in table(seen, scale)
