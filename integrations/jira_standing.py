"""An issue as a change to it has to know it: where it is, how it stands, and what happened to it lately."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from integrations.jira_errors import NOT_JIRA, JiraBroken, JiraNotFound
from integrations.jira_reading import KEY
from integrations.jira_values import items, line, mapping, name_of, person

if TYPE_CHECKING:
    from integrations.jira_client import Client


FIELDS = ("project", "summary", "issuetype", "status", "security")
DESK = "service_desk"

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One field changed once, newest first in `Standing.changes`.

    Attributes:
        entry: the id of its entry in the changelog; one entry may hold several changes.
        by: the account id of who did it.
        who: their name.
        mark: of the proposal that it came from; "" without one.
        to: Jira's id of the new value, where it has one.
    """

    entry: str
    by: str
    who: str
    mark: str
    field: str
    to: str


@dataclass(frozen=True, slots=True)
class Standing:
    """One issue.

    Attributes:
        desk: whether its project is a service desk, where customers may read along.
        status: Jira's id of it.
        fields: as Jira told them.
        changes: the newest first; empty unless the changelog was read.
    """

    key: str
    project: str
    project_name: str
    desk: bool
    summary: str
    type: str
    status: str
    status_name: str
    fields: Json
    changes: Sequence[Change]


def standing(
    client: Client, key: str, *, fields: Iterable[str] = (), changelog: bool = False
) -> Standing:
    """An issue that everybody in its project may see.

    Args:
        client: asks Jira.
        key: of the issue; a moved one answers to its old key.
        fields: ids of more fields.
        changelog: whether to read what happened to it.

    Raises:
        JiraNotFound: it does not exist, is hidden, or has a security level.
        JiraProblem: it was not read.
    """
    expand = {"expand": "changelog"} if changelog else {}
    asked = ",".join(dict.fromkeys((*FIELDS, *fields)))
    raw = client.read(f"issue/{key}", fields=asked, **expand)
    told = mapping(raw.get("fields"))
    if told.get("security"):
        raise JiraNotFound
    project, status = mapping(told.get("project")), mapping(told.get("status"))
    found = Standing(
        key=line(raw.get("key")),
        project=line(project.get("key")),
        project_name=name_of(project),
        desk=line(project.get("projectTypeKey")) == DESK,
        summary=line(told.get("summary")),
        type=name_of(told.get("issuetype")),
        status=line(status.get("id")),
        status_name=name_of(status),
        fields=told,
        changes=tuple(_changes(mapping(raw.get("changelog")))),
    )
    if not KEY.fullmatch(found.key) or not found.project or not found.status:
        raise JiraBroken(NOT_JIRA)
    return found


def _changes(raw: Json) -> Iterator[Change]:
    """As Jira tells them here: the newest first, a hundred at most."""
    for entry in map(mapping, items(raw.get("histories"))):
        author = mapping(entry.get("author"))
        extra = mapping(mapping(entry.get("historyMetadata")).get("extraData"))
        for item in map(mapping, items(entry.get("items"))):
            yield Change(
                entry=line(entry.get("id")),
                by=line(author.get("accountId")),
                who=person(author) or "Somebody",
                mark=line(extra.get("mark")),
                field=line(item.get("fieldId")) or line(item.get("field")),
                to=line(item.get("to")),
            )
