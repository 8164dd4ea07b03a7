"""One call of Claude after the other: paced, booked, streamed, and tried again where it helps.

replay? -> count? -> pace -> reserve + sending -> stream -> book + journal + release
                      ^                             |
                      +-------- wait, once ---------+
"""

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog

from bot.answer import Receipt, Thinking, Waiting, Whole
from bot.ask import Lease
from bot.errors import OverBudget, PurserError, StoreDown
from bot.governor import Call, GiveUp, Retry, Ticket, spoken
from bot.journal import Told
from bot.store import Transaction
from bot.turn.books import Books
from bot.turn.bounds import beyond_ask, beyond_window, over
from bot.turn.brief import Brief, Rooms
from bot.turn.request import TOKENS_PER_SECOND, Order, head_of
from bot.turn.response import Filtered, Outcome, Response, Unanswered
from bot.turn.thoughts import Thoughts
from bot.turn.voice import Voice
from bot.usage import Usage
from integrations.claude_errors import BadRequest, ClaudeError, OutputFiltered, RateLimited
from integrations.claude_events import Finished, Started, Text, ToolForming
from integrations.claude_events import Thinking as Thought

COUNT_MARGIN = 1.1  # counting is an estimate too
# From here on a request is counted: our bound may be twice what it has, and would keep it waiting for a pace, or from
# a budget, that it does not need. Counting costs nothing and a tenth of a second.
COUNTED_TOKENS = 100_000
CHARS_PER_TOKEN = 2.0  # of what was streamed and never confirmed, estimated from above
UNSEEN_TOKENS = 100  # generated when a line broke, and not seen any more
SERVED = (
    "`{served}` answered where `{asked}` is set. What it costs is booked at `{served}`'s price; see the Claude "
    "Console, or set the model you want under `model` in purser.toml."
)
BREATH = 8  # events of an answer that comes all at once, after which it is somebody else's turn
AGAIN = "The answer broke off in the middle; Claude is asked again."

log = structlog.get_logger()


@dataclass(slots=True)
class _Flight:
    """One request on its way, and what is known of it."""

    n: int
    attempt: int
    order: Order
    ticket: Ticket
    began: float
    heard: Callable[[], None]  # told when its answer begins
    started: Started | None = None
    since: float = 0.0  # when it started
    streamed: int = 0  # characters

    def usage(self, now: float) -> Usage:
        """What it has cost if nothing more of it is ever heard, rather too high: by what was shown, or by the time."""
        if self.started is None:
            return self.order.likely
        known = dict(self.started.usage)
        worked = max(self.streamed / CHARS_PER_TOKEN, (now - self.since) * TOKENS_PER_SECOND)
        most = int(self.order.body["max_tokens"])
        known["output_tokens"] = min(most, round(worked) + UNSEEN_TOKENS)
        return Usage.from_wire(known)


class Calls:
    """Makes the calls of one ask.

    Args:
        rooms: what every turn works with.
        lease: the ask.
        brief: for the bounds.
        told: what the journal knows from before a restart.
        voice: speaks the text.
        books: pays.
        deadline: on the rooms' clock.
    """

    def __init__(
        self,
        rooms: Rooms,
        lease: Lease,
        brief: Brief,
        *,
        told: Told,
        voice: Voice,
        books: Books,
        deadline: float,
    ) -> None:
        self._rooms, self._lease, self._brief = rooms, lease, brief
        self._voice, self._books, self._deadline = voice, books, deadline
        self._began = rooms.clock()
        self._n = max((one.n for one in told.attempts), default=0)
        self._counts: dict[str, int] = {}  # by an order's key
        self.recorded = {
            one.prefix_hash: Response(told.responses[one.n])
            for one in told.attempts
            if one.n in told.responses
        }

    def receipt(self) -> Receipt:
        """What it has cost so far."""
        return self._books.tally.receipt(self._brief.model, self._rooms.clock() - self._began)

    async def call(self, order: Order, *, heard: Callable[[], None] = lambda: None) -> Outcome:
        """Have a request answered; one that was answered before a restart is not paid again.

        Several may be under way at the same time, as long as at most one of them is aloud.

        Args:
            order: the request.
            heard: told when its answer begins; from then on others read from cache what it wrote there.

        Raises:
            LeaseLost: another worker has this ask.
            StoreDown: the books cannot be written; nothing more is sent.
        """
        if order.key in self.recorded:
            return self._replayed(order)
        tokens = await self._tokens(order)
        if sentence := self.beyond(order):
            return Unanswered(sentence)
        attempt = 0
        while True:
            attempt += 1
            ticket = await self._admitted(order, tokens, again=attempt > 1)
            if isinstance(ticket, Unanswered):
                return ticket
            mark = self._voice.mark()
            try:
                outcome = await self._attempt(order, ticket, tokens, attempt, heard)
            finally:
                self._rooms.governor.settle(ticket)
            if not isinstance(outcome, Retry):
                return outcome
            if order.aloud:
                self._voice.take_back(mark, AGAIN)
            if outcome.seconds:
                self._waits(outcome.seconds, outcome.reason)
                await self._rooms.sleep(outcome.seconds)

    def _replayed(self, order: Order) -> Response:
        response = self.recorded[order.key]
        self._books.replayed(order, response)
        for block in response.content if order.aloud else ():
            if block["type"] == "text":
                self._voice.say(str(block["text"]))
            elif block["type"] == "tool_use":
                self._voice.pause()
        return response

    async def count(self, order: Order) -> int | None:
        """How many tokens a request has by Claude's count, which is asked for once; None where it is not to be had."""
        if order.key not in self._counts:
            try:
                self._counts[order.key] = await self._rooms.claude.count_tokens(order.body)
            except ClaudeError:
                return None
        return self._counts[order.key]

    async def _tokens(self, order: Order) -> int:
        """At most, about: by Claude's count where attachments are in it, where it is long, or where it is known already."""
        long = order.input_tokens > COUNTED_TOKENS
        if not (order.counted or long or order.key in self._counts):
            return order.input_tokens
        found = await self.count(order)
        return order.input_tokens if found is None else round(found * COUNT_MARGIN)

    def beyond(self, order: Order) -> str | None:
        """Why a request that was counted will not be sent: its model reads less at once, or an ask may cost less."""
        found = self._counts.get(order.key)
        if found is None:
            return None  # Claude says so itself, where it is so
        if sentence := beyond_window(found, order.model, self._rooms.now()):
            return sentence
        if self._books.tally.picos:
            return None  # it is under way, and ends where its limit is reached
        return beyond_ask(self._books.worst(order, round(found * COUNT_MARGIN)), self._brief.rules)

    async def _admitted(self, order: Order, tokens: int, *, again: bool) -> Ticket | Unanswered:
        ask, fallback = self._lease.ask, self._brief.rules.fallback_model
        call = Call(
            order.model,
            channel=ask.channel,
            person=ask.user,
            input_tokens=min(order.fresh_tokens, tokens),
            output_tokens=order.likely.output_tokens,
            patient=fallback in (None, order.model),
        )
        step = await self._rooms.governor.admit(
            call, deadline=self._deadline, tell=self._waits, again=again
        )
        return await self._given_up(step) if isinstance(step, GiveUp) else step

    def _waits(self, seconds: float, reason: str) -> None:
        self._voice.tell(Waiting(f"{reason}, {spoken(seconds)}", seconds))

    async def _given_up(self, step: GiveUp) -> Unanswered:
        if step.alarm:
            await self._alarm(f"claude:{self._today()}:{step.sentence}", step.sentence)
        return Unanswered(step.sentence, busy=step.busy)

    async def _alarm(self, key: str, sentence: str) -> None:
        with suppress(StoreDown):  # the answer matters more; the log has it
            await self._rooms.alerts.tell(key, sentence)

    def _today(self) -> str:
        return datetime.fromtimestamp(self._rooms.now(), UTC).date().isoformat()

    async def _attempt(
        self,
        order: Order,
        ticket: Ticket,
        tokens: int,
        attempt: int,
        heard: Callable[[], None],
    ) -> Outcome | Retry:
        worst = self._books.worst(order, tokens)
        self._n = n = self._n + 1
        try:
            await self._books.send(n, order, worst)
        except OverBudget as spent:
            return Unanswered(await self._over(spent.scope, worst), spent.scope)
        flight = _Flight(n, attempt, order, ticket, self._rooms.clock(), heard)
        try:
            finished = await self._stream(flight)
        except ClaudeError as error:
            return await self._failed(flight, error)
        except asyncio.CancelledError:
            # Stopped, out of time or handed back: what was generated is paid for all the same.
            # If it cannot be booked here, it stands open in the journal and is booked later.
            with suppress(PurserError):
                await self._book_broken(flight, "cancelled")
            raise
        self._log_ok(flight, finished)
        response = Response.of(finished)
        used = Usage.from_wire(response.message["usage"]).output_tokens
        self._rooms.governor.settle(ticket, output_tokens=used)
        await self._books.book(flight.n, order, response)
        if finished.model != order.model:
            await self._other_served(order.model, finished.model)
        return response

    async def _over(self, scope: str, worst: int) -> str:
        begun, rules = self._books.tally.picos > 0, self._brief.rules
        if scope == "ask":
            return (not begun and beyond_ask(worst, rules)) or over(scope, rules)
        return over(scope, rules, await self._rooms.admins())

    async def _other_served(self, asked: str, served: str) -> None:
        """Tell admins, once a day, that another model answers than the one that is set."""
        log.warning("another model served", asked=asked, served=served)
        sentence = SERVED.format(asked=asked, served=served)
        await self._alarm(f"served:{asked}:{served}:{self._today()}", sentence)

    async def _failed(self, flight: _Flight, error: ClaudeError) -> Outcome | Retry:
        self._log_failed(flight, error)
        if error.facts.may_be_billed:
            await self._book_broken(flight, type(error).__name__)
        else:
            why = type(error).__name__
            await self._books.book_broken(flight.n, flight.order, usage=None, why=why)
        if isinstance(error, OutputFiltered):
            return Filtered()
        step = self._rooms.governor.decide(
            flight.ticket, error, attempt=flight.attempt, deadline=self._deadline
        )
        if isinstance(step, Retry):
            return step
        return replace(await self._given_up(step), rejected=isinstance(error, BadRequest))

    async def _book_broken(self, flight: _Flight, why: str) -> None:
        await self._books.book_broken(
            flight.n,
            flight.order,
            usage=flight.usage(self._rooms.clock()),
            why=why,
            model=flight.started.model if flight.started else None,
            message_id=flight.started.message_id if flight.started else None,
        )

    async def _stream(self, flight: _Flight) -> Finished:
        order, silence = flight.order, self._brief.rules.silence_seconds
        thoughts = Thoughts()
        async with (
            self._rooms.starts.turn(head_of(order.body), self._rooms.clock) as begun,
            aclosing(self._rooms.claude.stream(order.body, silence_seconds=silence)) as events,
        ):
            heard = 0
            async for event in events:
                heard += 1
                if heard % BREATH == 0:
                    await asyncio.sleep(0)
                match event:
                    case Started():
                        flight.started, flight.since = event, self._rooms.clock()
                        begun()
                        flight.heard()
                        self._rooms.governor.seen(flight.ticket, event.limits)
                        self._note_start(flight.n, event.message_id)
                    case Text(delta):
                        flight.streamed += len(delta)
                        if order.aloud:
                            self._voice.say(delta)
                    case Thought(delta):
                        flight.streamed += len(delta)
                        if order.aloud and (line := thoughts.more(delta)):
                            self._voice.tell(Thinking(line))
                    case ToolForming():
                        if order.aloud:
                            self._voice.pause()
                    case Finished():
                        if order.aloud and event.stop_reason == "end_turn":
                            self._voice.tell(Whole())
                        return event
        raise AssertionError("unreachable: a stream ends with Finished or an error")

    def _note_start(self, n: int, message_id: str) -> None:
        tx = Transaction(self._lease)
        self._rooms.journal.started(tx, self._lease, n=n, message_id=message_id)
        self._rooms.store.soon(tx)

    def _log_ok(self, flight: _Flight, finished: Finished) -> None:
        self._log(
            flight,
            "ok",
            http_status=200,
            served=finished.model,
            request_id=finished.request_id,
            stop_reason=finished.stop_reason,
            category=finished.refusal_category,
            cache_miss=finished.cache_miss,
            limits=finished.limits.told() or None,
            scarce=finished.limits.exhausted(),
            ttft_ms=finished.ttft_ms,
        )

    def _log_failed(self, flight: _Flight, error: ClaudeError) -> None:
        facts = error.facts
        self._log(
            flight,
            type(error).__name__,
            http_status=facts.status,
            error_type=facts.type,
            error_code=facts.code,
            field=facts.where,
            cause=facts.cause or None,
            limit=facts.which,
            retry_after=facts.retry_after,
            request_id=facts.request_id,
            limits=facts.limits.told() or None,
            scarce=facts.limits.exhausted(),
        )
        if isinstance(error, RateLimited):
            self._rooms.metrics.rate_limited(flight.order.model, facts.which or "unknown")

    def _log(self, flight: _Flight, status: str, **facts: object) -> None:
        log.info(
            "attempt",
            ask=self._lease.ask.id,
            n=flight.n,
            attempt=flight.attempt,
            purpose=flight.order.purpose,
            model=flight.order.model,
            status=status,
            seconds=round(self._rooms.clock() - flight.began, 3),
            **{name: value for name, value in facts.items() if value is not None},
        )
        self._rooms.metrics.attempt(flight.order.model, status)
