"""Which engine an address means, and opening it: `sqlite:///path` is a file, `postgresql://…` a server.

An address may hold a password, so it is handed on as a secret, and people are told `named(url)`. PostgreSQL's driver is
loaded only where an address asks for it.
"""

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from pydantic import SecretStr

from bot.errors import StoreDown
from bot.settings import POSTGRESQL, SQLITE
from bot.store import Engine, Store
from bot.store.sqlite import SqliteStore
from bot.store.sqlite.migrations import Migrated, migrate


async def open_store(url: SecretStr, *, serve: bool) -> Engine:
    """Open a database.

    Args:
        url: its address, as `Settings.database_url` has it.
        serve: to work on what waits there. A file is then this process's alone, made where there is none, and brought
            to this release's schema; a server takes any number, and `bring_up` does that.

    Raises:
        StoreTaken: another process serves this file.
        StoreDown: it cannot be opened, or its schema is not this release's.
    """
    file = file_of(url)
    if file is not None:
        return await SqliteStore.open(file, serve=serve)
    from bot.store.postgres import PostgresStore

    return await PostgresStore.open(url.get_secret_value(), serve=serve)


def beside(url: SecretStr) -> AbstractAsyncContextManager[Store]:
    """A database, open beside whoever serves it, while inside.

    Raises:
        StoreDown: as `open_store`.
    """
    file = file_of(url)
    if file is not None:
        return SqliteStore.beside(file)
    from bot.store.postgres import PostgresStore

    return PostgresStore.beside(url.get_secret_value())


async def bring_up(url: SecretStr) -> Migrated:
    """Bring a database's schema up to date; a file is copied before, a server is not.

    Raises:
        StoreTaken: another process serves this file, and something is to be done.
        StoreDown: it cannot be opened or changed, or its schema is newer than this release.
    """
    file = file_of(url)
    if file is not None:
        return await migrate(file)
    from bot.store import postgres

    return Migrated(tuple(await postgres.bring_up(url.get_secret_value())))


async def backup(url: SecretStr, target: Path) -> None:
    """Copy a file while it is in use.

    Raises:
        StoreDown: there is nothing to copy, the copy could not be written, or it is a server's database.
    """
    file = file_of(url)
    if file is None:
        raise StoreDown(
            f"{named(url)} is PostgreSQL's, whose own tools copy it: `pg_dump --format=custom --file={target}` with "
            "that address, and `pg_restore` to bring it back"
        )
    await SqliteStore.backup(file, target)


async def exists(url: SecretStr) -> bool:
    """Whether there may be a database: a file may not be made yet, of a server's its opening tells."""
    file = file_of(url)
    return file is None or await asyncio.to_thread(file.exists)


def file_of(url: SecretStr) -> Path | None:
    """The file that a database is; None where it is a server's."""
    address = url.get_secret_value()
    return Path(address.removeprefix(SQLITE)) if address.startswith(SQLITE) else None


def named(url: SecretStr) -> str:
    """A database's name for people and logs, without user, password and options."""
    file = file_of(url)
    if file is not None:
        return str(file)
    found = POSTGRESQL.fullmatch(url.get_secret_value())
    return f"postgresql://{found['host']}{found['name'] or ''}" if found else "postgresql://…"
