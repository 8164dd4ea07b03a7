"""A query narrowed to the projects that a channel may read, so that no wording of it reads more. Pure.

    (what was asked) AND project in ("SHOP", "PAY") ORDER BY what was asked

Wrapping alone is not enough: `project = A) OR (project = B` would slip out of the brackets. So the query is cut
into pieces as Jira cuts it, and what is not balanced is refused. Results are checked once more when they come.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.errors import PurserError

JQL_CHARS = 4_000  # of one query
DEPTH = 64  # of brackets
EVERY = "*"
EXAMPLE = "A query looks like `project = SHOP AND status = Blocked ORDER BY updated DESC`."
_PIECE = re.compile(
    r"""
      (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')   # quoted, with escapes
    | (?P<open>\()
    | (?P<close>\))
    | (?P<word>[^\s()"']+)
    """,
    re.VERBOSE | re.DOTALL,
)
_KEY = re.compile(r"[A-Z][A-Z0-9_]{1,9}")


class BadQuery(PurserError):
    """This query cannot be asked as it stands; the sentence says what to mend."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of a query, and where it begins."""

    kind: str
    text: str
    at: int


def narrowed(jql: str, projects: Sequence[str]) -> str:
    """The query, bounded to these projects.

    Args:
        jql: as a person or Claude wrote it.
        projects: keys that may be read; `*` is every project that Jira's account sees.

    Raises:
        BadQuery: it is empty, too long, or its quotes or brackets are not balanced.
    """
    where, order = _parted(jql)
    if EVERY in projects:
        if not where:
            raise BadQuery(f"The query needs at least one condition. {EXAMPLE}")
        return " ".join(part for part in (where, order) if part)
    if not projects:
        raise BadQuery("No Jira project is open in this channel.")
    if wrong := [key for key in projects if not _KEY.fullmatch(key)]:
        raise BadQuery(f"{wrong[0]} is no project key.")
    bound = "project in ({})".format(", ".join(f'"{key}"' for key in projects))
    both = f"({where}) AND {bound}" if where else bound
    return f"{both} {order}".rstrip()


def _parted(jql: str) -> tuple[str, str]:
    """What is asked, and the order, each "" where there is none."""
    if len(jql) > JQL_CHARS:
        raise BadQuery(f"The query has more than {JQL_CHARS:,} characters; ask for less at once.")
    if "\0" in jql:
        raise BadQuery(f"The query has characters that no query has. {EXAMPLE}")
    pieces = list(_pieces(jql))
    depth, order_at = 0, None
    for n, piece in enumerate(pieces):
        depth += {"open": 1, "close": -1}.get(piece.kind, 0)
        if depth < 0 or depth > DEPTH:
            raise BadQuery("The brackets of the query are not balanced.")
        following = pieces[n + 1] if n + 1 < len(pieces) else None
        if order_at is None and _is_word(piece, "order") and _is_word(following, "by"):
            if depth:
                raise BadQuery("ORDER BY stands inside brackets; put it at the end of the query.")
            order_at = piece.at
        elif order_at is not None and piece.kind in {"open", "close"}:
            raise BadQuery("After ORDER BY stand only fields, each with ASC or DESC.")
    if depth:
        raise BadQuery("The brackets of the query are not balanced.")
    if not pieces:
        raise BadQuery(f"The query is empty. {EXAMPLE}")
    end = len(jql) if order_at is None else order_at
    return jql[:end].strip(), jql[end:].strip()


def _pieces(jql: str) -> Iterator[_Piece]:
    at = 0
    while at < len(jql):
        if jql[at].isspace():
            at += 1
            continue
        found = _PIECE.match(jql, at)
        if found is None:  # only a quote that is never closed matches nothing
            raise BadQuery("A quotation mark of the query is not closed.")
        yield _Piece(str(found.lastgroup), found[0], at)
        at = found.end()


def _is_word(piece: _Piece | None, word: str) -> bool:
    return piece is not None and piece.kind == "word" and piece.text.lower() == word
