"""What is told of health: whether we may be sent something, and to whom our numbers are shown."""

import asyncio
import socket
from contextlib import closing
from pathlib import Path

from tests.stories.world import World

QUESTION = "@purser What is 6*7?"


async def test_who_is_told_to_stop_is_not_ready(world: World) -> None:
    """While running asks are finished we live, and a balancer sends us nothing new."""
    world.claude.troubles.slow(ttft=1.0)
    root = await world.slack.say("ana", "#shop-dev", QUESTION)
    await world.until(lambda: world.asked)
    before = await world.status("/readyz")
    stopping = asyncio.create_task(world.stop())
    await asyncio.sleep(0)
    during = [await world.status(path) for path in ("/readyz", "/healthz")]
    await stopping

    assert (before, during) == (200, [503, 200])
    assert "6*7 = 42" in await world.answered(root)


async def test_who_cannot_reach_slack_is_not_ready(world: World) -> None:
    """With Slack away we live, and are not ready."""
    world.slack.troubles.down["auth.test"] = "internal_error"

    assert await world.status("/readyz") == 503
    assert await world.status("/healthz") == 200


async def test_numbers_are_shown_on_this_machine_alone(world: World) -> None:
    """Who listens on loopback shows them beside health."""
    assert await world.status("/metrics") == 200


async def test_numbers_are_shown_to_others_on_their_own_port_alone(tmp_path: Path) -> None:
    """Where Slack, and so the world, may knock, no numbers are shown; they are on METRICS_PORT."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    async with World(tmp_path, host="0.0.0.0") as world:  # noqa: S104 - as Procfile and Dockerfile do
        world.set["METRICS_PORT"] = str(port)
        await world.start()
        paths = ("/healthz", "/metrics")
        public = [await world.status(path) for path in paths]
        private = [await world.status(path, port=port) for path in paths]

    assert public == [200, 404]
    assert private == [200, 200]
