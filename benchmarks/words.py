"""From Claude's first token to the first text in Slack, with answers that come over about two seconds.

Both apps in turns, each in a process of its own. The bare one starts a stream with the first piece it hears, and says
the rest when it ends it. What Slack takes for one call is left out; its limits are off, so streams are to spare.
"""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.apps import PURSER, App, bare, running
from benchmarks.targets import Target, quantile
from benchmarks.town import CALL_SECONDS, Round, Town, town
from benchmarks.trial import Say, Scale, warmed_up
from bot.demo.claude import UNLIMITED, ClaudeStandIn

SOON_MS = 100.0
TOKENS_PER_SECOND = 150.0  # so that an answer takes about two seconds
ASKS = 100  # in a round
AT_A_TIME = 20
SPREAD_SECONDS = 2.0  # over which the first are said, so that they do not all begin in one instant
UNSPARING = {"SLACK_STREAMS": "1000000"}
_NUMBER = re.compile(r"number (\d+):")


@dataclass(frozen=True, slots=True)
class Words:
    """Seconds from Claude's first token to the first text, for each ask of each round, Slack's own time left out."""

    bare: list[Sequence[float]] = field(default_factory=list[Sequence[float]])
    purser: list[Sequence[float]] = field(default_factory=list[Sequence[float]])


async def speak(folder: Path, body: Mapping[str, Any], scale: Scale, say: Say) -> Words:
    """Let both apps answer slowly, in turns.

    Args:
        folder: where databases and logs lie.
        body: of a request to Claude, for the bare app.
        scale: how many rounds; a small one has fewer asks as well.
        say: hears of each round.
    """
    path = folder / "body.json"
    path.write_text(json.dumps(body), encoding="utf-8")
    asks = min(ASKS, scale.asks)
    seen = Words()
    async with AsyncExitStack() as stack:
        apps: dict[str, tuple[Town, ClaudeStandIn, App]] = {}
        for name, command in (("bare", bare(path, streams=True)), ("purser", PURSER)):
            (folder / name).mkdir()
            claude = ClaudeStandIn(tier=UNLIMITED, tokens_per_second=TOKENS_PER_SECOND)
            await claude.start()
            stack.push_async_callback(claude.stop)
            place = await stack.enter_async_context(town())
            app = await stack.enter_async_context(
                running(
                    command,
                    slack=place.slack,
                    claude_url=claude.url,
                    folder=folder / name,
                    more=UNSPARING,
                )
            )
            await warmed_up(place, asks)
            apps[name] = place, claude, app
        for number in range(scale.rounds):
            for name, rounds in (("bare", seen.bare), ("purser", seen.purser)):
                say(f"slow answers, round {number + 1}, {name}")
                place, claude, _ = apps[name]
                found = await place.round(asks, AT_A_TIME, spread=SPREAD_SECONDS)
                rounds.append(waits(found, claude))
    return seen


def waits(found: Round, claude: ClaudeStandIn) -> list[float]:
    """From the first token to the first text, for each ask of a round."""
    spoke = {
        int(said[1]): exchange.spoke
        for exchange in claude.log
        if exchange.spoke and (said := _NUMBER.search(json.dumps(exchange.body)))
    }
    return [one.at + one.text - spoke[one.n] - CALL_SECONDS for one in found.asked]


def _ms(rounds: Sequence[Sequence[float]], share: float) -> float:
    return median(quantile(values, share) for values in rounds) * 1000


def table(seen: Words) -> str:
    """Both apps side by side."""
    both = (seen.bare, seen.purser)
    lines = [
        f"| {len(seen.bare)} rounds of {len(seen.bare[0])} answers of 2 s, {AT_A_TIME} at a time | bare | Purser |",
        "| --- | --- | --- |",
    ]
    for share in (0.5, 0.99):
        cells = " | ".join(f"{_ms(rounds, share):.0f} ms" for rounds in both)
        lines.append(f"| first token to first text, p{share * 100:.0f} | {cells} |")
    return "\n".join(lines)


def judged(seen: Words) -> list[Target]:
    """The target."""
    return [Target("first token to first text p99, ms", _ms(seen.purser, 0.99), SOON_MS)]
