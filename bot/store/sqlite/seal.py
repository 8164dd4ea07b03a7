"""What the audit's SQL needs beside the engine's own functions: SHA-256, and a signature by a key beside the file.

`sha256(text)` and `signed(text)` give hexadecimal digits. The key is made with the first signature, and readable by
its owner alone; where a reader finds none, nothing is signed by it and `signed` is null.
"""

import hashlib
import hmac
import os
import secrets
import sqlite3
from pathlib import Path

KEY_BYTES = 32


def key_path(path: Path) -> Path:
    """Where the key of a database lies."""
    path = path.resolve()  # by whatever name it is called
    return path.with_name(path.name + "-audit-key")


def teach(connection: sqlite3.Connection, path: Path, *, writes: bool) -> None:
    """Give a connection both functions.

    Args:
        connection: to the database.
        path: of the database.
        writes: whether a key may be made where there is none.
    """
    known: list[bytes] = []

    def signed(text: str) -> str | None:
        if not known and (key := _key(path, make=writes)):
            known.append(key)
        return hmac.digest(known[0], _bytes(text), "sha256").hex() if known else None

    connection.create_function("sha256", 1, sha256, deterministic=True)
    connection.create_function("signed", 1, signed)


def sha256(text: str) -> str:
    """Of a text in UTF-8, in hexadecimal digits."""
    return hashlib.sha256(_bytes(text)).hexdigest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _key(path: Path, *, make: bool) -> bytes | None:
    place = key_path(path)
    if make and not place.exists():
        _made(place)
    return bytes.fromhex(place.read_text(encoding="ascii")) if place.exists() else None


def _made(place: Path) -> None:
    """A new key; of two processes that make one at once, one has made it, and it is never seen half written."""
    draft = place.with_name(f"{place.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, place)
    except FileExistsError:
        pass  # another process was first
    finally:
        draft.unlink()
