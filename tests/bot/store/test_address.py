"""What each session on PostgreSQL begins with, whatever a server, a database or a role has as its own defaults."""

from typing import Any

import psycopg
import pytest

from bot.store.postgres.address import Address
from tests.postgres import Postgres

BOUNDS = {
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "10s",
    "transaction_timeout": "1min",
    "default_transaction_isolation": "read committed",
    "client_encoding": "UTF8",
}
"""No lock, no silence in a transaction and no transaction holds others up for longer."""

WAYS = {
    "connect_timeout": "5",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
}
"""A server that is gone without a word is found out in seconds, and not by the kernel in hours."""


def shown(session: psycopg.Connection[Any], name: str) -> str:
    """How a setting stands in a session."""
    row = session.execute("SELECT current_setting(%s)", (name,)).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize("reads", [False, True])
def test_a_session_is_bounded(postgres: Postgres, *, reads: bool) -> None:
    """Whether it reads or writes: by locks, by time, and by the way to the server."""
    with Address(postgres.url).connect(reads=reads) as session:
        bounds = {name: shown(session, name) for name in BOUNDS}
        ways = session.info.get_parameters()

    assert bounds == BOUNDS
    assert {name: ways.get(name) for name in WAYS} == WAYS
    assert ways["application_name"] == "purser"


@pytest.mark.parametrize(("theirs", "ours"), [("off", "on"), ("local", "local"), ("on", "on")])
def test_what_is_said_to_be_written_is_on_disk(postgres: Postgres, theirs: str, ours: str) -> None:
    """Where a database does not wait for its disk, our sessions do; who waits for more, or less far away, is left to it."""
    name = postgres.url.partition("?")[0].rpartition("/")[2]
    postgres.run(f"ALTER DATABASE {name} SET synchronous_commit = {theirs}")
    try:
        with Address(postgres.url).connect() as session:
            found = shown(session, "synchronous_commit")
    finally:
        postgres.run(f"ALTER DATABASE {name} RESET synchronous_commit")

    assert found == ours


def test_the_address_may_say_otherwise(postgres: Postgres) -> None:
    """What stands in DATABASE_URL about the way wins over what we would say."""
    with Address(f"{postgres.url}&connect_timeout=9&application_name=shop").connect() as session:
        ways = session.info.get_parameters()

    assert (ways["connect_timeout"], ways["application_name"]) == ("9", "shop")
    assert ways["tcp_user_timeout"] == WAYS["tcp_user_timeout"]
