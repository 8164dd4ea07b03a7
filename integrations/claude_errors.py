"""What Claude's API says when it does not answer: its rate limits, and one tree of errors.

    ClaudeError
    ├── Busy                  waiting helps
    │   ├── RateLimited       429: our quota, `facts.which` says of what
    │   │   └── RampLimited   429: traffic grew too fast
    │   ├── Overloaded        529: everybody's capacity
    │   └── ServerFailed      5xx, 408, 409: their fault, passing
    ├── Broken                the connection failed, not the request
    │   ├── Unreachable       no connection, nothing was sent
    │   ├── StreamCut         the answer ended in its middle
    │   ├── WentSilent        no byte came for too long
    │   └── Malformed         what came was no answer
    ├── SpendLimited          money: waiting does not help
    ├── OutputFiltered        the answer was blocked by the output filter
    ├── RequestTooLarge       more than the model or the API takes
    ├── ModelUnknown          no such model for this account
    ├── BadCredentials        key or permission
    └── BadRequest            our bug

Nothing here imports the SDK, and no error carries text of the request or of the answer.
"""

from __future__ import annotations

import email.utils
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

KINDS = ("requests", "input_tokens", "output_tokens", "tokens")


@dataclass(frozen=True, slots=True)
class Limit:
    """One bucket: its size, what is left in it, when it is full again (UTC)."""

    limit: int | None = None
    remaining: int | None = None
    reset: datetime | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """The buckets a response told of; a bucket it did not name is None."""

    requests: Limit | None = None
    input_tokens: Limit | None = None
    output_tokens: Limit | None = None
    tokens: Limit | None = None

    @classmethod
    def read(cls, headers: Mapping[str, str]) -> Limits:
        """Take them from response headers; what cannot be read is left out."""
        return cls(**{kind: _limit(headers, kind) for kind in KINDS})

    def told(self) -> dict[str, dict[str, object]]:
        """Each bucket as a log shows it: what is left, of how much, and when it is full again."""
        buckets: dict[str, Limit | None] = {kind: getattr(self, kind) for kind in KINDS}
        return {
            kind: {
                "remaining": bucket.remaining,
                "limit": bucket.limit,
                "reset": bucket.reset.isoformat() if bucket.reset else None,
            }
            for kind, bucket in buckets.items()
            if bucket
        }

    def exhausted(self) -> str | None:
        """Name the bucket with the smallest share left, if that is under one twentieth."""
        shares: dict[str, float] = {}
        for kind in KINDS:
            bucket: Limit | None = getattr(self, kind)
            if bucket and bucket.limit and bucket.remaining is not None:
                shares[kind] = bucket.remaining / bucket.limit
        if not shares:
            return None
        kind = min(shares, key=shares.__getitem__)
        return kind if shares[kind] < 0.05 else None


def _limit(headers: Mapping[str, str], kind: str) -> Limit | None:
    stem = f"anthropic-ratelimit-{kind.replace('_', '-')}-"
    found = Limit(
        _whole(headers.get(stem + "limit")),
        _whole(headers.get(stem + "remaining")),
        _moment(headers.get(stem + "reset")),
    )
    return None if found == Limit() else found


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Give the seconds to wait that the headers ask for, None when they ask for none."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) * scale
        except (KeyError, ValueError):
            continue
        if 0 <= seconds < float("inf"):
            return seconds
    try:
        moment = email.utils.parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


@dataclass(frozen=True, slots=True)
class Facts:
    """The circumstances of a failure; text of the conversation is not among them.

    Attributes:
        status: HTTP status; 200 when a stream failed after it began.
        type: `error.type` of the body.
        code: `error.details.error_code` of the body.
        which: the bucket that was empty (one of KINDS), or "acceleration".
        where: the field of the request that was refused, such as `messages.2.content.0`.
        retry_after: seconds that the API asks us to wait.
        message_id, model, usage: as known from the beginning of the stream.
        streamed: whether any text had arrived.
        may_be_billed: False only when it is certain that this attempt costs nothing.
        cause: class name of the foreign error.
    """

    status: int | None = None
    type: str | None = None
    code: str | None = None
    request_id: str | None = None
    limits: Limits = field(default_factory=Limits)
    which: str | None = None
    where: str | None = None
    retry_after: float | None = None
    message_id: str | None = None
    model: str | None = None
    usage: Mapping[str, Any] = field(default_factory=dict[str, Any])
    streamed: bool = False
    may_be_billed: bool = False
    cause: str = ""


class ClaudeError(Exception):
    """Claude did not answer."""

    def __init__(self, facts: Facts | None = None) -> None:
        self.facts = facts or Facts()
        told = (self.facts.status, self.facts.type, self.facts.code, self.facts.cause)
        super().__init__(f"{self.__doc__} [{', '.join(str(part) for part in told if part)}]")


class Busy(ClaudeError):
    """Claude is busy; waiting helps."""


class RateLimited(Busy):
    """This account's rate limit at Claude is reached; wait and try again."""


class RampLimited(RateLimited):
    """Traffic to Claude grew too fast; wait and grow slower."""


class Overloaded(Busy):
    """Claude is overloaded for everybody; try again a little later."""


class ServerFailed(Busy):
    """Claude's API failed on its own side; try again."""


class Broken(ClaudeError):
    """The connection to Claude broke; try again."""


class Unreachable(Broken):
    """Claude's API cannot be reached; check the network, the proxy and ANTHROPIC_BASE_URL."""


class StreamCut(Broken):
    """Claude's answer was cut off in its middle; try again."""


class WentSilent(Broken):
    """Claude sent nothing for too long; try again."""


class Malformed(Broken):
    """What came back from Claude's address was no answer of Claude's API; check what stands between."""


class SpendLimited(ClaudeError):
    """A spending limit of the Claude account is reached; an administrator has to raise it in the Console."""


class OutputFiltered(ClaudeError):
    """Claude's answer was blocked by the output filter; ask in other words."""


class RequestTooLarge(ClaudeError):
    """The request is larger than the model takes; send less."""


class ModelUnknown(ClaudeError):
    """This account knows no such model; check the model's name in the policy."""


class BadCredentials(ClaudeError):
    """Claude's API does not accept the key; check ANTHROPIC_API_KEY and its workspace."""


class BadRequest(ClaudeError):
    """Claude's API rejected the request as malformed; this is a bug of Purser."""


_BY_TYPE: dict[str, type[ClaudeError]] = {
    "rate_limit_error": RateLimited,
    "overloaded_error": Overloaded,
    "api_error": ServerFailed,
    "timeout_error": ServerFailed,
    "conflict_error": ServerFailed,
    "authentication_error": BadCredentials,
    "permission_error": BadCredentials,
    "billing_error": SpendLimited,
    "not_found_error": ModelUnknown,
    "request_too_large": RequestTooLarge,
    "invalid_request_error": BadRequest,
}
_BY_STATUS: dict[int, type[ClaudeError]] = {
    401: BadCredentials,
    402: SpendLimited,
    403: BadCredentials,
    404: ModelUnknown,
    408: ServerFailed,
    409: ServerFailed,
    413: RequestTooLarge,
    429: RateLimited,
    431: RequestTooLarge,
    499: StreamCut,
    529: Overloaded,
}
_BY_CODE: dict[str, type[ClaudeError]] = {
    "ramp_limit_exceeded": RampLimited,
    "enforced_spend_limit_reached": SpendLimited,
    "contract_spend_limit_reached": SpendLimited,
    "linked_organization_spend_limit_reached": SpendLimited,
    "linked_organization_billing_unavailable": SpendLimited,
    "organization_on_hold": SpendLimited,
}
# The API has no code for these three; its sentence is the only sign, and its wording may change.
_BY_WORDS: tuple[tuple[re.Pattern[str], type[ClaudeError]], ...] = (
    (re.compile(r"content filter", re.IGNORECASE), OutputFiltered),
    (re.compile(r"api usage limits|credit balance", re.IGNORECASE), SpendLimited),
    (
        re.compile(r"prompt is too long|exceeds? (?:the )?(?:maximum|context)", re.IGNORECASE),
        RequestTooLarge,
    ),
)
_WHICH = re.compile(r"\b(input tokens|output tokens|requests|tokens)\b", re.IGNORECASE)
_WHERE = re.compile(r"([a-z_]{1,40}(?:\.[a-z0-9_]{1,40}){0,9}):\s")


def classify(facts: Facts, words: str) -> type[ClaudeError]:
    """Choose the class for an error that the API itself reported.

    A stream's error comes with status 200, so its type is asked before the status is.

    Args:
        facts: status, type and code are looked at.
        words: the API's own sentence; looked at, never kept.
    """
    by_code = _BY_CODE.get(facts.code or "")
    if by_code:
        return by_code
    known = _BY_TYPE.get(facts.type or "") or _BY_STATUS.get(facts.status or 0)
    if known in (BadRequest, ServerFailed, None):
        for pattern, meaning in _BY_WORDS:
            if pattern.search(words) and (known is not ServerFailed or meaning is OutputFiltered):
                return meaning
    if known:
        return known
    return BadRequest if 400 <= (facts.status or 0) < 500 else ServerFailed


def which_limit(limits: Limits, code: str | None, words: str) -> str | None:
    """Name the bucket that a 429 speaks of."""
    if code == "ramp_limit_exceeded":
        return "acceleration"
    named = _WHICH.search(words)
    return limits.exhausted() or (named[1].lower().replace(" ", "_") if named else None)


def refused_field(words: str) -> str | None:
    """Read the path of the refused field, which the API puts before its sentence."""
    found = _WHERE.match(words)
    return found[1] if found else None
