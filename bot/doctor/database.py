"""The database: whether it can be used, and who may read it."""

import os
import stat
from pathlib import Path

from pydantic import SecretStr

from bot.doctor import Finding
from bot.errors import StoreDown
from bot.store.opening import beside, file_of, named


async def examine(url: SecretStr) -> list[Finding]:
    """Whether it can be used, and who may read it."""
    path = file_of(url)
    if path is not None and not path.exists():
        return [_no_database(path)]
    try:
        async with beside(url) as store:
            healthy = await store.ready()
    except StoreDown as error:
        return [Finding("Database", "red", str(error), f"see DATABASE_URL, now {named(url)}")]
    if not healthy:
        return [Finding("Database", "red", "does not answer", "check the disk and its space")]
    if path is not None and (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
        says = f"{path} may be read by others (mode {mode:o})"
        return [Finding("Database", "yellow", says, f"chmod 600 {path}")]
    return [Finding("Database", "green", f"{named(url)}, schema up to date")]


def _no_database(path: Path) -> Finding:
    folder = path.resolve().parent
    if not os.access(folder, os.W_OK):
        says = f"{path} cannot be made: {folder} is no folder that this user may write"
        return Finding("Database", "red", says, "make it, or name another in DATABASE_URL")
    return Finding("Database", "green", f"{path} will be made at the first start")
