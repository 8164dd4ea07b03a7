"""The books looked after at the terminal: are the kept sums those of the rows, and what would the rows cost today.

Read beside a running `serve`; only `rebuild` writes, in one transaction.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from typing import Any, TextIO

from pydantic import SecretStr

from bot.desk import moment, money
from bot.ledger import Entry, Ledger
from bot.prices import Cost, dollars, price
from bot.report import BadPeriod
from bot.store import Store
from bot.store.opening import beside
from bot.tables import write

SHOWN = 10  # sums that are off, told one by one


@dataclass(slots=True)
class Repriced:
    """One model's rows: what they cost when they were booked, and what they would cost today.

    Only rows that have both are in both; `unpriced` counts rows without a price today, and their tokens.
    """

    rows: int = 0
    then: Decimal = Decimal(0)
    now: Decimal = Decimal(0)
    unpriced: int = 0
    unpriced_tokens: int = 0
    new: int = 0  # rows that had no price then, and have one now

    def add(self, entry: Entry, cost: Cost | None) -> None:
        """Count a row with its price of today."""
        self.rows += 1
        if cost is None:
            self.unpriced += 1
            self.unpriced_tokens += entry.usage.prompt_tokens + entry.output_tokens
            return
        if entry.cost is None:
            self.new += 1
        self.then += entry.cost or 0
        self.now += dollars(cost.picos)

    def together(self, other: "Repriced") -> "Repriced":
        """Both."""
        return Repriced(
            self.rows + other.rows,
            self.then + other.then,
            self.now + other.now,
            self.unpriced + other.unpriced,
            self.unpriced_tokens + other.unpriced_tokens,
            self.new + other.new,
        )

    def columns(self) -> dict[str, Any]:
        """For programs: money as exact text."""
        return {
            "rows": self.rows,
            "then_usd": f"{self.then:f}",
            "now_usd": f"{self.now:f}",
            "difference_usd": f"{self.now - self.then:f}",
            "unpriced_rows": self.unpriced,
            "unpriced_tokens": self.unpriced_tokens,
            "newly_priced_rows": self.new,
        }


class Bookkeeping:
    """Examines the books of a database.

    Args:
        url: of the database.
        out: where to.
        zone: whose days and months.
        now: seconds since the epoch.
    """

    def __init__(
        self, url: SecretStr, out: TextIO, *, zone: tzinfo, now: Callable[[], float]
    ) -> None:
        self._url, self._out, self._zone, self._now = url, out, zone, now

    async def check(self) -> int:
        """Compare every kept sum with its rows; 1 if any is off.

        Raises:
            StoreDown: the books cannot be read.
        """
        async with beside(self._url) as store:
            books = self._books(store)
            off = await books.off()
            spent = await books.differences()
        for name in off[:SHOWN]:
            self._out.write(f"The sum of {name} is not that of its rows.\n")
        for (month, channel), (kept, booked) in list(spent.items())[:SHOWN]:
            where = channel or "what all share"
            self._out.write(
                f"Against budgets {money(dollars(kept))} count for {where} in {month}, and its rows come to "
                f"{money(dollars(booked))}.\n"
            )
        if off or spent:
            self._out.write("`purser ledger rebuild` adds everything up again from the rows.\n")
            return 1
        self._out.write("Every kept sum is that of its rows.\n")
        return 0

    async def rebuild(self) -> None:
        """Add everything up again from the rows.

        Raises:
            StoreDown: nothing was changed.
        """
        async with beside(self._url) as store:
            await self._books(store).rebuild()
        self._out.write("Everything is added up again from the rows.\n")

    async def reprice(self, *, since: str | None, until: str | None, as_json: bool) -> None:
        """Write what rows would cost at today's prices beside what they cost; no row is changed.

        Args:
            since: the first moment (see `desk.moment`); None is the beginning.
            until: the moment that ends it, itself left out; None is no end.
            as_json: one document instead of a table.

        Raises:
            BadPeriod: a moment cannot be read, or they stand the wrong way round.
            StoreDown: the books cannot be read.
        """
        first = moment(since, self._zone) if since else -math.inf
        end = moment(until, self._zone) if until else math.inf
        if first > end:
            raise BadPeriod(f"--since {since} lies after --until {until}.")
        models: dict[str, Repriced] = {}
        today = self._now()
        async with beside(self._url) as store:
            async for entry in self._books(store).each(since=first, until=end):
                models.setdefault(entry.model, Repriced()).add(entry, repriced(entry, at=today))
        self._tell(dict(sorted(models.items())), as_json=as_json)

    def _tell(self, models: dict[str, Repriced], *, as_json: bool) -> None:
        total = Repriced()
        for one in models.values():
            total = total.together(one)
        unpriced = [model for model, one in models.items() if one.unpriced]
        if as_json:
            made = {
                "models": {model: one.columns() for model, one in models.items()},
                "total": total.columns(),
                "unpriced_models": unpriced,
            }
            self._out.write(json.dumps(made, indent=2) + "\n")
            return
        heads = ("model", "rows", "cost", "at today's prices", "difference", "unpriced tokens")
        rows = [_cells(model, one) for model, one in models.items()]
        write(self._out, heads, rows, words=1, foot=_cells("total", total))
        if unpriced:
            self._out.write(
                f"No price is known today for {', '.join(unpriced)}: their tokens are in neither column.\n"
            )
        if total.new:
            self._out.write(
                f"{total.new:,} rows had no price when they were booked; what they cost then counts as nothing.\n"
            )

    def _books(self, store: Store) -> Ledger:
        return Ledger(store, zone=self._zone, now=self._now)


def repriced(entry: Entry, *, at: float) -> Cost | None:
    """What a row would cost at the prices of a moment (epoch seconds); None where there is none."""
    return price(entry.usage, model=entry.model, at=at) if entry.billed else Cost(0, "")


def _cells(name: str, one: Repriced) -> list[str]:
    return [
        name,
        f"{one.rows:,}",
        money(one.then),
        money(one.now),
        money(one.now - one.then),
        f"{one.unpriced_tokens:,}",
    ]
