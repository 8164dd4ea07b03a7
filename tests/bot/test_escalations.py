"""What Claude refused and people may take over: kept once, settled once, and what follows is put with it."""

import asyncio

import pytest

from bot.ask import Ask, Lease
from bot.errors import LeaseLost
from bot.escalations import DAY_SECONDS, Escalation, Escalations, Settled
from bot.inbox import Arrival, Inbox
from bot.store import Store, Transaction
from tests.bot.stores import Clock, ask

PEOPLE = "C9"


@pytest.fixture
def kept(store: Store, inbox: Inbox, clock: Clock) -> Escalations:
    """Escalations on the store."""
    return Escalations(store, inbox, now=clock)


async def working(inbox: Inbox, one: Ask) -> Lease:
    """An ask that is being worked on."""
    await inbox.put(Arrival((one.key,), one))
    lease = await inbox.take(person_in_flight=9, channel_in_flight=9)
    assert lease is not None
    return lease


async def pressing(inbox: Inbox, n: int) -> Lease:
    """A press that is being worked on."""
    press = ask(feature="click", origin="click", ts="", thread="", channel=f"{PEOPLE}{n}")
    return await working(inbox, press)


async def opened(kept: Escalations, lease: Lease) -> Escalation:
    """An ask that is given to people."""
    return await kept.open(lease, PEOPLE, category="bio", sentence="Declined.", notes=["Tried."])


async def test_it_is_kept_once_with_its_ask(kept: Escalations, inbox: Inbox, clock: Clock) -> None:
    """Given to people again, as after a restart, it is what it was, with the ask as it lies in the inbox."""
    lease = await working(inbox, ask(text="grow plover-17"))
    first = await opened(kept, lease)
    clock.at += 5

    assert await opened(kept, lease) == first
    assert await kept.get(lease.ask.id) == first
    assert first.ask == lease.ask
    assert (first.state, first.until - first.at) == ("open", DAY_SECONDS)
    assert (first.category, first.sentence, first.notes) == ("bio", "Declined.", ("Tried.",))
    assert await kept.get("another") is None


async def test_it_lapses_by_an_ask_of_its_own(
    kept: Escalations, inbox: Inbox, store: Store, clock: Clock
) -> None:
    """Once it stands before them, what happens a day later waits in the inbox, and is not taken earlier."""
    lease = await working(inbox, ask())
    found = await opened(kept, lease)
    lapse = ask(origin="own", ts="", thread="", at=found.until, not_before=found.until)
    await kept.posted(lease, found, "9.1", lapse)
    done = Transaction(lease)
    inbox.done(done, lease, outcome="refused")
    await store.commit(done)

    posted = await kept.get(lease.ask.id)
    assert posted is not None
    assert posted.ts == "9.1"
    assert (await inbox.queue()).waiting == 0
    assert await inbox.take(person_in_flight=9, channel_in_flight=9) is None
    clock.at = found.until + 1
    taken = await inbox.take(person_in_flight=9, channel_in_flight=9)
    assert taken is not None
    assert taken.ask.id == lapse.id


async def test_of_two_presses_one_counts(kept: Escalations, inbox: Inbox) -> None:
    """Two people settle it at once: one of them did, and only what theirs said is put into the inbox."""
    found = await opened(kept, await working(inbox, ask(thread="7.7")))
    presses = [await pressing(inbox, 1), await pressing(inbox, 2)]
    said = [ask(origin="own", ts="", thread=f"8.{n}") for n in range(2)]

    async def settle(n: int) -> bool:
        try:
            await kept.settle(presses[n], found, "closed", who="U1", name="Ana", follow=[said[n]])
        except Settled:
            return False
        return True

    done = await asyncio.gather(settle(0), settle(1))
    settled = await kept.get(found.ask.id)
    taken = await inbox.take(person_in_flight=9, channel_in_flight=9)

    assert sorted(done) == [False, True]
    assert settled is not None
    assert (settled.state, settled.press) == ("closed", presses[done.index(True)].ask.id)
    assert (settled.who, settled.who_name) == ("U1", "Ana")
    assert taken is not None
    assert taken.ask.id == said[done.index(True)].id
    assert await inbox.take(person_in_flight=9, channel_in_flight=9) is None


async def test_who_lost_the_press_settles_nothing(kept: Escalations, inbox: Inbox) -> None:
    """A press that another worker has by now leaves it open, and says nothing."""
    found = await opened(kept, await working(inbox, ask(thread="7.7")))
    press = await pressing(inbox, 1)
    await inbox.give_back(press)

    with pytest.raises(LeaseLost):
        await kept.settle(press, found, "closed", follow=[ask(origin="own", thread="8.1", ts="")])
    still = await kept.get(found.ask.id)
    assert still == found
