"""What changes Jira: proposed first, written once, looked for when its answer was lost, taken back where that is fair.

draft_... -> Draft -> write -> Written -> undo -> Undone
(jira_drafting)      (jira_writing)      (jira_undoing)
                 written: after JiraUnknown
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Event
from typing import TYPE_CHECKING, Any, TypeVar

from integrations import jira_drafting, jira_undoing, jira_writing
from integrations.jira_calls import Calls
from integrations.jira_draft import Draft, Undone, Written
from integrations.jira_errors import JiraSlow, JiraUnknown
from integrations.jira_key import checked_key, checked_project, named_when_missing

if TYPE_CHECKING:
    from integrations.jira_client import Client


T = TypeVar("T")


class Changing:
    """The part of `Jira` that changes issues.

    Args:
        ask: runs blocking calls.
        site: where people open issues.
    """

    def __init__(self, ask: Calls, site: str) -> None:
        self._ask = ask
        self._site = site

    async def draft_comment(
        self, key: str, markdown: str, *, deadline: float, public: bool = False
    ) -> Draft:
        """What commenting on an issue would write; nothing is written.

        Args:
            key: of the issue.
            markdown: the whole comment.
            deadline: seconds, waiting for a thread included.
            public: in a service desk, whether the customer sees it; elsewhere everybody does who sees the issue.

        Raises:
            JiraProblem: it cannot be written; the sentence says what to change.
        """
        asked = checked_key(key)
        with named_when_missing(asked):
            return await self._ask(
                lambda client: jira_drafting.comment(
                    client, asked, markdown, public=public, site=self._site
                ),
                deadline,
            )

    async def draft_transition(
        self, key: str, status: str, markdown: str = "", *, deadline: float
    ) -> Draft:
        """What moving an issue would do, with a comment if there is text; nothing is written.

        Args:
            key: of the issue.
            status: where to, by the status's or the transition's name in any case.
            markdown: a comment that goes with it, in a service desk an internal one.
            deadline: seconds, waiting for a thread included.

        Raises:
            JiraProblem: it cannot go there now; the sentence names where it can.
        """
        asked = checked_key(key)
        with named_when_missing(asked):
            return await self._ask(
                lambda client: jira_drafting.transition(
                    client, asked, status, markdown, site=self._site
                ),
                deadline,
            )

    async def draft_update(self, key: str, fields: Mapping[str, Any], *, deadline: float) -> Draft:
        """What changing fields of an issue would write; nothing is written.

        Args:
            key: of the issue.
            fields: by name or id, in any case: texts as Markdown, people by name, e-mail address or account id,
                options by name, several values as a list, dates as 2026-11-30; None or "" empties a field.
            deadline: seconds, waiting for a thread included.

        Raises:
            JiraProblem: a field or value is none; the sentence names those that are.
        """
        asked = checked_key(key)
        with named_when_missing(asked):
            return await self._ask(
                lambda client: jira_drafting.update(client, asked, fields, site=self._site),
                deadline,
            )

    async def draft_issue(
        self,
        project: str,
        type: str,  # noqa: A002 - the word of Jira's own interface
        summary: str,
        markdown: str,
        *,
        deadline: float,
        fields: Mapping[str, Any] | None = None,
    ) -> Draft:
        """What a new issue would be; nothing is written.

        Args:
            project: its key.
            type: of the issue, by name in any case.
            summary: one line.
            markdown: the description; may be empty.
            deadline: seconds, waiting for a thread included.
            fields: more of them, as in `draft_update`.

        Raises:
            JiraProblem: something is unknown or missing; the sentence names it.
        """
        wanted = checked_project(project)
        return await self._ask(
            lambda client: jira_drafting.issue(
                client, wanted, type, summary, markdown, given=fields or {}, site=self._site
            ),
            deadline,
        )

    async def write(self, draft: Draft, *, mark: str, deadline: float) -> Written:
        """Write a draft, once and never again by itself; what it stands on is read first.

        Args:
            draft: as one of the `draft_` methods made it.
            mark: the proposal's id, left in Jira where `written` finds it.
            deadline: seconds, waiting for a thread included.

        Raises:
            JiraChanged: the issue is not as the draft shows it any more; nothing was written.
            JiraUnknown: the answer was lost; ask `written`.
            JiraProblem: nothing was written.
        """
        return await self._change(
            lambda client, begun: jira_writing.write(
                client, draft, mark=mark, begun=begun, site=self._site
            ),
            deadline,
        )

    async def written(self, draft: Draft, *, mark: str, deadline: float) -> Written | None:
        """Whether a draft stands in Jira after all; None where it is not found.

        Jira's search, where new issues are looked for, lags behind by some seconds.

        Args:
            draft: that was to be written.
            mark: as it was given to `write`.
            deadline: seconds, waiting for a thread included.

        Raises:
            JiraProblem: nobody can tell.
        """
        return await self._ask(
            lambda client: jira_writing.written(client, draft, mark=mark, site=self._site), deadline
        )

    async def undo(self, written: Written, *, deadline: float) -> Undone:
        """Take a change back if nobody built on it since; it is read first.

        Args:
            written: what to take back.
            deadline: seconds, waiting for a thread included.

        Raises:
            JiraNotUndone: it stays; the sentence says why.
            JiraUnknown: the answer was lost; asking again is safe.
            JiraProblem: it was not taken back.
        """
        return await self._change(
            lambda client, begun: jira_undoing.undo(client, written, begun=begun), deadline
        )

    async def _change(self, work: Callable[[Client, Event], T], deadline: float) -> T:
        """Run what changes Jira: who is let go while it was being sent does not know its outcome."""
        begun = Event()
        try:
            return await self._ask(lambda client: work(client, begun), deadline)
        except JiraSlow as slow:
            if begun.is_set() and not slow.unsent:
                raise JiraUnknown from None
            raise
