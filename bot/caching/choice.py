"""Chooses the marks of each request, and which threads are worth a call that carries their cache on.

asked ── marks ── request, request … ── answered ── five minutes of silence ── due? ── one call: an hour more

Where nothing is worth it, nothing is done: then the next ask writes what it needs.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from bot.caching.marks import Marks, Ttl
from bot.caching.rhythm import SLOT_SECONDS, SLOTS, Rhythm, Thread
from bot.caching.worth import Rates, carried, lifetime
from bot.prices import DAY_SECONDS

HOUR_SECONDS = SLOTS * SLOT_SECONDS  # what was written for an hour, with the same margin
LATE_SECONDS = (
    12.0  # after which a cache is likely to be lost, and a call would write all of it again
)
THREADS_AT_MOST = 200  # whose cache is watched: for each of them its request is held
THREAD_CALLS = 12  # for one thread in one day (UTC)
CALLS = 1_000  # for all threads in one day, by one process

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Size:
    """Tokens of a request: what all asks share, what is its thread's own, and what the answer adds behind it."""

    shared: int
    thread: int
    answer: int = 0


@dataclass(frozen=True, slots=True)
class Alive(Generic[T]):
    """What of a thread is in cache.

    Attributes:
        request: what a keep-alive call sends; None where none may be made, or one was.
        size: what stands in cache, and the answer behind it.
        until: when it is lost, in epoch seconds, less a margin.
    """

    thread: Thread
    model: str
    request: T | None
    size: Size
    until: float


class Caching(Generic[T]):
    """One for a process: what it has learnt is not written down, and what it keeps alive ends with it."""

    def __init__(self) -> None:
        self.rhythm = Rhythm()
        self._alive: dict[str, Alive[T]] = {}  # by lane, whose ask was answered last at the end
        self._made: Counter[str] = Counter()  # calls of this day, by lane
        self._day = 0

    def asked(
        self, thread: Thread, *, feature: str, model: str, at: float, size: Size, keep: bool
    ) -> Ttl | None:
        """How long the first request of an ask is worth keeping in cache, up to its own end; None if it is not.

        Args:
            thread: where, this ask included; its lane is "" where the answer opens no thread.
            feature: what is asked for.
            model: who is asked.
            at: epoch seconds.
            size: of the request.
            keep: whether keep-alive calls may be made.
        """
        if not thread.lane:  # an answer that opens no thread: nobody goes on there
            return "5m" if self.rhythm.again(feature, 0) > Rates.of(model, at).pays else None
        self.rhythm.asked(thread.lane, at)
        found = self._alive.get(thread.lane)
        if found:
            self._alive[thread.lane] = replace(found, request=None)  # its own requests renew it
        in_cache = found.size.thread if found and found.model == model and at < found.until else 0
        return lifetime(
            self.rhythm.hazards(thread),
            Rates.of(model, at),
            shared=size.shared,
            thread=size.thread,
            fresh=max(0, size.thread - in_cache),
            again=self.rhythm.again(feature, 0),
            keep=keep,
        )

    def marks(
        self, ttl: Ttl | None, *, feature: str, model: str, at: float, rounds: int
    ) -> Marks | None:
        """The marks of a request, after so many rounds of tools; None where none pays.

        Args:
            ttl: what `asked` gave for the ask.
            feature: what is asked for.
            model: who is asked.
            at: epoch seconds.
            rounds: since the ask.
        """
        if not rounds:
            return Marks(ttl) if ttl else None
        pays = self.rhythm.again(feature, rounds) > Rates.of(model, at).pays
        return Marks(ttl or "5m", end=pays)

    def answered(
        self,
        thread: Thread,
        request: T | None,
        *,
        feature: str,
        model: str,
        rounds: int,
        size: Size,
        ttl: Ttl | None,
        at: float,
    ) -> None:
        """An ask was answered.

        Args:
            thread: where.
            request: the call that would keep alive what the next ask begins with; None where none may be made.
            feature: what was asked for.
            model: who answered.
            rounds: of tools.
            size: of the ask's first request, and of the answer.
            ttl: how long that request is kept in cache; None if it is not.
            at: when the ask's last request left, in epoch seconds.
        """
        self.rhythm.went(feature, rounds)
        if not thread.lane:
            return
        self.rhythm.answered(thread, at)
        if rounds and not ttl:
            ttl = "5m"
        if ttl is None:
            return
        held, lasts = (None, HOUR_SECONDS) if ttl == "1h" else (request, SLOT_SECONDS)
        self._alive.pop(thread.lane, None)
        self._alive[thread.lane] = Alive(thread, model, held, size, at + lasts)
        while len(self._alive) > THREADS_AT_MOST:
            del self._alive[next(iter(self._alive))]

    def due(self, now: float, may: Callable[[Alive[T]], bool] = lambda _: True) -> list[T]:
        """The calls that are worth making now, each given once.

        Args:
            now: epoch seconds.
            may: whether one may be made for this thread.
        """
        if self._day != int(now // DAY_SECONDS):
            self._day = int(now // DAY_SECONDS)
            self._made.clear()
        calls: list[T] = []
        for lane, alive in [(k, v) for k, v in self._alive.items() if v.until <= now]:
            del self._alive[lane]
            request = alive.request
            late = now - alive.until > LATE_SECONDS
            if request is None or late or not self._worth(alive, now) or not may(alive):
                continue
            self._made[lane] += 1
            size = replace(alive.size, thread=alive.size.thread + alive.size.answer, answer=0)
            self._alive[lane] = replace(alive, request=None, size=size, until=now + HOUR_SECONDS)
            calls.append(request)
        return calls

    def lost(self, lane: str) -> None:
        """A call that was due did not go through."""
        self._alive.pop(lane, None)

    def _worth(self, alive: Alive[T], now: float) -> bool:
        if self._made[alive.thread.lane] >= THREAD_CALLS or self._made.total() >= CALLS:
            return False
        size = alive.size
        return (
            carried(
                self.rhythm.hazards(alive.thread),
                Rates.of(alive.model, now),
                shared=size.shared,
                thread=size.thread,
                answer=size.answer,
            )
            > 0
        )
