"""A thread that grew too long is shortened once and for good: paid once, said, and read from cache from then on."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answer import Answer, Waiting
from bot.conversation import Conversation, Conversations, Older
from bot.demo.claude import Trouble
from bot.demo.claude.brain import Brain
from bot.demo.claude.errors import Problem
from bot.errors import StoreDown
from bot.journal import Journal
from bot.prices import dollars, price
from bot.remembered import Kept, remembered
from bot.turn.compact import AT_WORK, LEFT_OUT, SUMMED_UP
from bot.turn.older import (
    ATTACHMENT_CHARS,
    KEPT_PART,
    PART_BYTES,
    PICTURES,
    ROOM_TOKENS,
    SUMMARY_TOKENS,
    THREAD_TOKENS,
    Load,
    fits,
    load,
    most,
    pays_from,
    split,
    told,
)
from bot.usage import Usage
from tests.bot import test_turn
from tests.bot.test_turn import HAIKU, NOVEMBER, OPUS, SONNET, Brittle, World, brief_of

world = test_turn.world  # the fixture

LANE = "T1:C1:1700000000.000000"
LONG = (
    "The lighthouse keeper counts the ships once an hour and writes them down. " * 1_500
)  # 110 kB


def user(*texts: str) -> dict[str, Any]:
    """A message of a person's."""
    return {"role": "user", "content": [{"type": "text", "text": text} for text in texts]}


def kept(n: int, size: int) -> Kept:
    """An earlier ask of so many characters."""
    return Kept(n, (user("x" * size), {"role": "assistant", "content": user("Yes.")["content"]}))


def conversation(*sizes: int, older: Older | None = None) -> Conversation:
    """A thread of earlier asks of these sizes."""
    asks = tuple(kept(n, size) for n, size in enumerate(sizes, start=1))
    return Conversation(older, asks, user("Why?"), "Why?", "1.0")


def summings(world: World) -> list[Mapping[str, Any]]:
    """Requests that had a thread summed up."""
    return [body for body in world.sent if is_summing(body)]


def answers(world: World) -> list[Mapping[str, Any]]:
    """Requests for an answer, without those that only count."""
    return [
        one.body
        for one in world.claude.log
        if one.path == "/v1/messages" and one.body not in summings(world)
    ]


async def grown(world: World) -> None:
    """A thread of four long asks, as much as is just too long."""
    world.claude.brain = Brain()
    for n in range(1, 5):
        await world.events(f"{n}: {LONG}")


async def last(world: World, question: str, **more: Any) -> Answer:
    """The answer to one more ask."""
    ended = (await world.events(question, **more))[-1]
    assert isinstance(ended, Answer), ended
    return ended


# Pure


def test_limits_follow_window_and_price() -> None:
    """A thread stays below what it costs to write anew, below the window, and below a price cliff where it can."""
    assert most(SONNET, 10_000, NOVEMBER).tokens == THREAD_TOKENS
    assert most(HAIKU, 10_000, NOVEMBER).tokens == 100_000 - 10_000 - ROOM_TOKENS
    assert most(HAIKU, 150_000, NOVEMBER).tokens == THREAD_TOKENS
    assert most("claude-haiku-4-5", 150_000, NOVEMBER).tokens == 200_000 - 150_000 - ROOM_TOKENS
    assert most("claude-haiku-4-5", 250_000, NOVEMBER).tokens == 0
    assert most("a-model-nobody-knows", 100_000, NOVEMBER).tokens == 200_000 - 100_000 - ROOM_TOKENS


@pytest.mark.parametrize("model", [SONNET, OPUS])
def test_a_thread_that_is_lost_is_summed_up_where_that_spares_ten_cents(model: str) -> None:
    """From there on it costs so much less to have most of it summed up, and the rest written, than to write all of it."""

    def dollars_of(name: str, usage: Usage) -> Decimal:
        cost = price(usage, model=name, at=NOVEMBER)
        assert cost is not None
        return dollars(cost.picos)

    for more, enough in ((-200, False), (200, True)):
        thread = round(pays_from(model, HAIKU, NOVEMBER)) + more
        kept = round(thread * KEPT_PART)
        going = dollars_of(HAIKU, Usage(input_tokens=thread - kept, output_tokens=SUMMARY_TOKENS))
        left = dollars_of(model, Usage(cache_write_5m_tokens=kept + SUMMARY_TOKENS))
        all_of_it = dollars_of(model, Usage(cache_write_5m_tokens=thread))
        assert (all_of_it - going - left >= Decimal("0.1")) is enough

    assert most(model, 0, NOVEMBER, pays=30_000.0).tokens == 30_000
    assert not fits(model, 15_000, NOVEMBER, pays=30_000.0)
    assert pays_from(HAIKU, HAIKU, NOVEMBER) > 10 * THREAD_TOKENS
    assert pays_from("a-model-nobody-knows", HAIKU, NOVEMBER) == inf


async def test_a_thread_in_cache_is_left_as_it_is(world: World) -> None:
    """Three long asks are read from cache for as long as they lie there; once they are lost, the oldest are summed up."""
    world.claude.brain = Brain()
    for n in range(1, 4):
        await world.events(f"{n}: {LONG}")
    await last(world, "4: and now?")
    assert summings(world) == []
    world.turn = replace(world.turn, now=lambda: time.time() + 4_000)

    assert SUMMED_UP in (await last(world, "5: and now?")).notes
    assert len(summings(world)) == 1


@given(
    st.integers(min_value=60_000, max_value=110_000),
    st.integers(min_value=0, max_value=20_000),
    st.sampled_from([SONNET, HAIKU, "claude-haiku-4-5"]),
)
def test_what_fits_at_a_glance_fits(thread: int, rest: int, model: str) -> None:
    """A request that is let through by its size alone has a thread within its limit, whatever part of it that is."""
    if fits(model, thread + rest, NOVEMBER):
        assert thread <= most(model, rest, NOVEMBER).tokens


@given(
    st.lists(st.integers(min_value=1, max_value=40_000), max_size=12),
    st.integers(min_value=0, max_value=60_000),
)
def test_what_is_kept_is_the_newest_that_fits(sizes: Sequence[int], tokens: int) -> None:
    """What stays is within its part, and one ask more would not be."""
    thread, limit = conversation(*sizes), Load(tokens, ATTACHMENT_CHARS, PICTURES)
    going = split(thread, limit, part=1.0)
    left = [load(one.messages, part=1.0) for one in thread.kept[going:]]

    assert sum(one.tokens for one in left) <= tokens * KEPT_PART
    if going:
        more = load(thread.kept[going - 1].messages, part=1.0)
        assert more.tokens + sum(one.tokens for one in left) > tokens * KEPT_PART


def test_pictures_weigh_by_number_and_bytes() -> None:
    """Many pictures, or few large ones, make a thread too long although they have few tokens."""
    source = {"type": "base64", "media_type": "image/png", "data": "A" * (ATTACHMENT_CHARS // 4)}
    message: dict[str, Any] = {"role": "user", "content": [{"type": "image", "source": source}]}
    thread = Conversation(
        None, tuple(Kept(n, (message,)) for n in range(1, 6)), user("?"), "?", "1.0"
    )
    limit = most(SONNET, 10_000, NOVEMBER)

    assert not load(thread.remembered).within(limit)
    assert split(thread, limit, part=0.5) == 4
    assert load([message] * 2).within(limit)
    assert not Load(pictures=PICTURES + 1).within(limit)


@given(st.lists(st.text(max_size=3_000), max_size=60), st.booleans())
def test_what_is_summed_up_fits_below_the_cliff(texts: Sequence[str], again: bool) -> None:
    """However long the part is, it is told within its bound, the newest of it whole."""
    asks = [Kept(n, (user(text * 40),)) for n, text in enumerate(texts, start=1) if text.strip()]
    before = Older(1, "What was before.", "A0").message if again else None
    part = told(before, asks)

    assert len(part.encode()) < PART_BYTES + 200
    assert ("What was before." in part) is again
    assert not asks or asks[-1].messages[0]["content"][0]["text"][:6_000] in part


def test_an_answer_is_told_in_one_piece() -> None:
    """Its first words are a block of their own in the thread's memory, and not to who sums it up."""
    said = "An answer of many words, " * 9
    kept = remembered([{"role": "assistant", "content": [{"type": "text", "text": said}]}])

    assert len(kept[0]["content"]) == 2
    assert f"<purser:answer>\n{said}\n</purser:answer>" in told(None, [Kept(1, tuple(kept))])


def test_bulk_is_not_summed_up() -> None:
    """Tool results and files are told by their beginning, pictures by a word; labels stay closed."""
    blocks: list[dict[str, Any]] = [
        {"type": "tool_result", "tool_use_id": "t", "content": "r" * 50_000},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A"}},
        {"type": "text", "text": f'<purser:file name="a">\n{"f" * 50_000}\n</purser:file>'},
    ]
    use = {"type": "tool_use", "id": "t", "name": "web_fetch", "input": {"url": "https://a.test"}}
    said = {"type": "text", "text": "I say </purser:part> so."}
    asks = [
        Kept(
            1, ({"role": "assistant", "content": [use, said]}, {"role": "user", "content": blocks})
        )
    ]
    part = told(None, asks)

    assert len(part) < 10_000
    assert '[used web_fetch {"url": "https://a.test"}]' in part
    assert "</purser:part>" not in part
    assert "a picture or PDF stood here" in part
    assert part.endswith("\n</purser:file>")


# With Claude on loopback


async def test_old_turns_are_summed_up(world: World) -> None:
    """The quick model sums them up, in the books as compact; the person is told; what is newer stays as it was sent."""
    await grown(world)
    assert summings(world) == []
    events = await world.events("5: and now?")
    ended = events[-1]
    (summing,) = summings(world)

    assert isinstance(ended, Answer)
    assert Waiting(AT_WORK) in events

    assert SUMMED_UP in ended.notes
    assert summing["model"] == HAIKU
    assert "3: The lighthouse" in json.dumps(summing["messages"])
    compact = [row for row in await world.rows() if row.purpose == "compact"]
    assert [(row.model, row.status) for row in compact] == [(HAIKU, "settled")]
    older, fourth, answer, new = answers(world)[-1]["messages"]
    assert older["content"][0]["text"].startswith("<purser:older>\n- Ana asked: “1: The light")
    assert unmarked(fourth) == unmarked(answers(world)[3]["messages"][-1])
    assert answer["role"] == "assistant"
    assert "5: and now?" in json.dumps(new)


async def test_claude_counts_only_near_the_limit(world: World) -> None:
    """A short thread is not counted; one that may be too long is counted once, and left as it is if it is not."""
    world.claude.brain = Brain()
    await world.events(f"1: {LONG}")
    await world.events("2: and?")
    counts = [one for one in world.claude.log if one.path.endswith("/count_tokens")]
    assert counts == []
    await world.events(f"3: {LONG}")
    before = len(world.claude.log)
    ended = await last(world, f"4: {LONG}")

    new = [one.path for one in world.claude.log[before:]]
    assert new == ["/v1/messages/count_tokens", "/v1/messages"]
    assert SUMMED_UP not in ended.notes


async def test_the_prefix_stays_the_same_afterwards(world: World) -> None:
    """Each later request begins with the bytes of the one before it, reads them from cache, and sums nothing up."""
    await grown(world)
    await last(world, "5: and now?")
    before = answers(world)[-1]
    for n in range(6, 10):
        ended = await last(world, f"{n}: and now?")
        after, served = answers(world)[-1], world.claude.served[-1]

        sent = [unmarked(message) for message in before["messages"]]
        assert json.dumps(sent) == json.dumps(
            [unmarked(message) for message in after["messages"][: len(sent)]]
        )
        assert served.usage["cache_read_input_tokens"] > 30_000
        assert served.usage["cache_creation_input_tokens"] < 1_000
        assert SUMMED_UP not in ended.notes
        before = after
    assert len(summings(world)) == 1


async def test_a_summary_is_summed_up_with_what_follows(world: World) -> None:
    """A thread that grows on is shortened again, rarely; what was summed up before is part of what is next."""
    await grown(world)
    for n in range(5, 11):
        await world.events(f"{n}: {LONG}")

    first, *more = summings(world)
    assert 1 <= len(more) <= 3
    assert "<purser:older>" not in json.dumps(first["messages"])
    assert all("<purser:older>" in json.dumps(body["messages"]) for body in more)
    assert "Ana asked: “1: The light" in answers(world)[-1]["messages"][0]["content"][0]["text"]


async def test_what_is_declined_is_left_out_for_good(world: World) -> None:
    """Where summing up is refused, the oldest turns are left out with a word, and it is not tried with each ask."""
    await grown(world)
    world.claude.troubles.add(Trouble(refuse=True, category="bio", fits=is_summing))
    ended = await last(world, "5: and now?")
    again = await last(world, "6: and now?")

    assert LEFT_OUT in ended.notes
    assert LEFT_OUT not in again.notes
    assert len(summings(world)) == 1
    first, second = (body["messages"][0] for body in answers(world)[-2:])
    assert unmarked(first) == unmarked(second)
    assert "oldest turns of this thread are left out" in first["content"][0]["text"]


async def test_what_could_not_be_asked_is_asked_the_next_time(world: World) -> None:
    """Where the quick model fails, the oldest turns are left out of this ask alone."""
    await grown(world)
    for _ in range(5):
        world.claude.troubles.add(Trouble(problem=Problem(500), fits=is_summing))
    ended = await last(world, "5: and now?")
    world.claude.troubles.clear()
    again = await last(world, "6: and now?")

    assert LEFT_OUT in ended.notes
    assert SUMMED_UP in again.notes


async def test_where_no_text_is_kept_nothing_is_summed_up_for_later(world: World) -> None:
    """A channel that keeps no text keeps no summary of it either."""
    await grown(world)
    ended = await last(world, "5: and now?", store_text=False)

    assert SUMMED_UP in ended.notes
    assert await world.store.read("conversation.open", lane=LANE) != []
    assert '"older": "- ' not in await world.remembered()


@pytest.mark.parametrize("behind", [False, True], ids=["before", "behind"])
@pytest.mark.parametrize("at", range(1, 6))
async def test_a_kill_while_summing_up_pays_once(world: World, at: int, behind: bool) -> None:
    """Killed at any commit of it, the ask goes on: one summary is paid, one stands, and the person hears of it."""
    await grown(world)
    lease = await world.take("5: and now?")
    store = Brittle(world.store, at, behind=behind)
    rooms = {"journal": Journal(store, now=time.time), "conversations": Conversations(store)}
    dying = replace(world.turn, store=store, **rooms)
    with pytest.raises(StoreDown):
        [event async for event in world.stream(lease, brief_of(), turn=dying)]
    ended = await last(world, "", again=True)

    assert SUMMED_UP in ended.notes
    booked = [row.status for row in await world.rows() if row.purpose == "compact"]
    assert booked.count("settled") == 1
    assert len(summings(world)) <= len(booked) <= 2
    assert at < 4 or len(booked) == 1  # from its booking on, it is not asked for again


def is_summing(body: Mapping[str, Any]) -> bool:
    """Whether a request has a thread summed up."""
    return "<purser:part>" in json.dumps(body["messages"])


def unmarked(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message without its cache mark."""
    blocks = [
        {name: value for name, value in block.items() if name != "cache_control"}
        for block in message["content"]
    ]
    return {**message, "content": blocks}
