"""How soon people go on is read from the books: by any process, after a restart, and without a word written for it."""

from datetime import UTC
from decimal import Decimal

from bot.caching import Rhythm, Thread
from bot.demo.claude.reply import Draft
from bot.ledger import Ledger
from bot.store import Store
from bot.turn.carry import carry
from bot.turn.learn import learnt
from tests.bot import test_turn
from tests.bot.entries import NOVEMBER, book, entry
from tests.bot.stores import Clock
from tests.bot.test_carry import LONG, due, policy
from tests.bot.test_turn import World

world = test_turn.world  # the fixture


async def test_a_rhythm_is_read_from_the_books(store: Store) -> None:
    """A channel whose threads go on after ten minutes is known for it by a process that has seen nothing of it."""
    ledger = Ledger(store, zone=UTC, now=Clock())
    for n in range(30):
        for later, calls in ((0, 2), (630, 1)):
            at = NOVEMBER + n * 3_600 + later
            made = {"ask_id": f"a{n}.{later}", "thread": f"{n}.0", "latency_ms": 30_000}
            rows = [entry(at=at + k, cost=Decimal(1), **made) for k in range(calls)]
            await book(store, ledger, *rows)
    rhythm = await learnt(store, now=NOVEMBER + 30 * 3_600)
    known = rhythm.hazards(Thread("C1", "new", 1))

    assert known[2] > 0.4 > 4 * known[0]
    assert rhythm.hazards(Thread("C1", "T1:C1:3.0", 1)) != known
    assert 0.4 < rhythm.again("chat", 0) < 0.6
    assert rhythm.again("chat", 1) < 0.1
    early = await learnt(store, now=NOVEMBER + 99 * 86_400)
    assert early.hazards(Thread("C1", "new", 1)) == Rhythm().hazards(Thread("C1", "new", 1))


async def test_a_thread_that_went_on_elsewhere_is_not_carried_on(world: World) -> None:
    """Where another process answered the next ask, the call that this one had in mind is not made."""
    world.script(Draft("Yes."))
    await world.events(LONG)
    (call,) = due(world)
    await world.events("And this?")
    sent = len(world.sent)

    assert not await carry(world.turn, policy(), call)
    assert len(world.sent) == sent
