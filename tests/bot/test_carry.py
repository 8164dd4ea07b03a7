"""Calls that carry a thread's cache on: what they read and write, how they are booked, and where none is made."""

import asyncio
import json
import random
import time
from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from typing import Any

import pytest

from bot.account import Account, Accounts
from bot.answer import Answer
from bot.caching import SLOT_SECONDS, Size, Thread
from bot.demo.claude import Trouble
from bot.demo.claude.errors import Problem
from bot.demo.claude.reply import Draft
from bot.governor import Call, Governor, Ticket
from bot.hindsight import Hindsight
from bot.policy import Adjusted, Policy
from bot.report import Period
from bot.rules import PolicyFile
from bot.store import Transaction
from bot.turn.brief import Carry
from bot.turn.carry import carry, carry_on
from tests.bot import test_turn
from tests.bot.test_turn import FETCH, HAIKU, SONNET, World, brief_of

world = test_turn.world  # the fixture
LONG = "Is this right? " + "word " * 6_000


def policy(**defaults: Any) -> Policy:
    """A policy with these defaults."""
    return Policy(PolicyFile(defaults=defaults))


def due(world: World) -> list[Carry]:
    """The calls that are due five minutes after the last answer."""
    return world.turn.caching.due(world.turn.now() + SLOT_SECONDS + 1)


async def account(world: World) -> Account:
    """What C1 spent in these days."""
    turn = world.turn
    accounts = Accounts(turn.ledger, Hindsight(world.store), turn.estimates, now=turn.now)
    period = Period.parse("7d", now=turn.now() + SLOT_SECONDS, zone=UTC)
    return await accounts.draw(period, by="feature", channel="C1")


async def carried(world: World, rules: Policy) -> None:
    """Look once at what is due, five minutes after the last answer."""
    await world.remembered()
    later = replace(world.turn, now=lambda: world.turn.now() + SLOT_SECONDS + 1)
    stopping = asyncio.Event()
    looking = asyncio.create_task(carry_on(later, rules, stopping))
    await asyncio.sleep(0)
    stopping.set()
    await looking


async def test_a_thread_is_carried_on_and_read_by_the_next_ask(world: World) -> None:
    """One call reads what the thread has in cache, its tools' results too, and writes how its answer begins for an hour."""
    world.script(FETCH, Draft("It says hello. " + "More. " * 300), Draft("Yes."))
    await world.events(LONG)
    await carried(world, policy())
    await world.events("Sure?")
    _, last, after, call = await world.rows()  # the call's clock is five minutes ahead

    assert (call.purpose, call.ask_id, call.user, call.feature) == ("keep_warm", None, None, None)
    assert (call.team, call.channel, call.thread) == ("T1", "C1", "1700000000.000000")
    assert call.output_tokens == 0
    assert call.cache_read_tokens == last.usage.prompt_tokens
    assert 0 < call.cache_write_1h_tokens < 60
    assert call.input_tokens < 60
    assert call.cache_write_5m_tokens == 0
    assert after.cache_read_tokens == call.cache_read_tokens + call.cache_write_1h_tokens
    assert (await account(world)).carried.cost == call.cost
    assert (await account(world)).report.total.asks == 2


@pytest.mark.parametrize("carrying", [True, False])
async def test_what_was_carried_on_is_sent_as_it_was_sent(world: World, carrying: bool) -> None:
    """For an hour after the call the thread keeps its form, thoughts included; without one it is lighter by then."""
    world.script(FETCH, Draft("It says hello."), Draft("Yes."))
    await world.events(LONG)
    await carried(world, policy(keep_warm=carrying))
    later = time.time() + 10 * SLOT_SECONDS
    world.turn = replace(world.turn, now=lambda: later)
    await world.events("Sure?")

    asked = [body for body in world.sent if body["max_tokens"]]
    assert ('"thinking"' in json.dumps(asked[-1]["messages"])) is carrying


@pytest.mark.parametrize(
    ("rules", "brief", "cause"),
    [
        ({"instructions": "Be brief."}, {}, "channel"),
        ({}, {"effort": "low"}, "settings"),
        ({}, {"tools": False}, "settings"),
    ],
)
async def test_a_missed_cache_is_explained(
    world: World, rules: dict[str, Any], brief: dict[str, Any], cause: str
) -> None:
    """What an ask changed of what its thread had sent is named in the account, from the books and the journal."""
    world.script(Draft("Yes."))
    await world.events(LONG)
    await world.events("And this? " + LONG)
    await world.events("Sure?", brief=replace(brief_of(**rules), **brief))
    single = (await account(world)).single

    assert single is not None
    assert [miss.cause for miss in single.misses] == [cause]
    assert single.misses[0].extra > Decimal("0.01")


async def test_no_call_for_what_lasts_anyway(world: World) -> None:
    """Who went on at once has left all before for an hour: a short question and its answer are worth neither call nor hour."""
    world.script(Draft("Yes. " * 40), Draft("No. " * 40))
    await world.events(LONG)
    await world.events("And this?")
    marks = [
        block.get("cache_control") for one in world.sent[1]["messages"] for block in one["content"]
    ]

    assert [mark and mark["ttl"] for mark in marks] == [None, "1h", None, "5m"]
    assert due(world) == []


async def test_one_call_for_one_answer(world: World) -> None:
    """Silence is carried on once, not again and again, and not while the next ask is under way."""
    world.script(Draft("Yes."))
    await world.events(LONG)
    assert len(due(world)) == 1
    assert due(world) == []
    await world.events("And this? " + LONG)
    thread = Thread("C1", "T1:C1:1700000000.000000", 3)
    world.turn.caching.asked(
        thread, feature="chat", model=SONNET, at=world.turn.now(), size=Size(1, 1), keep=True
    )
    assert due(world) == []


@pytest.mark.parametrize(
    ("question", "rules"),
    [
        ("Is 7 prime?", {}),
        ("word " * 80_000, {"confirm_above_usd": 100}),
        (LONG, {"keep_warm": False}),
        (LONG, {"store_text": False}),
    ],
)
async def test_no_call_where_it_cannot_pay(
    world: World, question: str, rules: dict[str, Any]
) -> None:
    """A short thread, one too long to be held, one that is not remembered, and a channel that wants none are not carried on."""
    world.script(Draft("Yes."))
    assert isinstance((await world.events(question, **rules))[-1], Answer)

    assert due(world) == []


@pytest.mark.parametrize("meanwhile", ["answered", "erased"])
async def test_no_call_where_the_thread_is_another_by_now(world: World, meanwhile: str) -> None:
    """Another process answered in it, or its words were erased: what is held of it here is not sent."""
    world.script(Draft("Yes."))
    await world.events(LONG)
    await world.remembered()
    (call,) = due(world)
    if meanwhile == "answered":
        await world.events("And this?")
        await world.remembered()
    else:
        assert world.lease is not None
        tx = Transaction()
        world.inbox.done(tx, world.lease, outcome="answer")
        tx.add("retention.mark", asks='["A1"]', now=time.time() + 9, although_open=True)
        tx.add("retention.conversation")
        await world.store.commit(tx)
    sent = len(world.sent)

    assert not await carry(world.turn, policy(), call)
    assert len(world.sent) == sent
    assert [row.purpose for row in await world.rows()] == ["answer"] * sent


@pytest.mark.parametrize("why", ["off", "paused", "budget", "line"])
async def test_no_call_where_it_may_not_be(world: World, why: str) -> None:
    """Switched off meanwhile, paused, over budget, or somebody waits: nothing leaves, and nothing is booked."""
    world.script(Draft("Yes."))
    await world.events(LONG)
    rules = policy(keep_warm=why != "off", monthly_budget_usd=0 if why == "budget" else 50)
    if why == "paused":
        rules.adjust(Adjusted("C1", "paused", "true", "U0RUTH", 0.0))
    if why == "line":
        pace = world.turn.governor._pace(SONNET)
        pace.wait(Call(SONNET))
    sent = len(world.sent)
    await carried(world, rules)

    assert len(world.sent) == sent
    assert [row.purpose for row in await world.rows()] == ["answer"]


async def test_a_call_that_fails_is_logged_and_booked_if_it_may_cost(world: World) -> None:
    """Turned away it costs nothing; broken off it may be billed, and is booked as unconfirmed in its channel."""
    world.script(Draft("Yes."))
    await world.events(LONG)
    await world.remembered()
    (call,) = due(world)
    world.claude.troubles.add(Trouble(problem=Problem(529)))
    assert not await carry(world.turn, policy(), call)
    world.claude.troubles.cut(after=0)
    assert not await carry(world.turn, policy(), call)
    _, lost = await world.rows()

    assert (lost.purpose, lost.status, lost.channel) == ("keep_warm", "unconfirmed", "C1")


async def test_a_call_that_nobody_saw_end_is_booked_in_its_channel(world: World) -> None:
    """What a process that is gone had sent is booked by the next one, and its reservation ends."""
    world.script(Draft("Yes."))
    await world.events(LONG)
    await world.remembered()
    (call,) = due(world)
    world.claude.ttft = 60.0
    sent = len(world.sent)
    task = asyncio.create_task(carry(world.turn, policy(), call))
    await world.claude.wait_for(lambda: world.sent[sent:])
    task.cancel()
    await asyncio.wait({task})
    reserved = await world.reserved()
    await world.turn.settle_shared()
    _, lost = await world.rows()

    assert reserved > Decimal("0.01")
    assert await world.reserved() == 0
    assert (lost.purpose, lost.status, lost.channel) == ("keep_warm", "unconfirmed", "C1")


async def test_a_last_round_bears_no_mark(world: World) -> None:
    """The request that allows no tool any more begins like no other one: it is not kept in cache."""
    world.script(FETCH, Draft("That was all."))
    await world.events("What is there?", rounds=1)
    first, last = world.sent

    assert last["tool_choice"] == {"type": "none"}
    assert "cache_control" in str(first["messages"])
    assert "cache_control" not in str(last["messages"])


def test_a_spare_call_goes_at_once_or_not_at_all() -> None:
    """The governor lets it out where nobody waits, and not where a limit is reached or money has run out."""
    governor = Governor(clock=lambda: 0.0, rng=random.Random(1))
    ticket = governor.spare(Call(HAIKU))
    assert isinstance(ticket, Ticket)
    governor.settle(ticket)
    governor._pace(HAIKU).shut(10.0, "requests")

    assert governor.spare(Call(HAIKU)) is None
