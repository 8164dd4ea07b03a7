"""The story of asks that hang in Jira, at its smallest: that it measures what it says, and judges as it should."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.apps import App
from benchmarks.hanging import Scale, Seen, hang, judged, table
from benchmarks.town import Round

SIZE = Scale(hanging=2, asks=3, at_a_time=2, healthy=1, rounds=1, tool_seconds=4)


def round_of(*ends: float, answers: int = 1) -> Round:
    """A round whose asks took so long."""
    return Round(len(ends), 1.0, (0.01,), (0.1,), ends, Counter(), Counter({answers: len(ends)}))


def seen(**changes: Any) -> Seen:
    """What meets each target exactly."""
    given: dict[str, Any] = {
        "calm": [round_of(1.0)],
        "beside": [round_of(1.1)],
        "healthy": [round_of(20.0)],
        "hanging": [round_of(20.0)],
        **changes,
    }
    return Seen(**given)


async def test_others_are_answered_while_asks_hang(tmp_path: Path) -> None:
    """Those that hang are told when their time is up, the others before, and no thread is left."""
    said: list[str] = []
    done = await hang(tmp_path, SIZE, said.append)

    rounds = (*done.calm, *done.beside, *done.healthy, *done.hanging)
    assert [r.answers for r in rounds] == [Counter({1: n}) for n in (3, 3, 1, 2)]
    assert min(done.hanging[0].ends) > max(done.beside[0].ends)
    assert (done.given, done.threads_left) == (2, 0)
    assert said == ["round 1, calm", "round 1, 2 asks hang in Jira"]


@pytest.mark.parametrize(
    ("place", "changes"),
    [
        (0, {"beside": [round_of(1.11)]}),
        (1, {"healthy": [round_of(1.0, 20.1)]}),
        (2, {"threads_left": 1}),
        (3, {"hanging": [round_of(1.0, answers=0)]}),
    ],
)
def test_what_misses_its_limit_is_not_ok(place: int, changes: dict[str, Any]) -> None:
    """At their limits all targets are met; beyond its own each is missed alone."""
    assert [target.ok for target in judged(seen())] == [True] * 4
    assert [target.ok for target in judged(seen(**changes))] == [n != place for n in range(4)]


def test_both_kinds_of_rounds_stand_side_by_side() -> None:
    """The table has the calm rounds and those beside the hanging ones, and when these were told."""
    told = table(seen(), SIZE)

    assert "| answer with receipt, p99 | 1000 ms | 1100 ms |" in told
    assert "were told so after 20.0 s at the latest" in told


def test_threads_are_counted(tmp_path: Path) -> None:
    """The kernel says how many threads a process has."""
    assert App(pid=1).threads() >= 1
