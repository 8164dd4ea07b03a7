"""The way of one ask as it is drawn: listened, committed, leased, sent, tools, parts, settled, with their times.

Pure: rows and lines in, JSON for the page out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.demo.inside.botfile import Kept, Row
from bot.demo.inside.sources import Json
from bot.demo.inside.tooluse import Use, uses
from bot.demo.inside.wire import Line
from bot.inbox import LEASE_SECONDS
from bot.prices import dollars

FINAL = frozenset({"done", "dead"})
WORDS = frozenset({"chat.postMessage", "chat.startStream", "chat.update", "response_url"})
"""Calls that first bring words of an answer before people."""

TOKENS: Mapping[str, str] = {
    "input": "input_tokens",
    "write_5m": "cache_write_5m_tokens",
    "write_1h": "cache_write_1h_tokens",
    "read": "cache_read_tokens",
    "output": "output_tokens",
    "thinking": "thinking_tokens",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One station on the way.

    Attributes:
        key: such as "sent:2"; wire messages name it.
        kind: listened, committed, leased, sent, tools, parts or settled.
        at: when it began, epoch seconds; None while it has not.
        first: when the other side began to speak, where that is known.
        until: when it was over; None while it is not.
        state: waits, now, done or bad.
        note: a few words.
        tools: of a tools step, what was called.
        bill: of a request that was booked, its tokens by kind and its cost.
    """

    key: str
    kind: str
    at: float | None
    until: float | None
    state: str
    note: str = ""
    tools: tuple[Json, ...] = ()
    first: float | None = None
    bill: Json | None = None

    def wire(self) -> Json:
        """As it is sent to the page."""
        return {name: getattr(self, name) for name in self.__slots__}


def story(kept: Kept, lines: Sequence[Line], leases: Mapping[int, float]) -> Json:
    """Tell an ask.

    Args:
        kept: what the bot's file has of it.
        lines: the wire messages that are its own, oldest first.
        leases: when each attempt was seen to begin.
    """
    ask = kept.ask
    steps = list(_steps(kept, lines, leases))
    booked = [row for row in kept.booked if row["billed"]]
    costs = [row["cost_picos"] for row in booked]
    loose = sum(row["cost_picos"] or 0 for row in booked if row["status"] == "unconfirmed")
    return {
        "id": kept.id,
        "at": ask["at"],
        "channel": ask["channel"],
        "user": ask["user"],
        "feature": ask["feature"],
        "origin": ask["origin"],
        "text": ask["text"],
        "state": ask["state"],
        "outcome": ask["outcome"],
        "sentence": ask["sentence"],
        "attempt": ask["attempt"],
        "ended": ask["ended_at"],
        "model": next((row["model"] for row in reversed(kept.requests)), ""),
        "tokens": {kind: sum(row[column] for row in booked) for kind, column in TOKENS.items()},
        "cost": None if None in costs else str(dollars(sum(costs))),
        "unconfirmed": str(dollars(loose)) if loose else None,
        "steps": [step.wire() for step in steps],
    }


def leased_at(ask: Row) -> float:
    """When the latest lease was taken; later than that once it has been renewed."""
    return max(float(ask["at"]), float(ask["leased_until"]) - LEASE_SECONDS)


def _steps(kept: Kept, lines: Sequence[Line], leases: Mapping[int, float]) -> Iterator[Step]:
    ask = kept.ask
    taken = {**leases}
    if ask["attempt"]:
        taken.setdefault(ask["attempt"], leased_at(ask))
    for request in kept.requests:
        # A renewed lease looks younger than it is; the work done under it tells better.
        attempt = request["attempt"]
        taken[attempt] = min(taken.get(attempt, request["at"]), request["at"])
    yield from _heard(ask, lines, min(taken.values(), default=None))
    work = list(_leases(ask, taken))
    for request in kept.requests:
        wanted = [use for use in uses(kept) if use.n == request["n"]]
        work += _round(request, wanted, kept)
    yield from sorted(work, key=lambda step: step.at or 0.0)
    yield _parts(kept, lines)
    over = ask["state"] in FINAL
    state = ("bad" if ask["state"] == "dead" else "done") if over else "waits"
    yield Step("settled", "settled", ask["ended_at"], ask["ended_at"], state, ask["outcome"])


def _heard(ask: Row, lines: Iterable[Line], leased: float | None) -> Iterator[Step]:
    deliveries = [line for line in lines if line.step == "listened"]
    first = min((line.at for line in deliveries), default=ask["at"])
    acks = [line.at + line.told.seconds for line in deliveries if line.told.seconds is not None]
    # An ack follows the commit at once, and so does a lease where somebody is free; the row itself stands for both.
    acked = max(min(acks, default=ask["at"]), ask["at"])
    acked = acked if leased is None else min(acked, leased)
    again = len(deliveries) - 1
    note = f"delivered {again + 1} times, asked once" if again > 0 else ask["origin"]
    yield Step("listened", "listened", min(first, ask["at"]), acked, "done", note)
    yield Step("committed", "committed", acked, acked, "done", "on disk, then acked")


def _leases(ask: Row, taken: Mapping[int, float]) -> Iterator[Step]:
    if not taken:
        yield Step("leased", "leased", None, None, "waits")
        return
    first = min(taken)
    for attempt, at in sorted(taken.items()):
        key = "leased" if attempt == first else f"leased:{attempt}"
        note = f"attempt {attempt}" if attempt > 1 else ""
        live = ask["state"] == "leased" and attempt == ask["attempt"]
        until = None if live else ask["ended_at"]
        yield Step(key, "leased", at, until, "now" if live else "done", note)


def _round(request: Row, wanted: Sequence[Use], kept: Kept) -> Iterator[Step]:
    """A request to Claude, and the tools that its answer wants."""
    ask, n, ended = kept.ask, request["n"], request["ended_at"]
    said = request["error"] or request["stop_reason"] or ""
    bad = bool(request["error"]) or said == "refusal"
    lost = ended is None and ask["state"] in FINAL
    state = "bad" if bad or lost else "done" if ended is not None else "now"
    purpose = "" if request["purpose"] == "answer" else request["purpose"]
    note = " · ".join(part for part in (request["model"], purpose, said) if part)
    row = _booked(request, kept)
    spoke = request["at"] + row["ttft_ms"] / 1000 if row and row["ttft_ms"] else None
    bill = _bill(row) if row else None
    yield Step(f"sent:{n}", "sent", request["at"], ended, state, note, first=spoke, bill=bill)
    if not wanted:
        return
    running = any(use.until is None for use in wanted) and ask["state"] not in FINAL
    failed = any(use.outcome not in ("ok", "") for use in wanted)
    until = None if running else max((use.until or use.at for use in wanted), default=ended)
    state = "now" if running else "bad" if failed else "done"
    told = tuple(_tool(use) for use in wanted)
    yield Step(f"tools:{n}", "tools", ended, until, state, "", told)


def _booked(request: Row, kept: Kept) -> Row | None:
    """The row of the books for a request."""
    lost = f"{kept.id}:{request['n']}:unconfirmed"
    for row in kept.booked:
        if row["entry_id"] == lost or (row["message_id"] or "-") == request["message_id"]:
            return row
    return None


def _bill(row: Row) -> Json:
    cost = row["cost_picos"]
    return {
        **{kind: row[column] for kind, column in TOKENS.items()},
        "cost": None if cost is None else str(dollars(cost)),
        "billed": bool(row["billed"]),
        "status": row["status"],
    }


def _tool(use: Use) -> Json:
    first = next((value for value in use.input.values() if isinstance(value, str)), "")
    return {
        "name": use.name,
        "about": first[:120],
        "outcome": use.outcome,
        "at": use.at,
        "until": use.until,
    }


def _parts(kept: Kept, lines: Iterable[Line]) -> Step:
    first = next((line for line in lines if line.step == "parts" and _says(line)), None)
    said = [part["at"] for part in kept.parts if part["state"] == "said"]
    begun = [first.at] if first else [part["at"] for part in kept.parts]
    if not begun:
        return Step("parts", "parts", None, None, "waits")
    over = kept.ask["state"] in FINAL
    until = max([*said, *begun]) if over or len(said) == len(kept.parts) > 0 else None
    state = "now" if until is None else "done"
    count = len(kept.parts)
    note = f"{count} parts" if count > 1 else kept.parts[0]["kind"] if kept.parts else ""
    return Step("parts", "parts", min(begun), until, state, note)


def _says(line: Line) -> bool:
    name: Any = line.told.name
    return name in WORDS and not line.told.bad
