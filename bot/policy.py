"""May this person in this channel do this with that, and by which rule?

Everybody asks here; nobody else decides. What is not known about a person counts against them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase

from bot.ask import Ask, Person
from bot.caps import Caps
from bot.rules import Outsiders, PolicyFile, Rules, Workspace


@dataclass(frozen=True, slots=True)
class Verdict:
    """May it be done, by which rule, and the sentence for the person where it may not."""

    allowed: bool
    rule: str
    sentence: str = ""
    tools: bool = True


EVERYWHERE = ""  # in the place of a channel
PAUSED = "paused"  # the one adjustment that is no rule: nobody is answered


@dataclass(frozen=True, slots=True)
class Value:
    """One effective value and where it comes from: `default`, `[defaults]`, `[channels.C…]`, or Slack, by whom and when."""

    key: str
    value: object
    source: str


@dataclass(frozen=True, slots=True)
class Adjusted:
    """A value that an admin set in Slack: it wins over the file. `channel` is "" for all, `at` in epoch seconds."""

    channel: str
    key: str
    value: str
    user: str
    at: float


class Policy:
    """The whole policy of this installation: the file, and what admins set in Slack."""

    def __init__(self, file: PolicyFile | None = None) -> None:
        self._adjusted: dict[tuple[str, str], Adjusted] = {}
        self._rules: dict[str, Rules] = {}
        self._hold(file or PolicyFile())

    def replace(self, file: PolicyFile) -> None:
        """Put another file in force at once and whole; what admins set in Slack still wins over it.

        Who works by rules that were handed out keeps them. The time zone stays until the next start, since the
        sums of days and months follow it.
        """
        zone = {"timezone": self.workspace.timezone}
        self._hold(replace(file, workspace=file.workspace.model_copy(update=zone)))

    def _hold(self, file: PolicyFile) -> None:
        elsewhere = Rules(**file.defaults)
        rules = {
            channel: Rules(**{**file.defaults, **own}) for channel, own in file.channels.items()
        }
        self._file, self._elsewhere, self._rules = file, elsewhere, rules
        self.admins, self.workspace = file.admins, file.workspace
        self.caps = _caps(elsewhere, rules)
        for channel in {channel for channel, _ in self._adjusted}:
            self._refresh(channel)

    def adjust(self, adjusted: Adjusted) -> None:
        """Put a value in force that an admin set; it was checked and committed before."""
        self._adjusted[adjusted.channel, adjusted.key] = adjusted
        self._refresh(adjusted.channel)

    def unadjust(self, channel: str, key: str) -> None:
        """Let the file's value hold again."""
        self._adjusted.pop((channel, key), None)
        self._refresh(channel)

    def paused(self, channel: str) -> str:
        """Where nobody is answered: "everywhere", "here", or "" where people are."""
        whole = self._adjusted.get((EVERYWHERE, PAUSED))
        if whole.value == "true" if whole else self.workspace.paused:
            return "everywhere"
        here = self._adjusted.get((channel, PAUSED))
        return "here" if here and here.value == "true" else ""

    def _refresh(self, channel: str) -> None:
        file = {**self._file.defaults, **self._file.channels.get(channel, {})}
        told = {a.key: a.value for a in self._of(channel) if a.key != PAUSED}
        self._rules[channel] = Rules.model_validate({**file, **told})

    def _of(self, channel: str) -> list[Adjusted]:
        return [a for (where, _), a in self._adjusted.items() if where == channel]

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

        here = self._adjusted.get((channel, PAUSED)) if channel else None
        paused = Value(PAUSED, bool(here and here.value == "true"), "default")
        values = [Value(key, getattr(rules, key), source(key)) for key in Rules.model_fields]
        return self._told(channel, [*values, paused]) if channel else [*values, paused]

    def explain_workspace(self) -> list[Value]:
        """The same of what holds for all channels together."""
        space, everywhere = self.workspace, self._adjusted.get((EVERYWHERE, PAUSED))
        values = {key: getattr(space, key) for key in Workspace.model_fields}
        if everywhere:
            values[PAUSED] = everywhere.value == "true"
        return self._told(
            EVERYWHERE,
            [
                Value(key, value, "[workspace]" if key in space.model_fields_set else "default")
                for key, value in values.items()
            ],
        )

    def _told(self, channel: str, values: Sequence[Value]) -> list[Value]:
        """The values, those among them that were set in Slack with by whom and when."""
        set_here = {a.key: a for a in self._of(channel)}

        def source(value: Value) -> str:
            if (adjusted := set_here.get(value.key)) is None:
                return value.source
            day = datetime.fromtimestamp(adjusted.at, self.workspace.zone).date()
            return f"Slack, by {adjusted.user} on {day}"

        return [replace(value, source=source(value)) for value in values]

    def is_admin(self, user: str) -> bool:
        """Whether the policy names this person an admin of Purser."""
        return user in self.admins

    def everywhere(self) -> list[Rules]:
        """The values of channels without any of their own, and those of each channel that has some."""
        return [self._elsewhere, *self._rules.values()]

    def named(self) -> list[str]:
        """The channels that have a table of their own in the file."""
        return sorted(self._file.channels)

    def models(self) -> set[str]:
        """Every model that some channel may call."""
        every = self.everywhere()
        named = {m for r in every for m in (r.model, r.deep_model, r.quick_model, r.fallback_model)}
        return {m for m in named if m}

    def projects(self) -> set[str]:
        """Every Jira project that some channel may read; "*" stands for all the account sees."""
        return {key for rules in self.everywhere() for key in rules.jira_projects}

    def may_ask(self, person: Person, ask: Ask) -> Verdict:
        """Whether this person may ask here at all; whatever is not known counts against it."""
        rules = self.rules(ask.channel)
        if person.is_gone:
            return Verdict(False, "leaver", "Your Slack account is deactivated, so I can't help.")
        if person.is_bot:
            return Verdict(False, "bot", "I only answer people.")
        where = self.paused(ask.channel)
        if where and not (ask.feature == "purser" and self.is_admin(person.id)):
            return Verdict(False, PAUSED, f"I am paused {where} by an admin; ask one to resume me.")
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

    def may_use_token(self, rules: Rules, repository: str) -> Verdict:
        """Whether a channel may read a repository (`owner/name`) with our token; public ones need none."""
        name = repository.lower()  # GitHub makes no difference
        if any(fnmatchcase(name, pattern.lower()) for pattern in rules.repos):
            return Verdict(True, "repos")
        return Verdict(
            False,
            "repos",
            f"There is no public {repository} with this. If it is private: it is not open in this channel; an admin "
            f'opens it with repos = ["{repository}"] under [channels.…] in purser.toml.',
        )

    def may_post_review(self, rules: Rules, repository: str) -> Verdict:
        """Whether a channel may have a review posted in a repository (`owner/name`), public ones included."""
        if self.may_use_token(rules, repository).allowed:
            return Verdict(True, "repos")
        return Verdict(
            False,
            "repos",
            f"Reviews cannot be posted to {repository} from this channel, so nothing was posted. An admin opens it with "
            f'repos = ["{repository}"] under [channels.…] in purser.toml.',
        )

    def may_see_persons(self, rules: Rules, user: str) -> bool:
        """Whether somebody may see what others spent."""
        return rules.see_persons == "members" or self.is_admin(user)


def _caps(elsewhere: Rules, rules: Mapping[str, Rules]) -> Caps:
    """How many asks may be at work at once, in each channel that has caps of its own."""
    usual = (elsewhere.person_in_flight, elsewhere.channel_in_flight)
    theirs = {name: (one.person_in_flight, one.channel_in_flight) for name, one in rules.items()}
    return Caps(*usual, {name: caps for name, caps in theirs.items() if caps != usual})


def _outsiders(rule: str, value: Outsiders, who: str) -> Verdict:
    if value == "refuse":
        return Verdict(
            False,
            rule,
            f"I am not open to {who} here; an admin can allow it ({rule} in the policy).",
        )
    return Verdict(True, rule, tools=value == "allow")
