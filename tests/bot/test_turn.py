"""A turn against a Claude on loopback: every way to stop has an end, and every cent is in the books."""

import asyncio
import base64
import gc
import json
import random
import time
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import UTC
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from anthropic import AsyncAnthropic, DefaultAioHttpClient

from bot.alerts import AdminAlerts
from bot.answer import (
    Answer,
    Event,
    Failed,
    Refused,
    Stopped,
    TextDelta,
    Thinking,
    ToolEnded,
    ToolStarted,
    Waiting,
    Whole,
    Withdrawn,
)
from bot.ask import Ask, Attached, Lease
from bot.budget import Budget
from bot.conversation import Conversations
from bot.demo.claude import UNLIMITED, ClaudeStandIn, Trouble
from bot.demo.claude.errors import Problem
from bot.demo.claude.reply import Draft, Use
from bot.errors import LeaseLost, StoreDown
from bot.estimates import Estimates
from bot.governor import BUSY_RETRIES, Governor
from bot.inbox import Arrival, Inbox
from bot.journal import Journal
from bot.ledger import Entry, Ledger
from bot.metrics import Metrics
from bot.prompts import Prompts
from bot.rules import Rules, Workspace
from bot.store import Row, Store, Transaction
from bot.store.soon import Soon
from bot.store.sqlite import SqliteStore
from bot.tool_runner import Tool, ToolContext, ToolRunner
from bot.turn import Brief, Turn
from bot.turn.loop import Loop
from bot.turn.request import _HEADS, HEADS_AT_MOST, order
from bot.usage import Usage
from integrations.claude import Claude

SONNET, HAIKU, OPUS = "claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-5"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
NEVER = 60.0  # seconds; longer than any test
NOVEMBER = 1_795_341_840.0  # 2026-11-22 10:04 UTC


class Script:
    """A mind that says what it was told to, one draft for each answer, the last one again and again."""

    def __init__(self, *drafts: Draft) -> None:
        self.drafts = list(drafts)
        self.heard: list[Mapping[str, Any]] = []

    def answer(self, body: Mapping[str, Any]) -> Draft:
        """The next draft."""
        self.heard.append(body)
        return self.drafts.pop(0) if len(self.drafts) > 1 else self.drafts[0]


def counting_tool(name: str, counts: Counter[str]) -> Tool:
    """A tool that counts its calls."""

    async def call(arguments: Mapping[str, Any], _: ToolContext) -> str:
        counts[name] += 1
        return f"{name} read {arguments['url']}"

    schema = {
        "type": "object",
        "properties": {"url": {"type": "string"}},
        "required": ["url"],
        "additionalProperties": False,
    }
    return Tool(name, "Reads.", schema, lambda arguments: f"reading {arguments['url']}", call)


class Reader:
    """A mind that fetches a page unless it has read it."""

    def __init__(self) -> None:
        self.heard: list[Mapping[str, Any]] = []

    def answer(self, body: Mapping[str, Any]) -> Draft:
        """A tool call first, and then the answer."""
        self.heard.append(body)
        return (
            Draft("It says hello.") if "web_fetch read" in json.dumps(body["messages"]) else FETCH
        )


class Brittle:
    """A store whose process dies at its nth commit, just before it or just behind it."""

    def __init__(self, store: SqliteStore, at: int, *, behind: bool) -> None:
        self._store, self._left, self._behind = store, at, behind
        self.read, self.soon = store.read, store.soon
        self.ready, self.close = store.ready, store.close

    async def commit(self, tx: Transaction) -> list[list[Row]]:
        """Commit, or die."""
        self._left -= 1
        if self._left < 0 or (self._left == 0 and not self._behind):
            raise StoreDown
        rows = await self._store.commit(tx)
        if self._left == 0:
            raise StoreDown
        return rows


class Mortal:
    """A store with which goes, when its process is killed, what no commit has taken along."""

    def __init__(self, soon: Soon, store: Store) -> None:
        self.commit, self.soon = soon.commit, soon.add
        self.read, self.ready, self.close = store.read, store.ready, store.close


@dataclass
class World:
    """A turn with everything it works with."""

    claude: ClaudeStandIn
    store: SqliteStore
    inbox: Inbox
    turn: Turn
    tools: Counter[str]
    slept: list[float]
    lease: Lease | None = None

    def script(self, *drafts: Draft) -> Script:
        """Put another mind behind the wire."""
        script = Script(*drafts)
        self.claude.brain = script  # pyright: ignore[reportAttributeAccessIssue]
        return script

    @property
    def sent(self) -> list[Mapping[str, Any]]:
        """The bodies of all requests."""
        return [one.body for one in self.claude.log]

    async def rows(self) -> list[Entry]:
        """The books."""
        rows = await self.turn.ledger.rows(since=0, until=2**40)
        return sorted(rows, key=lambda row: row.at)

    async def reserved(self) -> Decimal:
        """What is reserved."""
        return (await self.turn.budget.state("C1", Decimal(50))).reserved

    async def remembered(self) -> str:
        """The thread's memory, what was written in passing included."""
        await self.settled()
        lane = "T1:C1:1700000000.000000"
        return json.dumps([dict(r) for r in await self.store.read("conversation.open", lane=lane)])

    async def settled(self) -> None:
        """What was written in passing is there, as after the commit by which a worker ends an ask."""
        with suppress(LeaseLost):
            await self.store.commit(Transaction(self.lease))

    async def take(self, question: str = "What?") -> Lease:
        """A new ask in the thread; the one before is done."""
        if self.lease is not None:
            tx = Transaction(self.lease)
            self.inbox.done(tx, self.lease, outcome="answered")
            await self.store.commit(tx)
        n = int(self.lease.ask.id[1:]) + 1 if self.lease else 1
        ask = ask_of(n, question)
        await self.inbox.put(Arrival((ask.key,), ask))
        return await self._taken()

    async def take_elsewhere(self, n: int) -> Lease:
        """A new ask of another person in another channel."""
        ask = replace(ask_of(n, "What?"), user=f"U{n}", channel=f"D{n}")
        await self.inbox.put(Arrival((ask.key,), ask))
        return await self._taken()

    async def take_again(self) -> Lease:
        """The same ask, after its worker was lost."""
        assert self.lease is not None
        await self.inbox.give_back(self.lease)
        return await self._taken()

    async def _taken(self) -> Lease:
        self.lease = await self.inbox.take(person_in_flight=5, channel_in_flight=5)
        assert self.lease is not None
        return self.lease

    async def stream(
        self,
        lease: Lease,
        brief: Brief,
        stop: asyncio.Event | None = None,
        turn: Turn | None = None,
    ) -> AsyncGenerator[Event]:
        """The events of an ask."""
        conversation = await self.turn.conversations.open(
            lease, said=(), attached=(), question=lease.ask.text, asker="Ana"
        )
        async with aclosing(
            (turn or self.turn).run(lease, conversation, brief, stop=stop)
        ) as stream:
            async for event in stream:
                yield event

    async def events(
        self,
        question: str = "What?",
        *,
        again: bool = False,
        brief: Brief | None = None,
        **rules: Any,
    ) -> list[Event]:
        """All events of an ask."""
        lease = await (self.take_again() if again else self.take(question))
        brief = brief or brief_of(**rules)
        events = [event async for event in self.stream(lease, brief)]
        await self.settled()
        return events


def ask_of(n: int, question: str) -> Ask:
    """An ask in the thread."""
    return Ask(
        id=f"A{n}",
        key=f"A{n}",
        team="T1",
        channel="C1",
        user="U1",
        feature="chat",
        origin="mention",
        text=question,
        at=NOVEMBER,
        thread="1700000000.000000",
        ts=f"1700000{n}00.000000",
    )


def brief_of(*, model: str = SONNET, tools: bool = True, **rules: Any) -> Brief:
    """What is to be done."""
    return Brief("chat", model, "medium", Rules(**rules), Workspace(), tools=tools)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    """A turn on a Claude without limits, and two tools that count their calls."""
    stand_in = ClaudeStandIn(tier=UNLIMITED)
    await stand_in.start()
    http = DefaultAioHttpClient()
    client = AsyncAnthropic(
        api_key=stand_in.api_key, base_url=stand_in.url, max_retries=0, http_client=http
    )
    store = await SqliteStore.open(tmp_path / "purser.db", serve=True)
    counts: Counter[str] = Counter()
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    inbox = Inbox(store, now=time.time, worker="w1")
    alerts = AdminAlerts(
        inbox, admins=lambda: ["U0RUTH"], team="T1", new_id=lambda: uuid.uuid4().hex, now=time.time
    )
    rng = random.Random(5)
    turn = Turn(
        claude=Claude(client),
        runner=ToolRunner(
            [counting_tool("web_fetch", counts), counting_tool("jira_get_issue", counts)],
            clock=time.monotonic,
        ),
        journal=Journal(store, now=time.time),
        ledger=Ledger(store, zone=UTC, now=time.time),
        estimates=Estimates(store, now=time.time),
        budget=Budget(store, now=time.time, zone=UTC),
        governor=Governor(clock=time.monotonic, rng=rng),
        conversations=Conversations(store),
        store=store,
        prompts=Prompts.load(),
        metrics=Metrics(),
        alerts=alerts,
        user_salt=b"salt",
        now=time.time,
        clock=time.monotonic,
        rng=rng,
        sleep=sleep,
    )
    world = World(stand_in, store, inbox, turn, counts, slept)
    try:
        yield world
        await agree(world)
        reserved_enough(world)
    finally:
        await client.close()
        await store.close()
        await stand_in.stop()


async def agree(world: World) -> None:
    """Each settled row of our books is what the account was billed for; nothing stays reserved."""
    assert await world.reserved() == 0
    assert await world.turn.ledger.differences() == {}
    served = {one.message_id: one for one in world.claude.served}
    for row in await world.rows():
        if row.status == "settled":
            theirs = served[str(row.message_id)]
            assert (row.billed, row.stop_reason, row.refusal_category, row.model) == (
                theirs.billed,
                theirs.stop_reason,
                theirs.refusal_category,
                theirs.model,
            )
            assert row.input_tokens == theirs.usage["input_tokens"]
            assert row.cache_read_tokens == theirs.usage["cache_read_input_tokens"]
            assert row.output_tokens == theirs.usage["output_tokens"]
            written = theirs.usage["cache_creation_input_tokens"]
            assert row.cache_write_5m_tokens + row.cache_write_1h_tokens == written


def reserved_enough(world: World) -> None:
    """What was reserved for a request covers what it used."""
    for one in world.claude.log:
        if one.usage and one.body:
            shaped = {name: value for name, value in one.body.items() if name != "messages"}
            made = order("answer", shaped, one.body["messages"])
            used = Usage.from_wire(one.usage)
            assert made.input_tokens >= used.prompt_tokens
            assert made.fresh_tokens <= made.input_tokens
            assert one.body["max_tokens"] >= used.output_tokens


FETCH = Draft("", "I look it up.\n", (Use("web_fetch", {"url": "http://x/"}),))


def text_of(events: Sequence[Event]) -> str:
    """What a reader sees at the end: text said and not taken back."""
    text = ""
    for event in events:
        if isinstance(event, TextDelta):
            text += event.text
        if isinstance(event, Withdrawn):
            text = ""
    return text


def total(rows: Sequence[Entry]) -> Decimal:
    """What these rows cost, all of them priced."""
    return sum((row.cost for row in rows if row.cost is not None), Decimal(0))


async def test_a_question_is_answered(world: World) -> None:
    """Text streams out, the answer is whole, its receipt and the books agree with what was served."""
    world.script(Draft("Yes, " * 40 + "it is.", "Is it?\n"))
    events = await world.events("Is 7 prime?")
    answer = events[-1]

    assert isinstance(answer, Answer)
    assert answer.text == text_of(events)
    assert answer.text.endswith("it is.")
    assert sum(isinstance(event, TextDelta) for event in events) > 3
    assert Thinking("Is it?") in events
    (row,) = await world.rows()
    (served,) = world.claude.served
    assert (row.message_id, row.status, row.billed) == (served.message_id, "settled", True)
    assert row.output_tokens == served.usage["output_tokens"]
    assert answer.receipt.cost == row.cost
    assert answer.receipt.rounds == 1
    assert "it is." in await world.remembered()


async def test_that_all_has_come_is_told_once(world: World) -> None:
    """At the end of what Claude says, and not where a tool is to be run in between."""
    world.script(Draft("I look.", uses=FETCH.uses), Draft("It says hello."))
    events = await world.events("What is there?")

    *_, last, whole, ended = events
    assert isinstance(last, TextDelta)
    assert whole == Whole()
    assert isinstance(ended, Answer)
    assert events.count(Whole()) == 1


async def test_what_an_ask_has_read_goes_with_it(world: World) -> None:
    """An ask that has ended leaves nothing for the collector to find."""
    gc.collect()
    gc.disable()
    try:
        await world.events()
        assert [one for one in gc.get_objects() if isinstance(one, Loop)] == []
    finally:
        gc.enable()


def test_how_many_beginnings_are_known_is_bounded() -> None:
    """A channel's own instructions that change again and again do not pile up."""
    message = {"role": "user", "content": [{"type": "text", "text": "What?"}]}
    keys: set[str] = set()
    for n in range(HEADS_AT_MOST + 5):
        system = [{"type": "text", "text": f"Be {n} times brief."}]
        keys.add(order("answer", {"model": SONNET, "system": system}, [message]).key)

    assert len(keys) == HEADS_AT_MOST + 5
    assert len(_HEADS) <= HEADS_AT_MOST


async def test_requests_are_of_one_form(world: World) -> None:
    """System, tools, thinking and effort are the same for every ask, and no person is named."""
    world.script(Draft("Yes."))
    await world.events("Is 7 prime?")
    await world.events("Is 8 prime?", tools=False)
    one, two = world.sent

    for name in ("system", "tools", "thinking", "output_config", "metadata", "model"):
        assert json.dumps(one[name]) == json.dumps(two[name])
    assert one["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert one["max_tokens"] >= 8_192
    assert "U1" not in json.dumps(one["metadata"])
    assert "tool_choice" not in one
    assert two["tool_choice"] == {"type": "none"}
    assert one["diagnostics"] == {"previous_message_id": None}
    assert two["diagnostics"]["previous_message_id"] == world.claude.served[0].message_id


async def test_a_tool_loop(world: World) -> None:
    """Tools are run and their results read; the second request reads the first from cache, and is kept there too."""
    script = world.script(FETCH, Draft("It says hello."))
    events = await world.events("What is there?")

    assert isinstance(events[-1], Answer)
    assert [type(e) for e in events if isinstance(e, ToolStarted | ToolEnded)] == [
        ToolStarted,
        ToolEnded,
    ]
    assert world.tools == {"web_fetch": 1}
    assert events[-1].receipt.tools == 1
    result = script.heard[1]["messages"][-1]["content"][0]
    assert result["type"] == "tool_result"
    assert "web_fetch read" in json.dumps(result)
    assert "cache_control" in json.dumps(world.sent[0]["messages"][-1])
    assert "cache_control" in json.dumps(world.sent[1]["messages"][0])
    assert "cache_control" in json.dumps(world.sent[1]["messages"][-1])
    first = world.claude.served[0].message_id
    assert world.sent[1]["diagnostics"] == {"previous_message_id": first}
    assert (await world.rows())[1].cache_read_tokens > 1_000
    assert [row.purpose for row in await world.rows()] == ["answer", "answer"]


async def test_why_a_cache_was_missed_is_kept(world: World) -> None:
    """What Claude says of it stands in the journal, with the answer that paid for it; where all was read, nothing."""
    world.script(Draft("Yes."))
    await world.events("Is 7 prime?")
    await world.events("Is 8 prime?")
    await world.events("Is 9 prime?", model=HAIKU)
    kept = [
        response["cache_miss"]
        for number in (1, 2, 3)
        for response in (await world.turn.journal.read(f"A{number}")).responses.values()
    ]

    assert kept == [None, None, "model_changed"]


async def test_a_thread_goes_on(world: World) -> None:
    """The next ask of a thread is sent with what was said, long after it without thoughts."""
    world.script(FETCH, Draft("It says hello."), Draft("As I said."))
    await world.events("What is there?")
    world.turn = replace(world.turn, now=lambda: time.time() + 4_000)
    await world.events("And?")
    third = world.sent[2]["messages"]

    assert [message["role"] for message in third] == [
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
    ]
    assert "thinking" not in {block["type"] for block in third[1]["content"]}
    assert "It says hello." in json.dumps(third[3])


async def test_a_picture_is_counted_before_it_costs(world: World) -> None:
    """What our estimate knows nothing of is counted by Claude first, free of charge."""
    world.script(Draft("A dot."))
    lease = await world.take("What is it?")
    picture = Attached("dot.png", "image/png", data=PNG)
    conversation = await world.turn.conversations.open(
        lease, said=(), attached=[picture], question="What is it?"
    )
    events = [event async for event in world.turn.run(lease, conversation, brief_of())]

    assert isinstance(events[-1], Answer)
    assert [one.path for one in world.claude.log] == [
        "/v1/messages/count_tokens",
        "/v1/messages",
    ]


async def test_rounds_are_bounded(world: World) -> None:
    """In the last round tools are called off, and the answer is made of what there is."""
    drafts = [Draft("", "", (Use("web_fetch", {"url": f"http://x/{n}"}),)) for n in range(3)]
    script = world.script(*drafts, Draft("That much."))
    events = await world.events("Read all", rounds=3)

    assert isinstance(events[-1], Answer)
    assert world.tools == {"web_fetch": 3}
    assert world.sent[-1]["tool_choice"] == {"type": "none"}
    assert "No more tools" in json.dumps(script.heard[-1]["messages"][-1])


async def test_an_answer_cut_at_its_length_goes_on(world: World) -> None:
    """An answer that meets max_tokens is continued; one that never ends says that it was cut."""
    world.script(Draft("First half."), Draft("Second half."))
    world.claude.troubles.add(Trouble(stop_reason="max_tokens"))
    events = await world.events("Tell me all")

    assert isinstance(events[-1], Answer)
    assert "First half." in events[-1].text
    assert "Second half." in events[-1].text
    assert events[-1].notes == ()
    world.claude.troubles.add(Trouble(stop_reason="max_tokens"), times=5)
    events = await world.events("Tell me all")
    assert isinstance(events[-1], Answer)
    assert any("cut" in note for note in events[-1].notes)


async def test_tools_of_a_cut_answer_are_not_run(world: World) -> None:
    """A tool call that max_tokens or a refusal broke off is never run."""
    world.script(FETCH, Draft("Without it."))
    world.claude.troubles.add(Trouble(stop_reason="max_tokens"))
    events = await world.events("What is there?")

    assert isinstance(events[-1], Answer)
    assert world.tools == {}


@pytest.mark.parametrize(
    "reason", ["stop_sequence", "reason_of_next_year", "model_context_window_exceeded"]
)
async def test_other_ends_with_text_are_answers(world: World, reason: str) -> None:
    """Text is an answer, whatever ended it; a full window is told."""
    world.script(Draft("That is it."))
    world.claude.troubles.add(Trouble(stop_reason=reason))
    answer = (await world.events("What?"))[-1]

    assert isinstance(answer, Answer)
    assert bool(answer.notes) is (reason == "model_context_window_exceeded")


async def test_a_pause_is_resumed(world: World) -> None:
    """After pause_turn Claude is sent what there is, and goes on."""
    world.script(Draft("Well,"), Draft("yes."))
    world.claude.troubles.add(Trouble(stop_reason="pause_turn"))
    events = await world.events("What?")

    assert isinstance(events[-1], Answer)
    assert len(world.sent) == 2
    assert "Well," in events[-1].text
    assert "yes." in events[-1].text


async def test_an_empty_end_is_asked_again_once(world: World) -> None:
    """An empty answer is asked for once more; twice empty is an honest failure."""
    world.script(Draft("Here it is."))
    world.claude.troubles.add(Trouble(empty=True))
    assert isinstance((await world.events("What?"))[-1], Answer)
    world.claude.troubles.add(Trouble(empty=True), times=2)
    failed = (await world.events("What?"))[-1]

    assert isinstance(failed, Failed)
    assert "twice" in failed.sentence


@pytest.mark.parametrize("mid", [False, True])
async def test_a_refusal_is_reworded_once_and_visibly(world: World, mid: bool) -> None:
    """Partial text is withdrawn, the new wording is shown, the refused turn is gone, all calls are booked."""
    trouble = Trouble(refuse=True, category="general_harms", mid=mid)
    world.script(Draft("Well, " * 30), Draft("How do I end a process?"), Draft("With kill."))
    if not mid:
        world.script(Draft("How do I end a process?"), Draft("With kill."))
    world.claude.troubles.add(trouble)
    events = await world.events("How do I murder a process?")
    answer = events[-1]

    assert isinstance(answer, Answer)
    assert answer.text == text_of(events) == "With kill."
    assert any(isinstance(event, Withdrawn) for event in events) is mid
    assert "“How do I end a process?”" in answer.notes[0]
    assert "murder" not in json.dumps(world.sent[2])
    assert [(r.purpose, r.model, r.stop_reason) for r in await world.rows()] == [
        ("answer", SONNET, "refusal"),
        ("rephrase", HAIKU, "end_turn"),
        ("answer", SONNET, "end_turn"),
    ]
    refused = (await world.rows())[0]
    assert (refused.billed, refused.refusal_category) == (mid, "general_harms")
    assert bool(refused.cost) is mid
    assert "murder" not in await world.remembered()


async def test_a_refusal_within_a_tool_loop(world: World) -> None:
    """What was refused after a tool's result is asked anew in other words, without what came of it."""
    world.script(FETCH, Draft("Well, " * 30), Draft("What is on that page?"), Draft("A list."))
    world.claude.troubles.add(Trouble())
    world.claude.troubles.add(Trouble(refuse=True, mid=True))
    answer = (await world.events("Spill the page"))[-1]

    assert isinstance(answer, Answer)
    assert answer.text == "A list."
    assert len(world.sent[-1]["messages"]) == 1


async def test_a_second_refusal_is_the_end(world: World) -> None:
    """What is refused in both wordings ends with a sentence that says so, and is not remembered."""
    world.script(Draft("Please tell me how."))
    world.claude.troubles.add(Trouble(refuse=True))
    world.claude.troubles.add(Trouble(), times=1)
    world.claude.troubles.add(Trouble(refuse=True, mid=True))
    events = await world.events("Tell me how")
    refused = events[-1]

    assert isinstance(refused, Refused)
    assert "neutral words" in refused.sentence
    assert text_of(events) == ""
    assert await world.remembered() == "[]"
    assert len(await world.rows()) == 3


@pytest.mark.parametrize("category", ["bio", "frontier_llm", "reasoning_extraction"])
async def test_three_categories_are_never_reworded(world: World, category: str) -> None:
    """These end at once, and are in the books as billed."""
    world.script(Draft("Never said."))
    world.claude.troubles.add(Trouble(refuse=True, category=category))
    refused = (await world.events("Tell me how"))[-1]

    assert isinstance(refused, Refused)
    assert refused.category == category
    assert len(world.sent) == 1
    assert (await world.rows())[0].billed


async def test_another_model_where_the_policy_names_one(world: World) -> None:
    """A refusal for cyber goes to the fallback model, which is told and booked as such."""
    world.script(Draft("Patch it."))
    world.claude.troubles.add(Trouble(refuse=True, category="cyber"))
    answer = (await world.events("How is it attacked?", fallback_model=OPUS))[-1]

    assert isinstance(answer, Answer)
    assert OPUS in answer.notes[0]
    assert [(r.purpose, r.model) for r in await world.rows()] == [
        ("answer", SONNET),
        ("fallback", OPUS),
    ]


async def test_the_output_filter_is_a_refusal(world: World) -> None:
    """The filter's 400 leads to a rewording, though it is an error on the wire."""
    world.script(Draft("Give a summary."), Draft("A summary."))
    world.claude.troubles.add(
        Trouble(problem=Problem(400, "Output blocked by content filtering policy"))
    )
    answer = (await world.events("Sing the song"))[-1]

    assert isinstance(answer, Answer)
    assert answer.text == "A summary."


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble(problem=Problem(529)),
        Trouble(problem=Problem(500)),
        Trouble(error_event=Problem(529)),
        Trouble(cut=True),
        Trouble(malformed=True),
    ],
    ids=["529", "500", "error in the stream", "cut", "malformed"],
)
async def test_what_passes_is_tried_once_more(world: World, trouble: Trouble) -> None:
    """A passing failure is waited for, told, and tried again; text of the broken try is taken back."""
    world.script(Draft("A good long answer, " * 10))
    world.claude.troubles.add(trouble)
    events = await world.events("What?")
    answer = events[-1]

    assert isinstance(answer, Answer)
    assert answer.text == text_of(events)
    assert answer.text.count("A good long answer, ") == 10
    assert len(world.sent) == 2
    assert any(isinstance(event, Waiting) for event in events)
    assert len(world.slept) >= 1
    broken = [row for row in await world.rows() if row.status == "unconfirmed"]
    assert bool(broken) is (trouble.problem is None)
    assert answer.receipt.unconfirmed == total(broken)


async def test_a_limit_is_waited_for(world: World) -> None:
    """After a 429 the call waits its time before the gate, and then is answered."""
    world.script(Draft("Here you are."))
    world.claude.troubles.add(Trouble(problem=Problem(429, headers={"retry-after": "0.3"})))
    answer = (await world.events("What?"))[-1]

    assert isinstance(answer, Answer)
    first, second = world.claude.log
    assert first.ended is not None
    assert second.at - first.ended >= 0.3


async def test_another_model_is_asked_where_one_is_overloaded(world: World) -> None:
    """With another model in the policy it answers when the first one cannot be asked, and the answer says so."""
    world.script(Draft("Here you are."))
    world.claude.troubles.add(Trouble(problem=Problem(529)), times=BUSY_RETRIES + 1)
    answer = (await world.events("What?", fallback_model=OPUS))[-1]

    assert isinstance(answer, Answer)
    assert answer.receipt.model == OPUS
    assert any(OPUS in note for note in answer.notes)
    assert [row.purpose for row in await world.rows()] == ["fallback"]


async def test_what_does_not_pass_fails_in_a_sentence(world: World) -> None:
    """Failure after failure, or one that stays, ends the ask with what to do."""
    world.claude.troubles.add(Trouble(problem=Problem(529)), times=BUSY_RETRIES + 1)
    failed = (await world.events("What?"))[-1]
    assert isinstance(failed, Failed)
    assert "overloaded" in failed.sentence
    world.claude.troubles.add(Trouble(problem=Problem(401)))
    failed = (await world.events("What?"))[-1]

    assert isinstance(failed, Failed)
    assert "admin" in failed.sentence
    assert await world.rows() == []


async def test_silence_ends_a_call(world: World) -> None:
    """A Claude that falls silent is hung up on and asked again."""
    world.script(Draft("A good long answer, " * 10))
    world.claude.troubles.add(Trouble(hang=30))
    answer = (await world.events("What?", silence_seconds=1))[-1]

    assert isinstance(answer, Answer)
    assert len(world.sent) == 2


async def test_a_stop_ends_and_books(world: World) -> None:
    """Stopped in mid-answer: Claude is hung up on, what was said is given, what it cost is booked."""
    world.script(Draft("A good long answer, " * 50))
    world.claude.troubles.add(Trouble(hang=30))
    stop = asyncio.Event()
    events: list[Event] = []
    async with asyncio.timeout(5):
        async for event in world.stream(await world.take(), brief_of(), stop):
            events.append(event)
            if isinstance(event, TextDelta):
                stop.set()
    stopped = events[-1]

    assert isinstance(stopped, Stopped)
    assert stopped.text
    assert stopped.text == text_of(events)
    (row,) = await world.rows()
    assert row.status == "unconfirmed"
    assert row.message_id == world.claude.served[0].message_id
    assert total([row]) > 0
    await world.claude.wait_for(lambda: world.claude.log[-1].state == "client_gone")


async def test_a_reader_who_goes_away(world: World) -> None:
    """Closing the stream of events hangs up and books, and leaves no task behind."""
    world.script(Draft("A good long answer, " * 50))
    world.claude.troubles.add(Trouble(hang=30))
    async with aclosing(world.stream(await world.take(), brief_of())) as stream:
        async for event in stream:
            if isinstance(event, TextDelta):
                break

    assert [row.status for row in await world.rows()] == ["unconfirmed"]
    assert len(asyncio.all_tasks()) <= 3


async def test_time_is_bounded(world: World) -> None:
    """An ask that takes too long is ended, and says so."""
    world.script(Draft("Too late."))
    world.claude.troubles.add(Trouble(hang_first=30))
    rules = Rules().model_copy(update={"ask_seconds": 0.2})
    brief = Brief("chat", SONNET, "medium", rules, Workspace())
    events = await world.events(brief=brief)

    assert isinstance(events[-1], Stopped)
    assert "longer than" in events[-1].sentence


async def test_dollars_are_bounded(world: World) -> None:
    """A budget that does not cover the next call, or the ask's own limit, ends it before it costs."""
    failed = (await world.events("What?", monthly_budget_usd=Decimal("0.0001")))[-1]
    stopped = (await world.events("What?", ask_limit_usd=Decimal("0.0001")))[-1]

    assert isinstance(failed, Failed)
    assert "this channel's budget" in failed.sentence
    assert isinstance(stopped, Stopped)
    assert world.sent == []


async def test_a_resumed_ask_pays_nothing_twice(world: World) -> None:
    """After a kill behind the tools, the next attempt reads its journal and asks only for what is missing."""
    script = world.script(FETCH, Draft("It says hello."))
    world.claude.troubles.add(Trouble(), times=1)
    world.claude.troubles.add(Trouble(problem=Problem(401)))
    assert isinstance((await world.events("What is there?"))[-1], Failed)
    events = await world.events("What is there?", again=True)
    answer = events[-1]

    assert isinstance(answer, Answer)
    assert answer.text == "It says hello."
    assert world.tools == {"web_fetch": 1}
    assert len(script.heard) == 2
    assert len(await world.rows()) == 2
    assert answer.receipt.cost == total(await world.rows())
    again = await world.events("What is there?", again=True)
    assert isinstance(again[-1], Answer)
    assert replace(answer, receipt=again[-1].receipt) == again[-1]
    assert len(script.heard) == 2


@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("at", range(1, 6))
async def test_killed_at_each_step(world: World, at: int, behind: bool) -> None:
    """Wherever the worker dies, the next one answers, at most one call is paid twice, and all is in the books."""
    reader = world.claude.brain = Reader()  # pyright: ignore[reportAttributeAccessIssue]
    store = Brittle(world.store, at, behind=behind)
    brittle = replace(world.turn, store=store, journal=Journal(store, now=time.time))
    first = world.stream(await world.take("What is there?"), brief_of(), turn=brittle)
    with pytest.raises(StoreDown):
        [event async for event in first]
    answer = (await world.events(again=True))[-1]

    assert isinstance(answer, Answer)
    assert answer.text == "It says hello."
    assert len(reader.heard) <= 3
    assert world.tools["web_fetch"] <= 2
    rows = await world.rows()
    assert len(rows) >= len(world.claude.served)
    assert {one.message_id for one in world.claude.served if one.complete} >= {
        row.message_id for row in rows if row.message_id
    }
    assert answer.receipt.cost == total(rows)


async def test_a_memory_that_went_with_its_process_is_kept_by_the_next(world: World) -> None:
    """Killed when all was answered, and the thread's memory of it not yet written: it is kept anew, once, at no cost."""
    world.script(FETCH, Draft("It says hello."))
    lease, soon = await world.take("What is there?"), Soon(world.store.commit, seconds=NEVER)
    seen = Mortal(soon, world.store)
    mortal = replace(world.turn, store=seen, journal=Journal(seen, now=time.time))
    events = [event async for event in world.stream(lease, brief_of(), turn=mortal)]
    assert isinstance(events[-1], Answer)
    assert await world.remembered() == "[]"

    again = (await world.events(again=True))[-1]
    assert isinstance(again, Answer)
    assert again.text == events[-1].text
    (kept,) = json.loads(await world.remembered())
    assert (kept["ask_id"], kept["n"]) == (lease.ask.id, 1)
    assert "It says hello." in kept["messages"]
    assert len(world.sent) == len(await world.rows()) == 2
    assert all(row.message_id for row in (await world.turn.journal.read(lease.ask.id)).attempts)


async def test_an_ask_resumed_with_another_prompt_starts_again(world: World) -> None:
    """If the model changed since, the words and the results already read are sent, without thinking."""
    world.script(FETCH, Draft("It says hello."))
    world.claude.troubles.add(Trouble(), times=1)
    world.claude.troubles.add(Trouble(problem=Problem(401)))
    await world.events("What is there?")
    answer = (await world.events("What is there?", again=True, model=OPUS))[-1]

    assert isinstance(answer, Answer)
    assert world.tools == {"web_fetch": 1}
    body = world.sent[-1]
    assert len(body["messages"]) == 1
    assert "<purser:read tool=" in json.dumps(body["messages"])


async def test_a_lost_request_is_booked_as_unconfirmed(world: World) -> None:
    """A request that a killed worker left open is in the books, by the estimate made before it left."""
    world.script(Draft("Yes."))
    lease = await world.take("Is 7 prime?")
    tx = Transaction(lease)
    limits = {"channel_limit": Decimal(50), "workspace_limit": Decimal(500)}
    world.turn.budget.reserve(tx, lease, n=1, picos=9, **limits)
    world.turn.journal.sending(
        tx,
        lease,
        n=1,
        model=SONNET,
        purpose="answer",
        prefix_hash="never seen again",
        estimate=Usage(input_tokens=1_000, output_tokens=100),
        estimate_cost=9,
    )
    await world.store.commit(tx)
    answer = (await world.events(again=True))[-1]
    lost, settled = await world.rows()

    assert isinstance(answer, Answer)
    assert (lost.status, lost.input_tokens, lost.message_id) == ("unconfirmed", 1_000, None)
    assert settled.status == "settled"
    assert answer.receipt.unconfirmed == lost.cost == Decimal("0.003")


async def test_a_worker_that_lost_its_ask_falls_silent(world: World) -> None:
    """Once another worker holds the ask, nothing more is sent or booked by the former."""
    world.script(Draft("Yes."))
    former = await world.take()
    await world.take_again()
    with pytest.raises(LeaseLost):
        [event async for event in world.stream(former, brief_of())]

    assert world.sent == []


async def test_many_asks_at_once_are_all_in_the_books(world: World) -> None:
    """Asks that run side by side agree with the account to the token."""
    world.script(Draft("Yes, it is."))
    leases = [await world.take_elsewhere(n) for n in range(20)]

    async def ended(lease: Lease) -> Event:
        return [event async for event in world.stream(lease, brief_of())][-1]

    ends = await asyncio.gather(*map(ended, leases))

    assert all(isinstance(end, Answer) for end in ends)
    assert len(await world.rows()) == len(world.claude.served) == 20


async def test_an_unknown_price_is_not_zero(world: World) -> None:
    """Where the price of a model is not known, the receipt and the books say so."""
    world.script(Draft("Yes."))
    world.claude.troubles.add(Trouble(served_by="claude-unknown-9"))
    answer = (await world.events("Is 7 prime?"))[-1]

    assert isinstance(answer, Answer)
    assert answer.receipt.cost is None
    assert (await world.rows())[0].cost is None
    assert (await world.rows())[0].output_tokens > 0


async def test_admins_hear_once_a_day_that_another_model_serves(world: World) -> None:
    """Two answers by another model than the one that is set are one message to an admin, with both names."""
    world.script(Draft("Yes."), Draft("No."))
    world.claude.troubles.add(Trouble(served_by="claude-unknown-9"), times=2)
    await world.events("Is 7 prime?")
    await world.events("Is 8 prime?")

    told = await world.inbox.take(person_in_flight=9, channel_in_flight=9)
    assert told is not None
    assert (told.ask.user, told.ask.origin) == ("U0RUTH", "own")
    assert "claude-unknown-9" in told.ask.text
    assert SONNET in told.ask.text
    assert await world.inbox.take(person_in_flight=9, channel_in_flight=9) is None


async def test_warming_is_shared_and_read_by_the_first_ask(world: World) -> None:
    """A pre-warm generates nothing, is booked for nobody, and the first ask reads what it wrote."""
    world.script(Draft("Yes."))
    assert await world.turn.warm(model=SONNET, effort="medium")
    answer = (await world.events("Is 7 prime?"))[-1]
    warmed, asked = await world.rows()

    assert isinstance(answer, Answer)
    assert (warmed.purpose, warmed.channel, warmed.ask_id) == ("warm", None, None)
    assert warmed.output_tokens == 0
    assert warmed.cache_write_1h_tokens > 1_024
    assert asked.cache_read_tokens == warmed.cache_write_1h_tokens
    world.claude.troubles.add(Trouble(problem=Problem(529)))
    assert not await world.turn.warm(model=SONNET, effort="medium")


async def test_a_warming_that_nobody_saw_end_is_booked(world: World) -> None:
    """What a process that is gone had sent to warm the cache is booked as unconfirmed by the next one, once."""
    world.claude.ttft = 60.0
    task = asyncio.create_task(world.turn.warm(model=SONNET, effort="medium"))
    await world.claude.wait_for(lambda: [one for one in world.claude.log if one.body])
    task.cancel()
    await asyncio.wait({task})
    sent = world.turn.now()
    await world.turn.settle_shared(before=sent - 900)  # it may be a living process's, still
    before = await world.rows()
    for _ in range(2):
        await world.turn.settle_shared()
    (lost,) = await world.rows()

    assert before == []
    assert (lost.purpose, lost.status, lost.channel, lost.ask_id) == (
        *("warm", "unconfirmed", None, None),
    )
    assert lost.cost is not None
    assert lost.cache_write_1h_tokens > 1_024


async def test_a_warming_that_was_taken_for_lost_is_booked_once(world: World) -> None:
    """Where another process booked a call as lost, its late end books nothing more."""
    world.claude.ttft = 0.1
    task = asyncio.create_task(world.turn.warm(model=SONNET, effort="medium"))
    await world.claude.wait_for(lambda: [one for one in world.claude.log if one.body])
    await world.turn.settle_shared()
    assert await task

    assert [(row.purpose, row.status) for row in await world.rows()] == [("warm", "unconfirmed")]


async def test_warmings_of_one_moment_are_booked_each(world: World) -> None:
    """Processes that start in the same millisecond warm for themselves: each call has an id of its own."""
    at = world.turn.now()
    turn = replace(world.turn, now=lambda: at)
    world.claude.troubles.cut(after=0)
    world.claude.troubles.cut(after=0)
    await asyncio.gather(*(turn.warm(model=SONNET, effort="medium") for _ in range(2)))

    assert len(await world.rows()) == 2


async def test_a_warming_that_broke_off_is_booked(world: World) -> None:
    """A warming whose line broke may be billed, so it is booked; one that was turned away is not."""
    world.claude.troubles.cut(after=0)
    assert not await world.turn.warm(model=SONNET, effort="medium")
    world.claude.troubles.add(Trouble(problem=Problem(529)))
    assert not await world.turn.warm(model=SONNET, effort="medium")
    await world.turn.settle_shared()

    assert [(row.purpose, row.status) for row in await world.rows()] == [("warm", "unconfirmed")]
