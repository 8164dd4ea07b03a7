"""A ticket as text for Claude: fields first, then the description, then its comments, and what was not read.

Text beats JSON here: it is half as long and is quoted as it stands. Pure.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from integrations.jira import Change, Comment, Issue, Reference, Row

KEY = re.compile(r"[A-Z][A-Z0-9_]{1,9}-[1-9]\d{0,6}")
DESCRIPTION_CHARS = 12_000
COMMENT_CHARS = 4_000
CHANGES = 40  # the newest ones


def told(issue: Issue, *, shown: Iterable[str] = ()) -> str:
    """The whole ticket, in the order in which somebody reads one.

    Args:
        issue: the ticket.
        shown: names of attachments that follow as they are.
    """
    seen = set(shown)
    parts = [
        f"# {issue.key}: {_line(issue.summary)}\n{issue.url}",
        "\n".join(_fields(issue)),
        f"## Description\n{_cut(issue.description, DESCRIPTION_CHARS) or '(none)'}",
    ]
    if related := [_related(r) for r in (*issue.links, *issue.subtasks)]:
        parts.append("\n".join(["## Links", *related]))
    if issue.attachments:
        files = [
            f"- {_line(a.name)} ({a.mimetype}, {a.size:,} bytes){', shown below' * (a.name in seen)}"
            for a in issue.attachments
        ]
        heading = (
            "## Attachments (not read)" if not seen else "## Attachments (read where it says so)"
        )
        parts.append("\n".join([heading, *files]))
    if issue.changes:
        parts.append("\n".join(["## History", *_changes(issue)]))
    parts.append("\n\n".join([_heading(issue), *(_comment(c) for c in issue.comments)]))
    return "\n\n".join(parts)


def listed(rows: Iterable[Row]) -> str:
    """Tickets of a search, a line each."""
    return "\n".join(_row(row) for row in rows)


def _row(row: Row) -> str:
    told = (
        f"[{row.key}]({row.url})",
        row.type,
        row.status.name,
        row.priority,
        row.assignee or "nobody",
        f"updated {row.updated:%Y-%m-%d}" if row.updated else "",
        f"due {row.due}" if row.due else "",
        row.summary,
    )
    return "- " + " · ".join(_line(part) for part in told if part)


def _fields(issue: Issue) -> Iterator[str]:
    status = issue.status
    since = f", since {_when(status.since)}" if status.since else ""
    category = f" ({status.category})" if status.category else ""
    named: tuple[tuple[str, str], ...] = (
        ("Type", issue.type),
        ("Status", f"{_line(status.name)}{category}{since}"),
        ("Resolution", issue.resolution),
        ("Priority", issue.priority),
        ("Assignee", issue.assignee or "nobody"),
        ("Reporter", issue.reporter),
        ("Created", _when(issue.created)),
        ("Updated", _when(issue.updated)),
        ("Due", issue.due.isoformat() if issue.due else ""),
        ("Labels", ", ".join(issue.labels)),
        ("Components", ", ".join(issue.components)),
        ("Fix versions", ", ".join(issue.fix_versions)),
        ("Parent", _reference(issue.parent) if issue.parent else ""),
    )
    for name, value in named:
        if value:
            yield f"{name}: {_line(value)}"


def _related(other: Reference) -> str:
    return f"- {_line(other.relation)} {_reference(other)}"


def _reference(other: Reference) -> str:
    """Its key, and what may be shown of it."""
    more = [_line(part) for part in (other.summary, other.status) if part]
    return f"{other.key} ({'; '.join(more)})" if more else other.key


def _changes(issue: Issue) -> Iterable[str]:
    kept = issue.changes[-CHANGES:]
    left = issue.older_changes + len(issue.changes) - len(kept)
    if left:
        yield f"[{_many(left, 'older change')} not read]"
    yield from map(_change, kept)


def _change(change: Change) -> str:
    before, after = _line(change.before), _line(change.after)
    values = f": {before or 'nothing'} → {after or 'nothing'}" if before or after else " changed"
    what = f"{_line(change.field)}{values}"
    return f"- {_when(change.at)}, {_line(change.author)}: {what}"


def _heading(issue: Issue) -> str:
    if not (issue.comments or issue.older_comments or issue.restricted_comments):
        return "## Comments\n(none)"
    gaps: list[str] = []
    if issue.older_comments:
        gaps.append(f"[{_many(issue.older_comments, 'older comment')} not read]")
    if issue.restricted_comments:
        gaps.append(f"[{_many(issue.restricted_comments, 'restricted comment')} not shown]")
    return "\n".join(["## Comments, oldest first", *gaps])


def _comment(comment: Comment) -> str:
    edited = ", edited" if comment.edited else ""
    body = _cut(comment.body, COMMENT_CHARS) or "(empty)"
    return f"{_line(comment.author)} ({_when(comment.at)}{edited}):\n{body}\n{comment.url}"


def _many(count: int, what: str) -> str:
    return f"{count} {what} was" if count == 1 else f"{count} {what}s were"


def _when(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%d %H:%M") if at else ""


def _line(text: str) -> str:
    """One line, so that a name cannot pass for a field."""
    return " ".join(text.split())


def _cut(text: str, limit: int) -> str:
    text = text.strip()
    return (
        text
        if len(text) <= limit
        else f"{text[:limit]}\n[cut here: {len(text) - limit} more characters]"
    )
