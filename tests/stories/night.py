"""A Purser in the night before a digest: its clocks, ours, Slack's and Claude's, stand where a story wants them."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Self, TypeVar

from bot.demo import actor
from bot.demo.claude import ClaudeStandIn
from bot.demo.claude.batches import Batch
from bot.demo.claude.record import Exchange
from bot.demo.clock import Clock
from bot.demo.slack import SlackStandIn
from bot.demo.terminal import words_of
from tests.stories.replicas import OnPostgres
from tests.stories.world import LOG, PROCESS_SECONDS, Row, World

T = TypeVar("T")

HOUR = 3600.0
PATIENCE = 60.0  # seconds for whatever a night waits for: a lease may have to run out first
CHANNEL = "#shop-dev"
NIGHTLY = "project SHOP nightly at 7:00"
MORNING = (datetime.now(UTC) + timedelta(days=2)).replace(hour=7, minute=0, second=0, microsecond=0)


class Night(World):
    """A world whose clocks, ours, Slack's and Claude's, stand some hours before the first digest is due.

    Its batches take an hour.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.clock = Clock(folder / "clock")
        slack, claude = SlackStandIn(now=self.clock), ClaudeStandIn(now=self.clock)
        claude.batches.seconds = HOUR
        super().__init__(folder, slack=slack, claude=claude)

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.at(-11)
        return self

    @property
    def ahead(self) -> float:
        """Seconds that its clocks are ahead of ours."""
        return self.clock.ahead

    @ahead.setter
    def ahead(self, seconds: float) -> None:
        self.clock.move(seconds - self.clock.ahead)

    async def until(self, seen: Callable[[], T | None], seconds: float = PATIENCE) -> T:
        """See `World.until`."""
        return await super().until(seen, seconds)

    async def spawn(self, *, warm: bool = True) -> Self:
        """Run the bot as a process that goes by the same clock, and wait until it takes asks."""
        lines = len(self.log)
        told = (self.environ(), self.folder, self.folder / "clock")
        self._process = process = get_context("forkserver").Process(target=_serve, args=told)
        process.start()
        ready = await self.until(lambda: self._ready(lines), PROCESS_SECONDS)
        await self._taken(int(ready["port"]), warm=warm)
        return self

    async def falls(self, at: Callable[[Exchange], bool]) -> None:
        """Let a power cut end the process when Claude has done its part of an exchange, and has said nothing of it yet."""
        pid, fallen = self.pid, asyncio.Event()

        def cut(exchange: Exchange) -> None:
            if exchange.state == "done" and at(exchange):
                os.kill(pid, signal.SIGKILL)
                fallen.set()

        unlisten = self.claude.listen(cut)
        try:
            async with asyncio.timeout(PATIENCE):
                await fallen.wait()
        finally:
            unlisten()
        await self.kill()

    def at(self, hours: float) -> None:
        """Let it be so many hours after the first digest is due."""
        self.ahead = (MORNING + timedelta(hours=hours)).timestamp() - time.time()

    async def wanted(self, words: str = NIGHTLY) -> Row:
        """Set a digest up, as Ana; the bot is stopped afterwards."""
        await self.start()
        await self.slack.command("ana", CHANNEL, "/summarize", words)
        await self.idle()
        await self.stop()
        (row,) = self.rows("SELECT * FROM digests")
        return row

    async def made(self, hours: float = -2.5) -> Batch:
        """Start the bot in the night, and wait until its batch is made and written down."""
        self.at(hours)
        await self.start()
        await self.until(
            lambda: self.rows("SELECT 1 FROM requests WHERE message_id LIKE 'msgbatch%'")
        )
        await self.until(
            lambda: self.digest["state"] == "waiting" and self.digest["not_before"] > 0
        )
        return self.claude.batches.all[-1]

    async def ended_at(self, hours: float) -> Row:
        """Let it be so late, and wait until the digest has its end."""
        self.at(hours)
        return await self.until(lambda: self.digest if self.digest["state"] == "done" else None)

    @property
    def digest(self) -> Row:
        """The newest ask that is a digest."""
        return self.rows("SELECT * FROM asks WHERE key LIKE 'digest:%' ORDER BY at DESC")[0]

    @property
    def posted(self) -> list[str]:
        """What the bot said in the channel."""
        return [words_of(message) for message in self.slack.by_app(CHANNEL)]

    @property
    def reserved(self) -> list[Row]:
        """Money that is held back for requests."""
        return self.rows("SELECT * FROM reservations")


class Shared(OnPostgres, Night):
    """The same on PostgreSQL, where others may serve beside it.

    Args:
        folder: of its own.
        url: of the database.
        beside: another one, whose stand-ins and clock it shares.
    """

    def __init__(self, folder: Path, url: str, beside: "Shared | None" = None) -> None:
        self._url, self._beside = url, beside
        super().__init__(folder)
        if beside is not None:
            self.share(beside)
            self.clock = beside.clock

    async def __aenter__(self) -> Self:
        if self._beside is None:
            return await super().__aenter__()
        self.write_policy()
        return self


def _serve(environ: Mapping[str, str], folder: Path, clock: Path) -> None:
    """The bot as the demo runs it, in a process forked from one that has imported all of it already."""
    os.chdir(folder)
    os.dup2(os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), 2)
    actor.play(environ, clock)
