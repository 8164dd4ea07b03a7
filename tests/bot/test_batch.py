"""One request as a batch: what is reserved, found again, given up and booked, whatever happens on the way."""

import random
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC

import pytest
from anthropic import AsyncAnthropic

from bot.ask import Lease
from bot.budget import Budget
from bot.conversation import Conversations
from bot.demo.claude import ClaudeStandIn
from bot.demo.claude.batches import Batch as Made
from bot.demo.claude.errors import Problem
from bot.estimates import Estimates
from bot.governor import JITTER, Governor
from bot.governor.breaker import FAILURES
from bot.inbox import Arrival, Inbox
from bot.journal import Journal, Sent
from bot.ledger import Entry, Ledger
from bot.metrics import Metrics
from bot.prompts import Prompts
from bot.rules import Rules, Workspace
from bot.store import Store
from bot.tool_runner import ToolRunner
from bot.turn import Brief, Turn
from bot.turn.batch import (
    FIRST_SECONDS,
    LOOK_SECONDS,
    PAGES,
    SKEW_SECONDS,
    TIER,
    UNMADE,
    UNSURE_SECONDS,
    Batch,
    Later,
    Lost,
)
from bot.turn.request import Order, order
from bot.turn.response import Response
from integrations.claude import Claude
from integrations.claude_batches import LISTED, Batches
from tests.bot.stores import Clock, ask

HOUR = 3600.0
NOW = 1_795_000_000.0  # in November 2026: batches have a price since October
HERE, NOWHERE = "here", "nowhere"  # at the stand-in, and at a port that nobody listens at


class Admins:
    """Hear alerts."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def tell(self, key: str, sentence: str) -> None:
        """Remember it."""
        self.told.append(f"{key} {sentence}")


class World:
    """A stand-in whose batches take an hour, and an ask whose request is to go as one."""

    def __init__(
        self,
        stand_in: ClaudeStandIn,
        clients: Mapping[str, AsyncAnthropic],
        store: Store,
        clock: Clock,
    ) -> None:
        self.stand_in, self.clock = stand_in, clock
        self.batches = {name: Batches(client) for name, client in clients.items()}
        admins = Admins()
        self.told = admins.told
        self.rooms = _rooms(store, clients[HERE], clock, admins)
        self.inbox = Inbox(store, now=clock, worker="w", lease_seconds=1e9)
        self.brief = Brief("digest", "claude-haiku-5-5", "low", Rules(), Workspace())
        self.lease: Lease | None = None

    async def batch(self, by: str = HERE) -> Batch:
        """The request as whoever leases the ask now sees it."""
        if self.lease is None:
            made = ask(feature="digest", at=self.clock.at)
            await self.inbox.put(Arrival((), made))
            self.lease = await self.inbox.take(person_in_flight=9, channel_in_flight=9)
            assert self.lease is not None
        told = await self.rooms.journal.read(self.lease.ask.id)
        return Batch(self.rooms, self.batches[by], self.lease, self.brief, told)

    def order(self) -> Order:
        """What Claude is to do."""
        blocks = [{"type": "text", "text": "Nothing happened."}]
        body = self.rooms.prompts.morning(blocks, model=self.brief.model)
        messages = body.pop("messages")
        return replace(order("answer", body, messages), tier=TIER)

    async def reserved(self) -> float:
        """What is held back, in dollars."""
        state = await self.rooms.budget.state("C1", self.brief.rules.monthly_budget_usd)
        return state.reserved.__float__()

    async def rows(self) -> list[Entry]:
        """The books."""
        return await self.rooms.ledger.rows(since=0, until=9e9)


@pytest.fixture
async def world(store: Store, clock: Clock) -> AsyncGenerator[World]:
    """A world on each engine."""
    clock.at = NOW
    stand_in = ClaudeStandIn(now=clock)
    stand_in.batches.seconds = HOUR
    await stand_in.start()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(stand_in.stop)
        clients = {
            name: await stack.enter_async_context(
                AsyncAnthropic(base_url=url, api_key=stand_in.api_key, max_retries=0)
            )
            for name, url in ((HERE, stand_in.url), (NOWHERE, "http://127.0.0.1:9"))
        }
        yield World(stand_in, clients, store, clock)


def _rooms(store: Store, client: AsyncAnthropic, clock: Clock, admins: Admins) -> Turn:
    rng = random.Random(1)

    async def no_sleep(_seconds: float) -> None:
        return None

    return Turn(
        claude=Claude(client),
        runner=ToolRunner([], clock=clock),
        journal=Journal(store, now=clock),
        ledger=Ledger(store, zone=UTC, now=clock),
        estimates=Estimates(store, now=clock),
        budget=Budget(store, now=clock, zone=UTC),
        governor=Governor(clock=clock, rng=rng),
        conversations=Conversations(store),
        store=store,
        prompts=Prompts.load(),
        metrics=Metrics(),
        alerts=admins,
        user_salt=b"salt",
        now=clock,
        clock=clock,
        rng=rng,
        sleep=no_sleep,
    )


async def sent(world: World) -> Sent:
    """The request that is under way."""
    found = (await world.batch()).open
    assert found is not None
    return found


async def test_a_request_is_reserved_and_booked_at_half_the_price(world: World) -> None:
    """What it may cost at most is held back until it has ended; then it costs what a batch costs."""
    whole = replace(world.order(), tier="standard")
    batch = await world.batch()
    half = batch._books.worst(world.order(), 1_000)
    assert batch._books.worst(whole, 1_000) == 2 * half
    assert await batch.send(world.order()) == Later(NOW + FIRST_SECONDS)
    held = await world.reserved()
    looks: list[float] = []
    for after in (30, 200, 3_000):
        world.clock.at = NOW + after
        step = await (await world.batch()).look(await sent(world))
        assert isinstance(step, Later)
        looks.append(step.at - world.clock.at)
    assert looks == [FIRST_SECONDS, 100, LOOK_SECONDS]
    world.clock.at = NOW + HOUR
    looked = await world.batch()
    step = await looked.look(await sent(world))
    (row,) = await world.rows()

    assert isinstance(step, Response)
    assert held > 0
    assert await world.reserved() == 0
    assert row.cost is not None
    assert (row.service_tier, row.ttft_ms, float(row.cost) < held) == ("batch", None, True)
    again = await world.batch()
    assert isinstance(again.known(), Response)
    assert [one.receipt(step).cost for one in (looked, again)] == [row.cost, row.cost]


async def test_where_claude_cannot_be_reached_it_is_sent_later(world: World) -> None:
    """Nothing is held back meanwhile, and the next attempt is a request of its own."""
    step = await (await world.batch(NOWHERE)).send(world.order())

    assert step == Later(NOW + LOOK_SECONDS)
    assert await world.reserved() == 0
    batch = await world.batch()
    assert (batch.open, batch.known()) == (None, None)
    await batch.send(world.order())
    assert (await sent(world)).n == 2


@pytest.mark.parametrize(
    ("status", "pause", "open_"),
    [(529, 900, False), (429, 900, False), (500, UNSURE_SECONDS, True)],
)
async def test_where_claude_is_busy_it_is_sent_when_claude_says(
    world: World, status: int, pause: float, open_: bool
) -> None:
    """Turned away, it never was a batch; where Claude's side failed it may have become one, and is looked for first."""
    world.stand_in.batches.problems.append(Problem(status, headers={"retry-after": "900"}))
    assert await (await world.batch()).send(world.order()) == Later(NOW + pause)

    batch = await world.batch()
    assert ((batch.open is not None), batch.known()) == (open_, None)


async def test_while_a_limit_holds_nobody_asks_about_batches(world: World) -> None:
    """A 429 keeps every digest's calls back until the time that it named: none leaves, and nothing is held back for one."""
    problem = Problem(429, headers={"retry-after": "900"})
    world.stand_in.batches.problems.append(problem)
    await (await world.batch()).send(world.order())
    world.lease = None  # another digest's turn
    asked = len(world.stand_in.log)
    assert await (await world.batch()).send(world.order()) == Later(NOW + LOOK_SECONDS)
    assert (len(world.stand_in.log), await world.reserved()) == (asked, 0)
    counted = 'purser_rate_limited_total{limit="unknown",model="batches"} 1.0'
    assert counted in world.rooms.metrics.text().decode()
    world.clock.at = NOW + 900 * (1 + JITTER)

    await (await world.batch()).send(world.order())
    assert len(world.stand_in.batches.all) == 1


async def test_a_batch_is_not_looked_at_while_a_limit_holds(world: World) -> None:
    """It waits at Claude's, and costs nothing there: it is looked at later."""
    await (await world.batch()).send(world.order())
    open_, digest = await sent(world), world.lease
    world.stand_in.batches.problems.append(Problem(529, headers={"retry-after": "900"}))
    for _ in range(FAILURES):
        world.lease = None
        world.stand_in.batches.problems.append(Problem(529))
        await (await world.batch()).send(world.order())
    asked, world.lease = len(world.stand_in.log), digest

    assert await (await world.batch()).look(open_) == Later(NOW + FIRST_SECONDS)
    assert len(world.stand_in.log) == asked


async def test_where_the_account_has_no_money_admins_hear_of_it(world: World) -> None:
    """Once, and no other digest asks until an answer shows that there is some."""
    code = "enforced_spend_limit_reached"
    world.stand_in.batches.problems.append(Problem(429, code=code))
    assert await (await world.batch()).send(world.order()) == Lost("SpendLimited")
    world.lease = None

    assert await (await world.batch()).send(world.order()) == Later(NOW + LOOK_SECONDS)
    (told,) = world.told
    assert "The Claude account has reached its spending limit." in told


async def test_what_claude_does_not_take_is_not_sent_again(world: World) -> None:
    """A key that is refused, or a limit of the account, is no matter of waiting: the why is kept."""
    world.stand_in.batches.problems.append(Problem(403))
    assert await (await world.batch()).send(world.order()) == Lost("BadCredentials")

    assert (await world.batch()).known() == Lost("BadCredentials")
    assert await world.reserved() == 0


async def test_a_request_that_never_left_is_sent_once_more(world: World) -> None:
    """A process died before its batch was made: not in the account's list after a while, so it may be sent."""
    batch = await world.batch()
    await batch._books.send(1, world.order(), 1)
    assert isinstance(await (await world.batch()).look(await sent(world)), Later)
    assert (await world.batch()).open is not None
    world.clock.at += UNSURE_SECONDS + 1
    assert await (await world.batch()).look(await sent(world)) == Later(world.clock.at)
    again = await world.batch()

    assert again.last is not None
    assert (again.open, again.known(), again.last.error) == (None, None, UNMADE)
    assert await world.reserved() == 0


async def test_what_others_made_is_not_taken_for_ours(world: World) -> None:
    """Another's batch is waited for, since it may be ours, and left when its results say that it is not."""
    batch = await world.batch()
    await batch._books.send(1, world.order(), 1)
    await world.batches[HERE].create("another", world.order().body)
    world.clock.at += UNSURE_SECONDS + 1
    assert isinstance(await (await world.batch()).look(await sent(world)), Later)
    assert (await world.batch()).open is not None
    world.clock.at += HOUR
    assert await (await world.batch()).look(await sent(world)) == Later(world.clock.at)

    assert (await world.batch()).open is None
    assert await world.rows() == []


@pytest.mark.parametrize("newer", [LISTED + 1, LISTED * PAGES])
async def test_a_batch_is_found_behind_many_newer_ones(world: World, newer: int) -> None:
    """However many were made since, it is not made twice: beyond what is looked through it may lie, and may cost."""
    world.stand_in.batches.cut = 1
    await (await world.batch()).send(world.order())
    made = [Made(f"other_{n}", {"a": {}, "b": {}}, world.clock.at) for n in range(newer)]
    world.stand_in.batches.all += made
    world.clock.at += HOUR
    step = await (await world.batch()).look(await sent(world))
    (row,) = await world.rows()

    found = newer < LISTED * PAGES
    assert isinstance(step, Response) if found else step == Lost("gone")
    assert row.status == ("settled" if found else "unconfirmed")
    assert (await world.batch()).open is None


async def test_what_cannot_be_ours_is_not_waited_for(world: World) -> None:
    """What was made long before, and what is another digest's of ours, holds up no request that never left."""
    await world.batches[HERE].create("another", world.order().body)
    world.clock.at += SKEW_SECONDS + 1
    await (await world.batch()).send(world.order())
    world.lease = None
    await (await world.batch())._books.send(1, world.order(), 1)
    world.clock.at += UNSURE_SECONDS + 1
    assert await (await world.batch()).look(await sent(world)) == Later(world.clock.at)

    assert (await world.batch()).open is None


async def test_a_batch_that_is_gone_is_booked_by_our_estimate(world: World) -> None:
    """Claude does not know it any more: what it may have cost stands as unconfirmed, at a batch's tier."""
    await (await world.batch()).send(world.order())
    world.stand_in.batches.all.clear()
    step = await (await world.batch()).look(await sent(world))
    (row,) = await world.rows()

    assert step == Lost("gone")
    assert (row.status, row.service_tier, row.cost is None) == ("unconfirmed", "batch", False)
    assert await world.reserved() == 0


async def test_a_batch_that_cannot_be_seen_is_looked_at_later(world: World) -> None:
    """While Claude cannot be reached nothing is decided."""
    await (await world.batch()).send(world.order())
    step = await (await world.batch(NOWHERE)).look(await sent(world))

    assert step == Later(NOW + FIRST_SECONDS)
    assert (await sent(world)).message_id == world.stand_in.batches.all[0].id
