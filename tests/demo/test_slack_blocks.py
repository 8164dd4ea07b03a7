"""Block Kit at the Slack stand-in: what Slack takes, and what it refuses by number."""

from typing import Any

import pytest

from bot.demo.slack.blocks import check, written

Block = dict[str, Any]


def _text(text: str = "x", kind: str = "plain_text") -> Block:
    return {"type": kind, "text": text}


def _chart(labels: list[str], categories: list[str], names: list[str]) -> Block:
    series = [
        {"name": name, "data": [{"label": label, "value": 1} for label in labels]} for name in names
    ]
    chart = {"type": "bar", "series": series, "axis_config": {"categories": categories}}
    return {"type": "data_visualization", "title": "Cost", "chart": chart}


FEEDBACK = {
    "type": "feedback_buttons",
    "action_id": "feedback",
    "positive_button": {"text": _text("Good"), "value": "1"},
    "negative_button": {"text": _text("Bad"), "value": "0"},
}
CELL = {"type": "raw_text", "text": "x"}


def _names(blocks: list[Block]) -> list[str]:
    return [f"{at}-{block['type']}" for at, block in enumerate(blocks)]


def _button(action_id: str) -> Block:
    return {"type": "button", "action_id": action_id, "text": _text()}


RIGHT: list[Block] = [
    {"type": "header", "text": _text("x" * 150)},
    {"type": "section", "text": _text("x" * 3000, "mrkdwn"), "fields": [_text()] * 10},
    {"type": "divider"},
    {"type": "markdown", "text": "x" * 12_000},
    {"type": "context", "elements": [_text("x", "mrkdwn")] * 10},
    {"type": "actions", "elements": [_button(str(n)) for n in range(25)]},
    {"type": "context_actions", "elements": [FEEDBACK]},
    {"type": "table", "rows": [[CELL] * 20] * 100},
    {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": []}]},
    {"type": "task_card", "task_id": "1", "title": "x", "status": "complete"},
    {"type": "plan", "title": "x"},
    _chart(["a", "b"], ["a", "b"], ["one", "two"]),
    {
        "type": "data_visualization",
        "title": "x",
        "chart": {"type": "pie", "segments": [{"label": "a", "value": 1}] * 6},
    },
]

WRONG: list[Block] = [
    {"type": "header", "text": _text("x" * 151)},
    {"type": "header", "text": _text("x", "mrkdwn")},
    {"type": "section"},
    {"type": "section", "text": _text("x" * 3001, "mrkdwn")},
    {"type": "section", "text": _text("", "mrkdwn")},
    {"type": "markdown", "text": "x" * 12_001},
    {"type": "context", "elements": [_text("x", "mrkdwn")] * 11},
    {"type": "actions", "elements": []},
    {"type": "actions", "elements": [_button("a"), _button("a")]},
    {"type": "actions", "elements": [_button(str(n)) for n in range(26)]},
    {"type": "actions", "elements": [{"type": "button", "text": _text("x" * 76)}]},
    {"type": "actions", "elements": [{"type": "button", "text": _text(), "value": "x" * 2001}]},
    {"type": "context_actions", "elements": [FEEDBACK] * 6},
    {"type": "context_actions", "elements": [{"type": "button", "text": _text()}]},
    {"type": "table", "rows": [[CELL]] * 101},
    {"type": "table", "rows": [[CELL] * 21]},
    {"type": "table", "rows": [[{"type": "raw_text", "text": ""}]]},
    {"type": "rich_text", "elements": [{"type": "text", "text": "x"}]},
    {"type": "task_card", "task_id": "1", "title": "x", "status": "late"},
    _chart(["a"], ["b"], ["one"]),
    _chart(["a"], ["a"], ["one", "one"]),
    _chart(["a"], ["a"], [str(n) for n in range(7)]),
    _chart(["x" * 21], ["x" * 21], ["one"]),
    {"type": "divider", "block_id": "x" * 256},
    {"type": "hologram"},
]


@pytest.mark.parametrize("block", RIGHT, ids=_names(RIGHT))
def test_right_blocks_pass(block: Block) -> None:
    """Each known block passes at its limit."""
    assert check([block]) == []


@pytest.mark.parametrize("block", WRONG, ids=_names(WRONG))
def test_wrong_blocks_are_named(block: Block) -> None:
    """Each block past its limit is refused, with where it stands."""
    (problem, *_) = check([{"type": "divider"}, block])

    assert problem.endswith("[json-pointer:/blocks/1]")


def test_blocks_are_counted_together() -> None:
    """Charts, markdown and block ids are limited over a whole message."""
    chart = _chart(["a"], ["a"], ["one"])

    assert check([chart] * 2) == []
    assert check([chart] * 3) != []
    assert check([{"type": "markdown", "text": "x" * 6_001}] * 2) != []
    assert check([{"type": "divider", "block_id": "a"}] * 2) != []
    assert check([{"type": "divider"}] * 51) != []
    assert check({"type": "divider"}) == ["must provide an array"]
    assert written([{"type": "section", "text": _text("abc"), "fields": [_text("de")]}]) == 5
