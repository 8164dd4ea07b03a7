"""The App Home: what somebody spent this month, what is left where they ask, and for admins where it all goes.

It is drawn up anew each time it is opened. Opening it is no ask: nothing is stored, nobody waits for it, and at most
two are drawn up at a time, so that many who look do not delay one who asks.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from bot.ask import Ask
from bot.budget import Budget
from bot.errors import StoreDown
from bot.ledger import Ledger
from bot.policy import Policy
from bot.report import Period
from bot.slack.askers import Askers
from bot.slack.blocks import Block, context
from bot.slack.envelope import Opened
from bot.slack.mrkdwn import escaped
from bot.slack.people import People
from bot.slack.sheets import money
from bot.sums import Sum

AT_ONCE = 2  # homes drawn up at the same time
LINES = 10  # channels, and people, in a list
NO_BOOKS = "I cannot read my books just now. Please open this tab again in a minute."
HOW = "Opening this tab again brings it up to date. `/cost` in a channel tells more, `/purser help` the rest."


class Wire(Protocol):
    """What is needed of Slack."""

    async def publish_home(self, user: str, view: Mapping[str, Any]) -> None:
        """Show somebody's App Home; raises SlackError."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """A channel on somebody's home; money in dollars. `own` is what the person spent there themselves."""

    name: str
    own: Sum
    spent: Decimal
    limit: Decimal
    left: Decimal


class Homes:
    """Shows each person their home.

    Args:
        wire: Slack.
        askers: who may ask at all.
        policy: budgets, and who is an admin.
        ledger: the books.
        budget: what is left.
        people: names, and who is where.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        wire: Wire,
        askers: Askers,
        *,
        policy: Policy,
        ledger: Ledger,
        budget: Budget,
        people: People,
        now: Callable[[], float],
    ) -> None:
        self._wire, self._askers, self._policy = wire, askers, policy
        self._ledger, self._budget, self._people = ledger, budget, people
        self._now = now
        self._few = asyncio.Semaphore(AT_ONCE)
        self._showing: set[str] = set()

    async def show(self, opened: Opened) -> None:
        """Draw up somebody's home and show it; if that is under way already, it is enough.

        Raises:
            SlackError: it could not be shown.
        """
        if opened.user in self._showing:
            return
        self._showing.add(opened.user)
        try:
            async with self._few:
                blocks = await self._blocks(opened)
                await self._wire.publish_home(opened.user, {"type": "home", "blocks": blocks})
        finally:
            self._showing.discard(opened.user)

    async def _blocks(self, opened: Opened) -> list[Block]:
        now = self._now()
        asks = Ask(
            id="",
            key="",
            team="",
            channel=opened.channel,
            user=opened.user,
            feature="purser",
            origin="message",
            text="",
            at=now,
            channel_kind="im",
        )
        _, verdict = await self._askers.look(asks)
        if not verdict.allowed:
            return [_section(escaped(verdict.sentence))]
        month = Period.parse("this month", now=now, zone=self._policy.workspace.zone)
        try:
            blocks = await self._own(opened.user, month)
            if self._policy.is_admin(opened.user):
                blocks += await self._everything(month)
        except StoreDown:
            return [_section(NO_BOOKS)]
        at = datetime.fromtimestamp(now, month.zone)
        return [*blocks, context(f"As of {at:%H:%M} ({month.zone}). {HOW}")]

    async def _own(self, user: str, month: Period) -> list[Block]:
        """What somebody spent, and the channels where they did, as long as they are in them."""
        mine = await self._totals(month, user=user)
        whole = sum(mine.values(), Sum())
        asks = "1 ask" if whole.asks == 1 else f"{whole.asks:,} asks"
        blocks = [_header(f"Your use of Claude in {month.first:%B %Y}")]
        if not whole.asks:
            return [*blocks, _section("You have asked nothing yet this month.")]
        blocks.append(_section(f"*{money(whole.cost)}* for {asks}."))
        dearest = _dearest(mine)
        inside = [c for c in dearest if c[:1] != "D" and await self._people.member(c, user)]
        places = await self._places(inside, mine, await self._totals(month))
        if places:
            blocks += [_section("*Your channels*"), _section("\n".join(map(_line, places)))]
        return blocks

    async def _everything(self, month: Period) -> list[Block]:
        """All channels and who spent most: for admins."""
        every = await self._totals(month)
        limit = self._policy.workspace.monthly_budget_usd
        state = await self._budget.state("", limit)
        spent = sum(every.values(), Sum()).cost
        places = await self._places(_dearest(every), {}, every)
        people = await self._ledger.totals("user", month.first, month.end)
        names = await self._people.names(people)
        blocks: list[Block] = [
            {"type": "divider"},
            _header("All channels"),
            _section(f"*{money(spent)}* of {money(limit)}, {money(state.left)} left."),
        ]
        if places:
            blocks.append(_section("\n".join(map(_line, places))))
        spenders = [
            f"{escaped(names.get(one, one))}: {money(people[one].cost)}" for one in _dearest(people)
        ]
        if spenders:
            blocks += [_section("*Who spent most*"), _section("\n".join(spenders))]
        return blocks

    async def _totals(self, month: Period, user: str | None = None) -> dict[str, Sum]:
        return await self._ledger.totals("channel", month.first, month.end, user=user)

    async def _places(
        self, channels: list[str], own: Mapping[str, Sum], every: Mapping[str, Sum]
    ) -> list[Place]:
        names = await self._people.channels(channels)
        places: list[Place] = []
        for channel in channels:
            limit = self._policy.rules(channel).monthly_budget_usd
            left = (await self._budget.state(channel, limit)).left
            name, spent = names.get(channel, channel), every.get(channel, Sum()).cost
            places.append(Place(name, own.get(channel, Sum()), spent, limit, left))
        return places


def _dearest(sums: Mapping[str, Sum]) -> list[str]:
    """The keys that cost most; what all share has none."""
    keys = sorted((key for key in sums if key), key=lambda key: (-sums[key].cost, key))
    return keys[:LINES]


def _line(place: Place) -> str:
    mine = f"{money(place.own.cost)} by you, " if place.own.asks else ""
    return (
        f"*{escaped(place.name)}*: {mine}{money(place.spent)} of {money(place.limit)} in all, "
        f"{money(place.left)} left"
    )


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": text}}
