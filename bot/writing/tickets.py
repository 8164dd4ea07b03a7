"""Writes changes to Jira."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from bot.ask import Person
from bot.drafts import drafted
from bot.policy import Policy, Verdict
from bot.proposals import Proposal
from bot.rules import Rules
from bot.writing.writer import Done, Lost, Stays, Unwritten
from integrations.jira import Draft, Jira, JiraNotUndone, JiraProblem, JiraUnknown, Written

OFF = "Writing to Jira is switched off in this channel, so nothing was written; an admin can allow it."
UNKNOWN = (
    "Jira's answer was lost and I do not find the change there: it may stand there or not. Look at it in Jira, or let "
    "me look again; I will not send it a second time."
)


class Tickets:
    """Writes to Jira; see `Writer`.

    Args:
        jira: writes and looks.
        policy: which projects a channel may write to.
    """

    unknown = UNKNOWN

    def __init__(self, jira: Jira, policy: Policy) -> None:
        self._jira, self._policy = jira, policy

    def may(self, draft: str, rules: Rules) -> Verdict:
        """Where writing is on, and the project is open."""
        if rules.jira_writes == "off":
            return Verdict(False, "jira_writes", OFF)
        return self._policy.may_read_project(rules, Draft.from_json(draft).project)

    def key(self, draft: str) -> str:
        """The ticket's, "" of a new one."""
        return Draft.from_json(draft).key

    async def write(self, draft: str, *, mark: str, deadline: float) -> Done:
        """A comment, a status, fields, or a new ticket."""
        with _told():
            return _done(
                await self._jira.write(Draft.from_json(draft), mark=mark, deadline=deadline)
            )

    async def look(self, draft: str, *, mark: str, deadline: float) -> Done | None:
        """By the mark that was left there."""
        with _told():
            found = await self._jira.written(Draft.from_json(draft), mark=mark, deadline=deadline)
        return _done(found) if found else None

    async def undo(self, written: str, *, deadline: float) -> str:
        """If nobody built on it."""
        with _told():
            undone = await self._jira.undo(Written.from_json(written), deadline=deadline)
        return undone.sentence

    async def redraft(
        self, found: Proposal, asked: Mapping[str, Any], person: Person, *, deadline: float
    ) -> str:
        """On behalf of who changed it."""
        with _told():
            draft = await drafted(
                self._jira,
                found.tool,
                asked,
                name=person.real_name or person.name,
                email=person.email,
                deadline=deadline,
            )
        return draft.to_json()


@contextmanager
def _told() -> Generator[None]:
    """Jira's problems in our own terms."""
    try:
        yield
    except JiraNotUndone as stays:
        raise Stays(str(stays)) from stays
    except JiraUnknown as lost:
        raise Lost(str(lost)) from lost
    except JiraProblem as problem:
        raise Unwritten(str(problem)) from problem


def _done(written: Written) -> Done:
    return Done(written.to_json(), written.left)
