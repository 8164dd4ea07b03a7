"""The PostgreSQL engine: many processes on one database, which may go away at any moment and come back."""

import asyncio
import hmac
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from bot.ask import Lease, Signal
from bot.audit import NOT_SIGNED, Audit, Record, record
from bot.caps import Caps
from bot.errors import LeaseLost, StoreDown
from bot.inbox import Arrival, Inbox
from bot.store import Transaction
from bot.store.postgres import PostgresStore, bring_up
from bot.store.postgres.writer import LOCK
from tests.bot.store.wire import Wire
from tests.bot.stores import Clock, ask
from tests.postgres import Postgres

MANY = Caps(100, 100)


@pytest.fixture
async def store(postgres: Postgres) -> AsyncIterator[PostgresStore]:
    """A process's store."""
    store = await PostgresStore.open(postgres.clean(), serve=True)
    yield store
    await store.close()


@pytest.fixture
async def other(store: PostgresStore, postgres: Postgres) -> AsyncIterator[PostgresStore]:
    """Another process's store on the same database."""
    assert store is not None  # it is there first, on a clean database
    other = await PostgresStore.open(postgres.url, serve=True)
    yield other
    await other.close()


def claim(key: str, now: object = 1.0) -> Transaction:
    """A transaction that takes a key, or is undone where it is taken."""
    tx = Transaction()
    tx.add("inbox.claim", must=LeaseLost(), key=key, now=now)
    return tx


def keys(postgres: Postgres) -> list[str]:
    """The keys that were taken."""
    return [row[0] for row in postgres.run("SELECT key FROM keys ORDER BY key")]


async def until(condition: Callable[[], object]) -> None:
    """Look every 10 ms until something is so."""
    async with asyncio.timeout(10):
        while True:
            seen = condition()
            if await seen if isinstance(seen, Awaitable) else seen:
                return
            await asyncio.sleep(0.01)


async def ended(*tasks: asyncio.Task[object]) -> list[str]:
    """How each ended: "ok", or its error's name."""
    all_ = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 20)
    return [type(e).__name__ if isinstance(e, BaseException) else "ok" for e in all_]


async def grouped(
    postgres: Postgres, store: PostgresStore, *txs: Transaction, first: Transaction | None = None
) -> list[str]:
    """How transactions end that come together: behind one that waits for somebody who has the lock."""
    postgres.run(f"SELECT pg_advisory_lock({LOCK})")
    tasks: list[asyncio.Task[object]] = [asyncio.create_task(store.commit(first or claim("first")))]
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    await until(lambda: postgres.run(waiting) == [(1,)])
    tasks += [asyncio.create_task(store.commit(tx)) for tx in txs]
    await asyncio.sleep(0)
    postgres.run(f"SELECT pg_advisory_unlock({LOCK})")
    return (await ended(*tasks))[1:]


async def taken(store: PostgresStore, clock: Clock, worker: str) -> Lease | None:
    """What a worker of a process takes."""
    return await Inbox(store, now=clock, worker=worker).take(
        person_in_flight=MANY.person, channel_in_flight=MANY.channel
    )


async def put(store: PostgresStore, clock: Clock, n: int) -> None:
    """Put an ask in a thread of its own."""
    one = ask(ts=f"{n}.5", thread=f"{n}.5")
    await Inbox(store, now=clock, worker="door").put(Arrival((one.key,), one))


async def test_one_failure_is_its_own(store: PostgresStore, postgres: Postgres) -> None:
    """A `must` that was not met, a value that cannot be stored: the neighbours in the group are written."""
    half = claim("half")
    half.add("inbox.fence", must=LeaseLost(), ask_id="nobody", attempt=1)
    told = await grouped(
        postgres, store, claim("a"), half, claim("a"), claim("odd", "yesterday"), claim("b")
    )

    assert told == ["ok", "LeaseLost", "LeaseLost", "StoreDown", "ok"]
    assert keys(postgres) == ["a", "b", "first"]


async def test_nobody_hears_before_it_is_on_disk(store: PostgresStore, postgres: Postgres) -> None:
    """Of a group all but the last step are done without waiting for the disk; but all who wait wait for that one."""
    look = Transaction()
    look.add("inbox.alive")
    write = "SELECT pg_logical_emit_message(true, 'test', '')"
    async with await psycopg.AsyncConnection.connect(postgres.url, autocommit=True) as other:
        with postgres.slow_disk():
            slow = asyncio.create_task(other.execute(write))
            while await _either(slow, postgres):  # until the server has taken the setting up
                slow = asyncio.create_task(other.execute(write))
            group = asyncio.create_task(
                grouped(postgres, store, claim("a"), claim("b"), first=look)
            )
            await until(lambda: postgres.waiting_for_disk() == 2)
            seen = (keys(postgres), group.done())
        await slow

    assert seen == (["a", "b"], False)
    assert await group == ["ok", "ok"]


async def _either(slow: asyncio.Task[object], postgres: Postgres) -> bool:
    """Whether a write has ended; False once it waits for the disk."""
    await until(lambda: slow.done() or postgres.waiting_for_disk())
    return slow.done()


async def test_what_only_the_end_finds_out(store: PostgresStore, postgres: Postgres) -> None:
    """A transaction that fails when it is committed is told so, and nobody else is."""
    postgres.run(
        "CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'too late'; END $$; "
        "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON keys DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW WHEN (new.key = 'late') EXECUTE FUNCTION late()"
    )
    try:
        told = await grouped(postgres, store, claim("a"), claim("late"), claim("b"))
    finally:
        postgres.run("DROP TRIGGER late ON keys; DROP FUNCTION late")

    assert told == ["ok", "StoreDown", "ok"]
    assert keys(postgres) == ["a", "b", "first"]


async def test_text_that_cannot_be_kept_is_no_poison(
    store: PostgresStore, postgres: Postgres
) -> None:
    """Half a character, or a NUL, is replaced; in JSON a NUL may stand, and is read again."""
    await store.commit(claim("x\ud83dy"))
    await store.commit(claim("x\0y"))
    one = ask(text="a\0b \\u0000 c")
    clock = Clock()
    inbox = Inbox(store, now=clock, worker="w1")
    await inbox.put(Arrival(("e1",), one))
    edit = Signal("s1", "s1", "edit", "T1", "C1", "U1", clock(), ts=one.ts, text="anew")
    await inbox.put(Arrival(("s1",), signal=edit))
    lease = await taken(store, clock, "w1")

    assert keys(postgres) == ["e1", "s1", "x?y", "x\ufffdy"]
    assert lease is not None
    assert lease.ask.text == "anew"


async def test_a_statement_nobody_knows_is_our_bug(store: PostgresStore) -> None:
    """An unknown name, or a value that is missing, is told to whoever used it."""
    for tx in (Transaction(), Transaction()):
        tx.add("inbox.claim" if not tx.statements else "nonsense", key="k")
        with pytest.raises(KeyError):
            await store.commit(tx)


async def test_each_ask_is_taken_once(
    store: PostgresStore, other: PostgresStore, clock: Clock
) -> None:
    """Workers of two processes that take at the same time never take the same, and leave none."""
    for n in range(20):
        await put(store, clock, n)
    leases = await asyncio.gather(
        *(taken(one, clock, f"w{n}") for n in range(15) for one in (store, other))
    )
    got = [lease.ask.id for lease in leases if lease is not None]

    assert (len(got), len(set(got))) == (20, 20)


async def test_who_lost_its_lease_writes_nothing(
    store: PostgresStore, other: PostgresStore, clock: Clock, postgres: Postgres
) -> None:
    """A process that was paused while another took its ask over changes nothing any more."""
    await put(store, clock, 1)
    lost = await taken(store, clock, "w1")
    assert lost is not None
    clock.at += 100
    assert await taken(other, clock, "w2") is not None
    tx = Transaction(lost)
    tx.add("inbox.claim", key="mine", now=1.0)

    with pytest.raises(LeaseLost):
        await store.commit(tx)
    assert "mine" not in keys(postgres)


async def test_a_row_that_somebody_holds_is_passed_by(
    store: PostgresStore, postgres: Postgres, clock: Clock
) -> None:
    """An operator who looks at an ask and holds its row keeps nobody from taking the next one."""
    await put(store, clock, 1)
    await put(store, clock, 2)
    with psycopg.connect(postgres.url) as operator:
        operator.execute("SELECT id FROM asks ORDER BY at, id LIMIT 1 FOR UPDATE").fetchone()
        lease = await taken(store, clock, "w1")

    assert lease is not None
    assert lease.ask.ts == "2.5"


async def test_another_process_is_told(
    store: PostgresStore, other: PostgresStore, clock: Clock
) -> None:
    """An ask that one puts wakes whoever waits in the other, and what is said about one reaches who works on it."""
    here, there = (Inbox(one, now=clock, worker="w") for one in (store, other))
    heard = asyncio.Event()

    def hear(channel: str | None) -> None:
        there.hear(channel)
        heard.set()

    other.listen(hear)
    await asyncio.wait_for(heard.wait(), 10)
    await there.wait(0)
    waiting = asyncio.create_task(there.wait(30))
    one = ask(ts="5.0")
    await here.put(Arrival(("e1",), one))
    await asyncio.wait_for(waiting, 10)
    lease = await there.take(person_in_flight=1, channel_in_flight=1)
    assert lease is not None
    with there.listening(lease) as said:
        stop = Signal("s1", "s1", "stop", "T1", "C1", "U1", clock(), ts="5.0")
        await here.put(Arrival(("s1",), signal=stop))
        await asyncio.wait_for(said.wait(), 10)

    assert [signal.kind for signal in await there.signals(lease)] == ["stop"]


async def test_ones_own_news_are_no_news(
    store: PostgresStore, postgres: Postgres, clock: Clock
) -> None:
    """What a process puts itself it is not told; nor anybody what was taken in the same transaction."""
    heard: list[str | None] = []
    store.listen(heard.append)
    await until(lambda: heard == [None])
    await put(store, clock, 1)
    assert await taken(store, clock, "w1") is not None
    async with PostgresStore.beside(postgres.url) as beside:
        tx, inbox = Transaction(), Inbox(beside, now=clock, worker="w2")
        inbox.own(tx, ask(not_before=clock.at))
        inbox._add_take(tx, clock.at, MANY)
        rows = await beside.commit(tx)
        assert len(rows[-1]) == 1
        stop = Signal("s1", "s1", "stop", "T1", "C1", "U1", clock(), ts="5.0")
        await inbox.put(Arrival(("s1",), signal=stop))
        await until(lambda: heard != [None])

    assert heard == [None, "C1"]


async def test_away_and_back(store: PostgresStore, postgres: Postgres, clock: Clock) -> None:
    """While the database is away every call says so at once, and we are not ready; then all goes on by itself."""
    heard: list[str | None] = []
    store.listen(heard.append)
    await until(lambda: heard == [None])
    await put(store, clock, 1)
    with postgres.away():
        with pytest.raises(StoreDown):
            await store.commit(claim("a"))
        with pytest.raises(StoreDown):
            await store.read("inbox.alive")
        assert not await store.ready()
    await until(store.ready)
    await store.commit(claim("b"))
    await until(lambda: heard.count(None) > 1)

    assert ("a" in keys(postgres), "b" in keys(postgres)) == (False, True)


async def test_a_restart_between_two_calls_is_not_noticed(
    store: PostgresStore, postgres: Postgres
) -> None:
    """Sessions that ended while nobody used them are made anew, and no caller hears of it."""
    await store.commit(claim("a"))
    await store.read("inbox.alive")
    postgres.throw_out()
    await store.commit(claim("b"))
    assert await store.read("inbox.alive")

    assert keys(postgres) == ["a", "b"]


async def test_a_standby_is_left_for_the_server_that_writes(
    store: PostgresStore, postgres: Postgres
) -> None:
    """Who has come to a server that only reads, as while another takes over, goes on by itself with one that writes."""
    name = postgres.run("SELECT current_database()")[0][0]
    postgres.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    try:
        postgres.throw_out()
        with pytest.raises(
            StoreDown, match="may only be read; DATABASE_URL has to name the primary"
        ):
            await store.commit(claim("a"))
        assert not await store.ready()
    finally:
        postgres.run(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    await until(store.ready)
    await store.commit(claim("b"))

    assert ("a" in keys(postgres), "b" in keys(postgres)) == (False, True)


async def test_a_column_more_is_no_trouble(store: PostgresStore, postgres: Postgres) -> None:
    """While a newer release makes the schema larger, whoever serves still reads, though it had planned for less."""
    span = {"since": 0.0, "until": 1.0, "channel": None}
    assert await store.read("ledger.rows", **span) == []
    postgres.run("ALTER TABLE ledger ADD COLUMN later TEXT")
    try:
        assert await store.read("ledger.rows", **span) == []
    finally:
        postgres.run("ALTER TABLE ledger DROP COLUMN later")


async def test_a_commit_whose_word_was_lost_is_not_called_undone(
    postgres: Postgres, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """If the wire is cut behind the sending, the caller hears that it may be there; said again it is known."""
    caplog.set_level(logging.DEBUG)
    postgres.clean()
    wire = Wire(postgres.url, tmp_path)
    await wire.open()
    store = await PostgresStore.open(wire.url, serve=True)
    await store.commit(claim("a"))
    wire.mute()
    lost = asyncio.create_task(store.commit(claim("b")))
    await asyncio.wait_for(wire.kept.wait(), 10)
    wire.cut()
    with pytest.raises(StoreDown, match="may be there, or not") as down:
        await asyncio.wait_for(lost, 10)
    with pytest.raises(LeaseLost):
        await store.commit(claim("b"))
    await store.close()
    await wire.close()

    assert keys(postgres) == ["a", "b"]
    assert "topsecret" not in f"{down.value!r}{store._address!r}{caplog.text}"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://u:topsecret@/x?host=/nowhere", "does not answer"),
        ("postgresql://u:top%secret@/x?nonsense", "is no address"),
    ],
)
async def test_a_bad_address_is_told_without_its_password(url: str, sentence: str) -> None:
    """Whatever is wrong with the address, the sentence says what to do and keeps the password to itself."""
    with pytest.raises(StoreDown, match=sentence) as down:
        await PostgresStore.open(url, serve=True)

    said = f"{down.value!r}{down.value.__cause__!r}"
    assert "secret" not in said


@pytest.mark.parametrize(
    ("part", "wrong", "sentence"),
    [
        ("postgres:@", "nobody:topsecret@", "refuses this user"),
        ("/alone", "/nothing", "no database of this name"),
    ],
)
async def test_who_is_not_let_in_is_told_why(
    postgres: Postgres, part: str, wrong: str, sentence: str
) -> None:
    """A wrong user and a wrong name are told apart from a server that is away, without the password."""
    name = conninfo_to_dict(postgres.url)["dbname"]
    url = postgres.url.replace(part.replace("alone", str(name)), wrong)
    with pytest.raises(StoreDown, match=sentence) as down:
        await PostgresStore.open(url, serve=True)

    assert "topsecret" not in f"{down.value!r}{down.value.__cause__!r}"


async def test_a_schema_of_another_release(postgres: Postgres) -> None:
    """A schema is made by `purser migrate` alone, once; a later one that only adds is worked on, any other refused."""
    empty = postgres.empty()
    with pytest.raises(StoreDown, match="run `purser migrate`"):
        await PostgresStore.open(empty, serve=True)
    both = await asyncio.gather(bring_up(empty), bring_up(empty))
    store = await PostgresStore.open(empty, serve=True)
    await store.close()

    taken = sorted(step for one in both for step in one)
    assert taken[0] == "m001_one_ask"
    assert len(taken) == len({*taken})
    later = "INSERT INTO schema_version (step, needs) VALUES ('{step}', '{needs}')"
    with psycopg.connect(empty) as connection:
        connection.execute(later.format(step="m998_adds", needs="m001_one_ask").encode())
    await (await PostgresStore.open(empty, serve=True)).close()
    assert await bring_up(empty) == []
    with psycopg.connect(empty) as connection:
        connection.execute(later.format(step="m999_takes", needs="m998_adds").encode())
    for opened in (PostgresStore.open(empty, serve=True), bring_up(empty)):
        with pytest.raises(StoreDown, match="newer than this Purser"):
            await opened


async def test_a_server_that_hangs_is_not_ready(postgres: Postgres, tmp_path: Path) -> None:
    """Where the server says nothing at all, whoever asks whether we are ready is not kept waiting for it."""
    wire = Wire(postgres.clean(), tmp_path)
    await wire.open()
    store = await PostgresStore.open(wire.url, serve=True, patience=0.05)
    wire.mute()
    hung = await store.ready()
    wire.cut()
    await until(store.ready)
    await store.close()
    await wire.close()

    assert hung is False


async def test_a_role_with_odd_defaults_changes_nothing(postgres: Postgres) -> None:
    """Whatever an operator has set for others, two processes see what the one before has written, to the last digit."""
    odd = "-c%20default_transaction_isolation%3Dserializable%20-c%20extra_float_digits%3D-3"
    url = f"{postgres.clean()}&options={odd}"
    async with PostgresStore.beside(url) as one, PostgresStore.beside(url) as other:
        txs = [Transaction() for _ in range(40)]
        for tx in txs:
            record(tx, Record("T1", "C1", "U1", "", "set", "model"), at=1_790_000_000.0)
        await asyncio.gather(*(s.commit(tx) for s, tx in zip((one, other) * 20, txs, strict=True)))
        proof = await Audit(one).verify()
        here = Clock(1_790_000_000.123456)
        await put(one, here, 1)
        rows = await one.read("inbox.queue", soon=2e9)

    assert (proof.records, proof.wrong) == (40, [])
    assert rows[0]["oldest"] == postgres.run("SELECT at FROM asks")[0][0]


async def test_the_audits_key_may_come_with_the_address(postgres: Postgres) -> None:
    """A key in the address signs, as HMAC-SHA-256 does, and proves; to who comes without it nothing is signed."""
    given = f"{postgres.clean()}&options=-c%20purser.audit_key%3Dours"
    async with PostgresStore.beside(given) as store:
        tx = Transaction()
        record(tx, Record("T1", "C1", "U1", "", "set", "model"), at=1_790_000_000.0)
        await store.commit(tx)
        assert (await Audit(store).verify()).wrong == []
    async with PostgresStore.beside(postgres.url) as store:
        wrong = (await Audit(store).verify()).wrong
    *lines, signature = postgres.run(
        "SELECT team, day, n, previous, hash, trimmed, signature FROM chains"
    )[0]

    assert [one.what for one in wrong] == [NOT_SIGNED]
    assert hmac.digest(b"ours", "\n".join(map(str, lines)).encode(), "sha256").hex() == signature


async def test_all_go_by_the_databases_clock(store: PostgresStore, postgres: Postgres) -> None:
    """The time that a store gives is the server's, whatever our own machine's is."""
    store.now.looked(0.0)
    assert store.now() < 10
    assert await store.ready()
    theirs = float(postgres.run("SELECT extract(epoch FROM clock_timestamp())")[0][0])

    assert abs(store.now() - theirs) < 5
