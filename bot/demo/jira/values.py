"""The fields of a ticket as somebody sends them: checked all at once, put in, and as the history tells them."""

from typing import Any

from bot.demo.jira.adf import plain, problem
from bot.demo.jira.call import Call
from bot.demo.jira.meta import RISKS, components, creatable, versions
from bot.demo.jira.shapes import PRIORITY_IDS
from bot.demo.jira.world import POINTS_FIELD, RISK_FIELD, SPRINT_FIELD, Issue, Json, Project
from bot.demo.loopback import Refusal

SUMMARY_CHARACTERS = 255
NOT_ADF = "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
ON_NO_SCREEN = "Field '{}' cannot be set. It is not on the appropriate screen, or unknown."


class Values:
    """Checks the fields of a create or edit and collects what is wrong with each."""

    def __init__(self, call: Call, project: Project, given: Json) -> None:
        self.wrong: dict[str, str] = {}
        self._call = call
        self._project = project
        self._given = given
        screen = creatable(project)
        for name in given:
            if name not in screen:
                self.wrong[name] = ON_NO_SCREEN.format(name)
        self._check_texts()

    def _check_texts(self) -> None:
        given = self._given
        if "summary" in given:
            summary = given["summary"]
            if not isinstance(summary, str) or not summary.strip():
                self.wrong["summary"] = "You must specify a summary of the issue."
            elif "\n" in summary:
                self.wrong["summary"] = (
                    "The summary is invalid because it contains newline characters."
                )
            elif len(summary) > SUMMARY_CHARACTERS:
                self.wrong["summary"] = f"Summary can't exceed {SUMMARY_CHARACTERS} characters."
        description = given.get("description")
        if description is not None and problem(description) is not None:
            self.wrong["description"] = NOT_ADF
        for label in given.get("labels") or []:
            if " " in str(label):
                self.wrong["labels"] = f"The label '{label}' contains spaces which is invalid."

    def account(self, name: str) -> str | None:
        """A user field's account id."""
        value = self._call.part(self._given, name)
        if not value:
            return None
        wanted = str(value.get("accountId") or value.get("id") or "")
        account = self._call.world.accounts.get(wanted)
        if account is None or not account.active:
            self.wrong[name] = (
                f"Specify a valid value for {name}"
                if not wanted
                else (f"User '{wanted}' does not exist or cannot be assigned issues.")
            )
        return wanted

    def named(self, name: str, known: dict[str, Any]) -> str | None:
        """A field given as {name} or {id}; `known` maps both to the name."""
        value = self._call.part(self._given, name)
        wanted = str(value.get("name") or value.get("id") or value.get("value") or "")
        if wanted not in known:
            self.wrong[name] = (
                f"The {name} selected is invalid." if wanted else f"Specify a valid {name}"
            )
            return None
        return str(known[wanted])

    def chosen(self) -> Json:
        """The fields whose values are chosen from a list, by the names (the risk: as it is kept)."""
        made: Json = {}
        known = {
            "components": components(self._call, self._project),
            "fixVersions": versions(self._call, self._project),
        }
        for name, choices in known.items():
            if name in self._given:
                by = {c[n]: c["name"] for c in choices for n in ("id", "name")}
                asked = [v.get("id") or v.get("name") for v in self._given[name] or []]
                made[name] = [by[a] for a in asked if a in by]
                if len(made[name]) < len(asked):
                    self.wrong[name] = f"The {name} selected is invalid."
        if self._given.get(RISK_FIELD):
            value = self._call.part(self._given, RISK_FIELD)
            made[RISK_FIELD] = next(
                (
                    r
                    for r in RISKS
                    if r["id"] == value.get("id") or r["value"] == value.get("value")
                ),
                None,
            )
            if made[RISK_FIELD] is None:
                self.wrong[RISK_FIELD] = "Specify a valid value for Risk class"
        return made

    def refuse(self) -> None:
        """Say everything that is wrong at once.

        Raises:
            Refusal: 400, with a sentence by field.
        """
        if self.wrong:
            raise Refusal(400, fields=self.wrong)


def apply(call: Call, issue: Issue, given: Json, values: Values) -> None:
    """Put checked fields into a ticket."""
    if "assignee" in given:
        issue.assignee = values.account("assignee")
    if "priority" in given:
        names = {v: n for n, i in PRIORITY_IDS.items() for v in (n, i)}
        issue.priority = values.named("priority", names) or issue.priority
    if given.get("parent"):
        named = call.part(given, "parent")
        parent = call.world.find(str(named.get("key") or named.get("id")), call.viewer)
        if parent is None:
            values.wrong["parent"] = "Could not find issue by id or key."
        else:
            issue.parent = parent.key
    found = values.chosen()
    values.refuse()
    issue.summary = str(given.get("summary", issue.summary))
    issue.description = given.get("description", issue.description)
    issue.labels = [str(v) for v in given.get("labels", issue.labels)]
    issue.due = given.get("duedate", issue.due)
    issue.components = found.get("components", issue.components)
    issue.versions = found.get("fixVersions", issue.versions)
    issue.points = given.get(POINTS_FIELD, issue.points)
    issue.sprint = given.get(SPRINT_FIELD, issue.sprint)
    if RISK_FIELD in given:
        issue.extra[RISK_FIELD] = found.get(RISK_FIELD)


def shown(call: Call, issue: Issue, name: str) -> str:
    """A field's value as the history tells it."""
    if name == "assignee":
        return call.world.accounts[issue.assignee].name if issue.assignee else ""
    known: dict[str, Any] = {
        "summary": issue.summary,
        "description": plain(issue.description),
        "labels": " ".join(issue.labels),
        "duedate": issue.due or "",
        "priority": issue.priority,
        "parent": issue.parent or "",
        "components": ", ".join(issue.components),
        "fixVersions": ", ".join(issue.versions),
        POINTS_FIELD: "" if issue.points is None else issue.points,
        RISK_FIELD: (issue.extra.get(RISK_FIELD) or {}).get("value", ""),
    }
    return str(known.get(name, ""))
