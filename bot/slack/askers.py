"""Who asks, and may they? Slack's word on a person and a channel, and the policy's verdict on both."""

from dataclasses import replace

from bot.ask import Ask, Person
from bot.policy import Policy, Verdict
from bot.slack.people import People
from bot.slack.wire import Unsure

UNSEEN = (
    "Slack does not show me this channel, so I cannot tell whether people of other organisations are in it. "
    "Invite me with `/invite @Purser`, and ask again."
)
ABSENT = "I am not in this channel, so I cannot read the thread. Invite me with `/invite @Purser`, and choose it again."


class Untold(Unsure):
    """Slack does not say who somebody is, and who is not known may not; it is asked again later."""


class Askers:
    """Admits who asks, and who clicks.

    Args:
        people: who somebody is.
        policy: who may.
    """

    def __init__(self, people: People, policy: Policy) -> None:
        self._people, self._policy = people, policy

    async def look(self, ask: Ask) -> tuple[Person, Verdict]:
        """Who it is, and whether they may ask here; of a command or a click Slack does not say if its channel is shared.

        Raises:
            Untold: nobody can say now.
        """
        person = await self._people.look(ask.user, ask.user_team)
        verdict = await self._may(person, ask)
        # Nobody is taken for a stranger: not to be refused as one, nor where strangers may and they, a guest, may not.
        if person.untold and verdict.rule == "external" and (verdict.allowed or not ask.external):
            raise Untold("untold", "users.info")
        return person, verdict

    async def _may(self, person: Person, ask: Ask) -> Verdict:
        if ask.origin == "own":  # nobody's, and never from outside
            return Verdict(True, "own")
        shared: bool | None = False
        if ask.origin in {"command", "click", "shortcut", "reworded"} and not ask.external:
            shared = await self._people.shared(ask.channel)
            ask = replace(ask, external=shared is True)
        if ask.origin == "invite" and not ask.external:
            return Verdict(True, "invite")
        verdict = self._policy.may_ask(person, ask)
        chosen = verdict.allowed and ask.origin == "shortcut"
        if chosen and not await self._people.among(ask.channel):
            return Verdict(False, "no_member", ABSENT)
        admins = ask.feature == "purser" and self._policy.is_admin(person.id)
        if shared is not None or not verdict.allowed or admins:  # a pause has to work everywhere
            return verdict
        closed = self._policy.may_ask(person, replace(ask, external=True))
        return closed if closed.allowed else replace(closed, sentence=UNSEEN)
