"""Doing what a person decided on a proposal: written once, looked for where the answer was lost, taken back, drafted anew.

    Proposal.kind -> Writer     tickets   changes to Jira
                                reviews   reviews on pull requests

Each step is on disk before anybody else hears of it, and its outcome when it is known, in the press's own transactions.
"""

from collections.abc import Mapping
from typing import Any

import structlog

from bot.ask import Lease, Person
from bot.policy import Verdict
from bot.proposals import Kind, Proposal, Proposals, State
from bot.rules import Rules
from bot.writing.reviews import Reviews
from bot.writing.tickets import Tickets
from bot.writing.writer import Done, Lost, Stays, Unwritten, Writer

WRITE_SECONDS = 15.0  # for one thing asked of whom it is written to
UNSET = "What this would be written to is not set up here any more, so nothing was written."

log = structlog.get_logger()


class Writing:
    """Writes proposals. What it does raises Moved where somebody else decided, LeaseLost, and StoreDown.

    Args:
        proposals: where each step is kept.
        writers: who writes which kind; one that is not set up is not among them.
        seconds: for one thing asked of them.
    """

    def __init__(
        self,
        proposals: Proposals,
        writers: Mapping[Kind, Writer],
        *,
        seconds: float = WRITE_SECONDS,
    ) -> None:
        self._proposals, self._writers, self._seconds = proposals, writers, seconds

    def may(self, found: Proposal, rules: Rules, *, draft: str = "") -> Verdict:
        """Whether a channel may have a proposal written now, or another draft of it."""
        writer = self._writers.get(found.kind)
        if writer is None:
            return Verdict(False, "unset", UNSET)
        return writer.may(draft or found.draft, rules)

    async def write(self, lease: Lease, found: Proposal, *, name: str) -> Proposal:
        """Claim an open proposal and write it; `name` is who decided."""
        claimed = await self._proposals.step(lease, found, "writing", name=name)
        writer = self._writers[claimed.kind]
        try:
            done = await writer.write(claimed.draft, mark=claimed.id, deadline=self._seconds)
        except Lost:
            return await self.look(lease, claimed, name=name)
        except Unwritten as problem:
            return await self._settled(lease, claimed, "failed", name, sentence=str(problem))
        return await self._settled(lease, claimed, "written", name, done)

    async def look(self, lease: Lease, found: Proposal, *, name: str) -> Proposal:
        """Whether it stands there, of one whose outcome nobody saw; it is not sent again, whatever comes of it."""
        writer, why = self._writers[found.kind], ""
        try:
            done = await writer.look(found.draft, mark=found.id, deadline=self._seconds)
        except Unwritten as problem:
            done, why = None, f" ({problem})"
        if done is None:
            sentence = f"{writer.unknown}{why}"
            return await self._settled(lease, found, "unknown", name, sentence=sentence)
        return await self._settled(lease, found, "written", name, done)

    async def undo(self, lease: Lease, found: Proposal, *, name: str) -> Proposal:
        """Take back what was written, if nobody built on it."""
        claimed = await self._proposals.step(lease, found, "undoing", name=name)
        writer = self._writers[claimed.kind]
        try:
            sentence = await writer.undo(claimed.written, deadline=self._seconds)
        except Stays as stays:
            return await self._settled(lease, claimed, "kept", name, sentence=str(stays))
        except Lost as lost:  # asking again is safe
            return await self._settled(lease, claimed, "undoing", name, sentence=str(lost))
        except Unwritten as problem:
            sentence = f"Not undone: {problem}"
            return await self._settled(lease, claimed, "written", name, sentence=sentence)
        return await self._settled(lease, claimed, "undone", name, sentence=sentence)

    async def redraft(self, found: Proposal, asked: Mapping[str, Any], person: Person) -> str:
        """What would be written if something else had been asked for, on behalf of who changed it.

        Raises:
            Unwritten: it cannot be; the sentence says why.
        """
        writer = self._writers[found.kind]
        return await writer.redraft(found, asked, person, deadline=self._seconds)

    async def _settled(
        self,
        lease: Lease,
        claimed: Proposal,
        state: State,
        name: str,
        done: Done | None = None,
        sentence: str = "",
    ) -> Proposal:
        now = await self._proposals.step(
            lease,
            claimed,
            state,
            name=name,
            written=done.written if done else "",
            sentence=sentence or (done.sentence if done else ""),
        )
        key = self._writers[now.kind].key(now.draft)
        log.info(now.kind, proposal=now.id, ask=now.ask_id, key=key, state=state, user=now.who)
        return now


__all__ = ["Reviews", "Tickets", "Unwritten", "Writer", "Writing"]
