"""The database cannot grow, or is locked: nothing is acknowledged that is not on disk, and nothing is half-answered."""

import asyncio
import resource
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.demo.claude import Trouble
from bot.demo.slack import SlackStandIn
from bot.demo.terminal import words_of
from tests.stories.account import assert_balanced
from tests.stories.world import World

QUESTION = "@purser What is 6*7?"
MANY = 4
SOON = (0.1, 0.5, 3.0, 6.0)  # seconds before each redelivery; minutes in life

pytestmark = [
    pytest.mark.timeout(120),  # processes are started
    pytest.mark.skipif(
        not hasattr(resource, "prlimit"), reason="another process's limits are set on Linux alone"
    ),
]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A world with the bot in a process of its own, whose disk can be filled."""
    async with World(tmp_path, slack=SlackStandIn(retry_delays=SOON)) as made:
        yield await made.spawn()


@contextmanager
def full_disk(world: World) -> Generator[None]:
    """No file of the bot's process takes a byte more, as on a full disk."""
    before = resource.prlimit(world.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(world.pid, resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.prlimit(world.pid, resource.RLIMIT_FSIZE, before)


async def test_an_event_on_a_full_disk_is_not_acknowledged(world: World) -> None:
    """What cannot be written down is not acknowledged: Slack sends it again, and it is answered once there is room."""
    with full_disk(world):
        root = await world.slack.say("ana", "#shop-dev", QUESTION)
        await world.until(lambda: deliveries(world) >= 2)
        healthy = await world.status("/readyz")
    kept = world.asks()

    assert "6*7 = 42" in await world.answered(root, 20)
    await world.idle(20)
    assert kept == []
    assert healthy == 503
    assert len(world.asks()) == 1
    assert len(world.asked) == 1
    assert await world.status("/readyz") == 200


def deliveries(world: World) -> int:
    """How often Slack has sent an event."""
    return sum(1 for line in world.slack.log if line.method == "events_api")


async def test_a_command_on_a_full_disk_gets_an_apology(world: World) -> None:
    """Slack never sends a command again, so the person is told at once that it will not be done."""
    with full_disk(world):
        ack = await world.slack.command("ana", "#shop-dev", "/summarize", "SHOP-12")

    assert ack.acked
    assert "I could not write that down, so it will not be done." in ack.text
    await world.idle()
    assert world.asks() == []
    assert world.asked == []


async def test_a_disk_that_fills_in_mid_answer(world: World) -> None:
    """A disk that fills while Claude speaks ends in no half answer: with room again, the ask is answered whole."""
    world.claude.troubles.slow(ttft=1.0)
    root = await world.slack.say("ana", "#shop-dev", QUESTION)
    await world.until(lambda: world.asked)
    with full_disk(world):
        await world.until(lambda: world.asked[0].state == "done")
        await asyncio.sleep(0.1)
        half = [words_of(m) for m in world.said(root) if words_of(m)]

    assert "6*7 = 42" in await world.answered(root)
    assert half == []
    await world.until(lambda: len(world.booked()) > 1)  # what was lost is booked with the ask's end
    lost, answered = world.booked()
    assert (lost["status"], answered["status"]) == ("unconfirmed", "settled")
    assert answered["message_id"] == world.asked[1].message_id
    await world.until(lambda: alerts(world))
    assert len(alerts(world)) == 1
    assert "What cannot be booked is not asked" in alerts(world)[0]
    assert "the disk does not read or write; check it" in alerts(world)[0]


def alerts(world: World) -> list[str]:
    """What admins were told of the database."""
    rows = world.rows("SELECT body FROM asks WHERE key LIKE 'alert:store:%'")
    return [str(row["body"]) for row in rows]


async def test_a_disk_that_stays_full_while_many_are_at_work(world: World) -> None:
    """However many are at work, nobody's ask is lost or answered twice, admins are told once, and the process goes on."""
    world.claude.troubles.add(Trouble(ttft=1.0), MANY)  # none has ended when the disk is full
    roots = [
        await world.slack.say("ana", "#shop-dev", f"@purser What is {n}*7?") for n in range(MANY)
    ]
    await world.until(lambda: len(world.asked) == MANY)
    pid = world.pid
    with full_disk(world):
        await world.until(lambda: all(e.state != "open" for e in world.asked))
        sent = deliveries(world)
        late = await world.slack.say("ben", "#shop-dev", QUESTION)
        await world.until(lambda: deliveries(world) >= sent + 2)  # once more
        said = [m for root in roots for m in world.said(root) if words_of(m)]
    world.claude.troubles.clear()

    for n, root in enumerate(roots):
        assert f"{n}*7 = {n * 7}" in await world.answered(root)
    assert "6*7 = 42" in await world.answered(late)
    assert said == []
    assert world.pid == pid
    assert len(world.asked) == 2 * MANY + 1
    await world.until(lambda: alerts(world))
    assert len(alerts(world)) == 1
    states = Counter(row["status"] for row in world.booked())
    assert states == {"unconfirmed": MANY, "settled": MANY + 1}


async def test_nothing_leaves_that_could_not_be_journalled(world: World) -> None:
    """With no room for its journal, a request to Claude does not leave: what is paid for is always known."""
    world.slack.troubles.slow["users.info"] = 1.0
    root = await world.slack.say("ana", "#shop-dev", QUESTION)
    await world.until(lambda: world.rows("SELECT id FROM asks WHERE state = 'leased'"))
    with full_disk(world):
        await world.until(lambda: [s for s in world.slack.log if s.method == "users.info"])
        for _ in range(3):  # what follows it on our side takes milliseconds
            await asyncio.sleep(0.1)
        asked = len(world.asked)

    assert "6*7 = 42" in await world.answered(root)
    assert asked == 0
    assert_balanced(world)


async def test_a_locked_database(tmp_path: Path) -> None:
    """While another program holds the database locked, events wait for their redelivery, and are answered once."""
    slack = SlackStandIn(retry_delays=SOON)
    async with World(tmp_path, slack=slack) as world:
        await world.start()
        lock = sqlite3.connect(tmp_path / "purser.db", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        root = await slack.say("ana", "#shop-dev", QUESTION)
        await world.until(lambda: deliveries(world) >= 2)
        lock.execute("ROLLBACK")
        lock.close()

        assert "6*7 = 42" in await world.answered(root, 20)
        await world.idle(20)
        assert (len(world.asks()), len(world.asked)) == (1, 1)
        assert_balanced(world)
