"""Keys are rotated and the policy is changed while the bot serves; what is broken is refused whole."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from bot.demo.terminal import words_of
from tests.stories.world import PROCESS_SECONDS, World

ROOT = Path(__file__).parent.parent.parent
Lines = list[Mapping[str, Any]]
READ, REFUSED = "policy read anew", "refused; what held before still holds"


async def reread(world: World, until: str = READ) -> Lines:
    """Let the bot read anew, and give the lines that it then logged, up to one."""
    with capture_logs() as lines:
        world.again.set()
        await world.until(lambda: any(line["event"] == until for line in lines))
        return [line for line in lines if line["event"] != "retention"]  # of the start, still


async def asked(world: World, where: str = "#shop-dev") -> str:
    """Somebody asks and is answered."""
    return await world.answered(await world.slack.say("ana", where, "@purser What is 6*7?"))


def write(world: World, toml: str) -> None:
    """Another policy file, which opens a project, and has an admin."""
    text = f'[admins]\nusers = ["U0ADMIN"]\n[defaults]\njira_projects = ["SHOP"]\n{toml}\n'
    (world.folder / "purser.toml").write_text(text, encoding="utf-8")


def told(world: World) -> list[str]:
    """What the admin has heard, each in a direct message."""
    return [words_of(message) for message in world.slack.by_app("@ruth")]


async def test_the_next_call_uses_the_rotated_key(world: World) -> None:
    """Once Claude knows another key alone, the bot answers with it, without a restart."""
    await asked(world)
    world.claude.api_key = world.set["ANTHROPIC_API_KEY"] = "sk-ant-rotated"
    lines = await reread(world)

    assert "42" in await asked(world)
    assert lines[0]["taken"] == ["ANTHROPIC_API_KEY"]
    assert "sk-ant-rotated" not in str(lines)


async def test_a_key_that_nobody_knows_is_told_at_once(world: World) -> None:
    """A rotation that went wrong is examined when it was taken, and admins hear of it without anybody asking."""
    world.set["ANTHROPIC_API_KEY"] = "sk-ant-unknown"
    await reread(world)
    await world.until(lambda: any("does not accept the key" in text for text in told(world)))


async def test_every_stranger_is_asked_with_its_own_new_key(world: World) -> None:
    """Slack, Jira and GitHub know new tokens alone, and each of them is asked with its own."""
    world.slack.api._bot_token = world.set["SLACK_BOT_TOKEN"] = "xoxb-rotated"
    world.jira.token = world.set["JIRA_API_TOKEN"] = "rotated-jira"
    world.github.token = world.set["GITHUB_TOKEN"] = "rotated-github"
    world.set["SLACK_APP_TOKEN"] = "xapp-rotated"
    lines = await reread(world)
    root = await world.slack.say("ana", "#shop-dev", "@purser What is SHOP-12 about?")

    assert "SHOP-12" in await world.answered(root)
    assert {*lines[0]["taken"]} == {*world.set}
    assert lines[0]["at_the_next_start"] == []


async def test_http_is_signed_with_the_rotated_secret(tmp_path: Path) -> None:
    """What the old secret has signed is refused once there is a new one, and the new one's is taken."""
    async with World(tmp_path, http=True) as world:
        await world.start()
        world.set["SLACK_SIGNING_SECRET"] = "rotated-secret"
        await reread(world)
        with capture_logs() as lines:
            await world.slack.say("ana", "#shop-dev", "@purser What is 6*7?")
            await world.until(lambda: any(line.get("reason") == "unsigned" for line in lines))
        world.slack.signing_secret, world.slack._door = "rotated-secret", None

        assert "42" in await asked(world)


async def test_what_cannot_be_taken_up_is_named(world: World) -> None:
    """Addresses, and secrets of what was not set up at the start, wait for the next one, and the log says so."""
    world.set |= {"ANTHROPIC_ADMIN_KEY": "sk-ant-admin-new", "LOG_LEVEL": "DEBUG"}
    write(world, '[workspace]\ntimezone = "Asia/Tokyo"')
    settings, policy = await reread(world)

    assert settings["at_the_next_start"] == ["ANTHROPIC_ADMIN_KEY", "LOG_LEVEL"]
    assert settings["taken"] == []
    assert policy["at_the_next_start"] == ["workspace.timezone"]


async def test_a_secret_for_another_address_is_not_shown_to_the_old_one(world: World) -> None:
    """Who changes Jira's address and its token together has both at the next start."""
    world.set |= {"JIRA_URL": "https://new.example", "JIRA_API_TOKEN": "for-the-new-one"}
    settings, *_ = await reread(world)
    await asked(world)

    assert settings["at_the_next_start"] == ["JIRA_URL", "JIRA_API_TOKEN"]
    assert "for-the-new-one" not in str(list(world.jira.log))


async def test_a_changed_policy_holds_from_the_next_ask_on(world: World) -> None:
    """Who may ask is changed in the file, and holds at once; what an admin set in Slack still wins over it."""
    await world.slack.command("ruth", "#shop-dev", "/purser", "budget 80")
    await world.idle()
    write(world, "monthly_budget_usd = 7\n[channels.C0PAYMENTS]\nallow_users = ['U0BEN']")
    await reread(world)
    root = await world.slack.say("ana", "#payments", "@purser What is 6*7?")
    await world.ended(root)
    await world.slack.command("ruth", "#shop-dev", "/purser", "policy")
    await world.idle()

    assert "only people named by an admin" in world.words(root)
    shown = words_of(world.slack.ephemerals("#shop-dev", "ruth")[-1])
    assert "80" in shown


async def test_a_broken_policy_is_refused_whole_and_admins_are_told_once(world: World) -> None:
    """With one wrong key none of the file is taken; admins hear why, once, and who may ask is as before."""
    write(world, "allow_users = ['U0BEN']\nmodell = 1")
    await reread(world, until=REFUSED)
    await reread(world, until=REFUSED)

    assert "42" in await asked(world)
    await world.idle()
    (said,) = [text for text in told(world) if "read my settings anew" in text]
    assert "modell is not known; did you mean model?" in said
    assert "What held before still holds" in said


async def test_a_file_that_is_gone_is_no_wish_for_the_defaults(tmp_path: Path) -> None:
    """Between the removal of a file and its next version the old one holds."""
    async with World(tmp_path, tables='[channels.C0PAYMENTS]\nallow_users = ["U0BEN"]') as world:
        await world.start()
        (tmp_path / "purser.toml").unlink()
        await reread(world, until=REFUSED)
        root = await world.slack.say("ana", "#payments", "@purser What is 6*7?")
        await world.ended(root)

        assert "only people named by an admin" in world.words(root)


async def test_a_broken_environment_keeps_every_old_secret_and_takes_the_policy(
    world: World,
) -> None:
    """One malformed token, and no secret is taken; a good policy file is taken all the same."""
    world.set |= {"SLACK_BOT_TOKEN": "hunter2", "ANTHROPIC_API_KEY": "sk-ant-unknown"}
    write(world, "[channels.C0PAYMENTS]\nallow_users = ['U0BEN']")
    lines = await reread(world, until=REFUSED)

    assert [line["event"] for line in lines] == [READ, REFUSED]
    assert "42" in await asked(world)
    await world.idle()
    (said,) = [text for text in told(world) if "read my settings anew" in text]
    assert "SLACK_BOT_TOKEN: should begin with xoxb-" in said
    assert "hunter2" not in said + str(lines)


async def test_calls_on_their_way_end_with_the_old_key(world: World) -> None:
    """An answer that streams while the key is rotated comes whole, and is paid once."""
    world.claude.tokens_per_second = 60.0
    root = await world.slack.say("ana", "#shop-dev", "@purser What is 6*7?")
    await world.until(lambda: world.asked)
    world.claude.api_key = world.set["ANTHROPIC_API_KEY"] = "sk-ant-rotated"
    await reread(world)
    under_way = [ask["state"] for ask in world.asks()]

    assert under_way == ["leased"]
    assert "42" in await world.answered(root)
    assert len(world.booked()) == 1


async def test_a_terminal_that_is_closed_ends_what_it_began(tmp_path: Path) -> None:
    """SIGHUP of a terminal that is gone stops the bot as SIGTERM does: nobody is left behind who holds the database."""
    async with World(tmp_path) as world:
        master, slave = os.openpty()
        bot = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "serve", "--port", "0"),
            env={**world.environ(), "PYTHONPATH": str(ROOT)},
            cwd=tmp_path,
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)
        try:
            said = b""
            while b'"ready"' not in said:
                said += await asyncio.to_thread(os.read, master, 65_536)
            os.close(master)
            bot.send_signal(signal.SIGHUP)

            # 120 is Python's: nobody can read the last words any more.
            assert await asyncio.wait_for(bot.wait(), PROCESS_SECONDS) in {0, 120}
        finally:
            if bot.returncode is None:
                bot.kill()
                await bot.wait()


async def test_a_process_hears_sighup(tmp_path: Path) -> None:
    """`kill -HUP` lets `purser serve` read the files of its secrets anew."""
    async with World(tmp_path) as world:
        key = tmp_path / "key"
        key.write_text(world.claude.api_key)
        world.set |= {"ANTHROPIC_API_KEY": "", "ANTHROPIC_API_KEY_FILE": str(key)}
        await world.spawn()
        world.claude.api_key = "sk-ant-rotated"
        key.write_text("sk-ant-rotated\n")
        os.kill(world.pid, signal.SIGHUP)
        await world.until(lambda: any(line["event"] == READ for line in world.log))

        assert "42" in await asked(world)
        assert await world.terminate() == 0


async def test_a_process_that_starts_is_not_ended_by_sighup(tmp_path: Path) -> None:
    """`kill -HUP` before it listens to that is no end: what is to be read anew it reads anyway."""
    async with World(tmp_path) as world:
        key = tmp_path / "key"
        os.mkfifo(key)
        world.set |= {"ANTHROPIC_API_KEY": "", "ANTHROPIC_API_KEY_FILE": str(key)}
        spawning = asyncio.create_task(world.spawn())
        with await asyncio.to_thread(key.open, "w") as asked_for:  # by now it reads its settings
            os.kill(world.pid, signal.SIGHUP)
            asked_for.write(world.claude.api_key)
        await spawning

        assert "42" in await asked(world)
