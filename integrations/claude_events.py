"""What Claude's answer is made of, as plain frozen values: events while it comes, one whole at its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from integrations.claude_errors import Limits


@dataclass(frozen=True, slots=True)
class Started:
    """The answer begins. `usage` holds the input's tokens, with the 5m/1h split of cache writes."""

    message_id: str
    request_id: str | None
    model: str
    usage: Mapping[str, Any]
    limits: Limits
    ttft_ms: int
    cache_miss: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """Some more of the answer."""

    delta: str


@dataclass(frozen=True, slots=True)
class Thinking:
    """Some more of the summary of Claude's thinking."""

    delta: str


@dataclass(frozen=True, slots=True)
class ToolForming:
    """Claude has begun to write a tool call; its input is not known yet."""

    tool_use_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The whole response. `content` holds blocks fit to be sent back unchanged."""

    message_id: str
    request_id: str | None
    model: str
    content: tuple[Mapping[str, Any], ...]
    stop_reason: str
    refusal_category: str | None
    usage: Mapping[str, Any]
    limits: Limits
    ttft_ms: int
    latency_ms: int
    cache_miss: str | None = None


Event: TypeAlias = Started | Text | Thinking | ToolForming | Finished


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the account may know of a model; `lifecycle` is active, deprecated or retired."""

    id: str
    lifecycle: str
    retires_at: datetime | None
    max_input_tokens: int | None
    max_output_tokens: int | None
