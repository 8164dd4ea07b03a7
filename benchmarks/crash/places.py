"""Where the books lie: a file that somebody locks, or a PostgreSQL that goes away; and reading them in the end."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, LiteralString, Protocol, cast

import psycopg

from benchmarks.crash.found import Books
from benchmarks.database import Database, database

Row = dict[str, Any]


class Place(Protocol):
    """Where the books lie.

    Attributes:
        url: for `DATABASE_URL`.
    """

    url: str

    async def restart(self) -> bool:
        """End the database without a word and start it again; False where there is nothing to end."""
        ...

    async def away(self, seconds: float) -> None:
        """Let nothing be written for so long."""
        ...

    def rows(self, sql: str) -> list[Row]:
        """What a statement gives."""
        ...


class File:
    """SQLite: it has no server, so it is away while somebody else keeps its lock."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.url = f"sqlite:///{path}"

    async def restart(self) -> bool:
        """See `Place.restart`."""
        return False

    async def away(self, seconds: float) -> None:
        """See `Place.away`."""
        with closing(sqlite3.connect(self._path, timeout=30.0, isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(seconds)
            db.execute("ROLLBACK")

    def rows(self, sql: str) -> list[Row]:
        """See `Place.rows`."""
        with closing(sqlite3.connect(self._path)) as db:
            cursor = db.execute(sql)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]


class Server:
    """PostgreSQL."""

    def __init__(self, server: Database) -> None:
        self._server = server
        self.url = server.url

    async def restart(self) -> bool:
        """See `Place.restart`."""
        await self._server.stop(at_once=True)
        await self._server.start()
        return True

    async def away(self, seconds: float) -> None:
        """See `Place.away`."""
        await self._server.stop()
        await asyncio.sleep(seconds)
        await self._server.start()

    def rows(self, sql: str) -> list[Row]:
        """See `Place.rows`."""
        return rows(self.url, sql)


def rows(url: str, sql: str) -> list[Row]:
    """What a statement gives on a server."""
    text = cast("LiteralString", sql)
    with closing(psycopg.connect(url, autocommit=True)) as db:
        cursor = db.execute(text)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor]


def books(given: Callable[[str], Sequence[Row]]) -> Books:
    """What the database says of asks, rows and requests.

    Args:
        given: what a statement gives there.
    """
    return Books(
        given("SELECT id, ts, state, outcome FROM asks"),
        given("SELECT * FROM ledger"),
        given("SELECT ask_id FROM requests WHERE status = 'open' AND ask_id LIKE 'shared:%'"),
    )


@asynccontextmanager
async def place(folder: Path, *, postgres: bool) -> AsyncGenerator[Place]:
    """A place while inside.

    Args:
        folder: where a file may lie; it exists.
        postgres: a server instead of a file, which lies elsewhere.
    """
    if not postgres:
        yield File(folder / "purser.db")
        return
    async with database() as server:
        yield Server(server)
