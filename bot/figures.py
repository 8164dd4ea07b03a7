"""The figures beside the sums: what one ask costs, what the cache missed, and what was paid for nothing. Pure.

All of them are added from rows of the books, exactly; where a price is unknown a row counts as nothing, and the
report says so beside them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from statistics import median

from bot.ledger import Entry
from bot.prices import dollars, price

CACHE_SECONDS = 300.0  # for which what a thread wrote to the cache is kept, from its last use
HOUR_SECONDS = 3600.0  # the same for what was written for an hour
SETTLING = "rephrase", "fallback"  # purposes of calls that another call's refusal made necessary


@dataclass(frozen=True, slots=True)
class PerAsk:
    """What asks of one feature cost each, in dollars; the dearest of them, and where it was asked."""

    feature: str
    asks: int
    median: Decimal
    worst: Decimal
    ask_id: str
    channel: str
    thread: str  # "" for a command


@dataclass(frozen=True, slots=True)
class Miss:
    """A response that read less from the cache than its thread had put there, and what that cost more.

    `cause` is Anthropic's word for it, `pause` where more time passed than the cache lasts, "" where nobody knows.
    """

    ask_id: str
    message_id: str
    tokens: int
    extra: Decimal
    cause: str = ""

    def because(self, cause: str) -> "Miss":
        """The same with what Anthropic says, where it is not known anyway."""
        return self if self.cause else replace(self, cause=cause)


@dataclass(frozen=True, slots=True)
class Lost:
    """What was paid for no answer, in dollars."""

    refused: Decimal = Decimal(0)  # calls that ended in a refusal
    refused_asks: int = 0
    reworded: Decimal = Decimal(0)  # calls made because another one was refused
    again: Decimal = Decimal(0)  # calls that broke off and were made once more


def per_ask(entries: Iterable[Entry]) -> tuple[PerAsk, ...]:
    """What one ask of each feature cost, those that cost most together first."""
    asks: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.ask_id and entry.feature:
            asks.setdefault(entry.ask_id, []).append(entry)
    by_feature: dict[str, list[tuple[Decimal, Entry]]] = {}
    for rows in asks.values():
        first = rows[0]
        by_feature.setdefault(first.feature or "", []).append((_cost(rows), first))
    found = [(_per_ask(feature, costs), costs) for feature, costs in by_feature.items()]
    found.sort(key=lambda one: (-sum(cost for cost, _ in one[1]), one[0].feature))
    return tuple(one for one, _ in found)


def misses(entries: Iterable[Entry]) -> list[Miss]:
    """Each response that read less from the cache than the one before it in its thread had left there."""
    threads: dict[tuple[str, str, str], list[Entry]] = {}
    for entry in entries:
        answered = entry.status == "settled" and entry.purpose != "keep_warm"
        if answered and entry.thread and entry.channel and entry.message_id:
            threads.setdefault((entry.channel, entry.thread, entry.model), []).append(entry)
    found = (_miss(*pair) for rows in threads.values() for pair in pairwise(_in_order(rows)))
    return [miss for miss in found if miss is not None]


def lost(entries: Sequence[Entry]) -> Lost:
    """What was paid for no answer."""
    refused = [e for e in entries if e.stop_reason == "refusal"]
    ends = {e.ask_id: e.at for e in entries if e.status == "settled"}
    again = [
        e
        for e in entries
        if e.ask_id and e.status == "unconfirmed" and ends.get(e.ask_id, e.at) > e.at
    ]
    return Lost(
        refused=_cost(refused),
        refused_asks=len({e.ask_id for e in refused if e.ask_id}),
        reworded=_cost(e for e in entries if e.purpose in SETTLING and e.stop_reason != "refusal"),
        again=_cost(again),
    )


def _per_ask(feature: str, costs: Sequence[tuple[Decimal, Entry]]) -> PerAsk:
    worst, entry = max(costs, key=lambda one: (one[0], one[1].at))
    return PerAsk(
        feature=feature,
        asks=len(costs),
        median=median(cost for cost, _ in costs),
        worst=worst,
        ask_id=entry.ask_id or "",
        channel=entry.channel or "",
        thread=entry.thread or "",
    )


def _miss(before: Entry, entry: Entry) -> Miss | None:
    hour = before.cache_write_1h_tokens
    kept = before.cache_read_tokens + before.cache_write_5m_tokens + hour
    missed = kept - entry.cache_read_tokens
    if missed <= 0 or entry.cost is None:
        return None
    paused = entry.at - before.at > (HOUR_SECONDS if hour else CACHE_SECONDS)
    extra = max(entry.cost - _had_it_read(entry, missed), Decimal(0))
    return Miss(
        entry.ask_id or "", entry.message_id or "", missed, extra, "pause" if paused else ""
    )


def _had_it_read(entry: Entry, tokens: int) -> Decimal:
    """What a response would have cost, had so many tokens more come from the cache."""
    usage, left = entry.usage, tokens
    for kind in ("cache_write_5m_tokens", "cache_write_1h_tokens", "input_tokens"):
        moved = min(left, int(getattr(usage, kind)))
        usage = replace(usage, **{kind: int(getattr(usage, kind)) - moved})
        left -= moved
    usage = replace(usage, cache_read_tokens=usage.cache_read_tokens + tokens - left)
    cost = price(usage, model=entry.model, at=entry.at)
    return dollars(cost.picos) if cost else entry.cost or Decimal(0)


def _in_order(rows: list[Entry]) -> list[Entry]:
    return sorted(rows, key=lambda entry: (entry.at, entry.iteration))


def _cost(entries: Iterable[Entry]) -> Decimal:
    return sum((entry.cost or Decimal(0) for entry in entries), Decimal(0))
