"""Every error the SDK or its transport can raise has one name of ours, and headers are read with care."""

import inspect
import json
from datetime import UTC, datetime, timedelta

import anthropic
import httpx2
import pytest

from integrations import claude_errors
from integrations.claude import named
from integrations.claude_errors import (
    BadRequest,
    ClaudeError,
    Facts,
    Limit,
    Limits,
    Malformed,
    StreamCut,
    Unreachable,
    WentSilent,
    retry_after,
    which_limit,
)

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
REQUEST = httpx2.Request("POST", "http://127.0.0.1/v1/messages")


def classes(of: object, root: type[Exception]) -> list[type[Exception]]:
    """The exception classes that a module offers."""
    found = {c for c in vars(of).values() if inspect.isclass(c) and issubclass(c, root)}
    return sorted(found, key=lambda c: c.__name__)


def reported(kind: type[anthropic.APIStatusError], status: int) -> anthropic.APIStatusError:
    """An error as the SDK makes it from a response."""
    response = httpx2.Response(status, request=REQUEST)
    return kind("words", response=response, body={"error": {"type": None, "message": "words"}})


def instance(kind: type[Exception]) -> Exception:
    """One of a class, made as its constructor wants it."""
    if issubclass(kind, anthropic.APIStatusError):
        return reported(kind, getattr(kind, "status_code", 500))
    if issubclass(kind, anthropic.APITimeoutError):
        return kind(REQUEST)
    if issubclass(kind, anthropic.APIConnectionError):
        return kind(request=REQUEST)
    if issubclass(kind, anthropic.APIResponseValidationError):
        return kind(httpx2.Response(200, request=REQUEST), None)
    if issubclass(kind, anthropic.APIError):
        return kind("words", REQUEST, body=None)
    if issubclass(kind, httpx2.HTTPStatusError):
        return kind("words", request=REQUEST, response=httpx2.Response(500, request=REQUEST))
    if kind in (
        httpx2.StreamConsumed,
        httpx2.StreamClosed,
        httpx2.ResponseNotRead,
        httpx2.RequestNotRead,
    ):
        return kind()
    return kind("words")


@pytest.mark.parametrize(
    "kind",
    [
        *classes(anthropic, anthropic.AnthropicError),
        *classes(httpx2, httpx2.HTTPError),
        *classes(httpx2, httpx2.StreamError),
        ValueError,
    ],
    ids=lambda kind: kind.__name__,
)
def test_every_foreign_error_has_a_name(kind: type[Exception]) -> None:
    """Each exception class of the SDK and its transport becomes one of ours, without its words."""
    error = named(instance(kind), Facts(), NOW)

    assert type(error) in classes(claude_errors, ClaudeError)
    assert type(error) is not ClaudeError
    assert "words" not in str(error)


def test_every_name_of_ours_is_a_sentence() -> None:
    """Each class says in its docstring what is wrong."""
    for kind in classes(claude_errors, ClaudeError):
        assert str(kind.__doc__).endswith(".")
        assert str(kind.__doc__) in str(kind())


@pytest.mark.parametrize(
    ("root", "expected", "billed"),
    [
        (httpx2.ConnectError(""), Unreachable, False),
        (httpx2.ConnectTimeout(""), Unreachable, False),
        (httpx2.PoolTimeout(""), Unreachable, False),
        (httpx2.ReadTimeout(""), WentSilent, True),
        (httpx2.ReadError(""), StreamCut, True),
        (httpx2.RemoteProtocolError(""), StreamCut, True),
        (httpx2.DecodingError(""), Malformed, True),
    ],
)
def test_what_was_not_sent_costs_nothing(
    root: Exception, expected: type[ClaudeError], billed: bool
) -> None:
    """Only where the request cannot have left is it certain that nothing is billed."""
    wrapped = anthropic.APIConnectionError(request=REQUEST)
    wrapped.__cause__ = root
    for foreign in (root, wrapped):
        error = named(foreign, Facts(), NOW)

        assert (expected, billed) == (type(error), error.facts.may_be_billed)


def test_json_that_is_none() -> None:
    """A body that is no JSON is malformed; another ValueError before anything came is our bug."""
    broken = json.JSONDecodeError("words", "{secret", 1)

    assert Malformed is type(named(broken, Facts(), NOW))
    assert BadRequest is type(named(ValueError("words"), Facts(), NOW))
    assert Malformed is type(named(ValueError("words"), Facts(message_id="msg_1"), NOW))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "3", "retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:30 GMT"}, 30.0),
        ({"retry-after": "Sun, 22 Nov 2026 09:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], expected: float | None) -> None:
    """The wait is read as milliseconds, seconds or a date; nonsense is no wait."""
    assert expected == retry_after(headers, NOW)


def test_limits_are_read_from_headers() -> None:
    """Each bucket comes with size, rest and reset; what cannot be read is left out."""
    limits = Limits.read(
        {
            "anthropic-ratelimit-input-tokens-limit": "30000",
            "anthropic-ratelimit-input-tokens-remaining": "500",
            "anthropic-ratelimit-input-tokens-reset": "2026-11-22T10:01:00Z",
            "anthropic-ratelimit-requests-limit": "many",
            "anthropic-ratelimit-requests-reset": "tomorrow",
        }
    )

    assert Limits(input_tokens=Limit(30000, 500, NOW + timedelta(minutes=1))) == limits
    assert limits.exhausted() == "input_tokens"
    assert Limits().exhausted() is None
    assert limits.told() == {
        "input_tokens": {"remaining": 500, "limit": 30000, "reset": "2026-11-22T10:01:00+00:00"}
    }


@pytest.mark.parametrize(
    ("limits", "code", "words", "expected"),
    [
        (Limits(), "ramp_limit_exceeded", "", "acceleration"),
        (Limits(requests=Limit(50, 0)), None, "output tokens per minute", "requests"),
        (Limits(), None, "rate limit of 80,000 output tokens per minute", "output_tokens"),
        (Limits(), None, "slow down", None),
    ],
)
def test_which_limit(limits: Limits, code: str | None, words: str, expected: str | None) -> None:
    """The code says it, else the emptiest bucket, else the sentence, else nobody knows."""
    assert expected == which_limit(limits, code, words)
