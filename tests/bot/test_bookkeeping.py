"""The books looked after: sums proved and rebuilt, rows at today's prices."""

import io
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from bot.bookkeeping import Bookkeeping
from bot.ledger import Ledger
from bot.report import BadPeriod
from bot.store.sqlite import SqliteStore
from tests.bot.entries import NOVEMBER, book, entry, warm
from tests.bot.stores import url
from tests.bot.terminal import purser

SEPTEMBER = datetime(2026, 9, 29, 12, tzinfo=UTC).timestamp()  # cache reads of Sonnet cost 0.1x


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """The database of a running `serve`."""
    store = await SqliteStore.open(tmp_path / "purser.db", serve=True)
    yield store
    await store.close()


@pytest.fixture
def books(store: SqliteStore) -> Ledger:
    """Its books."""
    return Ledger(store, zone=UTC, now=lambda: NOVEMBER)


def keeping(tmp_path: Path) -> tuple[Bookkeeping, io.StringIO]:
    """The examination of those books, and what it writes."""
    out = io.StringIO()
    return Bookkeeping(url(tmp_path / "purser.db"), out, zone=UTC, now=lambda: NOVEMBER), out


async def test_right_sums_are_proved(store: SqliteStore, books: Ledger, tmp_path: Path) -> None:
    """Where each kept sum is that of its rows, the check says so and passes."""
    await book(store, books, entry(), entry(cost=None), warm())
    ran = await purser("ledger", "check", cwd=tmp_path)

    assert (ran.code, ran.out) == (0, "Every kept sum is that of its rows.\n")


async def test_wrong_sums_are_named_and_rebuilt(
    store: SqliteStore, books: Ledger, tmp_path: Path
) -> None:
    """A sum that is off is named with what to do, exit 1; rebuilding beside a running `serve` mends it."""
    await book(store, books, entry(cost=Decimal(2)))
    with closing(sqlite3.connect(tmp_path / "purser.db", isolation_level=None)) as file:
        file.execute("UPDATE sums SET asks = 7 WHERE span = '2026-11' AND who = 'U1'")
        file.execute("UPDATE spent SET picos = 0")
    wrong = await purser("ledger", "check", cwd=tmp_path)
    rebuilt = await purser("ledger", "rebuild", cwd=tmp_path)
    right = await purser("ledger", "check", cwd=tmp_path)

    assert wrong.code == 1
    assert "The sum of 2026-11 U1 C1 settled is not" in wrong.out
    assert "$0.0000 count for C1 in 2026-11, and its rows come to $2.0000" in wrong.out
    assert "`purser ledger rebuild`" in wrong.out
    assert (rebuilt.code, right.code) == (0, 0)


async def test_rows_at_todays_prices(store: SqliteStore, books: Ledger, tmp_path: Path) -> None:
    """Beside what a model's rows cost stands what they would cost today, to the last digit; rows stay as they are."""
    read = {"at": SEPTEMBER, "input_tokens": 0, "output_tokens": 0, "cache_read_tokens": 10**6}
    rows = [
        entry(**read, cost=Decimal("0.2")),
        entry(**read, cost=Decimal("0.2")),
        entry(model="claude-haiku-5-5", cost=None, input_tokens=1_000, output_tokens=0),
        entry(model="claude-next-1", cost=None, input_tokens=5, output_tokens=2),
        entry(billed=False, cost=Decimal(0)),
    ]
    await book(store, books, *rows)
    before = await books.rows(since=0, until=2**40)
    keep, out = keeping(tmp_path)
    await keep.reprice(since=None, until=None, as_json=True)
    told = json.loads(out.getvalue())

    models = told["models"]
    sonnet, haiku = models["claude-sonnet-5-5"], models["claude-haiku-5-5"]
    assert (sonnet["rows"], sonnet["then_usd"], sonnet["now_usd"]) == (3, "0.4", "0.2")
    assert sonnet["difference_usd"] == "-0.2"
    assert (haiku["newly_priced_rows"], haiku["now_usd"]) == (1, "0.0001")
    assert (models["claude-next-1"]["unpriced_tokens"], told["unpriced_models"]) == (
        *(7, ["claude-next-1"]),
    )
    assert (told["total"]["then_usd"], told["total"]["now_usd"]) == ("0.4", "0.2001")
    assert await books.rows(since=0, until=2**40) == before


async def test_a_table_for_people(store: SqliteStore, books: Ledger, tmp_path: Path) -> None:
    """A line for each model with its total beneath, and the models without a price by name."""
    await book(store, books, entry(model="claude-next-1", cost=None), entry(at=SEPTEMBER))
    keep, out = keeping(tmp_path)
    await keep.reprice(since="2026-11", until=None, as_json=False)

    assert "claude-sonnet-5-5" not in out.getvalue()
    assert "No price is known today for claude-next-1" in out.getvalue()
    with pytest.raises(BadPeriod, match="lies after"):
        await keep.reprice(since="2026-11", until="2026-10", as_json=False)
