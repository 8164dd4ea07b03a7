"""The stand-in Claude on the wire: the real SDK works with it, unmodified."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic import AsyncAnthropic
from anthropic.types import Message

from bot.demo.claude import ClaudeStandIn
from bot.demo.claude.record import Exchange

MODEL = "claude-sonnet-5-5"
ISSUE_TOOL: dict[str, Any] = {
    "name": "jira_get_issue",
    "description": "Read a ticket.",
    "input_schema": {
        "type": "object",
        "properties": {"key": {"type": "string"}},
        "required": ["key"],
    },
}


class Clock:
    """A time that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1_790_000_000.0

    def __call__(self) -> float:
        """The present, in epoch seconds."""
        return self.seconds


@asynccontextmanager
async def world(
    **settings: Any,
) -> AsyncGenerator[tuple[ClaudeStandIn, AsyncAnthropic]]:
    """A stand-in and a real client that speaks to it."""
    stand_in = ClaudeStandIn(**settings)
    await stand_in.start()
    try:
        async with AsyncAnthropic(
            base_url=stand_in.url, api_key=stand_in.api_key, max_retries=0
        ) as client:
            yield stand_in, client
    finally:
        await stand_in.stop()


def ask(text: str, **fields: Any) -> dict[str, Any]:
    """A request of one question."""
    request: dict[str, Any] = {
        "model": MODEL,
        "max_tokens": 4_000,
        "messages": [{"role": "user", "content": text}],
    }
    return {**request, **fields}


async def stream(client: AsyncAnthropic, request: Mapping[str, Any]) -> Message:
    """Stream an answer to its end."""
    async with client.messages.stream(**request) as answer:
        return await answer.get_final_message()


def text_of(message: Message) -> str:
    """The text of an answer."""
    return "".join(block.text for block in message.content if block.type == "text")


async def test_a_stream_has_the_events_of_the_api_in_their_order() -> None:
    """A streamed answer begins, opens, fills and closes its blocks, and ends, as documented."""
    async with world() as (_, client):
        request = ask("Where is SHOP-12?", tools=[ISSUE_TOOL])
        events = [e async for e in await client.messages.create(**request, stream=True)]

    kinds = [event.type for event in events]
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert kinds.count("content_block_start") == kinds.count("content_block_stop") == 3
    deltas = [e.delta.type for e in events if e.type == "content_block_delta"]
    assert deltas == ["signature_delta", "signature_delta", "input_json_delta"]


async def test_json_and_stream_say_the_same() -> None:
    """The same ask gives the same content and usage in both forms."""
    async with world() as (_, client):
        whole = await client.messages.create(**ask("What about Zorbnik-7?"))
        streamed = await stream(client, ask("What about Zorbnik-7?"))

    assert text_of(whole) == text_of(streamed)
    assert whole.usage.to_dict() == streamed.usage.to_dict()
    assert whole.stop_reason == streamed.stop_reason == "end_turn"
    assert whole.id != streamed.id


async def test_the_program_says_what_it_is_once() -> None:
    """The first answer of a conversation says that it comes from a program; later ones don't."""
    async with world() as (_, client):
        first = await client.messages.create(**ask("Hello there"))
        messages = [
            {"role": "user", "content": "Hello there"},
            {"role": "assistant", "content": text_of(first)},
            {"role": "user", "content": "And now?"},
        ]
        second = await client.messages.create(**ask("", messages=messages))

    assert "not the model" in text_of(first)
    assert "not the model" not in text_of(second)
    assert "Hello there" in text_of(second)


async def test_what_was_served_is_what_the_client_was_told() -> None:
    """The served record and the client's last message agree in id, model and every count."""
    async with world() as (stand_in, client):
        message = await stream(client, ask("Review nothing, please"))
        await stand_in.wait_for(lambda: stand_in.log[0].ended)

    (served,) = stand_in.served
    assert (served.message_id, served.model) == (message.id, message.model)
    told = message.usage.to_dict()
    assert {name: served.usage[name] for name in told} == told
    assert served.billed
    assert served.complete
    exchange = stand_in.log[0]
    assert exchange.request_id == exchange.response_headers["request-id"]
    assert "authorization" not in exchange.headers
    assert "x-api-key" not in exchange.headers


async def test_max_tokens_and_stop_sequences_end_an_answer() -> None:
    """An answer never has more tokens than allowed, and ends before a stop sequence."""
    async with world() as (_, client):
        short = await client.messages.create(**ask("Tell me of Quexil", max_tokens=24))
        stopped = await client.messages.create(
            **ask("Tell me of Quexil", stop_sequences=["Quexil"])
        )

    assert short.stop_reason == "max_tokens"
    assert short.usage.output_tokens <= 24
    assert (stopped.stop_reason, stopped.stop_sequence) == ("stop_sequence", "Quexil")
    assert "Quexil" not in text_of(stopped)


async def test_models_tell_their_life_and_their_limits() -> None:
    """The Models API lists what can be called and tells lifecycle, retirement, limits and abilities."""
    async with world() as (stand_in, client):
        listed = [model.id async for model in client.models.list(limit=3)]
        old = await client.models.retrieve("claude-sonnet-4-5")
        sonnet = await client.models.retrieve(MODEL)
        retired = await client.models.retrieve("claude-sonnet-4-20250514")
        stand_in.change_model(MODEL, lifecycle="deprecated", retires="2027-01-01T00:00:00Z")
        changed = await client.models.retrieve(MODEL)
        with pytest.raises(anthropic.NotFoundError):
            await client.models.retrieve("claude-none-1")

    assert listed[:2] == ["claude-fable-5-2", "claude-haiku-5-5"]
    assert "claude-sonnet-4-20250514" not in listed
    assert (old.lifecycle, old.retires_at and old.retires_at.year) == ("deprecated", 2026)
    assert (sonnet.max_tokens, sonnet.max_input_tokens) == (128_000, 1_000_000)
    assert sonnet.capabilities
    assert not sonnet.capabilities.thinking.types.disabled.supported
    assert retired.lifecycle == "retired"
    assert changed.lifecycle == "deprecated"


async def test_counted_tokens_are_those_that_are_billed() -> None:
    """count_tokens gives what the same request then has as its whole input."""
    request = ask("How long is this?", system="You count.", tools=[ISSUE_TOOL])
    async with world() as (_, client):
        counted = await client.messages.count_tokens(
            **{k: v for k, v in request.items() if k != "max_tokens"}
        )
        message = await client.messages.create(**request)

    assert counted.input_tokens == message.usage.input_tokens


async def test_a_wrong_key_and_a_wrong_path_are_told_in_the_shape_of_the_api() -> None:
    """A wrong key is a 401, an unknown path a 404, each with type, message and request id."""
    async with world() as (stand_in, client):
        with pytest.raises(anthropic.AuthenticationError) as caught:
            await client.with_options(api_key="sk-ant-wrong").messages.create(**ask("Hi"))
        async with httpx2.AsyncClient() as bare:
            headers = {"x-api-key": stand_in.api_key, "anthropic-version": "2026-10-21"}
            lost = await bare.get(f"{stand_in.url}/v1/nothing", headers=headers)

    assert caught.value.type == "authentication_error"
    assert caught.value.request_id
    assert lost.status_code == 404
    assert lost.json()["error"]["type"] == "not_found_error"
    assert lost.json()["request_id"] == lost.headers["request-id"]


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[]", 400), (b'"' + b"x" * (33 * 1024 * 1024) + b'"', 413)],
)
async def test_bodies_that_are_no_request_are_refused(body: bytes, status: int) -> None:
    """Broken JSON, another shape, and more than 32 MB are refused with an error body."""
    async with world() as (stand_in, _), httpx2.AsyncClient() as bare:
        answer = await bare.post(
            f"{stand_in.url}/v1/messages",
            content=body,
            headers={"x-api-key": stand_in.api_key, "anthropic-version": "2026-10-21"},
        )

    assert answer.status_code == status
    assert answer.json()["type"] == "error"


async def test_pace_and_first_event_are_what_was_set() -> None:
    """`ttft` holds back the first event, `tokens_per_second` the text."""
    async with world(ttft=0.05, tokens_per_second=1_000.0) as (stand_in, client):
        message = await stream(client, ask("Say something of Blivet"))
        await stand_in.wait_for(lambda: stand_in.log[0].ended)

    exchange = stand_in.log[0]
    assert exchange.began
    assert exchange.ended
    assert exchange.began - exchange.at >= 0.05
    least = (
        message.usage.output_tokens
        - stand_in.served[0].usage["output_tokens_details"]["thinking_tokens"]
    ) / 1_000
    assert exchange.ended - exchange.began >= least * 0.8


async def test_a_client_that_hangs_up_is_noticed_and_billed_for_what_was_generated() -> None:
    """When the client closes in mid-answer, the record says so and counts what went out."""
    async with world(tokens_per_second=50.0) as (stand_in, client):
        async with client.messages.stream(**ask("Tell me of Wuzzle and of Fizzgig")) as answer:
            async for _ in answer.text_stream:
                break
        await stand_in.wait_for(lambda: stand_in.log[0].ended)

    (served,) = stand_in.served
    assert stand_in.log[0].state == "client_gone"
    assert served.billed
    assert not served.complete
    assert 0 < served.usage["output_tokens"] < 60


async def test_hundreds_of_streams_go_side_by_side() -> None:
    """200 streams at a time all end whole, each with an id of its own."""
    async with world() as (stand_in, client):
        messages = await asyncio.gather(
            *(stream(client, ask(f"What of ticket number{i}x?")) for i in range(200))
        )

    assert len({message.id for message in messages}) == 200
    assert all(f"number{i}x" in text_of(message) for i, message in enumerate(messages))
    assert len(stand_in.served) == 200


async def test_listeners_hear_of_each_change_until_they_leave() -> None:
    """A listener is told when a request arrives, begins and ends; not after it has left."""
    heard: list[tuple[str, int]] = []

    def note(exchange: Exchange) -> None:
        heard.append((exchange.state, exchange.status))

    async with world() as (stand_in, client):
        leave = stand_in.listen(note)
        await client.messages.create(**ask("Hi"))
        await stand_in.wait_for(lambda: stand_in.log[0].ended)
        leave()
        await client.messages.create(**ask("Hi"))

    assert heard == [("open", 0), ("open", 200), ("done", 200)]


async def test_a_json_schema_is_answered_in_its_shape() -> None:
    """With an output format the text is JSON that has the schema's fields."""
    schema = {
        "type": "object",
        "properties": {"words": {"type": "string"}, "count": {"type": "integer"}},
        "required": ["words", "count"],
        "additionalProperties": False,
    }
    shape = {"format": {"type": "json_schema", "schema": schema}}
    async with world() as (_, client):
        message = await client.messages.create(**ask("Tell me of Gloop", output_config=shape))

    said = json.loads(text_of(message))
    assert set(said) == {"words", "count"}
    assert "Gloop" in said["words"]
