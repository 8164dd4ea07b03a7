"""Where the cache marks stand in the messages of a request. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

Ttl = Literal["5m", "1h"]


@dataclass(frozen=True, slots=True)
class Marks:
    """How far a request is read from Claude's cache, and kept in it.

    Attributes:
        read: the message up to which something was left in cache by an earlier ask, and for how long; None if nothing.
        ask: for how long it is kept up to the ask's own message; None if it is not.
        held: the message up to which an earlier request of this ask is in cache; None where none is.
        end: whether it is kept up to its own end.
    """

    read: tuple[int, Ttl] | None = None
    ask: Ttl | None = "5m"
    held: int | None = None
    end: bool = True


def marked(
    messages: Sequence[Mapping[str, Any]], marks: Marks, *, asked: int
) -> list[dict[str, Any]]:
    """Put at most three marks: what an earlier request wrote is read at a mark of its own.

    Claude looks 20 blocks back from a mark, and an ask with many tool calls has more of them.

    Args:
        messages: of a request.
        marks: how far it is read and kept.
        asked: which of them is this ask's own.
    """
    ends = _ends(len(messages) - 1, marks, asked)
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


def _ends(last: int, marks: Marks, asked: int) -> dict[int, Ttl]:
    ends: dict[int, Ttl] = {}
    if marks.read and (asked == last or not marks.ask):
        place, ttl = marks.read
        ends[place] = (
            "1h" if marks.ask == "1h" else ttl
        )  # what lives longer stands before what lives shorter
    if marks.ask:
        ends[asked] = marks.ask
    if marks.held is not None and len(ends) < 3:
        ends[marks.held] = "5m"
    if asked < last and marks.end:
        ends[last] = "5m"
    return ends


def _marked(message: Mapping[str, Any], ttl: Ttl) -> dict[str, Any]:
    content = cast("list[Mapping[str, Any]]", message["content"])
    place = 0 if message["role"] == "assistant" else len(content) - 1
    mark = {"type": "ephemeral", "ttl": ttl}
    there = {**content[place], "cache_control": mark}
    return {**message, "content": [*content[:place], there, *content[place + 1 :]]}
