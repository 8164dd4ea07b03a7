"""Batches over a real socket, by the real SDK: how they go on, what becomes of a request, and each way to fail."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from anthropic import AsyncAnthropic, BadRequestError, DefaultAioHttpClient

from bot.demo.claude import ClaudeStandIn
from bot.demo.claude.batches import Batch as Made
from integrations.claude_batches import LISTED, Batches
from integrations.claude_errors import BadCredentials, Broken, ModelUnknown

HOUR = 3600.0
REQUEST: dict[str, Any] = {
    "model": "claude-haiku-5-5",
    "max_tokens": 1_000,
    "messages": [{"role": "user", "content": "Is 7 prime?"}],
}


class Clock:
    """A time that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1_790_000_000.0

    def __call__(self) -> float:
        """The present, in epoch seconds."""
        return self.seconds


@asynccontextmanager
async def world(*, key: str = "") -> AsyncGenerator[tuple[ClaudeStandIn, Clock, Batches]]:
    """A stand-in whose batches take an hour, its clock, and our client."""
    clock = Clock()
    stand_in = ClaudeStandIn(now=clock)
    stand_in.batches.seconds = HOUR
    await stand_in.start()
    try:
        async with AsyncAnthropic(
            base_url=stand_in.url,
            api_key=key or stand_in.api_key,
            max_retries=0,
            http_client=DefaultAioHttpClient(),
        ) as client:
            yield stand_in, clock, Batches(client)
    finally:
        await stand_in.stop()


async def test_a_batch_ends_and_has_its_answer() -> None:
    """It is on its way until its time has come; then the answer is there, at a batch's tier."""
    async with world() as (_, clock, batches):
        made = await batches.create("digest-1", REQUEST)
        assert not made.ended
        clock.seconds += HOUR - 1
        assert not (await batches.look(made.id)).ended
        clock.seconds += 1
        assert (await batches.look(made.id)).ended
        line = await batches.line(made.id, "digest-1")

        assert line is not None
        assert line.outcome == "succeeded"
        assert line.message is not None
        assert line.message["usage"]["service_tier"] == "batch"
        assert line.message["content"][-1]["type"] == "text"
        assert await batches.line(made.id, "another") is None


async def test_a_batch_that_is_not_done_in_a_day_expires() -> None:
    """After a day what was not done is not done any more."""
    async with world() as (stand_in, clock, batches):
        stand_in.batches.seconds = 30 * HOUR
        made = await batches.create("digest-1", REQUEST)
        clock.seconds += 24 * HOUR
        assert (await batches.look(made.id)).ended
        line = await batches.line(made.id, "digest-1")

        assert line is not None
        assert (line.outcome, line.message) == ("expired", None)


async def test_a_batch_can_be_given_up() -> None:
    """What was given up before its time came is not answered."""
    async with world() as (stand_in, clock, batches):
        made = await batches.create("digest-1", REQUEST)
        await batches.cancel(made.id)
        clock.seconds += 2 * HOUR
        assert (await batches.look(made.id)).ended
        line = await batches.line(made.id, "digest-1")

        assert line is not None
        assert line.outcome == "canceled"
        assert stand_in.served == []


async def test_what_is_wrong_in_a_request_comes_with_the_results() -> None:
    """The batch is taken all the same, and the request's line names the kind of error."""
    async with world() as (_, clock, batches):
        made = await batches.create("digest-1", {**REQUEST, "temperature": 1})
        clock.seconds += HOUR
        line = await batches.line(made.id, "digest-1")

        assert line is not None
        assert (line.outcome, line.error) == ("errored", "invalid_request_error")


async def test_a_refusal_is_a_success_of_its_own_kind() -> None:
    """The line has the message with its stop reason and category."""
    async with world() as (stand_in, clock, batches):
        stand_in.troubles.refuse_next("bio")
        made = await batches.create("digest-1", REQUEST)
        clock.seconds += HOUR
        line = await batches.line(made.id, "digest-1")

        assert line is not None
        assert line.message is not None
        assert (line.message["stop_reason"], line.message["refusal_category"]) == ("refusal", "bio")


async def test_a_batch_that_nobody_heard_of_is_among_the_newest() -> None:
    """Where the connection breaks after it was made, it is found in the list, with its moment and its size."""
    async with world() as (stand_in, clock, batches):
        before = await batches.create("digest-1", REQUEST)
        clock.seconds += 60
        stand_in.batches.cut = 1
        with pytest.raises(Broken) as broken:
            await batches.create("digest-2", REQUEST)
        newest, other = await batches.recent()

        assert broken.value.facts.may_be_billed
        assert (newest.created, newest.requests) == (clock(), 1)
        assert other.id == before.id


async def test_older_batches_are_listed_page_by_page() -> None:
    """A page has so many batches; the next one begins behind its last, down to the oldest."""
    async with world() as (stand_in, clock, batches):
        stand_in.batches.all = [Made(f"msgbatch_{n}", {}, clock()) for n in range(LISTED + 2)]
        first = await batches.recent()
        rest = await batches.recent(before=first[-1].id)

        assert [one.id for one in first] == [f"msgbatch_{n}" for n in range(LISTED + 1, 1, -1)]
        assert [one.id for one in rest] == ["msgbatch_1", "msgbatch_0"]
        assert await batches.recent(before=rest[-1].id) == []


async def test_each_failure_has_its_name() -> None:
    """A wrong key and an unknown batch are told apart."""
    async with world(key="sk-ant-other") as (_, _, batches):
        with pytest.raises(BadCredentials):
            await batches.create("digest-1", REQUEST)
    async with world() as (_, _, batches):
        with pytest.raises(ModelUnknown):
            await batches.look("msgbatch_none")


@pytest.mark.parametrize(
    "requests",
    [
        [],
        [{"custom_id": "no spaces", "params": REQUEST}],
        [{"custom_id": "twice", "params": REQUEST}] * 2,
        [{"custom_id": "x" * 65, "params": REQUEST}],
    ],
    ids=["none", "spaces", "twice", "long"],
)
async def test_the_stand_in_refuses_at_once_what_the_api_refuses_at_once(requests: Any) -> None:
    """Ids that cannot stand, and a batch of nothing, make no batch."""
    async with world() as (stand_in, _, batches):
        with pytest.raises(BadRequestError):
            await batches._client.messages.batches.create(requests=requests)

        assert stand_in.batches.all == []


async def test_the_stand_in_lists_page_by_page() -> None:
    """The newest come first, and the SDK's own pages go through them all."""
    async with world() as (_, clock, batches):
        made = [(await batches.create(f"digest-{n}", REQUEST)).id for n in range(3)]
        found = [one.id async for one in batches._client.messages.batches.list(limit=2)]
        shown = await batches._client.messages.batches.retrieve(made[0])

        assert found == made[::-1]
        assert shown.created_at == datetime.fromtimestamp(clock(), UTC)
        assert (shown.expires_at - shown.created_at).total_seconds() == 24 * HOUR
        assert (shown.processing_status, shown.request_counts.processing) == ("in_progress", 1)
        assert shown.results_url is None
