"""An answer's table as Slack's own: its links, its alignment, its limits, and nothing lost."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.slack.blocks import check
from bot.slack.tables import CELLS_AT_MOST, NOTHING, ROWS_AT_MOST, has_table, laid_out

TABLE = "| Ticket | Days |\n| --- | ---: |\n| [SHOP-1](https://shop.example/browse/SHOP-1) | 12 |"


def test_a_table_stands_between_the_words_around_it() -> None:
    """The words before, the table, the words after; a link in a cell is a link."""
    before, table, after = laid_out(f"About 140 tickets.\n\n{TABLE}\n\nThe rest is done.")

    assert (before["text"], after["text"]) == ("About 140 tickets.", "The rest is done.")
    assert [settings["align"] for settings in table["column_settings"]] == ["left", "right"]
    head, (ticket, days) = table["rows"]
    assert [cell["text"] for cell in head] == ["Ticket", "Days"]
    (link,) = ticket["elements"][0]["elements"]
    assert link == {"type": "link", "url": "https://shop.example/browse/SHOP-1", "text": "SHOP-1"}
    assert days == {"type": "raw_text", "text": "12"}
    assert check([before, table, after]) == []


def test_what_is_written_in_a_cell_keeps_its_look() -> None:
    """Bold, code, bars, and addresses written out; an empty cell is a dash, which Slack takes."""
    (table,) = laid_out(
        "| a | b |\n|-|-|\n| **now** `x | y` https://a.example/b | |".replace("x |", r"x \|")
    )

    (cell, empty) = table["rows"][1]
    bold, _, code, _, link = cell["elements"][0]["elements"]
    assert (bold["text"], bold["style"]) == ("now", {"bold": True})
    assert (code["text"], code["style"]) == ("x | y", {"code": True})
    assert link == {"type": "link", "url": "https://a.example/b"}
    assert empty == {"type": "raw_text", "text": NOTHING}


def test_one_table_is_slacks_own() -> None:
    """Slack takes one table in a message; the next one stays Markdown."""
    blocks = laid_out(f"{TABLE}\n\nand\n\n{TABLE}")

    assert [block["type"] for block in blocks] == ["table", "markdown"]
    assert "| Ticket | Days |" in blocks[1]["text"]
    assert check(blocks) == []


@pytest.mark.parametrize(
    "text",
    [
        "| a |\n|-|\n" + "| 1 |\n" * ROWS_AT_MOST,
        "|" + " a |" * (CELLS_AT_MOST + 1) + "\n|" + "-|" * (CELLS_AT_MOST + 1),
        f"```\n{TABLE}\n```",
        "a | b",
        "--- | nothing above",
        "no table --- at all",
    ],
    ids=["too many rows", "too many columns", "code", "no rule", "no head", "no bar"],
)
def test_what_is_no_table_for_slack_stays_as_it_is(text: str) -> None:
    """Too large a table, one in code, and what only looks like one stay Markdown, whole."""
    assert laid_out(text) == [{"type": "markdown", "text": text}]


def test_an_answer_without_a_table_is_not_parsed() -> None:
    """Most answers have no table, and that is seen at a glance."""
    assert has_table(TABLE)
    assert not has_table("a | b\n---\nwords")


@pytest.mark.parametrize("line", [" " * 200_000 + "x", "-" + " " * 200_000 + "x"])
def test_much_of_nothing_is_seen_at_a_glance_too(line: str) -> None:
    """A long line of blanks takes no time that grows with its square: minutes, in which nobody else is served."""
    assert not has_table(f"|\n{line}")


@given(
    st.lists(st.lists(st.text(alphabet="ab|*`[]() <>\\_~!", max_size=12), min_size=1, max_size=3))
)
def test_no_cell_is_refused_by_slack(rows: list[list[str]]) -> None:
    """Whatever stands in the cells, Slack takes the blocks, and letters are not lost."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    blocks = laid_out("\n".join(["| h | h | h |", "|-|-|-|", *lines, "", "end"]))

    assert check(blocks) == []
    assert json.dumps(blocks).count("end") == 1
