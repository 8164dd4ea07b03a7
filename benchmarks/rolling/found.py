"""What is wrong with what people pressed: each proposal is written once, and nothing that was pressed still waits. Pure."""

from collections.abc import Iterable, Sequence

from benchmarks.crash.found import Wrong
from benchmarks.crash.people import NUMBER, Asked
from benchmarks.rolling.people import undecided
from bot.demo.slack import Message
from bot.demo.terminal import words_of

SHOWN = 100  # characters of a message that is told of


def in_jira(asked: Iterable[Asked], comments: Sequence[str]) -> list[Wrong]:
    """Proposals that were not written exactly once.

    Args:
        asked: what was asked.
        comments: all that the bot wrote, each with its ask's number in it.
    """
    written = [int(named[1]) for text in comments if (named := NUMBER.search(text))]
    return [
        Wrong(one.n, f"written to Jira {written.count(one.n)} times")
        for one in asked
        if one.kind == "write" and written.count(one.n) != 1
    ]


def waiting(pressed: Iterable[Message]) -> list[Wrong]:
    """Messages that were pressed and still ask for it."""
    return [
        Wrong(0, f"pressed, and still to be decided: {words_of(message)[:SHOWN]!r}")
        for message in pressed
        if undecided(message)
    ]
