"""Finding tickets: by query, as a count, or as a sprint; only in the projects that a channel may read.

A query is bounded before it is asked, and each row is looked at once more when it comes: a ticket of another
project, or with a security level, is counted and not shown.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.errors import ToolProblem
from bot.jql import BadQuery, narrowed
from bot.policy import Policy
from bot.tickets import listed
from bot.tool_runner import Given, Tool, ToolContext
from bot.tools.tickets import NO_JIRA, check
from integrations.jira import Found, Jira, JiraProblem, Row, Sprint

ROWS = 20  # of a page unless more are asked for
ROWS_AT_MOST = 50
SPRINT_ROWS = 100
LABEL_CHARS = 20
NO_TICKET = "No ticket that this channel may see matches the query."
JIRA_SEARCH = {
    "type": "object",
    "properties": {
        "jql": {
            "type": "string",
            "description": "A query, such as: project = SHOP AND status = Blocked ORDER BY updated DESC",
        },
        "limit": {"type": "integer", "description": "Tickets at most, 1 to 50; 20 unless given."},
        "page": {
            "type": "string",
            "description": "What the result before named as its next page; leave it out at first.",
        },
    },
    "required": ["jql"],
    "additionalProperties": False,
}
JIRA_COUNT = {
    "type": "object",
    "properties": {"jql": {"type": "string", "description": "A JQL query."}},
    "required": ["jql"],
    "additionalProperties": False,
}
JIRA_SPRINT = {
    "type": "object",
    "properties": {
        "board_or_project": {
            "type": "string",
            "description": "A board's number or name, or a project's key such as SHOP.",
        }
    },
    "required": ["board_or_project"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Searches:
    """The tools that find tickets.

    Attributes:
        jira: None where it is not set up; the tools are declared all the same and say so.
        policy: which projects a channel may read.
    """

    jira: Jira | None
    policy: Policy

    def tools(self) -> tuple[Tool, ...]:
        """jira_search, jira_count, jira_sprint."""
        return (
            Tool(
                name="jira_search",
                description=(
                    "Find Jira tickets by a JQL query: a line each with key, address, type, status, priority, "
                    "assignee, dates and title, and about how many there are. Only the projects open in this channel "
                    "are searched, whatever the query names."
                ),
                schema=JIRA_SEARCH,
                label=lambda _given: "searching Jira",
                call=self.search,
            ),
            Tool(
                name="jira_count",
                description=(
                    "Count Jira tickets by a JQL query, about, without reading them. Only the projects open in this "
                    "channel are counted."
                ),
                schema=JIRA_COUNT,
                label=lambda _given: "counting tickets",
                call=self.count,
            ),
            Tool(
                name="jira_sprint",
                description=(
                    "Read the active sprint of a board or project: its name, goal and dates, its tickets by status, "
                    "and a line for each ticket."
                ),
                schema=JIRA_SPRINT,
                label=lambda given: (
                    f"reading {str(given.get('board_or_project', ''))[:LABEL_CHARS]}'s sprint"
                ),
                call=self.sprint,
            ),
        )

    async def search(self, given: Mapping[str, Any], context: ToolContext) -> Given:
        """A page of what a query finds in the open projects, and about how many there are."""
        limit = min(max(1, given.get("limit", ROWS)), ROWS_AT_MOST)
        page = given.get("page", "")
        found, total = await self._found(context, given["jql"], limit=limit, page=page)
        if not found.rows and not page:
            return Given(NO_TICKET)
        return self._told(context, [_heading(found, total)], found)

    async def count(self, given: Mapping[str, Any], context: ToolContext) -> str:
        """About how many tickets a query finds in the open projects."""
        jira, jql = self._door(context, given["jql"])
        try:
            total = await jira.count(jql, deadline=context.deadline_seconds)
        except JiraProblem as problem:
            raise ToolProblem(str(problem)) from problem
        return f"About {total:,} tickets match (in the projects open in this channel)."

    async def sprint(self, given: Mapping[str, Any], context: ToolContext) -> Given:
        """The active sprint of a board, if the channel may read the board's project."""
        if self.jira is None:
            raise ToolProblem(NO_JIRA)
        ends = time.monotonic() + context.deadline_seconds
        try:
            sprint = await self.jira.sprint(
                given["board_or_project"], deadline=context.deadline_seconds
            )
        except JiraProblem as problem:
            raise ToolProblem(str(problem)) from problem
        check(self.policy, context, sprint.project)
        left = replace(context, deadline_seconds=max(0.1, ends - time.monotonic()))
        jql = f"sprint = {sprint.id} ORDER BY status ASC, priority DESC"
        found, total = await self._found(left, jql, limit=SPRINT_ROWS)
        states = Counter(row.status.name for row in found.rows)
        told = ", ".join(f"{n} {name}" for name, n in states.items())
        states_told = f"By status: {told or '(no ticket)'}"
        return self._told(
            context, [_sprint_heading(sprint), states_told, _heading(found, total)], found
        )

    async def _found(
        self, context: ToolContext, asked: str, *, limit: int, page: str = ""
    ) -> tuple[Found, int]:
        """A page and the count, asked side by side."""
        jira, jql = self._door(context, asked)
        deadline = context.deadline_seconds
        search = asyncio.create_task(jira.search(jql, limit=limit, page=page, deadline=deadline))
        count = asyncio.create_task(jira.count(jql, deadline=deadline))
        try:
            return await search, await count
        except JiraProblem as problem:
            raise ToolProblem(str(problem)) from problem
        finally:  # neither is left running alone
            search.cancel()
            count.cancel()
            await asyncio.gather(search, count, return_exceptions=True)

    def _door(self, context: ToolContext, jql: str) -> tuple[Jira, str]:
        """Jira, and the query bounded to what the channel may read."""
        if self.jira is None:
            raise ToolProblem(NO_JIRA)
        if not context.rules.jira_projects:
            check(self.policy, context, "KEY")
        try:
            return self.jira, narrowed(jql, context.rules.jira_projects)
        except BadQuery as wrong:
            raise ToolProblem(str(wrong)) from wrong

    def _told(self, context: ToolContext, lines: Sequence[str], found: Found) -> Given:
        """Some lines, the rows that this channel may see, and how many it may not."""
        seen = [row for row in found.rows if self._may_see(context, row)]
        told = [*lines, listed(seen)] if seen else [*lines]
        if hidden := len(found.rows) - len(seen):
            told.append(f"[{hidden} of them may not be shown here]")
        return Given("\n".join(told), seen=tuple(row.key for row in seen))

    def _may_see(self, context: ToolContext, row: Row) -> bool:
        allowed = self.policy.may_read_project(context.rules, row.project).allowed
        return allowed and not row.restricted


def _heading(found: Found, total: int) -> str:
    more = f' The next page is page="{found.next_page}".' if found.next_page else ""
    return f"About {total:,} tickets match; {len(found.rows)} of them are here.{more}"


def _sprint_heading(sprint: Sprint) -> str:
    dates = f", {sprint.starts:%Y-%m-%d}" if sprint.starts else ""
    dates += f" to {sprint.ends:%Y-%m-%d}" if sprint.ends else ""
    return f"# {sprint.name} ({sprint.board}){dates}\nGoal: {sprint.goal or '(none)'}"
