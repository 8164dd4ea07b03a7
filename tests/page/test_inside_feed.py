"""The look inside without a browser: what the feed tells of the real bot, and to whom."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.demo.pages.made import Page
from bot.demo.scenes import LONG
from bot.prices import dollars
from tests.page.inside_world import InsideWorld, Json, watching

KINDS = ["listened", "committed", "leased", "sent", "tools", "sent", "parts", "settled"]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[InsideWorld]:
    """The stand-ins with the look inside; the bot is not started yet."""
    async with InsideWorld(tmp_path) as made:
        yield made


async def test_an_ask_is_told_step_by_step(world: InsideWorld) -> None:
    """From the delivery to its end an ask is told in the order of its way, each step after the one before."""
    await world.start()
    async with watching(world) as watcher:
        await world.slack.say("ana", "#shop-dev", "@purser what is the state of SHOP-12?")
        ask = await watcher.ask("SHOP-12")

        assert [step["kind"] for step in ask["steps"]] == KINDS
        begun = [step["at"] for step in ask["steps"]]
        assert begun == sorted(begun)
        assert {step["state"] for step in ask["steps"]} == {"done"}
        (tool,) = next(step for step in ask["steps"] if step["kind"] == "tools")["tools"]
        assert (tool["name"], tool["about"], tool["outcome"]) == ("jira_get_issue", "SHOP-12", "ok")


async def test_every_message_of_an_ask_finds_its_step(world: InsideWorld) -> None:
    """What an ask put on the wire is shown at the step it belongs to, and nothing of it is left over."""
    await world.start()
    async with watching(world) as watcher:
        before = len(watcher.rows["lines"])
        await world.slack.say("ana", "#shop-dev", "@purser what is the state of SHOP-12?")
        ask = await watcher.ask("SHOP-12")
        own = list(watcher.rows["lines"].values())[before:]

        assert [line["name"] for line in own if not line["ask"]] == []
        assert [line["name"] for line in watcher.of(ask, "listened")] == ["app_mention"]
        assert {line["who"] for line in watcher.of(ask, "tools:1")} == {"jira"}
        assert [line["who"] for line in watcher.of(ask, "sent:2")] == ["claude"]
        assert "chat.postMessage" in {line["name"] for line in watcher.of(ask, "parts")}


async def test_asks_at_the_same_time_are_kept_apart(world: InsideWorld) -> None:
    """Of asks that run side by side each keeps its own messages: its request, its ticket, its answer."""
    await world.start()
    keys = ["SHOP-12", "SHOP-14", "PAY-7", "PAY-3"]
    async with watching(world) as watcher:
        for key in keys:
            await world.slack.say("ana", "#shop-dev", f"@purser what is the state of {key}?")
        asks = {key: await watcher.ask(key) for key in keys}
        await watcher.until(lambda: all(a["steps"][-1]["at"] for a in asks.values()))

        for key, ask in asks.items():
            read = watcher.of(ask, "tools:1")
            assert f"GET /rest/api/3/issue/{key}" in {line["name"] for line in read}
            assert len(watcher.of(ask, "sent:1")) == len(watcher.of(ask, "sent:2")) == 1
            assert len(watcher.of(ask, "listened")) == 1


async def test_tokens_and_cost_are_those_of_the_books(world: InsideWorld) -> None:
    """An ask's tokens by kind and its cost are the sums of its rows in the ledger, to the last digit."""
    await world.start()
    async with watching(world) as watcher:
        await world.slack.say("ana", "#shop-dev", "@purser what is the state of SHOP-12?")
        ask = await watcher.ask("SHOP-12")
        rows = world.booked()

        assert ask["cost"] == str(dollars(sum(row["cost_picos"] for row in rows)))
        assert ask["tokens"]["read"] == sum(row["cache_read_tokens"] for row in rows) > 0
        assert ask["tokens"]["output"] == sum(row["output_tokens"] for row in rows) > 0
        booked = [e for e in watcher.rows["entries"].values() if e["ask"] == ask["id"]]
        assert sorted(e["id"] for e in booked) == sorted(row["entry_id"] for row in rows)
        whole, channel = watcher.whole["sums"]
        assert channel["spent"] == ask["cost"]
        assert (whole["budget"], channel["budget"]) == ("500", "50")


async def test_a_page_read_on_the_way_counts_as_a_visit(world: InsideWorld) -> None:
    """A page that a tool fetched is told with its visit, and the fetch stands at the tool's step."""
    await world.start()
    async with watching(world) as watcher:
        assert watcher.rows["pages"][Page.ARTICLE]["visits"] == 0
        words = f"@purser what does {world.web.address(Page.ARTICLE)} say about keys?"
        await world.slack.say("ana", "#shop-dev", words)
        ask = await watcher.ask("about keys")

        await watcher.until(lambda: watcher.rows["pages"][Page.ARTICLE]["visits"] == 1)
        assert [line["name"] for line in watcher.of(ask, "tools:1")] == [f"GET {Page.ARTICLE}"]


async def test_double_delivery_is_one_ask(world: InsideWorld) -> None:
    """With double delivery switched on, one ask shows both deliveries of its mention."""
    await world.start()
    async with watching(world) as watcher:
        await watcher.turn("double", on=True)
        await watcher.until(lambda: watcher.trouble("double")["left"])
        await world.slack.say("ana", "#shop-dev", "@purser what is 2+3?")
        ask = await watcher.ask("2+3")
        await watcher.until(lambda: len(watcher.of(ask, "listened")) == 2)

        assert len(watcher.rows["asks"]) == 1
        told = await watcher.until(lambda: _told(watcher.rows["asks"][ask["id"]], "listened"))
        assert told["note"] == "delivered 2 times, asked once"


async def test_a_killed_bot_goes_on_in_the_same_ask(world: InsideWorld) -> None:
    """After a kill in mid-answer one ask shows both attempts: the lost request, and the one that was answered."""
    world.claude.tokens_per_second = 60
    await world.spawn()
    async with watching(world) as watcher:
        await world.slack.say("ana", "#shop-dev", "@purser please review", code=LONG)
        await watcher.until(lambda: [a for a in watcher.rows["asks"].values() if _speaks(a)])
        await world.kill()
        world.claude.tokens_per_second = None
        await world.spawn(warm=False)
        ask = await watcher.ask("please review")

        notes = [step["note"] for step in ask["steps"] if step["kind"] == "sent"]
        assert [note.split(" · ")[-1] for note in notes] == ["lost", "end_turn"]
        assert [step["key"] for step in ask["steps"] if step["kind"] == "leased"] == [
            "leased",
            "leased:2",
        ]
        assert ask["unconfirmed"] is not None


async def test_a_log_line_stands_at_its_step(world: InsideWorld) -> None:
    """A line that the bot logged about an attempt stands at the request that it tells of."""
    await world.start()
    async with watching(world) as watcher:
        await world.slack.say("ana", "#shop-dev", "@purser what is 2+3?")
        ask = await watcher.ask("2+3")
        stamp = "2026-11-25T12:00:00Z"
        told: Json = {"event": "attempt", "ask": ask["id"], "n": 1, "timestamp": stamp}
        world.lines.append({**told, "status": "ok", "level": "info"})

        line = await watcher.until(
            lambda: next((x for x in watcher.rows["lines"].values() if x["who"] == "log"), None)
        )
        assert (line["ask"], line["step"], line["note"]) == (ask["id"], "sent:1", "status=ok n=1")


async def test_nothing_is_looked_at_while_nobody_watches(world: InsideWorld) -> None:
    """Before the first page comes and after the last one has gone, the look inside listens to nothing."""
    listeners = world.slack.watch._listeners
    assert not listeners
    async with watching(world):
        assert len(listeners) == 1

    await world.until(lambda: not listeners)


async def test_credentials_are_never_told(world: InsideWorld) -> None:
    """Neither a frame nor any message whole holds a token, a key, a socket's ticket or a response URL."""
    await world.start()
    async with watching(world) as watcher, aiohttp.ClientSession() as session:
        await world.slack.say("ana", "#shop-dev", "@purser what is the state of SHOP-12?")
        await watcher.ask("SHOP-12")
        await world.slack.command("ben", "#shop-dev", "/cost")
        words = " ".join(world.sources().secrets())
        world.lines.append({"event": "oops", "token": "x", "why": f"these were used: {words}"})
        await watcher.until(lambda: any(x["name"] == "/cost" for x in _lines(watcher)))
        told = json.dumps(watcher.frames)
        for number in watcher.rows["lines"]:
            async with session.get(f"{world.address}messages/{number}") as answer:
                told += await answer.text()

    assert "oops" in told
    urls = [given for given in world.slack.response_urls._given if given in told]
    assert [secret for secret in world.sources().secrets() if secret in told] == []
    assert urls == []
    assert told.count("ticket=") == told.count("ticket=[hidden]") > 0


async def test_a_message_is_given_whole(world: InsideWorld) -> None:
    """What is asked for by its number comes with the request and the answer as they were on the wire."""
    await world.start()
    async with watching(world) as watcher, aiohttp.ClientSession() as session:
        await world.slack.say("ana", "#shop-dev", "@purser what is 2+3?")
        ask = await watcher.ask("2+3")
        (line,) = watcher.of(ask, "sent:1")
        async with session.get(f"{world.address}messages/{line['id']}") as answer:
            whole = (await answer.json())["whole"]
        async with session.get(f"{world.address}messages/999999") as answer:
            assert answer.status == 404

    assert "what is 2+3?" in json.dumps(whole["request"]["body"]["messages"])
    assert "2+3 = 5" in json.dumps(whole["response"]["content"])
    assert whole["response"]["usage"]["output_tokens"] > 0


async def test_a_ticket_that_changes_is_told_again(world: InsideWorld) -> None:
    """Tickets come with the snapshot; one that is moved comes again, and whole it has its history."""
    async with watching(world) as watcher, aiohttp.ClientSession() as session:
        assert watcher.rows["tickets"]["SHOP-12"]["status"] == "Blocked"
        issue = world.jira.world.issues["SHOP-12"]
        world.jira.world.move(issue, "Done", world.jira.now(), issue.reporter)

        await watcher.until(lambda: watcher.rows["tickets"]["SHOP-12"]["status"] == "Done")
        async with session.get(f"{world.address}tickets/SHOP-12") as answer:
            whole = await answer.json()
    assert whole["changes"][0]["new"] == "Done"
    assert whole["comments"][0]["text"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 421),
        ({"Host": "127.0.0.1:1", "Origin": "http://127.0.0.1:1"}, 421),
    ],
    ids=["another site", "no page at all", "another port", "another name", "another port's name"],
)
async def test_only_its_own_page_may_watch(
    world: InsideWorld, headers: dict[str, str], status: int
) -> None:
    """The feed is refused to any page but our own, and to whoever calls this machine by another name."""
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(f"{world.address}live", headers=headers)

    assert refused.value.status == status


async def test_another_sites_page_may_fetch_nothing(world: InsideWorld) -> None:
    """A request that the browser says another site made is refused, whatever it asks for."""
    headers = {"Sec-Fetch-Site": "cross-site"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{world.address}static/inside.js") as answer,
    ):
        assert answer.status == 403


async def test_the_page_may_run_only_our_own_files(world: InsideWorld) -> None:
    """Every answer carries a policy that lets no inline script, no markup from strings and no other origin run."""
    async with aiohttp.ClientSession() as session, session.get(world.address) as answer:
        policy = dict(
            part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; ")
        )
        text = await answer.text()

    assert (policy["default-src"], policy["script-src"]) == ("'none'", "'self'")
    assert policy["require-trusted-types-for"] == "'script'"
    assert "<script>" not in text
    assert "style=" not in text


@pytest.mark.parametrize(
    "said", ["", "[]", '{"turn": 1}', '{"turn": "nothing", "on": true}', "\x00"]
)
async def test_what_a_page_says_wrongly_is_nothing(world: InsideWorld, said: str) -> None:
    """Words that are no command leave everything as it is, and the feed goes on."""
    async with watching(world) as watcher:
        before = watcher.whole["troubles"]
        await watcher.socket.send_str(said)
        await watcher.turn("double", on=True)
        await watcher.until(lambda: watcher.trouble("double")["left"])

        others = [trouble for trouble in watcher.whole["troubles"] if trouble["name"] != "double"]
        assert others == [trouble for trouble in before if trouble["name"] != "double"]


async def test_two_pages_are_told_the_same(world: InsideWorld) -> None:
    """What one page switches the other one sees, and both hold the same asks."""
    await world.start()
    async with watching(world) as one, watching(world) as other:
        await one.turn("double", on=True)
        await asyncio.gather(
            one.until(lambda: one.trouble("double")["left"]),
            other.until(lambda: other.trouble("double")["left"]),
        )
        await world.slack.say("ana", "#shop-dev", "@purser what is 2+3?")

        assert await one.ask("2+3") == await other.ask("2+3")


def _told(ask: Json, key: str) -> Json | None:
    return next((s for s in ask["steps"] if s["key"] == key and "2 times" in s["note"]), None)


def _speaks(ask: Json) -> bool:
    return any(step["kind"] == "parts" and step["at"] for step in ask["steps"])


def _lines(watcher: Any) -> list[Json]:
    return list(watcher.rows["lines"].values())
