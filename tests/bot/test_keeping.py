"""What lies in Claude's cache is sent again byte for byte, with tools and thoughts; what does not is sent lighter."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from bot.answer import Answer, Failed
from bot.caching import Left
from bot.demo.claude import Trouble
from bot.demo.claude.errors import Problem
from bot.demo.claude.reply import Draft
from bot.store import Transaction
from tests.bot import test_turn
from tests.bot.test_carry import account
from tests.bot.test_turn import FETCH, HAIKU, OPUS, SONNET, World

world = test_turn.world  # the fixture
LONG = "Is this right? " + "word " * 3_000


def blocks(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """All blocks of a request, in their order."""
    found = [*body["tools"], *body["system"]]
    return found + [block for message in body["messages"] for block in message["content"]]


def bare(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """The bytes of blocks without their marks."""
    return [json.dumps({**one, "cache_control": None}) for one in found]


def marked(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A request up to its last mark."""
    found = blocks(body)
    last = max(n for n, block in enumerate(found) if "cache_control" in block)
    return found[: last + 1]


def kinds(body: Mapping[str, Any]) -> list[str]:
    """What the blocks of a request's messages are."""
    return [block["type"] for message in body["messages"] for block in message["content"]]


async def test_the_next_ask_begins_with_every_byte_up_to_the_last_mark(world: World) -> None:
    """Asks of a thread with tools and thoughts follow one another: nothing of the prefix is rewritten by our own doing."""
    world.script(FETCH, Draft("One.", "Hm."), FETCH, Draft("Two."), Draft("Three."))
    for question in (LONG, "And?", "So?"):
        assert isinstance((await world.events(question))[-1], Answer)
    rows, sent = await world.rows(), world.sent

    for before, now in pairwise(sent):
        begun = bare(marked(before))
        assert bare(blocks(now))[: len(begun)] == begun
    for before, now in pairwise(rows):
        written = before.cache_write_5m_tokens + before.cache_write_1h_tokens
        assert now.cache_read_tokens >= before.cache_read_tokens + written
    assert kinds(sent[-1]).count("thinking") == 2
    single = (await account(world)).single
    assert single is not None
    assert [miss.cause for miss in single.misses if miss.cause != "unmarked"] == []


@pytest.mark.parametrize(
    ("later", "rules"),
    [(4_000.0, {}), (1.0, {"instructions": "Be brief."}), (1.0, {"model": HAIKU})],
)
async def test_what_is_lost_is_sent_lighter(
    world: World, later: float, rules: dict[str, Any]
) -> None:
    """After a long silence, with other instructions and of another model, thoughts and long results are left out."""
    world.script(FETCH, Draft("One."), Draft("Two."))
    await world.events(LONG)
    world.turn = replace(world.turn, now=lambda: time.time() + later)
    await world.events("And?", **rules)

    assert "thinking" in kinds(world.sent[1])
    assert "thinking" not in kinds(world.sent[2])


async def test_what_was_sent_lighter_is_kept_no_more_as_it_was_sent(world: World) -> None:
    """A thread in cache is kept as it was sent; what a later ask reads lighter is so for good, from its end on."""
    world.script(FETCH, Draft("One."), FETCH, Draft("Two."), FETCH, Draft("Three."))
    kept: list[list[bool]] = []
    for question, later in ((LONG, 0.0), ("And?", 1.0), ("So?", 4_000.0)):
        world.turn = replace(world.turn, now=lambda later=later: time.time() + later)
        await world.events(question)
        kept.append([bool(row["sent"]) for row in json.loads(await world.remembered())])

    assert kept == [[True], [True, True], [False, False, True]]


async def test_a_request_that_allows_no_tools_writes_nothing_to_the_cache(world: World) -> None:
    """No other request begins like it; the next ask of the thread is sent lighter and reads what the one before it left."""
    world.script(FETCH, Draft("One."), Draft("Two."))
    await world.events(LONG, rounds=1)
    await world.events("And?", rounds=1)
    marks = ['"cache_control"' in json.dumps(body["messages"]) for body in world.sent]

    assert world.sent[1]["tool_choice"] == {"type": "none"}
    assert marks[:2] == [True, False]
    assert "thinking" not in kinds(world.sent[2])


async def test_what_is_too_long_as_it_was_sent_is_sent_lighter(world: World) -> None:
    """A thread is not summed up for the sake of thoughts and long results."""
    rules: dict[str, Any] = {"confirm_above_usd": 100}
    world.script(FETCH, Draft("One."), Draft("Two."))
    assert isinstance((await world.events("word " * 60_000, **rules))[-1], Answer)
    assert isinstance((await world.events("And?", **rules))[-1], Answer)
    asked = [one.body for one in world.claude.log if one.path == "/v1/messages" and one.body]

    assert ["thinking" in kinds(body) for body in asked] == [False, True, False]


async def test_what_was_forgotten_meanwhile_changes_the_form(world: World) -> None:
    """Where an earlier ask of the thread was erased, thoughts that stood behind it are not sent again."""
    world.script(Draft("Zero."), FETCH, Draft("One."), Draft("Two."))
    await world.events(LONG)
    await world.events(LONG)
    tx = Transaction()
    tx.add("retention.mark", asks='["A1"]', now=time.time() + 9, although_open=True)
    tx.add("retention.conversation")
    await world.store.commit(tx)
    await world.events("And?")

    assert "thinking" in kinds(world.sent[2])
    assert "thinking" not in kinds(world.sent[3])


async def test_what_is_sent_again_after_a_restart_is_the_same(world: World) -> None:
    """An ask that is resumed when the cache is lost reads its thread as before, and pays nothing twice."""
    world.script(FETCH, Draft("One."), FETCH, Draft("Two."))
    await world.events(LONG)
    second = Trouble(problem=Problem(400), fits=lambda body: len(body["messages"]) > 5)
    world.claude.troubles.add(second)
    await world.events("And?")
    paid = len(await world.rows())
    later = time.time() + 4_000
    world.turn = replace(world.turn, now=lambda: later)
    assert isinstance((await world.events(again=True))[-1], Answer)

    assert len(await world.rows()) == paid + 1
    assert kinds(world.sent[-1]).count("thinking") == 2


async def test_another_model_that_answers_has_the_thread_in_its_cache(world: World) -> None:
    """What an ask leaves lies in the cache of whom its last request went to, and not of whom was asked first."""
    world.script(Draft("One."))
    world.claude.troubles.refuse_next("frontier_llm")
    assert isinstance((await world.events(LONG, fallback_model=OPUS))[-1], Answer)
    (row,) = json.loads(await world.remembered())
    left = Left.read(row["cached"])

    assert left is not None
    assert [body["model"] for body in world.sent] == [SONNET, OPUS]
    assert (left.until(SONNET), left.until(OPUS) > 0) == (0.0, True)


async def test_thoughts_that_are_turned_away_are_left_out(world: World) -> None:
    """Where Claude does not take them back, of another account say, the ask is made once more without them."""
    world.script(FETCH, Draft("One."), Draft("Two."))
    await world.events(LONG)
    world.claude.troubles.add(Trouble(problem=Problem(400)))
    assert isinstance((await world.events("And?"))[-1], Answer)

    marks = [json.dumps(body["messages"]).count('"cache_control"') for body in world.sent]
    assert [kinds(body).count("thinking") for body in world.sent] == [0, 1, 1, 0]
    assert marks[2:] == [2, 1]  # of that form nothing is in cache that could be read


async def test_what_is_turned_away_later_is_no_matter_of_thoughts(world: World) -> None:
    """Once Claude has taken the thoughts of earlier asks, a request it rejects is not made again without them."""
    world.script(FETCH, Draft("One."), FETCH, Draft("Two."))
    await world.events(LONG)
    second = Trouble(problem=Problem(400), fits=lambda body: len(body["messages"]) > 5)
    world.claude.troubles.add(second)
    assert isinstance((await world.events("And?"))[-1], Failed)

    assert len(world.sent) == 4


async def test_what_a_call_carried_on_is_remembered(world: World) -> None:
    """It stands with the thread, for any process, unless an ask came meanwhile."""
    world.script(Draft("Yes."))
    await world.events(LONG)
    await world.remembered()
    lane, left = "T1:C1:1700000000.000000", Left((1,)).carried(9.0)
    for n in (0, 1):
        tx = Transaction()
        world.turn.conversations.carried(tx, lane, n, left)
        await world.store.commit(tx)
        (row,) = await world.store.read("conversation.open", lane=lane)
        assert (Left.read(row["cached"]) == left) is bool(n)


async def test_what_was_read_lasts_an_hour_and_what_was_added_is_sent_lighter(world: World) -> None:
    """Ten minutes after a thread went on at once, all up to the answer before the last is read, and the rest is lighter."""
    one, two = Draft("The first one says what it says and more than that."), Draft("Two.")
    world.script(FETCH, one, FETCH, two, Draft("Three."))
    for question in (LONG, "And?"):
        await world.events(question)
    await world.remembered()
    later = time.time() + 600
    world.turn = replace(world.turn, now=lambda: later)
    world.claude.now = lambda: later
    await world.events("So?")
    _, first, second, _, last = await world.rows()

    assert kinds(world.sent[-1]).count("thinking") == 1
    assert 0 < second.cache_write_1h_tokens < 60
    assert last.cache_read_tokens == first.usage.prompt_tokens + second.cache_write_1h_tokens
