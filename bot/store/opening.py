"""Which engine an address means, and opening it: `sqlite:///path` is a file, `postgresql://…` a server.

An address may hold a password, so it is handed on as a secret, and people are told `named(url)`. An engine is loaded
only where an address asks for it.
"""

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from pydantic import SecretStr

from bot.store import Store
from bot.store.sqlite import SqliteStore
from bot.store.sqlite.migrations import Migrated, migrate

SQLITE = "sqlite:///"


async def open_store(url: SecretStr, *, serve: bool) -> Store:
    """Open a database.

    Args:
        url: its address, as `Settings.database_url` has it.
        serve: to work on what waits there, and not only beside who does.

    Raises:
        StoreTaken: another process serves this file.
        StoreDown: it cannot be opened, or its schema is not this release's.
    """
    return await SqliteStore.open(_file(url), serve=serve)


def beside(url: SecretStr) -> AbstractAsyncContextManager[Store]:
    """A database, open beside whoever serves it, while inside.

    Raises:
        StoreDown: as `open_store`.
    """
    return SqliteStore.beside(_file(url))


async def bring_up(url: SecretStr) -> Migrated:
    """Bring a database's schema up to date; see each engine's own for what is copied first.

    Raises:
        StoreDown: it cannot be opened or changed, or its schema is newer than this release.
    """
    return await migrate(_file(url))


async def backup(url: SecretStr, target: Path) -> None:
    """Copy a database while it is in use.

    Raises:
        StoreDown: there is nothing to copy, or the copy could not be written.
    """
    await SqliteStore.backup(_file(url), target)


async def exists(url: SecretStr) -> bool:
    """Whether there is a database yet."""
    return await asyncio.to_thread(_file(url).exists)


def file_of(url: SecretStr) -> Path | None:
    """The file that a database is; None where it is none."""
    return _file(url)


def named(url: SecretStr) -> str:
    """A database's name for people and logs, without user and password."""
    return str(_file(url))


def _file(url: SecretStr) -> Path:
    return Path(url.get_secret_value().removeprefix(SQLITE))
