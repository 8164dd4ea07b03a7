"""A long text as several messages: none too long, nothing lost, code and tables whole where they can be."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from bot.slack.mrkdwn import GAP
from bot.slack.split import LIMIT, cut, follow, plain, split

TEXTS = st.one_of(
    st.text(alphabet="ab \n`|é😀\u0301", max_size=3000),
    st.lists(
        st.sampled_from(["word ", "\n\n", "\n", "```Q\n", "```\n", "| a | b |\n", "x = 1\n", "y" * 90]),
        max_size=100,
    ).map("".join),
)  # fmt: skip


def letters(text: str) -> str:
    """What is seen of a text, whatever its fences."""
    return re.sub(r"[\s`]|^```\w*$", "", text, flags=re.MULTILINE)


@given(TEXTS, st.integers(60, 400))
def test_splitting_keeps_every_visible_character(text: str, limit: int) -> None:
    """All messages together hold the text's visible characters in order, and none is too long or empty."""
    parts = split(text, limit)

    assert all(len(part.encode("utf-16-le")) // 2 <= limit for part in parts)
    assert all(part.strip() for part in parts)
    assert "".join(letters(part) for part in parts).replace("Q", "") == letters(text).replace(
        "Q", ""
    )


@given(TEXTS)
@example("```Q\n\n\n" + "y" * 180 + "```Q\n```\nword ")
@example("```Q\n" + "y" * 186 + "\n\n\n```\nword " + "z" * 30)
def test_what_follows_a_message_is_known_from_the_message(text: str) -> None:
    """From the whole text and the messages already said, the rest can be told: a restart says nothing twice."""
    first, rest = cut(text, 200)

    if first.strip() and rest.strip():
        assert follow(text, first, 200) == rest


def test_another_text_does_not_follow() -> None:
    """A message that the text does not begin with is no part of it, nor is one that merely begins likewise."""
    assert follow("Hello world", "Goodbye") is None
    assert follow("Hello world", "Hello") is None
    assert follow("Hello world", "Hello world") == ""
    assert follow("Hello\n\nworld", "Hello") == "world"


def test_a_fence_is_closed_and_opened_again() -> None:
    """Code that goes on in the next message is code there too, in its language."""
    text = "```py\n" + "\n".join(f"line_{n} = {n}" for n in range(100)) + "\n```\nafter"

    parts = split(text, 400)
    assert len(parts) > 2
    assert all(part.startswith("```py\n") for part in parts[:-1])
    assert all(part.count("```") == 2 for part in parts)
    assert "line_99 = 99" in parts[-1]
    assert follow(text, parts[0]) == cut(text, 400)[1]


def test_it_is_cut_at_a_paragraph() -> None:
    """Where a paragraph ends late enough, the message ends there."""
    assert cut("a" * 300 + "\n\n" + "b" * 300, 500) == ("a" * 300, "b" * 300)


def test_a_table_that_fits_is_kept_whole() -> None:
    """A table goes on whole into the next message, if it fits there."""
    table = "| a | b |\n| - | - |\n" + "| 1 | 2 |\n" * 28

    first, rest = cut("Some words.\n\n" + table, 310)
    assert (first, rest) == ("Some words.", table)


def test_letters_keep_their_marks() -> None:
    """A hard cut parts no letter from its accents, and no emoji from itself."""
    text = "e\u0301" * 200 + "👩\u200d💻" * 100

    for limit in range(60, 90):
        assert not any(part[0] in "\u0301\u200d" for part in split(text, limit))


def test_long_answers_keep_their_end() -> None:
    """A hundred thousand characters are split into messages that Slack takes."""
    parts = split("word " * 20_000 + "END")

    assert all(len(part) <= LIMIT for part in parts)
    assert parts[-1].endswith("END")


def test_a_notification_is_plain_and_short() -> None:
    """The fallback text has no marks, no pings, and at most 3,000 characters however they are written."""
    text = plain("# Title\n**bold** `code` snake_case <!channel> " + "x" * 5000)

    assert text.startswith(f"Title\nbold code snake_case &lt;{GAP}!channel&gt;")
    assert len(text) == 3000
    assert len(plain("<" * 5000)) <= 3000
    assert plain("a < b") == "a &lt; b"
