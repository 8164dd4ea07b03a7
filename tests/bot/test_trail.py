"""The audit at the terminal: found by filters, shown as a table or lines, proved; and what is said of a forgotten person."""

import io
import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from bot.audit import Audit, Record, Wanted, of_ask, record
from bot.errors import StoreDown
from bot.ledger import Ledger
from bot.report import BadPeriod
from bot.retention import Forgotten
from bot.settings import keyed
from bot.store import Row, Store, Transaction
from bot.store.opening import beside
from bot.store.sqlite import SqliteStore
from bot.trail import COLUMNS, ROWS, SHOWN, Days, prove, removed, resign, show, verdict
from tests.bot.entries import book, entry
from tests.bot.pooler import dropping
from tests.bot.stores import ask
from tests.bot.terminal import purser
from tests.postgres import Postgres

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
DAY = 86_400.0


class Between:
    """A store in which something happens right after each read."""

    def __init__(self, store: Store, other: Callable[[], Awaitable[None]]) -> None:
        self._store, self._other = store, other
        self.commit, self.soon = store.commit, store.soon
        self.ready, self.close = store.ready, store.close

    async def read(self, name: str, **values: Any) -> list[Row]:
        """Read, then let the other thing happen."""
        rows = await self._store.read(name, **values)
        await self._other()
        return rows


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """The database of a running `serve`."""
    store = await SqliteStore.open(tmp_path / "purser.db", serve=True)
    yield store
    await store.close()


async def kept(store: Store, subject: str = "SHOP-12", at: float = NOON, **more: str) -> None:
    """A record of a tool."""
    tx = Transaction()
    made = Record("T1", "C1", "U1", ask_id="a1", action="tool", subject=subject)
    record(tx, replace(made, **more), at=at)
    await store.commit(tx)


async def table(store: SqliteStore, wanted: Wanted | None = None) -> str:
    """Records as a table."""
    out = io.StringIO()
    await show(Audit(store).find(wanted or Wanted()), out, zone=UTC)
    return out.getvalue()


async def test_each_filter_at_the_terminal(store: SqliteStore, tmp_path: Path) -> None:
    """By person, channel, ticket, day and time, beside a running `serve`; every column of a line is there."""
    await kept(store, "A-1", user="U2")
    await kept(store, "A-2", channel="C2")
    await kept(store, "A-3", at=NOON + DAY)

    async def found(*filters: str) -> list[str]:
        ran = await purser("audit", "--format", "jsonl", *filters, cwd=tmp_path)
        assert ran.code == 0, ran.err
        lines = [json.loads(line) for line in ran.out.splitlines()]
        assert all(tuple(line) == COLUMNS for line in lines)
        return [line["subject"] for line in lines]

    assert await found() == ["A-1", "A-2", "A-3"]
    assert await found("--user", "U2") == ["A-1"]
    assert await found("--channel", "C2") == ["A-2"]
    assert await found("--ticket", "a-3") == ["A-3"]
    assert await found("--day", "2026-11-22") == ["A-1", "A-2"]
    assert await found("--since", "2026-11-23") == ["A-3"]
    assert await found("--until", "2026-11-23", "--user", "U1") == ["A-2"]


@pytest.mark.parametrize(
    ("days", "says"),
    [
        (Days("2026-11", None, None), "--day 2026-11-22"),
        (Days("2026-11-22", "2026-11", None), "without --since"),
        (Days("2026-13-22", None, None), "2026-13-22"),
        (Days(None, "2026-12", "2026-11"), "lies after"),
        (Days(None, "then", None), "'then'"),
    ],
)
def test_a_time_that_cannot_be_read_is_said(days: Days, says: str) -> None:
    """In a sentence with an example."""
    with pytest.raises(BadPeriod, match=says):
        days.between(UTC)


def test_a_day_is_that_of_the_workspace() -> None:
    """From midnight to midnight there, also when a day has 25 hours."""
    first, end = Days("2026-10-25", None, None).between(ZoneInfo("Europe/Berlin"))

    assert (datetime.fromtimestamp(first, UTC).hour, end - first) == (22, 25 * 3600)


async def test_a_table_for_people(store: SqliteStore) -> None:
    """Who, where, what, the rule, the cost of an ask, and what it was; nothing that moves a terminal."""
    origin = ask()
    tx = Transaction()
    record(tx, of_ask(origin, "answer"), at=NOON)
    await store.commit(tx)
    books = Ledger(store, zone=UTC, now=lambda: NOON)
    await book(store, books, entry(ask_id=origin.id, cost=Decimal("0.25")))
    await kept(store, reference="web_fetch", rule="repos", text="https://a.test/\x1b[2J")
    said = await table(store)
    words = " ".join(said.split())

    assert "2026-11-22 12:00:00 U1 C1 ask chat answer $0.2500" in words
    assert "repos web_fetch https://a.test/ [2J" in words
    assert "\x1b" not in said
    assert await table(store, Wanted(user="U9")) == "No records.\n"


async def test_of_many_the_last_are_shown(store: SqliteStore) -> None:
    """A table is no book; lines hold all."""
    tx = Transaction()
    for n in range(ROWS + 5):
        record(tx, Record("T1", "C1", "U1", "", "set", f"key{n:04}"), at=NOON)
    await store.commit(tx)
    said = await table(store)

    assert "key0004" not in said
    assert "key0005" in said
    assert "5 earlier ones are left out; `--format jsonl` has all." in said


async def test_erased_words_are_told_as_that(store: SqliteStore, tmp_path: Path) -> None:
    """Where an address was erased, the table says so, and the proof counts it."""
    await kept(store, text="https://a.test/x")
    with closing(sqlite3.connect(tmp_path / "purser.db", isolation_level=None)) as file:
        file.execute("UPDATE audit SET text = '', salt = ''")
    ran = await purser("audit", "verify", cwd=tmp_path)

    assert "(its words are erased)" in await table(store)
    assert ran.code == 0
    assert "as it was written: 1 records, the words of 1 erased." in ran.out
    assert "It ends on 2026-11-22 with record 1, " in ran.out


async def test_what_is_wrong_is_told_in_lines(store: SqliteStore, tmp_path: Path) -> None:
    """Each place in a line, many of them cut short with how many more."""
    for _ in range(SHOWN + 2):
        await kept(store)
    with closing(sqlite3.connect(tmp_path / "purser.db", isolation_level=None)) as file:
        file.execute("DROP TRIGGER audit_only_grows")
        file.execute("UPDATE audit SET rule = 'x'")
    lines = verdict(await Audit(store).verify())

    assert lines[0] == "2026-11-22, record 1 (team T1): it was changed."
    assert lines[SHOWN:] == ["And 2 more."]


async def test_nothing_yet_is_right(store: SqliteStore, tmp_path: Path) -> None:
    """An empty audit is as it was written."""
    ran = await purser("audit", "verify", cwd=tmp_path)

    assert (ran.code, ran.out) == (0, "The audit is as it was written: 0 records.\n")


def test_what_stays_of_a_person_is_said() -> None:
    """What was removed, what never is, and what is still needed."""
    lines = removed("U1", Forgotten(asks=2, others=1, turns=3, notes=4, left=5, names=("Ana",)))

    assert lines[0].startswith("U1, called Ana: removed the words of 2 asks")
    assert "copies of the database, which are yours to delete" in lines[1]
    assert lines[2].startswith("Still needed: 5 of their asks")
    assert len(removed("U1", Forgotten())) == 2


async def test_forgetting_needs_a_person(tmp_path: Path) -> None:
    """Without whom, or with a name for an id, it is bad usage."""
    for usage in (("forget",), ("forget", "--user", "ana"), ("audit", "--user", "@ana")):
        assert (await purser(*usage, cwd=tmp_path)).code == 2


async def test_the_days_are_signed_anew_by_another_key(postgres: Postgres) -> None:
    """Once all of it holds by the key before, each day's end is signed by the new one, and a record says so; else nothing is."""
    first, second = "1" * 32, "2" * 32
    bare = SecretStr(postgres.clean())
    for n, url in enumerate([bare, keyed(bare, first)]):
        async with beside(url) as store:
            tx = Transaction()
            record(tx, Record("T1", "C1", "U1", "", "set", "model"), at=NOON + n * DAY)
            await store.commit(tx)

    async def signed(now: str, before: str) -> tuple[int, int]:
        code = await resign(keyed(bare, now), io.StringIO(), before=before, now=lambda: NOON + DAY)
        return code, await prove(keyed(bare, now), io.StringIO(), head=None)

    assert await signed(first, "") == (0, 0)  # as when AUDIT_KEY is set for the first time
    assert await signed(second, "3" * 32) == (1, 1)
    assert await signed(second, first) == (0, 0)
    async with beside(keyed(bare, second)) as store:
        found = [row async for row in Audit(store).find(Wanted(subject="audit_key"))]
    assert [row["outcome"] for row in found] == ["signed", "signed"]


async def test_who_does_not_know_the_key_may_write_beside(postgres: Postgres) -> None:
    """While a process without it writes beside one with it, days look strange; once it has ended, they are signed anew."""
    bare = SecretStr(postgres.clean())
    ours = keyed(bare, "1" * 32)

    async def written(url: SecretStr, day: int) -> int:
        async with beside(url) as store:
            await kept(store, at=NOON + day * DAY)
        return await prove(ours, io.StringIO(), head=None)

    assert [await written(url, 0) for url in (bare, ours, bare)] == [1, 0, 1]
    assert await written(ours, 1) == 1
    assert await resign(ours, io.StringIO(), before="", now=lambda: NOON + DAY) == 0
    assert await written(ours, 1) == 0


async def test_what_nobody_looked_through_is_not_signed(postgres: Postgres) -> None:
    """A day that goes on while it is signed, by a process that does not know the key, stays to be signed again."""
    bare = SecretStr(postgres.clean())
    ours = keyed(bare, "1" * 32)

    async def written() -> None:
        async with beside(bare) as store:
            await kept(store)

    await written()
    async with beside(bare) as store:
        proof = await Audit(store).verify()
    async with beside(ours) as store:
        wrong = await Audit(Between(store, written)).sign(proof, at=NOON + DAY)

    assert wrong == []
    assert await prove(ours, io.StringIO(), head=None) == 1


async def test_the_databases_own_key_is_meant_whatever_a_session_brings(
    postgres: Postgres, tmp_path: Path
) -> None:
    """Where PGOPTIONS bring the new key along, as the first release had it, days before it are proved without it."""
    url, key = postgres.clean(), "1" * 32
    async with beside(SecretStr(url)) as store:
        await kept(store)
    env = {"DATABASE_URL": url, "AUDIT_KEY": key, "PGOPTIONS": f"-c purser.audit_key={key}"}
    ran = await purser("audit", "sign", cwd=tmp_path, env=env)

    assert (ran.out, ran.code) == ("1 chains are signed by the key in use.\n", 0)


async def test_without_a_key_nothing_is_signed_anew(postgres: Postgres) -> None:
    """Where none is set, or a pooler drops it, nobody is told that days are signed by it."""
    with pytest.raises(StoreDown, match="set AUDIT_KEY"):
        await resign(SecretStr(postgres.clean()), io.StringIO(), before="", now=lambda: NOON)


async def test_a_key_that_a_pooler_drops_signs_nothing(postgres: Postgres) -> None:
    """Whether the key before did not come along or the one in use, that is said, and days stay signed as they are."""
    first, second = "1" * 32, "2" * 32
    bare = postgres.clean()
    async with beside(SecretStr(bare)) as store:
        await kept(store)
    async with dropping(bare) as pooled:
        for before, says in ((first, "the key before did not come"), ("", "no key came")):
            with pytest.raises(StoreDown, match=says):
                await resign(
                    keyed(SecretStr(pooled), second), io.StringIO(), before=before, now=lambda: NOON
                )

    assert await prove(SecretStr(bare), io.StringIO(), head=None) == 0


async def test_who_goes_back_to_the_databases_own_key_names_the_one_before(
    postgres: Postgres,
) -> None:
    """Without AUDIT_KEY days that were signed by it are signed by the database's own; a key that is set has to come along."""
    first, bare = "1" * 32, SecretStr(postgres.clean())
    async with beside(keyed(bare, first)) as store:
        await kept(store)
    dropped = SecretStr(
        keyed(bare, first).get_secret_value() + "%20-c%20purser.audit_key%3D"
    )  # as a pooler of its sessions would
    with pytest.raises(StoreDown, match="no key came"):
        await resign(dropped, io.StringIO(), before=first, now=lambda: NOON)
    code = await resign(bare, io.StringIO(), before=first, now=lambda: NOON)

    assert (code, await prove(bare, io.StringIO(), head=None)) == (0, 0)


async def test_a_file_is_not_signed_anew(store: SqliteStore, tmp_path: Path) -> None:
    """Its key lies beside it, and there is no other one to go over to."""
    ran = await purser("audit", "sign", cwd=tmp_path)

    assert (ran.code, "lies beside it" in ran.err) == (2, True)
