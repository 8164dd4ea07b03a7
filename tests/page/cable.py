"""A cable between a browser and the stand-in that a test can pull out and plug in again."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

CHUNK = 65_536  # bytes carried at once


class Cable:
    """Carries every connection to another port of this machine."""

    def __init__(self, port: int) -> None:
        self.url = ""
        self.is_in = True
        self._port = port
        self._ends: set[asyncio.StreamWriter] = set()

    def pull(self) -> None:
        """Cut what is open, and let nothing in until `is_in` is set again."""
        self.is_in = False
        for end in self._ends:
            end.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, both ways."""
        if not self.is_in:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        ends = {writer, far_writer}
        self._ends |= ends
        try:
            await asyncio.gather(_pour(reader, far_writer), _pour(far_reader, writer))
        finally:
            self._ends -= ends
            for end in ends:
                end.close()


async def _pour(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await source.read(CHUNK):
            target.write(data)
            await target.drain()
    with suppress(ConnectionError, OSError):
        target.write_eof()


@asynccontextmanager
async def cable_to(url: str) -> AsyncGenerator[Cable]:
    """A cable to a stand-in; its own `url` leads through it."""
    cable = Cable(int(url.rpartition(":")[2]))
    server = await asyncio.start_server(cable.carry, "127.0.0.1", 0)
    cable.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield cable
    finally:
        cable.pull()
        server.close()
        await server.wait_closed()
