"""The audit: every record chained to the one before it, so that whatever is done to one is found."""

import asyncio
import hashlib
import io
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.app import _inbox
from bot.ask import Click
from bot.audit import (
    CHANGED,
    NO_CHAIN,
    NOT_NEXT,
    NOT_SIGNED,
    PAGE,
    SEEN,
    WORDS,
    Audit,
    Proof,
    Record,
    Wanted,
    digest,
    hashed,
    of_ask,
    of_tool,
    record,
)
from bot.errors import LeaseLost, StoreDown
from bot.inbox import Arrival, Inbox
from bot.store import Engine, Row, Store, Transaction
from bot.store.sqlite import SqliteStore
from bot.store.sqlite.seal import key_path
from bot.sweep import FAILURES_AT_MOST
from bot.upkeep import change_dead
from tests.bot.inside import Inside
from tests.bot.stores import Clock, ask, url
from tests.chance import share

NOON = 1_790_000_000.0  # 2026-09-21 in UTC
DAY = 86_400.0
NEW_HASH = "UPDATE audit SET user = 'U9', hash = 'NEW'"
NEW_END = "UPDATE chains SET hash = 'NEW'"
GUARDS = ("audit_only_grows", "audit_stays", "audit_chains")


def what(subject: str = "SHOP-12", **other: Any) -> Record:
    """A tool's reading of a ticket by U1 in C1."""
    values: dict[str, Any] = {"reference": "jira_get_issue", "outcome": "ok", **other}
    return Record("T1", "C1", values.pop("user", "U1"), "ask1", "tool", subject, **values)


async def kept(store: Store, *records: Record, at: float = NOON) -> None:
    """Commit records, each in a transaction of its own."""
    for one in records:
        tx = Transaction()
        record(tx, one, at=at, salt=lambda: "salt")
        await store.commit(tx)


async def found(store: Store, wanted: Wanted | None = None) -> list[str]:
    """The subjects of the records wanted."""
    return [str(row["subject"]) async for row in Audit(store).find(wanted or Wanted())]


def tamper(path: Path, *statements: str) -> None:
    """Change the file behind our back, its guards taken away."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for guard in GUARDS:
            connection.execute(f"DROP TRIGGER {guard}")
        for statement in statements:
            connection.execute(statement)


async def three_days(path: Path) -> None:
    """A store with three records on each of three days, each with an address."""
    store = await SqliteStore.open(path, serve=True)
    for day in range(3):
        for n in range(3):
            await kept(store, what(f"SHOP-{n}", text=f"https://a.test/{n}"), at=NOON + day * DAY)
    await store.close()


async def proved(path: Path) -> Proof:
    """What comes of looking through a file."""
    async with SqliteStore.beside(path) as store:
        return await Audit(store).verify()


async def test_what_was_written_is_read_and_holds(store: Store) -> None:
    """Records come back in their order, and a chain nobody touched has nothing wrong."""
    await kept(store, what("A-1"), what("A-2"), what("A-3", text="https://a.test/x"))
    proof = await Audit(store).verify()

    assert await found(store) == ["A-1", "A-2", "A-3"]
    assert (proof.records, proof.erased, proof.trimmed, proof.wrong) == (3, 0, 0, [])
    assert proof.heads["T1"][:2] == ("2026-09-21", 3)
    assert await Audit(store).heads() == proof.heads


async def test_it_goes_with_its_action(store: Store) -> None:
    """A transaction that is undone leaves no record, and no gap."""
    await kept(store, what("A-1"))
    tx = Transaction()
    record(tx, what("A-2"), at=NOON)
    tx.add("inbox.fence", must=LeaseLost(), ask_id="nobody's", attempt=1)
    with pytest.raises(LeaseLost):
        await store.commit(tx)
    await kept(store, what("A-3"))

    assert await found(store) == ["A-1", "A-3"]
    assert (await Audit(store).verify()).wrong == []


async def test_many_at_once_make_one_chain(store: Store, inside: Inside) -> None:
    """Writers side by side, and another process beside them, take each its own place."""
    async with inside.beside() as beside:
        for _ in range(5):
            await asyncio.gather(
                *(kept(one, what(), what()) for one in (store, beside) for _ in range(10))
            )
    proof = await Audit(store).verify()

    assert (proof.records, proof.wrong) == (200, [])


async def test_each_team_has_its_own_chain_and_days_never_turn_back(store: Store) -> None:
    """Two teams do not touch each other; what comes late stands on the day that is open."""
    other = Record("T2", "C9", "U9", "", "set", "model")
    await kept(store, what("A-1"), other)
    await kept(store, what("A-2"), at=NOON + DAY)
    await kept(store, what("A-3"), at=NOON)
    proof = await Audit(store).verify()

    assert proof.wrong == []
    assert proof.heads["T1"][:2] == ("2026-09-22", 2)
    assert proof.heads["T2"][:2] == ("2026-09-21", 1)


async def test_wanted_by_who_where_what_and_when(store: Store) -> None:
    """Each filter narrows; the last moment is left out."""
    await kept(store, what("A-1"), what("A-2", user="U2"))
    await kept(store, what("A-3"), at=NOON + DAY)

    assert await found(store, Wanted(user="U2")) == ["A-2"]
    assert await found(store, Wanted(channel="C2")) == []
    assert await found(store, Wanted(subject="A-3")) == ["A-3"]
    assert await found(store, Wanted(since=NOON + 1)) == ["A-3"]
    assert await found(store, Wanted(until=NOON + DAY)) == ["A-1", "A-2"]


async def test_more_than_a_page(store: Store) -> None:
    """What is longer than a page is read, and proved, to its end."""
    tx = Transaction()
    for n in range(PAGE + 2):
        record(tx, what(f"A-{n}"), at=NOON)
    await store.commit(tx)

    assert len(await found(store)) == PAGE + 2
    assert (await Audit(store).verify()).records == PAGE + 2


async def test_nothing_of_ours_can_change_or_remove_a_record(tmp_path: Path) -> None:
    """The database itself refuses it, as long as its guards stand."""
    path = tmp_path / "purser.db"
    await three_days(path)
    with closing(sqlite3.connect(path)) as connection:
        for statement in ("UPDATE audit SET user = 'U9'", "DELETE FROM audit WHERE n = 2"):
            with pytest.raises(sqlite3.IntegrityError, match="the audit is only"):
                connection.execute(statement)


TAMPERED: Sequence[tuple[str, str, int, str]] = (
    ("UPDATE audit SET user = 'U9' WHERE day LIKE '%22' AND n = 2", "22", 2, CHANGED),
    ("UPDATE audit SET at = at + 1 WHERE day LIKE '%22' AND n = 3", "22", 3, CHANGED),
    ("UPDATE audit SET rule = 'x' WHERE day LIKE '%22' AND n = 1", "22", 1, CHANGED),
    ("UPDATE audit SET text = 'https://b.test' WHERE day LIKE '%22' AND n = 2", "22", 2, WORDS),
    ("UPDATE audit SET digest = 'x' WHERE day LIKE '%22' AND n = 2", "22", 2, CHANGED),
    ("DELETE FROM audit WHERE day LIKE '%22' AND n = 2", "22", 3, "records 2 to 2 are missing"),
    ("DELETE FROM audit WHERE day LIKE '%22' AND n = 1", "22", 2, "records 1 to 1 are missing"),
    ("DELETE FROM audit WHERE day LIKE '%22' AND n = 3", "22", 2, "the chain ends at record 3"),
    ("DELETE FROM audit WHERE day LIKE '%23' AND n = 3", "23", 2, "the chain ends at record 3"),
    ("DELETE FROM audit WHERE day LIKE '%22'", "22", 0, "the chain ends at record 3"),
    ("DELETE FROM chains WHERE day LIKE '%22'", "22", 0, NO_CHAIN),
    ("DELETE FROM chains WHERE day LIKE '%21'", "22", 0, "was removed or changed"),
    ("UPDATE chains SET n = 2 WHERE day LIKE '%22'", "22", 0, NOT_SIGNED),
    ("UPDATE chains SET trimmed = 1 WHERE day LIKE '%22'", "22", 0, NOT_SIGNED),
    ("UPDATE chains SET signature = 'x' WHERE day LIKE '%22'", "22", 0, NOT_SIGNED),
    ("UPDATE audit SET previous = 'x' WHERE day LIKE '%22' AND n = 2", "22", 2, NOT_NEXT),
)


@pytest.mark.parametrize(
    ("statement", "day", "n", "says"), TAMPERED, ids=[one[0] for one in TAMPERED]
)
async def test_what_was_done_to_it_is_found(
    tmp_path: Path, statement: str, day: str, n: int, says: str
) -> None:
    """A change, a removal or a cut is found, and told where."""
    path = tmp_path / "purser.db"
    await three_days(path)
    tamper(path, statement)
    wrong = [(w.day[-2:], w.n, w.what) for w in (await proved(path)).wrong]

    assert any((d, k) == (day, n) and says in told for d, k, told in wrong), wrong


async def test_swapped_records_are_found(tmp_path: Path) -> None:
    """Two records in each other's place are both named."""
    path = tmp_path / "purser.db"
    await three_days(path)
    place = "UPDATE audit SET n = {} WHERE day LIKE '%22' AND n = {}"
    tamper(path, place.format(9, 1), place.format(1, 2), place.format(2, 9))

    assert {(w.day[-2:], w.n) for w in (await proved(path)).wrong} >= {("22", 1), ("22", 2)}


async def test_a_chain_made_anew_lacks_our_signature(tmp_path: Path) -> None:
    """Who may write to the database but has no key can make every hash fit, and is found all the same."""
    path = tmp_path / "purser.db"
    await three_days(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        last = dict(connection.execute("SELECT * FROM audit ORDER BY day DESC, n DESC").fetchone())
    last["user"] = "U9"
    new = hashed(last)
    where = f"WHERE day = '{last['day']}' AND n = 3"
    tamper(
        path,
        f"{NEW_HASH.replace('NEW', new)} {where}",
        f"{NEW_END.replace('NEW', new)} {where}",
    )
    (wrong,) = (await proved(path)).wrong

    assert (wrong.day, wrong.n, wrong.what) == (last["day"], 0, NOT_SIGNED)


async def test_without_its_key_nothing_is_proved(tmp_path: Path) -> None:
    """The key lies beside the file, for its owner alone; another one does not fit."""
    path = tmp_path / "purser.db"
    await three_days(path)
    place = key_path(path)
    assert place.stat().st_mode & 0o777 == 0o600
    key = place.read_text()
    place.unlink()
    assert {w.what for w in (await proved(path)).wrong} == {NOT_SIGNED}
    assert not place.exists()  # looking makes none
    place.write_text("00" * 32)
    assert {w.what for w in (await proved(path)).wrong} == {NOT_SIGNED}
    place.write_text(key)

    assert (await proved(path)).wrong == []


async def test_words_may_go_and_the_chain_holds(tmp_path: Path) -> None:
    """An erased address takes its salt along; hash and digest stay, and nothing is wrong."""
    path = tmp_path / "purser.db"
    await three_days(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE audit SET text = '', salt = '' WHERE n = 2")
    proof = await proved(path)

    assert (proof.erased, proof.wrong) == (3, [])


async def test_trimming_leaves_a_signed_end(tmp_path: Path) -> None:
    """Days go whole; the days after them still hold on to where they ended."""
    path = tmp_path / "purser.db"
    await three_days(path)
    store = await SqliteStore.open(path, serve=True)
    assert await Audit(store).trim("2026-09-23") == (6, [])
    assert await Audit(store).trim("2026-09-23") == (0, [])
    await kept(store, what(), at=NOON + 3 * DAY)
    proof = await Audit(store).verify()
    await store.close()

    assert (proof.records, proof.trimmed, proof.wrong) == (4, 2, [])
    tamper(path, "DELETE FROM chains WHERE day LIKE '%22'")
    assert [(w.day[-2:], w.n) for w in (await proved(path)).wrong] == [("23", 0)]


class Meanwhile:
    """A store in which something happens between the reading of the chains and of their records, once."""

    def __init__(self, store: Store, happens: Callable[[], Awaitable[object]]) -> None:
        self._store, self._happens = store, happens
        self.commit, self.soon = store.commit, store.soon
        self.ready, self.close = store.ready, store.close
        self._happened = False

    async def read(self, name: str, **values: Any) -> list[Row]:
        """See `Store.read`."""
        if name == "audit.page" and not self._happened:
            self._happened = True
            await self._happens()
        return await self._store.read(name, **values)


async def test_what_is_written_meanwhile_is_no_change(store: Store) -> None:
    """A record that is written while its day is looked through breaks no chain."""
    await kept(store, what("A-1"), what("A-2"))
    busy = Meanwhile(store, lambda: kept(store, what("A-3")))
    proof = await Audit(busy).verify()

    assert (proof.records, proof.wrong) == (2, [])
    assert (await Audit(store).verify()).records == 3


async def test_two_processes_may_trim_at_once(store: Store) -> None:
    """A day that another process trims while it is looked through is not called broken."""
    for day in range(3):
        await kept(store, what("A-1"), what("A-2"), what("A-3"), at=NOON + day * DAY)
    other = Audit(store)
    busy = Meanwhile(store, lambda: other.trim("2026-09-23"))

    assert (await Audit(busy).trim("2026-09-23"))[1] == []
    assert (await Audit(store).verify()).wrong == []


async def test_a_trim_that_was_interrupted_is_finished(tmp_path: Path) -> None:
    """What is left of a day between seal and end still holds, and goes the next time."""
    path = tmp_path / "purser.db"
    await three_days(path)
    store = await SqliteStore.open(path, serve=True)
    (day, n, hash_) = next((c["day"], c["n"], c["hash"]) for c in await store.read("audit.chains"))
    tx = Transaction()
    tx.add("audit.seal", team="T1", day=day, n=n, hash=hash_)
    tx.add("audit.trim", team="T1", day=day, most=2)
    await store.commit(tx)

    assert (await Audit(store).verify()).wrong == []
    assert await Audit(store).trim("2026-09-22") == (1, [])
    assert (await Audit(store).verify()).wrong == []
    await store.close()


async def test_a_broken_day_is_not_trimmed(tmp_path: Path) -> None:
    """Trimming would hide what was done to it, so it stays and is told."""
    path = tmp_path / "purser.db"
    await three_days(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER audit_only_grows")
        connection.execute("UPDATE audit SET user = 'U9' WHERE day LIKE '%22' AND n = 1")
    async with SqliteStore.beside(path) as store:
        gone, wrong = await Audit(store).trim("2026-09-23")

    assert gone == 3
    assert [(w.day, w.n, w.what) for w in wrong] == [("2026-09-22", 1, CHANGED)]


LINES = st.text(max_size=12)


def damage(draw: Callable[[int], int], rows: list[dict[str, object]]) -> str:
    """Some statement that changes, moves or removes a record."""
    row = rows[draw(len(rows))]
    where = f"WHERE team = 'T1' AND day = '{row['day']}' AND n = {row['n']}"
    columns = ("user", "channel", "ask_id", "action", "subject", "outcome", "rule", "reference")
    column = columns[draw(len(columns))]
    acts = (
        "DELETE FROM audit",
        "UPDATE audit SET n = n + 1000",
        "UPDATE audit SET at = at - 1",
        "UPDATE audit SET user = 'else'".replace("user", column),
        "UPDATE audit SET text = text || '!'",
        "UPDATE audit SET hash = 'else'",
    )
    return f"{acts[draw(len(acts))]} {where}"


@settings(max_examples=share(0.4))
@given(
    lines=st.lists(st.tuples(LINES, LINES, LINES, st.integers(0, 3)), min_size=1, max_size=8),
    chance=st.randoms(use_true_random=False),
)
def test_whatever_is_written_holds_and_whatever_is_done_is_found(
    lines: list[tuple[str, str, str, int]], chance: Random
) -> None:
    """Any words make a chain that holds; any one change to any record makes one that does not."""

    async def story(path: Path) -> None:
        store = await SqliteStore.open(path, serve=True)
        for subject, rule, text, day in lines:
            await kept(store, what(subject, rule=rule, text=text), at=NOON + day * DAY)
        assert (await Audit(store).verify()).wrong == []
        await store.close()
        with closing(sqlite3.connect(path)) as connection:
            connection.row_factory = sqlite3.Row
            rows = [dict(row) for row in connection.execute("SELECT * FROM audit")]
        tamper(path, damage(chance.randrange, rows))
        assert (await proved(path)).wrong

    with TemporaryDirectory(prefix="purser-audit-") as folder:
        asyncio.run(story(Path(folder) / "purser.db"))


def test_the_hash_is_what_anybody_can_count_again() -> None:
    """SHA-256 over the hash before and the record's lines, one below the other."""
    row = dict.fromkeys(
        ("channel", "user", "ask_id", "action", "subject", "outcome", "rule", "reference"), "x"
    )
    row |= {"previous": "p", "team": "T", "day": "2026-01-01", "n": "1", "at": "2", "digest": "d"}
    row |= {"seen": " A-1 "}
    lines = ["p", "T", "2026-01-01", "1", "2", *"xxxxxxxx", " A-1 ", "d"]

    assert hashed(row) == hashlib.sha256("\n".join(lines).encode()).hexdigest()
    assert digest("s", "words") == hashlib.sha256(b"s\nwords").hexdigest()
    assert digest("s", "") == ""


async def test_a_search_is_found_by_each_ticket_that_it_gave(store: Store) -> None:
    """By exactly that key, beside the records about the ticket itself; what is no key is not kept."""
    await kept(store, what("SHOP-1"), at=NOON)
    await kept(store, what("", seen=("SHOP-1", "AXB-2", "SHOP-1", "no key")), at=NOON + 1)
    named = {
        key: [row["n"] for row in await Audit(store).about("T1", key, most=9)]
        for key in ("SHOP-1", "A_B-2", "AXB-2", "SHOP", "SHOP-11", "no key")
    }
    looked = {key: len(await found(store, Wanted(subject=key))) for key in named}

    assert named == {**{key: [] for key in named}, "SHOP-1": [2, 1], "AXB-2": [2]}
    assert looked == {key: len(rows) for key, rows in named.items()}
    assert (await Audit(store).verify()).wrong == []


async def test_of_a_long_search_the_first_keys_are_kept(store: Store) -> None:
    """A record is bounded."""
    await kept(store, what("", seen=tuple(f"SHOP-{n}" for n in range(2 * SEEN))))
    (row,) = await store.read("audit.page", team="T1", day="2026-09-21", after=0, most=9)

    assert row["seen"].split() == [f"SHOP-{n}" for n in range(SEEN)]


def test_what_claude_made_up_is_no_subject() -> None:
    """Of a call that read nothing, an address or a name is what was asked for: it can be erased; a key stays a key."""
    origin = ask()

    def told(given: object) -> tuple[str, str]:
        made = of_tool(origin, "tool", given, "problem", rule="reach")
        return made.subject, made.text

    url = "https://carried-out.evil.test/?q=words"
    assert told({"url": url}) == ("", url)
    assert told({"key": "shop-12"}) == ("SHOP-12", "")
    assert told({"key": "any words at all"}) == ("", "any words at all")
    assert told({"board_or_project": "Team of Ana"}) == ("", "Team of Ana")


async def test_what_was_tried_too_often_is_recorded_with_its_burial(store: Engine) -> None:
    """The service's own inbox writes it down: whose ask it was, and that it died."""
    clock = Clock()
    inbox = await _inbox(store, clock)
    one = ask()
    await inbox.put(Arrival((one.key,), one))
    for _ in range(FAILURES_AT_MOST):
        assert await inbox.take(person_in_flight=9, channel_in_flight=9) is not None
        clock.at += 60
    assert await inbox.take(person_in_flight=9, channel_in_flight=9) is None
    (told,) = [row async for row in Audit(store).find(Wanted())]

    assert (told["action"], told["outcome"], told["ask_id"]) == ("ask", "dead", one.id)


async def test_an_operators_word_on_a_dead_ask_is_recorded(tmp_path: Path) -> None:
    """Another chance and giving up are each a record of the ask, in the transaction that changes it; a missed one is none."""
    path = tmp_path / "purser.db"
    store = await SqliteStore.open(path, serve=True)
    inbox = Inbox(store, now=lambda: NOON, worker="w1")
    one = ask()
    await inbox.put(Arrival((one.key,), one))
    for act in ("retry", "drop"):
        lease = await inbox.take(person_in_flight=9, channel_in_flight=9)
        assert lease is not None
        tx = Transaction(lease)
        inbox.dead(tx, lease, reason="it broke")
        await store.commit(tx)
        await change_dead(url(path), io.StringIO(), ask=one.id, act=act, now=lambda: NOON)
    tx = Transaction()
    record(tx, what("A-1"), at=NOON)
    assert not await inbox.retry_dead(one.id, tx)
    told = [row async for row in Audit(store).find(Wanted())]
    await store.close()

    assert [(r["action"], r["subject"], r["outcome"], r["ask_id"], r["user"]) for r in told] == [
        ("dead", "chat", outcome, one.id, "U1") for outcome in ("retried", "dropped")
    ]


def test_what_a_tool_was_given_is_told_without_what_was_written() -> None:
    """Tickets, projects and hosts stay; addresses and queries may go; a comment's text is not in it at all."""
    origin = ask()

    def told(given: object) -> tuple[str, str]:
        made = of_tool(origin, "tool", given, "ok")
        return made.subject, made.text

    assert told({"key": "SHOP-12", "markdown": "secret words"}) == ("SHOP-12", "")
    assert told({"url": "https://me:pw@A.test:8/x?y"})[0] == "a.test:8"
    assert told({"jql": "project = SHOP"}) == ("", "project = SHOP")
    assert told({"url": "https://a.test/r", "path": "p.py", "ref": "main"}) == (
        "a.test",
        "https://a.test/r p.py main",
    )
    assert told({"project": "SHOP", "summary": "words"}) == ("SHOP", "")
    assert told("no object") == ("", "")


def test_a_press_names_its_button() -> None:
    """An ask is told by its feature, a press by action and object."""
    press = ask(feature="click", click=Click("proposal_do", "p1:hash"))

    assert (of_ask(ask(), "answer").action, of_ask(ask(), "answer").subject) == ("ask", "chat")
    made = of_ask(press, "stopped", rule="not_yours")
    assert (made.action, made.subject, made.reference, made.rule) == (
        "press",
        "proposal_do",
        "p1:hash",
        "not_yours",
    )


async def test_a_key_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    """What is no key writes no record, and no action with it."""
    path = tmp_path / "purser.db"
    store = await SqliteStore.open(path, serve=True)
    key_path(path).write_text("no key")
    with pytest.raises(StoreDown):
        await kept(store, what())

    assert await found(store) == []
    await store.close()


async def test_a_line_is_one_line(store: Store) -> None:
    """What Claude or Slack put into a field cannot pose as two, nor be no text at all; endless words are cut."""
    await kept(store, what("A-1\nB\x00C\ud800D", rule="r" * 999, text="w\ud800" * 9_999))
    (row,) = [row async for row in Audit(store).find(Wanted())]

    assert row["subject"] == "A-1 B C D"
    assert (len(row["rule"]), len(row["text"])) == (200, 2_000)
    assert (await Audit(store).verify()).wrong == []
