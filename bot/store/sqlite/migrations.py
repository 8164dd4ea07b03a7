"""The schema, step by step; each step and the record of it are one transaction.

A file that is to be changed is copied first. A step belongs to one of two sets, by what it asks of a release that does
not know it: of `migrations` each has to be known, and `additions` only add, so that an older release works on with the
file after it was rolled back. (The first release looks at nothing but the set `purser`; so what it can work with
beside has to be in another one.) What opens a file without changing it (`check`) wants at least this schema.
"""

import asyncio
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from bot.errors import StoreDown
from bot.store.sqlite import file
from bot.store.sqlite.writer import failure

migrations = Migrations("purser")
additions = Migrations("purser additions")


@dataclass(frozen=True, slots=True)
class Migrated:
    """What was done to a file; `copy` is how it was before, None where there was nothing to keep."""

    applied: tuple[str, ...]
    copy: Path | None = None


async def migrate(path: Path) -> Migrated:
    """Bring a file's schema up to date, after a copy; a file is made where there is none.

    Raises:
        StoreTaken: another process serves this file, and something is to be done.
        StoreDown: it cannot be opened, copied or changed, or its schema is newer than this release.
    """
    return await asyncio.to_thread(_migrate, path)


def _migrate(path: Path) -> Migrated:
    try:
        if path.exists() and not pending(path):
            return Migrated(())
        lock = file.take(path)
        try:
            return bring_up(path)
        finally:
            os.close(lock)
    except (sqlite3.Error, OSError) as error:
        raise failure(error) from error


def bring_up(path: Path) -> Migrated:
    """See `migrate`; the caller has taken the file."""
    fresh = not path.exists()
    if fresh:
        file.make(path)
    steps, copy = pending(path), None
    if steps and not fresh:
        copy = path.with_suffix(f".before-{steps[0]}.db")
        copy.unlink(missing_ok=True)  # of an attempt that failed
        file.copy(path, copy)
    with file.connect(path) as db:
        take(db, steps, migrations, additions)
    return Migrated(steps, copy)


def take(db: Database, steps: Sequence[str], *sets: Migrations) -> None:
    """Take steps that a database lacks in their order, whichever of the sets each is of."""
    for n, step in enumerate(steps):
        own = next(own for own in sets if step in _names(own))
        own.apply(db, stop_before=steps[n + 1 :])


def check(path: Path) -> None:
    """Whether a file may be opened as it is.

    Raises:
        StoreDown: there is none, or its schema is older or newer than this release.
    """
    if not path.exists():
        raise StoreDown(
            f"there is no database {path} yet; `purser serve` makes it, and DATABASE_URL says where"
        )
    if pending(path):
        raise StoreDown(f"the schema of {path} is older than this Purser; run `purser migrate`")


def pending(path: Path) -> tuple[str, ...]:
    """The steps that a file lacks, in their order.

    Raises:
        StoreDown: it has steps that this release does not know, and would have to.
    """
    with file.connect(path) as db:
        applied = {own: {step.name for step in own.applied(db)} for own in (migrations, additions)}
    if applied[migrations] - _names(migrations):
        raise StoreDown(
            f"the schema of {path} is newer than this Purser; install the newer one, "
            "or go back to the copy that was made beside it"
        )
    return tuple(sorted(name for own in applied for name in _names(own) - applied[own]))


def _names(own: Migrations) -> set[str]:
    """The steps of a set that this release knows."""
    with Database(memory=True, execute_plugins=False) as empty:
        return {step.name for step in own.pending(empty)}


@migrations()
def m001_one_ask(db: Database) -> None:
    """Everything that one ask needs, from Slack to the books."""
    _run(db, "m001_one_ask")


@additions()
def m002_money(db: Database) -> None:
    """By what a missed cache is explained."""
    _run(db, "m002_money")


def _run(db: Database, step: str) -> None:
    """Execute a file of `schema/`: statements that each end with a semicolon at the end of a line."""
    sql = (files(__package__ or "") / "schema" / f"{step}.sql").read_text(encoding="utf-8")
    for statement in sql.split(";\n"):
        if statement.strip():
            db.execute(statement)
