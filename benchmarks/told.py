"""What every benchmark prints: the machine, what was measured, and how that stands to its targets."""

import os
import sqlite3
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version

from benchmarks.targets import Target


def machine() -> str:
    """The machine, what else it does, and the versions that matter."""
    names = ("anthropic", "slack_bolt", "slack_sdk", "aiohttp")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    load = os.getloadavg()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, load {load:.1f} before the start\n"
        f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}, {versions}\n"
    )


def say(words: str) -> None:
    """Tell what is going on to whoever watches; it is not part of what is printed."""
    print(f"… {words}", file=sys.stderr, flush=True)


def folder() -> "tempfile.TemporaryDirectory[str]":
    """A folder for a run, gone with it."""
    return tempfile.TemporaryDirectory(prefix="purser-bench-", ignore_cleanup_errors=True)


def told(measured: str, targets: list[Target], began: float) -> list[Target]:
    """Print what was measured and how it stands to the targets, which are given back.

    Args:
        measured: a table.
        targets: in their order.
        began: when, by the monotonic clock.
    """
    print(f"{measured}\n\n| target | measured | limit | |\n| --- | --- | --- | --- |")
    for target in targets:
        relation = "≥" if target.at_least else "≤"
        verdict = "ok" if target.ok else "NOT MET"
        digits = 2 if 0 < target.limit < 2 else 1  # of times more than something else
        value, limit = (f"{n:.{digits}f}" for n in (target.value, target.limit))
        print(f"| {target.name} | {value} | {relation} {limit} | {verdict} |")
    load = ", ".join(f"{n:.1f}" for n in os.getloadavg())
    print(f"\n{time.monotonic() - began:.0f} s; load at the end {load}")
    return targets
