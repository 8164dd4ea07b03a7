"""Group commit: all that wait share one commit, each fails alone, and nobody hears of success before it is on disk."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.errors import LeaseLost, PurserError, StoreAway, StoreDown
from bot.store import Transaction
from bot.store.sqlite import file
from bot.store.sqlite.writer import Writer

SCHEMA = """
CREATE TABLE words (word TEXT PRIMARY KEY, n INTEGER);
CREATE TABLE parents (id INTEGER PRIMARY KEY);
CREATE TABLE children (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED);
CREATE TRIGGER bomb BEFORE INSERT ON words WHEN new.word = 'bomb' BEGIN SELECT RAISE(ROLLBACK, 'boom'); END;
"""
STATEMENTS = {
    "put": "INSERT INTO words (word, n) VALUES (:word, :n)",
    "known": "SELECT word FROM words WHERE word = :word",
    "orphan": "INSERT INTO children (parent) VALUES (404)",
    "undo": "ROLLBACK",
    "hold": "SELECT hold()",
}


class Bench:
    """A writer whose thread can be held, and whose commits are seen."""

    def __init__(self, path: Path, statements: dict[str, str] = STATEMENTS) -> None:
        self.path = path
        self.held, self.release = threading.Event(), threading.Event()
        self.committing, self.commit = threading.Event(), threading.Event()
        self.commit.set()
        self.traced: list[str] = []
        db = file.connect(path)
        db.conn.executescript(SCHEMA)
        db.conn.create_function("hold", 0, self._hold)
        db.conn.set_trace_callback(self._trace)
        self.connection = db.conn
        self.writer = Writer(db, statements)

    def _hold(self) -> int:
        self.held.set()
        return int(self.release.wait(10))

    def _trace(self, sql: str) -> None:
        self.traced.append(sql)
        if sql == "COMMIT":
            self.committing.set()
            self.commit.wait(10)

    async def group(self, *txs: Transaction) -> list[asyncio.Task[Any]]:
        """Have transactions wait together, behind one that is held; the group runs when `release` is set."""
        first = asyncio.create_task(self.writer.commit(tx_of("hold")))
        await asyncio.to_thread(self.held.wait, 10)
        tasks = [asyncio.create_task(self.writer.commit(tx)) for tx in txs]
        await asyncio.sleep(0)
        self.traced.clear()
        return [first, *tasks]

    def words(self) -> list[str]:
        """What another connection sees."""
        with closing(sqlite3.connect(self.path)) as other:
            return [row[0] for row in other.execute("SELECT word FROM words ORDER BY rowid")]


def tx_of(name: str, must: PurserError | None = None, **values: Any) -> Transaction:
    """A transaction of one statement."""
    tx = Transaction()
    tx.add(name, must=must, **values)
    return tx


def put(word: str, n: Any = 0) -> Transaction:
    """A transaction that writes a word."""
    return tx_of("put", word=word, n=n)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A bench on a new file."""
    bench = Bench(tmp_path / "words.db")
    yield bench
    bench.release.set()
    bench.commit.set()
    bench.writer.close()


async def results(tasks: list[asyncio.Task[Any]]) -> list[str]:
    """How each ended: "ok", or its error's name."""
    ended = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
    return [type(e).__name__ if isinstance(e, BaseException) else "ok" for e in ended]


async def test_all_that_wait_share_one_commit(bench: Bench) -> None:
    """However many transactions wait at a moment, they cost one COMMIT."""
    tasks = await bench.group(*(put(f"w{n}") for n in range(100)))
    bench.release.set()

    assert await results(tasks) == ["ok"] * 101
    assert len(bench.words()) == 100
    assert bench.traced.count("COMMIT") == 2  # of the one that was held, and of all others


async def test_one_failure_is_its_own(bench: Bench) -> None:
    """A `must` that was not met, a constraint, a value that cannot be stored: the neighbours are written."""
    twice = put("half")
    twice.add("known", must=LeaseLost(), word="nobody")
    tasks = await bench.group(
        put("a"), twice, put("a"), put("b"), put("big", 2**70), put("list", [1]), put("c")
    )
    bench.release.set()

    assert await results(tasks[1:]) == [
        "ok",
        "LeaseLost",
        "StoreDown",
        "ok",
        "StoreDown",
        "StoreDown",
        "ok",
    ]
    assert bench.words() == ["a", "b", "c"]


async def test_half_a_character_is_no_poison(bench: Bench) -> None:
    """Text that UTF-8 cannot hold (JSON can carry it) is stored with a question mark, and its neighbours with it."""
    tasks = await bench.group(put("a"), put("x\ud83dy"), put("b"))
    bench.release.set()

    assert await results(tasks) == ["ok"] * 4
    assert bench.words() == ["a", "x?y", "b"]


async def test_a_statement_nobody_knows_is_our_bug(bench: Bench) -> None:
    """An unknown name is told to whoever used it, and to nobody else."""
    with pytest.raises(KeyError, match="nonsense"):
        await bench.writer.commit(tx_of("nonsense"))

    assert await bench.writer.commit(put("a")) == [[]]


@pytest.mark.parametrize("bomb", [put("bomb"), tx_of("undo")], ids=["by an error", "silently"])
async def test_if_the_transaction_is_lost_all_of_it_failed(bench: Bench, bomb: Transaction) -> None:
    """When something ended the transaction under the group, nobody in it hears success, and the next group goes on."""
    tasks = await bench.group(put("a"), bomb, put("b"))
    bench.release.set()

    assert await results(tasks) == ["ok", "StoreDown", "StoreDown", "StoreDown"]
    assert bench.words() == []
    assert bench.writer.failing
    await bench.writer.commit(put("c"))
    assert bench.words() == ["c"]
    assert not bench.writer.failing


async def test_if_the_commit_fails_all_of_it_failed(bench: Bench) -> None:
    """What only COMMIT finds out fails the whole group, and the next one goes on."""
    tasks = await bench.group(put("a"), tx_of("orphan"), put("b"))
    bench.release.set()

    assert await results(tasks[1:]) == ["StoreDown"] * 3
    assert bench.words() == []
    await bench.writer.commit(put("c"))
    assert bench.words() == ["c"]


async def test_errors_are_told_apart(bench: Bench) -> None:
    """Each waiter gets an error of its own, with the engine's as its cause, and no value in its words."""
    tasks = await bench.group(put("secret", 2**70), tx_of("undo"), put("a"))
    bench.release.set()
    await results(tasks)
    one, other = tasks[2].exception(), tasks[3].exception()

    assert one is not other
    assert one is not None
    assert isinstance(one.__cause__, sqlite3.Error)
    assert "secret" not in str(one)


async def test_nobody_hears_before_the_commit_has_returned(bench: Bench) -> None:
    """While COMMIT runs, no waiter goes on and no reader sees anything."""
    bench.commit.clear()
    task = asyncio.create_task(bench.writer.commit(put("a")))
    await asyncio.to_thread(bench.committing.wait, 10)
    await asyncio.sleep(0.05)
    before = (task.done(), bench.words())
    bench.commit.set()
    await asyncio.wait_for(task, 10)

    assert before == (False, [])
    assert bench.words() == ["a"]


async def test_who_goes_away_takes_nobody_along(bench: Bench) -> None:
    """A waiter that is cancelled loses neither its neighbours nor their order."""
    tasks = await bench.group(put("a"), put("b"), put("c"))
    tasks[2].cancel()
    await asyncio.sleep(0)
    bench.release.set()

    assert await results(tasks) == ["ok", "ok", "CancelledError", "ok"]
    assert bench.words() == ["a", "b", "c"]


async def test_closing_writes_what_waits(tmp_path: Path) -> None:
    """Close ends the thread only after all that was queued; later writes are refused."""
    bench = Bench(tmp_path / "words.db")
    tasks = await bench.group(*(put(f"w{n}") for n in range(5)))
    closing_it = asyncio.create_task(asyncio.to_thread(bench.writer.close))
    await asyncio.sleep(0.01)
    bench.release.set()
    await closing_it

    assert await results(tasks) == ["ok"] * 6
    assert len(bench.words()) == 5
    assert "purser-writer" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(StoreDown, match="closed"):
        await bench.writer.commit(put("late"))


async def test_nobody_waits_for_ever_at_the_end(tmp_path: Path) -> None:
    """Of writes that come while the store closes, each is written or refused."""
    for n in range(15):
        bench = Bench(tmp_path / f"{n}.db")
        closing_it = asyncio.create_task(asyncio.to_thread(bench.writer.close))
        ended: list[str] = []
        for m in range(20):
            ended += await results([asyncio.create_task(bench.writer.commit(put(f"w{m}")))])
        await closing_it

        assert set(ended) <= {"ok", "StoreDown"}
        assert len(bench.words()) == ended.count("ok")


class Rotten(dict[str, str]):
    """Statements that break in the writer's hands, as an error of ours would."""

    def __getitem__(self, name: str) -> str:
        if threading.current_thread().name == "purser-writer" and name == "put":
            raise RuntimeError("our bug")
        return super().__getitem__(name)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_broken_writer_leaves_nobody_waiting(tmp_path: Path) -> None:
    """If the thread dies of an error of ours, all who wait hear it, and all who come."""
    bench = Bench(tmp_path / "words.db", Rotten(STATEMENTS))
    tasks = await bench.group(put("a"), tx_of("known", word="a"))
    bench.release.set()

    assert await results(tasks[1:]) == ["StoreDown", "StoreDown"]
    with pytest.raises(StoreDown):
        await bench.writer.commit(tx_of("known", word="a"))
    bench.writer.close()


async def test_a_full_database_fails_who_waits_and_recovers(bench: Bench) -> None:
    """While there is no room every write hears so in a sentence; when there is room again, it goes on."""
    pages = bench.connection.execute("PRAGMA page_count").fetchone()[0]
    bench.connection.execute(f"PRAGMA max_page_count={pages}")
    tasks = await bench.group(*(put(f"{n}" + "x" * 20_000) for n in range(5)))
    bench.release.set()

    assert await results(tasks[1:]) == ["StoreDown"] * 5
    assert "make room" in str(tasks[1].exception())
    assert (bench.words(), bench.writer.failing) == ([], True)
    bench.connection.execute(f"PRAGMA max_page_count={pages + 1000}")
    await bench.writer.commit(put("x" * 20_000))
    assert (len(bench.words()), bench.writer.failing) == (1, False)


async def test_a_lock_of_another_process_is_told(bench: Bench) -> None:
    """A database that somebody else keeps locked is down for a while, and says whose fault it is."""
    bench.connection.execute("PRAGMA busy_timeout=10")
    with closing(sqlite3.connect(bench.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreAway, match="another process"):
            await bench.writer.commit(put("a"))
        other.execute("ROLLBACK")

    await bench.writer.commit(put("a"))
    assert bench.words() == ["a"]


async def test_rows_come_back_by_statement(bench: Bench) -> None:
    """What `add` returns is where a statement's rows stand."""
    tx = put("a")
    known = tx.add("known", word="a")
    put_again = tx.add("put", word="b", n=1)

    rows = await bench.writer.commit(tx)
    assert (rows[known], rows[put_again]) == ([{"word": "a"}], [])
