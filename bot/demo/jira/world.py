"""What the stand-in for Jira knows: people, projects, tickets, and who may see which of them."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

CLOUD_ID = "5f0c1d2e-7a44-4f0b-9a55-0c0ffee0beef"
SPRINT_FIELD = "customfield_10020"
POINTS_FIELD = "customfield_10016"
RISK_FIELD = "customfield_10045"


@dataclass(frozen=True)
class Account:
    """A person or app of the site.

    Attributes:
        projects: Keys of the projects that may be browsed.
        levels: Names of the security levels this account is in.
        roles: Project roles and groups, for restricted comments.
        rights: What may be done beyond browsing, in Jira's permission keys.
        hidden: The e-mail address is private: neither shown nor found.
        agent: A service-desk agent, who sees internal comments.
    """

    account_id: str
    handle: str
    name: str
    email: str
    kind: str = "atlassian"
    active: bool = True
    hidden: bool = False
    agent: bool = True
    projects: frozenset[str] = frozenset()
    levels: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    rights: frozenset[str] = frozenset()

    def matches(self, words: str) -> bool:
        """Whether a search by the beginning of a name, or of an address that is not private, finds it."""
        name = self.name.lower()
        begun = name.startswith(words) or any(part.startswith(words) for part in name.split())
        return begun or (not self.hidden and self.email.startswith(words))


ANONYMOUS = Account("", "", "Anonymous", "", active=False, agent=False)


@dataclass(frozen=True)
class Status:
    """A status of a workflow; `category` is new, indeterminate or done."""

    id: str
    name: str
    category: str


@dataclass(frozen=True)
class Step:
    """A transition: from which statuses, to which, and the fields it insists on."""

    id: str
    name: str
    to: str
    sources: frozenset[str] = frozenset()
    required: tuple[str, ...] = ()


@dataclass(frozen=True)
class IssueType:
    """A kind of ticket; `level` 1 is an epic, 0 a ticket, -1 a sub-task."""

    id: str
    name: str
    level: int = 0


@dataclass(frozen=True)
class Project:
    """A project; `kind` is software or service_desk."""

    id: str
    key: str
    name: str
    kind: str
    lead: str
    workflow: str
    types: tuple[str, ...]


@dataclass(frozen=True)
class Sprint:
    """A sprint of a board; times in epoch seconds, None while it is only planned."""

    id: int
    board: int
    name: str
    state: str
    goal: str
    start: float | None = None
    end: float | None = None
    completed: float | None = None


@dataclass(frozen=True)
class Board:
    """An agile board over one project."""

    id: int
    name: str
    project: str
    kind: str = "scrum"


@dataclass
class Comment:
    """A comment; `public` False is a service desk's internal note."""

    id: str
    author: str
    body: Json
    created: float
    updated: float
    public: bool = True
    visibility: Json | None = None
    properties: list[Json] = field(default_factory=list[Json])


@dataclass(frozen=True)
class Change:
    """One field changed once; `old` and `new` are (id, text), `origin` is what the changer said of itself."""

    id: str
    at: float
    author: str
    field: str
    old: tuple[str | None, str | None]
    new: tuple[str | None, str | None]
    origin: Json | None = None


@dataclass(frozen=True)
class Link:
    """A link between two tickets, as its outward end tells it."""

    id: str
    kind: str
    source: str
    target: str


@dataclass(frozen=True)
class Attachment:
    """A file of a ticket."""

    id: str
    name: str
    mime: str
    content: bytes
    author: str
    created: float


@dataclass
class Issue:
    """A ticket. People are account ids, statuses and types names, times epoch seconds."""

    id: str
    key: str
    project: str
    type: str
    summary: str
    status: str
    reporter: str
    created: float
    updated: float
    description: Json | None = None
    priority: str = "Medium"
    assignee: str | None = None
    labels: list[str] = field(default_factory=list[str])
    components: list[str] = field(default_factory=list[str])
    versions: list[str] = field(default_factory=list[str])
    parent: str | None = None
    resolution: str | None = None
    resolved: float | None = None
    due: str | None = None
    security: str | None = None
    sprint: int | None = None
    points: float | None = None
    comments: list[Comment] = field(default_factory=list[Comment])
    changes: list[Change] = field(default_factory=list[Change])
    attachments: list[Attachment] = field(default_factory=list[Attachment])
    remote_links: list[Json] = field(default_factory=list[Json])
    extra: Json = field(default_factory=dict[str, Any])
    properties: list[Json] = field(default_factory=list[Json])


class World:
    """The whole site, kept in memory; changes are made by the stand-in's routes alone."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.projects: dict[str, Project] = {}
        self.statuses: dict[str, Status] = {}
        self.types: dict[str, IssueType] = {}
        self.workflows: dict[str, tuple[Step, ...]] = {}
        self.boards: dict[int, Board] = {}
        self.sprints: dict[int, Sprint] = {}
        self.link_types: list[Json] = []
        self.links: list[Link] = []
        self.moved: dict[str, str] = {}
        self.issues: dict[str, Issue] = {}
        self._by_id: dict[str, Issue] = {}
        self._ids = itertools.count(20_000)

    def new_id(self) -> str:
        """The next number of this site, for whatever needs one."""
        return str(next(self._ids))

    def add(self, issue: Issue) -> Issue:
        """Keep a ticket."""
        self.issues[issue.key] = issue
        self._by_id[issue.id] = issue
        return issue

    def next_key(self, project: str) -> str:
        """The key a new ticket of the project gets."""
        numbers = [
            int(i.key.rpartition("-")[2]) for i in self.issues.values() if i.project == project
        ]
        return f"{project}-{max(numbers, default=0) + 1}"

    def account(self, handle: str) -> Account:
        """An account by its handle.

        Raises:
            KeyError: Nobody has it.
        """
        for account in self.accounts.values():
            if account.handle == handle:
                return account
        raise KeyError(handle)

    def by_email(self, email: str) -> Account | None:
        """An account by its address, as a login does it."""
        return next((a for a in self.accounts.values() if a.email == email), None)

    def find(self, key_or_id: str, viewer: Account) -> Issue | None:
        """A ticket by key (also a former one) or id; None when hidden, as if it did not exist."""
        key = key_or_id.upper()
        issue = self.issues.get(self.moved.get(key, key)) or self._by_id.get(key_or_id)
        return issue if issue is not None and self.may_see(viewer, issue) else None

    def may_see(self, viewer: Account, issue: Issue) -> bool:
        """Browse right in the project, and membership of the security level if there is one."""
        if issue.project not in viewer.projects:
            return False
        return issue.security is None or issue.security in viewer.levels

    def seen(self, viewer: Account) -> Iterator[Issue]:
        """Every ticket that this account may see."""
        return (issue for issue in self.issues.values() if self.may_see(viewer, issue))

    def comments(self, issue: Issue, viewer: Account) -> list[Comment]:
        """The comments this account may see, oldest first."""
        return [
            c
            for c in issue.comments
            if (c.public or viewer.agent)
            and (c.visibility is None or c.visibility["value"] in viewer.roles)
        ]

    def children(self, issue: Issue) -> list[Issue]:
        """The sub-tasks of a ticket."""
        return [
            i
            for i in self.issues.values()
            if i.parent == issue.key and self.types[i.type].level < 0
        ]

    def steps(self, issue: Issue) -> list[Step]:
        """The transitions that are possible now."""
        workflow = self.workflows[self.projects[issue.project].workflow]
        return [
            s
            for s in workflow
            if s.to != issue.status and (not s.sources or issue.status in s.sources)
        ]

    def change(
        self,
        issue: Issue,
        at: float,
        author: str,
        field_name: str,
        old: tuple[str | None, str | None],
        new: tuple[str | None, str | None],
        origin: Json | None = None,
    ) -> None:
        """Write a line of the ticket's history and touch its `updated`."""
        issue.changes.append(Change(self.new_id(), at, author, field_name, old, new, origin))
        issue.updated = max(issue.updated, at)

    def move(
        self, issue: Issue, status: str, at: float, author: str, origin: Json | None = None
    ) -> None:
        """Put a ticket into a status, with its history and resolution."""
        old, new = self.statuses[issue.status], self.statuses[status]
        self.change(issue, at, author, "status", (old.id, old.name), (new.id, new.name), origin)
        issue.status = status
        if new.category == "done" and issue.resolution is None:
            issue.resolution, issue.resolved = "Done", at
        elif new.category != "done" and issue.resolution is not None:
            issue.resolution = issue.resolved = None

    def crowd(self, project: str, count: int, *, now: float) -> None:
        """Add `count` plain tickets, for what happens with ten thousand matches."""
        lead = self.projects[project].lead
        first = int(self.next_key(project).rpartition("-")[2])
        for number in range(first, first + count):
            self.add(
                Issue(
                    id=self.new_id(),
                    key=f"{project}-{number}",
                    project=project,
                    type="Task",
                    summary=f"Imported record {number}",
                    status="To Do",
                    reporter=lead,
                    created=now - number % 1000,
                    updated=now - number % 1000,
                )
            )


def handles(accounts: Iterable[Account]) -> dict[str, tuple[str, str]]:
    """Handle -> (account id, name), as mentions need it."""
    return {a.handle: (a.account_id, a.name) for a in accounts}
