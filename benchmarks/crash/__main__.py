"""Runs the trials, prints their table, and lists whatever was found wrong; then it exits 1."""

import asyncio
import logging
import os
import random
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import click

from benchmarks.crash.blows import planned
from benchmarks.crash.trial import SOON, Scale, Seen, tried
from benchmarks.told import say
from bot.demo.slack.events import RETRY_DELAYS

USUAL = Scale()
HEAD = """\
| | asks | answered after | kills | pauses | cuts | lost replies | restarts, absences | leases lost | ended by themselves | settled | unconfirmed (nothing served) | wrong |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"""


@click.command()
@click.option("--file/--no-file", default=True, help="One process on SQLite.")
@click.option("--replicas", default="2,4", help="Processes on one PostgreSQL; '' for none.")
@click.option("--asks", default=USUAL.asks, help="Asks of each trial.")
@click.option("--seconds", default=USUAL.seconds, help="In which they are asked.")
@click.option("--away", default=USUAL.away, help="Seconds without a database; 60 in the full run.")
@click.option("--seed", default=1, help="Of all chance.")
@click.option("--keep", type=click.Path(path_type=Path), help="Where logs and databases stay.")
def main(
    *,
    file: bool,
    replicas: str,
    asks: int,
    seconds: float,
    away: float,
    seed: int,
    keep: Path | None,
) -> None:
    """Kill, pause and cut off Purser's processes and their database while people ask, and look what is wrong then."""
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # whoever it answers may be gone
    retries = RETRY_DELAYS if away >= RETRY_DELAYS[1] else SOON
    end = sum(retries) + 2 * away + 60.0
    scale = Scale(asks=asks, seconds=seconds, away=away, end=end, retries=retries)
    counts = [("SQLite", 1)] * file
    counts += [("PostgreSQL", int(n)) for n in replicas.split(",") if n]
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before the start, seed {seed}\n"
    )
    print(HEAD, flush=True)
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="purser-crash-", ignore_cleanup_errors=True) as name:
        for engine, n in counts:
            folder = (keep or Path(name)) / f"{engine.lower()}-{n}"
            folder.mkdir(parents=True)
            blows = planned(seed, seconds=seconds, replicas=n)
            trial = tried(
                folder,
                postgres=engine == "PostgreSQL",
                replicas=n,
                scale=scale,
                blows=blows,
                rng=random.Random(f"people {seed}"),
            )
            seen = asyncio.run(trial)
            print(row(f"{engine}, {n} process{'es' if n > 1 else ''}", seen), flush=True)
            for found in seen.wrong:
                say(f"ask {found.n}: {found.what}")
            wrong += [f"{engine} {n}, seed {seed}, ask {w.n}: {w.what}" for w in seen.wrong]
    print(f"\nload at the end {', '.join(f'{n:.1f}' for n in os.getloadavg())}")
    if wrong:
        print("\n".join(["", *wrong]))
        sys.exit(1)


def row(name: str, seen: Seen) -> str:
    """One trial's line of the table."""
    blows, codes = seen.blows, Counter(seen.fell)
    fell = ", ".join(f"{n} with {code}" for code, n in codes.items()) or "0"
    cells = (
        name,
        seen.asks,
        f"{seen.seconds:.0f} s",
        blows["kill"],
        blows["pause"],
        blows["cut"],
        blows["lost"],
        f"{blows['restart']}, {blows['away']}",
        seen.late,
        fell,
        seen.rows["settled"],
        f"{seen.rows['unconfirmed']} ({seen.safe})",
        len(seen.wrong),
    )
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    main()
