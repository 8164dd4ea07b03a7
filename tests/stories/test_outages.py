"""Slack, Claude or the database is away for long while many ask: nobody is forgotten, told twice or asked for in vain."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from bot.demo.claude import Trouble
from bot.demo.claude.errors import Problem
from bot.demo.slack import Message, SlackStandIn
from bot.governor.breaker import FAILURES, REST_AT_MOST
from tests.postgres import Postgres
from tests.stories.account import assert_balanced
from tests.stories.replicas import Replica
from tests.stories.world import World

MANY = 6
TEN_MINUTES = 600.0
FOR_EVER = 10_000  # times
SORRY = (
    "Claude cannot be reached from here",
    "Claude is overloaded right now",
    "Claude does not answer",
)
UNREACHABLE = (
    'purser_claude_attempts_total{model="claude-sonnet-5-5",status="Unreachable"}'  # a metric
)
CROWDED = "person_in_flight = 50\nchannel_in_flight = 50"


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


class Way:
    """The way to Claude, which can be shut: who calls then is refused at once."""

    def __init__(self, url: str) -> None:
        self._host, self._port = "127.0.0.1", int(url.rpartition(":")[2])
        self._server: asyncio.Server | None = None
        self._through: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def open(self) -> None:
        """Let calls through, at the port that it has."""
        self._server = await asyncio.start_server(self._carry, self._host, self.port)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def shut(self) -> None:
        """Refuse connections, and cut those that stand."""
        assert self._server is not None
        self._server.close()
        for writer in self._through:
            writer.transport.abort()
        await self._server.wait_closed()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._host, self._port)
        ends = {writer, back}
        self._through |= ends
        try:
            await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
        finally:
            self._through -= ends

    @staticmethod
    async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()


async def test_claude_is_away_for_ten_minutes(tmp_path: Path) -> None:
    """Unreachable, then overloaded, then back: few calls, everybody is told once at most, and who can wait is answered."""
    async with World(
        tmp_path, slack=SlackStandIn(limits=False), policy=CROWDED, swift=True
    ) as world:
        way = Way(world.claude.url)
        await way.open()
        world.set["ANTHROPIC_BASE_URL"] = f"http://127.0.0.1:{way.port}"
        await world.start()
        running, roots = at_work(), list[Message]()
        await way.shut()
        for minute in range(10):
            if minute == 5:
                world.claude.troubles.add(Trouble(problem=Problem(529)), FOR_EVER)
                await way.open()
            root = await world.slack.say("ana", "#shop-dev", f"@purser What is {minute}*7?")
            roots.append(root)
            await world.until(lambda root=root: (world.ask_of(root) or {}).get("attempt"))
            for _ in range(30):
                world.later += 2.0
                await asyncio.sleep(0.005)
        refused, overloaded = await world.metric(UNREACHABLE), len(world.asked)
        world.claude.troubles.clear()
        world.later += REST_AT_MOST
        roots.append(await world.slack.say("ben", "#shop-dev", "@purser What is 10*7?"))
        await world.idle()
        ends = [str((world.ask_of(root) or {})["outcome"]) for root in roots]
        told = [world.words(root) for root in roots]
        sorry = [words for words in told if words.startswith(SORRY)]
        await way.shut()

        assert FAILURES <= refused + overloaded < 4 * FAILURES
        assert Counter(ends) == Counter(failed=len(sorry), answer=len(roots) - len(sorry))
        assert 1 <= len(sorry) < len(roots) * 3 / 4  # who tried; whoever came later waits for them
        assert "10*7 = 70" in told[-1]
        assert_balanced(world)
        await world.until(lambda: at_work() <= running)


async def test_the_database_is_away_for_a_minute(tmp_path: Path, postgres: Postgres) -> None:
    """Who was at work goes on, what came meanwhile comes again: each is answered once, admins hear of it once, nothing piles up."""
    slack = SlackStandIn(limits=False, retry_delays=(0.1,) * 100)
    url = postgres.clean()
    async with Replica(tmp_path / "one", url, slack=slack, policy=CROWDED, drain=0.1) as one:
        await one.start()
        one.listen()
        running = at_work()
        one.claude.troubles.add(Trouble(ttft=1.0), MANY)
        roots = await ask_many(one, "What is {n}*7?")
        await one.until(lambda: len(one.asked) == MANY)
        with postgres.away():
            roots += await ask_many(one, "What is {n}+70?")
            ready = await one.status("/readyz")
            one.ahead += 60.0
            await one.until(lambda: all(e.state != "open" for e in one.asked))
            busy = at_work()
        one.claude.troubles.clear()
        answers = [await one.answered(root) for root in roots]
        await one.idle()
        alerts = await one.until(
            lambda: one.rows("SELECT body FROM asks WHERE key LIKE ?", "alert:store:%")
        )

        assert ready == 503
        assert [f"{n}*7 = {n * 7}" in answers[n] for n in range(MANY)] == [True] * MANY
        assert [f"{n}+70 = {n + 70}" in answers[MANY + n] for n in range(MANY)] == [True] * MANY
        assert len(alerts) == 1
        booked = Counter(row["status"] for row in one.booked())
        assert booked == Counter(unconfirmed=MANY, settled=2 * MANY)
        assert busy.total() < running.total() + 8 * MANY
        await one.until(lambda: at_work() <= running)
