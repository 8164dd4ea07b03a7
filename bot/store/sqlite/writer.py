"""The one thread that writes: all transactions waiting at the moment share one commit.

Each has a savepoint of its own inside the group, so one that fails leaves its neighbours alone. Nobody hears success
before the group's COMMIT has returned; if that fails, or if an error ended the whole transaction on its way (a full
disk does), everybody in the group hears StoreDown.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from bot.errors import PurserError, StoreDown
from bot.store import Row, Transaction

GROUP = 256  # transactions in one commit at most
Result = list[list[Row]] | PurserError


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
    """

    def __init__(self, db: Database, statements: Mapping[str, str]) -> None:
        self._db = db
        self._statements = statements
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self.failing = False
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="purser-writer", daemon=True)
        self._thread.start()

    async def commit(self, tx: Transaction) -> list[list[Row]]:
        """Queue a transaction and wait until it is on disk.

        Raises:
            PurserError: a statement's `must`, or StoreDown.
        """
        if self._closed:
            raise StoreDown("the store is closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._queue.put(_Waiting(tx, loop, future))
        result = await future
        if isinstance(result, PurserError):
            raise result
        return result

    def close(self) -> None:
        """Write what is queued, then end the thread and close the connection."""
        self._closed = True
        self._queue.put(None)
        self._thread.join()
        self._db.close()

    def _work(self) -> None:
        ending = False
        while not ending:
            group: list[_Waiting] = []
            first = self._queue.get()
            while first is not None:
                group.append(first)
                if len(group) == GROUP or self._queue.empty():
                    break
                first = self._queue.get()
            ending = first is None
            if group:
                self._commit(group)

    def _commit(self, group: list[_Waiting]) -> None:
        results: list[Result] = []
        try:
            self._db.conn.execute("BEGIN IMMEDIATE")
            results.extend(self._one(waiting.tx) for waiting in group)
            self._db.conn.execute("COMMIT")
            self.failing = False
        except sqlite3.Error as error:
            self.failing = True
            if self._db.conn.in_transaction:
                self._db.conn.execute("ROLLBACK")
            down = failure(error)
            results = [down] * len(group)
        for waiting, result in zip(group, results, strict=True):
            _tell(waiting, result)

    def _one(self, tx: Transaction) -> Result:
        connection = self._db.conn
        connection.execute("SAVEPOINT one")
        rows: list[list[Row]] = []
        try:
            for statement in tx.statements:
                found, touched = self._run(statement.name, statement.values)
                if statement.must is not None and not touched:
                    connection.execute("ROLLBACK TO one")
                    connection.execute("RELEASE one")
                    return statement.must
                rows.append(found)
        except sqlite3.Error as error:
            if not connection.in_transaction:
                raise  # the whole group is gone, not this one alone
            connection.execute("ROLLBACK TO one")
            connection.execute("RELEASE one")
            return failure(error)
        connection.execute("RELEASE one")
        return rows[1:] if tx.lease is not None else rows

    def _run(self, name: str, values: Mapping[str, Any]) -> tuple[list[Row], bool]:
        cursor = self._db.conn.execute(self._statements[name], values)
        if cursor.description is None:
            return [], cursor.rowcount > 0
        names = [column[0] for column in cursor.description]
        found: list[Row] = [dict(zip(names, row, strict=True)) for row in cursor]
        return found, bool(found)


def failure(error: Exception) -> StoreDown:
    """What a foreign error of the engine means, in words without values."""
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return StoreDown(f"the database did not take it ({name}); check the disk's space and rights")


def _tell(waiting: _Waiting, result: Result) -> None:
    def tell() -> None:
        if not waiting.future.done():  # its caller may have gone away
            waiting.future.set_result(result)

    try:
        waiting.loop.call_soon_threadsafe(tell)
    except RuntimeError:
        return  # the loop is closed: nobody waits any more
