"""One record of the audit, and how it gets into the transaction of what it tells."""

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.ask import Ask
from bot.redaction import redacted
from bot.store import Row, Transaction

FIELD_CHARS = 200  # of one field that stays
TEXT_CHARS = 2_000  # of what may be erased
SEEN = 100  # keys that a search gave, the first ones
SALT_BYTES = 16
_BREAKS = re.compile(r"\s+|[\x00-\x1f\x7f\ud800-\udfff]+")
KEY = re.compile(r"[A-Z][A-Z0-9_]{0,30}(-[0-9]{1,10})?")  # of a ticket or a project
LINES = ("team", "channel", "user", "ask_id", "action", "subject", "outcome", "rule", "reference")
"""What stands in every record, and is never erased."""


@dataclass(frozen=True, slots=True)
class Record:
    """One action.

    Attributes:
        user: for whom, or who pressed, or who set it.
        ask_id: the ask it belongs to; its cost stands in the ledger under it.
        action: `ask`, `press`, `stop`, `feedback`, `tool`, `proposal`, `handover`, `set`, `reset`, `dead` or `forget`.
        subject: what it was about: a feature, a button, a ticket's key, a project, a host, a policy key, a person.
            Of a tool that read nothing it is a key or "", never an address that Claude may have made up.
        outcome: how it ended.
        rule: of the policy that denied it, "" where none did.
        reference: what it is bound to: a tool, a proposal with the hash of its content, a value that was set.
        seen: keys of tickets that were shown beside the subject.
        text: an address or a query; may be erased later.
    """

    team: str
    channel: str
    user: str
    ask_id: str
    action: str
    subject: str
    outcome: str = ""
    rule: str = ""
    reference: str = ""
    text: str = ""
    seen: tuple[str, ...] = ()


def new_salt() -> str:
    """Makes a digest of few possible texts tell nothing once the text is erased."""
    return secrets.token_hex(SALT_BYTES)


def record(tx: Transaction, what: Record, *, at: float, salt: Callable[[], str] = new_salt) -> None:
    """Add a record; becomes true with the transaction.

    Args:
        tx: of the action itself.
        what: the action.
        at: seconds since the epoch.
        salt: makes one.
    """
    text = what.text.encode("utf-8", "replace").decode()[:TEXT_CHARS]
    salted = salt() if text else ""
    lines: dict[str, Any] = {name: _line(getattr(what, name)) for name in LINES}
    tx.add(
        "audit.record",
        day=datetime.fromtimestamp(at, UTC).date().isoformat(),
        at=int(at * 1000),
        salt=salted,
        text=text,
        digest=digest(salted, text),
        seen=_keys(what.seen),
        **lines,
    )


def of_ask(ask: Ask, outcome: str, *, rule: str = "") -> Record:
    """That an ask has ended; of a press, which button it was of what."""
    click = ask.click
    return Record(
        team=ask.team,
        channel=ask.channel,
        user=ask.user,
        ask_id=ask.id,
        action="ask" if click is None else "press",
        subject=ask.feature if click is None else click.action,
        outcome=outcome,
        rule=rule,
        reference="" if click is None else click.value,
    )


def ended(tx: Transaction, ask: Ask, outcome: str, *, rule: str = "", at: float) -> None:
    """Record that an ask has ended; what Purser says by itself is nobody's ask, and stands in no audit."""
    if ask.origin != "own":
        record(tx, of_ask(ask, outcome, rule=rule), at=at)


def of_tool(
    ask: Ask, name: str, given: Any, outcome: str, *, rule: str = "", seen: Sequence[str] = ()
) -> Record:
    """That a tool was run: on which ticket, project or host, and the address or query that it was given.

    Where it read nothing, an address or a name is what was asked for and no more: it stands among the words that may
    be erased.
    """
    values: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    words = [str(values[key]) for key in ("url", "path", "ref", "jql") if values.get(key)]
    named = next(
        (str(values[k]) for k in ("key", "project", "board_or_project") if k in values), ""
    )
    host = re.match(r"https?://([^/?#\s]+)", str(values.get("url", "")))
    if outcome == "ok":
        subject = named or (host[1].rpartition("@")[2].lower() if host else "")
    else:
        subject = named.upper() if KEY.fullmatch(named.upper()) else ""
        words += [named] if named and not subject else []
    return Record(
        team=ask.team,
        channel=ask.channel,
        user=ask.user,
        ask_id=ask.id,
        action="tool",
        subject=subject,
        outcome=outcome,
        rule=rule,
        reference=name,
        text=redacted(" ".join(words)),
        seen=tuple(seen),
    )


def of_dead(ask: Row, outcome: str) -> Record:
    """That an operator decided on an ask that could not be finished; Slack does not know who they are.

    Args:
        ask: a row of `Inbox.dead_list`.
        outcome: `retried` or `dropped`.
    """
    team, channel, user, ask_id, subject = (
        str(ask[name]) for name in ("team", "channel", "user", "id", "feature")
    )
    return Record(team, channel, user, ask_id, "dead", subject, outcome)


def digest(salt: str, text: str) -> str:
    """Of words that may be erased; "" where there were none."""
    return hashlib.sha256(f"{salt}\n{text}".encode()).hexdigest() if text else ""


def _keys(seen: Iterable[str]) -> str:
    """Keys between spaces, so that each can be looked for; "" where there are none."""
    known = list(dict.fromkeys(key for key in seen if KEY.fullmatch(key)))[:SEEN]
    return f" {' '.join(known)} " if known else ""


def _line(value: str) -> str:
    """One line, so that lines can be told apart in what is hashed."""
    return _BREAKS.sub(" ", value).strip()[:FIELD_CHARS]
