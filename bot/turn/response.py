"""What came of a call: a response, the output filter, or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrations.claude_events import Finished

# Refusals before any output that are billed all the same; since 2026-09-24,
# https://platform.claude.com/docs/en/release-notes/overview
BILLED_REFUSALS = frozenset({"bio", "frontier_llm", "reasoning_extraction"})


@dataclass(frozen=True, slots=True)
class Response:
    """What Claude answered, as it also stands in the journal."""

    message: Mapping[str, Any]

    @classmethod
    def of(cls, finished: Finished) -> "Response":
        """Take it from the stream's end."""
        return cls(
            {
                "id": finished.message_id,
                "model": finished.model,
                "content": [dict(block) for block in finished.content],
                "stop_reason": finished.stop_reason,
                "refusal_category": finished.refusal_category,
                "usage": {
                    name: dict(value) if isinstance(value, Mapping) else value
                    for name, value in finished.usage.items()
                },
                "request_id": finished.request_id,
                "ttft_ms": finished.ttft_ms,
                "latency_ms": finished.latency_ms,
                "cache_miss": finished.cache_miss,
            }
        )

    @property
    def id(self) -> str:
        """Claude's id of it."""
        return str(self.message["id"])

    @property
    def model(self) -> str:
        """Who answered."""
        return str(self.message["model"])

    @property
    def stop_reason(self) -> str:
        """Why it ended."""
        return str(self.message["stop_reason"])

    @property
    def category(self) -> str | None:
        """Of a refusal, if it has one."""
        return self.message.get("refusal_category")

    @property
    def content(self) -> list[Mapping[str, Any]]:
        """Its blocks; empty texts, which the API does not take back, are left out."""
        return [b for b in self.message["content"] if b["type"] != "text" or b.get("text")]

    @property
    def text(self) -> str:
        """Its words."""
        return "".join(str(b["text"]) for b in self.content if b["type"] == "text")

    @property
    def tool_uses(self) -> list[Mapping[str, Any]]:
        """The tools it wants run."""
        return [block for block in self.content if block["type"] == "tool_use"]

    @property
    def billed(self) -> bool:
        """Whether it is billed: all are, but for some refusals before any output."""
        if self.stop_reason != "refusal" or self.message["content"]:
            return True
        return self.category in BILLED_REFUSALS


@dataclass(frozen=True, slots=True)
class Filtered:
    """The output filter blocked the answer."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """There is no answer.

    Attributes:
        sentence: why, for a person.
        bound: which of our own limits is the reason, if one is.
        busy: another model may help.
        rejected: the request was not as Claude wants it.
    """

    sentence: str
    bound: str = ""
    busy: bool = False
    rejected: bool = False


Outcome = Response | Filtered | Unanswered
