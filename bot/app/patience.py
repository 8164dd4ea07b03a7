"""The database is away when we start: platforms restart both at once, so it is waited for instead of ending again and again.

Meanwhile health is answered: we live, and are not ready. What waiting does not mend (a refused password, another schema)
is told at once.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

import structlog
from pydantic import SecretStr

from bot.errors import StoreAway
from bot.slack.transport import http_app, listening
from bot.store import Engine
from bot.store.opening import named, open_store

PAUSE_SECONDS = 0.5  # between attempts
TOLD_SECONDS = 30.0  # between log lines
PATIENCE_SECONDS = 600.0  # then whoever started us has to look

log = structlog.get_logger()


async def opened(
    url: SecretStr,
    *,
    host: str,
    port: int,
    stopping: asyncio.Event,
    waiting: Callable[[int], None] = lambda _port: None,
    pause: float = PAUSE_SECONDS,
    patience: float = PATIENCE_SECONDS,
) -> Engine | None:
    """The store to serve from, as soon as there is one; None when we are told to stop before.

    Args:
        url: of the database.
        host: where health is answered while it is away.
        port: 0 takes a free one.
        stopping: set by a signal.
        waiting: told the port of health, where we have to wait.
        pause: seconds between attempts.
        patience: seconds after which it is given up.

    Raises:
        StoreDown: it cannot be opened, and waiting mends nothing; or it was away for too long (StoreAway).
    """
    loop = asyncio.get_running_loop()
    began, told = loop.time(), float("-inf")
    async with AsyncExitStack() as stack:
        while not stopping.is_set():
            try:
                return await open_store(url, serve=True)
            except StoreAway as away:
                now = loop.time()
                if now - began >= patience:
                    raise
                if told < began:
                    door = listening(http_app(None, ready=_never), host, port)
                    waiting(await stack.enter_async_context(door))
                if now - told >= TOLD_SECONDS:
                    told = now
                    log.warning("waiting for the database", database=named(url), why=str(away))
            try:
                async with asyncio.timeout(pause):
                    await stopping.wait()
            except TimeoutError:
                continue
    return None


async def _never() -> bool:
    return False
