"""What the crash harness finds: each kind of wrong, and nothing where all is well."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from benchmarks.crash.blows import APART, EVERY, planned
from benchmarks.crash.found import Books, Wrong, in_books, in_threads, twice
from benchmarks.crash.people import Asked, number
from bot.demo.claude.record import Exchange
from bot.demo.slack import Message

ASKED = Asked(11, "sum", "C0B001", "1.1", "1.1")
BUTTONS = {"type": "context_actions"}
MODEL = "claude-sonnet-5-5"
USAGE = {"input_tokens": 100, "output_tokens": 20}


def exchange(text: str = "11*7 = 77", **changes: Any) -> Exchange:
    """What Claude's side keeps of an ask that was answered whole."""
    given: dict[str, Any] = {
        "body": {"messages": [{"role": "user", "content": "What is 11*7? (ask 11)"}]},
        "message_id": "msg_1",
        "model": MODEL,
        "usage": USAGE,
        "content": [{"type": "text", "text": text}],
        "state": "done",
        **changes,
    }
    return Exchange(1, "req_1", "/v1/messages", 1_790_000_000.0, **given)


def message(text: str = "11*7 = 77", *, streaming: str = "", receipts: int = 1) -> Message:
    """What the bot said."""
    blocks = [{"type": "markdown", "text": text}, *[BUTTONS] * receipts]
    return Message("2.2", "C0B001", "UBOT", text, "T0", "1.1", blocks=blocks, streaming=streaming)


def threads(*messages: Message, exchanges: Sequence[Exchange] = (exchange(),)) -> list[str]:
    """What is found wrong in a thread in which these stand."""
    return [one.what for one in in_threads([ASKED], lambda *_: messages, exchanges)]


def row(**changes: Any) -> dict[str, Any]:
    """The row that the exchange should have."""
    tokens = dict.fromkeys(
        ("cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens"), 0
    )
    return {
        **tokens,
        **USAGE,
        "message_id": "msg_1",
        "request_id": "req_1",
        "ask_id": "a1",
        "model": MODEL,
        "status": "settled",
        "cost_picos": 10**12,
        **changes,
    }


def books(*rows: dict[str, Any], state: str = "done", unheard: bool = False) -> Books:
    """The books with these rows, and one ask."""
    ask = {"id": "a1", "ts": "1.1", "state": state, "outcome": "answer"}
    return Books([] if unheard else [ask], rows, [])


def test_one_whole_answer_is_well() -> None:
    """Whatever words the ask was answered with, they stand there once, with their receipt."""
    assert threads(message()) == []


@pytest.mark.parametrize(
    ("messages", "found"),
    [
        ([], "no whole answer in its thread"),
        ([message(), message()], "answered again: '11*7 = 77'"),
        ([message(streaming="in_progress")], "its answer still streams"),
        ([message(receipts=0)], "0 receipts under its answer"),
        ([message(receipts=2)], "2 receipts under its answer"),
        ([message(), message("one moment")], "beside the answers: 'one moment'"),
        ([message("1*7 = 7")], "no whole answer in its thread"),
    ],
)
def test_what_is_wrong_in_a_thread(messages: list[Message], found: str) -> None:
    """A lost, doubled, broken or bare answer is found, and so is what else stands there."""
    assert found in threads(*messages)


def test_two_asks_of_a_thread_in_the_same_words() -> None:
    """Two asks that are answered alike have two answers; one of them is not enough for both."""
    other = replace(ASKED, n=12, ts="1.2")
    body = {"messages": "<purser:ask> (ask 12)"}
    exchanges = [exchange(), exchange(body=body)]
    first, second = message(), replace(message(), ts="2.3")

    assert in_threads([ASKED, other], lambda *_: [first, second], exchanges) == []
    assert len(in_threads([ASKED, other], lambda *_: [first], exchanges)) == 1


def test_what_claude_did_not_finish_is_no_answer() -> None:
    """Words of a response that broke off are no whole answer."""
    assert "no whole answer in its thread" in threads(
        message(), exchanges=[exchange(state="client_gone")]
    )


def test_books_that_agree() -> None:
    """One settled row with its tokens; or an unconfirmed one with its id, or without where nobody heard its beginning."""
    for rows in (
        [row()],
        [row(status="unconfirmed")],
        [row(status="unconfirmed", message_id=None)],
    ):
        assert in_books([ASKED], [exchange()], books(*rows)) == ([], 0)
    assert in_books([ASKED], [], books(row(status="unconfirmed", message_id=None))) == ([], 1)


@pytest.mark.parametrize(
    ("found", "exchanges", "kept"),
    [
        ("req_1: 0 rows in the books", [exchange()], books()),
        ("req_1: 2 rows in the books", [exchange()], books(row(), row(status="unconfirmed"))),
        ("req_1: booked below what it cost", [exchange()], books(row(status="unconfirmed", cost_picos=1))),
        ("req_1: booked as settled although", [exchange(state="client_gone")], books(row())),
        ("req_1: booked as req_2", [exchange()], books(row(request_id="req_2"))),
        ("req_1: booked with [100, 0, 0, 0, 21] tokens", [exchange()], books(row(output_tokens=21))),
        ("msg_1 was never served", [], books(row())),
        ("the inbox says leased", [exchange()], books(row(), state="leased")),
        ("the inbox never heard of it", [exchange()], books(row(), unheard=True)),
    ],
)  # fmt: skip
def test_books_that_differ(found: str, exchanges: list[Exchange], kept: Books) -> None:
    """Whatever was served and not booked as it was, booked twice, or booked and never served is found by its ask."""
    wrong, _ = in_books([ASKED], exchanges, kept)

    assert [one.what.startswith(found) for one in wrong] == [True]


def test_people_who_are_told_twice() -> None:
    """The same words twice are found, others are not."""
    assert twice([message("a"), message("b")]) == []
    assert twice([message("a"), message("a")]) == [Wrong(0, "told 2 times: 'a'")]


def test_an_ask_is_known_by_its_last_number() -> None:
    """In a thread others have numbers, too, before and behind it; a request in nobody's name has none."""
    body = {"messages": ["<purser:ask> (ask 1)", "<purser:ask> (ask 12)", "<purser:said> (ask 2)"]}

    assert (number(body), number({"messages": ["Ready?"]}), number(None)) == (12, None, None)


def test_a_plan_is_the_same_for_the_same_seed() -> None:
    """All kinds fall, within the time, and no process is killed again before it has got to its work."""
    plan = planned(3, seconds=120.0, replicas=2)

    assert plan == planned(3, seconds=120.0, replicas=2)
    assert plan != planned(4, seconds=120.0, replicas=2)
    assert {blow.kind for blow in plan} == {*EVERY, "pause", "restart", "away"}
    assert all(0 < blow.at < 120 for blow in plan)
    for n in range(2):
        kills = [blow.at for blow in plan if blow == replace(blow, kind="kill", replica=n)]
        assert all(b - a >= APART for a, b in pairwise(kills))
