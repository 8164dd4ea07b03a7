"""What is known of asks beside their cost: whether people liked the answer, where it stands, why a cache was missed.

Read only, from what the inbox and the journal keep; what retention has removed is not known any more.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from bot.ask import Ask
from bot.store import Store

Thumb = Literal["good", "bad"]
NO_CAUSES = frozenset({"previous_message_not_found", "unavailable"})  # Claude does not know either


@dataclass(frozen=True, slots=True)
class Cold:
    """A response that found nothing in cache, and wrote the beginning that others share.

    Attributes:
        entry_id: its row of the books.
        head: what it shares with others: its model, and the version of the prompts.
        left: when it was asked for, in epoch seconds.
        begun: when it began; from then on others read what it wrote.
    """

    entry_id: str
    head: tuple[str, str]
    left: float
    begun: float


@dataclass(frozen=True, slots=True)
class Followed:
    """An ask that was answered: when it was asked, and when its last request left, in epoch seconds.

    Attributes:
        thread: in which, "" where the answer opened none.
        calls: of Claude, until it was answered.
    """

    team: str
    channel: str
    thread: str
    feature: str
    asked: float
    sent: float
    calls: int


class Hindsight:
    """Looks back at asks.

    Args:
        store: where the inbox and the journal lie.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def thumbs(self, *, since: float, channel: str | None) -> dict[str, Thumb]:
        """What people said of answers, by ask: a person's last word counts, and one "bad" is enough.

        Args:
            since: epoch seconds; of asks that are older nothing is wanted.
            channel: of this one only; None is all.
        """
        last: dict[tuple[str, str], str] = {}
        for row in await self._store.read("hindsight.thumbs", since=since, channel=channel):
            last[row["ask_id"], row["user"]] = row["text"]
        found: dict[str, Thumb] = {}
        for (ask_id, _), said in last.items():
            found[ask_id] = "bad" if said == "bad" or found.get(ask_id) == "bad" else "good"
        return found

    async def causes(self, asks: Collection[str]) -> dict[str, str]:
        """Why responses of these asks missed the cache, by message id; who is not named is not known."""
        if not asks:
            return {}
        rows = await self._store.read("hindsight.causes", asks=json.dumps(sorted(asks)))
        return {row["message_id"]: row["cause"] for row in rows if row["cause"] not in NO_CAUSES}

    async def sections(self, asks: Collection[str]) -> dict[str, str]:
        """What the requests of these asks began with, by message id, as `Sections` reads it; of others it is not known."""
        if not asks:
            return {}
        rows = await self._store.read("hindsight.sections", asks=json.dumps(sorted(asks)))
        return {row["message_id"]: row["sections"] for row in rows}

    async def cold(self, *, since: float, until: float) -> list[Cold]:
        """Responses of a span of time (epoch seconds, `until` excluded) that found nothing in cache, in all channels."""
        rows = await self._store.read("hindsight.cold", since=since, until=until)
        return [
            Cold(
                entry_id=row["entry_id"],
                head=(row["model"], row["prompt_version"]),
                left=row["at"] - (row["latency_ms"] or 0) / 1000,
                begun=row["at"] - ((row["latency_ms"] or 0) - (row["ttft_ms"] or 0)) / 1000,
            )
            for row in rows
        ]

    async def followed(self, *, since: float, most: int) -> list[Followed]:
        """The latest asks since a time (epoch seconds), so many at most, the oldest first."""
        rows = await self._store.read("hindsight.followed", since=since, most=most)
        return [
            Followed(
                team=row["team"] or "",
                channel=row["channel"] or "",
                thread=row["thread"] or "",
                feature=row["feature"] or "",
                asked=row["asked"],
                sent=row["sent"],
                calls=row["calls"],
            )
            for row in reversed(rows)
        ]

    async def place(self, ask_id: str) -> tuple[str, str] | None:
        """Channel and ts of the first message of an answer, None where it is not known."""
        rows = await self._store.read("hindsight.place", ask_id=ask_id)
        return (rows[0]["channel"], rows[0]["ts"]) if rows else None

    async def ask(self, ask_id: str) -> Ask | None:
        """What was asked, None where it is not known."""
        rows = await self._store.read("hindsight.ask", ask_id=ask_id)
        return Ask.from_json(json.loads(rows[0]["body"])) if rows else None
