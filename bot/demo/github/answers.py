"""What is answered for a repository: pull requests, diffs, commits, files and comments."""

import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from aiohttp import web

from bot.demo.github.repositories import (
    Change,
    Commit,
    Json,
    Pull,
    Repository,
    blob,
    changes,
    unified,
)
from bot.demo.github.shapes import Shapes
from bot.demo.loopback import Refusal

PAGE = 30  # files of a page; 100 at most
MOST = 100
DIFF_FILES = 300  # of a diff that is printed as one
DIFF_LINES = 20_000
COMMENT_CHARACTERS = 65_536
REPOSITORY = "/repos/{owner}/{name}"

Answer = Callable[["Call"], Awaitable[web.StreamResponse]]


class Call:
    """One request: the repository it may see, and how to write the answer."""

    def __init__(
        self,
        request: web.Request,
        repositories: dict[str, Repository],
        shapes: Shapes,
        *,
        login: str,
        writes: bool,
        readable: Collection[str],
        moved: Mapping[str, int],
    ) -> None:
        self.request = request
        self.shapes = shapes
        self.login = login
        self.writes = writes
        self._repositories = repositories
        self._readable = readable
        self._moved = moved

    @property
    def media(self) -> str:
        """What the Accept header names last of application/vnd.github.*: diff, raw, or json."""
        accept = self.request.headers.get("Accept", "")
        for kind in ("diff", "patch", "raw"):
            if f"github.{kind}" in accept or f"github.v3.{kind}" in accept:
                return kind
        return "json"

    @property
    def repository(self) -> Repository:
        """The repository of the path.

        Raises:
            Refusal: 301 for one that has another name now, else 404, also for a private one that
                the token may not read.
        """
        match = self.request.match_info
        name = f"{match['owner']}/{match['name']}"
        found = self._repositories.get(name)
        if found is None and (moved := self._moved.get(name)) is not None:
            place = str(self.request.url).replace(f"/repos/{name}", f"/repositories/{moved}")
            raise Refusal(301, ("Moved Permanently",), headers={"Location": place})
        if found is None or (found.private and found.name not in self._readable):
            raise Refusal(404, ("Not Found",))
        return found

    @property
    def pull(self) -> Pull:
        """The pull request of the path.

        Raises:
            Refusal: 404.
        """
        number = self.request.match_info["number"]
        found = self.repository.pulls.get(int(number)) if number.isdigit() else None
        if found is None:
            raise Refusal(404, ("Not Found",))
        return found

    def commit(self, ref: str) -> Commit:
        """A commit of the repository.

        Raises:
            Refusal: 404 in GitHub's words.
        """
        found = self.repository.resolve(ref)
        if found is None:
            raise Refusal(404, (f"No commit found for the ref {ref}",))
        return found

    def page(self, items: list[Json]) -> web.Response:
        """A page of a list, with Link headers to the others."""
        query = self.request.query
        size = min(max(_number(query.get("per_page"), PAGE), 1), MOST)
        number = max(_number(query.get("page"), 1), 1)
        last = max((len(items) + size - 1) // size, 1)
        places = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
        if number == 1:
            places = {k: v for k, v in places.items() if k not in {"prev", "first"}}
        if number >= last:
            places = {k: v for k, v in places.items() if k not in {"next", "last"}}
        base = str(self.request.url.with_query(None))
        links = [f'<{base}?per_page={size}&page={n}>; rel="{rel}"' for rel, n in places.items()]
        headers = {"Link": ", ".join(links)} if links else {}
        return web.json_response(items[(number - 1) * size : number * size], headers=headers)


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdigit() else default


async def repository(call: Call) -> web.StreamResponse:
    """GET repos/{o}/{r}."""
    return web.json_response(call.shapes.repository(call.repository))


async def pull(call: Call) -> web.StreamResponse:
    """GET pulls/{n}: JSON, or the diff when that is asked for."""
    found, here = call.pull, call.repository
    if call.media in {"diff", "patch"}:
        return _diff(here.commits[found.base], here.commits[found.head])
    return web.json_response(call.shapes.pull(here, found))


def _diff(base: Commit, head: Commit) -> web.Response:
    kind = "application/vnd.github.diff; charset=utf-8"
    text = unified(base.tree, head.tree)
    for count, most, what in (
        (text.count("\ndiff --git ") + 1, DIFF_FILES, "files"),
        (text.count("\n"), DIFF_LINES, "lines"),
    ):
        if count > most:
            words = f"Sorry, the diff exceeded the maximum number of {what} ({most})."
            raise Refusal(406, (words,))
    return web.Response(body=text.encode(), headers={"Content-Type": kind})


async def pull_files(call: Call) -> web.StreamResponse:
    """GET pulls/{n}/files, page by page."""
    found, here = call.pull, call.repository
    between: list[Change] = changes(here.commits[found.base].tree, here.commits[found.head].tree)
    return call.page([call.shapes.file(here, found.head, c) for c in between])


async def compare(call: Call) -> web.StreamResponse:
    """GET compare/{base}...{head}."""
    base, dots, head = call.request.match_info["refs"].partition("...")
    if not dots:
        raise Refusal(404, ("Not Found",))
    before, after = call.commit(base), call.commit(head)
    if call.media in {"diff", "patch"}:
        return _diff(before, after)
    return web.json_response(call.shapes.comparison(call.repository, before, after))


async def commit(call: Call) -> web.StreamResponse:
    """GET commits/{ref}."""
    found, here = call.commit(call.request.match_info["ref"]), call.repository
    if call.media in {"diff", "patch"}:
        empty = Commit("", "", "", {})
        return _diff(here.commits.get(found.parent, empty), found)
    return web.json_response(call.shapes.commit(here, found))


async def contents(call: Call) -> web.StreamResponse:
    """GET contents/{path}?ref=: a file as JSON or raw, a folder as a list."""
    here = call.repository
    found = call.commit(call.request.query.get("ref") or here.branch)
    path = call.request.match_info["path"].strip("/")
    if path in found.tree:
        if call.media == "raw":
            kind = "application/vnd.github.raw; charset=utf-8"
            return web.Response(body=found.tree[path].encode(), headers={"Content-Type": kind})
        return web.json_response(call.shapes.content(here, found, path))
    inside = [p for p in sorted(found.tree) if not path or p.startswith(f"{path}/")]
    if not inside:
        raise Refusal(404, ("Not Found",))
    return web.json_response([call.shapes.entry(here, found, p) for p in inside])


async def git_blob(call: Call) -> web.StreamResponse:
    """GET git/blobs/{sha}."""
    for found in call.repository.commits.values():
        for path, text in found.tree.items():
            if blob(text) == call.request.match_info["sha"]:
                if call.media == "raw":
                    return web.Response(body=text.encode(), content_type="application/octet-stream")
                shape = call.shapes.content(call.repository, found, path)
                wanted = {k: shape[k] for k in ("sha", "size", "url", "encoding", "content")}
                return web.json_response(wanted)
    raise Refusal(404, ("Not Found",))


async def _told(call: Call) -> Json:
    if not call.login:
        raise Refusal(401, ("Requires authentication",))
    try:
        body: Any = json.loads(await call.request.text())
    except ValueError:
        raise Refusal(400, ("Problems parsing JSON",)) from None
    text = body.get("body") if isinstance(body, dict) else None  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(text, str) or not text.strip() or len(text) > COMMENT_CHARACTERS:
        raise Refusal(422, ("Validation Failed",))
    return body  # pyright: ignore[reportUnknownVariableType]


async def comment(call: Call) -> web.StreamResponse:
    """POST issues/{n}/comments."""
    found, body = call.pull, await _told(call)
    kept = {"id": 9000 + len(found.comments) + 1, "body": body["body"]}
    found.comments.append(kept)
    made = call.shapes.comment(call.repository, found.number, call.login, kept)
    return web.json_response(made, status=201)


async def comments(call: Call) -> web.StreamResponse:
    """GET issues/{n}/comments."""
    found, here = call.pull, call.repository
    return call.page(
        [call.shapes.comment(here, found.number, call.login, kept) for kept in found.comments]
    )


async def review_comment(call: Call) -> web.StreamResponse:
    """POST pulls/{n}/comments: the line has to be in the diff of the head commit."""
    found, here, body = call.pull, call.repository, await _told(call)
    between = changes(here.commits[found.base].tree, here.commits[found.head].tree)
    change = next((c for c in between if c.path == body.get("path")), None)
    if change is None or body.get("commit_id") != found.head:
        raise Refusal(422, ("Validation Failed",))
    if body.get("line") not in _lines(change, str(body.get("side", "RIGHT"))):
        raise Refusal(422, ("Validation Failed: line must be part of the diff",))
    kept = {
        "id": 9500 + len(found.review_comments) + 1,
        **{k: body.get(k) for k in ("body", "path", "line", "side", "commit_id")},
    }
    found.review_comments.append(kept)
    made = call.shapes.comment(here, found.number, call.login, kept)
    return web.json_response(made, status=201)


def _lines(change: Change, side: str) -> set[int]:
    """The line numbers of one side that the hunks show."""
    seen: set[int] = set()
    old = new = 0
    for line in change.patch.splitlines():
        if line.startswith("@@"):
            before, after = line.split(" ")[1:3]
            old, new = (int(part[1:].partition(",")[0]) for part in (before, after))
            continue
        if not line.startswith("+"):
            seen |= {old} if side == "LEFT" else set()
            old += 1
        if not line.startswith("-"):
            seen |= {new} if side == "RIGHT" else set()
            new += 1
    return seen


PATHS: list[tuple[str, str, Answer]] = [
    ("GET", REPOSITORY, repository),
    ("GET", f"{REPOSITORY}/pulls/{{number}}", pull),
    ("GET", f"{REPOSITORY}/pulls/{{number}}/files", pull_files),
    ("GET", f"{REPOSITORY}/compare/{{refs:.+}}", compare),
    ("GET", f"{REPOSITORY}/commits/{{ref:.+}}", commit),
    ("GET", f"{REPOSITORY}/contents/{{path:.*}}", contents),
    ("GET", f"{REPOSITORY}/git/blobs/{{sha}}", git_blob),
    ("GET", f"{REPOSITORY}/issues/{{number}}/comments", comments),
    ("POST", f"{REPOSITORY}/issues/{{number}}/comments", comment),
    ("POST", f"{REPOSITORY}/pulls/{{number}}/comments", review_comment),
]
