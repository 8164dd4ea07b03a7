"""One rolling update: the last release's processes, then both versions', then ours, then the last release's again."""

import asyncio
import io
import json
import random
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from benchmarks.apps import POLICY, environment
from benchmarks.crash.found import Wrong, in_books, in_threads, twice
from benchmarks.crash.people import DEAR, QUESTION_OF, Asked
from benchmarks.crash.places import books, rows
from benchmarks.released import Release
from benchmarks.rolling.fleet import Fleet, Ship, Version, until
from benchmarks.rolling.found import in_jira, waiting
from benchmarks.rolling.people import ask, move_in, press
from benchmarks.town import CALL_SECONDS, Town
from bot.bookkeeping import Bookkeeping
from bot.demo.claude import UNLIMITED, ClaudeStandIn, Trouble
from bot.demo.jira import JiraStandIn
from bot.demo.jira.seed import company
from bot.demo.slack import Message, SlackStandIn
from bot.trail import prove

OURS = Version("ours", {"PYTHONPATH": str(Path(__file__).parent.parent.parent)})
STRETCH_SECONDS = 90.0  # within which all who serve have answered enough
BOT = "557058:purser"  # its account at Jira
ADMIN = "U0ADMIN"
OPEN = f"""{POLICY}jira_projects = ["PAY"]
[channels.{DEAR}]
confirm_above_usd = 0.0001
[admins]
users = ["{ADMIN}"]
"""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much.

    Attributes:
        processes: of each version.
        every: seconds between two asks, on average.
        seconds: that a stretch lasts at least, and `both` the one in which both versions serve.
        answers: that each process gives in a stretch at least.
        first_word: seconds until Claude says something; then it says `tokens` a second.
        slow: and one review, before either version is drained, only so many, so that it has to be handed over; 0 for none.
        retries: seconds before each of Slack's redeliveries.
        end: seconds after which whatever has no answer is lost.
        quiet: seconds afterwards, in which a second answer would come.
    """

    processes: int = 2
    every: float = 0.5
    seconds: float = 10.0
    both: float = 60.0
    answers: int = 3
    first_word: float = 0.2
    tokens: float = 120.0
    slow: float = 1.5
    retries: tuple[float, ...] = (0.0, 5.0, 10.0, 20.0, 40.0)
    end: float = 120.0
    quiet: float = 3.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the time, from the end of the one before, and how many asks each version answered in it."""

    name: str
    seconds: float
    answers: Counter[str]


@dataclass(slots=True)
class Seen:
    """What an update showed.

    Attributes:
        migrated: what the migration said that it did.
        stretches: in their order.
        asked: all that was.
        pressed: how many messages were decided by a press.
        late: leases that a process found lost.
        rows: of the books, by status.
        safe: of those, booked although nothing was served.
        wrong: whatever was.
    """

    migrated: str = ""
    stretches: list[Stretch] = field(default_factory=list[Stretch])
    asked: list[Asked] = field(default_factory=list[Asked])
    pressed: int = 0
    late: int = 0
    rows: Counter[str] = field(default_factory=Counter[str])
    safe: int = 0
    wrong: list[Wrong] = field(default_factory=list[Wrong])


class Update:
    """What it is made of.

    Args:
        folder: where everything lies; it exists.
        url: of a PostgreSQL database without a schema.
        release: from which it is updated.
        scale: how much.
        rng: who asks what and when.
        say: told what is going on.
    """

    def __init__(
        self,
        folder: Path,
        url: str,
        release: Release,
        *,
        scale: Scale,
        rng: random.Random,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._folder, self._url = folder, url
        self._scale, self._rng, self._say = scale, rng, say
        self._released = Version(release.version, release.unpack(folder / "released"))
        self.slack = SlackStandIn(limits=False, retry_delays=scale.retries)
        self.slack.troubles.latency = CALL_SECONDS
        self.claude = ClaudeStandIn(
            ttft=scale.first_word, tokens_per_second=scale.tokens, tier=UNLIMITED
        )
        self.jira = JiraStandIn(world=company(time.time()))
        self._pressed: dict[str, Message] = {}
        self._marked = 0.0
        self.seen = Seen()

    @asynccontextmanager
    async def standing(self) -> AsyncGenerator[None]:
        """All stand-ins, and whatever process was started, while inside."""
        async with AsyncExitStack() as stack:
            for stand_in in (self.slack, self.claude, self.jira):
                await stand_in.start()
                stack.push_async_callback(stand_in.stop)
            (self._folder / "purser.toml").write_text(OPEN, encoding="utf-8")
            self.fleet = Fleet(self._folder, self._environ())
            stack.push_async_callback(self.fleet.stop)
            yield

    def _environ(self) -> dict[str, str]:
        jira = {
            "JIRA_URL": self.jira.url,
            "JIRA_EMAIL": self.jira.email,
            "JIRA_API_TOKEN": self.jira.token,
        }
        files = environment(self.slack, self.claude.url, self._folder)
        return {**files, **jira, "DATABASE_URL": self._url}

    async def run(self) -> Seen:
        """Update and roll back while people ask, wait for the end, and look.

        Raises:
            ChildProcessError: a version did not migrate or start.
            TimeoutError: one that served answered nothing.
        """
        seen, town, over = self.seen, Town(self.slack), asyncio.Event()
        move_in(town, ADMIN)
        await self.fleet.migrate(self._released)
        old = await self.fleet.start(self._released, self._scale.processes)
        self._marked = self.slack.now()
        asking = asyncio.create_task(ask(town, self._rng, every=self._scale.every, over=over))
        pressing = asyncio.create_task(press(self.slack, ADMIN, self._pressed, self.fleet.parked))
        try:
            await self._there_and_back(old)
            over.set()
            seen.asked = await asking
            await self._answered()
            self._mark("the rest of it")
        finally:
            for task in (asking, pressing):
                task.cancel()
            await asyncio.wait({asking, pressing})
        seen.wrong += await self.fleet.stop()
        seen.late = sum(len(ship.logged("lease lost")) for ship in self.fleet.ships)
        seen.pressed = len(self._pressed)
        seen.wrong += [*self._wrong(), *await proved(SecretStr(self._url))]
        return seen

    async def _there_and_back(self, old: Sequence[Ship]) -> None:
        fleet, scale, released, wrong = self.fleet, self._scale, self._released, self.seen.wrong
        await self._stretch(f"{released.name} alone", old)
        self.seen.migrated = await fleet.migrate(OURS)
        await self._stretch(f"{released.name}, the schema is ours", old, slow=True)
        new = await fleet.start(OURS, scale.processes)
        await self._stretch("both", [*old, *new], scale.both)
        wrong += await fleet.stop(old)
        self._mark(f"{released.name} is drained")
        await self._stretch("ours alone", new, slow=True)
        await fleet.migrate(released)  # as what deploys it does, though there is nothing to do
        again = await fleet.start(released, scale.processes)
        wrong += await fleet.stop(new)
        self._mark(f"{released.name} again, ours is drained")
        await self._stretch(f"{released.name} alone again", again)

    async def _stretch(
        self, name: str, serving: Sequence[Ship], seconds: float = 0.0, *, slow: bool = False
    ) -> None:
        """Let some time pass, and until each of those who serve has answered enough (and somebody waits for a review)."""
        before = {id(ship): ship.answers for ship in serving}
        self._say(name)
        if slow and self._scale.slow:
            self._slow_review()

        def enough() -> bool:
            answers = (ship.answers - before[id(ship)] for ship in serving)
            return not self.claude.troubles.waiting and min(answers) >= self._scale.answers

        await asyncio.sleep(seconds or self._scale.seconds)
        await until(enough, STRETCH_SECONDS)
        self._mark(name)

    def _slow_review(self) -> None:
        """Let Claude take minutes for the next review."""

        def fits(body: Mapping[str, Any]) -> bool:
            said = json.dumps(body["messages"])
            return "review this" in said[max(0, said.rfind(QUESTION_OF)) :]

        self.claude.troubles.add(Trouble(tokens_per_second=self._scale.slow, fits=fits))

    def _mark(self, name: str) -> None:
        """Write down what was answered since the last mark, by whom."""
        now, answers = self.slack.now(), self.fleet.answers()
        seconds, self._marked = now - self._marked, now
        before = sum((one.answers for one in self.seen.stretches), Counter[str]())
        self.seen.stretches.append(Stretch(name, seconds, answers - before))

    async def _answered(self) -> None:
        """Wait until every ask has its answer, or time is up, and a while for what should not come."""
        with suppress(TimeoutError):  # what is missing is found
            await until(lambda: not self._open(), self._scale.end)
            await self.slack.settled(self._scale.end)
        await asyncio.sleep(self._scale.quiet)

    def _open(self) -> list[Wrong]:
        """What the threads and tickets lack."""
        places, asked = self._pressed, self.seen.asked

        def thread(channel: str, root: str) -> list[Message]:
            return [one for one in self.slack.by_app(channel, root) if one.ts not in places]

        issues = self.jira.world.issues.values()
        said = [json.dumps(c.body) for i in issues for c in i.comments if c.author == BOT]
        answers = in_threads(asked, thread, self.claude.log)
        return [*answers, *in_jira(asked, said), *waiting(places.values())]

    def _wrong(self) -> list[Wrong]:
        kept = books(lambda sql: rows(self._url, sql))
        exchanges = [e for e in self.claude.log if e.path == "/v1/messages"]
        unbooked, self.seen.safe = in_books(self.seen.asked, exchanges, kept)
        self.seen.rows.update(row["status"] for row in kept.ledger)
        told = self.slack.by_app(self.slack.world.direct(ADMIN).id)
        return [*self._open(), *unbooked, *twice(told)]


async def proved(url: SecretStr) -> list[Wrong]:
    """What `purser ledger check` and `purser audit verify` say, if anything is wrong."""
    out = io.StringIO()
    books = Bookkeeping(url, out, zone=UTC, now=time.time)
    failed = [await books.check(), await prove(url, out, head=None)]
    return [Wrong(0, out.getvalue())] if any(failed) else []
