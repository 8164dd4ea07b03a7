"""Who may call Claude now: the pace follows the headers, waits are told, and there is one opinion on retries."""

import asyncio
import random
from collections.abc import Coroutine
from typing import Any

import pytest

from bot.governor import (
    BROKEN_RETRIES,
    BUSY_RETRIES,
    JITTER,
    LIMITED_RETRIES,
    Call,
    GiveUp,
    Governor,
    Retry,
    Ticket,
    spoken,
)
from bot.governor.breaker import FAILURES, REST_AT_MOST, REST_SECONDS, Breaker
from integrations.claude_errors import (
    BadCredentials,
    BadRequest,
    ClaudeError,
    Facts,
    Limit,
    Limits,
    Malformed,
    ModelUnknown,
    Overloaded,
    RampLimited,
    RateLimited,
    RequestTooLarge,
    ServerFailed,
    SpendLimited,
    StreamCut,
    Unreachable,
    WentSilent,
)

MODEL = "claude-sonnet-5-5"
OTHER = "claude-haiku-5-5"
LONG = 600.0  # seconds an ask may take


class Clock:
    """Time that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


class Desk:
    """A governor with a clock to move and chance that is always the same, and what it told."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.governor = Governor(clock=self.clock, rng=random.Random(7))
        self.told: list[tuple[float, str]] = []

    def admit(
        self, model: str = MODEL, tokens: int = 100, *, within: float = LONG, **more: Any
    ) -> Coroutine[Any, Any, Ticket | GiveUp]:
        """Ask for a call to be let out."""
        call = Call(model, input_tokens=tokens, **more)
        deadline = self.clock.now + within
        return self.governor.admit(
            call, deadline=deadline, tell=lambda seconds, why: self.told.append((seconds, why))
        )

    async def out(self, model: str = MODEL, tokens: int = 100, **more: Any) -> Ticket:
        """A call that must be let out at once."""
        ticket = await asyncio.wait_for(self.admit(model, tokens, **more), 1)
        assert isinstance(ticket, Ticket)
        return ticket

    async def waits(self, model: str = MODEL, tokens: int = 100, **more: Any) -> "Waiting":
        """A call that must wait."""
        task = asyncio.create_task(self.admit(model, tokens, **more))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not task.done()
        return Waiting(self, task)

    async def told_of(self, **limits: Limit) -> Ticket:
        """A call whose response says what is left."""
        ticket = await self.out()
        self.governor.seen(ticket, Limits(**limits))
        return ticket


class Waiting:
    """A call in line."""

    def __init__(self, desk: Desk, task: "asyncio.Task[Ticket | GiveUp]") -> None:
        self._desk, self.task = desk, task

    async def after(self, seconds: float) -> Ticket | GiveUp:
        """What it is given once so much time has passed, and something has happened."""
        self._desk.clock.now += seconds
        probe = await self._desk.out(OTHER)
        self._desk.governor.settle(probe)
        # News of its own model is what makes the line look again.
        self._desk.governor.settle(Ticket(Call(MODEL), 0))
        return await asyncio.wait_for(self.task, 1)


@pytest.fixture
def desk() -> Desk:
    """A governor that knows nothing yet."""
    return Desk()


async def test_nothing_known_nothing_in_the_way(desk: Desk) -> None:
    """Before any header was seen every call goes out, five hundred at once too."""
    tickets = await asyncio.gather(*(desk.out() for _ in range(500)))

    assert len({ticket.number for ticket in tickets}) == 500
    assert desk.told == []


async def test_a_call_waits_until_the_bucket_has_refilled(desk: Desk) -> None:
    """With no requests left the next call waits, while another model's goes; then it goes, and nobody was told."""
    await desk.told_of(requests=Limit(1_200, 0))
    waiting = await desk.waits()
    await desk.out(OTHER)

    assert isinstance(await waiting.after(2), Ticket)
    assert desk.told == []


async def test_a_long_wait_is_told_and_told_anew(desk: Desk) -> None:
    """Who will wait over three seconds hears for which limit and about how long, and hears again."""
    await desk.told_of(input_tokens=Limit(60_000, 0))
    waiting = await desk.waits(tokens=20_000)

    (first,) = desk.told
    assert first[1] == "waiting for Claude's rate limit (input tokens)"
    assert 15 < first[0] < 600
    desk.clock.now += 6
    desk.governor.settle(Ticket(Call(MODEL), 0))
    await asyncio.sleep(0.01)
    assert len(desk.told) == 2
    waiting.task.cancel()


async def test_who_leaves_makes_room(desk: Desk) -> None:
    """A stopped ask leaves the line, and keeps nobody behind it waiting."""
    await desk.told_of(input_tokens=Limit(60_000, 1_000))
    large = await desk.waits(tokens=50_000)
    small = await desk.waits(tokens=500)
    large.task.cancel()

    assert isinstance(await small.after(20), Ticket)


async def test_a_wait_beyond_the_ask_is_refused_at_once(desk: Desk) -> None:
    """Who would wait longer than their ask may take is told so at once, with the time."""
    await desk.told_of(input_tokens=Limit(60_000, 0))
    ended = await asyncio.wait_for(desk.admit(tokens=50_000, within=10), 1)

    assert isinstance(ended, GiveUp)
    assert ended.busy
    assert "longer than an ask may take" in ended.sentence


async def test_more_than_a_minutes_limit_is_refused_with_the_number(desk: Desk) -> None:
    """What the account can never send at once is refused; what is only counted a little too high is not."""
    await desk.told_of(input_tokens=Limit(30_000, 30_000))
    ended = await asyncio.wait_for(desk.admit(tokens=90_000), 1)

    assert isinstance(ended, GiveUp)
    assert "90,000" in ended.sentence
    assert "30,000" in ended.sentence
    await desk.out(tokens=31_000)


async def test_the_pace_is_known_from_the_first_response(desk: Desk) -> None:
    """What the call that warms the cache heard of the limits holds for the first ask."""
    desk.governor.learn(MODEL, Limits(requests=Limit(60, 0)))
    await desk.out(OTHER)

    await desk.waits()


async def test_headers_know_nothing_of_calls_let_out_later(desk: Desk) -> None:
    """Calls on their way are taken off what an older call's response says is left."""
    first = await desk.out()
    later = [await desk.out() for _ in range(3)]
    desk.governor.seen(first, Limits(requests=Limit(50, 3)))
    waiting = await desk.waits()
    for ticket in later:
        desk.governor.settle(ticket)
    desk.governor.seen(first, Limits(requests=Limit(50, 50)))

    assert isinstance(await asyncio.wait_for(waiting.task, 1), Ticket)


async def test_output_that_was_not_used_is_given_back(desk: Desk) -> None:
    """Output is reserved while an answer is on its way, and what it did not need is free again."""
    first = await desk.told_of(output_tokens=Limit(10_000, 9_000))
    long = await desk.out(output_tokens=8_500)
    waiting = await desk.waits(output_tokens=2_000)
    desk.governor.settle(first, output_tokens=1)
    desk.governor.settle(long, output_tokens=100)

    assert isinstance(await waiting.after(60), Ticket)


async def test_a_rate_limit_closes_the_gate_for_everybody(desk: Desk) -> None:
    """After a 429 nobody calls that model before the time it named; other models go on, and who was refused goes first."""
    facts = Facts(status=429, which="output_tokens", retry_after=20.0)
    ticket = await desk.out()
    decision = desk.governor.decide(
        ticket, RateLimited(facts), attempt=1, deadline=desk.clock.now + LONG
    )
    desk.governor.settle(ticket)

    assert decision == Retry(0.0, "waiting for Claude's rate limit (output tokens)")
    later = await desk.waits(person="U1")
    again = asyncio.create_task(
        desk.governor.admit(
            Call(MODEL, person="U1"),
            deadline=desk.clock.now + LONG,
            tell=lambda seconds, why: desk.told.append((seconds, why)),
            again=True,
        )
    )
    await desk.out(OTHER)
    assert isinstance(await later.after(20 * (1 + JITTER)), Ticket)
    assert again.result().number < later.task.result().number  # type: ignore[union-attr]
    assert 20 <= desk.told[0][0] <= 20 * (1 + JITTER)


async def test_traffic_that_grew_too_fast_grows_slower(desk: Desk) -> None:
    """After the acceleration limit calls go out one by one at half the pace, however full the bucket is."""
    ticket = await desk.told_of(requests=Limit(60, 60))
    facts = Facts(which="acceleration", retry_after=1.0)
    desk.governor.decide(ticket, RampLimited(facts), attempt=1, deadline=desk.clock.now + LONG)
    desk.clock.now += 2

    await desk.out()
    await desk.waits()


async def test_a_model_that_fails_again_and_again_rests(desk: Desk) -> None:
    """After failures in a row nobody calls it for a while; then one call tries, and when it is answered all go."""
    tickets = [await desk.out() for _ in range(FAILURES)]
    for ticket in tickets:
        desk.governor.decide(ticket, Overloaded(), attempt=1, deadline=desk.clock.now + LONG)
        desk.governor.settle(ticket)
    waiting = await desk.waits()
    behind = await desk.waits()

    assert desk.told[0][1] == "waiting, Claude is overloaded"
    first = await waiting.after(REST_SECONDS + 1)
    assert isinstance(first, Ticket)
    assert not behind.task.done()
    desk.governor.settle(first, output_tokens=10)
    assert isinstance(await asyncio.wait_for(behind.task, 1), Ticket)


async def test_who_has_another_model_does_not_wait_for_one_that_rests(desk: Desk) -> None:
    """With another model in the policy a resting one is not waited for."""
    for _ in range(FAILURES):
        ticket = await desk.out()
        desk.governor.decide(ticket, ServerFailed(), attempt=1, deadline=desk.clock.now + LONG)
        desk.governor.settle(ticket)
    ended = await asyncio.wait_for(desk.admit(patient=False), 1)

    assert isinstance(ended, GiveUp)
    assert ended.busy


async def test_where_money_has_run_out_nobody_calls(desk: Desk) -> None:
    """A spending limit opens the circuit of all models at once, is an admin's to mend, and is tried again later."""
    ticket = await desk.out()
    ended = desk.governor.decide(ticket, SpendLimited(), attempt=1, deadline=desk.clock.now + LONG)
    desk.governor.settle(ticket)

    assert isinstance(ended, GiveUp)
    assert ended.alarm
    assert "spending limit" in ended.sentence
    assert await desk.admit(OTHER) == GiveUp(ended.sentence)
    desk.clock.now += REST_SECONDS + 1
    probe = await desk.out()
    assert isinstance(await desk.admit(), GiveUp)
    desk.governor.settle(probe, output_tokens=1)
    await desk.out()


async def test_who_goes_away_does_not_leave_the_account_closed(desk: Desk) -> None:
    """When the one who was to try whether there is money again is stopped in line, or turned away, another one tries."""
    ticket = await desk.told_of(requests=Limit(60, 0))
    desk.governor.decide(ticket, SpendLimited(), attempt=1, deadline=desk.clock.now + LONG)
    desk.governor.settle(ticket)
    desk.clock.now += REST_SECONDS + 1
    desk.governor.decide(
        ticket, RateLimited(Facts(retry_after=60.0)), attempt=1, deadline=desk.clock.now + LONG
    )

    stopped = await desk.waits()
    stopped.task.cancel()
    await asyncio.wait({stopped.task})
    turned_away = await desk.admit(within=30)

    assert isinstance(turned_away, GiveUp)
    assert "rate limit" in turned_away.sentence
    await desk.out(OTHER)


async def test_calls_that_fail_together_are_one_failure(desk: Desk) -> None:
    """However many calls were out when a model began to fail, it rests as long as after the first few of them."""
    tickets = [await desk.out() for _ in range(2_000)]
    for ticket in tickets:
        desk.governor.decide(ticket, Overloaded(), attempt=1, deadline=desk.clock.now + LONG)
        desk.governor.settle(ticket)
    waiting = await desk.waits()

    assert isinstance(await waiting.after(REST_SECONDS + 1), Ticket)


def test_a_model_that_never_comes_back_is_tried_for_ever() -> None:
    """After thousands of rests there is still one more, of the longest kind."""
    breaker = Breaker()
    for n in range(5_000):
        breaker.begin()
        breaker.failed(n * 1e6, "down", at_once=True)

    assert breaker.resting(4_999e6) == REST_AT_MOST


@pytest.mark.parametrize(
    ("kind", "retries"),
    [
        (RateLimited, LIMITED_RETRIES),
        (RampLimited, LIMITED_RETRIES),
        (Overloaded, BUSY_RETRIES),
        (ServerFailed, BUSY_RETRIES),
        (StreamCut, BROKEN_RETRIES),
        (WentSilent, BROKEN_RETRIES),
        (Malformed, BROKEN_RETRIES),
        (Unreachable, BROKEN_RETRIES),
    ],
)
async def test_what_passes_is_tried_again_so_often(
    kind: type[ClaudeError], retries: int, desk: Desk
) -> None:
    """What may pass is tried again a bounded number of times, and then a sentence says what to do."""
    ticket, deadline = await desk.out(), desk.clock.now + LONG
    decisions = [
        desk.governor.decide(ticket, kind(Facts(retry_after=1.0)), attempt=n, deadline=deadline)
        for n in range(1, retries + 2)
    ]

    assert all(isinstance(decision, Retry) for decision in decisions[:-1])
    ended = decisions[-1]
    assert isinstance(ended, GiveUp)
    assert "again" in ended.sentence


async def test_what_was_seen_already_is_tried_once_more_only(desk: Desk) -> None:
    """A failure after words had come may have been paid: it is not repeated like one that costs nothing."""
    ticket, deadline = await desk.out(), desk.clock.now + LONG
    error = Overloaded(Facts(streamed=True))

    assert isinstance(desk.governor.decide(ticket, error, attempt=1, deadline=deadline), Retry)
    assert isinstance(desk.governor.decide(ticket, error, attempt=2, deadline=deadline), GiveUp)


async def test_waits_before_retries_grow(desk: Desk) -> None:
    """Where the API names no time, each wait is about twice the one before, and never the same for all."""
    ticket, deadline = await desk.out(), desk.clock.now + LONG
    waits = [
        decision.seconds
        for n in (1, 2, 3)
        if isinstance(
            decision := desk.governor.decide(ticket, Overloaded(), attempt=n, deadline=deadline),
            Retry,
        )
    ]

    assert [round(seconds) >= least for seconds, least in zip(waits, (1, 2, 4), strict=True)]
    assert all(
        least <= s <= least * (1 + JITTER) for s, least in zip(waits, (1, 2, 4), strict=True)
    )


async def test_no_retry_beyond_the_ask(desk: Desk) -> None:
    """A wait that ends after the ask's own end is not begun; the person hears how long it is."""
    error = Overloaded(Facts(retry_after=300.0))
    ended = desk.governor.decide(await desk.out(), error, attempt=1, deadline=desk.clock.now + 100)

    assert isinstance(ended, GiveUp)
    assert "about" in ended.sentence
    assert "min" in ended.sentence


@pytest.mark.parametrize(
    "kind", [SpendLimited, RequestTooLarge, ModelUnknown, BadCredentials, BadRequest]
)
async def test_what_stays_is_never_tried_again(kind: type[ClaudeError], desk: Desk) -> None:
    """Money, keys, names and our own bugs do not pass by waiting."""
    error = kind(Facts(retry_after=1.0))
    ended = desk.governor.decide(await desk.out(), error, attempt=1, deadline=desk.clock.now + LONG)

    assert isinstance(ended, GiveUp)
    assert ended.sentence.endswith(".")
    assert ended.alarm is (kind in (SpendLimited, BadCredentials))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.2, "about 1 s"), (20.4, "about 20 s"), (89, "about 89 s"), (180, "about 3 min")],
)
def test_spoken(seconds: float, expected: str) -> None:
    """Waits are told as a person would tell them."""
    assert expected == spoken(seconds)
