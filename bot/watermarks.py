"""When spending has to be told: a budget half, four fifths or nearly spent, and a channel that runs away.

Each is told once: for each budget and month once per mark, for a runaway once a day and channel. Of several marks
passed at once the highest is told.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from statistics import median

from bot.budget import Budget
from bot.ledger import Ledger, month_of
from bot.policy import Policy
from bot.schedule import Due

MARKS = (95, 80, 50)  # per cent of a budget
HOUR_SECONDS = 3600.0
RUNAWAY = 5  # times what a channel usually spends in a day, within an hour
USUAL_DAYS = 28  # looked back at for what is usual
DAYS_AT_LEAST = 3  # with spending, of these; with fewer nothing is usual
RUNAWAY_AT_LEAST = Decimal(1)  # dollars; less runs nowhere


class Watermarks:
    """Looks at budgets and at the last hour.

    Args:
        policy: budgets, and who can raise them.
        budget: what is spent of them.
        ledger: what was spent when.
        now: seconds since the epoch.
    """

    def __init__(
        self, *, policy: Policy, budget: Budget, ledger: Ledger, now: Callable[[], float]
    ) -> None:
        self._policy, self._budget, self._ledger, self._now = policy, budget, ledger, now

    async def budgets(self) -> Sequence[Due]:
        """The highest mark that each channel's budget, and the workspace's, has passed. Raises StoreDown."""
        zone = self._policy.workspace.zone
        month = month_of(self._now(), zone)
        first = datetime.fromtimestamp(self._now(), zone).date().replace(day=1)
        following = (first + timedelta(days=32)).replace(day=1)
        spent = await self._ledger.totals("channel", first, following)
        found = [
            self._marked(month, channel, self._policy.rules(channel).monthly_budget_usd, one.cost)
            for channel, one in spent.items()
            if channel
        ]
        limit = self._policy.workspace.monthly_budget_usd
        whole = await self._budget.state("", limit)
        found.append(self._marked(month, "", limit, whole.spent))
        return [due for due in found if due is not None]

    async def runaways(self) -> Sequence[Due]:
        """Channels that spent in the last hour five times what they usually spend in a day. Raises StoreDown."""
        hour = await self._ledger.spent_since(self._now() - HOUR_SECONDS)
        fast = {channel: cost for channel, cost in hour.items() if cost >= RUNAWAY_AT_LEAST}
        if not fast:
            return ()
        zone = self._policy.workspace.zone
        today = datetime.fromtimestamp(self._now(), zone).date()
        found: list[Due] = []
        for channel, cost in fast.items():
            days = await self._ledger.totals(
                "day", today - timedelta(days=USUAL_DAYS), today, channel=channel
            )
            spent = [one.cost for one in days.values() if one.cost]
            if len(spent) < DAYS_AT_LEAST or cost <= RUNAWAY * (usual := median(spent)):
                continue
            text = (
                f"In the last hour this channel (<#{channel}>) spent {_dollars(cost)}; on a usual day it spends "
                f"{_dollars(usual)}. `/cost today by user` shows on what; an admin stops it with `/purser pause`."
            )
            key = f"runaway:{channel}:{today.isoformat()}"
            found.append(Due(key, text, channel=channel, admins=True))
        return found

    def _marked(self, month: str, channel: str, limit: Decimal, spent: Decimal) -> Due | None:
        """The highest mark that a budget has passed."""
        passed = [mark for mark in MARKS if limit > 0 and spent * 100 >= limit * mark]
        if not passed:
            return None
        share = (spent * 100 / limit).quantize(Decimal(1), ROUND_DOWN)
        whose = f"This channel (<#{channel}>)" if channel else "The whole workspace"
        raised = (
            f"An admin raises it with `/purser budget {_raised(limit)}` in the channel."
            if channel
            else "It is raised in purser.toml, `[workspace] monthly_budget_usd`."
        )
        text = (
            f"{whose} has spent {_dollars(spent)} of its {_dollars(limit)} for {month}: {share} %. "
            f"When it is spent I stop there, and say so to whoever asks. {raised}"
        )
        key = f"budget:{month}:{channel}:{limit:f}:{passed[0]}"
        return Due(key, text, channel=channel, admins=True)


def _raised(limit: Decimal) -> Decimal:
    """A rounder budget, by half and at least a dollar."""
    return max(Decimal(1), (limit * 3 / 2).quantize(Decimal(1)))


def _dollars(amount: Decimal) -> str:
    return f"${amount.quantize(Decimal('0.01')):,}"
