"""What would be written to Jira, what was written, and what was taken back: plain data that can wait in a store.

    Draft --write--> Written --undo--> Undone

Who writes and when is decided by whoever keeps them; a draft says to people in `shown`, `markdown` and `audience`
all that writing it would do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import TypeAdapter

Kind = Literal["comment", "transition", "update", "issue"]
Audience = Literal["", "internal", "customers"]


@dataclass(frozen=True, slots=True)
class Draft:
    """One change to one issue, its names resolved; nothing is written yet.

    Attributes:
        kind: what writing does: adds a comment, moves the status, changes fields, or makes an issue.
        project: the key of the project as Jira returned it; permission is decided on this one.
        key: as Jira returned it: a moved issue's new key; "" for a new issue.
        summary: of the issue as it is now, or as it will be when it is new.
        markdown: the full text that is written; "" when none is.
        shown: what changes, as label and words for people, in the order to show them.
        audience: who sees the text in a service desk; "" in other projects.
        url: where people open the issue; of a new one, its project.
        wire: the resolved values that are sent, as Jira's interface takes them.
        before: what was there when the draft was made; writing and undoing compare with it.
    """

    kind: Kind
    project: str
    key: str
    summary: str
    markdown: str
    shown: tuple[tuple[str, str], ...]
    audience: Audience
    url: str
    wire: Mapping[str, Any] = field(default_factory=dict[str, Any])
    before: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def to_json(self) -> str:
        """All of it as text; `from_json` reads it back."""
        return TypeAdapter(Draft).dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> "Draft":
        """The draft that `to_json` wrote.

        Raises:
            ValueError: the text is no draft.
        """
        return TypeAdapter(Draft).validate_json(text)


@dataclass(frozen=True, slots=True)
class Written:
    """A draft that stands in Jira.

    Attributes:
        draft: what was proposed.
        mark: the id of the proposal, as it was left in Jira.
        key: of the issue; a new issue's own key.
        url: where people see it: the comment, or the issue.
        ident: Jira's id of the comment, of the entry in the changelog, or of the new issue; "" when unknown.
        comment: Jira's id of the comment that went with a transition; "" without one.
        left: a sentence on what was not written of it; "" when all was.
    """

    draft: Draft
    mark: str
    key: str
    url: str
    ident: str
    comment: str = ""
    left: str = ""

    def to_json(self) -> str:
        """All of it as text; `from_json` reads it back."""
        return TypeAdapter(Written).dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> "Written":
        """What `to_json` wrote.

        Raises:
            ValueError: the text is nothing of the kind.
        """
        return TypeAdapter(Written).validate_json(text)


@dataclass(frozen=True, slots=True)
class Undone:
    """A change that was taken back; `sentence` says to people what is so now."""

    key: str
    url: str
    sentence: str
