"""What has been said of an answer so far, and how some of it is taken back."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass

from bot.answer import Event, TextDelta, Withdrawn
from bot.findings import Finding, Sieve


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in an answer that one can go back to: how much was said, and what was still examined."""

    said: int = 0
    sieve: Sieve | None = None


START = Mark()


class Voice:
    """Speaks an answer that comes in several responses as one text.

    Args:
        tell: hears the events.
        sieve: examines findings before they are said; None lets everything through.
    """

    def __init__(self, tell: Callable[[Event], None], sieve: Sieve | None = None) -> None:
        self.tell = tell
        self.said = ""
        self._pause = False
        self._sieve = sieve
        self._fresh = copy(sieve)

    @property
    def note(self) -> str:
        """What is to be said about findings that were left out, "" if none was."""
        return self._sieve.note if self._sieve else ""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings that were said."""
        return self._sieve.passed if self._sieve else ()

    def leave_out(self, count: int) -> None:
        """So many findings were left out before the answer began."""
        for sieve in (self._sieve, self._fresh):
            if sieve:
                sieve.left_out += count

    def add(self, text: str) -> None:
        """Say a paragraph of our own, behind all that is said."""
        self.pause()
        self._say(text)

    def say(self, text: str) -> None:
        """Say more, as far as it is decided; after a pause it begins a paragraph of its own."""
        self._say(self._sieve.feed(text) if self._sieve else text)

    def finish(self) -> None:
        """Say what is still held back: the text goes no further."""
        if self._sieve:
            self._say(self._sieve.rest())

    def _say(self, text: str) -> None:
        if self._pause and self.said.strip():
            text = f"\n\n{text.lstrip()}"
        if not text.strip("\n") and self._pause:
            return
        self._pause = False
        if text:
            self.said += text
            self.tell(TextDelta(text))

    def pause(self) -> None:
        """What follows is another paragraph: something else was done in between."""
        self.finish()
        self._pause = True

    def mark(self) -> Mark:
        """Where the answer is now."""
        return Mark(len(self.said), copy(self._sieve))

    def take_back(self, mark: Mark, notice: str) -> None:
        """Take back all that was said after the mark."""
        self._sieve = copy(mark.sieve or self._fresh)
        kept, lost = self.said[: mark.said], self.said[mark.said :]
        self._pause = bool(kept.strip())
        if not lost.strip():
            return  # nothing that anybody has seen
        self.tell(Withdrawn(notice))
        if kept:
            self.tell(TextDelta(kept))
        self.said = kept
