"""The SQLite engine as its rooms see it: one file for its owner alone, read while it is written, down in sentences."""

import asyncio
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import pytest

from bot.errors import StoreDown
from bot.inbox import Arrival, Inbox
from bot.store import Transaction
from bot.store.sqlite import SqliteStore, seal
from bot.store.sqlite.migrations import migrate
from bot.store.statements import load
from tests.bot.stores import ask

STATEMENTS = load(files("bot.store.sqlite"))
NO_TABLES = {
    "CONSTANT",
    "json_each",
    "pragma_page_count",
    "pragma_freelist_count",
    "pragma_page_size",
}
SMALL = {
    "asks_waiting",
    "asks_pressed",
    "asks_leased",
    "asks_parked",
    "asks_dead",
    "asks_erasing",
    "asks_leaving",
    "chains",
    "ills",
    "spent",
    "reservations",
}
SCANS_ALL = {
    "adjusted.read": "at the start; a row for each value an admin has set",
    "audit.holds": "it is the check of all records",
    "audit.stray": "it is the check of all records",
    "digests.coming": "each channel has a few at most",
    "digests.forget": "only when a person is forgotten",
    "inbox.alive": "it stops at the first row",
    "inbox.purge_heard": "once an hour",
    "inbox.purge_signals": "once an hour",
    "ledger.differences": "it is the check of all rows",
    "ledger.off": "it is the check of all rows",
    "retention.channels": "once a day",
    "retention.forget_name": "only when a person is forgotten",
    "retention.forget_signals": "only when a person is forgotten",
    "retention.forget_taker": "only when a person is forgotten",
    "retention.lanes": "only when a person is forgotten",
    "retention.left_of_person": "only when a person is forgotten",
    "retention.names": "only when a person is forgotten",
    "retention.of_lanes": "only when a person is forgotten",
    "retention.of_person": "only when a person is forgotten",
    "retention.team": "only when a person is forgotten",
    "traces.by_reference": "only when a person asks",
    "traces.of_person": "only when a person asks",
    "ledger.spend_up": "only when an operator has all sums added up again",
    "ledger.sum_up": "only when an operator has all sums added up again",
}


async def put(store: SqliteStore, n: int) -> None:
    """Commit an ask."""
    inbox = Inbox(store, now=lambda: 2_000.0, worker="w1")
    assert await inbox.put(Arrival((f"e{n}",), ask(ts=f"{n}.5"))) == "new"


def modes_in(folder: Path) -> dict[str, int]:
    """Who may do what with the files of a folder."""
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


async def test_all_its_files_are_its_owners(tmp_path: Path) -> None:
    """The database, its log, its index and its lock can be read by nobody else, whatever the umask."""
    before = os.umask(0)
    try:
        store = await SqliteStore.open(tmp_path / "purser.db", serve=True)
        await put(store, 1)
        modes = modes_in(tmp_path)
        await store.close()
    finally:
        os.umask(before)

    names = ("purser.db", "purser.db-wal", "purser.db-shm", "purser.db-serve")
    assert modes == dict.fromkeys(names, 0o600)


async def test_a_commit_is_synced(tmp_path: Path) -> None:
    """Writes go to a log that is synced with every commit: a cut of power loses nothing that was acknowledged."""
    store = await SqliteStore.open(tmp_path / "purser.db", serve=True)
    writing = store._writer._db.conn
    pragmas = [
        writing.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")
    ]
    await store.close()

    assert pragmas == ["wal", 2]  # 2 is FULL


async def test_what_lies_in_the_log_survives_a_close(tmp_path: Path) -> None:
    """Closed and opened again, everything is there, in one file."""
    path = tmp_path / "purser.db"
    for n in range(3):
        store = await SqliteStore.open(path, serve=True)
        await put(store, n)
        await store.close()
        await store.close()
        assert not path.with_name("purser.db-wal").exists()

    async with SqliteStore.beside(path) as beside:
        assert (await beside.read("inbox.queue", soon=2_000.0))[0]["n"] == 3


async def test_others_read_while_it_writes(tmp_path: Path) -> None:
    """A command beside a serve reads what was committed, and holds nobody up."""
    store = await SqliteStore.open(tmp_path / "purser.db", serve=True)
    async with SqliteStore.beside(tmp_path / "purser.db") as beside:
        for n in range(20):
            _, rows = await asyncio.gather(put(store, n), beside.read("inbox.queue", soon=2_000.0))
            assert rows[0]["n"] in (n, n + 1)
            assert (await beside.read("inbox.queue", soon=2_000.0))[0]["n"] == n + 1
    await store.close()


async def test_reads_write_nothing(tmp_path: Path) -> None:
    """A statement that writes is refused on a reading connection."""
    store = await SqliteStore.open(tmp_path / "purser.db", serve=True)
    with pytest.raises(StoreDown):
        await store.read("inbox.probe")

    assert await store.ready()
    await store.close()


async def test_closed_is_closed(tmp_path: Path) -> None:
    """After close neither reads nor writes wait: both hear that the store is closed."""
    store = await SqliteStore.open(tmp_path / "purser.db", serve=True)
    reads = [asyncio.create_task(store.read("inbox.queue", soon=2_000.0)) for _ in range(20)]
    await asyncio.sleep(0)
    await store.close()

    assert all(len(rows) == 4 for rows in await asyncio.gather(*reads))
    with pytest.raises(StoreDown, match="closed"):
        await store.read("inbox.queue", soon=2_000.0)
    with pytest.raises(StoreDown, match="closed"):
        await store.commit(Transaction())
    assert not await store.ready()


async def test_a_damaged_file_is_told_in_a_sentence(tmp_path: Path) -> None:
    """Pages that hold no database any more: what it is, what to do, and not ready."""
    path = tmp_path / "purser.db"
    store = await SqliteStore.open(path, serve=True)
    for n in range(50):
        await put(store, n)
    await store.close()
    damaged = bytearray(path.read_bytes())
    damaged[4096:] = b"\xa5" * (len(damaged) - 4096)
    path.write_bytes(damaged)

    with pytest.raises(StoreDown, match=r"damaged; stop Purser and restore a copy"):
        await SqliteStore.open(path, serve=True)
    with pytest.raises(StoreDown, match=r"damaged; stop Purser and restore a copy"):
        await SqliteStore.open(path, serve=False)


@pytest.mark.parametrize("serve", [True, False])
async def test_what_is_no_database_is_told(tmp_path: Path, *, serve: bool) -> None:
    """A file of another kind is left as it is, with a sentence."""
    path = tmp_path / "letter.txt"
    path.write_text("Dear Purser, " * 100)
    with pytest.raises(StoreDown, match="no SQLite database; check DATABASE_URL"):
        await SqliteStore.open(path, serve=serve)

    assert path.read_text().startswith("Dear Purser")


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Where the file's folder is missing, the sentence says so."""
    with pytest.raises(StoreDown, match=r"no folder for .*nowhere/purser\.db"):
        await SqliteStore.open(tmp_path / "nowhere" / "purser.db", serve=True)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, list[str]]]:
    """What SQLite would do for each statement, step by step."""
    path = tmp_path_factory.mktemp("plans") / "purser.db"
    asyncio.run(migrate(path))
    with closing(sqlite3.connect(path)) as connection:
        seal.teach(connection, path, writes=False)
        yield {
            name: [
                str(row[3])
                for row in connection.execute(
                    f"EXPLAIN QUERY PLAN {sql}", dict.fromkeys(re.findall(r":(\w+)", sql), 0)
                )
            ]
            for name, sql in STATEMENTS.items()
        }


@pytest.mark.parametrize("name", [name for name in STATEMENTS if name not in SCANS_ALL])
def test_what_grows_for_years_is_never_read_through(
    planned: Mapping[str, list[str]], name: str
) -> None:
    """No statement of every day walks through a table that grows; what waits or is worked on has indexes of its own."""
    own = set(re.findall(r"(\w+) AS (?:MATERIALIZED )?\(|\) AS (\w+)", STATEMENTS[name]))
    bounded = SMALL | {word for pair in own for word in pair} | NO_TABLES
    scans = [re.findall(r"\w+", step) for step in planned[name] if step.startswith("SCAN")]

    assert [step for step in scans if bounded.isdisjoint((step[1], step[-1]))] == []


@pytest.mark.parametrize("name", SCANS_ALL)
def test_what_is_excused_needs_it(planned: Mapping[str, list[str]], name: str) -> None:
    """Only what does walk through a table is excused from that."""
    assert any(step.startswith("SCAN") for step in planned[name])
