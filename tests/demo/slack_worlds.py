"""Shared by the Slack stand-in's tests: a clock to set, and real clients and apps on the stand-in."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.demo.slack import SlackStandIn

NOVEMBER = 1_795_000_000.0  # seconds; some moment in November 2026


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: float = NOVEMBER) -> None:
        self.at = at

    def __call__(self) -> float:
        """The time, in seconds since the epoch."""
        return self.at


def client_of(slack: SlackStandIn, token: str | None = None) -> AsyncWebClient:
    """The real Web API client on the stand-in, without retries."""
    return AsyncWebClient(
        token=token or slack.bot_token, base_url=slack.api_url, retry_handlers=[], timeout=5
    )


async def data_of(call: Any) -> dict[str, Any]:
    """A call's answer as data."""
    answer: AsyncSlackResponse = await call
    assert isinstance(answer.data, dict)
    return answer.data


async def error_of(call: Any) -> str:
    """The error a call is answered with."""
    try:
        await call
    except SlackApiError as error:
        return str(error.response["error"])
    return ""


def app_on(slack: SlackStandIn) -> AsyncApp:
    """A real app without listeners."""
    return AsyncApp(client=client_of(slack), signing_secret=slack.signing_secret)


@asynccontextmanager
async def connected(
    slack: SlackStandIn, app: AsyncApp, sockets: int = 1
) -> AsyncGenerator[list[AsyncSocketModeHandler]]:
    """The app in Socket Mode, connected by so many sockets."""
    handlers = [
        AsyncSocketModeHandler(app, slack.app_token, ping_interval=0.05) for _ in range(sockets)
    ]
    for handler in handlers:
        await handler.connect_async()
    await slack.wait_for(lambda: slack.sockets.count == sockets)
    try:
        yield handlers
    finally:
        for handler in handlers:
            await handler.close_async()
            await asyncio.gather(handler.client.message_processor, return_exceptions=True)


@asynccontextmanager
async def served(slack: SlackStandIn, app: AsyncApp) -> AsyncGenerator[None]:
    """The app behind an HTTP request URL that the stand-in posts to."""

    async def take(request: web.Request) -> web.Response:
        answer = await app.async_dispatch(await to_bolt_request(request))
        return await to_aiohttp_response(answer)

    server = web.Application()
    server.router.add_post("/slack/events", take)
    runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.events_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    try:
        yield
    finally:
        slack.events_url = ""
        await runner.cleanup()
