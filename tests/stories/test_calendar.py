"""What Purser says by itself: budgets' marks, Monday's lines, the month; each once, whatever happens."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.demo.terminal import words_of
from bot.ledger import Ledger
from bot.store.sqlite import SqliteStore
from tests.bot.entries import book, entry
from tests.stories.world import World

CHANNEL = "C0SHOPDEV"


def at(days: float, *, hour: int = 12) -> datetime:
    """Midday some days from now."""
    day = datetime.now(UTC) + timedelta(days=days)
    return day.replace(hour=hour, minute=0, second=0, microsecond=0)


async def booked(world: World, *rows: Any) -> None:
    """Put rows into the books, as if they had been earned before the bot was started."""
    store = await SqliteStore.open(world.folder / "purser.db", serve=True)
    await book(store, Ledger(store, zone=UTC, now=lambda: 0.0), *rows)
    await store.close()


def said(world: World, words: str, channel: str = "#shop-dev") -> list[str]:
    """What the bot said in a channel with these words in it."""
    return [words_of(m) for m in world.slack.by_app(channel) if words in words_of(m)]


def told(world: World, words: str) -> list[str]:
    """What the admins were told directly with these words in it."""
    rows = world.rows("SELECT body FROM asks WHERE user = 'U0ADMIN' AND state = 'done'")
    return [text for row in rows if words in (text := json.loads(row["body"])["text"])]


async def test_a_budget_that_is_nearly_spent_is_told_once(tmp_path: Path) -> None:
    """At 80 per cent the channel and its admins hear it once, also when the bot is started again."""
    async with World(tmp_path, policy="monthly_budget_usd = 10") as world:
        await world.start()
        await world.stop()
        now = datetime.now(UTC).timestamp()
        await booked(world, entry(at=now, channel=CHANNEL, cost=Decimal("8.5")))
        for _ in range(2):
            await world.start()
            await world.until(lambda: said(world, "85 %"))
            await world.until(lambda: told(world, "85 %"))
            await world.idle()
            await world.stop()

        (line,) = said(world, "85 %")
        assert "$8.50 of its $10.00" in line
        assert "/purser budget 15" in line
        assert len(told(world, "85 %")) == 1


async def test_a_channel_that_runs_away_is_told(tmp_path: Path) -> None:
    """A channel that spends in an hour what it spends in a week hears it, and so do its admins, once."""
    async with World(tmp_path) as world:
        await world.start()
        await world.stop()
        now = datetime.now(UTC)
        usual = [
            entry(at=(now - timedelta(days=day)).timestamp(), channel=CHANNEL, cost=Decimal("0.5"))
            for day in range(2, 9)
        ]
        await booked(world, *usual, entry(at=now.timestamp(), channel=CHANNEL, cost=Decimal(4)))
        for _ in range(2):
            await world.start()
            await world.until(lambda: said(world, "In the last hour this channel"))
            await world.until(lambda: told(world, "In the last hour this channel"))
            await world.idle()
            await world.stop()

        (line,) = said(world, "In the last hour this channel")
        assert "spent $4.00; on a usual day it spends $0.50" in line
        assert len(told(world, "In the last hour this channel")) == 1


async def test_the_service_examines_itself_by_day(tmp_path: Path) -> None:
    """Once it has served for a while, admins hear what the doctor found, once, and Claude is asked for nothing that costs."""
    async with World(tmp_path) as world:
        world.claude.change_model("claude-opus-5-5", retires=at(20).isoformat())
        await world.start()
        await world.idle()
        early = told(world, "The doctor found something")
        for days in (1, 2):
            world.ahead = (at(days) - datetime.now(UTC)).total_seconds()
            await world.until(lambda days=days: len(looked(world)) >= days)
            await world.idle()
        (late,) = told(world, "The doctor found something")

        assert early == []
        assert "Model claude-opus-5-5: is active, retires on" in late
        assert world.asked == []


def looked(world: World) -> list[str]:
    """Each time that Claude was asked for how long a model can be used."""
    return [e.path for e in world.claude.log if e.path.endswith("/models/claude-opus-5-5")]


async def test_a_channel_that_the_bot_left_hears_nothing_once(tmp_path: Path) -> None:
    """What is to be said in a channel that is closed to the bot is given up at once, with the reason; admins hear it."""
    async with World(tmp_path, policy="monthly_budget_usd = 10") as world:
        await world.start()
        await world.stop()
        await world.slack.expel("#shop-dev")
        now = datetime.now(UTC).timestamp()
        await booked(world, entry(at=now, channel=CHANNEL, cost=Decimal("8.5")))
        await world.start()
        await world.until(lambda: told(world, "85 %"))
        await world.idle()
        (own,) = [ask for ask in world.asks() if ask["channel"] == CHANNEL]

        assert (own["state"], own["attempt"]) == ("dead", 1)
        assert own["sentence"] == "Slack takes no message there: not_in_channel"


@pytest.mark.parametrize("wanted", [True, False])
async def test_mondays_lines(tmp_path: Path, wanted: bool) -> None:
    """On Monday morning a channel that wants it reads its week in five lines, another one does not."""
    async with World(tmp_path, policy=f"weekly_report = {str(wanted).lower()}") as world:
        await world.start()
        await world.stop()
        monday = at(7 - datetime.now(UTC).weekday(), hour=10)
        tuesday = monday - timedelta(days=6)
        await booked(
            world,
            entry(at=tuesday.timestamp(), channel=CHANNEL, cost=Decimal("1.25"), feature="review"),
        )
        world.ahead = (monday - datetime.now(UTC)).total_seconds()
        await world.start()
        if not wanted:
            probe = await world.slack.say("ana", "#shop-dev", "@purser What is 6*7?")
            await world.answered(probe)
            assert said(world, "last week") == []
            return
        (text,) = await world.until(lambda: said(world, "last week"))

        assert "$1.25" in text
        assert text.count("\n- ") <= 5
        assert "so far" in text


async def test_the_month_is_told_to_admins(tmp_path: Path) -> None:
    """On the first day of a month the admins read what the month before cost, each once."""
    async with World(tmp_path) as world:
        await world.start()
        await world.stop()
        now = datetime.now(UTC)
        first = (now.replace(day=1) + timedelta(days=32)).replace(day=1, hour=10)
        await booked(world, entry(at=now.timestamp(), channel=CHANNEL, cost=Decimal("3.5")))
        world.ahead = (first - datetime.now(UTC)).total_seconds()
        await world.start()
        (text,) = await world.until(lambda: told(world, "What Claude cost"))

        assert "$3.50" in text
        assert said(world, "What Claude cost") == []


class Audited(World):
    """A world whose bot may read Claude's own reports."""

    def environ(self) -> dict[str, str]:
        """The bot's settings, with the admin key."""
        return {**super().environ(), "ANTHROPIC_ADMIN_KEY": self.claude.admin.key}


async def test_books_that_differ_from_claudes_are_told_each_morning(tmp_path: Path) -> None:
    """In the morning the day before is compared with Claude's reports; what is unexplained is told to admins, once."""
    async with Audited(tmp_path) as world:
        await world.start()
        await world.stop()
        yesterday = at(-1)
        await booked(world, entry(at=yesterday.timestamp(), channel=CHANNEL, input_tokens=900_000))
        world.ahead = (at(0, hour=10) - datetime.now(UTC)).total_seconds()
        for _ in range(2):
            await world.start()
            await world.until(lambda: told(world, "unexplained"))
            await world.stop()

        (text,) = told(world, "unexplained")
        assert f"{yesterday:%Y-%m-%d}" in text
