"""Where the database is, what a session begins with, and when to try again after a failure."""

import time
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bot.errors import StoreDown
from bot.store.postgres.failures import failure, refusal
from bot.store.postgres.knock import refused

CONNECT_SECONDS = 5
LOCK_SECONDS = 10  # that a statement waits for a lock
STUCK_SECONDS = 60  # that a transaction takes; where the server knows such a limit (from 17 on)
BACKOFF_SECONDS = (0.1, 5.0)  # after a failed attempt to connect, and at most
ALIVE: Mapping[str, str | int] = {
    "application_name": "purser",
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""A peer that is gone without a word is found out in about ten seconds; the address may say otherwise."""

SESSION = (
    f"SET lock_timeout = '{LOCK_SECONDS}s'; SET idle_in_transaction_session_timeout = '{LOCK_SECONDS}s'; "
    "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3; "
    "SET client_encoding = 'UTF8'; SET client_min_messages = 'error'; SET extra_float_digits = 1; "
    "SET default_transaction_isolation = 'read committed'; "  # each statement sees what the lock waited for
    f"SELECT set_config('transaction_timeout', '{STUCK_SECONDS}s', false) "
    "WHERE current_setting('server_version_num')::integer >= 170000; "
    "SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') "
    "WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)"
).encode()


class Address:
    """Where the database is; connects, and leaves it in peace for a while after a failure.

    Raises:
        StoreDown: the address is none.
    """

    def __init__(self, url: str) -> None:
        try:
            given = conninfo_to_dict(url)
        except psycopg.ProgrammingError:
            # Its message may hold parts of the address, and so of the password.
            raise StoreDown("DATABASE_URL is no address of a PostgreSQL database") from None
        self.name = f"{given.get('host') or 'localhost'}/{given.get('dbname') or ''}"
        self._conninfo = make_conninfo(url, **{k: v for k, v in ALIVE.items() if k not in given})
        self._pause = self._not_before = 0.0
        self._refused: tuple[str, str] = ("", "")  # in which words, by which SQLSTATE

    def __repr__(self) -> str:
        return f"Address({self.name!r})"

    def connect(self, *, reads: bool = False) -> psycopg.Connection[Any]:
        """A new connection, each statement of which is a transaction.

        Args:
            reads: and nothing else.

        Raises:
            StoreDown: there is none to be had; for a moment afterwards this is said without trying.
        """
        if time.monotonic() < self._not_before:
            raise failure("")
        try:
            connection = psycopg.connect(self._conninfo, autocommit=True)
            self._begin(connection, reads=reads)
        except psycopg.Error as error:
            least, most = BACKOFF_SECONDS
            self._pause = min(max(self._pause * 2, least), most)
            self._not_before = time.monotonic() + self._pause
            raise refusal(error, heard=self._heard) from error
        self._pause = self._not_before = 0.0
        return connection

    def _heard(self, said: str) -> str:
        """The SQLSTATE behind words in another language; for as long as they are the same it is found out once."""
        if said != self._refused[0]:
            self._refused = (said, refused(self._conninfo))
        return self._refused[1]

    def _begin(self, connection: psycopg.Connection[Any], *, reads: bool) -> None:
        try:
            connection.execute(SESSION)
            if reads:
                connection.execute("SET default_transaction_read_only = on")
        except psycopg.Error:
            connection.close()
            raise
