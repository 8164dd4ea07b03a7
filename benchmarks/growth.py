"""What Purser grows by: its start, its idleness, asks that wait, open streams, and ever more asks at once.

Beside the bare app, one after the other, each in a process of its own.
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.apps import MEGABYTE, POLICY, PURSER, App, bare, running
from benchmarks.claude import claude
from benchmarks.targets import Target
from benchmarks.town import PEOPLE, Town, town
from benchmarks.trial import Scale as Crowded
from benchmarks.trial import crowd
from bot.demo.claude import UNLIMITED, ClaudeStandIn
from bot.demo.claude.troubles import Trouble

CAPS = "person_in_flight = {}\nchannel_in_flight = 1000\n"
MANY = 100  # asks of one person at once
START_TIMES = 1.5  # of the bare app's
IDLE_TIMES = 1.25
IDLE_SHARE = 0.005  # of a core
STREAM_TIMES = 1.3
WAITING_KB = 30.0
JUDGED = 500  # asks at a time; what more of them take is reported
FLAT = 1.2  # of what an ask costs at fifty at a time
HOLD_SECONDS = 25.0  # in which Claude says nothing more, and memory is read
SETTLED_SECONDS = 2.0  # after which what came in has been worked on

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Scale:
    """Starts of each app, seconds of idleness, open streams, asks waiting behind them, and how many at a time."""

    starts: int = 3
    idle_seconds: float = 10.0
    streams: int = 500
    waiting: int = 500
    at_a_time: Sequence[int] = (1, 50, 200, 500, 2_000)
    asks: int = 400


FULL = Scale()
QUICK = Scale(starts=1, idle_seconds=5.0, streams=200, waiting=200, at_a_time=(1, 50), asks=100)


@dataclass(slots=True)
class Grown:
    """What was measured of one app.

    Attributes:
        starts: seconds from each start to the connection.
        idle_mb: megabytes without an ask.
        idle_share: of a core, without an ask.
        stream_kb: kilobytes for each open stream.
        waiting_kb: kilobytes for each ask that waits behind them.
        cpu_ms: processor time for an ask, by how many there were at a time.
    """

    starts: list[float] = field(default_factory=list[float])
    idle_mb: float = 0.0
    idle_share: float = 0.0
    stream_kb: float = 0.0
    waiting_kb: float = 0.0
    cpu_ms: dict[int, float] = field(default_factory=dict[int, float])


async def grow(folder: Path, scale: Scale, say: Say) -> Mapping[str, Grown]:
    """Measure both apps.

    Args:
        folder: where databases and logs lie.
        scale: how much.
        say: hears of each step.

    Raises:
        ChildProcessError: an app did not start, or an ask had no end.
    """
    (folder / "first").mkdir()
    body = (await crowd(folder / "first", Crowded(crowd=1, hold_seconds=0.0))).body
    path = folder / "body.json"
    path.write_text(json.dumps(body), encoding="utf-8")
    found: dict[str, Grown] = {}
    for name, command in (("bare", bare(path)), ("purser", PURSER)):
        grown = found[name] = Grown()
        for number in range(scale.starts):
            say(f"{name}, start {number + 1}")
            await _started(grown, command, _folder(folder, f"{name}-start-{number}"), scale)
        say(f"{name}, {scale.streams} open streams")
        await _held(grown, command, _folder(folder, f"{name}-held"), scale, waits=name == "purser")
        await _crowded(grown, command, _folder(folder, f"{name}-crowded"), scale, say)
    return found


def _folder(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


@asynccontextmanager
async def _app(
    command: Sequence[str], place: Town, url: str, folder: Path, caps: int = MANY
) -> AsyncGenerator[App]:
    policy = POLICY + CAPS.format(caps)
    async with running(
        command, slack=place.slack, claude_url=url, folder=folder, policy=policy
    ) as app:
        yield app


async def _started(grown: Grown, command: Sequence[str], folder: Path, scale: Scale) -> None:
    """From the process's beginning to its connection to Slack; then some seconds without an ask."""
    async with claude() as (url, _), town() as place:
        began = time.perf_counter()
        async with _app(command, place, url, folder) as app:
            grown.starts.append(time.perf_counter() - began)
            await asyncio.sleep(SETTLED_SECONDS)
            before, began = app.cpu(), time.perf_counter()
            await asyncio.sleep(scale.idle_seconds)
            grown.idle_share = (app.cpu() - before) / (time.perf_counter() - began)
            grown.idle_mb = app.megabytes()


async def _held(
    grown: Grown, command: Sequence[str], folder: Path, scale: Scale, *, waits: bool
) -> None:
    """Claude falls silent in the middle of each answer; behind them, where there is an inbox, as many wait."""
    stand_in = ClaudeStandIn(tier=UNLIMITED, keep_bodies=False)
    await stand_in.start()
    try:
        caps = scale.streams // PEOPLE  # so that whoever asks more has to wait
        async with town() as place, _app(command, place, stand_in.url, folder, caps) as app:
            await place.round(100, 20)
            before = app.megabytes()
            stand_in.troubles.add(Trouble(hang=HOLD_SECONDS), times=scale.streams)
            asked = asyncio.create_task(place.round(scale.streams, scale.streams))
            await asyncio.sleep(HOLD_SECONDS / 2)
            full = app.megabytes()
            grown.stream_kb = (full - before) * MEGABYTE / 1000 / scale.streams
            if waits:
                behind = asyncio.create_task(place.round(scale.waiting, scale.waiting))
                await asyncio.sleep(HOLD_SECONDS / 4)
                grown.waiting_kb = (app.megabytes() - full) * MEGABYTE / 1000 / scale.waiting
                await behind
            await asked
    finally:
        await stand_in.stop()


async def _crowded(
    grown: Grown, command: Sequence[str], folder: Path, scale: Scale, say: Say
) -> None:
    """Processor time for an ask, with ever more at a time."""
    async with (
        claude() as (url, _),
        town() as place,
        _app(command, place, url, folder) as app,
    ):
        await place.round(100, 20)
        for n in scale.at_a_time:
            say(f"{folder.name}, {n} at a time")
            asks = max(n, scale.asks if n > 1 else scale.asks // 8)
            before = app.cpu()
            try:
                await place.round(asks, n)
            except TimeoutError:
                if n <= JUDGED:
                    raise
                say(f"{folder.name}, {n} at a time: not all were answered")
                return
            grown.cpu_ms[n] = (app.cpu() - before) / asks * 1000


def judged(found: Mapping[str, Grown]) -> list[Target]:
    """The targets, in the order in which they are told."""
    plain, ours = found["bare"], found["purser"]
    flat = {n: ms for n, ms in ours.cpu_ms.items() if n <= JUDGED}
    return [
        Target("start to ready, s", median(ours.starts), START_TIMES * median(plain.starts)),
        Target("idle, MB", ours.idle_mb, IDLE_TIMES * plain.idle_mb),
        Target("idle, % of a core", ours.idle_share * 100, IDLE_SHARE * 100),
        Target("memory for an open stream, kB", ours.stream_kb, STREAM_TIMES * plain.stream_kb),
        Target("memory for a waiting ask, kB", ours.waiting_kb, WAITING_KB),
        Target("dearest ask by how many at a time, ms", max(flat.values()), FLAT * flat[50]),
        Target("an ask alone, of the bare app's, beside one of fifty", _alone(ours, plain), FLAT),
    ]


def _alone(ours: Grown, plain: Grown) -> float:
    """How many times the bare app's an ask costs alone, by how many times it costs among fifty."""
    alone, among = (ours.cpu_ms[n] / plain.cpu_ms[n] for n in (1, 50))
    return alone / among


def _cpu(grown: Grown, n: int) -> str:
    return f"{grown.cpu_ms[n]:.1f} ms" if n in grown.cpu_ms else "not all were answered"


def table(found: Mapping[str, Grown]) -> str:
    """Both apps side by side."""
    plain, ours = found["bare"], found["purser"]
    rows = [
        ("start to ready", *(f"{median(one.starts):.2f} s" for one in (plain, ours))),
        ("idle", *(f"{one.idle_mb:.0f} MB" for one in (plain, ours))),
        ("idle, of a core", *(f"{one.idle_share:.2%}" for one in (plain, ours))),
        ("memory for an open stream", *(f"{one.stream_kb:.0f} kB" for one in (plain, ours))),
        ("memory for a waiting ask", "-", f"{ours.waiting_kb:.0f} kB"),
        *(
            (f"CPU for an ask, {n} at a time", _cpu(plain, n), _cpu(ours, n))
            for n in sorted({*plain.cpu_ms, *ours.cpu_ms})
        ),
    ]
    lines = "\n".join(f"| {name} | {left} | {right} |" for name, left, right in rows)
    return f"| | bare | Purser |\n| --- | --- | --- |\n{lines}"
