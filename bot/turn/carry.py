"""Calls that carry a thread's cache on while people are silent: only where they are likely to pay, and only if nobody waits.

    due (caching) ── allowed? (policy) ── room? (governor) ── reserve + journal ── call ── book, release

A call like any other in the books, with a purpose of its own and in its channel's name; no ask makes it, no answer
comes of it, and what goes wrong with it is logged alone.
"""

import asyncio
import math
from contextlib import suppress

import structlog

from bot.caching import HOUR_SECONDS, Alive
from bot.errors import OverBudget, StoreDown
from bot.governor import Call
from bot.ledger import Entry
from bot.policy import Policy
from bot.prices import assumed, estimate
from bot.store import Transaction
from bot.turn.brief import Carry, Rooms
from bot.turn.learn import LEARN_SECONDS, learnt
from bot.turn.response import Response
from bot.turn.rows import settled, unconfirmed
from bot.turn.warm import CARRY, call_id, cause_of, end, lost_id
from bot.usage import Usage
from integrations.claude_errors import ClaudeError

LOOK_SECONDS = 1.0  # between looks at what is due

log = structlog.get_logger()


async def carry_on(rooms: Rooms, policy: Policy, stopping: asyncio.Event) -> None:
    """Make the calls that are due until told to stop."""
    looked = -math.inf
    while not stopping.is_set():
        if rooms.clock() - looked >= LEARN_SECONDS:
            looked = rooms.clock()
            with suppress(StoreDown):  # it stays what it was
                rooms.caching.rhythm = await learnt(rooms.store, now=rooms.now())
        calls = rooms.caching.due(rooms.now(), lambda alive: _may(policy, alive))
        await asyncio.gather(*(carry(rooms, policy, call) for call in calls))
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await stopping.wait()


async def carry(rooms: Rooms, policy: Policy, carry: Carry) -> bool:
    """Carry one thread's cache on.

    Returns:
        Whether it went through; why it did not is logged.
    """
    model = str(carry.body["model"])
    call = Call(model, channel=carry.ask.channel, input_tokens=carry.fresh_tokens, patient=False)
    ticket = rooms.governor.spare(call)
    went = False
    if ticket is not None:
        try:
            if await rooms.conversations.ends_with(carry.ask.lane, carry.n):
                went = await _booked(rooms, policy, carry, model)
        except OverBudget as spent:
            log.info("cache not carried on", model=model, why=f"{spent.scope} budget")
        except StoreDown:
            log.warning("cache not carried on", model=model, why="the store is down")
        finally:
            rooms.governor.settle(ticket, output_tokens=0 if went else None)
    return went


def _may(policy: Policy, alive: Alive[Carry]) -> bool:
    channel = alive.thread.channel
    return policy.rules(channel).keep_warm and not policy.paused(channel)


async def _booked(rooms: Rooms, policy: Policy, carry: Carry, model: str) -> bool:
    """Make the call between its reservation and its booking."""
    rules, at = policy.rules(carry.ask.channel), rooms.now()
    call = call_id(rooms, f"{CARRY}:{carry.ask.lane}")
    cause = cause_of(call, rooms.prompts.version)
    worst = Usage(cache_write_1h_tokens=carry.tokens)  # if all of it is lost already
    cost = estimate(worst, model=model, at=at)
    tx = Transaction()
    rooms.budget.reserve_call(
        tx,
        call,
        channel=carry.ask.channel,
        picos=cost.picos if cost else assumed(carry.tokens, 0),
        channel_limit=rules.monthly_budget_usd,
        workspace_limit=policy.workspace.monthly_budget_usd,
    )
    version = cause.prompt_version
    rooms.journal.sharing(
        tx, call, model=model, purpose=CARRY, estimate=worst, prompt_version=version
    )
    await rooms.store.commit(tx)
    try:
        finished = await rooms.claude.prewarm(carry.body)
    except ClaudeError as error:
        why = type(error).__name__
        log.warning("cache not carried on", model=model, why=why)
        lost = unconfirmed(worst, cause, entry_id=lost_id(call), model=model, at=rooms.now())
        await end(rooms, call, [lost] if error.facts.may_be_billed else [], why)
        return False
    rows = settled(Response.of(finished), cause, at=rooms.now())
    tx = Transaction()
    if carry.left:
        left = carry.left.carried(at + HOUR_SECONDS)
        rooms.conversations.carried(tx, carry.ask.lane, carry.n, left)
    await end(rooms, call, rows, tx=tx)
    _told(rows)
    return True


def _told(rows: list[Entry]) -> None:
    for row in rows:
        written = row.cache_write_5m_tokens + row.cache_write_1h_tokens
        log.info("cache carried on", model=row.model, read=row.cache_read_tokens, written=written)
