"""A store in a loop of its own, for tests whose steps hypothesis chooses."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from bot.inbox import Inbox
from bot.store.sqlite import SqliteStore
from tests.bot.stores import Clock

T = TypeVar("T")


class Shelf:
    """A store and an inbox; `run` gives what a coroutine on them gives."""

    def __init__(self, folder: Path, *, at: float = 2_000.0) -> None:
        self.clock = Clock(at)
        self._runner = asyncio.Runner()
        self.store = self.run(SqliteStore.open(folder / "purser.db", serve=True))
        self.inbox = Inbox(self.store, now=self.clock, worker="w1")

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What a coroutine gives."""
        return self._runner.run(work)

    def close(self) -> None:
        """Close the store and the loop."""
        self.run(self.store.close())
        self._runner.close()
