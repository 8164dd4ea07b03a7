"""Who writes what was proposed: what is asked of each, and the ways in which it can end. A draft is text to everybody else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bot.ask import Person
from bot.errors import PurserError
from bot.policy import Verdict
from bot.proposals import Proposal
from bot.rules import Rules


class Unwritten(PurserError):
    """Nothing was written, or nobody can tell; the message is the sentence for people."""


class Lost(Unwritten):
    """It was sent, and the answer was lost: it stands there or not."""


class Stays(Unwritten):
    """What was written is not taken back, and why."""


@dataclass(frozen=True, slots=True)
class Done:
    """Something that stands there.

    Attributes:
        written: as its writer keeps it.
        sentence: what there is to say of it, "" for nothing.
    """

    written: str
    sentence: str = ""


class Writer(Protocol):
    """Writes one kind of proposals.

    Attributes:
        unknown: what is said where an answer was lost and nothing is found.
    """

    @property
    def unknown(self) -> str:
        """See above."""
        ...

    def may(self, draft: str, rules: Rules) -> Verdict:
        """Whether a channel may have this written now."""
        ...

    def key(self, draft: str) -> str:
        """What it is about, for the log."""
        ...

    async def write(self, draft: str, *, mark: str, deadline: float) -> Done:
        """Write it once; raises Lost, or Unwritten."""
        ...

    async def look(self, draft: str, *, mark: str, deadline: float) -> Done | None:
        """Whether it stands there, None where it is not found; raises Unwritten where nobody can tell."""
        ...

    async def undo(self, written: str, *, deadline: float) -> str:
        """Take it back, and say what is so now; raises Stays, Lost (asking again is safe), or Unwritten."""
        ...

    async def redraft(
        self, found: Proposal, asked: Mapping[str, Any], person: Person, *, deadline: float
    ) -> str:
        """What would be written if something else had been asked for; raises Unwritten."""
        ...
