"""Looks at the sources ten times a second while somebody watches, and tells every viewer what has changed.

A viewer gets one snapshot, then changes in order. Lists in both are rows by `id`: a row that comes again replaces
the one before it.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from bot.demo.inside.account import Account
from bot.demo.inside.botfile import BotFile
from bot.demo.inside.pages import Pages
from bot.demo.inside.redaction import Redaction
from bot.demo.inside.sources import Json, Sources
from bot.demo.inside.strangers import whole
from bot.demo.inside.switches import Switches
from bot.demo.inside.tickets import Tickets
from bot.demo.inside.ways import SLICE, Ways
from bot.demo.inside.wire import Line, Wire
from bot.demo.slack.world import Channel

LOOK_SECONDS = 0.1  # between two looks
BEHIND = 200  # frames that a viewer may be behind; then it gets a new snapshot


class Viewer:
    """One page that watches: the frames it has still to be sent."""

    def __init__(self) -> None:
        self._frames: deque[str] = deque()
        self._more = asyncio.Event()
        self.lost = True  # at first, and when too much was waiting: the next frame is a snapshot

    def tell(self, frame: str) -> None:
        """One more frame to send."""
        if len(self._frames) >= BEHIND:
            self._frames.clear()
            self.lost = True
        if not self.lost:
            self._frames.append(frame)
        self._more.set()

    async def next(self) -> str | None:
        """The next frame; None where a new snapshot is due instead."""
        while not self._frames and not self.lost:
            self._more.clear()
            await self._more.wait()
        if self.lost:
            self.lost = False
            return None
        return self._frames.popleft()


class Feed:
    """What is seen, as JSON; lives as long as somebody watches.

    Args:
        sources: where it is seen.
        switches: the troubles; they outlive a feed.
        now: seconds since the epoch.
    """

    def __init__(self, sources: Sources, switches: Switches, *, now: Callable[[], float]) -> None:
        self._sources = sources
        self._switches = switches
        self._wire = Wire.of(sources, now=now)
        self._file = BotFile(sources.database)
        self._account = Account(sources.budget)
        self._tickets = Tickets(sources.jira) if sources.jira else None
        self._pages = Pages(sources.web)
        self._shown = Redaction(sources.secrets())
        self._ways = Ways(self._wire, self._shown, now=now)
        self._rows: dict[str, dict[Any, Json]] = {"lines": {}, "tickets": {}, "pages": {}}
        self._last: Json = {}
        self._viewers: set[Viewer] = set()
        self._looking: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    async def open(self) -> None:
        """Look for the first time, and go on looking."""
        await self._look()
        self._looking = asyncio.create_task(self._go_on())

    async def close(self) -> None:
        """Look no more."""
        self._closing.set()
        if self._looking is not None:
            await self._looking
        self._wire.close()
        await self._file.close()

    def join(self, viewer: Viewer) -> None:
        """Tell a viewer from now on, too."""
        self._viewers.add(viewer)

    def leave(self, viewer: Viewer) -> bool:
        """Tell a viewer no more; True when nobody is left."""
        self._viewers.discard(viewer)
        return not self._viewers

    def message(self, number: int) -> Json | None:
        """One wire message whole, without credentials; None where it is not kept."""
        line = self._wire.line(number)
        return (
            None if line is None else {**self._line(line), "whole": self._shown(whole(line.record))}
        )

    def ticket(self, key: str) -> Json | None:
        """One ticket whole."""
        return self._shown(self._tickets.whole(key)) if self._tickets else None

    def page(self, path: str) -> Json | None:
        """One page of the small web whole."""
        return self._shown(self._pages.whole(path))

    def turn(self, name: str, *, on: bool) -> None:
        """Switch a trouble."""
        self._switches.turn(name, on=on)

    def snapshot(self) -> str:
        """Everything as it is now."""
        return _frame(
            "snapshot",
            {
                **self._last,
                **{name: list(rows.values()) for name, rows in self._rows.items()},
                "asks": list(self._ways.stories.values()),
                "entries": list(self._account.entries.values()),
            },
        )

    async def _go_on(self) -> None:
        # Never cancelled: a look at the file may be under way in its thread.
        while not await self._closed_within(LOOK_SECONDS):
            changes = await self._look()
            if changes:
                frame = _frame("changes", changes)
                for viewer in self._viewers:
                    viewer.tell(frame)

    async def _closed_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _look(self) -> Json:
        """Look at every source once; what has changed, by the names of the snapshot."""
        reading = await self._file.changes()
        new = self._wire.collect()
        asks, moved = await self._ways.look(reading.asks if reading else (), new)
        rows = {
            "lines": await self._lines({line.id: line for line in (*new, *moved)}),
            "asks": asks,
            "entries": self._account.book(reading) if reading else [],
            "tickets": self._remember("tickets", self._tickets.changes() if self._tickets else []),
            "pages": self._remember("pages", self._pages.changes()),
        }
        whole = {"sums": self._account.sums, "troubles": self._switches.wire(), **self._stage()}
        changed = {name: value for name, value in whole.items() if self._last.get(name) != value}
        self._last.update(changed)
        return {**{name: found for name, found in rows.items() if found}, **changed}

    async def _lines(self, changed: Mapping[int, Line]) -> list[Json]:
        """Messages as they are shown, in their order; those no longer kept are forgotten."""
        shown = self._rows["lines"]
        for n, number in enumerate(sorted(changed)):
            shown[number] = self._line(changed[number])
            if n % SLICE == 0:
                await asyncio.sleep(0)
        for number in list(shown)[: max(0, len(shown) - len(self._wire.lines))]:
            del shown[number]
        return [shown[number] for number in sorted(changed) if number in shown]

    def _remember(self, name: str, changed: list[Json]) -> list[Json]:
        shown = [self._shown(row) for row in changed]
        self._rows[name].update((row["id"], row) for row in shown)
        return shown

    def _stage(self) -> Json:
        """Who and what there is, and whether the bot is there."""
        world, sources = self._sources.slack.world, self._sources
        people = {person.id: person.name for person in world.people.values()}
        channels = {
            channel.id: f"#{channel.name}" if channel.name else f"@{self._partner(channel, people)}"
            for channel in world.channels.values()
        }
        real = [n for n in ("claude", "jira") if getattr(sources, n) is None]
        connections = sources.slack.sockets.count
        return {
            "people": people,
            "channels": channels,
            "real": real,
            "connections": connections,
            "ahead": round(sources.ahead(), 3),
        }

    def _partner(self, channel: Channel, people: dict[str, str]) -> str:
        me = self._sources.slack.bot_user
        return ", ".join(people.get(user, user) for user in sorted(channel.members) if user != me)

    def _line(self, line: Line) -> Json:
        shown = line.wire()
        shown["name"], shown["note"] = (
            self._shown.text(shown["name"]),
            self._shown.text(shown["note"]),
        )
        return shown


def _frame(kind: str, what: Json) -> str:
    return json.dumps({"type": kind, **what}, ensure_ascii=False, separators=(",", ":"))
