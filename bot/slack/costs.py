"""The cost report as people ask for it in Slack: its words read, who may see what, the account drawn up and shown."""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from bot.account import Account, Accounts
from bot.answer import Answer, Receipt
from bot.ask import Ask
from bot.estimates import Estimates
from bot.figures import PerAsk
from bot.hindsight import Hindsight
from bot.ledger import Ledger
from bot.policy import Policy
from bot.report import BadPeriod, By, Period
from bot.slack.blocks import Block
from bot.slack.sheets import as_csv, as_file, as_markdown, chart, dearest, share
from bot.slack.wire import SlackError

WORD_CHARS = 40  # of a word that is repeated to who wrote it
LINKS = 3  # to the dearest asks
DIMENSIONS: Mapping[str, By] = {
    "user": "user",
    "users": "user",
    "person": "user",
    "model": "model",
    "feature": "feature",
    "day": "day",
    "channel": "channel",
    "feedback": "feedback",
    "thumbs": "feedback",
}
USAGE = (
    "`/cost [today | 7d | this month | last month | 2026-11] [#channel] "
    "[by user|model|feature|day|feedback] [csv]`, such as `/cost last month by model`"
)
NOT_YOURS = (
    "You are not in that channel, or I cannot see it, so I don't say what it cost. Name a channel "
    "that both of us are in, such as `/cost this month #general`, or ask an admin."
)
UNKNOWN = (
    "I don't know that channel. Choose one from Slack's list, as in `/cost this month #general`."
)
SENT = "I sent you the report as a file, `{name}`, in our direct messages."
OTHERS_NOTE = "What others spent is one line: admins alone see persons here (`see_persons`)."

_BY = re.compile(r"\bby\s+(\w+)", re.IGNORECASE)
_CSV = re.compile(r"\b(?:as\s+)?csv\b", re.IGNORECASE)
_FORECAST = re.compile(r"\bforecast\b", re.IGNORECASE)  # stands in the report of a month anyway
_CHANNEL = re.compile(r"(?:\bin\s+)?<#(\w+)(?:\|[^>]*)?>")


class Names(Protocol):
    """What is needed of people."""

    async def names(self, users: Iterable[str]) -> dict[str, str]:
        """People's names by their ids."""
        ...

    async def channels(self, channels: Iterable[str]) -> dict[str, str]:
        """Channels' names by their ids."""
        ...

    async def member(self, channel: str, user: str) -> bool:
        """Whether somebody is in a channel, as far as we can see."""
        ...


Deliver = Callable[[str, str, bytes, str], Awaitable[None]]
"""Hand a file to one person alone: (person, name, bytes, words with it); raises SlackError."""

Place = Callable[[str, str], Awaitable[str]]
"""The address of a message, by channel and ts; raises SlackError."""


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
    period = " ".join(_FORECAST.sub(" ", _CSV.sub(" ", rest)).split()).lower()
    if "#" in period:
        return Unclear(f"Choose the channel from Slack's list, so that I know which. {USAGE}")
    return Query(period or "this month", channel, by, csv)


class Costs:
    """Answers cost reports.

    Args:
        policy: who may see what.
        ledger: the books.
        hindsight: what is known of asks beside their cost.
        estimates: what they were likely to cost.
        people: for names, and who is where.
        deliver: hands a CSV file over.
        place: finds the dearest asks.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        *,
        policy: Policy,
        ledger: Ledger,
        hindsight: Hindsight,
        estimates: Estimates,
        people: Names,
        deliver: Deliver,
        place: Place,
        now: Callable[[], float],
    ) -> None:
        self._policy, self._people, self._hindsight = policy, people, hindsight
        self._deliver, self._place, self._now = deliver, place, now
        self._accounts = Accounts(ledger, hindsight, estimates, now=now, names=self._names)

    async def answer(self, ask: Ask) -> Answer:
        """The report an ask wants, for the asker alone, or the sentence why there is none.

        Raises:
            StoreDown: the books cannot be read.
        """
        found = await self._found(ask, alone=ask.user)
        if isinstance(found, Unclear):
            return Answer(found.sentence, Receipt())
        if found.query.csv:
            return Answer(await self._as_file(ask, found), Receipt())
        blocks = [chart(found.account), await self._dearest(found)]
        if found.scope == ask.channel and ask.channel_kind != "im" and found.account.report.lines:
            blocks.append(share(ask.id))
        return Answer(found.text, Receipt(), shown=tuple(b for b in blocks if b is not None))

    async def public(self, ask: Ask) -> tuple[str, list[Block]] | Unclear:
        """The same for everybody in the channel: nobody is named who may not be seen by all.

        Raises:
            StoreDown: the books cannot be read.
        """
        found = await self._found(ask, alone="")
        if isinstance(found, Unclear):
            return found
        drawn = chart(found.account)
        return found.text, [drawn] if drawn else []

    async def _found(self, ask: Ask, *, alone: str) -> "_Found | Unclear":
        """The account that an ask wants; where persons may not be seen, `alone` is the one who is."""
        query = parse(ask.text)
        if isinstance(query, Unclear):
            return query
        scope = await self._scope(ask, query)
        if isinstance(scope, Unclear):
            return scope
        by: By = query.by or ("feature" if scope else "channel")
        try:
            period = Period.parse(query.period, now=self._now(), zone=self._policy.workspace.zone)
            only = alone if by == "user" and not self._sees_persons(scope, alone) else None
            account = await self._accounts.draw(period, by=by, channel=scope, alone=only)
        except BadPeriod as error:
            return Unclear(f"{error}\n{USAGE}")
        where = "all channels" if scope is None else "this channel"
        if scope not in (None, ask.channel):
            where = (await self._people.channels([scope or ""])).get(scope or "", scope or "")
            if where == scope and not account.report.lines:
                return Unclear(UNKNOWN)
        limit = self._policy.workspace.monthly_budget_usd
        if scope is not None:
            limit = self._policy.rules(scope).monthly_budget_usd
        return _Found(query, scope, account, where, limit, hides=only is not None)

    def _sees_persons(self, scope: str | None, user: str) -> bool:
        """Whether somebody, or everybody with "", may see what others spent there."""
        return self._policy.may_see_persons(self._policy.rules(scope or ""), user)

    async def _scope(self, ask: Ask, query: Query) -> str | Unclear | None:
        """The channel to report on, None for all of them, or why not."""
        admin = self._policy.is_admin(ask.user)
        here = ask.channel_kind != "im"
        channel = query.channel or ask.channel
        if query.by == "channel" or (not here and not query.channel and admin):
            return None if admin else Unclear("Only admins see all channels; ask in one of them.")
        if channel == ask.channel or admin or await self._people.member(channel, ask.user):
            return channel
        return Unclear(NOT_YOURS)

    async def _names(self, by: By, ids: Iterable[str]) -> Mapping[str, str]:
        if by == "user":
            return await self._people.names({one for one in ids if one})
        if by == "channel":
            return await self._people.channels({one for one in ids if one})
        return {}

    async def _as_file(self, ask: Ask, found: "_Found") -> str:
        """Hand the report over as a file; where files are refused, it is the answer."""
        report = found.account.report
        name = f"cost {report.period.name} by {report.by}.csv"
        words = f"What Claude cost in {found.where}, {report.period.name}."
        try:
            await self._deliver(ask.user, name, as_file(report), words)
        except SlackError:
            return as_csv(report)
        return SENT.format(name=name)

    async def _dearest(self, found: "_Found") -> Block | None:
        """The dearest asks of the channel with their addresses, as far as they are known."""
        if found.scope is None or found.account.single is None:
            return None
        known: dict[PerAsk, str] = {}
        for one in found.account.single.asks[:LINKS]:
            stands = (one.channel, one.thread) if one.thread else None
            stands = stands or await self._hindsight.place(one.ask_id)
            try:
                if stands is not None and stands[0] == found.scope:
                    known[one] = await self._place(*stands)
            except SlackError:
                continue  # it was deleted, or we were removed
        return dearest(known)


@dataclass(frozen=True, slots=True)
class _Found:
    """An account, and how it is called."""

    query: Query
    scope: str | None
    account: Account
    where: str
    limit: Decimal
    hides: bool  # whether persons are one line

    @property
    def text(self) -> str:
        """As Markdown."""
        said = as_markdown(self.account, self.where, self.limit)
        return f"{said}\n\n{OTHERS_NOTE}" if self.hides else said
