"""The books at ten rows and at ten million: what a booking costs, and what a month's report costs.

The rows are made in SQL, all in one month, as a workspace of thousands would leave them; then rows are booked and
reports are read through the real ledger.
"""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from statistics import fmean

from benchmarks.targets import Target, quantile
from bot.ledger import Entry, Ledger
from bot.store import Transaction
from bot.store.sqlite import SqliteStore
from bot.sums import By

MONTH = (date(2026, 11, 1), date(2026, 12, 1))
FIRST = datetime(2026, 11, 1, tzinfo=UTC).timestamp()
SECONDS = 30 * 86_400
CHANNELS, PERSONS = 300, 3_000
FEW, MANY, QUICK = 10, 10_000_000, 100_000  # rows
BOOKINGS, READS = 400, 40
REPORT_MS = 50.0  # at p95
SLOWER = 1.5  # times a booking may take among many rows, at the median
SIDES: tuple[By, ...] = ("channel", "feature", "model", "user", "day")

SEED = """
INSERT INTO ledger (entry_id, message_id, iteration, ask_id, at, day, team, channel, user, thread, feature, purpose,
  model, prompt_version, input_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, output_tokens,
  thinking_tokens, service_tier, speed, inference_geo, stop_reason, billed, cost_picos, counted_picos, saved_picos,
  opens, price_version, request_id, ttft_ms, latency_ms, status)
WITH RECURSIVE n (i) AS (SELECT :since UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :until),
  rows AS (SELECT i, i / 2 AS ask, :first + i * (:seconds * 1.0 / :rows) AS at, (i / 2 * 7919) % :persons AS person FROM n)
SELECT printf('msg_%010d:0', i), printf('msg_%010d', i), 0, printf('ask%010d', ask), at, date(at, 'unixepoch'), 'T1',
  printf('C%04d', (person + person % 2 * (ask % 2)) % :channels), printf('U%05d', person), '1.0',
  iif(ask % 7 = 0, 'review', iif(ask % 7 = 1, 'summarize', 'chat')), iif(i % 50 = 0, 'rephrase', 'answer'),
  iif(ask % 7 = 0, 'claude-opus-5-5', 'claude-sonnet-5-5'), 'p1', 900 + i % 500, 0, 0, 8000, 300 + i % 100, 50,
  'standard', 'standard', '', 'end_turn', 1, 5000000000 + i % 1000, 5000000000 + i % 1000, 15000000000,
  iif(i % 2 = 0, 2, 0), 'genai-prices 0.2.3', printf('req_%010d', i), 400, 3000, iif(i % 200 = 0, 'unconfirmed', 'settled')
FROM rows
"""


@dataclass(frozen=True, slots=True)
class Seconds:
    """Of the same work again and again: by the clock, and of processor time, which others' work lengthens less."""

    clock: list[float]
    cpu: list[float]


@dataclass(frozen=True, slots=True)
class Measured:
    """What bookings took, and reads of a month by what they were grouped."""

    rows: int
    bookings: Seconds
    reads: Mapping[str, Seconds]
    rebuilt: float


async def measure(folder: Path, rows: int, say: Callable[[str], None]) -> tuple[Measured, Measured]:
    """Measure books of a few rows, and of so many."""
    measured: list[Measured] = []
    for count in (FEW, rows):
        say(f"{count:,} rows")
        path = folder / f"{count}.db"
        measured.append(await _measured(path, count))
        path.unlink()
    return measured[0], measured[1]


def judged(few: Measured, full: Measured) -> list[Target]:
    """Every target."""
    slower = fmean(full.bookings.cpu) / fmean(few.bookings.cpu)
    worst = max(quantile(one.clock, 0.95) for one in full.reads.values()) * 1000
    cpu = max(quantile(one.cpu, 0.95) for one in full.reads.values()) * 1000
    rows = f"{full.rows:,}"
    return [
        Target(f"a month's report over {rows} rows, p95, ms", worst, REPORT_MS),
        Target("its CPU, p95, ms", cpu, REPORT_MS),
        Target(f"CPU of a booking at row {rows} against row {few.rows}, times", slower, SLOWER),
    ]


async def _measured(path: Path, rows: int) -> Measured:
    store = await SqliteStore.open(path, serve=True)
    await store.close()
    await asyncio.to_thread(_seed, path, rows)
    store = await SqliteStore.open(path, serve=True)
    ledger = Ledger(store, zone=UTC, now=time.time)
    began = time.perf_counter()
    await ledger.rebuild()
    rebuilt = time.perf_counter() - began
    reads = {by: await _timed(READS, lambda _, by=by: ledger.totals(by, *MONTH)) for by in SIDES}
    reads["one channel by day"] = await _timed(
        READS, lambda n: ledger.daily(*MONTH, channel=f"C{n:04d}")
    )

    async def book(n: int) -> None:
        tx = Transaction()
        ledger.book(tx, _entry(n))
        await store.commit(tx)

    bookings = await _timed(BOOKINGS, book)
    await store.close()
    return Measured(rows, bookings, reads, rebuilt)


async def _timed(times: int, work: Callable[[int], Awaitable[object]]) -> Seconds:
    clock, cpu = list[float](), list[float]()
    for n in range(times):
        began, used = time.perf_counter(), time.process_time()
        await work(n)
        clock.append(time.perf_counter() - began)
        cpu.append(time.process_time() - used)
    return Seconds(clock, cpu)


def _seed(path: Path, rows: int) -> None:
    """Fill the books at once: without triggers, and with the indexes made afterwards."""
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("PRAGMA journal_mode=OFF")
        file.execute("PRAGMA synchronous=OFF")
        later = [
            (kind, name, sql)
            for kind, name, sql in file.execute(
                "SELECT type, name, sql FROM sqlite_master"
                " WHERE tbl_name = 'ledger' AND type IN ('trigger', 'index') AND sql IS NOT NULL"
            ).fetchall()
        ]
        for kind, name, _ in later:
            file.execute(f"DROP {kind} {name}")
        file.execute(
            SEED,
            {
                "since": 0,
                "until": rows,
                "rows": rows,
                "first": FIRST,
                "seconds": SECONDS,
                "persons": PERSONS,
                "channels": CHANNELS,
            },
        )
        for _, _, sql in later:
            file.execute(sql)


def _entry(n: int) -> Entry:
    """One more row, of a channel, a person and an ask among the others."""
    return Entry(
        entry_id=f"msg_new{n:06d}:0",
        message_id=f"msg_new{n:06d}",
        iteration=0,
        ask_id=f"asknew{n:06d}",
        at=FIRST + SECONDS / 2 + n,
        team="T1",
        channel=f"C{n % CHANNELS:04d}",
        user=f"U{n * 7 % PERSONS:05d}",
        thread="1.0",
        feature="chat",
        purpose="answer",
        model="claude-sonnet-5-5",
        prompt_version="p1",
        input_tokens=1_000,
        cache_write_5m_tokens=0,
        cache_write_1h_tokens=0,
        cache_read_tokens=8_000,
        output_tokens=300,
        thinking_tokens=50,
        service_tier="standard",
        speed="standard",
        inference_geo="",
        stop_reason="end_turn",
        refusal_category=None,
        billed=True,
        cost=Decimal("0.0058"),
        price_version="genai-prices 0.2.3",
        request_id=f"req_new{n:06d}",
        ttft_ms=400,
        latency_ms=3_000,
        status="settled",
    )


def table(few: Measured, full: Measured) -> str:
    """Both sizes side by side."""
    lines = [
        f"| ms: p50, p95, CPU | {few.rows:,} rows | {full.rows:,} rows |",
        "| --- | --- | --- |",
        f"| a booking, on disk | {_told(few.bookings)} | {_told(full.bookings)} |",
    ]
    for name, seconds in few.reads.items():
        shown = name if name.startswith("one ") else f"a month by {name}"
        lines.append(f"| {shown} | {_told(seconds)} | {_told(full.reads[name])} |")
    lines.append(f"| all sums rebuilt, s | {few.rebuilt:.1f} | {full.rebuilt:.1f} |")
    return "\n".join(lines)


def _told(seconds: Seconds) -> str:
    p50, p95 = (quantile(seconds.clock, share) * 1000 for share in (0.5, 0.95))
    return f"{p50:.1f}, {p95:.1f}, {fmean(seconds.cpu) * 1000:.1f}"
