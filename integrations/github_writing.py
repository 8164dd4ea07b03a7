"""Posts a review on a pull request, once; looks for one whose answer was lost.

    ReviewDraft --post--> Posted          one request, all of it or nothing, always a comment and no verdict
                --posted-> Posted | None  the mark is looked for: a comment in its text that pages do not show

A review that was submitted cannot be deleted: there is no way back, and none is offered.
"""

import re
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal, cast

import aiohttp
import gidgethub
from pydantic import TypeAdapter

from integrations.github_errors import (
    NOT_GITHUB,
    GitHubBusy,
    GitHubDown,
    GitHubProblem,
    GitHubRefused,
    GitHubRejected,
    GitHubUnknown,
    named,
)
from integrations.github_reading import pull
from integrations.github_wire import Wire

EVENT = "COMMENT"  # never an approval, never a request for changes: those are people's
PER_PAGE = 100
WORDS_CHARS = 300  # of GitHub's own words that are repeated
Side = Literal["RIGHT", "LEFT"]

NO_RIGHT = (
    "The bot's token may read this repository but not review in it: an operator gives GITHUB_TOKEN the right to write "
    "to pull requests."
)
LOCKED = "The conversation of this pull request is locked, and the bot may not write there."
PENDING = (
    "The bot's account has begun another review there that was never submitted; somebody with that account has to "
    "submit or discard it first."
)
FORCED = (
    "The branch was force-pushed: commit {head}, which was reviewed, is no longer part of the pull request. Ask for "
    "another review."
)
LINES = "GitHub does not find the lines of the comments in its diff, and takes nothing then. Ask again to have it drafted anew."
REJECTED = "GitHub does not take this review: {words}"
PUSHED = "The branch was pushed to meanwhile: the review is for commit {head}."
_LINES = re.compile(r"\b(line|position|hunk|diff|path)\b")


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment on lines of a file.

    Attributes:
        line: the last one it is about, by the file's numbers on its side.
        side: RIGHT is the new version, LEFT the old one.
        start: the first line, where it is about several; 0 otherwise.
    """

    path: str
    line: int
    side: Side
    text: str
    start: int = 0


@dataclass(frozen=True, slots=True)
class ReviewDraft:
    """A review that would be posted.

    Attributes:
        url: of the pull request.
        repository: `owner/name`.
        number: of the pull request.
        title: of the pull request, for people.
        head: the commit that was reviewed.
        text: what stands at the top of the review.
        remarks: the comments on lines of the diff at `head`.
        moved: the head is another one already, so that the review names its commit in words alone.
    """

    url: str
    repository: str
    number: str
    title: str
    head: str
    text: str
    remarks: tuple[Remark, ...] = ()
    moved: bool = False

    @property
    def key(self) -> str:
        """How people call the pull request."""
        return f"{self.repository}#{self.number}"

    def to_json(self) -> str:
        """All of it as text; `from_json` reads it back."""
        return TypeAdapter(ReviewDraft).dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> "ReviewDraft":
        """The draft that `to_json` wrote.

        Raises:
            ValueError: the text is no draft.
        """
        return TypeAdapter(ReviewDraft).validate_json(text)


@dataclass(frozen=True, slots=True)
class Posted:
    """A review that stands on GitHub: its address, GitHub's id, and what there is to say of it, "" for nothing."""

    url: str
    ident: str
    left: str = ""

    def to_json(self) -> str:
        """All of it as text; `from_json` reads it back."""
        return TypeAdapter(Posted).dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> "Posted":
        """What `to_json` wrote.

        Raises:
            ValueError: the text is nothing of the kind.
        """
        return TypeAdapter(Posted).validate_json(text)


def body(draft: ReviewDraft, mark: str) -> Mapping[str, Any]:
    """The request, as GitHub's documentation has it."""
    sent: dict[str, Any] = {
        "event": EVENT,
        "body": f"{draft.text}\n\n{hidden(mark)}",
        "comments": [_comment(remark) for remark in draft.remarks],
    }
    return sent if draft.moved else {"commit_id": draft.head, **sent}


def hidden(mark: str) -> str:
    """The mark as it stands in a review's text."""
    return f"<!-- purser:{mark} -->"


@dataclass(frozen=True, slots=True)
class Standing:
    """A pull request just before something is posted there: the commit it leads to, and whether it is locked."""

    head: str
    locked: bool


async def standing(wire: Wire, path: str) -> Standing:
    """How a pull request stands now. Raises GitHubProblem."""
    raw = _mapping(await wire.getitem(path))
    return Standing(pull(raw, "", (), moving=False).head_sha, raw.get("locked") is True)


async def post(wire: Wire, path: str, draft: ReviewDraft, mark: str, now: Standing) -> Posted:
    """Post a review, once and never again by itself.

    Args:
        wire: asks as ourselves.
        path: of the pull request.
        draft: what to post.
        mark: the proposal's id.
        now: how the pull request stands.

    Raises:
        GitHubUnknown: the answer was lost.
        GitHubProblem: nothing was posted.
    """
    pushed = not draft.moved and now.head != draft.head
    try:
        made = _mapping(await wire.post(f"{path}/reviews", data=body(draft, mark)))
        found = Posted(str(made["html_url"]), str(made["id"]))
    except aiohttp.ClientConnectorError:
        raise  # it was never sent
    except gidgethub.HTTPException as error:
        raise _refusal(error, draft, locked=now.locked, pushed=pushed) from error
    except (
        *(aiohttp.ClientError, OSError, GitHubProblem),
        *(ValueError, LookupError, RecursionError),
    ) as error:
        raise GitHubUnknown from error
    left = PUSHED.format(head=draft.head[:12]) if pushed else ""
    return Posted(found.url, found.ident, left)


async def posted(wire: Wire, path: str, mark: str) -> Posted | None:
    """The review that carries a mark; None where none does.

    Args:
        wire: asks as ourselves.
        path: of the pull request.
        mark: the proposal's id.

    Raises:
        GitHubProblem: nobody can tell.
    """
    async with aclosing(wire.getiter(f"{path}/reviews?per_page={PER_PAGE}")) as pages:
        async for raw in pages:
            review = _mapping(raw)
            if hidden(mark) in str(review.get("body", "")):
                return Posted(str(review.get("html_url", "")), str(review.get("id", "")))
    return None


def _comment(remark: Remark) -> dict[str, Any]:
    made: dict[str, Any] = {
        "path": remark.path,
        "line": remark.line,
        "side": remark.side,
        "body": remark.text,
    }
    return {**made, "start_line": remark.start, "start_side": remark.side} if remark.start else made


def _refusal(
    error: gidgethub.HTTPException, draft: ReviewDraft, *, locked: bool, pushed: bool
) -> Exception:
    """Why GitHub did not take a review; its own limits and troubles are named elsewhere."""
    status, words = int(error.status_code), str(error)
    if status >= 500:
        return GitHubUnknown()
    problem = named(error, as_us=True, now=0.0)
    if isinstance(problem, GitHubBusy) or status <= 401 or "x-github-sso" in error.headers:
        return error
    if locked or "lock" in words.lower():
        return GitHubRefused(LOCKED)
    if status in {403, 404}:
        return GitHubRefused(NO_RIGHT)
    if "pending review" in words.lower():
        return GitHubRejected(PENDING)
    if pushed or "commit" in words.lower():
        return GitHubRejected(FORCED.format(head=draft.head[:12]))
    if _LINES.search(words.lower()):
        return GitHubRejected(LINES)
    return GitHubRejected(REJECTED.format(words=" ".join(words.split())[:WORDS_CHARS]))


def _mapping(raw: Any) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise GitHubDown(NOT_GITHUB)
    return cast("dict[str, Any]", raw)
