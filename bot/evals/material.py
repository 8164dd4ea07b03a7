"""What Claude's tools give in an evaluation: the case of the ask, as the bot's own tools would show it, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot import review, summarize
from bot.diffs import PARTS, Reading, fit
from bot.errors import ToolProblem
from bot.evals.cases import Case, ReviewCase, SummaryCase
from bot.evals.issues import SITE
from bot.policy import Policy
from bot.redaction import Redactor, redacted
from bot.tickets import told as ticket_text
from bot.tool_runner import Tool, ToolContext
from bot.tools import declare
from bot.tools.pulls import Pulls, reading
from bot.tools.tickets import HIDDEN
from integrations.github import Change
from integrations.jira import COMMENTS
from integrations.web import Web

REPOSITORY = "example/change"
PULL = f"https://github.com/{REPOSITORY}/pull/1"  # the case's name would give it away
HEAD = "c0ffee0000000000000000000000000000000000"
ABSENT = "This is not to be had here: go on with what you have."


@dataclass(frozen=True, slots=True)
class CasePulls(Pulls):
    """Gives the case where the bot would ask GitHub; all else is done as ever."""

    cases: Mapping[str, Case] = field(kw_only=True)

    def names_change(self, url: str) -> bool:
        """Whether an address is that of a case."""
        return url == PULL

    async def read(self, url: str, context: ToolContext, *, parts: int = PARTS) -> Reading:
        """The change of the ask's case, its secrets hidden.

        Raises:
            ToolProblem: it is another address, or no change is asked about.
        """
        case = self.cases[context.ask.id]
        if not isinstance(case, ReviewCase) or url.rstrip("/") != PULL:
            raise ToolProblem(ABSENT)
        names = context.rules.redact
        change = Change(
            kind="pull",
            repository=REPOSITORY,
            url=PULL,
            number="1",
            title=redacted(case.title, names),
            body=redacted(case.description, names),
            author="ana",
            state="open",
            base="main",
            head="change",
            head_sha=HEAD,
            diff=case.diff,
        )
        fitted = fit(case.diff, mask=Redactor(names).line, parts=parts)
        return reading(change, fitted, f"https://github.com/{REPOSITORY}/blob/{HEAD}/", url)


@dataclass(frozen=True, slots=True)
class Material:
    """The cases that are being worked on, by ask."""

    cases: dict[str, Case] = field(default_factory=dict[str, Case])

    def pulls(self) -> CasePulls:
        """Reads the changes of cases."""
        return CasePulls(None, Policy(), cases=self.cases)

    def tools(self, web: Web) -> tuple[Tool, ...]:
        """The bot's tools, declared byte for byte as ever; two of them give the case."""
        calls = {"pull_request_diff": self.pulls().diff, "jira_get_issue": self._ticket}
        declared = declare(jira=None, web=web, policy=Policy())
        return tuple(replace(tool, call=calls.get(tool.name, _absent)) for tool in declared)

    async def _ticket(self, given: Mapping[str, Any], context: ToolContext) -> str:
        case = self.cases[context.ask.id]
        if not isinstance(case, SummaryCase) or str(given["key"]).upper() != case.issue.key:
            raise ToolProblem(ABSENT)
        issue = case.issue
        if issue.security:
            raise ToolProblem(HIDDEN.format(key=issue.key))
        if "changelog" not in given.get("include", ()):
            issue = replace(issue, changes=(), older_changes=0)
        if "comments_all" not in given.get("include", ()) and len(issue.comments) > COMMENTS:
            left = len(issue.comments) - COMMENTS
            issue = replace(
                issue,
                comments=issue.comments[left:],
                older_comments=issue.older_comments + left,
            )
        return ticket_text(issue)


def question(case: Case) -> str:
    """What a person asks about a case."""
    if isinstance(case, ReviewCase):
        return review.question(f"Please review {PULL}")
    return summarize.question(f"{SITE}/browse/{case.issue.key}") or ""


async def _absent(_given: Mapping[str, Any], _context: ToolContext) -> str:
    raise ToolProblem(ABSENT)
