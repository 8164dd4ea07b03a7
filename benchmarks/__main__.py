"""Runs everything, prints the table. `--check` exits 1 when a target is missed; without it only a broken run fails."""

import asyncio
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import click

from benchmarks import books, growth, hanging, reviews, words
from benchmarks.cold import woken
from benchmarks.targets import Target, cpu_ms, judged, ms, quantile
from benchmarks.told import folder, machine, say, told
from benchmarks.town import Round
from benchmarks.trial import FULL, QUICK, Leg, Race, Scale, crowd, race

ROWS: Sequence[tuple[str, Callable[[Round], Iterable[float]]]] = (
    ("ack", lambda r: r.acks),
    ("first sign", lambda r: r.signs),
    ("answer with receipt", lambda r: r.ends),
)


@click.command()
@click.argument(
    "story", required=False, type=click.Choice(["books", "growth", "hanging", "reviews"])
)
@click.option("--quick", is_flag=True, help="Fewer asks, under a minute.")
@click.option("--check", is_flag=True, help="Exit 1 when a target is missed.")
def main(*, story: str | None, quick: bool, check: bool) -> None:
    """Measure Purser beside a bare Bolt app that makes the same calls and does nothing else.

    With the word "hanging": Purser beside itself while two hundred asks hang in Jira. With "reviews": what a large
    diff takes to be read, split and checked. With "books": bookings and reports at ten rows and at ten million. With
    "growth": start, idleness, memory, and ever more asks at once, beside the bare app.
    """
    scale = QUICK if quick else FULL
    hangs = hanging.QUICK if quick else hanging.FULL
    stories = {
        None: lambda: _run(scale),
        "books": lambda: _books(books.QUICK if quick else books.MANY),
        "growth": lambda: _growth(growth.QUICK if quick else growth.FULL),
        "hanging": lambda: _hanging(hangs),
        "reviews": lambda: _reviews(5 if quick else 25),
    }
    targets = asyncio.run(stories[story]())
    if check and not all(target.ok for target in targets):
        sys.exit(1)


async def _run(scale: Scale) -> list[Target]:
    print(machine(), flush=True)
    began = time.monotonic()
    with folder() as name:
        place = Path(name)
        say(f"{scale.crowd} asks at once")
        full = await crowd(place, scale)
        raced, twice = await race(place, full.body, scale, say)
        (place / "slow").mkdir()
        slow = await words.speak(place / "slow", full.body, scale, say)
    measured = f"{_comparison(raced, scale)}\n\n{words.table(slow)}"
    return told(measured, [*judged(full, raced, twice), *words.judged(slow)], began)


async def _hanging(scale: hanging.Scale) -> list[Target]:
    print(machine(), flush=True)
    began = time.monotonic()
    with folder() as name:
        seen = await hanging.hang(Path(name), scale, say)
    return told(hanging.table(seen, scale), hanging.judged(seen), began)


async def _growth(scale: growth.Scale) -> list[Target]:
    print(machine(), flush=True)
    began = time.monotonic()
    with folder() as name:
        cold = woken()  # while nothing else is done here
        seen = await growth.grow(Path(name), scale, say)
    return told(f"{growth.table(seen)}\n\n{cold}", growth.judged(seen), began)


async def _reviews(rounds: int) -> list[Target]:
    print(machine(), flush=True)
    began = time.monotonic()
    seen = await reviews.study(rounds)
    return told(reviews.table(seen), reviews.judged(seen), began)


async def _books(rows: int) -> list[Target]:
    print(machine(), flush=True)
    began = time.monotonic()
    with folder() as name:
        seen = await books.measure(Path(name), rows, say)
    return told(books.table(*seen), books.judged(*seen), began)


def _comparison(done: Race, scale: Scale) -> str:
    """Both apps side by side."""
    both = (done.bare, done.purser)
    lines = [
        f"| {scale.rounds} rounds of {scale.asks} asks, {scale.at_a_time} at a time | bare | Purser |",
        "| --- | --- | --- |",
    ]
    for name, values in ROWS:
        for share in (0.5, 0.99):
            cells = " | ".join(f"{ms(values, share, legs):.0f} ms" for legs in both)
            lines.append(f"| {name}, p{share * 100:.0f} | {cells} |")
    lines += [
        f"| CPU for an answered ask | {' | '.join(f'{cpu_ms(legs):.1f} ms' for legs in both)} |",
        f"| asks answered a second | {' | '.join(_rate(legs) for legs in both)} |",
        f"| calls to Slack for an ask | {' | '.join(_calls(legs) for legs in both)} |",
        "",
        _notes(done),
    ]
    return "\n".join(lines)


def _notes(done: Race) -> str:
    asks = sum(leg.round.asks for leg in (*done.bare, *done.purser))
    p50, p99 = (quantile(done.fsyncs, share) * 1000 for share in (0.5, 0.99))
    return (
        f"fsync p50 {p50:.2f} ms, p99 {p99:.2f} ms; on the same cores, not counted, the stand-ins took "
        f"{sum(done.stand_ins) / asks * 1000:.1f} ms of CPU for an ask"
    )


def _rate(legs: Sequence[Leg]) -> str:
    asks, seconds = sum(leg.round.asks for leg in legs), sum(leg.round.seconds for leg in legs)
    return f"{asks / seconds:.0f}"


def _calls(legs: Sequence[Leg]) -> str:
    total = sum(leg.round.calls.total() for leg in legs)
    return f"{total / sum(leg.round.asks for leg in legs):.1f}"


if __name__ == "__main__":
    main()
