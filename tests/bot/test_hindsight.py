"""Looking back at asks: the last thumb counts, causes are Claude's own words, and what is gone is not known."""

from datetime import UTC
from typing import Any

import pytest

from bot.ask import Signal
from bot.hindsight import Hindsight
from bot.inbox import Arrival, Inbox
from bot.journal import Journal
from bot.ledger import Ledger
from bot.store import Store, Transaction
from bot.usage import Usage
from tests.bot.entries import NOVEMBER, book, entry
from tests.bot.stores import Clock, ask


async def thumb(inbox: Inbox, n: int, said: str, **over: Any) -> None:
    """Somebody presses a thumb."""
    values: dict[str, Any] = {
        "user": "U1",
        "channel": "C1",
        "ask_id": "a",
        "at": 1_000.0 + n,
        **over,
    }
    signal = Signal(id=f"s{n}", key=f"k{n}", kind="feedback", team="T1", text=said, **values)
    await inbox.put(Arrival((signal.key,), None, signal))


async def test_the_last_thumb_of_a_person_counts(store: Store, inbox: Inbox) -> None:
    """Who changes their mind is heard; where two disagree, the answer was not good."""
    await thumb(inbox, 1, "bad")
    await thumb(inbox, 2, "good")
    await thumb(inbox, 3, "good", ask_id="b")
    await thumb(inbox, 4, "bad", ask_id="b", user="U2")
    await thumb(inbox, 5, "good", ask_id="b", user="U3")
    await thumb(inbox, 6, "bad", ask_id="c", channel="C2")
    look = Hindsight(store)

    assert await look.thumbs(since=0, channel=None) == {"a": "good", "b": "bad", "c": "bad"}
    assert await look.thumbs(since=0, channel="C2") == {"c": "bad"}
    assert await look.thumbs(since=1_002.5, channel="C1") == {"b": "bad"}


async def test_causes_are_those_that_claude_named(store: Store, inbox: Inbox) -> None:
    """A miss whose cause Claude does not know, or that has none, is not named."""
    one = ask()
    await inbox.put(Arrival((one.key,), one))
    lease = await inbox.take(person_in_flight=5, channel_in_flight=5)
    assert lease is not None
    journal = Journal(store, now=Clock())
    told = ("messages_changed", "unavailable", None)
    for n, cause in enumerate(told):
        tx = Transaction(lease)
        what = {"model": "m", "purpose": "answer", "prefix_hash": "h"}
        journal.sending(tx, lease, n=n, estimate=Usage(), estimate_cost=1, **what)
        journal.started(tx, lease, n=n, message_id=f"msg{n}")
        await store.commit(tx)
        tx = Transaction(lease)
        journal.ended(tx, lease, n=n, response={"cache_miss": cause})
        await store.commit(tx)
    look = Hindsight(store)

    assert await look.causes([one.id]) == {"msg0": "messages_changed"}
    assert await look.causes([]) == {}


async def test_an_ask_and_where_its_answer_stands(store: Store, inbox: Inbox) -> None:
    """What was asked is found by its id, and the first message that answered it; of others nothing is known."""
    one = ask()
    await inbox.put(Arrival((one.key,), one))
    lease = await inbox.take(person_in_flight=5, channel_in_flight=5)
    assert lease is not None
    look = Hindsight(store)
    assert await look.place(one.id) is None
    for n, ts in ((0, "5.1"), (1, "5.2")):
        tx = Transaction(lease)
        Journal(store, now=Clock()).part(tx, lease, n=n, state="said", channel="C7", ts=ts)
        await store.commit(tx)

    assert await look.place(one.id) == ("C7", "5.1")
    assert await look.ask(one.id) == one
    assert await look.ask("nobody's") is None


async def test_what_requests_began_with(store: Store, inbox: Inbox) -> None:
    """Sections are found by the message they led to, and cold starts by when they left and when they began."""
    one = ask()
    await inbox.put(Arrival((one.key,), one))
    lease = await inbox.take(person_in_flight=5, channel_in_flight=5)
    assert lease is not None
    journal, ledger = Journal(store, now=Clock()), Ledger(store, zone=UTC, now=Clock())
    for n, sections in enumerate(("a b", "")):
        tx = Transaction(lease)
        what = {"model": "m", "purpose": "answer", "prefix_hash": "h", "sections": sections}
        journal.sending(tx, lease, n=n, estimate=Usage(), estimate_cost=1, **what)
        journal.started(tx, lease, n=n, message_id=f"msg{n}")
        await store.commit(tx)
    wrote = entry(cache_write_1h_tokens=9, latency_ms=900, ttft_ms=200)
    await book(store, ledger, wrote, entry(cache_write_1h_tokens=9, cache_read_tokens=1), entry())
    look = Hindsight(store)

    assert await look.sections([one.id]) == {"msg0": "a b"}
    assert await look.sections([]) == {}
    (cold,) = await look.cold(since=NOVEMBER, until=NOVEMBER + 1)
    assert (cold.entry_id, cold.head) == (wrote.entry_id, (wrote.model, "p1"))
    assert (cold.left - NOVEMBER, cold.begun - NOVEMBER) == pytest.approx((-0.9, -0.7), abs=1e-6)
    assert await look.cold(since=NOVEMBER + 1, until=NOVEMBER + 2) == []
