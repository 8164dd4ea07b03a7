"""Cache diagnostics: where a request's prefix left that of an earlier one, truly compared."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.demo.claude.prompt import Prompt, blocks_of, digest, essence

KEPT = 4_096  # earlier requests that can be compared with


@dataclass(frozen=True, slots=True)
class _Earlier:
    """What is kept of a request.

    Attributes:
        keys: of all its pieces; `cached` is how many tokens stood before its last mark.
    """

    model: tuple[str, str]
    tools: bytes
    system: bytes
    keys: tuple[bytes, ...]
    cached: int


class Diagnoses:
    """The latest requests, by the ids of the messages that answered them."""

    def __init__(self) -> None:
        self._earlier: OrderedDict[str, _Earlier] = OrderedDict()

    def keep(self, message_id: str, prompt: Prompt, body: Mapping[str, Any]) -> None:
        """Remember a request."""
        self._earlier[message_id] = _read(prompt, body)
        if len(self._earlier) > KEPT:
            self._earlier.popitem(last=False)

    def compare(
        self, message_id: str, prompt: Prompt, body: Mapping[str, Any], read: int
    ) -> dict[str, Any] | None:
        """Give the response's `diagnostics`: why less was read than could have been.

        Args:
            message_id: of the earlier answer.
            prompt: of this request.
            body: of this request.
            read: tokens that this request reads from the cache.

        Returns:
            None where the earlier request is a prefix of this one.
        """
        before = self._earlier.get(message_id)
        if before is None:
            return {"cache_miss_reason": {"type": "previous_message_not_found"}}
        kind = _difference(before, _read(prompt, body))
        if kind is None:
            return None
        missed = max(0, before.cached - read)
        return {"cache_miss_reason": {"type": kind, "cache_missed_input_tokens": missed}}


def _difference(before: _Earlier, after: _Earlier) -> str | None:
    if before.model != after.model:
        return "model_changed"
    if before.tools != after.tools:
        return "tools_changed"
    if before.system != after.system:
        return "system_changed"
    if after.keys[: len(before.keys)] != before.keys:
        return "messages_changed"
    return None


def _read(prompt: Prompt, body: Mapping[str, Any]) -> _Earlier:
    marked = [piece.tokens for piece in prompt.pieces if piece.ttl is not None]
    return _Earlier(
        (prompt.model.id, str(body.get("speed") or "standard")),
        digest(*(essence(tool) for tool in body.get("tools") or ())),
        digest(*(essence(block) for block in blocks_of(body.get("system")))),
        tuple(piece.key for piece in prompt.pieces),
        marked[-1] if marked else 0,
    )
