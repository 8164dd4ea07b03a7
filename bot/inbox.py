"""Every ask that was committed, until it has ended: put, take, renew, give back, park, done.

A *lane* is a thread: one ask at a time in it, in the order of asking. A lease carries an attempt number that fences
every write of its holder. *Signals* (stop, edit, delete) skip the lane and reach whoever holds the lease. An ask that
ends leaves nothing open: requests whose end nobody saw are booked as unconfirmed, and reserve nothing, with it.
"""

import asyncio
import json
import math
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from bot.ask import Ask, Lease, Signal
from bot.caps import Caps, Late
from bot.errors import LeaseLost, PurserError
from bot.store import Row, Statement, Store, Transaction
from bot.sweep import FAILURES_AT_MOST, Sweep, leave_nothing_open

LEASE_SECONDS = 30.0
SOON_SECONDS = 3600.0  # what waits for later than that is not counted as waiting
SKEW_SECONDS = 5.0  # that clocks of processes may differ


class _Known(PurserError):
    """This delivery was taken before."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One delivery: the keys that make it unique, the ask, the signal, or (for an edit) both, and what is true with it."""

    keys: tuple[str, ...]
    ask: Ask | None = None
    signal: Signal | None = None
    beside: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class Queue:
    """The inbox in numbers; `oldest_seconds` is the age of the oldest waiting ask."""

    waiting: int
    leased: int
    parked: int
    dead: int
    oldest_seconds: float


class Taker(Protocol):
    """A worker that is glad of an ask as soon as it comes."""

    def wants(self) -> Caps | None:
        """Its caps if it has a slot free, which is then kept until `begin` is told; None otherwise."""
        ...

    def begin(self, lease: Lease | None) -> None:
        """Use a slot that was kept: work on this, or on nothing."""
        ...


class Inbox:
    """What waits, what is worked on, and by whom.

    Args:
        store: where it lies.
        now: seconds since the epoch.
        worker: this process, as written beside its leases.
        buried: adds to the transaction in which an ask that was tried too often is given up.
        lease_seconds: after this without a renewal another worker may take an ask.
    """

    def __init__(
        self,
        store: Store,
        *,
        now: Callable[[], float],
        worker: str,
        lease_seconds: float = LEASE_SECONDS,
        buried: Callable[[Transaction, Ask], None] = lambda _tx, _ask: None,
    ) -> None:
        self._store, self._sweep = store, Sweep(store, buried)
        self._now = now
        self._worker = worker
        self._lease_seconds = lease_seconds
        self._last_signal = now()  # of what was said before this process began, the store knows
        self._news = asyncio.Event()
        self._taker: Taker | None = None
        self._listeners: dict[str, set[asyncio.Event]] = {}  # by channel

    async def put(self, arrival: Arrival) -> Literal["new", "known"]:
        """Commit a delivery; on disk when this returns. Where a slot is free, an ask is taken in the same commit.

        Raises:
            StoreDown: nothing was stored.
        """
        ask, signal, now = arrival.ask, arrival.signal, self._now()
        tx = Transaction(statements=[*arrival.beside])
        for key in arrival.keys:
            tx.add("inbox.claim", must=_Known(), key=key, now=now)
        if signal is not None:
            self._put_signal(tx, signal, ask)
        if ask is not None:
            tx.add("inbox.put", must=None if signal else _Known(), **_columns(ask))
        try:
            await self._commit_and_take(tx, now)
        except _Known:
            return "known"
        if signal is not None:
            self._last_signal = max(self._last_signal, now, signal.at)
            for listener in self._listeners.get(signal.channel, ()):
                listener.set()
        return "new"

    def own(self, tx: Transaction, ask: Ask) -> None:
        """Put an ask of Purser's own, unless its key was put before; after the commit, `ended` wakes who takes it."""
        tx.add("inbox.put", **_columns(ask))

    async def _commit_and_take(self, tx: Transaction, now: float) -> None:
        taker = self._taker
        caps = taker.wants() if taker is not None else None
        if taker is None or caps is None:
            await self._store.commit(tx)
            self._wake()
            return
        place = self._add_take(tx, now, caps)

        def taken(done: asyncio.Task[list[list[Row]]]) -> None:
            broken = done.cancelled() or done.exception() is not None
            taker.begin(None if broken else self._leased(done.result()[place], now))

        commit = asyncio.create_task(self._store.commit(tx))
        commit.add_done_callback(taken)
        # A door that no longer waits for a slow disk gives up its answer, not what will be taken.
        await asyncio.shield(commit)

    def _put_signal(self, tx: Transaction, signal: Signal, ask: Ask | None) -> None:
        values = asdict(signal)
        values.pop("key")
        tx.add("inbox.signal_if_begun" if signal.kind == "edit" else "inbox.signal", **values)
        place: dict[str, Any] = {"team": signal.team, "channel": signal.channel, "ts": signal.ts}
        if signal.kind in {"stop", "delete"}:
            named = {"ask_id": signal.ask_id, "thread": signal.thread, "user": signal.user}
            tx.add("inbox.rouse", **named, **place)
        if signal.kind == "delete":
            tx.add("inbox.delete", now=self._now(), **place)
        if signal.kind == "edit":
            tx.add("inbox.overtake", **place)
        if signal.kind == "edit" and ask is not None:
            body = _text(ask.to_json())
            tx.add("inbox.reword", body=body, feature=ask.feature, edited=ask.edited, **place)
        elif signal.kind == "edit":
            tx.add("inbox.retext", text=signal.text, **place)

    async def take(
        self,
        *,
        person_in_flight: int,
        channel_in_flight: int,
        own: Mapping[str, tuple[int, int]] | None = None,
    ) -> Lease | None:
        """Lease the next ask, or None when nothing may be taken now.

        Args:
            person_in_flight: asks of one person worked on at the same time.
            channel_in_flight: the same for a channel.
            own: see `Caps`.
        """
        now, tx = self._now(), Transaction()
        hopeless = self._sweep.add(tx, now)
        place = self._add_take(tx, now, Caps(person_in_flight, channel_in_flight, own or {}))
        found = await self._store.commit(tx)
        lease = self._leased(found[place], now)
        if hopeless is not None:
            await self._sweep.bury(found[hopeless], now)
        return lease

    def feed(self, taker: Taker | None) -> None:
        """Give asks to a worker as they come, without its asking; with None, no more."""
        self._taker = taker

    def _add_take(self, tx: Transaction, now: float, caps: Caps) -> int:
        return tx.add(
            "inbox.take",
            now=now,
            until=now + self._lease_seconds,
            worker=self._worker,
            most=FAILURES_AT_MOST,
            **caps.values(),
        )

    def _leased(self, rows: list[Row], now: float) -> Lease | None:
        return _lease(rows[0], now, now + self._lease_seconds) if rows else None

    async def reclaim(self) -> None:
        """Let every leased ask wait again, at the start of a process that serves alone: who held them is gone."""
        tx = Transaction()
        tx.add("inbox.expire", now=math.inf)
        await self._store.commit(tx)

    async def wait(self, seconds: float) -> None:
        """Return when there may be something to take, or after so many seconds.

        What came since the last wait counts, so that nothing is overlooked between a look and a wait.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        self._news.clear()

    async def renew(self, lease: Lease) -> None:
        """Prolong a lease.

        Raises:
            LeaseLost: another worker has it, or the ask has ended.
        """
        tx = Transaction()
        until = self._now() + self._lease_seconds
        tx.add("inbox.renew", must=LeaseLost(), until=until, **_fenced(lease))
        await self._store.commit(tx)

    async def signals(self, lease: Lease) -> list[Signal]:
        """What was said about an ask, in order, for every holder, since who heard it before may be gone; no edit that its words have."""
        ask = lease.ask
        if ask.at > self._last_signal:
            return []
        rows = await self._store.read(
            "inbox.signals",
            ask_id=ask.id,
            channel=ask.channel,
            ts=ask.ts,
            thread=ask.thread,
            user=ask.user,
            since=ask.at,
        )
        return [Signal(key="", **row) for row in rows]

    @contextmanager
    def listening(self, lease: Lease) -> Generator[asyncio.Event]:
        """An event that is set whenever something is said in the ask's channel; `signals` then tells whether to it."""
        said, channel = asyncio.Event(), lease.ask.channel
        self._listeners.setdefault(channel, set()).add(said)
        try:
            yield said
        finally:
            self._listeners[channel].remove(said)
            if not self._listeners[channel]:
                del self._listeners[channel]

    def done(self, tx: Transaction, lease: Lease, *, outcome: str, sentence: str = "") -> int:
        """The ask has ended; becomes true with the transaction, which has a row at this place if others wait by then."""
        values = {"outcome": outcome, "sentence": sentence, "now": self._now()}
        tx.add("inbox.done", must=LeaseLost(), **values, **_fenced(lease))
        leave_nothing_open(tx, lease.ask.id, self._now())
        return tx.add("inbox.more", now=self._now())

    def dead(self, tx: Transaction, lease: Lease, *, reason: str) -> None:
        """The ask cannot be finished; `purser dead` shows it with the reason."""
        values = {"sentence": reason, "now": self._now()}
        tx.add("inbox.dead", must=LeaseLost(), **values, **_fenced(lease))
        leave_nothing_open(tx, lease.ask.id, self._now())

    def park(self, tx: Transaction, lease: Lease, *, until: float) -> None:
        """The ask waits for a person's click and holds neither slot nor lane; after `until` it is given out again.

        If they clicked already, or stopped it, it does not wait for them.
        """
        tx.add("inbox.park", must=LeaseLost(), until=until, **_fenced(lease))
        tx.add("inbox.parked", ask_id=lease.ask.id)

    def decided(self, tx: Transaction, ask_id: str) -> None:
        """Who was waited for has decided: a parked ask waits for a worker now. After the commit, `ended` tells one."""
        tx.add("inbox.decided", ask_id=ask_id)

    async def give_back(self, lease: Lease, *, not_before: float = 0.0) -> None:
        """Let the ask wait for another worker, without counting against it."""
        tx = Transaction(lease)
        tx.add("inbox.give_back", must=LeaseLost(), not_before=not_before, **_fenced(lease))
        await self._store.commit(tx)
        self._wake()

    def ended(self) -> None:
        """A lane or a slot has become free: look again."""
        self._wake()

    async def behind(self, seconds: float, caps: Caps) -> list[Late]:
        """Asks that have waited so long for their own thread, or because of these caps; each is given once."""
        now = self._now()
        rows = await self._store.read(
            "inbox.behind", before=now - seconds, now=now, **caps.values()
        )
        told: list[Late] = []
        for row in rows:
            late = Late(Ask.from_json(json.loads(row["body"])), row["why"])
            tx = Transaction()
            tx.add("inbox.tell_behind", id=late.ask.id)
            if (await self._store.commit(tx))[0]:
                told.append(late)
        return told

    async def queue(self) -> Queue:
        """The inbox in numbers."""
        rows = await self._store.read("inbox.queue", soon=self._now() + SOON_SECONDS)
        oldest = max((self._now() - row["oldest"] for row in rows if row["oldest"]), default=0.0)
        counts = {row["state"]: int(row["n"]) for row in rows}
        return Queue(**counts, oldest_seconds=max(0.0, oldest))

    async def dead_list(self) -> list[Row]:
        """Asks that could not be finished, the oldest first, with `sentence` as the reason."""
        return await self._store.read("inbox.dead_list")

    async def retry_dead(self, ask_id: str, tx: Transaction | None = None) -> bool:
        """Give a dead ask another chance, and let `tx` become true with it; False when there is none of that id."""
        return await self._change("inbox.retry_dead", ask_id, tx)

    async def drop_dead(self, ask_id: str, tx: Transaction | None = None) -> bool:
        """Give a dead ask up for good, and let `tx` become true with it; False when there is none of that id."""
        return await self._change("inbox.drop_dead", ask_id, tx)

    async def _change(self, name: str, ask_id: str, tx: Transaction | None) -> bool:
        tx = tx or Transaction()
        tx.add(name, must=LeaseLost(), id=ask_id)
        try:
            await self._store.commit(tx)
        except LeaseLost:  # nobody's, any more
            return False
        self._wake()
        return True

    def hear(self, channel: str | None) -> None:
        """Another process put something here; see `Engine.listen`."""
        self._wake()
        if channel == "":
            return
        self._last_signal = max(self._last_signal, self._now() + SKEW_SECONDS)
        heard = [channel] if channel is not None else list(self._listeners)
        for listener in (one for name in heard for one in self._listeners.get(name, ())):
            listener.set()

    def _wake(self) -> None:
        self._news.set()


_COLUMNS = ("id", "key", "team", "channel", "user", "ts", "lane", "feature", "at", "not_before")


def _columns(ask: Ask) -> dict[str, Any]:
    return {"body": _text(ask.to_json()), **{name: getattr(ask, name) for name in _COLUMNS}}


def _fenced(lease: Lease) -> dict[str, Any]:
    return {"ask_id": lease.ask.id, "attempt": lease.attempt}


def _lease(row: Row, now: float, until: float) -> Lease:
    ask = Ask.from_json(json.loads(row["body"]))
    waited = max(0.0, now - row["at"])
    return Lease(ask, row["attempt"], until, waited=waited, failures=row["failures"])


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
