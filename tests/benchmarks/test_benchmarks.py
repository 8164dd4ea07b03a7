"""The benchmark itself, at its smallest: that it measures what it says, and judges as it should."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.targets import Target, judged, quantile
from benchmarks.town import Round
from benchmarks.trial import Crowd, Leg, Race, Scale, crowd, fsyncs, race

TINY = Scale(asks=3, at_a_time=2, rounds=1, twice=2, crowd=4, hold_seconds=0.3)


def round_of(*, ack: float, sign: float = 0.1, answers: Mapping[int, int] | None = None) -> Round:
    """A round of one ask."""
    return Round(1, 1.0, (ack,), (sign,), (1.0,), Counter(), Counter(answers or {1: 1}))


def results(
    *, ack: float, cpu: float, in_flight: int = 500, megabytes: float = 200.0, twice: int = 0
) -> list[Target]:
    """What is judged of Purser where the bare app needs 100 ms for an ack, 10 of CPU, and a fsync takes 5."""
    done = Race(
        bare=[Leg(round_of(ack=0.1), 0.01)],
        purser=[Leg(round_of(ack=ack), cpu)],
        fsyncs=[0.005],
    )
    answers = {1: 10 - twice, 2: twice}
    full = Crowd(500, in_flight, megabytes, {})
    return judged(full, done, round_of(ack=0.1, answers=answers))


async def test_a_full_house_is_seen_at_claude(tmp_path: Path) -> None:
    """All asks of a crowd are at Claude at one moment, and what a request looks like is kept for the bare app."""
    full = await crowd(tmp_path, TINY)

    assert full.in_flight == TINY.crowd
    assert full.megabytes > 0
    assert {"model", "system", "tools", "messages"} <= full.body.keys()
    assert "stream" not in full.body


async def test_both_apps_race_with_the_same_calls(tmp_path: Path) -> None:
    """Bare or not, each ask has one answer, one ack, one sign, and as many calls to Slack as the other's."""
    body = (await crowd(tmp_path, TINY)).body
    said: list[str] = []
    done, twice = await race(tmp_path, body, TINY, said.append)

    for legs in (done.bare, done.purser):
        assert [leg.round.answers for leg in legs] == [Counter({1: TINY.asks})]
        assert [len(leg.round.acks) for leg in legs] == [TINY.asks]
        assert all(sign > 0 for leg in legs for sign in leg.round.signs)
        assert all(leg.cpu >= 0 for leg in legs)
    names = Counter(
        {"users.info": TINY.asks}
    )  # asked once in five minutes; a warm-up knows everybody
    assert done.purser[0].round.calls - names == done.bare[0].round.calls
    assert twice.answers == {1: TINY.twice}
    assert len(twice.acks) >= 4 * TINY.twice  # two events, each twice, and what we say ourselves
    assert said == ["round 1, bare", "round 1, purser", "everything twice"]


def test_what_meets_its_limit_is_ok() -> None:
    """At its limit a target is met: 1.1 times the bare app's ack and a fsync, 1.2 times its CPU."""
    assert [target.ok for target in results(ack=0.115, cpu=0.012)] == [True] * 6


@pytest.mark.parametrize(
    ("place", "changes"),
    [
        (0, {"ack": 0.116}),
        (1, {"cpu": 0.0121}),
        (3, {"in_flight": 499}),
        (4, {"megabytes": 220.1}),
        (5, {"twice": 1}),
    ],
)
def test_what_misses_its_limit_is_not(place: int, changes: dict[str, Any]) -> None:
    """Beyond its limit a target is missed, and the others are as they were."""
    given: dict[str, Any] = {"ack": 0.115, "cpu": 0.012, **changes}
    verdicts = [target.ok for target in results(**given)]

    assert verdicts == [n != place for n in range(6)]


def test_a_quantile_is_one_of_the_values() -> None:
    """The share of the values at or below it is at least the one asked for."""
    assert quantile([5, 1, 4, 2, 3], 0.5) == 3
    assert quantile(range(1, 101), 0.99) == 99
    assert quantile([7], 0.99) == 7


def test_the_disk_is_asked_as_often_as_said(tmp_path: Path) -> None:
    """Each fsync is timed, and nothing is left behind."""
    assert len(fsyncs(tmp_path, 3)) == 3
    assert list(tmp_path.iterdir()) == []
