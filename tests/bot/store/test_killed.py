"""What was acknowledged is on disk, whatever ends the process or fills the disk."""

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bot.errors import StoreTaken
from bot.store.postgres import PostgresStore
from bot.store.sqlite import SqliteStore
from tests.bot.store.child import both
from tests.postgres import Postgres

ROOT = Path(__file__).parents[3]


def child(what: str, place: object) -> "subprocess.Popen[str]":
    """A process that does something with a store."""
    command = [sys.executable, "-m", "tests.bot.store.child", what, str(place)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own command


def kept(path: Path) -> tuple[set[str], set[str]]:
    """The asks and the parts that another process finds, after looking over every page."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        asks = {row[0] for row in connection.execute("SELECT id FROM asks")}
        return asks, {row[0] for row in connection.execute("SELECT ask_id FROM parts")}


@pytest.mark.parametrize("acknowledged", [1, 30, 400])
async def test_killed_in_the_middle_of_commits(tmp_path: Path, acknowledged: int) -> None:
    """After kill -9 all that was acknowledged is there, nothing is there by halves, and the next serve opens it."""
    path = tmp_path / "purser.db"
    heard: set[str] = set()
    with child("write", path) as process:
        assert process.stdout is not None
        for line in process.stdout:
            heard.add(line.strip())
            if len(heard) == acknowledged:
                process.kill()
                break
        heard |= {line.strip() for line in process.stdout if line.endswith("\n")}
    assert process.returncode == -signal.SIGKILL

    store = await SqliteStore.open(path, serve=True)
    await store.close()
    asks, parts = kept(path)
    assert heard <= asks
    assert asks == parts


async def test_killed_or_paused_beside_others(postgres: Postgres) -> None:
    """One process that is paused, then killed, in the middle of its commits: others go on, and nothing is by halves."""
    heard: set[str] = set()
    url = postgres.clean()
    store = await PostgresStore.open(url, serve=True)
    with child("write", url) as process:
        assert process.stdout is not None
        for line in process.stdout:
            heard.add(line.strip())
            if len(heard) % 20 == 0:
                process.send_signal(signal.SIGSTOP)
                async with asyncio.timeout(20):
                    await store.commit(both(10**7 + len(heard)))
                process.send_signal(signal.SIGCONT)
            if len(heard) == 100:
                process.kill()
                break
    await store.commit(both(10**7))
    await store.close()
    # In one look: the server may still be at work on what was sent before the kill.
    rows = postgres.run("SELECT id, ask_id FROM asks FULL JOIN parts ON asks.id = parts.ask_id")

    assert process.returncode == -signal.SIGKILL
    assert heard <= {row[0] for row in rows}
    assert [row for row in rows if row[0] != row[1]] == []


async def test_one_serve_at_a_time(tmp_path: Path) -> None:
    """While a process serves a file a second one is refused, by whatever name; others read beside it; a kill frees it."""
    path, alias = tmp_path / "purser.db", tmp_path / "alias.db"
    with child("write", path) as process:
        assert process.stdout is not None
        first = process.stdout.readline().strip()
        alias.symlink_to(path)
        for name in (path, alias):
            with pytest.raises(StoreTaken, match="stop it first"):
                await SqliteStore.open(name, serve=True)
        async with SqliteStore.beside(path) as beside:
            told = await beside.read("journal.told", ask_id=first)
        process.kill()

    assert len(told) == 1
    store = await SqliteStore.open(alias, serve=True)
    await store.close()


def test_a_full_disk_refuses_and_recovers(tmp_path: Path) -> None:
    """When the disk is full nothing is acknowledged that is not there, it is said in a sentence, and it goes on later."""
    path = tmp_path / "purser.db"
    with child("quota", path) as process:
        report = json.loads(process.communicate(timeout=50)[0])
    asks, parts = kept(path)

    assert len(report["acknowledged"]) >= 5
    assert report["refused"]
    assert all("disk" in sentence for sentence in report["refused"])
    assert set(report["acknowledged"]) | {"after"} == asks
    assert asks - {"after"} == parts
    assert (report["ready"], report["after"]) == ([False, True], "new")
