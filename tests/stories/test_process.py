"""The process: it starts beside a Slack in trouble, stops gracefully, and falls silent when its lease is lost."""

import asyncio
from pathlib import Path

import pytest

from bot.demo.claude.reply import Draft
from bot.demo.terminal import words_of
from bot.errors import BadSettings, StoreTaken
from tests.stories.account import assert_balanced, assert_paid_once
from tests.stories.world import LOG, World

pytestmark = pytest.mark.timeout(120)  # processes are started

QUESTION = "@purser What is 6*7?"


@pytest.mark.parametrize("http", [False, True], ids=["socket mode", "signed HTTP"])
async def test_what_is_asked_while_slack_does_not_say_who_we_are(
    tmp_path: Path, *, http: bool
) -> None:
    """With auth.test down from the start, asks and commands are acknowledged and kept; they are answered when it is back."""
    async with World(tmp_path, http=http) as world:
        world.slack.troubles.down["auth.test"] = "internal_error"
        await world.start(warm=False)
        root = await world.slack.say("ana", "#shop-dev", QUESTION)
        ack = await world.slack.command("ben", "#payments", "/summarize", "SHOP-12")
        await world.slack.settled()
        kept = [ask["state"] for ask in world.asks()]
        ready = await world.status("/readyz")
        world.slack.troubles.down.clear()

        assert "6*7 = 42" in await world.answered(root)
        await world.idle()
        assert kept == ["waiting", "waiting"]
        assert ready == 503
        assert ack.acked
        assert world.slack.events.undelivered == []
        assert "SHOP-12" in words_of(world.slack.by_app("#payments")[-1])
        assert await world.status("/readyz") == 200


async def test_what_is_asked_while_auth_test_is_down_later(world: World) -> None:
    """With auth.test down in the middle of the day, asks are answered as ever."""
    world.slack.troubles.down["auth.test"] = "internal_error"
    root = await world.slack.say("ana", "#shop-dev", QUESTION)

    assert "6*7 = 42" in await world.answered(root)


async def test_a_token_that_slack_does_not_know(tmp_path: Path) -> None:
    """A worthless token ends the process with a sentence that names the setting."""
    async with World(tmp_path) as world:
        world.slack.troubles.down["auth.test"] = "invalid_auth"
        with pytest.raises(BadSettings, match="SLACK_BOT_TOKEN: Slack says invalid_auth"):
            await serve_to_the_end(world)


async def serve_to_the_end(world: World) -> None:
    """Serve until it ends by itself."""
    await world.start(warm=False)
    await world.served()


async def test_two_processes_do_not_share_a_file(world: World, tmp_path: Path) -> None:
    """A second `serve` on the same database is refused; the first one goes on."""
    async with World(tmp_path) as second:
        with pytest.raises(StoreTaken):
            await second.start(warm=False)

    root = await world.slack.say("ana", "#shop-dev", QUESTION)
    assert "6*7 = 42" in await world.answered(root)


async def test_sigterm_lets_running_asks_finish(tmp_path: Path) -> None:
    """Told to stop, the process finishes what runs, takes nothing new, and exits 0; the next one does the rest."""
    async with World(tmp_path) as world:
        await world.spawn()
        world.claude.troubles.slow(ttft=1.0)
        root = await world.slack.say("ana", "#shop-dev", QUESTION)
        await world.until(lambda: world.asked)
        later = await world.slack.say("ben", "#shop-dev", "@purser What is 2+3?", thread_ts=root.ts)
        await world.until(lambda: world.ask_of(later))
        code = await world.terminate()
        first, waiting = world.ask_of(root), world.ask_of(later)
        assert first is not None
        assert waiting is not None
        states = (first["state"], waiting["state"], waiting["attempt"])
        await world.spawn()
        await world.ended(later)

        assert code == 0
        assert states == ("done", "waiting", 0)
        assert ["6*7 = 42" in words_of(m) for m in world.said(root)] == [True, False]
        assert "2+3 = 5" in words_of(world.said(root)[1])
        assert_balanced(world)


async def test_who_was_told_to_stop_begins_nothing(world: World) -> None:
    """What comes while running asks are finished is acknowledged and kept, for whoever serves next."""
    world.claude.troubles.slow(ttft=1.0)
    root = await world.slack.say("ana", "#shop-dev", QUESTION)
    await world.until(lambda: world.asked)
    stopping = asyncio.create_task(world.stop())
    await asyncio.sleep(0)
    late = await world.slack.say("ben", "#payments", "@purser What is 2+3?")
    await stopping
    ask = world.ask_of(late)

    assert ask is not None
    assert (ask["state"], ask["attempt"]) == ("waiting", 0)
    assert "6*7 = 42" in await world.answered(root)
    assert len(world.asked) == 1


async def test_an_idle_process_stops_at_once(tmp_path: Path) -> None:
    """With nothing to do, a stop is an exit 0 without waiting; the log begins and ends with what it does, without a warning."""
    async with World(tmp_path) as world:
        await world.spawn()

        assert await world.terminate() == 0
        told = [line["event"] for line in world.log if line["event"] in {"stopping", "stopped"}]
        assert told == ["stopping", "stopped"]
        assert world.log[-1]["event"] == "stopped"
        assert [line for line in world.log if line["level"] != "info"] == []


async def test_what_does_not_finish_in_time_is_handed_back(tmp_path: Path) -> None:
    """An ask that is still at work when the time is over is handed back, and the next start answers it in its place."""
    async with World(tmp_path, drain=0.1) as world:
        await world.start()
        world.claude.tokens_per_second = 60.0
        text = " ".join(f"word-{n}" for n in range(200))
        world.script(Draft(text))
        root = await world.slack.say("ana", "#shop-dev", "@purser tell me")
        begun = await world.until(lambda: next((m for m in world.said(root) if words_of(m)), None))
        await world.stop()
        handed = world.ask_of(root)
        assert handed is not None
        world.claude.tokens_per_second = None
        await world.start()

        assert await world.answered(root) == text
        assert (handed["state"], handed["failures"]) == ("waiting", 0)
        assert world.said(root) == [begun]
        assert_paid_once(world)
        assert_balanced(world)


async def test_a_stop_while_slack_is_away(tmp_path: Path) -> None:
    """A process that still waits for Slack stops when told to."""
    async with World(tmp_path) as world:
        world.slack.troubles.down["auth.test"] = "internal_error"
        await world.start(warm=False)
        await world.stop()

        assert world.slack.sockets.count == 0


async def test_a_worker_that_lost_its_lease_falls_silent(tmp_path: Path) -> None:
    """A worker whose lease ran out says nothing more: the answer of the one that took over stands, untouched."""
    async with World(tmp_path) as world:
        await world.start()
        world.script(Draft("The wolves come. " * 60), Draft("The second worker's answer."))
        world.claude.troubles.slow(tokens_per_second=40.0)
        root = await world.slack.say("ana", "#shop-dev", "@purser tell me")
        await world.until(lambda: any("wolves" in words_of(m) for m in world.said(root)))
        world.ahead += 40  # the lease runs out without a renewal, as on a machine that slept
        ask = await world.ended(root)
        await world.until(lambda: world.asked[0].state != "open", 30)
        await asyncio.sleep(0.1)

        assert ask["attempt"] == 2
        (answer,) = world.said(root)
        assert words_of(answer) == "The second worker's answer."
        assert [row["status"] for row in world.booked()] == ["unconfirmed", "settled"]


async def test_the_log_tells_all_but_the_words(tmp_path: Path) -> None:
    """One line for each ask and one for each attempt at Claude, with its facts; no words, tokens or secrets in any at any level."""
    async with World(tmp_path) as world:
        world.set["LOG_LEVEL"] = "DEBUG"
        await world.spawn()
        world.claude.troubles.overload(retry_after=0)
        root = await world.slack.say("ana", "#shop-dev", "@purser What is 6*7, plover-17?")
        await world.answered(root)
        await world.terminate()
        text = (tmp_path / LOG).read_text(encoding="utf-8")

        (ask,) = [line for line in world.log if line["event"] == "ask"]
        attempts = [line for line in world.log if line["event"] == "attempt"]
        assert (ask["channel"], ask["feature"], ask["outcome"]) == (root.channel, "chat", "answer")
        assert (ask["rounds"], ask["tools"], ask["attempt"]) == (1, 0, 1)
        assert [a["status"] for a in attempts] == ["Overloaded", "ok"]
        assert [a["http_status"] for a in attempts] == [529, 200]
        assert [a["request_id"] for a in attempts] == [e.request_id for e in world.asked]
        assert any(line["level"] == "debug" for line in world.log)
        for secret in ("plover-17", world.slack.bot_token, world.slack.app_token, "sk-ant"):
            assert secret not in text
