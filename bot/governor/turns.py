"""Whose turn it is: deficit round robin by tokens, between channels, and within each between its people. Pure.

Everyone in line is given the same number of tokens for each round, and goes when theirs suffice: who asks for much
waits longer for it, and nobody is overtaken without end.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, Protocol, Self, TypeVar

from bot.governor.calls import Waiter

QUANTUM = 4_000.0  # input tokens for each round, about one question with its thread


class _Line(Protocol):
    credit: float

    def head(self) -> Waiter | None:
        """Whose turn it is here."""
        ...

    def pop(self) -> None:
        """Take that one out."""
        ...

    def copy(self) -> Self:
        """The same, to be taken apart."""
        ...


L = TypeVar("L", bound=_Line)


@dataclass(slots=True)
class _Person:
    """The line of one person: first come, first served."""

    waiters: deque[Waiter] = field(default_factory=deque[Waiter])
    credit: float = 0.0

    def head(self) -> Waiter | None:
        while self.waiters and self.waiters[0].gone:
            self.waiters.popleft()
        return self.waiters[0] if self.waiters else None

    def pop(self) -> None:
        self.waiters.popleft()

    def copy(self) -> Self:
        return type(self)(deque(self.waiters), self.credit)


@dataclass(slots=True)
class _Round(Generic[L]):
    """Lines that take turns, the one whose turn it is in front; a line that is empty leaves."""

    lines: OrderedDict[str, L] = field(default_factory=OrderedDict[str, L])
    credit: float = 0.0

    def head(self) -> Waiter | None:
        while self.lines:
            name, line = next(iter(self.lines.items()))
            waiter = line.head()
            if waiter is None:
                del self.lines[name]
            elif line.credit >= waiter.call.input_tokens:
                return waiter
            else:
                line.credit += QUANTUM
                self.lines.move_to_end(name)
        return None

    def pop(self) -> None:
        """Take the head out; its line pays, and keeps its turn as long as it can pay."""
        line = next(iter(self.lines.values()))
        waiter = line.head()
        line.pop()
        line.credit -= waiter.call.input_tokens if waiter else 0

    def copy(self) -> Self:
        lines = OrderedDict((name, line.copy()) for name, line in self.lines.items())
        return type(self)(lines, self.credit)


class Turns:
    """All calls in line, in the order of their turns."""

    def __init__(self) -> None:
        self._channels = _Round[_Round[_Person]]()

    def add(self, waiter: Waiter, *, first: bool = False) -> None:
        """Put a call in line; with `first` before all else of its person, since it was turned away before."""
        call = waiter.call
        people = self._channels.lines.setdefault(call.channel, _Round[_Person]())
        line = people.lines.setdefault(call.person, _Person())
        if first:
            line.waiters.appendleft(waiter)
        else:
            line.waiters.append(waiter)

    def head(self) -> Waiter | None:
        """Whose turn it is; the same until it is popped or gone."""
        return self._channels.head()

    def pop(self) -> None:
        """Take out whose turn it is."""
        self._channels.pop()

    def ahead(self) -> Iterator[Waiter]:
        """All in line, in the order of their turns if nobody else comes."""
        channels = self._channels.copy()
        while (waiter := channels.head()) is not None:
            channels.pop()
            yield waiter
