"""Hold an ask while it is worked on: renew its lease, and hear what people say about it meanwhile.

A stop, an edit or a deletion is committed by the door as a signal and taken here by whoever holds the lease.
"""

import asyncio
from typing import Protocol

from bot.ask import Lease, Signal

RENEW_SECONDS = 10.0  # a third of a lease


class Signals(Protocol):
    """What is needed of the inbox."""

    async def renew(self, lease: Lease) -> None:
        """Prolong a lease; raises LeaseLost."""
        ...

    async def signals(self, lease: Lease) -> list[Signal]:
        """Take the signals for an ask."""
        ...

    async def wait_signal(self, seconds: float = 30.0) -> None:
        """Return when there may be a signal."""
        ...


class Holding:
    """An ask in hand.

    Attributes:
        stop: set when a person stopped the ask or deleted their message.
        stopped_by: who did, a Slack user id.
        edited: the person changed their words after the work had begun.
    """

    def __init__(
        self, inbox: Signals, lease: Lease, *, renew_seconds: float = RENEW_SECONDS
    ) -> None:
        self._inbox = inbox
        self._lease = lease
        self._renew_seconds = renew_seconds
        self.stop = asyncio.Event()
        self.stopped_by = ""
        self.edited = False

    async def keep(self) -> None:
        """Renew and listen until cancelled.

        Raises:
            LeaseLost: another worker has the ask.
        """
        listening = asyncio.create_task(self._listen())
        try:
            while True:
                await asyncio.wait({listening}, timeout=self._renew_seconds)
                if listening.done():
                    listening.result()
                await self._inbox.renew(self._lease)
        finally:
            listening.cancel()

    async def _listen(self) -> None:
        while True:
            for signal in await self._inbox.signals(self._lease):
                self._heard(signal)
            await self._inbox.wait_signal()

    def _heard(self, signal: Signal) -> None:
        if signal.kind in {"stop", "delete"}:
            self.stopped_by = signal.user
            self.stop.set()
        elif signal.kind == "edit":
            self.edited = True
