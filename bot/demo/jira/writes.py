"""Changing tickets: comments, transitions, edits, new tickets; everything that v3 refuses is refused."""

from typing import Any

from aiohttp import web

from bot.demo.jira.adf import plain, problem
from bot.demo.jira.call import API, Answer, Call
from bot.demo.jira.directory import creatable
from bot.demo.jira.issues import issue_of
from bot.demo.jira.world import (
    POINTS_FIELD,
    RISK_FIELD,
    SPRINT_FIELD,
    Comment,
    Issue,
    Json,
    Project,
)
from bot.demo.loopback import Refusal

SUMMARY_CHARACTERS = 255
BODY_CHARACTERS = 32_767  # characters of text in one description or comment
NOT_ADF = "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
NO_COMMENT = "Comment body is not valid!"
ON_NO_SCREEN = "Field '{}' cannot be set. It is not on the appropriate screen, or unknown."


def _body(value: object) -> Json:
    """A comment's body, which has to be a document with something in it."""
    if problem(value) is not None or not isinstance(value, dict):
        raise Refusal(400, fields={"comment": NO_COMMENT})
    document: Json = value
    text = plain(document)
    if not document["content"]:
        raise Refusal(400, fields={"comment": "Comment body can not be empty!"})
    if len(text) > BODY_CHARACTERS:
        sentence = f"The entered text is too long. It exceeds the allowed limit of {BODY_CHARACTERS} characters."
        raise Refusal(400, fields={"comment": sentence})
    return document


def _add_comment(call: Call, issue: Issue, body: Json) -> Comment:
    call.require("ADD_COMMENTS", "You do not have the permission to comment on this issue.")
    at = call.now()
    internal = any(
        p.get("key") == "sd.public.comment" and (p.get("value") or {}).get("internal")
        for p in body.get("properties", [])
    )
    comment = Comment(
        id=call.world.new_id(),
        author=call.viewer.account_id,
        body=_body(body.get("body")),
        created=at,
        updated=at,
        public=not internal,
        visibility=body.get("visibility"),
        properties=body.get("properties", []),
    )
    issue.comments.append(comment)
    issue.updated = at
    return comment


async def post_comment(call: Call) -> web.StreamResponse:
    """POST issue/{key}/comment; `sd.public.comment` {internal: true} makes it internal on a desk."""
    issue = issue_of(call)
    call.require_login()
    call.count_write(issue.id)
    comment = _add_comment(call, issue, await call.body())
    return web.json_response(call.shapes.comment(issue, comment), status=201)


def _own_comment(call: Call, issue: Issue, verb: str) -> Comment:
    wanted = call.request.match_info["id"]
    for comment in call.world.comments(issue, call.viewer):
        if comment.id == wanted:
            mine = comment.author == call.viewer.account_id
            if f"{verb}_{'OWN' if mine else 'ALL'}_COMMENTS" not in call.viewer.rights:
                raise Refusal(
                    400,
                    (f"You do not have permission to {verb.lower()} comment with id: {wanted}",),
                )
            return comment
    raise Refusal(404, (f"Can not find a comment for the id: {wanted}.",))


async def put_comment(call: Call) -> web.StreamResponse:
    """PUT issue/{key}/comment/{id}."""
    issue = issue_of(call)
    call.require_login()
    call.count_write(issue.id)
    comment = _own_comment(call, issue, "EDIT")
    body = await call.body()
    comment.body = _body(body.get("body"))
    comment.updated = issue.updated = call.now()
    return web.json_response(call.shapes.comment(issue, comment))


async def delete_comment(call: Call) -> web.StreamResponse:
    """DELETE issue/{key}/comment/{id}."""
    issue = issue_of(call)
    call.require_login()
    call.count_write(issue.id)
    issue.comments.remove(_own_comment(call, issue, "DELETE"))
    issue.updated = call.now()
    return web.Response(status=204)


async def transition(call: Call) -> web.StreamResponse:
    """POST issue/{key}/transitions; the id may be text or a number."""
    issue = issue_of(call)
    call.require("TRANSITION_ISSUES", "You do not have permission to transition this issue.")
    call.count_write(issue.id)
    body = await call.body()
    wanted = str(call.part(body, "transition").get("id", ""))
    step = next((s for s in call.world.steps(issue) if s.id == wanted), None)
    if not wanted:
        raise Refusal(400, ("Missing 'transition' identifier",))
    if step is None:
        raise Refusal(400, (f"Transition id '{wanted}' is not valid for this issue.",))
    given = call.part(body, "fields")
    missing = {n: f"{n.capitalize()} is required." for n in step.required if not given.get(n)}
    if missing:
        raise Refusal(400, fields=missing)
    added: list[Json] = [
        entry["add"] for entry in call.part(body, "update").get("comment", []) if "add" in entry
    ]
    for entry in added:
        _body(entry.get("body"))
    if "resolution" in given:
        issue.resolution, issue.resolved = (
            str(call.part(given, "resolution").get("name", "Done")),
            call.now(),
        )
    call.world.move(issue, step.to, call.now(), call.viewer.account_id)
    for entry in added:
        _add_comment(call, issue, entry)
    return web.Response(status=204)


class _Values:
    """Checks the fields of a create or edit and collects what is wrong with each."""

    def __init__(self, call: Call, project: Project, given: Json) -> None:
        self.wrong: dict[str, str] = {}
        self._call = call
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

    def refuse(self) -> None:
        """Say everything that is wrong at once.

        Raises:
            Refusal: 400, with a sentence by field.
        """
        if self.wrong:
            raise Refusal(400, fields=self.wrong)


def _apply(call: Call, issue: Issue, given: Json, values: _Values) -> None:
    """Put checked fields into a ticket."""
    if "assignee" in given:
        issue.assignee = values.account("assignee")
    if "priority" in given:
        names = {v: n for n, i in PRIORITIES.items() for v in (n, i)}
        issue.priority = values.named("priority", names) or issue.priority
    if given.get("parent"):
        named = call.part(given, "parent")
        parent = call.world.find(str(named.get("key") or named.get("id")), call.viewer)
        if parent is None:
            values.wrong["parent"] = "Could not find issue by id or key."
        else:
            issue.parent = parent.key
    values.refuse()
    issue.summary = str(given.get("summary", issue.summary))
    issue.description = given.get("description", issue.description)
    issue.labels = [str(v) for v in given.get("labels", issue.labels)]
    issue.due = given.get("duedate", issue.due)
    issue.components = [c["name"] for c in given.get("components", [])] or issue.components
    issue.versions = [v["name"] for v in given.get("fixVersions", [])] or issue.versions
    issue.points = given.get(POINTS_FIELD, issue.points)
    issue.sprint = given.get(SPRINT_FIELD, issue.sprint)
    if RISK_FIELD in given:
        issue.extra[RISK_FIELD] = given[RISK_FIELD]


PRIORITIES = {"Highest": "1", "High": "2", "Medium": "3", "Low": "4", "Lowest": "5"}


async def create(call: Call) -> web.StreamResponse:
    """POST issue."""
    call.require("CREATE_ISSUES", "You do not have permission to create issues in this project.")
    given = call.part(await call.body(), "fields")
    asked = call.part(given, "project")
    project = next(
        (
            p
            for p in call.world.projects.values()
            if p.key in call.viewer.projects
            and (p.key == asked.get("key") or p.id == str(asked.get("id")))
        ),
        None,
    )
    if project is None:
        raise Refusal(400, fields={"project": "Specify a valid project ID or key"})
    values = _Values(call, project, given)
    types = {v: n for n in project.types for v in (n, call.world.types[n].id)}
    kind = values.named("issuetype", types)
    for name, required in creatable(project).items():
        if required and name not in given and name not in {"project", "issuetype"}:
            sentence = (
                "You must specify a summary of the issue."
                if name == "summary"
                else "Risk class is required."
            )
            values.wrong[name] = sentence
    if kind is not None and call.world.types[kind].level < 0 and not given.get("parent"):
        values.wrong["parent"] = (
            "Issue type is a sub-task but parent issue key or id not specified."
        )
    at = call.now()
    issue = Issue(
        id=call.world.new_id(),
        key=call.world.next_key(project.key),
        project=project.key,
        type=kind or "",
        summary="",
        status="Waiting for support" if project.workflow == "desk" else "To Do",
        reporter=call.viewer.account_id,
        created=at,
        updated=at,
    )
    _apply(call, issue, given, values)
    call.world.add(issue)
    url = f"{call.shapes.api}/issue/{issue.id}"
    return web.json_response({"id": issue.id, "key": issue.key, "self": url}, status=201)


async def edit(call: Call) -> web.StreamResponse:
    """PUT issue/{key}: fields, and labels by add and remove."""
    issue = issue_of(call)
    call.require("EDIT_ISSUES", "You do not have permission to edit issues in this project.")
    call.count_write(issue.id)
    body = await call.body()
    given: Json = dict(call.part(body, "fields"))
    for step in call.part(body, "update").get("labels", []):
        labels = list(given.get("labels", issue.labels))
        if "add" in step:
            labels.append(step["add"])
        elif step.get("remove") in labels:
            labels.remove(step["remove"])
        given["labels"] = labels
    values = _Values(call, call.world.projects[issue.project], given)
    if "assignee" in given and "ASSIGN_ISSUES" not in call.viewer.rights:
        values.wrong["assignee"] = ON_NO_SCREEN.format("assignee")
    before = {n: _shown(call, issue, n) for n in given}
    _apply(call, issue, given, values)
    for name, old in before.items():
        new = _shown(call, issue, name)
        if new != old:
            call.world.change(
                issue, call.now(), call.viewer.account_id, name, (None, old), (None, new)
            )
    return web.Response(status=204)


def _shown(call: Call, issue: Issue, name: str) -> str:
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
    }
    return str(known.get(name, ""))


ISSUE = f"{API}/issue/{{key}}"
PATHS: list[tuple[str, str, Answer]] = [
    ("POST", f"{API}/issue", create),
    ("PUT", ISSUE, edit),
    ("POST", f"{ISSUE}/comment", post_comment),
    ("PUT", f"{ISSUE}/comment/{{id}}", put_comment),
    ("DELETE", f"{ISSUE}/comment/{{id}}", delete_comment),
    ("POST", f"{ISSUE}/transitions", transition),
]
