"""The tools Claude is given: declared once, in an order that never changes, the same in every channel.

What a channel may read is asked of `policy` when a tool runs, so that the declared bytes stay in Claude's cache.
What goes wrong with a stranger becomes words that Claude can act on. Whatever a tool reads is data from outside.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bot.errors import ToolProblem
from bot.policy import Policy
from bot.tickets import KEY, told
from bot.tool_runner import Tool, ToolContext
from integrations.jira import INCLUDES, Jira, JiraProblem
from integrations.web import Web
from integrations.web_errors import WebProblem

NO_JIRA = "Jira is not set up in this installation: say so, and that an operator can add it."
HIDDEN = (
    "{key} has a security level in Jira, so it is not shown in Slack: say only that it is "
    "restricted and that it has to be opened in Jira."
)
LABEL_CHARS = 60  # of an address in the status line

WEB_FETCH = {
    "type": "object",
    "properties": {
        "url": {"type": "string", "description": "The page's whole address, http or https."},
        "page": {
            "type": "integer",
            "description": "Which part of a long page, from 1. The result says how many there are.",
        },
    },
    "required": ["url"],
    "additionalProperties": False,
}
JIRA_GET_ISSUE = {
    "type": "object",
    "properties": {
        "key": {"type": "string", "description": "The ticket's key, such as SHOP-12."},
        "include": {
            "type": "array",
            "items": {"type": "string", "enum": list(INCLUDES)},
            "description": "More than the newest comments: how fields changed, or every comment.",
        },
    },
    "required": ["key"],
    "additionalProperties": False,
}


def declare(*, jira: Jira | None, web: Web, policy: Policy) -> tuple[Tool, ...]:
    """Every tool, in the order in which Claude is told of them.

    Args:
        jira: None where it is not set up; its tools are declared all the same and say so.
        web: reads the public web.
        policy: what a channel may read.
    """
    return (
        Tool(
            name="web_fetch",
            description=(
                "Read a public web page, a text or JSON file, or a PDF. Gives its text as Markdown, in parts of about "
                "20,000 characters. Pages behind a login, scripts and private addresses are not read."
            ),
            schema=WEB_FETCH,
            label=lambda given: f"reading {_short(str(given.get('url', '')))}",
            call=_Pages(web).fetch,
        ),
        Tool(
            name="jira_get_issue",
            description=(
                "Read a Jira ticket: its fields, description, links, subtasks and its newest comments with their "
                "authors, dates and addresses. Says how much of it was not read."
            ),
            schema=JIRA_GET_ISSUE,
            label=lambda given: f"reading {str(given.get('key', ''))[:LABEL_CHARS]}",
            call=_Tickets(jira, policy).get_issue,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Pages:
    web: Web

    async def fetch(self, given: Mapping[str, Any], context: ToolContext) -> str:
        """The text of a page, behind a line that says where it is from."""
        try:
            page = await self.web.fetch(
                given["url"],
                page=given.get("page", 1),
                deadline=context.deadline_seconds,
                allowed_hosts=context.rules.web_allowed_hosts,
                private_origins=context.rules.web_private_origins,
            )
        except WebProblem as problem:
            raise ToolProblem(str(problem)) from problem
        part = f" · page {page.page} of {page.pages}" if page.pages > 1 else ""
        title = " ".join(page.title.split()) or "(no title)"
        return f"{title}\n{page.final_url}{part}\n\n{page.text}"


@dataclass(frozen=True, slots=True)
class _Tickets:
    jira: Jira | None
    policy: Policy

    async def get_issue(self, given: Mapping[str, Any], context: ToolContext) -> str:
        """A ticket's text, if the channel may read its project: asked of the key, and of what came back."""
        if self.jira is None:
            raise ToolProblem(NO_JIRA)
        key = str(given["key"]).strip().upper()
        if not KEY.fullmatch(key):
            raise ToolProblem("A ticket's key looks like SHOP-12: a project, a dash and a number.")
        self._check(context, key.rpartition("-")[0])
        try:
            issue = await self.jira.issue(
                key, include=tuple(given.get("include", ())), deadline=context.deadline_seconds
            )
        except JiraProblem as problem:
            raise ToolProblem(str(problem)) from problem
        self._check(context, issue.project)  # a moved ticket answers to its old key, too
        if issue.security:
            raise ToolProblem(HIDDEN.format(key=issue.key))
        return told(issue)

    def _check(self, context: ToolContext, project: str) -> None:
        verdict = self.policy.may_read_project(context.rules, project)
        if not verdict.allowed:
            raise ToolProblem(verdict.sentence)


def _short(url: str) -> str:
    """A page's host and path, as far as a status line has room."""
    parts = urlsplit(url)
    return f"{parts.hostname or url}{parts.path}"[:LABEL_CHARS]
