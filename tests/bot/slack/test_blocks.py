"""What stands under an answer: always blocks that Slack takes, always within one message with the words above."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.answer import Receipt
from bot.demo.slack.blocks import ALL_TEXT, check, written
from bot.demo.slack.text import unescape
from bot.slack.arrivals import ACTIONS
from bot.slack.blocks import LINE_CHARS, context, ending, feedback, markdown, money, receipt_line
from bot.slack.reply import CLOSED, ELSEWHERE
from bot.slack.split import split
from tests.bot.slack.answering import LINE, RECEIPT

NASTY = st.text(alphabet="ab <>&\n!@😀", max_size=3_000)


@example(["<" * 3_000] * 12, "word " * 6_000)
@example(["note " * 600] * 12, "word " * 6_000)
@example(["x"] * 60, "word")
@given(st.lists(NASTY, max_size=12), st.text(alphabet="ab \n`|<é", max_size=30_000))
def test_an_answer_and_all_under_it_fit_into_one_message(notes: list[str], text: str) -> None:
    """However many notes there are and however long, with the longest part above them Slack takes it all."""
    longest = max(split(text) or ["x"], key=len)
    for why in (ELSEWHERE, CLOSED):
        blocks = [markdown(longest), *ending(RECEIPT, notes, "0192abc"), context(why)]

        assert check(blocks) == []
        assert written(blocks) <= ALL_TEXT


@example("<" * 3_000)
@example("word " * 600)
@given(NASTY)
def test_a_grey_line_shows_what_it_was_given(text: str) -> None:
    """It is escaped, and cut only where it is too long; no entity is cut in half, and it is never empty."""
    (element,) = context(text)["elements"]
    shown = unescape(element["text"])

    assert 0 < len(element["text"]) <= LINE_CHARS + 1
    assert element["verbatim"] is True
    assert not {"<", ">"} & set(element["text"])
    if len(element["text"]) < LINE_CHARS // 2 and text:
        assert shown == text
    else:
        assert text.startswith(shown.removesuffix("…").removesuffix("–"))


def test_all_notes_are_seen_and_empty_ones_are_none() -> None:
    """Two long notes share the room; a blank one takes none of it."""
    first, second, *rest = ending(RECEIPT, ["a" * 5_000, " ", "b" * 5_000], "1")

    texts = [block["elements"][0]["text"] for block in (first, second)]
    assert [set(text) for text in texts] == [{"a", "…"}, {"b", "…"}]
    assert len(texts[0]) == len(texts[1]) > 700
    assert [block["type"] for block in rest] == ["context", "context_actions"]


def test_without_claude_there_is_no_receipt() -> None:
    """What cost nothing has neither receipt nor buttons; its notes are shown all the same."""
    assert ending(Receipt(), (), "1") == []
    assert [block["type"] for block in ending(Receipt(), ["a note"], "1")] == ["context"]


def test_a_button_says_which_ask_it_is_about() -> None:
    """Its action is one that the door knows, its value `ask id:word`."""
    (element,) = feedback("0192abc")["elements"]

    assert ACTIONS[element["action_id"]] == "feedback"
    assert element["positive_button"]["value"] == "0192abc:good"
    assert element["negative_button"]["value"] == "0192abc:bad"
    assert check([feedback("0192abc")]) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({}, LINE),
        ({"tools": 1}, "$0.0123 · 87% cached · 1 tool · 8 s · claude-sonnet-5-5"),
        ({"tools": 0}, "$0.0123 · 87% cached · 8 s · claude-sonnet-5-5"),
        ({"input_tokens": 0}, "$0.0123 · 2 tools · 8 s · claude-sonnet-5-5"),
        ({"cached_tokens": 0}, "$0.0123 · 0% cached · 2 tools · 8 s · claude-sonnet-5-5"),
        (
            {"thinking_tokens": 2_345},
            "$0.0123 · 87% cached · 2,345 tokens of thought · 2 tools · 8 s · claude-sonnet-5-5",
        ),
        ({"thinking_tokens": 999}, "$0.0123 · 87% cached · 2 tools · 8 s · claude-sonnet-5-5"),
        ({"seconds": 0.4}, "$0.0123 · 87% cached · 2 tools · under 1 s · claude-sonnet-5-5"),
        ({"cost": None}, "price unknown · 87% cached · 2 tools · 8 s · claude-sonnet-5-5"),
        (
            {"unconfirmed": Decimal("0.01")},
            "$0.0123 · of that $0.0100 estimated · 87% cached · 2 tools · 8 s · claude-sonnet-5-5",
        ),
    ],
)
def test_the_receipt_says_cost_cache_tools_and_seconds(
    change: dict[str, object], line: str
) -> None:
    """What an answer cost, in one line; an unknown price is never a zero."""
    assert receipt_line(replace(RECEIPT, **change)) == line  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        (Decimal(0), "$0.0000"),
        (Decimal("0.00004"), "under $0.0001"),
        (Decimal("0.0001"), "$0.0001"),
        (Decimal("0.9"), "$0.9000"),
        (Decimal("12.345"), "$12.34"),
        (None, "price unknown"),
    ],
)
def test_small_sums_are_readable(cost: Decimal | None, words: str) -> None:
    """To a hundredth of a cent below a dollar; what is less but not nothing says so."""
    assert money(cost) == words
