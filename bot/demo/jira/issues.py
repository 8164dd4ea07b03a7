"""Reading one ticket: itself, its comments, history, transitions, links and files."""

from aiohttp import web

from bot.demo.jira.call import API, MISSING, Answer, Call
from bot.demo.jira.shapes import chosen
from bot.demo.jira.world import Issue, Json
from bot.demo.loopback import Refusal

BULK_ISSUES = 100  # tickets of one bulkfetch
COMMENTS_PAGE = 5000  # comments of one page at most; 50 are the default
CHANGES_PAGE = 100
LISTED_COMMENTS = 1000  # ids of one comment/list


def issue_of(call: Call) -> Issue:
    """The ticket the path names.

    Raises:
        Refusal: 404, it does not exist or is hidden from this account.
    """
    issue = call.world.find(call.request.match_info["key"], call.viewer)
    if issue is None:
        raise Refusal(404, (MISSING,))
    return issue


async def one(call: Call) -> web.StreamResponse:
    """GET issue/{key}: a moved ticket's old key answers with the new one."""
    issue = issue_of(call)
    wanted = chosen(call.names("fields"), "*all")
    return web.json_response(
        call.shapes.issue(issue, wanted, call.names("expand"), call.names("properties"))
    )


async def bulk(call: Call) -> web.StreamResponse:
    """POST issue/bulkfetch: what is hidden is an error of its own, without saying which it is."""
    body = await call.body()
    asked = body.get("issueIdsOrKeys")
    if not isinstance(asked, list) or not asked:
        raise Refusal(400, ("The issueIdsOrKeys list is empty.",))
    keys = [str(k) for k in asked]  # pyright: ignore[reportUnknownArgumentType]
    if len(keys) > BULK_ISSUES:
        raise Refusal(400, (f"The number of issues exceeds the limit of {BULK_ISSUES}.",))
    wanted = chosen(body.get("fields") or [], "*navigable")
    found: list[Json] = []
    errors: list[Json] = []
    for key in dict.fromkeys(keys):
        issue = call.world.find(key, call.viewer)
        if issue is None:
            errors.append({"id": key, "errorMessage": MISSING})
        else:
            found.append(call.shapes.issue(issue, wanted, body.get("expand") or []))
    return web.json_response({"issues": found, "issueErrors": errors})


async def comments(call: Call) -> web.StreamResponse:
    """GET issue/{key}/comment, oldest first unless orderBy=-created."""
    issue = issue_of(call)
    start = call.number("startAt", 0, 1_000_000)
    size = call.number("maxResults", 50, COMMENTS_PAGE)
    order = call.request.query.get("orderBy", "created")
    if order not in {"created", "+created", "-created"}:
        raise Refusal(400, (f"The orderBy value '{order}' is not supported.",))
    seen = call.world.comments(issue, call.viewer)
    seen.sort(key=lambda c: (c.created, int(c.id)), reverse=order == "-created")
    page = [call.shapes.comment(issue, c) for c in seen[start : start + size]]
    return web.json_response(
        {"startAt": start, "maxResults": size, "total": len(seen), "comments": page}
    )


async def comment(call: Call) -> web.StreamResponse:
    """GET issue/{key}/comment/{id}."""
    issue = issue_of(call)
    for found in call.world.comments(issue, call.viewer):
        if found.id == call.request.match_info["id"]:
            return web.json_response(call.shapes.comment(issue, found))
    raise Refusal(404, (f"Can not find a comment for the id: {call.request.match_info['id']}.",))


async def listed(call: Call) -> web.StreamResponse:
    """POST comment/list: comments by their ids, with their properties when expanded; hidden ones are left out."""
    body = await call.body()
    ids = body.get("ids")
    if not isinstance(ids, list) or not ids or len(ids) > LISTED_COMMENTS:  # pyright: ignore[reportUnknownArgumentType]
        raise Refusal(400, ("The ids list is empty or too long.",))
    wanted = {str(i) for i in ids}  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    made: list[Json] = []
    for issue in call.world.seen(call.viewer):
        for found in call.world.comments(issue, call.viewer):
            if found.id in wanted:
                more = {"properties": found.properties}
                shape = call.shapes.comment(issue, found)
                made.append(shape | (more if "properties" in call.names("expand") else {}))
    page = {"startAt": 0, "maxResults": LISTED_COMMENTS, "total": len(made), "isLast": True}
    return web.json_response({**page, "values": made})


async def changelog(call: Call) -> web.StreamResponse:
    """GET issue/{key}/changelog, oldest first."""
    issue = issue_of(call)
    start = call.number("startAt", 0, 1_000_000)
    size = call.number("maxResults", CHANGES_PAGE, CHANGES_PAGE)
    page = issue.changes[start : start + size]
    return web.json_response(
        {
            "self": f"{call.shapes.api}/issue/{issue.key}/changelog",
            "startAt": start,
            "maxResults": size,
            "total": len(issue.changes),
            "isLast": start + size >= len(issue.changes),
            "values": [call.shapes.change(c) for c in page],
        }
    )


async def transitions(call: Call) -> web.StreamResponse:
    """GET issue/{key}/transitions: none for those who may only look."""
    issue = issue_of(call)
    steps = call.world.steps(issue) if "TRANSITION_ISSUES" in call.viewer.rights else []
    made: list[Json] = []
    for step in steps:
        shape = call.shapes.step(step)
        if "transitions.fields" in call.names("expand"):
            shape["fields"] = {
                name: {
                    "key": name,
                    "name": name.capitalize(),
                    "required": True,
                    "operations": ["set"],
                    "schema": {"type": name, "system": name},
                    "allowedValues": [
                        call.shapes.named(name, "Done"),
                        call.shapes.named(name, "Won't do"),
                    ],
                }
                for name in step.required
            }
        made.append(shape)
    return web.json_response({"expand": "transitions", "transitions": made})


async def remote_links(call: Call) -> web.StreamResponse:
    """GET issue/{key}/remotelink."""
    issue = issue_of(call)
    made = [
        {
            "id": 10_500 + number,
            "self": f"{call.shapes.api}/issue/{issue.key}/remotelink/{10_500 + number}",
            "application": {},
            "object": {
                "url": link["url"],
                "title": link["title"],
                "icon": {},
                "status": {"icon": {}},
            },
        }
        for number, link in enumerate(issue.remote_links)
    ]
    return web.json_response(made)


def _attachment(call: Call) -> Json:
    for issue in call.world.seen(call.viewer):
        for found in issue.attachments:
            if found.id == call.request.match_info["id"]:
                return {"found": found}
    raise Refusal(404, ("The attachment was not found.",))


async def attachment(call: Call) -> web.StreamResponse:
    """GET attachment/{id}."""
    return web.json_response(call.shapes.attachment(_attachment(call)["found"]))


async def content(call: Call) -> web.StreamResponse:
    """GET attachment/content/{id}: a redirect to the media host, or the bytes with redirect=false."""
    found = _attachment(call)["found"]
    if call.request.query.get("redirect") == "false":
        return web.Response(body=found.content, content_type=found.mime)
    root = call.shapes.base.partition("/ex/jira")[0]
    raise web.HTTPSeeOther(f"{root}/media/{found.id}?token=short-lived")


async def media(call: Call) -> web.StreamResponse:
    """The media host: whoever has the address has the file."""
    for issue in call.world.issues.values():
        for found in issue.attachments:
            if found.id == call.request.match_info["id"]:
                return web.Response(body=found.content, content_type=found.mime)
    raise Refusal(404)


ISSUE = f"{API}/issue/{{key}}"
PATHS: list[tuple[str, str, Answer]] = [
    ("POST", f"{API}/issue/bulkfetch", bulk),
    ("POST", f"{API}/comment/list", listed),
    ("GET", ISSUE, one),
    ("GET", f"{ISSUE}/comment", comments),
    ("GET", f"{ISSUE}/comment/{{id}}", comment),
    ("GET", f"{ISSUE}/changelog", changelog),
    ("GET", f"{ISSUE}/transitions", transitions),
    ("GET", f"{ISSUE}/remotelink", remote_links),
    ("GET", f"{API}/attachment/content/{{id}}", content),
    ("GET", f"{API}/attachment/{{id}}", attachment),
    ("GET", "/media/{id}", media),
]
