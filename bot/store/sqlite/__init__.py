"""The SQLite engine: one file, one writer thread with group commit, readers on connections of their own.

Opened by `serve` it takes the file for itself (a lock that dies with the process), copies it before migrating, and
is readable by its owner alone. Other commands read beside it.
"""

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from sqlite_utils import Database

from bot.errors import StoreDown
from bot.store import Row, Transaction
from bot.store.soon import Soon
from bot.store.sqlite import file, seal
from bot.store.sqlite.migrations import bring_up, check
from bot.store.sqlite.writer import Writer, failure
from bot.store.statements import load

READERS = 4  # reads at the same time
READ_CACHE_KB = 256  # of pages, for each; a commit empties it anyway, and the default is 2 MB


class SqliteStore:
    """A `Store` in one SQLite file; open it with `SqliteStore.open`.

    Attributes:
        alone: always, of processes that serve.
        now: this machine's time.
    """

    alone = True

    def __init__(self, path: Path, *, lock: int | None, now: Callable[[], float]) -> None:
        self.now = now
        self._path = path
        self._lock = lock
        self._statements = load(files(__name__))
        db = file.connect(path)
        seal.teach(db.conn, path, writes=True)
        self._writer = Writer(db, self._statements)
        self._soon = Soon(self._writer.commit)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="purser-reader")
        self._own = threading.local()  # each reading thread's own connection
        self._opened: list[Database] = []
        self._closed = False

    @classmethod
    async def open(cls, path: Path, *, serve: bool, now: Callable[[], float] = time.time) -> Self:
        """Open a file.

        Args:
            path: the file.
            serve: take it for this process alone, make it where there is none, and bring its schema up to date.
            now: seconds since the epoch.

        Raises:
            StoreTaken: another process serves this file.
            StoreDown: it cannot be opened, or its schema is older or newer than this release.
        """
        return await asyncio.to_thread(cls._open, path, serve=serve, now=now)

    @classmethod
    def _open(cls, path: Path, *, serve: bool, now: Callable[[], float]) -> Self:
        lock: int | None = None
        try:
            if serve:
                lock = file.take(path)
                bring_up(path)
            else:
                check(path)
            return cls(path, lock=lock, now=now)
        except (sqlite3.Error, OSError, StoreDown) as error:
            if lock is not None:
                os.close(lock)
            raise error if isinstance(error, StoreDown) else failure(error) from error

    @classmethod
    @asynccontextmanager
    async def beside(cls, path: Path) -> AsyncGenerator[Self]:
        """Open a file beside whoever serves it, and close it afterwards.

        Raises:
            StoreDown: as `open`.
        """
        store = await cls.open(path, serve=False)
        try:
            yield store
        finally:
            await store.close()

    async def commit(self, tx: Transaction) -> list[list[Row]]:
        """See `Store.commit`."""
        return await self._soon.commit(tx)

    def soon(self, tx: Transaction) -> None:
        """See `Store.soon`."""
        self._soon.add(tx)

    async def read(self, name: str, **values: Any) -> list[Row]:
        """See `Store.read`."""
        sql = self._statements[name]
        if self._closed:
            raise StoreDown("the store is closed")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._read, sql, values)

    async def ready(self) -> bool:
        """See `Store.ready`; after a write was refused, whether one goes through again."""
        try:
            await self.read("inbox.alive")
            if self._writer.failing:
                tx = Transaction()
                tx.add("inbox.probe")
                await self.commit(tx)
        except StoreDown:
            return False
        return True

    def listen(self, hear: Callable[[str | None], None]) -> None:
        """See `Engine.listen`: nobody else puts anything here."""

    @staticmethod
    async def backup(path: Path, target: Path) -> None:
        """An online copy of a whole file, of whatever schema, readable by its owner alone.

        Raises:
            StoreDown: there is nothing to copy, or the copy could not be written.
        """
        await asyncio.to_thread(_backup, path, target)

    async def close(self) -> None:
        """See `Store.close`."""
        if self._closed:
            return
        self._closed = True
        await self._soon.close()
        await asyncio.to_thread(self._readers.shutdown)
        for db in self._opened:
            db.close()
        await asyncio.to_thread(self._writer.close)
        if self._lock is not None:
            os.close(self._lock)

    def _read(self, sql: str, values: dict[str, Any]) -> list[Row]:
        try:
            db: Database | None = getattr(self._own, "db", None)
            if db is None:
                db = self._own.db = file.connect(self._path)
                db.execute("PRAGMA query_only=ON")
                db.execute(f"PRAGMA cache_size=-{READ_CACHE_KB}")
                seal.teach(db.conn, self._path, writes=False)
                self._opened.append(db)
            cursor = db.conn.execute(sql, values)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]
        except sqlite3.Error as error:
            raise failure(error) from error


def _backup(path: Path, target: Path) -> None:
    if not path.exists():
        raise StoreDown(f"there is no database {path} yet; DATABASE_URL says where it lies")
    try:
        file.copy(path, target)
    except FileExistsError:
        raise StoreDown(f"{target} exists already; name another file") from None
    except FileNotFoundError:
        raise StoreDown(f"there is no folder {target.parent}; make it first") from None
    except (sqlite3.Error, OSError) as error:
        raise failure(error) from error
