"""The look inside as an application of its own, mounted under /inside on the Slack stand-in's port."""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from bot.demo.inside.door import local_only, same_origin, set_headers
from bot.demo.inside.feed import Feed, Viewer
from bot.demo.inside.sources import Json, Sources
from bot.demo.inside.switches import Switches

STATIC = Path(__file__).parent / "static"
COMMAND_BYTES = 1_024  # of what a page may say
HEARTBEAT_SECONDS = 20.0  # a page that is gone without a word is noticed


class Inside:
    """Serves the look inside: a page, its modules, one WebSocket, and what a click asks for.

    Args:
        sources: gives where everything is seen; asked for once, when somebody looks for the first time.
        now: seconds since the epoch.

    Attributes:
        app: to be mounted at a prefix, such as /inside.
    """

    def __init__(
        self, sources: Callable[[], Sources], *, now: Callable[[], float] = time.time
    ) -> None:
        self._sources = sources
        self._now = now
        self._switches: Switches | None = None
        self._feed: Feed | None = None
        self._opening = asyncio.Lock()
        self._sockets: set[web.WebSocketResponse] = set()
        self.app = web.Application(middlewares=[local_only])
        self.app.on_response_prepare.append(set_headers)
        self.app.on_shutdown.append(self._shut)
        self.app.router.add_get("/", self._page)
        self.app.router.add_get("/live", self._live)
        self.app.router.add_get(r"/messages/{id:\d{1,12}}", self._message)
        self.app.router.add_get("/tickets/{key}", self._ticket)
        self.app.router.add_get("/pages", self._small_page)
        self.app.router.add_static("/static", STATIC)

    async def _page(self, _request: web.Request) -> web.FileResponse:
        return web.FileResponse(STATIC / "index.html")

    async def _live(self, request: web.Request) -> web.StreamResponse:
        """One page that watches: a snapshot, then changes in order; it may switch troubles."""
        if not same_origin(request):
            raise web.HTTPForbidden(text="Only this page itself may watch.")
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS, max_msg_size=COMMAND_BYTES)
        await socket.prepare(request)
        self._sockets.add(socket)
        viewer = Viewer()
        feed = await self._join(viewer)
        telling = asyncio.create_task(_tell(socket, feed, viewer))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    _obey(feed, message.data)
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
            self._sockets.discard(socket)
            await self._leave(feed, viewer)
        return socket

    async def _join(self, viewer: Viewer) -> Feed:
        async with self._opening:
            if self._feed is None:
                sources = self._sources()
                self._switches = self._switches or Switches(sources, now=self._now)
                feed = Feed(sources, self._switches, now=self._now)
                await feed.open()
                self._feed = feed
            self._feed.join(viewer)
            return self._feed

    async def _leave(self, feed: Feed, viewer: Viewer) -> None:
        async with self._opening:
            if feed.leave(viewer) and self._feed is feed:
                self._feed = None
                await feed.close()

    async def _shut(self, _app: web.Application) -> None:
        for socket in tuple(self._sockets):
            await socket.close()

    async def _message(self, request: web.Request) -> web.Response:
        return self._found(lambda feed: feed.message(int(request.match_info["id"])))

    async def _ticket(self, request: web.Request) -> web.Response:
        return self._found(lambda feed: feed.ticket(request.match_info["key"]))

    async def _small_page(self, request: web.Request) -> web.Response:
        return self._found(lambda feed: feed.page(request.query.get("path", "")))

    def _found(self, look: Callable[[Feed], Json | None]) -> web.Response:
        """What somebody who watches asks for; nothing is found while nobody does."""
        found = look(self._feed) if self._feed else None
        if found is None:
            raise web.HTTPNotFound(text="It is not kept any more.")
        return web.json_response(found)


async def _tell(socket: web.WebSocketResponse, feed: Feed, viewer: Viewer) -> None:
    with suppress(ConnectionError):
        while True:
            frame = await viewer.next()
            await socket.send_str(feed.snapshot() if frame is None else frame)


def _obey(feed: Feed, text: str) -> None:
    """Do what a page says: {"turn": a trouble's name, "on": true or false}; all else is nothing."""
    try:
        said: Any = json.loads(text)
    except ValueError:
        return
    if isinstance(said, dict) and isinstance(said.get("turn"), str):
        feed.turn(said["turn"], on=said.get("on") is True)
