"""Where the cache marks stand in the messages of a request. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

Ttl = Literal["5m", "1h"]


@dataclass(frozen=True, slots=True)
class Marks:
    """How far a request is kept in Claude's cache.

    Attributes:
        ask: for how long, up to the ask's own message: the next ask in the thread reads it there.
        end: whether up to the request's end too, for the next round of tools.
    """

    ask: Ttl = "5m"
    end: bool = True


def marked(
    messages: Sequence[Mapping[str, Any]], marks: Marks, *, before: int, asked: int
) -> list[dict[str, Any]]:
    """Put at most three marks: what an earlier request wrote is read at a mark of its own.

    Claude looks 20 blocks back from a mark, and an ask with many tool calls has more of them.

    Args:
        messages: of a request.
        marks: how far it is kept.
        before: which of them is the own message of the ask before; `asked` where there is none.
        asked: which is this ask's.
    """
    ends = _ends(messages, marks, before, asked)
    return [
        _marked(message, ends[n]) if n in ends else dict(message)
        for n, message in enumerate(messages)
    ]


def held(messages: Sequence[Mapping[str, Any]], *, asked: int) -> list[dict[str, Any]]:
    """Mark messages for an hour where an answer ends them, and where its ask's own message is, which is in cache."""
    ends = {asked, len(messages) - 1}
    return [
        _marked(message, "1h") if n in ends else dict(message) for n, message in enumerate(messages)
    ]


def _ends(
    messages: Sequence[Mapping[str, Any]], marks: Marks, before: int, asked: int
) -> dict[int, Ttl]:
    last = len(messages) - 1
    if asked == last:
        return {before: marks.ask, asked: marks.ask}
    written = [n for n in range(asked, last) if messages[n]["role"] == "user"]
    ends: dict[int, Ttl] = {last: "5m"} if marks.end else {}
    return {**ends, written[-1]: "5m", asked: marks.ask}


def _marked(message: Mapping[str, Any], ttl: Ttl) -> dict[str, Any]:
    *before, last = cast("list[Mapping[str, Any]]", message["content"])
    mark = {"type": "ephemeral", "ttl": ttl}
    return {**message, "content": [*before, {**last, "cache_control": mark}]}
