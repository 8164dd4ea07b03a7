"""The one thread that writes: all transactions waiting at the moment share one commit.

Each has a savepoint of its own inside the group, so one that fails leaves its neighbours alone. Nobody hears success
before the group's COMMIT has returned; if that fails, or if an error ended the whole transaction on its way (a full
disk may do so), everybody in the group hears StoreDown.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from bot.errors import PurserError, StoreDown
from bot.store import Row, Statement, Transaction

GROUP = 256  # transactions in one commit at most
Result = list[list[Row]] | PurserError

WHAT: Mapping[str, str] = {
    "FULL": "the disk is full; make room, and it goes on by itself",
    "IOERR": "the disk does not read or write; check it",
    "BUSY": "another process holds the database; end that one",
    "READONLY": "the database may not be written; check the rights of the file and its folder",
    "CANTOPEN": "the database cannot be opened; check its path and rights",
    "PERM": "the database cannot be opened; check its path and rights",
    "NOTADB": "the file is no SQLite database; check DATABASE_URL, or restore a copy of it",
    "CORRUPT": "the database file is damaged; stop Purser and restore a copy of it",
}
"""By the engine's name of an error, what it means and what to do."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    tx: Transaction
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Result]"


class Writer:
    """Commits transactions, one group after the other.

    Args:
        db: a connection for this thread alone.
        statements: SQL by name.

    Attributes:
        failing: whether the last write was refused by the engine, and none went through since.
    """

    def __init__(self, db: Database, statements: Mapping[str, str]) -> None:
        self._db = db
        self._statements = statements
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self.failing = False
        self._closed = False
        self._closing = threading.Lock()  # nothing is queued behind the end
        self._thread = threading.Thread(target=self._work, name="purser-writer", daemon=True)
        self._thread.start()

    async def commit(self, tx: Transaction) -> list[list[Row]]:
        """Queue a transaction and wait until it is on disk.

        Raises:
            PurserError: a statement's `must`, or StoreDown.
            KeyError: there is no statement of that name.
        """
        for statement in tx.statements:
            self._statements[statement.name]
        loop = asyncio.get_running_loop()
        waiting = _Waiting(tx, loop, loop.create_future())
        with self._closing:
            if self._closed:
                raise _over()
            self._queue.put(waiting)
        result = await waiting.future
        if isinstance(result, PurserError):
            raise result
        return result

    def close(self) -> None:
        """Write what is queued, then end the thread and close the connection."""
        with self._closing:
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        self._db.close()

    def _work(self) -> None:
        group: list[_Waiting] = []
        try:
            while group := self._gathered():
                _tell(zip(group, self._committed([one.tx for one in group]), strict=True))
                group = []
        finally:
            # At a regular end nobody is left. If it was an error of ours, nobody may wait for ever.
            with self._closing:
                self._closed = True
            while not self._queue.empty():
                if (one := self._queue.get()) is not None:
                    group.append(one)
            _tell((one, _over()) for one in group)

    def _gathered(self) -> list[_Waiting]:
        """All that wait at the moment; nobody, once the store is closed."""
        group: list[_Waiting] = []
        while len(group) < GROUP and not (group and self._queue.empty()):
            one = self._queue.get()
            if one is None:
                self._queue.put(None)  # to be found by the next look
                break
            group.append(one)
        return group

    def _committed(self, group: list[Transaction]) -> list[Result]:
        connection = self._db.conn
        before = connection.total_changes
        try:
            connection.execute("BEGIN IMMEDIATE")
            results = [self._one(tx) for tx in group]
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                with suppress(
                    sqlite3.Error
                ):  # it is undone at the latest when the file is opened again
                    connection.execute("ROLLBACK")
            self.failing = True
            return [failure(error) for _ in group]
        if any(isinstance(result, StoreDown) for result in results):
            self.failing = True
        elif connection.total_changes != before:
            self.failing = False
        return results

    def _one(self, tx: Transaction) -> Result:
        connection = self._db.conn
        connection.execute("SAVEPOINT one")
        rows: list[list[Row]] = []
        try:
            for statement in tx.statements:
                found, touched = self._run(statement)
                if statement.must is not None and not touched:
                    self._undo_one()
                    return statement.must
                rows.append(found)
        except (sqlite3.Error, ValueError, OverflowError) as error:
            if isinstance(error, sqlite3.Error) and not connection.in_transaction:
                raise  # the whole group is gone, not this one alone
            self._undo_one()
            return failure(error)
        # If the transaction is gone there is nothing to release: this fails, and the group with it.
        connection.execute("RELEASE one")
        return rows

    def _undo_one(self) -> None:
        self._db.conn.execute("ROLLBACK TO one")
        self._db.conn.execute("RELEASE one")

    def _run(self, statement: Statement) -> tuple[list[Row], bool]:
        """A statement's rows, and whether it touched or found any."""
        sql = self._statements[statement.name]
        try:
            cursor = self._db.conn.execute(sql, statement.values)
        except UnicodeEncodeError:
            cursor = self._db.conn.execute(sql, _whole(statement.values))
        if cursor.description is None:
            return [], cursor.rowcount > 0
        names = [column[0] for column in cursor.description]
        found: list[Row] = [dict(zip(names, row, strict=True)) for row in cursor]
        return found, bool(found)


def failure(error: Exception) -> StoreDown:
    """What a foreign error of the engine or its file means, in words without values of records."""
    name = str(getattr(error, "sqlite_errorname", type(error).__name__))
    kind = name.removeprefix("SQLITE_").partition("_")[0]
    what = WHAT.get(kind, "the database did not take it; check its path and rights, and the disk")
    if isinstance(error, FileNotFoundError):
        what = f"there is no folder for {error.filename}; make it first"
    elif isinstance(error, PermissionError):
        what = f"{error.filename} may not be opened; check its rights"
    down = StoreDown(f"{what} ({name})")
    down.__cause__ = error
    return down


def _over() -> StoreDown:
    return StoreDown("the store is closed")


def _whole(values: Mapping[str, Any]) -> dict[str, Any]:
    """Text as UTF-8 can hold it: half a surrogate pair, which JSON may carry, becomes a question mark."""
    return {
        name: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
        for name, value in values.items()
    }


def _tell(told: Iterable[tuple[_Waiting, Result]]) -> None:
    """Each hears its result; a loop is woken once for all its waiters."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Result], Result]]] = {}
    for waiting, result in told:
        by_loop.setdefault(waiting.loop, []).append((waiting.future, result))
    for loop, results in by_loop.items():
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_resolve, results)


def _resolve(results: list[tuple["asyncio.Future[Result]", Result]]) -> None:
    for future, result in results:
        if not future.done():  # its caller may have gone away
            future.set_result(result)
