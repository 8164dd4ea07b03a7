"""The body of a request, the key it is found by after a restart, and about how much it will cost."""

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from bot.ask import Ask
from bot.caching import DIGITS, Sections, prefixes, short
from bot.conversation import Conversation
from bot.prompts import Prompts, effort_of
from bot.reach import Reach
from bot.remembered import Message
from bot.turn.brief import Brief
from bot.usage import Usage

BYTES_PER_TOKEN = 2.0  # below what text and code have, so that an estimate is rather too high
LIKELY_BYTES_PER_TOKEN = 3.5  # what text and code mostly have; a bound takes fewer
LIKELY_PART = BYTES_PER_TOKEN / LIKELY_BYTES_PER_TOKEN  # of the bound, what there is mostly
ROUND_TOKENS = 500  # an estimate is a multiple of them: few numbers, whose prices are known already
PICTURE_TOKENS = 5_000  # above what the largest picture has
PAGE_TOKENS = 4_600  # of a page of a PDF at most: 3,000 of text, and its picture
DOCUMENT_TOKENS_PER_BYTE = (
    0.05  # of a PDF's base64 whose pages are not known; counted exactly before it is sent
)
LIKELY_OUTPUT_TOKENS = 4_000  # of an answer nobody saw the end of, at least
TOKENS_PER_SECOND = 100.0  # of a model at work, thoughts that are never shown included
_PAGES = re.compile(r" \((\d+) pages\)$")
_SHAPING = ("model", "max_tokens", "tool_choice", "thinking", "output_config")
_SETTINGS = ("thinking", "output_config", "tool_choice")
_NO_MESSAGES = b'"messages":[]'  # the first list in a shell
_HEAD = ("system", "tools")  # and the messages; what else stands in a body changes no answer
HEADS_AT_MOST = 512  # kept as they are written; a channel with a paragraph of its own has one


@dataclass(frozen=True, slots=True)
class Order:
    """One request to be made.

    Attributes:
        purpose: answer, rephrase, fallback or compact, as it stands in the books.
        body: of POST /v1/messages.
        key: the same for the same body; cache marks and ids are not part of it.
        input_tokens: at most, about, in round numbers.
        fresh_tokens: those of them that cannot have been read from cache, about.
        shared_tokens: those of them that stand before the messages, about.
        aloud: whether its text is for the person.
        counted: whether it has attachments that must be counted before they cost.
        tier: at whose price it is served: "standard", or "batch" at half of it.
        sections: by which a cache that was missed is explained later.
    """

    purpose: str
    body: Mapping[str, Any]
    key: str
    input_tokens: int
    fresh_tokens: int
    aloud: bool = True
    counted: bool = False
    tier: str = "standard"
    shared_tokens: int = 0
    sections: str = ""

    @property
    def model(self) -> str:
        """Who is asked."""
        return str(self.body["model"])

    @property
    def likely(self) -> Usage:
        """What it costs if it is answered and nobody hears of it."""
        return Usage(
            cache_write_5m_tokens=self.input_tokens,
            output_tokens=LIKELY_OUTPUT_TOKENS,
            service_tier=self.tier,
        )


def order(
    purpose: str,
    shape: Mapping[str, Any],
    messages: Sequence[Message],
    *,
    marked: Sequence[Message] | None = None,
    aloud: bool = True,
    ends: Sequence[int] = (0, 0, 1),
) -> Order:
    """Make an order of a body's shape and its messages.

    Args:
        purpose: for the books.
        shape: everything of the body but the messages.
        messages: without cache marks.
        marked: the same with cache marks, if there are any.
        aloud: whether its text is for the person.
        ends: see `Conversation.ends`.
    """
    heads = [_written(cast("Sequence[Mapping[str, Any]]", shape.get(name, ()))) for name in _HEAD]
    rest = {**{name: shape[name] for name in _SHAPING if name in shape}, "messages": []}
    shell = _dumped([rest, [head.digest for head in heads]]).encode()
    parts = [_dumped(message).encode() for message in messages]
    text = shell.replace(_NO_MESSAGES, b'"messages":[%b]' % b",".join(parts), 1)
    shared = sum(head.size for head in heads)
    size = len(text) + shared
    return Order(
        purpose=purpose,
        body={**shape, "messages": messages if marked is None else marked},
        key=hashlib.sha256(text).hexdigest()[:32],
        input_tokens=math.ceil(_tokens(messages, size) / ROUND_TOKENS) * ROUND_TOKENS,
        fresh_tokens=_tokens(messages[-1:], len(json.dumps(messages[-1]))),
        aloud=aloud,
        counted=any(True for _ in attachments(messages)),
        shared_tokens=round(shared / BYTES_PER_TOKEN),
        sections=str(_sections(shape, heads, prefixes(parts, (*ends, len(parts))))),
    )


def head_of(body: Mapping[str, Any]) -> str:
    """What tells the shared beginnings of requests apart within one process; "" of one that shares nothing."""
    if "tools" not in body:
        return ""
    return _dumped([body["model"], body.get("thinking"), body.get("output_config")])


def frame(
    *, prompts: Prompts, tools: Sequence[Mapping[str, Any]], model: str, effort: str
) -> dict[str, Any]:
    """Give what all requests to a model share, byte for byte: their cached beginning."""
    body: dict[str, Any] = {"model": model, "system": prompts.system(), **effort_of(model, effort)}
    return {**body, "tools": list(tools)} if tools else body


def shape(
    brief: Brief,
    *,
    ask: Ask,
    prompts: Prompts,
    tools: Sequence[Mapping[str, Any]],
    model: str,
    salt: bytes,
    tools_allowed: bool,
    previous_message_id: str | None,
) -> dict[str, Any]:
    """Give everything of a body but the messages: system and tools are the same bytes for all."""
    body: dict[str, Any] = {
        **frame(prompts=prompts, tools=tools, model=model, effort=brief.effort),
        "system": prompts.system(brief.rules.instructions),
        "max_tokens": brief.max_tokens,
        "metadata": {"user_id": opaque(ask, salt)},
        "diagnostics": {"previous_message_id": previous_message_id},
    }
    if tools and not tools_allowed:
        body["tool_choice"] = {"type": "none"}
    return body


def opaque(ask: Ask, salt: bytes) -> str:
    """Name a person to Claude's API without saying who it is."""
    return hashlib.sha256(salt + f"{ask.team}:{ask.user}".encode()).hexdigest()[:32]


def reworded_as(conversation: Conversation, words: str) -> str | None:
    """Give an editor's words if they can stand for the person's: not empty, not blown up, no address of its own."""
    words = words.strip()
    room = 2 * len(conversation.question) + 200
    theirs, new = Reach.words(conversation.question), Reach.words(words)
    added = new.typed.keys() - theirs.typed.keys() or new.seen.keys() - theirs.seen.keys()
    return words if words and len(words) <= room and not added else None


def bound_of(messages: Sequence[Message]) -> int:
    """How many tokens messages have at most, about."""
    return _tokens(messages, len(json.dumps(messages, ensure_ascii=False).encode()))


@dataclass(frozen=True, slots=True)
class _Head:
    """Blocks that stand at the beginning of many requests: their size in bytes, and what they are told apart by."""

    blocks: Sequence[Mapping[str, Any]]
    size: int
    digest: str


_HEADS: dict[tuple[int, ...], _Head] = {}


def _written(blocks: Sequence[Mapping[str, Any]]) -> _Head:
    """The head of blocks that are the same objects each time, worked out once; it keeps them, so that their ids stay."""
    ids = tuple(map(id, blocks))
    head = _HEADS.get(ids)
    if head is None:
        if len(_HEADS) >= HEADS_AT_MOST:
            _HEADS.clear()
        text = _dumped(list(blocks)).encode()
        head = _HEADS[ids] = _Head(tuple(blocks), len(text), hashlib.sha256(text).hexdigest())
    return head


def _sections(
    shape: Mapping[str, Any], heads: Sequence[_Head], messages: Sequence[str]
) -> Sections:
    system, tools = heads
    settings = repr([shape.get(name) for name in _SETTINGS])
    return Sections(
        tools.digest[:DIGITS],
        _written(system.blocks[:1]).digest[:DIGITS],
        _written(system.blocks[1:]).digest[:DIGITS],
        short(settings.encode()),
        *messages,
    )


_dumped = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def _tokens(messages: Sequence[Message], size: int) -> int:
    """Estimate from above, since the budget's promise rests on it."""
    count = size / BYTES_PER_TOKEN
    for block in attachments(messages):
        data = len(str(cast("Mapping[str, Any]", block.get("source", {})).get("data", "")))
        count -= data / BYTES_PER_TOKEN
        is_picture = block["type"] == "image"
        count += PICTURE_TOKENS if is_picture else _document(block, data)
    return round(count)


def _document(block: Mapping[str, Any], data: int) -> float:
    """A PDF has few tokens for its bytes where it is scanned, and many where it is text; its pages bound both."""
    pages = _PAGES.search(str(block.get("title", "")))
    return int(pages[1]) * PAGE_TOKENS if pages else data * DOCUMENT_TOKENS_PER_BYTE


def attachments(messages: Sequence[Message]) -> Sequence[Mapping[str, Any]]:
    """The pictures and documents in messages, and in the results of tools."""
    blocks = [
        block
        for message in messages
        for block in cast("Sequence[Mapping[str, Any]]", message["content"])
    ]
    given = [block.get("content") for block in blocks if block["type"] == "tool_result"]
    blocks += [part for parts in given if isinstance(parts, list) for part in parts]
    return [block for block in blocks if block["type"] in ("image", "document")]
