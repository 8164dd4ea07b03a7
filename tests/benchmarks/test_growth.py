"""What Purser grows by beside the bare app: each limit is held, and against the right number."""

from collections.abc import Callable

import pytest

from benchmarks.cold import PAUSE_SECONDS, woken
from benchmarks.growth import Grown, judged, table


def bare() -> Grown:
    """A bare app with round numbers."""
    return Grown([1.0], 100.0, 0.0, 100.0, 0.0, {1: 10.0, 50: 5.0, 200: 5.0, 500: 5.0, 2_000: 9.0})


def ours() -> Grown:
    """What meets each target exactly."""
    costs = {1: 6.0, 50: 5.0, 200: 6.0, 500: 6.0, 2_000: 9.0}
    return Grown([1.5], 125.0, 0.005, 130.0, 30.0, costs)


def test_all_are_met_at_their_limits() -> None:
    """At its limit a target is met, and two thousand at a time are reported only."""
    assert [
        target.name for target in judged({"bare": bare(), "purser": ours()}) if not target.ok
    ] == []


def test_who_does_not_answer_all_is_told() -> None:
    """Beyond what is judged an app may leave asks unanswered; the table says so in its place."""
    plain = bare()
    del plain.cpu_ms[2_000]
    rows = table({"bare": plain, "purser": ours()}).split("\n")
    assert rows[-1] == "| CPU for an ask, 2000 at a time | not all were answered | 9.0 ms |"


WORSE: dict[str, tuple[Callable[[Grown, Grown], object], str]] = {
    "starts": (lambda ours, _: ours.starts.__setitem__(0, 1.6), "start to ready, s"),
    "memory": (lambda ours, _: setattr(ours, "idle_mb", 126.0), "idle, MB"),
    "rest": (lambda ours, _: setattr(ours, "idle_share", 0.006), "idle, % of a core"),
    "streams": (
        lambda ours, _: setattr(ours, "stream_kb", 131.0),
        "memory for an open stream, kB",
    ),
    "waiting": (lambda ours, _: setattr(ours, "waiting_kb", 31.0), "memory for a waiting ask, kB"),
    "many": (
        lambda ours, _: ours.cpu_ms.update({200: 6.1}),
        "dearest ask by how many at a time, ms",
    ),
    "alone": (
        lambda _, bare: bare.cpu_ms.update({1: 4.9}),
        "an ask alone, of the bare app's, beside one of fifty",
    ),
}


@pytest.mark.parametrize(("worsen", "missed"), WORSE.values(), ids=WORSE)
def test_each_is_missed_beyond_it(worsen: Callable[[Grown, Grown], object], missed: str) -> None:
    """Beyond its limit that one is missed, and no other."""
    plain, purser = bare(), ours()
    worsen(purser, plain)
    found = judged({"bare": plain, "purser": purser})
    assert [target.name for target in found if not target.ok] == [missed]


def test_what_waking_up_costs_is_told() -> None:
    """Both costs are processor time, and the sentence says after which pause."""
    seen = woken()
    assert min(seen.warm, seen.cold) > 0
    assert f"after a pause of {PAUSE_SECONDS * 1000:.0f} ms" in str(seen)
