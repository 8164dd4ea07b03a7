"""Claude, as a stranger we call: requests go out, events come back, every failure has our name.

The only module beside `bot/app/` that imports the SDK. Content blocks travel as plain
dicts and usage as a plain mapping, so nothing above depends on the SDK's types. The
client's own retries must be off; who retries is decided by whoever calls.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import aiohttp
import anthropic
import httpx2
from anthropic import AsyncAnthropic

from integrations.claude_errors import (
    BadCredentials,
    BadRequest,
    ClaudeError,
    Facts,
    Limits,
    Malformed,
    RateLimited,
    StreamCut,
    Unreachable,
    WentSilent,
    classify,
    refused_field,
    retry_after,
    which_limit,
)
from integrations.claude_events import (
    Event,
    Finished,
    ModelFacts,
    Started,
    Text,
    Thinking,
    ToolForming,
)

SILENCE_SECONDS = 90.0  # without a byte, after which a call is given up
CONNECT_SECONDS = 10.0  # to open a connection
SHORT_SECONDS = 30.0  # for calls that generate nothing

# What a call of the SDK lets escape (tried): its own tree, the transport's raw errors, and
# ValueErrors from JSON or UTF-8 that is none.
FOREIGN = (anthropic.AnthropicError, httpx2.HTTPError, httpx2.StreamError, ValueError)
# What the SDK's accumulator raises on events that are in no shape it knows.
SHAPE = (LookupError, AttributeError, TypeError, RuntimeError, AssertionError)
_NOT_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError,
)
_COUNTED = ("messages", "model", "system", "tools", "tool_choice", "thinking", "output_config")


@dataclass(slots=True)
class _Attempt:
    """One call on its way: what is known of it so far."""

    clock: Callable[[], float]
    began: float
    first: float | None = None
    facts: Facts = field(default_factory=Facts)
    cache_miss: str | None = None
    stopped: bool = False

    def milliseconds(self, until: float | None = None) -> int:
        return round(((self.clock() if until is None else until) - self.began) * 1000)

    def start(self, message: Any, headers: Mapping[str, str]) -> Started:
        self.first = self.clock()
        self.facts = replace(
            self.facts,
            status=200,
            request_id=headers.get("request-id"),
            limits=Limits.read(headers),
            message_id=str(message.id),
            model=str(message.model),
            usage=usage_of(message.usage.to_dict()),
            may_be_billed=True,
        )
        self.cache_miss = _cache_miss(message)
        return Started(
            str(message.id),
            self.facts.request_id,
            str(message.model),
            self.facts.usage,
            self.facts.limits,
            self.milliseconds(self.first),
            self.cache_miss,
        )

    def add_usage(self, usage: Mapping[str, Any]) -> None:
        # The counts of a message_delta are totals, but it leaves out what does not apply and
        # never has the split of cache writes: what the start said must survive.
        merged = {**self.facts.usage, **usage_of(usage)}
        self.facts = replace(self.facts, usage=MappingProxyType(merged))

    def finish(self, message: Any) -> Finished:
        return Finished(
            message_id=self.facts.message_id or str(message.id),
            request_id=self.facts.request_id,
            model=str(message.model),
            content=tuple(content_block(block.to_dict()) for block in message.content),
            stop_reason=str(message.stop_reason or ""),
            refusal_category=refusal_category(message),
            usage=self.facts.usage,
            limits=self.facts.limits,
            ttft_ms=self.milliseconds(self.first),
            latency_ms=self.milliseconds(),
            cache_miss=self.cache_miss,
        )


class Claude:
    """Calls Claude's Messages API, once per call, through a client that app.py has made.

    Args:
        client: an `AsyncAnthropic` with `max_retries=0`.
        clock: seconds that only grow.
        now: the present in UTC, for `retry-after` given as a date.
    """

    def __init__(
        self,
        client: AsyncAnthropic,
        *,
        clock: Callable[[], float] = time.perf_counter,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._clock = clock
        self._now = now

    @property
    def client(self) -> AsyncAnthropic:
        """The client, for what else the account is asked for (`claude_batches`)."""
        return self._client

    async def stream(
        self, request: Mapping[str, Any], *, silence_seconds: float = SILENCE_SECONDS
    ) -> AsyncGenerator[Event]:
        """Send a request and give its events: Started first, Finished last.

        Close the iterator (`contextlib.aclosing`) to hang up; cancelling does so too.

        Args:
            request: the body of POST /v1/messages, without `stream`.
            silence_seconds: without a byte, after which the call ends as WentSilent.

        Raises:
            ClaudeError: in one of its kinds; `facts` tell what was known by then.
        """
        attempt = _Attempt(self._clock, self._clock())
        timeout = httpx2.Timeout(silence_seconds, connect=min(CONNECT_SECONDS, silence_seconds))
        with self._named(attempt):
            async with self._client.messages.stream(**request, timeout=timeout) as answer:
                async for event in answer:
                    told = _translate(event, attempt, answer.response.headers)
                    if told is not None:
                        yield told
                if not attempt.stopped or attempt.facts.message_id is None:
                    raise StreamCut(replace(attempt.facts, cause="no message_stop"))
                yield attempt.finish(answer.current_message_snapshot)

    async def prewarm(self, request: Mapping[str, Any]) -> Finished:
        """Write the request's cache marks without generating; `content` comes back empty.

        Raises:
            ClaudeError: in one of its kinds.
        """
        attempt = _Attempt(self._clock, self._clock())
        with self._named(attempt):
            body: dict[str, Any] = {**request, "max_tokens": 0}
            raw = await self._client.messages.with_raw_response.create(
                **body, timeout=SHORT_SECONDS
            )
            message = await raw.parse()
            attempt.start(message, raw.headers)
            return attempt.finish(message)

    async def count_tokens(self, request: Mapping[str, Any]) -> int:
        """Ask how many input tokens the request has (an estimate, free of charge).

        Raises:
            ClaudeError: in one of its kinds.
        """
        counted = {name: request[name] for name in _COUNTED if name in request}
        with self._named(_Attempt(self._clock, self._clock())):
            answer = await self._client.messages.count_tokens(**counted, timeout=SHORT_SECONDS)
            return answer.input_tokens

    async def models(self) -> tuple[ModelFacts, ...]:
        """List the models that this account may use.

        Raises:
            ClaudeError: in one of its kinds.
        """
        with self._named(_Attempt(self._clock, self._clock())):
            pages = self._client.models.list(limit=100, timeout=SHORT_SECONDS)
            return tuple([_model(found) async for found in pages])

    async def model(self, model_id: str) -> ModelFacts:
        """Look one model up.

        Raises:
            ModelUnknown: the account has no such model.
            ClaudeError: in another of its kinds.
        """
        with self._named(_Attempt(self._clock, self._clock())):
            return _model(await self._client.models.retrieve(model_id, timeout=SHORT_SECONDS))

    @contextmanager
    def _named(self, attempt: _Attempt) -> Generator[None]:
        try:
            yield
        except FOREIGN as foreign:
            # Not chained: the SDK's message can quote the request or the answer.
            raise named(foreign, attempt.facts, self._now()) from None
        except SHAPE as foreign:
            if attempt.facts.message_id is None:
                raise  # nothing has come yet, so it is our own mistake
            raise Malformed(replace(attempt.facts, cause=_class_name(foreign))) from None


def named(foreign: Exception, known: Facts, now: datetime) -> ClaudeError:
    """Give a foreign error the name it has with us.

    Args:
        foreign: what the SDK or its transport raised.
        known: what was known of the call by then.
        now: the present in UTC.
    """
    known = replace(known, cause=_class_name(foreign))
    if isinstance(foreign, anthropic.APIStatusError):
        return _reported(foreign, known, now)
    if isinstance(foreign, anthropic.CredentialsError):
        return BadCredentials(known)
    if isinstance(foreign, (anthropic.APIConnectionError, httpx2.HTTPError, httpx2.StreamError)):
        return _transport(foreign, known)
    if isinstance(foreign, (ValueError, anthropic.APIResponseValidationError)):
        begun = known.message_id is not None or isinstance(foreign, anthropic.APIError)
        unread = isinstance(foreign, UnicodeDecodeError) or "json" in type(foreign).__name__.lower()
        return (Malformed if begun or unread else BadRequest)(replace(known, may_be_billed=begun))
    return BadRequest(known)


def _reported(foreign: anthropic.APIStatusError, known: Facts, now: datetime) -> ClaudeError:
    """The API itself says what is wrong, in a response or in the midst of a stream."""
    headers = foreign.response.headers
    words = foreign.api_message or ""
    facts = replace(
        known,
        status=foreign.status_code,
        type=foreign.type if isinstance(foreign.type, str) else None,
        code=foreign.error_code,
        request_id=foreign.request_id,
        limits=Limits.read(headers),
        retry_after=retry_after(headers, now),
        cause="",
    )
    meaning = classify(facts, words)
    if issubclass(meaning, RateLimited):
        facts = replace(facts, which=which_limit(facts.limits, facts.code, words))
    if meaning is BadRequest:
        facts = replace(facts, where=refused_field(words))
    return meaning(facts)


def _transport(foreign: Exception, known: Facts) -> ClaudeError:
    """The connection failed; whether the request had been sent decides what it may cost."""
    root = foreign.__cause__ if isinstance(foreign, anthropic.APIConnectionError) else foreign
    cause = _class_name(root or foreign)
    if isinstance(root, _NOT_SENT) and not _lost(root):
        return Unreachable(replace(known, cause=cause))
    facts = replace(known, cause=cause, may_be_billed=True)
    if isinstance(root, httpx2.TimeoutException) or isinstance(foreign, anthropic.APITimeoutError):
        return WentSilent(facts)
    if isinstance(root, (httpx2.DecodingError, httpx2.TooManyRedirects)):
        return Malformed(facts)
    return StreamCut(facts)


def _lost(error: BaseException) -> bool:
    """Whether a connection that stood was lost; the SDK's aiohttp transport calls that a ConnectError, too."""
    cause = error.__cause__ if isinstance(error, httpx2.ConnectError) else None
    return isinstance(cause, aiohttp.ClientConnectionError) and not isinstance(
        cause, aiohttp.ClientConnectorError
    )


def _translate(event: Any, attempt: _Attempt, headers: Mapping[str, str]) -> Event | None:
    """Keep of one event what we use. Events of an unknown kind are passed over."""
    kind = event.type
    if kind == "message_start":
        return attempt.start(event.message, headers)
    if kind == "text" and event.text:
        if not attempt.facts.streamed:
            attempt.facts = replace(attempt.facts, streamed=True)
        return Text(event.text)
    if kind == "thinking" and event.thinking:
        return Thinking(event.thinking)
    if kind == "content_block_start" and event.content_block.type == "tool_use":
        return ToolForming(event.content_block.id, event.content_block.name)
    if kind == "message_delta":
        attempt.add_usage(event.usage.to_dict())
    if kind == "message_stop":
        attempt.stopped = True
    return None


def content_block(block: Mapping[str, Any]) -> Mapping[str, Any]:
    """A content block as the API takes it back: without what the SDK added when parsing."""
    return {name: value for name, value in block.items() if name != "parsed_output"}


def usage_of(usage: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the counts that were told, none of them None."""
    return MappingProxyType({name: value for name, value in usage.items() if value is not None})


def refusal_category(message: Any) -> str | None:
    """Give the category of a refused message, if it has one."""
    details = message.stop_details
    return details.category if details is not None else None


def _cache_miss(message: Any) -> str | None:
    reason = message.diagnostics.cache_miss_reason if message.diagnostics is not None else None
    return str(reason.type) if reason is not None else None


def _model(found: Any) -> ModelFacts:
    return ModelFacts(
        found.id, found.lifecycle, found.retires_at, found.max_input_tokens, found.max_tokens
    )


def _class_name(error: BaseException) -> str:
    return f"{type(error).__module__.partition('.')[0]}.{type(error).__name__}"
