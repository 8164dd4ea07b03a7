"""What Purser does by itself: whatever is due becomes an ask with a key of its own, so that it is done once.

    look (every 15 s) -> due -> inbox, by its key -> worker -> said in the channel, or to the admins

Any process may look, and all of them do: who puts the key first has put it. What was due while nobody looked is due
still when somebody looks again, as long as its day lasts.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime

import structlog

from bot.ask import Alerts, Ask
from bot.errors import StoreDown
from bot.inbox import Arrival, Inbox

LOOK_SECONDS = 15.0  # between two looks at what is due
GLANCE_SECONDS = 1.0  # between two at the clock

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Due:
    """Something to be said once.

    Attributes:
        key: what it is, such as `budget:2026-11:C1:50.00:80`; what has it was said.
        text: Markdown.
        channel: where; "" for the admins alone.
        admins: whether the admins hear it, too; each of them by direct message.
    """

    key: str
    text: str
    channel: str = ""
    admins: bool = False


Look = Callable[[], Awaitable[Sequence[Due]]]
"""Finds what is due now; what it found before may be found again. It may raise StoreDown."""


class Daily:
    """One piece of work a day, by this process once; what it has to say is told to the admins.

    Args:
        name: of the work; with the day, the key of what it says.
        work: does it, and gives a sentence where there is something to say.
        hour: from which on it is due.
        here: the time of the workspace.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], Awaitable[str | None]],
        *,
        hour: int,
        here: Callable[[], datetime],
    ) -> None:
        self._name, self._work, self._hour, self._here = name, work, hour, here
        self._done: date | None = None
        self._found: Sequence[Due] = ()

    async def look(self) -> Sequence[Due]:
        """Do it, if it is due; what it had to say is found all day, until it is in the inbox.

        Raises:
            StoreDown: it was not done, and is due still.
        """
        here = self._here()
        if here.hour < self._hour:
            return ()
        if here.date() != self._done:
            said, self._done = await self._work(), here.date()
            self._found = [Due(f"{self._name}:{self._done.isoformat()}", said)] if said else ()
        return self._found


class Often:
    """A piece of work that has nothing to say, done at once and again after so many seconds.

    Args:
        work: does it; it may raise StoreDown, and is done at the next look then.
        every: seconds.
        now: seconds since the epoch.
    """

    def __init__(
        self, work: Callable[[], Awaitable[None]], *, every: float, now: Callable[[], float]
    ) -> None:
        self._work, self._every, self._now = work, every, now
        self._due = now()

    async def look(self) -> Sequence[Due]:
        """Do it, if it is due."""
        if self._now() >= self._due:
            await self._work()
            self._due = self._now() + self._every
        return ()


class Schedule:
    """Looks what is due and puts it into the inbox.

    Args:
        looks: each finds one kind of thing.
        inbox: where it becomes an ask.
        alerts: tells admins.
        ours: whether a channel is known to be ours alone; what we spend is not for other organisations.
        team: ours.
        new_id: makes the id of an ask.
        now: seconds since the epoch.
        glance: seconds between two looks at the clock.
    """

    def __init__(
        self,
        looks: Sequence[Look],
        *,
        inbox: Inbox,
        alerts: Alerts,
        ours: Callable[[str], Awaitable[bool]],
        team: str,
        new_id: Callable[[], str],
        now: Callable[[], float],
        glance: float = GLANCE_SECONDS,
    ) -> None:
        self._glance = glance
        self._looks, self._inbox, self._alerts, self._ours = tuple(looks), inbox, alerts, ours
        self._team, self._new_id, self._now = team, new_id, now
        self._said: dict[Look, frozenset[str]] = {}  # found last, and put; the inbox knows all

    async def run(self, stopping: asyncio.Event) -> None:
        """Look until told to stop; a look that fails is logged, and stops neither the others nor the next one."""
        while not stopping.is_set():
            looked = self._now()
            ends = await asyncio.gather(*map(self._look, self._looks), return_exceptions=True)
            for end in ends:
                if isinstance(end, StoreDown):
                    log.warning("nothing is due while the database is down", problem=str(end))
                elif end is not None:
                    log.error("a look at what is due broke", exc_info=end)
            await self._pause(looked, stopping)

    async def _pause(self, looked: float, stopping: asyncio.Event) -> None:
        """Until the next look, by the clock that everything else goes by: it may be moved, or set back."""
        while abs(self._now() - looked) < LOOK_SECONDS and not stopping.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._glance):
                    await stopping.wait()

    async def _look(self, look: Look) -> None:
        found, said = await look(), self._said.get(look, frozenset())
        await self.put([due for due in found if due.key not in said])
        self._said[look] = frozenset(due.key for due in found)

    async def put(self, found: Sequence[Due]) -> None:
        """Put what is due into the inbox, unless it was put before.

        Raises:
            StoreDown: not all of it was put; the next look finds it again.
        """
        for due in found:
            if due.channel and await self._ours(due.channel):
                await self._inbox.put(Arrival((), self._own(due)))
            if due.admins or not due.channel:
                await self._alerts.tell(due.key, due.text)

    def _own(self, due: Due) -> Ask:
        return Ask(
            id=self._new_id(),
            key=due.key,
            team=self._team,
            channel=due.channel,
            user="",
            feature="digest",
            origin="own",
            text=due.text,
            at=self._now(),
        )
