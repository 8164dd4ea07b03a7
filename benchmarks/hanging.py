"""Two hundred asks that hang in Jira: what the others feel of it, and whether a thread is left behind.

In turns: a calm round; then so many asks that Jira never answers, and beside them a round without Jira and a few asks
that a healthy part of Jira answers. When all is over, the process has as many threads as it had before.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.apps import POLICY, PURSER, App, running
from benchmarks.claude import claude
from benchmarks.targets import Target, quantile
from benchmarks.town import Round, Town, town
from bot.demo.jira import JiraStandIn
from bot.demo.loopback import Troubles

HANG_SECONDS = 120.0  # far longer than anybody waits
TOLD_SECONDS = 20.0  # within which an ask with Jira is answered, or told why not
TIMES = 1.10  # of the calm p99
GONE_SECONDS = 10.0  # within which threads are gone once nobody waits for them
HANGING = "GET .*/issue/SHOP-"
HEALTHY = "/issue/PAY-7"
ASK_HANGING = "@purser what is the state of SHOP-{n}?"
ASK_HEALTHY = "@purser what is the state of PAY-7? (number {n})"
OPEN = POLICY + 'jira_projects = ["SHOP", "PAY"]\ntool_seconds = {}\n'

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Scale:
    """Asks that hang, asks of a round without Jira and at a time, asks with a healthy Jira, rounds, a tool's seconds."""

    hanging: int = 200
    asks: int = 150
    at_a_time: int = 20
    healthy: int = 40
    rounds: int = 3
    tool_seconds: int = 20


FULL = Scale()
QUICK = Scale(rounds=1)


@dataclass(slots=True)
class Seen:
    """The rounds of each kind, tickets that Jira gave, and threads of the process beyond those it had before."""

    calm: list[Round] = field(default_factory=list[Round])
    beside: list[Round] = field(default_factory=list[Round])
    healthy: list[Round] = field(default_factory=list[Round])
    hanging: list[Round] = field(default_factory=list[Round])
    given: int = 0
    threads_left: int = 0


async def hang(folder: Path, scale: Scale, say: Say) -> Seen:
    """Run all rounds.

    Args:
        folder: where the database and the log lie.
        scale: how much.
        say: hears of each round.

    Raises:
        ChildProcessError: an ask had no end.
        RuntimeError: the machine is too busy to tell anything.
    """
    seen = Seen()
    async with _jira() as jira, claude() as (url, _), town() as place:
        more = {
            "JIRA_URL": jira.url,
            "JIRA_EMAIL": jira.email,
            "JIRA_API_TOKEN": jira.token,
        }
        policy = OPEN.format(scale.tool_seconds)
        async with running(
            PURSER, slack=place.slack, claude_url=url, folder=folder, more=more, policy=policy
        ) as app:
            await place.round(scale.asks, scale.at_a_time)
            await place.round(scale.healthy, scale.at_a_time, question=ASK_HEALTHY)
            threads = app.threads()
            for number in range(scale.rounds):
                say(f"round {number + 1}, calm")
                seen.calm.append(await place.round(scale.asks, scale.at_a_time))
                say(f"round {number + 1}, {scale.hanging} asks hang in Jira")
                await _beside(jira, place, scale, seen)
            seen.given = sum(h.status == 200 and h.path.endswith(HEALTHY) for h in jira.log)
            seen.threads_left = await _left(app, threads)
    return seen


@asynccontextmanager
async def _jira() -> AsyncGenerator[JiraStandIn]:
    jira = JiraStandIn()
    await jira.start()
    try:
        yield jira
    finally:
        await jira.stop()


async def _beside(jira: JiraStandIn, place: Town, scale: Scale, seen: Seen) -> None:
    """A round while all others hang; then the healthy part of Jira; then the end of those that hang."""
    jira.troubles = Troubles(on=HANGING, hang=HANG_SECONDS)
    already = len(jira.log)
    waiting = asyncio.create_task(
        place.round(scale.hanging, scale.hanging, question=ASK_HANGING, rest=0.0)
    )
    await jira.wait_for(lambda: len(jira.log) - already >= scale.hanging, TOLD_SECONDS)
    seen.beside.append(await place.round(scale.asks, scale.at_a_time))
    seen.healthy.append(
        await place.round(scale.healthy, scale.at_a_time, question=ASK_HEALTHY, rest=0.0)
    )
    if waiting.done():
        raise RuntimeError(
            "this machine is too busy: those that hang were told before the others ended"
        )
    seen.hanging.append(await waiting)


async def _left(app: App, threads: int) -> int:
    """Threads beyond those of before, once there was time for them to go."""
    try:
        async with asyncio.timeout(GONE_SECONDS):
            while app.threads() > threads:  # noqa: ASYNC110 - the kernel tells nobody that one ends
                await asyncio.sleep(0.1)
    except TimeoutError:
        return app.threads() - threads
    return 0


def judged(seen: Seen) -> list[Target]:
    """The targets, in the order in which they are told."""
    calm, beside = (_p99(rounds) for rounds in (seen.calm, seen.beside))
    asked = [*seen.calm, *seen.beside, *seen.healthy, *seen.hanging]
    return [
        Target("answer without Jira beside them, p99, ms", beside * 1000, TIMES * calm * 1000),
        Target("longest answer with a healthy Jira, s", _longest(seen.healthy), TOLD_SECONDS),
        Target("threads left", seen.threads_left, 0),
        Target(
            "asks without exactly one answer",
            sum(n for r in asked for answers, n in r.answers.items() if answers != 1),
            0,
        ),
    ]


def table(seen: Seen, scale: Scale) -> str:
    """What was measured, before the targets."""
    rounds = f"{scale.rounds} rounds of {scale.asks} asks without Jira, {scale.at_a_time} at a time"
    lines = [
        f"| {rounds} | calm | while {scale.hanging} hang |",
        "| --- | --- | --- |",
    ]
    for name, values in (
        ("first sign", lambda r: r.signs),
        ("answer with receipt", lambda r: r.ends),
    ):
        for share in (0.5, 0.99):
            cells = (_ms(rounds, values, share) for rounds in (seen.calm, seen.beside))
            lines.append(f"| {name}, p{share * 100:.0f} | {' | '.join(cells)} |")
    lines += [
        "",
        f"Those that hang were told so after {_longest(seen.hanging):.1f} s at the latest.",
    ]
    return "\n".join(lines)


def _p99(rounds: Iterable[Round]) -> float:
    return median(quantile(r.ends, 0.99) for r in rounds)


def _longest(rounds: Iterable[Round]) -> float:
    return max(max(r.ends) for r in rounds)


def _ms(rounds: Iterable[Round], values: Callable[[Round], Iterable[float]], share: float) -> str:
    return f"{median(quantile(values(r), share) for r in rounds) * 1000:.0f} ms"
