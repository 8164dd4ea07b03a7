"""What an error of PostgreSQL or of the way to it means, in words without values of records and without a password."""

import re
from collections.abc import Callable, Mapping

import psycopg

from bot.errors import StoreAway, StoreDown

WHAT: Mapping[str, str] = {
    "08": "the connection to the database broke; it is tried again by itself",
    "08P01": "a pooler passes no options of sessions on, such as AUDIT_KEY's; DATABASE_URL has to lead past it",
    "25006": "the database may only be read; DATABASE_URL has to name the primary server",
    "28": "the database refuses this user or password; check DATABASE_URL",
    "3D": "there is no database of this name; check DATABASE_URL, or create it",
    "42501": "the user of DATABASE_URL lacks a right on the tables; grant it, or use their owner",
    "42P01": "the schema is not this Purser's; run `purser migrate`",
    "42703": "the schema is not this Purser's; run `purser migrate`",
    "42883": "the schema is not this Purser's; run `purser migrate`",
    "53100": "the database's disk is full; make room, and it goes on by itself",
    "53300": "the database takes no more connections; raise its limit, or run fewer processes",
    "55P03": "another program holds the tables for too long; end that one",
    "57014": "the database broke off what took too long; find out what keeps it busy",
    "57P": "the database server is stopping or starting; it is tried again by itself",
    "58": "the database's disk does not read or write; check it",
    "XX": "the database is damaged; stop Purser and restore a copy of it",
}
"""By SQLSTATE or its beginning, what it means and what to do."""

PASSING = ("080", "57P", "53300")  # SQLSTATEs of a server that may take us in a moment
REFUSALS: Mapping[str, str] = {
    "password authentication failed": "28P01",
    "no password supplied": "28P01",
    'role ".*" does not exist': "28000",
    "no pg_hba.conf entry": "28000",
    'database ".*" does not exist': "3D000",
    "too many clients": "53300",
    "connection slots": "53300",
    "starting up": "57P03",
    "shutting down": "57P03",
    "unsupported startup parameter": "08P01",
}
"""What a server says (as regular expressions) when it lets nobody in, which its driver gives without a SQLSTATE."""

PLAIN = ("28", "3D", "42501", "53300", "57P")
"""SQLSTATEs that mean one thing when nobody is let in; poolers say 08P01 of a server that is away, too."""

SPOKEN = re.compile(r"\S:  \S")
"""A severity and what is wrong, in any language: a server's words, not the driver's own."""


def refusal(error: psycopg.Error, *, heard: Callable[[str], str] = lambda _said: "") -> StoreDown:
    """Why there is no connection; the driver's own words may name host and user, so they go to the log alone.

    Args:
        error: of the attempt.
        heard: the SQLSTATE behind words of a server that are not known here, "" where it cannot be had.
    """
    said = str(error)
    state = error.sqlstate or next((REFUSALS[w] for w in REFUSALS if re.search(w, said)), "")
    if not state and SPOKEN.search(said) and (code := heard(said)).startswith(PLAIN):
        state = code
    return failure(state, error)


def failure(state: str, cause: Exception | None = None) -> StoreDown:
    """An error by its SQLSTATE ("" where there is none: the way to the server failed)."""
    what = next(
        (WHAT[start] for n in (5, 3, 2) if (start := state[:n]) in WHAT),
        "the database did not take it; see its own log",
    )
    if not state:
        what = "the database does not answer; check that it runs and that DATABASE_URL leads there"
    kind = StoreAway if not state or state.startswith(PASSING) else StoreDown
    down = kind(f"{what} ({state})" if state else what)
    down.__cause__ = cause
    return down
