"""How much of a change was read, to the line, and what was not read and why. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

NAMED = 15  # files or lines that are named one by one, beyond which they are counted


@dataclass(frozen=True, slots=True)
class Coverage:
    """What of a change stands in its parts.

    Attributes:
        files: how many stand there whole.
        all_files: how many the change touches.
        lines: how many added and removed lines stand there.
        all_lines: how many there are, as far as the diff shows them.
        gaps: files that do not stand there whole, each with the reason.
    """

    files: int
    all_files: int
    lines: int
    all_lines: int
    gaps: tuple[tuple[str, str], ...] = ()

    @property
    def sentence(self) -> str:
        """For Claude and for people, exact: "31 of 34 files, 2,140 of 2,300 changed lines; not read: …"."""
        files = f"{self.files:,} of {self.all_files:,} {plural(self.all_files, 'file')}"
        lines = f"{self.lines:,} of {self.all_lines:,} changed {plural(self.all_lines, 'line')}"
        told = [f"{path} ({why})" for path, why in self.gaps]
        return f"{files}, {lines}" + (f"; not read: {listed(told)}" if told else "")


@dataclass(frozen=True, slots=True)
class Held:
    """What of one file stands in one part: `lines` of the `changed` lines that it has."""

    path: str
    lines: int
    changed: int


def without(
    coverage: Coverage, parts: Sequence[Sequence[Held]], lost: Mapping[int, str]
) -> Coverage:
    """What was read of a change when some of its parts were not.

    Args:
        coverage: of all its parts.
        parts: what stands in each of them.
        lost: the parts that were not read, counted from 0, each with the reason.
    """
    gaps = dict(coverage.gaps)
    read: dict[str, int] = {}
    for n, part in enumerate(parts):
        for held in part if n not in lost else ():
            read[held.path] = read.get(held.path, 0) + held.lines
    missing = files = 0
    for n, why in sorted(lost.items()):
        for held in parts[n]:
            missing += held.lines
            files += held.path not in gaps
            some = read.get(held.path, 0)
            left = f": {some:,} of its {held.changed:,} lines are read" if some else ""
            gaps[held.path] = f"{why}{left}"
    return replace(
        coverage,
        files=coverage.files - files,
        lines=coverage.lines - missing,
        gaps=tuple(gaps.items()),
    )


def listed(names: Sequence[str]) -> str:
    """Names one after the other, and how many more there are."""
    more = f", and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def plural(count: int, what: str) -> str:
    """A word for one or for many."""
    return what if count == 1 else f"{what}s"
