"""The inbox: nothing twice, nothing lost, one ask at a time in a thread, fair between channels."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot.ask import Ask, Click, Lease, Signal
from bot.caps import Caps
from bot.errors import LeaseLost, StoreAway
from bot.inbox import Arrival, Inbox
from bot.store import Row, Store, Transaction
from bot.sweep import FAILURES_AT_MOST
from tests.bot.inside import Inside
from tests.bot.stores import Clock, ask

MANY = Caps(100, 100)


def arrival(*keys: str, **changes: object) -> Arrival:
    """An ask that comes under some keys."""
    one = ask(**changes)
    return Arrival(keys or (f"event:{one.id}",), one)


async def take(inbox: Inbox, *, person: int = 100, channel: int = 100) -> Lease | None:
    """The next lease, without caps unless given."""
    return await inbox.take(person_in_flight=person, channel_in_flight=channel)


def said(kind: str, **changes: str) -> Signal:
    """A signal by U1 in C1."""
    values = {"team": "T1", "channel": "C1", "user": "U1", "thread": "", "ts": "", **changes}
    return Signal(id=f"s:{kind}:{values}", key="", kind=kind, at=1_999.0, **values)  # type: ignore[arg-type]


async def finish(inbox: Inbox, store: Store, lease: Lease) -> None:
    """End an ask."""
    tx = Transaction(lease)
    inbox.done(tx, lease, outcome="answered")
    await store.commit(tx)


async def test_the_same_delivery_is_taken_once(inbox: Inbox) -> None:
    """A key that is known puts nothing, whichever of the keys it is."""
    first = arrival("event:1", "message:1")

    assert await inbox.put(first) == "new"
    assert await inbox.put(first) == "known"
    assert await inbox.put(arrival("event:2", "message:1")) == "known"
    assert await inbox.put(arrival("event:1", "message:2")) == "known"
    assert (await inbox.queue()).waiting == 1


async def test_a_known_delivery_claims_nothing(inbox: Inbox) -> None:
    """When one key is known, its other keys stay free for what they belong to."""
    await inbox.put(arrival("event:1"))
    await inbox.put(arrival("event:1", "message:9"))

    assert await inbox.put(arrival("event:9", "message:9")) == "new"


async def test_one_message_is_one_ask_in_any_state(inbox: Inbox, store: Store) -> None:
    """A second ask of the same message is known, even when the first one has ended."""
    await inbox.put(arrival("event:1", ts="7.0", thread="7.0"))
    lease = await take(inbox)
    assert lease is not None
    await finish(inbox, store, lease)

    assert await inbox.put(arrival("event:2", ts="7.0", thread="7.0")) == "known"


async def test_an_ask_comes_back_as_it_was_put(inbox: Inbox) -> None:
    """What is leased is what was committed, byte for byte."""
    one = ask(text='déjà ```vu``` "quoted" \u202e', response_url="https://hooks.slack.com/x")
    await inbox.put(Arrival(("e",), one))

    lease = await take(inbox)
    assert lease is not None
    assert (lease.ask, lease.attempt) == (one, 1)


async def test_one_ask_at_a_time_in_a_lane(inbox: Inbox, store: Store) -> None:
    """The next ask of a thread waits for the one before it; other threads do not."""
    for n, thread in enumerate(["1.0", "1.0", "2.0"]):
        await inbox.put(arrival(f"e{n}", thread=thread, ts=f"{n}.5"))

    first, other = await take(inbox), await take(inbox)
    assert first is not None
    assert other is not None
    assert (first.ask.thread, other.ask.thread) == ("1.0", "2.0")
    assert await take(inbox) is None

    await finish(inbox, store, first)
    second = await take(inbox)
    assert second is not None
    assert second.ask.ts == "1.5"


async def test_who_ends_an_ask_hears_whether_others_wait(
    inbox: Inbox, store: Store, clock: Clock
) -> None:
    """With its end comes whether anything waits, its own lane's next or what came in between; what is for later does not."""

    async def ended(lease: Lease | None) -> bool:
        assert lease is not None
        tx = Transaction(lease)
        place = inbox.done(tx, lease, outcome="answered")
        return bool((await store.commit(tx))[place])

    for key in ("e1", "e2"):
        await inbox.put(arrival(key, thread="1.0"))
    await inbox.put(arrival("e3", thread="2.0", not_before=clock() + 60))

    assert await ended(await take(inbox))
    assert not await ended(await take(inbox))
    assert await take(inbox) is None


async def test_the_quietest_channel_comes_first(inbox: Inbox) -> None:
    """A channel with many asks does not hold up another one."""
    for n in range(5):
        await inbox.put(arrival(f"a{n}", channel="C1"))
    await inbox.put(arrival("b", channel="C2"))

    taken = [await take(inbox) for _ in range(3)]
    assert [lease.ask.channel for lease in taken if lease] == ["C1", "C2", "C1"]


async def test_caps_make_more_wait(inbox: Inbox) -> None:
    """At most so many asks of a person and of a channel are worked on at once."""
    for n in range(3):
        await inbox.put(arrival(f"a{n}", user="U1", channel=f"C{n}"))
        await inbox.put(arrival(f"b{n}", user=f"U{n + 5}", channel="C9"))

    taken = [await take(inbox, person=1, channel=2) for _ in range(6)]
    users = [lease.ask.user for lease in taken if lease]
    assert users.count("U1") == 1
    assert len(users) == 3


async def test_a_channel_may_have_caps_of_its_own(inbox: Inbox) -> None:
    """Where a channel says more or less for a person or for itself, that counts there, and elsewhere what all others have."""
    for n in range(3):
        for channel in ("C1", "C2", "C3"):
            await inbox.put(arrival(f"{channel}{n}", user=f"U{channel}", channel=channel))

    own = {"C1": (1, 9), "C2": (9, 2)}
    taken: list[str] = []
    while lease := await inbox.take(person_in_flight=3, channel_in_flight=3, own=own):
        taken.append(lease.ask.channel)
    assert sorted(taken) == ["C1", "C2", "C2", "C3", "C3", "C3"]


async def test_a_press_waits_behind_nobody(inbox: Inbox) -> None:
    """A button's press is taken before all else, whatever its person and channel have in flight, and counts for nobody."""
    for n in range(3):
        await inbox.put(arrival(f"k{n}"))
    assert await take(inbox, person=1, channel=1)
    assert await take(inbox, person=1, channel=1) is None
    for n in range(2):
        click = Click("estimate", f"object{n}:go")
        await inbox.put(
            arrival(f"c{n}", feature="click", origin="click", thread="", ts="", click=click)
        )

    pressed = [await take(inbox, person=1, channel=1) for _ in range(2)]
    assert [lease.ask.feature for lease in pressed if lease] == ["click", "click"]
    assert await take(inbox, person=2, channel=2) is not None


async def test_a_dead_workers_ask_is_taken_over_and_the_dead_cannot_write(
    inbox: Inbox, store: Store, clock: Clock
) -> None:
    """After the lease ran out another worker has the ask, and every write of the first one fails."""
    await inbox.put(arrival())
    first = await take(inbox)
    assert first is not None
    clock.at += 31
    second = await take(inbox)
    assert second is not None
    assert second.attempt == first.attempt + 1

    with pytest.raises(LeaseLost):
        await inbox.renew(first)
    with pytest.raises(LeaseLost):
        await finish(inbox, store, first)
    await finish(inbox, store, second)
    assert (await inbox.queue()).leased == 0


async def test_a_renewed_lease_is_not_taken(inbox: Inbox, clock: Clock) -> None:
    """Who renews in time keeps the ask."""
    await inbox.put(arrival())
    lease = await take(inbox)
    assert lease is not None
    for _ in range(5):
        clock.at += 20
        await inbox.renew(lease)
        assert await take(inbox) is None


async def test_who_buries_an_ask_adds_to_the_same_transaction(store: Store, clock: Clock) -> None:
    """What is to be written down about an ask that was tried too often is written with its end."""

    def buried(tx: Transaction, gone: Ask) -> None:
        tx.add("inbox.claim", key=f"buried {gone.id}", now=clock())

    inbox = Inbox(store, now=clock, worker="w1", buried=buried)
    one = ask()
    await inbox.put(Arrival((one.key,), one))
    for _ in range(FAILURES_AT_MOST):
        assert await take(inbox) is not None
        clock.at += 31
    assert await take(inbox) is None
    tx = Transaction()
    tx.add("inbox.claim", key=f"buried {one.id}", now=clock())

    assert [row["id"] for row in await inbox.dead_list()] == [one.id]
    assert await store.commit(tx) == [[]]  # known already


async def test_what_kills_its_workers_is_buried_with_a_reason(inbox: Inbox, clock: Clock) -> None:
    """After five dead workers an ask is dead, says why, and can be tried again or dropped."""
    await inbox.put(arrival())
    for _ in range(FAILURES_AT_MOST):
        assert await take(inbox) is not None
        clock.at += 31
    assert await take(inbox) is None

    dead = await inbox.dead_list()
    assert len(dead) == 1
    assert "5 workers" in dead[0]["sentence"]
    assert await inbox.retry_dead(dead[0]["id"])
    assert await take(inbox) is not None
    assert not await inbox.drop_dead(dead[0]["id"])


class Unburied:
    """A store that is away whenever an ask is to be buried."""

    def __init__(self, store: Store) -> None:
        self._store, self.away = store, True
        self.read, self.soon = store.read, store.soon
        self.ready, self.close = store.ready, store.close

    async def commit(self, tx: Transaction) -> list[list[Row]]:
        """Commit anything else."""
        if self.away and any(one.name == "inbox.bury" for one in tx.statements):
            raise StoreAway("it is away")
        return await self._store.commit(tx)


async def test_a_burial_that_fails_costs_nobody_a_lease(store: Store, clock: Clock) -> None:
    """What was tried too often is nobody's from the look that finds it, holds up nobody behind it, and is buried later."""
    unburied = Unburied(store)
    inbox = Inbox(unburied, now=clock, worker="w1")
    await inbox.put(arrival("deadly", thread="1.0", ts="1.0"))
    for _ in range(FAILURES_AT_MOST):
        assert await take(inbox) is not None
        clock.at += 31
    await inbox.put(arrival("behind", thread="1.0", ts="1.5"))
    lease = await take(inbox)

    assert lease is not None
    assert lease.ask.ts == "1.5"
    await finish(inbox, store, lease)
    assert await take(inbox) is None
    assert await inbox.dead_list() == []
    unburied.away, clock.at = False, clock.at + 1
    assert await take(inbox) is None
    assert len(await inbox.dead_list()) == 1


async def test_handing_back_costs_no_life(inbox: Inbox) -> None:
    """An ask handed back at a shutdown is taken again, as often as it may be."""
    await inbox.put(arrival())
    for _ in range(FAILURES_AT_MOST + 2):
        lease = await take(inbox)
        assert lease is not None
        await inbox.give_back(lease)


async def test_a_parked_ask_holds_neither_slot_nor_lane(
    inbox: Inbox, store: Store, clock: Clock
) -> None:
    """While a person thinks, the thread goes on; when the time is over it waits again."""
    await inbox.put(arrival("e1", thread="1.0", ts="1.0"))
    await inbox.put(arrival("e2", thread="1.0", ts="1.5"))
    lease = await take(inbox)
    assert lease is not None
    tx = Transaction(lease)
    inbox.park(tx, lease, until=clock.at + 60)
    await store.commit(tx)

    following = await take(inbox, person=1, channel=1)
    assert following is not None
    await finish(inbox, store, following)
    assert await take(inbox) is None
    clock.at += 61
    assert (await take(inbox)) is not None


async def test_a_later_ask_waits_for_its_time(inbox: Inbox, clock: Clock) -> None:
    """`not_before` is obeyed."""
    await inbox.put(arrival(not_before=clock.at + 10))
    assert await take(inbox) is None
    clock.at += 11
    assert await take(inbox) is not None


async def test_an_edit_of_a_waiting_ask_replaces_its_words(inbox: Inbox) -> None:
    """Edited before it was begun, the new wording is what is answered, under the same id."""
    before = ask(ts="5.0", thread="5.0", text="old")
    after = ask(ts="5.0", thread="5.0", text="new", feature="review")
    await inbox.put(Arrival(("e1",), before))
    await inbox.put(Arrival(("e2",), after, said("edit", ts="5.0", text="new")))

    lease = await take(inbox)
    assert lease is not None
    assert (lease.ask.id, lease.ask.text, lease.ask.feature) == (before.id, "new", "review")
    assert await take(inbox) is None


async def test_an_edit_of_a_started_ask_is_told(inbox: Inbox, clock: Clock) -> None:
    """Edited while it is worked on, the holder hears it, and who holds it after a kill does too; the words stay."""
    await inbox.put(arrival("e1", ts="5.0", thread="5.0"))
    lease = await take(inbox)
    assert lease is not None
    await inbox.put(Arrival(("e2",), ask(ts="5.0"), said("edit", ts="5.0", text="new")))

    assert [s.kind for s in await inbox.signals(lease)] == ["edit"]
    clock.at += 31
    again = await take(inbox)
    assert again is not None
    assert [s.kind for s in await inbox.signals(again)] == ["edit"]
    assert again.ask.text == lease.ask.text


@pytest.mark.parametrize("mention", [True, False], ids=["with the mention", "without it"])
async def test_new_words_of_a_parked_ask_overtake_earlier_edits(
    inbox: Inbox, store: Store, mention: bool
) -> None:
    """An edit at work is told of after parking; once a later one has given the ask its words, there is none to tell of."""
    await inbox.put(arrival("e1", ts="5.0", thread="5.0"))
    lease = await take(inbox)
    assert lease is not None
    await inbox.put(Arrival(("e2",), None, said("edit", ts="5.0", text="new")))
    tx = Transaction(lease)
    inbox.park(tx, lease, until=9_000.0)
    await store.commit(tx)
    assert [s.text for s in await inbox.signals(lease)] == ["new"]
    after = ask(ts="5.0", text="newer", edited="9.0") if mention else None
    await inbox.put(Arrival(("e3",), after, said("edit", ts="5.0", text="newer")))

    again = await take(inbox)
    assert again is not None
    assert (again.ask.text, await inbox.signals(again)) == ("newer", [])


async def test_an_edit_that_adds_a_mention_is_an_ask(inbox: Inbox) -> None:
    """A message that was no ask becomes one by its edit."""
    await inbox.put(Arrival(("e1",), ask(ts="5.0"), said("edit", ts="5.0")))

    lease = await take(inbox)
    assert lease is not None
    assert await inbox.signals(lease) == []


async def test_a_deleted_message_is_not_answered(inbox: Inbox) -> None:
    """Deleted while it waits, nobody works on it; deleted later, its holder hears it."""
    await inbox.put(arrival("e1", ts="5.0"))
    await inbox.put(arrival("e2", ts="6.0"))
    await inbox.put(Arrival(("d1",), None, said("delete", ts="5.0")))
    lease = await take(inbox)
    assert lease is not None
    assert lease.ask.ts == "6.0"
    await inbox.put(Arrival(("d2",), None, said("delete", ts="6.0")))

    assert await take(inbox) is None
    assert [s.kind for s in await inbox.signals(lease)] == ["delete"]


@pytest.mark.parametrize(
    "where",
    [{"thread": "5.0"}, {"ts": "5.5"}, {"user": "U1"}],
    ids=["in the thread", "on the message", "in a direct message"],
)
async def test_a_stop_reaches_the_holder(inbox: Inbox, where: dict[str, str]) -> None:
    """A stop finds its ask by thread, by message, or by asker, and nobody else's."""
    await inbox.put(arrival("e1", thread="5.0", ts="5.5", user="U1"))
    await inbox.put(arrival("e2", thread="9.0", ts="9.5", user="U2"))
    mine, other = await take(inbox), await take(inbox)
    assert mine is not None
    assert other is not None
    await inbox.put(Arrival(("s",), None, said("stop", **where)))

    assert [s.kind for s in await inbox.signals(mine)] == ["stop"]
    assert await inbox.signals(other) == []


async def test_a_stop_outlives_whoever_heard_it(inbox: Inbox, store: Store, clock: Clock) -> None:
    """Who heard a stop may be killed over it: the next holder hears it too, and such an ask waits for no person."""
    await inbox.put(arrival("e1", ts="5.0"))
    killed = await take(inbox)
    assert killed is not None
    await inbox.put(Arrival(("s",), None, said("stop", ts="5.0")))
    assert [s.kind for s in await inbox.signals(killed)] == ["stop"]
    clock.at += 31
    lease = await take(inbox)
    assert lease is not None

    assert [s.kind for s in await inbox.signals(lease)] == ["stop"]
    tx = Transaction(lease)
    inbox.park(tx, lease, until=clock.at + 600)
    await store.commit(tx)
    last = await take(inbox)
    assert last is not None
    assert [s.kind for s in await inbox.signals(last)] == ["stop"]


async def test_a_stop_on_the_answer_reaches_the_holder(inbox: Inbox, store: Store) -> None:
    """A reaction on one of the answer's parts stops its ask."""
    await inbox.put(arrival("e1", ts="5.0"))
    lease = await take(inbox)
    assert lease is not None
    tx = Transaction(lease)
    values: dict[str, Any] = {
        "n": 1,
        "state": "open",
        "kind": "post",
        "channel": "C1",
        "ts": "8.8",
        "text": "",
    }
    tx.add("journal.part", ask_id=lease.ask.id, now=0.0, **values)
    await store.commit(tx)
    await inbox.put(Arrival(("s",), None, said("stop", ts="8.8")))

    assert len(await inbox.signals(lease)) == 1


async def test_who_waits_behind_the_own_thread_is_told_once(inbox: Inbox, clock: Clock) -> None:
    """An ask that waits three seconds for its thread is given once, to be told so."""
    await inbox.put(arrival("e1", thread="1.0", ts="1.0", at=clock.at))
    await inbox.put(arrival("e2", thread="1.0", ts="1.5", at=clock.at))
    await take(inbox)

    assert await inbox.behind(3, MANY) == []
    clock.at += 3
    assert [(one.ask.ts, one.why) for one in await inbox.behind(3, MANY)] == [("1.5", "thread")]
    assert await inbox.behind(3, MANY) == []


async def test_who_waits_for_a_cap_is_told_which(inbox: Inbox, clock: Clock) -> None:
    """Beyond a person's or a channel's number, the channel's own first, an ask is given once, with the reason; a later one is not."""
    caps = Caps(2, 2, {"C9": (9, 1), "C8": (1, 9)})
    for n, (user, channel) in enumerate(
        [("U1", "C1"), ("U1", "C1"), ("U1", "C2"), ("U2", "C9"), ("U3", "C9"), ("U2", "C8")]
    ):
        await inbox.put(arrival(f"e{n}", user=user, channel=channel, at=clock.at + n / 1000))
    await inbox.put(arrival("later", user="U1", channel="C2", at=clock.at, not_before=9e9))
    while await inbox.take(person_in_flight=2, channel_in_flight=2, own=caps.own):
        pass
    clock.at += 4

    late = [(one.ask.user, one.ask.channel, one.why) for one in await inbox.behind(3, caps)]
    assert late == [("U1", "C1", "person"), ("U3", "C9", "channel"), ("U2", "C8", "person")]
    assert await inbox.behind(3, caps) == []


class Meanwhile:
    """A store in which something else happens just behind a look for an ask."""

    def __init__(self, store: Store, other: Callable[[], Awaitable[object]]) -> None:
        self._store, self._other = store, other
        self.read, self.soon = store.read, store.soon
        self.ready, self.close = store.ready, store.close

    async def commit(self, tx: Transaction) -> list[list[Row]]:
        """Commit, and let the other thing happen before the caller hears of it."""
        rows = await self._store.commit(tx)
        if tx.statements[-1].name == "inbox.take":
            await self._other()
        return rows


async def test_what_comes_during_a_look_is_not_overlooked(store: Store, clock: Clock) -> None:
    """An ask that is committed while a worker looks in vain is taken at once, not after a wait."""
    arriving = Inbox(store, now=clock, worker="w1")
    meanwhile = Meanwhile(store, lambda: inbox.put(arrival("e1")))
    inbox = Inbox(meanwhile, now=clock, worker="w1")

    assert await take(inbox) is None
    async with asyncio.timeout(5):
        await inbox.wait(60)
    assert await take(arriving) is not None


async def test_news_are_news_once(inbox: Inbox) -> None:
    """Who has no free hand waits for the next news: the last ones do not wake it again and again."""
    await inbox.put(arrival("e1"))
    await inbox.wait(60)
    waiting = asyncio.create_task(inbox.wait(60))
    for _ in range(5):
        await asyncio.sleep(0)

    assert not waiting.done()
    inbox.ended()
    await waiting


async def test_a_process_that_serves_alone_reclaims_every_lease(inbox: Inbox) -> None:
    """What a killed process held waits again as soon as the next one begins, and its old lease is void."""
    await inbox.put(arrival("e1"))
    lost = await take(inbox)
    assert lost is not None
    await inbox.reclaim()

    again = await take(inbox)
    assert again is not None
    assert again.attempt == lost.attempt + 1
    with pytest.raises(LeaseLost):
        await inbox.renew(lost)


async def test_deep_in_the_queue_something_free_is_found(inbox: Inbox, store: Store) -> None:
    """Although the oldest hundreds are blocked, the first free one is taken."""
    rows = [ask(thread="1.0", ts=f"1.{n:04d}") for n in range(600)] + [ask(channel="C2")]
    await asyncio.gather(*(inbox.put(Arrival((f"k{n}",), one)) for n, one in enumerate(rows)))
    first, second = await take(inbox), await take(inbox)

    assert first is not None
    assert second is not None
    assert second.ask.channel == "C2"


async def test_the_order_of_a_lane_is_the_order_of_asking(inbox: Inbox, store: Store) -> None:
    """When the first of a thread has to wait for its person's other asks, the second does not overtake it."""
    await inbox.put(arrival("busy", user="U1", channel="C9"))
    assert await take(inbox) is not None
    await inbox.put(arrival("first", user="U1", thread="1.0", ts="1.0"))
    await inbox.put(arrival("second", user="U2", thread="1.0", ts="1.5"))
    await inbox.put(arrival("elsewhere", user="U2", thread="2.0", ts="2.0"))

    other = await take(inbox, person=1)
    assert other is not None
    assert other.ask.ts == "2.0"
    assert await take(inbox, person=5) is not None
    assert await take(inbox, person=5) is None


async def test_an_ask_for_later_does_not_hold_its_lane(inbox: Inbox, clock: Clock) -> None:
    """What may not begin yet lets the next of its thread go first."""
    await inbox.put(arrival("later", thread="1.0", ts="1.0", not_before=clock.at + 60))
    await inbox.put(arrival("now", thread="1.0", ts="1.5"))

    lease = await take(inbox)
    assert lease is not None
    assert lease.ask.ts == "1.5"


async def test_a_flood_in_one_channel_drowns_no_other(inbox: Inbox) -> None:
    """Behind hundreds of older asks of a channel, another channel's first one is the next but one."""
    flood = [ask(channel="C1") for _ in range(400)]
    await asyncio.gather(*(inbox.put(Arrival((one.id,), one)) for one in flood))
    await inbox.put(arrival("small", channel="C2"))

    taken = [await take(inbox) for _ in range(3)]
    assert [lease.ask.channel for lease in taken if lease] == ["C1", "C2", "C1"]


async def test_takers_at_the_same_time_take_different_asks(inbox: Inbox) -> None:
    """However many look at once, each ask is leased once."""
    for n in range(10):
        await inbox.put(arrival(f"e{n}"))
    leases = await asyncio.gather(*(take(inbox) for _ in range(20)))

    assert len({lease.ask.id for lease in leases if lease}) == 10
    assert leases.count(None) == 10


async def test_the_queue_in_numbers(inbox: Inbox, store: Store, clock: Clock) -> None:
    """How many wait, are worked on, wait for a person, are dead; and how long the oldest has waited."""
    for n in range(6):
        await inbox.put(arrival(f"e{n}", at=clock.at - 10 * (n + 1), key=f"k{n}"))
    parked, dead, ended, _ = [await take(inbox) for _ in range(4)]
    assert parked is not None
    assert dead is not None
    assert ended is not None
    tx = Transaction(parked)
    inbox.park(tx, parked, until=clock.at + 60)
    await store.commit(tx)
    tx = Transaction(dead)
    inbox.dead(tx, dead, reason="it broke")
    await store.commit(tx)
    await finish(inbox, store, ended)

    queue = await inbox.queue()
    assert (queue.waiting, queue.leased, queue.parked, queue.dead) == (2, 1, 1, 1)
    assert queue.oldest_seconds == 20
    assert await inbox.drop_dead(dead.ask.id)
    assert (await inbox.queue()).dead == 0


async def test_edits_in_the_wrong_order_leave_the_last_wording(inbox: Inbox) -> None:
    """An older edit that is delivered after a newer one changes nothing."""
    await inbox.put(arrival("e1", ts="5.0", text="first"))
    for key, edited, text in [("e3", "30.0", "third"), ("e2", "20.0", "second")]:
        after = ask(ts="5.0", text=text, edited=edited, key=f"T1:C1:5.0:{edited}")
        await inbox.put(Arrival((key,), after, said("edit", ts="5.0", text=text)))

    lease = await take(inbox)
    assert lease is not None
    assert lease.ask.text == "third"


async def test_a_begun_ask_keeps_its_words(inbox: Inbox) -> None:
    """Edited after somebody had begun and handed it back, the next holder has the old words and is told."""
    await inbox.put(arrival("e1", ts="5.0", text="old"))
    first = await take(inbox)
    assert first is not None
    await inbox.give_back(first)
    after = ask(ts="5.0", text="new", edited="9.0")
    await inbox.put(Arrival(("e2",), after, said("edit", ts="5.0", text="new")))
    await inbox.put(Arrival(("e3",), None, said("edit", ts="5.0", text="newer")))

    lease = await take(inbox)
    assert lease is not None
    assert lease.ask.text == "old"
    assert [s.text for s in await inbox.signals(lease)] == ["new", "newer"]


async def test_an_edit_without_the_mention_replaces_the_words(inbox: Inbox) -> None:
    """Where only the new text is known, the waiting ask has it."""
    await inbox.put(arrival("e1", ts="5.0", text="old", thread="4.0"))
    await inbox.put(Arrival(("e2",), None, said("edit", ts="5.0", text='new "words"')))

    lease = await take(inbox)
    assert lease is not None
    assert (lease.ask.text, lease.ask.thread) == ('new "words"', "4.0")


async def test_a_begun_ask_that_is_deleted_is_ended_by_its_holder(inbox: Inbox) -> None:
    """What was begun may have said and cost something: whoever takes it next hears of the deletion and ends it."""
    await inbox.put(arrival("e1", ts="5.0"))
    first = await take(inbox)
    assert first is not None
    await inbox.give_back(first)
    await inbox.put(Arrival(("d1",), None, said("delete", ts="5.0")))

    lease = await take(inbox)
    assert lease is not None
    assert [s.kind for s in await inbox.signals(lease)] == ["delete"]


async def test_a_message_deleted_before_it_came_is_no_ask(inbox: Inbox) -> None:
    """When the deletion overtakes the message, nobody answers it."""
    await inbox.put(Arrival(("d1",), None, said("delete", ts="5.0")))

    assert await inbox.put(arrival("e1", ts="5.0")) == "known"
    assert await inbox.put(arrival("e2", ts="6.0")) == "new"
    assert await inbox.put(arrival("e3", ts="")) == "new"


@pytest.mark.parametrize(
    ("kind", "where", "roused"),
    [
        ("stop", {"ask_id": "parked"}, True),
        ("stop", {"thread": "4.0"}, True),
        ("delete", {"ts": "5.0"}, True),
        ("feedback", {"ask_id": "parked"}, False),
        ("stop", {"ask_id": "another"}, False),
        ("stop", {"thread": "9.0"}, False),
    ],
)
async def test_a_word_about_a_parked_ask_rouses_it(
    inbox: Inbox, store: Store, clock: Clock, kind: str, where: dict[str, str], roused: bool
) -> None:
    """A stop or a deletion brings back the ask that waits for it, and the next holder hears what was said."""
    await inbox.put(arrival("e1", id="parked", ts="5.0", thread="4.0"))
    lease = await take(inbox)
    assert lease is not None
    tx = Transaction(lease)
    inbox.park(tx, lease, until=clock.at + 600)
    await store.commit(tx)
    await inbox.put(Arrival(("s1",), None, said(kind, **where)))

    again = await take(inbox)
    assert (again is not None) == roused
    if again is not None:
        assert [s.kind for s in await inbox.signals(again)] == [kind]


async def test_keys_and_signals_are_forgotten_after_two_days(
    inbox: Inbox, store: Store, clock: Clock, inside: Inside
) -> None:
    """What no redelivery can bring again is removed; feedback stays."""
    await inbox.put(arrival("e1", ts="5.0"))
    lease = await take(inbox)
    assert lease is not None
    await inbox.put(Arrival(("s3",), None, said("edit", ts="5.0")))
    tx = Transaction(lease)
    inbox.park(tx, lease, until=9_000.0)
    await store.commit(tx)
    await inbox.put(Arrival(("s4",), None, said("edit", ts="5.0")))  # overtakes the one before
    await inbox.put(Arrival(("s1",), None, said("stop", ts="5.0")))
    await inbox.put(Arrival(("s2",), None, said("feedback", ts="5.0")))
    assert len(await inbox.signals(lease)) == 1
    assert inside.run("SELECT count(*) FROM heard")[0][0] == 1
    assert await inbox.put(Arrival(("s1",), None, said("stop", ts="6.0"))) == "known"

    clock.at += 49 * 3600
    await take(inbox)
    assert await inbox.put(Arrival(("s1",), None, said("stop", ts="6.0"))) == "new"
    kinds = [row[0] for row in inside.run("SELECT kind FROM signals ORDER BY kind")]
    heard = inside.run("SELECT count(*) FROM heard")[0][0]
    assert (kinds, heard) == (["feedback", "stop"], 0)


async def test_a_lost_lease_changes_nothing(inbox: Inbox, store: Store, clock: Clock) -> None:
    """Whoever lost an ask can neither end it, bury it, park it, hand it back nor take its signals away."""
    await inbox.put(arrival("e1", ts="5.0"))
    lost = await take(inbox)
    assert lost is not None
    clock.at += 31
    held = await take(inbox)
    assert held is not None
    await inbox.put(Arrival(("s1",), None, said("stop", ts="5.0")))

    for write in (
        lambda tx: inbox.done(tx, lost, outcome="answered"),
        lambda tx: inbox.dead(tx, lost, reason="it broke"),
        lambda tx: inbox.park(tx, lost, until=0.0),
    ):
        for tx in (Transaction(lost), Transaction()):  # even where the fence was forgotten
            write(tx)
            with pytest.raises(LeaseLost):
                await store.commit(tx)
    for use in (inbox.renew, inbox.give_back):
        with pytest.raises(LeaseLost):
            await use(lost)
    await inbox.signals(lost)
    assert [s.kind for s in await inbox.signals(held)] == ["stop"]
    await inbox.renew(held)


async def test_an_ended_ask_is_no_lease(inbox: Inbox, store: Store) -> None:
    """Of an ask that was done, even its last holder can write nothing."""
    await inbox.put(arrival("e1"))
    lease = await take(inbox)
    assert lease is not None
    await finish(inbox, store, lease)

    with pytest.raises(LeaseLost):
        await inbox.renew(lease)
    with pytest.raises(LeaseLost):
        await finish(inbox, store, lease)
    with pytest.raises(LeaseLost):
        await inbox.give_back(lease)


async def test_the_body_is_plain_json(inbox: Inbox, store: Store) -> None:
    """What lies in the inbox can be read by any release: keys it does not know are passed over."""
    one = ask()
    assert type(one).from_json(json.loads(json.dumps(one.to_json())) | {"later": 1}) == one
