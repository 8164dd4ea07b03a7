"""People who ask, at moments of chance, each thing with its number."""

import asyncio
import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.town import CHANNELS, PEOPLE, QUESTION, Town

Kind = Literal["sum", "review", "ticket", "again"]

KINDS: Mapping[Kind, int] = {"sum": 3, "review": 4, "ticket": 2, "again": 2}
WORDS: Mapping[Kind, str] = {
    "sum": "@purser What is {n}*7? (ask {n})",
    "review": QUESTION.replace("number {n}:", "(ask {n})"),
    "ticket": "@purser what is the state of PAY-7? (ask {n})",
    "again": "@purser And what is {n}*7? (ask {n})",
}
"""What is asked; "again" goes into a thread in which something was asked before."""

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
        kinds: list[Kind] = [*KINDS] if done else ["sum"]
        kind = rng.choices(kinds, [KINDS[one] for one in kinds])[0]
        before = rng.choice(done[-20:]) if kind == "again" else None
        channel = before.channel if before else f"C0B{rng.randrange(CHANNELS):03}"
        person = f"U0P{rng.randrange(PEOPLE):03}"
        await asyncio.sleep(max(0.0, began + moment - loop.time()))
        said = await town.slack.say(
            person, channel, WORDS[kind].format(n=n), thread_ts=before.root if before else ""
        )
        done.append(Asked(n, kind, channel, said.ts, before.root if before else said.ts))
    return done


def number(body: Any) -> int | None:
    """Which ask a request to Claude is for; None where it is nobody's."""
    said = json.dumps(body["messages"]) if body else ""
    named = NUMBER.search(said, max(0, said.rfind(QUESTION_OF)))
    return int(named[1]) if named else None
