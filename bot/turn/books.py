"""The books of one ask: money is reserved before a request leaves, and booked when it ends.

What a request may cost at most is reserved in the commit that lets it out; its end is one
commit too: the ledger's row, the journalled response, the reservation given back. Whatever
happens between the two is found open in the journal, and booked as unconfirmed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.answer import Estimate, Receipt
from bot.ask import Lease
from bot.journal import Told
from bot.ledger import Entry
from bot.prices import Cost, assumed, dollars, estimate, price
from bot.store import Transaction
from bot.turn.brief import Brief, Rooms
from bot.turn.request import TOKENS_PER_SECOND, Order
from bot.turn.response import Response
from bot.usage import Usage

NOTHING = Cost(0, "")


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

    def add(self, usage: Usage, cost: Cost | None, *, confirmed: bool = True) -> None:
        """Count a call; where its price is unknown, so is the whole."""
        self.prompt += usage.prompt_tokens
        self.cached += usage.cache_read_tokens
        self.output += usage.output_tokens
        self.thinking += usage.thinking_tokens
        if cost is None:
            self.priced = False
            return
        self.picos += cost.picos
        if not confirmed:
            self.unconfirmed += cost.picos

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
        usage = Usage(cache_write_1h_tokens=input_tokens, output_tokens=most)
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
        )
        if self.tally.estimate is not None and not self._expected:
            self._rooms.estimates.put(tx, self._lease, self.tally.estimate)
        await self._rooms.store.commit(tx)
        self._expected = True

    async def book(self, n: int, order: Order, response: Response) -> None:
        """Book a response and journal it; on disk before anything follows from it."""
        usage = Usage.from_wire(response.message["usage"])
        cost = self._price(usage, response.model) if response.billed else NOTHING
        row = self._entry(
            usage,
            cost,
            entry_id=f"{response.id}:0",
            purpose=order.purpose,
            model=response.model,
            message_id=response.id,
            response=response,
        )
        await self._end(n, row, response.message)
        self._answered(order, response)
        self._count(usage, response.model, cost, confirmed=True, billed=response.billed)

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
            await self._end(n, None, None, why)
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
        usage = Usage.from_wire(response.message["usage"])
        if response.billed:
            self.tally.add(usage, self._price(usage, response.model))

    def _answered(self, order: Order, response: Response) -> None:
        if order.aloud:
            self.tally.model = response.model

    def _price(self, usage: Usage, model: str) -> Cost | None:
        return price(usage, model=model, at=self._rooms.now())

    async def _unconfirmed(
        self, n: int, usage: Usage, model: str, purpose: str, message_id: str | None, why: str
    ) -> None:
        cost = self._price(usage, model)
        row = self._entry(
            usage,
            cost,
            entry_id=f"{self._lease.ask.id}:{n}:unconfirmed",
            purpose=purpose,
            model=model,
            message_id=message_id,
        )
        await self._end(n, row, None, why)
        self._count(usage, model, cost, confirmed=False)

    async def _end(
        self, n: int, row: Entry | None, message: Mapping[str, Any] | None, why: str = ""
    ) -> None:
        tx = Transaction(self._lease)
        if row is not None:
            self._rooms.ledger.book(tx, row)
        self._rooms.journal.ended(tx, self._lease, n=n, response=message, error=why)
        self._rooms.budget.release(tx, self._lease, n=n)
        await self._rooms.store.commit(tx)

    def _count(
        self, usage: Usage, model: str, cost: Cost | None, *, confirmed: bool, billed: bool = True
    ) -> None:
        if not billed:
            return
        self.tally.add(usage, cost, confirmed=confirmed)
        kinds = {
            "input": usage.input_tokens,
            "cache_read": usage.cache_read_tokens,
            "cache_write": usage.cache_write_5m_tokens + usage.cache_write_1h_tokens,
            "output": usage.output_tokens,
        }
        told = dollars(cost.picos) if cost else None
        self._rooms.metrics.booked(self._lease.ask.channel, model, kinds, told)

    def _entry(
        self,
        usage: Usage,
        cost: Cost | None,
        *,
        entry_id: str,
        purpose: str,
        model: str,
        message_id: str | None,
        response: Response | None = None,
    ) -> Entry:
        """A row of the books; an unknown price is None, what is not billed costs exactly nothing."""
        ask = self._lease.ask
        known = response.message if response else {}
        return Entry(
            entry_id=entry_id,
            message_id=message_id,
            iteration=0,
            ask_id=ask.id,
            at=self._rooms.now(),
            team=ask.team,
            channel=ask.channel,
            user=ask.user,
            thread=ask.thread,
            feature=self._brief.feature,
            purpose=purpose,
            model=model,
            prompt_version=self._rooms.prompts.version,
            input_tokens=usage.input_tokens,
            cache_write_5m_tokens=usage.cache_write_5m_tokens,
            cache_write_1h_tokens=usage.cache_write_1h_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            output_tokens=usage.output_tokens,
            thinking_tokens=usage.thinking_tokens,
            service_tier=usage.service_tier,
            speed=usage.speed,
            inference_geo=usage.inference_geo,
            stop_reason=known.get("stop_reason"),
            refusal_category=known.get("refusal_category"),
            billed=response is None or response.billed,
            cost=dollars(cost.picos) if cost else None,
            price_version=cost.version if cost else None,
            request_id=known.get("request_id"),
            ttft_ms=known.get("ttft_ms"),
            latency_ms=known.get("latency_ms"),
            status="settled" if response else "unconfirmed",
        )
