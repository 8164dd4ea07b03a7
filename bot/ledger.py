"""The books: one row for each billed iteration of a response of Claude, booked once.

The engine keeps sums beside the rows (what counts against a budget in `spent`, what reports say in `sums`), so that
both cost the same at row ten and at row ten million. Days and months are those of the workspace's time zone, as it was
when a row was booked.
"""

import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any, Literal

from bot.prices import assumed, dollars, picos, price
from bot.store import Row, Store, Transaction
from bot.sums import EVERYBODY, EVERYWHERE, By, Daily, Sum, reach, spans
from bot.usage import Usage

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

    @property
    def usage(self) -> Usage:
        """Its tokens, as prices want them."""
        return Usage(**{name: getattr(self, name) for name in Usage.__dataclass_fields__})


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
            prompt = entry.usage.prompt_tokens
            counted = assumed(prompt, entry.output_tokens) if entry.billed else 0
        day = day_of(entry.at, self._zone)
        tx.add(
            "ledger.book", day=day, counted_picos=counted, saved_picos=picos(saved(entry)), **values
        )

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

    async def daily(
        self, since_day: date, until_day: date, *, channel: str | None = None
    ) -> list[Daily]:
        """What each day's rows add up to, by everything but persons, in the order of days (`until_day` excluded)."""
        low, high = reach(channel)
        found = await self._store.read(
            "ledger.daily",
            spans=json.dumps(spans(since_day, until_day, months=False)),
            who=EVERYBODY,
            low=low,
            high=high,
        )
        return [Daily.of(row) for row in found]

    async def totals(
        self,
        by: By,
        since_day: date,
        until_day: date,
        *,
        channel: str | None = None,
        user: str | None = None,
    ) -> dict[str, Sum]:
        """What the rows of a span of days add up to (`until_day` excluded), by one of their sides.

        Args:
            by: what a key is: an id, a name, or a day such as 2026-11-22; "" is what all share.
            since_day: the first day.
            until_day: the day after the last one.
            channel: of this one only.
            user: of this person only, by channel or by day; None is everybody.
        """
        wanted = json.dumps(spans(since_day, until_day, months=by != "day"))
        if by == "user":
            low, high = reach(channel)
            rows = await self._store.read("ledger.totals_by_user", spans=wanted, low=low, high=high)
            found = {row["key"]: Sum.of(row) for row in rows}
            return {key: one for key, one in found.items() if user is None or key == user}
        everywhere = channel is None and user is None and by != "channel"
        low, high = (EVERYWHERE, EVERYWHERE) if everywhere else reach(channel)
        who = EVERYBODY if user is None else user
        rows = await self._store.read(
            "ledger.totals", by=by, spans=wanted, who=who, low=low, high=high
        )
        return {row["key"]: Sum.of(row) for row in rows}

    async def spent_since(self, since: float) -> dict[str, Decimal]:
        """What each channel spent from a moment on (epoch seconds), as it counts against its budget."""
        rows = await self._store.read("ledger.spent_since", since=since)
        return {row["channel"]: dollars(row["picos"]) for row in rows}

    async def off(self) -> list[str]:
        """Name the sums of days and months that are not those of their rows, a hundred at most."""
        rows = await self._store.read("ledger.off")
        return list(dict.fromkeys(" ".join(filter(None, row.values())) for row in rows))

    async def rebuild(self) -> None:
        """Add everything up again from the rows, in one transaction.

        Raises:
            StoreDown: nothing was changed.
        """
        tx = Transaction()
        for name in ("forget_sums", "sum_up", "forget_spent", "spend_up"):
            tx.add(f"ledger.{name}")
        await self._store.commit(tx)

    async def differences(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Where the kept sums differ from the rows: (month, channel) -> (kept, by rows), in pico-dollars."""
        return {
            (row["month"], row["channel"]): (int(row["kept"]), int(row["booked"]))
            for row in await self._store.read("ledger.differences")
        }


def month_of(at: float, zone: tzinfo) -> str:
    """The month of a moment, such as 2026-11."""
    return datetime.fromtimestamp(at, zone).strftime("%Y-%m")


def day_of(at: float, zone: tzinfo) -> str:
    """The day of a moment, such as 2026-11-22."""
    return datetime.fromtimestamp(at, zone).strftime("%Y-%m-%d")


def saved(entry: Entry) -> Decimal:
    """What the cache saved, in dollars: less than nothing where it was only written, 0 where that is unknown."""
    usage = entry.usage
    if entry.cost is None or not entry.billed or usage.prompt_tokens == usage.input_tokens:
        return Decimal(0)
    if entry.purpose in ("warm", "keep_warm"):
        return -entry.cost
    fresh = replace(
        usage,
        input_tokens=usage.prompt_tokens,
        cache_write_5m_tokens=0,
        cache_write_1h_tokens=0,
        cache_read_tokens=0,
    )
    uncached = price(fresh, model=entry.model, at=entry.at)
    return dollars(uncached.picos) - entry.cost if uncached else Decimal(0)


def _entry(row: Row) -> Entry:
    values = {name: row[name] for name in Entry.__dataclass_fields__ if name != "cost"}
    cost = row["cost_picos"]
    values["billed"] = bool(values["billed"])
    return Entry(**values, cost=None if cost is None else dollars(cost))
