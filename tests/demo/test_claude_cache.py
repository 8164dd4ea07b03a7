"""The stand-in Claude's prompt cache: what is written, what is read, how long it lives, who may read it."""

import asyncio
from typing import Any

import pytest

from bot.demo.claude.cache import PromptCache
from bot.demo.claude.models import catalogue
from bot.demo.claude.prompt import read_prompt
from tests.demo.test_claude_wire import ISSUE_TOOL, MODEL, Clock, ask, stream, text_of, world

SHORT = {"type": "ephemeral"}
HOUR = {"type": "ephemeral", "ttl": "1h"}
LONG = "You are a careful colleague. " * 100  # about 830 tokens


def marked(text: str, mark: dict[str, Any] = HOUR) -> list[dict[str, Any]]:
    """A system prompt with a mark at its end."""
    return [{"type": "text", "text": text, "cache_control": mark}]


class Cache:
    """The cache alone, asked with request bodies."""

    def __init__(self) -> None:
        self.cache = PromptCache()
        self.now = Clock()

    def call(self, **fields: Any) -> tuple[int, int, int, int]:
        """(read, written for 5 m, written for 1 h, uncached) of a request that is answered."""
        body = ask("Hi", **fields)
        plan = self.cache.plan(read_prompt(body, catalogue()[body["model"]]), self.now())
        self.cache.commit(plan, self.now())
        return plan.read, plan.write_5m, plan.write_1h, plan.uncached


def test_a_prefix_is_written_once_and_then_read() -> None:
    """The first request pays the write, the second reads the same tokens, the rest is uncached."""
    cache = Cache()

    read, short, hour, uncached = cache.call(system=marked(LONG))
    again = cache.call(system=marked(LONG))

    assert (read, short) == (0, 0)
    assert hour > 800
    assert again == (hour, 0, 0, uncached)


@pytest.mark.parametrize(
    ("model", "minimum"),
    [
        (MODEL, 512),
        ("claude-sonnet-5", 1024),
        ("claude-opus-4-7", 2048),
        ("claude-haiku-4-5", 4096),
    ],
)
def test_below_the_minimum_nothing_is_cached(model: str, minimum: int) -> None:
    """Each model has its minimum; below it a request is served uncached, without an error."""
    per_token = catalogue()[model].bytes_per_token

    def written(tokens: int) -> int:
        # 3 tokens are the block's own, one is lost to rounding.
        words = "x" * int((tokens - 4) * per_token)
        return Cache().call(model=model, system=marked(words))[2]

    assert written(minimum - 2) == 0
    assert written(minimum + 2) >= minimum


def test_entries_live_five_minutes_or_an_hour_and_are_renewed_by_use() -> None:
    """A use renews the life of what it reads; without one the entry dies after its time."""
    cache = Cache()
    cache.call(system=marked(LONG, SHORT))
    for _ in range(3):
        cache.now.seconds += 290
        assert cache.call(system=marked(LONG, SHORT))[0] > 0
    cache.now.seconds += 301
    assert cache.call(system=marked(LONG, SHORT))[0] == 0

    cache.call(system=marked(LONG + "!", HOUR))
    cache.now.seconds += 3_590
    assert cache.call(system=marked(LONG + "!", HOUR))[0] > 0
    cache.now.seconds += 3_601
    assert cache.call(system=marked(LONG + "!", HOUR))[0] == 0


def test_writes_are_split_by_their_lives() -> None:
    """Up to the last hour mark tokens are hour writes, behind it five-minute writes."""
    cache = Cache()
    turn = [{"role": "user", "content": "What? " * 100}]

    _, short, hour, uncached = cache.call(system=marked(LONG), messages=turn, cache_control=SHORT)

    assert hour > 800
    assert 150 < short < 250
    assert uncached == 0


def test_a_mark_that_moves_on_reads_what_was_written_before() -> None:
    """In a growing conversation each request reads up to the former mark and writes the rest."""
    cache = Cache()
    turns = [{"role": "user", "content": "Tell me. " * 100}]
    first = cache.call(system=marked(LONG), messages=turns, cache_control=SHORT)
    turns = [
        *turns,
        {"role": "assistant", "content": "No. " * 50},
        {"role": "user", "content": "Why?"},
    ]

    read, short, hour, uncached = cache.call(
        system=marked(LONG), messages=turns, cache_control=SHORT
    )

    assert read == first[1] + first[2]
    assert (hour, uncached) == (0, 0)
    assert short > 0


def test_a_mark_looks_back_twenty_blocks_and_no_further() -> None:
    """An entry 19 positions before the mark is found; at 20 it is not."""

    def read_over(extra: int) -> int:
        cache = Cache()
        start = [{"type": "text", "text": LONG}]
        cache.call(messages=[{"role": "user", "content": start}], cache_control=SHORT)
        more = [{"type": "text", "text": f"block {i}"} for i in range(extra)]
        messages = [{"role": "user", "content": [*start, *more]}]
        return cache.call(messages=messages, cache_control=SHORT)[0]

    assert read_over(19) > 0
    assert read_over(20) == 0


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({"tools": [{**ISSUE_TOOL, "description": "Changed."}]}, "nothing"),
        ({"model": "claude-opus-5-5"}, "nothing"),
        ({"system": marked(LONG + "changed")}, "tools"),
        ({"output_config": {"effort": "low"}}, "system"),
        ({"thinking": {"type": "between_tools"}}, "system"),
        ({"tool_choice": {"type": "none"}}, "system"),
        ({"metadata": {"user_id": "someone else"}}, "messages"),
    ],
)
def test_what_a_change_invalidates(change: dict[str, Any], left: str) -> None:
    """Tools and model invalidate everything, the system itself and messages, settings the messages."""
    tool: dict[str, Any] = {**ISSUE_TOOL, "description": "Read. " * 700, "cache_control": HOUR}
    base: dict[str, Any] = {
        "tools": [tool],
        "system": marked(LONG),
        "messages": [{"role": "user", "content": "What? " * 200}],
        "cache_control": SHORT,
    }
    if "tools" in change:
        change = {"tools": [{**tool, "description": tool["description"] + "!"}]}
    cache = Cache()
    whole = sum(cache.call(**base)[1:3])
    tools_only = sum(
        Cache().call(**{**base, "system": None, "messages": [{"role": "user", "content": "x"}]})[
            2:3
        ]
    )
    to_system = Cache().call(**base)[2]

    read = cache.call(**{**base, **change})[0]

    expected = {"nothing": 0, "tools": tools_only, "system": to_system, "messages": whole}
    assert read == expected[left]


def test_order_of_keys_in_a_schema_counts_and_the_mark_does_not() -> None:
    """JSON in another order is another prefix; moving a mark is not."""
    cache = Cache()
    schema = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
    turned = {**schema, "properties": {"b": {"type": "string"}, "a": {"type": "string"}}}
    tool = {"name": "look", "description": LONG, "input_schema": schema}

    cache.call(tools=[{**tool, "cache_control": HOUR}])

    assert cache.call(tools=[{**tool, "input_schema": turned, "cache_control": HOUR}])[0] == 0
    assert cache.call(tools=[tool], system=marked("More."))[0] > 0


async def test_nobody_reads_before_the_writers_response_has_begun() -> None:
    """Cold requests side by side all pay the write; after the first has begun, others read."""
    async with world(ttft=0.05) as (stand_in, client):
        request = ask("Hi", system=marked(LONG))
        together = await asyncio.gather(*(stream(client, request) for _ in range(3)))
        later = await stream(client, request)

    assert [m.usage.cache_read_input_tokens for m in together] == [0, 0, 0]
    assert all((m.usage.cache_creation_input_tokens or 0) > 800 for m in together)
    assert later.usage.cache_read_input_tokens == together[0].usage.cache_creation_input_tokens
    assert len(stand_in.cache) == 1


async def test_prewarming_writes_and_says_nothing() -> None:
    """`max_tokens=0` writes the marks, generates nothing, and the next request reads them."""
    async with world() as (_, client):
        warm = await client.messages.create(**ask("x", system=marked(LONG), max_tokens=0))
        message = await client.messages.create(**ask("Hello", system=marked(LONG)))

    assert (warm.content, warm.stop_reason, warm.usage.output_tokens) == ([], "max_tokens", 0)
    assert warm.usage.cache_creation
    assert warm.usage.cache_creation.ephemeral_1h_input_tokens > 800
    assert message.usage.cache_read_input_tokens == warm.usage.cache_creation_input_tokens


async def test_the_sum_of_all_counts_is_the_whole_input() -> None:
    """Input, read and written tokens of any request add up to what count_tokens gives."""
    async with world() as (_, client):
        for words in ("One", "Two", "One"):
            request = ask(words, system=marked(LONG), tools=[ISSUE_TOOL])
            usage = (await stream(client, request)).usage
            counted = await client.messages.count_tokens(
                **{k: v for k, v in request.items() if k != "max_tokens"}
            )
            total = (
                usage.input_tokens
                + (usage.cache_read_input_tokens or 0)
                + (usage.cache_creation_input_tokens or 0)
            )
            assert total == counted.input_tokens


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model": "claude-opus-5-5"}, "model_changed"),
        ({"tools": [{**ISSUE_TOOL, "description": "Other."}]}, "tools_changed"),
        ({"system": marked(LONG + "!")}, "system_changed"),
        ({"messages": [{"role": "user", "content": "Other words"}]}, "messages_changed"),
        ({"output_config": {"effort": "low"}}, "messages_changed"),
        ({}, None),
    ],
)
async def test_diagnostics_compare_truly(change: dict[str, Any], reason: str | None) -> None:
    """The reason of a cache miss is found by comparing with the request that is named."""
    base = ask("Hi there", system=marked(LONG), tools=[ISSUE_TOOL])
    async with world() as (_, client):
        first = await client.messages.create(**base, diagnostics={"previous_message_id": None})
        asked: dict[str, Any] = {"diagnostics": {"previous_message_id": first.id}}
        then = await client.messages.create(**{**base, **change, **asked})
        lost = await client.messages.create(
            **base, diagnostics={"previous_message_id": "msg_unknown"}
        )

    assert first.diagnostics is None
    found = then.diagnostics.cache_miss_reason if then.diagnostics else None
    assert (found.type if found else None) == reason
    if found and found.type == "system_changed":
        assert found.cache_missed_input_tokens > 800
    assert lost.diagnostics
    assert lost.diagnostics.cache_miss_reason
    assert lost.diagnostics.cache_miss_reason.type == "previous_message_not_found"
    assert "Hi there" in text_of(first)
