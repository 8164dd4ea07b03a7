"""response_url of the Slack stand-in: five posts in thirty minutes, seen by one person or by the channel."""

import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.demo.slack.announce import Announcer
from bot.demo.slack.api import SlackProblem
from bot.demo.slack.blocks import check
from bot.demo.slack.chat import Chat, Content, show, with_ids
from bot.demo.slack.message import Message
from bot.demo.slack.watch import Json, WireLine
from bot.demo.slack.world import World

POSTS = 5
SECONDS = 30 * 60.0


@dataclass
class Capability:
    """The right to answer one command or click."""

    channel: str
    user: str
    until: float
    message: Message | None = None  # what was clicked in
    left: int = POSTS


class ResponseUrls:
    """The response_urls given out. They need no token, and no membership of the app."""

    def __init__(self, world: World, chat: Chat, announcer: Announcer) -> None:
        self.url = ""
        self._world = world
        self._chat = chat
        self._announcer = announcer
        self._given: dict[str, Capability] = {}

    def give(self, channel: str, user: str, message: Message | None = None) -> str:
        """A new response_url."""
        secret = self._world.secret()
        until = self._world.now() + SECONDS
        self._given[secret] = Capability(channel, user, until, message)
        return f"{self.url}/response/{secret}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One post to a response_url."""
        try:
            body: Any = json.loads(await request.read())
        except ValueError:
            body = None
        status, said = self._answer(request.match_info["secret"], body)
        line = WireLine(self._world.now(), "in", "response_url", body or {}, {"said": said}, status)
        self._world.watch.wrote(line)
        if said == "ok":
            return web.Response(text="ok")
        return web.json_response({"ok": False, "error": said}, status=status)

    def _answer(self, secret: str, body: Any) -> tuple[int, str]:
        right = self._given.get(secret)
        if right is None or right.until < self._world.now():
            return 404, "expired_url"
        if right.left <= 0:
            return 404, "used_url"
        if not isinstance(body, dict):
            return 400, "invalid_payload"
        if body.get("blocks") and check(body["blocks"]):
            return 400, "invalid_blocks"
        right.left -= 1
        try:
            self.say(right, body)
        except SlackProblem as problem:
            return 400, problem.error
        return 200, "ok"

    def say(self, right: Capability, body: Json) -> None:
        """Show an answer as it wants to be shown.

        Raises:
            SlackProblem: no_text.
        """
        channel = self._world.channels[right.channel]
        original = right.message
        if original is not None and body.get("delete_original"):
            self._forget(original)
            return
        content = Content(
            str(body.get("text") or ""), "", body.get("blocks") or [], body.get("attachments") or []
        )
        if not (content.text or content.blocks or content.attachments):
            raise SlackProblem("no_text")
        if original is not None and body.get("replace_original"):
            self._replace(original, content)
            return
        message = self._chat.own(channel, content, str(body.get("thread_ts") or ""))
        message.unfurls = bool(body.get("unfurl_links", True) or body.get("unfurl_media", True))
        if body.get("response_type") == "in_channel":
            message.response_type = "in_channel"
            self._world.put(message)
            self._announcer.posted(message)
        else:
            show(self._world, channel, message, right.user)

    def _replace(self, original: Message, content: Content) -> None:
        original.text = content.text or original.text
        original.blocks = with_ids(self._world, content.blocks)
        original.edited = {"user": self._world.bot.id, "ts": self._world.new_ts()}
        self._world.watch.changed("edited", original.channel, original.ts, message=original)

    def _forget(self, original: Message) -> None:
        channel = self._world.channels[original.channel]
        if original.only_for:
            if original in channel.ephemerals:
                channel.ephemerals.remove(original)
            self._world.watch.changed("deleted", channel.id, original.ts, message=original)
        elif original.ts in channel.messages:
            self._world.remove(original)
