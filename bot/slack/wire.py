"""Every call of ours to Slack's Web API, with one gate per method and each failure named once.

    SlackError           Slack said no (`code` is its word), or could not be asked
    ├── Unsure           the call may have taken effect: its reply was lost
    └── Limited          Slack wants us to wait longer than we may

A 429 closes its method for everybody until the time Slack named. Reads and edits are repeated once after a lost
reply; what would show twice (a post, the start of a stream) never is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import PurserError

WAIT_SECONDS = 30.0  # for Slack's rate limits, in one call
AGAIN_SECONDS = 0.5  # before a read or an edit is repeated
FILES_HOST = "files.slack.com"  # who may see our token beside the API itself
RESPOND_SECONDS = 10.0
GONE = frozenset({"channel_not_found", "is_archived", "not_in_channel", "restricted_action"})
STREAM_OVER = frozenset({"message_not_in_streaming_state", "streaming_state_conflict"})
TOO_LONG = frozenset({"msg_too_long", "msg_blocks_too_long", "invalid_blocks", "invalid_arguments"})
SHOWS_TWICE = frozenset({"chat.postMessage", "chat.startStream", "chat.appendStream"})

Json = Mapping[str, Any]
Blocks = Sequence[Mapping[str, Any]]


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


class SlackWire:
    """Calls Slack.

    Args:
        client: with the bot token, and without retry handlers of its own.
        session: the aiohttp session it uses, for files and response_urls.
        token: the bot token.
        clock: seconds that only grow.
        sleep: waits.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        session: aiohttp.ClientSession,
        *,
        token: str,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._session = session
        self._token = token
        self._clock = clock
        self._sleep = sleep
        self._shut: dict[str, float] = {}
        api = urlsplit(client.base_url)
        self._own = (api.scheme, api.netloc) if api.hostname != "slack.com" else None

    # What is said in a channel

    async def post(
        self,
        channel: str,
        text: str,
        *,
        thread: str = "",
        blocks: Blocks | None = None,
        metadata: Json | None = None,
    ) -> str:
        """Post a message and return its ts.

        Raises:
            Unsure: it may stand there.
            SlackError: it does not.
        """
        said = {"text": text} if blocks else {"markdown_text": text}
        answer = await self._call(
            "chat.postMessage",
            channel=channel,
            thread_ts=thread or None,
            blocks=blocks,
            metadata=metadata,
            unfurl_links=False,
            unfurl_media=False,
            **said,
        )
        return str(answer["ts"])

    async def update(
        self, channel: str, ts: str, text: str, *, blocks: Blocks | None = None
    ) -> None:
        """Replace a message's words."""
        said = {"text": text, "blocks": blocks} if blocks else {"markdown_text": text}
        await self._call("chat.update", channel=channel, ts=ts, **said)

    async def ephemeral(
        self,
        channel: str,
        user: str,
        text: str,
        *,
        thread: str = "",
        blocks: Blocks | None = None,
    ) -> None:
        """Say something that one person alone sees."""
        await self._call(
            "chat.postEphemeral",
            channel=channel,
            user=user,
            text=text,
            blocks=blocks,
            thread_ts=thread or None,
        )

    async def start_stream(self, channel: str, thread: str, *, team: str, user: str) -> str:
        """Open a stream in a thread and return its ts; `user` is the human it is for."""
        answer = await self._call(
            "chat.startStream",
            channel=channel,
            thread_ts=thread,
            recipient_team_id=team or None,
            recipient_user_id=user or None,
        )
        return str(answer["ts"])

    async def append_stream(self, channel: str, ts: str, text: str) -> None:
        """Say more in a stream."""
        await self._call("chat.appendStream", channel=channel, ts=ts, markdown_text=text)

    async def stop_stream(self, channel: str, ts: str, *, blocks: Blocks | None = None) -> None:
        """Close a stream, with blocks under it."""
        await self._call("chat.stopStream", channel=channel, ts=ts, blocks=blocks)

    async def status(self, channel: str, thread: str, user: str, words: str) -> None:
        """Show the native status line; "" takes it away.

        Raises:
            SlackError: this workspace or place has none.
        """
        try:
            await self._call(
                "agents.sessions.setStatus",
                channel_id=channel,
                thread_ts=thread,
                status="processing" if words else "active",
                title=words[:100] or None,
                initiator_user_id=user or None,
            )
        except SlackError as error:
            if error.code not in {"unknown_method", "not_allowed", "feature_not_enabled"}:
                raise
            await self._call(
                "assistant.threads.setStatus", channel_id=channel, thread_ts=thread, status=words
            )

    async def respond(
        self, url: str, text: str, *, blocks: Blocks | None = None, public: bool = False
    ) -> None:
        """Answer a command or click through its response_url (five times, for 30 minutes).

        Raises:
            SlackError: the url is none of Slack's, or it is used up.
        """
        self._check_origin(url, "hooks.slack.com")
        body: dict[str, Any] = {
            "text": text,
            "response_type": "in_channel" if public else "ephemeral",
            "replace_original": False,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        if blocks:
            body["blocks"] = list(blocks)
        timeout = aiohttp.ClientTimeout(total=RESPOND_SECONDS)
        try:
            async with self._session.post(url, json=body, timeout=timeout) as answer:
                if answer.status != 200:
                    raise SlackError(f"http_{answer.status}", "response_url")
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise Unsure("unreachable", "response_url") from None

    # What is read

    async def user_info(self, user: str) -> Json:
        """The `user` object of users.info."""
        return cast("Json", (await self._call("users.info", user=user))["user"])

    async def channel_info(self, channel: str) -> Json:
        """The `channel` object of conversations.info."""
        return cast("Json", (await self._call("conversations.info", channel=channel))["channel"])

    async def direct(self, user: str) -> str:
        """The channel of the direct messages with somebody."""
        answer = await self._call("conversations.open", users=user)
        return str(answer["channel"]["id"])

    async def replies(
        self,
        channel: str,
        thread: str,
        *,
        oldest: str = "",
        latest: str = "",
        limit: int = 200,
        cursor: str = "",
    ) -> Json:
        """One page of a thread, as Slack answers."""
        return await self._call(
            "conversations.replies",
            channel=channel,
            ts=thread,
            oldest=oldest or None,
            latest=latest or None,
            limit=limit,
            cursor=cursor or None,
            inclusive=True,
        )

    async def history(self, channel: str, *, oldest: str, limit: int = 50) -> Json:
        """The newest messages of a channel since a ts, as Slack answers."""
        return await self._call(
            "conversations.history", channel=channel, oldest=oldest, limit=limit, inclusive=True
        )

    async def file_info(self, file_id: str) -> Json:
        """The `file` object of files.info."""
        return cast("Json", (await self._call("files.info", file=file_id))["file"])

    async def download(self, url: str, *, limit: int) -> bytes:
        """A file's bytes, at most `limit` + 1; our token goes to Slack's own file host alone.

        Raises:
            SlackError: it is elsewhere, or cannot be read.
        """
        self._check_origin(url, FILES_HOST)
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            async with self._session.get(url, headers=headers, allow_redirects=False) as answer:
                if answer.status != 200:
                    raise SlackError(f"http_{answer.status}", "file")
                data = bytearray()
                async for chunk in answer.content.iter_chunked(64 * 1024):
                    data += chunk
                    if len(data) > limit:
                        return bytes(data[: limit + 1])
                return bytes(data)
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise SlackError("unreachable", "file") from None

    async def auth_test(self) -> Json:
        """Who we are."""
        return await self._call("auth.test")

    async def publish_home(self, user: str, view: Json) -> None:
        """Show somebody's App Home."""
        await self._call("views.publish", user_id=user, view=view)

    def _check_origin(self, url: str, host: str) -> None:
        """Only Slack's own host, or (a stand-in) the very origin of the API we were told to use."""
        parts = urlsplit(url)
        theirs = parts.scheme == "https" and parts.netloc == host
        if not theirs and (parts.scheme, parts.netloc) != self._own:
            raise SlackError("foreign_address")

    async def _call(self, method: str, **arguments: Any) -> Json:
        """Call a method, waiting for its gate; see the module for what is repeated."""
        deadline = self._clock() + WAIT_SECONDS
        again = method not in SHOWS_TWICE
        while True:
            shut = self._shut.get(method, 0.0)
            if shut > deadline:
                raise Limited("ratelimited", method)
            if (wait := shut - self._clock()) > 0:
                await self._sleep(wait)
            try:
                return await self._once(method, arguments)
            except SlackApiError as error:
                if not self._limited(method, error):
                    raise _named(method, error) from None
            except (
                aiohttp.ClientError,
                SlackClientError,
                TimeoutError,
                OSError,
                ValueError,
            ) as error:
                if _never_left(error):
                    raise SlackError("unreachable", method) from None
                if not again:
                    raise Unsure("unreachable", method) from None
                again = False
                await self._sleep(AGAIN_SECONDS)

    async def _once(self, method: str, arguments: dict[str, Any]) -> Json:
        given = {name: value for name, value in arguments.items() if value is not None}
        if method in _BY_QUERY:
            answer = await self._client.api_call(method, http_verb="GET", params=given)
        else:
            answer = await self._client.api_call(method, json=given)
        return cast("Json", answer.data)

    def _limited(self, method: str, error: SlackApiError) -> bool:
        """Close the method's gate if this is a 429."""
        if error.response.status_code != 429:
            return False
        try:
            seconds = float(error.response.headers.get("Retry-After", "1"))
        except ValueError:
            seconds = 1.0
        self._shut[method] = max(self._shut.get(method, 0.0), self._clock() + seconds)
        return True


_BY_QUERY = frozenset(
    {
        "conversations.replies",
        "conversations.history",
        "conversations.info",
        "users.info",
        "files.info",
    }
)


def _named(method: str, error: SlackApiError) -> SlackError:
    """Slack's answer, or (from a gateway before it) a status without one."""
    status = int(error.response.status_code)
    data = error.response.data
    code = data.get("error") if isinstance(data, dict) else None
    if code is None and status >= 500:
        return (Unsure if method in SHOWS_TWICE else SlackError)(f"http_{status}", method)
    return SlackError(str(code or f"http_{status}"), method)


def _never_left(error: Exception) -> bool:
    """Whether no connection was made, so that nothing can have been done."""
    return isinstance(error, aiohttp.ClientConnectorError)
