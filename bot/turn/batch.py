"""One request of an ask that can wait: sent as a batch, looked at now and then, booked at a batch's price.

    pace ─ reserve + sending ─ create ─ started (the batch's id) ... look ... look ─ line ─ book + journal + release
                                 └─ was it made? ask the account's list, when the answer was lost

Nothing runs in between: every step is one look at the journal and at most a few calls, and gives the moment of the
next one. So a restart neither loses a batch nor makes a second one: its id is in the journal, and where a process died
between making it and writing that down, or the line broke, the batch is found by the id that its request carries. Each call goes at the pace
that Claude allows calls about batches, which have limits of their own.
"""

import math
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import structlog

from bot.answer import Receipt
from bot.ask import Lease
from bot.errors import PurserError, StoreDown
from bot.governor import Call, GiveUp, Ticket
from bot.journal import Sent, Told
from bot.store import Transaction
from bot.turn.books import Books
from bot.turn.brief import Brief, Rooms
from bot.turn.request import Order
from bot.turn.response import Response
from integrations.claude_batches import LISTED, Batches, Line
from integrations.claude_batches import Batch as Made
from integrations.claude_errors import (
    Broken,
    Busy,
    ClaudeError,
    ModelUnknown,
    RateLimited,
    ServerFailed,
)

FIRST_SECONDS = 30.0  # from making a batch to the first look at it; then ever longer, up to
LOOK_SECONDS = 300.0  # between two looks at a batch
UNSURE_SECONDS = 120.0  # a batch that nobody heard of has to be in the account's list by then
PAGES = 10  # of that list, looked through at most
SKEW_SECONDS = 300.0  # that the account's clock may differ from ours
TIER = "batch"
POOL = "batches"  # by which the governor knows their limits, which no model shares
UNMADE = "unmade"  # of a request that never became a batch: it may be sent once more
BROKEN = "broken"  # of one that failed on Claude's side, which costs nothing: another batch is tried, once
CLAUDES = frozenset({"api_error", "overloaded_error", "rate_limit_error", "timeout_error"})

T = TypeVar("T")

log = structlog.get_logger()


class Held(PurserError):
    """Claude takes no call about batches at the moment; the next look is soon enough."""


@dataclass(frozen=True, slots=True)
class Later:
    """Nothing more can be done before this moment, in epoch seconds."""

    at: float


@dataclass(frozen=True, slots=True)
class Lost:
    """There will be no answer: `why` is errored, canceled, expired, gone, or the class of an error; all is booked."""

    why: str


Step = Later | Response | Lost


class Batch:
    """The request of one ask, as far as it has come.

    Args:
        rooms: what every turn works with.
        batches: Claude's batches.
        lease: the ask.
        brief: for the limits, and for the books.
        told: what the journal knows.
    """

    def __init__(
        self, rooms: Rooms, batches: Batches, lease: Lease, brief: Brief, told: Told
    ) -> None:
        self._rooms, self._batches, self._lease = rooms, batches, lease
        self._told = told
        self._books = Books(rooms, lease, brief)

    @property
    def last(self) -> Sent | None:
        """The newest request, if there is one."""
        return max(self._told.attempts, key=lambda sent: sent.n, default=None)

    @property
    def open(self) -> Sent | None:
        """The request that is under way, if there is one."""
        return self.last if self.last is not None and self.last.status == "open" else None

    def known(self) -> Response | Lost | None:
        """What came of it, as the journal knows; None where it is under way or may be sent."""
        last = self.last
        if last is None or last.status == "open" or last.error in {UNMADE, BROKEN}:
            return None
        message = self._told.responses.get(last.n)
        return Response(message) if message is not None else Lost(last.error)

    def receipt(self, response: Response | None = None) -> Receipt:
        """What it has cost; a response that was booked at an earlier look is counted now."""
        if response is not None and self.last is not None and not self._books.tally.rounds:
            self._books.replayed(_again(self.last), response)
            self._books.tally.rounds = 1
        return self._books.tally.receipt("", 0.0)

    async def send(self, order: Order) -> Step:
        """Send it: reserved and journalled before, and its batch written down after.

        Raises:
            OverBudget: a budget does not cover it; nothing was sent.
            LeaseLost: another worker has this ask.
            StoreDown: it was not written down; then nothing was sent, or it is found again.
        """
        n = self.last.n + 1 if self.last else 1
        try:
            ticket = self._ticket()
        except Held:
            return Later(self._rooms.now() + LOOK_SECONDS)
        try:
            await self._books.send(n, order, self._books.worst(order, order.input_tokens))
            create = partial(self._batches.create, self._name(n), order.body)
            made = await self._paced(create, ticket, spends=True)
        except ClaudeError as error:
            if error.facts.may_be_billed or isinstance(
                error, ServerFailed
            ):  # it may have been made
                return Later(self._rooms.now() + UNSURE_SECONDS)
            waits = isinstance(error, Busy | Broken)
            why = UNMADE if waits else type(error).__name__
            log.warning("no batch was made", ask=self._lease.ask.id, status=type(error).__name__)
            await self._books.book_broken(n, order, usage=None, why=why)
            pause = max(LOOK_SECONDS, error.facts.retry_after or 0.0)
            return Later(self._rooms.now() + pause) if waits else Lost(why)
        finally:
            self._rooms.governor.settle(ticket)
        await self._made(n, made.id)
        return Later(self._rooms.now() + FIRST_SECONDS)

    async def look(self, sent: Sent, *, unwanted: bool = False) -> Step:
        """See how far it is, and book it when it has ended.

        Args:
            sent: the request that is under way.
            unwanted: nobody wants it any more; the batch is given up, and what it did all the same is booked.

        Raises:
            LeaseLost: another worker has this ask.
            StoreDown: it could not be booked; the next look does it.
        """
        try:
            if not sent.message_id:
                return await self._adopted(sent)
            batches, batch = self._batches, sent.message_id
            found = await self._paced(partial(batches.look, batch))
            if not found.ended and unwanted:
                found = await self._paced(partial(batches.cancel, batch))
            if not found.ended:
                return self._later(sent)
            line = await self._paced(partial(batches.line, batch, self._name(sent.n)))
        except Held:
            return self._later(sent)
        except ModelUnknown:  # so the API calls what it does not know: the batch is gone, and what it cost is our guess
            await self._books.settle_lost(self._told)
            return Lost("gone")
        except ClaudeError as error:
            log.warning("a batch was not seen", ask=self._lease.ask.id, status=type(error).__name__)
            return self._later(sent)
        return await self._ended(sent, line)

    async def _ended(self, sent: Sent, line: Line | None) -> Step:
        order = _again(sent)
        if line is None or line.message is None:
            why = line.outcome if line is not None else "gone"
            first = all(one.error != BROKEN for one in self._told.attempts)
            again = first and line is not None and line.error in CLAUDES
            log.warning("a batch without an answer", ask=self._lease.ask.id, why=why, again=again)
            await self._books.book_broken(sent.n, order, usage=None, why=BROKEN if again else why)
            return Later(self._rooms.now()) if again else Lost(why)
        response = Response(_message(line.message))
        await self._books.book(sent.n, order, response)
        self._books.tally.rounds = 1
        return response

    async def _adopted(self, sent: Sent) -> Step:
        """A request whose batch nobody wrote down: found by its name, or it was never made."""
        now = self._rooms.now()
        pending = False
        made, all_seen = await self._made_since(sent.at - SKEW_SECONDS)
        for batch in made:
            if batch.requests != 1:
                continue
            if await self._rooms.journal.names(batch.id, since=sent.at - SKEW_SECONDS):
                continue
            if not batch.ended:  # its requests are not told before that
                pending = True
                continue
            try:
                line = await self._paced(partial(self._batches.line, batch.id, self._name(sent.n)))
            except ModelUnknown:  # somebody else's, and deleted since
                continue
            if line is not None:
                await self._made(sent.n, batch.id)
                return await self._ended(sent, line)
        if pending or now < sent.at + UNSURE_SECONDS:
            return self._later(sent)
        if not all_seen:
            # It may lie behind those that are looked through: sent again it would cost twice.
            await self._books.settle_lost(self._told)
            return Lost("gone")
        await self._books.book_broken(sent.n, _again(sent), usage=None, why=UNMADE)
        return Later(now)

    async def _made_since(self, since: float) -> tuple[list[Made], bool]:
        """The account's batches since then, the newest first, so many at most; and whether those are all."""
        found: list[Made] = []
        for _ in range(PAGES):
            last = found[-1].id if found else ""
            page = await self._paced(partial(self._batches.recent, before=last))
            found += page
            if len(page) < LISTED or page[-1].created < since:
                return [one for one in found if one.created >= since], True
        return found, False

    async def _made(self, n: int, batch_id: str) -> None:
        tx = Transaction(self._lease)
        self._rooms.journal.started(tx, self._lease, n=n, message_id=batch_id)
        await self._rooms.store.commit(tx)

    def _ticket(self) -> Ticket:
        """Leave for one call, at once.

        Raises:
            Held: a limit was reached, Claude is overloaded, or the account's money has run out.
        """
        ask = self._lease.ask
        ticket = self._rooms.governor.spare(Call(POOL, channel=ask.channel, person=ask.user))
        if ticket is None:
            raise Held
        return ticket

    async def _paced(
        self,
        call: Callable[[], Awaitable[T]],
        ticket: Ticket | None = None,
        *,
        spends: bool = False,
    ) -> T:
        """Make one call; how it ends is told to the governor, and to admins where they have to mend it.

        Args:
            call: makes it.
            ticket: the leave for it, where it was given before.
            spends: that it is taken shows that the account has money.

        Raises:
            Held: see `_ticket`.
            ClaudeError: the call failed.
        """
        governor, ticket, used = self._rooms.governor, ticket or self._ticket(), None
        try:
            given = await call()
            used = 0 if spends else None
            return given
        except ClaudeError as error:
            if isinstance(error, RateLimited):
                self._rooms.metrics.rate_limited(POOL, error.facts.which or "unknown")
            step = governor.decide(ticket, error, attempt=1, deadline=math.inf)
            if isinstance(step, GiveUp) and step.alarm:
                day = datetime.fromtimestamp(self._rooms.now(), UTC).date().isoformat()
                with suppress(StoreDown):  # the log has it
                    await self._rooms.alerts.tell(f"claude:{day}:{step.sentence}", step.sentence)
            raise
        finally:
            governor.settle(ticket, output_tokens=used)

    def _name(self, n: int) -> str:
        """By which the request is found among a batch's results."""
        return f"{self._lease.ask.id}-{n}"

    def _later(self, sent: Sent) -> Later:
        """The next look: after half of the time that it took so far, within bounds."""
        now = self._rooms.now()
        return Later(now + min(max((now - sent.at) / 2, FIRST_SECONDS), LOOK_SECONDS))


def _again(sent: Sent) -> Order:
    """The order as far as the books need it."""
    body: Mapping[str, Any] = {"model": sent.model}
    return Order(sent.purpose, body, sent.prefix_hash, 0, 0, tier=TIER)


def _message(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """A response as the journal keeps it; how long it took nobody knows, and at whose price it came is certain."""
    unknown = {"request_id": None, "ttft_ms": None, "latency_ms": None, "cache_miss": None}
    usage: Mapping[str, Any] = message["usage"]
    return {**message, **unknown, "usage": {**usage, "service_tier": TIER}}
