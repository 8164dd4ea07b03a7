"""Cold starts in parallel: one request writes what all share, the others wait for its answer to begin and read it."""

import asyncio

import pytest

from bot.demo.claude.reply import Draft
from bot.turn.starts import LASTS_SECONDS, Starts
from tests.bot import test_turn
from tests.bot.test_turn import World, brief_of

world = test_turn.world  # the fixture


async def test_parallel_asks_pay_for_one_beginning(world: World) -> None:
    """Of three asks at once on a cold cache one writes the system prompt, and the others read it."""
    world.script(Draft("Yes."))
    world.claude.ttft = 0.05
    leases = [await world.take_elsewhere(n) for n in (1, 2, 3)]

    async def one(n: int) -> None:
        async for _ in world.stream(leases[n], brief_of()):
            pass

    await asyncio.gather(*(one(n) for n in range(3)))
    rows = await world.rows()
    written = [row.cache_write_1h_tokens for row in rows]

    assert sorted(written) == [0, 0, max(written)]
    assert sum(row.cache_read_tokens >= max(written) > 1_024 for row in rows) == 2


async def test_the_next_one_writes_where_the_first_failed() -> None:
    """Who waited goes on when the first one fails, one by one until an answer begins, and not only when it ends."""
    made, order = Starts(), list[str]()

    async def request(name: str, *, answers: bool) -> None:
        async with made.turn("h", lambda: 0.0) as begun:
            order.append(name)
            await asyncio.sleep(0)
            if answers:
                begun()
                await asyncio.sleep(0.02)
                order.append(f"{name} ends")

    await asyncio.gather(
        request("a", answers=False), request("b", answers=True), request("c", answers=True)
    )

    assert order == ["a", "b", "c", "b ends", "c ends"]


@pytest.mark.parametrize(("head", "at"), [("", 0.0), ("h", LASTS_SECONDS), ("other", 0.0)])
async def test_nobody_waits_where_nothing_is_won(head: str, at: float) -> None:
    """A beginning that is in cache, one that is nobody else's, and one of another model go at once."""
    made = Starts()
    made.begun("h", 0.0)
    cold = made.turn("h", lambda: LASTS_SECONDS + 1)
    async with cold, asyncio.timeout(1.0), made.turn(head, lambda: at):
        pass


async def test_nobody_waits_for_long() -> None:
    """Where the first one is silent, the next goes on without it."""
    made = Starts(wait=0.01)
    async with made.turn("h", lambda: 0.0), asyncio.timeout(1.0), made.turn("h", lambda: 0.0):
        pass
