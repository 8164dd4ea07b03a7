"""ADF written from markup, read as text, and refused where Jira would."""

from typing import Any

import pytest

from bot.demo.jira.adf import Writer, plain, problem
from bot.demo.jira.seed import company
from tests.demo.asking import NOW

WRITER = Writer({"ana": ("712020:ana", "Ana Ferreira")})


def first(markup: str) -> dict[str, Any]:
    """The first block of a document."""
    return WRITER.document(markup)["content"][0]


@pytest.mark.parametrize(
    ("markup", "kind"),
    [
        ("## Why", "heading"),
        ("- a\n- b", "bulletList"),
        ("1. a\n  - b", "orderedList"),
        ("- [x] done", "taskList"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "table"),
        (":::warning\nCareful\n:::", "panel"),
        (":::expand More\nHidden\n:::", "expand"),
        (":::decision\nB it is\n:::", "decisionList"),
        ("```python\nx = 1\n```", "codeBlock"),
        ("> said", "blockquote"),
        ("!shot.png!", "mediaSingle"),
        ("---", "rule"),
        ("words", "paragraph"),
    ],
)
def test_blocks(markup: str, kind: str) -> None:
    """Each mark makes its block, and the whole is a valid document."""
    assert first(markup)["type"] == kind
    assert problem(WRITER.document(markup)) is None


def test_inlines() -> None:
    """Mentions, lozenges, dates, emoji, links, cards and marks stand in one line."""
    line = "@ana {green:DONE} {date:2026-11-03} :tada: [x](https://a.example) https://b.example **b** `c` _e_ @nobody"
    kinds = [n["type"] for n in first(line)["content"] if n.get("text") != " "]

    assert kinds == [
        *("mention", "status", "date", "emoji", "text", "inlineCard", "text", "text", "text"),
        "text",
    ]


def test_plain_text_is_for_searching() -> None:
    """Words of every node are found, blocks apart."""
    text = plain(WRITER.document("# One\n\n- two @ana\n- {red:THREE}"))

    assert text.splitlines() == ["One", "two @Ana Ferreira", "THREE"]


def test_every_seeded_document_is_what_jira_would_take() -> None:
    """But for SHOP-41, which is odd on purpose, all descriptions and comments are valid."""
    world = company(NOW)
    bad = [
        issue.key
        for issue in world.issues.values()
        for body in [issue.description, *(c.body for c in issue.comments)]
        if body is not None and problem(body) is not None
    ]

    assert bad == ["SHOP-41"]
