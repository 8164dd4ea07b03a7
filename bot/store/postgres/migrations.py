"""The schema on PostgreSQL, step by step; each step and the record of it are one transaction.

Nothing but `purser migrate` changes it. A step says in its first line which one a release has to know at least to
work on after it: a step that only adds says an earlier one, and so an older release works beside a newer one, and
again after it was rolled back.
"""

import asyncio
from importlib.resources import files
from typing import Any, LiteralString, cast

import psycopg

from bot.errors import StoreDown
from bot.store.postgres.address import Address
from bot.store.postgres.failures import failure
from bot.store.postgres.writer import LOCK

RECORD = (
    "CREATE TABLE IF NOT EXISTS schema_version "
    "(step TEXT PRIMARY KEY, needs TEXT NOT NULL, at TIMESTAMPTZ NOT NULL DEFAULT now())"
)
NEEDS = "-- needs: "
PATIENCE = (  # whoever writes at the moment is waited for, and a large table may take its time
    "SET lock_timeout = '60s'; SELECT set_config('transaction_timeout', '0', false) "
    "WHERE current_setting('server_version_num')::integer >= 170000"
)


async def bring_up(url: str) -> list[str]:
    """Bring a database's schema up to date, while others may use it.

    Returns:
        The steps that were taken, in order.

    Raises:
        StoreDown: it cannot be reached or changed, or its schema is too new for this release.
    """
    return await asyncio.to_thread(_bring_up, Address(url))


def check(address: Address) -> None:
    """Whether a database may be opened as it is.

    Raises:
        StoreDown: it cannot be reached, or its schema is older than this release, or too new for it.
    """
    with address.connect() as connection:
        try:
            missing = _pending(connection)
        except psycopg.Error as error:
            raise failure(error.sqlstate or "", error) from error
    if missing:
        raise StoreDown(
            f"the schema of the database {address.name} is older than this Purser; run `purser migrate`"
        )


def _bring_up(address: Address) -> list[str]:
    with address.connect() as connection:
        try:
            connection.execute(PATIENCE)
            missing = _pending(connection)
            return [step for step in missing if _step(connection, step)]
        except psycopg.Error as error:
            raise failure(error.sqlstate or "", error) from error


def _step(connection: psycopg.Connection[Any], step: str) -> bool:
    """Take a step; False if another process took it in the meantime."""
    sql = (files(__package__ or "") / "schema" / f"{step}.sql").read_text(encoding="utf-8")
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        connection.execute(RECORD)
        taken = connection.execute(
            "INSERT INTO schema_version (step, needs) VALUES (%s, %s) ON CONFLICT DO NOTHING RETURNING step",
            (step, sql.partition("\n")[0].removeprefix(NEEDS)),
        ).fetchone()
        if taken is not None:
            connection.execute(cast("LiteralString", sql))
    return taken is not None


def _pending(connection: psycopg.Connection[Any]) -> list[str]:
    ours = sorted(
        file.name.removesuffix(".sql") for file in (files(__package__ or "") / "schema").iterdir()
    )
    kept = connection.execute("SELECT to_regclass('schema_version') IS NOT NULL").fetchone()
    applied: dict[str, str] = {}
    if kept is not None and kept[0]:
        applied = dict(connection.execute("SELECT step, needs FROM schema_version").fetchall())
    if any(needs not in ours for needs in applied.values()):
        raise StoreDown(
            "the schema of the database is newer than this Purser; install the newer one"
        )
    return [step for step in ours if step not in applied]
