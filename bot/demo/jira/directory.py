"""The site's directory: itself, people, rights, projects, fields and what a new ticket needs."""

from collections.abc import Iterable

from aiohttp import web

from bot.demo.jira.call import ANY_API, API, LOGIN, Answer, Call
from bot.demo.jira.meta import CUSTOM, project_of, schema
from bot.demo.jira.shapes import NAMES, moment
from bot.demo.jira.world import Account, Issue, Json, Project
from bot.demo.loopback import Refusal

PROJECTS_PAGE = 50
USERS_PAGE = 50
CHECKED_ISSUES = 1000  # tickets of one permissions/check
RIGHTS = {
    "BROWSE_PROJECTS": "Browse Projects",
    "ADD_COMMENTS": "Add Comments",
    "EDIT_OWN_COMMENTS": "Edit Own Comments",
    "EDIT_ALL_COMMENTS": "Edit All Comments",
    "DELETE_OWN_COMMENTS": "Delete Own Comments",
    "DELETE_ALL_COMMENTS": "Delete All Comments",
    "CREATE_ISSUES": "Create Issues",
    "EDIT_ISSUES": "Edit Issues",
    "TRANSITION_ISSUES": "Transition Issues",
    "ASSIGN_ISSUES": "Assign Issues",
    "ADMINISTER": "Administer Jira",
    "USER_PICKER": "Browse users and groups",
}
GLOBAL_RIGHTS = {"ADMINISTER", "USER_PICKER"}


async def server_info(call: Call) -> web.StreamResponse:
    """GET serverInfo, for everybody."""
    return web.json_response(
        {
            "baseUrl": call.shapes.base,
            "version": "1001.0.0-SNAPSHOT",
            "versionNumbers": [1001, 0, 0],
            "deploymentType": "Cloud",
            "buildNumber": 100_291,
            "buildDate": moment(call.now() - 86_400),
            "serverTime": moment(call.now()),
            "scmInfo": "0" * 40,
            "serverTitle": "Jira",
        }
    )


async def myself(call: Call) -> web.StreamResponse:
    """GET myself: whose credentials these are."""
    call.require_login()
    shape = call.shapes.person(call.viewer, detailed=True)
    shape["groups"] = {"size": 1, "items": []}
    shape["applicationRoles"] = {"size": 1, "items": []}
    return web.json_response(shape)


def allowed(account: Account, right: str, project: Project | None, issue: Issue | None) -> bool:
    """Whether an account has a right, in a project or on a ticket when one is named."""
    if right not in GLOBAL_RIGHTS:
        if project is not None and project.key not in account.projects:
            return False
        if issue is not None and issue.security and issue.security not in account.levels:
            return False
    if right == "BROWSE_PROJECTS":
        return bool(account.projects)
    return right in account.rights


async def my_permissions(call: Call) -> web.StreamResponse:
    """GET mypermissions, about the calling account alone."""
    asked = [n for n in call.names("permissions") if n]
    if not asked:
        raise Refusal(400, ("The 'permissions' query parameter is required.",))
    unknown = [n for n in asked if n not in RIGHTS]
    if unknown:
        raise Refusal(400, (f"Unrecognized permission: {', '.join(unknown)}",))
    query = call.request.query
    issue = _named_issue(call, query.get("issueKey") or query.get("issueId"))
    name = issue.project if issue else query.get("projectKey") or query.get("projectId")
    project = project_of(call, name) if name else None
    return web.json_response(
        {
            "permissions": {
                right: {
                    "id": str(list(RIGHTS).index(right)),
                    "key": right,
                    "name": RIGHTS[right],
                    "type": "GLOBAL" if right in GLOBAL_RIGHTS else "PROJECT",
                    "description": RIGHTS[right],
                    "havePermission": allowed(call.viewer, right, project, issue),
                }
                for right in asked
            }
        }
    )


def _named_issue(call: Call, key: str | None) -> Issue | None:
    if not key:
        return None
    issue = call.world.find(key, call.viewer)
    if issue is None:
        raise Refusal(404, ("Issue does not exist or you do not have permission to see it.",))
    return issue


async def check(call: Call) -> web.StreamResponse:
    """POST permissions/check: for somebody else only with the right to administer."""
    body = await call.body()
    account = call.viewer
    if body.get("accountId") not in (None, call.viewer.account_id):
        call.require("ADMINISTER", "Only Jira administrators may check another user's permissions.")
        account = call.world.accounts.get(str(body["accountId"]), Account("", "", "", ""))
    grants: list[Json] = []
    for entry in body.get("projectPermissions", []):
        if len(entry.get("issues", [])) > CHECKED_ISSUES:
            raise Refusal(400, ("The number of issues exceeds the limit of 1000.",))
        grants += [_grant(call, account, right, entry) for right in entry["permissions"]]
    given = [
        r
        for r in body.get("globalPermissions", [])
        if r in GLOBAL_RIGHTS and allowed(account, r, None, None)
    ]
    return web.json_response({"projectPermissions": grants, "globalPermissions": given})


def _grant(call: Call, account: Account, right: str, entry: Json) -> Json:
    """Where the right holds; what does not exist is left out like what is not allowed."""
    world = call.world
    issues: list[int] = []
    for number in entry.get("issues", []):
        issue = world.find(str(number), account)
        if issue and allowed(account, right, world.projects[issue.project], issue):
            issues.append(int(issue.id))
    projects = [
        int(p.id)
        for p in world.projects.values()
        if int(p.id) in entry.get("projects", []) and allowed(account, right, p, None)
    ]
    return {"permission": right, "issues": issues, "projects": projects}


def _people(call: Call, accounts: Iterable[Account]) -> web.Response:
    query = call.request.query
    words, account_id = query.get("query", "").lower(), query.get("accountId")
    if not words and not account_id:
        raise Refusal(400, ("A query or an accountId is required.",))
    found = [
        a
        for a in accounts
        if (account_id and a.account_id == account_id) or (words and a.matches(words))
    ]
    start = call.number("startAt", 0, 1_000_000)
    size = call.number("maxResults", USERS_PAGE, 1000)
    return web.json_response([call.shapes.person(a) for a in found[start : start + size]])


async def users(call: Call) -> web.StreamResponse:
    """GET user/search: by the beginning of a name or of an address that is not private."""
    if call.viewer.account_id == "":
        raise Refusal(401, (LOGIN,))
    if "USER_PICKER" not in call.viewer.rights:
        return web.json_response([])
    return _people(call, call.world.accounts.values())


async def viewers(call: Call) -> web.StreamResponse:
    """GET user/viewissue/search: those of the found people who may see the ticket."""
    call.require("USER_PICKER", "You do not have permission to browse users.")
    key, project = call.request.query.get("issueKey"), call.request.query.get("projectKey")
    if not key and not project:
        raise Refusal(400, ("An issueKey or a projectKey is required.",))
    if key:
        issue = _named_issue(call, key)
        seeing = [a for a in call.world.accounts.values() if issue and call.world.may_see(a, issue)]
    else:
        seeing = [a for a in call.world.accounts.values() if project in a.projects]
    return _people(call, [a for a in seeing if a.active])


async def projects(call: Call) -> web.StreamResponse:
    """GET project/search: the projects this account may browse."""
    keys, words = call.request.query.getall("keys", []), call.request.query.get("query", "").lower()
    seen = [
        p
        for p in sorted(call.world.projects.values(), key=lambda p: p.key)
        if p.key in call.viewer.projects
        and (not keys or p.key in keys)
        and (words in p.key.lower() or words in p.name.lower())
    ]
    start = call.number("startAt", 0, 1_000_000)
    size = call.number("maxResults", PROJECTS_PAGE, PROJECTS_PAGE)
    return web.json_response(
        {
            "self": f"{call.shapes.api}/project/search?startAt={start}&maxResults={size}",
            "startAt": start,
            "maxResults": size,
            "total": len(seen),
            "isLast": start + size >= len(seen),
            "values": [
                call.shapes.project(p) | {"style": "classic", "isPrivate": False}
                for p in seen[start : start + size]
            ],
        }
    )


async def fields(call: Call) -> web.StreamResponse:
    """GET field: every field's id, name and schema."""
    return web.json_response(
        [
            {
                "id": name,
                "key": name,
                "name": title,
                "custom": name in CUSTOM,
                "orderable": True,
                "navigable": name not in {"comment", "attachment"},
                "searchable": True,
                "clauseNames": [f"cf[{name.rpartition('_')[2]}]", title]
                if name in CUSTOM
                else [name],
                "schema": schema(name),
            }
            for name, title in NAMES.items()
        ]
    )


async def link_types(call: Call) -> web.StreamResponse:
    """GET issueLinkType."""
    made = [
        t | {"self": f"{call.shapes.api}/issueLinkType/{t['id']}"} for t in call.world.link_types
    ]
    return web.json_response({"issueLinkTypes": made})


PATHS: list[tuple[str, str, Answer]] = [
    ("GET", f"{ANY_API}/serverInfo", server_info),
    ("GET", f"{ANY_API}/myself", myself),
    ("GET", f"{API}/mypermissions", my_permissions),
    ("POST", f"{API}/permissions/check", check),
    ("GET", f"{API}/user/search", users),
    ("GET", f"{API}/user/viewissue/search", viewers),
    ("GET", f"{API}/project/search", projects),
    ("GET", f"{ANY_API}/field", fields),
    ("GET", f"{API}/issueLinkType", link_types),
]
