"""The books of one ask: money is reserved before a request leaves, and booked when it ends.

What a request may cost at most is reserved in the commit that lets it out; its end is one
commit too: the ledger's row, the journalled response, the reservation given back. Whatever
happens between the two is found open in the journal, and booked as unconfirmed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.answer import Estimate, Receipt
from bot.ask import Lease
from bot.journal import Told
from bot.ledger import Entry
from bot.prices import assumed, dollars, estimate, picos
from bot.store import Transaction
from bot.turn.brief import Brief, Rooms
from bot.turn.request import TOKENS_PER_SECOND, Order
from bot.turn.response import Response
from bot.turn.rows import Cause, kinds, settled, unconfirmed
from bot.usage import Usage


@dataclass(slots=True)
class Tally:
    """What the calls of an ask have cost so far."""

    picos: int = 0
    unconfirmed: int = 0
    priced: bool = True
    prompt: int = 0
    cached: int = 0
    output: int = 0
    thinking: int = 0
    tools: int = 0
    rounds: int = 0
    model: str = ""  # who answered last
    estimate: Estimate | None = None  # of it all, made beforehand

    def add(self, row: Entry) -> None:
        """Count a row of the books; where its price is unknown, so is the whole, and what is not billed is nothing."""
        if not row.billed:
            return
        self.prompt += row.usage.prompt_tokens
        self.cached += row.cache_read_tokens
        self.output += row.output_tokens
        self.thinking += row.thinking_tokens
        if row.cost is None:
            self.priced = False
            return
        cost = picos(row.cost)
        self.picos += cost
        if row.status == "unconfirmed":
            self.unconfirmed += cost

    def receipt(self, model: str, seconds: float) -> Receipt:
        """Write what stands under the answer."""
        return Receipt(
            cost=dollars(self.picos) if self.priced else None,
            unconfirmed=dollars(self.unconfirmed),
            input_tokens=self.prompt,
            cached_tokens=self.cached,
            output_tokens=self.output,
            thinking_tokens=self.thinking,
            tools=self.tools,
            rounds=self.rounds,
            seconds=seconds,
            model=self.model or model,
            estimate=self.estimate,
        )


class Books:
    """Reserves and books for one ask, and counts what it has cost.

    Args:
        rooms: what every turn works with.
        lease: every commit is conditioned on it.
        brief: for the limits.
    """

    def __init__(self, rooms: Rooms, lease: Lease, brief: Brief) -> None:
        self._rooms, self._lease, self._brief = rooms, lease, brief
        self.tally = Tally()
        self._expected = False  # the estimate is written down

    def worst(self, order: Order, input_tokens: int) -> int:
        """Give what a call may cost at most, in picos: all written to the dearest cache, all output used."""
        most = int(order.body["max_tokens"])
        usage = Usage(
            cache_write_1h_tokens=input_tokens, output_tokens=most, service_tier=order.tier
        )
        cost = estimate(usage, model=order.model, at=self._rooms.now())
        if cost is not None:
            return cost.picos
        return assumed(input_tokens, most)

    async def send(self, n: int, order: Order, worst: int) -> None:
        """Reserve and journal, on disk before the request leaves.

        Raises:
            OverBudget: a budget, or the ask's own limit, does not cover it; nothing was reserved.
            LeaseLost: another worker has this ask.
            StoreDown: nothing was written, so nothing may leave.
        """
        tx = Transaction(self._lease)
        self._rooms.budget.reserve(
            tx,
            self._lease,
            n=n,
            picos=worst,
            channel_limit=self._brief.rules.monthly_budget_usd,
            workspace_limit=self._brief.workspace.monthly_budget_usd,
            ask_limit=self._brief.rules.ask_limit_usd,
        )
        cost = estimate(order.likely, model=order.model, at=self._rooms.now())
        self._rooms.journal.sending(
            tx,
            self._lease,
            n=n,
            model=order.model,
            purpose=order.purpose,
            prefix_hash=order.key,
            estimate=order.likely,
            estimate_cost=cost.picos if cost else None,
            price_version=cost.version if cost else "",
            prompt_version=self._rooms.prompts.version,
            sections=order.sections,
        )
        if self.tally.estimate is not None and not self._expected:
            self._rooms.estimates.put(tx, self._lease, self.tally.estimate)
        await self._rooms.store.commit(tx)
        self._expected = self.tally.estimate is not None

    async def book(self, n: int, order: Order, response: Response) -> None:
        """Book a response and journal it; on disk before anything follows from it."""
        rows = settled(response, self._cause(order.purpose), at=self._rooms.now())
        await self._end(n, rows, response.message)
        self._answered(order, response)
        self._count(rows)

    async def book_broken(
        self,
        n: int,
        order: Order,
        *,
        usage: Usage | None,
        why: str,
        model: str | None = None,
        message_id: str | None = None,
    ) -> None:
        """Close a request that came to nothing; with `usage` it may be billed, and is booked as unconfirmed."""
        if usage is None:
            await self._end(n, (), None, why)
            return
        await self._unconfirmed(n, usage, model or order.model, order.purpose, message_id, why)

    async def settle_lost(self, told: Told) -> None:
        """Book the requests that a killed worker left open, rather too high.

        By the estimate made before they left, or by all that Claude can have generated since.
        """
        for one in (one for one in told.attempts if one.status == "open"):
            since = min(self._brief.max_tokens, (self._rooms.now() - one.at) * TOKENS_PER_SECOND)
            output = max(one.estimate.output_tokens, round(since))
            usage = replace(one.estimate, output_tokens=output)
            message_id = one.message_id or None
            await self._unconfirmed(one.n, usage, one.model, one.purpose, message_id, "lost")

    def replayed(self, order: Order, response: Response) -> None:
        """Count a response that was booked before a restart."""
        self._answered(order, response)
        for row in settled(response, self._cause(order.purpose), at=self._rooms.now()):
            self.tally.add(row)

    def _answered(self, order: Order, response: Response) -> None:
        if order.aloud:
            self.tally.model = response.model

    async def _unconfirmed(
        self, n: int, usage: Usage, model: str, purpose: str, message_id: str | None, why: str
    ) -> None:
        row = unconfirmed(
            usage,
            self._cause(purpose),
            entry_id=f"{self._lease.ask.id}:{n}:unconfirmed",
            model=model,
            at=self._rooms.now(),
            message_id=message_id,
        )
        await self._end(n, (row,), None, why)
        self._count((row,))

    def _cause(self, purpose: str) -> Cause:
        ask = self._lease.ask
        return Cause(
            purpose=purpose,
            prompt_version=self._rooms.prompts.version,
            ask_id=ask.id,
            team=ask.team,
            channel=ask.channel,
            user=ask.user,
            thread=ask.thread,
            feature=self._brief.feature,
        )

    async def _end(
        self,
        n: int,
        rows: Sequence[Entry],
        message: Mapping[str, Any] | None,
        why: str = "",
    ) -> None:
        tx = Transaction(self._lease)
        for row in rows:
            self._rooms.ledger.book(tx, row)
        self._rooms.journal.ended(tx, self._lease, n=n, response=message, error=why)
        self._rooms.budget.release(tx, self._lease, n=n)
        await self._rooms.store.commit(tx)

    def _count(self, rows: Sequence[Entry]) -> None:
        for row in rows:
            self.tally.add(row)
            if not row.billed:
                continue
            channel = self._lease.ask.channel
            self._rooms.metrics.booked(channel, row.model, kinds(row), row.cost)
