"""What the screens of a project ask for: its types, the fields of a new ticket and of an edit, who can be assigned."""

from aiohttp import web

from bot.demo.jira.call import API, Answer, Call
from bot.demo.jira.issues import issue_of
from bot.demo.jira.shapes import NAMES, PRIORITY_IDS
from bot.demo.jira.world import (
    POINTS_FIELD,
    RISK_FIELD,
    SPRINT_FIELD,
    Json,
    Project,
)
from bot.demo.loopback import Refusal

CUSTOM = {
    SPRINT_FIELD: ("array", "json", "com.pyxis.greenhopper.jira:gh-sprint"),
    POINTS_FIELD: ("number", "", "com.pyxis.greenhopper.jira:jsw-story-points"),
    RISK_FIELD: ("option", "", "com.atlassian.jira.plugin.system.customfieldtypes:select"),
}
KINDS = {
    "summary": "string",
    "description": "string",
    "labels": "array",
    "components": "array",
    "fixVersions": "array",
    "subtasks": "array",
    "issuelinks": "array",
    "attachment": "array",
    "assignee": "user",
    "reporter": "user",
    "creator": "user",
    "created": "datetime",
    "updated": "datetime",
    "resolutiondate": "datetime",
    "duedate": "date",
    "comment": "comments-page",
    "parent": "issuelink",
    "security": "securitylevel",
}
ITEMS = {"components": "component", "fixVersions": "version"}
RISKS = [{"id": "10300", "value": "Low"}, {"id": "10301", "value": "High"}]


def project_of(call: Call, name: str) -> Project:
    """A project that the caller may browse, by key or id.

    Raises:
        Refusal: 404.
    """
    for project in call.world.projects.values():
        if name in (project.key, project.id) and project.key in call.viewer.projects:
            return project
    raise Refusal(404, (f"No project could be found with key '{name}'.",))


def schema(name: str) -> Json:
    """The kind of a field's value."""
    if name in CUSTOM:
        kind, items, custom = CUSTOM[name]
        shape: Json = {"type": kind, "custom": custom, "customId": int(name.rpartition("_")[2])}
        return shape | ({"items": items} if items else {})
    kind = KINDS.get(name, name)
    shape = {"type": kind, "system": name}
    return shape | ({"items": ITEMS.get(name, "string")} if kind == "array" else {})


def creatable(project: Project) -> dict[str, bool]:
    """The fields of the create screen -> whether one has to fill it in."""
    made: dict[str, bool] = dict.fromkeys(("project", "issuetype", "summary"), True)
    made |= dict.fromkeys(
        ("description", "assignee", "priority", "labels", "parent", "duedate", "reporter"), False
    )
    if project.kind == "software":
        made |= dict.fromkeys(("components", "fixVersions", SPRINT_FIELD, POINTS_FIELD), False)
    if project.key == "PAY":
        made[RISK_FIELD] = True
    return made


def components(call: Call, project: Project) -> list[Json]:
    """The components of a project: those that its tickets have."""
    names = {
        c for i in call.world.issues.values() if i.project == project.key for c in i.components
    }
    return [call.shapes.named("component", name) for name in sorted(names)]


def versions(call: Call, project: Project) -> list[Json]:
    """The versions of a project: those that its tickets are to be fixed in."""
    names = {v for i in call.world.issues.values() if i.project == project.key for v in i.versions}
    return [call.shapes.named("version", name) for name in sorted(names)]


def _field(call: Call, project: Project, name: str, *, required: bool) -> Json:
    shape: Json = {
        "key": name,
        "name": NAMES[name],
        "required": required,
        "hasDefaultValue": name in {"priority", "reporter"},
        "operations": ["set"],
        "schema": schema(name),
    }
    choices = {
        RISK_FIELD: lambda: RISKS,
        "priority": lambda: [call.shapes.priority(name) for name in PRIORITY_IDS],
        "components": lambda: components(call, project),
        "fixVersions": lambda: versions(call, project),
    }
    return shape | ({"allowedValues": choices[name]()} if name in choices else {})


async def project(call: Call) -> web.StreamResponse:
    """GET project/{key}."""
    found = project_of(call, call.request.match_info["project"])
    return web.json_response(call.shapes.project(found))


async def issue_types(call: Call) -> web.StreamResponse:
    """GET issue/createmeta/{project}/issuetypes."""
    found = project_of(call, call.request.match_info["project"])
    made = [call.shapes.type(name) for name in found.types]
    for shape in made:
        del shape["avatarId"]
    return web.json_response(
        {"startAt": 0, "maxResults": 50, "total": len(made), "issueTypes": made}
    )


async def create_fields(call: Call) -> web.StreamResponse:
    """GET issue/createmeta/{project}/issuetypes/{id}."""
    found = project_of(call, call.request.match_info["project"])
    types = {call.world.types[name].id for name in found.types}
    if call.request.match_info["type"] not in types:
        raise Refusal(400, ("The issue type is not valid for this project.",))
    made = [
        {"fieldId": name, **_field(call, found, name, required=required)}
        for name, required in creatable(found).items()
    ]
    start, size = call.number("startAt", 0, 1_000_000), call.number("maxResults", 50, 200)
    page = made[start : start + size]
    return web.json_response(
        {"startAt": start, "maxResults": size, "total": len(made), "fields": page}
    )


async def edit_fields(call: Call) -> web.StreamResponse:
    """GET issue/{key}/editmeta: nothing for those who may not edit."""
    issue = issue_of(call)
    found = call.world.projects[issue.project]
    names = creatable(found) if "EDIT_ISSUES" in call.viewer.rights else {}
    made = {
        name: _field(call, found, name, required=required)
        for name, required in names.items()
        if name not in {"project", "issuetype"}
    }
    return web.json_response({"fields": made})


async def assignable(call: Call) -> web.StreamResponse:
    """GET user/assignable/search: active people of the site who may browse the project."""
    query = call.request.query
    if query.get("issueKey"):
        issue = call.world.find(query["issueKey"], call.viewer)
        key = issue.project if issue else ""
    else:
        key = query.get("project", "")
    if not key:
        raise Refusal(404, ("The issue or the project does not exist.",))
    place = project_of(call, key)
    words, wanted = query.get("query", "").lower(), query.get("accountId")
    found = [
        account
        for account in call.world.accounts.values()
        if account.active
        and account.kind == "atlassian"
        and place.key in account.projects
        and (account.account_id == wanted or (words and account.matches(words)))
    ]
    size = call.number("maxResults", 50, 1000)
    return web.json_response([call.shapes.person(a) for a in found[:size]])


METADATA = f"{API}/issue/createmeta/{{project}}/issuetypes"
PATHS: list[tuple[str, str, Answer]] = [
    ("GET", f"{API}/project/{{project}}", project),
    ("GET", METADATA, issue_types),
    ("GET", f"{METADATA}/{{type}}", create_fields),
    ("GET", f"{API}/issue/{{key}}/editmeta", edit_fields),
    ("GET", f"{API}/user/assignable/search", assignable),
]
