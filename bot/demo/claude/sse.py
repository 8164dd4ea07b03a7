"""A response as server-sent events, in the order and shapes of the API."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.demo.claude.reply import Reply

PING = b'event: ping\ndata: {"type": "ping"}\n\n'


@dataclass(frozen=True, slots=True)
class Step:
    """One event on the wire.

    Attributes:
        characters: of output in it, for pace and for breaking off after so many.
    """

    data: bytes
    characters: int = 0


def event(name: str, data: Mapping[str, Any]) -> bytes:
    """Give one event's bytes."""
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def message_start(envelope: Mapping[str, Any], reply: Reply) -> bytes:
    """Give the first event: the message without content, its input usage, one output token."""
    usage = {**envelope["usage"], "output_tokens": min(1, reply.output_tokens)}
    usage["output_tokens_details"] = {"thinking_tokens": 0}
    empty = {
        **envelope,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
        "usage": usage,
    }
    return event("message_start", {"type": "message_start", "message": empty})


def steps(reply: Reply, delta_characters: int) -> Iterator[Step]:
    """Give the events of the content, between message_start and message_delta."""
    for index, block in enumerate(reply.blocks):
        yield _step("content_block_start", index, content_block=_opening(block))
        if index == 0:
            yield Step(PING)
        for kind, field, whole in _deltas(block):
            for i in range(0, len(whole), delta_characters):
                part = whole[i : i + delta_characters]
                yield _step(
                    "content_block_delta", index, len(part), delta={"type": kind, field: part}
                )
        if block["type"] == "thinking":
            delta = {"type": "signature_delta", "signature": block["signature"]}
            yield _step("content_block_delta", index, delta=delta)
        yield _step("content_block_stop", index)


def ending(reply: Reply, usage: Mapping[str, Any]) -> bytes:
    """Give message_delta (its usage has no split of cache writes) and message_stop."""
    counts = (
        "input_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "output_tokens",
        "output_tokens_details",
    )
    delta = {
        "stop_reason": reply.stop_reason,
        "stop_sequence": reply.stop_sequence,
        "stop_details": reply.stop_details,
    }
    told = {
        "type": "message_delta",
        "delta": delta,
        "usage": {name: usage[name] for name in counts},
    }
    return event("message_delta", told) + event("message_stop", {"type": "message_stop"})


def _step(name: str, index: int, characters: int = 0, **fields: Any) -> Step:
    return Step(event(name, {"type": name, "index": index, **fields}), characters)


def _opening(block: Mapping[str, Any]) -> dict[str, Any]:
    if block["type"] == "text":
        return {"type": "text", "text": "", "citations": None}
    if block["type"] == "thinking":
        return {"type": "thinking", "thinking": "", "signature": ""}
    return {**block, "input": {}}


def _deltas(block: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Give (delta type, its field, the whole string to be sent in parts)."""
    if block["type"] == "text":
        yield "text_delta", "text", block["text"]
    elif block["type"] == "thinking":
        yield "thinking_delta", "thinking", block["thinking"]
    else:
        yield (
            "input_json_delta",
            "partial_json",
            json.dumps(block["input"]) if block["input"] else "",
        )
