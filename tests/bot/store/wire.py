"""A wire between us and a PostgreSQL server that can be cut at the worst moment."""

import asyncio
from contextlib import suppress
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

SOCKET = ".s.PGSQL.5432"  # as the server names it in its folder


class Wire:
    """Passes bytes on, until told to keep the server's words to itself.

    Attributes:
        url: the same database, over this wire.
        kept: set once the server said something that was not passed on.
    """

    def __init__(self, url: str, folder: Path) -> None:
        given = conninfo_to_dict(url)
        self.url = f"postgresql://postgres:topsecret@/{given['dbname']}?host={folder}"
        self.kept = asyncio.Event()
        self._to = Path(str(given["host"])) / SOCKET
        self._at = folder / SOCKET
        self._mute = False
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Begin."""
        self._server = await asyncio.start_unix_server(self._join, self._at)

    def mute(self) -> None:
        """From now on the server is heard no more; what is said to it still arrives."""
        self._mute = True

    def cut(self) -> None:
        """Every connection ends; new ones are good again."""
        self._mute = False
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def close(self) -> None:
        """End."""
        self.cut()
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _join(self, ours: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        theirs, to = await asyncio.open_unix_connection(self._to)
        self._writers += [back, to]
        for reader, writer, speaks in ((ours, to, False), (theirs, back, True)):
            task = asyncio.create_task(self._pass_on(reader, writer, speaks=speaks))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, speaks: bool
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if speaks and self._mute:
                    self.kept.set()
                    continue
                writer.write(data)
        writer.close()
