"""Reading tickets, where a channel's policy opens their project; asked of what came back, not of what was asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import ToolProblem
from bot.policy import Policy
from bot.tickets import KEY, told
from bot.tool_runner import Tool, ToolContext
from integrations.jira import INCLUDES, Jira, JiraProblem

NO_JIRA = "Jira is not set up in this installation: say so, and that an operator can add it."
HIDDEN = (
    "{key} has a security level in Jira, so it is not shown in Slack: say only that it is "
    "restricted and that it has to be opened in Jira."
)
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


@dataclass(frozen=True, slots=True)
class Tickets:
    """The tools that read Jira.

    Attributes:
        jira: None where it is not set up; the tools are declared all the same and say so.
        policy: which projects a channel may read.
    """

    jira: Jira | None
    policy: Policy

    def tools(self) -> tuple[Tool, ...]:
        """jira_get_issue."""
        return (
            Tool(
                name="jira_get_issue",
                description=(
                    "Read a Jira ticket: its fields, description, links, subtasks and its newest comments with their "
                    "authors, dates and addresses. Says how much of it was not read."
                ),
                schema=JIRA_GET_ISSUE,
                label=lambda given: f"reading {str(given.get('key', ''))[:20]}",
                call=self.get_issue,
            ),
        )

    async def get_issue(self, given: Mapping[str, Any], context: ToolContext) -> str:
        """A ticket's text, if the channel may read its project: asked of the key, and of what came back."""
        if self.jira is None:
            raise ToolProblem(NO_JIRA)
        key = str(given["key"]).strip().upper()
        if not KEY.fullmatch(key):
            raise ToolProblem("A ticket's key looks like SHOP-12: a project, a dash and a number.")
        check(self.policy, context, key.rpartition("-")[0])
        try:
            issue = await self.jira.issue(
                key, include=tuple(given.get("include", ())), deadline=context.deadline_seconds
            )
        except JiraProblem as problem:
            raise ToolProblem(str(problem)) from problem
        check(self.policy, context, issue.project)  # a moved ticket answers to its old key, too
        if issue.security:
            raise ToolProblem(HIDDEN.format(key=issue.key), rule="security_level")
        return told(issue)


def check(policy: Policy, context: ToolContext, project: str) -> None:
    """Let a project pass that the channel may read.

    Raises:
        ToolProblem: it may not; the sentence says how an admin opens it.
    """
    verdict = policy.may_read_project(context.rules, project)
    if not verdict.allowed:
        raise ToolProblem(verdict.sentence, rule=verdict.rule)
