"""What the tests of the durable rooms share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.inbox import Inbox
from bot.store import Engine, Store
from bot.store.postgres import PostgresStore
from bot.store.sqlite import SqliteStore
from tests.bot.inside import Inside, inside_file
from tests.bot.stores import Clock
from tests.postgres import Postgres


@pytest.fixture
def clock() -> Clock:
    """A clock that stands until it is moved."""
    return Clock()


@pytest.fixture(params=["sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engine]:
    """A store of each engine."""
    opened: Engine
    if request.param == "sqlite":
        opened = await SqliteStore.open(tmp_path / "purser.db", serve=True)
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        opened = await PostgresStore.open(postgres.clean(), serve=True)
    yield opened
    await opened.close()


@pytest.fixture
def inside(store: Engine, request: pytest.FixtureRequest, tmp_path: Path) -> Inside:
    """The store's database, behind its back."""
    if not isinstance(store, PostgresStore):
        return inside_file(tmp_path / "purser.db")
    postgres: Postgres = request.getfixturevalue("postgres")
    return Inside(postgres.run, lambda: postgres.tables, lambda: PostgresStore.beside(postgres.url))


@pytest.fixture
def inbox(store: Store, clock: Clock) -> Inbox:
    """An inbox on the store."""
    return Inbox(store, now=clock, worker="w1")
