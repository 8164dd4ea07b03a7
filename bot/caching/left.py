"""What an ask left in Claude's cache, and how the next one has to begin to read it. Kept with the thread's memory.

… lasting … | own message | tool calls and results | answer      what lies in cache ends with one of these, each for its time
"""

import json
from dataclasses import asdict, dataclass, replace
from typing import Literal

from bot.caching.marks import Ttl
from bot.caching.rhythm import SLOT_SECONDS
from bot.caching.sections import Sections

HOUR_SECONDS = 3_585.0  # an hour, with the same margin
LASTS: dict[Ttl, float] = {"5m": SLOT_SECONDS, "1h": HOUR_SECONDS}

Read = Literal["", "lasting", "own", "tail", "answer"]
"""Up to where what was left is in cache: nowhere, where an earlier ask left it for an hour, the own message of the ask
before, its last tool results, its answer."""


@dataclass(frozen=True, slots=True)
class Lasting:
    """Where an earlier ask left something for an hour.

    Attributes:
        messages: how many there are up to there.
        n: the last ask that is wholly in them.
        until: when it is lost, in epoch seconds, less a margin.
    """

    messages: int
    n: int
    until: float


@dataclass(frozen=True, slots=True)
class Left:
    """What an ask left in Claude's cache.

    Attributes:
        whole: the asks of the thread that lie there as they were sent, its own included, by their numbers.
        own_until: until when all up to its own message is in cache, in epoch seconds, less a margin; 0 if it is not.
        end_until: the same for all that its requests sent.
        answer_until: the same with its answer.
        model: whose cache.
        sections: of its last request that others may begin with.
        hour: whether its own message was kept for an hour.
        lasting: what an ask before it left for an hour.
    """

    whole: tuple[int, ...]
    own_until: float = 0.0
    end_until: float = 0.0
    answer_until: float = 0.0
    model: str = ""
    sections: str = ""
    hour: bool = False
    lasting: Lasting | None = None

    def __str__(self) -> str:
        """As it is kept."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def read(cls, text: str) -> "Left | None":
        """What was kept; None where nothing was."""
        if not text:
            return None
        kept = {k: v for k, v in json.loads(text).items() if k in cls.__dataclass_fields__}
        lasting = kept.pop("lasting", None)
        kept["whole"] = tuple(kept.get("whole", ()))
        return cls(**kept, lasting=Lasting(**lasting) if lasting else None)

    def until(self, model: str) -> float:
        """Until when a model's cache holds something of the thread, in epoch seconds; 0 if it holds nothing."""
        return max(self.own_until, self.end_until) if model == self.model else 0.0

    def ways(self, at: float, *, last: int) -> list[tuple[tuple[int, ...], Read]]:
        """How the next ask may begin, the way that reads most first.

        Args:
            at: epoch seconds.
            last: the number of the ask that left this.

        Returns:
            The asks that are to be read as they were sent, and up to where it then lies in cache.
        """
        _, before, lasting = self.forms(last=last)[:3]
        found: list[tuple[tuple[int, ...], Read]] = []
        if at < self.answer_until:
            return [(self.whole, "answer"), ((), "")]
        if at < self.end_until:
            found.append((self.whole, "tail"))
        if at < self.own_until:
            found.append((before, "own"))
        elif self.lasting and at < self.lasting.until:
            found.append((lasting, "lasting"))
        return [*found, ((), "")]

    def forms(self, *, last: int) -> tuple[tuple[int, ...], ...]:
        """Which asks may be read as they were sent: all that were, those before the last one, those that last, none."""
        before = tuple(n for n in self.whole if n < last)
        upto = self.lasting.n if self.lasting else 0
        return (self.whole, before, tuple(n for n in before if n <= upto), ())

    def holds(self, sections: str, model: str, read: Read, *, whole: bool) -> bool:
        """Whether a request begins, byte for byte, with what lies in cache up to there.

        Args:
            sections: of the request.
            model: who is asked.
            read: up to where.
            whole: whether it has earlier asks as they were sent.
        """
        now, then = Sections.read(sections), Sections.read(self.sections)
        if model != self.model or now is None or then is None:
            return False
        changed = now.changed_since(then, same_ask=False)
        if read == "lasting" and not whole:
            return changed in (None, "messages")
        return not changed and (read in ("own", "lasting") or not now.rewritten_since(then))

    def place(
        self, read: Read, ends: tuple[int, int, int], at: float, *, last: int
    ) -> tuple[tuple[int, Ttl] | None, Lasting | None]:
        """Where the next ask reads, for how long that was kept, and what it leaves to those that follow it of that.

        Args:
            read: up to where something lies in cache.
            ends: how many messages there are up to the ask's own one, its last tool results, and the next ask's own.
            at: epoch seconds.
            last: the number of the ask that left this.
        """
        own, _, asked = ends
        renewed, lasting = at + HOUR_SECONDS, None
        if read in (
            "answer",
            "tail",
        ):  # its first words are written for an hour, and with them all before
            lasting = Lasting(asked - 1, last, renewed)
        elif self.hour and at < self.own_until:
            lasting = Lasting(own, last - 1, renewed if read == "own" else self.own_until)
        elif self.lasting and at < self.lasting.until:
            lasting = replace(self.lasting, until=renewed) if read == "lasting" else self.lasting
        if not read:
            return None, None
        if lasting and read != "own":
            return (lasting.messages - 1, "1h"), lasting
        return (own - 1, "1h" if lasting and lasting.messages == own else "5m"), lasting

    def carried(self, until: float) -> "Left":
        """The same after a call that wrote all of it, the answer too."""
        return replace(self, own_until=until, end_until=until, answer_until=until)
