"""Every wire message of every stranger, and every log line, in one numbered list that keeps the newest."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from bot.demo.claude.record import Exchange
from bot.demo.claude.server import ClaudeStandIn
from bot.demo.inside.sources import Json, Sources
from bot.demo.inside.strangers import Record, Told, Who, at, told
from bot.demo.slack.standin import SlackStandIn
from bot.demo.slack.watch import WireLine

KEPT = 10_000  # messages that can be looked at
OPEN_SECONDS = 120.0  # so long a message without an answer is looked at again


@dataclass(slots=True)
class Line:
    """One message as the page knows it; whose it is may be found out later, and again.

    Attributes:
        id: grows with the order in which messages were seen.
        ask: whose it is, "" while nobody's.
        step: where it belongs in that ask's way, such as "sent:1".
    """

    id: int
    at: float
    who: Who
    record: Record
    told: Told
    ask: str = ""
    step: str = ""

    def wire(self) -> Json:
        """As it is sent to the page."""
        told = self.told
        return {
            "id": self.id,
            "at": self.at,
            "who": self.who,
            "in": told.to_bot,
            "name": told.name,
            "status": told.status,
            "seconds": told.seconds,
            "note": told.note,
            "open": told.open,
            "bad": told.bad,
            "ask": self.ask,
            "step": self.step,
        }


class Tap(Protocol):
    """Where one stranger's records come from."""

    @property
    def who(self) -> Who:
        """Whose they are."""
        ...

    def collect(self) -> Iterable[Record]:
        """What is new or has changed since the last time; at first, the newest that there is."""
        ...

    def close(self) -> None:
        """Nobody collects any more."""
        ...


class SlackTap:
    """The Slack stand-in's wire messages, as they are written."""

    who: Who = "slack"

    def __init__(self, slack: SlackStandIn) -> None:
        self._listener = slack.listen()
        self._new: list[Record] = []
        self._new += list(slack.log)[-KEPT:]
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for change in self._listener:
            line = change.what.get("line") if change.kind == "wire" else None
            if isinstance(line, WireLine):
                self._new.append(line)

    def collect(self) -> Iterable[Record]:
        """See `Tap`."""
        new, self._new = self._new, []
        return new

    def close(self) -> None:
        """See `Tap`."""
        self._listener.close()


class ClaudeTap:
    """The stand-in Claude's exchanges, each time one changes."""

    who: Who = "claude"

    def __init__(self, claude: ClaudeStandIn) -> None:
        self._changed = {id(exchange): exchange for exchange in claude.log[-KEPT:]}
        self._leave = claude.listen(self._note)

    def _note(self, exchange: Exchange) -> None:
        self._changed[id(exchange)] = exchange

    def collect(self) -> Iterable[Record]:
        """See `Tap`."""
        changed, self._changed = self._changed, {}
        return changed.values()

    def close(self) -> None:
        """See `Tap`."""
        self._leave()


class ListTap:
    """Records in a list that only grows: requests that a loopback server heard, log lines."""

    def __init__(self, who: Who, records: Sequence[Record]) -> None:
        self.who: Who = who
        self._records = records
        self._next = max(0, len(records) - KEPT)

    def collect(self) -> Iterable[Record]:
        """See `Tap`."""
        new = self._records[self._next :]
        self._next += len(new)
        return new

    def close(self) -> None:
        """See `Tap`."""


class Wire:
    """The newest messages, numbered; closed when nobody looks any more.

    Args:
        taps: where records come from.
        now: seconds since the epoch.
        keep: messages that are kept.
    """

    def __init__(self, taps: Sequence[Tap], *, now: Callable[[], float], keep: int = KEPT) -> None:
        self.lines: deque[Line] = deque()
        self._taps = taps
        self._now = now
        self._keep = keep
        self._by_record: dict[int, Line] = {}
        self._by_id: dict[int, Line] = {}
        self._open: dict[int, Line] = {}
        self._given = 0

    @classmethod
    def of(cls, sources: Sources, *, now: Callable[[], float]) -> Self:
        """The wire of a whole stage."""
        taps: list[Tap] = [SlackTap(sources.slack), ListTap("web", sources.web.log)]
        if sources.claude is not None:
            taps.append(ClaudeTap(sources.claude))
        if sources.jira is not None:
            taps.append(ListTap("jira", sources.jira.log))
        if sources.github is not None:
            taps.append(ListTap("github", sources.github.log))
        taps.append(ListTap("log", sources.lines))
        return cls(taps, now=now)

    def line(self, number: int) -> Line | None:
        """The message of that number, if it is still kept."""
        return self._by_id.get(number)

    def collect(self) -> list[Line]:
        """What is new or has changed since the last time, in order."""
        changed = {line.id: line for line in self._looked_at_again()}
        records: list[tuple[Who, Record]] = [
            (tap.who, record) for tap in self._taps for record in tap.collect()
        ]
        now = self._now()
        for who, record in sorted(records, key=lambda found: at(found[1], now)):
            line = self._by_record.get(id(record)) or self._new(who, record, now)
            line.told = told(record)
            if line.told.open:
                self._open[line.id] = line
            changed[line.id] = line
        self._forget()
        return [line for number, line in sorted(changed.items()) if number in self._by_id]

    def close(self) -> None:
        """Listen no more."""
        for tap in self._taps:
            tap.close()

    def _looked_at_again(self) -> Iterator[Line]:
        """Open messages that have their answer now; after a while nobody waits for it."""
        for line in list(self._open.values()):
            fresh = told(line.record)
            if not fresh.open or self._now() - line.at > OPEN_SECONDS:
                del self._open[line.id]
            if fresh != line.told:
                line.told = fresh
                yield line

    def _new(self, who: Who, record: Record, now: float) -> Line:
        self._given += 1
        line = Line(self._given, at(record, now), who, record, told(record))
        self.lines.append(line)
        self._by_record[id(record)] = self._by_id[line.id] = line
        return line

    def _forget(self) -> None:
        while len(self.lines) > self._keep:
            line = self.lines.popleft()
            del self._by_record[id(line.record)], self._by_id[line.id]
            self._open.pop(line.id, None)
