"""The agile interface 1.0: boards, their sprints, and the tickets of a sprint."""

from aiohttp import web

from bot.demo.jira.call import AGILE, Answer, Call
from bot.demo.jira.jql import JqlProblem
from bot.demo.jira.search import Finder
from bot.demo.jira.shapes import chosen
from bot.demo.jira.world import Board, Issue, Json, Sprint
from bot.demo.loopback import Refusal

PAGE = 50


def _page(call: Call, name: str, items: list[Json]) -> web.Response:
    start = call.number("startAt", 0, 1_000_000)
    size = call.number("maxResults", PAGE, PAGE)
    return web.json_response(
        {
            "maxResults": size,
            "startAt": start,
            "total": len(items),
            "isLast": start + size >= len(items),
            name: items[start : start + size],
        }
    )


def _number(call: Call) -> int:
    text = call.request.match_info["id"]
    return int(text) if text.isdigit() else -1


def _board(call: Call) -> Board:
    board = call.world.boards.get(_number(call))
    if board is None or board.project not in call.viewer.projects:
        raise Refusal(
            404,
            (
                "The requested board cannot be viewed because it either does not exist or you do not have permission to view it.",
            ),
        )
    return board


def _sprint(call: Call) -> Sprint:
    sprint = call.world.sprints.get(_number(call))
    if sprint is None or call.world.boards[sprint.board].project not in call.viewer.projects:
        raise Refusal(404, ("Sprint does not exist or you do not have permission to view it.",))
    return sprint


def _shape(call: Call, board: Board) -> Json:
    project = call.world.projects[board.project]
    return {
        "id": board.id,
        "self": f"{call.shapes.base}{AGILE}/board/{board.id}",
        "name": board.name,
        "type": board.kind,
        "location": {
            "projectId": int(project.id),
            "displayName": f"{project.name} ({project.key})",
            "projectName": project.name,
            "projectKey": project.key,
            "projectTypeKey": project.kind,
            "name": f"{project.name} ({project.key})",
        },
    }


async def boards(call: Call) -> web.StreamResponse:
    """GET board, by name, type and project."""
    query = call.request.query
    words, kind, project = (
        query.get("name", "").lower(),
        query.get("type", ""),
        query.get("projectKeyOrId", ""),
    )
    seen = [
        b
        for b in call.world.boards.values()
        if b.project in call.viewer.projects
        and words in b.name.lower()
        and kind in ("", b.kind)
        and project in ("", b.project, call.world.projects[b.project].id)
    ]
    return _page(call, "values", [_shape(call, b) for b in seen])


async def board(call: Call) -> web.StreamResponse:
    """GET board/{id}."""
    return web.json_response(_shape(call, _board(call)))


async def sprints(call: Call) -> web.StreamResponse:
    """GET board/{id}/sprint, by state; a kanban board has none."""
    found = _board(call)
    if found.kind != "scrum":
        raise Refusal(400, ("The board does not support sprints",))
    states = [s for s in call.names("state") if s]
    if set(states) - {"active", "closed", "future"}:
        raise Refusal(400, ("Valid values for 'state' are: future, active, closed.",))
    seen = [
        s
        for s in call.world.sprints.values()
        if s.board == found.id and (not states or s.state in states)
    ]
    return _page(call, "values", [call.shapes.sprint(s) for s in seen])


async def sprint(call: Call) -> web.StreamResponse:
    """GET sprint/{id}."""
    return web.json_response(call.shapes.sprint(_sprint(call)))


def _narrowed(call: Call, issues: list[Issue]) -> list[Issue]:
    jql = call.request.query.get("jql", "")
    if not jql:
        return issues
    try:
        return Finder(call.world, call.viewer, call.now()).narrow(jql, issues)
    except JqlProblem as problem:
        raise Refusal(400, (str(problem),)) from None


async def sprint_issues(call: Call) -> web.StreamResponse:
    """GET sprint/{id}/issue: old-style pages, with a total."""
    found = _sprint(call)
    issues = [i for i in call.world.seen(call.viewer) if i.sprint == found.id]
    return _issues(call, issues)


async def board_issues(call: Call) -> web.StreamResponse:
    """GET board/{id}/issue."""
    found = _board(call)
    return _issues(call, [i for i in call.world.seen(call.viewer) if i.project == found.project])


def _issues(call: Call, issues: list[Issue]) -> web.Response:
    wanted = chosen(call.names("fields"), "*navigable")
    start = call.number("startAt", 0, 1_000_000)
    size = call.number("maxResults", PAGE, 1000)
    found = _narrowed(call, issues)
    page = [call.shapes.issue(i, wanted, call.names("expand")) for i in found[start : start + size]]
    return web.json_response(
        {
            "expand": "schema,names",
            "startAt": start,
            "maxResults": size,
            "total": len(found),
            "issues": page,
        }
    )


PATHS: list[tuple[str, str, Answer]] = [
    ("GET", f"{AGILE}/board", boards),
    ("GET", f"{AGILE}/board/{{id}}", board),
    ("GET", f"{AGILE}/board/{{id}}/sprint", sprints),
    ("GET", f"{AGILE}/board/{{id}}/issue", board_issues),
    ("GET", f"{AGILE}/sprint/{{id}}", sprint),
    ("GET", f"{AGILE}/sprint/{{id}}/issue", sprint_issues),
]
