"""The database file itself: opened with our pragmas, taken for one process, copied while in use."""

import fcntl
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database

from bot.errors import StoreTaken

BUSY_SECONDS = 5.0  # a lock by another process is waited for
PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA secure_delete=ON",  # what is erased is overwritten, not only left out
)


def connect(path: Path) -> Database:
    """A connection of its own."""
    # isolation_level None: transactions begin and end where we say so, and nowhere else.
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        for pragma in PRAGMAS:
            connection.execute(pragma)
    except sqlite3.Error:
        connection.close()
        raise
    return Database(connection, execute_plugins=False)  # what else is installed has no say here


def make(path: Path) -> None:
    """An empty file that its owner alone may read.

    Raises:
        FileExistsError: it is there already.
    """
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_EXCL, 0o600))


def take(path: Path) -> int:
    """Lock a file beside the database; the lock goes with the process, however it ends.

    Raises:
        StoreTaken: another process has it.
    """
    path = path.resolve()  # by whatever name it is called
    handle = os.open(path.with_name(path.name + "-serve"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise StoreTaken(str(StoreTaken.__doc__)) from None
    return handle


def copy(path: Path, target: Path) -> None:
    """A whole copy of a database in use, with what still lies in its write-ahead log.

    Raises:
        FileExistsError: the target is there already.
    """
    with connect(path) as source:
        make(target)
        try:
            with closing(sqlite3.connect(target)) as made:
                source.conn.backup(made)
        except sqlite3.Error:
            target.unlink()
            raise
