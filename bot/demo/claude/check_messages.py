"""What the API refuses in `system` and `messages`: roles, blocks, and tools without results."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.demo.claude.errors import invalid
from bot.demo.claude.models import Model
from bot.demo.claude.prompt import THINKING, blocks_of

MESSAGES = 100_000  # in one request
IMAGES = 600  # in one request; 100 where the context is 200K
ALLOWED: Mapping[str, frozenset[str]] = {
    "user": frozenset(["text", "image", "document", "tool_result", "search_result"]),
    "assistant": frozenset(["text", "tool_use", "thinking", "redacted_thinking"]),
    "system": frozenset(["text"]),
}
RESULT_PARTS = frozenset(["text", "image", "document", "search_result"])

Block = Mapping[str, Any]


def check_system(system: Any) -> None:
    """Check the system prompt: a string, or text blocks that are not empty."""
    if system is None or isinstance(system, str):
        return
    if not isinstance(system, list):
        raise invalid("system: Input should be a valid list")
    for i, block in enumerate(system):
        if not isinstance(block, dict) or block.get("type") != "text":
            raise invalid(f"system.{i}.type: Input should be 'text'")
        _check_text(block, f"system.{i}", "system")


def check_messages(messages: Any, model: Model) -> None:
    """Check all messages of a conversation and how they follow each other."""
    if not isinstance(messages, list):
        raise invalid("messages: Input should be a valid list")
    said: list[Any] = messages
    if not said:
        raise invalid("messages: at least one message is required")
    if len(said) > MESSAGES:
        raise invalid(f"messages: at most {MESSAGES} messages are permitted")
    for i, message in enumerate(said):
        _check_message(i, message)
    _check_order(said, model)
    _check_tools(said)
    _check_images(said, model)


def _check_message(i: int, message: Any) -> None:
    place = f"messages.{i}"
    if not isinstance(message, dict):
        raise invalid(f"{place}: Input should be a valid dictionary")
    for name in message:
        if name not in ("role", "content"):
            raise invalid(f"{place}.{name}: Extra inputs are not permitted")
    role, content = message.get("role"), message.get("content")
    if not isinstance(role, str) or role not in ALLOWED:
        raise invalid(f"{place}.role: Input should be 'user', 'assistant' or 'system'")
    if isinstance(content, str):
        if not content.strip():
            raise invalid(f"{place}: {role} messages must have non-empty content")
        return
    if not isinstance(content, list):
        raise invalid(f"{place}.content: Field required")
    if not content:
        raise invalid(f"{place}: {role} messages must have non-empty content")
    for j, block in enumerate(content):
        _check_block(block, f"{place}.content.{j}", role)


def _check_block(block: Any, place: str, role: str) -> None:
    if not isinstance(block, dict) or not isinstance(block.get("type"), str):
        raise invalid(f"{place}.type: Field required")
    kind = block["type"]
    if kind not in ALLOWED[role]:
        raise invalid(f"{place}.type: '{kind}' blocks are not permitted in {role} messages")
    if kind == "text":
        _check_text(block, place, role)
    elif kind in THINKING and block.get("cache_control") is not None:
        raise invalid(f"{place}.cache_control: cache_control cannot be set for {kind} blocks")
    elif kind == "thinking" and not isinstance(block.get("signature"), str):
        raise invalid(f"{place}.thinking.signature: Field required")
    elif kind == "tool_use":
        for name, sort in (("id", str), ("name", str), ("input", dict)):
            if not isinstance(block.get(name), sort):
                raise invalid(f"{place}.tool_use.{name}: Field required")
    elif kind == "tool_result":
        _check_result(block, place)
    elif kind in ("image", "document") and not isinstance(block.get("source"), dict):
        raise invalid(f"{place}.{kind}.source: Field required")


def _check_text(block: Block, place: str, role: str) -> None:
    text = block.get("text")
    if not isinstance(text, str):
        raise invalid(f"{place}.text.text: Field required")
    if not text and block.get("cache_control") is not None:
        raise invalid(f"{place}.cache_control: cache_control cannot be set for empty text blocks")
    if not text:
        raise invalid(f"{place}: text content blocks must be non-empty")
    if not text.strip():
        raise invalid(f"{place}: text content blocks must contain non-whitespace text")
    if role == "user" and block.get("citations"):
        raise invalid(f"{place}.text.citations: not permitted in user messages")
    for name in block:
        if name not in ("type", "text", "cache_control", "citations"):
            raise invalid(f"{place}.text.{name}: Extra inputs are not permitted")


def _check_result(block: Block, place: str) -> None:
    if not isinstance(block.get("tool_use_id"), str):
        raise invalid(f"{place}.tool_result.tool_use_id: Field required")
    if not isinstance(block.get("is_error", False), bool):
        raise invalid(f"{place}.tool_result.is_error: Input should be a valid boolean")
    for name in block:
        if name not in ("type", "tool_use_id", "content", "is_error", "cache_control"):
            raise invalid(f"{place}.tool_result.{name}: Extra inputs are not permitted")
    content = block.get("content")
    if content is None or isinstance(content, str):
        return
    if not isinstance(content, list):
        raise invalid(f"{place}.tool_result.content: Input should be a valid list")
    for j, part in enumerate(content):
        if not isinstance(part, dict) or part.get("type") not in RESULT_PARTS:
            raise invalid(f"{place}.tool_result.content.{j}.type: not permitted in a tool_result")
        if part["type"] == "text":
            _check_text(part, f"{place}.tool_result.content.{j}", "user")


def _check_order(said: Sequence[Mapping[str, Any]], model: Model) -> None:
    roles = [message["role"] for message in said]
    if roles[0] != "user":
        raise invalid('messages: first message must use the "user" role')
    if roles[-1] == "assistant":
        raise invalid(
            "This model does not support assistant message prefill. "
            "The conversation must end with a user message."
        )
    for i, role in enumerate(roles):
        if role != "system":
            continue
        if not model.mid_system:
            raise invalid(f"messages.{i}.role: 'system' is not supported by {model.id}")
        if roles[i - 1] != "user" or (i + 1 < len(roles) and roles[i + 1] != "assistant"):
            raise invalid(
                f"messages.{i}: a system message must follow a user turn and be last or "
                "followed by an assistant turn"
            )


def _turns(said: Sequence[Mapping[str, Any]]) -> list[tuple[int, str, list[Block]]]:
    """Join what stands next to each other in one role, as the API does: (index, role, blocks)."""
    turns: list[tuple[int, str, list[Block]]] = []
    for i, message in enumerate(said):
        blocks = list(blocks_of(message["content"]))
        if turns and turns[-1][1] == message["role"]:
            turns[-1][2].extend(blocks)
        elif message["role"] != "system":
            turns.append((i, message["role"], blocks))
    return turns


def _check_tools(said: Sequence[Mapping[str, Any]]) -> None:
    """Each tool_use has exactly one result, in the next user turn, before anything else there."""
    waiting: list[str] = []
    seen: set[str] = set()
    asked_at = 0
    for i, role, blocks in _turns(said):
        if role == "assistant":
            waiting, asked_at = [b["id"] for b in blocks if b["type"] == "tool_use"], i
            if len(set(waiting)) != len(waiting) or seen & set(waiting):
                raise invalid("messages: `tool_use` ids must be unique")
            seen.update(waiting)
            continue
        _check_answers(i, asked_at, blocks, waiting)
        waiting = []


def _check_answers(i: int, asked_at: int, blocks: Sequence[Block], waiting: Sequence[str]) -> None:
    results = [b["tool_use_id"] for b in blocks if b["type"] == "tool_result"]
    for j, use in enumerate(results):
        if use not in waiting:
            raise invalid(
                f"messages.{i}.content.{j}: unexpected `tool_use_id` found in `tool_result` "
                f"blocks: {use}. Each `tool_result` block must have a corresponding `tool_use` "
                "block in the previous message."
            )
        if use in results[:j]:
            raise invalid(
                f"messages.{i}.content.{j}: each tool_use must have a single result. Found "
                f"multiple `tool_result` blocks with id: {use}"
            )
    first = [b["type"] for b in blocks[: len(results)]]
    missing = [use for use in waiting if use not in results]
    if missing or (waiting and first != ["tool_result"] * len(results)):
        raise invalid(
            f"messages.{asked_at}: `tool_use` ids were found without `tool_result` blocks "
            f"immediately after: {', '.join(missing or waiting)}. Each `tool_use` block must "
            "have a corresponding `tool_result` block in the next message."
        )


def _check_images(said: Sequence[Mapping[str, Any]], model: Model) -> None:
    limit = IMAGES if model.context > 200_000 else 100
    count = sum(
        block.get("type") == "image" for message in said for block in blocks_of(message["content"])
    )
    if count > limit:
        raise invalid(f"messages: too many images: {count} > {limit} maximum")
