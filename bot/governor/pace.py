"""One model's pace: what may go out now, what waits, in which order, and for how long.

Pure: times are given. Requests, input and output tokens have a bucket each; a call takes from all of them when it
goes out, and what it did not use is given back when it is over.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.governor.breaker import Breaker
from bot.governor.buckets import Bucket
from bot.governor.calls import KINDS, Call, Kind, Ticket, Wait, Waiter
from bot.governor.steps import OVERLOADED
from bot.governor.turns import Turns
from integrations.claude_errors import Limit, Limits

RAMP_SECONDS = 20.0  # in which the pace doubles again after it grew too fast
RAMP_LEAST = 0.1  # share of the pace
OVERESTIMATE = 1.1  # by which a call's tokens may be counted too high


@dataclass(slots=True)
class Pace:
    """What is known of one model's limits, which calls are out, and which wait."""

    buckets: dict[Kind, Bucket] = field(default_factory=dict[Kind, Bucket])
    shut_until: float = 0.0
    shut_reason: str = ""
    ramp: float = 1.0  # share of the pace that is used
    breaker: Breaker = field(default_factory=Breaker)
    out: set[Ticket] = field(default_factory=set[Ticket])
    turns: Turns = field(default_factory=Turns)
    _number: int = 0
    _ramped: float = 0.0

    def wait(self, call: Call, *, first: bool = False) -> Waiter:
        """Put a call in line; before all else of its person if it was turned away before."""
        waiter = Waiter(call)
        self.turns.add(waiter, first=first)
        return waiter

    def let_out(self, now: float) -> Iterator[Waiter]:
        """Give tickets to those whose turn it is, as many as may go."""
        ramp = self._ramp(now)
        while (head := self.turns.head()) and not self.seconds_until(head.call, now)[0]:
            self.turns.pop()
            for kind, need in head.call.needs().items():
                if bucket := self.buckets.get(kind):
                    bucket.take(min(need, bucket.size), now, ramp)
            self._number += 1
            head.ticket = Ticket(head.call, self._number)
            self.out.add(head.ticket)
            self.breaker.begin()
            yield head

    def seconds_until(self, call: Call, now: float) -> tuple[float, str]:
        """How long until this call could go if it were its turn, and which limit it waits for."""
        shut, why = self._shut(now)
        waits: dict[str, float] = {why: shut} if shut else {}
        for kind, need in call.needs().items():
            bucket = self.buckets.get(kind)
            if bucket and (seconds := bucket.seconds_until(need, now)):
                waits[kind] = seconds
        longest = max(waits, key=waits.__getitem__, default="")
        return waits.get(longest, 0.0), longest

    def expected(self, now: float) -> Iterator[Wait]:
        """How long everyone in line will still wait, if nobody else comes."""
        for bucket in self.buckets.values():
            bucket.refill(now)
        shut, why = self._shut(now)
        ramp = self._ramp(now)
        before: dict[Kind, float] = dict.fromkeys(KINDS, 0.0)
        for waiter in self.turns.ahead():
            about, least, which = 0.0, 0.0, why
            for kind, need in waiter.call.needs().items():
                before[kind] += need
                if bucket := self.buckets.get(kind):
                    likely, surely = bucket.seconds_for(before[kind])
                    least = max(least, surely)
                    if likely > about:
                        about, which = likely / ramp, kind
            yield Wait(waiter, shut + about, shut + least, which)

    def told(self, ticket: Ticket, limits: Limits, now: float) -> None:
        """Take in what a response said is left: as it stood when this call was let in."""
        later = [other.call for other in self.out if other.number > ticket.number]
        flying = [other.call for other in self.out]
        owed: dict[Kind, float] = {
            "requests": float(len(later)),
            "input_tokens": float(sum(call.input_tokens for call in later)),
            "output_tokens": float(sum(call.output_tokens for call in flying)),
        }
        for kind in KINDS:
            told: Limit | None = getattr(limits, kind)
            if not told or not told.limit or told.remaining is None:
                continue
            size, left = float(told.limit), float(told.remaining) - owed[kind]
            bucket = self.buckets.get(kind)
            if bucket is None or bucket.size != size:
                bucket = self.buckets[kind] = Bucket(size, left, now)
            bucket.tell(left, now)

    def over(self, ticket: Ticket, *, output_tokens: int | None = None) -> None:
        """A call is over; of the output that was reserved for it, what it did not use is given back."""
        if ticket not in self.out:
            return
        self.out.discard(ticket)
        self.breaker.over()
        if output_tokens is not None and (bucket := self.buckets.get("output_tokens")):
            bucket.give_back(ticket.call.output_tokens - output_tokens)

    def too_large(self, call: Call) -> int:
        """The limit that a call can never keep to: input tokens a minute; 0 if it can."""
        bucket = self.buckets.get("input_tokens")
        most = OVERESTIMATE * bucket.size if bucket else float("inf")
        return int(bucket.size) if bucket and call.input_tokens > most else 0

    def shut(self, until: float, reason: str) -> None:
        """Let nothing out before then."""
        if until > self.shut_until:
            self.shut_until, self.shut_reason = until, reason

    def slow_down(self, now: float) -> None:
        """It grew too fast: go on at half the pace, and grow from there."""
        self.ramp, self._ramped = max(RAMP_LEAST, self._ramp(now) / 2), now

    def seconds_until_next(self, now: float) -> float:
        """How long until whoever's turn it is may go; for ever where nobody waits."""
        head = self.turns.head()
        return self.seconds_until(head.call, now)[0] if head else float("inf")

    def _shut(self, now: float) -> tuple[float, str]:
        """How long nobody may go, whatever the buckets hold, and why."""
        limited, resting = max(0.0, self.shut_until - now), self.breaker.resting(now)
        return (limited, self.shut_reason) if limited >= resting else (resting, OVERLOADED)

    def _ramp(self, now: float) -> float:
        if self.ramp == 1.0:
            return 1.0
        return min(1.0, self.ramp * 2 ** ((now - self._ramped) / RAMP_SECONDS))
