"""Where the cache marks stand in the messages of a request. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

Ttl = Literal["5m", "1h"]
Read = Literal["", "own", "tail", "answer"]
"""Up to where what the ask before left is in cache: nowhere, its own message, its last tool results, its answer."""


@dataclass(frozen=True, slots=True)
class Marks:
    """How far a request is read from Claude's cache, and kept in it.

    Attributes:
        read: up to where the ask before left something.
        ask: for how long it is kept up to the ask's own message; None if it is not.
        held: the message up to which an earlier request of this ask is in cache; None where none is.
        end: whether it is kept up to its own end.
    """

    read: Read = ""
    ask: Ttl | None = "5m"
    held: int | None = None
    end: bool = True


def marked(
    messages: Sequence[Mapping[str, Any]], marks: Marks, *, before: int, asked: int
) -> list[dict[str, Any]]:
    """Put at most three marks: what an earlier request wrote is read at a mark of its own.

    Claude looks 20 blocks back from a mark, and an ask with many tool calls has more of them.

    Args:
        messages: of a request.
        marks: how far it is read and kept.
        before: which of them is the own message of the ask before; `asked` where there is none.
        asked: which is this ask's.
    """
    ends = _ends(len(messages) - 1, marks, before, asked)
    return [
        _marked(message, ends[n]) if n in ends else dict(message)
        for n, message in enumerate(messages)
    ]


def held(messages: Sequence[Mapping[str, Any]], *, at: Sequence[int]) -> list[dict[str, Any]]:
    """Mark messages for an hour where an answer ends them, and where they are in cache already."""
    ends = {*at, len(messages) - 1}
    return [
        _marked(message, "1h") if n in ends else dict(message) for n, message in enumerate(messages)
    ]


def _ends(last: int, marks: Marks, before: int, asked: int) -> dict[int, Ttl]:
    ends: dict[int, Ttl] = {}
    if marks.read and before < asked and (asked == last or not marks.ask):
        place = {"own": before, "tail": asked - 2, "answer": asked - 1}[marks.read]
        ends[place] = marks.ask or "5m"
    if marks.ask:
        ends[asked] = marks.ask
    if marks.held is not None and len(ends) < 3:
        ends[marks.held] = "5m"
    if asked < last and marks.end:
        ends[last] = "5m"
    return ends


def _marked(message: Mapping[str, Any], ttl: Ttl) -> dict[str, Any]:
    *before, last = cast("list[Mapping[str, Any]]", message["content"])
    mark = {"type": "ephemeral", "ttl": ttl}
    return {**message, "content": [*before, {**last, "cache_control": mark}]}
