"""The database: whether it can be used, and who may read it."""

import os
import stat
from pathlib import Path

from pydantic import SecretStr

from bot.doctor import Finding
from bot.errors import StoreDown
from bot.store import Store
from bot.store.opening import beside, file_of, named

UNCLEARED = (
    "see that autovacuum is on, and that no session has been in one transaction for hours (pg_stat_activity); then "
    "`VACUUM` that table"
)
ROOM_BYTES = 200_000_000  # from which on it matters that more than half of a table is dead


async def examine(url: SecretStr, *, room: int = ROOM_BYTES) -> list[Finding]:
    """Whether it can be used, who may read it, and whether it is cleared up.

    Args:
        url: of the database.
        room: bytes from which on a table, or the file, is looked at.
    """
    path = file_of(url)
    if path is not None and not path.exists():
        return [_no_database(path)]
    try:
        async with beside(url) as store:
            healthy = await store.ready()
            dead = await _dead(store, room) if healthy else None
    except StoreDown as error:
        says, _, mend = str(error).partition("; ")
        return [Finding("Database", "red", f"{says} ({named(url)})", mend or "see DATABASE_URL")]
    if not healthy:
        return [Finding("Database", "red", "does not answer", "check the disk and its space")]
    if path is not None and (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
        says = f"{path} may be read by others (mode {mode:o})"
        return [Finding("Database", "yellow", says, f"chmod 600 {path}")]
    if dead is not None:
        mend = f"stop Purser and run `sqlite3 {path} VACUUM`" if path is not None else UNCLEARED
        return [Finding("Database", "yellow", dead, mend)]
    return [Finding("Database", "green", f"{named(url)}, schema up to date")]


async def _dead(store: Store, room: int) -> str | None:
    """Which tables are more dead than alive, the largest first."""
    rows = await store.read("doctor.room")
    found = [row for row in rows if row["bytes"] >= room and row["dead"] > row["live"]]
    megabytes = sum(row["bytes"] for row in found) / 1e6
    names = ", ".join(str(row["name"]) for row in found)
    return f"more than half is dead of {names}, {megabytes:,.0f} MB" if found else None


def _no_database(path: Path) -> Finding:
    folder = path.resolve().parent
    if not os.access(folder, os.W_OK):
        says = f"{path} cannot be made: {folder} is no folder that this user may write"
        return Finding("Database", "red", says, "make it, or name another in DATABASE_URL")
    return Finding("Database", "green", f"{path} will be made at the first start")
