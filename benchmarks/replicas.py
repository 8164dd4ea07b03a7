"""What PostgreSQL costs beside a file, and a second process beside one: the same asks, in turns, and all CPU of the bot.

    a file                one `purser serve`
    PostgreSQL, one       one, on a server of its own on this machine
    PostgreSQL, two       two, on another database of that kind; Slack speaks to both in turns
    ..., twice the asks   the same two, each with as many asks as the one alone: what a second one is there for
    bare, one; bare, two  the same of the bare app, which shares nothing: what it costs a machine that work is spread

Claude holds each answer for a second, so that fifty asks are open at a time and the machine is not out of breath: what
is measured then is the way to the disk, not the queue for two cores. The servers' CPU is not counted, though it is
spent on the same cores.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

import click

from benchmarks.apps import PURSER, App, bare, running
from benchmarks.claude import claude
from benchmarks.database import database
from benchmarks.targets import Target, cpu_ms, ms
from benchmarks.told import folder, machine, say, told
from benchmarks.town import Town, town
from benchmarks.trial import Leg, crowd, warmed_up
from benchmarks.trial import Scale as Crowded

FIRST_WORD_SECONDS = 1.0
SPREAD_SECONDS = 1.2  # over which the first ones of a round are asked
ACK_MS = 50.0
POSTGRES_TIMES = 1.5  # of the CPU on a file
TWO_TIMES = 1.1  # of one process's CPU
FILE, ONE, TWO = "a file", "PostgreSQL, one process", "PostgreSQL, two processes"
TWICE = "PostgreSQL, two, twice the asks"
BARE, BARE_TWO = "bare, one process", "bare, two processes"
HOUSES = {FILE: 1, ONE: 1, TWO: 2, TWICE: 2, BARE: 1, BARE_TWO: 2}
"""How many processes each has."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Asks in a round and at a time, and rounds."""

    asks: int = 400
    at_a_time: int = 50
    rounds: int = 3

    def twice(self) -> "Scale":
        """Twice as much at a time."""
        return replace(self, asks=2 * self.asks, at_a_time=2 * self.at_a_time)


@dataclass(frozen=True, slots=True)
class House:
    """A workspace, and the processes that serve it."""

    town: Town
    apps: Sequence[App]
    legs: list[Leg] = field(default_factory=list[Leg])

    async def leg(self, scale: Scale) -> None:
        """One round."""
        before = sum(app.cpu() for app in self.apps)
        found = await self.town.round(scale.asks, scale.at_a_time, spread=SPREAD_SECONDS)
        self.legs.append(Leg(found, sum(app.cpu() for app in self.apps) - before))


async def measure(
    place: Path, scale: Scale, names: Sequence[str] = tuple(HOUSES)
) -> dict[str, House]:
    """All of them, in turns.

    Args:
        place: where databases and logs lie; it exists.
        scale: how much.
        names: of those that are measured.
    """
    async with AsyncExitStack() as stack:
        body = place / "body.json"
        if {BARE, BARE_TWO}.intersection(names):
            (place / "first").mkdir()
            seen = await crowd(place / "first", Crowded(crowd=1, hold_seconds=0.0))
            body.write_text(json.dumps(seen.body), encoding="utf-8")
        url, _ = await stack.enter_async_context(claude(FIRST_WORD_SECONDS))
        houses: dict[str, House] = {}
        for n, name in enumerate(names):
            say(f"{name} starts")
            room = place / str(n)
            room.mkdir()
            house = await stack.enter_async_context(
                _house(
                    room,
                    url,
                    bare(body) if name in {BARE, BARE_TWO} else PURSER,
                    processes=HOUSES[name],
                    postgres=name in {ONE, TWO, TWICE},
                )
            )
            for _ in range(2 * HOUSES[name] - 1):  # so that each process knows nearly everybody
                await warmed_up(house.town, scale.asks)
            houses[name] = house
        for number in range(scale.rounds):
            for name, house in houses.items():
                say(f"round {number + 1}, {name}")
                await house.leg(scale.twice() if name == TWICE else scale)
        return houses


@asynccontextmanager
async def _house(
    room: Path, claude_url: str, command: Sequence[str], *, processes: int, postgres: bool
) -> AsyncGenerator[House]:
    async with AsyncExitStack() as stack:
        more: dict[str, str] = {}
        if postgres:
            server = await stack.enter_async_context(database())
            more["DATABASE_URL"] = server.url
        place, apps = await stack.enter_async_context(town()), list[App]()
        for n in range(processes):
            (room / f"process-{n + 1}").mkdir()
            serving = running(
                command,
                slack=place.slack,
                claude_url=claude_url,
                folder=room / f"process-{n + 1}",
                more=more,
            )
            apps.append(await stack.enter_async_context(serving))
        yield House(place, apps)


def judged(houses: Mapping[str, House]) -> list[Target]:
    """The targets, in the order in which they are told."""
    file, one, two, twice = (houses[name].legs for name in (FILE, ONE, TWO, TWICE))
    rounds = [leg.round for house in houses.values() for leg in house.legs]
    return [
        Target("ack p99 on PostgreSQL, ms", ms(lambda r: r.acks, 0.99, one), ACK_MS),
        Target("CPU for an ask on PostgreSQL, of a file's", _times(one, file), POSTGRES_TIMES),
        Target("CPU for an ask of two processes, of one's", _times(two, one), TWO_TIMES),
        Target("the same with as many asks for each", _times(twice, one), TWO_TIMES),
        Target(
            "asks without exactly one answer",
            sum(n for r in rounds for answers, n in r.answers.items() if answers != 1),
            0,
        ),
    ]


def _times(legs: Sequence[Leg], of: Sequence[Leg]) -> float:
    """The median over the rounds, each compared with that before it: what else the machine does is felt by both."""
    return median(
        (one.cpu / one.round.asks) / (other.cpu / other.round.asks)
        for one, other in zip(legs, of, strict=True)
    )


def table(houses: Mapping[str, House], scale: Scale) -> str:
    """What was measured, before the targets."""
    what = f"{scale.rounds} rounds of {scale.asks} asks, {scale.at_a_time} at a time"
    lines = [
        f"| {what} | {' | '.join(houses)} |",
        f"| --- {'| --- ' * len(houses)}|",
    ]
    for name, values in (
        ("ack", lambda r: r.acks),
        ("first sign", lambda r: r.signs),
        ("answer with receipt", lambda r: r.ends),
    ):
        for share in (0.5, 0.99):
            cells = (f"{ms(values, share, house.legs):.0f} ms" for house in houses.values())
            lines.append(f"| {name}, p{share * 100:.0f} | {' | '.join(cells)} |")
    cells = (f"{cpu_ms(house.legs):.1f} ms" for house in houses.values())
    lines.append(f"| CPU for an answered ask | {' | '.join(cells)} |")
    return "\n".join(lines)


@click.command()
@click.option("--asks", default=400, help="Asks of a round.")
@click.option("--rounds", default=3)
@click.option("--check", is_flag=True, help="Exit 1 when a target is missed.")
def main(*, asks: int, rounds: int, check: bool) -> None:
    """Measure Purser on PostgreSQL beside Purser on a file, and two processes beside one."""
    print(machine(), flush=True)
    began, scale = time.monotonic(), Scale(asks=asks, rounds=rounds)
    with folder() as name:
        houses = asyncio.run(measure(Path(name), scale))
    targets = told(table(houses, scale), judged(houses), began)
    if check and not all(target.ok for target in targets):
        sys.exit(1)


if __name__ == "__main__":
    main()
