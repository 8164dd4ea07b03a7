"""Which engine an address means: a file is opened, copied and named as one, a server's password is nowhere shown."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.errors import StoreDown
from bot.store import opening
from bot.store.sqlite import SqliteStore

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
