"""What Claude refused and people may take over: given to them once, and settled once.

    open -> answered | reworded | closed    by a person of their channel
      `---> lapsed                          after a day
      `---> unsent                          it could not be shown to them

The step is a compare-and-set in the transaction of whoever takes it, and what follows from it in the thread is put into
the inbox by the same transaction: so of two presses one counts, and what it said is said once. The words themselves
lie in the inbox alone.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from bot.ask import Ask, Lease
from bot.audit import Record, record
from bot.errors import LeaseLost, PurserError
from bot.inbox import Inbox
from bot.store import Row, Store, Transaction

DAY_SECONDS = 86_400.0  # that people may take it over
State = Literal["open", "answered", "reworded", "closed", "lapsed", "unsent"]


class Settled(PurserError):
    """Somebody else has taken this over meanwhile."""


@dataclass(frozen=True, slots=True)
class Escalation:
    """One ask that stayed refused.

    Attributes:
        ask: as it lies in the inbox; it is found by its id.
        channel: of the people who may take it over.
        ts: of the message there, "" until it is known to stand.
        category: of the refusal: a row of the table in `refusal`.
        sentence: what was refused and tried; `notes` tell each rung.
        until: when it lapses, in epoch seconds.
        press: the ask of the press that settled it; `who` and `who_name` are whose it was.
    """

    ask: Ask
    channel: str
    ts: str
    category: str
    sentence: str
    notes: tuple[str, ...]
    state: State
    at: float
    until: float
    press: str
    who: str
    who_name: str


class Escalations:
    """Keeps what people may take over.

    Args:
        store: where it lies.
        inbox: where what follows is put.
        now: seconds since the epoch.
    """

    def __init__(self, store: Store, inbox: Inbox, *, now: Callable[[], float]) -> None:
        self._store, self._inbox, self._now = store, inbox, now

    async def open(
        self, lease: Lease, channel: str, *, category: str, sentence: str, notes: Sequence[str]
    ) -> Escalation:
        """Keep an ask for people; one that was kept before stays as it is.

        Raises:
            LeaseLost: another worker has the ask.
            StoreDown: it was not kept.
        """
        tx, now = Transaction(lease), self._now()
        tx.add(
            "escalations.open",
            ask_id=lease.ask.id,
            channel=channel,
            category=category,
            sentence=sentence,
            notes=json.dumps(list(notes), ensure_ascii=False),
            now=now,
            until=now + DAY_SECONDS,
        )
        await self._store.commit(tx)
        kept = await self.get(lease.ask.id)
        if kept is None:  # the ask itself is gone
            raise LeaseLost
        return kept

    async def get(self, ask_id: str) -> Escalation | None:
        """What was given to people of an ask, if it was. Raises StoreDown."""
        rows = await self._store.read("escalations.get", ask_id=ask_id)
        return _escalation(rows[0]) if rows else None

    async def posted(self, lease: Lease, found: Escalation, ts: str, lapse: Ask) -> None:
        """It stands before them; `lapse` is what happens if nobody takes it over.

        Raises:
            LeaseLost: another worker has the ask.
            StoreDown: it was not written.
        """
        tx = Transaction(lease)
        tx.add("escalations.posted", ask_id=found.ask.id, ts=ts)
        self._inbox.own(tx, lapse)
        record(tx, _handed_over(found), at=self._now())
        await self._store.commit(tx)

    async def settle(
        self,
        lease: Lease,
        found: Escalation,
        state: State,
        *,
        who: str = "",
        name: str = "",
        follow: Sequence[Ask] = (),
    ) -> Escalation:
        """Settle it, and put what follows into the inbox; on disk when this returns.

        Args:
            lease: the press, or whoever settles it.
            found: as it was read.
            state: what became of it.
            who: who settled it, by user id; `name` is what they are called.
            name: see `who`.
            follow: what is then said and asked in the thread, in this order.

        Raises:
            Settled: it was settled before.
            LeaseLost: another worker has the press.
            StoreDown: it stays open.
        """
        tx = Transaction(lease)
        tx.add(
            "escalations.settle",
            must=Settled(),
            ask_id=found.ask.id,
            state=state,
            press=lease.ask.id,
            who=who,
            who_name=name,
            now=self._now(),
        )
        for ask in follow:
            self._inbox.own(tx, ask)
        await self._store.commit(tx)
        self._inbox.ended()
        settled = await self.get(found.ask.id)
        return settled or found


def _handed_over(found: Escalation) -> Record:
    """For the audit: whose words were shown to the people of which channel."""
    ask = found.ask
    return Record(
        team=ask.team,
        channel=ask.channel,
        user=ask.user,
        ask_id=ask.id,
        action="handover",
        subject=found.channel,
        outcome="shown",
        reference=found.category,
    )


def _escalation(row: Row) -> Escalation:
    return Escalation(
        ask=Ask.from_json(json.loads(row["body"])),
        channel=row["channel"],
        ts=row["ts"],
        category=row["category"],
        sentence=row["sentence"],
        notes=tuple(json.loads(row["notes"])),
        state=cast("State", row["state"]),
        at=row["at"],
        until=row["until"],
        press=row["press"],
        who=row["who"],
        who_name=row["who_name"],
    )
