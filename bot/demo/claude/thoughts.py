"""Thinking blocks that come back: each must be ours, unchanged, behind what stood before it."""

from collections.abc import Mapping
from typing import Any

from bot.demo.claude.errors import invalid
from bot.demo.claude.models import Model
from bot.demo.claude.prompt import blocks_of, digest, essence, plain_after
from bot.demo.claude.signature import genuine, readable


def check_thoughts(body: Mapping[str, Any], model: Model, key: bytes) -> None:
    """Check each thinking block of a checked request against its signature.

    Raises:
        Problem: a block was changed, or something before it was.
    """
    messages = body["messages"]
    if not any(_thinking(message) for message in messages):
        return
    plain = _before_messages(body)
    for i, message in enumerate(messages):
        for j, block in enumerate(blocks_of(message["content"])):
            if (
                block["type"] == "thinking"
                and readable(block, model.id)
                and not genuine(key, model.id, plain, block)
            ):
                raise invalid(
                    f"messages.{i}.content.{j}: Invalid `signature` in `thinking` block: the "
                    "block, the system prompt, the tools or an earlier message was modified"
                )
            plain = plain_after(plain, message["role"], block)


def _thinking(message: Mapping[str, Any]) -> bool:
    return message["role"] == "assistant" and any(
        block["type"] == "thinking" for block in blocks_of(message["content"])
    )


def _before_messages(body: Mapping[str, Any]) -> bytes:
    """The plain digest of tools and system, as prompt.py makes it."""
    plain = digest(b"")
    for block in (*(body.get("tools") or ()), *blocks_of(body.get("system"))):
        plain = digest(plain, digest(b"", essence(block)))
    return plain
