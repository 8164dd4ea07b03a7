"""How soon people go on in threads, learnt while they do, and from the books (`turn.learn`); nothing else is kept of it.

    silence since an answer:  0 ── 5 ── 10 ── 15 ── … ── 60 minutes, in slots of a short cache's life

The chance to be asked in a slot, where nobody asked before, is what everybody's threads did, then this channel's, then
this very thread's, each drawn toward the one before it while it has shown little.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

SLOT_SECONDS = 285.0  # five minutes, less a call's way to Claude; a use renews what was written for five minutes
SLOTS = 12  # of silence that are told apart; a thread silent for longer has ended
LINES_AT_MOST = 4_000  # rhythms that are remembered, the one used last at the end
PENDING_AT_MOST = 1_000  # threads whose next ask is waited for

_SPANS = (
    0,
    1,
    1,
    2,
    2,
    2,
    3,
    3,
    3,
    3,
    3,
    3,
)  # slots that are learnt as one: to 5, 15, 30, 60 minutes
# How soon somebody goes on, before anything was seen: after a thread's first answer, and after a later one.
_FIRST = (0.3, 0.05, 0.035, 0.02)
_LATER = (0.4, 0.07, 0.045, 0.025)
# How many answers of one's own weigh as much as what is known from the next larger circle.
_ALL_WEIGHT, _CHANNEL_WEIGHT, _THREAD_WEIGHT = 20.0, 40.0, 15.0
_AGAIN, _AGAIN_WEIGHT = (
    0.5,
    4.0,
)  # the same for the chance that a request is followed by another round of tools
_ROUNDS = 3  # rounds of one ask that are told apart


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread as its rhythm is known by: where it is, and how many asks it has, the present one included."""

    channel: str
    lane: str
    asks: int

    @property
    def circles(self) -> tuple[tuple[tuple[object, ...], float], ...]:
        """Whose rhythm tells of it, the largest first, and how many answers of one's own weigh as much."""
        depth = min(self.asks, 2)
        return (
            (("all", depth), _ALL_WEIGHT),
            (("channel", self.channel, depth), _CHANNEL_WEIGHT),
            (("thread", self.lane), _THREAD_WEIGHT),
        )


@dataclass(slots=True)
class _Line:
    """Of the slots that began in silence, and of those in which somebody asked, how many there were in each span."""

    silent: list[int] = field(default_factory=lambda: [0] * len(_FIRST))
    asked: list[int] = field(default_factory=lambda: [0] * len(_FIRST))

    def add(self, slot: int) -> None:
        for span in _SPANS[: slot + 1]:
            self.silent[span] += 1
        if slot < SLOTS:
            self.asked[_SPANS[slot]] += 1


class Rhythm:
    """How soon people go on in threads."""

    def __init__(self) -> None:
        self._lines: OrderedDict[tuple[object, ...], _Line] = OrderedDict()
        self._pending: OrderedDict[str, tuple[float, Thread]] = OrderedDict()
        # Requests of a feature after so many rounds, and how many of them were followed by another.
        self._rounds: dict[tuple[str, int], list[int]] = {}

    def asked(self, lane: str, at: float) -> None:
        """Somebody asks in a thread, at a time in epoch seconds."""
        if waited := self._pending.pop(lane, None):
            since, thread = waited
            self._learn(thread, int(max(0.0, at - since) // SLOT_SECONDS))

    def answered(self, thread: Thread, at: float) -> None:
        """An ask in a thread was answered; from now on its silence counts."""
        self._pending[thread.lane] = (at, thread)
        self._pending.move_to_end(thread.lane)
        while self._pending:
            lane, (since, ended) = next(iter(self._pending.items()))
            if at - since < SLOTS * SLOT_SECONDS and len(self._pending) <= PENDING_AT_MOST:
                break
            del self._pending[lane]
            self._learn(ended, SLOTS)

    def hazards(self, thread: Thread) -> tuple[float, ...]:
        """For each slot of silence the chance that somebody asks in it, where nobody did before."""
        chances: Sequence[float] = _FIRST if thread.asks < 2 else _LATER
        for key, weight in thread.circles:
            if line := self._lines.get(key):
                chances = [
                    (asked + weight * chance) / (silent + weight)
                    for asked, silent, chance in zip(line.asked, line.silent, chances, strict=True)
                ]
        return tuple(chances[span] for span in _SPANS)

    def went(self, feature: str, rounds: int) -> None:
        """An ask was answered after so many rounds of tools."""
        for n in range(min(rounds + 1, _ROUNDS)):
            count = self._rounds.setdefault((feature, n), [0, 0])
            count[0] += 1
            count[1] += rounds > n

    def again(self, feature: str, rounds: int) -> float:
        """The chance that a request is followed by another round, after so many."""
        seen, followed = self._rounds.get((feature, min(rounds, _ROUNDS - 1)), (0, 0))
        return (followed + _AGAIN_WEIGHT * _AGAIN) / (seen + _AGAIN_WEIGHT)

    def _learn(self, thread: Thread, slot: int) -> None:
        for key, _ in thread.circles:
            self._lines.setdefault(key, _Line()).add(slot)
            self._lines.move_to_end(key)
        while len(self._lines) > LINES_AT_MOST:
            self._lines.popitem(last=False)
