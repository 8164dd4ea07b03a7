"""The database's own time, which all processes share; kept by our monotonic clock between two looks."""

import time
from collections.abc import Callable


class Clock:
    """Seconds since the epoch, as the database has them.

    Args:
        monotonic: our own clock, whatever people do to the machine's time.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._ahead = 0.0

    def __call__(self) -> float:
        """The time now; ours and another process's differ by what a look took."""
        return self._monotonic() + self._ahead

    def looked(self, at: float) -> None:
        """The database has just told its time."""
        self._ahead = at - self._monotonic()
