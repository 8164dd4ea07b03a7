"""A database is copied before it is changed, and opened only by a release that can work with its schema."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from bot.errors import StoreDown, StoreTaken
from bot.store.sqlite import SqliteStore
from bot.store.sqlite.migrations import Migrated, migrate, take

STEP = "m001_one_ask"


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Path]:
    """A database without our schema, in use, whose one row lies in the write-ahead log."""
    path = tmp_path / "purser.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE kept (word TEXT)")
        connection.execute("INSERT INTO kept VALUES ('precious')")
        yield path


def words(path: Path) -> list[str]:
    """What a database keeps."""
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT word FROM kept")]


def copies(folder: Path) -> list[str]:
    """The copies made in a folder."""
    return [path.name for path in folder.glob("*.before-*")]


def record(path: Path, own: str, step: str) -> None:
    """Let a file say that a step of a set was taken."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES (?, ?, '2030-01-01')",
            (own, step),
        )


async def test_the_copy_holds_what_was_committed(old: Path) -> None:
    """The copy made before a change has the rows that were not in the main file yet, for its owner alone."""
    done = await migrate(old)

    assert done.applied[0] == STEP
    assert done.copy is not None
    assert words(done.copy) == words(old) == ["precious"]
    assert done.copy.stat().st_mode & 0o777 == 0o600


async def test_serving_copies_before_it_migrates(old: Path) -> None:
    """Opened to serve, an older file is brought up to date, after a copy."""
    store = await SqliteStore.open(old, serve=True)
    await store.close()

    assert words(old.with_suffix(f".before-{STEP}.db")) == ["precious"]
    assert await migrate(old) == Migrated(())


async def test_a_new_file_has_nothing_to_copy(tmp_path: Path) -> None:
    """Where there is no database one is made, for its owner alone."""
    path = tmp_path / "purser.db"

    assert (await migrate(path)).copy is None
    assert await migrate(path) == Migrated(())
    assert path.stat().st_mode & 0o777 == 0o600
    assert copies(tmp_path) == []


async def test_other_commands_change_no_schema(old: Path, tmp_path: Path) -> None:
    """A command beside a serve neither makes a database nor migrates one; it says what would."""
    with pytest.raises(StoreDown, match="purser migrate"):
        await SqliteStore.open(old, serve=False)
    with pytest.raises(StoreDown, match="DATABASE_URL"):
        await SqliteStore.open(tmp_path / "other.db", serve=False)

    assert not (tmp_path / "other.db").exists()


@pytest.mark.parametrize("serve", [True, False])
async def test_a_newer_schema_is_left_alone(tmp_path: Path, *, serve: bool) -> None:
    """A file of a later release is refused by this one, and its lock is given back."""
    path = tmp_path / "purser.db"
    await migrate(path)
    record(path, "purser", "m999_later")

    for _ in range(2):
        with pytest.raises(StoreDown, match="newer than this Purser"):
            await SqliteStore.open(path, serve=serve)


@pytest.mark.parametrize("serve", [True, False])
async def test_what_a_newer_release_only_added_is_no_hindrance(
    tmp_path: Path, *, serve: bool
) -> None:
    """Rolled back after a step that only adds, a release works on with the file as it is."""
    path = tmp_path / "purser.db"
    await migrate(path)
    record(path, "purser additions", "m999_later")
    store = await SqliteStore.open(path, serve=serve)

    assert await store.ready()
    assert await migrate(path) == Migrated(())
    await store.close()


def test_steps_of_both_kinds_are_taken_in_one_order() -> None:
    """A step may build on what one of the other kind made before it."""
    needed, adding, taken = Migrations("needed"), Migrations("adding"), list[str]()

    def register(own: Migrations, name: str) -> None:
        @own(name=name)
        def step(_: Database) -> None:
            taken.append(name)

        del step

    for own, name in ((needed, "m001"), (adding, "m002"), (needed, "m003"), (adding, "m004")):
        register(own, name)
    with Database(memory=True) as db:
        take(db, ("m001", "m002", "m003", "m004"), needed, adding)

    assert taken == ["m001", "m002", "m003", "m004"]


async def test_a_served_file_is_not_migrated_under_its_server(tmp_path: Path) -> None:
    """While a serve runs, an up-to-date file needs nothing and an older one is not touched."""
    path = tmp_path / "purser.db"
    store = await SqliteStore.open(path, serve=True)
    assert await migrate(path) == Migrated(())

    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM _sqlite_migrations")
    with pytest.raises(StoreTaken):
        await migrate(path)
    await store.close()


async def test_a_failed_copy_changes_nothing(tmp_path: Path) -> None:
    """What is no database is neither copied nor changed."""
    path = tmp_path / "purser.db"
    path.write_text("no database at all, but some text that is long enough")

    with pytest.raises(StoreDown, match="SQLITE_NOTADB"):
        await migrate(path)
    assert path.read_text().startswith("no database")
    assert copies(tmp_path) == []


async def test_a_backup_is_whole_and_overwrites_nothing(old: Path, tmp_path: Path) -> None:
    """A database in use, of any schema, is copied as committed, to a file that was not there."""
    target = tmp_path / "copy.db"
    await SqliteStore.backup(old, target)

    assert words(target) == ["precious"]
    with pytest.raises(StoreDown, match="exists already"):
        await SqliteStore.backup(old, target)
    with pytest.raises(StoreDown, match="no folder"):
        await SqliteStore.backup(old, tmp_path / "nowhere" / "copy.db")
    with pytest.raises(StoreDown, match="no database"):
        await SqliteStore.backup(tmp_path / "none.db", tmp_path / "other.db")
    assert words(target) == ["precious"]
