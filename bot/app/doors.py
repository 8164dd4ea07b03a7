"""What Slack and operators speak to: two sockets or HTTP, and health."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier

from bot import __version__
from bot.app.clients import secret
from bot.app.reload import Keyring
from bot.metrics import Metrics
from bot.settings import Settings
from bot.slack.transport import Sockets, http_app, listening
from bot.store.opening import named

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

log = structlog.get_logger()


async def open_doors(
    settings: Settings,
    app: AsyncApp,
    host: str,
    port: int,
    well: Callable[[], Awaitable[bool]],
    metrics: Metrics,
    ready: Callable[[int], None],
    apart: float,
    keyring: Keyring,
    stack: AsyncExitStack,
) -> None:
    """Open what Slack and operators speak to; asks are taken from here on."""
    sockets = verifier = None
    if settings.slack_app_token is not None:
        proxy = secret(settings.https_proxy) or None
        app_token = secret(settings.slack_app_token)
        sockets = Sockets(app, app_token=app_token, proxy=proxy, apart=apart)
        keyring.add(sockets.rekey, "slack_app_token")
    else:
        verifier = SignatureVerifier(secret(settings.slack_signing_secret))
        keyring.add(partial(setattr, verifier, "signing_secret"), "slack_signing_secret")

    async def healthy() -> bool:
        return (sockets is None or await sockets.connected()) and await well()

    application = http_app(
        app,
        ready=healthy,
        metrics=metrics.text if host in LOOPBACK else None,
        verifier=verifier,
        dropped=metrics.dropped,
    )
    taken = await stack.enter_async_context(listening(application, host, port))
    if settings.metrics_port is not None:
        numbers = http_app(None, ready=healthy, metrics=metrics.text)
        await stack.enter_async_context(listening(numbers, host, settings.metrics_port))
    if sockets is not None:
        stack.push_async_callback(sockets.close)
        await sockets.open()
    mode, database = "socket" if sockets else "http", named(settings.database_url)
    log.info("ready", version=__version__, database=database, host=host, port=taken, mode=mode)
    ready(taken)
