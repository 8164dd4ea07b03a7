"""A whole Purser for a story: every stand-in on loopback, the real bot in this process or in one of its own.

The bot differs from one in a real workspace by its settings alone. What is known of it is what anyone could know: the
workspace, the wire, the account that Claude bills, the database file, `/metrics`, and its log.
"""

import asyncio
import json
import os
import signal
import sqlite3
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, closing
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Self, TypeVar

import aiohttp

from bot.app import Reread, serve
from bot.app.timing import REAL, Timing
from bot.demo.claude import ClaudeStandIn
from bot.demo.claude.brain import Brain
from bot.demo.claude.filters import rewording
from bot.demo.claude.record import Exchange
from bot.demo.claude.reply import Draft
from bot.demo.github import GitHubStandIn
from bot.demo.jira import JiraStandIn
from bot.demo.slack import Message, SlackStandIn
from bot.demo.terminal import has_feedback, under, words_of
from bot.demo.web import WebStandIn
from bot.policy import Policy
from bot.rules import load
from bot.settings import Settings
from tests import forks

T = TypeVar("T")
Row = dict[str, Any]

SECONDS = 20.0  # for whatever a story waits for; nothing takes so long unless it is broken
PROCESS_SECONDS = 30.0  # for a process to be ready, or to end
LOG = "log.jsonl"
ENDED = ("done", "dead")


class World:
    """The stand-ins, and the bot among them.

    Args:
        folder: where database, policy and log lie.
        policy: lines of TOML for `[defaults]`.
        tables: more TOML, such as `[channels.C0RANDOM]` with its keys.
        slack: another Slack than a plain one.
        claude: another Claude.
        http: Slack speaks to us over signed HTTP instead of Socket Mode.
        drain: seconds that running asks get at the end.
        host: where it listens.
        sockets_apart: seconds between the two connections of Socket Mode; a minute in life, so there is but one.
        swift: what turns wait for passes by `later`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        policy: str = "",
        tables: str = "",
        slack: SlackStandIn | None = None,
        claude: ClaudeStandIn | None = None,
        jira: JiraStandIn | None = None,
        http: bool = False,
        drain: float = 5.0,
        host: str = "127.0.0.1",
        sockets_apart: float = 60.0,
        swift: bool = False,
    ) -> None:
        self.folder = folder
        self.slack = slack or SlackStandIn()
        self.claude = claude or ClaudeStandIn()
        self.jira = jira or JiraStandIn()
        self.github = GitHubStandIn()
        self.web = WebStandIn(slow_seconds=None)
        self.port = 0
        self._policy, self._tables = policy, tables
        self._http, self._drain, self._apart = http, drain, sockets_apart
        self._host = host
        self.set: dict[str, str] = {}  # in the environment, over what else is
        self.again = asyncio.Event()  # asks the bot in this process to read it anew
        self.ahead = 0.0  # seconds that the clock of the bot in this process is ahead of ours
        self._timing = Timing(clock=self._clock, sleep=self._sleep) if swift else REAL
        self.later = 0.0  # seconds that the clock by which a swift one's turns wait is ahead
        self._warm = 0
        self._stack = AsyncExitStack()
        self._stopping = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None
        self._process: ForkServerProcess | None = None
        self._file: sqlite3.Connection | None = None  # kept: to read a schema is dearer than rows

    async def __aenter__(self) -> Self:
        for stand_in in (self.slack, self.claude, self.jira, self.github, self.web):
            await stand_in.start()
            self._stack.push_async_callback(stand_in.stop)
        (self.folder / "purser.toml").write_text(self._toml(), encoding="utf-8")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        if self._process is not None:
            await self.kill()
        self._let_go()
        await self._stack.aclose()

    def _toml(self) -> str:
        lines = [
            "[admins]",
            'users = ["U0ADMIN"]',
            "[defaults]",
            f'web_private_origins = ["{self.web.url.rstrip("/")}"]',
            self._policy,
        ]
        named = tomllib.loads(self._policy)
        if "jira_projects" not in named:
            lines.append('jira_projects = ["SHOP", "PAY"]')
        return "\n".join([*lines, self._tables, ""])

    def environ(self) -> dict[str, str]:
        """The bot's settings."""
        slack = {
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_SIGNING_SECRET": self.slack.signing_secret,
            "SLACK_API_URL": self.slack.api_url,
        }
        if not self._http:
            slack["SLACK_APP_TOKEN"] = self.slack.app_token
        return slack | {
            "ANTHROPIC_API_KEY": self.claude.api_key,
            "ANTHROPIC_BASE_URL": self.claude.url,
            "JIRA_URL": self.jira.url,
            "JIRA_EMAIL": self.jira.email,
            "JIRA_API_TOKEN": self.jira.token,
            "GITHUB_API_URL": self.github.url,
            "GITHUB_TOKEN": self.github.token,
            "DATABASE_URL": f"sqlite:///{self.folder / 'purser.db'}",
            "PURSER_POLICY": str(self.folder / "purser.toml"),
            "LOG_FORMAT": "json",
            **self.set,
        }

    # The bot in this process

    async def start(self, *, warm: bool = True) -> Self:
        """Serve, and wait until asks are taken (and Claude's cache is warm)."""
        self._stopping = asyncio.Event()
        ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        settings = Settings.read(self.environ())
        self._serving = asyncio.create_task(
            serve(
                settings,
                Policy(load(settings.purser_policy)),
                host=self._host,
                port=0,
                stopping=self._stopping,
                ready=ready.set_result,
                reread=Reread(self.again, lambda: Settings.examine(self.environ())),
                apart=self._apart,
                drain=self._drain,
                now=lambda: time.time() + self.ahead,
                timing=self._timing,
            )
        )
        await asyncio.wait({self._serving, ready}, return_when=asyncio.FIRST_COMPLETED)
        if self._serving.done():
            await self.served()
        await self._taken(await ready, warm=warm)
        return self

    def _clock(self) -> float:
        return time.monotonic() + self.later

    async def _sleep(self, seconds: float) -> None:
        until = self._clock() + seconds
        await self.until(lambda: self._clock() >= until, seconds + 1.0)

    async def served(self) -> None:
        """Wait until the bot in this process ends by itself, and how it does."""
        serving, self._serving = self._serving, None
        assert serving is not None
        await serving

    async def stop(self) -> None:
        """Tell the bot in this process to stop, and wait until it has."""
        serving, self._serving = self._serving, None
        if serving is not None:
            self._let_go()
            self._stopping.set()
            await serving

    # The bot in a process of its own

    async def spawn(self, *, warm: bool = True) -> Self:
        """Run `purser serve` as a process, and wait until it takes asks."""
        lines = len(self.log)
        self._process = forks.start(
            *("serve", "--port", "0"),
            cwd=self.folder,
            env=self.environ(),
            out=os.devnull,
            err=LOG,
        )
        ready = await self.until(lambda: self._ready(lines), PROCESS_SECONDS)
        await self._taken(int(ready["port"]), warm=warm)
        return self

    async def kill(self) -> None:
        """End the process as a power cut would."""
        await self._end(signal.SIGKILL)

    async def terminate(self) -> int:
        """Ask the process to stop; its exit code."""
        return await self._end(signal.SIGTERM)

    @property
    def pid(self) -> int:
        """Of the bot's process."""
        assert self._process is not None
        assert self._process.pid is not None
        return self._process.pid

    @property
    def log(self) -> list[Row]:
        """What the process has logged."""
        path = self.folder / LOG
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [json.loads(line) for line in lines if line.startswith("{")]

    async def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        assert process is not None
        assert process.pid is not None
        self._let_go()
        os.kill(process.pid, number)
        async with asyncio.timeout(PROCESS_SECONDS):
            return await forks.ended(process)

    def _ready(self, since: int) -> Row | None:
        return next((line for line in self.log[since:] if line.get("event") == "ready"), None)

    async def _taken(self, port: int, *, warm: bool) -> None:
        self.port = port
        if self._http:
            self.slack.events_url = f"http://127.0.0.1:{port}/slack/events"
        if warm:
            self._warm += 2  # the model that answers, and the quick one
            await self.until(lambda: len(self.booked("warm")) >= self._warm)

    # What is seen

    async def until(self, seen: Callable[[], T | None], seconds: float = SECONDS) -> T:
        """What `seen` gives as soon as that is true; whatever it looks at."""
        return await self.slack.wait_for(seen, seconds)

    def rows(self, sql: str, *values: Any) -> list[Row]:
        """Read the bot's database, as `sqlite3` would beside it."""
        if self._file is None:
            path = self.folder / "purser.db"
            if not path.exists():
                return []
            self._file = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        with closing(self._file.execute(sql, values)) as cursor:
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def _let_go(self) -> None:
        """Leave the database's file to the bot that ends, and to what others make of it then."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def damage(self, sql: str) -> None:
        """Change the bot's database behind its back."""
        with closing(sqlite3.connect(self.folder / "purser.db")) as db, db:
            db.execute(sql)

    def asks(self) -> list[Row]:
        """Every ask ever committed, the oldest first."""
        return self.rows("SELECT * FROM asks ORDER BY at, id")

    def ask_of(self, message: Message) -> Row | None:
        """The ask that a message is."""
        found = self.rows(
            "SELECT * FROM asks WHERE channel = ? AND ts = ?", message.channel, message.ts
        )
        return found[0] if found else None

    async def ended(self, message: Message, seconds: float = SECONDS) -> Row:
        """The ask that a message is, once it has its end."""

        def end() -> Row | None:
            ask = self.ask_of(message)
            return ask if ask is not None and ask["state"] in ENDED else None

        return await self.until(end, seconds)

    async def idle(self, seconds: float = SECONDS) -> None:
        """Wait until every delivery is acknowledged and every ask has its end."""

        def idle() -> bool:
            return not self.slack.events.open and all(a["state"] in ENDED for a in self.asks())

        await self.until(idle, seconds)

    def said(self, root: Message) -> list[Message]:
        """What the bot said in a message's thread."""
        return self.slack.by_app(root.channel, root.thread_ts or root.ts)

    def words(self, root: Message) -> str:
        """The words of the one message that the bot said in a thread."""
        (only,) = self.said(root)
        return words_of(only)

    def notes(self, root: Message) -> list[str]:
        """The small lines under that one message."""
        (only,) = self.said(root)
        return under(only)

    async def answered(self, root: Message, seconds: float = SECONDS) -> str:
        """The words of the one answer to a message, once its ask has ended and it stands whole."""
        ask = await self.ended(root, seconds)
        assert (ask["state"], ask["outcome"]) == ("done", "answer"), ask
        (only,) = self.said(root)
        assert has_feedback(only)
        assert only.streaming != "in_progress"
        return words_of(only)

    # Claude, and the books

    def script(self, *drafts: Draft) -> None:
        """Let Claude say these, one after the other, the last one again and again."""
        self.claude.brain = _Script(drafts)

    @property
    def asked(self) -> list[Exchange]:
        """The requests for words, in their order; those that only warm the cache are left out."""
        found = [e for e in self.claude.log if e.path == "/v1/messages" and e.body is not None]
        return [e for e in found if e.body["max_tokens"] > 0]

    def booked(self, purpose: str = "answer") -> list[Row]:
        """The rows of the ledger for a purpose, in their order."""
        return [row for row in self.books() if row["purpose"] == purpose]

    def books(self) -> list[Row]:
        """The ledger, in its order."""
        return self.rows("SELECT * FROM ledger ORDER BY at, entry_id")

    async def status(self, path: str, *, port: int | None = None) -> int:
        """The HTTP status of one of our own paths; by default where health is told."""
        address = f"http://127.0.0.1:{port or self.port}{path}"
        async with aiohttp.ClientSession() as session, session.get(address) as answer:
            return answer.status

    async def metric(self, name: str) -> float:
        """A counter's value at `/metrics`; 0 where it does not stand."""
        return sum(await self.metrics(name + " "))

    async def metrics(self, beginning: str) -> list[float]:
        """The values at `/metrics` of all that is called so at the beginning."""
        address = f"http://127.0.0.1:{self.port}/metrics"
        async with aiohttp.ClientSession() as session, session.get(address) as answer:
            text = await answer.text()
        return [float(t.rsplit(" ", 1)[1]) for t in text.splitlines() if t.startswith(beginning)]

    async def dropped(self, reason: str) -> float:
        """How often something was dropped or refused for a reason."""
        return await self.metric(f'purser_dropped_total{{reason="{reason}"}}')


class _Script(Brain):
    """A mind that says what it was told to."""

    def __init__(self, drafts: Sequence[Draft]) -> None:
        super().__init__()
        self._drafts = list(drafts)

    def answer(self, body: Mapping[str, Any]) -> Draft:
        """The next draft; a rewording is done as ever."""
        if rewording(body):
            return super().answer(body)
        return self._drafts.pop(0) if len(self._drafts) > 1 else self._drafts[0]
