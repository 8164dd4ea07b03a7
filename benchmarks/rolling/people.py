"""People who ask and press until it is over: an admin presses whatever is to be decided, once it is there."""

import asyncio
import random
from collections.abc import Callable, Mapping
from contextlib import suppress

from benchmarks.crash.people import DEAR, Asked, Kind, say
from benchmarks.rolling.fleet import until
from benchmarks.town import PEOPLE, Town
from bot.demo.slack import Message, SlackStandIn
from bot.demo.slack.blocks import actions
from bot.demo.slack.world import Channel

KINDS: Mapping[Kind, int] = {"sum": 2, "review": 2, "ticket": 2, "again": 4, "dear": 2, "write": 2}
GO, DO = "estimate:go", "proposal_do"
PARKED_SECONDS = 30.0
AGAIN_SECONDS = 0.1  # until somebody who saw "did not respond" presses again


def move_in(town: Town, admin: str) -> None:
    """Make the channel where things are dear, and let the admin be in each of the town's."""
    world = town.slack.world
    people = {f"U0P{n:03}" for n in range(PEOPLE)}
    world.add_channel(Channel(DEAR, "dear", members={*people, world.bot.id}))
    for channel in world.channels.values():
        if channel.members >= people:
            channel.members.add(admin)


async def ask(town: Town, rng: random.Random, *, every: float, over: asyncio.Event) -> list[Asked]:
    """Ask one thing after the other until it is over.

    Args:
        town: the workspace.
        rng: who asks what, where and when.
        every: seconds between two asks, on average.
        over: when to stop.
    """
    asked = list[Asked]()
    while not over.is_set():
        asked.append(await say(town, rng, len(asked) + 1, asked, KINDS))
        with suppress(TimeoutError):
            async with asyncio.timeout(rng.uniform(0.0, 2 * every)):
                await over.wait()
    return asked


def undecided(message: Message) -> str:
    """The button that is to be pressed under a message; "" for none."""
    there = actions(message.blocks)
    return next((button for button in (GO, DO) if button in there), "")


async def press(
    slack: SlackStandIn, admin: str, pressed: dict[str, Message], parked: Callable[[], set[str]]
) -> None:
    """Press what is to be decided when it is there, and again where nobody heard it; ends when it is cancelled.

    Args:
        slack: the workspace.
        admin: who presses.
        pressed: what was, by its ts.
        parked: the asks that wait for it. Nobody presses before: 0.1.0 edits an estimate once more until then.
    """
    with slack.listen() as changes:
        async for change in changes:
            message = change.what.get("message")
            if not isinstance(message, Message) or message.ts in pressed:
                continue
            while button := undecided(message):
                pressed[message.ts] = message
                if button == GO:
                    ask_id = actions(message.blocks)[GO][0]["value"].partition(":")[0]
                    with suppress(TimeoutError):
                        await until(lambda ask_id=ask_id: ask_id in parked(), PARKED_SECONDS)
                if (await slack.click(admin, message, button)).acked:
                    break
                await asyncio.sleep(AGAIN_SECONDS)
