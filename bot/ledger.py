"""The books: one row for each billed iteration of a response of Claude, booked once.

The engine keeps each channel's sum of a month beside the rows (`spent`), so that a budget costs the same to check at
row ten and at row ten million. Days and months are those of the workspace's time zone.
"""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, fields
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any, Literal

from bot.prices import assumed, dollars, picos
from bot.store import Row, Store, Transaction

PAGE = 1_000  # entries read at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row of the books, by the columns of `purser ledger`.

    `at` in epoch seconds, `cost` in exact US dollars and None where the price is unknown. What all share (keeping
    caches warm) has no ask, channel, user or feature. `unconfirmed`: the request went out and its response was never
    read to its end; its tokens are our estimate.
    """

    entry_id: str
    message_id: str | None
    iteration: int
    ask_id: str | None
    at: float
    team: str | None
    channel: str | None
    user: str | None
    thread: str | None
    feature: str | None
    purpose: str
    model: str
    prompt_version: str
    input_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    cache_read_tokens: int
    output_tokens: int
    thinking_tokens: int
    service_tier: str
    speed: str
    inference_geo: str
    stop_reason: str | None
    refusal_category: str | None
    billed: bool
    cost: Decimal | None
    price_version: str | None
    request_id: str | None
    ttft_ms: int | None
    latency_ms: int | None
    status: Literal["settled", "unconfirmed"]

    def columns(self) -> dict[str, Any]:
        """As `purser ledger` prints it, `cost_usd` in the place of `cost`."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {("cost_usd" if name == "cost" else name): value for name, value in values.items()}


class Ledger:
    """Books entries and reads them.

    Args:
        store: where they lie.
        zone: whose months the sums follow.
    """

    def __init__(self, store: Store, *, zone: tzinfo, now: Callable[[], float]) -> None:
        self._store = store
        self._zone = zone
        self._now = now

    def book(self, tx: Transaction, entry: Entry) -> None:
        """Book an entry; a second booking of the same `entry_id` changes nothing.

        Against budgets counts its cost, or what is assumed where its price is unknown.
        """
        values = {f.name: getattr(entry, f.name) for f in fields(entry)}
        cost = values.pop("cost")
        values["cost_picos"] = None if cost is None else picos(cost)
        values["billed"] = int(entry.billed)
        counted = values["cost_picos"]
        if counted is None:
            prompt = entry.input_tokens + entry.cache_read_tokens
            prompt += entry.cache_write_5m_tokens + entry.cache_write_1h_tokens
            counted = assumed(prompt, entry.output_tokens) if entry.billed else 0
        month = month_of(entry.at, self._zone)
        tx.add("ledger.book", month=month, counted_picos=counted, **values)

    async def rows(self, *, since: float, until: float, channel: str | None = None) -> list[Entry]:
        """The entries of a span of time (epoch seconds, `until` excluded), in order."""
        found = await self._store.read("ledger.rows", since=since, until=until, channel=channel)
        return [_entry(row) for row in found]

    async def each(self, *, since: float, until: float) -> AsyncGenerator[Entry]:
        """The entries of a span of time, one by one: however many there are, a page of them is held."""
        at, entry_id = since, ""
        while True:
            page = await self._store.read(
                "ledger.page", at=at, entry_id=entry_id, until=until, most=PAGE
            )
            for row in page:
                yield _entry(row)
            if len(page) < PAGE:
                return
            at, entry_id = page[-1]["at"], page[-1]["entry_id"]

    async def differences(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Where the kept sums differ from the rows: (month, channel) -> (kept, by rows), in pico-dollars."""
        return {
            (row["month"], row["channel"]): (int(row["kept"]), int(row["booked"]))
            for row in await self._store.read("ledger.differences")
        }


def month_of(at: float, zone: tzinfo) -> str:
    """The month of a moment, such as 2026-11."""
    return datetime.fromtimestamp(at, zone).strftime("%Y-%m")


def _entry(row: Row) -> Entry:
    values = {name: row[name] for name in Entry.__dataclass_fields__ if name != "cost"}
    cost = row["cost_picos"]
    values["billed"] = bool(values["billed"])
    return Entry(**values, cost=None if cost is None else dollars(cost))
