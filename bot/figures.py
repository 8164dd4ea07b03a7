"""The figures beside the sums: what one ask costs, and what was paid for nothing. Pure.

All of them are added from rows of the books, exactly; where a price is unknown a row counts as nothing, and the
report says so beside them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from bot.ledger import Entry

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


def _cost(entries: Iterable[Entry]) -> Decimal:
    return sum((entry.cost or Decimal(0) for entry in entries), Decimal(0))
