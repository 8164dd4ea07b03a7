"""Posts reviews on pull requests."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from bot.ask import Person
from bot.policy import Policy, Verdict
from bot.proposals import Proposal
from bot.rules import Rules
from bot.writing.writer import Done, Lost, Stays, Unwritten
from integrations.github import GitHub, GitHubProblem, GitHubUnknown, Posted, ReviewDraft

UNKNOWN = (
    "GitHub's answer was lost and I do not find the review there: it may stand there or not. Look at the pull request, "
    "or let me look again; I will not send it a second time."
)
FINAL = "A review that was submitted cannot be deleted."
UNCHANGED = "A review is not changed in a form; ask again in words."


class Reviews:
    """Posts to GitHub; see `Writer`.

    Args:
        github: posts and looks.
        policy: which repositories a channel may have our token used for.
    """

    unknown = UNKNOWN

    def __init__(self, github: GitHub, policy: Policy) -> None:
        self._github, self._policy = github, policy

    def may(self, draft: str, rules: Rules) -> Verdict:
        """Where the channel's `repos` open the repository."""
        return self._policy.may_post_review(rules, ReviewDraft.from_json(draft).repository)

    def key(self, draft: str) -> str:
        """The pull request, as people call it."""
        return ReviewDraft.from_json(draft).key

    async def write(self, draft: str, *, mark: str, deadline: float) -> Done:
        """One review with all its comments."""
        with _told():
            return _done(
                await self._github.post(
                    ReviewDraft.from_json(draft), mark=mark, deadline=deadline / 2
                )
            )

    async def look(self, draft: str, *, mark: str, deadline: float) -> Done | None:
        """By the mark that its text carries."""
        with _told():
            found = await self._github.posted(
                ReviewDraft.from_json(draft), mark=mark, deadline=deadline
            )
        return _done(found) if found else None

    async def undo(self, written: str, *, deadline: float) -> str:
        """Never: GitHub has no way back, and no button offers one."""
        raise Stays(FINAL)

    async def redraft(
        self, found: Proposal, asked: Mapping[str, Any], person: Person, *, deadline: float
    ) -> str:
        """Never: no form is offered."""
        raise Unwritten(UNCHANGED)


@contextmanager
def _told() -> Generator[None]:
    """GitHub's problems in our own terms."""
    try:
        yield
    except GitHubUnknown as lost:
        raise Lost(str(lost)) from lost
    except GitHubProblem as problem:
        raise Unwritten(str(problem)) from problem


def _done(posted: Posted) -> Done:
    return Done(posted.to_json(), posted.left)
