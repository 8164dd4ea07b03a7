"""One call of Slack's Web API: past its method's gate, with each failure named once.

    SlackError           Slack said no (`code` is its word), or could not be asked
    ├── Unsure           the call may have taken effect: its reply was lost
    └── Limited          Slack wants us to wait longer than we may

A 429 shuts its method for everybody until the time Slack named; other methods go on. What never left is sent once
more, and so is a read or an edit whose reply was lost. What would show twice (a post, the start of a stream) is not.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import aiohttp
from opentelemetry.trace import SpanKind
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import PurserError
from bot.spans import span

WAIT_SECONDS = 30.0  # for a shut gate, in one call
AGAIN_SECONDS = 0.5  # before a call is repeated
SHOWS_TWICE = frozenset(
    {
        "chat.postMessage",
        "chat.postEphemeral",
        "chat.startStream",
        "chat.appendStream",
        "files.completeUploadExternal",
    }
)
BY_QUERY = frozenset(
    {
        "conversations.replies",
        "conversations.history",
        "conversations.info",
        "conversations.members",
        "chat.getPermalink",
        "users.info",
        "files.info",
    }
)
BY_FORM = frozenset({"files.getUploadURLExternal", "files.completeUploadExternal"})
"""What takes no JSON."""
LOST = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})
"""Slack's words for: something broke on our side, some of it may have been done."""

Json = Mapping[str, Any]


class SlackError(PurserError):
    """Slack did not do it; `code` is its own word, or "unreachable"."""

    def __init__(self, code: str, method: str = "") -> None:
        self.code = code
        self.method = method
        super().__init__(f"{method}: {code}" if method else code)


class Unsure(SlackError):
    """The reply was lost: it may have been done."""


class Limited(SlackError):
    """Slack limits this method for longer than the caller may wait."""


def passing(error: SlackError) -> bool:
    """Whether it is Slack that cannot say, and not that it says no: a while later it may."""
    return isinstance(error, Unsure | Limited) or error.code == "unreachable"


class Gate:
    """Lets calls through.

    Args:
        client: with the bot token, and without retry handlers of its own.
        clock: seconds that only grow.
        sleep: waits.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._clock = clock
        self._sleep = sleep
        self._shut: dict[str, float] = {}  # until when, by method

    async def call(
        self, method: str, arguments: Json, *, patience: float = WAIT_SECONDS
    ) -> dict[str, Any]:
        """Call a method; arguments that are None are left out.

        Args:
            method: such as `chat.postMessage`.
            arguments: as the method takes them.
            patience: seconds that may be waited for the method's gate.

        Raises:
            Unsure: it may have been done.
            SlackError: it was not.
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        with span(method, kind=SpanKind.CLIENT, rpc__system="slack", rpc__method=method):
            return await self._answered(method, given, patience)

    async def _answered(
        self, method: str, given: dict[str, Any], patience: float
    ) -> dict[str, Any]:
        """What Slack answers, past the gate, asked once more where that shows nothing twice."""
        until = self._clock() + patience
        again = True
        while True:
            await self._pass(method, until)
            try:
                return await self._once(method, given)
            except SlackApiError as error:
                if self._was_limited(method, error):
                    continue
                failure = _named(method, error)
                repeatable = isinstance(failure, Unsure) and method not in SHOWS_TWICE
            except (aiohttp.ClientError, SlackClientError, TimeoutError, OSError) as error:
                failure, repeatable = _unanswered(method, error)
            except (ValueError, AttributeError):  # slack_sdk met a body that is not Slack's
                failure, repeatable = Unsure("not_json", method), method not in SHOWS_TWICE
            if not (again and repeatable):
                raise failure from None
            again = False
            await self._sleep(AGAIN_SECONDS)

    async def _pass(self, method: str, until: float) -> None:
        while (opens := self._shut.get(method, 0.0)) > self._clock():
            if opens > until:
                raise Limited("ratelimited", method)
            await self._sleep(opens - self._clock())

    async def _once(self, method: str, given: dict[str, Any]) -> dict[str, Any]:
        if method in BY_QUERY:
            answer = await self._client.api_call(method, http_verb="GET", params=given)
        elif method in BY_FORM:
            answer = await self._client.api_call(method, params=given)
        else:
            answer = await self._client.api_call(method, json=given)
        return cast("dict[str, Any]", answer.data)

    def _was_limited(self, method: str, error: SlackApiError) -> bool:
        """Shut the method's gate if this is a 429."""
        if _status(error) != 429:
            return False
        try:
            seconds = max(0.0, float(error.response.headers.get("Retry-After", "1")))
        except ValueError:
            seconds = 1.0
        self._shut[method] = max(self._shut.get(method, 0.0), self._clock() + seconds)
        return True


def _named(method: str, error: SlackApiError) -> SlackError:
    """Slack's answer, or (from a gateway before it) a status without one."""
    data: Any = getattr(error.response, "data", None)
    code = str(cast("Json", data).get("error") or "") if isinstance(data, dict) else ""
    status = _status(error)
    lost = status >= 500 or code in LOST or (not code and status == 200)
    return (Unsure if lost else SlackError)(code or f"http_{status}", method)


def _status(error: SlackApiError) -> int:
    """The HTTP status; slack_sdk hands over aiohttp's own response where the body was no JSON."""
    response: Any = error.response
    return int(getattr(response, "status_code", 0) or getattr(response, "status", 0))


def _unanswered(method: str, error: Exception) -> tuple[SlackError, bool]:
    """What a call without an answer is, and whether it may be sent again."""
    if isinstance(error, aiohttp.ClientConnectorError):  # no connection, so nothing was done
        return SlackError("unreachable", method), True
    return Unsure("unreachable", method), method not in SHOWS_TWICE
