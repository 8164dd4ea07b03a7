"""How long words are kept: message text goes after the channel's days, or when its ask ends; books and hashes stay.

Words go by whole asks, some at a time, so that nobody waits long for the one thread that writes: the ask's own words,
Claude's, what tools gave, what is remembered, found and proposed. What somebody may still need is left for another
day: an ask that has not ended, a thread at work, a proposal within its day.
"""

import html
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from bot.ask import Ask
from bot.audit import AUDIT_DAYS, Audit, Record, record
from bot.journal import SHARED, SHARED_END
from bot.policy import Policy
from bot.store import Store, Transaction

DAY_SECONDS = 86_400.0
SHELL_DAYS = 400  # that an ask is kept without its words: when, who, where, how it ended
UNKEPT_DAYS = 1  # for what could not go when its ask ended, where no text is kept
BATCH = 10  # asks in one transaction: some 50 ms where each holds 100 kB
SENT_SECONDS = 2 * 3_600.0  # after its last ask Claude's cache holds nothing of a thread
STILL_READ = frozenset({"cost", "purser"})  # whose words a button under the answer needs for a day
BROKEN = (
    "The audit of {days} is not as it was written, so it is kept as it is; `purser audit verify` says where. "
    "Look who can write to the database."
)
_ASKER = re.compile(r'<purser:ask from="([^"]*)"')
_WORDS = (
    "responses",
    "results",
    "parts",
    "older",
    "conversation",
    "findings",
    "proposals",
    "escalations",
    "audit",
    "marked",
)

log = structlog.get_logger()


@dataclass(slots=True)
class Forgotten:
    """What was removed of a person.

    Attributes:
        asks: of theirs, with all that belongs to them.
        others: asks of other people in the same threads, whose answers may quote them.
        turns: of threads' memories, other people's among them.
        notes: what they said about asks, their name where they decided, and the digests they want.
        left: asks of theirs that could not go yet.
        lanes: threads that could not be forgotten, because somebody is at work in them.
        names: by which they were looked for.
    """

    asks: int = 0
    others: int = 0
    turns: int = 0
    notes: int = 0
    left: int = 0
    lanes: int = 0
    names: tuple[str, ...] = field(default_factory=tuple[str, ...])


def erase(tx: Transaction, asks: Sequence[str], *, now: float, although_open: bool = False) -> int:
    """Let these asks lose their words, as far as nobody needs them.

    Args:
        tx: becomes true together.
        asks: their ids.
        now: seconds since the epoch.
        although_open: also of those in whose thread somebody is at work.

    Returns:
        The index of the statement whose rows are the asks that did.
    """
    place = tx.add(
        "retention.mark", asks=json.dumps(list(asks)), now=now, although_open=although_open
    )
    for name in _WORDS:
        tx.add(f"retention.{name}")
    return place


class Retention:
    """Removes what is not to be kept.

    Args:
        store: where everything lies.
        policy: how long a channel keeps words.
        now: seconds since the epoch.
    """

    def __init__(self, store: Store, policy: Policy, *, now: Callable[[], float]) -> None:
        self._store, self._policy, self._now = store, policy, now
        self._audit = Audit(store)

    def at_end(self, tx: Transaction, ask: Ask) -> None:
        """Where no text is kept, an ask's words go in the transaction that ends it."""
        if not self._policy.rules(ask.channel).store_text and ask.feature not in STILL_READ:
            erase(tx, [ask.id], now=self._now(), although_open=True)

    async def daily(self) -> str | None:
        """Remove what is due; a sentence for admins where the audit is broken.

        Raises:
            StoreDown: not everything was removed; it is due still.
        """
        now, gone = self._now(), 0
        for row in await self._store.read("retention.channels"):
            rules = self._policy.rules(row["channel"])
            days = rules.retention_days if rules.store_text else UNKEPT_DAYS
            gone += await self._erase_due(str(row["channel"]), before=now - days * DAY_SECONDS)
        left = await self._leave(now - SHELL_DAYS * DAY_SECONDS)
        first = datetime.fromtimestamp(now - AUDIT_DAYS * DAY_SECONDS, UTC).date()
        trimmed, wrong = await self._audit.trim(first.isoformat())
        await self._store.read("retention.checkpoint")
        log.info("retention", erased=gone, removed=left, trimmed=trimmed)
        for team, (day, n, hash_) in (await self._audit.heads()).items():
            log.info("audit", team=team, day=day, record=n, hash=hash_)  # kept where logs are
        days = sorted({one.day for one in wrong})
        return BROKEN.format(days=", ".join(days)) if days else None

    async def lighten(self) -> None:
        """Keep threads that rest as they are remembered, and no more as they were sent, which no cache holds any more.

        Raises:
            StoreDown: it was not done; it is due still.
        """
        tx = Transaction()
        tx.add("retention.lighten", before=self._now() - SENT_SECONDS)
        await self._store.commit(tx)

    async def forget(self, user: str, *, names: Sequence[str] = ()) -> Forgotten:
        """Remove a person's words, as far as they can be told to be theirs; sums and hashes stay.

        Args:
            user: their id.
            names: what else they are called, beside the names in their own requests.

        Raises:
            StoreDown: not everything was removed; do it again.
        """
        known = [html.unescape(name) for name in await self._names(user)]
        done = Forgotten(names=tuple(dict.fromkeys([*known, *names])))
        labels = [json.dumps(f'from="{html.escape(name)}"')[1:-1] for name in done.names]
        mine = await self._ids("retention.of_person", user=user)
        lanes = await self._lanes(user, labels)
        theirs = await self._ids("retention.of_lanes", user=user, lanes=json.dumps(lanes))
        for lane in lanes:
            await self._forget_lane(lane, done)
        done.asks = await self._erase_all(mine, although_open=True)
        done.others = await self._erase_all(theirs)
        await self._forget_notes(user, done)
        done.left = (await self._store.read("retention.left_of_person", user=user))[0]["n"]
        await self._store.read("retention.empty_log")
        return done

    async def _names(self, user: str) -> list[str]:
        rows = await self._store.read("retention.names", user=user)
        return [found[1] for row in rows if (found := _ASKER.match(str(row["text"])))]

    async def _ids(self, name: str, **values: str) -> list[str]:
        return [str(row["id"]) for row in await self._store.read(name, now=self._now(), **values)]

    async def _lanes(self, user: str, labels: Sequence[str]) -> list[str]:
        rows = await self._store.read("retention.lanes", user=user, labels=json.dumps(labels))
        return [str(row["lane"]) for row in rows]

    async def _forget_lane(self, lane: str, done: Forgotten) -> None:
        """A thread's memory, unless somebody is at work there."""
        tx = Transaction()
        known = tx.add("retention.remembers", lane=lane)
        place = tx.add("retention.forget_lane", lane=lane)
        tx.add("retention.forget_older", lane=lane)
        rows = await self._store.commit(tx)
        done.turns += len(rows[place])
        done.lanes += bool(rows[known] and not rows[place])

    async def _forget_notes(self, user: str, done: Forgotten) -> None:
        """What they said about asks, their name, and the digests they want; that it was done stands in the audit."""
        team = await self._store.read("retention.team", user=user)
        tx = Transaction()
        places = [
            tx.add(name, user=user)
            for name in (
                "retention.forget_signals",
                "retention.forget_name",
                "retention.forget_taker",
                "digests.forget",
            )
        ]
        if team:
            what = Record(team[0]["team"], "", "", "", "forget", user, f"{done.asks} asks")
            record(tx, what, at=self._now())
        rows = await self._store.commit(tx)
        done.notes = sum(len(rows[place]) for place in places)

    async def _erase_due(self, channel: str, *, before: float) -> int:
        gone = 0
        while True:
            due = await self._store.read(
                "retention.due", channel=channel, before=before, now=self._now(), most=BATCH
            )
            erased = await self._erase([row["id"] for row in due]) if due else 0
            gone += erased
            if not erased:
                return gone

    async def _erase_all(self, asks: Sequence[str], *, although_open: bool = False) -> int:
        batches = [asks[start : start + BATCH] for start in range(0, len(asks), BATCH)]
        return sum([await self._erase(batch, although_open=although_open) for batch in batches])

    async def _erase(self, asks: Sequence[str], *, although_open: bool = False) -> int:
        tx = Transaction()
        place = erase(tx, asks, now=self._now(), although_open=although_open)
        return len((await self._store.commit(tx))[place])

    async def _leave(self, before: float) -> int:
        """Remove what is left of asks that ended long ago."""
        gone = 0
        while True:
            tx = Transaction()
            place = tx.add("retention.leave", before=before, most=BATCH)
            for name in ("leave_requests", "leave_parts", "leave_estimates", "left"):
                tx.add(f"retention.{name}")
            left = len((await self._store.commit(tx))[place])
            gone += left
            if not left:
                break
        tx = Transaction()
        tx.add("retention.leave_shared", prefix=SHARED, end=SHARED_END, before=before)
        tx.add("retention.leave_feedback", before=before)
        await self._store.commit(tx)
        return gone
