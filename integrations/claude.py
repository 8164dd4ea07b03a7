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
from typing import Any

import aiohttp
import anthropic
import httpx2
from anthropic import AsyncAnthropic, AsyncAPIResponse, AsyncStream

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
from integrations.claude_message import Forming, Json

SILENCE_SECONDS = 90.0  # without a byte, after which a call is given up
CONNECT_SECONDS = 10.0  # to open a connection
SHORT_SECONDS = 30.0  # for calls that generate nothing

# What a call of the SDK lets escape (tried): its own tree, the transport's raw errors, and
# ValueErrors from JSON or UTF-8 that is none.
FOREIGN = (anthropic.AnthropicError, httpx2.HTTPError, httpx2.StreamError, ValueError)
# What events raise that are in no shape we know.
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
    answered: bool = False  # what comes is theirs, in whatever shape it is
    first: float | None = None
    facts: Facts = field(default_factory=Facts)
    message: Forming | None = None

    def milliseconds(self, until: float | None = None) -> int:
        return round(((self.clock() if until is None else until) - self.began) * 1000)

    def start(self, message: Json, headers: Mapping[str, str]) -> Started:
        self.first = self.clock()
        forming = self.message = Forming(message)
        self.facts = replace(
            self.facts,
            status=200,
            request_id=headers.get("request-id"),
            limits=Limits.read(headers),
            message_id=forming.id,
            model=forming.model,
            usage=forming.usage,
            may_be_billed=True,
        )
        return Started(
            forming.id,
            self.facts.request_id,
            forming.model,
            forming.usage,
            self.facts.limits,
            self.milliseconds(self.first),
            forming.cache_miss,
        )

    def take(self, event: Json) -> Event | None:
        """Keep of an event that came behind the start what the end needs, and tell what is to be heard at once."""
        if self.message is None:
            return None
        self.message.take(event)
        kind = event["type"]
        if kind == "content_block_delta":
            return self._told(event["delta"])
        if kind == "content_block_start" and event["content_block"]["type"] == "tool_use":
            return ToolForming(event["content_block"]["id"], event["content_block"]["name"])
        if kind == "message_delta":
            self.facts = replace(self.facts, usage=self.message.usage)
        return None

    def _told(self, delta: Json) -> Event | None:
        if delta["type"] == "text_delta" and delta["text"]:
            if not self.facts.streamed:
                self.facts = replace(self.facts, streamed=True)
            return Text(delta["text"])
        if delta["type"] == "thinking_delta" and delta["thinking"]:
            return Thinking(delta["thinking"])
        return None

    def finish(self) -> Finished:
        """The whole response.

        Raises:
            StreamCut: it has not ended.
        """
        message = self.message
        if message is None or not message.stopped:
            raise StreamCut(replace(self.facts, cause="no message_stop", may_be_billed=True))
        return Finished(
            message_id=message.id,
            request_id=self.facts.request_id,
            model=message.model,
            content=message.content(),
            stop_reason=message.stop_reason,
            refusal_category=message.refusal_category,
            usage=message.usage,
            limits=self.facts.limits,
            ttft_ms=self.milliseconds(self.first),
            latency_ms=self.milliseconds(),
            cache_miss=message.cache_miss,
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
            answer = await self._client.messages.with_raw_response.create(
                **request, stream=True, timeout=timeout
            )
            attempt.answered = True
            async with await self._events(answer) as events:
                async for event in events:
                    told = _told(_json(event), attempt, answer.headers)
                    if told is not None:
                        yield told
                yield attempt.finish()

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
            attempt.answered = True
            message = (await raw.parse()).to_dict()
            attempt.start(message, raw.headers)
            return attempt.finish()

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

    async def _events(self, answer: AsyncAPIResponse[Any]) -> AsyncStream[Any]:
        """A response's events: as they come, or as the SDK's models where its spans read the usage from those."""
        if self._client.open_telemetry["traces"]["enabled"]:
            return await answer.parse()
        return await answer.parse(to=AsyncStream[object])

    @contextmanager
    def _named(self, attempt: _Attempt) -> Generator[None]:
        try:
            yield
        except FOREIGN as foreign:
            # Not chained: the SDK's message can quote the request or the answer.
            raise named(foreign, attempt.facts, self._now()) from None
        except SHAPE as foreign:
            if not attempt.answered:
                raise  # nothing has come yet, so it is our own mistake
            facts = replace(attempt.facts, cause=_class_name(foreign), may_be_billed=True)
            raise Malformed(facts) from None


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


def _told(event: Json, attempt: _Attempt, headers: Mapping[str, str]) -> Event | None:
    """Keep of one event what the end needs; give what is to be heard at once."""
    if event["type"] == "message_start":
        return attempt.start(event["message"], headers)
    return attempt.take(event)


def _json(event: Any) -> Json:
    return event if isinstance(event, dict) else event.to_dict()


def _model(found: Any) -> ModelFacts:
    return ModelFacts(
        found.id, found.lifecycle, found.retires_at, found.max_input_tokens, found.max_tokens
    )


def _class_name(error: BaseException) -> str:
    return f"{type(error).__module__.partition('.')[0]}.{type(error).__name__}"
