"""The Slack stand-in in Socket Mode, with the real slack_bolt AsyncApp and slack_sdk clients on it, unmodified."""

import logging
from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.slack import SlackStandIn
from tests.demo.slack_worlds import app_on, client_of, connected, data_of, error_of


async def test_a_mention_reaches_a_real_app_and_is_answered_by_stream() -> None:
    """A mention is an app_mention; the app looks up who asks, sets its status, streams, and edits."""
    async with SlackStandIn() as slack:
        app = app_on(slack)
        heard: list[dict[str, Any]] = []

        async def on_mention(body: dict[str, Any], client: AsyncWebClient) -> None:
            heard.append(body)
            event = body["event"]
            channel, ts = event["channel"], event["ts"]
            await client.agents_sessions_setStatus(
                channel_id=channel, thread_ts=ts, status="processing"
            )
            who = await data_of(client.users_info(user=event["user"]))
            stream = await client.chat_stream(
                channel=channel,
                thread_ts=ts,
                recipient_team_id=body["team_id"],
                recipient_user_id=event["user"],
                buffer_size=5,
            )
            await stream.append(markdown_text=f"Hello **{who['user']['real_name']}**, ")
            await stream.append(markdown_text="here is your answer.")
            await stream.stop()
            posted = await data_of(
                client.chat_postMessage(channel=channel, thread_ts=ts, text="one")
            )
            await client.chat_update(channel=channel, ts=posted["ts"], text="edited")
            replies = await data_of(client.conversations_replies(channel=channel, ts=ts))
            heard.append({"replies": [m["text"] for m in replies["messages"]]})

        app.event("app_mention")(on_mention)
        async with connected(slack, app):
            asked = await slack.say(
                "ana", "#payments", "@purser is 1 < 2 & so?", code="if a < b: pass"
            )
            await slack.wait_for(lambda: len(heard) == 2)

    event = heard[0]["event"]
    assert event["text"] == "<@U0PURSER> is 1 &lt; 2 &amp; so?\n```if a &lt; b: pass```"
    assert event["blocks"][0]["elements"][1] == {
        "type": "rich_text_preformatted",
        "elements": [{"type": "text", "text": "if a < b: pass"}],
    }
    assert heard[0]["authorizations"][0]["user_id"] == slack.bot_user
    assert heard[0]["is_ext_shared_channel"] is False
    answer = "Hello **Ana Duarte**, here is your answer."
    assert heard[1]["replies"] == [event["text"], answer, "edited"]
    assert [m.streaming for m in slack.by_app("#payments", asked.ts)] == ["completed", ""]
    assert "xoxb" not in repr(slack.log)


async def test_two_sockets_share_the_load() -> None:
    """Each envelope goes to one of the open connections, in turn."""
    async with SlackStandIn() as slack:
        app = app_on(slack)
        heard: list[str] = []

        async def on_mention(event: dict[str, Any]) -> None:
            heard.append(event["ts"])

        app.event("app_mention")(on_mention)
        async with connected(slack, app, sockets=2) as handlers:
            counted = [0, 0]
            for number, handler in enumerate(handlers):

                async def count(
                    _: Any, message: dict[str, Any], __: str | None, at: int = number
                ) -> None:
                    counted[at] += message["type"] == "events_api"

                handler.client.message_listeners.append(count)
            for n in range(6):
                await slack.say("ben", "#shop-dev", f"@purser {n}")
            await slack.settled()
            assert len(heard) == 6

    assert counted == [3, 3]


async def test_a_disconnect_makes_the_app_come_again(caplog: pytest.LogCaptureFixture) -> None:
    """After refresh_requested the client opens a new connection; events in the gap come as retries."""
    caplog.set_level(logging.CRITICAL)
    async with SlackStandIn(limits=False, retry_delays=(0.05,) * 3, ack_seconds=0.5) as slack:
        app = app_on(slack)
        heard: list[dict[str, Any]] = []

        async def on_mention(body: dict[str, Any]) -> None:
            heard.append(body)

        app.event("app_mention")(on_mention)
        async with connected(slack, app):
            await slack.sockets.disconnect("refresh_requested")
            await slack.wait_for(lambda: slack.calls("apps.connections.open") == 2)
            await slack.say("ana", "#payments", "@purser still there?")
            await slack.settled()
            assert slack.sockets.cut() == 1
            await slack.say("ana", "#payments", "@purser and now?")
            await slack.wait_for(lambda: len(heard) == 2)

    assert slack.events.undelivered == []


async def test_an_event_nobody_takes_comes_three_times_more() -> None:
    """Without an ack the same event_id is delivered again with retry_attempt 1 to 3, then never."""
    async with SlackStandIn(retry_delays=(0.0, 0.01, 0.01), ack_seconds=0.05) as slack:
        app = app_on(slack)
        frames: list[dict[str, Any]] = []

        async def note(_: Any, message: dict[str, Any], __: str | None) -> None:
            if message.get("type") == "events_api":
                frames.append(message)

        async with connected(slack, app) as (handler,):
            handler.client.message_listeners.append(note)
            await slack.say("ana", "#payments", "@purser is anybody listening?")
            await slack.settled()

    assert [f["retry_attempt"] for f in frames] == [0, 1, 2, 3]
    assert [f["retry_reason"] for f in frames] == ["", "timeout", "timeout", "timeout"]
    assert len({f["payload"]["event_id"] for f in frames}) == 1
    assert len({f["envelope_id"] for f in frames}) == 4
    assert len(slack.events.undelivered) == 1


async def test_nobody_connected_is_found_again_by_a_retry() -> None:
    """An event said while no socket is open arrives as a retry once one is."""
    async with SlackStandIn(retry_delays=(0.0, 0.1, 0.1)) as slack:
        app = app_on(slack)
        heard: list[dict[str, Any]] = []

        async def on_mention(body: dict[str, Any]) -> None:
            heard.append(body)

        app.event("app_mention")(on_mention)
        await slack.say("ana", "#payments", "@purser hello?")
        async with connected(slack, app):
            await slack.wait_for(lambda: heard)


async def test_the_troubles_of_delivery() -> None:
    """Events come twice, in another order, or unheard, when the troubles say so."""
    async with SlackStandIn(retry_delays=(0.0, 0.01, 0.01), ack_seconds=0.1) as slack:
        app = app_on(slack)
        heard: list[dict[str, Any]] = []

        async def on_any(body: dict[str, Any]) -> None:
            heard.append(body)

        app.event("app_mention")(on_any)
        app.event("message")(on_any)
        async with connected(slack, app):
            slack.troubles.twice = True
            await slack.say("ana", "#payments", "@purser twice")
            await slack.settled()
            twice = [body["event_id"] for body in heard]
            slack.troubles.twice, slack.troubles.shuffle = False, 3
            heard.clear()
            for n in range(3):
                await slack.say("ana", "#payments", f"@purser {n}")
            await slack.settled()
            shuffled = [body["event"]["text"][-1] for body in heard]
            slack.troubles.shuffle, slack.troubles.deaf = 0, 1
            heard.clear()
            await slack.say("ana", "#payments", "@purser unheard ack")
            await slack.settled()
            unheard = [body["event_id"] for body in heard]
            slack.events.subscribed.add("message.channels")
            slack.troubles.order = "message first"
            heard.clear()
            await slack.say("ana", "#payments", "@purser both")
            await slack.settled()

    assert len(twice) == 2
    assert len(set(twice)) == 1
    assert shuffled == ["2", "1", "0"]
    assert len(unheard) == 2
    assert len(set(unheard)) == 1
    assert [body["event"]["type"] for body in heard] == ["message", "app_mention"]
    assert len({body["event"]["ts"] for body in heard}) == 1
    assert len({body["event_id"] for body in heard}) == 2


async def test_commands_are_acknowledged_once_with_a_payload() -> None:
    """A command's ack is shown to the person; without one there is no second delivery."""
    async with SlackStandIn(ack_seconds=0.2) as slack:
        app = app_on(slack)

        async def on_cost(ack: AsyncAck, command: dict[str, Any]) -> None:
            await ack(text=f"You asked: {command['text']}")

        app.command("/cost")(on_cost)
        async with connected(slack, app):
            answered = await slack.command("ana", "#random", "/cost", "this month")
            unanswered = await slack.command("ana", "#random", "/nothing")

    assert answered.acked
    assert answered.text == "You asked: this month"
    assert [m.text for m in slack.ephemerals("#random", "ana")] == ["You asked: this month"]
    assert not unanswered.acked
    assert sum(line.method == "slash_commands" for line in slack.log) == 2


async def test_tickets_and_tokens_are_checked() -> None:
    """A socket needs an app token, a fresh ticket and Socket Mode switched on; ten may be open."""
    async with SlackStandIn(limits=False) as slack:
        bot, app = client_of(slack), client_of(slack, slack.app_token)
        session_needed = await error_of(bot.apps_connections_open(app_token=slack.bot_token))
        opened = await data_of(app.apps_connections_open(app_token=slack.app_token))
        await slack.sockets.disconnect("link_disabled")
        disabled = await error_of(app.apps_connections_open(app_token=slack.app_token))

    assert session_needed == "not_allowed_token_type"
    assert opened["url"].startswith("ws://127.0.0.1:")
    assert disabled


async def test_an_eleventh_connection_is_sent_away() -> None:
    """Ten connections may be open; one more gets too_many_websockets; a ticket is good once."""
    async with SlackStandIn(limits=False) as slack, aiohttp.ClientSession() as session:
        client = client_of(slack, slack.app_token)
        addresses = [
            (await data_of(client.apps_connections_open(app_token=slack.app_token)))["url"]
            for _ in range(11)
        ]
        sockets = [await session.ws_connect(address) for address in addresses]
        first = [await socket.receive_json() for socket in sockets]
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(addresses[0])
        for socket in sockets:
            await socket.close()

    assert [said["type"] for said in first] == ["hello"] * 10 + ["disconnect"]
    assert [said["num_connections"] for said in first[:10]] == list(range(1, 11))
    assert first[10]["reason"] == "too_many_websockets"


async def test_an_ack_after_the_time_counts_as_none() -> None:
    """An ack on any connection in time is heard; one that is late does not stop the retry."""
    async with SlackStandIn(retry_delays=(0.0,), ack_seconds=0.05) as slack:
        client = client_of(slack, slack.app_token)
        async with aiohttp.ClientSession() as session:
            address = await data_of(client.apps_connections_open(app_token=slack.app_token))
            socket = await session.ws_connect(address["url"])
            await socket.receive_json()
            await slack.say("ana", "#payments", "@purser hello")
            late = await socket.receive_json()
            retried = await socket.receive_json()
            await socket.send_json({"envelope_id": late["envelope_id"]})
            await socket.send_json({"envelope_id": retried["envelope_id"]})
            await slack.settled()
            await socket.close()

    assert (late["retry_attempt"], retried["retry_attempt"]) == (0, 1)
    assert retried["accepts_response_payload"] is False
    assert slack.events.undelivered == []
