"""What an ask left in Claude's cache, and how the next one has to begin to read it. Kept with the thread's memory.

… | own message | tool calls and results | answer        what lies in cache ends with one of these, each for its time
"""

import json
from dataclasses import asdict, dataclass, replace

from bot.caching.marks import Read
from bot.caching.sections import Sections


@dataclass(frozen=True, slots=True)
class Left:
    """What an ask left in Claude's cache.

    Attributes:
        whole_from: which ask of the thread was the first that it read as it was sent; its own number if none.
        own_until: until when all up to its own message is in cache, in epoch seconds, less a margin; 0 if it is not.
        end_until: the same for all that its requests sent.
        answer_until: the same with its answer.
        model: whose cache.
        sections: of its last request that others may begin with.
    """

    whole_from: int
    own_until: float = 0.0
    end_until: float = 0.0
    answer_until: float = 0.0
    model: str = ""
    sections: str = ""

    def __str__(self) -> str:
        """As it is kept."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def read(cls, text: str) -> "Left | None":
        """What was kept; None where nothing was."""
        return cls(**json.loads(text)) if text else None

    def until(self, model: str) -> float:
        """Until when a model's cache holds something of the thread, in epoch seconds; 0 if it holds nothing."""
        return max(self.own_until, self.end_until) if model == self.model else 0.0

    def ways(self, at: float, *, last: int) -> list[tuple[int, Read]]:
        """How the next ask may begin, the way that reads most first.

        Args:
            at: epoch seconds.
            last: the number of the ask that left this.

        Returns:
            The first ask that is to be read as it was sent, and up to where it then lies in cache.
        """
        light = last + 1
        if at < self.answer_until:
            return [(self.whole_from, "answer"), (light, "")]
        own = (light, "own" if at < self.own_until else "")
        if at < self.end_until:
            return [(self.whole_from, "tail"), own]
        if self.whole_from < last and own[1]:
            return [(self.whole_from, "own"), (light, "")]
        return [own]

    def holds(self, sections: str, model: str, read: Read) -> bool:
        """Whether a request begins, byte for byte, with what lies in cache up to there."""
        now, then = Sections.read(sections), Sections.read(self.sections)
        if model != self.model or now is None or then is None:
            return False
        if now.changed_since(then, same_ask=False):
            return False
        return read == "own" or not now.rewritten_since(then)

    def carried(self, until: float) -> "Left":
        """The same after a call that wrote all of it, the answer too."""
        return replace(self, own_until=until, end_until=until, answer_until=until)
