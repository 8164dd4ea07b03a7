"""The demo's time: this machine's, and so many seconds ahead of it, the same in each process that has its file.

    page, tour -> Hands -> Clock <- the stand-ins
                             ^----- the bot, in a process of its own

It only ever goes on. Hours pass in a few seconds, quickly at first and slowly near the end; while the bot is at work
time goes by as ever, so that an answer takes in the demo's night what it takes in a real one.
"""

import asyncio
import math
import mmap
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

BYTES = 8  # of the file: how many seconds ahead, as a double
TICK_SECONDS = 0.1  # between two leaps of the hands
SLOWEST = 3_600.0 * 0.6  # seconds that pass in a second, near the end of a way
LEFT_SECONDS = 2.0  # in which what is left of a way would pass, were it not ever slower


class Clock:
    """Seconds since the epoch, by the clock that a file holds.

    Args:
        file: of eight bytes; made where it is not there.
    """

    def __init__(self, file: Path) -> None:
        with file.open("a+b") as opened:
            opened.truncate(BYTES)
            self._ahead = memoryview(mmap.mmap(opened.fileno(), BYTES)).cast("d")

    def __call__(self) -> float:
        """The time."""
        return time.time() + self.ahead

    @property
    def ahead(self) -> float:
        """Seconds that it is ahead of this machine's."""
        return self._ahead[0]

    def move(self, seconds: float) -> None:
        """Let it be so much later."""
        self._ahead[0] += seconds


class Hands:
    """Let hours pass.

    Args:
        clock: whose.
        busy: whether the bot is at work on something.
        told: called at each leap.
        tick: seconds between two of them.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        busy: Callable[[], Awaitable[bool]],
        told: Callable[[], None],
        tick: float = TICK_SECONDS,
    ) -> None:
        self.clock = clock
        self.to: float | None = None  # the moment that is gone to
        self._busy, self._told, self._tick = busy, told, tick
        self._way: asyncio.Task[None] | None = None

    def next(self, hour: int) -> float:
        """The next moment at which it is that hour (UTC)."""
        now = datetime.fromtimestamp(self.clock(), UTC)
        there = now.replace(hour=hour, minute=0, second=0, microsecond=0)
        return (there if there > now else there + timedelta(days=1)).timestamp()

    def set_out(self, moment: float) -> None:
        """Begin to go to a moment; one that is gone to already is replaced, and the past changes nothing."""
        self.to = moment
        if self._way is None or self._way.done():
            self._way = asyncio.create_task(self._go())

    async def arrived(self) -> None:
        """Wait until nothing is gone to."""
        if self._way is not None:
            await self._way

    async def stop(self) -> None:
        """Go no further."""
        if self._way is not None:
            self._way.cancel()
            with suppress(asyncio.CancelledError):
                await self._way

    async def _go(self) -> None:
        try:
            while self.to is not None and (left := self.to - self.clock()) > 0:
                if not await self._busy():
                    pace = max(SLOWEST, left / LEFT_SECONDS)
                    self.clock.move(min(left, pace * TICK_SECONDS))
                self._told()
                await asyncio.sleep(self._tick)
        finally:
            self.to = None
            self._told()


def told(moment: float) -> str:
    """A moment as the demo says it: "Thu 18:00 UTC"."""
    return f"{datetime.fromtimestamp(math.floor(moment), UTC):%a %H:%M} UTC"
