"""A proposal in Slack's shape: within its limits, letter for letter, and with the buttons that its state has."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.slack.blocks import actions, check, written
from bot.demo.slack.views import problems_of
from bot.policy import Policy
from bot.posting import TEXT_CHARS as REVIEW_CHARS
from bot.proposals import REVIEW_TOOL, Proposal, State
from bot.slack.offers import Offers
from bot.slack.presses import FORMS, PRESSES, Place
from bot.slack.proposed import CHANGE, DO, DROP, UNDO, can_change, changed, form, told
from bot.slack.unread import READ
from bot.tools.writes import TEXT_CHARS
from integrations.github import Posted, Remark, ReviewDraft
from integrations.jira import Draft, Written

STATES: Sequence[State] = get_args(State)


def proposal(
    kind: Any = "comment", text: str = "Fixed.", state: State = "open", **changes: Any
) -> Proposal:
    """A proposal about SHOP-12."""
    draft = Draft(
        kind,
        "SHOP",
        "" if kind == "issue" else "SHOP-12",
        "A summary",
        text,
        (("Project", "SHOP · Shop"), ("Status", "To Do → Done")),
        "",
        "https://jira.test/browse/SHOP-12",
    )
    was = Written(draft, "p1", "SHOP-12", "https://jira.test/c/1", "1")
    values: dict[str, Any] = {
        "id": "p1",
        "ask_id": "a1",
        "use_id": "u1",
        "team": "T1",
        "channel": "C1",
        "thread": "1.0",
        "user": "U1",
        "behalf": "Ana",
        "tool": f"jira_propose_{kind}",
        "asked": {"key": "SHOP-12", "markdown": text, "fields": {"Status": "Done"}},
        "draft": draft.to_json(),
        "hash": "0" * 32,
        "state": state,
        "until": 1.0,
        "who": "" if state == "open" else "U1",
        "who_name": "" if state == "open" else "Ana",
        "written": was.to_json() if state in {"written", "undoing", "undone", "kept"} else "",
    }
    return Proposal(**{**values, **changes})


@pytest.mark.parametrize("kind", ["comment", "transition", "update", "issue"])
@pytest.mark.parametrize("state", STATES)
def test_each_state_has_its_buttons(kind: str, state: State) -> None:
    """Only what may follow can be pressed; every button carries the proposal and its hash."""
    head, blocks = told(proposal(kind, state=state))
    found = actions(blocks)
    undo = {UNDO} if kind != "issue" else set[str]()
    expected: dict[State, set[str]] = {
        "open": {DO, CHANGE, DROP},
        "writing": {DO},
        "unknown": {DO},
        "written": undo,
        "undoing": undo or set(),
    }

    if (kind, state) != ("issue", "undoing"):
        assert set(found) == expected.get(state, set())
    assert {element["value"] for element, _ in found.values()} <= {f"p1:{'0' * 32}"}
    assert check([{"type": "markdown", "text": head}, *blocks]) == []


@given(
    st.text(min_size=1, max_size=TEXT_CHARS),
    st.sampled_from(STATES),
    st.text(max_size=4_000),
)
def test_any_text_fits_and_stays_text(text: str, state: State, sentence: str) -> None:
    """Whatever would be written is within Slack's limits, letter for letter, and outside of all markup."""
    head, blocks = told(proposal(text=text, state=state, sentence=sentence))
    every = [{"type": "markdown", "text": head}, *blocks]
    literal = blocks[0]["elements"][1]["elements"]

    assert check(every) == []
    assert written(every) <= 13_200
    assert literal == [{"type": "text", "text": text}]
    assert text not in head or len(text) < 20


def posting(text: str = "Two findings.", state: State = "open", remarks: int = 1) -> Proposal:
    """A proposal to post a review."""
    lines = [
        Remark("src/pay.py", n + 9, "LEFT" if n else "RIGHT", f"Bug {n}.", start=n)
        for n in range(remarks)
    ]
    url = "https://github.test/s/c/pull/7"
    draft = ReviewDraft(url, "s/c", "7", "Pay twice (open)", "abc", text, tuple(lines))
    done = Posted(f"{url}#pullrequestreview-1", "1").to_json() if state == "written" else ""
    made = proposal(state=state, tool=REVIEW_TOOL, asked={"url": url}, written=done)
    return replace(made, draft=draft.to_json())


@pytest.mark.parametrize("state", STATES)
def test_a_review_has_no_form_and_no_undo(state: State) -> None:
    """It can be done or dropped, and looked for; what was posted is linked and stays."""
    head, blocks = told(posting(state=state))
    expected: dict[State, set[str]] = {"open": {DO, DROP}, "writing": {DO}, "unknown": {DO}}

    if state != "undoing":
        assert set(actions(blocks)) == expected.get(state, set())
    assert check([{"type": "markdown", "text": head}, *blocks]) == []
    assert ("#pullrequestreview-1" in head) == (state == "written")
    assert ("cannot be deleted" in str(blocks)) == (state == "written")


def test_the_longest_review_fits() -> None:
    """All that may be proposed is shown, each comment with its lines, within what a message takes."""
    head, blocks = told(posting("x" * (REVIEW_CHARS - 40 * 16), remarks=40))
    every = [{"type": "markdown", "text": head}, *blocks]
    words = str(blocks)

    assert check(every) == []
    assert written(every) <= 13_200
    assert "At: " in words
    assert "src/pay.py:9" in words
    assert "src/pay.py:39-48, as it was before" in words


def test_no_value_is_cut() -> None:
    """Who decides sees a value to its last letter, however long it is."""
    made = proposal("update", text="")
    draft = replace(Draft.from_json(made.draft), shown=(("Labels", "x" * 7_999 + "Z"),))
    _, blocks = told(replace(made, draft=draft.to_json()))
    words = [part["text"] for part in blocks[0]["elements"][0]["elements"]]

    assert "x" * 7_999 + "Z\n" in words
    assert check(blocks) == []


@pytest.mark.parametrize(
    ("tool", "asked", "filled", "expected"),
    [
        ("comment", {"key": "K-1", "markdown": "a"}, {"markdown": "b"}, {"key": "K-1", "markdown": "b"}),
        ("transition", {"key": "K-1", "status": "x"}, {"status": "y", "markdown": ""}, {"key": "K-1", "status": "y", "markdown": ""}),
        ("update", {"key": "K-1", "fields": {"priority": "Low", "labels": ""}}, {"field-0": "High", "field-1": "a, b"}, {"key": "K-1", "fields": {"priority": "High", "labels": "a, b"}}),
        ("issue", {"project": "K", "type": "Bug", "summary": "s", "markdown": ""}, {"type": "Task", "summary": "t", "markdown": "m"}, {"project": "K", "type": "Task", "summary": "t", "markdown": "m"}),
    ],
)  # fmt: skip
def test_a_form_holds_what_can_be_changed(
    tool: str, asked: dict[str, Any], filled: dict[str, str], expected: dict[str, Any]
) -> None:
    """Each field is there with its value; what was written takes its place, and the key and project stay."""
    made = proposal(tool=f"jira_propose_{tool}", asked=asked)
    view = form(made, Place("C1", "1.0", "2.0", "https://hooks.slack.com/x"))

    assert problems_of(view, "modal") == []
    assert {block["block_id"] for block in view["blocks"]} == set(filled)
    assert json.loads(view["private_metadata"])["value"] == made.value
    assert view["callback_id"] in FORMS
    assert changed(made, {**filled, "key": "OTHER-1", "elsewhere": "x"}) == expected


def test_what_is_too_long_for_a_form_has_no_change() -> None:
    """Slack's fields take 3,000 characters; a longer text can be done or dropped."""
    long = proposal(text="x" * 3_001)

    assert not can_change(long)
    assert set(actions(told(long)[1])) == {DO, DROP}
    assert can_change(replace(long, asked={"markdown": "x" * 3_000}))


def test_nothing_that_is_proposed_escapes_into_markup() -> None:
    """A sentence of Jira's or a name cannot ping or link."""
    _, blocks = told(proposal(state="failed", sentence="<!channel> <https://evil.test|x>"))
    lines = [b["elements"][0] for b in blocks if b["type"] == "context"]

    assert "&lt;!channel&gt; &lt;https://evil.test|x&gt;" in lines[0]["text"]
    assert all(line["verbatim"] is True for line in lines)


def test_every_button_has_who_answers() -> None:
    """What the door takes as a press, somebody answers for."""
    ours = {name for name in PRESSES | FORMS if name.startswith(("proposal", "address"))}

    nobody = cast("Any", None)
    offers = Offers(nobody, nobody, nobody, nobody, policy=Policy(), new_id=str, now=lambda: 0.0)
    assert set(offers.handlers()) == ours


def address(url: str, state: State = "open") -> Proposal:
    """An address that a person may let be read."""
    return proposal(state=state, tool="web_fetch", asked={"url": url}, draft=url, written="")


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=1_900),
    st.sampled_from(STATES),
)
def test_an_address_is_shown_whole_and_as_text(rest: str, state: State) -> None:
    """Whatever stands in it, it is there to the letter, its host in bold, in Slack's limits, and no block makes it a link."""
    url = f"https://Docs.Example.com:8443/{rest}"
    head, blocks = told(address(url, state))
    parts = blocks[0]["elements"][0]["elements"]

    assert "".join(part["text"] for part in parts) == url
    assert [p["text"] for p in parts if "style" in p] == ["Docs.Example.com:8443"]
    assert {part["type"] for part in parts} == {"text"}
    assert "example" not in (head + json.dumps(blocks[1:])).lower()
    assert list(actions(blocks)) == ([READ] if state == "open" else [])
    assert check([{"type": "markdown", "text": head}, *blocks]) == []
