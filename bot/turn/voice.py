"""What has been said of an answer so far, and how some of it is taken back."""

from collections.abc import Callable

from bot.answer import Event, TextDelta, Withdrawn


class Voice:
    """Speaks an answer that comes in several responses as one text.

    Args:
        tell: hears the events.
    """

    def __init__(self, tell: Callable[[Event], None]) -> None:
        self.tell = tell
        self.said = ""
        self._pause = False

    def say(self, text: str) -> None:
        """Say more; after a pause it begins a paragraph of its own."""
        if self._pause and self.said.strip():
            text = f"\n\n{text.lstrip()}"
        if not text.strip("\n") and self._pause:
            return
        self._pause = False
        self.said += text
        self.tell(TextDelta(text))

    def pause(self) -> None:
        """What follows is another paragraph: something else was done in between."""
        self._pause = True

    def take_back(self, mark: int, notice: str) -> None:
        """Take back all that was said after the mark, a former length of `said`."""
        kept, lost = self.said[:mark], self.said[mark:]
        self._pause = bool(kept.strip())
        if not lost.strip():
            return  # nothing that anybody has seen
        self.tell(Withdrawn(notice))
        if kept:
            self.tell(TextDelta(kept))
        self.said = kept
