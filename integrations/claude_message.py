"""A message as its events form it, from the API's own JSON: making the SDK's models of each took half of a call's time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

Json = Mapping[str, Any]

_PIECES = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}
"""What comes in pieces, by the kind of delta: the field that has the next one."""


@dataclass(slots=True)
class Block:
    """A block of content that is coming; fields that come in pieces are joined at its end."""

    begun: dict[str, Any]
    pieces: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    torn: bool = False  # its input ends in the middle

    def add(self, delta: Json) -> None:
        """Take one more delta; one of an unknown kind is passed over."""
        kind = delta["type"]
        if name := _PIECES.get(kind):
            self.pieces.setdefault(name, []).append(delta[name])
        elif kind == "signature_delta":
            self.begun["signature"] = delta["signature"]
        elif kind == "citations_delta":
            self.begun["citations"] = [*(self.begun.get("citations") or []), delta["citation"]]

    def end(self) -> None:
        """It is whole: no more deltas come."""
        for name, pieces in self.pieces.items():
            joined = "".join(pieces)
            if name != "partial_json":
                self.begun[name] = self.begun.get(name, "") + joined
            elif joined:
                self._read(joined)
        self.pieces = {}

    def _read(self, written: str) -> None:
        try:
            self.begun["input"] = json.loads(written)
        except ValueError:
            self.torn = True


class Forming:
    """A message that is coming.

    Args:
        start: the message of its `message_start`; or a whole one.

    Attributes:
        id: Claude's id of it.
        model: who answers.
        usage: its counts so far, none of them None.
        stopped: whether its last event has come.
    """

    def __init__(self, start: Json) -> None:
        self.id, self.model = str(start["id"]), str(start["model"])
        self.usage = usage_of(start["usage"])
        self.cache_miss = cache_miss(start)
        self.stopped = bool(start.get("stop_reason"))
        self._blocks = {n: Block({**block}) for n, block in enumerate(start["content"])}
        self._delta = start

    def take(self, event: Json) -> None:
        """Take one more event; one of an unknown kind is passed over."""
        kind = event["type"]
        if kind == "content_block_delta":
            self._blocks[event["index"]].add(event["delta"])
        elif kind == "content_block_start":
            self._blocks[event["index"]] = Block({**event["content_block"]})
        elif kind == "content_block_stop":
            self._blocks[event["index"]].end()
        elif kind == "message_delta":
            self._delta = event["delta"]
            # Its counts are totals, but it leaves out what does not apply and never has the split of cache writes:
            # what the start said must survive.
            self.usage = MappingProxyType({**self.usage, **usage_of(event["usage"])})
        elif kind == "message_stop":
            self.stopped = True

    @property
    def stop_reason(self) -> str:
        """Why it ended, "" while it has not."""
        return str(self._delta.get("stop_reason") or "")

    @property
    def refusal_category(self) -> str | None:
        """The category under which it was refused, if it was and has one."""
        return refusal_category(self._delta)

    def content(self) -> tuple[Json, ...]:
        """Its blocks, fit to be sent back unchanged.

        Raises:
            ValueError: a tool is to be run with an input that is not whole. A message that is too long may end in
                such a call, which nobody runs.
        """
        blocks = [self._blocks[index] for index in sorted(self._blocks)]
        for block in blocks:
            block.end()  # of one whose end was never told, too
        if self.stop_reason == "tool_use" and any(block.torn for block in blocks):
            raise ValueError("input")
        return tuple(block.begun for block in blocks)


def usage_of(usage: Json) -> Json:
    """Give the counts that were told, none of them None."""
    return MappingProxyType({name: value for name, value in usage.items() if value is not None})


def refusal_category(message: Json) -> str | None:
    """Give the category of a refused message, if it has one."""
    return (message.get("stop_details") or {}).get("category")


def cache_miss(message: Json) -> str | None:
    """Give what the API says of why a message's prompt was not read from cache, if it was asked and knows."""
    reason = (message.get("diagnostics") or {}).get("cache_miss_reason")
    return str(reason["type"]) if reason else None
