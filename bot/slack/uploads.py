"""Files of our own, handed over in three steps: a place for them promised, their bytes brought there, and shown."""

import json
from collections.abc import Callable

import aiohttp

from bot.slack.gate import Gate, SlackError

UPLOAD_SECONDS = 20.0  # for the bytes


class Uploads:
    """Hands files over.

    Args:
        gate: to Slack's methods.
        session: brings the bytes.
        allowed: raises SlackError for an address that is none of Slack's.
        proxy: as Slack's client has it.
    """

    def __init__(
        self,
        gate: Gate,
        session: aiohttp.ClientSession,
        *,
        allowed: Callable[[str], None],
        proxy: str | None,
    ) -> None:
        self._gate, self._session = gate, session
        self._allowed, self._proxy = allowed, proxy

    async def give(
        self, channel: str, name: str, data: bytes, *, comment: str, thread: str = ""
    ) -> None:
        """Show a file in a channel, or in a thread of it, with a few words.

        Raises:
            Unsure: it may be shown.
            SlackError: it is not.
        """
        size = {"filename": name, "length": len(data)}
        promised = await self._gate.call("files.getUploadURLExternal", size)
        await self._bring(str(promised["upload_url"]), data)
        files = json.dumps([{"id": promised["file_id"], "title": name}])
        shown = {"files": files, "channel_id": channel, "initial_comment": comment}
        if thread:
            shown["thread_ts"] = thread
        await self._gate.call("files.completeUploadExternal", shown)

    async def _bring(self, url: str, data: bytes) -> None:
        self._allowed(url)
        timeout = aiohttp.ClientTimeout(total=UPLOAD_SECONDS)
        try:
            async with self._session.post(
                url, data=data, timeout=timeout, allow_redirects=False, proxy=self._proxy
            ) as answer:
                if answer.status != 200:
                    raise SlackError(f"http_{answer.status}", "upload")
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise SlackError("unreachable", "upload") from None
