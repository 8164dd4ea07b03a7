"""What lies in a store's database, of whatever engine, looked at and changed behind its back."""

import sqlite3
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.store import Store
from bot.store.sqlite import SqliteStore

GUARDS = ("audit_only_grows", "audit_stays")  # triggers


@dataclass(frozen=True, slots=True)
class Inside:
    """A store's database, behind its back.

    Attributes:
        run: gives what a statement gives, whatever the audit's guards say.
        tables: lists the names of all tables.
        beside: opens it once more, as another process does.
    """

    run: Callable[[str], list[tuple[Any, ...]]]
    tables: Callable[[], list[str]]
    beside: Callable[[], AbstractAsyncContextManager[Store]]

    def tables_with(self, word: str) -> list[str]:
        """Tables in which some row holds a word."""
        rows = {name: self.run(f"SELECT * FROM {name}") for name in self.tables()}  # noqa: S608 - our own names
        return sorted(name for name, found in rows.items() if any(word in str(r) for r in found))


def inside_file(path: Path) -> Inside:
    """A database that is a file."""

    def run(sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(path, isolation_level=None)) as file:
            for guard in GUARDS if "audit" in sql and not sql.startswith("SELECT") else ():
                file.execute(f"DROP TRIGGER IF EXISTS {guard}")
            return file.execute(sql).fetchall()

    def tables() -> list[str]:
        return [name for (name,) in run("SELECT name FROM sqlite_master WHERE type = 'table'")]

    return Inside(run, tables, lambda: SqliteStore.beside(path))
