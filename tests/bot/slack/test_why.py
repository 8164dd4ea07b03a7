"""What happened to somebody's last asks, in lines for them."""

from dataclasses import replace
from datetime import UTC
from decimal import Decimal

import pytest

from bot.slack.why import told
from bot.traces import Called, Trace

NOON = 1_700_000_000.0  # 2023-11-14, 22:13:20 UTC
CALL = Called(
    at=NOON + 1,
    ended=NOON + 2,
    model="claude-sonnet-5-5",
    purpose="answer",
    error="",
    stop_reason="end_turn",
    category="",
)
TRACE = Trace(
    id="0001abcd1234",
    channel="C1",
    feature="chat",
    at=NOON,
    state="done",
    outcome="answer",
    sentence="",
    attempts=1,
    calls=(CALL,),
    cost=Decimal("0.0123"),
)
REFUSED = replace(CALL, stop_reason="refusal", category="cyber")


def lines(trace: Trace) -> list[str]:
    """What is said of one ask below its head."""
    return told([trace], UTC).split("\n")[1:]


def test_an_answer_is_its_time_its_end_and_its_cost() -> None:
    """Of an ask that went well there is a head with the reference, and the cost."""
    assert told([TRACE], UTC) == (
        "**2023-11-14 22:13, chat: answered** (reference `abcd1234`)\n"
        "- It cost $0.0123, in 1 call of Claude."
    )
    assert " in C1: " in told([TRACE], UTC, abroad=True)


def test_each_rung_of_a_refusal_is_told() -> None:
    """Refusals by category, the other model, the rewording, and what people did, each in a line."""
    calls = (
        REFUSED,
        replace(CALL, purpose="fallback", model="claude-opus-5", stop_reason="refusal"),
        replace(CALL, purpose="rephrase", model="claude-haiku-5-5"),
        replace(CALL, error="OutputFiltered", stop_reason=""),
    )
    trace = replace(TRACE, outcome="refused", sentence="Claude declined.", calls=calls)

    assert lines(replace(trace, people="answered", who="Maya Lindqvist")) == [
        "- Claude declined.",
        "- Claude refused once, category `cyber`.",
        "- Claude refused once, without a category.",
        "- Claude refused once, by its output filter.",
        "- It was put in neutral words, to be asked once more.",
        "- claude-opus-5 was asked instead.",
        "- Maya Lindqvist answered it.",
        "- It cost $0.0123, in 4 calls of Claude.",
    ]


@pytest.mark.parametrize(
    ("people", "says"),
    [
        ("open", "- People were asked to take it over, and may still."),
        ("closed", "- Maya closed it."),
        ("lapsed", "- People were asked, and none took it over within a day."),
        ("unsent", "- People could not be asked."),
    ],
)
def test_what_people_did(people: str, says: str) -> None:
    """Each state of what was given to people is a sentence."""
    assert lines(replace(TRACE, people=people, who="Maya"))[0] == says


def test_waits_and_calls_that_broke_off() -> None:
    """Waits of three seconds and more are told, and why calls broke off, the same reason once."""
    calls = (
        replace(CALL, at=NOON + 12, ended=NOON + 13, error="Overloaded"),
        replace(CALL, at=NOON + 15, ended=NOON + 16, error="Overloaded"),
        replace(CALL, at=NOON + 20, ended=NOON + 21),
    )

    assert lines(replace(TRACE, calls=calls))[:-1] == [
        "- It waited 12 s before Claude was asked.",
        "- Twice a call of Claude broke off: Claude was overloaded.",
        "- It waited 6 s before it was tried again.",
    ]


def test_tools_that_failed_are_named() -> None:
    """Of tools there is how many were run, and which did not go well."""
    tools = (("web_fetch", "timed_out"), ("jira_search", "ok"), ("web_fetch", "timed_out"))

    assert lines(replace(TRACE, tools=tools))[0] == (
        "- 3 calls of tools; not well: `web_fetch` timed out (2 times)."
    )
    assert lines(replace(TRACE, tools=(("jira_search", "ok"),)))[0] == (
        "- 1 call of tools, all well."
    )


def test_what_has_not_ended_and_what_has_no_price() -> None:
    """An ask under way says how it stands; an unknown price is said to be unknown, and no call costs nothing."""
    waiting = replace(TRACE, state="parked", outcome="", calls=(), attempts=2)

    assert "chat: waiting for somebody's word**" in told([waiting], UTC)
    assert lines(waiting) == [
        "- It was taken up 2 times, as I was restarted or waited for a word.",
        "- Claude was not asked; it cost nothing.",
    ]
    assert lines(replace(TRACE, cost=None)) == ["- It cost price unknown, in 1 call of Claude."]
