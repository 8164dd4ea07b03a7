"""Which engine an address means: a file is opened, copied and named as one, a server's password is nowhere shown."""

import io
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot import upkeep
from bot.errors import StoreDown
from bot.policy import Policy
from bot.store import opening
from bot.store.sqlite import SqliteStore
from tests.bot.stores import Clock
from tests.postgres import Postgres

NOWHERE = SecretStr(
    "postgresql://purser:hunter2@127.0.0.1:1/books?connect_timeout=2&application_name=x"
)


async def test_a_file_is_opened(tmp_path: Path) -> None:
    """`sqlite:///path` is made where it is to be served, and read beside."""
    url = SecretStr(f"sqlite:///{tmp_path / 'purser.db'}")
    before = await opening.exists(url)
    store = await opening.open_store(url, serve=True)
    async with opening.beside(url) as beside:
        assert await beside.ready()
    await store.close()

    assert isinstance(store, SqliteStore)
    assert (before, await opening.exists(url)) == (False, True)
    assert opening.named(url) == str(tmp_path / "purser.db")


async def test_a_password_is_not_told() -> None:
    """A server is told by its host and name alone, whatever fails and however it is shown."""
    with pytest.raises(StoreDown) as unserved:
        await opening.open_store(NOWHERE, serve=True)
    with pytest.raises(StoreDown) as unraised:
        await opening.bring_up(NOWHERE)
    told = [opening.named(NOWHERE), repr(NOWHERE), str(NOWHERE)]
    errors: list[BaseException | None] = [unserved.value, unraised.value]
    while errors:
        error = errors.pop()
        if error is not None:
            told += [str(error), repr(error)]
            errors += [error.__cause__, error.__context__]

    assert opening.named(NOWHERE) == "postgresql://127.0.0.1:1/books"
    assert [words for words in told if "hunter2" in words] == []


async def test_a_server_is_copied_by_its_own_tools(tmp_path: Path) -> None:
    """`purser backup` copies files, and of PostgreSQL says which tool does."""
    with pytest.raises(StoreDown, match="pg_dump") as refused:
        await opening.backup(NOWHERE, tmp_path / "copy.db")

    assert "hunter2" not in str(refused.value)
    assert not (tmp_path / "copy.db").exists()


async def test_a_server_is_brought_up_by_migrate_alone(postgres: Postgres) -> None:
    """Whatever opens a database without our schema says to run `purser migrate`; that says what it did, and opens it."""
    url, out = SecretStr(postgres.empty()), io.StringIO()
    with pytest.raises(StoreDown, match="run `purser migrate`"):
        await opening.open_store(url, serve=True)
    with pytest.raises(StoreDown, match="run `purser migrate`"):
        await upkeep.adjust(Policy(), url, now=Clock())
    for _ in range(2):
        await upkeep.bring_up(url, out)
    store = await opening.open_store(url, serve=True)
    ready, alone = await store.ready(), store.alone
    await store.close()

    first, second = out.getvalue().splitlines()
    assert "applied m001_one_ask" in first
    assert second.endswith("is up to date.")
    assert (ready, alone) == (True, False)
