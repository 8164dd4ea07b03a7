"""How long words are kept in a whole Purser: by the moved clock, without any text at all, and for a forgotten person."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.bot.terminal import purser
from tests.stories.world import World

QUESTION = "@purser What is 6*7, said the marzipan?"
WORD = "marzipan"
ANSWER = "42"


def held(world: World, word: str) -> list[str]:
    """The files beside the database that hold a word."""
    files = [f for f in world.folder.iterdir() if f.name.startswith("purser.db")]
    return sorted(f.name for f in files if word.encode() in f.read_bytes())


def night(days: float) -> float:
    """Seconds from now to four in the night some days ahead, in UTC."""
    now = datetime.now(UTC)
    then = (now + timedelta(days=days)).replace(hour=4, minute=0)
    return (then - now).total_seconds()


async def test_words_go_by_the_calendar(tmp_path: Path) -> None:
    """A month later the night takes them, and the books, the audit and how it ended are still there."""
    async with World(tmp_path) as world:
        await world.start()
        await world.ended(await world.slack.say("ana", "#shop-dev", QUESTION))
        await world.stop()
        assert held(world, WORD)
        books = world.books()
        world.ahead = night(32)
        await world.start()
        await world.until(lambda: not world.rows("SELECT 1 FROM asks WHERE erased = 0"))
        await world.until(lambda: "purser.db" not in held(world, WORD))
        (row,) = [row for row in world.asks() if row["user"] == "U0ANA"]

        assert row["outcome"] == "answer"
        assert [row for row in world.books() if row["ask_id"]] == [
            row for row in books if row["ask_id"]
        ]
        assert len(world.rows("SELECT 1 FROM audit WHERE action = 'ask'")) == 1
        root = await world.slack.say("ana", "#shop-dev", "@purser What is 6*7?")
        assert ANSWER in await world.answered(root)


async def test_before_its_days_are_over_nothing_goes(tmp_path: Path) -> None:
    """A channel that keeps words longer keeps them, but nothing for a cache that is long lost."""
    async with World(tmp_path, policy="retention_days = 90") as world:
        await world.start()
        await world.ended(await world.slack.say("ana", "#shop-dev", QUESTION))
        await world.stop()
        with closing(sqlite3.connect(world.folder / "purser.db")) as base, base:
            base.execute("UPDATE conversation SET sent = '[]'")
        world.ahead = night(32)
        await world.start()
        await world.ended(await world.slack.say("ben", "#shop-dev", "@purser What is 6*7?"))
        await world.until(lambda: not world.rows("SELECT 1 FROM conversation WHERE sent <> ''"))
        await world.stop()

        assert held(world, WORD)


async def test_where_no_text_is_kept_nothing_is(tmp_path: Path) -> None:
    """With store_text = false no word is in the database once the answer has ended; a follow-up reads Slack again."""
    async with World(tmp_path, policy="store_text = false") as world:
        await world.start()
        root = await world.slack.say("ana", "#shop-dev", QUESTION)
        assert ANSWER in await world.answered(root)
        tables = ("asks", "requests", "parts", "tool_results", "conversation", "signals")
        rows = [world.rows("SELECT * FROM x".replace("x", table)) for table in tables]
        assert WORD not in str(rows)
        follow = await world.slack.say("ana", "#shop-dev", "@purser and again?", thread_ts=root.ts)
        await world.ended(follow)

        assert WORD in str(world.asked[-1].body)


async def test_a_person_is_forgotten_beside_a_running_bot(tmp_path: Path) -> None:
    """What they wrote is gone from the file and its log; a second time says that there is nothing more; the bot goes on."""
    async with World(tmp_path) as world:
        await world.start()
        root = await world.slack.say("ana", "#shop-dev", QUESTION)
        await world.ended(root)
        await world.ended(
            await world.slack.say("ben", "#shop-dev", "@purser and?", thread_ts=root.ts)
        )
        await world.idle()
        env = {"DATABASE_URL": f"sqlite:///{world.folder / 'purser.db'}"}
        first, second = [
            await purser("forget", "--user", "U0ANA", cwd=world.folder, env=env) for _ in range(2)
        ]

        assert (first.code, second.code) == (0, 0)
        assert "U0ANA, called ana: removed the words of 1 asks" in first.out
        assert "of 1 asks of others in the same threads, 2 remembered turns" in first.out
        assert "What stays:" in first.out
        assert "U0ANA: removed the words of 0 asks" in second.out
        assert held(world, WORD) == []
        assert ANSWER in await world.answered(
            await world.slack.say("ana", "#shop-dev", "@purser What is 6*7?")
        )
