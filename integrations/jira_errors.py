"""What goes wrong with Jira: each way has a name, and a sentence fit for Claude and for a person.

    JiraProblem
    ├── JiraRejected    Jira does not take the request; its own words are in the sentence
    ├── JiraNotFound    not there, or hidden from the bot's account: Jira does not say which
    ├── JiraRefused     credentials expired or wrong, or a right is missing
    ├── JiraBusy        rate limited, with the seconds to wait where Jira names them
    ├── JiraSlow        no whole answer within the deadline
    ├── JiraBroken      unreachable, cut off, or an answer that is none of Jira's
    ├── JiraChanged     not written: the issue is not as the proposal shows it any more
    ├── JiraUnknown     sent, and the answer was lost: written or not
    └── JiraNotUndone   what was written stays, and why

No sentence holds an address, a header or a credential.
"""

import json
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, cast

WORDS_CHARS = 300  # of Jira's own words that are repeated

EXPIRED = (
    "Jira refused the bot's credentials: the API token has expired, is wrong, or lacks a scope. "
    "An operator has to make a new one (JIRA_API_TOKEN) and to check JIRA_EMAIL and JIRA_API_URL; "
    "tokens with scopes work only at the gateway address."
)
NOT_JIRA = (
    "What answers at Jira's address is not Jira's interface; an operator has to check JIRA_URL "
    "and JIRA_API_URL."
)
LIMIT = "Jira limits how often the bot may ask"
LIMITS = {
    "per-issue": "Jira limits how often one issue is changed, and this one was changed too often just now",
    "quota": "The hour's quota of requests that Jira grants the bot is used up",
    "burst": "Jira limits how often all apps of this site together may ask, and they ask too often just now",
}
OUT_OF_ORDER = "Jira is out of order (it answered {status}); try again in a few minutes."


class JiraProblem(Exception):
    """Jira gave nothing. The message is whole sentences: what happened and what to do.

    Attributes:
        unsent: known for sure: Jira did nothing of what was asked.
    """

    sentence = "Jira could not be asked; try again in a few minutes."

    def __init__(self, sentence: str = "", *, unsent: bool = False) -> None:
        super().__init__(sentence or self.sentence)
        self.unsent = unsent


class JiraRejected(JiraProblem):
    """Jira does not take the request as it was put."""

    sentence = "Jira does not take this request as it was put; change it and ask again."


class JiraNotFound(JiraProblem):
    """What was asked for does not exist, or the bot's account may not see it."""

    sentence = (
        "Jira has no such thing, or the bot's account may not see it; check the key, and whether "
        "the account may browse its project."
    )


class JiraRefused(JiraProblem):
    """Jira refused the bot's credentials, or a right is missing."""

    sentence = "Jira does not permit this to the bot's account; a Jira admin has to grant it."


class JiraBusy(JiraProblem):
    """Jira limits our requests.

    Args:
        seconds: after which it may be asked again; None when Jira does not say.
        reason: Jira's name of the limit, of its header RateLimit-Reason.
    """

    def __init__(self, seconds: float | None = None, reason: str = "") -> None:
        when = "in a minute" if seconds is None else f"in {max(1, round(seconds))} s"
        limit = next((said for name, said in LIMITS.items() if name in reason), LIMIT)
        super().__init__(f"{limit}; try again {when}.", unsent=True)
        self.seconds = seconds


class JiraSlow(JiraProblem):
    """Jira did not answer in time."""

    sentence = "Jira did not answer in time; try again in a few minutes."


class JiraBroken(JiraProblem):
    """Jira is unreachable, or answers with something that is none of its answers."""

    sentence = "Jira cannot be reached or broke off its answer; try again in a few minutes."


class JiraChanged(JiraProblem):
    """The issue is not as the proposal shows it any more, so nothing was written."""

    sentence = "The issue has changed in Jira meanwhile, so nothing was written; ask again."


class JiraUnknown(JiraProblem):
    """A change was sent and its answer was lost."""

    sentence = (
        "Jira's answer to the change was lost: it may stand there or not. Look at the issue in Jira "
        "before asking again."
    )


class JiraNotUndone(JiraProblem):
    """What was written stays."""

    sentence = "This cannot be taken back from here; change it in Jira."


def of_answer(status: int, headers: Mapping[str, str], body: bytes) -> JiraProblem:
    """The problem that an answer other than 2xx tells of.

    Args:
        status: the HTTP status.
        headers: found by any case of their names.
        body: what came with it.
    """
    words = _words(body)
    if status == 401 or login_failed(headers):
        return JiraRefused(EXPIRED)
    if status == 403:
        return JiraRefused()
    if status == 404 and words is not None:
        return JiraNotFound()
    if status == 429:
        return JiraBusy(retry_after(headers), headers.get("RateLimit-Reason", ""))
    if status >= 500:
        return JiraBroken(OUT_OF_ORDER.format(status=status))
    if words is None:
        return JiraBroken(NOT_JIRA, unsent=True)
    return JiraRejected(f"Jira does not take this request: {words}" if words else "")


def login_failed(headers: Mapping[str, str]) -> bool:
    """Whether Jira took us for a stranger although we named ourselves; it may say so at any status."""
    return "AUTHENTICATED_FAILED" in headers.get("X-Seraph-LoginReason", "")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, given as a number or as a date (counted from the answer's own); None when unsaid."""
    text = headers.get("Retry-After", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        seconds = _until(text, headers.get("Date", ""))
    return max(0.0, seconds) if seconds is not None and seconds < float("inf") else None


def _until(text: str, now: str) -> float | None:
    try:
        return (parsedate_to_datetime(text) - parsedate_to_datetime(now)).total_seconds()
    except (ValueError, TypeError):
        return None


def _words(body: bytes) -> str | None:
    """Jira's own words in an error, fields by name; "" without any, None when the answer is not JSON."""
    try:
        told: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    answer = cast("dict[str, Any]", told)
    messages, fields = answer.get("errorMessages"), answer.get("errors")
    found = [str(m) for m in cast("list[Any]", messages)] if isinstance(messages, list) else []
    if isinstance(fields, dict):
        found += [f"{name}: {said}" for name, said in cast("dict[str, Any]", fields).items()]
    text = " ".join(" ".join(found or [str(answer.get("message") or "")]).split())
    return text if len(text) <= WORDS_CHARS else f"{text[:WORDS_CHARS]}…"
