"""What other processes put: PostgreSQL's LISTEN, on a connection of its own, for as long as the store is open.

While it is away nothing is heard; once it is back, everything may have happened, and is told as that.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg

from bot.errors import StoreDown
from bot.store.postgres.address import BACKOFF_SECONDS, Address

CHANNEL = "purser"


class News:
    """Listens until it is stopped.

    Args:
        address: where to.
        hear: is told of each; see `Engine.listen`.
        own: the session on the server whose news are ours, and not told.
    """

    def __init__(
        self, address: Address, hear: Callable[[str | None], None], *, own: Callable[[], int]
    ) -> None:
        self._address = address
        self._hear = hear
        self._own = own
        self._task = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        """Listen no more."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _listen(self) -> None:
        while True:
            with suppress(StoreDown, psycopg.Error):
                await self._session()
            await asyncio.sleep(BACKOFF_SECONDS[0])

    async def _connected(self) -> psycopg.Connection[Any]:
        """A connection; if we are stopped while a thread makes one, it is closed as soon as it is there."""
        connecting = asyncio.create_task(asyncio.to_thread(self._address.connect))
        try:
            return await asyncio.shield(connecting)
        except asyncio.CancelledError:
            with suppress(StoreDown):
                (await connecting).close()
            raise

    async def _session(self) -> None:
        connection = await self._connected()
        loop, said = asyncio.get_running_loop(), asyncio.Event()
        descriptor = connection.fileno()
        try:
            await asyncio.to_thread(connection.execute, f"LISTEN {CHANNEL}")
            loop.add_reader(descriptor, said.set)
            self._hear(None)
            while True:
                await said.wait()
                said.clear()
                connection.pgconn.consume_input()
                while (notice := connection.pgconn.notifies()) is not None:
                    if notice.be_pid != self._own():
                        self._hear(notice.extra.decode())
        finally:
            loop.remove_reader(descriptor)
            connection.close()
