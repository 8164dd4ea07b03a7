"""The asks as they are told: each with the wire messages that were found to be its own."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from bot.demo.inside.botfile import ASKS, Kept
from bot.demo.inside.links import NOBODY, Links
from bot.demo.inside.redaction import Redaction
from bot.demo.inside.sources import Json
from bot.demo.inside.story import leased_at, story
from bot.demo.inside.wire import Line, Wire

RECENT_SECONDS = 60.0  # so long it is still found out whose a message is
RECENT = 2_000  # messages for which it is, at most
SLICE = 100  # asks or messages between which others may have their turn


class Ways:
    """Places messages among asks, and tells the asks that this changes.

    Args:
        wire: the messages.
        shown: takes out what is not to be shown.
        now: seconds since the epoch.

    Attributes:
        stories: every ask as it was told last, by id.
    """

    def __init__(self, wire: Wire, shown: Redaction, *, now: Callable[[], float]) -> None:
        self.stories: dict[str, Json] = {}
        self._wire = wire
        self._shown = shown
        self._now = now
        self._links = Links()
        self._own: dict[str, dict[int, Line]] = {}
        self._leases: dict[str, dict[int, float]] = {}

    async def look(
        self, learned: Sequence[Kept], new: Sequence[Line]
    ) -> tuple[list[Json], list[Line]]:
        """Take in what was learned of asks, and new messages.

        Returns:
            The asks that are other than they were, the oldest first, and the older messages that found a new place.
        """
        for kept in learned:
            self._learn(kept)
        touched = {kept.id for kept in learned} | {line.ask for line in new}
        moved: list[Line] = []
        for n, line in enumerate([*new, *self._doubtful(touched)] if learned else new):
            if self._place(line, touched):
                moved.append(line)
            if n % SLICE == 0:
                await asyncio.sleep(0)
        return await self._tell(touched), moved

    def _learn(self, kept: Kept) -> None:
        self._links.learn(kept)
        if attempt := kept.ask["attempt"]:
            self._leases.setdefault(kept.id, {}).setdefault(attempt, leased_at(kept.ask))
        while len(self._links.asks) > ASKS:
            oldest = min(self._links.asks.values(), key=lambda known: known.ask["at"]).id
            self._links.forget(oldest)
            self._own.pop(oldest, None)
            self._leases.pop(oldest, None)
            self.stories.pop(oldest, None)

    def _doubtful(self, learned: set[str]) -> Iterable[Line]:
        """Young messages that are nobody's yet, or of an ask of which more is known now."""
        since, found = self._now() - RECENT_SECONDS, list[Line]()
        for line in reversed(self._wire.lines):
            if line.at < since or len(found) >= RECENT:
                break
            if not line.ask or line.ask in learned:
                found.append(line)
        return found

    def _place(self, line: Line, touched: set[str]) -> bool:
        """Whether a message has found another place than it had."""
        place = self._links.place(line)
        if place == (line.ask, line.step) or (place == NOBODY and line.ask not in self._own):
            return False
        if line.ask in self._own:
            self._own[line.ask].pop(line.id, None)
        touched |= {line.ask, place[0]}
        line.ask, line.step = place
        if line.ask:
            self._own.setdefault(line.ask, {})[line.id] = line
        return True

    async def _tell(self, touched: Iterable[str]) -> list[Json]:
        told: list[Json] = []
        for n, ask in enumerate(touched):
            kept = self._links.asks.get(ask)
            if kept is not None:
                tale = self._bare(story(kept, self._lines(ask), self._leases.get(ask, {})))
                if self.stories.get(ask) != tale:
                    self.stories[ask] = tale
                    told.append(tale)
            if n % SLICE == 0:
                await asyncio.sleep(0)
        return sorted(told, key=lambda tale: tale["at"])

    def _lines(self, ask: str) -> list[Line]:
        own = self._own.get(ask, {})
        for number in [number for number in own if self._wire.line(number) is None]:
            del own[number]
        return [line for _, line in sorted(own.items())]

    def _bare(self, tale: Json) -> Json:
        """A story without credentials; they could stand only in what came from outside."""
        for step in tale["steps"]:
            step["note"], step["tools"] = self._shown.text(step["note"]), self._shown(step["tools"])
        return {**tale, **{name: self._shown(tale[name]) for name in ("text", "sentence")}}
