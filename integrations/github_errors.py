"""What goes wrong with GitHub: each way has a name, and a sentence fit for Claude and for a person.

    GitHubProblem
    ├── GitHubBadAddress   no address of a pull request, commit, comparison, file or repository there
    ├── GitHubNotFound     not there, or hidden from whoever asked: GitHub does not say which
    ├── GitHubRefused      the token is not accepted, or a right is missing
    ├── GitHubBusy         a rate limit, primary or secondary, with the seconds to wait
    ├── GitHubMoved        the repository has another name now; nothing is followed
    ├── GitHubTooLarge     more bytes than are read
    ├── GitHubRejected     GitHub does not take the request as it was put
    ├── GitHubSlow         no whole answer within the deadline
    ├── GitHubDown         unreachable, cut off, or an answer that is none of GitHub's
    └── GitHubUnknown      sent, and the answer was lost: written or not

No sentence holds a header or a credential.
"""

from collections.abc import Mapping

import gidgethub

SECONDARY_SECONDS = 60.0  # to wait where a secondary limit names no seconds
LIMIT_SECONDS = 3_600.0  # of a limit, at most: whatever a header claims

NOT_GITHUB = (
    "What answers at GitHub's address is not GitHub's interface; an operator has to check "
    "GITHUB_API_URL."
)


class GitHubProblem(Exception):
    """GitHub gave nothing. The message is whole sentences: what happened and what to do."""

    sentence = "GitHub could not be asked; try again in a few minutes."

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence or self.sentence)


class GitHubBadAddress(GitHubProblem):
    """This names nothing on the code host."""

    sentence = (
        "This is no address of a pull request, a commit, a comparison, a file or a repository; "
        "copy it from the browser while looking at one."
    )


class GitHubNotFound(GitHubProblem):
    """What was asked for does not exist, or may not be seen by whoever asked."""

    sentence = "There is no such thing on GitHub, or it is private."


class GitHubRefused(GitHubProblem):
    """GitHub does not accept the bot's token, or a right is missing."""

    sentence = "GitHub does not permit this to the bot's token; an operator has to widen its rights (GITHUB_TOKEN)."


class GitHubBusy(GitHubProblem):
    """GitHub limits our requests.

    Attributes:
        seconds: after which it may be asked again.
    """

    def __init__(self, seconds: float, *, primary: bool, as_us: bool) -> None:
        self.seconds = min(max(1.0, seconds), LIMIT_SECONDS)
        what = "GitHub's requests for this hour are used up" if primary else "GitHub slows us down"
        token = "" if as_us or not primary else " (without a token they are few)"
        super().__init__(f"{what}{token}; it may be asked again in {round(self.seconds)} s.")


class GitHubMoved(GitHubProblem):
    """The repository has another name now."""

    sentence = (
        "This repository was renamed or moved. Open the address in a browser and ask again with "
        "the one that it leads to."
    )


class GitHubTooLarge(GitHubProblem):
    """It is larger than what is read."""

    sentence = "This is larger than what is read from GitHub; ask for a part of it, such as single commits or files."


class GitHubRejected(GitHubProblem):
    """GitHub does not take the request as it was put."""

    sentence = "GitHub does not take this request; the commits may have nothing in common, or the repository may be empty."


class GitHubSlow(GitHubProblem):
    """GitHub did not answer in time."""

    sentence = "GitHub did not answer in time; try again in a few minutes."


class GitHubDown(GitHubProblem):
    """GitHub could not be reached, or broke off."""

    sentence = (
        "GitHub could not be reached, or broke off in its answer; try again in a few minutes."
    )


class GitHubUnknown(GitHubProblem):
    """Something was sent, and the answer was lost: it may stand there or not."""

    sentence = "GitHub's answer was lost: what was sent may stand there or not."


def named(error: Exception, *, as_us: bool, now: float) -> GitHubProblem:
    """One of our errors for whatever reading over gidgethub and aiohttp lets escape.

    Args:
        error: a GitHubException, ClientError, OSError or ValueError; our own errors pass as they are.
        as_us: whether our token was sent.
        now: epoch seconds, for limits that name a moment.
    """
    if isinstance(error, GitHubProblem):
        return error
    if isinstance(error, gidgethub.HTTPException):
        return _status(error, as_us=as_us, now=now)
    if isinstance(error, ValueError | LookupError):
        return GitHubDown(NOT_GITHUB)
    return GitHubDown()


def _status(error: gidgethub.HTTPException, *, as_us: bool, now: float) -> GitHubProblem:
    status = int(error.status_code)
    if status in {403, 429} and (busy := _busy(error, as_us=as_us, now=now)):
        return busy
    if status == 401:
        return GitHubRefused(
            "GitHub does not accept the bot's token; an operator has to make a new one (GITHUB_TOKEN)."
            if as_us
            else "This GitHub answers nobody without a token; an admin opens the repository with `repos` in the policy."
        )
    if status == 403 and "x-github-sso" in error.headers:
        return GitHubRefused(
            "The organisation wants single sign-on: the owner of GITHUB_TOKEN has to authorise it for that organisation."
        )
    simple: dict[int, type[GitHubProblem]] = {
        403: GitHubRefused,
        404: GitHubNotFound,
        406: GitHubTooLarge,
        409: GitHubRejected,
        422: GitHubRejected,
    }
    if status in simple:
        return simple[status]()
    if status == 451:
        return GitHubNotFound("GitHub does not show this for legal reasons.")
    if 300 <= status < 400:
        return GitHubMoved()
    if status >= 500:
        return GitHubDown(
            f"GitHub is out of order (it answered {status}); try again in a few minutes."
        )
    return GitHubDown(NOT_GITHUB)


def _busy(error: gidgethub.HTTPException, *, as_us: bool, now: float) -> GitHubBusy | None:
    """The limit that an error tells of, if it does."""
    headers = error.headers
    wait = _number(headers, "retry-after")
    if wait is not None:
        return GitHubBusy(wait, primary=False, as_us=as_us)
    if _number(headers, "x-ratelimit-remaining") == 0:
        reset = _number(headers, "x-ratelimit-reset")
        return GitHubBusy(
            SECONDARY_SECONDS if reset is None else reset - now, primary=True, as_us=as_us
        )
    if int(error.status_code) == 429 or "rate limit" in str(error).lower():
        return GitHubBusy(SECONDARY_SECONDS, primary=False, as_us=as_us)
    return None


def _number(headers: Mapping[str, str], name: str) -> float | None:
    """A header's number; None where there is none, or nonsense."""
    text = headers.get(name, "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
