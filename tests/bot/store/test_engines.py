"""Two engines, one store: the same statements with the same values, the same tables with the same columns."""

import re
import sqlite3
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import psycopg
import pytest
from psycopg import pq

from bot.store.postgres.statements import Statements
from bot.store.sqlite import SqliteStore
from bot.store.statements import load
from tests.bot.store.test_sqlite import SCANS_ALL, SMALL
from tests.postgres import Postgres

ENGINES = ("bot.store.sqlite", "bot.store.postgres")
KINDS = {"TEXT": "text", "REAL": "double precision", "INTEGER": "bigint"}
EXCUSED = {
    "doctor.heard": "once a day",
    "inbox.parked": "what was decided is hashed while there is next to nothing, and looked up later",
    "ledger.forget_sums": "only when an operator has all sums added up again",
}
VALUES = re.compile(r"'(?:[^']|'')*'|::|:(\w+)")


def values_of(sql: str) -> set[str]:
    """The names of a statement's values."""
    return {match[1] for match in VALUES.finditer(sql) if match[1]}


def test_the_same_statements_with_the_same_values() -> None:
    """A room that works on one engine finds every statement on the other, and gives it nothing else."""
    sqlite, postgres = ({n: values_of(sql) for n, sql in load(files(e)).items()} for e in ENGINES)

    assert postgres == sqlite


async def test_the_same_tables_with_the_same_columns(tmp_path: Path, postgres: Postgres) -> None:
    """What one engine keeps the other keeps, of the same kind, and as sure to be there."""
    await (await SqliteStore.open(tmp_path / "purser.db", serve=True)).close()
    with closing(sqlite3.connect(tmp_path / "purser.db")) as file:
        ours = file.execute(
            "SELECT m.name, c.name, c.type, c.'notnull' OR c.pk > 0 FROM sqlite_master m, pragma_table_info(m.name) c "
            "WHERE m.type = 'table' AND m.name NOT LIKE '\\_%' ESCAPE '\\' AND m.name NOT LIKE 'sqlite%'"
        ).fetchall()
    theirs = postgres.run(
        "SELECT table_name::text, column_name::text, data_type::text, (is_nullable = 'NO')::integer "
        "FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name) "
        "WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name NOT IN ('seal', 'schema_version')"
    )

    assert set(theirs) == {(table, name, KINDS[kind], sure) for table, name, kind, sure in ours}


def test_text_is_ordered_byte_by_byte(postgres: Postgres) -> None:
    """No column of text is compared by a language's rules: keys and ids are, and an index serves both."""
    odd = postgres.run(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C' "
        "AND table_name IN (SELECT tablename FROM pg_tables WHERE tablename <> 'schema_version')"
    )

    assert odd == []


@pytest.mark.parametrize("must", [False, True], ids=["plain", "must find"])
def test_the_server_takes_every_statement(postgres: Postgres, must: bool) -> None:
    """Each statement, and its twin that must find something, names what there is, in types that go together."""
    statements, refused = Statements(), list[str]()
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        for name in load(files("bot.store.postgres")):
            one = statements.get(name, must=must)
            result = connection.pgconn.prepare(one.name, one.sql)
            if result.status != pq.ExecStatus.COMMAND_OK:
                refused.append(f"{name}: {result.get_error_message()}")

    assert refused == []


def test_what_grows_for_years_is_never_read_through(postgres: Postgres) -> None:
    """No statement of every day walks through a table that grows, where an index would do; as on SQLite."""
    statements, walks = Statements(), dict[str, set[str]]()
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
        for name in load(files("bot.store.postgres")):
            sql = statements.get(name).sql.decode()
            plan = connection.execute(f"EXPLAIN (GENERIC_PLAN) {sql}".encode()).fetchall()
            tables = set(re.findall(r"Seq Scan on (\w+)", "\n".join(row[0] for row in plan)))
            if tables - SMALL:
                walks[name] = tables

    assert set(walks) - set(SCANS_ALL) - set(EXCUSED) == set()
