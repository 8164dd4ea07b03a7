"""Slack, Claude or the database is away for long while many ask: nobody is forgotten, told twice or asked for in vain."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.demo.slack import Message, SlackStandIn
from tests.stories.account import assert_balanced
from tests.stories.world import World

MANY = 6
TEN_MINUTES = 600.0


async def ask_many(world: World, words: str) -> list[Message]:
    """Many ask at once, each in a thread of their own."""
    return [
        await world.slack.say(
            "ana" if n % 2 else "ben", "#shop-dev", f"@purser {words.format(n=n)}"
        )
        for n in range(MANY)
    ]


def put_off(world: World) -> bool:
    """Whether everybody's ask is kept for later."""
    asks, now = world.asks(), time.time() + world.ahead
    return len(asks) >= MANY and all(
        a["state"] == "waiting" and a["not_before"] > now for a in asks
    )


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A world whose Slack keeps no rate limits, so that many are answered at once."""
    async with World(tmp_path, slack=SlackStandIn(limits=False)) as made:
        yield await made.start()


def at_work() -> Counter[str]:
    """What runs in this process, whoever's it is; open connections of the stand-ins left out."""
    names = (str(getattr(task.get_coro(), "__qualname__", "")) for task in asyncio.all_tasks())
    return Counter(name for name in names if not name.startswith("RequestHandler."))


async def test_slack_is_away_for_ten_minutes(world: World) -> None:
    """What is asked while Slack takes no call is answered when it does, once each, and meanwhile it is called seldom."""
    running = at_work()
    world.slack.troubles.down["*"] = "fatal_error"
    roots = await ask_many(world, "What is {n}*7?")
    await world.until(lambda: put_off(world))
    before = len(world.slack.log)
    world.ahead += TEN_MINUTES
    await world.until(lambda: put_off(world))  # all were tried once more
    calls, asked = len(world.slack.log) - before, len(world.asked)
    world.slack.troubles.down.clear()
    world.ahead += TEN_MINUTES

    for n, root in enumerate(roots):
        assert f"{n}*7 = {n * 7}" in await world.answered(root)
    await world.idle()
    assert asked == 0
    assert len(world.asked) == MANY
    assert calls <= 12 * MANY
    assert_balanced(world)
    await world.until(lambda: at_work() <= running)
