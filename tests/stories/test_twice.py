"""Whatever comes twice, late, shuffled or in two forms is answered once."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.demo.slack import Message, SlackStandIn
from bot.demo.slack.events import Envelope
from bot.demo.slack.methods import EVENTS
from bot.demo.slack.troubles import Troubles
from tests.chance import share
from tests.stories.world import World

HEARS_ALL = (*EVENTS, "message.channels")
Order = Literal["mention first", "message first", "any"]
ORDERS: tuple[Order, ...] = ("mention first", "message first", "any")
SOON = (0.0, 0.05, 0.05)  # seconds before each redelivery; minutes in life


def hearing(troubles: Troubles | None = None, *, ack_seconds: float = 3.0) -> SlackStandIn:
    """A Slack that tells of each mention twice, as app_mention and as message, and retries soon."""
    return SlackStandIn(
        events=HEARS_ALL,
        troubles=troubles,
        retry_delays=SOON,
        ack_seconds=ack_seconds,
        limits=False,
    )


async def assert_answered_once(world: World, root: Message) -> None:
    """One ask, one request to Claude, one message in the thread."""
    await world.answered(root)
    await world.idle()

    assert len(world.asks()) == 1
    assert len(world.asked) == 1
    assert len(world.said(root)) == 1
    assert world.slack.events.undelivered == []


@pytest.mark.parametrize("http", [False, True], ids=["socket mode", "signed HTTP"])
@pytest.mark.parametrize("order", ORDERS[:2])
async def test_a_mention_told_in_two_forms(tmp_path: Path, order: Order, *, http: bool) -> None:
    """A mention comes as app_mention and as message, in either order, and is one ask."""
    async with World(tmp_path, slack=hearing(Troubles(order=order)), http=http) as world:
        await world.start()
        root = await world.slack.say("ana", "#shop-dev", "@purser What is 6*7?")

        await assert_answered_once(world, root)
        assert await world.dropped("repeat") == 1


@pytest.mark.parametrize("http", [False, True], ids=["socket mode", "signed HTTP"])
async def test_an_event_told_twice_although_acknowledged(tmp_path: Path, *, http: bool) -> None:
    """A redelivery of what was acknowledged is dropped by its key."""
    async with World(tmp_path, slack=hearing(Troubles(twice=True)), http=http) as world:
        await world.start()
        root = await world.slack.say("ana", "#shop-dev", "@purser What is 6*7?")

        await assert_answered_once(world, root)
        assert await world.dropped("repeat") == 3


async def test_an_event_whose_acknowledgement_was_lost(tmp_path: Path) -> None:
    """Slack did not hear our acknowledgement and sends again: it is acknowledged again, and answered once."""
    async with World(tmp_path, slack=hearing(Troubles(deaf=3), ack_seconds=0.5)) as world:
        await world.start()
        root = await world.slack.say("ana", "#shop-dev", "@purser What is 6*7?")

        await assert_answered_once(world, root)


async def test_a_first_delivery_that_calls_itself_a_retry(tmp_path: Path) -> None:
    """What arrives for the first time as a retry, since nobody listened before, is an ask like any other."""
    async with World(tmp_path, http=True) as world:
        await world.start()
        root = await deliver_as_retry(world, "@purser What is 6*7?")

        assert "6*7 = 42" in await world.answered(root)


async def deliver_as_retry(world: World, text: str) -> Message:
    """Say something that Slack cannot deliver at first, and deliver its third attempt by hand."""
    url, world.slack.events_url = world.slack.events_url, "http://127.0.0.1:9/"
    world.slack.events.retry_delays = ()
    root = await world.slack.say("ana", "#shop-dev", text)
    await world.slack.settled()
    lost = world.slack.events.undelivered.pop()
    world.slack.events_url = url
    await world.slack.door.carry(Envelope("events_api", lost.payload, 3, "connection_failed"), 5)
    return root


@pytest.mark.parametrize("reason", ["refresh_requested", "warning"])
async def test_connections_renewed_in_mid_answer(tmp_path: Path, reason: str) -> None:
    """Slack renews our connections while an ask is worked on and another comes: each is answered once."""
    slack = hearing()
    slack.events.retry_delays = (0.0, 0.5, 2.0)
    async with World(tmp_path, slack=slack, sockets_apart=0.0) as world:
        await world.start()
        await world.until(lambda: slack.sockets.count == 2)
        world.claude.troubles.slow(ttft=0.3)
        before = await slack.say("ana", "#shop-dev", "@purser What is 6*7?")
        await world.until(lambda: world.asked)
        await slack.sockets.disconnect(reason)
        after = await slack.say("ben", "#shop-dev", "@purser What is 2+3?")

        assert "6*7 = 42" in await world.answered(before)
        await world.until(lambda: world.ask_of(after))
        assert "2+3 = 5" in await world.answered(after)
        await world.idle()
        assert (len(world.asks()), len(world.asked)) == (2, 2)


async def test_a_command_is_done_once(tmp_path: Path) -> None:
    """A command that Slack's client sends twice under one trigger is one ask."""
    async with World(tmp_path, http=True) as world:
        await world.start()
        await world.slack.command("ana", "#shop-dev", "/summarize", "SHOP-12")
        sent = next(line for line in world.slack.log if line.method == "slash_commands")
        await world.slack.door.carry(Envelope("slash_commands", dict(sent.arguments)), 5)
        await world.idle()

        assert len(world.asks()) == 1
        assert len(world.slack.by_app("#shop-dev")) == 1


Line = tuple[str, str, bool]
LINES = st.lists(
    st.tuples(
        st.sampled_from(["ana", "ben", "chi"]),
        st.sampled_from(["#shop-dev", "#payments", "thread", "direct"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)
"""Who says something, where, and whether it mentions the bot."""


@settings(max_examples=share(0.12), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=LINES,
    order=st.sampled_from(ORDERS),
    twice=st.booleans(),
    shuffle=st.integers(0, 5),
    deaf=st.integers(0, 2),
)
async def test_any_messages_however_delivered(
    busy: World, lines: list[Line], order: Order, shuffle: int, deaf: int, *, twice: bool
) -> None:
    """Double and shuffled deliveries of any sequence of messages are answered once each, and nothing else is."""
    troubles = busy.slack.troubles
    troubles.twice, troubles.shuffle, troubles.deaf = twice, shuffle, deaf
    troubles.order = order
    told, asked = {a["ts"] for a in busy.asks()}, len(busy.asked)
    spoken = len(spoken_by(busy))
    said = [message async for message in say(busy, lines)]
    await busy.slack.settled(20)
    await busy.idle(20)

    wanted = {m.ts for (_, where, mention), m in said if mention or where == "direct"}
    assert {a["ts"] for a in busy.asks()} - told == wanted
    assert len(busy.asked) - asked == len(wanted)
    assert len(spoken_by(busy)) - spoken == len(wanted)


@pytest.fixture
async def busy(tmp_path: Path) -> AsyncIterator[World]:
    """A world that many sequences of messages are told to, one after the other."""
    slack = hearing(ack_seconds=0.3)
    async with World(tmp_path, slack=slack, policy="person_in_flight = 50") as made:
        yield await made.start()


async def say(world: World, lines: list[Line]) -> AsyncIterator[tuple[Line, Message]]:
    """Say the lines, all at once; those for a thread go into the first one of #shop-dev."""
    root = await world.slack.say("maya", "#shop-dev", "Standup!")
    for line in lines:
        who, where, mention = line
        words = f"{'@purser ' if mention else ''}What is 2+3?"
        if where == "direct":
            yield line, await world.slack.dm(who, words)
        else:
            channel = "#shop-dev" if where == "thread" else where
            thread = root.ts if where == "thread" else ""
            yield line, await world.slack.say(who, channel, words, thread_ts=thread)


def spoken_by(world: World) -> list[Message]:
    """Everything that the bot ever said, anywhere."""
    return [m for c in list(world.slack.world.channels) for m in world.slack.by_app(c)]
