"""Those who wait for one model: each called when it is their turn, and told how long that will take."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from bot.governor.calls import Ticket, Waiter
from bot.governor.pace import Pace
from bot.governor.steps import GiveUp, reason, too_long

TELL_SECONDS = 3.0  # a wait that is longer is told
RETELL_SECONDS = 5.0  # and told anew so often

STILL_WAITING = GiveUp("")

Tell = Callable[[float, str], None]
"""Hears that a call waits: about how many seconds more, and why."""


@dataclass(eq=False, slots=True)
class _Place:
    """One who waits."""

    since: float
    deadline: float
    tell: Tell
    called: asyncio.Event = field(default_factory=asyncio.Event)
    refused: GiveUp = STILL_WAITING
    told: float = float("-inf")  # when


class Line:
    """Calls those in line whose turn it is.

    Args:
        pace: of the model they wait for.
        clock: seconds that only grow.
    """

    def __init__(self, pace: Pace, clock: Callable[[], float]) -> None:
        self._pace, self._clock = pace, clock
        self._places: dict[Waiter, _Place] = {}
        self._news = asyncio.Event()
        self._calling: asyncio.Task[None] | None = None

    async def wait(self, waiter: Waiter, *, deadline: float, tell: Tell) -> Ticket | GiveUp:
        """Wait until it is somebody's turn, or until that would take longer than they have.

        Args:
            waiter: who stands in the pace's line.
            deadline: when the ask ends, on the clock.
            tell: hears of a long wait.
        """
        self._call()
        if waiter.ticket is not None:
            return waiter.ticket
        place = self._places[waiter] = _Place(self._clock(), deadline, tell)
        if self._calling is None or self._calling.done():
            self._calling = asyncio.create_task(self._keep_calling())
        try:
            await place.called.wait()
        except asyncio.CancelledError:
            if waiter.ticket is not None:  # called and stopped at the same moment
                self._pace.over(waiter.ticket)
            raise
        finally:
            waiter.gone = True
            del self._places[waiter]
            self._news.set()
        return waiter.ticket or place.refused

    def stir(self) -> None:
        """Something has changed: somebody's turn may have come."""
        self._news.set()

    def _call(self) -> None:
        for waiter in self._pace.let_out(self._clock()):
            if place := self._places.get(waiter):
                place.called.set()

    async def _keep_calling(self) -> None:
        while self._places:
            self._news.clear()
            self._call()
            self._tell()
            seconds = min(RETELL_SECONDS, self._pace.seconds_until_next(self._clock()))
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._news.wait()

    def _tell(self) -> None:
        """Tell those who wait long how long it will take; turn away whose time will not suffice."""
        now = self._clock()
        if not any(now - place.told >= RETELL_SECONDS for place in self._places.values()):
            return
        for wait in self._pace.expected(now):
            place = self._places.get(wait.waiter)
            if place is None or now - place.told < RETELL_SECONDS:
                continue
            place.told = now
            if now + wait.least > place.deadline:
                place.refused = GiveUp(too_long(wait.least, wait.which), busy=True)
                wait.waiter.gone = True
                place.called.set()
            elif wait.about > TELL_SECONDS or now - place.since > TELL_SECONDS:
                place.tell(wait.about, reason(wait.which))
