"""The audit's key: whether it is the one that signed what there is, and who may read it."""

import stat

from pydantic import SecretStr

from bot.doctor import Finding
from bot.errors import StoreDown
from bot.store import Row, Store
from bot.store.opening import file_of
from bot.store.sqlite.seal import key_path

NAME = "Audit key"
BACK = "put the key back from your copy; `purser audit verify` says more"
BROUGHT = "give AUDIT_KEY the value that it had; if it was changed, or set for the first time, `purser audit sign` signs anew"
NOT_BROUGHT = (
    "AUDIT_KEY is not set and was, it seems: set it again; `purser audit verify` says more"
)


async def examine(store: Store, url: SecretStr) -> list[Finding]:
    """Whether each day's end is signed by our key, and who may read that.

    Args:
        store: the database, which is well.
        url: of it.

    Raises:
        StoreDown: it cannot be read.
    """
    chains = await _chains(store)
    if chains is None:
        return [Finding(NAME, "red", "is no key, or cannot be read", BACK)]
    beside, brought = file_of(url) is not None, (await store.read("audit.key"))[0]["brought"]
    strange = sum(not chain["genuine"] for chain in chains)
    if strange:
        says = f"did not sign the end of {strange:,} of {len(chains):,} days: it is gone, or another one"
        return [Finding(NAME, "red", says, BACK if beside else BROUGHT if brought else NOT_BROUGHT)]
    says = f"signed the end of {len(chains):,} days"
    if not beside and not brought:
        says += "; it lies in the database itself, which AUDIT_KEY would change"
    return [_readable(url) or Finding(NAME, "green", says)]


async def _chains(store: Store) -> list[Row] | None:
    """Each day's, with whether it is genuine; None where the key cannot say so."""
    try:
        return await store.read("audit.chains")
    except StoreDown:
        if not await store.ready():
            raise
        return None  # by the key, since the database is well


def _readable(url: SecretStr) -> Finding | None:
    path = file_of(url)
    place = key_path(path) if path is not None else None
    if place is None or not place.exists():
        return None
    mode = stat.S_IMODE(place.stat().st_mode)
    if not mode & 0o077:
        return None
    return Finding(NAME, "yellow", f"may be read by others (mode {mode:o})", f"chmod 600 {place}")
