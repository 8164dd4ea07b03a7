"""The books against Claude's reports: each cause of a difference is planted on the wire, and named rightly."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest

from bot.ask import Lease
from bot.demo.claude import ClaudeStandIn
from bot.demo.claude.admin import Use
from bot.inbox import Arrival, Inbox
from bot.journal import Journal
from bot.ledger import Entry, Ledger
from bot.prices import dollars, price
from bot.reconcile import KeyNotFound, Reconciler, Reconciliation
from bot.store import Transaction
from bot.store.sqlite import SqliteStore
from bot.usage import Usage
from integrations.claude_admin import ClaudeAdmin
from tests.bot.entries import book, entry
from tests.bot.stores import ask

DAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NEXT_DAY = datetime(2026, 11, 21, 9, tzinfo=UTC).timestamp()
SONNET, HAIKU = "claude-sonnet-5-5", "claude-haiku-5-5"
TOKENS = (1_000, 20, 300, 4_000, 100)


@dataclass
class World:
    """Books, a journal, and the other side's reports."""

    store: SqliteStore
    ledger: Ledger
    claude: ClaudeStandIn
    reconciler: Reconciler
    path: Path

    async def serve(
        self, at: datetime = NOON, *, model: str = SONNET, seconds: float = 2.0
    ) -> Entry:
        """A response that both sides count, as asked for at that moment and ended so much later."""
        self.used(at, model=model)
        row = row_of(at + timedelta(seconds=seconds), model, latency_ms=int(seconds * 1000))
        await book(self.store, self.ledger, row)
        return row

    def used(
        self, at: datetime = NOON, *, model: str = SONNET, billed: bool = True, factor: int = 1
    ) -> None:
        """What the other side counts for our key."""
        own = self.claude.admin
        tokens = tuple(n * factor for n in TOKENS)
        assert len(tokens) == 5
        own.others.append(Use(at, own.key_id, own.workspace, model, tokens, billed))

    async def compare(self, days: int = 1) -> Reconciliation:
        """Both sides."""
        return await self.reconciler.between(DAY, DAY + timedelta(days=days))


def row_of(at: datetime, model: str = SONNET, **changes: object) -> Entry:
    """A row with TOKENS, at its price."""
    fresh, five, hour, read, output = TOKENS
    usage = Usage(fresh, five, hour, read, output)
    cost = price(usage, model=model, at=at.timestamp())
    assert cost is not None
    row = entry(
        at=at.timestamp(),
        model=model,
        cost=dollars(cost.picos),
        input_tokens=fresh,
        cache_write_5m_tokens=five,
        cache_write_1h_tokens=hour,
        cache_read_tokens=read,
        output_tokens=output,
    )
    return replace(row, **changes)  # pyright: ignore[reportArgumentType] - columns by name


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Nothing asked yet; it is the morning of the next day."""
    claude = ClaudeStandIn(now=lambda: NEXT_DAY)
    await claude.start()
    path = tmp_path / "purser.db"
    store = await SqliteStore.open(path, serve=True)
    ledger = Ledger(store, zone=UTC, now=lambda: NEXT_DAY)
    async with aiohttp.ClientSession() as session:
        admin = ClaudeAdmin(session, base_url=claude.url, key=claude.admin.key)
        reconciler = Reconciler(store, admin, secret=claude.api_key, now=lambda: NEXT_DAY)
        yield World(store, ledger, claude, reconciler, path)
    await store.close()
    await claude.stop()


def causes(made: Reconciliation) -> set[str]:
    """The causes that were found; what has none is "unexplained"."""
    rest = {"unexplained"} if any(one.unexplained for one in made.differences) else set[str]()
    return {*made.by_cause(), *rest}


async def test_equal_books_agree(world: World) -> None:
    """The same tokens at the same price, whatever other keys and workspaces use: no difference, nothing to say."""
    await world.serve()
    await world.serve(NOON + timedelta(hours=3), model=HAIKU)
    world.claude.admin.others.append(Use(NOON, "apikey_other", "wrkspc_other", SONNET, TOKENS))
    made = await world.compare()

    assert (made.differences, made.prices, made.agrees) == ((), (), True)
    assert made.spent > 0
    assert await world.reconciler.daily() is None


async def test_a_key_that_is_used_elsewhere(world: World) -> None:
    """Use of our key in a minute in which we asked nothing is somebody else's, and admins are told."""
    await world.serve()
    world.used(NOON + timedelta(hours=2))
    made = await world.compare()

    assert causes(made) == {"key used elsewhere"}
    assert made.by_cause() == {"key used elsewhere": sum(TOKENS)}
    assert made.agrees
    told = await world.reconciler.daily()
    assert told is not None
    assert "our key was used in minutes in which Purser asked nothing" in told
    assert "`purser reconcile --since 2026-11-20`" in told


async def test_a_row_that_is_missing(world: World) -> None:
    """A response that the journal holds and the books do not is named as a missing row."""
    await world.serve()
    lease = await leased(world.store)
    fresh, five, hour, read, output = TOKENS
    usage = {
        "input_tokens": fresh,
        "cache_creation_input_tokens": five + hour,
        "cache_creation": {"ephemeral_5m_input_tokens": five, "ephemeral_1h_input_tokens": hour},
        "cache_read_input_tokens": read,
        "output_tokens": output,
    }
    journal = Journal(world.store, now=NOON.timestamp)
    tx = Transaction(lease)
    likely = Usage(input_tokens=1)
    journal.sending(
        *(tx, lease),
        n=1,
        model=SONNET,
        purpose="answer",
        prefix_hash="h",
        estimate=likely,
        estimate_cost=None,
    )
    journal.ended(tx, lease, n=1, response={"id": "msg_x", "model": SONNET, "usage": usage})
    await world.store.commit(tx)
    world.used(NOON)

    assert causes(await world.compare()) == {"row missing"}


async def leased(store: SqliteStore) -> Lease:
    """A lease of a new ask."""
    inbox = Inbox(store, now=lambda: NEXT_DAY, worker="w1")
    one = ask()
    await inbox.put(Arrival((one.key,), one))
    lease = await inbox.take(person_in_flight=9, channel_in_flight=9)
    assert lease is not None
    return lease


@pytest.mark.parametrize("factor", [0, 2])
async def test_a_response_that_was_never_read(world: World, factor: int) -> None:
    """Where we have an estimate only, it may be too high or too low, and the difference is no riddle."""
    await world.serve()
    await book(world.store, world.ledger, row_of(NOON, status="unconfirmed", message_id=None))
    if factor:
        world.used(NOON, factor=factor)

    assert causes(await world.compare()) == {"unread response"}


async def test_a_refusal_that_is_not_billed(world: World) -> None:
    """Its tokens stand in the usage report and cost nothing, there as here."""
    await world.serve()
    world.used(NOON, billed=False)
    refused = row_of(NOON, billed=False, cost=Decimal(0), stop_reason="refusal")
    await book(world.store, world.ledger, refused)

    assert causes(await world.compare()) == {"unbilled refusal"}


async def test_a_response_at_midnight(world: World) -> None:
    """Asked for on one day (UTC) and ended on the next, it stands here on the one and there on the other."""
    await world.serve()
    await world.serve(datetime(2026, 11, 20, 23, 59, 58, tzinfo=UTC), seconds=5)

    assert causes(await world.compare(2)) == {"bucket border"}
    assert causes(await world.compare(1)) == {"bucket border"}
    assert (await world.compare(2)).agrees


async def test_another_price(world: World) -> None:
    """Where tokens agree and dollars do not, it is the price: both sums are told."""
    row = await world.serve()
    world.claude.admin.prices[SONNET] = ("4", "5", "8", "0.2", "20")
    made = await world.compare()

    (gap,) = made.prices
    assert (gap.day, gap.model, gap.ours) == (DAY, SONNET, row.cost)
    assert row.cost is not None
    assert gap.theirs == 2 * row.cost
    assert made.differences == ()
    told = await world.reconciler.daily()
    assert told is not None
    assert "the tokens agree and their price does not" in told


async def test_what_has_no_cause_is_unexplained(world: World) -> None:
    """A row that the other side knows nothing of is told as unexplained, and above a half per cent it does not agree."""
    await world.serve()
    await book(world.store, world.ledger, row_of(NOON))
    made = await world.compare()

    assert causes(made) == {"unexplained"}
    assert (made.share, made.agrees) == (1, False)
    told = await world.reconciler.daily()
    assert told is not None
    assert "100.0% of what Claude's side counts is unexplained" in told


async def test_little_is_let_pass(world: World) -> None:
    """A difference of less than a half per cent of what was spent is told, and passes."""
    for minute in range(300):
        await world.serve(NOON + timedelta(minutes=minute))
    await book(world.store, world.ledger, row_of(NOON))
    made = await world.compare()

    assert causes(made) == {"unexplained"}
    assert made.agrees


async def test_a_row_that_was_deleted_behind_our_back(world: World) -> None:
    """Where neither books nor journal know of it, it looks like somebody else's use, and is told as that."""
    row = await world.serve()
    with closing(sqlite3.connect(world.path, isolation_level=None)) as file:
        file.execute("DELETE FROM ledger WHERE entry_id = ?", (row.entry_id,))

    assert causes(await world.compare()) == {"key used elsewhere"}


async def test_a_key_of_another_organization(world: World) -> None:
    """Where none of the keys is ours, nothing is compared, and the sentence says which key to mend."""
    stranger = Reconciler(
        world.store, world.reconciler._admin, secret="sk-ant-api03-other", now=lambda: NEXT_DAY
    )
    with pytest.raises(KeyNotFound, match="ANTHROPIC_ADMIN_KEY is another organization's"):
        await stranger.daily()
