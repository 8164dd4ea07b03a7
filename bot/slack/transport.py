"""How Slack's deliveries reach the door: two Socket Mode connections, or our own small HTTP application.

The HTTP application also answers for our health, in both; nothing else does.
"""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.logger.messages import warning_client_prioritized_and_token_skipped
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

BODY_BYTES = 1024 * 1024  # a larger body is refused
APART_SECONDS = 60.0  # between the two connections: opened together, Slack refreshes them together
PING_SECONDS = 10.0  # a connection without an answer for four of these is opened anew
CLOSE_SECONDS = 1.0  # what a request in progress gets at the end, of the half minute until a kill
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SSL_CHECK = re.compile(r"(^|&)ssl_check=1(&|$)")
UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
"""What Bolt's reading of a body that is not Slack's may raise."""

BOLT = logging.getLogger("slack_bolt")  # whose level `bot.log` sets

log = structlog.get_logger()


def bolt(door: AsyncMiddleware, client: AsyncWebClient) -> AsyncApp:
    """The one Bolt app, for both transports, with our door in front.

    It looks at no signature: `http_app` has done so before it, with a secret that can be changed.

    Args:
        door: takes every delivery; Bolt answers only what it passes on (url_verification).
        client: with the bot token.
    """
    BOLT.addFilter(_surprising)
    return AsyncApp(
        name="purser",
        logger=BOLT,  # else its level is the root's, at which it may print every delivery
        client=client,
        signing_secret="",
        request_verification_enabled=False,
        before_authorize=door,
    )


def _surprising(line: logging.LogRecord) -> bool:
    """All but that Bolt has seen SLACK_BOT_TOKEN in the environment, and uses our client, as it should."""
    return line.msg != warning_client_prioritized_and_token_skipped()


class Sockets:
    """Two Socket Mode connections on one app; while one is refreshed, the other takes what comes.

    Args:
        app: whose door is in front.
        app_token: the token with connections:write.
        proxy: address of an HTTP proxy, or None.
        apart: seconds between opening the first and the second.
        ping_seconds: between pings, and between attempts to connect.
    """

    def __init__(
        self,
        app: AsyncApp,
        *,
        app_token: str,
        proxy: str | None = None,
        apart: float = APART_SECONDS,
        ping_seconds: float = PING_SECONDS,
    ) -> None:
        self._apart, self._app_token = apart, app_token
        self._open: list[AsyncSocketModeHandler] = []
        self._opening: asyncio.Task[None] | None = None
        self._make = lambda: AsyncSocketModeHandler(
            app, self._app_token, proxy=proxy, ping_interval=ping_seconds
        )

    def rekey(self, app_token: str) -> None:
        """Use another app token for every connection from now on; those that stand go on."""
        self._app_token = app_token
        for connection in self._open:
            connection.client.app_token = app_token

    async def open(self) -> None:
        """Open the first connection; the second follows by itself. Waits as long as Slack is not reachable."""
        await self._connect()
        self._opening = asyncio.create_task(self._second())

    async def connected(self) -> bool:
        """Whether at least one connection stands."""
        return any([await connection.client.is_connected() for connection in self._open])

    async def close(self) -> None:
        """Close both; what was received and not yet committed comes again from Slack."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        for connection in self._open:
            client = connection.client
            await connection.close_async()
            running = (
                client.message_processor,
                client.current_session_monitor,
                client.message_receiver,
            )
            await asyncio.gather(*(t for t in running if t is not None), return_exceptions=True)
        self._open.clear()

    async def _second(self) -> None:
        await asyncio.sleep(self._apart)
        await self._connect()

    async def _connect(self) -> None:
        connection = self._make()
        self._open.append(connection)  # before it stands, so that close() ends an attempt too
        await connection.connect_async()


def http_app(
    app: AsyncApp | None,
    *,
    ready: Callable[[], Awaitable[bool]],
    metrics: Callable[[], bytes] | None = None,
    verifier: SignatureVerifier | None = None,
    dropped: Callable[[str], None] = lambda reason: None,
) -> web.Application:
    """Our HTTP application.

    Args:
        app: answers POST /slack/events; None in Socket Mode, where nothing is sent to us.
        ready: whether we can work now.
        metrics: gives /metrics; None where it must not be seen.
        verifier: knows what Slack signs its requests with; without one, none is taken.
        dropped: told why a request was turned away.
    """

    async def healthz(_request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_request: web.Request) -> web.Response:
        good = await ready()
        return web.Response(text="ready\n" if good else "not ready\n", status=200 if good else 503)

    async def numbers(_request: web.Request) -> web.Response:
        text = metrics() if metrics is not None else b""
        return web.Response(body=text, headers={"Content-Type": METRICS_TYPE})

    application = web.Application(client_max_size=BODY_BYTES)
    application.router.add_get("/healthz", healthz)
    application.router.add_get("/readyz", readyz)
    if metrics is not None:
        application.router.add_get("/metrics", numbers)
    if app is not None and verifier is not None:
        door = _Events(app, verifier, dropped)
        application.router.add_post("/slack/events", door.take)
    return application


class _Events:
    """POST /slack/events: the signature first, then Bolt."""

    def __init__(
        self, app: AsyncApp, verifier: SignatureVerifier, dropped: Callable[[str], None]
    ) -> None:
        self._app = app
        self._verifier = verifier
        self._dropped = dropped

    async def take(self, request: web.Request) -> web.Response:
        """Answer one request; nothing of it is parsed before its signature was found good."""
        try:
            raw = (await request.read()).decode()
        except web.HTTPRequestEntityTooLarge:
            self._dropped("too_large")
            raise
        except UnicodeDecodeError:
            return self._refuse("malformed", 400)
        if not self._signed(request, raw):
            if SSL_CHECK.search(raw):  # Slack looks at our certificate; the empty answer is for all
                return web.Response()
            return self._refuse("unsigned", 401)
        try:
            asked = AsyncBoltRequest(
                body=raw,
                query=request.query_string,
                headers=dict(request.headers.items()),
            )
        except UNREADABLE:
            return self._refuse("malformed", 400)
        return await to_aiohttp_response(await self._app.async_dispatch(asked))

    def _signed(self, request: web.Request, raw: str) -> bool:
        try:
            return self._verifier.is_valid(
                raw,
                request.headers.get("X-Slack-Request-Timestamp", ""),
                request.headers.get("X-Slack-Signature", ""),
            )
        except (ValueError, TypeError):  # a timestamp that is no number, a signature beyond ASCII
            return False

    def _refuse(self, reason: str, status: int) -> web.Response:
        self._dropped(reason)
        log.warning("request refused", reason=reason)
        return web.Response(status=status, text=f"{reason}\n")


@asynccontextmanager
async def listening(application: web.Application, host: str, port: int) -> AsyncGenerator[int]:
    """Serve an application while inside; gives the port (a free one for 0)."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=CLOSE_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
