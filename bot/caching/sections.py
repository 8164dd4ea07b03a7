"""What the beginning of a request is told apart by, section by section: a few digits each, never text. Pure.

    tools ── system ── channel ── settings ── messages: … before … tail … own … end

What one request left in cache up to `own` or `end`, the next ask of the thread reads up to `before` or `tail`: where
these differ, the messages were changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from zlib import crc32

DIGITS = 8  # of a checksum: enough to tell two apart, and too few to say what stood there

Section = Literal["tools", "system", "channel", "settings", "messages"]


@dataclass(frozen=True, slots=True)
class Sections:
    """The sections of one request.

    Attributes:
        tools: as they are declared.
        system: what all channels share.
        channel: the channel's own paragraph.
        settings: how hard Claude is to think, and whether it may use tools.
        before: the messages up to the own one of the ask before.
        tail: up to where that ask ended, without its answer.
        own: up to this ask's own message.
        end: all of them.
    """

    tools: str
    system: str
    channel: str
    settings: str
    before: str = ""
    tail: str = ""
    own: str = ""
    end: str = ""

    def __str__(self) -> str:
        """As the journal keeps it."""
        messages = (self.before, self.tail, self.own, self.end)
        parts = (self.tools, self.system, self.channel, self.settings, *messages)
        return " ".join([part or "-" for part in parts])

    @classmethod
    def read(cls, text: str) -> "Sections | None":
        """What the journal kept; None where that is nothing, or was written by a release that knows more."""
        parts = text.split()
        return cls(*parts) if len(parts) == len(cls.__dataclass_fields__) else None

    def changed_since(self, earlier: "Sections", *, same_ask: bool) -> Section | None:
        """The first section that is not what it was in an earlier request of the thread; None where all are."""
        for name in ("tools", "system", "channel", "settings"):
            if getattr(self, name) != getattr(earlier, name):
                return name
        own = self.own if same_ask else self.before
        return None if own == earlier.own else "messages"

    def rewritten_since(self, earlier: "Sections") -> bool:
        """Whether what followed the own message of the ask before stands there in another form."""
        return self.tail != earlier.end


def short(data: bytes) -> str:
    """A few digits by which it is told apart."""
    return f"{crc32(data):08x}"


def prefixes(parts: Sequence[bytes], ends: Sequence[int]) -> list[str]:
    """For each end, ascending, a few digits by which so many parts are told apart; "" of none."""
    found: list[str] = []
    whole = done = 0
    for end in ends:
        for part in parts[done:end]:
            whole = crc32(part, whole)
        done = max(done, end)
        found.append(f"{whole:08x}" if end else "")
    return found
