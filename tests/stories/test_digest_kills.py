"""A digest through power cuts at its worst moments, and with two bots at work: one batch, one row, one message."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.demo.claude.record import Exchange
from tests.postgres import Postgres
from tests.stories.account import assert_balanced
from tests.stories.night import PATIENCE, Night, Shared

pytestmark = pytest.mark.timeout(120)  # processes are started

DIGEST = "**Digest: project SHOP**"
BATCHES = "/v1/messages/batches"


@pytest.fixture(params=["sqlite", "postgres"])
async def night(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Night]:
    """A night on each engine, in which somebody wants a digest."""
    if request.param == "sqlite":
        made = Night(tmp_path)
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        made = Shared(tmp_path, postgres.clean())
    async with made as world:
        await world.wanted()
        yield world


def making(exchange: Exchange) -> bool:
    """Whether a batch was made."""
    return exchange.path == BATCHES and bool(exchange.body)


def results(exchange: Exchange) -> bool:
    """Whether a batch's results were given."""
    return exchange.path.endswith("/results")


async def posting(world: Night) -> None:
    """Let a power cut end the process as soon as its digest stands in Slack."""
    with world.slack.listen() as changes:
        async with asyncio.timeout(PATIENCE):
            async for change in changes:
                if change.kind == "message" and any(DIGEST in text for text in world.posted):
                    os.kill(world.pid, signal.SIGKILL)
                    break
    await world.kill()


async def test_a_digest_that_is_killed_again_and_again_comes_once(night: Night) -> None:
    """Between making its batch and noting that, between results and books, and as it is posted: it is paid and said once."""
    night.at(-4)
    await night.spawn()
    falling = asyncio.create_task(night.falls(making))
    night.at(-2.5)
    await falling
    (sent,) = night.rows("SELECT * FROM requests WHERE ask_id = ?", night.digest["id"])
    assert (sent["status"], sent["message_id"]) == ("open", "")

    night.at(-2)  # the batch is found, and takes until half past five
    await night.spawn()
    await night.until(lambda: night.digest["state"] == "waiting")  # it was seen under way
    falling = asyncio.create_task(night.falls(results))
    night.at(-1)
    await falling
    assert [row for row in night.books() if row["feature"] == "digest"] == []

    night.at(-0.9)
    await night.spawn()
    await night.until(lambda: [row for row in night.books() if row["feature"] == "digest"])
    await night.until(lambda: night.digest["state"] == "waiting")
    falling = asyncio.create_task(posting(night))
    night.at(0.001)
    await falling

    night.at(0.1)
    await night.spawn()
    assert (await night.ended_at(0.1))["outcome"] == "answer"
    assert [text.count(DIGEST) for text in night.posted] == [1]
    assert len(night.claude.batches.all) == 1
    assert [row["service_tier"] for row in night.booked() if row["feature"] == "digest"] == [
        "batch"
    ]
    assert_balanced(night)


async def test_two_bots_write_one_digest(tmp_path: Path, postgres: Postgres) -> None:
    """Both look what is due and both could work on it: one batch is made, and one message comes of it."""
    async with (
        Shared(tmp_path / "one", postgres.clean()) as one,
        Shared(tmp_path / "other", postgres.url, beside=one) as other,
    ):
        await one.wanted()
        one.at(-4)
        await one.start()
        await other.start(warm=False)
        one.at(-2.5)
        await one.until(lambda: one.claude.batches.all)
        await one.until(lambda: one.digest["state"] == "waiting")
        for hours in (-1.4, -1.2, -1):
            one.at(hours)
            await one.until(lambda: one.digest["state"] == "waiting")
        await one.ended_at(0.01)
        await one.idle()

        assert [text.count(DIGEST) for text in one.posted] == [1]
        assert len(one.claude.batches.all) == 1
        assert len([row for row in one.books() if row["feature"] == "digest"]) == 1
