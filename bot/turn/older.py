"""Which of a thread's oldest asks are read no more, and how they are told to who sums them up. Pure.

| older | kept ... kept | new |      what is kept is as it was sent; what is older becomes one short message
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from bot.caching import Rates
from bot.conversation import Conversation
from bot.labels import cut, text, unbounded
from bot.prices import PICOS, cliff, estimate, window
from bot.prompts import untagged
from bot.remembered import Kept, Message
from bot.turn.request import LIKELY_PART, attachments, bound_of
from bot.usage import Usage

# A follow-up after five minutes writes the whole thread to Claude's cache anew: so many tokens are a quarter dollar at
# Sonnet's price, half of what nobody is asked about; and they leave the smallest window half empty.
THREAD_TOKENS = 100_000
# Nothing of a thread that is lost to the cache has to be kept for its sake, and what is summed up is not written anew:
# that pays where it saves so much in this very ask, its own price off. Less is not worth the wait and what is lost.
LEAST_SAVED_PICOS = PICOS // 10  # ten cents
SUMMARY_TOKENS = 2_000  # of what is written in the place of what goes
ROOM_TOKENS = 20_000  # left below a window or a price cliff for what tools bring and Claude writes
KEPT_PART = 0.4  # of what a thread may have, after it was shortened: it can grow for a while before that is done again
# A request has at most 32 MB, and the files of one ask may be 20 MB, which are 27 MB of base64.
ATTACHMENT_CHARS = 4_000_000
PICTURES = 10  # with those of one ask, 20: from there on Claude takes smaller ones only
PART_BYTES = 190_000  # of what is summed up at once: below Haiku's price cliff of 100,000 tokens by any measure
BLOCK_CHARS = 6_000  # of one message or file in it
RESULT_CHARS = 2_000  # of one tool result in it


@dataclass(frozen=True, slots=True)
class Load:
    """What messages weigh: tokens, characters of base64, pictures."""

    tokens: float = 0.0
    chars: int = 0
    pictures: int = 0

    def __add__(self, other: "Load") -> "Load":
        """Both together."""
        return Load(
            self.tokens + other.tokens, self.chars + other.chars, self.pictures + other.pictures
        )

    def within(self, most: "Load") -> bool:
        """Whether none of it is more than that."""
        return (
            self.tokens <= most.tokens
            and self.chars <= most.chars
            and self.pictures <= most.pictures
        )

    def times(self, part: float) -> "Load":
        """A part of it."""
        return Load(self.tokens * part, int(self.chars * part), int(self.pictures * part))


def load(messages: Sequence[Message], *, part: float = LIKELY_PART) -> Load:
    """What messages weigh.

    Args:
        messages: of a request.
        part: of the tokens that they have at most, by their bytes, those that they have.
    """
    found = attachments(messages)
    chars = sum(len(str(block["source"].get("data", ""))) for block in found)
    pictures = sum(block["type"] == "image" for block in found)
    return Load(bound_of(messages) * part, chars, pictures)


def pays_from(model: str, quick: str, at: float) -> float:
    """From how many tokens on it pays to sum up the oldest part of a thread that is lost to the cache; inf where never.

    Args:
        model: who reads the thread.
        quick: who sums up.
        at: epoch seconds: prices are dated.
    """
    sample = Usage(input_tokens=SUMMARY_TOKENS)
    reading = estimate(sample, model=model, at=at)
    summing = estimate(sample, model=quick, at=at)
    saying = estimate(Usage(output_tokens=SUMMARY_TOKENS), model=quick, at=at)
    if reading is None or summing is None or saying is None:
        return math.inf
    written = Rates.of(model, at).write_5m * reading.picos  # a summary's length of the thread, anew
    spared = (
        (1 - KEPT_PART) * (written - summing.picos) / SUMMARY_TOKENS
    )  # by each token of the thread
    return (LEAST_SAVED_PICOS + written + saying.picos) / spared if spared > 0 else math.inf


def most(model: str, rest: float, at: float, *, pays: float = math.inf) -> Load:
    """What a thread may weigh before it is shortened.

    Args:
        model: who reads it.
        rest: tokens of the request beside it.
        at: epoch seconds: prices are dated.
        pays: tokens from which on it pays; inf while the cache holds it.
    """
    tokens = min(float(THREAD_TOKENS), pays, max(0.0, window(model, at) - rest - ROOM_TOKENS))
    edge = cliff(model, at)
    if edge is not None and edge - rest - ROOM_TOKENS > 0:  # else no thread is short enough
        tokens = min(tokens, edge - rest - ROOM_TOKENS)
    return Load(tokens, ATTACHMENT_CHARS, PICTURES)


def fits(model: str, tokens: int, at: float, *, pays: float = math.inf) -> bool:
    """Whether a request of so many tokens, without pictures, is short enough whatever of it is the thread."""
    return tokens + ROOM_TOKENS <= min(
        THREAD_TOKENS + 0.0, pays, window(model, at), cliff(model, at) or THREAD_TOKENS
    )


def split(conversation: Conversation, limit: Load, *, part: float) -> int:
    """How many of the oldest asks are to go, so that the others weigh a part of the limit at most."""
    left, count = limit.times(KEPT_PART), len(conversation.kept)
    total = Load()
    for one in reversed(conversation.kept):
        total += load(one.messages, part=part)
        if not total.within(left):
            return count
        count -= 1
    return count


def told(before: Message | None, going: Sequence[Kept]) -> str:
    """The asks that go, for who sums them up, oldest first; what is too long for that loses its beginning.

    Args:
        before: what stood in the place of still older ones.
        going: the asks.
    """
    lines = [line for one in going for line in _lines(one.messages)]
    first = list(_lines([before])) if before else []
    room = PART_BYTES - sum(len(line.encode()) for line in first)
    fitting: list[str] = []
    for line in reversed(lines):
        room -= len(line.encode()) + 1
        if room < 0:
            fitting.append(f"[{len(lines) - len(fitting)} messages are left out here]")
            break
        fitting.append(line)
    return "\n".join([*first, *reversed(fitting)])


def _lines(messages: Sequence[Message]) -> list[str]:
    return [
        line
        for message in messages
        for block in _joined(message)
        if (line := _line(str(message["role"]), block))
    ]


def _joined(message: Message) -> Sequence[Mapping[str, Any]]:
    """A message's blocks; an answer, whose first words are a block of their own, in one piece."""
    blocks = cast("Sequence[Mapping[str, Any]]", message["content"])
    if message["role"] == "user" or any(block["type"] != "text" for block in blocks):
        return blocks
    return [text("".join(str(block["text"]) for block in blocks))]


def _line(role: str, block: Mapping[str, Any]) -> str:
    kind = block["type"]
    if kind == "text" and role == "user":
        return _shorter(str(block["text"]))
    if kind == "text":
        return (
            f"<purser:answer>\n{cut(untagged(str(block['text'])), BLOCK_CHARS)}\n</purser:answer>"
        )
    if kind == "tool_use":
        given = cut(untagged(json.dumps(block["input"], ensure_ascii=False)), RESULT_CHARS)
        return f"[used {block['name']} {given}]"
    if kind == "tool_result":
        return f"<purser:result>\n{cut(untagged(unbounded(str(block.get('content', '')))), RESULT_CHARS)}\n</purser:result>"
    return "[a picture or PDF stood here]" if kind in ("image", "document") else ""


def _shorter(labelled: str) -> str:
    """Labelled text within its bound; the label that a cut opens is closed again."""
    if len(labelled) <= BLOCK_CHARS:
        return labelled
    close = labelled[labelled.rfind("\n</purser:") :] if "\n</purser:" in labelled else ""
    return cut(labelled[: len(labelled) - len(close)], BLOCK_CHARS) + close
