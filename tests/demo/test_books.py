"""The made-up books of the demo: the same each time, marked as made up, within budgets, and kept like real ones."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from bot.demo import books
from bot.demo.books import DAYS, MADE_UP, fill, rows
from bot.demo.slack import SlackStandIn
from bot.demo.stage import Stage
from bot.demo.terminal import words_of
from bot.forecast import forecast
from bot.ledger import Ledger
from bot.store.sqlite import SqliteStore

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()
BUDGET = Decimal(50)  # of a channel and month, where nothing is set


def test_they_are_the_same_each_time_and_say_that_they_are_made_up() -> None:
    """Seeded: two demos at one moment have the same rows; none is of the future; each is marked."""
    made = list(rows("T1", NOON))

    assert made == list(rows("T1", NOON))
    assert {(e.prompt_version, e.request_id) for e in made} == {(MADE_UP, MADE_UP)}
    assert max(e.at for e in made) < NOON
    assert len({datetime.fromtimestamp(e.at, UTC).date() for e in made}) > DAYS - 60


def test_they_keep_to_budgets_and_can_be_foretold() -> None:
    """No channel's month is over its budget, every price is known, and the month's end has a forecast."""
    months: dict[tuple[str | None, str], Decimal] = {}
    days: dict[date, Decimal] = {}
    for entry in rows("T1", NOON):
        day = datetime.fromtimestamp(entry.at, UTC).date()
        assert entry.cost is not None
        days[day] = days.get(day, Decimal(0)) + entry.cost
        key = (entry.channel, f"{day:%Y-%m}")
        months[key] = months.get(key, Decimal(0)) + entry.cost

    assert max(months.values()) < BUDGET
    assert forecast(days, today=date(2026, 11, 25)) is not None


async def test_the_database_holds_them_as_it_holds_real_ones(tmp_path: Path) -> None:
    """All rows are booked, and the sums that are kept are theirs."""
    path = tmp_path / "purser.db"
    count = await fill(path, team="T1", now=lambda: NOON)
    async with SqliteStore.beside(path) as store:
        ledger = Ledger(store, zone=UTC, now=lambda: NOON)

        assert len(await ledger.rows(since=0, until=NOON)) == count
        assert await ledger.off() == []
        assert await ledger.differences() == {}


async def test_the_channel_is_told_that_they_are_made_up(tmp_path: Path) -> None:
    """Before the bot starts, somebody says in the channel what is made up and how to see it."""
    async with Stage(tmp_path, {}) as stage:
        await stage.make_up_books()
        slack: SlackStandIn = stage.slack

        assert any(books.TOLD in words_of(m) for m in slack.messages("#shop-dev"))
        assert (tmp_path / "purser.db").exists()
        assert "ANTHROPIC_ADMIN_KEY" not in stage.settings()  # no account of Claude's has them
