"""People who ask, at moments of chance, each thing with its number."""

import asyncio
import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.town import CHANNELS, PEOPLE, QUESTION, Town

Kind = Literal["sum", "review", "ticket", "again", "dear", "write"]

KINDS: Mapping[Kind, int] = {"sum": 3, "review": 4, "ticket": 2, "again": 2}
WORDS: Mapping[Kind, str] = {
    "sum": "@purser What is {n}*7? (ask {n})",
    "review": QUESTION.replace("number {n}:", "(ask {n})"),
    "ticket": "@purser what is the state of PAY-7? (ask {n})",
    "again": "@purser And what is {n}*7? (ask {n})",
    "dear": "@purser What is {n}*7? (ask {n})",
    "write": "@purser comment on PAY-7 that the fix is in review (ask {n})",
}
"""What is asked; "again" goes into a thread in which something was asked before, "dear" into a channel of its own."""

DEAR = "C0BDEAR"  # where the policy may want a word before anything costs
RECENT = 20  # asks in whose threads people go on

NUMBER = re.compile(r"\(ask (\d+)\)")
QUESTION_OF = "<purser:ask"  # before what is to be answered; what others said may stand behind it


@dataclass(frozen=True, slots=True)
class Asked:
    """One ask: its number, its own ts, and the thread it is in."""

    n: int
    kind: Kind
    channel: str
    ts: str
    root: str


async def ask(town: Town, rng: random.Random, *, asks: int, seconds: float) -> list[Asked]:
    """Ask so many things within so many seconds.

    Args:
        town: the workspace.
        rng: who asks what, where and when.
        asks: how many.
        seconds: in which all are asked.
    """
    moments = sorted(rng.uniform(0.0, seconds) for _ in range(asks))
    loop, done = asyncio.get_running_loop(), list[Asked]()
    began = loop.time()
    for n, moment in enumerate(moments, start=1):
        await asyncio.sleep(max(0.0, began + moment - loop.time()))
        done.append(await say(town, rng, n, done))
    return done


async def say(
    town: Town,
    rng: random.Random,
    n: int,
    before: Sequence[Asked],
    kinds: Mapping[Kind, int] = KINDS,
) -> Asked:
    """Ask one thing.

    Args:
        town: the workspace.
        rng: who asks what and where.
        n: its number.
        before: what was asked before it.
        kinds: how often each kind is asked.
    """
    possible: list[Kind] = [*kinds] if before else ["sum"]
    kind = rng.choices(possible, [kinds[one] for one in possible])[0]
    first = rng.choice(before[-RECENT:]) if kind == "again" else None
    channel = first.channel if first else f"C0B{rng.randrange(CHANNELS):03}"
    if kind == "dear":
        channel = DEAR
    person = f"U0P{rng.randrange(PEOPLE):03}"
    said = await town.slack.say(
        person, channel, WORDS[kind].format(n=n), thread_ts=first.root if first else ""
    )
    return Asked(n, kind, channel, said.ts, first.root if first else said.ts)


def number(body: Any) -> int | None:
    """Which ask a request to Claude is for; None where it is nobody's."""
    said = json.dumps(body["messages"]) if body else ""
    named = NUMBER.search(said, max(0, said.rfind(QUESTION_OF)))
    return int(named[1]) if named else None
