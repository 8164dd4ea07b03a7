"""The books filling: the newest rows of the ledger, and every channel's sum against its budget."""

from collections.abc import Callable
from decimal import Decimal

from bot.demo.inside.botfile import ENTRIES, Reading, Row
from bot.demo.inside.sources import Json
from bot.demo.inside.story import TOKENS
from bot.prices import dollars


class Account:
    """Keeps what the page shows of the books.

    Args:
        budget: a channel's monthly budget in US dollars; "" is the whole workspace.

    Attributes:
        entries: the newest rows, oldest first.
        sums: by channel, the workspace first with "" for its channel.
    """

    def __init__(self, budget: Callable[[str], Decimal]) -> None:
        self._budget = budget
        self.entries: dict[str, Json] = {}
        self.sums: list[Json] = []

    def book(self, reading: Reading) -> list[Json]:
        """Take in what was read; the rows that are new or other than they were."""
        changed: list[Json] = []
        for row in reading.entries:
            entry = _entry(row)
            if self.entries.get(entry["id"]) != entry:
                self.entries[entry["id"]] = entry
                changed.append(entry)
        while len(self.entries) > ENTRIES:
            del self.entries[next(iter(self.entries))]
        self.sums = self._sums(reading)
        return changed

    def _sums(self, reading: Reading) -> list[Json]:
        every = {
            "month": next((row["month"] for row in reading.sums), ""),
            "channel": "",
            "spent": sum(row["spent"] for row in reading.sums),
            "reserved": sum(row["reserved"] for row in reading.sums),
        }
        return [self._sum(row) for row in (every, *reading.sums) if row["channel"] or row is every]

    def _sum(self, row: Row) -> Json:
        return {
            "channel": row["channel"],
            "month": row["month"],
            "spent": str(dollars(row["spent"])),
            "reserved": str(dollars(row["reserved"])),
            "budget": str(self._budget(row["channel"])),
        }


def _entry(row: Row) -> Json:
    cost = row["cost_picos"]
    return {
        "id": row["entry_id"],
        "ask": row["ask_id"] or "",
        "at": row["at"],
        "channel": row["channel"] or "",
        "user": row["user"] or "",
        "feature": row["feature"] or "",
        "purpose": row["purpose"],
        "model": row["model"],
        "tokens": {kind: row[column] for kind, column in TOKENS.items()},
        "stop_reason": row["stop_reason"] or "",
        "billed": bool(row["billed"]),
        "cost": None if cost is None else str(dollars(cost)),
        "ttft_ms": row["ttft_ms"],
        "latency_ms": row["latency_ms"],
        "status": row["status"],
    }
