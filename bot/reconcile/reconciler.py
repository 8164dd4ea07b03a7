"""Fetches both counts, and the evidence for what differs, and has them compared."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from bot.errors import PurserError
from bot.prices import dollars
from bot.reconcile.compare import (
    CAUSES,
    KINDS,
    NOTHING,
    Border,
    Kind,
    Ours,
    Place,
    Reconciliation,
    Theirs,
    Tokens,
    compare,
    plus,
    unlike,
)
from bot.store import Row, Store
from bot.usage import Usage
from integrations.claude_admin import AdminProblem, ClaudeAdmin, Key, Used

DAY = timedelta(days=1)
SETTLED = timedelta(minutes=15)  # after midnight, when yesterday's report is whole
NEAR_MINUTES = 1  # before and after a request, for clocks that differ


class KeyNotFound(PurserError):
    """None of the organization's keys looks like ANTHROPIC_API_KEY; ANTHROPIC_ADMIN_KEY is another organization's."""


class Reconciler:
    """Compares our books with Claude's reports.

    Args:
        store: the books and the journal.
        admin: the reports.
        secret: ANTHROPIC_API_KEY: our key among the organization's is found by its two ends.
        now: seconds since the epoch.
    """

    def __init__(
        self, store: Store, admin: ClaudeAdmin, *, secret: str, now: Callable[[], float]
    ) -> None:
        self._store, self._admin, self._secret, self._now = store, admin, secret, now

    def rekey(self, secret: str) -> None:
        """Look for another key of ours: what was billed to the one before is then found unexplained."""
        self._secret = secret

    async def told(self) -> str | None:
        """What `daily` has to say, or why it could not be said."""
        try:
            return await self.daily()
        except (AdminProblem, KeyNotFound) as problem:
            return f"The books could not be compared with Claude's own reports: {problem}"

    async def daily(self) -> str | None:
        """Compare the newest whole day (UTC); a sentence for admins where something has to be looked at.

        Raises:
            AdminProblem: the reports cannot be read.
            KeyNotFound: our key is none of theirs.
            StoreDown: the books cannot be read.
        """
        until = (datetime.fromtimestamp(self._now(), UTC) - SETTLED).date()
        made = await self.between(until - DAY, until)
        parts = [
            CAUSES[cause]
            for cause, there in (
                ("key used elsewhere", "key used elsewhere" in made.by_cause()),
                ("price version", bool(made.prices)),
            )
            if there
        ]
        if not made.agrees:
            parts.append(f"{made.share:.1%} of what Claude's side counts is unexplained")
        if not parts:
            return None
        first = f"{made.since:%Y-%m-%d}"
        return (
            f"The books of {first} (UTC) and Claude's reports differ: {'; '.join(parts)}. "
            f"`purser reconcile --since {first}` says where."
        )

    async def between(self, since: date, until: date) -> Reconciliation:
        """Compare days of UTC (`until` excluded).

        Raises:
            AdminProblem: the reports cannot be read.
            KeyNotFound: our key is none of theirs.
            StoreDown: the books cannot be read.
        """
        key = await self._key()
        ours = await self._ours(since, until)
        theirs = await self._theirs(since, until, key)
        for day in sorted({day for day, _ in unlike(ours, theirs)}):
            if since <= day < until:
                await self._find_elsewhere(day, key, theirs)
        return compare(ours, theirs, since=since, until=until, at=self._now())

    async def _key(self) -> Key:
        for key in await self._admin.keys():
            if key.is_hinted_at(self._secret):
                return key
        raise KeyNotFound(str(KeyNotFound.__doc__))

    async def _ours(self, since: date, until: date) -> Ours:
        span = {"since": _seconds(since), "until": _seconds(until)}
        wide = {"since": _seconds(since - DAY), "until": _seconds(until + DAY)}
        ours = Ours()
        for row in await self._store.read("ledger.utc_days", **span):
            place = (date.fromisoformat(row["day"]), row["model"])
            if not row["billed"]:
                _add(ours.unbilled, place, _tokens(row))
                continue
            kept = ours.settled if row["status"] == "settled" else ours.unconfirmed
            _add(kept, place, _tokens(row))
            ours.cost[place] = ours.cost.get(place, dollars(0)) + dollars(row["cost_picos"])
        for row in await self._store.read("ledger.utc_borders", near=60 * NEAR_MINUTES, **wide):
            day, beside = (date.fromisoformat(row[name]) for name in ("day", "beside"))
            ours.borders.append(Border(day, beside, row["model"], _tokens(row)))
        for row in await self._store.read("journal.unbooked", **span):
            response: Mapping[str, Any] = json.loads(row["response"])
            usage = Usage.from_wire(response["usage"])
            place = (date.fromisoformat(row["day"]), str(response["model"]))
            _add(ours.unbooked, place, {kind: getattr(usage, kind) for kind in KINDS})
        return ours

    async def _theirs(self, since: date, until: date, key: Key) -> Theirs:
        theirs, workspace = Theirs(), dict[Place, Tokens]()
        for one in await self._admin.usage(_midnight(since), _midnight(until)):
            place = (one.at.date(), one.model)
            if one.key == key.id:
                _add(theirs.used, place, _counted(one))
            if one.workspace == key.workspace:
                _add(workspace, place, _counted(one))
        for one in await self._admin.cost(since, until):
            place = (one.day, one.model)
            if one.workspace == key.workspace and workspace.get(place) == theirs.used.get(place):
                theirs.charged[place] = theirs.charged.get(place, dollars(0)) + one.dollars
        return theirs

    async def _find_elsewhere(self, day: date, key: Key, theirs: Theirs) -> None:
        """Add up what our key has used in minutes in which nothing of ours was on its way."""
        flights = await self._store.read(
            "journal.flights", since=_seconds(day - DAY), until=_seconds(day + 2 * DAY)
        )
        busy = {(row["model"], minute) for row in flights for minute in _minutes(row)}
        used = await self._admin.usage(
            _midnight(day), _midnight(day + DAY), width="1m", keys=[key.id]
        )
        for one in used:
            if (one.model, int(one.at.timestamp()) // 60) not in busy:
                _add(theirs.elsewhere, (day, one.model), _counted(one))


def _minutes(row: Row) -> Iterable[int]:
    return range(row["first"] - NEAR_MINUTES, row["last"] + NEAR_MINUTES + 1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _seconds(day: date) -> float:
    return _midnight(day).timestamp()


def _tokens(row: Row) -> dict[Kind, int]:
    return {kind: row[kind] for kind in KINDS}


def _counted(one: Used) -> dict[Kind, int]:
    return {kind: getattr(one, kind) for kind in KINDS}


def _add(found: dict[Place, Tokens], place: Place, tokens: Tokens) -> None:
    found[place] = plus(found.get(place, NOTHING), tokens)
