"""The digests that people want: who asked, where, about what and when. Each coming one becomes an ask, once.

    /summarize project SHOP nightly at 7:00 -> kept -> look (every 15 s) -> Ask `digest:<id>:<day>`, hours before

The ask's `at` is the moment it is due, so that it waits behind everybody who asks before that.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from itertools import takewhile
from typing import Literal, cast

from bot.ask import Ask
from bot.audit import Record, record
from bot.digests.cadence import Cadence
from bot.digests.subject import Kind, Subject
from bot.inbox import Arrival, Inbox
from bot.schedule import Due
from bot.store import Row, Store, Transaction

LEAD_SECONDS = 3 * 3600.0  # before it is due a digest is begun; most batches have ended after one
LATE_SECONDS = 12 * 3600.0  # after it was due it is not begun any more
IN_A_CHANNEL = 10  # digests


@dataclass(frozen=True, slots=True)
class Digest:
    """Something that somebody wants to read again and again; `at` is when they said so, in epoch seconds."""

    id: str
    team: str
    channel: str
    user: str
    subject: Subject
    cadence: Cadence
    at: float
    stopped: bool = False


class Digests:
    """Keeps digests, and begins those that are due.

    Args:
        store: where they lie.
        inbox: where a coming one becomes an ask.
        zone: whose clock on the wall counts.
        new_id: makes ids.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        store: Store,
        inbox: Inbox,
        *,
        zone: tzinfo,
        new_id: Callable[[], str],
        now: Callable[[], float],
    ) -> None:
        self._store, self._inbox = store, inbox
        self.zone, self._new_id, self._now = zone, new_id, now
        self._begun: set[str] = set()  # by this process; the inbox knows what any has begun

    async def add(self, ask: Ask, subject: Subject, cadence: Cadence) -> Digest | None:
        """Keep a digest; None where the channel has as many as it may.

        Raises:
            StoreDown: it was not kept.
        """
        # A worker that died right after this does it again: the same ask makes the same digest.
        made = Digest(ask.reference, ask.team, ask.channel, ask.user, subject, cadence, self._now())
        tx = Transaction()
        tx.add(
            "digests.put",
            id=made.id,
            team=made.team,
            channel=made.channel,
            user=made.user,
            subject=f"{subject.kind} {subject.name}",
            cadence=cadence.text,
            at=made.at,
            most=IN_A_CHANNEL,
        )
        self._record(tx, made, ask.user, "set")
        kept = (await self._store.commit(tx))[0]
        found = made if kept else await self.get(made.id)
        return found if found is not None and found.channel == made.channel else None

    async def of(self, channel: str) -> list[Digest]:
        """The digests of a channel, the oldest first. Raises StoreDown."""
        return [
            _digest(row) for row in await self._store.read("digests.of_channel", channel=channel)
        ]

    async def get(self, id: str) -> Digest | None:  # noqa: A002 - its id
        """One digest, stopped or not. Raises StoreDown."""
        rows = await self._store.read("digests.get", id=id)
        return _digest(rows[0]) if rows else None

    async def stop(self, digest: Digest, *, user: str = "") -> None:
        """Let a digest come no more; `user` is who wants that, "" where it is our own doing.

        Raises:
            StoreDown: it comes still.
        """
        tx = Transaction()
        self.stopping(tx, digest, user=user)
        await self._store.commit(tx)

    def stopping(self, tx: Transaction, digest: Digest, *, user: str = "") -> None:
        """The same as part of a transaction."""
        tx.add("digests.stop", id=digest.id, now=self._now())
        self._record(tx, digest, user, "reset")

    def next(self, digest: Digest) -> float:
        """When a digest comes next, in epoch seconds."""
        return next(digest.cadence.moments(self._now(), self.zone))[1]

    async def look(self) -> Sequence[Due]:
        """Begin what is due soon; a `schedule.Look` that has nothing to say.

        Raises:
            StoreDown: not everything was begun; the next look does it.
        """
        begun: set[str] = set()
        for row in await self._store.read("digests.coming"):
            digest = _digest(row)
            for day, at in self._soon(digest):
                ask = self._ask(digest, day, at)
                if ask.key not in self._begun:
                    await self._inbox.put(Arrival((), ask))
                begun.add(ask.key)
        self._begun = begun  # without those whose time has gone by
        return ()

    def _soon(self, digest: Digest) -> list[tuple[date, float]]:
        """Its days that are to be begun now; none that lies before it was asked for."""
        now = self._now()
        after = max(digest.at, now - LATE_SECONDS)
        moments = digest.cadence.moments(after, self.zone)
        return list(takewhile(lambda moment: moment[1] <= now + LEAD_SECONDS, moments))

    def _ask(self, digest: Digest, day: date, at: float) -> Ask:
        return Ask(
            id=self._new_id(),
            key=f"digest:{digest.id}:{day.isoformat()}",
            team=digest.team,
            channel=digest.channel,
            user=digest.user,
            feature="digest",
            origin="own",
            text=digest.subject.told,
            at=at,
            not_before=at - LEAD_SECONDS,
        )

    def _record(
        self, tx: Transaction, digest: Digest, user: str, action: Literal["set", "reset"]
    ) -> None:
        what = Record(digest.team, digest.channel, user, "", action, "digest", reference=digest.id)
        record(tx, what, at=self._now())


def _digest(row: Row) -> Digest:
    kind, _, name = str(row["subject"]).partition(" ")
    return Digest(
        id=row["id"],
        team=row["team"],
        channel=row["channel"],
        user=row["user"],
        subject=Subject(cast("Kind", kind), name),
        cadence=Cadence.of(row["cadence"]),
        at=row["at"],
        stopped=row["stopped_at"] is not None,
    )
