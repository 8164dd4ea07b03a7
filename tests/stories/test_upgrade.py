"""From each release that is kept to this one and back, with data in it: all is there afterwards, and worked on."""

import asyncio
import io
import os
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from benchmarks.released import RELEASES, Release
from bot import upkeep
from bot.bookkeeping import Bookkeeping
from bot.demo.claude.reply import Draft
from bot.demo.jira import JiraStandIn
from bot.demo.jira.seed import company
from bot.demo.slack import Message
from bot.demo.terminal import words_of
from bot.policy import Policy
from bot.slack.proposed import DO
from bot.trail import prove
from tests.bot.terminal import Ran, run
from tests.postgres import Postgres
from tests.stories.account import assert_balanced
from tests.stories.replicas import Replica
from tests.stories.world import LOG, PROCESS_SECONDS, Row, World

pytestmark = pytest.mark.timeout(180)  # a release is started twice, and compiled before

DEAR = "[channels.C0PAYMENTS]\nconfirm_above_usd = 0.0001"
LONG = " ".join(f"word-{n}" for n in range(200))
LEASE = 40.0  # seconds after which what a killed process held is anybody's
LATER = {  # what a file or a server says of a step that only a later release knows
    "sqlite": "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('purser', 'm999_takes', '')",
    "postgres": "INSERT INTO schema_version (step, needs) VALUES ('m999_takes', 'm998_adds')",
}
TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
    "postgres": "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'",
}
OF_THE_SCHEMA = {"_sqlite_migrations", "schema_version"}


@pytest.fixture(scope="module", params=RELEASES, ids=lambda one: one.version)
def code(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, str]:
    """The settings by which Python finds a release."""
    release: Release = request.param
    return release.unpack(tmp_path_factory.mktemp("released"))


@pytest.fixture(params=["sqlite", "postgres"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """A world of its own tickets, in which nobody serves yet, on each engine."""
    more: dict[str, Any] = {"tables": DEAR, "jira": JiraStandIn(world=company(time.time()))}
    if request.param == "sqlite":
        made = World(tmp_path, **more)
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        made = Replica(tmp_path, postgres.empty(), http=False, **more)
    async with made:
        yield made


@asynccontextmanager
async def serving(world: World, code: Mapping[str, str]) -> AsyncGenerator[None]:
    """A release that serves a world, while inside; then it is killed."""
    lines = len(world.log)
    with (world.folder / LOG).open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "serve", "--port", "0"),
            cwd=world.folder,
            env={"PATH": os.defpath, **world.environ(), **code},
            stdout=log,
            stderr=log,
        )
    try:
        ready = await world.until(lambda: world._ready(lines), PROCESS_SECONDS)
        await world._taken(int(ready["port"]), warm=True)
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@dataclass(frozen=True, slots=True)
class Begun:
    """What people did while a release served, to be gone on with.

    Attributes:
        root: of a thread with an answer.
        proposal: nobody has decided yet.
        dear: an ask that is parked.
        cut: an ask whose answer was being said when the release was killed, and `part` what was said.
    """

    root: Message
    proposal: Message
    dear: Message
    cut: Message
    part: Message


async def begin(world: World) -> Begun:
    """Ask, summarize, propose, set a budget and a digest up, and leave one ask parked and one half answered."""
    slack, hour = world.slack, (datetime.now(UTC).hour + 12) % 24
    root = await slack.say("ana", "#shop-dev", "@purser What is 6*7?")
    await world.answered(root)
    await slack.command("ana", "#shop-dev", "/summarize", "SHOP-12")
    await slack.command("ana", "#shop-dev", "/summarize", f"project SHOP nightly at {hour}:00")
    await slack.command("ruth", "#shop-dev", "/purser", "budget 37")
    proposing = await slack.say("ana", "#shop-dev", "@purser comment on SHOP-12 that it is done")
    dear = await slack.say("ana", "#payments", "@purser What is 8*9?")
    await world.until(lambda: [a for a in world.asks() if a["state"] == "parked"])
    await quiet(world)
    world.script(Draft(LONG))
    world.claude.tokens_per_second = 20.0
    cut = await slack.say("ana", "#shop-dev", "@purser tell me")
    part = await world.until(lambda: next((m for m in world.said(cut) if words_of(m)), None))
    return Begun(root, world.said(proposing)[-1], dear, cut, part)


async def quiet(world: World) -> None:
    """Wait until nothing is at work but what waits for a person or an hour."""

    def still() -> bool:
        due = [ask for ask in world.asks() if ask["feature"] != "digest"]
        return all(ask["state"] in {"done", "parked"} for ask in due)

    await world.slack.settled()
    await world.until(still)


def engine_of(world: World) -> str:
    """On which engine a world is."""
    return "postgres" if isinstance(world, Replica) else "sqlite"


def kept(world: World) -> dict[str, list[Row]]:
    """Every row of every table."""
    names = {str(row["name"]) for row in world.rows(TABLES[engine_of(world)])} - OF_THE_SCHEMA
    return {
        name: sorted(world.rows(f'SELECT * FROM "{name}"'), key=str)  # noqa: S608 - the database's own names
        for name in names
    }


def as_before(
    now: Mapping[str, list[Row]], before: Mapping[str, list[Row]]
) -> dict[str, list[Row]]:
    """Of what is kept now, the tables and columns that were there before."""
    return {
        name: [{column: row[column] for column in (rows or now[name])[0]} for row in now[name]]
        for name, rows in before.items()
    }


async def sound(world: World) -> tuple[int, int]:
    """How the books and the audit are found: 0 and 0 where they prove right."""
    url, out = SecretStr(world.environ()["DATABASE_URL"]), io.StringIO()
    zone = Policy().workspace.zone
    books = await Bookkeeping(url, out, zone=zone, now=time.time).check()
    return books, await prove(url, out, head=None)


async def told(world: World, who: str, command: str, words: str) -> str:
    """What a command answers to who gave it."""
    await world.slack.command(who, "#shop-dev", command, words)
    await quiet(world)
    return words_of(world.slack.ephemerals("#shop-dev", who)[-1])


async def released(world: World, code: Mapping[str, str], *words: str) -> Ran:
    """What a command of the release leaves behind."""
    environ = {**world.environ(), **code}
    return await run(sys.executable, "-m", "bot", *words, cwd=world.folder, env=environ)


async def test_all_is_there_after_the_upgrade_and_worked_on(
    world: World, code: Mapping[str, str]
) -> None:
    """Killed, migrated and taken over: books, audit, memory, settings, digests and whatever waited go on, there and back."""
    if isinstance(world, Replica):  # a file is made by who serves it
        assert (await released(world, code, "migrate")).err == ""
    brain = world.claude.brain
    async with serving(world, code):
        begun = await begin(world)
    world.claude.tokens_per_second = None
    before = kept(world)
    await upkeep.bring_up(SecretStr(world.environ()["DATABASE_URL"]), io.StringIO())

    assert as_before(kept(world), before) == before
    assert await sound(world) == (0, 0)

    world.ahead = LEASE
    await world.start()
    assert await world.answered(begun.cut) == LONG
    assert world.said(begun.cut) == [begun.part]
    world.claude.brain = brain
    await go_on(world, begun.root, "7*7")
    await world.slack.click("ana", begun.proposal, DO)
    await world.slack.click("ana", world.said(begun.dear)[0], "estimate:go")
    assert (await world.ended(begun.dear))["outcome"] == "answer"
    await quiet(world)
    assert words_of(begun.proposal).startswith("**Written to Jira")
    assert "37" in await told(world, "ana", "/purser", "policy")
    assert "SHOP" in await told(world, "ana", "/purser", "digests")
    await world.stop()

    async with serving(world, code):
        await go_on(world, begun.root, "9*9")
    for command in (("migrate",), ("ledger", "check")):  # a rollback on Heroku migrates, too
        assert (await released(world, code, *command)).code == 0
    assert await sound(world) == (0, 0)
    assert_balanced(world)


async def go_on(world: World, root: Message, question: str) -> None:
    """Somebody goes on in a thread, and what was answered there before is remembered, not read again."""
    said = await world.slack.say(
        "ana", "#shop-dev", f"@purser And what is {question}?", thread_ts=root.ts
    )
    assert (await world.ended(said))["outcome"] == "answer"
    body = next(e.body for e in reversed(world.asked) if question in str(e.body))

    assert body is not None
    assert [one for one in body["messages"] if one["role"] == "assistant"]
    assert "6*7 = 42" in str(body["messages"])


async def test_a_release_leaves_alone_what_it_cannot_work_with(
    world: World, code: Mapping[str, str]
) -> None:
    """Once a step was taken that asks for a later release, an earlier one refuses the database with a sentence."""
    url = world.environ()["DATABASE_URL"]
    await upkeep.bring_up(SecretStr(url), io.StringIO())
    if isinstance(world, Replica):
        with closing(psycopg.connect(url, autocommit=True)) as db:
            db.execute(LATER["postgres"].encode())
    else:
        world.damage(LATER["sqlite"])
    refused = await released(world, code, "ledger", "check")

    assert refused.code == 2
    assert "is newer than this Purser; install the newer one" in refused.err
