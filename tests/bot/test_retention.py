"""Retention: words go after a channel's days, by whole asks, and what is still needed stays; a person can be forgotten."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from bot.ask import Ask, FileRef, Lease, Signal
from bot.audit import AUDIT_DAYS, Audit, Record, Wanted, of_tool, record
from bot.digests import Cadence, Digests, Subject
from bot.errors import StoreDown
from bot.findings import Finding
from bot.findings.kept import Kept, keep
from bot.inbox import Arrival, Inbox
from bot.journal import Journal
from bot.policy import Policy
from bot.proposals import Proposals
from bot.retention import BATCH, DAY_SECONDS, SHELL_DAYS, Retention, erase
from bot.rules import PolicyFile
from bot.store import Store, Transaction
from bot.usage import Usage
from tests.bot.inside import Inside
from tests.bot.stores import Clock, ask

WORD = "marzipan"  # in every text that is kept of an ask
NAME = 'Ana "Bee" O\'Neil'
LABEL = "Ana &quot;Bee&quot; O&#x27;Neil"


class Office:
    """Asks that were worked on, with all that is kept of them."""

    def __init__(self, store: Store, inbox: Inbox, clock: Clock) -> None:
        self.store, self.inbox, self.clock = store, inbox, clock
        self.journal = Journal(store, now=clock)
        self.proposals = Proposals(store, now=clock)

    def retention(self, **rules: Any) -> Retention:
        """By these rules everywhere, but for C2, which keeps its words for 90 days."""
        channels = {"C2": {"retention_days": 90, "store_text": True}}
        policy = Policy(PolicyFile(defaults=rules, channels=channels))
        return Retention(self.store, policy, now=self.clock)

    async def taken(self, **changes: Any) -> Lease:
        """An ask that is being worked on."""
        made = ask(text=f"my {WORD}", at=self.clock(), **changes)
        made = replace(made, files=(FileRef("F1", WORD, "text/plain", 1, "https://s.test/f"),))
        await self.inbox.put(Arrival((made.key,), made))
        lease = await self.inbox.take(person_in_flight=99, channel_in_flight=99)
        assert lease is not None
        return lease

    async def worked(self, lease: Lease, *, proposes: bool = False) -> None:
        """Write down everything that is written for an ask."""
        origin, tx = lease.ask, Transaction(lease)
        usage = Usage(input_tokens=1)
        self.journal.sending(
            tx, lease, n=1, model="m", purpose="answer", prefix_hash="", estimate=usage,
            estimate_cost=None,
        )  # fmt: skip
        content = [{"type": "text", "text": WORD}]
        response = {"id": f"msg-{origin.id}", "content": content, "usage": {"output_tokens": 7}}
        self.journal.ended(tx, lease, n=1, response=response)
        self.journal.tool_result(tx, lease, use_id="u1", content=content, outcome="ok")
        self.journal.part(tx, lease, n=1, state="said", channel="C1", ts="5.5", text=WORD)
        keep(tx, origin, Kept("https://x", "h", (Finding("high", "p", 1, WORD, WORD),)), 0.0)
        asker = LABEL if origin.user == "U1" else "Cleo"
        said = f'<purser:ask from="{asker}" at="x">\n{WORD}\n</purser:ask>'
        messages = [{"role": "user", "content": [{"type": "text", "text": said}]}]
        self.remember(tx, origin, messages)
        what = of_tool(origin, "web_fetch", {"url": f"https://a.test/{WORD}"}, "ok")
        record(tx, what, at=self.clock())
        await self.store.commit(tx)
        if proposes:
            await self.proposals.propose(
                origin, "u1", tool="t", asked={"markdown": WORD}, draft=WORD, behalf=NAME
            )

    def remember(
        self,
        tx: Transaction,
        origin: Ask,
        messages: Sequence[Any],
        *,
        sent: Sequence[Any] | None = None,
    ) -> None:
        """Keep an ask in its thread's memory; as it was sent it is the same, if nothing else is given."""
        tx.add(
            "conversation.keep",
            lane=origin.lane,
            ask_id=origin.id,
            team=origin.team,
            channel=origin.channel,
            user=origin.user,
            messages=json.dumps(messages, ensure_ascii=False, separators=(",", ":")),
            sent=json.dumps(
                messages if sent is None else sent, ensure_ascii=False, separators=(",", ":")
            ),
            cached="",
            seen_ts="",
            message_id="",
            at=self.clock(),
        )

    async def done(self, lease: Lease, retention: Retention | None = None) -> None:
        """The ask has ended."""
        tx = Transaction(lease)
        self.inbox.done(tx, lease, outcome="answer", sentence=WORD)
        if retention is not None:
            retention.at_end(tx, lease.ask)
        await self.store.commit(tx)

    async def ended(self, *, proposes: bool = False, **changes: Any) -> Ask:
        """An ask with all that is kept of it, and its end."""
        lease = await self.taken(**changes)
        await self.worked(lease, proposes=proposes)
        await self.done(lease)
        return lease.ask

    def worded(self, inside: Inside) -> list[str]:
        """Tables that hold the word."""
        return inside.tables_with(WORD)

    def on(self, days: float) -> None:
        """Some days go by."""
        self.clock.at += days * DAY_SECONDS


@pytest.fixture
def office(store: Store, inbox: Inbox, clock: Clock) -> Office:
    """An office on the store."""
    clock.at = 1_790_000_000.0
    return Office(store, inbox, clock)


EVERYWHERE = [
    "asks", "audit", "conversation", "findings", "parts", "proposals", "requests", "tool_results",
]  # fmt: skip


async def test_words_go_after_the_channels_days(office: Office, inside: Inside) -> None:
    """Before them all is there, after them no table holds a word of it; outcome and counts stay."""
    made = await office.ended(proposes=True)
    office.on(29.9)
    await office.retention().daily()
    assert office.worded(inside) == EVERYWHERE
    office.on(0.2)

    assert await office.retention().daily() is None
    assert office.worded(inside) == []
    told = await office.journal.read(made.id)
    assert (told.responses[1]["id"], told.responses[1]["usage"]) == (
        f"msg-{made.id}",
        {"output_tokens": 7},
    )
    assert told.parts[0].ts == "5.5"
    assert (await office.store.read("inbox.alive"))[0]["alive"]
    assert (await Audit(office.store).verify()).erased == 1
    assert (await Audit(office.store).verify()).wrong == []


async def test_what_no_cache_holds_is_not_kept_as_it_was_sent(office: Office) -> None:
    """Two hours after a thread's last ask its memory holds all as it is remembered, and nothing more as it was sent."""
    kept: list[list[tuple[bool, bool]]] = []
    for asks, hours in ((1, 1.5), (2, 1.0), (0, 1.5)):
        if asks:
            await office.ended(thread="1.0")
        office.on(hours / 24)
        await office.retention().lighten()
        rows = await office.store.read("conversation.open", lane="T1:C1:1.0")
        kept.append([(WORD in row["messages"], WORD in row["sent"]) for row in rows])

    assert kept == [[(True, True)], [(True, True)] * 2, [(True, False)] * 2]


async def test_each_channel_has_its_own_days(office: Office, inside: Inside) -> None:
    """What another channel still keeps stays."""
    await office.ended(channel="C2")
    office.on(31)
    await office.retention().daily()
    assert "asks" in office.worded(inside)
    office.on(60)
    await office.retention().daily()

    assert office.worded(inside) == []


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)  # a server has a vacuum of its own
async def test_erased_is_erased_from_the_file(office: Office, tmp_path: Path) -> None:
    """The file does not hold the bytes any more, and once a person is forgotten neither does its log."""
    path = tmp_path / "purser.db"
    await office.ended(proposes=True)
    office.on(31)
    await office.retention().daily()
    assert WORD.encode() not in await asyncio.to_thread(path.read_bytes)
    await office.ended()
    await office.retention().forget("U1")
    held = [f.name for f in path.parent.iterdir() if WORD.encode() in f.read_bytes()]

    assert held == []


async def test_what_has_not_ended_stays(office: Office, inside: Inside) -> None:
    """An ask that waits, is worked on or is parked keeps its words, however old it is."""
    leased = await office.taken()
    parked = await office.taken()
    tx = Transaction(parked)
    office.inbox.park(tx, parked, until=office.clock() + 999 * DAY_SECONDS)
    await office.store.commit(tx)
    await office.inbox.put(Arrival(("w",), ask(text=WORD, at=office.clock())))
    office.on(99)
    await office.retention(retention_days=1).daily()
    rows = [await office.store.read("hindsight.ask", ask_id=one.ask.id) for one in (leased, parked)]

    assert all(WORD in row[0]["body"] for row in rows)
    assert office.worded(inside) == ["asks"]


async def test_a_thread_at_work_keeps_its_memory(office: Office, inside: Inside) -> None:
    """As long as somebody works in a thread, what was said in it before stays."""
    first = await office.ended(thread="7.0")
    office.on(31)
    second = await office.taken(thread="7.0")
    await office.retention().daily()
    assert "conversation" in office.worded(inside)
    await office.done(second)
    await office.retention().daily()

    rows = await office.store.read("conversation.open", lane=first.lane)
    assert rows == []


async def test_a_proposal_keeps_its_ask_within_its_day(office: Office, inside: Inside) -> None:
    """What may still be decided on is not touched; after its day it goes."""
    await office.ended(proposes=True)
    office.clock.at += DAY_SECONDS - 1
    retention = office.retention(store_text=False)
    await retention.daily()
    assert office.worded(inside) == EVERYWHERE
    office.clock.at += 2 + DAY_SECONDS
    await retention.daily()

    assert office.worded(inside) == []


async def test_a_summary_goes_with_the_first_ask_it_sums_up(office: Office, inside: Inside) -> None:
    """A thread's summary does not outlive the words it was made of; newer asks stay."""
    await office.ended(thread="7.0")
    office.on(20)
    lease = await office.taken(thread="7.0")
    await office.worked(lease)
    tx = Transaction(lease)
    lane = lease.ask.lane
    tx.add("conversation.shorten", lane=lane, upto=1, text=WORD, ask_id=lease.ask.id, at=0.0)
    await office.store.commit(tx)
    await office.done(lease)
    assert "older" in office.worded(inside)
    office.on(11)
    await office.retention().daily()
    rows = await office.store.read("conversation.open", lane=lane)

    assert "older" not in office.worded(inside)
    assert [row["ask_id"] for row in rows] == [lease.ask.id]


async def test_where_no_text_is_kept_it_goes_with_the_end(office: Office, inside: Inside) -> None:
    """With store_text = false an ask's words go in the transaction that ends it, also in a busy thread."""
    retention = office.retention(store_text=False)
    lease = await office.taken(thread="7.0")
    await office.worked(lease)
    await office.inbox.put(Arrival(("w",), ask(text="next", thread="7.0", at=office.clock())))
    await office.done(lease, retention)

    assert office.worded(inside) == []


async def test_a_command_keeps_its_words_for_its_button(office: Office, inside: Inside) -> None:
    """The period of a cost report is needed until it was shared: for a day."""
    retention = office.retention(store_text=False)
    lease = await office.taken(feature="cost")
    await office.done(lease, retention)
    assert "asks" in office.worded(inside)
    office.on(1.1)
    await retention.daily()

    assert office.worded(inside) == []


async def test_a_dead_ask_without_words_cannot_be_tried_again(
    office: Office, inside: Inside
) -> None:
    """Once its words are gone it is given up."""
    lease = await office.taken()
    tx = Transaction(lease)
    office.inbox.dead(tx, lease, reason=WORD)
    await office.store.commit(tx)
    office.on(31)
    await office.retention().daily()

    assert await office.inbox.dead_list() == []
    assert not await office.inbox.retry_dead(lease.ask.id)
    assert office.worded(inside) == []


async def test_many_go_some_at_a_time(office: Office, inside: Inside) -> None:
    """More than one transaction holds go all the same."""
    for _ in range(BATCH + 3):
        await office.done(await office.taken())
    office.on(31)
    await office.retention().daily()

    assert office.worded(inside) == []


async def test_what_is_left_goes_in_the_end(office: Office, inside: Inside) -> None:
    """After more than a year an ask's row goes, too, but our own keep their keys; records are trimmed."""
    mine = await office.ended()
    own = await office.ended(origin="own", feature="digest", user="U0ADMIN")
    signal = Signal("s1", "s1", "feedback", "T1", "C1", "U1", office.clock(), text="good")
    await office.inbox.put(Arrival(("s1",), signal=signal))
    office.on(31)
    await office.retention().daily()
    office.on(max(SHELL_DAYS, AUDIT_DAYS))
    await office.retention().daily()
    proof = await Audit(office.store).verify()

    assert await office.store.read("hindsight.ask", ask_id=mine.id) == []
    assert (await office.journal.read(mine.id)).attempts == ()
    assert await office.store.read("hindsight.ask", ask_id=own.id)
    assert inside.tables_with("good") == []
    assert (proof.records, proof.trimmed, proof.wrong) == (0, 1, [])


async def test_a_broken_audit_is_told_to_admins(office: Office, inside: Inside) -> None:
    """A day that was tampered with is not trimmed, and the admins hear which it is."""
    await office.ended()
    inside.run("""UPDATE audit SET "user" = 'U9'""")
    office.on(AUDIT_DAYS + 1)
    said = await office.retention().daily()

    assert said is not None
    assert "The audit of 2026-09-21 is not as it was written" in said
    assert "purser audit verify" in said


async def test_a_person_is_forgotten(office: Office, inside: Inside) -> None:
    """Their asks lose their words, others keep theirs; sums, hashes and who asked stay; a second time does nothing."""
    mine = await office.ended(user="U1")
    other = await office.ended(user="U2", channel="C1")
    signal = Signal("s1", "s1", "edit", "T1", "C1", "U1", office.clock(), ts=mine.ts, text=WORD)
    await office.inbox.put(Arrival(("s1",), signal=signal))
    retention = office.retention()
    done = await retention.forget("U1")

    assert (done.asks, done.left, done.lanes) == (1, 0, 0)
    assert done.names == (NAME,)
    assert "signals" not in office.worded(inside)
    rows = await office.store.read("hindsight.ask", ask_id=mine.id)
    assert (json.loads(rows[0]["body"])["text"], json.loads(rows[0]["body"])["user"]) == ("", "U1")
    assert (await office.journal.read(mine.id)).tool_results == {}
    assert (await office.journal.read(other.id)).tool_results
    subjects = [row["action"] async for row in Audit(office.store).find(Wanted(user="U1"))]
    assert subjects == ["tool"]
    again = await retention.forget("U1")
    assert (again.asks, again.turns, again.notes) == (0, 0, 0)
    assert (await Audit(office.store).verify()).wrong == []


async def test_what_they_said_in_others_threads_goes_too(office: Office, inside: Inside) -> None:
    """A memory with something labelled as theirs goes whole, by the names in their own asks or by one that is given."""
    await office.ended(user="U1")
    lanes: list[str] = []
    for name in (LABEL, "Bo", "Ana"):
        lease = await office.taken(user="U2")
        said = f'<purser:said from="{name}">\nquoted\n</purser:said>'
        messages = [{"role": "user", "content": [{"type": "text", "text": said}]}]
        tx = Transaction(lease)
        office.remember(tx, lease.ask, messages)
        await office.store.commit(tx)
        await office.done(lease)
        lanes.append(lease.ask.lane)
    done = await office.retention().forget("U1", names=("Bo",))

    left = [await office.store.read("conversation.open", lane=lane) for lane in lanes]
    assert [len(rows) for rows in left] == [0, 0, 1]
    assert done.turns == 3


async def test_what_they_said_and_a_tool_read_goes_too(office: Office) -> None:
    """A memory that holds something labelled as theirs only as it was sent, in a long result, goes as well."""
    await office.ended(user="U1")
    lease = await office.taken(user="U2")
    said = f'<purser:said from="{LABEL}">\nquoted\n</purser:said>'
    light, whole = (
        [{"role": "user", "content": [{"type": "text", "text": text}]}] for text in ("cut", said)
    )
    tx = Transaction(lease)
    office.remember(tx, lease.ask, light, sent=whole)
    await office.store.commit(tx)
    await office.done(lease)
    await office.retention().forget("U1")

    assert await office.store.read("conversation.open", lane=lease.ask.lane) == []


async def test_what_is_needed_is_left_and_said(office: Office) -> None:
    """An ask at work and one with an open proposal stay, and are counted; done again later, they go."""
    lease = await office.taken(user="U1")
    await office.ended(user="U1", proposes=True)
    retention = office.retention()
    assert (await retention.forget("U1")).left == 2
    await office.done(lease)
    office.on(2)

    assert (await retention.forget("U1")).left == 0


async def test_the_digests_of_who_is_forgotten_come_no_more(office: Office) -> None:
    """What a person wanted to read again and again goes with them; that of others still comes."""
    digests = Digests(office.store, office.inbox, zone=UTC, new_id=lambda: "", now=office.clock)
    for user in ("U1", "U2"):
        await digests.add(
            ask(user=user, channel="C1"), Subject("query", f"text ~ {WORD}"), Cadence((0,))
        )
    done = await office.retention().forget("U1")

    assert done.notes == 1
    assert [one.user for one in await digests.of("C1")] == ["U2"]


async def test_forgetting_beside_who_serves(office: Office, inside: Inside) -> None:
    """Another process forgets while this one works; neither waits for the other's end."""
    await office.ended(user="U1")
    async with inside.beside() as store:
        done = await Retention(store, Policy(), now=office.clock).forget("U1")
    await office.ended(user="U1")

    assert done.asks == 1
    assert (await Audit(office.store).verify()).wrong == []


async def test_nothing_half_done(office: Office, inside: Inside) -> None:
    """If the transaction that erases fails, every word is still there."""
    lease = await office.taken()
    await office.worked(lease)
    tx = Transaction(lease)
    office.inbox.done(tx, lease, outcome="answer")
    office.retention(store_text=False).at_end(tx, lease.ask)
    record(tx, Record("T1", "C1", "U1", "", "set", "model"), at=office.clock())
    tx.add("inbox.fence", must=StoreDown("not now"), ask_id="nobody's", attempt=0)
    with pytest.raises(StoreDown):
        await office.store.commit(tx)

    assert "conversation" in office.worded(inside)


async def test_it_is_looked_at_once_more(office: Office, inside: Inside) -> None:
    """What is needed only since it was found due stays: a thread that came to work, a proposal within its day."""
    first = await office.ended(thread="7.0")
    await office.taken(thread="7.0")
    second = await office.ended(proposes=True)
    tx = Transaction()
    place = erase(tx, [first.id, second.id], now=office.clock())

    assert (await office.store.commit(tx))[place] == []
    tx = Transaction()
    place = erase(tx, [first.id, second.id], now=office.clock(), although_open=True)
    assert [row["id"] for row in (await office.store.commit(tx))[place]] == [first.id]


async def test_a_thread_at_work_is_forgotten_later(office: Office) -> None:
    """Somebody else's ask that is worked on there still reads its memory; it is counted, and goes the next time."""
    first = await office.ended(user="U1", thread="7.0")
    lease = await office.taken(user="U2", thread="7.0")
    retention = office.retention()
    tx = Transaction(lease)
    office.remember(tx, replace(lease.ask, id="before"), [f'from="{LABEL}"'])
    await office.store.commit(tx)

    assert (await retention.forget("U1")).lanes == 1
    assert await office.store.read("conversation.open", lane=first.lane)
    await office.done(lease)
    done = await retention.forget("U1", names=(NAME,))
    assert (done.lanes, done.turns) == (0, 1)


async def test_others_answers_in_the_same_threads_go(office: Office) -> None:
    """They may quote the person; what failed, and may be tried again, stays, and so do other threads."""
    await office.ended(user="U1", thread="7.0")
    same = await office.ended(user="U2", thread="7.0")
    other = await office.ended(user="U2", thread="8.0")
    dead = await office.taken(user="U2", thread="7.0")
    await office.worked(dead)
    tx = Transaction(dead)
    office.inbox.dead(tx, dead, reason="it broke")
    await office.store.commit(tx)
    done = await office.retention().forget("U1")
    words = [(await office.journal.read(one.id)).parts[0].text for one in (same, other, dead.ask)]

    assert (done.asks, done.others) == (1, 1)
    assert words == ["", WORD, WORD]
    assert await office.inbox.retry_dead(dead.ask.id)
