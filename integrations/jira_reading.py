"""Jira's JSON as our plain data: what has another shape than expected is left empty, never trusted.

Decided here, because every reader of an issue depends on it: comments that are not for everybody are left out and
counted; another issue is shown as its bare key unless it is of the same project and known to be open.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

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
from integrations.jira_text import markdown
from integrations.jira_values import (
    day,
    items,
    line,
    mapping,
    moment,
    name_of,
    names_of,
    number,
    person,
)

FIELDS = (
    "project,summary,issuetype,status,priority,assignee,reporter,created,updated,duedate,resolution,"
    "labels,components,fixVersions,parent,issuelinks,subtasks,description,attachment,security"
)
DESCRIPTION_CHARS = 12_000
COMMENT_CHARS = 4_000
VALUE_CHARS = 200  # of a field's value in the changelog

KEY = re.compile(r"[A-Z][A-Z0-9_]*-\d+")
_EARLIEST = datetime.min.replace(tzinfo=UTC)
CATEGORIES = {"new": "to do", "indeterminate": "in progress", "done": "done"}
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
    account_id, name = line(raw.get("accountId")), line(raw.get("displayName"))
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
    key, fields = line(raw.get("key")), mapping(raw.get("fields"))
    project = line(mapping(fields.get("project")).get("key"))
    if not KEY.fullmatch(key) or not project:
        raise JiraBroken(NOT_JIRA)
    changes, older_changes = _changelog(mapping(raw.get("changelog")))
    created = moment(fields.get("created"))
    status = mapping(fields.get("status"))
    return Issue(
        key=key,
        project=project,
        summary=line(fields.get("summary")),
        type=name_of(fields.get("issuetype")),
        status=Status(
            name=name_of(status),
            category=CATEGORIES.get(line(mapping(status.get("statusCategory")).get("key")), ""),
            since=_since(changes, older_changes, created) if "changelog" in raw else None,
        ),
        priority=name_of(fields.get("priority")),
        assignee=person(fields.get("assignee")),
        reporter=person(fields.get("reporter")),
        created=created,
        updated=moment(fields.get("updated")),
        due=day(fields.get("duedate")),
        resolution=name_of(fields.get("resolution")),
        labels=tuple(t for x in items(fields.get("labels")) if (t := line(x))),
        components=names_of(fields.get("components")),
        fix_versions=names_of(fields.get("fixVersions")),
        parent=next(iter(_references([("parent", fields.get("parent"))], project)), None),
        links=tuple(_references(_links(fields.get("issuelinks")), project)),
        subtasks=tuple(
            _references((("sub-task", s) for s in items(fields.get("subtasks"))), project)
        ),
        description=markdown(fields.get("description"), most=DESCRIPTION_CHARS),
        attachments=tuple(_attachments(fields.get("attachment"))),
        # An issue that has a level without a name is restricted all the same.
        security=name_of(fields.get("security"))
        or ("restricted" if fields.get("security") else ""),
        url=f"{site}/browse/{key}",
        changes=tuple(changes),
        older_changes=older_changes,
    )


def open_keys(raw: Json) -> frozenset[str]:
    """Keys of the issues in a bulk answer that have no security level."""
    return frozenset(
        line(found.get("key"))
        for x in items(raw.get("issues"))
        if "fields" in (found := mapping(x)) and not mapping(found.get("fields")).get("security")
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
    page = [_comment(mapping(found), url) for found in items(raw.get("comments"))]
    return CommentPage(tuple(page), max(number(raw.get("total")), len(page)))


def _comment(raw: Json, url: str) -> Comment | None:
    """A comment, or None when only a role, a group or the service desk may see it."""
    public = raw.get("jsdPublic", True)
    if raw.get("visibility") is not None or public is not True:
        return None
    ident = line(raw.get("id"))
    created = line(raw.get("created"))
    return Comment(
        id=ident,
        author=person(raw.get("author")),
        at=moment(created),
        body=markdown(raw.get("body"), most=COMMENT_CHARS),
        url=f"{url}?focusedCommentId={ident}" if ident.isdigit() else url,
        edited=line(raw.get("updated")) not in {"", created},
    )


def _changelog(raw: Json) -> tuple[list[Change], int]:
    """The changes, oldest first, and how many steps before them were not read."""
    # Newest first as Jira tells it, and several may have the same moment.
    steps = [mapping(found) for found in reversed(items(raw.get("histories")))]
    steps.sort(key=lambda step: moment(step.get("created")) or _EARLIEST)
    changes = [change for step in steps for change in _changes(step)]
    return changes, max(0, number(raw.get("total")) - len(steps))


def _changes(step: Json) -> Iterator[Change]:
    at, author = moment(step.get("created")), person(step.get("author"))
    for item in map(mapping, items(step.get("items"))):
        field = line(item.get("field"))
        if not field or field.lower() in _UNTOLD:
            continue
        shown = field.lower() in _SHOWN
        before, after = item.get("fromString"), item.get("toString")
        yield Change(
            at=at,
            author=author,
            field=field,
            before=line(before)[:VALUE_CHARS] if shown else "",
            after=line(after)[:VALUE_CHARS] if shown else "",
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
    for link in map(mapping, items(raw)):
        kind = mapping(link.get("type"))
        for end, relation in (("outwardIssue", "outward"), ("inwardIssue", "inward")):
            if link.get(end):
                yield line(kind.get(relation)) or "is linked to", link[end]


def _references(ends: Iterable[tuple[str, object]], project: str) -> Iterator[Reference]:
    """Other issues: those of other projects are bare keys."""
    for relation, raw in ends:
        other = mapping(raw)
        key, fields = line(other.get("key")), mapping(other.get("fields"))
        if not KEY.fullmatch(key):
            continue
        same = key.rpartition("-")[0] == project
        yield Reference(
            key=key,
            relation=relation,
            status=name_of(fields.get("status")) if same else "",
            summary=line(fields.get("summary")) if same else "",
        )


def _attachments(raw: object) -> Iterator[Attachment]:
    for found in map(mapping, items(raw)):
        name = line(found.get("filename"))
        yield Attachment(
            name, line(found.get("mimeType")), number(found.get("size")), line(found.get("id"))
        )
