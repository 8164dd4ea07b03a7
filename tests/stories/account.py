"""The account's own record of what Claude served, against the books: the same rows, the same tokens, the same bill."""

from collections.abc import Mapping
from typing import Any

from bot.demo.claude.record import Served
from tests.stories.world import Row, World

PRICES = {  # pico-dollars a token: input, written for 5 minutes, written for an hour, read from cache, output
    "claude-sonnet-5-5": (2_000_000, 2_500_000, 4_000_000, 100_000, 10_000_000),
    "claude-haiku-5-5": (100_000, 125_000, 200_000, 10_000, 500_000),
    "claude-opus-5": (5_000_000, 6_250_000, 10_000_000, 500_000, 25_000_000),
}
"""From https://platform.claude.com/docs/en/about-claude/pricing, November 2026; by hand, so that it may differ."""


def assert_balanced(world: World) -> None:
    """What was served whole is booked once as it was; what broke off is booked as unconfirmed, never too low."""
    served = {one.message_id: one for one in world.claude.served}
    rows = world.books()
    settled = [row for row in rows if row["status"] == "settled"]
    broken = [row for row in rows if row["status"] == "unconfirmed" and row["message_id"]]

    whole = {m: _as_served(one) for m, one in served.items() if one.complete}
    assert {row["message_id"]: _as_booked(row) for row in settled} == whole
    assert len(settled) == len(whole)
    assert {row["message_id"] for row in broken} == served.keys() - whole.keys()
    assert len(broken) == len(served) - len(whole)
    assert [row for row in broken if row["cost_picos"] < _cost(served[row["message_id"]])] == []


def assert_paid_once(world: World) -> None:
    """No request that was answered whole was ever sent again."""
    whole = [repr((e.body["model"], e.body["messages"])) for e in world.asked if e.state == "done"]

    assert len(whole) == len(set(whole))


def _as_booked(row: Row) -> tuple[Any, ...]:
    tokens = (
        row["input_tokens"],
        row["cache_write_5m_tokens"],
        row["cache_write_1h_tokens"],
        row["cache_read_tokens"],
        row["output_tokens"],
    )
    return tokens, row["model"], bool(row["billed"]), row["cost_picos"]


def _as_served(one: Served) -> tuple[Any, ...]:
    return _tokens(one.usage), one.model, one.billed, _cost(one) if one.billed else 0


def _cost(one: Served) -> int:
    whole = sum(n * p for n, p in zip(_tokens(one.usage), PRICES[one.model], strict=True))
    return whole // 2 if one.usage["service_tier"] == "batch" else whole


def _tokens(usage: Mapping[str, Any]) -> tuple[int, ...]:
    written = usage["cache_creation"]
    return (
        usage["input_tokens"],
        written["ephemeral_5m_input_tokens"],
        written["ephemeral_1h_input_tokens"],
        usage["cache_read_input_tokens"],
        usage["output_tokens"],
    )
