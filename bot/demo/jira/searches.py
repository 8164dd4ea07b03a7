"""Searching: /search/jql page by page, the count, and the removed /search."""

import base64
import binascii
import json
import zlib
from collections.abc import Collection

from aiohttp import web

from bot.demo.jira.call import ANY_API, API, PAYLOAD, Answer, Call
from bot.demo.jira.jql import JqlProblem
from bot.demo.jira.search import Finder
from bot.demo.jira.shapes import chosen
from bot.demo.jira.world import Issue
from bot.demo.loopback import Refusal

DEFAULT_PAGE = 50
ID_PAGE = 5000  # tickets of a page that asks for ids alone
FULL_PAGE = 100  # tickets of a page that asks for fields
REMOVED = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. "
    "A full migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)


async def gone(call: Call) -> web.StreamResponse:
    """410: nobody searches here any more."""
    raise Refusal(410, (REMOVED,))


async def get(call: Call) -> web.StreamResponse:
    """GET search/jql."""
    query = call.request.query
    return _page(
        call,
        query.get("jql", ""),
        query.get("nextPageToken", ""),
        call.number("maxResults", DEFAULT_PAGE, ID_PAGE),
        call.names("fields"),
        call.names("expand"),
        call.names("properties"),
    )


async def post(call: Call) -> web.StreamResponse:
    """POST search/jql: the same, as a body; a null where a list or text belongs is a 400."""
    body = await call.body()
    kinds = {"jql": str, "nextPageToken": str, "expand": str, "maxResults": int, "fields": list}
    if any(n in body and not isinstance(body[n], kind) for n, kind in kinds.items()):
        raise Refusal(400, (PAYLOAD,))
    if any(value is None for value in body.values()):
        raise Refusal(400, (PAYLOAD,))
    expand = str(body.get("expand", ""))
    return _page(
        call,
        str(body.get("jql", "")),
        str(body.get("nextPageToken", "")),
        min(int(body.get("maxResults", DEFAULT_PAGE)), ID_PAGE),
        [str(f) for f in body.get("fields", [])],
        expand.split(","),
    )


async def count(call: Call) -> web.StreamResponse:
    """POST search/approximate-count."""
    body = await call.body()
    return web.json_response({"count": len(_find(call, str(body.get("jql", ""))))})


def _find(call: Call, jql: str) -> list[Issue]:
    try:
        return Finder(call.world, call.viewer, call.now()).find(jql)
    except JqlProblem as problem:
        raise Refusal(400, (str(problem),)) from None


def _page(
    call: Call,
    jql: str,
    token: str,
    size: int,
    fields: Collection[str],
    expand: Collection[str],
    properties: Collection[str] = (),
) -> web.StreamResponse:
    wanted = list(chosen(fields, "id")) if any(fields) else []
    start = _offset(token, jql) if token else 0
    found = _find(call, jql)
    size = min(size, FULL_PAGE) if wanted else size
    page = found[start : start + size]
    shapes = [call.shapes.issue(i, wanted, expand, properties) for i in page]
    bare = not wanted and "key" not in fields
    body: dict[str, object] = {
        "issues": [{"id": s["id"]} for s in shapes] if bare else shapes,
        "isLast": start + size >= len(found),
    }
    if not body["isLast"]:
        body["nextPageToken"] = _token(start + size, jql)
    return web.json_response(body)


def _token(offset: int, jql: str) -> str:
    """Where the next page begins; opaque on purpose, and only for the same query."""
    text = json.dumps([offset, zlib.crc32(jql.encode())])
    return base64.urlsafe_b64encode(zlib.compress(text.encode())).decode()


def _offset(token: str, jql: str) -> int:
    try:
        offset, query = json.loads(zlib.decompress(base64.urlsafe_b64decode(token)))
    except (binascii.Error, zlib.error, ValueError):
        query = offset = None
    if query != zlib.crc32(jql.encode()) or not isinstance(offset, int):
        raise Refusal(400, ("The provided next page token is invalid or expired.",))
    return offset


PATHS: list[tuple[str, str, Answer]] = [
    ("GET", f"{ANY_API}/search", gone),
    ("POST", f"{ANY_API}/search", gone),
    ("GET", f"{API}/search/jql", get),
    ("POST", f"{API}/search/jql", post),
    ("POST", f"{API}/search/approximate-count", count),
]
