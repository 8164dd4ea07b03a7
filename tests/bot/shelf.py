"""A store in a loop of its own, for tests whose steps hypothesis chooses."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from bot.inbox import Inbox
from bot.store import Store
from bot.store.postgres import PostgresStore
from bot.store.sqlite import SqliteStore
from tests.bot.stores import Clock
from tests.postgres import Postgres

T = TypeVar("T")


class Shelf:
    """A store and an inbox; `run` gives what a coroutine on them gives.

    Args:
        place: a folder for a file, or a server.
        at: what the clock shows.
    """

    def __init__(self, place: Path | Postgres, *, at: float = 2_000.0) -> None:
        self.clock = Clock(at)
        self._runner = asyncio.Runner()
        self.store: Store
        if isinstance(place, Path):
            self.store = self.run(SqliteStore.open(place / "purser.db", serve=True))
        else:
            self.store = self.run(PostgresStore.open(place.clean(), serve=True))
        self.inbox = Inbox(self.store, now=self.clock, worker="w1")

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What a coroutine gives."""
        return self._runner.run(work)

    def close(self) -> None:
        """Close the store and the loop."""
        self.run(self.store.close())
        self._runner.close()
