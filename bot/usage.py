"""Tokens as Claude's API counts them, by the kinds that have prices of their own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, cast


def _count(usage: Mapping[str, Any], key: str) -> int:
    value = usage.get(key)
    return value if isinstance(value, int) else 0


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts of one billed iteration; `input_tokens` are those neither read from nor written to cache.

    Source: `usage` of a Message, https://platform.claude.com/docs/en/api/messages.
    """

    input_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    cache_read_tokens: int = 0
    output_tokens: int = 0  # thinking included
    thinking_tokens: int = 0
    service_tier: str = "standard"
    speed: str = "standard"
    inference_geo: str = ""

    @property
    def prompt_tokens(self) -> int:
        """Everything that was in the prompt: fresh, written to cache and read from it."""
        return (
            self.input_tokens
            + self.cache_write_5m_tokens
            + self.cache_write_1h_tokens
            + self.cache_read_tokens
        )

    @classmethod
    def from_wire(cls, usage: Mapping[str, Any]) -> Self:
        """From a response's `usage` object; a write without its split is counted as a five-minute one."""
        split = usage.get("cache_creation")
        split = cast("Mapping[str, Any]", split) if isinstance(split, Mapping) else {}
        hour = _count(split, "ephemeral_1h_input_tokens")
        written = _count(usage, "cache_creation_input_tokens")
        details = usage.get("output_tokens_details")
        details = cast("Mapping[str, Any]", details) if isinstance(details, Mapping) else {}
        return cls(
            input_tokens=_count(usage, "input_tokens"),
            cache_write_5m_tokens=max(written - hour, _count(split, "ephemeral_5m_input_tokens")),
            cache_write_1h_tokens=hour,
            cache_read_tokens=_count(usage, "cache_read_input_tokens"),
            output_tokens=_count(usage, "output_tokens"),
            thinking_tokens=_count(details, "thinking_tokens"),
            service_tier=str(usage.get("service_tier") or "standard"),
            speed=str(usage.get("speed") or "standard"),
            inference_geo=str(usage.get("inference_geo") or ""),
        )
