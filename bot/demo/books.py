"""Half a year of books, made up: so that reports, charts and the home tab of the page have something to show.

Seeded, so that every demo of a day has the same. Each row says that it is made up (`prompt_version`, `request_id`).
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.ledger import Entry, Ledger
from bot.prices import dollars, price
from bot.store import Transaction
from bot.store.sqlite import SqliteStore
from bot.usage import Usage

DAYS = 183
MADE_UP = "made up"
TOLD = (
    "Half a year of Purser's books in this demo is made up, so that there is something to see: "
    "try `/cost`, or open Purser and its Home. What you ask from here on is really booked."
)
SEED = 6
ROWS = 500  # of one transaction
PEOPLE = ("U0ANA", "U0ANA", "U0BEN", "U0BEN", "U0CHI", "U0MAYA", "U0ADMIN")


@dataclass(frozen=True, slots=True)
class Habit:
    """What is asked in a channel: how often on a weekday, and of which features."""

    channel: str
    asks: int
    features: tuple[str, ...]


HABITS = (
    Habit("C0SHOPDEV", 5, ("chat", "chat", "review", "review", "summarize")),
    Habit("C0PAYMENTS", 3, ("chat", "chat", "review", "summarize")),
    Habit("C0LEADS", 1, ("summarize", "chat")),
)
SIZES = {  # tokens: written to cache and answered at most, by feature
    "chat": (12_000, 2_400),
    "review": (48_000, 6_000),
    "summarize": (24_000, 1_800),
}
MODELS = {"chat": "claude-sonnet-5-5", "review": "claude-sonnet-5-5"}
QUICK, DEEP = "claude-haiku-5-5", "claude-opus-5-5"


async def fill(path: Path, *, team: str, now: Callable[[], float]) -> int:
    """Make a database with half a year of books until now; how many rows it has.

    Args:
        path: where there is none yet.
        team: the workspace.
        now: seconds since the epoch.
    """
    store = await SqliteStore.open(path, serve=True)
    try:
        ledger = Ledger(store, zone=UTC, now=now)
        entries = list(rows(team, now()))
        for n in range(0, len(entries), ROWS):
            tx = Transaction()
            for entry in entries[n : n + ROWS]:
                ledger.book(tx, entry)
            await store.commit(tx)
        return len(entries)
    finally:
        await store.close()


def rows(team: str, now: float) -> Iterator[Entry]:
    """Rows of half a year: quiet weekends, slow growth, and now and then a wild day."""
    rng = random.Random(SEED)
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    number = 0
    for n in range(DAYS + 1):
        day = today - timedelta(days=DAYS - n)
        share = (0.15 if day.weekday() > 4 else 1.0) * (0.8 + n / 600)
        wild = 3.0 if rng.random() < 0.03 else 1.0
        for habit in HABITS:
            for _ in range(round(habit.asks * share * wild * rng.uniform(0.6, 1.4))):
                number += 1
                at = day.timestamp() + rng.uniform(8, 18) * 3600
                yield from (e for e in _ask(rng, habit, number, at, team) if e.at < now)


def _ask(rng: random.Random, habit: Habit, number: int, at: float, team: str) -> Iterator[Entry]:
    """The calls of one ask: the first writes to the cache, the others read it, or now and then do not."""
    feature = rng.choice(habit.features)
    model = DEEP if rng.random() < 0.04 else MODELS.get(feature, QUICK)
    written, said = SIZES[feature]
    user, kept = rng.choice(PEOPLE), 5_600
    for n in range(rng.choice((1, 1, 2, 3))):
        more = rng.randrange(written // 3, written)
        read = 0 if n and rng.random() < 0.06 else kept
        usage = Usage(
            input_tokens=rng.randrange(40, 400),
            cache_write_5m_tokens=more + kept - read,
            cache_read_tokens=read,
            output_tokens=rng.randrange(said // 4, said),
        )
        kept += more
        refused = rng.random() < 0.008
        yield _entry(
            f"made-up-{number:06d}",
            n,
            usage,
            at=at + 20 * n,
            team=team,
            channel=habit.channel,
            user=user,
            feature=feature,
            model=model,
            stop_reason="refusal" if refused else "end_turn",
        )


def _entry(
    ask_id: str,
    n: int,
    usage: Usage,
    *,
    at: float,
    team: str,
    channel: str,
    user: str,
    feature: str,
    model: str,
    stop_reason: str,
) -> Entry:
    cost = price(usage, model=model, at=at)
    return Entry(
        entry_id=f"{ask_id}:{n}",
        message_id=f"{ask_id}:{n}",
        iteration=0,
        ask_id=ask_id,
        at=at,
        team=team,
        channel=channel,
        user=user,
        thread=ask_id,
        feature=feature,
        purpose="answer",
        model=model,
        prompt_version=MADE_UP,
        input_tokens=usage.input_tokens,
        cache_write_5m_tokens=usage.cache_write_5m_tokens,
        cache_write_1h_tokens=0,
        cache_read_tokens=usage.cache_read_tokens,
        output_tokens=usage.output_tokens,
        thinking_tokens=0,
        service_tier="standard",
        speed="standard",
        inference_geo="",
        stop_reason=stop_reason,
        refusal_category=None,
        billed=True,
        cost=dollars(cost.picos) if cost else None,
        price_version=cost.version if cost else None,
        request_id=MADE_UP,
        ttft_ms=400,
        latency_ms=4_000,
        status="settled",
    )
