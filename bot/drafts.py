"""From what a propose tool was asked to the draft of a change: the asker meant by "me", their name under what is written.

The same way for what Claude proposes and for what a person changed in it. Nothing is written here.
"""

import re
from collections.abc import Mapping
from typing import Any, Protocol

from integrations.jira import Draft, JiraRejected

MYSELF = frozenset({"me", "myself", "i", "mir", "mich", "ich"})
PEOPLE = frozenset({"assignee", "reporter"})
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
"""What turns or hides text, or is seen by machines alone: people would approve of something else than what is written.

Joiners stay, and what makes a sign an emoji: languages and families are written with them.
"""
_MARKUP = re.compile(r"([\\`*_~\[\]<>#|!@{}])")


class Drafter(Protocol):
    """What is needed of Jira; each raises JiraProblem."""

    async def draft_comment(
        self, key: str, markdown: str, *, deadline: float, public: bool = False
    ) -> Draft:
        """A comment."""
        ...

    async def draft_transition(
        self, key: str, status: str, markdown: str = "", *, deadline: float
    ) -> Draft:
        """A step to another status."""
        ...

    async def draft_update(self, key: str, fields: Mapping[str, Any], *, deadline: float) -> Draft:
        """New values of fields."""
        ...

    async def draft_issue(
        self,
        project: str,
        type: str,  # noqa: A002 - the word of Jira's own interface
        summary: str,
        markdown: str,
        *,
        deadline: float,
    ) -> Draft:
        """A new issue."""
        ...


async def drafted(
    jira: Drafter,
    tool: str,
    asked: Mapping[str, Any],
    *,
    name: str,
    email: str = "",
    deadline: float,
) -> Draft:
    """What a propose tool's call would write.

    Args:
        jira: resolves names and reads what stands there.
        tool: `jira_propose_comment` and so on.
        asked: its arguments.
        name: of who asked, who stands under the text.
        email: the same person's address, by which Jira may know them.
        deadline: seconds.

    Raises:
        JiraProblem: it cannot be written; the sentence says why.
    """
    asked = visible(asked)
    text = str(asked.get("markdown", "")).strip()
    if tool == "jira_propose_comment":
        return await jira.draft_comment(asked["key"], signed(text, name), deadline=deadline)
    if tool == "jira_propose_transition":
        words = signed(text, name) if text else ""
        return await jira.draft_transition(asked["key"], asked["status"], words, deadline=deadline)
    if tool == "jira_propose_update":
        return await _update(jira, asked, name, email, deadline)
    return await jira.draft_issue(
        asked["project"], asked["type"], asked["summary"], signed(text, name), deadline=deadline
    )


def signed(text: str, name: str) -> str:
    """A text with a last line that says for whom it was written, since Jira shows the bot as its author."""
    plain = _MARKUP.sub(r"\\\1", " ".join(_HIDDEN.sub("", name).split()))
    return f"{text}\n\non behalf of {plain}".strip()


def visible(value: Any) -> Any:
    """The same value without what nobody sees in it."""
    if isinstance(value, Mapping):
        return {name: visible(part) for name, part in value.items()}
    return _HIDDEN.sub("", value) if isinstance(value, str) else value


async def _update(
    jira: Drafter, asked: Mapping[str, Any], name: str, email: str, deadline: float
) -> Draft:
    key, fields = asked["key"], asked["fields"]
    ways = [way for way in (email, name) if way]
    if not any(_is_asker(field, value) for field, value in fields.items()):
        return await jira.draft_update(key, fields, deadline=deadline)
    for way in ways:
        meant = {f: way if _is_asker(f, v) else v for f, v in fields.items()}
        try:
            return await jira.draft_update(key, meant, deadline=deadline / len(ways))
        except JiraRejected as rejected:
            if way == ways[-1]:
                raise JiraRejected(
                    f"Jira does not know {name} by their name or e-mail address in Slack, or something else is wrong: "
                    f"{rejected} Ask for the name as it stands in Jira."
                ) from rejected
    raise JiraRejected("Slack does not say who asks; name the person as they stand in Jira.")


def _is_asker(field: str, value: object) -> bool:
    return (
        field.strip().casefold() in PEOPLE
        and isinstance(value, str)
        and value.strip().casefold() in MYSELF
    )
