"""Jira's JSON as our plain data: what has another shape than expected is left empty, never trusted.

Decided here, because every reader of an issue depends on it: comments that are not for everybody are left out and
counted; another issue is shown as its bare key unless it is of the same project and known to be open.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, cast

from integrations.jira_errors import NOT_JIRA, JiraBroken
from integrations.jira_issue import (
    Account,
    Attachment,
    Change,
    Comment,
    Issue,
    Reference,
    Status,
)
from integrations.jira_node import clean
from integrations.jira_text import markdown

FIELDS = (
    "project,summary,issuetype,status,priority,assignee,reporter,created,updated,duedate,resolution,"
    "labels,components,fixVersions,parent,issuelinks,subtasks,description,attachment,security"
)
DESCRIPTION_CHARS = 12_000
COMMENT_CHARS = 4_000
VALUE_CHARS = 200  # of a field's value in the changelog

KEY = re.compile(r"[A-Z][A-Z0-9_]*-\d+")
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_CATEGORIES = {"new": "to do", "indeterminate": "in progress", "done": "done"}
# Fields whose old and new values may be shown; others (texts, links, security) are named alone.
_SHOWN = frozenset(
    {
        "assignee",
        "component",
        "duedate",
        "fix version",
        "issuetype",
        "labels",
        "priority",
        "reporter",
        "resolution",
        "sprint",
        "status",
        "story point estimate",
        "story points",
        "summary",
    }
)
_UNTOLD = frozenset({"comment", "rank"})  # texts of removed comments; places in a backlog

Json = Mapping[str, Any]


def account(raw: Json) -> Account:
    """Who the bot is.

    Raises:
        JiraBroken: the answer says nothing of the kind.
    """
    account_id, name = _text(raw.get("accountId")), _text(raw.get("displayName"))
    if not account_id:
        raise JiraBroken(NOT_JIRA)
    return Account(name=name or account_id, account_id=account_id)


def issue(raw: Json, site: str) -> Issue:
    """An issue without its comments; other issues of its project are still shown.

    Args:
        raw: of GET issue/KEY with FIELDS, and perhaps its changelog.
        site: where people open issues.

    Raises:
        JiraBroken: key or project are missing, so that nobody could decide who may see it.
    """
    key, fields = _text(raw.get("key")), _dict(raw.get("fields"))
    project = _text(_dict(fields.get("project")).get("key"))
    if not KEY.fullmatch(key) or not project:
        raise JiraBroken(NOT_JIRA)
    changes, older_changes = _changelog(_dict(raw.get("changelog")))
    created = _moment(fields.get("created"))
    status = _dict(fields.get("status"))
    return Issue(
        key=key,
        project=project,
        summary=_text(fields.get("summary")),
        type=_name(fields.get("issuetype")),
        status=Status(
            name=_name(status),
            category=_CATEGORIES.get(_text(_dict(status.get("statusCategory")).get("key")), ""),
            since=_since(changes, older_changes, created) if "changelog" in raw else None,
        ),
        priority=_name(fields.get("priority")),
        assignee=_person(fields.get("assignee")),
        reporter=_person(fields.get("reporter")),
        created=created,
        updated=_moment(fields.get("updated")),
        due=_day(fields.get("duedate")),
        resolution=_name(fields.get("resolution")),
        labels=tuple(t for x in _list(fields.get("labels")) if (t := _text(x))),
        components=_names(fields.get("components")),
        fix_versions=_names(fields.get("fixVersions")),
        parent=next(iter(_references([("parent", fields.get("parent"))], project)), None),
        links=tuple(_references(_links(fields.get("issuelinks")), project)),
        subtasks=tuple(
            _references((("sub-task", s) for s in _list(fields.get("subtasks"))), project)
        ),
        description=markdown(fields.get("description"), most=DESCRIPTION_CHARS),
        attachments=tuple(_attachments(fields.get("attachment"))),
        # An issue that has a level without a name is restricted all the same.
        security=_name(fields.get("security")) or ("restricted" if fields.get("security") else ""),
        url=f"{site}/browse/{key}",
        changes=tuple(changes),
        older_changes=older_changes,
    )


def open_keys(raw: Json) -> frozenset[str]:
    """Keys of the issues in a bulk answer that have no security level."""
    return frozenset(
        _text(found.get("key"))
        for x in _list(raw.get("issues"))
        if "fields" in (found := _dict(x)) and not _dict(found.get("fields")).get("security")
    )


def hushed(read: Issue, shown: Collection[str]) -> Issue:
    """The issue with its parent and links reduced to their keys, but for those in `shown`."""

    def bare(other: Reference) -> Reference:
        return other if other.key in shown else replace(other, status="", summary="")

    return replace(
        read,
        parent=bare(read.parent) if read.parent else None,
        links=tuple(bare(link) for link in read.links),
    )


@dataclass(frozen=True, slots=True)
class CommentPage:
    """A page of comments, newest first; those that are not for everybody are None.

    Attributes:
        total: how many there are on all pages.
    """

    comments: tuple[Comment | None, ...]
    total: int


def comments(raw: Json, url: str) -> CommentPage:
    """A page of an issue's comments.

    Args:
        raw: of GET issue/KEY/comment.
        url: where people open the issue.
    """
    page = [_comment(_dict(found), url) for found in _list(raw.get("comments"))]
    return CommentPage(tuple(page), max(_number(raw.get("total")), len(page)))


def _comment(raw: Json, url: str) -> Comment | None:
    """A comment, or None when only a role, a group or the service desk may see it."""
    public = raw.get("jsdPublic", True)
    if raw.get("visibility") is not None or public is not True:
        return None
    number = _text(raw.get("id"))
    created = _text(raw.get("created"))
    return Comment(
        id=number,
        author=_person(raw.get("author")),
        at=_moment(created),
        body=markdown(raw.get("body"), most=COMMENT_CHARS),
        url=f"{url}?focusedCommentId={number}" if number.isdigit() else url,
        edited=_text(raw.get("updated")) not in {"", created},
    )


def _changelog(raw: Json) -> tuple[list[Change], int]:
    """The changes, oldest first, and how many steps before them were not read."""
    # Newest first as Jira tells it, and several may have the same moment.
    steps = [_dict(found) for found in reversed(_list(raw.get("histories")))]
    steps.sort(key=lambda step: _moment(step.get("created")) or _EARLIEST)
    changes = [change for step in steps for change in _changes(step)]
    return changes, max(0, _number(raw.get("total")) - len(steps))


def _changes(step: Json) -> Iterator[Change]:
    at, author = _moment(step.get("created")), _person(step.get("author"))
    for item in map(_dict, _list(step.get("items"))):
        field = _text(item.get("field"))
        if not field or field.lower() in _UNTOLD:
            continue
        shown = field.lower() in _SHOWN
        before, after = item.get("fromString"), item.get("toString")
        yield Change(
            at=at,
            author=author,
            field=field,
            before=_text(before)[:VALUE_CHARS] if shown else "",
            after=_text(after)[:VALUE_CHARS] if shown else "",
        )


def _since(
    changes: Sequence[Change], older_changes: int, created: datetime | None
) -> datetime | None:
    """When the status was reached: by its last change, or from the start when there was none."""
    moves = [change.at for change in changes if change.field.lower() == "status"]
    if moves:
        return moves[-1]
    return None if older_changes else created


def _links(raw: object) -> Iterator[tuple[str, object]]:
    for link in map(_dict, _list(raw)):
        kind = _dict(link.get("type"))
        for end, relation in (("outwardIssue", "outward"), ("inwardIssue", "inward")):
            if link.get(end):
                yield _text(kind.get(relation)) or "is linked to", link[end]


def _references(ends: Iterable[tuple[str, object]], project: str) -> Iterator[Reference]:
    """Other issues: those of other projects are bare keys."""
    for relation, raw in ends:
        other = _dict(raw)
        key, fields = _text(other.get("key")), _dict(other.get("fields"))
        if not KEY.fullmatch(key):
            continue
        same = key.rpartition("-")[0] == project
        yield Reference(
            key=key,
            relation=relation,
            status=_name(fields.get("status")) if same else "",
            summary=_text(fields.get("summary")) if same else "",
        )


def _attachments(raw: object) -> Iterator[Attachment]:
    for found in map(_dict, _list(raw)):
        name = _text(found.get("filename"))
        yield Attachment(name, _text(found.get("mimeType")), _number(found.get("size")))


def _dict(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _number(value: object) -> int:
    return max(0, value) if isinstance(value, int) else 0


def _text(value: object) -> str:
    """A short text, in one line."""
    return " ".join(clean(value).split())


def _name(value: object) -> str:
    return _text(_dict(value).get("name"))


def _names(value: object) -> tuple[str, ...]:
    return tuple(name for found in _list(value) if (name := _name(found)))


def _person(value: object) -> str:
    return _text(_dict(value).get("displayName"))


def _moment(value: object) -> datetime | None:
    """A time in UTC; Jira gives it in the account's zone."""
    try:
        found = datetime.fromisoformat(_text(value))
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(_text(value))
    except ValueError:
        return None
