"""Named statements as PostgreSQL takes them: `:name` becomes `$1`, and what must find something gets a twin.

The twin of a statement ends its transaction on the server if it touches or returns no row, so that nobody has to be
asked in the transaction's middle.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from bot.store.statements import load

MUST_FIND = "PU001"  # the SQLSTATE of a statement that had to find something (`must` in the schema)
_NAMES = re.compile(r"'(?:[^']|'')*'|::|:(\w+)")
_TWIN = (
    "WITH one AS ({sql}), sure AS MATERIALIZED (SELECT must((SELECT count(*) FROM one)) AS sure) "
    "SELECT one.* FROM sure LEFT JOIN one ON sure.sure"
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement for the server.

    Attributes:
        name: by which the server knows it.
        sql: with `$1`, `$2`.
        parameters: whose values stand there, in this order.
        rows: whether it gives any.
    """

    name: bytes
    sql: bytes
    parameters: tuple[str, ...] = ()
    rows: bool = True

    def bound(self, values: Mapping[str, Any]) -> list[bytes | None]:
        """Values as the wire takes them."""
        return [_wire(values[name]) for name in self.parameters]


def plain(name: str, sql: str) -> Prepared:
    """A statement as it is."""
    parameters: list[str] = []

    def number(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return match[0]
        if name not in parameters:
            parameters.append(name)
        return f"${parameters.index(name) + 1}"

    text = _NAMES.sub(number, sql)
    rows = "RETURNING" in text or text.startswith(("SELECT", "WITH"))
    return Prepared(name.encode(), text.encode(), tuple(parameters), rows)


def must_find(name: str, sql: str) -> Prepared:
    """A statement's twin that ends its transaction where it touches or returns no row."""
    one = plain(name, sql)
    inner = one.sql.decode() if one.rows else f"{one.sql.decode()} RETURNING 1"
    return Prepared(f"{name}!".encode(), _TWIN.format(sql=inner).encode(), one.parameters, one.rows)


class Statements:
    """All statements of this engine, by name."""

    def __init__(self) -> None:
        sql = load(files(__package__ or ""))
        self._plain = {name: plain(name, text) for name, text in sql.items()}
        self._must = {name: must_find(name, text) for name, text in sql.items()}

    def get(self, name: str, *, must: bool = False) -> Prepared:
        """A statement, or its twin.

        Raises:
            KeyError: there is none of that name.
        """
        return (self._must if must else self._plain)[name]


def _wire(value: Any) -> bytes | None:
    """A value as text; what UTF-8 or this engine cannot hold (half a surrogate pair, a NUL) is replaced."""
    if value is None:
        return None
    if isinstance(value, str):
        text = value.encode("utf-8", "replace")
        return text.replace(b"\0", b"\xef\xbf\xbd") if b"\0" in text else text
    if isinstance(value, bool):
        return b"1" if value else b"0"
    return str(value).encode()
