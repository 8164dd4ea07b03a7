"""The journal: what an ask did so far is told as it was written, and only whoever holds the ask writes in it."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.ask import Lease
from bot.errors import LeaseLost
from bot.inbox import Arrival, Inbox
from bot.journal import Journal, Part, Sent, Told
from bot.store import Store, Transaction
from bot.store.postgres import PostgresStore
from bot.usage import Usage
from tests.bot.stores import Clock, ask
from tests.chance import share

ESTIMATE = Usage(input_tokens=900, cache_write_5m_tokens=100, output_tokens=2_000)


@pytest.fixture
def journal(store: Store, clock: Clock) -> Journal:
    """A journal on the store."""
    return Journal(store, now=clock)


async def leased(inbox: Inbox) -> Lease:
    """A lease of a new ask."""
    one = ask()
    await inbox.put(Arrival((one.key,), one))
    lease = await inbox.take(person_in_flight=9, channel_in_flight=9)
    assert lease is not None
    return lease


def sending(journal: Journal, tx: Transaction, lease: Lease, n: int = 1, **changes: Any) -> None:
    """A request of the ask is about to leave."""
    values: dict[str, Any] = {
        "model": "claude-sonnet-5-5",
        "purpose": "answer",
        "prefix_hash": f"hash{n}",
        "estimate": ESTIMATE,
        "estimate_cost": 22_050_000_000,
        **changes,
    }
    journal.sending(tx, lease, n=n, **values)


async def test_it_tells_what_was_written(
    store: Store, inbox: Inbox, journal: Journal, clock: Clock
) -> None:
    """Requests with their estimates, responses, tool results and parts come back as they were, in order."""
    lease = await leased(inbox)
    response = {"id": "msg_1", "content": [{"type": "text", "text": "Yes."}], "usage": {}}
    tx = Transaction(lease)
    sending(journal, tx, lease, 2, purpose="rephrase", estimate_cost=None)
    sending(journal, tx, lease, 1)
    journal.tool_result(tx, lease, use_id="toolu_1", content=[{"text": "a page"}], outcome="ok")
    journal.part(tx, lease, n=2, state="opening", channel="C1", kind="stream")
    journal.part(tx, lease, n=1, state="said", channel="C1", ts="8.8", text="Yes.")
    await store.commit(tx)
    tx = Transaction(lease)
    journal.started(tx, lease, n=1, message_id="msg_1")
    journal.ended(tx, lease, n=1, response=response)
    await store.commit(tx)

    first = Sent(
        n=1,
        attempt=1,
        model="claude-sonnet-5-5",
        purpose="answer",
        prefix_hash="hash1",
        estimate=ESTIMATE,
        estimate_cost=22_050_000_000,
        at=clock.at,
        status="ended",
        message_id="msg_1",
    )
    second = replace(
        first,
        n=2,
        purpose="rephrase",
        prefix_hash="hash2",
        estimate_cost=None,
        status="open",
        message_id="",
    )
    assert await journal.read(lease.ask.id) == Told(
        (first, second),
        {1: response},
        {"toolu_1": [{"text": "a page"}]},
        (
            Part(1, "said", "post", "C1", "8.8", "Yes.", clock.at),
            Part(2, "opening", "stream", "C1", "", "", clock.at),
        ),
    )
    assert await journal.read("another") == Told()


async def test_a_part_goes_on(store: Store, inbox: Inbox, journal: Journal) -> None:
    """A part that is written again is the same part: opening, open, said."""
    lease = await leased(inbox)
    for state, ts, text in (("opening", "", ""), ("open", "8.8", ""), ("said", "8.8", "Yes.")):
        tx = Transaction(lease)
        journal.part(tx, lease, n=1, state=state, channel="C1", ts=ts, text=text)  # type: ignore[arg-type]
        await store.commit(tx)
        told = (await journal.read(lease.ask.id)).parts
        assert [(part.state, part.ts, part.text) for part in told] == [(state, ts, text)]


async def test_first_words_stay(store: Store, inbox: Inbox, journal: Journal) -> None:
    """A request ends once, and of a tool call the first result counts."""
    lease = await leased(inbox)
    tx = Transaction(lease)
    sending(journal, tx, lease)
    journal.ended(tx, lease, n=1, response=None, error="Overloaded")
    journal.ended(tx, lease, n=1, response={"id": "msg_1"})
    journal.tool_result(tx, lease, use_id="toolu_1", content="first", outcome="ok")
    journal.tool_result(tx, lease, use_id="toolu_1", content="second", outcome="ok")
    await store.commit(tx)

    told = await journal.read(lease.ask.id)
    assert [(sent.status, sent.error) for sent in told.attempts] == [("ended", "Overloaded")]
    assert (told.responses, told.tool_results) == ({}, {"toolu_1": "first"})


Write = Callable[[Journal, Transaction, Lease], None]
WRITES: dict[str, Write] = {
    "sending": lambda journal, tx, lease: sending(journal, tx, lease, 2),
    "started": lambda journal, tx, lease: journal.started(tx, lease, n=1, message_id="late"),
    "ended": lambda journal, tx, lease: journal.ended(tx, lease, n=1, response={"id": "late"}),
    "tool": lambda journal, tx, lease: journal.tool_result(
        tx, lease, use_id="toolu_9", content="late", outcome="ok"
    ),
    "part": lambda journal, tx, lease: journal.part(
        tx, lease, n=1, state="said", channel="C1", ts="9.9", text="late"
    ),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("how", ["taken over", "handed back", "ended"])
async def test_who_lost_the_ask_writes_nothing(
    store: Store, inbox: Inbox, journal: Journal, clock: Clock, how: str, write: Write
) -> None:
    """No write of a lost lease succeeds, whoever has the ask now, and whatever stands beside it is undone."""
    lost = await leased(inbox)
    tx = Transaction(lost)
    sending(journal, tx, lost)
    await store.commit(tx)
    if how == "taken over":
        clock.at += 31
        assert await inbox.take(person_in_flight=9, channel_in_flight=9) is not None
    elif how == "handed back":
        await inbox.give_back(lost)
    else:
        tx = Transaction(lost)
        inbox.done(tx, lost, outcome="answered")
        await store.commit(tx)
    before = await journal.read(lost.ask.id)

    tx = Transaction(lost)
    journal.part(tx, lost, n=7, state="opening", channel="C1")
    write(journal, tx, lost)
    with pytest.raises(LeaseLost):
        await store.commit(tx)
    assert await journal.read(lost.ask.id) == before


TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=12,
)


def as_stored(value: Any) -> str:
    """A value as it may come back: what is no character came to be a question mark."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text.encode("utf-8", "replace").decode()


@settings(max_examples=share(0.6), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=JSON, text=TEXT)
@example(content="\x00", text="\x00")
async def test_anything_comes_back(
    store: Store, inbox: Inbox, journal: Journal, content: Any, text: str
) -> None:
    """Whatever a tool, Claude or a person says, odd characters and numbers too, is told as it was."""
    lease = await leased(inbox)
    tx = Transaction(lease)
    sending(journal, tx, lease)
    journal.ended(tx, lease, n=1, response={"content": content})
    journal.tool_result(tx, lease, use_id="toolu_1", content=content, outcome="ok")
    journal.part(tx, lease, n=1, state="said", channel="C1", text=text)
    inbox.done(tx, lease, outcome="answered")
    await store.commit(tx)

    told = await journal.read(lease.ask.id)
    assert as_stored(told.responses[1]) == as_stored({"content": content})
    assert as_stored(told.tool_results["toolu_1"]) == as_stored(content)
    kept = text.encode("utf-8", "replace").decode()
    # PostgreSQL has no NUL in a text.
    kept = kept.replace("\x00", "\ufffd") if isinstance(store, PostgresStore) else kept
    assert told.parts[0].text == kept


async def test_no_number_is_too_odd(store: Store, inbox: Inbox, journal: Journal) -> None:
    """What JSON has no number for comes back all the same, so that an ask can be resumed."""
    lease = await leased(inbox)
    tx = Transaction(lease)
    journal.tool_result(tx, lease, use_id="t", content=[math.inf, 2**80, "\x00"], outcome="ok")
    await store.commit(tx)

    told = await journal.read(lease.ask.id)
    assert told.tool_results == {"t": [math.inf, 2**80, "\x00"]}
