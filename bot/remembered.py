"""An ask's messages as later asks of its thread read them: lighter than they were, or as they were sent. Pure.

as sent       every byte but the answer's thoughts: for as long as Claude's cache holds it, reading it costs least
remembered    without thoughts and without bulk: when it has to be written anew, there is less of it
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from bot.labels import ATTACHMENT_CHARS, cut, text

Message = Mapping[str, Any]

RESULT_CHARS = (
    2_000  # of one tool result, as remembered after the answer; whoever needs more reads it again
)
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
    lighter = [_remembered(message) for message in messages]
    return [message for message in lighter if message["content"]]


def _remembered(message: Message) -> dict[str, Any]:
    """A message as later asks see it: without thinking, and without bulk."""
    blocks = cast("list[Mapping[str, Any]]", message["content"])
    return {
        "role": message["role"],
        "content": [
            _lighter(block)
            for block in blocks
            if block["type"] not in _THOUGHTS and block.get("text", "x").strip()
        ],
    }


def _lighter(block: Mapping[str, Any]) -> Mapping[str, Any]:
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
                "\n".join(cut(part, RESULT_CHARS) for part in texts)
                or "[what the tool gave is not kept]"
            )
            return {**block, "content": content}
        return {**block, "content": cut(str(content), RESULT_CHARS)}
    return block
