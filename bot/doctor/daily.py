"""Examinations inside the service, daily and after a rotation: what is newly ill, or worse, is told to admins, once.

examine -> what is not green, and was not told as ill -> admins -> remembered until it is well again
"""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import structlog

from bot.ask import Alerts
from bot.doctor import MARKS, Finding
from bot.store import Store, Transaction

FOUND = "The doctor found something to mend:\n{lines}\n`purser doctor` shows everything."

log = structlog.get_logger()


class Checkups:
    """Examines, and remembers what was told.

    Args:
        examine: finds what is ill, without spending anything.
        store: remembers.
        alerts: tells admins.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        examine: Callable[[], Awaitable[Sequence[Finding]]],
        store: Store,
        alerts: Alerts,
        *,
        now: Callable[[], float],
    ) -> None:
        self._examine, self._store, self._alerts, self._now = examine, store, alerts, now

    async def look(self) -> None:
        """Look, and tell what is news.

        Raises:
            StoreDown: not everything was told, or it will be told again.
        """
        known = {str(r["name"]): r["colour"] for r in await self._store.read("doctor.known")}
        found = await self._examine()
        ill = [f for f in found if f.colour != "green"]
        for one in ill:
            log.warning("doctor", finding=one.name, colour=one.colour, says=one.says, mend=one.mend)
        news = [f for f in ill if not f.passing and _worse(f, known.get(f.name))]
        if news:
            await self._alerts.tell(self._key(news), FOUND.format(lines=_listed(news)))
        # While somebody could not be asked, what only they can tell is not known to be well.
        well = set[str]() if any(f.passing for f in ill) else {*known} - {f.name for f in ill}
        await self._remember(news, well)

    def _key(self, news: Sequence[Finding]) -> str:
        """The same for every process that finds the same on a day."""
        day = datetime.fromtimestamp(self._now(), UTC).date().isoformat()
        names = "\n".join(sorted(f"{f.name} {f.colour}" for f in news))
        return f"doctor:{day}:{hashlib.sha256(names.encode()).hexdigest()[:16]}"

    async def _remember(self, news: Sequence[Finding], well: set[str]) -> None:
        if not (news or well):
            return
        tx = Transaction()
        for one in news:
            tx.add("doctor.ill", finding=one.name, colour=one.colour, now=self._now())
        for name in sorted(well):
            tx.add("doctor.well", finding=name)
        await self._store.commit(tx)


def _worse(found: Finding, before: object) -> bool:
    return before is None or (found.colour, before) == ("red", "yellow")


def _listed(news: Sequence[Finding]) -> str:
    return "\n".join(f"- {MARKS[f.colour][0]} {f.line}" for f in news)
