"""What an operator looks after: a channel's policy, asks that died, the database and its copies.

Everything here works beside a running `serve`, but for a migration that has something to do.
"""

import json
from collections.abc import Callable
from datetime import datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Literal, TextIO

from pydantic import SecretStr

from bot.adjustments import Adjustments
from bot.audit import of_dead, record
from bot.errors import PurserError
from bot.inbox import Inbox
from bot.policy import Policy, Value
from bot.rules import emptiness
from bot.store import Transaction, opening
from bot.store.sqlite.seal import key_path
from bot.tables import write

Now = Callable[[], float]


class NoSuchAsk(PurserError):
    """There is no dead ask of this id; `purser dead` lists them."""


async def adjust(held: Policy, url: SecretStr, *, now: Now) -> None:
    """Put in force what admins set in Slack, where a database has it.

    Raises:
        StoreDown: there is a database, and it cannot be read.
    """
    if not await opening.exists(url):
        return
    async with opening.beside(url) as store:
        await Adjustments(store, held, now=now).load()


def policy(held: Policy, out: TextIO, *, channel: str | None, as_json: bool) -> None:
    """Write what holds in a channel (None: in those the file does not name) and where each value comes from."""
    values, workspace = held.explain(channel or ""), held.explain_workspace()
    if as_json:
        document = {
            "channel": channel,
            "policy": {v.key: {"value": _plain(v.value), "source": v.source} for v in values},
            "workspace": {v.key: {"value": _plain(v.value), "source": v.source} for v in workspace},
            "admins": list(held.admins),
        }
        out.write(json.dumps(document, indent=2) + "\n")
        return
    where = f"channel {channel}" if channel else "channels that the policy file does not name"
    out.write(f"What holds in {where}\n")
    rows = [[v.key, _written(v), v.source] for v in values]
    rows += [[f"workspace.{v.key}", _written(v), v.source] for v in workspace]
    admins = ", ".join(held.admins) or "none"
    rows.append(["admins.users", admins, "[admins]" if held.admins else "default"])
    write(out, ("key", "value", "from"), rows, words=3)


def _plain(value: object) -> object:
    """A value as JSON has it; money as exact text."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    return list(value) if isinstance(value, tuple) else value


def _written(value: Value) -> str:
    if empty := emptiness(value.key, value.value):
        return empty
    plain = _plain(value.value)
    if isinstance(plain, bool):
        return "true" if plain else "false"
    return ", ".join(plain) if isinstance(plain, list) else " ".join(str(plain).split())


async def dead(url: SecretStr, out: TextIO, *, zone: tzinfo, now: Now) -> None:
    """List the dead asks and why each died, the oldest first."""
    async with opening.beside(url) as store:
        found = await Inbox(store, now=now, worker="terminal").dead_list()
    if not found:
        out.write("No dead asks.\n")
        return
    rows = [
        [
            str(ask["id"]),
            datetime.fromtimestamp(ask["at"], zone).strftime("%Y-%m-%d %H:%M"),
            str(ask["channel"]),
            str(ask["user"]),
            str(ask["feature"]),
            str(ask["attempt"]),
            str(ask["sentence"]),
        ]
        for ask in found
    ]
    write(out, ("id", "asked", "channel", "user", "feature", "attempts", "why"), rows, words=7)
    out.write(
        "`purser dead retry ID` gives one another chance, `purser dead drop ID` gives it up.\n"
    )


async def change_dead(
    url: SecretStr, out: TextIO, *, ask: str, act: Literal["retry", "drop"], now: Now
) -> None:
    """Give a dead ask another chance, or give it up for good.

    Args:
        url: of the database.
        out: where to.
        ask: its id, or the reference a person was told (its last eight characters).
        act: what to do.
        now: seconds since the epoch.

    Raises:
        NoSuchAsk: there is none, or more than one.
    """
    async with opening.beside(url) as store:
        inbox = Inbox(store, now=now, worker="terminal")
        found = {str(row["id"]): row for row in await inbox.dead_list()}
        meant = [i for i in found if i == ask] or [i for i in found if i[-8:] == ask]
        if len(meant) != 1:
            raise NoSuchAsk(
                f"{len(meant) or 'No'} dead asks go by {ask}; `purser dead` lists their ids."
            )
        tx, outcome = Transaction(), "retried" if act == "retry" else "dropped"
        record(tx, of_dead(found[meant[0]], outcome), at=now())
        changed = await (inbox.retry_dead if act == "retry" else inbox.drop_dead)(meant[0], tx)
    if not changed:
        raise NoSuchAsk(f"{meant[0]} is not dead any more.")
    said = "waits for a worker again" if act == "retry" else "is given up"
    out.write(f"{meant[0]} {said}.\n")


async def bring_up(url: SecretStr, out: TextIO) -> None:
    """Bring the schema up to date and say what was done."""
    done, name = await opening.bring_up(url), opening.named(url)
    if not done.applied:
        out.write(f"{name} is up to date.\n")
        return
    steps = ", ".join(done.applied)
    before = f"; as it was before, it lies in {done.copy}" if done.copy else ""
    out.write(f"{name}: applied {steps}{before}.\n")


async def backup(url: SecretStr, target: Path, out: TextIO) -> None:
    """Copy the database while it is in use."""
    await opening.backup(url, target)
    out.write(f"{opening.named(url)} was copied to {target}.\n")
    file = opening.file_of(url)
    if file is not None and (key := key_path(file)).exists():
        out.write(f"Its audit is proved by {key}: keep a copy of that, too, in another place.\n")
