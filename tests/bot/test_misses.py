"""What the cache missed: each response once, at its true price, with the one cause that explains it."""

from dataclasses import replace
from typing import Any

import pytest

from bot.caching import Sections, prefixes
from bot.hindsight import Cold
from bot.ledger import Entry
from bot.misses import by_cause, colds, explained, misses
from bot.prices import dollars, price
from bot.usage import Usage
from tests.bot.entries import NOVEMBER, entry

SAME = Sections("t", "s", "c", "e", before="1", tail="2", own="1", end="2")


def response(
    at: float = 0, *, read: int = 0, wrote: int = 0, hour: int = 0, fresh: int = 100, **over: Any
) -> Entry:
    """A response in thread 1.0 so many seconds later, at its true price."""
    tokens: dict[str, Any] = {
        "input_tokens": fresh,
        "cache_write_5m_tokens": wrote,
        "cache_write_1h_tokens": hour,
        "cache_read_tokens": read,
    }
    model = str(over.get("model", "claude-sonnet-5-5"))
    cost = price(Usage(**tokens, output_tokens=100), model=model, at=NOVEMBER)
    assert cost is not None
    return entry(at=NOVEMBER + at, cost=dollars(cost.picos), **tokens, **over)


def test_what_was_there_and_was_not_read_is_a_miss() -> None:
    """A second response that wrote what it could have read cost the difference of both prices more."""
    missed = response(60, wrote=10_000)
    had = response(60, read=10_000)
    (miss,) = misses([response(wrote=10_000, fresh=0), missed])

    assert missed.cost is not None
    assert had.cost is not None
    assert (miss.entry, miss.tokens, miss.cause) == (missed, 10_000, "")
    assert miss.extra == missed.cost - had.cost > 0


@pytest.mark.parametrize(
    ("before", "entry", "cause"),
    [
        (response(wrote=5_000), response(299, wrote=5_200), ""),
        (response(wrote=5_000), response(301, wrote=5_200), "expired"),
        (response(hour=5_000), response(301, wrote=5_200), ""),
        (response(hour=5_000), response(3_601, wrote=5_200), "expired"),
        (response(fresh=5_000), response(60, fresh=5_200), "unmarked"),
        (response(read=2_000, fresh=5_000), response(60, read=2_000, wrote=5_200), "unmarked"),
        (response(fresh=400), response(60, fresh=900), "short"),
    ],
)
def test_causes_that_the_books_know(before: Entry, entry: Entry, cause: str) -> None:
    """A cache that has lapsed, that was never marked, or whose prefix is below the model's minimum."""
    (miss,) = misses([before, entry])

    assert miss.cause == cause


def test_a_keep_alive_call_carries_on_what_the_next_ask_may_miss() -> None:
    """After it the cache lives for an hour, and holds the answer too; the call itself misses nothing."""
    carried = response(290, read=5_000, hour=700, fresh=0, purpose="keep_warm", ask_id=None)
    rows = [response(wrote=5_000), carried]
    (late,) = misses([*rows, response(4_000, wrote=6_000)])
    (soon,) = misses([*rows, response(3_000, wrote=6_000)])

    assert soon.cause == ""
    assert misses([*rows, response(3_000, read=5_700, wrote=90)]) == []
    assert (late.tokens, late.cause) == (5_700, "expired")


@pytest.mark.parametrize(
    ("later", "read", "cause"), [(400, 2_040, "expired"), (400, 0, ""), (3_700, 0, "expired")]
)
def test_what_lasts_an_hour_is_told_from_what_lapsed(later: int, read: int, cause: str) -> None:
    """Of a thread whose beginning was written for an hour the rest lapses after five minutes; the beginning does not."""
    rows = [response(wrote=2_000), response(60, read=2_000, hour=40, wrote=3_000, ask_id="A2")]
    rows.append(response(90, read=5_040, wrote=100, ask_id="A2"))
    *_, miss = misses([*rows, response(later, read=read, wrote=9_000, ask_id="A3")])

    assert miss.cause == cause


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"tools": "x", "system": "x"}, "tools"),
        ({"system": "x", "channel": "x"}, "system"),
        ({"channel": "x"}, "channel"),
        ({"settings": "x", "before": "x"}, "settings"),
        ({"before": "x"}, "messages"),
        ({"tail": "x"}, "messages"),
        ({}, ""),
    ],
)
def test_where_a_prefix_changed(changes: dict[str, str], cause: str) -> None:
    """The first section that is not what it was is told, by the hashes that the journal keeps."""
    before, now = response(wrote=5_000), response(60, wrote=5_200)
    (miss,) = misses([before, now])
    ids = (before.message_id or "", now.message_id or "")
    sections = {ids[0]: str(SAME), ids[1]: str(replace(SAME, **changes))}

    assert explained(miss, sections, {}).cause == cause
    assert (
        explained(miss, {ids[1]: "of another release"}, {ids[1]: "tools_changed"}).cause == "tools"
    )


def test_who_wrote_beside_another_is_told() -> None:
    """Of three that wrote what all share, the one that left while another's answer had not begun yet did so in vain."""
    rows = [response(hour=5_000, thread=f"{n}.0") for n in range(3)]
    head = ("claude-sonnet-5-5", "p1")
    times = [(0.0, 2.0), (1.0, 3.0), (9.0, 9.5)]
    cold = [Cold(row.entry_id, head, *time) for row, time in zip(rows, times, strict=True)]
    (miss,) = colds(rows, cold)

    assert (miss.entry, miss.tokens, miss.cause) == (rows[1], 5_000, "cold")
    assert colds(rows[:1], cold) == []
    others = [replace(one, head=("claude-sonnet-5-5", f"p{n}")) for n, one in enumerate(cold)]
    assert colds(rows, others) == []  # of another release each, which share nothing
    assert by_cause([miss, miss]) == {"cold": (2, 2 * miss.extra)}


def test_what_is_no_miss() -> None:
    """The first of a thread, one that reads all there is, another thread, another model, and an estimate."""
    first = response(wrote=5_000)
    others = (
        response(9, read=5_100, wrote=800),
        response(9, wrote=5_000, thread="2.0"),
        response(9, wrote=5_000, channel="C2"),
        response(9, wrote=5_000, model="claude-opus-5-5"),
        response(9, wrote=5_000, status="unconfirmed"),
        response(9, wrote=5_000, thread=None),
    )

    assert [misses([first, other]) for other in others] == [[]] * len(others)


def test_what_is_not_sent_again_was_not_missed() -> None:
    """A thread that was summed up, or is sent lighter, can read no more than it sends; without a price nothing is lost."""
    first = response(wrote=50_000)
    *_, miss = misses([first, response(9, wrote=2_000, ask_id="A2")])
    unpriced = replace(response(9, wrote=2_000), cost=None)

    assert miss.tokens == 2_100
    assert misses([first, unpriced]) == []


def test_another_form_of_what_was_read_all_the_same_is_no_cause() -> None:
    """Where all that lay in cache was read, it was not missed for a changed thread."""
    before = response(wrote=2_000, fresh=4_000)
    now = response(60, read=2_000, wrote=4_500, ask_id="A2")
    (miss,) = misses([before, now])
    sections = {before.message_id or "": str(SAME)}
    sections[now.message_id or ""] = str(replace(SAME, tail="x"))

    assert explained(replace(miss, cause=""), sections, {}).cause == ""


def test_sections_are_kept_as_digits() -> None:
    """What is kept reads back, an empty section too; no text is in it, and of no messages there is no hash."""
    parts = [b"secret words", b"more"]
    made = Sections("t", "s", "", "e", *prefixes(parts, (0, 1, 1, 2)))

    assert Sections.read(str(made)) == replace(made, channel="-", before="-")
    assert (made.before, made.tail == made.own, made.own == made.end) == ("", True, False)
    assert "secret" not in str(made)
    assert Sections.read("") is None
