"""What was done for whom: one record for each action, only ever added to, and chained so that a change is found.

A record goes into the transaction of what it tells, so that neither is ever without the other, and costs no commit of
its own. SQL chains it, in the thread or under the lock that writes: a record's hash covers the hash before it, its
number and its lines, but of the words that may be erased (an address, a query) only a salted digest. So words can go
and the chain still holds. The end of each day's chain is signed by a key that does not lie in the database.
"""

import hashlib
import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.ask import Ask
from bot.redaction import redacted
from bot.store import Row, Store, Transaction

AUDIT_DAYS = 400  # that records are kept; then a day is trimmed to where its chain begins and ends
PAGE = 1_000  # records that are read, or trimmed, at once
FIELD_CHARS = 200  # of one field that stays
TEXT_CHARS = 2_000  # of what may be erased
SEEN = 100  # keys that a search gave, the first ones
SALT_BYTES = 16
_BREAKS = re.compile(r"\s+|[\x00-\x1f\x7f\ud800-\udfff]+")
_KEY = re.compile(r"[A-Z][A-Z0-9_]{0,30}(-[0-9]{1,10})?")  # of a ticket or a project
_HASHED = (
    "team",
    "day",
    "n",
    "at",
    "channel",
    "user",
    "ask_id",
    "action",
    "subject",
    "outcome",
    "rule",
    "reference",
    "seen",
    "digest",
)
"""The lines of a record in the order in which its hash covers them, behind the hash before it."""

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
        subject = named.upper() if _KEY.fullmatch(named.upper()) else ""
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
    known = list(dict.fromkeys(key for key in seen if _KEY.fullmatch(key)))[:SEEN]
    return f" {' '.join(known)} " if known else ""


def _among(subject: str | None) -> str | None:
    """The pattern of `seen` with a key in it; of anything else, one that nothing is like."""
    if subject is None or not _KEY.fullmatch(subject):
        return None
    return "% " + subject.replace("_", r"\_") + " %"


def _line(value: str) -> str:
    """One line, so that lines can be told apart in what is hashed."""
    return _BREAKS.sub(" ", value).strip()[:FIELD_CHARS]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records are wanted; None is all. `since` and `until` (itself left out) are epoch seconds."""

    user: str | None = None
    channel: str | None = None
    subject: str | None = None
    since: float = 0.0
    until: float = 4e9


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that is not as it was written: the chain's day, the record's number (0: the chain itself), and what."""

    team: str
    day: str
    n: int
    what: str


@dataclass(slots=True)
class Proof:
    """What came of looking through the chains; `heads` are each team's last day, number and hash."""

    records: int
    erased: int
    trimmed: int
    heads: dict[str, tuple[str, int, str]]
    wrong: list[Wrong]


class Audit:
    """Reads, proves and trims the records.

    Args:
        store: where they lie.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, wanted: Wanted) -> AsyncIterator[Row]:
        """Records in the order of their writing; an ask's has its cost in pico-dollars as `picos`, where it is known."""
        after = ("", "", 0)
        while True:
            rows = await self._store.read(
                "audit.find",
                after_team=after[0],
                after_day=after[1],
                after_n=after[2],
                user=wanted.user,
                channel=wanted.channel,
                subject=wanted.subject,
                seen=_among(wanted.subject),
                since=int(wanted.since * 1000),
                until=int(wanted.until * 1000),
                most=PAGE,
            )
            for row in rows:
                yield row
            if len(rows) < PAGE:
                return
            after = (rows[-1]["team"], rows[-1]["day"], rows[-1]["n"])

    async def about(self, team: str, subject: str, *, most: int) -> list[Row]:
        """The last records about something, and of searches that gave it, the newest first."""
        seen = _among(subject)
        return await self._store.read(
            "audit.about", team=team, subject=subject, seen=seen, most=most
        )

    async def heads(self) -> dict[str, tuple[str, int, str]]:
        """Where each team's records end: day, number and hash."""
        chains = await self._store.read("audit.chains")
        return {str(c["team"]): (str(c["day"]), int(c["n"]), str(c["hash"])) for c in chains}

    async def holds(self, hash: str) -> bool:  # noqa: A002 - it is one
        """Whether a hash that was kept elsewhere is in it."""
        return bool(await self._store.read("audit.holds", hash=hash))

    async def verify(self) -> Proof:
        """Look through every chain for what was changed, removed, moved or put in between.

        Raises:
            StoreDown: it cannot be read.
        """
        proof = Proof(0, 0, 0, {}, [])
        for chain in await self._store.read("audit.chains"):
            team, day = str(chain["team"]), str(chain["day"])
            before = proof.heads.get(team, ("", 0, ""))[2]
            if chain["previous"] != before:
                proof.wrong.append(Wrong(team, day, 0, BROKEN_DAY))
            await self._walk(chain, proof)
            proof.heads[team] = (day, int(chain["n"]), str(chain["hash"]))
        for stray in await self._store.read("audit.stray"):
            proof.wrong.append(Wrong(stray["team"], stray["day"], 0, NO_CHAIN))
        return proof

    async def trim(self, before: str) -> tuple[int, list[Wrong]]:
        """Trim days before one (ISO 8601) to where their chains begin and end, signed; a broken day stays as it is.

        Returns:
            How many records went, and what is wrong with days that stay.
        """
        gone, wrong = 0, list[Wrong]()
        for chain in await self._store.read("audit.chains"):
            if chain["day"] >= before:
                continue
            place = {"team": chain["team"], "day": chain["day"]}
            if not chain["trimmed"]:
                proof = Proof(0, 0, 0, {}, [])
                await self._walk(chain, proof)
                if proof.wrong:
                    wrong += proof.wrong
                    continue
                tx = Transaction()
                tx.add("audit.seal", n=chain["n"], hash=chain["hash"], **place)
                await self._store.commit(tx)
            while True:
                tx = Transaction()
                tx.add("audit.trim", most=PAGE, **place)
                rows = (await self._store.commit(tx))[0]
                gone += len(rows)
                if not rows:
                    break
        return gone, wrong

    async def _walk(self, chain: Row, proof: Proof) -> None:
        """One day's records against its chain, while others may be written, and the day may be trimmed."""
        seen = await self._look(chain)
        if seen.wrong and not chain["trimmed"]:
            now = await self._now(chain)
            if now["trimmed"]:  # by another process, under our eyes
                seen = await self._look(now)
        proof.records += seen.records
        proof.erased += seen.erased
        proof.trimmed += seen.trimmed
        proof.wrong += seen.wrong

    async def _look(self, chain: Row) -> Proof:
        """What came of one day; of a trimmed one the records at its beginning are missing by right."""
        seen = Proof(0, 0, int(bool(chain["trimmed"])), {}, [])

        def wrong(n: int, what: str) -> None:
            seen.wrong.append(Wrong(str(chain["team"]), str(chain["day"]), n, what))

        if not chain["genuine"]:
            wrong(0, NOT_SIGNED)
        last, previous, free = 0, str(chain["previous"]), bool(chain["trimmed"])
        async for row in self._records(chain):
            n = int(row["n"])
            if n > chain["n"] and n <= (await self._now(chain))["n"]:
                break  # it was written since
            if not free and n != last + 1:
                wrong(n, GAP.format(first=last + 1, last=n - 1))
            elif not free and row["previous"] != previous:
                wrong(n, NOT_NEXT)
            if hashed(row) != row["hash"]:
                wrong(n, CHANGED)
            if row["text"] and digest(row["salt"], row["text"]) != row["digest"]:
                wrong(n, WORDS)
            seen.erased += bool(row["digest"] and not row["text"])
            seen.records += 1
            last, previous, free = n, str(row["hash"]), False
        if (last, previous) != (chain["n"], chain["hash"]) and not free:
            wrong(last, CUT.format(last=last, n=chain["n"]))
        return seen

    async def _records(self, chain: Row) -> AsyncGenerator[Row]:
        """A day's records as they are when they are reached, in order."""
        last = 0
        while rows := await self._store.read(
            "audit.page", team=chain["team"], day=chain["day"], after=last, most=PAGE
        ):
            for row in rows:
                yield row
            last = int(rows[-1]["n"])

    async def _now(self, chain: Row) -> Row:
        """A chain as it is now."""
        place = (chain["team"], chain["day"])
        chains = await self._store.read("audit.chains")
        return next((one for one in chains if (one["team"], one["day"]) == place), chain)


BROKEN_DAY = "its chain does not begin where the day before ends: a day was removed or changed"
NOT_SIGNED = "where its chain ends is not signed by the key that lies beside the database"
NO_CHAIN = "it has records and no chain"
GAP = "records {first} to {last} are missing"
NOT_NEXT = "it does not follow the record before it: one was removed, moved or changed"
CHANGED = "it was changed"
WORDS = "its address or query was changed"
CUT = "the chain ends at record {n}, and {last} is the last one there is"


def hashed(row: Row) -> str:
    """A record's hash, by its lines and the hash before it; as in `audit.record`, by our own hand."""
    lines = [row["previous"], *(row[name] for name in _HASHED)]
    return hashlib.sha256("\n".join(map(str, lines)).encode()).hexdigest()
