"""The Slack stand-in in Socket Mode, with the real slack_bolt AsyncApp and slack_sdk clients on it, unmodified."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.slack import SlackStandIn


@asynccontextmanager
async def bolted(slack: SlackStandIn, sockets: int = 1) -> AsyncGenerator[AsyncApp]:
    """A real app, connected to the stand-in by so many sockets."""
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
    app = AsyncApp(token=slack.bot_token, client=client)
    handlers = [AsyncSocketModeHandler(app, slack.app_token) for _ in range(sockets)]
    for handler in handlers:
        await handler.connect_async()
    await slack.wait_for(lambda: slack.sockets.count == sockets)
    try:
        yield app
    finally:
        for handler in handlers:
            await handler.close_async()
            await asyncio.gather(handler.client.message_processor, return_exceptions=True)


async def test_a_mention_reaches_a_real_app_and_is_answered_by_stream() -> None:
    """A mention is an app_mention; the app looks up who asks, sets its status, streams, and edits."""
    async with SlackStandIn() as slack, bolted(slack) as app:
        heard: list[dict[str, Any]] = []

        async def on_mention(body: dict[str, Any], client: AsyncWebClient) -> None:
            heard.append(body)
            event = body["event"]
            channel, ts = event["channel"], event["ts"]
            await client.agents_sessions_setStatus(
                channel_id=channel, thread_ts=ts, status="processing"
            )
            who: Any = (await client.users_info(user=event["user"])).data
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
            posted: Any = await client.chat_postMessage(channel=channel, thread_ts=ts, text="one")
            await client.chat_update(channel=channel, ts=posted["ts"], text="edited")
            replies: Any = (await client.conversations_replies(channel=channel, ts=ts)).data
            heard.append({"replies": [m["text"] for m in replies["messages"]]})

        app.event("app_mention")(on_mention)
        asked = await slack.say("ana", "#payments", "@purser is 1 < 2 & so?", code="if a < b: pass")
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
