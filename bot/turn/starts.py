"""Where the beginning that all requests share is not in Claude's cache, one request writes it and the others read it.

What is written can be read as soon as the answer begins: those that come meanwhile wait for that, a few seconds at
most. Without it, each of them would pay for writing.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

LASTS_SECONDS = 3_500.0  # an hour, less the way to Claude; each use renews it
WAIT_SECONDS = 5.0  # for another's answer to begin; money is not worth more of a person's time


class Starts:
    """Knows which beginnings are in cache, and who is about to write one.

    Args:
        wait: seconds at most for another's answer to begin.
    """

    def __init__(self, wait: float = WAIT_SECONDS) -> None:
        self._wait = wait
        self._begun: dict[str, float] = {}  # when an answer to one of these began last
        self._writing: dict[str, asyncio.Event] = {}  # set when its answer begins, or it has failed

    def begun(self, head: str, at: float) -> None:
        """An answer has begun, at a time on a clock that only grows: what it shares is in cache."""
        self._begun[head] = at
        if writing := self._writing.pop(head, None):
            writing.set()

    @asynccontextmanager
    async def turn(
        self, head: str, clock: Callable[[], float]
    ) -> AsyncGenerator[Callable[[], None]]:
        """Make a request: at once, or when another one that writes the same beginning is answered.

        Args:
            head: what tells beginnings apart; "" is one that nobody shares.
            clock: seconds that only grow.

        Yields:
            What is to be called when the answer begins.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(self._wait):
                while self._cold(head, clock()) and (other := self._writing.get(head)):
                    await other.wait()
        mine = None
        if self._cold(head, clock()) and head not in self._writing:
            mine = self._writing[head] = asyncio.Event()
        try:
            yield lambda: self.begun(head, clock())
        finally:
            if mine is not None and self._writing.get(head) is mine:
                del self._writing[head]
                mine.set()

    def _cold(self, head: str, now: float) -> bool:
        return bool(head) and now - self._begun.get(head, float("-inf")) > LASTS_SECONDS
