"""The stage: every stand-in up on loopback, the page, and the bot as a process of its own, which can be killed.

The bot is told nothing of the demo; it differs from a real one by its settings and its clock alone. A real
`ANTHROPIC_API_KEY` or a full set of `JIRA_*` in the environment replaces that one stand-in.
"""

import asyncio
import json
import signal
import sys
import tempfile
import webbrowser
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Self, TextIO

from rich.console import Console

from bot.demo import books
from bot.demo.claude import ClaudeStandIn
from bot.demo.clock import Clock, Hands
from bot.demo.github import GitHubStandIn
from bot.demo.inside import Inside, Sources, at_work
from bot.demo.jira import JiraStandIn
from bot.demo.page import STAND_INS, Page, StandIn, suggestions
from bot.demo.slack import SlackStandIn
from bot.demo.slack.methods import SCOPES
from bot.demo.web import WebStandIn
from bot.policy import Policy
from bot.rules import load

READY_SECONDS = 30.0  # for the bot to be ready
STOP_SECONDS = 30.0  # for the bot to stop by itself
BATCH_SECONDS = 25 * 60.0  # that a batch of the stand-in Claude takes, by the demo's clock
INHERITED = ("PATH", "HOME", "LANG", "SSL_CERT_FILE", "HTTPS_PROXY", "VIRTUAL_ENV", "PYTHONPATH")
CONFIRM_ABOVE_USD = (
    "0.15"  # so low that a review by the deep model is asked about, and nothing else is
)
UNASKED = {"im:read", "mpim:read", "reactions:write", "team:read"}  # not in `purser manifest`
REAL_JIRA = ("JIRA_URL", "JIRA_EMAIL", "JIRA_API_TOKEN")


class BotDied(Exception):
    """The bot did not become ready; its last log lines say why."""


class Stage:
    """The stand-ins and the bot's process.

    Args:
        folder: where the database, the policy and the log lie.
        environ: of the person who started the demo.
        tokens_per_second: how fast the stand-in Claude speaks.
        port: of the stand-in Slack, which serves the page; 0 takes a free one.
    """

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str],
        *,
        tokens_per_second: float | None = 120.0,
        port: int = 0,
    ) -> None:
        self.folder = folder
        self._environ = environ
        self.real_claude = bool(environ.get("ANTHROPIC_API_KEY"))
        self.real_jira = all(environ.get(name) for name in REAL_JIRA)
        self.clock = clock = Clock(folder / "clock")
        inside = Inside(self._sources, now=clock)
        self.slack = SlackStandIn(
            now=clock,
            port=port,
            sub_apps={"/inside": inside.app},
            scopes=set(SCOPES) - UNASKED,
        )
        self.claude = ClaudeStandIn(now=clock, tokens_per_second=tokens_per_second)
        self.claude.batches.seconds = BATCH_SECONDS
        self.jira = JiraStandIn(now=clock)
        self.web = WebStandIn(now=clock)
        self.github = GitHubStandIn(now=clock)
        self.hands = Hands(
            clock,
            busy=lambda: asyncio.to_thread(at_work, self._database),
            told=lambda: self.slack.watch.changed("clock"),
        )
        self._made_up = False  # that is, the books of before
        self.process: asyncio.subprocess.Process | None = None
        self.lines: list[Mapping[str, Any]] = []
        self._ready = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for stand_in in (self.claude, self.jira, self.web, self.github):
            await stand_in.start()
            self._stack.push_async_callback(stand_in.stop)
        self._stack.push_async_callback(self.hands.stop)
        tries = suggestions(self.github.url)
        page = Page(self.slack, stand_ins=self._strangers(), tries=tries, hands=self.hands)
        self.slack.mount(page.routes)
        await self.slack.start()
        self._stack.push_async_callback(self.slack.stop)
        self._write_policy()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop_bot()
        await self._stack.aclose()

    @property
    def _database(self) -> Path:
        return self.folder / "purser.db"

    def _strangers(self) -> list[StandIn]:
        """The page's header: which of the strangers are the real ones."""
        real = {"Claude": self.real_claude, "Jira": self.real_jira}
        return [replace(one, is_real=real.get(one.name, False)) for one in STAND_INS]

    def _sources(self) -> Sources:
        """Where the look inside sees everything."""
        policy = Policy(load(self.folder / "purser.toml"))

        def budget(channel: str) -> Decimal:
            whole = policy.workspace if not channel else policy.rules(channel)
            return whole.monthly_budget_usd

        return Sources(
            slack=self.slack,
            claude=None if self.real_claude else self.claude,
            jira=None if self.real_jira else self.jira,
            web=self.web,
            github=self.github,
            database=self._database,
            lines=self.lines,
            budget=budget,
            kill=self.restart_bot,
            ahead=lambda: self.clock.ahead,
        )

    def _write_policy(self) -> None:
        projects = '["*"]' if self.real_jira else '["SHOP", "PAY"]'
        (self.folder / "purser.toml").write_text(
            f'[admins]\nusers = ["{self.slack.world.person("ruth").id}"]\n'
            f"[defaults]\njira_projects = {projects}\n"
            'repos = ["shop/*"]\n'
            f'escalation_channel = "{self.slack.world.channel("#leads").id}"\n'
            f"confirm_above_usd = {CONFIRM_ABOVE_USD}\n"
            f'web_private_origins = ["{self.web.url.rstrip("/")}"]\n',
            encoding="utf-8",
        )

    def settings(self) -> dict[str, str]:
        """The bot's environment."""
        env = {name: self._environ[name] for name in INHERITED if name in self._environ}
        env |= {
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_SIGNING_SECRET": self.slack.signing_secret,
            "SLACK_API_URL": self.slack.api_url,
            "GITHUB_API_URL": self.github.url,
            "GITHUB_TOKEN": self.github.token,
            "DATABASE_URL": f"sqlite:///{self._database}",
            "PURSER_POLICY": str(self.folder / "purser.toml"),
            "LOG_FORMAT": "json",
            "PYTHONUNBUFFERED": "1",
        }
        if self.real_claude:
            env |= {k: v for k, v in self._environ.items() if k.startswith("ANTHROPIC_")}
        else:
            env |= {"ANTHROPIC_API_KEY": self.claude.api_key, "ANTHROPIC_BASE_URL": self.claude.url}
            if not self._made_up:  # else each morning says that no account of Claude's has those
                env |= {"ANTHROPIC_ADMIN_KEY": self.claude.admin.key}
        if self.real_jira:
            env |= {k: v for k, v in self._environ.items() if k.startswith("JIRA_")}
        else:
            env |= {
                "JIRA_URL": self.jira.url,
                "JIRA_EMAIL": self.jira.email,
                "JIRA_API_TOKEN": self.jira.token,
            }
        return env

    async def make_up_books(self) -> None:
        """Put half a year of books into the database before the bot starts, and say in the channel that it is made up."""
        self._made_up = True
        await books.fill(self._database, team=self.slack.team, now=self.clock)
        await self.slack.say("ruth", "#shop-dev", books.TOLD)

    async def start_bot(self) -> None:
        """Start the bot and wait until it says it is ready.

        Raises:
            BotDied: it ended or said nothing for too long.
        """
        self._ready.clear()
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "bot.demo.actor"),
            env=self.settings(),
            cwd=self.folder,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        assert self.process.stdin is not None
        told = {"environ": self.settings(), "clock": str(self.folder / "clock")}
        self.process.stdin.write(json.dumps(told).encode())
        self.process.stdin.close()
        self._reading = asyncio.create_task(self._read(self.process))
        waiting = asyncio.create_task(self._ready.wait())
        ended = asyncio.create_task(self.process.wait())
        await asyncio.wait({waiting, ended}, timeout=READY_SECONDS, return_when="FIRST_COMPLETED")
        waiting.cancel()
        ended.cancel()
        if not self._ready.is_set():
            raise BotDied("\n".join(str(line.get("event", line)) for line in self.lines[-5:]))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        async for raw in process.stderr:
            text = raw.decode(errors="replace").rstrip()
            try:
                line: Mapping[str, Any] = json.loads(text)
            except ValueError:
                line = {"event": text, "level": "error"}
            self.lines.append(self._moved(line))
            if line.get("event") == "ready":
                self._ready.set()

    def _moved(self, line: Mapping[str, Any]) -> Mapping[str, Any]:
        """A log line with its moment by the demo's clock."""
        if not self.clock.ahead or "timestamp" not in line:
            return line
        ahead = timedelta(seconds=self.clock.ahead)
        return {
            **line,
            "timestamp": (datetime.fromisoformat(line["timestamp"]) + ahead).isoformat(),
        }

    async def ledger(self) -> list[dict[str, Any]]:
        """The books, by `purser ledger`, as a person would read them beside the running bot."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "bot", "ledger", "--format", "jsonl"),
            env=self.settings(),
            cwd=self.folder,
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        return [json.loads(line) for line in out.splitlines()]

    async def kill_bot(self) -> None:
        """End the bot as a power cut would."""
        await self._end(signal.SIGKILL)

    async def restart_bot(self) -> None:
        """Kill the bot, and start it again.

        Raises:
            BotDied: it did not come back.
        """
        await self.kill_bot()
        await self.start_bot()

    async def stop_bot(self) -> None:
        """Ask the bot to stop, and wait."""
        await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(number)
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()
        if self._reading is not None:
            await self._reading


async def play(
    environ: Mapping[str, str], *, tour: bool, port: int, browser: bool, out: TextIO
) -> int:
    """Run the demo: the tour to its end, or the page until it is interrupted."""
    console = Console(file=out, highlight=False, width=None if out.isatty() else 100)
    with tempfile.TemporaryDirectory(prefix="purser-demo-") as folder:
        async with Stage(Path(folder), environ, port=port) as stage:
            if not tour and not stage.real_claude:
                await stage.make_up_books()
            await stage.start_bot()
            if tour:
                from bot.demo.tour import Tour

                return await Tour(stage, console).play()
            url = stage.slack.url
            console.print(f"Purser's demo is at {url} (Ctrl-C ends it)")
            if browser:
                await asyncio.to_thread(webbrowser.open, url)
            stopping = asyncio.Event()
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(number, stopping.set)
            await stopping.wait()
    return 0
