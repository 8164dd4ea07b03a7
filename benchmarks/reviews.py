"""What a large review costs us beside Claude: a diff read, ordered, numbered, split into passes, and findings checked.

The diff is made up: fifty files, five thousand lines, a third of them unchanged; every pass gives forty findings.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.targets import Target
from bot.diffs import PASSES, Fitted, fit
from bot.findings import Found, Given, checked, merged, parsed
from bot.redaction import Redactor
from bot.rules import Rules

LINES = 5_000
FILES = 50
FINDINGS = 40  # of a pass
CPU_MS = 150.0
STALL_MS = 50.0
BEAT_SECONDS = 0.001  # between two looks at whether the loop is held up


@dataclass(frozen=True, slots=True)
class Study:
    """What was measured: seconds, for each round."""

    cpu: Sequence[float]
    stalls: Sequence[float]
    parts: int
    kept: int


def made(lines: int = LINES, files: int = FILES) -> str:
    """A diff of so many lines."""
    pieces: list[str] = []
    each = lines // files
    for n in range(files):
        path = f"src/package_{n % 7}/module_{n}.py"
        rows = [
            f" kept_{k} = compute({k})" if k % 3 == 0 else f"+result_{k} = call(value_{k}, {n})"
            for k in range(each)
        ]
        old = sum(row[0] == " " for row in rows)
        head = f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n"
        pieces.append(f"{head}@@ -1,{old} +1,{each} @@\n" + "\n".join(rows) + "\n")
    return "".join(pieces)


def given(fitted: Fitted, part: int) -> str:
    """What a pass would give for its part: findings whose quotation is there."""
    rows = [row for row in fitted.parts[part].split("\n") if row.startswith("+")]
    path = fitted.held[part][0].path
    found = [
        {
            "severity": "Major",
            "path": path,
            "line": int(row[1:6]),
            "quote": row[8:],
            "sentence": "It fails.",
            "detail": "",
        }
        for row in rows[:FINDINGS]
    ]
    return json.dumps({"findings": found, "questions": []})


def split(diff: str) -> Fitted:
    """The diff made fit for passes, its secrets hidden."""
    return fit(diff, mask=Redactor(Rules().redact).line, parts=PASSES)


def check(part: str, response: str) -> Found:
    """What of a response holds."""
    found = parsed(response)
    assert found is not None
    messages = [{"role": "user", "content": [{"type": "text", "text": part}]}]
    return checked(found, Given.of(messages))


async def study(rounds: int) -> Study:
    """Measure so many rounds; as in the bot, the diff is read in a thread and the rest on the loop."""
    diff = made()
    responses = [given(split(diff), n) for n in range(len(split(diff).parts))]
    cpu: list[float] = []
    stalls: list[float] = []
    parts = kept = 0
    for _ in range(rounds):
        late: list[float] = []
        watch = asyncio.create_task(_beats(late))
        began = time.process_time()
        fitted = await asyncio.to_thread(split, diff)
        found: list[Found] = []
        for text, response in zip(fitted.parts, responses, strict=True):
            found.append(check(text, response))
            await asyncio.sleep(0)
        kept = len(merged(found).findings)
        cpu.append(time.process_time() - began)
        watch.cancel()
        stalls.append(max(late, default=0.0))
        parts = len(fitted.parts)
    return Study(cpu, stalls, parts, kept)


async def _beats(late: list[float]) -> None:
    """How late the loop is for each beat."""
    while True:
        before = time.monotonic()
        await asyncio.sleep(BEAT_SECONDS)
        late.append(time.monotonic() - before - BEAT_SECONDS)


def table(seen: Study) -> str:
    """What was measured."""
    rounds = f"{len(seen.cpu)} times"
    return f"A diff of {LINES:,} lines in {FILES} files, {rounds}: {seen.parts} passes; medians."


def judged(seen: Study) -> list[Target]:
    """The targets, in the order in which they are told."""
    return [
        Target("CPU to read, split and check a review, ms", median(seen.cpu) * 1000, CPU_MS),
        Target("longest stall of the loop meanwhile, ms", median(seen.stalls) * 1000, STALL_MS),
    ]
