"""What asks are likely to take: sums, prices of what is cached, decisions made once, and what became of it all."""

from datetime import UTC
from decimal import Decimal

import pytest

from bot.answer import Estimate
from bot.ask import Lease
from bot.estimates import SHARED_SECONDS, THREAD_SECONDS, Decided, Estimates, Warmth
from bot.inbox import Arrival, Inbox
from bot.ledger import Ledger
from bot.rules import Rules, Workspace
from bot.store import Store, Transaction
from bot.turn.brief import Brief
from bot.turn.estimate import WORK, bound, counted, likely, of
from bot.turn.request import Order
from tests.bot.entries import NOVEMBER, book, entry, warm
from tests.bot.stores import Clock, ask

SONNET, HAIKU = "claude-sonnet-5-5", "claude-haiku-5-5"
SMALL = Estimate(1_000, 10**9, 2.0)


@pytest.fixture
def clock() -> Clock:
    """It stands in November."""
    return Clock(NOVEMBER)


@pytest.fixture
def estimates(store: Store, clock: Clock) -> Estimates:
    """Estimates on the store."""
    return Estimates(store, now=clock)


async def leased(inbox: Inbox) -> Lease:
    """An ask that is worked on."""
    await inbox.put(Arrival(("event:1",), ask()))
    lease = await inbox.take(person_in_flight=9, channel_in_flight=9)
    assert lease is not None
    return lease


def order_of(tokens: int, fresh: int, model: str = SONNET) -> Order:
    """A request of about so many tokens."""
    return Order("answer", {"model": model, "max_tokens": 16_000}, "key", tokens, fresh)


def test_estimates_add_up() -> None:
    """Tokens, money and seconds, each by itself; nothing is what adds nothing."""
    assert Estimate(1, 2, 3.0) + Estimate(10, 20, 30.0) == Estimate(11, 22, 33.0)
    assert Estimate() + SMALL == SMALL


def test_what_is_cached_is_priced_as_read() -> None:
    """Of 100,000 tokens at $2 a million 90,000 are read at a twentieth, the rest is written at five quarters."""
    cold = of(SONNET, prompt=100_000, output=1_000, at=NOVEMBER)
    half = of(SONNET, prompt=100_000, cached=90_000, output=1_000, at=NOVEMBER)

    assert cold.picos == 250_000_000_000 + 10_000_000_000
    assert half.picos == 9_000_000_000 + 25_000_000_000 + 10_000_000_000
    assert cold.tokens == half.tokens == 101_000
    assert of(SONNET, prompt=0, output=1_000, at=NOVEMBER, speed=50.0).seconds == 22.0


def test_an_unknown_price_counts_above_all_known_ones() -> None:
    """A model that no price list has is not taken for a free one."""
    known = of("claude-opus-5-5", prompt=10_000, output=1_000, at=NOVEMBER)

    assert of("claude-unheard-of", prompt=10_000, output=1_000, at=NOVEMBER).picos > known.picos


def test_the_bound_is_above_what_is_likely() -> None:
    """Whatever is counted, an ask below the bound's price needs no count."""
    order, effort = order_of(10_000, 1_000), "medium"
    most = bound(order, "chat", effort=effort, at=NOVEMBER)
    cold = counted(order, 10_000, "chat", effort=effort, warm=Warmth(0, None), at=NOVEMBER)

    assert most.picos == cold.picos
    assert likely(order, "chat", effort=effort, at=NOVEMBER).picos < most.picos
    harder = likely(order, "chat", effort="high", at=NOVEMBER)
    assert harder.tokens - likely(order, "chat", effort=effort, at=NOVEMBER).tokens == 1_500
    assert all(work.output > 0 for work in WORK.values())


@pytest.mark.parametrize(
    ("feature", "model"), [("chat", HAIKU), ("summarize", HAIKU), ("review", SONNET)]
)
def test_smaller_is_the_same_for_less(feature: str, model: str) -> None:
    """The quick model or, for a review, the usual one; low effort, few rounds; nothing beyond the turn."""
    rules = Rules()
    brief = Brief(feature, rules.deep_model, "high", rules, Workspace(), beyond=SMALL)  # type: ignore[arg-type]
    small = brief.smaller()

    assert (small.model, small.effort, small.rules.rounds) == (model, "low", 4)
    assert (small.small, small.beyond) == (True, Estimate())
    assert small.max_tokens < brief.max_tokens


async def test_a_decision_is_made_once(inbox: Inbox, store: Store, estimates: Estimates) -> None:
    """Of two decisions the first stands, and an estimate that is made anew does not undo it."""
    lease = await leased(inbox)
    tx = Transaction(lease)
    estimates.ask(tx, lease, SMALL)
    await store.commit(tx)
    tx = Transaction()
    estimates.decide(tx, lease.ask.id, "smaller", user="U2", press="p1")
    await store.commit(tx)
    tx = Transaction()
    estimates.decide(tx, lease.ask.id, "cancel", user="U1", press="p2")
    with pytest.raises(Decided):
        await store.commit(tx)
    tx = Transaction(lease)
    estimates.ask(tx, lease, SMALL + SMALL)
    await store.commit(tx)

    asked = await estimates.of(lease.ask.id)
    assert asked is not None
    assert (asked.state, asked.user, asked.press) == ("smaller", "U2", "p1")
    assert (asked.asker, asked.estimate) == ("U1", SMALL + SMALL)


async def test_nothing_is_decided_that_nobody_was_asked(
    inbox: Inbox, store: Store, estimates: Estimates
) -> None:
    """The estimate of an ordinary ask takes no decision; nor does one that there is not."""
    lease = await leased(inbox)
    tx = Transaction(lease)
    estimates.put(tx, lease, SMALL)
    await store.commit(tx)

    for name in (lease.ask.id, "another"):
        tx = Transaction()
        estimates.decide(tx, name, "go")
        with pytest.raises(Decided):
            await store.commit(tx)
    assert await estimates.of("another") is None


async def test_who_decides_before_the_ask_is_parked_is_not_waited_for(
    inbox: Inbox, store: Store, clock: Clock, estimates: Estimates
) -> None:
    """A decision that overtakes the parking lets the ask wait for a worker, at once."""
    lease = await leased(inbox)
    tx = Transaction(lease)
    estimates.ask(tx, lease, SMALL)
    await store.commit(tx)
    tx = Transaction()
    estimates.decide(tx, lease.ask.id, "go")
    inbox.decided(tx, lease.ask.id)
    await store.commit(tx)
    tx = Transaction(lease)
    inbox.park(tx, lease, until=clock.at + 600)
    await store.commit(tx)

    again = await inbox.take(person_in_flight=9, channel_in_flight=9)
    assert again is not None
    assert again.ask.id == lease.ask.id


async def test_an_estimate_stands_beside_what_it_came_to(
    inbox: Inbox, store: Store, clock: Clock, estimates: Estimates
) -> None:
    """Of an ask that has ended, with all its calls; of others nothing."""
    lease = await leased(inbox)
    tx = Transaction(lease)
    estimates.put(tx, lease, Estimate(5_000, 2 * 10**9, 2.0))
    await store.commit(tx)
    ledger, own = Ledger(store, zone=UTC, now=clock), {"ask_id": lease.ask.id}
    rows = [entry(**own, cost=Decimal("0.002")), entry(**own, cost=Decimal("0.001"))]
    await book(store, ledger, *rows, entry())
    span = {"since": clock.at, "until": clock.at + 1}
    assert await estimates.pairs(**span) == []
    tx = Transaction(lease)
    inbox.done(tx, lease, outcome="answer")
    await store.commit(tx)

    (pair,) = await estimates.pairs(**span)
    assert (pair.ask_id, pair.cost, pair.error) == (lease.ask.id, Decimal("0.003"), Decimal("0.5"))
    assert (pair.prompt_tokens, pair.output_tokens) == (2_000, 200)
    assert await estimates.pairs(since=clock.at + 1, until=clock.at + 2) == []


@pytest.mark.parametrize(
    ("later", "cached"),
    [(THREAD_SECONDS, 9_000), (THREAD_SECONDS + 1, 4_000), (SHARED_SECONDS + 1, 0)],
)
async def test_what_the_books_say_of_the_cache(
    store: Store, clock: Clock, estimates: Estimates, later: float, cached: int
) -> None:
    """A thread's part of it is warm for five minutes, or as long as it was kept; what all share for an hour."""
    ledger = Ledger(store, zone=UTC, now=clock)
    thread = entry(
        entry_id="msg_1:0", cache_read_tokens=4_000, cache_write_5m_tokens=5_000, latency_ms=2_000
    )
    await book(store, ledger, warm(cache_write_1h_tokens=4_000), thread)
    clock.at += later

    known = await estimates.warmth(model=SONNET, prompt_version="p1", message_id="msg_1")
    assert known.cached == cached
    assert known.speed == (50.0 if cached else None)
    other = await estimates.warmth(model=HAIKU, prompt_version="p1", message_id="msg_1")
    assert other == Warmth(0, None)
    told = {"model": SONNET, "prompt_version": "p1", "message_id": "msg_1"}
    kept = await estimates.warmth(**told, until=clock.at + 1)
    assert kept.cached == 9_000  # for an hour, or carried on
    assert (await estimates.warmth(**told, until=clock.at)).cached == cached
