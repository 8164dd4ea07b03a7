"""A database that was lost is brought back from its copy, as docs/deploy.md says, and the bot goes on with it."""

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.audit import Audit
from bot.demo.slack import Message
from bot.store.opening import backup, beside
from tests.postgres import Postgres
from tests.stories.replicas import Replica
from tests.stories.world import World

pytestmark = pytest.mark.timeout(120)

QUESTION = "@purser What is 6*7?"
FILES = ("purser.db", "purser.db-wal", "purser.db-shm")


async def test_a_file_goes_on_from_its_copy(tmp_path: Path) -> None:
    """What was there when the copy was taken is there again: asks, books, threads, and an audit that is proved."""
    file, copy = tmp_path / "purser.db", tmp_path / "copy.db"
    async with World(tmp_path) as world:
        await world.start()
        kept = await asked(world, QUESTION)
        await backup(SecretStr(f"sqlite:///{file}"), copy)
        lost = await asked(world, QUESTION)
        await world.stop()
        for name in FILES:
            (tmp_path / name).unlink(missing_ok=True)
        copy.rename(file)
        await world.start()

        assert world.ask_of(lost) is None
        await assert_goes_on(world, kept, f"sqlite:///{file}")


async def test_a_server_goes_on_from_its_dump(tmp_path: Path, postgres: Postgres) -> None:
    """The same on PostgreSQL, by its own tools, into a new database."""
    old, new, dump = postgres.clean(), postgres.empty(), tmp_path / "purser.dump"
    async with Replica(tmp_path / "one", old) as one:
        await one.start()
        one.listen()
        kept = await asked(one, QUESTION)
        await run(postgres.tool("pg_dump"), "--format=custom", f"--file={dump}", old)
        await one.stop()
        await run(postgres.tool("pg_restore"), f"--dbname={new}", str(dump))
        async with Replica(tmp_path / "two", new, beside=one) as two:
            await two.start()
            two.listen()

            await assert_goes_on(two, kept, new)


async def asked(world: World, text: str, thread: str = "") -> Message:
    """Somebody's question, once it has its answer and all is written down."""
    said = await world.slack.say("ana", "#shop-dev", text, thread_ts=thread)
    await world.ended(said)
    await world.idle()
    return said


async def run(tool: Path, *arguments: str) -> None:
    """Run one of PostgreSQL's tools to its good end."""
    process = await asyncio.create_subprocess_exec(tool, *arguments)
    assert await process.wait() == 0


async def assert_goes_on(world: World, kept: Message, url: str) -> None:
    """A thread that was kept is carried on, its rows are followed by new ones, and the audit is as it was written."""
    more = await asked(world, "@purser What is 2+3?", kept.ts)
    async with beside(SecretStr(url)) as store:
        proof = await Audit(store).verify()
    earlier, later = world.ask_of(kept), world.ask_of(more)
    assert earlier is not None
    assert later is not None

    assert [row["ask_id"] for row in world.booked()] == [earlier["id"], later["id"]]
    assert "6*7" in str(world.asked[-1].body)
    assert (proof.wrong, proof.records) == ([], 2)
