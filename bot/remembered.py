"""An ask's messages as later asks of its thread read them: lighter than they were, or as they were sent. Pure.

as sent       every byte but the answer's thoughts: for as long as Claude's cache holds it, reading it costs least
remembered    without thoughts and without bulk: when it has to be written anew, there is less of it
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from bot.labels import ATTACHMENT_CHARS, cut, text

Message = Mapping[str, Any]

RESULT_CHARS = (
    2_000  # of one tool result, as remembered after the answer; whoever needs more reads it again
)
RESULTS_CHARS = 4_000  # of all results of one ask, where they are many
LEAST_CHARS = 500  # of one of them however many they are
OPENING_CHARS = 40  # at least, of an answer's first words
_SPACE = re.compile(r"\s")
_THOUGHTS = ("thinking", "redacted_thinking")


@dataclass(frozen=True, slots=True)
class Kept:
    """An earlier ask of a thread with all that followed; `n` counts them from 1.

    Attributes:
        messages: as they are remembered.
        sent: as they were sent, the answer as it is remembered; empty where that is the same, or not known any more.
    """

    n: int
    messages: tuple[Message, ...]
    sent: tuple[Message, ...] = ()

    def read(self, *, whole: bool) -> tuple[Message, ...]:
        """As they were sent, if they are known so, or as they are remembered."""
        return self.sent if whole and self.sent else self.messages


def as_sent(messages: Sequence[Message]) -> list[Message]:
    """The messages of an ask as its requests had them, and the answer behind them as it is remembered."""
    return [*messages[:-1], *remembered(messages[-1:])]


def remembered(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The messages of an ask as later asks of its thread see them; those that are empty then are left out."""
    most = _most(messages)
    lighter = [_remembered(message, most) for message in messages]
    return [message for message in lighter if message["content"]]


def opened(messages: Sequence[Message]) -> list[Message]:
    """The messages of an ask, of the answer that ends them the first words only: what can be kept in cache for little."""
    return [*messages[:-1], *({**one, "content": one["content"][:1]} for one in messages[-1:])]


def _blocks(message: Message) -> Sequence[Mapping[str, Any]]:
    return cast("Sequence[Mapping[str, Any]]", message["content"])


def _most(messages: Sequence[Message]) -> int:
    """Characters of one tool result: many results have fewer each."""
    count = sum(block["type"] == "tool_result" for one in messages for block in _blocks(one))
    return max(LEAST_CHARS, min(RESULT_CHARS, RESULTS_CHARS // max(1, count)))


def _remembered(message: Message, most: int) -> dict[str, Any]:
    """A message as later asks see it: without thinking, and without bulk."""
    content = [
        _lighter(block, most)
        for block in _blocks(message)
        if block["type"] not in _THOUGHTS and block.get("text", "x").strip()
    ]
    if message["role"] == "assistant" and all(block["type"] == "text" for block in content):
        content = _begun(content)
    return {"role": message["role"], "content": content}


def _begun(content: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """An answer, its first words a block of their own: the next ask keeps what is before them in cache for an hour."""
    if not content:
        return []
    words = str(content[0]["text"])
    space = _SPACE.search(words, OPENING_CHARS)
    if space is None or not words[space.start() :].strip():
        return [*content]
    return [text(words[: space.start()]), text(words[space.start() :]), *content[1:]]


def _lighter(block: Mapping[str, Any], most: int) -> Mapping[str, Any]:
    if block["type"] in ("image", "document"):
        data = str(block["source"].get("data", ""))
        if len(data) > ATTACHMENT_CHARS:
            return text("[a large file stood here; it is not kept in the thread's memory]")
    if block["type"] == "tool_result":
        content = block.get("content", "")
        if isinstance(content, list):
            parts = cast("list[Mapping[str, Any]]", content)
            texts = [str(part["text"]) for part in parts if part.get("type") == "text"]
            content = (
                "\n".join(cut(part, most) for part in texts) or "[what the tool gave is not kept]"
            )
            return {**block, "content": content}
        return {**block, "content": cut(str(content), most)}
    return block
