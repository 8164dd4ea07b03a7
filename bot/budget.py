"""Spent plus reserved never passes a budget: money is reserved before a call and released when it is booked.

The three limits (the ask's own, the workspace's, the channel's) are checked and the reservation is written in one
transaction, so that asks in flight cannot pass a budget together.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal

from bot.ask import Lease
from bot.errors import OverBudget
from bot.ledger import day_of, month_of
from bot.prices import dollars
from bot.prices import picos as in_picos
from bot.store import Store, Transaction


@dataclass(frozen=True, slots=True)
class BudgetState:
    """A budget of this month, in dollars."""

    spent: Decimal
    reserved: Decimal
    limit: Decimal

    @property
    def left(self) -> Decimal:
        """What may still be reserved."""
        return max(Decimal(0), self.limit - self.spent - self.reserved)


class Budget:
    """Reserves and releases.

    Args:
        store: where reservations lie.
        now: seconds since the epoch.
        zone: whose months budgets follow.
    """

    def __init__(self, store: Store, *, now: Callable[[], float], zone: tzinfo) -> None:
        self._store = store
        self._now = now
        self._zone = zone

    def reserve(
        self,
        tx: Transaction,
        lease: Lease,
        *,
        n: int,
        picos: int,
        channel_limit: Decimal,
        workspace_limit: Decimal,
        ask_limit: Decimal | None = None,
    ) -> None:
        """Reserve what call `n` of an ask may cost at most; the commit raises OverBudget where it is not covered."""
        ask = lease.ask
        if ask_limit is not None:
            limit = in_picos(ask_limit)
            tx.add(
                "budget.reserve_ask",
                must=OverBudget("ask"),
                picos=picos,
                ask_id=ask.id,
                limit=limit,
            )
        self._reserve(tx, ask.id, n, ask.channel, picos, channel_limit, workspace_limit)

    def reserve_call(
        self,
        tx: Transaction,
        call: str,
        *,
        channel: str,
        picos: int,
        channel_limit: Decimal,
        workspace_limit: Decimal,
    ) -> None:
        """The same for a call that no ask makes; `call` is an id of its own."""
        self._reserve(tx, call, 1, channel, picos, channel_limit, workspace_limit)

    def _reserve(
        self,
        tx: Transaction,
        holder: str,
        n: int,
        channel: str,
        picos: int,
        channel_limit: Decimal,
        workspace_limit: Decimal,
    ) -> None:
        month = month_of(self._now(), self._zone)
        tx.add(
            "budget.reserve_workspace",
            must=OverBudget("workspace"),
            picos=picos,
            month=month,
            limit=in_picos(workspace_limit),
        )
        tx.add(
            "budget.reserve",
            must=OverBudget("channel"),
            picos=picos,
            ask_id=holder,
            n=n,
            channel=channel,
            day=day_of(self._now(), self._zone),
            month=month,
            limit=in_picos(channel_limit),
            now=self._now(),
        )

    def release(self, tx: Transaction, lease: Lease, *, n: int) -> None:
        """Give back what was reserved for a call; its booking stands in the same transaction."""
        tx.add("budget.release", ask_id=lease.ask.id, n=n)

    def release_call(self, tx: Transaction, call: str) -> None:
        """The same for a call that no ask made."""
        tx.add("budget.release", ask_id=call, n=1)

    async def state(self, channel: str, limit: Decimal) -> BudgetState:
        """This month's budget of a channel; of the whole workspace with ""."""
        month = month_of(self._now(), self._zone)
        row = (await self._store.read("budget.state", channel=channel, month=month))[0]
        return BudgetState(dollars(row["spent"]), dollars(row["reserved"]), limit)
