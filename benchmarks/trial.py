"""What is tried: a full house, a race in turns with the bare app, and everything delivered twice."""

import gc
import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.apps import PURSER, App, bare, cpu_of, running
from benchmarks.claude import claude
from benchmarks.town import Round, Town, town
from bot.demo.claude import UNLIMITED, ClaudeStandIn
from bot.demo.slack.methods import EVENTS

FSYNCS = 200  # before each round
PAGE = b"\0" * 4096  # what is written before each of them
WARM_UP = 100  # asks that are not counted: every person and every connection is known afterwards
WARM_UP_AT_A_TIME = 20
QUIET_SECONDS = 2.0  # in which a second answer would have come

Say = Callable[[str], None]
"""Hears what is going on."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is done: asks in a round and at a time, rounds, asks in a full house and how long Claude holds them."""

    asks: int = 400
    at_a_time: int = 50
    rounds: int = 3
    twice: int = 200
    crowd: int = 500
    hold_seconds: float = 15.0


FULL = Scale()
QUICK = Scale(asks=100, twice=50, hold_seconds=10.0)


@dataclass(frozen=True, slots=True)
class Crowd:
    """A full house: the most asks that were at Claude at one moment, and the most memory that was ever held."""

    asks: int
    in_flight: int
    megabytes: float
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Leg:
    """One round of one app, and the processor seconds it took."""

    round: Round
    cpu: float


@dataclass(frozen=True, slots=True)
class Race:
    """All rounds, the disk's fsyncs between them (seconds), and the stand-ins' processor seconds."""

    bare: list[Leg] = field(default_factory=list[Leg])
    purser: list[Leg] = field(default_factory=list[Leg])
    fsyncs: list[float] = field(default_factory=list[float])
    stand_ins: list[float] = field(default_factory=list[float])


async def crowd(folder: Path, scale: Scale) -> Crowd:
    """Ask more at once than is usual, while Claude answers nobody yet; and keep what a request of ours looks like."""
    stand_in = ClaudeStandIn(tier=UNLIMITED, keep_bodies=False)
    await stand_in.start()
    at_claude: set[str] = set()
    most, bodies = [0], list[Mapping[str, Any]]()

    def seen(exchange: Any) -> None:
        if exchange.body and exchange.body["max_tokens"] and not bodies:
            bodies.append(exchange.body)
        (at_claude.discard if exchange.ended else at_claude.add)(exchange.request_id)
        most[0] = max(most[0], len(at_claude))

    stand_in.listen(seen)
    async with (
        town() as place,
        running(PURSER, slack=place.slack, claude_url=stand_in.url, folder=folder) as app,
    ):
        await place.round(1, 1)
        await stand_in.wait_for(lambda: not at_claude)
        most[0], stand_in.ttft = 0, scale.hold_seconds
        await place.round(scale.crowd, scale.crowd)
        megabytes = app.most_megabytes()
    await stand_in.stop()
    body = {name: value for name, value in bodies[0].items() if name != "stream"}
    return Crowd(scale.crowd, most[0], megabytes, body)


async def race(folder: Path, body: Mapping[str, Any], scale: Scale, say: Say) -> tuple[Race, Round]:
    """Both apps in turns, then Purser with everything delivered twice, by two events each.

    Args:
        folder: where databases and logs lie.
        body: of a request to Claude, for the bare app.
        scale: how much.
        say: hears of each round.

    Returns:
        The rounds, and that of deliveries made twice.
    """
    async with AsyncExitStack() as stack:
        url, claude_pid = await stack.enter_async_context(claude())
        path = folder / "body.json"
        path.write_text(json.dumps(body), encoding="utf-8")
        apps: dict[str, tuple[Town, App]] = {}
        for name, command in (("bare", bare(path)), ("purser", PURSER)):
            (folder / name).mkdir()
            place = await stack.enter_async_context(town())
            app = await stack.enter_async_context(
                running(command, slack=place.slack, claude_url=url, folder=folder / name)
            )
            await warmed_up(place, scale.asks)
            apps[name] = place, app
        done = Race()
        for number in range(scale.rounds):
            for name, legs in (("bare", done.bare), ("purser", done.purser)):
                say(f"round {number + 1}, {name}")
                done.fsyncs.extend(fsyncs(folder))
                legs.append(await _leg(*apps[name], scale, done.stand_ins, claude_pid))
        say("everything twice")
        slack = apps["purser"][0].slack
        slack.events.subscribed.update(EVENTS, {"message.channels"})
        slack.troubles.twice = True
        twice = await apps["purser"][0].round(scale.twice, scale.at_a_time, rest=QUIET_SECONDS)
        return done, twice


async def warmed_up(place: Town, asks: int) -> None:
    """Ask what is not counted, before rounds of so many."""
    await place.round(min(WARM_UP, asks), WARM_UP_AT_A_TIME)


async def _leg(place: Town, app: App, scale: Scale, stand_ins: list[float], claude_pid: int) -> Leg:
    gc.collect()
    gc.disable()  # a pause here would be taken for the app's
    before = app.cpu()
    ours = cpu_of(os.getpid()) + cpu_of(claude_pid)
    try:
        found = await place.round(scale.asks, scale.at_a_time)
    finally:
        gc.enable()
    stand_ins.append(cpu_of(os.getpid()) + cpu_of(claude_pid) - ours)
    return Leg(found, app.cpu() - before)


def fsyncs(folder: Path, count: int = FSYNCS) -> list[float]:
    """How long the disk takes to make a page durable, so many times, in seconds."""
    path, took = folder / "fsync", list[float]()
    with path.open("wb", buffering=0) as file:
        for _ in range(count):
            began = time.perf_counter()
            file.write(PAGE)
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    path.unlink()
    return took
