"""How each stranger's own record of a message is told: in one line for a list, and whole when asked for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from bot.demo.claude.record import Exchange
from bot.demo.inside.sources import Json
from bot.demo.loopback import Heard
from bot.demo.slack.watch import WireLine

Who = Literal["slack", "claude", "jira", "web", "github", "log"]
LogLine = Mapping[str, Any]
Record = WireLine | Exchange | Heard | LogLine

NOTE = 160  # characters of a line's note
LOG_META = frozenset({"event", "level", "timestamp", "ask"})
LOG_FIRST = ("status", "outcome", "stop_reason", "problem", "seconds", "cost_usd")  # say most


@dataclass(frozen=True, slots=True)
class Told:
    """A message in one line.

    Attributes:
        to_bot: whether it went to the bot; else the bot sent it.
        status: HTTP's, 0 while there is none.
        open: it has no answer yet, so it may still change.
        bad: it went wrong.
    """

    name: str
    to_bot: bool = False
    status: int = 0
    seconds: float | None = None
    note: str = ""
    open: bool = False
    bad: bool = False


def told(record: Record) -> Told:
    """A record in one line."""
    if isinstance(record, WireLine):
        return _slack(record)
    if isinstance(record, Exchange):
        return _claude(record)
    if isinstance(record, Heard):
        return _heard(record)
    return _logged(record)


def whole(record: Record) -> Json:
    """Everything that is known of a record, as JSON."""
    if isinstance(record, WireLine):
        return {
            "method": record.method,
            "status": record.status,
            "arguments" if record.direction == "in" else "payload": record.arguments,
            "answer": record.answer,
        }
    if isinstance(record, Exchange):
        return {
            "path": record.path,
            "status": record.status,
            "state": record.state,
            "request": {"headers": record.headers, "body": record.body},
            "response": _response(record),
        }
    if isinstance(record, Heard):
        return {
            "request": f"{record.method} {record.path}",
            "query": record.query,
            "body": _parsed(record.body),
            "status": record.status,
        }
    return dict(record)


def at(record: Record, default: float) -> float:
    """When it was, in epoch seconds."""
    if isinstance(record, WireLine | Exchange | Heard):
        return record.at
    try:
        return datetime.fromisoformat(str(record.get("timestamp"))).timestamp()
    except ValueError:
        return default


def _slack(line: WireLine) -> Told:
    said: Any = line.answer
    refused = line.direction == "in" and said.get("ok") is False
    name, note = line.method, str(said.get("error", "")) if refused else ""
    if line.method == "events_api":
        name = str((line.arguments.get("event") or {}).get("type") or line.method)
    elif line.method == "slash_commands":
        name = str(line.arguments.get("command") or line.method)
    elif line.method == "interactive":
        name = str(line.arguments.get("type") or line.method)
    waits = line.status == 0 and line.method not in ("hello", "disconnect")
    bad = refused or line.status >= 400
    seconds = None if waits else line.seconds
    return Told(_short(name), line.direction == "out", line.status, seconds, note, waits, bad)


def _claude(exchange: Exchange) -> Told:
    over = exchange.ended is not None
    reason = exchange.error or exchange.stop_reason or ""
    if exchange.state in ("broken_off", "client_gone"):
        reason = exchange.error or exchange.state.replace("_", " ")
    seconds = exchange.ended - exchange.at if exchange.ended is not None else None
    bad = bool(exchange.error) or exchange.state in ("broken_off", "client_gone")
    bad = bad or exchange.stop_reason == "refusal"
    note = " · ".join(part for part in (exchange.model or "", reason) if part)
    return Told(_short(exchange.path), False, exchange.status, seconds, _short(note), not over, bad)


def _heard(heard: Heard) -> Told:
    status = heard.status or 0
    query = "&".join(f"{name}={value}" for name, value in heard.query.items())
    return Told(
        _short(f"{heard.method} {heard.path}"),
        False,
        status,
        None,
        _short(query),
        heard.status is None,
        status >= 400,
    )


def _logged(line: LogLine) -> Told:
    names = [n for n in (*LOG_FIRST, *line) if n in line and n not in LOG_META]
    facts = " ".join(f"{name}={line[name]}" for name in dict.fromkeys(names))
    bad = line.get("level") in ("warning", "error", "critical")
    return Told(_short(str(line.get("event", ""))), False, 0, None, _short(facts), False, bad)


def _response(exchange: Exchange) -> Json:
    told: Json = {
        "headers": exchange.response_headers,
        "message_id": exchange.message_id,
        "model": exchange.model,
        "content": exchange.content,
        "stop_reason": exchange.stop_reason,
        "refusal_category": exchange.refusal_category,
        "usage": exchange.usage,
        "error": exchange.error,
        "error_code": exchange.error_code,
        "first_byte_ms": _ms(exchange.at, exchange.began),
        "last_byte_ms": _ms(exchange.at, exchange.ended),
    }
    return {name: value for name, value in told.items() if value not in (None, "", [], {})}


def _ms(begin: float, end: float | None) -> int | None:
    return None if end is None else round(1000 * (end - begin))


def _parsed(body: str) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body


def _short(text: str) -> str:
    return text if len(text) <= NOTE else text[: NOTE - 1] + "…"
