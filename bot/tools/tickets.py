"""Reading tickets, where a channel's policy opens their project; asked of what came back, not of what was asked."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.ask import Attached
from bot.errors import ToolProblem
from bot.pictures import SIDE, size_of
from bot.policy import Policy
from bot.tickets import KEY, told
from bot.tool_runner import Given, Tool, ToolContext
from integrations.jira import INCLUDES, Attachment, Issue, Jira, JiraProblem
from integrations.pdf import WORDS_SECONDS, Pdfs, Sheets

NO_JIRA = "Jira is not set up in this installation: say so, and that an operator can add it."
HIDDEN = (
    "{key} has a security level in Jira, so it is not shown in Slack: say only that it is "
    "restricted and that it has to be opened in Jira."
)
FILES = "attachments"
FILES_AT_MOST = (
    3  # of one reading; each is seen as it is, for about as many tokens as a page of text
)
FILE_BYTES = 1024 * 1024
PAGES = 20  # of one PDF; Claude pays 1,500 to 3,000 tokens for each
PDF = "application/pdf"
SEEN = ("image/png", "image/jpeg", "image/gif", "image/webp", PDF)
NO_PICTURE = f"it is no picture of at most {SIDE:,} pixels on a side"
NO_PDF = "it is broken or locked; open it in Jira"
TOO_LONG = "it has {0:,} pages; of a ticket's PDF {1} at most are read; open it in Jira"
JIRA_GET_ISSUE = {
    "type": "object",
    "properties": {
        "key": {"type": "string", "description": "The ticket's key, such as SHOP-12."},
        "include": {
            "type": "array",
            "items": {"type": "string", "enum": [*INCLUDES, FILES]},
            "description": (
                "More than the newest comments: how fields changed, every comment, or its newest pictures and PDFs, "
                "only where they are asked about."
            ),
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
        pdfs: reads PDFs; without it none is shown.
    """

    jira: Jira | None
    policy: Policy
    pdfs: Pdfs | None = None

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

    async def get_issue(self, given: Mapping[str, Any], context: ToolContext) -> Given:
        """A ticket, if the channel may read its project: asked of the key, and of what came back."""
        if self.jira is None:
            raise ToolProblem(NO_JIRA)
        key = str(given["key"]).strip().upper()
        if not KEY.fullmatch(key):
            raise ToolProblem("A ticket's key looks like SHOP-12: a project, a dash and a number.")
        check(self.policy, context, key.rpartition("-")[0])
        wanted = given.get("include", ())
        ends = time.monotonic() + context.deadline_seconds
        try:
            issue = await self.jira.issue(
                key,
                include=tuple(name for name in wanted if name != FILES),
                deadline=context.deadline_seconds,
            )
        except JiraProblem as problem:
            raise ToolProblem(str(problem)) from problem
        check(self.policy, context, issue.project)  # a moved ticket answers to its old key, too
        if issue.security:
            raise ToolProblem(HIDDEN.format(key=issue.key), rule="security_level")
        files = await self._files(self.jira, issue, ends) if FILES in wanted else ()
        shown = [file.name for file in files if file.data]
        return Given(told(issue, shown=shown), files, seen=(issue.key,))

    async def _files(self, jira: Jira, issue: Issue, ends: float) -> tuple[Attached, ...]:
        """Its newest pictures and PDFs, read side by side in what is left of the time."""
        some = [file for file in issue.attachments if file.mimetype in SEEN][-FILES_AT_MOST:]
        left = max(0.1, ends - time.monotonic())
        return tuple(await asyncio.gather(*(self._file(jira, file, left, ends) for file in some)))

    async def _file(self, jira: Jira, file: Attachment, deadline: float, ends: float) -> Attached:
        """One file, or the sentence why it is not shown: one that Claude refuses would end the whole ask."""
        try:
            found = await jira.attachment(file.id, deadline=deadline, most_bytes=FILE_BYTES)
        except JiraProblem as problem:
            return Attached(file.name, file.mimetype, problem=str(problem))
        shown = Attached(file.name, found.mimetype, data=found.content)
        if found.mimetype == PDF:
            return await self._pdf(shown, ends)
        size = size_of(found.content)
        if size is None or max(size) > SIDE:
            return Attached(file.name, file.mimetype, problem=NO_PICTURE)
        return shown

    async def _pdf(self, file: Attached, ends: float) -> Attached:
        sheets = await self.pdfs.count(file.data) if self.pdfs is not None else Sheets()
        if self.pdfs is None or sheets.locked or not sheets.pages:
            return Attached(file.name, PDF, problem=NO_PDF)
        if sheets.pages > PAGES:
            return Attached(file.name, PDF, problem=TOO_LONG.format(sheets.pages, PAGES))
        left = min(WORDS_SECONDS, max(0.1, ends - time.monotonic()))
        words = await self.pdfs.words(file.data, seconds=left)
        return replace(file, pages=sheets.pages, words=words)


def check(policy: Policy, context: ToolContext, project: str) -> None:
    """Let a project pass that the channel may read.

    Raises:
        ToolProblem: it may not; the sentence says how an admin opens it.
    """
    verdict = policy.may_read_project(context.rules, project)
    if not verdict.allowed:
        raise ToolProblem(verdict.sentence, rule=verdict.rule)
