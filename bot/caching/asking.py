"""The marks of one ask's requests, one after the other, and what they leave in cache."""

from dataclasses import dataclass

from bot.caching.left import LASTS, Lasting, Left
from bot.caching.marks import Marks, Ttl
from bot.caching.rhythm import Thread


@dataclass(frozen=True, slots=True)
class Size:
    """Tokens of a request.

    Attributes:
        shared: what all asks share.
        thread: what is its thread's own.
        answer: what the beginning of the answer adds behind it.
        lighter: by how many fewer all that does not last is written anew, once it is lost.
        lasting: those of the thread that lie in cache for an hour whatever is done now.
    """

    shared: int
    thread: int
    answer: int = 0
    lighter: int = 0
    lasting: int = 0


@dataclass(slots=True)
class Asking:
    """One ask under way.

    Attributes:
        thread: where, this ask included.
        feature: what is asked for.
        model: who is asked.
        size: of its first request.
        ttl: for how long that one is kept in cache, up to its own end; None if it is not.
        read: where something was left in cache by an earlier ask, and for how long.
        lasting: what of that is left to those that follow.
        at: when its last request left that others may begin with, in epoch seconds.
        rounds: of tools before its last request that others may begin with.
        at: when that left, in epoch seconds.
        sent: the thread's tokens in it.
        held: the message up to which one of the later requests is in cache, and the thread's tokens so far.
        before: the same before the last one.
    """

    thread: Thread
    feature: str
    model: str
    size: Size
    ttl: Ttl | None
    read: tuple[int, Ttl] | None = None
    lasting: Lasting | None = None
    rounds: int = 0
    at: float = 0.0
    sent: int = 0
    held: tuple[int, int] | None = None
    before: tuple[int, int] | None = None

    def marks(self, *, rounds: int, last: int, tokens: int, at: float, pays: bool) -> Marks:
        """The marks of its next request; asked for again before it leaves, the same.

        Args:
            rounds: of tools so far.
            last: the place of the request's last message.
            tokens: of the thread in it.
            at: when it leaves, in epoch seconds.
            pays: after a round of tools, whether its end is worth keeping.
        """
        if not rounds:
            self.held = None
        if rounds != self.rounds or not rounds:
            self.before = self.held
        self.rounds, self.at, self.sent = rounds, at, tokens
        self.held = (last, tokens) if pays and rounds else self.before
        return Marks(self.read, self.ttl, self.before[0] if self.before else None, end=pays)

    def left(self, n: int, whole: tuple[int, ...], sections: str) -> Left:
        """What it leaves in cache.

        Args:
            n: its number in its thread.
            whole: the asks before it that it read as they were sent.
            sections: of its last request that others may begin with.
        """
        own = self.at + LASTS[self.ttl] if self.ttl else 0.0
        end = self.at + LASTS["5m"] if self.held else 0.0
        if not self.rounds:  # it ends with the ask's own message
            end = own
        hour, whole = self.ttl == "1h", (*whole, n) if end else whole
        return Left(whole, own, end, 0.0, self.model, sections, hour, self.lasting)

    @property
    def in_cache(self) -> int:
        """The thread's tokens that are in cache when it ends."""
        if self.held:
            return self.held[1]
        return self.size.thread if self.ttl else 0
