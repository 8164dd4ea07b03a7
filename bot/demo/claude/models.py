"""The models the stand-in knows, with what each accepts and refuses (as of November 2026)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

LEVELS = ("low", "medium", "high", "xhigh", "max")
THINKING = ("adaptive", "between_tools", "disabled", "enabled")


@dataclass(frozen=True, slots=True)
class Model:
    """One model and its rules.

    Attributes:
        pool: whose rate limits it shares.
        cache_minimum: tokens below which a prefix is silently not cached.
        thinking: the `thinking.type` values it accepts.
        thinks: whether it thinks when the request says nothing about it.
        forced_tools: whether `tool_choice` any and tool are accepted.
        classified: whether refusals by a classifier can happen.
        quiet: with thinking on, its words between tool calls come as thinking blocks.
        bytes_per_token: of the stand-in's estimate; the newer tokenizer gives ~30 % more.
    """

    id: str
    name: str
    line: str
    created: str
    pool: str
    context: int = 1_000_000
    max_tokens: int = 128_000
    cache_minimum: int = 512
    thinking: tuple[str, ...] = ("adaptive", "disabled")
    thinks: bool = True
    efforts: tuple[str, ...] = LEVELS
    default_effort: str = "high"
    forced_tools: bool = True
    classified: bool = False
    quiet: bool = False
    mid_system: bool = True
    fast: bool = False
    bytes_per_token: float = 3.5
    lifecycle: str = "active"
    deprecated: str | None = None
    retires: str | None = None

    def info(self) -> dict[str, Any]:
        """Give the body of GET /v1/models/{id}."""
        return {
            "type": "model",
            "id": self.id,
            "display_name": self.name,
            "created_at": self.created,
            "lifecycle": self.lifecycle,
            "deprecated_at": self.deprecated,
            "retires_at": self.retires,
            "line": self.line,
            "max_input_tokens": self.context,
            "max_tokens": self.max_tokens,
            "capabilities": self._capabilities(),
        }

    def _capabilities(self) -> dict[str, Any]:
        yes, no = {"supported": True}, {"supported": False}
        plain = ("batch", "citations", "image_input", "pdf_input", "structured_outputs")
        return {
            **dict.fromkeys(plain, yes),
            "code_execution": no,
            "context_management": no,
            "effort": {
                "supported": bool(self.efforts),
                **{level: {"supported": level in self.efforts} for level in LEVELS},
            },
            # The stand-in runs no tools of its own.
            "server_tools": {"supported": False, "code_execution": no, "web_search": no},
            "thinking": {
                "supported": self.thinking != ("disabled",),
                "types": {kind: {"supported": kind in self.thinking} for kind in THINKING},
            },
        }


def _day(day: str) -> str:
    return f"{day}T00:00:00Z"


def catalogue() -> dict[str, Model]:
    """Give all models by id, newest first."""
    return {model.id: model for model in (*_current(), *_legacy(), *_gone())}


def _current() -> Iterable[Model]:
    yield Model(
        "claude-fable-5-2",
        "Claude Fable 5.2",
        "fable",
        _day("2026-11-09"),
        "fable-5",
        thinking=("adaptive",),
        forced_tools=False,
        classified=True,
        quiet=True,
    )
    yield Model(
        "claude-haiku-5-5",
        "Claude Haiku 5.5",
        "haiku",
        _day("2026-10-07"),
        "haiku-5-5",
        default_effort="medium",
        classified=True,
    )
    yield Model(
        "claude-sonnet-5-5",
        "Claude Sonnet 5.5",
        "sonnet",
        _day("2026-09-28"),
        "sonnet-5-5",
        thinking=("adaptive", "between_tools"),
        forced_tools=False,
        classified=True,
        quiet=True,
    )
    yield Model(
        "claude-opus-5-5",
        "Claude Opus 5.5",
        "opus",
        _day("2026-09-22"),
        "opus-5-5",
        thinking=("adaptive",),
        default_effort="medium",
        forced_tools=False,
        classified=True,
        quiet=True,
        fast=True,
        retires=None,
    )


def _legacy() -> Iterable[Model]:
    yield Model(
        "claude-opus-5", "Claude Opus 5", "opus", _day("2026-07-24"), "opus-5", classified=True
    )
    yield Model(
        "claude-sonnet-5",
        "Claude Sonnet 5",
        "sonnet",
        _day("2026-06-30"),
        "sonnet-5",
        cache_minimum=1024,
        mid_system=False,
    )
    yield _older("claude-opus-4-8", "opus", "2026-05-28", 1024, mid_system=True)
    yield _older("claude-opus-4-7", "opus", "2026-04-16", 2048)
    yield _older("claude-sonnet-4-6", "sonnet", "2026-02-17", 1024, bytes_per_token=4.5)
    yield _older("claude-opus-4-6", "opus", "2026-02-05", 4096, bytes_per_token=4.5)
    for haiku in ("claude-haiku-4-5", "claude-haiku-4-5-20251001"):
        yield _generation_4_5(haiku, "haiku", "2025-10-15", 4096)
    for sonnet in ("claude-sonnet-4-5", "claude-sonnet-4-5-20250929"):
        yield _generation_4_5(
            sonnet,
            "sonnet",
            "2025-09-29",
            1024,
            lifecycle="deprecated",
            deprecated=_day("2026-09-30"),
            retires=_day("2026-11-30"),
        )


def _gone() -> Iterable[Model]:
    for old, line, day in (
        ("claude-sonnet-4-20250514", "sonnet", "2026-06-15"),
        ("claude-3-5-haiku-20241022", "haiku", "2026-02-19"),
    ):
        yield _generation_4_5(
            old,
            line,
            "2025-05-22",
            1024,
            lifecycle="retired",
            deprecated=_day("2025-12-19"),
            retires=_day(day),
        )


def _older(model: str, line: str, day: str, minimum: int, **rules: Any) -> Model:
    kinds = ("adaptive", "disabled", "enabled")
    settings: dict[str, Any] = {"thinks": False, "mid_system": False, **rules}
    return Model(
        model,
        _title(model),
        line,
        _day(day),
        f"{line}-4",
        cache_minimum=minimum,
        thinking=kinds,
        **settings,
    )


def _generation_4_5(model: str, line: str, day: str, minimum: int, **rules: Any) -> Model:
    return Model(
        model,
        _title(model),
        line,
        _day(day),
        f"{line}-4",
        context=200_000,
        max_tokens=64_000,
        cache_minimum=minimum,
        thinking=("disabled", "enabled"),
        thinks=False,
        efforts=(),
        mid_system=False,
        bytes_per_token=4.5,
        **rules,
    )


def _title(model: str) -> str:
    name, *numbers = model.removeprefix("claude-").split("-")
    return f"Claude {name.capitalize()} {'.'.join(n for n in numbers if len(n) < 8)}"
