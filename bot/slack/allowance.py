"""What Slack lets us do in a minute, and how long an answer's first words wait for the rest because of it.

Streams are scarce, about twenty starts in a minute and workspace, and so are edits. While there are plenty, first
words are shown at once. When they become scarce, what is whole soon is posted in one piece, which takes neither.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

STREAMS = 18  # started in a minute and workspace; Slack takes 20
EDITS = 45  # in a minute and workspace; Slack takes 50
SOON_SECONDS = 0.02  # an answer that is whole within this is always posted in one piece
WHOLE_SECONDS = 1.5  # the same, where streams or edits are scarce
MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a minute's allowance; `refused` where Slack has said no, since others use it, too."""

    now: int
    of: int
    refused: bool = False

    @property
    def plenty(self) -> bool:
        """Whether at least half of it is left."""
        return not self.refused and 2 * self.now >= self.of


def hold(streams: Left | None, edits: Left) -> float:
    """Seconds that first words wait for the rest of their answer. Pure.

    Args:
        streams: None where no stream can be, since the answer's message stands there already.
        edits: by which the words come that no stream brings.
    """
    scarce = edits if streams is None or not streams.now else streams
    return SOON_SECONDS if scarce.plenty else WHOLE_SECONDS


class Allowance:
    """Counts what was done in the last minute.

    Args:
        per_minute: as much as may be done.
        clock: seconds that only grow.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self._of, self._clock = per_minute, clock
        self._done: deque[float] = deque()
        self._refused_at = float("-inf")

    def left(self) -> Left:
        """What is left now."""
        ago = self._clock() - MINUTE
        while self._done and self._done[0] < ago:
            self._done.popleft()
        return Left(self._of - len(self._done), self._of, self._refused_at >= ago)

    def use(self) -> bool:
        """Whether one more is within the allowance; counts it."""
        if self.left().now <= 0:
            return False
        self._done.append(self._clock())
        return True

    def refused(self) -> None:
        """Slack has said that it was too often: for a minute it counts as scarce."""
        self._refused_at = self._clock()


class Allowances:
    """What all answers of this process share.

    Args:
        clock: seconds that only grow.
        streams: that may be started in a minute.
    """

    def __init__(self, clock: Callable[[], float], streams: int = STREAMS) -> None:
        self.streams = Allowance(streams, clock)
        self.edits = Allowance(EDITS, clock)
