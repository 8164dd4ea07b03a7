"""The cost report as people ask for it in Slack: its words read, the books asked, a Markdown table answered."""

import asyncio
import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Protocol

from bot.ask import Ask
from bot.ledger import Entry
from bot.policy import Policy
from bot.report import BadPeriod, By, Line, Period, Report, build, cell
from bot.slack.words import fenced

ROWS = 40  # of a table in Slack; the rest is in the total
CSV_ROWS = 100  # of a CSV in a message
WORD_CHARS = 40  # of a word that is repeated to who wrote it
CENT = Decimal("0.01")
DIMENSIONS: Mapping[str, By] = {
    "user": "user",
    "users": "user",
    "person": "user",
    "model": "model",
    "feature": "feature",
    "day": "day",
    "channel": "channel",
}
USAGE = (
    "`/cost [today | 7d | this month | last month | 2026-11] [#channel] [by user|model|feature|day] "
    "[csv]`, such as `/cost last month by model`"
)
_BY = re.compile(r"\bby\s+(\w+)", re.IGNORECASE)
_CSV = re.compile(r"\b(?:as\s+)?csv\b", re.IGNORECASE)
_CHANNEL = re.compile(r"(?:\bin\s+)?<#(\w+)(?:\|[^>]*)?>")


class Books(Protocol):
    """What is needed of the ledger."""

    async def rows(self, *, since: float, until: float, channel: str | None = None) -> list[Entry]:
        """The entries of a span of time; of one channel, or of all with None."""
        ...


class Names(Protocol):
    """What is needed of people."""

    async def names(self, users: Iterable[str]) -> dict[str, str]:
        """People's names by their ids."""
        ...

    async def channels(self, channels: Iterable[str]) -> dict[str, str]:
        """Channels' names by their ids."""
        ...


@dataclass(frozen=True, slots=True)
class Query:
    """What a cost report is to show. `channel` is "" where none was named; `period` is as it was written."""

    period: str = "this month"
    channel: str = ""
    by: By | None = None
    csv: bool = False


@dataclass(frozen=True, slots=True)
class Unclear:
    """Words that no report can be made from; the sentence says what is understood."""

    sentence: str


def parse(text: str) -> Query | Unclear:
    """What the words after `cost` ask for, in any order."""
    rest = text
    channel = next(iter(_CHANNEL.findall(rest)), "")
    rest = _CHANNEL.sub(" ", rest)
    by: By | None = None
    if named := _BY.search(rest):
        word = named[1].lower()
        if word not in DIMENSIONS:
            return Unclear(f"I can't split by `{word[:WORD_CHARS]}`. {USAGE}")
        by = DIMENSIONS[word]
        rest = _BY.sub(" ", rest)
    csv = bool(_CSV.search(rest))
    period = " ".join(_CSV.sub(" ", rest).split()).lower()
    if "#" in period:
        return Unclear(f"Choose the channel from Slack's list, so that I know which. {USAGE}")
    return Query(period or "this month", channel, by, csv)


class Costs:
    """Answers cost reports.

    Args:
        policy: who may see what.
        ledger: the books.
        people: for names.
        now: seconds since the epoch.
    """

    def __init__(
        self, *, policy: Policy, ledger: Books, people: Names, now: Callable[[], float]
    ) -> None:
        self._policy = policy
        self._ledger = ledger
        self._people = people
        self._now = now

    async def answer(self, ask: Ask) -> str:
        """The report an ask wants, as Markdown, or the sentence why there is none.

        Raises:
            StoreDown: the books cannot be read.
        """
        query = parse(ask.text)
        if isinstance(query, Unclear):
            return query.sentence
        zone = self._policy.workspace.zone
        try:
            period = Period.parse(query.period, now=self._now(), zone=zone)
        except BadPeriod as error:
            return f"{error}\n{USAGE}"
        scope = self._scope(ask, query)
        if isinstance(scope, Unclear):
            return scope.sentence
        entries = await self._ledger.rows(since=period.since, until=period.until, channel=scope)
        by: By = query.by or ("feature" if scope else "channel")
        names = await self._names(entries, by)
        # Adding up a busy month takes a while; the loop has others to serve.
        report = await asyncio.to_thread(
            build, entries, by=by, period=period, named=lambda key: names.get(key, key)
        )
        if query.csv:
            return as_csv(report)
        where = "all channels" if scope is None else "this channel"
        if scope not in (None, ask.channel):
            where = (await self._people.channels([scope or ""])).get(scope or "", scope or "")
        return as_markdown(report, where)

    def _scope(self, ask: Ask, query: Query) -> str | Unclear | None:
        """The channel to report on, None for all of them, or why not."""
        admin = self._policy.is_admin(ask.user)
        here = ask.channel_kind != "im"
        channel = query.channel or ask.channel
        if query.by == "channel" or (not here and not query.channel and admin):
            return None if admin else Unclear("Only admins see all channels; ask in one of them.")
        if channel != ask.channel and not admin:
            return Unclear("Only admins see what another channel cost; ask for it there.")
        if query.by == "user" and (here or query.channel):
            rules = self._policy.rules(channel)
            if not self._policy.may_see_persons(rules, ask.user):
                return Unclear("Who spent what is shown to admins only here (`see_persons`).")
        return channel

    async def _names(self, entries: Iterable[Entry], by: By) -> dict[str, str]:
        if by == "user":
            return await self._people.names({e.user for e in entries if e.user})
        if by == "channel":
            return await self._people.channels({e.channel for e in entries if e.channel})
        return {}


def as_markdown(report: Report, where: str) -> str:
    """A report as a table, with a total and what one has to know to trust it."""
    title = f"**What Claude cost in {where}, {report.period.name}**"
    if not report.lines:
        return f"{title}\n\nNothing."
    shown = report.lines[:ROWS] if report.by != "day" else report.lines[-ROWS:]
    rows = "\n".join(_row(line) for line in shown)
    table = f"| {report.by} | asks | cost | from cache |\n| --- | ---: | ---: | ---: |\n{rows}"
    total = _row(replace(report.total, key="**total**"))
    return "\n".join([title, "", table, total, *_notes(report, len(report.lines) - len(shown))])


def as_csv(report: Report) -> str:
    """A report as a fenced block of CSV, exact to the last digit."""
    rows = report.table()
    kept = rows if len(rows) <= CSV_ROWS else [*rows[: CSV_ROWS - 1], rows[-1]]
    out = io.StringIO()
    writer = csv.DictWriter(out, list(kept[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: cell(value) for key, value in row.items()} for row in kept)
    note = "" if kept is rows else f"\n{len(rows) - len(kept)} more lines: `purser report`."
    return f"{report.period.name}\n{fenced(out.getvalue(), 'csv')}{note}"


def money(amount: Decimal) -> str:
    """Dollars and cents; what is less than a cent but not nothing says so."""
    if 0 < amount < CENT:
        return "less than $0.01"
    return f"${amount.quantize(CENT, ROUND_HALF_UP):,}"


def _row(line: Line) -> str:
    key = line.key.replace("|", "¦").replace("\n", " ")
    return f"| {key} | {line.asks} | {money(line.cost)} | {line.cached_share:.0%} |"


def _notes(report: Report, left_out: int) -> list[str]:
    total = report.total
    notes: list[str] = []
    if left_out:
        notes.append(f"{left_out} more lines are in the total; `purser report` shows them.")
    if total.unconfirmed:
        notes.append(
            f"{money(total.unconfirmed)} of it is our estimate: those answers were not read to their end."
        )
    if total.refused:
        notes.append(f"{money(total.refused)} of it went into refusals.")
    if report.unpriced_models:
        models = ", ".join(report.unpriced_models)
        notes.append(
            f"{total.unpriced:,} tokens have no known price ({models}): the true cost is higher."
        )
    return ["", *notes] if notes else []
