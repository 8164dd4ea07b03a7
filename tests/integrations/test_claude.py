"""Claude over a real socket: events come through whole, and each way to fail has one name."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from anthropic import AsyncAnthropic, DefaultAioHttpClient

from integrations.claude import Claude
from integrations.claude_errors import (
    BadCredentials,
    BadRequest,
    ClaudeError,
    Malformed,
    ModelUnknown,
    OutputFiltered,
    Overloaded,
    RateLimited,
    RequestTooLarge,
    ServerFailed,
    SpendLimited,
    StreamCut,
    Unreachable,
    WentSilent,
)
from integrations.claude_events import Event, Finished, Started, Text, Thinking, ToolForming

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
REQUEST = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Is 7 prime?"}],
}
START: dict[str, Any] = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5-5",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
        "diagnostics": {
            "cache_miss_reason": {"type": "tools_changed", "cache_missed_input_tokens": 9}
        },
        "usage": {
            "input_tokens": 12,
            "cache_creation_input_tokens": 30,
            "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
            "output_tokens": 1,
            "service_tier": "standard",
        },
    },
}
HEADERS = {
    "request-id": "req_1",
    "anthropic-ratelimit-requests-limit": "50",
    "anthropic-ratelimit-requests-remaining": "49",
    "anthropic-ratelimit-requests-reset": "2026-11-22T10:00:00Z",
    "anthropic-ratelimit-input-tokens-limit": "30000",
    "anthropic-ratelimit-input-tokens-remaining": "1000",
}


def block(index: int, start: Mapping[str, Any], *deltas: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One content block as the wire has it."""
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def end(stop_reason: str, **details: Any) -> list[dict[str, Any]]:
    """The last two events of a stream."""
    return [
        {
            "type": "message_delta",
            "delta": {"stop_reason": stop_reason, "stop_sequence": None, **details},
            "usage": {
                "input_tokens": None,
                "output_tokens": 44,
                "output_tokens_details": {"thinking_tokens": 7},
            },
        },
        {"type": "message_stop"},
    ]


def said(text: str) -> list[dict[str, Any]]:
    """A text block in two deltas."""
    half = len(text) // 2
    deltas = [{"type": "text_delta", "text": part} for part in (text[:half], text[half:])]
    return block(0, {"type": "text", "text": ""}, *deltas)


async def begin(request: web.Request) -> web.StreamResponse:
    """Open an event stream."""
    response = web.StreamResponse(headers={"content-type": "text/event-stream", **HEADERS})
    await response.prepare(request)
    return response


async def send(response: web.StreamResponse, *events: Mapping[str, Any]) -> None:
    """Write events to the stream."""
    for event in events:
        await response.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())


def streams(*events: Mapping[str, Any], cut: bool = False) -> Handler:
    """Answer with these events; `cut` breaks the connection after them."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = await begin(request)
        await send(response, *events)
        if cut and request.transport:
            request.transport.abort()
        return response

    return answer


def says(
    status: int, type_: str, message: str, headers: Mapping[str, str] | None = None, **details: Any
) -> Handler:
    """Answer with an error body."""
    error = {"type": type_, "message": message, **({"details": details} if details else {})}

    async def answer(_: web.Request) -> web.StreamResponse:
        body = {"type": "error", "error": error, "request_id": "req_e"}
        return web.json_response(
            body, status=status, headers={"request-id": "req_e", **(headers or {})}
        )

    return answer


@asynccontextmanager
async def claude_at(handler: Handler, *, traced: bool = False) -> AsyncGenerator[Claude]:
    """A Claude whose API is this handler on a free port; `traced` where its spans are kept."""
    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", handler)
    runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    http = DefaultAioHttpClient()
    client = AsyncAnthropic(
        api_key="made-up",
        base_url=f"http://127.0.0.1:{port}",
        max_retries=0,
        http_client=http,
        open_telemetry={} if traced else False,
    )
    try:
        yield Claude(client)
    finally:
        await client.close()
        await runner.cleanup()


async def failure(handler: Handler, silence_seconds: float = 5.0) -> ClaudeError:
    """The error a stream ends with."""
    async with claude_at(handler) as claude:
        with pytest.raises(ClaudeError) as caught:
            async for _ in claude.stream(REQUEST, silence_seconds=silence_seconds):
                pass
    assert caught.value.__cause__ is None
    assert "Is 7 prime?" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("traced", [False, True])
async def test_a_whole_answer(traced: bool) -> None:
    """Text, thinking and tool calls come as they form, and the end holds what can be sent back, traced or not."""
    thinking = {"type": "thinking", "thinking": "", "signature": ""}
    tool = {"type": "tool_use", "id": "toolu_1", "name": "web_fetch", "input": {}}
    events = [
        START,
        {"type": "ping"},
        *block(
            0,
            thinking,
            {"type": "thinking_delta", "thinking": "Hm."},
            {"type": "signature_delta", "signature": "c2ln"},
        ),
        *block(1, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Yes."}),
        *block(
            2,
            tool,
            {"type": "input_json_delta", "partial_json": '{"url": "htt'},
            {"type": "input_json_delta", "partial_json": 'p://x/"}'},
        ),
        {"type": "an_event_of_next_year", "payload": 1},
        *end("tool_use"),
    ]
    async with claude_at(streams(*events), traced=traced) as claude:
        told: list[Event] = [event async for event in claude.stream(REQUEST)]

    started, *middle, finished = told
    assert isinstance(started, Started)
    assert isinstance(finished, Finished)
    assert [Thinking("Hm."), Text("Yes."), ToolForming("toolu_1", "web_fetch")] == middle
    assert (
        started.message_id,
        started.request_id,
        started.cache_miss,
    ) == ("msg_1", "req_1", "tools_changed")
    assert finished.stop_reason == "tool_use"
    assert [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "text", "text": "Yes."},
        {**tool, "input": {"url": "http://x/"}},
    ] == [dict(found) for found in finished.content]
    assert finished.limits.requests is not None
    assert finished.limits.requests.remaining == 49
    assert finished.limits.exhausted() == "input_tokens"
    assert 0 <= finished.ttft_ms <= finished.latency_ms


async def test_blocks_of_every_kind_come_through() -> None:
    """What we know nothing of is kept as it came, beside citations and a tool call without input."""
    server = {"type": "web_fetch_tool_result", "tool_use_id": "srv_1", "content": {"url": "x"}}
    tool = {"type": "tool_use", "id": "toolu_1", "name": "now", "input": {}}
    cited = [{"type": "page", "n": 1}, {"type": "page", "n": 2}]
    events = [
        START,
        *block(0, server),
        *block(
            1,
            {"type": "text", "text": "Ye", "citations": None},
            {"type": "text_delta", "text": "s"},
            *({"type": "citations_delta", "citation": one} for one in cited),
            {"type": "delta_of_next_year", "payload": 1},
        ),
        *block(2, tool, {"type": "input_json_delta", "partial_json": ""}),
        *end("tool_use"),
    ]
    async with claude_at(streams(*events)) as claude:
        finished = [event async for event in claude.stream(REQUEST)][-1]

    assert isinstance(finished, Finished)
    assert finished.content == (server, {"type": "text", "text": "Yes", "citations": cited}, tool)


async def test_a_tool_call_that_breaks_off_is_never_run() -> None:
    """Cut by the answer's length it is there without its input; where it is to be run, that is no answer."""
    tool = {"type": "tool_use", "id": "toolu_1", "name": "web_fetch", "input": {}}
    begun = block(0, tool, {"type": "input_json_delta", "partial_json": '{"url": "htt'})
    async with claude_at(streams(START, *begun, *end("max_tokens"))) as claude:
        finished = [event async for event in claude.stream(REQUEST)][-1]

    assert isinstance(finished, Finished)
    assert finished.content == (tool,)
    assert Malformed is type(await failure(streams(START, *begun, *end("tool_use"))))


async def test_usage_is_the_sum_of_start_and_end() -> None:
    """The end's totals win, but what it leaves open, and the split of cache writes, stay as the start said."""
    async with claude_at(streams(START, *said("Yes."), *end("end_turn"))) as claude:
        finished = [event async for event in claude.stream(REQUEST)][-1]

    assert isinstance(finished, Finished)
    assert finished.usage["output_tokens"] == 44
    assert finished.usage["input_tokens"] == 12
    assert finished.usage["cache_creation"]["ephemeral_1h_input_tokens"] == 20
    assert finished.usage["output_tokens_details"]["thinking_tokens"] == 7


async def test_a_refusal_is_an_end_with_a_category() -> None:
    """A refusal is no error; its category is kept, its unstable explanation is not."""
    details = {"type": "refusal", "category": "cyber", "explanation": "words"}
    events = [START, *said("Well"), *end("refusal", stop_details=details)]
    async with claude_at(streams(*events)) as claude:
        finished = [event async for event in claude.stream(REQUEST)][-1]

    assert isinstance(finished, Finished)
    assert (finished.stop_reason, finished.refusal_category) == ("refusal", "cyber")
    assert "words" not in repr(finished)


@pytest.mark.parametrize(
    ("status", "type_", "message", "details", "expected"),
    [
        (400, "invalid_request_error", "messages.0.content: too odd", {}, BadRequest),
        (
            400,
            "invalid_request_error",
            "Output blocked by content filtering policy",
            {},
            OutputFiltered,
        ),
        (
            400,
            "invalid_request_error",
            "prompt is too long: 9 tokens > 5 maximum",
            {},
            RequestTooLarge,
        ),
        (
            400,
            "invalid_request_error",
            "You have reached your specified workspace API usage limits.",
            {},
            SpendLimited,
        ),
        (401, "authentication_error", "invalid x-api-key", {}, BadCredentials),
        (402, "billing_error", "the card was declined", {}, SpendLimited),
        (403, "permission_error", "the key lacks a right", {}, BadCredentials),
        (404, "not_found_error", "model: claude-x", {}, ModelUnknown),
        (413, "request_too_large", "big", {}, RequestTooLarge),
        (429, "rate_limit_error", "slow", {}, RateLimited),
        (
            429,
            "rate_limit_error",
            "cap",
            {"error_code": "enforced_spend_limit_reached"},
            SpendLimited,
        ),
        (500, "api_error", "oops", {}, ServerFailed),
        (504, "timeout_error", "late", {}, ServerFailed),
        (529, "overloaded_error", "Overloaded", {}, Overloaded),
        (418, "teapot", "short and stout", {}, BadRequest),
    ],
)
async def test_each_reported_error_has_a_name(
    status: int, type_: str, message: str, details: dict[str, Any], expected: type[ClaudeError]
) -> None:
    """What the API reports is named by its code, its type, its status, and at last its words."""
    error = await failure(says(status, type_, message, **details))

    assert expected is type(error)
    assert (status, type_, "req_e") == (
        error.facts.status,
        error.facts.type,
        error.facts.request_id,
    )
    assert message not in str(error)
    assert not error.facts.may_be_billed


async def test_a_rate_limit_says_which_and_how_long() -> None:
    """A 429 carries the bucket that is empty and the seconds to wait."""
    headers = {
        "retry-after": "17",
        "anthropic-ratelimit-output-tokens-limit": "8000",
        "anthropic-ratelimit-output-tokens-remaining": "0",
        "anthropic-ratelimit-requests-limit": "50",
        "anthropic-ratelimit-requests-remaining": "30",
    }
    error = await failure(says(429, "rate_limit_error", "This would exceed…", headers))

    assert (error.facts.which, error.facts.retry_after) == ("output_tokens", 17.0)


async def test_a_growing_too_fast_is_a_kind_of_rate_limit() -> None:
    """The acceleration limit is told apart from a used-up quota."""
    error = await failure(says(429, "rate_limit_error", "", error_code="ramp_limit_exceeded"))

    assert isinstance(error, RateLimited)
    assert error.facts.which == "acceleration"


async def test_a_bad_request_names_the_field_only() -> None:
    """Of a rejected request the field's path is kept, and nothing of the sentence."""
    error = await failure(
        says(400, "invalid_request_error", "messages.1.content.0.type: secret stuff")
    )

    assert error.facts.where == "messages.1.content.0.type"
    assert "secret" not in repr(error.facts)


@pytest.mark.parametrize(
    ("type_", "message", "expected"),
    [
        ("overloaded_error", "Overloaded", Overloaded),
        ("rate_limit_error", "slow", RateLimited),
        ("api_error", "oops", ServerFailed),
        ("api_error", "Output blocked by content filtering policy", OutputFiltered),
        ("invalid_request_error", "Output blocked by content filtering policy", OutputFiltered),
        ("error_of_next_year", "what", ServerFailed),
    ],
)
async def test_an_error_within_a_stream_is_named_by_its_type(
    type_: str, message: str, expected: type[ClaudeError]
) -> None:
    """After a 200 the type decides, and what had been streamed by then is known and billed."""
    error_event = {"type": "error", "error": {"type": type_, "message": message}}
    error = await failure(streams(START, *said("Ye")[:2], error_event))

    assert expected is type(error)
    assert (
        error.facts.status,
        error.facts.message_id,
        error.facts.streamed,
        error.facts.may_be_billed,
    ) == (200, "msg_1", True, True)
    assert error.facts.usage["input_tokens"] == 12


@pytest.mark.parametrize("cut", [True, False])
async def test_a_cut_stream(cut: bool) -> None:
    """A stream that ends without its last event is cut, by a broken connection or a polite one."""
    error = await failure(streams(START, *said("Yes.")[:2], cut=cut))

    assert StreamCut is type(error)
    assert error.facts.streamed
    assert error.facts.may_be_billed


async def test_what_is_cut_behind_the_last_counts_knows_them() -> None:
    """Where only the last event is lacking, what it has used is known."""
    error = await failure(streams(START, *said("Yes."), *end("end_turn")[:1]))

    assert StreamCut is type(error)
    assert (error.facts.usage["input_tokens"], error.facts.usage["output_tokens"]) == (12, 44)


async def test_a_connection_cut_before_any_byte() -> None:
    """A request that left and got no answer at all may have been billed."""
    error = await failure(_hang_up)

    assert StreamCut is type(error)
    assert error.facts.may_be_billed
    assert not error.facts.streamed


async def _hang_up(request: web.Request) -> web.StreamResponse:
    assert request.transport
    request.transport.abort()
    return web.Response()


@pytest.mark.parametrize("before", [[], [START]])
async def test_silence_ends_the_call(before: list[dict[str, Any]]) -> None:
    """No byte for the given time ends the call, before the answer begins and in its middle."""

    async def fall_silent(request: web.Request) -> web.StreamResponse:
        if before:
            await send(await begin(request), *before)
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    error = await failure(fall_silent, silence_seconds=0.05)

    assert WentSilent is type(error)
    assert error.facts.may_be_billed


@pytest.mark.parametrize(
    "data",
    [
        b"event: message_start\ndata: {no json\n\n",
        b"event: message_start\ndata: \xff\xfe\n\n",
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":7,"delta":{"type":"text_delta","text":"x"}}\n\n',
        b'event: content_block_start\ndata: {"type":"content_block_start","index":0}\n\n',
    ],
)
async def test_garbage_is_malformed(data: bytes) -> None:
    """Bytes that are no answer of the API end as Malformed, never as an error of JSON's or ours."""

    async def garble(request: web.Request) -> web.StreamResponse:
        response = await begin(request)
        await send(response, START)
        await response.write(data)
        return response

    assert Malformed is type(await failure(garble))


@pytest.mark.parametrize(
    "data",
    ["[1]", "null", "{}", '{"type":"message_start"}', json.dumps({**START, "message": {"id": 7}})],
)
async def test_a_beginning_in_no_shape_we_know_is_malformed(data: str) -> None:
    """What comes first is theirs as much as what follows, and may have been billed."""

    async def garble(request: web.Request) -> web.StreamResponse:
        response = await begin(request)
        await response.write(f"event: message_start\ndata: {data}\n\n".encode())
        return response

    error = await failure(garble)

    assert Malformed is type(error)
    assert error.facts.may_be_billed


async def test_an_answer_without_events_may_be_billed() -> None:
    """A stream that ends before it has begun had been accepted."""
    error = await failure(streams())

    assert StreamCut is type(error)
    assert error.facts.may_be_billed


async def test_a_block_whose_end_is_not_told_keeps_its_words() -> None:
    """The message's end ends its blocks, too."""
    async with claude_at(streams(START, *said("Yes.")[:-1], *end("end_turn"))) as claude:
        events = [event async for event in claude.stream(REQUEST)]

    assert isinstance(events[-1], Finished)
    assert events[-1].content == ({"type": "text", "text": "Yes."},)


async def test_a_page_instead_of_an_answer() -> None:
    """A proxy's friendly 200 page is no answer."""

    async def page(_: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>Please log in</html>", content_type="text/html")

    error = await failure(page)

    assert isinstance(error, Malformed | StreamCut)


async def test_pictures_are_large() -> None:
    """A request of several megabytes leaves whole."""
    taken: list[int] = []

    async def weigh(request: web.Request) -> web.StreamResponse:
        taken.append(sum([len(chunk) async for chunk in request.content.iter_any()]))
        return await streams(START, *said("Seen."), *end("end_turn"))(request)

    content = [{"type": "text", "text": "x" * 3_000_000}]
    request = {**REQUEST, "messages": [{"role": "user", "content": content}]}
    async with claude_at(weigh) as claude:
        events = [event async for event in claude.stream(request)]

    assert isinstance(events[-1], Finished)
    assert taken[0] > 3_000_000


async def test_nobody_there() -> None:
    """Where nobody listens nothing was sent, so nothing can be billed."""
    async with claude_at(says(500, "api_error", "")) as claude:
        pass
    elsewhere = AsyncAnthropic(
        api_key="made-up",
        base_url="http://127.0.0.1:1",
        max_retries=0,
        http_client=DefaultAioHttpClient(),
    )
    async with elsewhere:
        claude = Claude(elsewhere)
        with pytest.raises(Unreachable) as caught:
            [event async for event in claude.stream(REQUEST)]

    assert not caught.value.facts.may_be_billed


async def test_hanging_up_closes_the_connection() -> None:
    """Cancelling a stream, or closing it, is seen by the other side at once."""
    arrived, gone = asyncio.Event(), asyncio.Event()

    async def forever(request: web.Request) -> web.StreamResponse:
        response = await begin(request)
        try:
            await send(response, START)
            arrived.set()
            await asyncio.Event().wait()
        finally:
            gone.set()
        return response

    async with claude_at(forever) as claude:
        async with aclosing(claude.stream(REQUEST)) as events:
            assert isinstance(await anext(events), Started)
        async with asyncio.timeout(5):
            await gone.wait()
        arrived.clear()
        gone.clear()
        task = asyncio.create_task(_read(claude))
        async with asyncio.timeout(5):
            await arrived.wait()
        task.cancel()
        async with asyncio.timeout(5):
            await gone.wait()
        with pytest.raises(asyncio.CancelledError):
            await task


async def _read(claude: Claude) -> None:
    async for _ in claude.stream(REQUEST):
        pass


async def test_prewarming_generates_nothing() -> None:
    """A pre-warm asks for no tokens, without a stream, and tells what was written to the cache."""
    asked: list[dict[str, Any]] = []

    async def warm(request: web.Request) -> web.StreamResponse:
        asked.append(await request.json())
        body = {**START["message"], "stop_reason": "max_tokens"}
        return web.json_response(body, headers=HEADERS)

    async with claude_at(warm) as claude:
        finished = await claude.prewarm(REQUEST)

    assert asked[0]["max_tokens"] == 0
    assert "stream" not in asked[0]
    assert (finished.content, finished.request_id) == ((), "req_1")
    assert finished.usage["cache_creation_input_tokens"] == 30


async def test_counting_sends_what_is_counted() -> None:
    """Counting leaves out the fields that the counting call does not take."""
    asked: list[dict[str, Any]] = []

    async def count(request: web.Request) -> web.StreamResponse:
        asked.append(await request.json())
        return web.json_response({"input_tokens": 321})

    async with claude_at(count) as claude:
        assert await claude.count_tokens({**REQUEST, "metadata": {"user_id": "x"}}) == 321
    assert {"model", "messages"} == asked[0].keys()


async def test_models() -> None:
    """Models come with their lifecycle, and an unknown one is named as such."""
    known = {
        "id": "claude-sonnet-5-5",
        "type": "model",
        "display_name": "Sonnet",
        "created_at": "2026-09-28T00:00:00Z",
        "lifecycle": "active",
        "retires_at": None,
        "max_input_tokens": 1_000_000,
        "max_tokens": 128_000,
    }

    async def models(request: web.Request) -> web.StreamResponse:
        if request.path == "/v1/models":
            return web.json_response(
                {"data": [known], "has_more": False, "first_id": None, "last_id": None}
            )
        if request.path.endswith("claude-sonnet-5-5"):
            return web.json_response(known)
        return await says(404, "not_found_error", "model: x")(request)

    async with claude_at(models) as claude:
        (listed,) = await claude.models()
        assert listed == await claude.model("claude-sonnet-5-5")
        assert (listed.lifecycle, listed.max_input_tokens) == ("active", 1_000_000)
        with pytest.raises(ModelUnknown):
            await claude.model("claude-x")


async def test_iterations_come_through() -> None:
    """Where the API went on by itself, the usage names each iteration, as the books need it."""
    listed = [
        {"type": "message", "model": "claude-sonnet-5-5", "input_tokens": 12, "output_tokens": 1},
        {"type": "fallback_message", "model": "claude-opus-5-5", "input_tokens": 14},
    ]
    delta, stop = end("end_turn")
    delta["usage"]["iterations"] = listed
    async with claude_at(streams(START, *said("Yes."), delta, stop)) as claude:
        events = [event async for event in claude.stream(REQUEST)]

    assert isinstance(events[-1], Finished)
    assert events[-1].usage["iterations"] == listed
