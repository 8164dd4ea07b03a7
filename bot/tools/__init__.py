"""The tools Claude is given: declared once, in an order that never changes, the same in every channel.

    pages     web_fetch
    pulls     pull_request_diff, repository_file
    tickets   jira_get_issue
    searches  jira_search, jira_count, jira_sprint
    writes    jira_propose_comment, jira_propose_transition, jira_propose_update, jira_propose_issue

What a channel may read is asked of `policy` when a tool runs, so that the declared bytes stay in Claude's cache.
What goes wrong with a stranger becomes words that Claude can act on. Whatever a tool reads is data from outside.
"""

from urllib.parse import urlsplit

from bot.policy import Policy
from bot.tool_runner import Tool
from bot.tools.pages import Pages
from bot.tools.pulls import Pulls
from bot.tools.searches import Searches
from bot.tools.tickets import Tickets
from bot.tools.unopened import Unopened
from bot.tools.writes import Desk, Writes
from integrations.github import GitHub
from integrations.jira import Jira
from integrations.pdf import Pdfs
from integrations.web import Web

ORDER = (
    "web_fetch",
    "pull_request_diff",
    "repository_file",
    "jira_get_issue",
    "jira_search",
    "jira_count",
    "jira_sprint",
    "jira_propose_comment",
    "jira_propose_transition",
    "jira_propose_update",
    "jira_propose_issue",
)
"""The order in which Claude is told of them."""


def declare(
    *,
    jira: Jira | None,
    web: Web,
    policy: Policy,
    github: GitHub | None = None,
    desk: Desk | None = None,
    pdfs: Pdfs | None = None,
) -> tuple[Tool, ...]:
    """Every tool, in their order.

    Args:
        jira: None where it is not set up; its tools are declared all the same and say so.
        web: reads the public web.
        policy: what a channel may read.
        github: None where it is not set up; its tools are declared all the same, too.
        desk: where changes are proposed, and addresses that a person may let be read; None where none can be.
        pdfs: reads a ticket's PDFs; None where none is shown.
    """
    unopened = Unopened(desk.proposals if desk is not None else None)
    made = (
        *Pages(web, _hosts(jira, github), unopened).tools(),
        *Pulls(github, policy, unopened).tools(),
        *Tickets(jira, policy, pdfs).tools(),
        *Searches(jira, policy).tools(),
        *Writes(jira, policy, desk).tools(),
    )
    by_name = {tool.name: tool for tool in made}
    return tuple(by_name[name] for name in ORDER)


def _hosts(jira: Jira | None, github: GitHub | None) -> frozenset[str]:
    """Where links may lead that stand in what was read."""
    site = urlsplit(jira.browse_url("")).netloc.lower() if jira is not None else ""
    return frozenset({site} - {""}) | (github.hosts if github is not None else frozenset())


__all__ = ["ORDER", "Desk", "declare"]
