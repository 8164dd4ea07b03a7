"""Changing tickets: comments, transitions, edits, new tickets; everything that v3 refuses is refused."""

from aiohttp import web

from bot.demo.jira.adf import plain, problem
from bot.demo.jira.call import API, Answer, Call
from bot.demo.jira.issues import issue_of
from bot.demo.jira.meta import creatable
from bot.demo.jira.values import ON_NO_SCREEN, Values, apply, shown
from bot.demo.jira.world import Comment, Issue, Json
from bot.demo.loopback import Refusal

BODY_CHARACTERS = 32_767  # characters of text in one description or comment
NO_COMMENT = "Comment body is not valid!"


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
    origin = body.get("historyMetadata")
    call.world.move(issue, step.to, call.now(), call.viewer.account_id, origin)
    for entry in added:
        _add_comment(call, issue, entry)
    return web.Response(status=204)


async def create(call: Call) -> web.StreamResponse:
    """POST issue."""
    call.require("CREATE_ISSUES", "You do not have permission to create issues in this project.")
    body = await call.body()
    given = call.part(body, "fields")
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
    values = Values(call, project, given)
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
        properties=body.get("properties", []),
    )
    apply(call, issue, given, values)
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
    values = Values(call, call.world.projects[issue.project], given)
    if "assignee" in given and "ASSIGN_ISSUES" not in call.viewer.rights:
        values.wrong["assignee"] = ON_NO_SCREEN.format("assignee")
    before = {n: shown(call, issue, n) for n in given}
    apply(call, issue, given, values)
    for name, old in before.items():
        new = shown(call, issue, name)
        if new != old:
            call.world.change(
                issue,
                call.now(),
                call.viewer.account_id,
                name,
                (None, old),
                (None, new),
                body.get("historyMetadata"),
            )
    return web.Response(status=204)


ISSUE = f"{API}/issue/{{key}}"
PATHS: list[tuple[str, str, Answer]] = [
    ("POST", f"{API}/issue", create),
    ("PUT", ISSUE, edit),
    ("POST", f"{ISSUE}/comment", post_comment),
    ("PUT", f"{ISSUE}/comment/{{id}}", put_comment),
    ("DELETE", f"{ISSUE}/comment/{{id}}", delete_comment),
    ("POST", f"{ISSUE}/transitions", transition),
]
