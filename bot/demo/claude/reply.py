"""From what the program wants to say to a response: thinking, limits, stops, refusals, tokens."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot.demo.claude.models import Model
from bot.demo.claude.prompt import plain_after, text_tokens
from bot.demo.claude.signature import sign

# Billed even when refused before any output; the others are not (since 2026-09-24).
BILLED_EARLY = ("bio", "frontier_llm", "reasoning_extraction")
EXPLANATION = "This request was stopped by the stand-in's filter, which looks at single words."
THOUGHT = 2.0  # raw thinking is longer than its summary by this factor


@dataclass(frozen=True, slots=True)
class Use:
    """A tool the program wants to use."""

    name: str
    input: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Draft:
    """What the program says: first it thinks, then it speaks, then it asks for tools."""

    text: str = ""
    thinking: str = ""
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A classifier said no, before any output or after some of it."""

    category: str | None
    mid: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A response's content and end."""

    blocks: tuple[dict[str, Any], ...] = ()
    stop_reason: str = "end_turn"
    stop_sequence: str | None = None
    stop_details: Mapping[str, Any] | None = None
    output_tokens: int = 0
    thinking_tokens: int = 0
    billed: bool = True

    def usage(self) -> dict[str, Any]:
        """Give the output side of `usage`."""
        return {
            "output_tokens": self.output_tokens,
            "output_tokens_details": {"thinking_tokens": self.thinking_tokens},
        }


@dataclass(slots=True)
class Composer:
    """Turns drafts into replies for one request.

    Attributes:
        plain: the digest that thinking is signed for.
        key: of signatures.
        new_id: makes an id with the given prefix.
    """

    model: Model
    body: Mapping[str, Any]
    plain: bytes
    key: bytes
    new_id: Callable[[str], str]
    _blocks: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    _left: int = 0
    _thought: int = 0

    def compose(self, draft: Draft) -> Reply:
        """Give the whole reply, cut at `max_tokens` or a stop sequence."""
        self._left = self.body["max_tokens"]
        if self._left == 0:
            return Reply(stop_reason="max_tokens")
        if draft.thinking and self._thinks():
            self._think(draft.thinking, shown=self._display() == "summarized")
        stopped = self._speak(draft)
        fitting = [self._use(use) for use in draft.uses] if stopped is None else [False]
        whole = all(fitting)
        spent = self.body["max_tokens"] - self._left
        reason = "tool_use" if draft.uses else "end_turn"
        return Reply(
            blocks=tuple(self._blocks),
            stop_reason="stop_sequence" if stopped else reason if whole else "max_tokens",
            stop_sequence=stopped or None,
            output_tokens=max(1, spent),
            thinking_tokens=self._thought,
        )

    def _kind(self) -> str:
        thinking = self.body.get("thinking") or {}
        return thinking.get("type") or ("adaptive" if self.model.thinks else "disabled")

    def _thinks(self) -> bool:
        return self._kind() in ("adaptive", "enabled")

    def _display(self) -> str:
        thinking = self.body.get("thinking") or {}
        return thinking.get("display") or ("omitted" if self.model.thinks else "summarized")

    def _think(self, thinking: str, *, shown: bool) -> None:
        tokens = math.ceil(text_tokens(thinking, self.model) * THOUGHT)
        self._thought += min(tokens, self._left)
        self._left = max(0, self._left - tokens)
        text = thinking if shown else ""
        signature = sign(self.key, self.model.id, self.plain, text)
        self._blocks.append({"type": "thinking", "thinking": text, "signature": signature})

    def _speak(self, draft: Draft) -> str | None:
        """Say the text. Gives None, or the stop sequence that ended it, or "" for max_tokens."""
        text, stopped = _until_stop(draft.text, self.body.get("stop_sequences") or ())
        quiet = self.model.quiet and (self._thinks() or self._kind() == "between_tools")
        if not text:
            return stopped
        if draft.uses and quiet:
            # Between tool calls these models' words come as thinking.
            shown = self._kind() == "between_tools" or self._display() == "summarized"
            self._think(text, shown=shown)
            return stopped
        if text_tokens(text, self.model) > self._left:
            size = int(self._left * self.model.bytes_per_token)
            text, stopped = text.encode()[:size].decode(errors="ignore"), ""
        if text:
            self._left -= text_tokens(text, self.model)
            self._append({"type": "text", "text": text, "citations": None})
        return stopped

    def _use(self, use: Use) -> bool:
        tokens = text_tokens(use.name + json.dumps(use.input), self.model)
        fits = tokens <= self._left
        self._left = max(0, self._left - tokens)
        block = {
            "type": "tool_use",
            "id": self.new_id("toolu_"),
            "name": use.name,
            "input": dict(use.input) if fits else {},
        }
        self._append(block)
        return fits

    def _append(self, block: dict[str, Any]) -> None:
        self._blocks.append(block)
        self.plain = plain_after(self.plain, "assistant", block)


def refused(reply: Reply, refusal: Refusal, after: int, model: Model) -> Reply:
    """Give the reply as a refusal: without content, or with what was said until then."""
    details = {
        "type": "refusal",
        "category": refusal.category,
        "explanation": EXPLANATION if refusal.category else None,
    }
    if not refusal.mid:
        return Reply(
            stop_reason="refusal",
            stop_details=details,
            billed=refusal.category in BILLED_EARLY,
        )
    blocks: list[dict[str, Any]] = []
    for block in reply.blocks:
        if block["type"] == "text":
            blocks.append({**block, "text": block["text"][:after]})
            break
        if block["type"] == "thinking":
            blocks.append(block)
    said = sum(text_tokens(b.get("text", ""), model) for b in blocks)
    return replace(
        reply,
        blocks=tuple(blocks),
        stop_reason="refusal",
        stop_sequence=None,
        stop_details=details,
        output_tokens=max(1, said + reply.thinking_tokens),
    )


def _until_stop(text: str, stops: Any) -> tuple[str, str | None]:
    found = [(text.find(stop), stop) for stop in stops if stop in text]
    if not found:
        return text, None
    place, stop = min(found)
    return text[:place], stop
