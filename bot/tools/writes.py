"""Proposing changes to Jira. Nothing is written: a person sees exactly what would be, and decides by a button."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bot.ask import Person
from bot.drafts import drafted
from bot.errors import ToolProblem
from bot.policy import Policy
from bot.proposals import Proposal, Proposals
from bot.tickets import KEY
from bot.tool_runner import Tool, ToolContext
from bot.tools.tickets import NO_JIRA, check
from integrations.jira import Draft, Jira, JiraProblem

TEXT_CHARS = 8_000  # of a text, so that all of it can be seen before it is decided on
PROPOSALS_AT_MOST = 10  # of one ask
OFF = (
    "Writing to Jira is switched off in this channel (jira_writes in the policy); say so, and that an admin can "
    "allow it."
)
ENOUGH = f"At most {PROPOSALS_AT_MOST} changes can be proposed for one request; say what is left for a next one."
LONG = f"A text that is proposed has at most {TEXT_CHARS:,} characters; shorten it."
READY = (
    "NOT WRITTEN YET. A person sees this proposal under your answer and decides on it with a button within a day. "
    "Say in a sentence that it lies ready; do not repeat it, and do not say that it was done.\n{what}"
)
_KEY = {"type": "string", "description": "The ticket's key, such as SHOP-12."}
_TEXT = "Markdown. Purser adds a last line that names who asked; don't sign it yourself."
COMMENT = {
    "key": _KEY,
    "markdown": {"type": "string", "description": f"The whole comment. {_TEXT}"},
}
TRANSITION = {
    "key": _KEY,
    "status": {"type": "string", "description": "The status it is to have, such as In Review."},
    "markdown": {"type": "string", "description": f"A comment that goes with it, if any. {_TEXT}"},
}
UPDATE = {
    "key": _KEY,
    "fields": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "name": {
                    "type": "string",
                    "description": "As people say it: summary, priority, assignee, labels, due date.",
                },
                "value": {
                    "type": "string",
                    "description": (
                        'The new value; several are parted by commas, "" empties the field, and "me" as a person is '
                        "who asks."
                    ),
                },
            },
            "required": ["name", "value"],
            "additionalProperties": False,
        },
    },
}
ISSUE = {
    "project": {"type": "string", "description": "The project's key, such as SHOP."},
    "type": {"type": "string", "description": "Bug, Task, Story, or another type of the project."},
    "summary": {"type": "string", "description": "One line that says what is wrong or wanted."},
    "markdown": {"type": "string", "description": f"The description. {_TEXT}"},
}


class People(Protocol):
    """Who somebody is."""

    async def look(self, user: str, user_team: str = "") -> Person:
        """By their id; never raises for what Slack says."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """What proposing needs beside Jira: where proposals are kept, and who asks."""

    proposals: Proposals
    people: People


@dataclass(frozen=True, slots=True)
class Writes:
    """The tools that propose changes.

    Attributes:
        jira: None where it is not set up; the tools are declared all the same and say so.
        policy: which projects a channel may write to.
        desk: None where nothing can be proposed, as in an evaluation.
    """

    jira: Jira | None
    policy: Policy
    desk: Desk | None

    def tools(self) -> tuple[Tool, ...]:
        """jira_propose_comment, jira_propose_transition, jira_propose_update, jira_propose_issue."""
        return (
            self._tool("comment", "a comment on a ticket", COMMENT, ("key", "markdown")),
            self._tool(
                "transition",
                "moving a ticket to another status, if its workflow leads there",
                TRANSITION,
                ("key", "status"),
            ),
            self._tool(
                "update",
                "new values of a ticket's fields, its assignee among them",
                UPDATE,
                ("key", "fields"),
            ),
            self._tool("issue", "a new ticket", ISSUE, tuple(ISSUE)),
        )

    def _tool(
        self, kind: str, what: str, properties: Mapping[str, Any], required: tuple[str, ...]
    ) -> Tool:
        name = f"jira_propose_{kind}"

        async def call(given: Mapping[str, Any], context: ToolContext) -> str:
            return await self.propose(name, given, context)

        return Tool(
            name=name,
            description=(
                f"Propose {what}. Nothing is written: the person sees what would be, and decides with a button. Say "
                "that it lies ready, never that it was done."
            ),
            schema={
                "type": "object",
                "properties": dict(properties),
                "required": list(required),
                "additionalProperties": False,
            },
            label=lambda given: f"preparing {_place(given)[:20]}",
            call=call,
        )

    async def propose(self, tool: str, given: Mapping[str, Any], context: ToolContext) -> str:
        """Keep a change for a person to decide on, if this channel may make it, and say what it is."""
        if self.jira is None or self.desk is None:
            raise ToolProblem(NO_JIRA)
        if context.rules.jira_writes == "off":
            raise ToolProblem(OFF, rule="jira_writes")
        asked = _tidy(given)
        check(self.policy, context, asked.get("project") or asked["key"].rpartition("-")[0])
        before = [p for p in await self.desk.proposals.of(context.ask.id) if p.kind == "ticket"]
        if len(before) >= PROPOSALS_AT_MOST and context.use_id not in {p.use_id for p in before}:
            raise ToolProblem(ENOUGH)
        person = await self.desk.people.look(context.ask.user, context.ask.user_team)
        name = person.real_name or person.name
        try:
            draft = await drafted(
                self.jira,
                tool,
                asked,
                name=name,
                email=person.email,
                deadline=context.deadline_seconds,
            )
        except JiraProblem as problem:
            raise ToolProblem(str(problem)) from problem
        check(self.policy, context, draft.project)  # a moved ticket answers to its old key, too
        kept = await self.desk.proposals.propose(
            context.ask, context.use_id, tool=tool, asked=asked, draft=draft.to_json(), behalf=name
        )
        return READY.format(what=_told(kept))


def _tidy(given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with keys as Jira writes them.

    Raises:
        ToolProblem: a key is none, or a text is too long.
    """
    asked = dict(given)
    for name in {"key", "project"} & asked.keys():
        asked[name] = str(asked[name]).strip().upper()
    if "key" in asked and not KEY.fullmatch(asked["key"]):
        raise ToolProblem("A ticket's key looks like SHOP-12: a project, a dash and a number.")
    if "fields" in asked:
        asked["fields"] = {field["name"]: field["value"] for field in asked["fields"]}
    texts = [str(asked.get("markdown", "")), *asked.get("fields", {}).values()]
    if sum(map(len, texts)) > TEXT_CHARS:
        raise ToolProblem(LONG)
    return asked


def _told(proposal: Proposal) -> str:
    """What would be written, for Claude."""
    draft = Draft.from_json(proposal.draft)
    lines = [f"{draft.kind} · {draft.key or draft.project}: {draft.summary}"]
    lines += [f"{label}: {words}" for label, words in draft.shown]
    if draft.markdown:
        lines += ["", draft.markdown]
    return "\n".join(lines)


def _place(given: Mapping[str, Any]) -> str:
    return str(given.get("key") or given.get("project") or "a change")
