"""A thinking summary as it comes, cut into lines for a status."""

from dataclasses import dataclass

STATUS_CHARS = 80  # of a thought shown as status


@dataclass(slots=True)
class Thoughts:
    """Turns a thinking summary that comes in pieces into lines for a status."""

    line: str = ""
    shown: bool = False  # the line that is still coming

    def more(self, delta: str) -> str | None:
        """Give a line to show: a new one as soon as it is long enough, or whole."""
        *whole, rest = (self.line + delta).split("\n")
        ready = [line for line in map(_bare, whole[1 if self.shown else 0 :]) if line]
        if whole:
            self.shown = False
        self.line = rest
        if not self.shown and len(_bare(rest)) >= STATUS_CHARS:
            self.shown = True
            ready.append(_bare(rest))
        return ready[-1][:STATUS_CHARS] if ready else None


def _bare(line: str) -> str:
    return line.strip(" *#_")
