"""May this person in this channel do this with that, and by which rule?

Everybody asks here; nobody else decides. What is not known about a person counts against them.
"""

from dataclasses import dataclass

from bot.ask import Ask, Person
from bot.rules import Outsiders, PolicyFile, Rules


@dataclass(frozen=True, slots=True)
class Verdict:
    """May it be done, by which rule, and the sentence for the person where it may not."""

    allowed: bool
    rule: str
    sentence: str = ""
    tools: bool = True


@dataclass(frozen=True, slots=True)
class Value:
    """One effective value and where it comes from: `default`, `[defaults]` or `[channels.C…]`."""

    key: str
    value: object
    source: str


class Policy:
    """The whole policy of this installation."""

    def __init__(self, file: PolicyFile | None = None) -> None:
        self._file = file or PolicyFile()
        self.admins = self._file.admins
        self.workspace = self._file.workspace
        self._elsewhere = Rules(**self._file.defaults)
        self._rules = {
            channel: Rules(**{**self._file.defaults, **own})
            for channel, own in self._file.channels.items()
        }

    def rules(self, channel: str) -> Rules:
        """The effective values of a channel."""
        return self._rules.get(channel, self._elsewhere)

    def explain(self, channel: str) -> list[Value]:
        """Each effective value of a channel and where it comes from."""
        own, rules = self._file.channels.get(channel, {}), self.rules(channel)

        def source(key: str) -> str:
            if key in own:
                return f"[channels.{channel}]"
            return "[defaults]" if key in self._file.defaults else "default"

        return [Value(key, getattr(rules, key), source(key)) for key in Rules.model_fields]

    def is_admin(self, user: str) -> bool:
        """Whether the policy names this person an admin of Purser."""
        return user in self.admins

    def models(self) -> set[str]:
        """Every model that some channel may call."""
        every = [self._elsewhere, *self._rules.values()]
        named = {m for r in every for m in (r.model, r.deep_model, r.quick_model, r.fallback_model)}
        return {m for m in named if m}

    def projects(self) -> set[str]:
        """Every Jira project that some channel may read; "*" stands for all the account sees."""
        every = [self._elsewhere, *self._rules.values()]
        return {key for rules in every for key in rules.jira_projects}

    def may_ask(self, person: Person, ask: Ask) -> Verdict:
        """Whether this person may ask here at all; whatever is not known counts against it."""
        rules = self.rules(ask.channel)
        if person.is_gone:
            return Verdict(False, "leaver", "Your Slack account is deactivated, so I can't help.")
        if person.is_bot:
            return Verdict(False, "bot", "I only answer people.")
        if self.workspace.paused:
            return Verdict(False, "paused", "I am paused here by an admin; ask one to resume me.")
        if ask.external or person.is_external or not person.known:
            who = "people of other organisations, or in channels shared with them"
            return _outsiders("external", rules.external, who)
        if person.is_guest:
            return _outsiders("guests", rules.guests, "guest accounts")
        if (
            rules.allow_users
            and person.id not in rules.allow_users
            and person.id not in self.admins
        ):
            return Verdict(
                False, "allow_users", "In this channel only people named by an admin may ask me."
            )
        return Verdict(True, "member")

    def may_read_project(self, rules: Rules, project: str) -> Verdict:
        """Whether a channel may read tickets of a Jira project."""
        if "*" in rules.jira_projects or project in rules.jira_projects:
            return Verdict(True, "jira_projects")
        return Verdict(
            False,
            "jira_projects",
            f"The Jira project {project} is not open in this channel. An admin opens it with "
            f'jira_projects = ["{project}"] under [channels.…] in purser.toml.',
        )

    def may_see_persons(self, rules: Rules, user: str) -> bool:
        """Whether somebody may see what others spent."""
        return rules.see_persons == "members" or self.is_admin(user)


def _outsiders(rule: str, value: Outsiders, who: str) -> Verdict:
    if value == "refuse":
        return Verdict(
            False,
            rule,
            f"I am not open to {who} here; an admin can allow it ({rule} in the policy).",
        )
    return Verdict(True, rule, tools=value == "allow")
