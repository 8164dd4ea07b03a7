"""An ask as one trace: a span for whatever it waits for or does. Off, and next to free, unless somebody collects them.

    invoke_agent purser        one attempt at the ask
    ├── inbox wait             from asking until a worker took it
    ├── governor wait          until Claude may be called
    ├── anthropic.messages.create   the SDK's own, with its tokens and time to first chunk
    ├── execute_tool web_fetch
    └── chat.appendStream      a call of Slack's Web API

The trace goes wherever the ask's tasks go, as their context does. What has a right to stand in it are names, numbers
and ids; words of people, of Claude or of tickets have none, not even in an exception: of those the class is told.
"""

import hashlib
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from types import TracebackType
from typing import TypeVar

import structlog
from opentelemetry.trace import (
    INVALID_SPAN,
    Span,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    get_current_span,
)
from opentelemetry.util.types import AttributeValue

from bot.ask import Lease

T = TypeVar("T")

_tracer: ContextVar[Tracer | None] = ContextVar("tracer", default=None)
_trace_id: ContextVar[int] = ContextVar("trace_id", default=0)
_OFF = nullcontext(INVALID_SPAN)  # one for all, as it keeps nothing


def span(
    name: str, *, kind: SpanKind = SpanKind.INTERNAL, **attributes: AttributeValue
) -> AbstractContextManager[Span]:
    """A span around what is done inside, where the ask that it is done for is traced.

    Args:
        name: what is done; a name that we gave, never one from outside.
        kind: CLIENT for a call of a stranger.
        attributes: with `__` for each dot: `gen_ai__tool__name`.
    """
    tracer = _tracer.get()
    if tracer is None:
        return _OFF
    dotted = {key.replace("__", "."): value for key, value in attributes.items()}
    return _Open(tracer, name, kind, dotted)


async def under(
    tracer: Tracer | None, lease: Lease, work: Callable[[Lease], Awaitable[None]]
) -> None:
    """Work on an ask; this attempt is (a part of) its one trace, and each line logged meanwhile carries its `trace_id`.

    Args:
        tracer: None where nobody collects traces.
        lease: the ask, and how long it waited.
        work: does it.
    """
    if tracer is None:
        await work(lease)
        return
    number = int.from_bytes(hashlib.sha256(lease.ask.id.encode()).digest()[:16])
    waited = (
        lease.waited if lease.attempt == 1 else 0.0
    )  # what came before a later one has spans of its own
    began = time.time_ns() - round(waited * 1e9)
    with _set(_trace_id, number), _set(_tracer, tracer), _whole(tracer, lease, began) as whole:
        told = f"{whole.get_span_context().trace_id:032x}"
        with structlog.contextvars.bound_contextvars(trace_id=told):
            if waited:
                tracer.start_span("inbox wait", start_time=began).end()
            await work(lease)


def _whole(tracer: Tracer, lease: Lease, began: int) -> AbstractContextManager[Span]:
    """The span that all others of an attempt are under."""
    about: dict[str, AttributeValue] = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "purser",
        "purser.ask.id": lease.ask.id,
        "purser.ask.feature": lease.ask.feature,
        "purser.ask.attempt": lease.attempt,
    }
    return _Open(tracer, "invoke_agent purser", SpanKind.INTERNAL, about, began)


@contextmanager
def _set(variable: ContextVar[T], value: T) -> Generator[None]:
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


def ended(outcome: str) -> None:
    """Note on the ask's own span how it ended."""
    if _tracer.get() is not None:
        get_current_span().set_attribute("purser.ask.outcome", outcome)


def trace_id() -> int:
    """The id of the trace of the ask that is worked on here: the same for each attempt, 0 where there is none."""
    return _trace_id.get()


class _Open:
    """A span that is being recorded; a failure inside leaves the name of its class."""

    def __init__(
        self,
        tracer: Tracer,
        name: str,
        kind: SpanKind,
        attributes: Mapping[str, AttributeValue],
        began: int | None = None,
    ) -> None:
        self._current = tracer.start_as_current_span(
            name,
            kind=kind,
            attributes=attributes,
            start_time=began,
            record_exception=False,
            set_status_on_exception=False,
        )
        self._span: Span = INVALID_SPAN

    def __enter__(self) -> Span:
        self._span = self._current.__enter__()
        return self._span

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        if kind is not None and issubclass(kind, Exception):
            self._span.set_attribute("error.type", kind.__name__)
            self._span.set_status(Status(StatusCode.ERROR))
        return self._current.__exit__(kind, error, trace)
