"""The books at the terminal: all rows, once, in order, whatever their number; moments and money as written."""

import io
import json
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.desk import Desk, moment, money, row
from bot.ledger import PAGE, Ledger
from bot.report import BadPeriod
from bot.store import Row, Transaction
from bot.store.sqlite import SqliteStore
from tests.bot.entries import NOVEMBER, book, entry
from tests.bot.stores import url

UTC = ZoneInfo("UTC")
ROWS = 2 * PAGE + 10


class Counted:
    """A store that counts what is read of it."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self.reads = 0

    async def read(self, name: str, **values: Any) -> list[Row]:
        """As the store reads."""
        self.reads += 1
        return await self._store.read(name, **values)

    async def commit(self, tx: Transaction) -> list[list[Row]]:
        """As the store commits."""
        return await self._store.commit(tx)

    def soon(self, tx: Transaction) -> None:
        """As the store does."""
        self._store.soon(tx)

    async def ready(self) -> bool:
        """As the store is."""
        return await self._store.ready()

    async def close(self) -> None:
        """As the store closes."""
        await self._store.close()


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A database with more than two pages of the books, many rows at the same moment."""
    path = tmp_path / "purser.db"
    store = await SqliteStore.open(path, serve=True)
    ledger = Ledger(store, zone=UTC, now=lambda: NOVEMBER)
    await book(store, ledger, *[entry(at=NOVEMBER + n // 700) for n in range(ROWS)])
    await store.close()
    return path


async def test_every_row_is_printed_once_and_in_order(path: Path) -> None:
    """Pages end in the midst of rows of one moment; none is skipped or printed twice."""
    out = io.StringIO()
    await Desk(url(path), out, zone=UTC, now=lambda: NOVEMBER).ledger(
        "jsonl", since=None, until=None
    )
    places = [(r["at"], r["entry_id"]) for r in map(json.loads, out.getvalue().splitlines())]

    assert len(set(places)) == len(places) == ROWS
    assert places == sorted(places)


async def test_the_first_row_needs_but_one_page(path: Path) -> None:
    """The books are not held whole: what is not asked for yet is not read yet."""
    async with SqliteStore.beside(path) as store:
        counted = Counted(store)
        entries = Ledger(counted, zone=UTC, now=lambda: NOVEMBER).each(since=0, until=10**10)
        await anext(entries)
        assert counted.reads == 1
        assert [1 async for _ in entries] == [1] * (ROWS - 1)
        assert counted.reads == 3


@given(at=st.floats(1_500_000_000, 2_500_000_000))
def test_the_time_of_a_row_finds_the_row(at: float) -> None:
    """What is printed as `at`, given as `--since`, has the row inside, and nothing a second older."""
    printed = row(entry(at=at))["at"]

    assert at - 0.002 < moment(printed, UTC) <= at


@given(text=st.text(max_size=30))
def test_no_words_break_a_moment(text: str) -> None:
    """They are one, or they are said to be none."""
    with suppress(BadPeriod):
        assert isinstance(moment(text, UTC), float)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "$0.0000"),
        ("0.00001", "<$0.0001"),
        ("-0.00001", "-<$0.0001"),
        ("1234.56789", "$1,234.5679"),
        ("-0.5", "-$0.5000"),
    ],
)
def test_money_is_shown_to_a_hundredth_of_a_cent(amount: str, shown: str) -> None:
    """What is less says so, and nothing is rounded away to nothing."""
    assert money(Decimal(amount)) == shown
