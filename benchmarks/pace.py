"""Processes that share one account at three times its limit, in simulated time: nobody refused, nobody overtaken.

The limits are the stand-in's own buckets; each process has a pace of its own and hears of the others only by what the
responses to its own calls say is left. Four minutes of asks come at three times the limit, then the queues drain.
"""

import heapq
import itertools
import math
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.demo.claude.errors import Problem
from bot.demo.claude.limits import Limits as Account
from bot.demo.claude.limits import Tier
from bot.governor.calls import Call, Ticket, Waiter
from bot.governor.pace import Pace
from integrations.claude_errors import Limits, retry_after

MODEL = "claude-sonnet-5-5"
TIER = Tier(600, 400_000, 80_000)  # a minute: requests, input and output tokens
INPUT_TOKENS, OUTPUT_TOKENS = 3_000, 500  # of an ask, on average; both lie far apart
CHANNELS, PEOPLE = 12, 4  # people of each channel
OVER = 3.0  # times the limit
MINUTES = 4.0
SETTLED = 60.0  # seconds until the first burst is over
TOLD_EVERY = 5.0  # seconds, as `line` tells
NEAR = 0.3  # by which a wait that was told may be wrong
SPEED = 80.0  # tokens a second of an answer
START = 1_000_000.0


@dataclass(slots=True)
class Seen:
    """What came of it."""

    asked: int = 0
    answered: int = 0
    sent: int = 0
    refused: int = 0
    taken: list[tuple[float, Call, int]] = field(default_factory=list[tuple[float, Call, int]])
    told: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])

    def between(self, since: float, until: float) -> Iterator[tuple[Call, int]]:
        """The calls let in within a span, with the tokens of their answers."""
        return ((call, output) for at, call, output in self.taken if since <= at < until)

    def used(self) -> float:
        """Share of the scarcest limit that was used while more was asked for."""
        calls = list(self.between(START + SETTLED, START + 60 * MINUTES))
        minutes = MINUTES - SETTLED / 60
        used = (
            len(calls) / (TIER.requests or 1),
            sum(call.input_tokens for call, _ in calls) / (TIER.input_tokens or 1),
            sum(output for _, output in calls) / (TIER.output_tokens or 1),
        )
        return max(used) / minutes

    def fairness(self) -> float:
        """Jain's index over the channels' input tokens: 1 if all had the same."""
        shares: dict[str, int] = defaultdict(int)
        for call, _ in self.between(START + SETTLED, START + 60 * MINUTES):
            shares[call.channel] += call.input_tokens
        values = list(shares.values())
        return sum(values) ** 2 / (len(values) * sum(v * v for v in values))

    def near(self) -> float:
        """Share of the waits told that were right to within NEAR, or to within three seconds."""
        right = [abs(told - real) <= max(NEAR * real, 3.0) for told, real in self.told]
        return sum(right) / len(right) if right else 1.0


@dataclass(slots=True)
class _Ask:
    call: Call
    output: int
    waiter: Waiter
    told: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])


class Simulation:
    """One run.

    Args:
        processes: how many share the account.
        seed: of everything left to chance.
    """

    def __init__(self, processes: int, seed: int) -> None:
        self._rng = random.Random(seed)
        self._account = Account(tier=TIER)
        self._paces = [Pace() for _ in range(processes)]
        self._asks: dict[Waiter, _Ask] = {}
        self._events: list[tuple[float, int, str, tuple[object, ...]]] = []
        self._order = itertools.count()
        self._wakes = [START] * processes
        self._now = START
        self.seen = Seen()

    def run(self) -> Seen:
        """Let all asks come and all queues drain."""
        self._arrivals()
        for process in range(len(self._paces)):
            self._at(START + TOLD_EVERY, "tell", process)
        while self._events and self.seen.answered < self.seen.asked:
            self._now, _, what, given = heapq.heappop(self._events)
            getattr(self, f"_{what}")(*given)
        return self.seen

    def _at(self, when: float, what: str, *given: object) -> None:
        heapq.heappush(self._events, (when, next(self._order), what, given))

    def _arrivals(self) -> None:
        limits = (
            TIER.requests or 0,
            (TIER.input_tokens or 0) / INPUT_TOKENS,
            (TIER.output_tokens or 0) / OUTPUT_TOKENS,
        )
        at, rng = START, self._rng
        while (at := at + rng.expovariate(OVER * min(limits) / 60)) < START + 60 * MINUTES:
            channel = f"C{rng.randrange(CHANNELS)}"
            tokens = round(rng.lognormvariate(math.log(INPUT_TOKENS) - 0.5, 1.0))
            output = max(20, round(rng.lognormvariate(math.log(OUTPUT_TOKENS) - 0.3, 0.77)))
            person = f"{channel}U{rng.randrange(PEOPLE)}"
            call = Call(MODEL, channel, person, tokens, OUTPUT_TOKENS)
            self._at(at, "ask", rng.randrange(len(self._paces)), call, output)
            self.seen.asked += 1

    def _ask(self, process: int, call: Call, output: int) -> None:
        waiter = self._paces[process].wait(call)
        self._asks[waiter] = _Ask(call, output, waiter)
        self._look(process)

    def _look(self, process: int) -> None:
        pace = self._paces[process]
        for waiter in pace.let_out(self._now):
            self._send(process, self._asks.pop(waiter))
        seconds = pace.seconds_until_next(self._now)
        wakes = self._now + max(seconds, 0.01)
        if math.isfinite(seconds) and not self._now < self._wakes[process] <= wakes:
            self._wakes[process] = wakes
            self._at(wakes, "look", process)

    def _send(self, process: int, ask: _Ask) -> None:
        pace, now, ticket = self._paces[process], self._now, ask.waiter.ticket
        self.seen.sent += 1
        if ticket is None:
            raise AssertionError("let out without a ticket")
        try:
            self._account.admit(MODEL, ask.call.input_tokens, now)
        except Problem as problem:
            self.seen.refused += 1
            wait = retry_after(problem.headers, datetime.fromtimestamp(now, UTC)) or 0.0
            pace.told(ticket, Limits.read(problem.headers), now)
            pace.over(ticket)
            pace.shut(now + wait, "requests")
            ask.waiter = pace.wait(ask.call, first=True)
            self._asks[ask.waiter] = ask
            return
        self.seen.told += [(seconds, now - at) for seconds, at in ask.told]
        self.seen.taken.append((now, ask.call, ask.output))
        headers = self._account.headers(MODEL, now)
        begins = now + self._rng.uniform(0.5, 1.5)
        ends = begins + ask.output / SPEED
        self._at(begins, "start", process, ticket, Limits.read(headers))
        for n in range(1, 6):
            self._at(begins + (ends - begins) * n / 5, "generate", ask.output / 5)
        self._at(ends, "end", process, ticket, ask.output)

    def _start(self, process: int, ticket: Ticket, limits: Limits) -> None:
        self._paces[process].told(ticket, limits, self._now)
        self._look(process)

    def _generate(self, tokens: float) -> None:
        self._account.spend_output(MODEL, round(tokens), self._now)

    def _end(self, process: int, ticket: Ticket, output: int) -> None:
        self.seen.answered += 1
        self._paces[process].over(ticket, output_tokens=output)
        self._look(process)

    def _tell(self, process: int) -> None:
        for wait in self._paces[process].expected(self._now):
            if wait.about > 3.0:
                self._asks[wait.waiter].told.append((wait.about, self._now))
        self._at(self._now + TOLD_EVERY, "tell", process)


def table(rows: Iterable[tuple[int, Sequence[Seen]]]) -> str:
    """The runs as a table, the worst of each number of processes."""
    lines = [
        "| processes | asks | answered | refused with 429 | of the limit used | fairness | waits told right |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for processes, runs in rows:
        lines.append(
            f"| {processes} | {sum(r.asked for r in runs):,} | {sum(r.answered for r in runs):,} "
            f"| {max(r.refused / r.sent for r in runs):.2%} "
            f"| {min(r.used() for r in runs):.0%} to {max(r.used() for r in runs):.0%} "
            f"| {min(r.fairness() for r in runs):.3f} | {min(r.near() for r in runs):.0%} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Run 1, 2, 4 and 8 processes, three times each."""
    counts = (1, 2, 4, 8)
    print(table((n, [Simulation(n, seed).run() for seed in (1, 2, 3)]) for n in counts))


if __name__ == "__main__":
    main()
