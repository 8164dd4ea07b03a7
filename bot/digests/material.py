"""What Claude is given for a digest: all of it is read before, since a batch asks for nothing.

Tickets are read by the tools that Claude itself has, with their rights, their time and their marks around data;
threads are those of the digest's own channel, with their secrets hidden.
"""

import json
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from bot.answer import Event, ToolEnded
from bot.ask import Ask, Lease, Said
from bot.conversation import note
from bot.digests.kept import LEAD_SECONDS, Digest
from bot.digests.subject import looks, reads
from bot.documents import discreet
from bot.errors import ToolProblem
from bot.labels import said_before, text, unbounded
from bot.prompts import untagged
from bot.redaction import redacted
from bot.tools.searches import NO_TICKET
from bot.turn import Brief, Rooms
from bot.turn.tools import run_tools

Block = dict[str, Any]

CHARS = 200_000  # at most: half of what the quick model reads at its lower price
LEFT_OUT = "[what was read beyond this is left out: it is too long for a digest]"
NONE_FOUND = "No ticket that this channel may see is in it now."
NOTHING_SAID = "In the threads of this channel nothing was said since {since}."


@dataclass(frozen=True, slots=True)
class Talk:
    """Messages that belong together; `link` leads to the first of them, "" where nothing is known that does."""

    said: Sequence[Said]
    link: str = ""


Lately = Callable[[Ask, float], Awaitable[Sequence[Talk]]]
"""The threads of an ask's channel that began since a moment; raises ToolProblem where they cannot be read."""


class Material:
    """Reads what digests are about.

    Args:
        rooms: tools, and the journal that remembers what they gave.
        zone: whose days count.
        lately: reads the threads of a channel.
    """

    def __init__(self, rooms: Rooms, *, zone: tzinfo, lately: Lately) -> None:
        self._rooms, self._zone, self._lately = rooms, zone, lately

    async def read(
        self, lease: Lease, digest: Digest, brief: Brief, known: Mapping[str, Any]
    ) -> list[Block]:
        """What the digest is about, and all that Claude is to know, as blocks.

        Args:
            lease: the digest's ask.
            digest: what is wanted.
            brief: by whose rules it is read.
            known: what tools gave for it before, by use id.

        Raises:
            ToolProblem: there is nothing to write about; the sentence says why.
            LeaseLost: another worker has this ask.
            StoreDown: what was read could not be journalled.
        """
        due = datetime.fromtimestamp(lease.ask.at, self._zone).date()
        last = due - timedelta(days=digest.cadence.days_since_the_last(due))
        about = (
            f"The digest of {untagged(digest.subject.told)}. Today is {due:%A, %d %B %Y}; the last digest was on "
            f"{last:%A, %d %B}."
        )
        if digest.subject.kind == "channel":
            parts = await self._threads(lease.ask, digest, last, brief)
        else:
            parts = await self._tickets(lease, digest, brief, known, last, (due - last).days)
        return [note(redacted(about, brief.rules.redact)), *_fitting(parts)]

    async def _tickets(
        self,
        lease: Lease,
        digest: Digest,
        brief: Brief,
        known: Mapping[str, Any],
        last: date,
        days: int,
    ) -> list[list[Block]]:
        """What is listed, then a closer look at what changed last."""
        well = {use: block for use, block in known.items() if not block.get("is_error")}

        def hear(event: Event) -> None:
            if isinstance(event, ToolEnded):
                self._rooms.metrics.tool(event.name, event.outcome)

        async def run(uses: Sequence[Mapping[str, Any]]) -> list[Block]:
            return await run_tools(self._rooms, lease, brief, uses, given=(), known=well, tell=hear)

        first = reads(digest.subject, days)
        results = await run(first)
        if all(block.get("is_error") for block in results):
            raise ToolProblem(words(results[0]))
        if digest.subject.kind == "query" and words(results[0]) == NO_TICKET:
            raise ToolProblem(NONE_FOUND)
        closer = looks(map(words, results), last) if digest.subject.kind != "tickets" else []
        results += await run(closer)
        uses = zip([*first, *closer], results, strict=True)
        return [_told(use, block, brief.rules.redact) for use, block in uses]

    async def _threads(
        self, ask: Ask, digest: Digest, last: date, brief: Brief
    ) -> list[list[Block]]:
        """The threads of the channel that began since the last digest was read, at the earliest; the newest first."""
        hour = time(digest.cadence.hour, digest.cadence.minute)
        before = datetime.combine(last, hour, self._zone).timestamp()
        threads = await self._lately(ask, before - LEAD_SECONDS)
        if not threads:
            raise ToolProblem(NOTHING_SAID.format(since=f"{last:%d %B}"))
        parts: list[list[Block]] = []
        for talk in threads:
            safe = await discreet(talk.said, brief.rules.redact)
            head = f"A thread at {talk.link}:" if talk.link else "A thread:"
            parts.append([note(head), *said_before(safe)[0]])
        return parts


def _told(
    use: Mapping[str, Any], block: Mapping[str, Any], names: Collection[str] | None
) -> list[Block]:
    """What a tool gave, or why it gave nothing, under the words by which it was asked, their secrets hidden."""
    asked = redacted(json.dumps(use["input"], ensure_ascii=False), names)
    failed = " (it failed)" if block.get("is_error") else ""
    head = note(untagged(f"{use['name']} {asked}{failed}:"))
    return [head, *(part for part in block["content"] if part["type"] == "text")]


def words(block: Mapping[str, Any]) -> str:
    """What a tool gave, without the marks around it."""
    return unbounded("\n".join(str(p["text"]) for p in block["content"] if p["type"] == "text"))


def _fitting(parts: Iterable[Sequence[Block]]) -> Iterator[Block]:
    """Whole parts, as many as a digest needs at most."""
    room = CHARS
    for part in parts:
        room -= sum(len(block["text"]) for block in part)
        if room < 0:
            yield text(LEFT_OUT)
            return
        yield from part
