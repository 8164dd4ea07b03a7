"""What Claude refused in Slack's shape: within its limits, letter for letter, with the buttons that its state has."""

from typing import Any, get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.demo.slack.blocks import actions, check, written
from bot.demo.slack.views import problems_of
from bot.escalations import Escalation, State
from bot.slack.escalated import (
    ALREADY,
    ANSWER,
    ANSWERED,
    CLOSE,
    LAPSE,
    REWORD,
    REWORDED,
    SHOWN_CHARS,
    Seen,
    answered,
    closed,
    form,
    reworded,
    spoken,
    told,
)
from bot.slack.presses import FORMS, PRESSES, Place
from tests.bot.stores import ask

STATES: tuple[State, ...] = get_args(State)
SEEN = Seen("Ana Duarte", "#shop-dev", "https://bazaar.slack.example/archives/C1/p1")
HERE = Place("C9", "", "1.0")


def escalation(state: State = "open", **changes: Any) -> Escalation:
    """An ask that stayed refused."""
    values: dict[str, Any] = {
        "ask": ask(id="a1", text="grow plover-17"),
        "channel": "C9",
        "ts": "1.0",
        "category": "bio",
        "sentence": "Claude declined.",
        "notes": ("It was asked in other words.",),
        "state": state,
        "at": 1.0,
        "until": 2.0,
        "press": "",
        "who": "",
        "who_name": "" if state == "open" else "Maya",
    }
    return Escalation(**{**values, **changes})


@pytest.mark.parametrize("state", STATES)
def test_each_state_has_its_buttons(state: State) -> None:
    """Only what is open can be pressed; every button carries the ask."""
    head, blocks = told(escalation(state), SEEN, "grow plover-17")
    found = actions(blocks)

    assert set(found) == ({ANSWER, REWORD, CLOSE} if state == "open" else set())
    assert {element["value"] for element, _ in found.values()} <= {"a1"}
    assert check([{"type": "markdown", "text": head}, *blocks]) == []
    assert state == "open" or state in ALREADY


def test_slack_knows_each_button_and_form_and_nobody_sends_a_lapse() -> None:
    """The door takes every button and form; that a day has passed is never taken from outside."""
    assert {ANSWER, REWORD, CLOSE} <= PRESSES
    assert {ANSWERED, REWORDED} <= FORMS
    assert LAPSE not in PRESSES | FORMS


@given(st.text(max_size=3 * SHOWN_CHARS), st.text(max_size=2_000), st.sampled_from(STATES))
@example("x" * 3 * SHOWN_CHARS, "y" * 2_000, "open")
def test_any_words_fit_and_stay_words(words: str, note: str, state: State) -> None:
    """Whatever was asked is within Slack's limits, as far as shown letter for letter, and outside of all markup."""
    head, blocks = told(escalation(state, notes=(note, note)), SEEN, words)
    every = [{"type": "markdown", "text": head}, *blocks]
    literal = [e for e in blocks[0]["elements"] if e["type"] == "rich_text_preformatted"]

    assert check(every) == []
    assert written(every) <= 13_200
    assert [e["elements"][0]["text"].rstrip("…") for e in literal] == (
        [words[:SHOWN_CHARS].rstrip("…")] if words[:SHOWN_CHARS].strip() else []
    )


@given(st.text(max_size=5_000), st.sampled_from([ANSWER, REWORD]))
def test_each_form_is_one_that_slack_opens(words: str, action: str) -> None:
    """Whatever was asked, the form is within Slack's limits; a rewording begins with the words where they fit."""
    view = form(escalation(), action, words, HERE)
    element = view["blocks"][0]["element"]

    assert problems_of(view, "modal") == []
    assert ("initial_value" in element) <= (action == REWORD)
    assert element.get("initial_value", "x")


@given(st.text(max_size=200))
def test_a_name_is_no_markup(name: str) -> None:
    """Whoever somebody is called, their name stands in one line and is neither markup nor a mention."""
    said = spoken(name)

    assert said
    assert not set(said) & set("\\`*_~[]<>|#&\n")
    for text in (answered(name, "Hi."), reworded(name, "Hi."), closed(name)):
        assert said in text.split("\n")[0]
