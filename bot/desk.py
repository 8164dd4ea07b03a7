"""The books at the terminal: every row of them, and what they add up to in a month.

They are read beside a running `serve`, which is not disturbed.
"""

import csv
import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Any, Literal, TextIO

from pydantic import SecretStr

from bot.account import Account, Accounts, Single
from bot.estimates import Estimates
from bot.forecast import Forecast
from bot.hindsight import Hindsight
from bot.ledger import Entry, Ledger
from bot.misses import by_cause
from bot.report import BadPeriod, By, Line, Period, cell
from bot.sentences import sentences
from bot.store import Store
from bot.store.opening import beside
from bot.tables import sparkline, write

COLUMNS = tuple("cost_usd" if name == "cost" else name for name in Entry.__dataclass_fields__)
"""Of `purser ledger`, in their order."""

EVER = (date(2020, 1, 1), date(2100, 1, 1))  # between which all rows lie
NO_ROWS = (
    "No row of the books is of channel {}. `purser report --by channel` lists those that have some."
)


class Desk:
    """Writes the books of a database.

    Args:
        url: of the database.
        out: where to.
        zone: whose days and months, and of times without an offset.
        now: seconds since the epoch.
        limit: the month's budget of a channel, of all together with None; without it none is told.
    """

    def __init__(
        self,
        url: SecretStr,
        out: TextIO,
        *,
        zone: tzinfo,
        now: Callable[[], float],
        limit: Callable[[str | None], Decimal | None] = lambda _: None,
    ) -> None:
        self._url, self._out = url, out
        self._zone, self._now, self._limit = zone, now, limit

    async def ledger(
        self, form: Literal["jsonl", "csv"], *, since: str | None, until: str | None
    ) -> None:
        """Write the books row by row, oldest first, as they are read.

        Args:
            form: a JSON object in each line, or CSV with a header.
            since: the first moment (see `moment`); None is the beginning.
            until: the moment that ends it, itself left out; None is no end.

        Raises:
            BadPeriod: a moment cannot be read, or they stand the wrong way round.
            StoreDown: the books cannot be read.
        """
        first = moment(since, self._zone) if since else -math.inf
        end = moment(until, self._zone) if until else math.inf
        if first > end:
            raise BadPeriod(f"--since {since} lies after --until {until}.")
        async with beside(self._url) as store:
            entries = self._books(store).each(since=first, until=end)
            if form == "jsonl":
                async for entry in entries:
                    self._out.write(json.dumps(row(entry)) + "\n")
                return
            sheet = csv.writer(self._out, lineterminator="\n")
            sheet.writerow(COLUMNS)
            async for entry in entries:
                sheet.writerow([_in_csv(value) for value in row(entry).values()])

    async def report(
        self,
        form: Literal["table", "csv", "json"],
        *,
        month: str,
        channel: str | None,
        by: By | None,
    ) -> None:
        """Write what Claude cost in a month.

        Args:
            form: for people, for spreadsheets or for programs.
            month: as `Period.parse` reads it.
            channel: its id; None is all of them.
            by: what a line is; by default channels, and of one channel its features.

        Raises:
            BadPeriod: the month cannot be read, or lies in the future.
            StoreDown: the books cannot be read.
        """
        period = Period.parse(month, now=self._now(), zone=self._zone)
        dimension: By = by or ("feature" if channel else "channel")
        async with beside(self._url) as store:
            books = self._books(store)
            accounts = Accounts(
                books,
                Hindsight(store),
                Estimates(store, now=self._now),
                now=self._now,
                calls_at_most=None,
            )
            account = await accounts.draw(period, by=dimension, channel=channel)
            known = channel is None or bool(await books.totals("channel", *EVER, channel=channel))
        if form == "json":
            self._out.write(json.dumps(document(account, channel), indent=2) + "\n")
        elif form == "csv":
            rows = account.report.table()
            sheet = csv.DictWriter(self._out, list(rows[0]), lineterminator="\n")
            sheet.writeheader()
            sheet.writerows({name: cell(value) for name, value in line.items()} for line in rows)
        else:
            tell(account, channel, self._out, limit=self._limit(channel))
            if not known:
                self._out.write(NO_ROWS.format(channel) + "\n")

    def _books(self, store: Store) -> Ledger:
        return Ledger(store, zone=self._zone, now=self._now)


def row(entry: Entry) -> dict[str, Any]:
    """An entry as it is printed: `at` in UTC by ISO 8601, cut to milliseconds; `cost_usd` as exact text."""
    at = datetime.fromtimestamp(math.floor(entry.at * 1000) / 1000, UTC)
    return {
        **entry.columns(),
        "at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "cost_usd": None if entry.cost is None else f"{entry.cost:f}",
    }


def _in_csv(value: Any) -> str | int | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else cell(value)


def moment(text: str, zone: tzinfo) -> float:
    """A month (its first moment), a day (its midnight) or a time, in epoch seconds; `zone` where none is written.

    Raises:
        BadPeriod: it is none of these.
    """
    written = text.strip()
    if re.fullmatch(r"\d{4}-\d\d", written):
        written += "-01"
    try:
        read = datetime.fromisoformat(written)
        return (read if read.tzinfo else read.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError):
        raise BadPeriod(
            f"I don't know the moment {text!r}. Write 2026-11, 2026-11-22 or 2026-11-22T14:30:00Z."
        ) from None


def document(account: Account, channel: str | None) -> dict[str, Any]:
    """A report as JSON has it: money as exact text, counts as numbers, its period with offsets."""
    made = account.report
    period, rows = made.period, made.table()
    return {
        "period": period.name,
        "since": datetime.fromtimestamp(period.since, period.zone).isoformat(),
        "until": datetime.fromtimestamp(period.until, period.zone).isoformat(),
        "channel": channel,
        "by": made.by,
        "lines": rows[:-1],
        "total": rows[-1],
        "unpriced_models": list(made.unpriced_models),
        "forecast": _foretold(account.forecast),
        "cache_misses": _missed(account.single),
        "keep_warm": {
            "calls": account.carried.entries,
            "cost_usd": f"{account.carried.cost:f}",
        },
    }


def _missed(single: Single | None) -> list[dict[str, str | int]]:
    """What the cache missed, by cause, the dearest first."""
    found = by_cause(single.misses) if single else {}
    return [
        {"cause": cause or "unknown", "calls": calls, "extra_usd": f"{extra:f}"}
        for cause, (calls, extra) in found.items()
    ]


def _foretold(made: Forecast | None) -> dict[str, str] | None:
    if made is None:
        return None
    named = {"expected_usd": made.expected, "low_usd": made.low, "high_usd": made.high}
    return {name: f"{amount:f}" for name, amount in named.items()}


def tell(account: Account, channel: str | None, out: TextIO, *, limit: Decimal | None) -> None:
    """Write a report as a table for people, with what one has to know of it."""
    made = account.report
    where = f"channel {channel}" if channel else "all channels"
    out.write(f"What Claude cost in {where}, {made.period.name} ({made.period.zone})\n")
    if not made.lines:
        out.write("Nothing.\n")
        return
    heads = (
        made.by,
        "asks",
        "cost",
        "from cache",
        "cache saved",
        "tokens in",
        "tokens out",
        "of thought",
    )
    total = replace(made.total, key="total")
    write(out, heads, [_cells(line) for line in made.lines], foot=_cells(total), words=1)
    days = list(account.days.values())
    if len(days) > 1:
        out.write(f"{sparkline(days)}  a day, at most {money(max(days))}\n")
    out.writelines(f"{line}\n" for line in sentences(account, money=money, limit=limit))


def _cells(line: Line) -> list[str]:
    return [
        line.key,
        f"{line.asks:,}",
        money(line.cost),
        f"{line.cached_share:.0%}",
        money(line.saved),
        f"{line.prompt_tokens:,}",
        f"{line.output_tokens:,}",
        f"{line.thinking_tokens:,}",
    ]


def money(amount: Decimal) -> str:
    """Dollars to a hundredth of a cent; what is less but not nothing says so."""
    if 0 < abs(amount) < Decimal("0.0001"):
        return "<$0.0001" if amount > 0 else "-<$0.0001"
    return f"-${-amount:,.4f}" if amount < 0 else f"${amount:,.4f}"
