"""The inbox under anything: whatever order deliveries come in, whatever workers do, each ask is one person's at a time."""

import asyncio
import itertools
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)

from bot.ask import Ask, Lease
from bot.errors import LeaseLost
from bot.inbox import LEASE_SECONDS, Arrival
from bot.journal import Journal
from bot.slack.arrivals import read
from bot.store import Transaction
from bot.sweep import FAILURES_AT_MOST, SWEEP_SECONDS
from tests.bot.shelf import Shelf
from tests.bot.slack.deliveries import BOT, US, changed, event, mention, said
from tests.bot.stores import ask
from tests.chance import share
from tests.postgres import Postgres

Body = dict[str, Any]
Place = tuple[str, str, str, float, int]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """One store for all examples of a test."""
    shelf = Shelf(tmp_path_factory.mktemp("inbox"))
    yield shelf
    shelf.close()


# --- one message, told in any way ---

WORDS = ("What is this?", "What is that?", "What are those?")
TELLINGS = ("mention", "message", "edit", "edited mention", "second edit")
_messages = itertools.count(1_700_000_000)


def told(how: str, ts: str) -> Body:
    """One of the events by which Slack tells of a message and its two edits."""
    first = said(f"<@{BOT}> {WORDS[0]}", ts=ts)
    second = said(f"<@{BOT}> {WORDS[1]}", ts=ts, edited={"ts": "1800000001.000000"})
    third = said(f"<@{BOT}> {WORDS[2]}", ts=ts, edited={"ts": "1800000002.000000"})
    inner = {
        "mention": lambda: mention(WORDS[0], ts=ts),
        "message": lambda: first,
        "edit": lambda: changed(second, first),
        "edited mention": lambda: mention(WORDS[1], ts=ts, edited=second["edited"]),
        "second edit": lambda: changed(third, second),
        "deletion": lambda: {
            "type": "message",
            "subtype": "message_deleted",
            "channel": "C1",
            "channel_type": "channel",
            "deleted_ts": ts,
            "previous_message": first,
        },
    }[how]()
    return event(inner, f"Ev:{ts}:{how}")


async def deliver(shelf: Shelf, tellings: list[str], ts: str) -> None:
    """Bring deliveries to the inbox, all at once, in this order."""
    bodies = [told(how, ts) for how in tellings]
    arrivals = [read(body, US, id=f"{ts}:{n}", at=shelf.clock.at) for n, body in enumerate(bodies)]
    assert all(isinstance(arrival, Arrival) for arrival in arrivals)
    await asyncio.gather(*(shelf.inbox.put(a) for a in arrivals if isinstance(a, Arrival)))


async def taken(shelf: Shelf) -> list[Lease]:
    """Everything that can be taken, and done with."""
    leases: list[Lease] = []
    while lease := await shelf.inbox.take(person_in_flight=99, channel_in_flight=99):
        leases.append(lease)
        tx = Transaction(lease)
        shelf.inbox.done(tx, lease, outcome="answered")
        await shelf.store.commit(tx)
    return leases


@given(tellings=st.lists(st.sampled_from(TELLINGS), min_size=1, max_size=12))
def test_one_message_is_one_ask_with_its_last_words(shelf: Shelf, tellings: list[str]) -> None:
    """Twice told, delivered again, edited, in any order and at once: one ask, in the newest wording that was told."""
    ts = f"{next(_messages)}.000100"

    async def example() -> list[Lease]:
        await deliver(shelf, tellings, ts)
        leases = await taken(shelf)
        await deliver(shelf, tellings, ts)
        return leases + await taken(shelf)

    leases = shelf.run(example())

    newest = max(0 if "edit" not in how else 1 + how.startswith("second") for how in tellings)
    assert [lease.ask.text for lease in leases] == [WORDS[newest]]


@settings(max_examples=share(0.6))
@given(tellings=st.lists(st.sampled_from((*TELLINGS, "deletion")), min_size=1, max_size=10))
def test_a_deleted_message_is_not_answered(shelf: Shelf, tellings: list[str]) -> None:
    """Wherever among its deliveries the deletion comes, nobody takes the ask."""
    ts = f"{next(_messages)}.000100"

    async def example() -> list[Lease]:
        await deliver(shelf, tellings, ts)
        return await taken(shelf)

    assert len(shelf.run(example())) == ("deletion" not in tellings)


# --- workers, doing anything in any order ---


@dataclass
class Known:
    """What the model believes of an ask."""

    ask: Ask
    state: str = "waiting"
    attempt: int = 0
    failures: int = 0
    until: float = 0.0  # of its lease, or of its parking
    not_before: float = 0.0

    @property
    def order(self) -> tuple[float, str]:
        """Its place among asks."""
        return self.ask.at, self.ask.id


@dataclass
class Model:
    """The inbox as it is promised."""

    asks: dict[str, Known] = field(default_factory=dict[str, Known])
    swept: float = float("-inf")

    def sweep(self, now: float) -> None:
        """Leases run out, parked asks come back, what killed too many is dead."""
        if now - self.swept < SWEEP_SECONDS:
            return
        self.swept = now
        for one in self.asks.values():
            if one.state == "leased" and one.until < now:
                one.state, one.failures = "waiting", one.failures + 1
            if one.state == "parked" and one.until <= now:
                one.state, one.not_before = "waiting", one.until
            if one.state == "waiting" and one.failures >= FAILURES_AT_MOST:
                one.state = "dead"

    def flight(self, channel: str) -> int:
        """How many of a channel are worked on."""
        return sum(k.state == "leased" and k.ask.channel == channel for k in self.asks.values())

    def may_be_taken(self, now: float, person: int, channel: int) -> list[Known]:
        """All that a worker may have."""
        leased = [k for k in self.asks.values() if k.state == "leased"]
        waiting = [k for k in self.asks.values() if k.state == "waiting" and k.not_before <= now]
        return [
            one
            for one in waiting
            if self.flight(one.ask.channel) < channel
            and sum(k.ask.user == one.ask.user for k in leased) < person
            and all(k.ask.lane != one.ask.lane for k in leased)
            and all(k.ask.lane != one.ask.lane or k.order >= one.order for k in waiting)
        ]

    def holds(self, lease: Lease) -> bool:
        """Whether a lease is the one."""
        known = self.asks[lease.ask.id]
        return known.state == "leased" and known.attempt == lease.attempt


PLACES = st.tuples(
    st.sampled_from(["C1", "C2"]),
    st.sampled_from(["1.0", "2.0"]),
    st.sampled_from(["U1", "U2"]),
    st.sampled_from([0.0, 0.0, 20.0]),
    st.integers(0, 1),
)
"""Where and who, for how long it has to wait, how long ago it was asked; many asks meet in the same moment."""


class Workers(RuleBasedStateMachine):
    """Asks come, workers take them, end them, lose them, and try to write with what they lost."""

    leases = Bundle("leases")

    server: Postgres | None = None  # in the place of a file

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.shelf = Shelf(self.server or Path(self._folder.name))
        self.model = Model()
        self.given: set[tuple[str, int]] = set()

    def teardown(self) -> None:
        """Close what was opened."""
        self.shelf.close()
        self._folder.cleanup()

    @initialize(places=st.lists(PLACES, min_size=3, max_size=6))
    def begin(self, places: list[Place]) -> None:
        """Some ask at once."""
        for place in places:
            self.put(place)

    @rule(place=PLACES)
    def put(self, place: Place) -> None:
        """Somebody asks, and Slack delivers it twice."""
        channel, thread, user, delay, age = place
        now = self.shelf.clock.at
        where: Body = {"channel": channel, "thread": thread, "user": user}
        one = ask(at=now - age, not_before=delay and now + delay, **where)
        assert self.shelf.run(self.shelf.inbox.put(Arrival((one.key,), one))) == "new"
        assert self.shelf.run(self.shelf.inbox.put(Arrival((one.key,), one))) == "known"
        self.model.asks[one.id] = Known(one, not_before=one.not_before)

    @rule(seconds=st.sampled_from([5.0, LEASE_SECONDS + 1]))
    def pass_time(self, seconds: float) -> None:
        """Time goes by."""
        self.shelf.clock.at += seconds

    @rule(target=leases, person=st.integers(1, 2), channel=st.integers(1, 2))
    def take(self, person: int, channel: int) -> Any:
        """A worker looks for an ask: it gets one exactly if there is one, of a quietest channel, the oldest there."""
        now = self.shelf.clock.at
        self.model.sweep(now)
        free = self.model.may_be_taken(now, person, channel)
        lease = self.shelf.run(
            self.shelf.inbox.take(person_in_flight=person, channel_in_flight=channel)
        )
        self._numbers_agree(just_taken=lease is not None)
        if lease is None:
            assert free == []
            return multiple()
        one = self.model.asks[lease.ask.id]
        assert one in free
        quietest = min(self.model.flight(k.ask.channel) for k in free)
        assert self.model.flight(one.ask.channel) == quietest
        assert one.order == min(k.order for k in free if k.ask.channel == one.ask.channel)
        one.state, one.attempt, one.until = "leased", one.attempt + 1, now + LEASE_SECONDS
        assert (lease.ask, lease.attempt) == (one.ask, one.attempt)
        assert (lease.ask.id, lease.attempt) not in self.given
        self.given.add((lease.ask.id, lease.attempt))
        return lease

    def _numbers_agree(self, *, just_taken: bool) -> None:
        """What the inbox says of itself is what happened."""
        queue = self.shelf.run(self.shelf.inbox.queue())
        states = [known.state for known in self.model.asks.values()]
        assert queue.leased == states.count("leased") + just_taken
        assert queue.waiting == states.count("waiting") - just_taken
        assert (queue.parked, queue.dead) == (states.count("parked"), states.count("dead"))

    @rule(
        lease=leases,
        act=st.sampled_from(["renew", "write", "write", "give back", "done", "dead", "park"]),
        later=st.sampled_from([0.0, 15.0]),
    )
    def act(self, lease: Lease, act: str, later: float) -> None:
        """A worker does something with an ask: it succeeds exactly for who holds it."""
        holds, until = self.model.holds(lease), self.shelf.clock.at + later
        try:
            self.shelf.run(self._act(lease, act, until))
        except LeaseLost:
            assert not holds
            return
        assert holds
        known = self.model.asks[lease.ask.id]
        if act == "renew":
            known.until = self.shelf.clock.at + LEASE_SECONDS
        elif act == "give back":
            known.state, known.not_before = "waiting", until
        elif act != "write":
            known.state, known.until = {"park": "parked"}.get(act, act), until

    async def _act(self, lease: Lease, act: str, until: float) -> None:
        inbox, tx = self.shelf.inbox, Transaction(lease)
        if act == "renew":
            return await inbox.renew(lease)
        if act == "give back":
            return await inbox.give_back(lease, not_before=until)
        if act == "write":
            journal = Journal(self.shelf.store, now=self.shelf.clock)
            journal.part(tx, lease, n=1, state="said", channel="C1", text=str(lease.attempt))
        elif act == "done":
            inbox.done(tx, lease, outcome="answered")
        elif act == "dead":
            inbox.dead(tx, lease, reason="it broke")
        else:
            inbox.park(tx, lease, until=until)
        await self.shelf.store.commit(tx)
        return None

    @rule(lease=leases, again=st.booleans())
    def operate(self, lease: Lease, again: bool) -> None:
        """An operator gives a dead ask another chance, or drops it."""
        known, inbox = self.model.asks[lease.ask.id], self.shelf.inbox
        act = inbox.retry_dead if again else inbox.drop_dead
        assert self.shelf.run(act(lease.ask.id)) == (known.state == "dead")
        if known.state == "dead":
            known.state, known.failures, known.not_before = ("waiting" if again else "done"), 0, 0.0


Workers.TestCase.settings = settings(max_examples=share(0.25), stateful_step_count=50)
TestWorkers = pytest.mark.timeout(240)(Workers.TestCase)  # a busy disk makes it slow


def test_workers_on_a_server(postgres: Postgres) -> None:
    """The same on PostgreSQL, by fewer examples."""
    few = settings(max_examples=share(0.05), stateful_step_count=50)

    class Served(Workers):
        server = postgres

    run_state_machine_as_test(Served, settings=few)
