"""Doing what a person decided on a proposal: written once, looked for where the answer was lost, taken back, drafted anew.

Each step is on disk before Jira hears of it, and its outcome when it is known, in the press's own transactions.
"""

from collections.abc import Mapping
from typing import Any

import structlog

from bot.ask import Lease, Person
from bot.drafts import drafted
from bot.proposals import Proposal, Proposals, State
from integrations.jira import (
    Draft,
    Jira,
    JiraNotUndone,
    JiraProblem,
    JiraUnknown,
    Written,
)

JIRA_SECONDS = 15.0  # for one thing asked of Jira
UNKNOWN = (
    "Jira's answer was lost and I do not find the change there: it may stand there or not. Look at it in Jira, or let "
    "me look again; I will not send it a second time."
)

log = structlog.get_logger()


class Writing:
    """Writes proposals to Jira. What it does raises Moved where somebody else decided, LeaseLost, and StoreDown.

    Args:
        proposals: where each step is kept.
        jira: writes and looks.
        seconds: for one thing asked of Jira.
    """

    def __init__(self, proposals: Proposals, jira: Jira, *, seconds: float = JIRA_SECONDS) -> None:
        self._proposals, self._jira, self._seconds = proposals, jira, seconds

    async def write(self, lease: Lease, found: Proposal, *, name: str) -> Proposal:
        """Claim an open proposal and write it; `name` is who decided."""
        claimed = await self._proposals.step(lease, found, "writing", name=name)
        draft = Draft.from_json(claimed.draft)
        try:
            written = await self._jira.write(draft, mark=claimed.id, deadline=self._seconds)
        except JiraUnknown:
            return await self.look(lease, claimed, name=name)
        except JiraProblem as problem:
            return await self._settled(lease, claimed, "failed", name, sentence=str(problem))
        return await self._settled(lease, claimed, "written", name, written)

    async def look(self, lease: Lease, found: Proposal, *, name: str) -> Proposal:
        """Whether it stands in Jira, of one whose outcome nobody saw; it is not sent again, whatever comes of it."""
        draft, why = Draft.from_json(found.draft), ""
        try:
            written = await self._jira.written(draft, mark=found.id, deadline=self._seconds)
        except JiraProblem as problem:
            written, why = None, f" ({problem})"
        if written is None:
            sentence = f"{UNKNOWN}{why}"
            return await self._settled(lease, found, "unknown", name, sentence=sentence)
        return await self._settled(lease, found, "written", name, written)

    async def undo(self, lease: Lease, found: Proposal, *, name: str) -> Proposal:
        """Take back what was written, if nobody built on it."""
        claimed = await self._proposals.step(lease, found, "undoing", name=name)
        written = Written.from_json(claimed.written)
        try:
            undone = await self._jira.undo(written, deadline=self._seconds)
        except JiraNotUndone as stays:
            return await self._settled(lease, claimed, "kept", name, sentence=str(stays))
        except JiraUnknown as lost:  # asking again is safe
            return await self._settled(lease, claimed, "undoing", name, sentence=str(lost))
        except JiraProblem as problem:
            sentence = f"Not undone: {problem}"
            return await self._settled(lease, claimed, "written", name, sentence=sentence)
        return await self._settled(lease, claimed, "undone", name, sentence=undone.sentence)

    async def redraft(self, found: Proposal, asked: Mapping[str, Any], person: Person) -> Draft:
        """What would be written if something else had been asked for, on behalf of who changed it.

        Raises:
            JiraProblem: it cannot be; the sentence says why.
        """
        return await drafted(
            self._jira,
            found.tool,
            asked,
            name=person.real_name or person.name,
            email=person.email,
            deadline=self._seconds,
        )

    async def _settled(
        self,
        lease: Lease,
        claimed: Proposal,
        state: State,
        name: str,
        written: Written | None = None,
        sentence: str = "",
    ) -> Proposal:
        now = await self._proposals.step(
            lease,
            claimed,
            state,
            name=name,
            written=written.to_json() if written else "",
            sentence=sentence or (written.left if written else ""),
        )
        key = written.key if written else Draft.from_json(claimed.draft).key
        log.info("jira", proposal=now.id, ask=now.ask_id, key=key, state=state, user=now.who)
        return now
