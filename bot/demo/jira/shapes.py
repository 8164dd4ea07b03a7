"""How Jira Cloud writes things down: the world's objects as v3 JSON."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from bot.demo.jira.world import (
    POINTS_FIELD,
    RISK_FIELD,
    SPRINT_FIELD,
    Account,
    Attachment,
    Change,
    Comment,
    Issue,
    Json,
    Link,
    Project,
    Sprint,
    Step,
    World,
)

PRIORITY_IDS = {"Highest": "1", "High": "2", "Medium": "3", "Low": "4", "Lowest": "5"}
CATEGORIES = {
    "new": (2, "blue-gray", "To Do"),
    "indeterminate": (4, "yellow", "In Progress"),
    "done": (3, "green", "Done"),
}
INLINE_CHANGES = 100  # histories that expand=changelog carries
NAMES = {
    "summary": "Summary",
    "description": "Description",
    "status": "Status",
    "issuetype": "Issue Type",
    "project": "Project",
    "priority": "Priority",
    "assignee": "Assignee",
    "reporter": "Reporter",
    "creator": "Creator",
    "created": "Created",
    "updated": "Updated",
    "duedate": "Due date",
    "labels": "Labels",
    "components": "Components",
    "fixVersions": "Fix versions",
    "parent": "Parent",
    "subtasks": "Sub-tasks",
    "issuelinks": "Linked Issues",
    "comment": "Comment",
    "attachment": "Attachment",
    "resolution": "Resolution",
    "resolutiondate": "Resolved",
    "security": "Security Level",
    "votes": "Votes",
    "watches": "Watchers",
    SPRINT_FIELD: "Sprint",
    POINTS_FIELD: "Story point estimate",
    RISK_FIELD: "Risk class",
}
UNNAVIGABLE = {"comment", "attachment"}
BRIEF = ("summary", "status", "priority", "issuetype")


def moment(at: float) -> str:
    """A time as Jira prints it: 2026-11-24T09:05:00.000+0000."""
    when = datetime.fromtimestamp(at, UTC)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03}+0000"


def instant(at: float) -> str:
    """A time as the agile interface prints it: 2026-11-24T09:05:00.000Z."""
    return moment(at).replace("+0000", "Z")


class Shapes:
    """Writes JSON for one viewer.

    Args:
        world: The site.
        base: Scheme, host and port (with the gateway's prefix, if it came through there).
        viewer: Who asks; restricted comments are left out for those who may not see them.
    """

    def __init__(self, world: World, base: str, viewer: Account) -> None:
        self._world = world
        self._viewer = viewer
        self.base = base
        self.api = f"{base}/rest/api/3"

    def person(self, account: Account, *, detailed: bool = False) -> Json:
        """A user; the address only where it is not private."""
        sizes = ("16x16", "24x24", "32x32", "48x48")
        shape: Json = {
            "self": f"{self.api}/user?accountId={account.account_id}",
            "accountId": account.account_id,
            "avatarUrls": {s: f"{self.base}/avatar/{account.handle}-{s}.png" for s in sizes},
            "displayName": account.name,
            "active": account.active,
            "timeZone": "Europe/Berlin",
            "accountType": account.kind,
        }
        if not account.hidden:
            shape["emailAddress"] = account.email
        if detailed:
            shape["locale"] = "en_GB"
        return shape

    def who(self, account_id: str | None) -> Json | None:
        """A user by account id."""
        return self.person(self._world.accounts[account_id]) if account_id else None

    def status(self, name: str) -> Json:
        """A status with its category."""
        status = self._world.statuses[name]
        number, colour, category = CATEGORIES[status.category]
        return {
            "self": f"{self.api}/status/{status.id}",
            "description": "",
            "iconUrl": f"{self.base}/images/icons/statuses/generic.png",
            "name": status.name,
            "id": status.id,
            "statusCategory": {
                "self": f"{self.api}/statuscategory/{number}",
                "id": number,
                "key": status.category,
                "colorName": colour,
                "name": category,
            },
        }

    def type(self, name: str) -> Json:
        """An issue type."""
        kind = self._world.types[name]
        return {
            "self": f"{self.api}/issuetype/{kind.id}",
            "id": kind.id,
            "description": "",
            "iconUrl": f"{self.base}/images/icons/{kind.id}.svg",
            "name": kind.name,
            "subtask": kind.level < 0,
            "avatarId": 10300,
            "hierarchyLevel": kind.level,
        }

    def project(self, project: Project) -> Json:
        """A project, short."""
        return {
            "self": f"{self.api}/project/{project.id}",
            "id": project.id,
            "key": project.key,
            "name": project.name,
            "projectTypeKey": project.kind,
            "simplified": False,
            "avatarUrls": {"48x48": f"{self.base}/avatar/{project.key}.png"},
        }

    def priority(self, name: str) -> Json:
        """A priority."""
        number = PRIORITY_IDS[name]
        icon = f"{self.base}/images/icons/priorities/{name.lower()}.svg"
        return {
            "self": f"{self.api}/priority/{number}",
            "iconUrl": icon,
            "name": name,
            "id": number,
        }

    def comment(self, issue: Issue, comment: Comment) -> Json:
        """A comment with its ADF body."""
        shape: Json = {
            "self": f"{self.api}/issue/{issue.id}/comment/{comment.id}",
            "id": comment.id,
            "author": self.who(comment.author),
            "body": comment.body,
            "updateAuthor": self.who(comment.author),
            "created": moment(comment.created),
            "updated": moment(comment.updated),
            "jsdPublic": comment.public,
        }
        if comment.visibility:
            shape["visibility"] = comment.visibility
        return shape

    def change(self, change: Change) -> Json:
        """A line of history."""
        item = {
            "field": {"sprint": "Sprint"}.get(change.field, change.field),
            "fieldtype": "custom" if change.field == "sprint" else "jira",
            "fieldId": {"sprint": SPRINT_FIELD}.get(change.field, change.field),
            "from": change.old[0],
            "fromString": change.old[1],
            "to": change.new[0],
            "toString": change.new[1],
        }
        shape: Json = {
            "id": change.id,
            "author": self.who(change.author),
            "created": moment(change.at),
            "items": [item],
        }
        return shape | ({"historyMetadata": change.origin} if change.origin else {})

    def changelog(self, issue: Issue) -> Json:
        """What expand=changelog carries: newest first, capped."""
        histories = [self.change(c) for c in reversed(issue.changes)][:INLINE_CHANGES]
        return {
            "startAt": 0,
            "maxResults": len(histories),
            "total": len(issue.changes),
            "histories": histories,
        }

    def step(self, step: Step) -> Json:
        """A transition; the fields it insists on come with expand=transitions.fields."""
        return {
            "id": step.id,
            "name": step.name,
            "to": self.status(step.to),
            "hasScreen": bool(step.required),
            "isGlobal": not step.sources,
            "isInitial": False,
            "isAvailable": True,
            "isConditional": False,
            "isLooped": False,
        }

    def sprint(self, sprint: Sprint) -> Json:
        """A sprint as the agile interface gives it."""
        shape: Json = {
            "id": sprint.id,
            "self": f"{self.base}/rest/agile/1.0/sprint/{sprint.id}",
            "state": sprint.state,
            "name": sprint.name,
            "originBoardId": sprint.board,
            "goal": sprint.goal,
        }
        if sprint.start is not None and sprint.end is not None:
            shape |= {"startDate": instant(sprint.start), "endDate": instant(sprint.end)}
        if sprint.completed is not None:
            shape["completeDate"] = instant(sprint.completed)
        return shape

    def attachment(self, attachment: Attachment) -> Json:
        """A file's entry; `content` is on the site's host."""
        return {
            "self": f"{self.api}/attachment/{attachment.id}",
            "id": attachment.id,
            "filename": attachment.name,
            "author": self.who(attachment.author),
            "created": moment(attachment.created),
            "size": len(attachment.content),
            "mimeType": attachment.mime,
            "content": f"{self.base.partition('/ex/jira')[0]}/rest/api/3/attachment/content/{attachment.id}",
        }

    def reference(self, key: str) -> Json:
        """A ticket as links, parents and sub-tasks carry it: with its summary, whoever looks."""
        issue = self._world.issues[key]
        return {
            "id": issue.id,
            "key": issue.key,
            "self": f"{self.api}/issue/{issue.id}",
            "fields": {n: v for n, v in self.fields(issue, BRIEF).items() if n in BRIEF},
        }

    def link(self, issue: Issue, link: Link) -> Json:
        """A link from this ticket's side."""
        kind = next(t for t in self._world.link_types if t["name"] == link.kind)
        outward = link.source == issue.key
        return {
            "id": link.id,
            "self": f"{self.api}/issueLink/{link.id}",
            "type": {**kind, "self": f"{self.api}/issueLinkType/{kind['id']}"},
            "outwardIssue" if outward else "inwardIssue": self.reference(
                link.target if outward else link.source
            ),
        }

    def fields(self, issue: Issue, wanted: Collection[str]) -> Json:
        """The named fields of a ticket."""
        shape = {name: self._field(issue, name) for name in wanted if name in NAMES}
        return {n: v for n, v in shape.items() if n != RISK_FIELD or issue.project == "PAY"}

    def _field(self, issue: Issue, name: str) -> Any:
        if name in {"summary", "description"}:
            return getattr(issue, name)
        if name == "labels":
            return issue.labels
        if name in {"assignee", "reporter", "creator"}:
            return self.who(issue.assignee if name == "assignee" else issue.reporter)
        if name in {"created", "updated"}:
            return moment(issue.created if name == "created" else issue.updated)
        if name == "status":
            return self.status(issue.status)
        if name == "issuetype":
            return self.type(issue.type)
        if name == "project":
            return self.project(self._world.projects[issue.project])
        if name == "priority":
            return self.priority(issue.priority)
        if name == "comment":
            return self.comments(issue)
        return self._rarer(issue, name)

    def _rarer(self, issue: Issue, name: str) -> Any:
        world = self._world
        sprint = world.sprints.get(issue.sprint or 0)
        links = [k for k in world.links if issue.key in (k.source, k.target)]
        makers = {
            "duedate": lambda: issue.due,
            "resolutiondate": lambda: issue.resolved and moment(issue.resolved),
            "resolution": lambda: issue.resolution and self.named("resolution", issue.resolution),
            "security": lambda: issue.security and self.named("securitylevel", issue.security),
            "components": lambda: [self.named("component", c) for c in issue.components],
            "fixVersions": lambda: [self.named("version", v) for v in issue.versions],
            "parent": lambda: self.reference(issue.parent) if issue.parent else None,
            "subtasks": lambda: [self.reference(c.key) for c in world.children(issue)],
            "issuelinks": lambda: [self.link(issue, link) for link in links],
            "attachment": lambda: [self.attachment(a) for a in issue.attachments],
            "votes": lambda: {"votes": 0, "hasVoted": False},
            "watches": lambda: {"watchCount": 1, "isWatching": False},
            SPRINT_FIELD: lambda: [self._sprint_value(sprint)] if sprint else None,
            POINTS_FIELD: lambda: issue.points,
            RISK_FIELD: lambda: issue.extra.get(RISK_FIELD),
        }
        return makers[name]()

    def _sprint_value(self, sprint: Sprint) -> Json:
        shape = self.sprint(sprint)
        return {k: v for k, v in shape.items() if k not in {"self", "originBoardId"}} | {
            "boardId": sprint.board
        }

    def named(self, kind: str, name: str) -> Json:
        """Something that has only a name here; its id is made from it."""
        number = str(10_400 + sum(name.encode()) % 500)
        return {"self": f"{self.api}/{kind}/{number}", "id": number, "name": name}

    def comments(self, issue: Issue) -> Json:
        """The comment field: what this viewer may see, oldest first."""
        seen = [self.comment(issue, c) for c in self._world.comments(issue, self._viewer)]
        return {
            "comments": seen,
            "self": f"{self.api}/issue/{issue.id}/comment",
            "maxResults": len(seen),
            "total": len(seen),
            "startAt": 0,
        }

    def issue(
        self,
        issue: Issue,
        wanted: Collection[str],
        expand: Collection[str],
        properties: Collection[str] = (),
    ) -> Json:
        """A ticket with the named fields, expansions and properties."""
        shape: Json = {
            "expand": "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations",
            "id": issue.id,
            "self": f"{self.api}/issue/{issue.id}",
            "key": issue.key,
        }
        if wanted:
            shape["fields"] = self.fields(issue, wanted)
        kept = {p["key"]: p["value"] for p in issue.properties if p["key"] in properties}
        if kept:
            shape["properties"] = kept
        if "changelog" in expand:
            shape["changelog"] = self.changelog(issue)
        if "names" in expand:
            shape["names"] = {n: NAMES[n] for n in shape.get("fields", {})}
        if "transitions" in expand:
            shape["transitions"] = [self.step(s) for s in self._world.steps(issue)]
        return shape


def chosen(names: Collection[str], default: str) -> list[str]:
    """The field list that `fields=` means: *all, *navigable, -name, names; unknown ones are ignored."""
    names = [n for n in names if n] or [default]
    taken: list[str] = []
    for name in names:
        if name == "*all":
            taken += NAMES
        elif name == "*navigable":
            taken += [n for n in NAMES if n not in UNNAVIGABLE]
        elif not name.startswith("-"):
            taken.append(name)
    if all(n.startswith("-") for n in names):
        taken = list(NAMES)
    dropped = {n[1:] for n in names if n.startswith("-")}
    return [n for n in dict.fromkeys(taken) if n in NAMES and n not in dropped]
