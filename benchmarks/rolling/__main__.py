"""Updates from the last release and rolls back, under load, prints what each version did, and lists whatever was wrong; then it exits 1."""

import asyncio
import logging
import os
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

import click

from benchmarks.database import database
from benchmarks.released import RELEASES, Release
from benchmarks.rolling.update import Scale, Seen, Update
from benchmarks.told import machine, say

USUAL = Scale()


@click.command()
@click.option("--processes", default=USUAL.processes, help="Of each version.")
@click.option("--every", default=USUAL.every, help="Seconds between two asks, on average.")
@click.option("--seconds", default=USUAL.seconds, help="For which each stretch lasts at least.")
@click.option("--both", default=USUAL.both, help="And the one in which both versions serve.")
@click.option("--seed", default=1, help="Of all chance.")
@click.option("--keep", type=click.Path(path_type=Path), help="Where the logs stay.")
def main(
    *, processes: int, every: float, seconds: float, both: float, seed: int, keep: Path | None
) -> None:
    """Run the last release and this one side by side while people ask, there and back, and look what is wrong then."""
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # whoever it answers may be gone
    scale = Scale(processes=processes, every=every, seconds=seconds, both=both)
    print(machine(), flush=True)
    release = RELEASES[-1]
    with tempfile.TemporaryDirectory(prefix="purser-rolling-", ignore_cleanup_errors=True) as name:
        folder = (keep or Path(name)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        seen = asyncio.run(updated(folder, release, scale, random.Random(seed)))
    print(table(release.version, seen))
    print(f"\nload at the end {', '.join(f'{n:.1f}' for n in os.getloadavg())}")
    if seen.wrong:
        print("\n".join(["", *(f"ask {one.n}: {one.what}" for one in seen.wrong)]))
        sys.exit(1)


async def updated(folder: Path, release: Release, scale: Scale, rng: random.Random) -> Seen:
    """Update once, on a server of its own."""
    async with database(schema=False) as server:
        update = Update(folder, server.url, release, scale=scale, rng=rng, say=say)
        async with update.standing():
            return await update.run()


def table(version: str, seen: Seen) -> str:
    """What was seen, but for what was wrong."""
    lines = [
        f"| who serves | seconds | answers of {version} | of ours |",
        "| --- | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {one.name} | {one.seconds:.0f} | {one.answers[version]} | {one.answers['ours']} |"
        for one in seen.stretches
    ]
    kinds = ", ".join(f"{n} {kind}" for kind, n in Counter(a.kind for a in seen.asked).items())
    rows = f"{seen.rows['settled']} rows settled, {seen.rows['unconfirmed']} unconfirmed"
    lines += [
        "",
        f"The migration, while {version} served: {seen.migrated.rpartition(': ')[2]}",
        f"{len(seen.asked)} asks ({kinds}), {seen.pressed} of their messages decided by a press, {len(seen.wrong)} wrong.",
        f"{rows} ({seen.safe} of them for nothing served); {seen.late} leases found lost.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
