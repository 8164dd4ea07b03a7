"""What is said by the calendar: Monday's five lines in a channel, and the month, to the admins.

From nine in the morning, workspace time, until the day ends; where nothing was spent nothing is said.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta

from bot.account import Accounts
from bot.ledger import Ledger
from bot.policy import Policy
from bot.report import Period
from bot.schedule import Due
from bot.sentences import sentences
from bot.slack.blocks import money as to_the_last
from bot.slack.sheets import as_markdown, money

HOUR = 9  # of the morning, in the workspace's time zone
LINES = 5
MONDAY = 0


class Bulletins:
    """Writes what is due by the calendar.

    Args:
        policy: who wants to read it.
        ledger: which channels spent anything.
        accounts: draws up what they spent.
        now: seconds since the epoch.
    """

    def __init__(
        self, *, policy: Policy, ledger: Ledger, accounts: Accounts, now: Callable[[], float]
    ) -> None:
        self._policy, self._ledger, self._accounts, self._now = policy, ledger, accounts, now
        self._day = date.min
        self._written: dict[str, Due] = {}  # on that day: what is due is found again at every look

    async def weekly(self) -> Sequence[Due]:
        """On Mondays last week's five lines, for each channel that wants them. Raises StoreDown."""
        here = self._here()
        if here.weekday() != MONDAY or here.hour < HOUR:
            return ()
        monday = here.date()
        week = self._period(monday - timedelta(days=7), monday)
        spent = await self._ledger.totals("channel", week.first, week.end)
        wanted = [c for c in spent if c and self._policy.rules(c).weekly_report]
        year, number, _ = week.first.isocalendar()
        keys = {f"weekly:{channel}:{year}-W{number:02}": channel for channel in wanted}
        written = self._today()
        for key, channel in keys.items():
            if key not in written:
                written[key] = Due(key, await self._week(week, channel), channel)
        return [written[key] for key in keys]

    async def monthly(self) -> Sequence[Due]:
        """On the first day the month before, to the admins. Raises StoreDown."""
        here = self._here()
        if here.day != 1 or here.hour < HOUR:
            return ()
        first = here.date()
        month = self._period((first - timedelta(days=1)).replace(day=1), first)
        key, written = f"monthly:{month.name}", self._today()
        if key in written:
            return [written[key]]
        account = await self._accounts.draw(month, by="channel", channel=None)
        if not account.report.lines:
            return ()
        limit = self._policy.workspace.monthly_budget_usd
        text = as_markdown(account, "the whole workspace", limit)
        written[key] = Due(key, text)
        return [written[key]]

    def _today(self) -> dict[str, Due]:
        """What was written today."""
        if (today := self._here().date()) != self._day:
            self._day, self._written = today, {}
        return self._written

    async def _week(self, week: Period, channel: str) -> str:
        account = await self._accounts.draw(week, by="feature", channel=channel)
        today = self._here().date()
        month = await self._accounts.draw(
            Period.parse("this month", now=self._now(), zone=week.zone),
            by="feature",
            channel=channel,
        )
        limit = self._policy.rules(channel).monthly_budget_usd
        so_far = sentences(month, money=money, limit=limit)[0]
        told = sentences(account, money=money, limit=None, fine=to_the_last)[: LINES - 1]
        lines = "\n".join(f"- {line}" for line in [*told, f"{today:%B} so far: {so_far}"])
        return f"**What Claude cost here last week, {week.name}**\n{lines}"

    def _here(self) -> datetime:
        return datetime.fromtimestamp(self._now(), self._policy.workspace.zone)

    def _period(self, first: date, end: date) -> Period:
        """Whole days, from midnight to midnight."""
        zone = self._policy.workspace.zone
        since, until = (datetime.combine(day, time(), zone).timestamp() for day in (first, end))
        whole_month = first.day == 1 and end.day == 1
        last = end - timedelta(days=1)
        name = f"{first:%Y-%m}" if whole_month else f"{_day(first)} to {_day(last)}"
        return Period(name, since, until, zone)


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"
