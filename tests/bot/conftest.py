"""What the tests of the durable rooms share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.inbox import Inbox
from bot.store import Store
from bot.store.sqlite import SqliteStore
from tests.bot.stores import Clock


@pytest.fixture
def clock() -> Clock:
    """A clock that stands until it is moved."""
    return Clock()


@pytest.fixture(params=["sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """A store of each engine."""
    assert request.param == "sqlite"
    opened = await SqliteStore.open(tmp_path / "purser.db", serve=True)
    yield opened
    await opened.close()


@pytest.fixture
def inbox(store: Store, clock: Clock) -> Inbox:
    """An inbox on the store."""
    return Inbox(store, now=clock, worker="w1")
