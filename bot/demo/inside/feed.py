"""Looks at the sources ten times a second while somebody watches, and tells every viewer what has changed.

A viewer gets one snapshot, then changes in order. Lists in both are rows by `id`: a row that comes again replaces
the one before it.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Iterable

from bot.demo.inside.account import Account
from bot.demo.inside.botfile import ASKS, BotFile, Kept
from bot.demo.inside.links import NOBODY, Links
from bot.demo.inside.pages import Pages
from bot.demo.inside.redaction import Redaction
from bot.demo.inside.sources import Json, Sources
from bot.demo.inside.story import leased_at, story
from bot.demo.inside.strangers import whole
from bot.demo.inside.switches import Switches
from bot.demo.inside.tickets import Tickets
from bot.demo.inside.wire import Line, Wire
from bot.demo.slack.world import Channel

LOOK_SECONDS = 0.1  # between two looks
RECENT_SECONDS = 60.0  # so long it is still found out whose a message is
RECENT = 2_000  # messages for which it is, at most
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
        self._now = now
        self._wire = Wire.of(sources, now=now)
        self._file = BotFile(sources.database)
        self._links = Links()
        self._account = Account(sources.budget)
        self._tickets = Tickets(sources.jira) if sources.jira else None
        self._pages = Pages(sources.web)
        self._shown = Redaction(sources.secrets())
        self._own: dict[str, dict[int, Line]] = {}
        self._leases: dict[str, dict[int, float]] = {}
        self._stories: dict[str, Json] = {}
        self._rows: dict[str, dict[str, Json]] = {"tickets": {}, "pages": {}}
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
                "lines": [self._line(line) for line in self._wire.lines],
                "asks": list(self._stories.values()),
                "entries": list(self._account.entries.values()),
                "tickets": list(self._rows["tickets"].values()) if self._tickets else None,
                "pages": list(self._rows["pages"].values()),
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
        learned = reading.asks if reading else ()
        for kept in learned:
            self._learn(kept)
        touched = {kept.id for kept in learned} | {line.ask for line in new}
        moved = self._place([*new, *self._recent()], touched)
        lines = {line.id: line for line in (*new, *moved)}
        rows = {
            "lines": [self._line(line) for _, line in sorted(lines.items())],
            "asks": self._tell(touched),
            "entries": self._account.book(reading, self._shown) if reading else [],
            "tickets": self._remember("tickets", self._tickets.changes() if self._tickets else []),
            "pages": self._remember("pages", self._pages.changes()),
        }
        whole = {"sums": self._account.sums, "troubles": self._switches.wire(), **self._stage()}
        changed = {name: value for name, value in whole.items() if self._last.get(name) != value}
        self._last.update(changed)
        return {**{name: found for name, found in rows.items() if found}, **changed}

    def _learn(self, kept: Kept) -> None:
        self._links.learn(kept)
        if attempt := kept.ask["attempt"]:
            self._leases.setdefault(kept.id, {}).setdefault(attempt, leased_at(kept.ask))
        while len(self._links.asks) > ASKS:
            oldest = min(self._links.asks.values(), key=lambda known: known.ask["at"])
            self._links.forget(oldest.id)
            for kept_elsewhere in (self._own, self._leases, self._stories):
                kept_elsewhere.pop(oldest.id, None)

    def _recent(self) -> list[Line]:
        """Messages young enough that it may still be found out whose they are."""
        since, found = self._now() - RECENT_SECONDS, list[Line]()
        for line in reversed(self._wire.lines):
            if line.at < since or len(found) >= RECENT:
                break
            found.append(line)
        return found

    def _place(self, lines: Iterable[Line], touched: set[str]) -> list[Line]:
        """Find out whose messages are; those that found another place."""
        moved: list[Line] = []
        for line in lines:
            place = self._links.place(line)
            if place == (line.ask, line.step) or (place == NOBODY and line.ask not in self._own):
                continue
            if line.ask:
                self._own[line.ask].pop(line.id, None)
            touched |= {line.ask, place[0]}
            line.ask, line.step = place
            if line.ask:
                self._own.setdefault(line.ask, {})[line.id] = line
            moved.append(line)
        return moved

    def _tell(self, touched: Iterable[str]) -> list[Json]:
        """The stories that have changed, the oldest ask first."""
        told: list[Json] = []
        for ask in touched:
            kept = self._links.asks.get(ask)
            if kept is None:
                continue
            own = self._own.get(ask, {})
            for number in [number for number in own if self._wire.line(number) is None]:
                del own[number]
            lines = [line for _, line in sorted(own.items())]
            tale = self._shown(story(kept, lines, self._leases.get(ask, {})))
            if self._stories.get(ask) != tale:
                self._stories[ask] = tale
                told.append(tale)
        return sorted(told, key=lambda tale: tale["at"])

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
        return {"people": people, "channels": channels, "real": real, "connections": connections}

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
