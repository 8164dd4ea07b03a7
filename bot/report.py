"""From the books to a report: sums by whatever is asked for. Pure; knows neither Slack nor SQL.

Every figure is exact: the lines add up to the total, and the total to the rows, to the last digit.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Literal, Self

from bot.errors import PurserError
from bot.ledger import Entry, saved
from bot.sums import Sum

By = Literal["channel", "user", "model", "feature", "day", "feedback"]
DIMENSIONS: tuple[By, ...] = ("channel", "user", "model", "feature", "day", "feedback")
SHARED = "shared"  # keeping caches warm: nobody's
OTHERS = "others"  # people who are not shown one by one
THUMBS: Mapping[str, str] = {"bad": "thumbs down", "good": "thumbs up", "": "not rated"}
DAYS_AT_MOST = 366
FORMULA = frozenset("=+-@\t\r")  # what a spreadsheet takes for the beginning of a formula
EXAMPLE = "Write `today`, `7d`, `this month`, `last month` or a month such as `2026-11`."


class BadPeriod(PurserError):
    """These words name no span of time; the sentence says which would."""


@dataclass(frozen=True, slots=True)
class Period:
    """A span of time in the workspace's zone; `until` is excluded. Both in epoch seconds."""

    name: str
    since: float
    until: float
    zone: tzinfo

    @property
    def first(self) -> date:
        """Its first day."""
        return datetime.fromtimestamp(self.since, self.zone).date()

    @property
    def end(self) -> date:
        """The day after its last one."""
        return datetime.fromtimestamp(self.until, self.zone).date()

    @property
    def is_month(self) -> bool:
        """Whether it is a whole month."""
        return self.name == f"{self.first:%Y-%m}"

    @classmethod
    def parse(cls, text: str, *, now: float, zone: tzinfo) -> Self:
        """Read `today`, `yesterday`, `7d`, `this month`, `last month` or `2026-11`.

        Raises:
            BadPeriod: it is none of these, or lies in the future.
        """
        words = " ".join(text.lower().split()) or "this month"
        here = datetime.fromtimestamp(now, zone)
        midnight = here.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        if words in ("today", "yesterday"):
            day = midnight if words == "today" else _day(midnight, -1)
            return cls(f"{day:%Y-%m-%d}", day.timestamp(), _next_day(day), zone)
        if found := re.fullmatch(r"(\d{1,3})\s*d(ays)?", words):
            days = int(found[1])
            if not 1 <= days <= DAYS_AT_MOST:
                raise BadPeriod(f"I can look back 1 to {DAYS_AT_MOST} days. {EXAMPLE}")
            first = _day(midnight, 1 - days)
            name = f"{first:%Y-%m-%d} to {midnight:%Y-%m-%d}"
            return cls(name, first.timestamp(), _next_day(midnight), zone)
        month = _month(words, midnight)
        if month is None:
            raise BadPeriod(f"I don't know the period “{text.strip()[:40]}”. {EXAMPLE}")
        if month > midnight:
            raise BadPeriod(f"{month:%Y-%m} lies in the future. {EXAMPLE}")
        following = (month + timedelta(days=32)).replace(day=1)
        return cls(f"{month:%Y-%m}", month.timestamp(), following.timestamp(), zone)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a report. Money in exact dollars; `unpriced` are tokens whose price is unknown."""

    key: str
    asks: int = 0
    cost: Decimal = Decimal(0)
    unconfirmed: Decimal = Decimal(0)  # part of the cost that is our estimate
    refused: Decimal = Decimal(0)  # part of the cost that ended in a refusal
    saved: Decimal = Decimal(0)  # what the cache saved, its writes and its warming paid
    prompt_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    thinking_tokens: int = 0  # of those
    unpriced: int = 0

    @property
    def cached_share(self) -> float:
        """Share of the prompt's tokens that was read from cache, 0 to 1."""
        return self.cached_tokens / self.prompt_tokens if self.prompt_tokens else 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """What was spent in a period; `lines` is by `by`, the dearest first (days in their order)."""

    period: Period
    by: By
    lines: tuple[Line, ...]
    total: Line
    unpriced_models: tuple[str, ...]

    def table(self) -> list[dict[str, str | int]]:
        """The lines and the total as plain columns, for csv and json; money is exact text."""
        return [_columns(self.by, line) for line in (*self.lines, self.total)]


def build(
    entries: Iterable[Entry],
    *,
    by: By,
    period: Period,
    named: Callable[[str], str] = str,
    thumbs: Mapping[str, str] | None = None,
) -> Report:
    """Add entries up.

    Args:
        entries: rows of the books; those outside the period are left out.
        by: what a line is.
        period: the span of time.
        named: how a channel's or person's id is shown.
        thumbs: what people said of answers, "good" or "bad", by ask.
    """
    said = thumbs or {}
    kept = [e for e in entries if period.since <= e.at < period.until]
    groups: dict[str, list[Entry]] = {}
    for entry in kept:
        groups.setdefault(_key(entry, by, period.zone, said), []).append(entry)
    lines = [_line(_shown(key, by, named), group) for key, group in groups.items()]
    unpriced = sorted({e.model for e in kept if e.cost is None})
    return Report(period, by, _sorted(lines, by), _line("total", kept), tuple(unpriced))


def summed(
    sums: Mapping[str, Sum],
    models: Mapping[str, Sum],
    *,
    by: By,
    period: Period,
    named: Callable[[str], str] = str,
    alone: str | None = None,
) -> Report:
    """Lay out sums that the books keep.

    Args:
        sums: by `by`, as `Ledger.totals` gives them.
        models: the same by model, so that models without a price can be named.
        by: what a line is.
        period: the span of time they are of.
        named: how a channel's or person's id is shown.
        alone: the one person who is named; all others stand in one line. None names everybody.
    """
    lines: list[Line] = []
    others: list[Sum] = []
    for key, one in sums.items():
        if alone is not None and key not in (alone, ""):
            others.append(one)
            continue
        asks = one.model_asks if by == "model" else one.asks
        lines.append(_summed(_shown(key, by, named), one, asks))
    if others:
        rest = sum(others, Sum())
        lines.append(_summed(OTHERS, rest, rest.asks))
    whole = sum(sums.values(), Sum())
    unpriced = sorted(model for model, one in models.items() if one.unpriced_tokens)
    total = _summed("total", whole, whole.asks)
    return Report(period, by, _sorted(lines, by), total, tuple(unpriced))


def cell(value: str | int) -> str | int:
    """A value for a CSV file that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in FORMULA else value


def _sorted(lines: Iterable[Line], by: By) -> tuple[Line, ...]:
    """Days by the calendar, all else the dearest first."""
    if by == "day":
        return tuple(sorted(lines, key=lambda line: line.key))
    return tuple(sorted(lines, key=lambda line: (-line.cost, line.key)))


def _summed(key: str, one: Sum, asks: int) -> Line:
    return Line(
        key,
        asks=asks,
        cost=one.cost,
        unconfirmed=one.unconfirmed,
        refused=one.refused,
        saved=one.saved,
        prompt_tokens=one.prompt_tokens,
        cached_tokens=one.cache_read_tokens,
        output_tokens=one.output_tokens,
        thinking_tokens=one.thinking_tokens,
        unpriced=one.unpriced_tokens,
    )


def _line(key: str, entries: Sequence[Entry]) -> Line:
    line = Line(key, asks=len({e.ask_id for e in entries if e.ask_id}))
    for entry in entries:
        cost, prompt = entry.cost or Decimal(0), entry.usage.prompt_tokens
        line = replace(
            line,
            cost=line.cost + cost,
            unconfirmed=line.unconfirmed + (cost if entry.status == "unconfirmed" else 0),
            refused=line.refused + (cost if entry.stop_reason == "refusal" else 0),
            saved=line.saved + saved(entry),
            prompt_tokens=line.prompt_tokens + prompt,
            cached_tokens=line.cached_tokens + entry.cache_read_tokens,
            output_tokens=line.output_tokens + entry.output_tokens,
            thinking_tokens=line.thinking_tokens + entry.thinking_tokens,
            unpriced=line.unpriced + (prompt + entry.output_tokens if entry.cost is None else 0),
        )
    return line


def _key(entry: Entry, by: By, zone: tzinfo, thumbs: Mapping[str, str]) -> str:
    if by == "day":
        return datetime.fromtimestamp(entry.at, zone).strftime("%Y-%m-%d")
    if by == "feedback":
        return thumbs.get(entry.ask_id or "", "")
    return str(getattr(entry, by) or "")


def _shown(key: str, by: By, named: Callable[[str], str]) -> str:
    if by == "feedback":
        return THUMBS.get(key, key)
    if not key:
        return SHARED
    return named(key) if by in {"channel", "user"} else key


def _columns(by: By, line: Line) -> dict[str, str | int]:
    return {
        by: line.key,
        "asks": line.asks,
        "cost_usd": f"{line.cost:f}",
        "unconfirmed_usd": f"{line.unconfirmed:f}",
        "refused_usd": f"{line.refused:f}",
        "saved_usd": f"{line.saved:f}",
        "prompt_tokens": line.prompt_tokens,
        "cached_tokens": line.cached_tokens,
        "output_tokens": line.output_tokens,
        "thinking_tokens": line.thinking_tokens,
        "unpriced_tokens": line.unpriced,
    }


def _month(words: str, midnight: datetime) -> datetime | None:
    """The first of the month that is meant, or None."""
    first = midnight.replace(day=1)
    if words == "this month":
        return first
    if words == "last month":
        return (first - timedelta(days=1)).replace(day=1)
    found = re.fullmatch(r"(20\d\d)-(0[1-9]|1[0-2])", words)
    return first.replace(year=int(found[1]), month=int(found[2])) if found else None


def _day(midnight: datetime, days: int) -> datetime:
    """Midnight so many days later by the calendar: a day may have 23 or 25 hours."""
    return midnight + timedelta(days=days)


def _next_day(midnight: datetime) -> float:
    return _day(midnight, 1).timestamp()
