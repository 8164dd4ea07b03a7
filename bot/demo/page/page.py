"""The page's face: which address answers with what, and who is let in."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict

from aiohttp import web

from bot.demo.clock import Hands
from bot.demo.page.acts import TEXT, Acts
from bot.demo.page.body import Body, Refused
from bot.demo.page.files import FILE_BYTES, Uploads
from bot.demo.page.gate import from_page, open_to_page, sentence
from bot.demo.page.offers import (
    COMMANDS,
    SHORTCUTS,
    STAND_INS,
    Command,
    Shortcut,
    StandIn,
    Suggestion,
    suggestions,
)
from bot.demo.page.static import PREFIX, Static
from bot.demo.page.steps import Steps
from bot.demo.page.telling import Telling
from bot.demo.page.window import Window
from bot.demo.slack import SlackStandIn
from bot.demo.slack.watch import Json
from bot.demo.slack.world import Channel, Person

PAGE_MESSAGES = 100  # of a channel's past in one answer
FIRST_PERSON = "U0ANA"


class Page:
    """The workspace in a browser: `slack.mount(page.routes)` before the stand-in starts, then open `slack.url`.

    Args:
        slack: The workspace to show.
        stand_ins: Which strangers are stand-ins, for the header.
        tries: Suggestions to click.
        commands: The app's slash commands.
        shortcuts: The app's shortcuts.
        hands: Of the demo's clock; None where nobody can move it.
        run: Names this run of the page to windows that come again; a fresh name when it is "".
    """

    def __init__(
        self,
        slack: SlackStandIn,
        *,
        stand_ins: Sequence[StandIn] = STAND_INS,
        tries: Sequence[Suggestion] | None = None,
        commands: Sequence[Command] = COMMANDS,
        shortcuts: Sequence[Shortcut] = SHORTCUTS,
        hands: Hands | None = None,
        run: str = "",
    ) -> None:
        self._world = slack.world
        self._static = Static.read()
        self._telling = Telling(slack, hands)
        self._steps = Steps(slack.watch, run=run or secrets.token_hex(8))
        self._acts = Acts(slack, self._telling, commands=commands, shortcuts=shortcuts, hands=hands)
        self._uploads = Uploads(slack)
        self._offers: Json = {
            "stand_ins": [asdict(one) for one in stand_ins],
            "suggestions": [asdict(one) for one in (suggestions() if tries is None else tries)],
            "commands": [asdict(one) for one in commands],
            "shortcuts": [asdict(one) for one in shortcuts],
            "limits": {"file_bytes": FILE_BYTES, "text": TEXT},
        }

    @property
    def routes(self) -> list[web.RouteDef]:
        """Every address of the page."""
        return [
            web.get("/", open_to_page(self._index)),
            web.get(PREFIX + "{path:.+}", open_to_page(self._file)),
            web.get("/page/live", from_page(self._live)),
            web.get("/page/history", open_to_page(self._history)),
            web.get("/page/thread", open_to_page(self._thread)),
            web.get("/page/files/{id}/{name}", open_to_page(self._give)),
            web.post("/page/files", from_page(self._take)),
            web.post("/page/do/{act}", from_page(self._do)),
        ]

    async def _index(self, _: web.Request) -> web.StreamResponse:
        return self._static.index()

    async def _file(self, request: web.Request) -> web.StreamResponse:
        return self._static.file(request.match_info["path"])

    async def _live(self, request: web.Request) -> web.StreamResponse:
        since = request.query.get("since", "")
        window = Window(self._steps, self._telling, self._me(request), offers=self._offers)
        return await window.serve(
            request,
            run=request.query.get("run", ""),
            since=int(since) if since.isdecimal() else -1,
        )

    async def _history(self, request: web.Request) -> web.StreamResponse:
        channel, me = self._channel(request), self._me(request)
        before = request.query.get("before", "")
        told = self._telling.page(channel, me, before=before, limit=PAGE_MESSAGES)
        return web.json_response({"seq": self._steps.last, "messages": told})

    async def _thread(self, request: web.Request) -> web.StreamResponse:
        channel, me = self._channel(request), self._me(request)
        told = self._telling.thread(channel, me, request.query.get("ts", ""))
        return web.json_response({"seq": self._steps.last, "messages": told})

    async def _give(self, request: web.Request) -> web.StreamResponse:
        return self._uploads.give(request.match_info["id"])

    async def _take(self, request: web.Request) -> web.StreamResponse:
        try:
            return web.json_response(await self._uploads.take(self._me(request), request))
        except Refused as refused:
            return sentence(413, refused.sentence)

    async def _do(self, request: web.Request) -> web.StreamResponse:
        act = self._acts.acts.get(request.match_info["act"])
        if act is None:
            raise web.HTTPNotFound(text="The page knows no such act.")
        try:
            body = Body(json.loads(await request.read()))
        except ValueError:
            return sentence(400, "That was no JSON.")
        try:
            return web.json_response({"ok": True, **await act(self._me(request), body)})
        except Refused as refused:
            return sentence(422, refused.sentence)

    def _me(self, request: web.Request) -> Person:
        """Who sits at the window: by id or handle; the first person where nobody is named."""
        named = request.query.get("as", "")
        found = self._world.people.get(self._world.handles.get(named, named))
        if found is None or found.is_bot or found.deleted:
            return self._world.people[FIRST_PERSON]
        return found

    def _channel(self, request: web.Request) -> Channel:
        channel = self._world.channels.get(request.query.get("channel", ""))
        if channel is None:
            raise web.HTTPNotFound(text="There is no such channel.")
        return channel
