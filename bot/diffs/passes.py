"""Which parts of the changes of one review are read together, which one by one, and what was read in the end. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from bot.diffs.coverage import without
from bot.diffs.reading import Reading
from bot.diffs.shown import TOO_LONG

PASSES = 8  # of one review, at most; beyond them the rest is named
TOGETHER_CHARS = 60_000  # of several changes' parts that one request holds


@dataclass(frozen=True, slots=True)
class Pass:
    """One part of a change's diff, read by itself: the change counted from 0, its parts from 1."""

    change: int
    n: int


def parts(readings: Sequence[Reading]) -> tuple[Pass, ...]:
    """Every part, the riskiest of each change first."""
    every = [
        Pass(change, n)
        for change, reading in enumerate(readings)
        for n in range(1, reading.parts + 1)
    ]
    return tuple(sorted(every, key=lambda part: (part.n, part.change)))


def planned(readings: Sequence[Reading], most: int = PASSES) -> tuple[Pass, ...]:
    """The parts to be read one by one, in their order; none where one request holds all that is to be read.

    Args:
        readings: the changes.
        most: how many passes there may be; with one, the riskiest part is read at once.
    """
    every = parts(readings)
    size = sum(len(text) for reading in readings for text in reading.fitted.parts)
    together = all(reading.parts <= 1 for reading in readings) and size <= TOGETHER_CHARS
    return () if together or most == 1 else every[:most]


def covered(
    readings: Sequence[Reading], read: Collection[Pass], why: Mapping[Pass, str] | None = None
) -> str:
    """What was read, in lines for people, exact to the line; "" where there was nothing to read.

    Args:
        readings: the changes.
        read: the parts that were read.
        why: the reasons for others; by default there were too many.
    """
    told: list[str] = []
    for change, reading in enumerate(readings):
        lost = {
            part.n - 1: (why or {}).get(part, TOO_LONG)
            for part in parts(readings)
            if part.change == change and part not in read
        }
        coverage = without(reading.fitted.coverage, reading.fitted.held, lost)
        if coverage.all_files:
            of = f" of {reading.name}" if len(readings) > 1 else ""
            told.append(f"Read{of}: {coverage.sentence}.")
    return "\n".join(told)
