"""A call that wants to go out, its ticket when it may, and its place in line until then."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["requests", "input_tokens", "output_tokens"]
KINDS: tuple[Kind, ...] = ("requests", "input_tokens", "output_tokens")


@dataclass(frozen=True, slots=True)
class Call:
    """A call that wants to go out.

    Attributes:
        model: whom it asks.
        channel: for whom.
        person: who asks.
        input_tokens: about how many it brings that are not read from cache.
        output_tokens: about how many it will be answered with.
        patient: it waits while the model rests; otherwise another one is asked.
    """

    model: str
    channel: str = ""
    person: str = ""
    input_tokens: int = 0
    output_tokens: int = 1
    patient: bool = True

    def needs(self) -> dict[Kind, float]:
        """What it takes of each bucket."""
        return {
            "requests": 1.0,
            "input_tokens": float(self.input_tokens),
            "output_tokens": float(max(1, self.output_tokens)),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """A call that was let out; give it back with `settle`, whatever came of it."""

    call: Call
    number: int


@dataclass(slots=True, eq=False)
class Waiter:
    """A call in line. `ticket` is set when it may go, `gone` when it no longer wants to."""

    call: Call
    ticket: Ticket | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """How long somebody will still wait, in seconds: about, and at least; and for which limit."""

    waiter: Waiter
    about: float
    least: float
    which: str
