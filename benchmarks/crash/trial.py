"""One trial: people ask, blows fall, and when all is quiet it is looked what is wrong."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.apps import POLICY, environment
from benchmarks.crash import found
from benchmarks.crash.blows import PAUSE, Blow
from benchmarks.crash.found import Wrong
from benchmarks.crash.people import Asked, ask
from benchmarks.crash.places import Place, books, place
from benchmarks.crash.replicas import Replica
from benchmarks.town import CALL_SECONDS, Town
from bot.demo.claude import UNLIMITED, ClaudeStandIn
from bot.demo.jira import JiraStandIn
from bot.demo.slack import SlackStandIn

START_SECONDS = 60.0  # until all processes are connected
SPEAKING_SECONDS = 2.0  # for which a kill or a pause waits, so that it hits something
LOOK_SECONDS = 0.5  # between looks whether all is answered
FIRST_WORD_SECONDS = 0.2
TOKENS_A_SECOND = 120.0  # so an answer takes some seconds, and blows fall into it
SOON = (0.0, 10.0, 20.0, 40.0, 60.0)  # sooner than in life and more often, as blows are denser
LOSABLE = (
    "chat.postMessage",
    "chat.update",
    "chat.startStream",
    "chat.appendStream",
    "chat.stopStream",
    "agents.sessions.setStatus",
)
ADMIN = "U0ADMIN"
OPEN = f'{POLICY}jira_projects = ["PAY"]\n[admins]\nusers = ["{ADMIN}"]\n'

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Scale:
    """How hard.

    Attributes:
        asks: how many, and `seconds` in which they are asked and blows fall.
        away: seconds for which the database is away once.
        retries: seconds before each of Slack's redeliveries.
        end: seconds after which whatever has no answer is lost.
        quiet: seconds afterwards, in which a second answer would come.
        pause: seconds for which a process stands still once.
    """

    asks: int = 300
    seconds: float = 90.0
    away: float = 10.0
    end: float = 150.0
    quiet: float = 3.0
    pause: float = PAUSE
    retries: tuple[float, ...] = SOON


@dataclass(slots=True)
class Seen:
    """What a trial showed.

    Attributes:
        blows: how many of each kind fell.
        late: leases that a process found lost.
        fell: exit codes of processes that ended by themselves.
        rows: of the books, by status.
        safe: of those, booked although nothing was served.
        seconds: from the first ask until all was answered.
    """

    asks: int
    blows: Counter[str] = field(default_factory=Counter[str])
    late: int = 0
    fell: list[int] = field(default_factory=list[int])
    rows: Counter[str] = field(default_factory=Counter[str])
    safe: int = 0
    seconds: float = 0.0
    wrong: list[Wrong] = field(default_factory=list[Wrong])


class Trial:
    """What a trial is made of.

    Args:
        folder: where everything lies; it exists.
        where: the database.
        replicas: processes on it.
        scale: how hard.
        blows: what befalls them, in its order.
        rng: who asks what and when, and which of Slack's answers are lost.
    """

    def __init__(
        self,
        folder: Path,
        where: Place,
        *,
        replicas: int,
        scale: Scale,
        blows: Sequence[Blow],
        rng: random.Random,
    ) -> None:
        self._where, self._scale, self._blows, self._rng = where, scale, blows, rng
        self._folder = folder
        self._count = replicas
        self.slack = SlackStandIn(limits=False, retry_delays=scale.retries)
        self.slack.troubles.latency = CALL_SECONDS
        self.claude = ClaudeStandIn(
            ttft=FIRST_WORD_SECONDS, tokens_per_second=TOKENS_A_SECOND, tier=UNLIMITED
        )
        self.jira = JiraStandIn()
        self.replicas: list[Replica] = []
        self._falling: set[asyncio.Task[None]] = set()
        self.seen = Seen(scale.asks)

    @asynccontextmanager
    async def standing(self) -> AsyncGenerator[None]:
        """All stand-ins and processes, while inside."""
        async with AsyncExitStack() as stack:
            for stand_in in (self.slack, self.claude, self.jira):
                await stand_in.start()
                stack.push_async_callback(stand_in.stop)
            for n in range(self._count):
                self.replicas.append(self._replica(self._folder / f"replica-{n + 1}"))
                self.replicas[-1].start()
            stack.push_async_callback(self._stop)
            await self.slack.wait_for(
                lambda: self.slack.sockets.count >= self._count, START_SECONDS
            )
            yield

    def _replica(self, folder: Path) -> Replica:
        folder.mkdir()
        (folder / "purser.toml").write_text(OPEN, encoding="utf-8")
        environ = environment(self.slack, self.claude.url, folder)
        jira = {
            "JIRA_URL": self.jira.url,
            "JIRA_EMAIL": self.jira.email,
            "JIRA_API_TOKEN": self.jira.token,
        }
        return Replica(folder, {**environ, **jira, "DATABASE_URL": self._where.url})

    async def run(self) -> Seen:
        """Let them ask, let the blows fall, wait for the end, and look."""
        clock = asyncio.get_running_loop().time
        began, scale, seen = clock(), self._scale, self.seen
        falling = asyncio.create_task(self._fall(began))
        asked = await ask(Town(self.slack), self._rng, asks=scale.asks, seconds=scale.seconds)
        await falling
        await asyncio.gather(*self._falling)
        await self._answered(asked)
        seen.seconds = clock() - began
        await asyncio.sleep(scale.quiet)
        await self._stop()
        seen.wrong += self._wrong(asked)
        return seen

    async def _fall(self, began: float) -> None:
        clock = asyncio.get_running_loop().time
        for blow in self._blows:
            await asyncio.sleep(max(0.0, began + blow.at - clock()))
            task = asyncio.create_task(self._strike(blow))
            self._falling.add(task)

    async def _strike(self, blow: Blow) -> None:
        replica, fell = self.replicas[blow.replica], True
        match blow.kind:
            case "kill":
                await self._speaking()
                fell = replica.kill()
            case "pause":
                await self._speaking()
                if fell := replica.pause():
                    await asyncio.sleep(self._scale.pause)
                    replica.wake()
            case "cut":
                fell = bool(self.slack.sockets.cut())
            case "lost":
                self.slack.troubles.lost[self._rng.choice(LOSABLE)] = 1
            case "restart":
                fell = await self._where.restart()
            case "away":
                await self._where.away(self._scale.away)
        self.seen.blows[blow.kind] += fell

    async def _speaking(self) -> None:
        """Wait for a moment at which Claude speaks, if there is one soon."""
        with suppress(TimeoutError):
            await self.claude.wait_for(
                lambda: any(e.message_id and e.state == "open" for e in self.claude.log),
                SPEAKING_SECONDS,
            )

    async def _answered(self, asked: Sequence[Asked]) -> None:
        """Wait until every ask has its answer, or time is up."""
        try:
            async with asyncio.timeout(self._scale.end):
                while self._in_threads(asked):  # noqa: ASYNC110 - a look is at hundreds of threads
                    await asyncio.sleep(LOOK_SECONDS)
                await self.slack.settled(self._scale.end)
        except TimeoutError:
            return  # what is missing is found

    def _in_threads(self, asked: Sequence[Asked]) -> list[Wrong]:
        return found.in_threads(asked, self.slack.by_app, self.claude.log)

    async def _stop(self) -> None:
        replicas, self.replicas = self.replicas, []
        for replica, went in zip(
            replicas, await asyncio.gather(*(one.stop() for one in replicas)), strict=True
        ):
            self.seen.fell += replica.fell
            self.seen.late += sum(
                _event(line) == "lease lost" for line in replica.log().splitlines()
            )
            if not went:
                self.seen.wrong.append(Wrong(0, "a process did not end when told to"))

    def _wrong(self, asked: Sequence[Asked]) -> list[Wrong]:
        kept = books(self._where.rows)
        exchanges = [e for e in self.claude.log if e.path == "/v1/messages"]
        unbooked, self.seen.safe = found.in_books(asked, exchanges, kept)
        self.seen.rows.update(row["status"] for row in kept.ledger)
        told = self.slack.by_app(self.slack.world.direct(ADMIN).id)
        return [*self._in_threads(asked), *unbooked, *found.twice(told)]


def _event(line: str) -> str:
    return str(json.loads(line).get("event", "")) if line.startswith("{") else ""


async def tried(
    folder: Path,
    *,
    postgres: bool,
    replicas: int,
    scale: Scale,
    blows: Sequence[Blow],
    rng: random.Random,
) -> Seen:
    """Run one trial.

    Args:
        folder: where everything lies; it exists.
        postgres: whether on PostgreSQL, or on a file.
        replicas: see `Trial`, as for the others.
        scale: how hard.
        blows: what befalls them.
        rng: chance.
    """
    async with place(folder, postgres=postgres) as where:
        trial = Trial(folder, where, replicas=replicas, scale=scale, blows=blows, rng=rng)
        async with trial.standing():
            return await trial.run()
