"""Markdown as Jira's documents: what becomes of it, and that nothing odd raises or loses a word."""

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.demo.jira.adf import problem
from integrations.jira_adf import document
from integrations.jira_text import markdown

PIECES = st.sampled_from(
    [
        "- ",
        "1. ",
        "# ",
        "> ",
        "  ",
        "\n",
        "\n\n",
        "```\n",
        "~~~py\n",
        "| a | b |\n|---|---|\n",
        "**",
        "_",
        "`",
        "~~",
        "[x](https://a.example/b)",
        "[y](javascript:z)",
        "![p](https://a.example/p.png)",
        "<div>",
        "</div>\n\n",
        '<span adf="mention" params=\'{"id":"712020:ana"}\'>@Ana</span>',
        "<!-- note -->",
        "[r]: https://r.example\n",
        "- [ ] ",
        "\\",
        "---\n",
        "&amp;",
        "word",
        "zwei Wörter",
        "🎉",
        "שלום",
        "\x00",
        "\ud800",
        "\ufdd0",
    ]
)


def kinds(node: dict[str, Any]) -> set[str]:
    """Every kind of node in a document."""
    return {node["type"]}.union(*(kinds(part) for part in node.get("content", [])))


def words(text: str) -> str:
    """The letters and figures of a text, whatever stands between them."""
    return "".join(c for c in text if c.isalnum())


def said(node: dict[str, Any]) -> str:
    """The texts of a document, one after the other."""
    return str(node.get("text", "")) + "".join(said(part) for part in node.get("content", []))


def test_what_claude_writes_keeps_its_form() -> None:
    """Headings, lists, tasks, tables, quotes, code, marks and links are there, and read back the same."""
    text = (
        "## Cause\n\nThe **key** is _new_ for each `retry`, see [the log](https://logs.example/1).\n\n"
        "- one\n    - two\n\n1. first\n2. second\n\n- [x] done\n\n> quoted\n\n```py\nx = 1\n```\n\n"
        "| a | b |\n| --- | --- |\n| 1 | 2 |"
    )

    made = document(text)

    assert problem(made) is None
    assert {"heading", "bulletList", "orderedList", "taskList", "table", "codeBlock"} < kinds(made)
    assert "[the log](<https://logs.example/1>)" in markdown(made, most=5_000)
    assert "**key**" in markdown(made, most=5_000)


@pytest.mark.parametrize(
    "text",
    [
        "<details>hidden words</details>",
        "before\n\n<div>a block</div>\n\nafter",
        "- > a quote in a list",
        "> # a heading in a quote",
        "> | a | b |\n> |---|---|\n> | c | d |",
        "[unused]: https://r.example",
        "if a<b and c>d: pass",
        "| a |\n|---|\n| 1 | 2 | 3 |",
        "```py title=Shop.py\nx\n```",
    ],
)
def test_what_has_no_form_in_jira_keeps_its_words(text: str) -> None:
    """What the converter would drop is written as it stands."""
    assert words(said(document(text))) == words(text)


def test_one_odd_part_leaves_the_others_their_form() -> None:
    """Only the part that would lose words goes as it is written."""
    made = document("# Title\n\n- > quoted\n\n```py\nx\n```")

    assert [node["type"] for node in made["content"]] == ["heading", "paragraph", "codeBlock"]
    assert said(made["content"][1]) == "- > quoted"


def test_no_text_becomes_a_mention_or_loads_a_picture() -> None:
    """HTML stays text, a picture from elsewhere becomes a link, an address that is no link stays beside it."""
    made = document(
        '<span adf="mention" params=\'{"id":"1"}\'>@Ana</span> ![logo](https://spy.example/a.png) '
        "[click](javascript:alert)"
    )

    assert kinds(made) == {"doc", "paragraph", "text"}
    assert "!" not in said(made)
    assert "<span adf=" in said(made)
    assert "click (javascript:alert)" in said(made)
    assert "'text': 'logo', 'marks': [{'type': 'link', 'attrs': {'href': 'https://spy" in str(made)
    assert said(document("`a![0]` and b![0]")) == "a![0] and b![0]"


def test_each_task_has_an_id_of_its_own() -> None:
    """Whoever ticks a box in Jira ticks that one alone."""
    made = str(document("- [ ] one\n- [x] two\n\ntext\n\n- [ ] three"))

    assert sorted(re.findall(r"'localId': '(\d+)'", made)) == ["1", "2", "3", "4", "5"]


@given(st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=60))
@example("- " * 400 + "deep")
@example("> " * 300 + "deep")
@example("[" * 3_000)
@example("")
def test_whatever_is_written_jira_takes_it_and_no_letter_is_lost(text: str) -> None:
    """A valid document for every text, its letters in it; an empty one is an empty paragraph."""
    made = document(text)

    assert problem(made) is None
    assert made["content"]
    assert str(made).count("word") >= text.count("word")
    assert said(made).count("ö") >= text.count("ö")
