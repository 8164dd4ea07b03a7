"""A request as the cache and the counters see it: a row of blocks, each with its prefix's digest.

The order is tools, system, messages. `key` is the digest of everything up to and with a
block, by which cache entries are found; it takes in what else invalidates a prefix (the
model and `output_config.format`, `speed` from the system on; `tool_choice`, thinking, effort and whether images are
there from the messages on). `plain` is the same without settings and without thinking
blocks: what a thinking block's signature is bound to.

Tokens are an estimate: UTF-8 bytes of the block divided by the model's bytes per token
(3.5; 4.5 for the older tokenizer), rounded up, plus 3 for each block; an image costs one
token per 28x28 pixels, a PDF 2,000 for each page.
"""

import base64
import binascii
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Literal

from bot.demo.claude.models import Model
from bot.demo.claude.signature import readable

Section = Literal["tools", "system", "messages"]
BLOCK_TOKENS = 3  # each block's own frame
IMAGE_TOKENS = 1_600  # where the size cannot be read
PAGE_TOKENS = 2_000  # of a PDF
PIXELS = 28  # a side of the square that costs one token
DIGEST_BYTES = 16
THINKING = ("thinking", "redacted_thinking")


@dataclass(frozen=True, slots=True)
class Piece:
    """One block in its place.

    Attributes:
        key: digest of the prefix that ends with this block.
        tokens: of the whole prefix.
        ttl: "5m" or "1h" where a cache mark stands.
    """

    section: Section
    key: bytes
    tokens: int
    ttl: str | None


@dataclass(slots=True)
class Prompt:
    """All pieces of one request."""

    model: Model
    pieces: list[Piece] = field(default_factory=list[Piece])
    tokens: int = 0
    plain: bytes = b""

    def section_key(self, section: Section) -> bytes:
        """Give the digest of the prefix that ends with this section (or with one before it)."""
        order = ("tools", "system", "messages")
        last = order.index(section)
        found = [p.key for p in self.pieces if order.index(p.section) <= last]
        return found[-1] if found else b""


def digest(*parts: bytes) -> bytes:
    """Give a short digest of the parts in their order."""
    return blake2b(b"\0".join(parts), digest_size=DIGEST_BYTES).digest()


def essence(block: Mapping[str, Any]) -> bytes:
    """Give a block's bytes without its cache mark; the order of keys within it counts.

    The order of a block's own fields does not count, since clients write them as they like.
    """
    if block.get("type") == "text":
        return b"text " + str(block.get("text", "")).encode()
    kept = {k: block[k] for k in sorted(block) if k != "cache_control" and block[k] is not None}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode()


def tokens_of(block: Mapping[str, Any], raw: bytes, model: Model) -> int:
    """Estimate the input tokens of one block."""
    media, size = _media(block)
    return math.ceil(max(0, len(raw) - size) / model.bytes_per_token) + BLOCK_TOKENS + media


def text_tokens(text: str, model: Model) -> int:
    """Estimate the tokens of generated text; none for no text."""
    return math.ceil(len(text.encode()) / model.bytes_per_token)


def read_prompt(body: Mapping[str, Any], model: Model) -> Prompt:
    """Lay a checked request out as a row of pieces."""
    row = _Row(Prompt(model), digest(model.id.encode()), digest(b""))
    row.explain(_format(body))
    for tool in body.get("tools") or ():
        row.add("tools", tool)
    if body.get("speed") == "fast":
        row.mix(b"fast")
    for block in blocks_of(body.get("system")):
        row.add("system", block)
    row.mix(_settings(body, model))
    for message in body["messages"]:
        for block in blocks_of(message.get("content")):
            if block.get("type") not in THINKING:
                row.add("messages", block, message["role"])
            elif readable(block, model.id):
                row.add_thinking(block)
    row.mark_last(body.get("cache_control"))
    row.prompt.plain = row.plain
    return row.prompt


def blocks_of(content: Any) -> Iterable[Mapping[str, Any]]:
    """Give content as blocks; a string is one text block."""
    if isinstance(content, str):
        return ({"type": "text", "text": content},)
    return content or ()


def plain_after(plain: bytes, role: str, block: Mapping[str, Any]) -> bytes:
    """Continue a plain digest by one block; thinking blocks leave it as it is."""
    if block.get("type") in THINKING:
        return plain
    return digest(plain, role.encode(), essence(block))


@dataclass(slots=True)
class _Row:
    """The row while it grows."""

    prompt: Prompt
    key: bytes
    plain: bytes

    def add(self, section: Section, block: Mapping[str, Any], role: str = "") -> None:
        raw = essence(block)
        own = digest(role.encode(), raw)
        self.plain = digest(self.plain, role.encode(), raw) if role else digest(self.plain, own)
        self._append(section, block, raw, own)

    def add_thinking(self, block: Mapping[str, Any]) -> None:
        raw = essence(block)
        self._append("messages", block, raw, digest(b"assistant", raw))

    def _append(self, section: Section, block: Mapping[str, Any], raw: bytes, own: bytes) -> None:
        self.key = digest(self.key, own)
        self.prompt.tokens += tokens_of(block, raw, self.prompt.model)
        mark = block.get("cache_control")
        ttl = (mark.get("ttl") or "5m") if mark else None
        self.prompt.pieces.append(Piece(section, self.key, self.prompt.tokens, ttl))

    def explain(self, form: bytes) -> None:
        """An output format is explained to the model before all else: it costs tokens, and another one shares nothing."""
        if form:
            self.mix(form)
            self.prompt.tokens += math.ceil(len(form) / self.prompt.model.bytes_per_token)

    def mix(self, settings: bytes) -> None:
        self.key = digest(self.key, settings)

    def mark_last(self, mark: Mapping[str, Any] | None) -> None:
        """Top-level `cache_control` marks the last block."""
        pieces = self.prompt.pieces
        if mark and pieces and pieces[-1].ttl is None:
            last = pieces[-1]
            pieces[-1] = Piece(last.section, last.key, last.tokens, mark.get("ttl") or "5m")


def _format(body: Mapping[str, Any]) -> bytes:
    form = (body.get("output_config") or {}).get("format")
    return json.dumps(form, sort_keys=True).encode() if form else b""


def _settings(body: Mapping[str, Any], model: Model) -> bytes:
    thinking = body.get("thinking") or {}
    effort = (body.get("output_config") or {}).get("effort") or model.default_effort
    images = any(
        block.get("type") == "image"
        for message in body["messages"]
        if not isinstance(message.get("content"), str)
        for block in message["content"]
    )
    kept = [thinking.get("type"), thinking.get("budget_tokens"), effort, images]
    return json.dumps([*kept, body.get("tool_choice")], sort_keys=True).encode()


def _media(block: Mapping[str, Any]) -> tuple[int, int]:
    """Give (tokens, bytes not to be counted as text) of an image or a PDF."""
    source = block.get("source") or {}
    data = source.get("data")
    if source.get("type") != "base64" or not isinstance(data, str):
        return (IMAGE_TOKENS, 0) if block.get("type") == "image" else (0, 0)
    if block.get("type") == "image":
        return _image_tokens(data), len(data)
    try:
        pages = base64.b64decode(data).count(b"/Type /Page") or 1
    except binascii.Error:
        pages = 1
    return pages * PAGE_TOKENS, len(data)


def _image_tokens(data: str) -> int:
    """A PNG tells its size in its first bytes; other kinds are taken as usual ones."""
    try:
        head = base64.b64decode(data[:32])
    except binascii.Error:
        return IMAGE_TOKENS
    if not head.startswith(b"\x89PNG"):
        return IMAGE_TOKENS
    width, height = int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
    return math.ceil(width / PIXELS) * math.ceil(height / PIXELS)
