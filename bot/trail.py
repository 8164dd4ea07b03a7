"""The audit at the terminal: found, proved, and a person forgotten; each beside a running `serve`.

Its commands stand here, and are given the settings and the exit by `__main__`.
"""

import json
import re
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Literal, TextIO

import click
from pydantic import SecretStr

from bot.audit import LINES, Audit, Proof, Wanted, Wrong
from bot.desk import moment, money
from bot.errors import StoreDown
from bot.policy import Policy
from bot.prices import dollars
from bot.report import BadPeriod
from bot.retention import Forgotten, Retention
from bot.settings import Settings, brings_key, keyed
from bot.store import Row, Store
from bot.store.opening import beside, file_of
from bot.tables import write

SHOWN = 20  # of what is wrong, told one by one
ROWS = 500  # of the table; JSON lines hold all
COLUMNS = ("at", *LINES, "seen", "text", "digest", "cost_usd", "day", "n", "previous", "hash")
"""Of a JSON line, in their order."""

KEYLESS = "no key came with the session, so nothing was signed: set AUDIT_KEY, and see that no pooler drops it"
UNPROVED = "the key before did not come with the session, so nothing was proved by it, nor signed: see that no pooler drops it"
CANNOT = (
    "What stays: the sums, hashes and ids in the books and the audit; what Claude and others wrote about them in other "
    "threads and in tickets, until its channel's retention_days; what lies in Slack, Jira and GitHub; copies of "
    "the database, which are yours to delete."
)


@dataclass(frozen=True, slots=True)
class Terminal:
    """What a command here is given: the settings and policy of this process, and how its work is run to an exit."""

    configured: Callable[[], tuple[Settings, Policy]]
    run: Callable[[Callable[[], Coroutine[Any, Any, int | None]]], None]


@dataclass(frozen=True, slots=True)
class Days:
    """Which time is wanted, as it was written."""

    day: str | None
    since: str | None
    until: str | None

    def between(self, zone: tzinfo) -> tuple[float, float]:
        """The first moment and the one that ends it, in epoch seconds.

        Raises:
            BadPeriod: one cannot be read, or they stand the wrong way round.
        """
        if self.day is not None:
            if not re.fullmatch(r"\d{4}-\d\d-\d\d", self.day) or self.since or self.until:
                raise BadPeriod("Write --day 2026-11-22, without --since and --until.")
            first = moment(self.day, zone)
            after = datetime.fromtimestamp(first, zone) + timedelta(days=1)
            return first, after.timestamp()
        first = moment(self.since, zone) if self.since else Wanted().since
        end = moment(self.until, zone) if self.until else Wanted().until
        if first > end:
            raise BadPeriod(f"--since {self.since} lies after --until {self.until}.")
        return first, end


def _named(pattern: str, example: str) -> Callable[[Any, Any, str | None], str | None]:
    def check(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(pattern, value):
            raise click.BadParameter(f"give it as {example}.")
        return value

    return check


_user = _named(r"[UW][A-Z0-9]+", "the person's id, such as U0123456789 (in their profile)")
_channel = _named(r"[CGD][A-Z0-9]+", "the channel's id, such as C0123456789 (in its details)")


@click.group(invoke_without_command=True)
@click.option("--user", metavar="ID", callback=_user, help="Of this person only.")
@click.option("--channel", metavar="ID", callback=_channel, help="In this channel only.")
@click.option("--ticket", metavar="KEY", help="About this ticket only.")
@click.option("--day", metavar="DAY", help="Of this day only, such as 2026-11-22.")
@click.option("--since", metavar="TIME", help="From here on; 2026-11, 2026-11-22 or ISO 8601.")
@click.option("--until", metavar="TIME", help="Up to here, itself left out.")
@click.option("--format", "form", type=click.Choice(["table", "jsonl"]), default="table")
@click.pass_context
def audit(
    context: click.Context,
    user: str | None,
    channel: str | None,
    ticket: str | None,
    day: str | None,
    since: str | None,
    until: str | None,
    form: Literal["table", "jsonl"],
) -> None:
    """Every action taken for a person: who, where, what, by which rule, and the cost."""
    if context.invoked_subcommand is not None:
        return
    terminal: Terminal = context.obj
    settings, policy = terminal.configured()
    subject = ticket.upper() if ticket else None

    async def work() -> int:
        first, end = Days(day, since, until).between(policy.workspace.zone)
        wanted = Wanted(user, channel, subject, first, end)
        async with beside(settings.database_url) as store:
            records = Audit(store).find(wanted)
            if form == "jsonl":
                async for one in records:
                    sys.stdout.write(json.dumps(told(one), ensure_ascii=False) + "\n")
            else:
                await show(records, sys.stdout, zone=policy.workspace.zone)
        return 0

    terminal.run(work)


@audit.command()
@click.option("--head", metavar="HASH", help="Also that this hash, kept elsewhere, is in it.")
@click.pass_obj
def verify(terminal: Terminal, head: str | None) -> None:
    """Look for changes, removals and gaps; exit 1 if there is one."""
    settings, _ = terminal.configured()
    terminal.run(lambda: prove(settings.database_url, sys.stdout, head=head))


@audit.command()
@click.option(
    "--before",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the key before.",
)
@click.pass_obj
def sign(terminal: Terminal, before: Path | None) -> None:
    """Sign the days anew by AUDIT_KEY, if they hold by the key before (else: the database's own)."""
    settings, _ = terminal.configured()
    key = before.read_text(encoding="utf-8").strip() if before is not None else ""
    terminal.run(lambda: resign(settings.database_url, sys.stdout, before=key, now=time.time))


@click.command()
@click.option("--user", metavar="ID", required=True, callback=_user, help="Whose words go.")
@click.option("--name", "names", multiple=True, help="What else they are called; repeatable.")
@click.pass_obj
def forget(terminal: Terminal, user: str, names: tuple[str, ...]) -> None:
    """Remove a person's text and keep the sums; exit 1 if some of it is still needed."""
    settings, policy = terminal.configured()

    async def work() -> int:
        async with beside(settings.database_url) as store:
            done = await Retention(store, policy, now=time.time).forget(user, names=names)
        sys.stdout.writelines(f"{line}\n" for line in removed(user, done))
        return 1 if done.left or done.lanes else 0

    terminal.run(work)


def told(row: Row) -> dict[str, Any]:
    """A record as a JSON line has it: `at` in UTC by ISO 8601, `cost_usd` as exact text."""
    at = datetime.fromtimestamp(row["at"] // 1000, UTC) + timedelta(milliseconds=row["at"] % 1000)
    picos = row["picos"]
    whole = {
        **row,
        "at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "cost_usd": None if picos is None else f"{dollars(picos):f}",
    }
    return {name: whole[name] for name in COLUMNS}


async def show(records: AsyncIterator[Row], out: TextIO, *, zone: tzinfo) -> None:
    """Write records as a table for people: the last ones, where there are many."""
    rows: list[Row] = []
    left_out = 0
    async for one in records:
        rows.append(one)
        if len(rows) > ROWS:
            left_out += len(rows) - ROWS
            del rows[:-ROWS]
    if not rows:
        out.write("No records.\n")
        return
    heads = ("when", "who", "where", "action", "about", "outcome", "rule", "cost", "what")
    write(out, heads, [_cells(one, zone) for one in rows], words=9)
    if left_out:
        out.write(f"{left_out:,} earlier ones are left out; `--format jsonl` has all.\n")


def _cells(row: Row, zone: tzinfo) -> list[str]:
    what = " ".join(part for part in (row["reference"], row["text"]) if part)
    what = "".join(sign if sign.isprintable() else " " for sign in what)
    if row["digest"] and not row["text"]:
        what += " (its words are erased)"
    return [
        datetime.fromtimestamp(row["at"] / 1000, zone).strftime("%Y-%m-%d %H:%M:%S"),
        str(row["user"]),
        str(row["channel"]),
        str(row["action"]),
        str(row["subject"]),
        str(row["outcome"]),
        str(row["rule"]),
        "" if row["picos"] is None else money(dollars(row["picos"])),
        what,
    ]


async def prove(url: SecretStr, out: TextIO, *, head: str | None) -> int:
    """Write whether the audit is as it was written; 1 where it is not.

    Args:
        url: of the database.
        out: where to.
        head: a hash that was kept elsewhere, and must be in it; None where there is none.

    Raises:
        StoreDown: it cannot be read.
    """
    async with beside(url) as store:
        audit = Audit(store)
        proof = await audit.verify()
        missing = head is not None and not await audit.holds(head)
    out.writelines(f"{line}\n" for line in verdict(proof))
    if missing:
        out.write(f"The hash {head} is not in it: records were removed, or made anew.\n")
    return 1 if proof.wrong or missing else 0


async def resign(url: SecretStr, out: TextIO, *, before: str, now: Callable[[], float]) -> int:
    """Sign where each day ends by the key that sessions bring now; 1 where something does not hold, and nothing was.

    Args:
        url: of a database on PostgreSQL.
        out: where to.
        before: the key that signed it; "" for the database's own.
        now: seconds since the epoch.

    Raises:
        StoreDown: it cannot be read or written, a key did not come along with its session, there is none and was none
            before, or it is a file, whose key lies beside it.
    """
    if file_of(url) is not None:
        raise StoreDown(
            "the key of an SQLite file lies beside it, and only there; there is none to go over to"
        )
    async with beside(keyed(url, before)) as store:
        if before and not await _brought(store):
            raise StoreDown(UNPROVED)
        proof = await Audit(store).verify()
    async with beside(url) as store:
        if (brings_key(url) or not before) and not await _brought(store):
            raise StoreDown(KEYLESS)
        wrong = await Audit(store).sign(proof, at=now())
    out.writelines(f"{_place(one)}\n" for one in wrong[:SHOWN])
    out.write(
        "Nothing was signed.\n"
        if wrong
        else f"{len(proof.heads):,} chains are signed by the key in use.\n"
    )
    return 1 if wrong else 0


async def _brought(store: Store) -> bool:
    """Whether the session has a key that it brought along; a pooler can drop it without a word."""
    return bool((await store.read("audit.key"))[0]["brought"])


def verdict(proof: Proof) -> list[str]:
    """What came of looking through the chains, in sentences."""
    lines = [_place(one) for one in proof.wrong[:SHOWN]]
    if len(proof.wrong) > SHOWN:
        lines.append(f"And {len(proof.wrong) - SHOWN:,} more.")
    if lines:
        return lines
    counted = f"{proof.records:,} records"
    if proof.erased:
        counted += f", the words of {proof.erased:,} erased"
    if proof.trimmed:
        counted += f", {proof.trimmed:,} days trimmed"
    lines.append(f"The audit is as it was written: {counted}.")
    for day, n, hash_ in proof.heads.values():
        lines.append(f"It ends on {day} with record {n}, {hash_}.")
    return lines


def _place(wrong: Wrong) -> str:
    record = f", record {wrong.n}" if wrong.n else ""
    return f"{wrong.day}{record} (team {wrong.team}): {wrong.what}."


def removed(user: str, done: Forgotten) -> list[str]:
    """What was removed of a person, and what was not, in sentences."""
    called = f", called {', '.join(done.names)}" if done.names else ""
    gone = (
        f"{user}{called}: removed the words of {done.asks:,} asks (with their answers and what was read for them), "
        f"of {done.others:,} asks of others in the same threads, {done.turns:,} remembered turns of threads, "
        f"and {done.notes:,} notes."
    )
    lines = [gone, CANNOT]
    if done.left or done.lanes:
        lines.append(
            f"Still needed: {done.left:,} of their asks (not ended, or with a change that may be decided on for a day) "
            f"and {done.lanes:,} threads at work. Run this again in a day."
        )
    return lines
