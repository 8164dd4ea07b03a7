"""Who may call Claude now: one pace per model for the process, and the one who decides on retries.

    spare   what nobody waits for: out at once, or not at all
    admit   in line -> its turn (turns) -> the buckets let it (pace, buckets), the model is not resting (breaker)
    seen    what a response says is left
    settle  it is over: what it did not use is given back
    decide  it failed: again, or not

The pace is fed by what every response says of the account's limits: buckets that refill all the time, for requests,
input and output tokens; tokens read from cache do not count. A call that would be refused waits here instead, in an
order that is fair between channels and people. After a refusal nobody goes until the time the API named; a model that
fails again and again is left alone for a while; where money has run out nobody goes at all.
"""

import random
from collections.abc import Callable

from bot.governor.breaker import Breaker
from bot.governor.calls import Call, Ticket
from bot.governor.line import Line, Tell
from bot.governor.pace import Pace
from bot.governor.steps import (
    OVERLOADED,
    GiveUp,
    Retry,
    final,
    reason,
    spoken,
    still,
    too_large,
)
from bot.spans import span
from integrations.claude_errors import (
    BadCredentials,
    Broken,
    Busy,
    ClaudeError,
    Limits,
    RampLimited,
    RateLimited,
    SpendLimited,
)

BUSY_RETRIES = 3  # of a call that Claude had no capacity for, or failed at
LIMITED_RETRIES = 8  # of a call that a limit refused: it costs nothing, and waits its time
BROKEN_RETRIES = 1  # of a call whose line broke, or that failed when words had come: it may be paid
BACKOFF_SECONDS = (
    1.0  # before a retry, where the API names no time; twice as long each further time
)
JITTER = 0.25  # share of a wait that is left to chance, so that waiters do not return as one
LEAST_CALL_SECONDS = 5.0  # a call with less time left than this is not begun again


class Governor:
    """Paces the calls to Claude and decides what follows a failed one.

    Args:
        clock: seconds that only grow, the event loop's; deadlines are given on it.
        rng: chance, for the jitter of waits.
    """

    def __init__(self, *, clock: Callable[[], float], rng: random.Random) -> None:
        self._clock = clock
        self._rng = rng
        self._paces: dict[str, Pace] = {}
        self._lines: dict[str, Line] = {}
        self._money = Breaker()

    async def admit(
        self, call: Call, *, deadline: float, tell: Tell, again: bool = False
    ) -> Ticket | GiveUp:
        """Wait until a call may go out.

        Args:
            call: who wants to ask whom, and how much.
            deadline: when the ask ends.
            tell: hears of a wait that is longer than three seconds, and how it goes on.
            again: it was let out before and refused: its turn comes first.
        """
        pace, now = self._pace(call.model), self._clock()
        if self._money.resting(now):
            return GiveUp(self._money.sentence)
        if size := pace.too_large(call):
            return GiveUp(too_large(call.input_tokens, size))
        if not call.patient and pace.breaker.resting(now):
            return GiveUp(pace.breaker.sentence, busy=True)
        self._money.begin()
        waiter = pace.wait(call, first=again)
        try:
            with span("governor wait", gen_ai__request__model=call.model):
                return await self._line(call.model).wait(waiter, deadline=deadline, tell=tell)
        finally:
            if waiter.ticket not in pace.out:  # stopped or turned away: another may try
                self._money.over()

    def spare(self, call: Call) -> Ticket | None:
        """Let a call out at once that may as well never be made; None while anybody waits or anything is short."""
        pace, now = self._pace(call.model), self._clock()
        if self._money.resting(now) or pace.turns.head() or pace.seconds_until(call, now)[0]:
            return None
        self._money.begin()
        waiter = pace.wait(call)
        for _ in pace.let_out(now):  # nobody else is in line
            pass
        return waiter.ticket

    def seen(self, ticket: Ticket, limits: Limits) -> None:
        """Take in what a response said of the limits."""
        self._pace(ticket.call.model).told(ticket, limits, self._clock())
        self._stir(ticket)

    def learn(self, model: str, limits: Limits) -> None:
        """Take in what the response to a call says that nobody waited for: at the start, before anybody asks."""
        self.seen(Ticket(Call(model), 0), limits)

    def settle(self, ticket: Ticket, *, output_tokens: int | None = None) -> None:
        """The call is over; with its tokens, it was answered."""
        pace = self._pace(ticket.call.model)
        if output_tokens is not None:
            pace.breaker.succeeded()
            self._money.succeeded()
        self._money.over()
        pace.over(ticket, output_tokens=output_tokens)
        self._stir(ticket)

    def decide(
        self, ticket: Ticket, error: ClaudeError, *, attempt: int, deadline: float
    ) -> Retry | GiveUp:
        """Say whether a failed call is made again.

        Args:
            ticket: the call that failed.
            error: how it failed.
            attempt: how many calls were made for this answer, this one included.
            deadline: when the ask ends.
        """
        pace, now = self._pace(ticket.call.model), self._clock()
        if not isinstance(error, (Busy, Broken)):
            if isinstance(error, SpendLimited):
                self._money.failed(now, final(error), at_once=True)
            alarm = isinstance(error, (SpendLimited, BadCredentials))
            return GiveUp(final(error), alarm=alarm)
        pace.told(ticket, error.facts.limits, now)
        wait, why = self._wait(error, attempt)
        if isinstance(error, RateLimited):
            pace.shut(now + wait, error.facts.which or "")
            if isinstance(error, RampLimited):
                pace.slow_down(now)
        else:
            pace.breaker.failed(now, still(error))
        if attempt > _retries(error):
            return GiveUp(still(error), busy=isinstance(error, Busy))
        if now + wait + LEAST_CALL_SECONDS > deadline:
            sentence = f"{still(error)} It asks to wait {spoken(wait)}."
            return GiveUp(sentence, busy=isinstance(error, Busy))
        # The gate is shut as long as a limit asks; whoever was refused waits before it with all others.
        return Retry(0.0 if isinstance(error, RateLimited) else wait, why)

    def _wait(self, error: ClaudeError, attempt: int) -> tuple[float, str]:
        """How long to wait, never shorter than asked for, and why."""
        asked = error.facts.retry_after
        seconds = BACKOFF_SECONDS * 2 ** (attempt - 1) if asked is None else asked
        seconds *= 1 + JITTER * self._rng.random()
        if isinstance(error, RateLimited):
            return seconds, reason(error.facts.which or "")
        if isinstance(error, Busy):
            return seconds, reason(OVERLOADED)
        return seconds, "asking Claude again, the line broke"

    def _stir(self, ticket: Ticket) -> None:
        if line := self._lines.get(ticket.call.model):
            line.stir()

    def _pace(self, model: str) -> Pace:
        return self._paces.setdefault(model, Pace())

    def _line(self, model: str) -> Line:
        if model not in self._lines:
            self._lines[model] = Line(self._pace(model), self._clock)
        return self._lines[model]


def _retries(error: ClaudeError) -> int:
    if isinstance(error, RateLimited):
        return LIMITED_RETRIES
    return BUSY_RETRIES if isinstance(error, Busy) and not error.facts.streamed else BROKEN_RETRIES


__all__ = ["Call", "GiveUp", "Governor", "Retry", "Ticket", "spoken"]
