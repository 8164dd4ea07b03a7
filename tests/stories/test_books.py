"""The books hold what Claude served, each row once and to the pico-dollar; budgets hold; the cache is read."""

import asyncio
import hashlib
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.demo.claude import Trouble
from bot.demo.claude.record import Exchange
from bot.demo.claude.reply import Draft, Use
from bot.demo.pages.made import Page
from bot.demo.scenes import BLUNT, SNIPPET
from bot.demo.terminal import words_of
from tests.stories.account import assert_balanced
from tests.stories.world import World

PICOS = Decimal(10) ** 12
PLACES = ("#shop-dev", "#payments")


async def test_the_books_equal_what_claude_served(world: World) -> None:
    """After asks of every kind, some of them troubled, books and bill agree row by row, and sum by sum."""
    await world.slack.command("ana", "#shop-dev", "/summarize", "SHOP-12")
    await world.slack.say("ana", "#shop-dev", "@purser review", code=SNIPPET)
    await world.slack.say("ben", "#payments", f"@purser {BLUNT}")
    await world.slack.say("chi", "#payments", f"@purser see {world.web.address(Page.ARTICLE)}")
    await world.slack.dm("maya", "What is 6*7?")
    await world.idle()
    world.claude.troubles.cut()
    await world.slack.say("ana", "#payments", "@purser What is 2+3?")
    await world.idle(20)

    assert_balanced(world)
    kept = {(r["month"], r["channel"]): r["picos"] for r in world.rows("SELECT * FROM spent")}
    sums = world.rows(
        "SELECT substr(day, 1, 7) AS month, coalesce(channel, '') AS channel, sum(cost_picos) AS picos FROM ledger GROUP BY 1, 2"
    )
    assert kept == {(r["month"], r["channel"]): r["picos"] for r in sums}
    assert world.rows("SELECT * FROM reservations") == []
    counted = sum(await world.metrics("purser_cost_usd_total{"))
    assert round(counted * 1e12) == sum(r["cost_picos"] for r in world.books())


async def test_a_row_says_who_where_and_what_for(world: World) -> None:
    """A row names the ask, the person, the channel, the thread, the feature, the purpose and the prompt's version."""
    root = await world.slack.say("ana", "#shop-dev", "@purser review", code=SNIPPET)
    await world.answered(root)

    (row,) = world.booked()
    ask = world.ask_of(root)
    assert ask is not None
    wanted = {
        "ask_id": ask["id"],
        "team": world.slack.team,
        "channel": root.channel,
        "user": root.user,
        "thread": root.ts,
        "feature": "review",
        "model": "claude-sonnet-5-5",
        "status": "settled",
        "stop_reason": "end_turn",
        "billed": 1,
        "iteration": 0,
    }
    assert {name: row[name] for name in wanted} == wanted
    assert row["request_id"] == world.asked[0].request_id
    assert row["prompt_version"]
    shared = {(r["ask_id"], r["channel"], r["user"], r["feature"]) for r in world.booked("warm")}
    assert shared == {(None, None, None, None)}


async def test_the_receipt_is_what_the_books_say(world: World) -> None:
    """The dollars under an answer are those of its rows, of all its calls together."""
    root = await world.slack.say("ana", "#shop-dev", f"@purser {BLUNT}")
    await world.answered(root)

    ask = world.ask_of(root)
    assert ask is not None
    rows = [row for row in world.books() if row["ask_id"] == ask["id"]]
    total = Decimal(sum(row["cost_picos"] for row in rows)) / PICOS
    assert world.notes(root)[-1].startswith(f"${total:.4f} · ")


@pytest.mark.parametrize(
    ("policy", "workspace", "whose"),
    [
        ("monthly_budget_usd = 0.01", "", "this channel's"),
        ("", "[workspace]\nmonthly_budget_usd = 0.01", "the workspace's"),
    ],
)
async def test_an_exhausted_budget_stops_before_claude(
    tmp_path: Path, policy: str, workspace: str, whose: str
) -> None:
    """Where a budget does not cover an ask, it is told whose and who can raise it, and Claude is not asked."""
    async with World(tmp_path, policy=policy, tables=workspace) as world:
        await world.start()
        root = await world.slack.say("ana", "#shop-dev", "@purser What is 6*7?")
        await world.ended(root)

        assert f"{whose} budget for the month, so Claude was not asked" in world.words(root)
        assert "ruth can raise it" in world.words(root)
        assert world.asked == []
        assert world.rows("SELECT * FROM reservations") == []
        assert_balanced(world)


async def test_many_asks_at_once_do_not_pass_a_budget(tmp_path: Path) -> None:
    """Twelve asks at once on money for few: some are answered, the others told, and the limit holds throughout."""
    limit = Decimal("0.60")
    async with World(tmp_path, policy=f"monthly_budget_usd = {limit}") as world:
        await world.start()
        world.claude.ttft = 0.3
        roots = [
            await world.slack.say(who, "#shop-dev", f"@purser What is {n}+3?")
            for n, who in enumerate(["ana", "ben", "chi"] * 4)
        ]
        seen: list[Decimal] = []
        watching = asyncio.create_task(watch_budget(world, seen))
        await asyncio.gather(*(world.ended(root) for root in roots))
        watching.cancel()

        outcomes = [ask["outcome"] for ask in world.asks()]
        assert 0 < outcomes.count("answer") < 12
        assert outcomes.count("answer") + outcomes.count("failed") == 12
        assert max(seen) > 0
        assert max(seen) <= limit
        assert_balanced(world)


async def watch_budget(world: World, seen: list[Decimal]) -> None:
    """Look again and again at what is spent and reserved in #shop-dev."""
    while True:
        (row,) = world.rows(
            "SELECT (SELECT coalesce(sum(picos), 0) FROM spent WHERE channel = 'C0SHOPDEV')"
            " + (SELECT coalesce(sum(picos), 0) FROM reservations) AS picos"
        )
        seen.append(Decimal(row["picos"]) / PICOS)
        await asyncio.sleep(0.01)


async def test_an_ask_ends_at_its_limit(tmp_path: Path) -> None:
    """An ask whose tools go on and on ends where its dollars end, and says so."""
    async with World(tmp_path, policy="ask_limit_usd = 0.25") as world:
        await world.start()
        page = world.web.address(Page.LONG)
        drafts = [Draft(uses=(Use("web_fetch", {"url": page, "page": n}),)) for n in (1, 2, 3, 4)]
        world.script(*drafts)
        root = await world.slack.say("ana", "#shop-dev", f"@purser read all of {page}")
        ask = await world.ended(root)

        assert ask["outcome"] == "stopped"
        assert "limit of $0.25" in world.words(root)
        assert sum(row["cost_picos"] for row in world.booked()) <= Decimal("0.25") * PICOS
        assert_balanced(world)


async def test_the_next_ask_reads_the_prompt_from_cache(world: World) -> None:
    """The first ask of the day, and any later one in any channel, reads tools and system prompt from cache."""
    for n, place in enumerate(PLACES):
        await world.answered(await world.slack.say("ana", place, f"@purser What is {n}+3?"))

    warm = {row["model"]: row for row in world.booked("warm")}["claude-sonnet-5-5"]
    written = warm["cache_write_5m_tokens"] + warm["cache_write_1h_tokens"]
    assert written >= 512
    assert [row["cache_read_tokens"] for row in world.booked()] == [written, written]
    assert [row["cache_write_1h_tokens"] for row in world.booked()] == [0, 0]


async def test_a_thread_is_read_from_cache(world: World) -> None:
    """The second ask of a thread writes the thread, the third one reads it: the cached share grows."""
    root = await world.slack.say("ana", "#shop-dev", "@purser review", code=SNIPPET * 8)
    await world.answered(root)
    for n in (1, 2):
        again = await world.slack.say(
            "ana", "#shop-dev", f"@purser What is {n}+3?", thread_ts=root.ts
        )
        await world.ended(again)

    first, second, third = [row["cache_read_tokens"] for row in world.booked()]
    assert second >= first
    assert third > first + 512


async def test_the_prefix_is_the_same_bytes_everywhere(tmp_path: Path) -> None:
    """Tools and system are the same bytes in every channel, for every person, and in the next process."""
    seen: list[str] = []
    async with World(tmp_path) as world:
        for _ in range(2):
            await world.spawn()
            for place, who in zip(PLACES, ("ana", "ben"), strict=True):
                await world.answered(await world.slack.say(who, place, "@purser What is 6*7?"))
            assert await world.terminate() == 0
        seen = [prefix(e) for e in world.asked]

    assert len(seen) == 4
    assert len(set(seen)) == 1


def prefix(exchange: Exchange) -> str:
    """The digest of a request's tools and system, in the order of their bytes."""
    body: dict[str, Any] = exchange.body
    return hashlib.sha256(json.dumps([body["tools"], body["system"]]).encode()).hexdigest()


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_stopped_answer_is_in_the_books(tmp_path: Path, *, streaming: bool) -> None:
    """What was generated before a stop is booked as unconfirmed, never too low, and stands in the receipt."""
    async with World(tmp_path) as world:
        await world.start()
        world.claude.tokens_per_second = 60.0 if streaming else None
        if not streaming:
            world.claude.troubles.add(Trouble(hang=3600.0, after=10))
        root = await world.slack.say("ana", "#shop-dev", "@purser review", code=SNIPPET * 4)
        await world.until(lambda: world.rows("SELECT n FROM requests WHERE message_id <> ''"))
        await world.slack.say("ana", "#shop-dev", "@purser stop", thread_ts=root.ts)
        ask = await world.ended(root)

        assert ask["outcome"] == "stopped"
        (row,) = world.booked()
        assert row["status"] == "unconfirmed"
        assert "estimated" in world.notes(root)[-1]
        assert words_of(world.said(root)[0]).endswith("Stopped.")
        assert_balanced(world)
