"""The door at a whole Slack: what people do in the workspace, by both ways in."""

import itertools
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.ask import Ask
from bot.demo.slack import SlackStandIn, Troubles
from bot.slack.envelope import Us
from bot.slack.listen import Listen
from bot.slack.transport import Sockets, bolt, http_app, listening
from tests.bot.slack.deliveries import Kept

WAYS = ["sockets", "http"]
ALL_MESSAGES = ("app_mention", "message.im", "message.channels", "reaction_added")


class Door:
    """A stand-in Slack, our door before it, and what came in."""

    def __init__(self, slack: SlackStandIn) -> None:
        self.slack = slack
        self.inbox = Kept()
        self.dropped: Counter[str] = Counter()
        self.client = AsyncWebClient(slack.bot_token, base_url=slack.api_url)

    async def ask(self, number: int = 1) -> Ask:
        """The nth ask, as soon as it is there and everything else is delivered."""
        await self.slack.settled()
        assert len(self.inbox.asks) >= number, (self.inbox.asks, self.dropped)
        return self.inbox.asks[number - 1]


@asynccontextmanager
async def door_at(slack: SlackStandIn, way: str) -> AsyncGenerator[Door]:
    """The door, reached by sockets or by HTTP."""
    async with slack:
        door = Door(slack)
        ids = (f"id-{n}" for n in itertools.count(1))
        us = Us(slack.app_id, slack.team, slack.bot_user, slack.bot_id)
        listen = Listen(
            door.inbox,
            us,
            new_id=lambda: next(ids),
            now=slack.now,
            dropped=lambda reason: door.dropped.update([reason]),
        )
        app = bolt(listen, door.client)
        if way == "sockets":
            sockets = Sockets(app, app_token=slack.app_token, apart=0.0)
            await sockets.open()
            await slack.wait_for(lambda: slack.sockets.count == 2)
            try:
                yield door
            finally:
                await sockets.close()
            return

        async def ready() -> bool:
            return True

        application = http_app(app, ready=ready, verifier=SignatureVerifier(slack.signing_secret))
        async with listening(application, "127.0.0.1", 0) as port:
            slack.events_url = f"http://127.0.0.1:{port}/slack/events"
            assert await slack.door.verify("c-1") == "c-1"
            try:
                yield door
            finally:
                slack.events_url = ""


@pytest.mark.parametrize("way", WAYS)
async def test_what_people_say_comes_in(way: str) -> None:
    """A mention with code, a follow-up in its thread, a direct message with a file: each is an ask."""
    async with door_at(SlackStandIn(), way) as door:
        slack = door.slack
        root = await slack.say("ana", "#shop-dev", "@purser look at this", code="if a < b:\n\tpass")
        first = await door.ask()
        await slack.say("ben", "#shop-dev", "@purser and now?", thread_ts=root.ts)
        await slack.say("ben", "#shop-dev", "not for you")
        second = await door.ask(2)
        await slack.say("ana", "@ana", "read it", files=[slack.file("a.py", "x = 1\n")])
        third = await door.ask(3)

    assert first.text == "look at this\n```\nif a < b:\n\tpass\n```"
    assert (first.feature, first.thread, first.external) == ("review", root.ts, False)
    assert (second.user, second.thread, second.text) == ("U0BEN", root.ts, "and now?")
    assert (third.origin, third.feature, third.files[0].name) == ("message", "review", "a.py")
    assert third.files[0].url.endswith("a.py")


@pytest.mark.parametrize("way", WAYS)
async def test_commands_invitations_and_stops_come_in(way: str) -> None:
    """A command is told something at once; being invited is an ask; a cross and Slack's button are stops."""
    async with door_at(SlackStandIn(), way) as door:
        slack = door.slack
        ack = await slack.command("ana", "#shop-dev", "/summarize", "SHOP-12")
        told = slack.ephemerals("#shop-dev", "ana")
        usage = await slack.command("ana", "#shop-dev", "/summarize")
        await slack.invite("#random")
        await slack.settled()
        message = await slack.say("ana", "#shop-dev", "@purser hi")
        await slack.react("ana", message, "x")
        await slack.stop_stream("ana", message)
        await slack.settled()

    assert ack.acked
    assert len(told) == 1
    assert usage.acked
    assert [(a.feature, a.origin, a.text) for a in door.inbox.asks] == [
        ("summarize", "command", "SHOP-12"),
        ("purser", "invite", "hello"),
        ("chat", "mention", "hi"),
    ]
    stops = sorted((s.kind, s.ts, s.thread) for s in door.inbox.signals)
    assert stops == [("stop", "", message.ts), ("stop", message.ts, "")]


async def test_a_button_comes_in() -> None:
    """A press of one of our buttons names its ask."""
    async with door_at(SlackStandIn(), "sockets") as door:
        button = {
            "type": "button",
            "action_id": "stop",
            "value": "ask-1",
            "text": {"type": "plain_text", "text": "Stop"},
        }
        await door.client.chat_postMessage(
            channel="C0SHOPDEV", text="x", blocks=[{"type": "actions", "elements": [button]}]
        )
        (posted,) = door.slack.by_app("#shop-dev")
        ack = await door.slack.click("ana", posted, "stop")

    assert ack.acked
    assert [(s.kind, s.ask_id, s.user) for s in door.inbox.signals] == [("stop", "ask-1", "U0ANA")]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "troubles",
    [
        Troubles(order="any"),
        Troubles(order="message first"),
        Troubles(twice=True),
        Troubles(shuffle=4, twice=True),
        Troubles(down={"*": "internal_error"}),
    ],
    ids=["any order", "message first", "twice", "shuffled", "Web API down"],
)
async def test_one_message_is_one_ask_whatever_goes_wrong(way: str, troubles: Troubles) -> None:
    """Told as mention and as message, twice, shuffled, with the Web API down: five messages, five asks."""
    down, troubles.down = troubles.down, {}
    slack = SlackStandIn(troubles=troubles, events=ALL_MESSAGES)
    async with door_at(slack, way) as door:
        troubles.down = down
        for n in range(5):
            await slack.say("ana", "#shop-dev", f"@purser question {n}")
        await slack.settled()

    assert sorted(ask.text for ask in door.inbox.asks) == [f"question {n}" for n in range(5)]


async def test_what_could_not_be_committed_comes_again() -> None:
    """Slack redelivers an event that got no acknowledgement, and nothing is lost."""
    slack = SlackStandIn(retry_delays=(0.01, 0.01, 0.01), ack_seconds=0.05)
    async with door_at(slack, "sockets") as door:
        door.inbox.down = True
        await slack.say("ana", "#shop-dev", "@purser hi")
        await door.inbox.refused.wait()
        door.inbox.down = False
        ask = await door.ask()

    assert ask.text == "hi"
    assert len(door.inbox.asks) == 1


async def test_an_ask_outlives_the_refresh_of_a_connection() -> None:
    """While Slack closes connections, what is said comes in by the other one or again."""
    slack = SlackStandIn(retry_delays=(0.05, 0.05, 0.05), ack_seconds=0.2)
    async with door_at(slack, "sockets") as door:
        await slack.sockets.disconnect("refresh_requested")
        for n in range(10):
            await slack.say("ana", "#shop-dev", f"@purser {n}")
        await slack.settled()

    assert len(door.inbox.asks) == 10
    assert slack.events.undelivered == []


async def test_edits_and_deletions() -> None:
    """An edit of an ask is told as an edit; one that adds the mention is an ask; a deletion is told."""
    async with door_at(SlackStandIn(), "http") as door:
        slack = door.slack
        asked = await slack.say("ana", "#shop-dev", "@purser hi")
        await slack.settled()
        await slack.edit(asked, "@purser better")
        plain = await slack.say("ana", "#shop-dev", "hi all")
        await slack.edit(plain, "@purser hi")
        mine = await slack.dm("ana", "a question")
        await slack.settled()
        await slack.edit(mine, "a better question")
        await slack.settled()
        await slack.delete(mine)
        await slack.settled()

    assert [(a.text, a.origin) for a in door.inbox.asks] == [
        ("hi", "mention"),
        ("hi", "edit"),
        ("a question", "message"),
    ]
    assert [(s.kind, s.ts, s.text) for s in door.inbox.signals] == [
        ("edit", asked.ts, "better"),
        ("edit", mine.ts, "a better question"),
        ("delete", mine.ts, ""),
    ]


async def test_other_organisations_are_marked() -> None:
    """In a shared channel everybody is marked as external, and a foreign author by team too."""
    async with door_at(SlackStandIn(), "sockets") as door:
        slack = door.slack
        await slack.say("petra", "#ext-partner", "@purser hi")
        ours = await door.ask()
        await slack.say("ana", "#ext-partner", "@purser hi")
        theirs = await door.ask(2)

    assert (ours.external, ours.user_team) == (True, "T0PARTNER")
    assert (theirs.external, theirs.user_team) == (True, slack.team)


async def test_bots_are_not_answered() -> None:
    """Another bot that mentions us, or writes in a loop, is dropped and counted."""
    async with door_at(SlackStandIn(events=ALL_MESSAGES), "sockets") as door:
        await door.slack.say("deploybot", "#shop-dev", "@purser deployed")
        await door.client.chat_postMessage(channel="C0SHOPDEV", text="my own words")
        await door.slack.settled()

    assert door.inbox.asks == []
    assert door.dropped["bot"] >= 1
    assert door.dropped["own"] == 1
