"""The benchmark of a standard day, at its smallest: that it plays what it says, and judges as it should."""

from dataclasses import replace

import pytest

from benchmarks.day.__main__ import OPTIMUM, PURSER, WAYS, Played, judged, play, table
from benchmarks.day.after import After
from benchmarks.day.asked import Request, requests
from benchmarks.day.bill import Bill, bill
from benchmarks.day.people import day
from benchmarks.day.purser import Purser
from benchmarks.day.usual import Automatic, Uncached, UnderWay

TALKS = 14


@pytest.fixture(scope="module")
def sent() -> list[Request]:
    """A short day's requests."""
    return requests(day(3, TALKS), 3)


def test_the_same_seed_is_the_same_day(sent: list[Request]) -> None:
    """Whoever plays it, the same is sent at the same times."""
    again = requests(day(3, TALKS), 3)

    assert [one.at for one in sent] == [one.at for one in again]
    assert [one.prompt.pieces[-1].key for one in sent] == [
        one.prompt.pieces[-1].key for one in again
    ]
    assert sent[0].at != requests(day(4, TALKS), 4)[0].at


def test_nothing_but_the_cache_differs(sent: list[Request]) -> None:
    """Every way has the same answers; what is sent again is longer only where it is read from cache."""
    bills = [bill(sent, way) for way in (Uncached(), Automatic(), Purser(keep=False), Purser())]

    assert len({one.usage.output_tokens for one in bills}) == 1
    assert len({one.usage.prompt_tokens for one in bills[:2]}) == 1
    assert bills[0].usage.cache_read_tokens == 0
    assert bills[0].picos > bills[1].picos > bills[3].picos


def test_no_way_is_cheaper_than_what_was_best() -> None:
    """On short days the plan that knows the day costs least, and not much more than anything could."""
    days = [play(seed, TALKS) for seed in (1, 2)]

    assert all(one.times(name) >= 1 for one in days for name, _ in WAYS)
    assert all(0.9 < one.bound / one.bills[OPTIMUM].picos < 1 for one in days)


def test_a_missed_cache_has_a_cause(sent: list[Request]) -> None:
    """Where nothing is marked, all that was sent before is told as lost for want of a mark."""
    seen = bill(sent, Uncached())

    assert set(seen.missed) == {"no mark"}
    assert (seen.read, seen.read_share) == (0, 0.0)
    assert "expired" in bill(sent, Automatic()).missed


def test_the_best_plan_marks_each_request_once(sent: list[Request]) -> None:
    """Each request is planned, with at most four marks, those that last longer first."""
    after = After(sent)

    for request in sent:
        ttls = [piece.ttl for piece in after.prompt(request).pieces if piece.ttl]
        assert 1 <= len(ttls) <= 4
        assert ttls == sorted(ttls)  # "1h" before "5m"


@pytest.mark.parametrize(
    ("picos", "read", "verdicts"),
    [
        (110, 90, [True, True, True, True, True]),
        (111, 89, [False, True, False, True, True]),
        (121, 90, [False, False, True, True, True]),
    ],
)
def test_limits(picos: int, read: int, verdicts: list[bool]) -> None:
    """At its limit a target is met, beyond it missed."""
    others = {name: Bill(picos=120, resent=100, read=100) for name, _ in WAYS}
    bills = {**others, OPTIMUM: Bill(picos=100), PURSER: Bill(picos=picos, resent=100, read=read)}
    played = Played(1, 1, 1, bills)

    assert [target.ok for target in judged([played])] == verdicts
    assert "| Purser | 0.00 | 1." in table(played, [replace(played, asks=2)])


def test_what_is_rewritten_or_not_needed_is_counted(sent: list[Request]) -> None:
    """Who always changes what lies in cache pays for it under that name, and bulk that nobody needs is no content."""
    ours, lighter = bill(sent, Purser()), bill(sent, UnderWay())

    assert ours.missed["prefix changed"] == 0 < lighter.missed["prefix changed"]
    assert 1 <= ours.content < ours.strictly
    played = Played(
        1, 1, 1, {name: replace(lighter, sent=120, spare=20, cheap=0) for name, _ in WAYS}
    )
    assert [target.ok for target in judged([played])][3:] == [False, False]
