"""The PostgreSQL engine: any number of processes on one database, each with one writing thread and some readers.

The server may go away and come back: meanwhile every call hears StoreDown at once, `ready` is false, and connecting is
tried again with growing pauses of five seconds at most. Of our own we hold a writing session, up to four for reading,
and one that listens.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, Self

from bot.errors import StoreDown
from bot.store import Row, Transaction
from bot.store.postgres.address import Address
from bot.store.postgres.clock import Clock
from bot.store.postgres.failures import failure
from bot.store.postgres.line import Broken, Line
from bot.store.postgres.migrations import bring_up, check
from bot.store.postgres.news import News
from bot.store.postgres.statements import Prepared, Statements, plain
from bot.store.postgres.writer import Writer
from bot.store.soon import Soon

READERS = 4  # reads at the same time
READY_SECONDS = 5.0
TIME = plain("time", "SELECT extract(epoch FROM clock_timestamp())::double precision AS now")


class PostgresStore:
    """A `Store` on a PostgreSQL server; open it with `PostgresStore.open`.

    Attributes:
        alone: never; see `Engine.alone`.
        now: the database's time, see `Engine.now`.
    """

    alone = False

    def __init__(self, address: Address, *, patience: float) -> None:
        self._address = address
        self._patience = patience
        self._statements = Statements()
        self._writer = Writer(address, self._statements)
        self._soon = Soon(self._writer.commit)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="purser-reader")
        self._own = threading.local()  # each reading thread's own line
        self._lines: list[Line] = []
        self._news: News | None = None
        self._closed = False
        self.now = Clock()

    @classmethod
    async def open(cls, url: str, *, serve: bool, patience: float = READY_SECONDS) -> Self:
        """Open a database whose schema is up to date.

        Args:
            url: `postgresql://…/name?sslmode=require`, or what else libpq takes.
            serve: to work on what waits there; as many processes as one likes may.
            patience: seconds in which the server has to answer to be called ready.

        Raises:
            StoreDown: it cannot be opened, or its schema is older or newer than this release.
        """
        address = Address(url)
        await asyncio.to_thread(check, address)
        store = cls(address, patience=patience)
        try:
            await store._look()
        except StoreDown:
            await store.close()
            raise
        return store

    @classmethod
    @asynccontextmanager
    async def beside(cls, url: str) -> AsyncGenerator[Self]:
        """Open a database beside whoever serves from it, and close it afterwards.

        Raises:
            StoreDown: as `open`.
        """
        store = await cls.open(url, serve=False)
        try:
            yield store
        finally:
            await store.close()

    async def commit(self, tx: Transaction) -> list[list[Row]]:
        """See `Store.commit`.

        If the connection breaks between the sending of a transaction and the server's word on it, nobody here can
        know whether it happened. Whoever waits hears StoreDown, in a sentence that says so. It happened whole or not
        at all, and every record that may be written again has a key under which it stands once: said again, a
        delivery is known, a row is booked once, and a lease that nobody heard of runs out.
        """
        return await self._soon.commit(tx)

    def soon(self, tx: Transaction) -> None:
        """See `Store.soon`."""
        self._soon.add(tx)

    async def read(self, name: str, **values: Any) -> list[Row]:
        """See `Store.read`."""
        return await self._asked(self._statements.get(name), values)

    async def ready(self) -> bool:
        """See `Store.ready`; after a write was refused, whether one goes through again. A server that hangs is not."""
        try:
            async with asyncio.timeout(self._patience):
                await self._look()
                await self.read("inbox.alive")
                if self._writer.failing:
                    tx = Transaction()
                    tx.add("inbox.probe")
                    await self.commit(tx)
        except (StoreDown, TimeoutError):
            return False
        return True

    def listen(self, hear: Callable[[str | None], None]) -> None:
        """See `Engine.listen`."""
        self._news = News(self._address, hear, own=lambda: self._writer.pid)

    async def close(self) -> None:
        """See `Store.close`."""
        if self._closed:
            return
        self._closed = True
        await self._soon.close()
        if self._news is not None:
            await self._news.stop()
        await asyncio.to_thread(self._readers.shutdown)
        for line in self._lines:
            line.close()
        await asyncio.to_thread(self._writer.close)

    async def _look(self) -> None:
        self.now.looked((await self._asked(TIME, {}))[0]["now"])

    async def _asked(self, statement: Prepared, values: dict[str, Any]) -> list[Row]:
        if self._closed:
            raise StoreDown("the store is closed")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._read, statement, values)

    def _read(self, statement: Prepared, values: dict[str, Any]) -> list[Row]:
        try:
            return self._line().one(statement, values)
        except Broken:  # a read does no harm twice
            pass
        try:
            return self._line().one(statement, values)
        except Broken as error:
            raise failure("08006", error) from error

    def _line(self) -> Line:
        line: Line | None = getattr(self._own, "line", None)
        if line is None or not line.alive:
            if line is not None:
                line.close()
                self._lines.remove(line)
            self._own.line = None
            line = self._own.line = Line(self._address.connect(reads=True))
            self._lines.append(line)
        return line


__all__ = ["PostgresStore", "bring_up"]
