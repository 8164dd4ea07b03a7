"""What is said to Slack and read from it, one method each; failures are those of `gate`."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, cast
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.gate import WAIT_SECONDS, Gate, Json, Limited, SlackError, Unsure
from bot.slack.streams import Streams
from bot.slack.uploads import Uploads

FILES_HOST = "files.slack.com"  # who may see our token beside the API itself
HOOKS_HOST = "hooks.slack.com"  # where response_urls lead
RESPOND_SECONDS = 10.0
REASON_BYTES = 1_000  # read of why a response_url did not take something
TITLE_CHARS = 200  # of a session's title
GONE = frozenset(
    {
        "channel_not_found",
        "is_archived",
        "not_in_channel",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_non_threadable_channel",
        "restricted_action_thread_locked",
    }
)
"""The channel is closed to us."""
NO_SESSIONS = frozenset(
    {"unknown_method", "not_authorized", "not_allowed", "feature_not_enabled", "missing_scope"}
)
"""This app is not declared as an agent."""

Blocks = Sequence[Json]

__all__ = ["GONE", "Blocks", "Json", "Limited", "SlackError", "SlackWire", "Unsure"]
REACH_SECONDS = 15.0  # between looks whether Slack answers at all
PROBE_SECONDS = 2.0  # for one such look


class SlackWire:
    """Calls Slack. `patience` is how many seconds a call may wait for its method's gate.

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
        self._gate = Gate(client, clock=clock, sleep=sleep)
        self.streams = Streams(self._gate)
        self._session = session
        self._proxy = client.proxy
        allowed = partial(self._check_origin, host=FILES_HOST)
        self.uploads = Uploads(self._gate, session, allowed=allowed, proxy=client.proxy)
        self._client, self._token = client, token
        self._clock, self._asked_at, self._answered = clock, float("-inf"), False
        self._sessions = True  # until Slack says that this app has none
        api = urlsplit(client.base_url)
        self._own = (api.scheme, api.netloc) if api.hostname != "slack.com" else None

    def rekey(self, token: str) -> None:
        """Use another bot token, from the next call on."""
        self._client.token = self._token = token

    # What is said in a channel

    async def post(
        self,
        channel: str,
        text: str,
        *,
        thread: str = "",
        blocks: Blocks | None = None,
        metadata: Json | None = None,
        patience: float = WAIT_SECONDS,
    ) -> str:
        """Post a message and return its ts; without blocks the text is Markdown.

        Raises:
            Unsure: it may stand there.
            SlackError: it does not.
        """
        answer = await self._gate.call(
            "chat.postMessage",
            {
                "channel": channel,
                "thread_ts": thread or None,
                "metadata": metadata,
                "unfurl_links": False,
                "unfurl_media": False,
                **_said(text, blocks),
            },
            patience=patience,
        )
        return str(answer["ts"])

    async def update(
        self,
        channel: str,
        ts: str,
        text: str,
        *,
        blocks: Blocks | None = None,
        metadata: Json | None = None,
        patience: float = WAIT_SECONDS,
    ) -> None:
        """Replace a message's words; without blocks the text is Markdown."""
        where = {"channel": channel, "ts": ts, "metadata": metadata}
        await self._gate.call("chat.update", where | _said(text, blocks), patience=patience)

    async def ephemeral(
        self,
        channel: str,
        user: str,
        text: str,
        *,
        thread: str = "",
        blocks: Blocks | None = None,
    ) -> None:
        """Say something that one person alone sees; `text` is mrkdwn, shown where there are no blocks."""
        await self._gate.call(
            "chat.postEphemeral",
            {
                "channel": channel,
                "user": user,
                "text": text,
                "blocks": blocks,
                "thread_ts": thread or None,
            },
        )

    # That something is being done

    async def session(
        self, channel: str, thread: str, *, busy: bool, user: str = "", title: str = ""
    ) -> None:
        """Mark a thread as being worked on, with Slack's own stop button, or as waiting for people again.

        Raises:
            SlackError: this app has no sessions, or none can be marked now; nobody waits for the gate to mark one.
        """
        if not self._sessions:
            raise SlackError("unknown_method", "agents.sessions.setStatus")
        try:
            await self._gate.call(
                "agents.sessions.setStatus",
                {
                    "channel_id": channel,
                    "thread_ts": thread,
                    "status": "processing" if busy else "active",
                    "title": title[:TITLE_CHARS] or None,
                    "initiator_user_id": user or None,
                },
                patience=0.0 if busy else WAIT_SECONDS,
            )
        except SlackError as error:
            self._sessions = error.code not in NO_SESSIONS
            raise

    async def status(self, channel: str, thread: str, words: str) -> None:
        """Show words after our name under a thread, without waiting for the gate; "" takes them away.

        Raises:
            SlackError: this workspace or place has no such line, or it is changed too often.
        """
        line = {"channel_id": channel, "thread_ts": thread, "status": words}
        patience = 0.0 if words else WAIT_SECONDS
        await self._gate.call("assistant.threads.setStatus", line, patience=patience)

    # What needs no membership

    async def respond(
        self, url: str, text: str, *, blocks: Blocks | None = None, public: bool = False
    ) -> None:
        """Answer a command or click through its response_url (five times, for 30 minutes).

        Raises:
            Unsure: it may stand there.
            SlackError: the url is none of Slack's, or it is used up.
        """
        self._check_origin(url, HOOKS_HOST)
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
            async with self._session.post(
                url, json=body, timeout=timeout, allow_redirects=False, proxy=self._proxy
            ) as answer:
                if answer.status != 200:
                    refused = b"invalid_blocks" in await answer.content.read(REASON_BYTES)
                    code = "invalid_blocks" if refused else f"http_{answer.status}"
                    raise SlackError(code, "response_url")
        except aiohttp.ClientConnectorError:
            raise SlackError("unreachable", "response_url") from None
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise Unsure("unreachable", "response_url") from None

    # What is read

    async def user_info(self, user: str) -> Json:
        """The `user` object of users.info."""
        return cast("Json", (await self._gate.call("users.info", {"user": user}))["user"])

    async def channel_info(self, channel: str) -> Json:
        """The `channel` object of conversations.info."""
        answer = await self._gate.call("conversations.info", {"channel": channel})
        return cast("Json", answer["channel"])

    async def direct(self, user: str) -> str:
        """The channel of the direct messages with somebody."""
        answer = await self._gate.call("conversations.open", {"users": user})
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
        """One page of a thread, as Slack answers, with the metadata of our messages."""
        return await self._gate.call(
            "conversations.replies",
            {
                "channel": channel,
                "ts": thread,
                "oldest": oldest or None,
                "latest": latest or None,
                "limit": limit,
                "cursor": cursor or None,
                "inclusive": True,
                "include_all_metadata": True,
            },
        )

    async def history(self, channel: str, *, oldest: str, limit: int = 50) -> Json:
        """The newest messages of a channel since a ts, as Slack answers, with the metadata of our messages."""
        return await self._gate.call(
            "conversations.history",
            {
                "channel": channel,
                "oldest": oldest,
                "limit": limit,
                "inclusive": True,
                "include_all_metadata": True,
            },
        )

    async def members(self, channel: str, cursor: str = "") -> Json:
        """One page of who is in a channel, as Slack answers."""
        page = {"channel": channel, "limit": 1_000, "cursor": cursor or None}
        return await self._gate.call("conversations.members", page)

    async def permalink(self, channel: str, ts: str) -> str:
        """The address of a message."""
        message = {"channel": channel, "message_ts": ts}
        return str((await self._gate.call("chat.getPermalink", message))["permalink"])

    async def file_info(self, file_id: str) -> Json:
        """The `file` object of files.info."""
        return cast("Json", (await self._gate.call("files.info", {"file": file_id}))["file"])

    async def download(self, url: str, *, limit: int) -> bytes:
        """A file's bytes, at most `limit` + 1; our token goes to Slack's own file host alone.

        Raises:
            SlackError: it is elsewhere, or cannot be read.
        """
        self._check_origin(url, FILES_HOST)
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            async with self._session.get(
                url, headers=headers, allow_redirects=False, proxy=self._proxy
            ) as answer:
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

    async def answers(self) -> bool:
        """Whether Slack answers us, asked anew at most every REACH_SECONDS."""
        if self._clock() - self._asked_at >= REACH_SECONDS:
            self._asked_at = self._clock()
            try:
                async with asyncio.timeout(PROBE_SECONDS):
                    await self.auth_test()
                self._answered = True
            except (SlackError, TimeoutError):
                self._answered = False
        return self._answered

    async def auth_test(self) -> Json:
        """Who we are."""
        return await self._gate.call("auth.test", {})

    async def hand_over(self, user: str, name: str, data: bytes, words: str) -> None:
        """Give somebody a file, in the direct messages with them."""
        await self.uploads.give(await self.direct(user), name, data, comment=words)

    async def attach(
        self, channel: str, name: str, data: bytes, words: str, *, thread: str = ""
    ) -> None:
        """Show a file in a channel, or in a thread of it.

        Raises:
            Unsure: it may be shown.
            SlackError: it is not.
        """
        await self.uploads.give(channel, name, data, comment=words, thread=thread)

    async def open_view(self, trigger: str, view: Json) -> None:
        """Open a form before who pressed; a trigger holds for three seconds, so nobody waits for the gate."""
        await self._gate.call("views.open", {"trigger_id": trigger, "view": view}, patience=0.0)

    async def publish_home(self, user: str, view: Json) -> None:
        """Show somebody's App Home."""
        await self._gate.call("views.publish", {"user_id": user, "view": view})

    def _check_origin(self, url: str, host: str) -> None:
        """Only Slack's own host, or (a stand-in) the very origin of the API we were told to use."""
        try:
            parts = urlsplit(url)
        except ValueError:
            raise SlackError("foreign_address") from None
        theirs = parts.scheme == "https" and parts.netloc == host
        if not theirs and (parts.scheme, parts.netloc) != self._own:
            raise SlackError("foreign_address")


def _said(text: str, blocks: Blocks | None) -> dict[str, Any]:
    """What a message says: blocks with a text for notifications, or Markdown alone."""
    return {"text": text, "blocks": list(blocks)} if blocks else {"markdown_text": text}
