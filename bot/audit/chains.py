"""The chains of the audit's records: read, proved, signed anew, trimmed."""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

from bot.audit.records import KEY, Record, digest, record
from bot.store import Row, Store, Transaction

AUDIT_DAYS = 400  # that records are kept; then a day is trimmed to where its chain begins and ends
PAGE = 1_000  # records that are read, or trimmed, at once
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

    async def sign(self, before: Proof, *, at: float) -> list[Wrong]:
        """Sign by our key where each day ends, if all of it holds, and add a record that says so.

        Args:
            before: what came of looking through it by the key that signed it; what ours signed already may be wrong
                by that one.
            at: seconds since the epoch.

        Returns:
            What is wrong; then nothing was signed.
        """
        chains = await self._store.read("audit.chains")
        ours = {(chain["team"], chain["day"]) for chain in chains if chain["genuine"]}
        wrong = [w for w in before.wrong if w.what != NOT_SIGNED or (w.team, w.day) not in ours]
        if wrong:
            return wrong
        tx = Transaction()
        for chain in chains:
            if not chain["genuine"]:
                tx.add("audit.sign", **{name: chain[name] for name in ("team", "day", "n", "hash")})
        for team in {str(chain["team"]) for chain in chains}:
            record(tx, Record(team, "", "", "", "set", "audit_key", "signed"), at=at)
        await self._store.commit(tx)
        return []

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
NOT_SIGNED = "where its chain ends is not signed by the key in use: that is another one, or missing, or the end was changed"
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


def _among(subject: str | None) -> str | None:
    """The pattern of `seen` with a key in it; of anything else, one that nothing is like."""
    if subject is None or not KEY.fullmatch(subject):
        return None
    return "% " + subject.replace("_", r"\_") + " %"
