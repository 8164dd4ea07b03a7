"""What the look inside is drawn from; given by whoever set the stage."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from bot.demo.claude import ClaudeStandIn
from bot.demo.github import GitHubStandIn
from bot.demo.jira import JiraStandIn
from bot.demo.slack import SlackStandIn
from bot.demo.web import WebStandIn

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where everything is seen. A stranger that is None is the real one here, and not looked at.

    Attributes:
        database: the bot's SQLite file; it may not exist yet.
        lines: the bot's structured log lines so far; only ever appended to.
        budget: a channel's monthly budget in US dollars, by the channel's id; "" is the whole workspace.
        kill: end the bot as a power cut would, and start it again; returns once it is ready.
        ahead: seconds that the demo's clock is ahead of this machine's.
    """

    slack: SlackStandIn
    claude: ClaudeStandIn | None
    jira: JiraStandIn | None
    web: WebStandIn
    github: GitHubStandIn | None = None
    database: Path
    lines: Sequence[Mapping[str, Any]]
    budget: Callable[[str], Decimal]
    kill: Callable[[], Awaitable[None]]
    ahead: Callable[[], float] = lambda: 0.0

    def secrets(self) -> frozenset[str]:
        """Every credential of the stand-ins; none of them is ever shown."""
        slack, claude, jira, github = self.slack, self.claude, self.jira, self.github
        known = {slack.bot_token, slack.app_token, slack.signing_secret}
        if claude is not None:
            known.add(claude.api_key)
        if jira is not None:
            known |= {jira.token, jira.scoped_token}
        if github is not None:
            known |= {github.token, github.public_token}
        return frozenset(secret for secret in known if secret)
