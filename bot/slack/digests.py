"""Digests as people ask for them in Slack: set up by the words of a summary and how often, listed, and stopped."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from bot.ask import Ask
from bot.digests import USAGE, BadCadence, Digest, Digests, Subject, parted, subject
from bot.digests.kept import IN_A_CHANNEL
from bot.digests.subject import projects
from bot.jql import BadQuery, narrowed
from bot.policy import Policy
from integrations.jira import JiraProblem, JiraRejected

WORD, NEW = "digests", "digest"  # as they stand in a wish
ABSENT = "I am not in this channel, so no digest can come here. Invite me with `/invite @Purser`, and ask again."
NO_CHANNEL = "A digest of threads comes in a channel; here there are but our two."
FULL = f"This channel has {IN_A_CHANNEL} digests, which is the most. `/purser digests` shows them; stop one first."
SET = (
    "I write a digest of {subject} here, {cadence} ({zone}), the first one at {first}. It is read and written in the "
    "hours before, at half of Claude's price. `/purser digests` lists the digests of this channel, "
    "`/purser digests stop {id}` stops this one."
)
HAD = "A digest of {subject} comes here already, {cadence}; {name} asked for it. `/purser digests stop {id}` stops it."
NONE = "No digest comes here. `/summarize project SHOP nightly at 7:00` sets one up."
UNKNOWN = "No digest of that name comes here. `/purser digests` lists those that do."
NOT_YOURS = "{name} asked for that digest: they can stop it, or an admin named in the policy."
STOPPED = "The digest of {subject} comes no more."
NO_JIRA = "Jira is not set up here, so a digest can only be of the channel itself: `/summarize this channel weekly`."
UNREADABLE = "{why} Nothing was set up."
TRY_SECONDS = 5.0  # in which Jira says whether it understands a query


class Names(Protocol):
    """What is needed of people."""

    async def names(self, users: Iterable[str]) -> dict[str, str]:
        """People's names by their ids."""
        ...

    async def among(self, channel: str) -> bool:
        """Whether we are in a channel."""
        ...


class Counts(Protocol):
    """What is needed of Jira."""

    async def count(self, jql: str, *, deadline: float) -> int:
        """About how many tickets a query finds; raises JiraProblem."""
        ...


class Wanted:
    """Answers the words about digests.

    Args:
        digests: who wants what.
        policy: what a channel may read, and who is an admin.
        people: what they are called, and where we are.
        jira: tries what is to be read each night; None where it is not set up.
    """

    def __init__(
        self, digests: Digests, policy: Policy, people: Names, jira: Counts | None
    ) -> None:
        self._digests, self._policy, self._people = digests, policy, people
        self._jira = jira

    async def want(self, words: str, ask: Ask) -> str:
        """Set a digest up; the answer, as Markdown.

        Args:
            words: what and how often: "project SHOP nightly at 7:00".
            ask: where, and by whom.

        Raises:
            StoreDown: it was not kept.
        """
        try:
            found = parted(words)
            about = subject(found[0]) if found else None
            if found is None or about is None:
                return USAGE
            if no := self._never(about, ask):
                return no
        except (BadCadence, BadQuery) as wrong:
            return str(wrong)
        if not await self._people.among(ask.channel):
            return ABSENT
        if no := await self._unreadable(about, ask):
            return no
        for one in await self._digests.of(ask.channel):
            if (one.subject, one.cadence) == (about, found[1]) and one.id != ask.reference:
                return await self._had(one)
        made = await self._digests.add(ask, about, found[1])
        if made is None:
            return FULL
        return SET.format(
            subject=about.told,
            cadence=made.cadence.told,
            zone=self._policy.workspace.timezone,
            first=self._next(made),
            id=made.id,
        )

    async def say(self, rest: str, ask: Ask) -> str:
        """List the channel's digests, or stop one ("stop 1a2b3c4d"); the answer, as Markdown.

        Raises:
            StoreDown: they cannot be read, or it comes still.
        """
        word, _, name = rest.strip().partition(" ")
        if word.lower() == "stop":
            return await self._stop(name.strip().strip("`").lower(), ask)
        found = await self._digests.of(ask.channel)
        if not found:
            return NONE
        names = await self._people.names({one.user for one in found})
        lines = [
            f"- `{one.id}`: {one.subject.told}, {one.cadence.told}, asked for by "
            f"{names.get(one.user, one.user)}; next at {self._next(one)}"
            for one in found
        ]
        stop = f"`/purser digests stop {found[0].id}` stops the first of them."
        return "\n".join(["**Digests of this channel**", *lines, stop])

    async def _stop(self, name: str, ask: Ask) -> str:
        found = await self._digests.get(name)
        if found is None or found.stopped or found.channel != ask.channel:
            return UNKNOWN
        if ask.user != found.user and not self._policy.is_admin(ask.user):
            names = await self._people.names({found.user})
            return NOT_YOURS.format(name=names.get(found.user, found.user))
        await self._digests.stop(found, user=ask.user)
        return STOPPED.format(subject=found.subject.told)

    async def _had(self, one: Digest) -> str:
        names = await self._people.names({one.user})
        return HAD.format(
            subject=one.subject.told,
            cadence=one.cadence.told,
            name=names.get(one.user, one.user),
            id=one.id,
        )

    def _never(self, about: Subject, ask: Ask) -> str:
        """Why it could never be read here, "" where it could; what may be read is decided again each time."""
        rules = self._policy.rules(ask.channel)
        if about.kind == "channel" and ask.channel_kind == "im":
            return NO_CHANNEL
        for project in sorted(projects(about, ())):
            if no := self._policy.may_read_project(rules, project).sentence:
                return no
        if about.kind == "query":
            if not rules.jira_projects:
                return self._policy.may_read_project(rules, "KEY").sentence
            narrowed(about.name, rules.jira_projects)
        return ""

    async def _unreadable(self, about: Subject, ask: Ask) -> str:
        """What Jira does not understand of it, "" where it does; where it cannot be asked now, the night will show."""
        if about.kind == "channel":
            return ""
        if self._jira is None:
            return NO_JIRA
        queries = {"project": f"project = {about.name}", "query": about.name}
        if about.kind not in queries:
            return ""
        jql = narrowed(queries[about.kind], self._policy.rules(ask.channel).jira_projects)
        try:
            await self._jira.count(jql, deadline=TRY_SECONDS)
        except JiraRejected as rejected:
            return UNREADABLE.format(why=rejected)
        except JiraProblem:
            pass
        return ""

    def _next(self, digest: Digest) -> str:
        at = datetime.fromtimestamp(self._digests.next(digest), self._digests.zone)
        return f"{at.hour}:{at.minute:02} on {at:%A}, {at.day} {at:%B}"
