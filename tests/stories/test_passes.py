"""Large changes are read in passes: what is found once, what the passes share, and what happens when one fails."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.demo.claude import Trouble
from bot.demo.claude.record import Exchange
from tests.stories.account import assert_balanced, assert_paid_once
from tests.stories.world import Row, World

BUG = 'def find(db, name):\n    return db.execute(f"SELECT * FROM buyer WHERE name = \'{name}\'")\n'
LOOSE = "confirm_above_usd = 10\nask_limit_usd = 10"
FOR_EVER = 3600.0


@pytest.fixture
async def large(tmp_path: Path) -> AsyncIterator[World]:
    """A world in which nobody is asked for their word before a large review."""
    async with World(tmp_path, policy=LOOSE) as world:
        yield await world.start()


def module(lines: int, bug: str = "") -> str:
    """A module with nothing wrong in it, and perhaps a bug at its end."""
    return "".join(f"value_{n} = {n} + {n}  # plain\n" for n in range(lines)) + bug


def push(world: World, files: dict[str, str], number: int = 8) -> str:
    """Add files to a pull request; its address."""
    world.github.repositories["shop/checkout"].push(number, files, "Much")
    return f"{world.github.url}/shop/checkout/pull/{number}"


def three(bugs: bool = True) -> dict[str, str]:
    """Three modules that each fill a pass, with a bug in two of them."""
    bug = BUG if bugs else ""
    return {
        "src/auth.py": module(900, bug),
        "src/orders.py": module(900),
        "src/pay.py": module(900, bug),
    }


def passes(world: World) -> list[Exchange]:
    """The requests that were passes."""
    return [e for e in world.asked if e.body and "format" in e.body.get("output_config", {})]


def usage(exchange: Exchange) -> Row:
    """What a request was billed."""
    assert exchange.usage is not None
    return dict(exchange.usage)


async def review(world: World, url: str, words: str = "review") -> str:
    """The answer to a review of an address."""
    root = await world.slack.say("ana", "#shop-dev", f"@purser {words} {url}")
    return await world.answered(root, 60.0)


async def test_planted_bugs_are_found_once_each(large: World) -> None:
    """Each bug of a change in several passes stands once in the answer, at its line, under exact coverage."""
    answer = await review(large, push(large, three()))

    assert len(passes(large)) == 3
    assert answer.count("src/auth.py:902") == 1
    assert answer.count("src/pay.py:902") == 1
    assert answer.count("Read: ") == 1
    assert "Read: 5 of 5 files, 2,729 of 2,729 changed lines." in answer
    assert_balanced(large)
    assert_paid_once(large)
