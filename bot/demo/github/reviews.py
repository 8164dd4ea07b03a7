"""Reviews of a pull request as GitHub takes and lists them: one request with all comments, or none of it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import web

from bot.demo.github.answers import COMMENT_CHARACTERS, REPOSITORY, Answer, Call
from bot.demo.github.repositories import Json, Pull, Repository, changes
from bot.demo.loopback import Refusal

EVENTS = {"COMMENT": "COMMENTED", "APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED"}
OUTSIDE = "Pull request review thread line must be part of the diff and Pull request review thread diff hunk can't be blank"
HUNKS = "Pull request review thread start line must be part of the same hunk as the line."
FOREIGN = "Commit is not part of the pull request"
PENDING = "User can only have one pending review per pull request"
EMPTY = "Body is too short (minimum is 1 character)"
NO_RIGHT = "Resource not accessible by personal access token"
LOCKED = "Unable to create pull request review because issue is locked"


async def reviews(call: Call) -> web.StreamResponse:
    """GET pulls/{n}/reviews, the oldest first."""
    found, here = call.pull, call.repository
    return call.page([call.shapes.review(here, found.number, kept) for kept in found.reviews])


async def review(call: Call) -> web.StreamResponse:
    """POST pulls/{n}/reviews: submitted at once where an event is named, else pending."""
    if not call.login:
        raise Refusal(401, ("Requires authentication",))
    found, here = call.pull, call.repository
    if not call.writes:
        raise Refusal(403, (NO_RIGHT,))
    if found.locked:
        raise Refusal(403, (LOCKED,))
    try:
        body: Json = json.loads(await call.request.text())
    except ValueError:
        raise Refusal(400, ("Problems parsing JSON",)) from None
    commit = str(body.get("commit_id") or found.head)
    errors = list(_wrong(here, found, commit, body, call.login))
    if errors:
        return web.json_response(
            {"message": "Unprocessable Entity", "errors": errors, "status": "422"}, status=422
        )
    kept: Json = {
        "id": 8000 + len(found.reviews) + 1,
        "login": call.login,
        "body": str(body.get("body") or ""),
        "state": EVENTS.get(str(body.get("event")), "PENDING"),
        "commit_id": commit,
        "comments": list(body.get("comments") or ()),
    }
    found.reviews.append(kept)
    for n, comment in enumerate(kept["comments"], start=1):
        at = {"commit_id": commit, "pull_request_review_id": kept["id"]}
        found.review_comments.append({"id": 10 * kept["id"] + n, **comment, **at})
    return web.json_response(call.shapes.review(here, found.number, kept))


def _wrong(here: Repository, pull: Pull, commit: str, body: Json, login: str) -> Iterator[str]:
    """Everything that GitHub would not take, in its words."""
    if any(kept["login"] == login and kept["state"] == "PENDING" for kept in pull.reviews):
        yield PENDING
    text = str(body.get("body") or "")
    if (body.get("event") == "COMMENT" and not text.strip()) or len(text) > COMMENT_CHARACTERS:
        yield EMPTY
    if commit not in _commits(here, pull):
        yield FOREIGN
        return
    between = changes(here.commits[pull.base].tree, here.commits[commit].tree)
    patches = {change.path: change.patch for change in between}
    for comment in body.get("comments") or ():
        yield from _misplaced(comment, patches.get(str(comment.get("path")), ""))


def _misplaced(comment: Mapping[str, Any], patch: str) -> Iterator[str]:
    """What is wrong with the lines of a comment: each has to stand in a hunk, both in the same one."""
    if not str(comment.get("body") or "").strip():
        yield EMPTY
    line, side = comment.get("line"), str(comment.get("side", "RIGHT"))
    start, start_side = comment.get("start_line"), str(comment.get("start_side", side))
    hunks = list(_hunks(patch))
    holding = [hunk for hunk in hunks if (side, line) in hunk]
    if not holding:
        yield OUTSIDE
    elif start is not None and (
        (start_side, start) not in holding[0] or not 0 < int(start) < int(line or 0)
    ):
        yield HUNKS


def _hunks(patch: str) -> Iterator[set[tuple[str, int]]]:
    """The lines that each hunk shows, by side."""
    seen: set[tuple[str, int]] = set()
    old = new = 0
    for line in patch.splitlines():
        if line.startswith("@@"):
            if seen:
                yield seen
            seen = set()
            before, after = line.split(" ")[1:3]
            old, new = (int(part[1:].partition(",")[0]) for part in (before, after))
            continue
        if not line.startswith("+"):
            seen.add(("LEFT", old))
            old += 1
        if not line.startswith("-"):
            seen.add(("RIGHT", new))
            new += 1
    if seen:
        yield seen


def _commits(here: Repository, pull: Pull) -> set[str]:
    """The commits that lead from the base to the head."""
    found: set[str] = set()
    sha = pull.head
    while sha in here.commits and sha != pull.base:
        found.add(sha)
        sha = here.commits[sha].parent
    return found


PATHS: list[tuple[str, str, Answer]] = [
    ("GET", f"{REPOSITORY}/pulls/{{number}}/reviews", reviews),
    ("POST", f"{REPOSITORY}/pulls/{{number}}/reviews", review),
]
