"""Who may call Claude now: one pace per model for the process, and the one who decides on retries.

The pace is fed by what every response says of the account's limits. They are buckets that
refill all the time, counted apart for requests, input and output tokens; tokens read from
cache do not count. A call that would be refused waits here instead; a call that was refused
closes the model's gate for everybody until the time the API named.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from integrations.claude_errors import (
    BadCredentials,
    Broken,
    Busy,
    ClaudeError,
    Limit,
    Limits,
    ModelUnknown,
    Overloaded,
    RateLimited,
    RequestTooLarge,
    SpendLimited,
    Unreachable,
)

RETRIES = 1  # of a call that failed in passing
BACKOFF_SECONDS = 1.0  # before a retry, where the API names no time
OVERLOAD_SECONDS = 3.0  # the same when Claude is overloaded
JITTER = 0.25  # share of a wait that is left to chance, so that waiters do not return as one
LEAST_CALL_SECONDS = 5.0  # a call with less time left than this is not begun again
PER_MINUTE = 60.0  # limits are per minute
_WORDS = {
    "requests": "requests",
    "input_tokens": "input tokens",
    "output_tokens": "output tokens",
    "tokens": "tokens",
    "acceleration": "traffic grew too fast",
}


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait this long before calling, and why, in words for a person."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Call again after this long; the reason is in words for a person."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Do not call again; the sentence tells a person why and what to do."""

    sentence: str


@dataclass(slots=True)
class _Bucket:
    """One limit as we believe it to stand: `level` at the time `at`, refilled evenly."""

    size: float
    level: float
    at: float

    def refill(self, now: float) -> None:
        self.level = min(self.size, self.level + (now - self.at) * self.size / PER_MINUTE)
        self.at = now

    def seconds_until(self, need: float) -> float:
        lacking = min(need, self.size) - self.level
        return max(0.0, lacking * PER_MINUTE / self.size)


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """A call that was let out; give it back with `settle`, whatever came of it."""

    model: str
    input_tokens: int
    number: int


@dataclass(slots=True)
class _Pace:
    """What is known of one model's limits, and which calls are out."""

    buckets: dict[str, _Bucket] = field(default_factory=dict[str, _Bucket])
    shut_until: float = 0.0
    shut_reason: str = ""
    out: set[Ticket] = field(default_factory=set[Ticket])


class Governor:
    """Paces the calls to Claude and decides what follows a failed one.

    Args:
        clock: seconds that only grow; deadlines are given on the same clock.
        rng: chance, for the jitter of waits.
    """

    def __init__(self, *, clock: Callable[[], float], rng: random.Random) -> None:
        self._clock = clock
        self._rng = rng
        self._paces: dict[str, _Pace] = {}
        self._number = 0

    def admit(self, model: str, input_tokens: int) -> Ticket | Pause:
        """Let a call out, or say how long to wait before asking again.

        Args:
            model: who is to be called.
            input_tokens: about how many tokens it brings that are not read from cache.
        """
        pace, now = self._pace(model), self._clock()
        if now < pace.shut_until:
            return Pause(self._jittered(pace.shut_until - now), pace.shut_reason)
        needs = {"requests": 1.0, "input_tokens": float(input_tokens), "output_tokens": 1.0}
        waits: dict[str, float] = {}
        for kind, need in needs.items():
            if bucket := pace.buckets.get(kind):
                bucket.refill(now)
                waits[kind] = bucket.seconds_until(need)
        longest = max(waits, key=waits.__getitem__, default="")
        if longest and waits[longest] > 0:
            return Pause(self._jittered(waits[longest]), _reason(longest))
        for kind in ("requests", "input_tokens"):
            if bucket := pace.buckets.get(kind):
                bucket.level -= min(needs[kind], bucket.size)
        self._number += 1
        ticket = Ticket(model, input_tokens, self._number)
        pace.out.add(ticket)
        return ticket

    def seen(self, ticket: Ticket, limits: Limits) -> None:
        """Take in what a response said of the limits.

        What it says stands at the time it was let in, so calls let out after it are still
        to be taken off.
        """
        pace, now = self._pace(ticket.model), self._clock()
        later = [other for other in pace.out if other.number > ticket.number]
        owed = {"requests": len(later), "input_tokens": sum(call.input_tokens for call in later)}
        for kind in ("requests", "input_tokens", "output_tokens"):
            told: Limit | None = getattr(limits, kind)
            if told and told.limit and told.remaining is not None:
                level = float(told.remaining - owed.get(kind, 0))
                pace.buckets[kind] = _Bucket(float(told.limit), level, now)

    def settle(self, ticket: Ticket) -> None:
        """The call is over."""
        self._pace(ticket.model).out.discard(ticket)

    def decide(
        self, ticket: Ticket, error: ClaudeError, *, attempt: int, deadline: float
    ) -> Retry | GiveUp:
        """Say whether a failed call is made again.

        Args:
            ticket: the call that failed; the model's gate closes when the API asked for it.
            error: how it failed.
            attempt: how many calls were made for this answer, this one included.
            deadline: when the ask ends.
        """
        if not isinstance(error, (Busy, Broken)):
            return GiveUp(_final(error))
        self.seen(ticket, error.facts.limits)
        wait, reason = self._wait(error)
        if isinstance(error, RateLimited):
            pace = self._pace(ticket.model)
            pace.shut_until = max(pace.shut_until, self._clock() + wait)
            pace.shut_reason = reason
        if attempt > RETRIES:
            return GiveUp(_still(error))
        wait = self._jittered(wait)
        if self._clock() + wait + LEAST_CALL_SECONDS > deadline:
            return GiveUp(f"{_still(error)} It asks to wait {spoken(wait)}.")
        return Retry(wait, reason)

    def _wait(self, error: ClaudeError) -> tuple[float, str]:
        asked = error.facts.retry_after
        if isinstance(error, RateLimited):
            return (BACKOFF_SECONDS if asked is None else asked), _reason(error.facts.which)
        if isinstance(error, Overloaded):
            return (OVERLOAD_SECONDS if asked is None else asked), "waiting, Claude is overloaded"
        return (BACKOFF_SECONDS if asked is None else asked), "asking Claude again, the line broke"

    def _jittered(self, seconds: float) -> float:
        """Never shorter than asked for."""
        return seconds * (1 + JITTER * self._rng.random())

    def _pace(self, model: str) -> _Pace:
        return self._paces.setdefault(model, _Pace())


def spoken(seconds: float) -> str:
    """Say a length of time as one would: "about 20 s", "about 3 min"."""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    return f"about {round(seconds / 60)} min"


def _reason(which: str | None) -> str:
    named = f" ({_WORDS[which]})" if which in _WORDS else ""
    return f"waiting for Claude's rate limit{named}"


def _still(error: ClaudeError) -> str:
    if isinstance(error, RateLimited):
        named = f" ({_WORDS[error.facts.which]})" if error.facts.which in _WORDS else ""
        return f"Claude's rate limit is reached{named}. Please try again in a few minutes."
    if isinstance(error, Overloaded):
        return "Claude is overloaded right now, for everybody. Please try again in a few minutes."
    if isinstance(error, Unreachable):
        return (
            "Claude cannot be reached from here. Please try again; if it stays so, tell an admin."
        )
    if isinstance(error, Broken):
        return "The connection to Claude broke twice. Please ask again."
    return "Claude failed on its own side, twice. Please try again in a few minutes."


def _final(error: ClaudeError) -> str:
    if isinstance(error, SpendLimited):
        return (
            "The Claude account has reached its spending limit. "
            "An administrator has to raise it in the Claude Console."
        )
    if isinstance(error, RequestTooLarge):
        return (
            "This is more than Claude can read at once. Please ask with less text or fewer files."
        )
    if isinstance(error, ModelUnknown):
        return (
            "The Claude account does not know the model set for this channel. Please tell an admin."
        )
    if isinstance(error, BadCredentials):
        return (
            "Claude does not accept Purser's key. Please tell an admin; `purser doctor` says more."
        )
    return "Claude rejected Purser's request; this is a bug of Purser. Please tell an admin."
