"""The one thread that writes: all transactions waiting at the moment share one commit.

Each has a savepoint of its own inside the group, so one that fails leaves its neighbours alone. Nobody hears success
before the group's COMMIT has returned; if that fails, or if an error ended the whole transaction on its way (a full
disk may do so), everybody in the group hears StoreDown.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from sqlite_utils import Database

from bot.errors import StoreAway, StoreDown
from bot.store import Row, Statement, Transaction
from bot.store.groups import Groups, Result

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
        self.failing = False
        self._groups: Groups[Transaction] = Groups(self._committed)

    async def commit(self, tx: Transaction) -> list[list[Row]]:
        """Queue a transaction and wait until it is on disk.

        Raises:
            PurserError: a statement's `must`, or StoreDown.
            KeyError: there is no statement of that name.
        """
        for statement in tx.statements:
            self._statements[statement.name]
        return await self._groups.commit(tx)

    def close(self) -> None:
        """Write what is queued, then end the thread and close the connection."""
        self._groups.close()
        self._db.close()

    def _committed(self, group: Sequence[Transaction]) -> list[Result]:
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
    down = (StoreAway if kind == "BUSY" else StoreDown)(f"{what} ({name})")
    down.__cause__ = error
    return down


def _whole(values: Mapping[str, Any]) -> dict[str, Any]:
    """Text as UTF-8 can hold it: half a surrogate pair, which JSON may carry, becomes a question mark."""
    return {
        name: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
        for name, value in values.items()
    }
