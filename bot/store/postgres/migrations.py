"""The schema on PostgreSQL, step by step; each step and the record of it are one transaction.

Nothing but `purser migrate` changes it. What opens the database wants exactly this schema.
"""

import asyncio
from importlib.resources import files
from typing import Any, LiteralString, cast

import psycopg

from bot.errors import StoreDown
from bot.store.postgres.address import Address
from bot.store.postgres.failures import failure
from bot.store.postgres.writer import LOCK

RECORD = "CREATE TABLE IF NOT EXISTS schema_version (step TEXT PRIMARY KEY, at TIMESTAMPTZ NOT NULL DEFAULT now())"
PATIENCE = (  # whoever writes at the moment is waited for, and a large table may take its time
    "SET lock_timeout = '60s'; SELECT set_config('transaction_timeout', '0', false) "
    "WHERE current_setting('server_version_num')::integer >= 170000"
)


async def bring_up(url: str) -> list[str]:
    """Bring a database's schema up to date, while others may use it.

    Returns:
        The steps that were taken, in order.

    Raises:
        StoreDown: it cannot be reached or changed, or its schema is newer than this release.
    """
    return await asyncio.to_thread(_bring_up, Address(url))


def check(address: Address) -> None:
    """Whether a database may be opened as it is.

    Raises:
        StoreDown: it cannot be reached, or its schema is older or newer than this release.
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
            "INSERT INTO schema_version (step) VALUES (%s) ON CONFLICT DO NOTHING RETURNING step",
            (step,),
        ).fetchone()
        if taken is not None:
            connection.execute(cast("LiteralString", sql))
    return taken is not None


def _pending(connection: psycopg.Connection[Any]) -> list[str]:
    ours = sorted(
        file.name.removesuffix(".sql") for file in (files(__package__ or "") / "schema").iterdir()
    )
    kept = connection.execute("SELECT to_regclass('schema_version') IS NOT NULL").fetchone()
    applied: set[str] = set()
    if kept is not None and kept[0]:
        applied = {row[0] for row in connection.execute("SELECT step FROM schema_version")}
    if applied - set(ours):
        raise StoreDown(
            "the schema of the database is newer than this Purser; install the newer one"
        )
    return [step for step in ours if step not in applied]
