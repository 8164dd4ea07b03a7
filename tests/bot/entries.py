"""Rows of the books for tests."""

import itertools
from decimal import Decimal
from typing import Any

from bot.ledger import Entry, Ledger
from bot.store import Store, Transaction

NOVEMBER = 1_795_000_000.0  # seconds; 2026-11-18, a Wednesday
_numbers = itertools.count(1)


def entry(**changes: Any) -> Entry:
    """A settled answer in C1 for U1; every call makes another row."""
    n = next(_numbers)
    values: dict[str, Any] = {
        "entry_id": f"msg_{n:06d}:0",
        "message_id": f"msg_{n:06d}",
        "iteration": 0,
        "ask_id": f"ask{n:06d}",
        "at": NOVEMBER,
        "team": "T1",
        "channel": "C1",
        "user": "U1",
        "thread": "1.0",
        "feature": "chat",
        "purpose": "answer",
        "model": "claude-sonnet-5-5",
        "prompt_version": "p1",
        "input_tokens": 1_000,
        "cache_write_5m_tokens": 0,
        "cache_write_1h_tokens": 0,
        "cache_read_tokens": 0,
        "output_tokens": 100,
        "thinking_tokens": 0,
        "service_tier": "standard",
        "speed": "standard",
        "inference_geo": "",
        "stop_reason": "end_turn",
        "refusal_category": None,
        "billed": True,
        "cost": Decimal("0.003"),
        "price_version": "genai-prices 0.2.3",
        "request_id": f"req_{n}",
        "ttft_ms": 200,
        "latency_ms": 900,
        "status": "settled",
    }
    return Entry(**{**values, **changes})


def warm(**changes: Any) -> Entry:
    """A call that only keeps a cache warm: nobody's."""
    values: dict[str, Any] = dict.fromkeys(("ask_id", "channel", "user", "feature", "thread"))
    return entry(**{**values, "purpose": "warm", "output_tokens": 0, **changes})


async def book(store: Store, ledger: Ledger, *entries: Entry) -> None:
    """Book rows as a turn does."""
    tx = Transaction()
    for one in entries:
        ledger.book(tx, one)
    await store.commit(tx)
