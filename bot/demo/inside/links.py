"""Whose a wire message is: found by Slack's ts, by Claude's ids, by what a tool was told to read, else by time.

The bot puts no marks of ours on the wire; what it journals is enough. A message may be placed better later.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from bot.demo.claude.record import Exchange
from bot.demo.inside.botfile import Kept, Row
from bot.demo.inside.tooluse import uses
from bot.demo.inside.wire import Line
from bot.demo.loopback import Heard
from bot.demo.slack.watch import WireLine

SLACK = 0.3  # seconds that two clocks, or a commit and what follows it, may lie apart
NEIGHBOURS = 50  # asks of one place that are considered for one message

Place = tuple[str, str]
"""An ask's id and a step of it; both "" for nobody's."""

NOBODY: Place = ("", "")


@dataclass(slots=True)
class _Asks:
    """Asks of one channel, person, thread or tool, ordered by when they came."""

    moments: list[float] = field(default_factory=list[float])
    ids: list[str] = field(default_factory=list[str])

    def add(self, kept: Kept) -> None:
        place = bisect_right(self.moments, kept.ask["at"])
        self.moments.insert(place, kept.ask["at"])
        self.ids.insert(place, kept.id)

    def drop(self, ask: str) -> None:
        if ask in self.ids:
            place = self.ids.index(ask)
            del self.ids[place], self.moments[place]

    def before(self, at: float) -> Iterator[str]:
        """Those that had come by then, the latest first."""
        end = bisect_right(self.moments, at + SLACK)
        return iter(self.ids[max(0, end - NEIGHBOURS) : end][::-1])


class Links:
    """Knows the asks, and places messages among them."""

    def __init__(self) -> None:
        self.asks: dict[str, Kept] = {}
        self._exact: dict[tuple[str, ...], Place] = {}
        self._near: dict[tuple[str, ...], _Asks] = {}

    def learn(self, kept: Kept) -> None:
        """An ask is new, or more is known of it."""
        if kept.id not in self.asks:
            for key in _neighbourhoods(kept):
                self._near.setdefault(key, _Asks()).add(kept)
        self.asks[kept.id] = kept
        self._exact.update(_marks(kept))

    def forget(self, ask: str) -> None:
        """An ask is no longer shown."""
        kept = self.asks.pop(ask)
        for key in _neighbourhoods(kept):
            self._near[key].drop(ask)
            if not self._near[key].ids:
                del self._near[key]
        for key, _ in _marks(kept):
            self._exact.pop(key, None)

    def place(self, line: Line) -> Place:
        """Where a message belongs, as far as that is known now."""
        record = line.record
        if isinstance(record, WireLine):
            return self._to_bot(record) if record.direction == "out" else self._to_slack(record)
        if isinstance(record, Exchange):
            return self._to_claude(record)
        if isinstance(record, Heard):
            return self._to_a_tool(line)
        return self._logged(record, line.at)

    def _to_bot(self, line: WireLine) -> Place:
        payload = line.arguments
        if line.method == "slash_commands":
            return self._exact.get(("key", f"trigger:{payload.get('trigger_id')}"), NOBODY)
        event = _part(payload, "event")
        if line.method == "interactive":
            channel = _part(payload, "channel").get("id")
            stamps = [_part(payload, "message").get("ts")]
        else:
            item = _part(event, "item")
            channel = event.get("channel") or item.get("channel")
            stamps = [event.get("ts"), _part(event, "message").get("ts"), item.get("ts")]
        for ts in stamps:
            asked = self._exact.get(("asked", str(channel), str(ts)))
            if asked is not None:
                return asked
            said = self._exact.get(("part", str(channel), str(ts)))
            if said is not None:
                return self._by_time(said[0], line.at)
        if event.get("type") != "agent_session_stopped":
            return NOBODY
        thread = str(event.get("thread_ts"))
        return self._by_time(self._working("lane", str(channel), thread, at=line.at), line.at)

    def _to_slack(self, line: WireLine) -> Place:
        told, answer = line.arguments, line.answer
        channel = str(told.get("channel") or told.get("channel_id") or "")
        for ts in (answer.get("ts"), told.get("ts")):
            said = self._exact.get(("part", channel, str(ts)))
            if said is not None:
                return said
        thread = str(told.get("thread_ts") or told.get("ts") or "")
        ask = self._working("lane", channel, thread, at=line.at)
        if not ask and line.method == "response_url":
            ask = self._working("origin", "command", at=line.at)
        if not ask and not line.method.startswith("chat."):
            user = str(told.get("user") or "")
            ask = self._working("channel", channel, at=line.at)
            ask = ask or self._working("user", user, at=line.at)
        if ask and (line.method.startswith("chat.") or line.method == "response_url"):
            return ask, "parts"
        return self._by_time(ask, line.at)

    def _to_claude(self, exchange: Exchange) -> Place:
        known = self._exact.get(("request", exchange.request_id))
        known = known or self._exact.get(("message", str(exchange.message_id)))
        if known is not None or exchange.path != "/v1/messages":
            return known or NOBODY
        body: Any = exchange.body
        model = body.get("model") if isinstance(body, dict) else None
        best, nearest = NOBODY, SLACK * 10
        for ask in self._before("all", at=exchange.at):
            for request in self.asks[ask].requests:
                since = exchange.at - request["at"]
                unmatched = request["model"] == model and not request["message_id"]
                if unmatched and -0.01 <= since < nearest:
                    best, nearest = (ask, f"sent:{request['n']}"), since
        return best

    def _to_a_tool(self, line: Line) -> Place:
        record = line.record
        assert isinstance(record, Heard)
        best, most = NOBODY, 0
        for ask in self._before("all", at=line.at):
            for use in uses(self.asks[ask]):
                fit = use.fit(line.who, record)
                if fit > most:
                    best, most = (ask, use.step), fit
        return best

    def _logged(self, line: Mapping[str, Any], at: float) -> Place:
        ask = str(line.get("ask") or "")
        if ask not in self.asks:
            return NOBODY
        if line.get("event") == "attempt":
            place = (ask, f"sent:{line.get('n')}")
            if request_id := line.get("request_id"):
                self._exact[("request", str(request_id))] = place
            return place
        return (ask, "settled") if line.get("event") == "ask" else self._by_time(ask, at)

    def _before(self, *key: str, at: float) -> Iterator[str]:
        found = self._near.get(key)
        return found.before(at) if found else iter(())

    def _working(self, *key: str, at: float) -> str:
        """Who of that place was being worked on at that time; "" is nobody."""
        for ask in self._before(*key, at=at):
            ended = self.asks[ask].ask["ended_at"]
            if ended is None or at <= ended + SLACK:
                return ask
        return ""

    def _by_time(self, ask: str, at: float) -> Place:
        """The step that an ask was at."""
        if not ask:
            return NOBODY
        kept = self.asks[ask]
        if kept.ask["ended_at"] is not None and at > kept.ask["ended_at"]:
            return ask, "settled"
        for request in reversed(kept.requests):
            if request["at"] <= at:
                if request["ended_at"] is None or at < request["ended_at"]:
                    return ask, f"sent:{request['n']}"
                return ask, f"tools:{request['n']}" if _wants_tools(request) else "parts"
        return ask, "leased"


def _neighbourhoods(kept: Kept) -> Iterator[tuple[str, ...]]:
    ask = kept.ask
    yield ("lane", ask["channel"], ask["thread"])
    yield ("channel", ask["channel"])
    yield ("user", ask["user"])
    yield ("origin", ask["origin"])
    yield ("all",)


def _marks(kept: Kept) -> Iterator[tuple[tuple[str, ...], Place]]:
    """What in a message names this ask for sure."""
    ask = kept.ask
    yield ("key", ask["key"]), (kept.id, "listened")
    if ask["ts"]:
        yield ("asked", ask["channel"], ask["ts"]), (kept.id, "listened")
    for part in kept.parts:
        if part["ts"]:
            yield ("part", part["channel"], part["ts"]), (kept.id, "parts")
    numbers = {r["message_id"]: r["n"] for r in kept.requests if r["message_id"]}
    for message, n in numbers.items():
        yield ("message", message), (kept.id, f"sent:{n}")
    for row in kept.booked:
        if row["request_id"] and row["message_id"] in numbers:
            yield (
                ("request", row["request_id"]),
                (kept.id, f"sent:{numbers[row['message_id']]}"),
            )


def _wants_tools(request: Row) -> bool:
    return request["stop_reason"] == "tool_use"


def _part(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name)
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}
