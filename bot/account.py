"""What a place spent in a span of time, as people ask for it: the report, its days, the forecast, and the figures beside.

Sums are those the books keep. What is about single asks is added from their rows, where these are not too many.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from statistics import median

from bot.estimates import Estimates
from bot.figures import Lost, PerAsk, lost, per_ask
from bot.forecast import HISTORY_DAYS, Forecast, forecast
from bot.hindsight import Hindsight, Thumb
from bot.ledger import Entry, Ledger
from bot.misses import Miss, colds, explained, misses
from bot.report import BadPeriod, By, Period, Report, build, summed
from bot.sums import Sum

CALLS_AT_MOST = 10_000  # looked at one by one while people wait for other answers

Names = Callable[[By, Iterable[str]], Awaitable[Mapping[str, str]]]
"""How channels and people are called, by their ids."""


@dataclass(frozen=True, slots=True)
class Single:
    """What is known of single asks in a span of time."""

    asks: tuple[PerAsk, ...] = ()
    misses: tuple[Miss, ...] = ()
    lost: Lost = field(default_factory=Lost)
    liked: int = 0  # answers with a thumb up
    disliked: int = 0  # with a thumb down
    disliked_cost: Decimal = Decimal(0)
    estimated: int = 0  # asks of which was said before what they would cost
    off: Decimal = Decimal(0)  # by which part of it, the median of them; above or below


@dataclass(frozen=True, slots=True)
class Account:
    """What a place spent.

    Attributes:
        report: the sums.
        days: dollars by day, each day of the period that has begun.
        foretells: whether the period is the month that has begun, so that its end can be foretold.
        forecast: of its end, None where that is too early.
        single: what is about single asks; None where there are too many of them.
        carried: the calls that carried the cache of threads on.
    """

    report: Report
    days: Mapping[date, Decimal] = field(default_factory=dict[date, Decimal])
    foretells: bool = False
    forecast: Forecast | None = None
    single: Single | None = None
    carried: Sum = field(default_factory=Sum)


def _begun(period: Period, today: date) -> list[date]:
    """The days of a period that have begun."""
    count = (min(period.end, today + timedelta(days=1)) - period.first).days
    return [period.first + timedelta(days=n) for n in range(count)]


async def _no_names(_by: By, _ids: Iterable[str]) -> Mapping[str, str]:
    return {}


class Accounts:
    """Draws up accounts.

    Args:
        ledger: the books.
        hindsight: what is known of asks beside their cost.
        estimates: what they were likely to cost.
        now: seconds since the epoch.
        names: how channels and people are called; by default by their ids.
        calls_at_most: see `CALLS_AT_MOST`; None looks at all of them.
    """

    def __init__(
        self,
        ledger: Ledger,
        hindsight: Hindsight,
        estimates: Estimates,
        *,
        now: Callable[[], float],
        names: Names = _no_names,
        calls_at_most: int | None = CALLS_AT_MOST,
    ) -> None:
        self._ledger, self._hindsight, self._estimates = ledger, hindsight, estimates
        self._now, self._names, self._most = now, names, calls_at_most

    async def draw(
        self, period: Period, *, by: By, channel: str | None, alone: str | None = None
    ) -> Account:
        """The account of a channel, or of everything with None.

        Args:
            period: the span of time.
            by: what a line of the report is.
            channel: its id.
            alone: by person, the only one who is named; None names everybody.

        Raises:
            BadPeriod: by feedback, where there is too much in it to look at each call.
            StoreDown: the books cannot be read.
        """
        models = await self._ledger.totals("model", period.first, period.end, channel=channel)
        few = self._most is None or sum(one.entries for one in models.values()) <= self._most
        rows, thumbs = list[Entry](), dict[str, Thumb]()
        if few:
            rows = await self._ledger.rows(since=period.since, until=period.until, channel=channel)
            thumbs = await self._hindsight.thumbs(since=period.since, channel=channel)
        if by != "feedback":
            sums = await self._ledger.totals(by, period.first, period.end, channel=channel)
            called = await self._names(by, sums if alone is None else [alone])
            report = summed(
                sums,
                models,
                by=by,
                period=period,
                named=lambda key: called.get(key, key),
                alone=alone,
            )
        elif few:
            report = await asyncio.to_thread(build, rows, by=by, period=period, thumbs=thumbs)
        else:
            raise BadPeriod("There is too much in it to look at each answer; take less, as `7d`.")
        single = await self._single(rows, thumbs, period, channel) if few else None
        days = await self._days(period, channel)
        purposes = await self._ledger.totals("purpose", period.first, period.end, channel=channel)
        today = datetime.fromtimestamp(self._now(), period.zone).date()
        foretells = period.is_month and period.first <= today < period.end
        return Account(
            report,
            {day: days.get(day, Decimal(0)) for day in _begun(period, today)},
            foretells,
            forecast(days, today=today) if foretells else None,
            single,
            purposes.get("keep_warm", Sum()),
        )

    async def _days(self, period: Period, channel: str | None) -> dict[date, Decimal]:
        """Each day's dollars, from long enough before the period for a forecast."""
        since = period.first - timedelta(days=HISTORY_DAYS)
        sums = await self._ledger.totals("day", since, period.end, channel=channel)
        return {date.fromisoformat(day): one.cost for day, one in sums.items()}

    async def _single(
        self, rows: list[Entry], thumbs: Mapping[str, Thumb], period: Period, channel: str | None
    ) -> Single:
        # Adding up a busy month takes a while; the loop has others to serve.
        asks, missed, gone = await asyncio.to_thread(
            lambda: (per_ask(rows), misses(rows), lost(rows))
        )
        whys = await self._explained(missed, rows, period)
        rated = {e.ask_id: thumbs[e.ask_id] for e in rows if e.ask_id and e.ask_id in thumbs}
        bad = [e.cost or Decimal(0) for e in rows if rated.get(e.ask_id or "") == "bad"]
        said = list(rated.values())
        pairs = await self._estimates.pairs(since=period.since, until=period.until)
        errors = [abs(pair.error) for pair in pairs if channel in (None, pair.channel)]
        return Single(
            asks=asks,
            misses=whys,
            lost=gone,
            liked=said.count("good"),
            disliked=said.count("bad"),
            disliked_cost=sum(bad, Decimal(0)),
            estimated=len(errors),
            off=median(errors) if errors else Decimal(0),
        )

    async def _explained(
        self, missed: Sequence[Miss], rows: Sequence[Entry], period: Period
    ) -> tuple[Miss, ...]:
        """Misses with their causes, and those of what all share."""
        unknown = [miss for miss in missed if not miss.cause and miss.before]
        asks = {row.ask_id for miss in unknown for row in (miss.before, miss.entry) if row}
        named = {ask for ask in asks if ask}
        sections = await self._hindsight.sections(named)
        causes = await self._hindsight.causes(named)
        cold = await self._hindsight.cold(since=period.since, until=period.until)
        return (*(explained(miss, sections, causes) for miss in missed), *colds(rows, cold))
