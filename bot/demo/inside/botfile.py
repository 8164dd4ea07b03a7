"""The bot's SQLite file, read only: what has changed in it since the last look.

Nothing is read while `PRAGMA data_version` says that nobody has written.
"""

import asyncio
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from bot.store.statements import load

ASKS = 1_000  # the newest asks that are looked at
ENTRIES = 2_000  # the newest rows of the books that are looked at
MARGIN_SECONDS = 5.0  # a row may be committed so long after the moment written in it
BUSY_SECONDS = 0.5  # a lock is waited for

Row = Mapping[str, Any]
SQL = load(files(__package__ or ""))


def at_work(path: Path) -> bool:
    """Whether the bot works on an ask at the moment; not where its file cannot be read."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            return bool(db.execute(SQL["botfile.at_work"]).fetchone()[0])
    except sqlite3.Error:
        return False


@dataclass(frozen=True, slots=True)
class Kept:
    """One ask as the file knows it: its row, and its rows in the journal and in the books."""

    ask: Row
    requests: tuple[Row, ...] = ()
    tools: Mapping[str, Row] = field(default_factory=dict[str, Row])  # by the id of the use
    parts: tuple[Row, ...] = ()
    booked: tuple[Row, ...] = ()

    @property
    def id(self) -> str:
        """The ask's id."""
        return str(self.ask["id"])


@dataclass(frozen=True, slots=True)
class Reading:
    """What has changed: asks oldest first, the books' rows oldest first, and every channel's sums."""

    asks: tuple[Kept, ...]
    entries: tuple[Row, ...]
    sums: tuple[Row, ...]


class BotFile:
    """Reads a file that somebody else writes.

    Args:
        path: of the SQLite file; it may come later.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._version: int | None = None
        self._since = self._booked_since = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def changes(self) -> Reading | None:
        """What has changed since the last time, everything at first; None where nothing did, or none can be read."""
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._changes)

    async def close(self) -> None:
        """Let go of the file."""
        async with self._one_at_a_time:
            if self._db is not None:
                await asyncio.to_thread(self._db.close)
                self._db = None

    def _changes(self) -> Reading | None:
        try:
            db = self._open()
            (version,) = db.execute("PRAGMA data_version").fetchone()
            if version == self._version:
                return None
            db.execute("BEGIN")
            try:
                reading = self._read()
            finally:
                db.execute("COMMIT")
            self._version = version
            return reading
        except sqlite3.Error:
            return None  # it is not there yet, or its schema isn't: looked at again soon

    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            self._db = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode=ro",
                uri=True,
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,  # one look at a time, each in a thread of its own
            )
        return self._db

    def _read(self) -> Reading:
        asks = self._rows("asks", since=self._since - MARGIN_SECONDS, most=ASKS)[::-1]
        ids = json.dumps([ask["id"] for ask in asks])
        requests, parts = self._by_ask("requests", ids), self._by_ask("parts", ids)
        tools, booked = self._by_ask("tools", ids), self._by_ask("booked", ids)
        since = self._booked_since - MARGIN_SECONDS
        entries = self._rows("entries", since=since, most=ENTRIES)[::-1]
        reading = Reading(
            tuple(
                Kept(
                    ask,
                    tuple(requests.get(ask["id"], ())),
                    {tool["use_id"]: tool for tool in tools.get(ask["id"], ())},
                    tuple(parts.get(ask["id"], ())),
                    tuple(booked.get(ask["id"], ())),
                )
                for ask in asks
            ),
            tuple(entries),
            tuple(self._rows("sums")),
        )
        moments = [m for ask in asks for m in (ask["at"], ask["ended_at"]) if m is not None]
        self._since = max([self._since, *moments])
        self._booked_since = max([self._booked_since, *(entry["at"] for entry in entries)])
        return reading

    def _by_ask(self, name: str, ids: str) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for row in self._rows(name, ids=ids):
            found.setdefault(row["ask_id"], []).append(row)
        return found

    def _rows(self, name: str, **values: Any) -> list[Row]:
        assert self._db is not None
        with closing(self._db.execute(SQL[f"botfile.{name}"], values)) as cursor:
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]
