"""A pooler between a test and PostgreSQL that drops the options of sessions without a word, as PgBouncer can."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

_NO = {80877103, 80877104}  # asks for encryption, which there is none of


@asynccontextmanager
async def dropping(url: str) -> AsyncGenerator[str]:
    """The address of a pooler in front of a server that listens at a Unix socket."""
    there = conninfo_to_dict(url)
    socket = Path(str(there["host"])) / f".s.PGSQL.{there.get('port') or 5432}"

    sessions: set[asyncio.Task[None]] = set()

    async def session(here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        server, on = await asyncio.open_unix_connection(socket)
        try:
            on.write(_without_options(await _startup(here, back)))
            await asyncio.gather(_pass(here, on), _pass(server, back))
        finally:
            on.close()
            back.close()

    def begin(here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        sessions.add(asyncio.create_task(session(here, back)))

    async with await asyncio.start_server(begin, "127.0.0.1", 0) as pooler:
        port = pooler.sockets[0].getsockname()[1]
        try:
            yield f"postgresql://{there['user']}@127.0.0.1:{port}/{there['dbname']}"
        finally:
            for one in sessions:
                one.cancel()
            await asyncio.gather(*sessions, return_exceptions=True)


async def _startup(here: asyncio.StreamReader, back: asyncio.StreamWriter) -> bytes:
    """The message by which a session begins, its length left out."""
    while True:
        length = int.from_bytes(await here.readexactly(4))
        body = await here.readexactly(length - 4)
        if int.from_bytes(body[:4]) not in _NO:
            return body
        back.write(b"N")


def _without_options(body: bytes) -> bytes:
    words = body[4:].rstrip(b"\0").split(b"\0")
    pairs = dict(zip(words[::2], words[1::2], strict=True))
    pairs.pop(b"options", None)
    rest = b"".join(name + b"\0" + value + b"\0" for name, value in pairs.items()) + b"\0"
    return (8 + len(rest)).to_bytes(4) + body[:4] + rest


async def _pass(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    while some := await source.read(65_536):
        to.write(some)
        await to.drain()
    to.close()
