"""A ticket of the evaluation set, from its file to the shape in which Jira's integration gives one."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from integrations.jira import Attachment, Change, Comment, Issue, Reference, Status

SITE = "https://example.atlassian.net"


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Status(_Table):
    name: str
    category: str = ""
    since: datetime | None = None


class _Reference(_Table):
    key: str
    relation: str
    status: str = ""
    summary: str = ""


class _Comment(_Table):
    author: str
    at: datetime
    body: str
    edited: bool = False


class _Attachment(_Table):
    name: str
    mimetype: str
    size: int


class _Change(_Table):
    at: datetime
    author: str
    field: str
    before: str = ""
    after: str = ""


class Ticket(_Table):
    """A ticket's file; see `Issue` for what each key means."""

    key: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,9}-[1-9]\d{0,6}$")]
    summary: str
    type: str
    status: _Status
    created: datetime
    updated: datetime
    priority: str = ""
    assignee: str = ""
    reporter: str = ""
    due: date | None = None
    resolution: str = ""
    labels: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    fix_versions: tuple[str, ...] = ()
    security: str = ""
    description: str = ""
    parent: _Reference | None = None
    links: tuple[_Reference, ...] = ()
    subtasks: tuple[_Reference, ...] = ()
    attachments: tuple[_Attachment, ...] = ()
    comments: tuple[_Comment, ...] = ()
    older_comments: int = 0
    restricted_comments: int = 0
    changes: tuple[_Change, ...] = ()
    older_changes: int = 0

    def issue(self) -> Issue:
        """The same as Jira's integration gives it."""
        url = f"{SITE}/browse/{self.key}"
        plain = self.model_dump(
            include={
                *("key", "summary", "type", "priority", "assignee", "reporter", "created"),
                *("updated", "due", "resolution", "labels", "components", "fix_versions"),
                *("security", "description", "older_comments", "restricted_comments"),
                "older_changes",
            }
        )
        return Issue(
            **plain,
            project=self.key.rpartition("-")[0],
            url=url,
            status=Status(**self.status.model_dump()),
            parent=Reference(**self.parent.model_dump()) if self.parent else None,
            links=tuple(Reference(**link.model_dump()) for link in self.links),
            subtasks=tuple(Reference(**task.model_dump()) for task in self.subtasks),
            attachments=tuple(Attachment(**file.model_dump()) for file in self.attachments),
            comments=tuple(
                Comment(id=str(n), url=f"{url}?focusedCommentId={n}", **comment.model_dump())
                for n, comment in enumerate(self.comments, start=10_001)
            ),
            changes=tuple(Change(**change.model_dump()) for change in self.changes),
        )
