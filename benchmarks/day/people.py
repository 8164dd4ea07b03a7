"""Who asks what, when, and how they go on: one working day, seeded."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from bot.ask import Feature

CHANNELS = 12
PEOPLE = 45
ASKS = 400  # about
OPENS, CLOSES = (
    8 * 3600.0,
    18 * 3600.0,
)  # seconds since midnight; who goes on in a thread may do so later
TALKS = 200  # threads that are begun
GAP_AT_MOST = 3600.0  # seconds from an answer to the next ask in its thread

_KINDS: Sequence[Feature] = ("chat", "review", "summarize")
_SHARES = (0.55, 0.27, 0.18)


@dataclass(frozen=True, slots=True)
class Round:
    """A request that ends in tool calls: the characters of each result, and of what Claude thought and said."""

    results: tuple[int, ...]
    thought: int
    said: int


@dataclass(frozen=True, slots=True)
class Ask:
    """One ask. `gap` in seconds since the answer before it in its thread; everything else in characters."""

    feature: Feature
    gap: float
    words: int
    context: int
    change: int
    rounds: tuple[Round, ...]
    thought: int
    answer: int
    deep: bool = False


@dataclass(frozen=True, slots=True)
class Talk:
    """A thread, from its first ask on; `begins` in seconds since midnight."""

    channel: str
    user: str
    begins: float
    asks: tuple[Ask, ...]


def day(seed: int, talks: int = TALKS) -> list[Talk]:
    """A day's threads in the order in which they begin.

    Args:
        seed: the same seed gives the same day.
        talks: how many threads; fewer make a shorter day.
    """
    rng = random.Random(seed)
    channels = [_Channel(f"C{n:02}", rng) for n in range(CHANNELS)]
    weights = [1 / (n + 2) for n in range(CHANNELS)]
    made = [_talk(rng, rng.choices(channels, weights)[0]) for _ in range(talks)]
    return sorted(made, key=lambda talk: talk.begins)


class _Channel:
    """How people are in a channel: how often they go on after a first answer and after a later one, and how often at once."""

    def __init__(self, name: str, rng: random.Random) -> None:
        self.name = name
        self.goes_on = rng.uniform(0.2, 0.45)
        self.goes_further = rng.uniform(0.55, 0.85)
        self.at_once = rng.uniform(0.55, 0.92)


def _talk(rng: random.Random, channel: _Channel) -> Talk:
    kind = rng.choices(_KINDS, _SHARES)[0]
    at_once = min(0.95, max(0.1, channel.at_once + rng.uniform(-0.3, 0.3)))  # a thread's own pace
    asks = [_ask(rng, kind, 0.0)]
    while len(asks) < 12:
        if rng.random() >= (channel.goes_further if len(asks) > 1 else channel.goes_on):
            break
        asks.append(_ask(rng, "chat", _gap(rng, at_once)))
    return Talk(channel.name, f"U{rng.randrange(PEOPLE):02}", _begins(rng), tuple(asks))


def _begins(rng: random.Random) -> float:
    """Mostly in the middle of the morning or of the afternoon."""
    while True:
        at = rng.gauss(10.25 * 3600, 4500) if rng.random() < 0.55 else rng.gauss(14.75 * 3600, 5400)
        if OPENS <= at <= CLOSES:
            return at


def _gap(rng: random.Random, at_once: float) -> float:
    """From seconds to an hour."""
    while True:
        gap = (
            rng.lognormvariate(4.2, 0.9) if rng.random() < at_once else rng.lognormvariate(6.8, 0.8)
        )
        if 5 <= gap <= GAP_AT_MOST:
            return gap


def _ask(rng: random.Random, feature: Feature, gap: float) -> Ask:
    first = gap == 0.0
    change = round(rng.lognormvariate(10.3, 0.8)) if feature == "review" else 0
    snippet = round(rng.lognormvariate(8.6, 0.9)) if rng.random() < 0.4 else 0
    return Ask(
        feature=feature,
        gap=gap,
        words=min(40_000, round(rng.lognormvariate(5.2, 0.6)) + snippet),
        context=round(rng.lognormvariate(7.5, 0.8)) if not first and rng.random() < 0.3 else 0,
        change=min(150_000, change),
        rounds=_rounds(rng, feature, first=first),
        thought=_thought(rng) if rng.random() < 0.6 else 0,
        answer=min(8_000, round(rng.lognormvariate(8.1 if first else 7.6, 0.5))),
        deep=first and rng.random() < 0.06,
    )


def _rounds(rng: random.Random, feature: Feature, *, first: bool) -> tuple[Round, ...]:
    """Tickets are read in rounds; a change seldom needs more than itself; a question may need a page or a file."""
    if feature == "summarize":
        count = rng.choice((1, 2, 2, 3))
    else:
        chance = {"review": 0.15, "chat": 0.2}[feature]
        count = sum(rng.random() < chance for _ in range(2))
    return tuple(_round(rng, feature) for _ in range(count))


def _round(rng: random.Random, feature: Feature) -> Round:
    calls = rng.choice((1, 2, 4, 8)) if feature == "summarize" else rng.choice((1, 1, 1, 2, 3))
    results = tuple(min(60_000, round(rng.lognormvariate(8.9, 0.8))) for _ in range(calls))
    return Round(
        results, _thought(rng) if rng.random() < 0.6 else 0, 80 if rng.random() < 0.5 else 0
    )


def _thought(rng: random.Random) -> int:
    return min(12_000, round(rng.lognormvariate(7.9, 0.7)))
