"""Chooses the marks of each request, and which threads are worth a call that carries their cache on.

asked ── marks ── request, request … ── answered ── five minutes of silence ── due? ── one call: an hour more

Where nothing is worth it, nothing is done: then the next ask writes what it needs.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.caching.asking import Asking, Size
from bot.caching.left import LASTS, Lasting
from bot.caching.marks import Marks, Ttl
from bot.caching.rhythm import Rhythm, Thread
from bot.caching.worth import Rates, carried, lifetime
from bot.prices import DAY_SECONDS

LATE_SECONDS = (
    12.0  # after which a cache is likely to be lost, and a call would write all of it again
)
THREADS_AT_MOST = 200  # whose cache is watched: for each of them its request is held
THREAD_CALLS = 12  # for one thread in one day (UTC)
CALLS = 1_000  # for all threads in one day, by one process

T = TypeVar("T")


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
    """One for a process: what it has learnt stands in the books too, and what it keeps alive ends with it."""

    def __init__(self) -> None:
        self.rhythm = Rhythm()
        self._alive: dict[str, Alive[T]] = {}  # by lane, whose ask was answered last at the end
        self._made: Counter[str] = Counter()  # calls of this day, by lane
        self._day = 0

    def asked(
        self,
        thread: Thread,
        *,
        feature: str,
        model: str,
        at: float,
        size: Size,
        keep: bool,
        read: tuple[int, Ttl] | None = None,
        lasting: Lasting | None = None,
        cached: int = 0,
    ) -> Asking:
        """An ask begins: how long its first request is worth keeping in cache, up to its own end.

        Args:
            thread: where, this ask included; its lane is "" where the answer opens no thread.
            feature: what is asked for.
            model: who is asked.
            at: epoch seconds.
            size: of the request.
            keep: whether keep-alive calls may be made.
            read: where something was left in cache by an earlier ask, and for how long.
            lasting: what of that is left to those that follow.
            cached: the thread's tokens up to there.
        """
        rates, again = Rates.of(model, at), self.rhythm.again(feature, 0)
        if not thread.lane:  # an answer that opens no thread: nobody goes on there
            ttl: Ttl | None = "5m" if again > rates.pays else None
            return Asking(thread, feature, model, size, ttl)
        self.rhythm.asked(thread.lane, at)
        self._alive.pop(thread.lane, None)  # its own requests renew it
        ttl = lifetime(
            self.rhythm.hazards(thread),
            rates,
            shared=size.shared,
            thread=size.thread,
            fresh=max(0, size.thread - cached),
            again=again,
            keep=keep,
            lasting=size.lasting,
        )
        return Asking(thread, feature, model, size, ttl, read, lasting)

    def marks(self, asking: Asking, *, rounds: int, last: int, tokens: int, at: float) -> Marks:
        """The marks of an ask's next request.

        Args:
            asking: the ask.
            rounds: of tools so far.
            last: the place of the request's last message.
            tokens: of its thread in it.
            at: epoch seconds.
        """
        chance = self.rhythm.again(asking.feature, rounds)
        if asking.thread.lane:
            chance += (1 - chance) * self.rhythm.hazards(asking.thread)[0]
        pays = chance > Rates.of(asking.model, at).pays
        return asking.marks(rounds=rounds, last=last, tokens=tokens, at=at, pays=pays)

    def answered(
        self, asking: Asking, request: T | None, *, rounds: int, answer: int, lighter: int = 0
    ) -> None:
        """An ask was answered.

        Args:
            asking: the ask.
            request: the call that would keep alive what the next ask begins with; None where none may be made.
            rounds: of tools.
            answer: tokens of the beginning of the answer, behind its last request.
            lighter: by how many fewer what does not last of its thread is written anew, once it is lost.
        """
        self.rhythm.went(asking.feature, rounds)
        lane = asking.thread.lane
        if not lane:
            return
        self.rhythm.answered(asking.thread, asking.at)
        inside = asking.in_cache
        if not inside:
            return
        if asking.ttl == "1h":
            return
        behind = asking.sent - inside + answer
        size = Size(asking.size.shared, inside, behind, lighter, asking.size.lasting)
        self._alive.pop(lane, None)
        self._alive[lane] = Alive(
            asking.thread, asking.model, request, size, asking.at + LASTS["5m"]
        )
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
            calls.append(request)
        return calls

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
                lighter=size.lighter,
                lasting=size.lasting,
            )
            > 0
        )
