"""Hold an ask while it is worked on: renew its lease, and hear what people say about it meanwhile.

A stop, an edit or a deletion is committed by the door as a signal and taken here by whoever holds the lease.
"""

import asyncio
from contextlib import AbstractContextManager, suppress
from typing import Protocol

from bot.ask import Lease, Signal
from bot.errors import StoreDown

RENEW_SECONDS = 10.0  # a third of a lease


class Signals(Protocol):
    """What is needed of the inbox."""

    async def renew(self, lease: Lease) -> None:
        """Prolong a lease; raises LeaseLost."""
        ...

    async def signals(self, lease: Lease) -> list[Signal]:
        """Take the signals for an ask."""
        ...

    def listening(self, lease: Lease) -> AbstractContextManager[asyncio.Event]:
        """An event that is set when there may be a signal."""
        ...


class Holding:
    """An ask in hand.

    Attributes:
        stop: set when a person stopped the ask or deleted their message.
        stopped_by: who did first, a Slack user id.
        edited: the person changed their words after the work had begun.
        listened: set once all is heard that was said before the work began.
    """

    def __init__(
        self, inbox: Signals, lease: Lease, *, renew_seconds: float = RENEW_SECONDS
    ) -> None:
        self._inbox = inbox
        self._lease = lease
        self._renew_seconds = renew_seconds
        self.stop = asyncio.Event()
        self.listened = asyncio.Event()
        self.stopped_by = ""
        self.edited = False

    async def keep(self) -> None:
        """Renew and listen until cancelled; a store that is down for a while is tried again.

        Raises:
            LeaseLost: another worker has the ask.
            StoreDown: the lease could not be renewed in time.
        """
        clock = asyncio.get_running_loop().time
        renewed, due = clock(), clock() + self._renew_seconds
        with self._inbox.listening(self._lease) as said:
            while True:
                said.clear()  # before looking: what is said from here on wakes us again
                try:
                    for signal in await self._inbox.signals(self._lease):
                        self._heard(signal)
                    self.listened.set()
                    if clock() >= due:
                        await self._inbox.renew(self._lease)
                        renewed, due = clock(), clock() + self._renew_seconds
                except StoreDown:
                    if clock() - renewed > 2 * self._renew_seconds:
                        raise
                    due = clock() + self._renew_seconds / 10
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(due):
                        await said.wait()

    def _heard(self, signal: Signal) -> None:
        if signal.kind in {"stop", "delete"}:
            self.stopped_by = self.stopped_by or signal.user
            self.stop.set()
        elif signal.kind == "edit":
            self.edited = True
