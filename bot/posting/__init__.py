"""Proposing that a thread's review be posted on its pull request: drafted by code from what people saw and what was kept.

    words -> the kept review -> policy -> the pull request now -> ReviewDraft -> a proposal that a person decides on

Claude has no part in it, and nothing is posted here: `bot/writing` does that after a click.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence

from bot.answer import Answer, Receipt, Stopped
from bot.ask import Ask, Person
from bot.findings.kept import Kept, answered, last
from bot.journal import Journal
from bot.policy import Policy
from bot.posting.drafted import drafted
from bot.proposals import REVIEW_TOOL, Proposal, Proposals, State
from bot.store import Store
from integrations.github import ONLY_READS, Address, GitHub, GitHubProblem, ReviewDraft

READ_SECONDS = 20.0  # for the pull request as it is now
TEXT_CHARS = 8_000  # of a review, so that all of it can be seen before it is decided on
OFF_LOOP_CHARS = 60_000  # of a diff, beyond which reading it would hold up other asks

GUESTS = "Reviews are posted for members of this workspace only; ask one of them."
NO_PULL = (
    "The review in this thread is not of a pull request, so there is nowhere to post it. Ask for a review by a pull "
    "request's address."
)
OTHER = "The review in this thread is of {url}; ask for a review of the other one first."
LONG = (
    f"This review is too long to be shown here exactly as it would be posted ({{n:,}} characters; {TEXT_CHARS:,} at "
    'most), so nothing was proposed. Ask for it again with "be brief", and post that.'
)
BEFORE: Mapping[State, str] = {
    "open": "The review lies ready in this thread already; {behalf} or an admin decides on it there.",
    "writing": "The review is being posted already.",
    "unknown": "The review was pressed already, by {who}; whether it was posted can be looked for there.",
    "written": "This review was posted already, by a press of {who}.",
}
"""Why one that was proposed before is not proposed again; one that was dropped, or failed, is."""
READY = "The review lies ready for [{key}]({url}): {what}. Nothing is posted yet."
PUSHED = "The branch was pushed to since; ask for a re-review first if it should be of what is there now."
_ASKED = re.compile(
    r"^(?:(?:please|now|ok(?:ay)?|and|can you|could you|bitte)[,\s]+)*"
    r"(?:post|publish|submit|put|leave|add)\s+"
    r"(?:(?P<it>it|this|that|them|these)|(?:(?:the|your|this|that)\s+)(?:whole\s+|code\s+)?(?:review|findings|comments)\b)"
    r"(?P<where>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_THERE = re.compile(
    r"\b(?:pr|mr|pull[- ]?request|pull|github|https?://\S+/pulls?/\d+\S*)\b", re.IGNORECASE
)
_ELSEWHERE = re.compile(r"\b(?:jira|ticket|confluence|channel|slack)\b", re.IGNORECASE)
_GERMAN = re.compile(
    r"^(?:bitte\s+)?(?:poste|stell|schreib)e?\s+(?:es|das|die review|den review|das review)\b.*\b(?:pr|pull[- ]?request|github)\b",
    re.IGNORECASE | re.DOTALL,
)
_URL = re.compile(r"https?://[^\s<>|)]+/pulls?/\d+")
_WORDS = 30  # a longer text asks for more than that


def wished(words: str) -> bool:
    """Whether words ask for a review to be posted to its pull request: "post it to the PR", "publish the review"."""
    if len(words.split()) > _WORDS:
        return False
    bare = words.strip()
    if _GERMAN.match(bare):
        return True
    asked = _ASKED.match(bare)
    if asked is None or _ELSEWHERE.search(asked["where"]):
        return False
    return not asked["it"] or _THERE.search(asked["where"]) is not None


class Posting:
    """Proposes to post reviews.

    Args:
        github: reads the pull request as it is now.
        policy: which repositories a channel may have reviews posted in.
        proposals: where what is proposed is kept.
        journal: what people saw of an answer.
        store: holds the reviews of threads.
    """

    def __init__(
        self,
        github: GitHub,
        policy: Policy,
        proposals: Proposals,
        journal: Journal,
        store: Store,
    ) -> None:
        self._github, self._policy, self._proposals = github, policy, proposals
        self._journal, self._store = journal, store

    async def answer(self, ask: Ask, person: Person) -> Answer | Stopped | None:
        """Propose it, or say why not; None where the ask wants something else, or its thread has no review.

        Raises:
            StoreDown: it was not kept.
        """
        if ask.feature not in {"chat", "review"} or ask.is_first or not wished(ask.text):
            return None
        kept = await last(self._store, ask)
        if kept is None:
            return None
        try:
            address = self._github.address(kept.url)
            barred = self._barred(ask, person, kept, address)
            return barred or await self._propose(ask, person, kept, address)
        except GitHubProblem as trouble:
            return Stopped(f"{trouble} So nothing was proposed.", Receipt())

    def _barred(self, ask: Ask, person: Person, kept: Kept, address: Address) -> Stopped | None:
        """Why nothing may be proposed; None where it may."""
        if person.is_guest or person.is_external or not person.known:
            return Stopped(GUESTS, Receipt(), rule="guests")
        if address.kind != "pull":
            return Stopped(NO_PULL, Receipt())
        named = [self._github.address(url) for url in _URL.findall(ask.text)]
        if any((n.repository, n.ref) != (address.repository, address.ref) for n in named):
            return Stopped(OTHER.format(url=kept.url), Receipt())
        verdict = self._policy.may_post_review(self._policy.rules(ask.channel), address.repository)
        if not verdict.allowed:
            return Stopped(verdict.sentence, Receipt(), rule=verdict.rule)
        return None if self._github.has_token(address) else Stopped(ONLY_READS, Receipt())

    async def _propose(
        self, ask: Ask, person: Person, kept: Kept, address: Address
    ) -> Answer | Stopped:
        asked = {"url": kept.url, "head": kept.head, "review": kept.ask_id}
        before = await self._proposals.like(ask, tool=REVIEW_TOOL, asked=asked)
        for one in before:
            if sentence := BEFORE.get(one.state):
                told = sentence.format(who=one.who_name, behalf=one.behalf)
                return Stopped(told, Receipt())
        told = [await self._told(id_) for id_ in await answered(self._store, ask)]
        draft = await self._draft(kept, told, address, name=person.real_name or person.name)
        remarks = sum(len(remark.path) + len(remark.text) for remark in draft.remarks)
        length = len(draft.text) + remarks
        if length > TEXT_CHARS:
            return Stopped(LONG.format(n=length), Receipt())
        proposal = await self._proposals.propose(
            ask,
            "review",
            tool=REVIEW_TOOL,
            asked=asked,
            draft=draft.to_json(),
            behalf=person.real_name or person.name,
        )
        return Answer(_ready(proposal), Receipt(), proposes=True)

    async def _told(self, ask_id: str) -> str:
        """An answer as people saw it, "" where it is gone."""
        parts = (await self._journal.read(ask_id)).parts
        return "\n\n".join(part.text for part in parts if part.kind != "held")

    async def _draft(
        self, kept: Kept, told: Sequence[str], address: Address, *, name: str
    ) -> ReviewDraft:
        change = await self._github.change(address, as_us=True, deadline=READ_SECONDS)
        link = self._github.link(address, kept.head)
        if len(change.diff) < OFF_LOOP_CHARS:
            return drafted(kept, told, change, link=link, name=name)
        return await asyncio.to_thread(drafted, kept, told, change, link=link, name=name)


def _ready(proposal: Proposal) -> str:
    draft = ReviewDraft.from_json(proposal.draft)
    n = len(draft.remarks)
    what = f"{n} comment{'s' if n > 1 else ''} at their lines, and its text" if n else "its text"
    told = READY.format(key=draft.key, url=draft.url, what=what)
    return f"{told} {PUSHED}" if draft.moved else told


__all__ = ["Posting", "wished"]
