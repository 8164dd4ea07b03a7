"""The measure: a Bolt app that makes Purser's calls for an ask, and does nothing else.

No store, no books, no policy, no people, no log. It has what costs it nothing: one session for all calls to Slack,
pools that are large enough, and a request body that is Purser's own, as it was seen on the wire.

    python -m benchmarks.bare BODY.json [streams]
"""

import asyncio
import html
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
from anthropic import AsyncAnthropic, DefaultAsyncHttpxClient
from httpx2 import Limits
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

CONNECTIONS = 1_000  # as many as Purser opens at most
METADATA = {"event_type": "purser_answer", "event_payload": {"ask_id": "0" * 26, "part": 1}}
RECEIPT = {
    "type": "context",
    "elements": [
        {"type": "mrkdwn", "text": "$0.0123 · 87% cached · under 1 s · claude-sonnet-5-5"}
    ],
}
FEEDBACK = {
    "type": "context_actions",
    "elements": [
        {
            "type": "feedback_buttons",
            "action_id": "feedback",
            "positive_button": {
                "text": {"type": "plain_text", "text": "Good answer"},
                "value": f"{'0' * 26}:good",
            },
            "negative_button": {
                "text": {"type": "plain_text", "text": "Bad answer"},
                "value": f"{'0' * 26}:bad",
            },
        }
    ],
}


def answering(
    slack: AsyncWebClient, claude: AsyncAnthropic, body: Mapping[str, Any], *, streams: bool
) -> AsyncApp:
    """The app: a mention is answered in its thread.

    Args:
        slack: with the bot token.
        claude: with a key.
        body: of a request to Claude, whose messages are replaced.
        streams: whether an answer streams, or is posted when it is whole.
    """
    app = AsyncApp(client=slack, signing_secret="none")

    @app.event("app_mention")
    async def mentioned(event: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction] - Bolt calls it
        channel, thread, user = event["channel"], event["ts"], event["user"]
        place = {"channel_id": channel, "thread_ts": thread}
        busy = {"status": "processing", "title": event["text"][:100], "initiator_user_id": user}
        await asyncio.gather(
            slack.api_call("agents.sessions.setStatus", json=place | busy),
            slack.api_call("assistant.threads.setStatus", json=place | {"status": "is reading…"}),
        )
        asked = {"role": "user", "content": [{"type": "text", "text": _question(event["text"])}]}
        request: Any = {**body, "messages": [asked]}
        await (_stream if streams else _post)(slack, event, claude.messages.stream(**request))
        await slack.api_call("agents.sessions.setStatus", json=place | {"status": "active"})

    return app


async def _post(slack: AsyncWebClient, event: Mapping[str, Any], asked: Any) -> None:
    """Post an answer when it is whole."""
    async with asked as answer:
        text = "".join([delta async for delta in answer.text_stream])
    await slack.chat_postMessage(
        channel=event["channel"],
        thread_ts=event["ts"],
        text=text,
        blocks=[{"type": "markdown", "text": text}, RECEIPT, FEEDBACK],
        metadata=METADATA,
        unfurl_links=False,
        unfurl_media=False,
    )


async def _stream(slack: AsyncWebClient, event: Mapping[str, Any], asked: Any) -> None:
    """Start a stream with the first piece of an answer; its end says the rest."""
    async with asked as answer:
        begun: Any = await slack.chat_startStream(
            channel=event["channel"],
            thread_ts=event["ts"],
            recipient_user_id=event["user"],
            recipient_team_id=event["team"],
            markdown_text=await anext(answer.text_stream),
        )
        rest = "".join([delta async for delta in answer.text_stream])
    await slack.chat_stopStream(
        channel=event["channel"],
        ts=begun["ts"],
        markdown_text=rest,
        blocks=[RECEIPT, FEEDBACK],
        metadata=METADATA,
    )


def _question(text: str) -> str:
    """The words without the mention, with code fenced as Purser reads it from the blocks."""
    words = html.unescape(text).partition(" ")[2].replace("```", "\n```\n")
    return f'<purser:ask from="person1" at="2026-11-25 12:00 UTC">\n{words}\n</purser:ask>'


async def _serve(body: Mapping[str, Any], *, streams: bool) -> None:
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    limits = Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session,
        AsyncAnthropic(http_client=DefaultAsyncHttpxClient(limits=limits)) as claude,
    ):
        slack = AsyncWebClient(
            os.environ["SLACK_BOT_TOKEN"],
            base_url=os.environ["SLACK_API_URL"],
            session=session,
            retry_handlers=[],
        )
        app = answering(slack, claude, body, streams=streams)
        sockets = AsyncSocketModeHandler(app, os.environ["SLACK_APP_TOKEN"])
        await sockets.connect_async()
        await stopping.wait()
        await sockets.close_async()


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    asyncio.run(_serve(given, streams="streams" in sys.argv[2:]))
