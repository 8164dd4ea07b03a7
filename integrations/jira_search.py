"""Searching Jira: a page of rows, a count, and the sprint that a board is in.

Rows are thrift: what somebody needs to choose a ticket, nothing that has to be converted. Who may see a row is
decided by whoever asked, on the project and the security level that came back with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from integrations.jira_errors import NOT_JIRA, JiraBroken, JiraNotFound, JiraRejected
from integrations.jira_issue import Status
from integrations.jira_reading import CATEGORIES, KEY
from integrations.jira_values import day, items, line, mapping, moment, name_of, number, person

FIELDS = "project,summary,issuetype,status,priority,assignee,updated,duedate,security"
ROWS_AT_MOST = 100  # of a page; Jira gives no more with fields
BOARDS = 50  # looked at for a project or a name

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """An issue as a search tells of it.

    Attributes:
        project: the key of the project it is in now; permission is decided on this one.
        restricted: it has a security level, so not everybody in the project may see it.
        url: for people, on the site.
    """

    key: str
    project: str
    summary: str
    type: str
    status: Status
    priority: str
    assignee: str
    updated: datetime | None
    due: date | None
    restricted: bool
    url: str


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a search; `next_page` is "" on the last one."""

    rows: tuple[Row, ...]
    next_page: str


@dataclass(frozen=True, slots=True)
class Sprint:
    """A sprint of a board.

    Attributes:
        project: the key of the board's project; "" where the board belongs to none.
        goal: what the team wrote; may be empty.
    """

    id: int
    name: str
    goal: str
    starts: datetime | None
    ends: datetime | None
    board: str
    project: str


class Reads(Protocol):
    """What is needed of a client."""

    def read(self, path: str, **query: str | int) -> Json:
        """GET an object below /rest/api/3; raises JiraProblem."""
        ...

    def query(self, path: str, body: Json) -> Json:
        """POST a question below /rest/api/3; raises JiraProblem."""
        ...

    def agile(self, path: str, **query: str | int) -> Json:
        """GET an object below /rest/agile/1.0; raises JiraProblem."""
        ...


def search(client: Reads, jql: str, *, limit: int, page: str, site: str) -> Found:
    """A page of what a query finds.

    Args:
        client: asks Jira.
        jql: bounded, as Jira demands.
        limit: rows at most, up to ROWS_AT_MOST.
        page: `next_page` of the page before; "" for the first.
        site: where people open issues.

    Raises:
        JiraProblem: Jira does not take the query, or could not be asked.
    """
    more = {"nextPageToken": page} if page else {}
    size = min(max(1, limit), ROWS_AT_MOST)
    raw = client.read("search/jql", jql=jql, maxResults=size, fields=FIELDS, **more)
    if "issues" not in raw:
        raise JiraBroken(NOT_JIRA)
    rows = tuple(_row(mapping(found), site) for found in items(raw["issues"]))
    last = raw.get("isLast") is True
    return Found(rows, "" if last else line(raw.get("nextPageToken")))


def count(client: Reads, jql: str) -> int:
    """About how many issues a query finds.

    Raises:
        JiraProblem: Jira does not take the query, or could not be asked.
    """
    raw = client.query("search/approximate-count", {"jql": jql})
    if not isinstance(raw.get("count"), int):
        raise JiraBroken(NOT_JIRA)
    return number(raw["count"])


def sprint(client: Reads, asked: str) -> Sprint:
    """The active sprint of a board, found by the board's number or name, or by its project's key.

    Raises:
        JiraNotFound: there is no such board, or it has no active sprint; the sentence says which.
        JiraProblem: Jira could not be asked.
    """
    board = _board(client, asked)
    ident, name = number(board.get("id")), line(board.get("name"))
    try:
        raw = client.agile(f"board/{ident}/sprint", state="active", maxResults=BOARDS)
    except JiraRejected:
        raise JiraNotFound(f"The board {name} has no sprints; ask with a query instead.") from None
    active = [mapping(found) for found in items(raw.get("values"))]
    if not active:
        raise JiraNotFound(f"The board {name} has no active sprint.")
    one = max(active, key=lambda found: line(found.get("startDate")))
    return Sprint(
        id=number(one.get("id")),
        name=line(one.get("name")),
        goal=line(one.get("goal")),
        starts=moment(one.get("startDate")),
        ends=moment(one.get("endDate")),
        board=name,
        project=line(mapping(board.get("location")).get("projectKey")),
    )


def _board(client: Reads, asked: str) -> Json:
    wanted = asked.strip()
    if wanted.isdigit():
        return client.agile(f"board/{int(wanted)}")
    for query in _ways(wanted):
        try:
            raw = client.agile("board", maxResults=BOARDS, **query)
        except (JiraNotFound, JiraRejected):
            continue  # no such project: the next way may find it
        boards = [mapping(found) for found in items(raw.get("values"))]
        if boards:
            return min(
                boards, key=lambda board: (board.get("type") != "scrum", number(board["id"]))
            )
    raise JiraNotFound(
        f"There is no board or project {wanted[:40]} that the bot's account may see."
    )


def _ways(wanted: str) -> list[dict[str, str]]:
    by_name = {"name": wanted}
    is_key = KEY.fullmatch(f"{wanted.upper()}-1") is not None
    return [{"projectKeyOrId": wanted.upper()}, by_name] if is_key else [by_name]


def _row(raw: Json, site: str) -> Row:
    key, fields = line(raw.get("key")), mapping(raw.get("fields"))
    project = line(mapping(fields.get("project")).get("key"))
    if not KEY.fullmatch(key) or not project:
        raise JiraBroken(NOT_JIRA)
    status = mapping(fields.get("status"))
    category = line(mapping(status.get("statusCategory")).get("key"))
    return Row(
        key=key,
        project=project,
        summary=line(fields.get("summary")),
        type=name_of(fields.get("issuetype")),
        status=Status(name_of(status), CATEGORIES.get(category, "")),
        priority=name_of(fields.get("priority")),
        assignee=person(fields.get("assignee")),
        updated=moment(fields.get("updated")),
        due=day(fields.get("duedate")),
        restricted=bool(fields.get("security")),
        url=f"{site}/browse/{key}",
    )
