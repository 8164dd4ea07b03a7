"""A day of twelve hours in ten minutes: ten thousand asks, and what the process holds after each five hundred of them.

Memory, threads and connections are read when everything is answered and it has been quiet until the next five hundred
are due, so that what is at work, or kept open for a moment, does not count. Caches fill with the first thousand; from then on nothing may grow.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks.apps import PURSER, App, running
from benchmarks.claude import claude
from benchmarks.database import database
from benchmarks.targets import Target
from benchmarks.told import folder, machine, say, told
from benchmarks.town import town

DAY_ASKS = 10_000
DAY_SECONDS = 600.0
SLICE = 500  # asks between two readings
AT_A_TIME = 20
# Three to Slack and one to Claude for each ask at a time, the idle ones too; and a few of our own.
CONNECTIONS = 4 * AT_A_TIME + 10
FILLED = 1_000  # asks after which all caches are full
QUIET_SECONDS = 2.0  # before a reading
FLAT = 1.05

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the process holds after so many asks; `wrong` of them had not exactly one answer."""

    asks: int
    megabytes: float
    threads: int
    connections: int
    cpu: float
    wrong: int


async def live(
    place: Path, asks: int, *, seconds: float, postgres: bool, say: Say
) -> list[Reading]:
    """Live through a day.

    Args:
        place: where the database and the log lie; it exists.
        asks: how many.
        seconds: in which they are asked, if the machine can do it.
        postgres: on a server instead of a file.
        say: hears of each reading.
    """
    readings: list[Reading] = []
    async with AsyncExitStack() as stack:
        url, _ = await stack.enter_async_context(claude())
        more: dict[str, str] = {}
        if postgres:
            more["DATABASE_URL"] = (await stack.enter_async_context(database())).url
        here = await stack.enter_async_context(town())
        serving = running(PURSER, slack=here.slack, claude_url=url, folder=place, more=more)
        app = await stack.enter_async_context(serving)
        began, done, wrong = time.monotonic(), 0, 0
        while done < asks:
            part = min(SLICE, asks - done)
            found = await here.round(part, min(AT_A_TIME, part))
            done += part
            wrong += sum(n for answers, n in found.answers.items() if answers != 1)
            left = began + seconds * done / asks - time.monotonic()
            await asyncio.sleep(max(QUIET_SECONDS, left))
            readings.append(_reading(app, done, wrong))
            say(f"{done} asks: {readings[-1].megabytes:.1f} MB")
    return readings


def _reading(app: App, asks: int, wrong: int) -> Reading:
    return Reading(
        asks=asks,
        megabytes=app.megabytes(),
        threads=app.threads(),
        connections=app.connections(),
        cpu=app.cpu(),
        wrong=wrong,
    )


def judged(readings: Sequence[Reading]) -> list[Target]:
    """The targets; before caches are full the first reading stands for the full ones."""
    full = [one for one in readings if one.asks >= FILLED] or readings[:1]
    first, later = full[0], full[1:] or full
    return [
        Target("most memory, MB", max(r.megabytes for r in later), FLAT * first.megabytes),
        Target("threads at the end", later[-1].threads, max(first.threads, 1)),
        Target("most connections", max(r.connections for r in later), CONNECTIONS),
        Target("asks without exactly one answer", readings[-1].wrong, 0),
    ]


def table(readings: Sequence[Reading]) -> str:
    """What was measured, before the targets."""
    lines = [
        "| asks | memory | threads | connections | CPU for an ask |",
        "| ---: | ---: | ---: | ---: | ---: |",
    ]
    before = 0.0, 0
    for r in readings:
        cpu = (r.cpu - before[0]) / (r.asks - before[1]) * 1000
        before = r.cpu, r.asks
        lines.append(
            f"| {r.asks:,} | {r.megabytes:.1f} MB | {r.threads} | {r.connections} | {cpu:.1f} ms |"
        )
    return "\n".join(lines)


@click.command()
@click.option(
    "--asks", default=DAY_ASKS, help="Of the day; it is as much shorter as they are fewer."
)
@click.option("--postgres", is_flag=True, help="On PostgreSQL instead of a file.")
@click.option("--check", is_flag=True, help="Exit 1 when a target is missed.")
def main(*, asks: int, postgres: bool, check: bool) -> None:
    """Let a day go by in ten minutes, and see whether anything grows."""
    print(machine(), flush=True)
    began, seconds = time.monotonic(), DAY_SECONDS * asks / DAY_ASKS
    with folder() as name:
        readings = asyncio.run(live(Path(name), asks, seconds=seconds, postgres=postgres, say=say))
    targets = told(table(readings), judged(readings), began)
    if check and not all(target.ok for target in targets):
        sys.exit(1)


if __name__ == "__main__":
    main()
