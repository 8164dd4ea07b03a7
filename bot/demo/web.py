"""A small web on loopback: pages worth reading, and every kind of page that is not.

`Page` has the paths. What may leave this machine is never linked: redirects to private addresses are
only announced, whoever follows them is to be stopped by its own guard.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from bot.demo.loopback import Heard, Loopback
from bot.demo.pages.made import MADE, Page, page

PAGES = Path(__file__).parent / "pages"
CHUNK = b"<p>" + b"All work and no play makes a long page. " * 1600 + b"</p>\n"  # 64 kB


FILES = {
    Page.INDEX: "index.html",
    Page.ARTICLE: "idempotency.html",
    Page.SECOND_ARTICLE: "load-tests.html",
    Page.DOCS: "retries.html",
    Page.INJECTION: "kitchen.html",
    Page.LOGIN: "login.html",
    Page.SCRIPT_ONLY: "app.html",
}
MOVES = {
    Page.REDIRECT: (301, Page.ARTICLE),
    Page.REDIRECT_LOOP: (302, Page.REDIRECT_LOOP),
    Page.REDIRECT_PRIVATE: (302, "http://10.0.0.1/admin"),
    Page.REDIRECT_METADATA: (307, "http://169.254.169.254/latest/meta-data/iam/"),
    Page.REDIRECT_SCHEME: (302, "file:///etc/passwd"),
}


class WebStandIn(Loopback):
    """The small web, at two origins (`url` and `other_url`) that answer alike.

    Args:
        now: The clock, epoch seconds.
        slow_seconds: How long /slow and /slow-body say nothing; None = until the web is stopped.
        drip_seconds: Seconds between two bytes of /drip.

    Attributes:
        cookies: What visitors sent as cookies, to show that none is kept: (path, header).
    """

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.time,
        slow_seconds: float | None = 25.0,
        drip_seconds: float = 1.0,
    ) -> None:
        super().__init__(now=now)
        self.slow_seconds = slow_seconds
        self.drip_seconds = drip_seconds
        self.cookies: list[tuple[str, str]] = []
        self._hosts = ["127.0.0.1", "127.0.0.1"]

    @property
    def other_url(self) -> str:
        """The second origin: the same host, another port."""
        return f"http://127.0.0.1:{self._ports[1]}"

    def address(self, path: str) -> str:
        """A page's whole address."""
        return f"{self.url}{path}"

    def visits(self, path: str) -> list[Heard]:
        """The requests for a path."""
        return [heard for heard in self.log if heard.path == path]

    def routes(self) -> list[web.RouteDef]:
        """The pages; a path nobody named is a 404 page."""
        special: dict[str, Callable[[web.Request], Awaitable[web.StreamResponse]]] = {
            "/hop/{left}": self._hop,
            Page.REDIRECT_ELSEWHERE: self._elsewhere,
            Page.REDIRECT_NAME: self._by_name,
            Page.SLOW: self._slow,
            Page.SLOW_BODY: self._slow_body,
            Page.DRIP: self._drip,
            Page.ENDLESS: self._endless,
            Page.CUT: self._cut,
            Page.COOKIE: self._cookie,
        }
        made = [web.get(path, answer) for path, answer in special.items()]
        made += [web.get(path, self._file) for path in FILES]
        made += [web.get(path, self._move) for path in MOVES]
        made += [web.get(path, self._made) for path in MADE]
        return [*made, web.get("/{rest:.*}", self._missing)]

    async def _file(self, request: web.Request) -> web.Response:
        text = (PAGES / FILES[Page(request.path)]).read_text(encoding="utf-8")
        return web.Response(text=text.replace("{{url}}", self.url), content_type="text/html")

    async def _move(self, request: web.Request) -> web.Response:
        status, target = MOVES[Page(request.path)]
        return web.Response(status=status, headers={"Location": str(target)})

    async def _hop(self, request: web.Request) -> web.Response:
        left = int(request.match_info["left"])
        target = f"/hop/{left - 1}" if left > 1 else str(Page.ARTICLE)
        return web.Response(status=302, headers={"Location": target})

    async def _elsewhere(self, request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": f"{self.other_url}{Page.ARTICLE}"})

    async def _by_name(self, request: web.Request) -> web.Response:
        port = self._ports[1]
        return web.Response(
            status=302, headers={"Location": f"http://localhost:{port}{Page.ARTICLE}"}
        )

    async def _made(self, request: web.Request) -> web.Response:
        return await asyncio.to_thread(MADE[Page(request.path)])  # a bomb takes a second to pack

    async def _missing(self, request: web.Request) -> web.Response:
        text = "<html><head><title>404</title></head><body><h1>Nothing here</h1></body></html>"
        return web.Response(status=404, text=text, content_type="text/html")

    async def _silence(self) -> bool:
        """Say nothing for as long as this web was told to; True when it is stopping."""
        if self.slow_seconds is None:
            await self._closing.wait()
            return True
        return await self.pause(self.slow_seconds)

    async def _slow(self, request: web.Request) -> web.StreamResponse:
        await self._silence()
        return page("<h1>At last</h1><p>This page thinks before it speaks.</p>")

    async def _slow_body(self, request: web.Request) -> web.StreamResponse:
        async def write(stream: web.StreamResponse) -> None:
            await stream.write(b"<html><body><p>The first half.</p>")
            await self._silence()
            await stream.write(b"<p>The second half.</p></body></html>")

        return await self._streamed(request, write)

    async def _drip(self, request: web.Request) -> web.StreamResponse:
        async def write(stream: web.StreamResponse) -> None:
            await self.drip(stream, b"<p>" + b"drop " * 2000 + b"</p>", self.drip_seconds)

        return await self._streamed(request, write)

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        async def write(stream: web.StreamResponse) -> None:
            while not self._closing.is_set():
                await stream.write(CHUNK)
                await asyncio.sleep(0)

        return await self._streamed(request, write)

    async def _cut(self, request: web.Request) -> web.StreamResponse:
        async def write(stream: web.StreamResponse) -> None:
            await stream.write(b"<html><body><p>This sentence has no")
            if request.transport is not None:
                request.transport.abort()

        return await self._streamed(request, write, length=4000)

    async def _streamed(
        self,
        request: web.Request,
        write: Callable[[web.StreamResponse], Awaitable[None]],
        *,
        length: int | None = None,
    ) -> web.StreamResponse:
        stream = web.StreamResponse(headers={"Content-Type": "text/html; charset=utf-8"})
        if length is not None:
            stream.content_length = length
        try:
            await stream.prepare(request)
            await write(stream)
        except ConnectionError:
            pass  # the visitor has left, which is what a reader with a limit does
        return stream

    async def _cookie(self, request: web.Request) -> web.Response:
        if "Cookie" in request.headers:
            self.cookies.append((request.path, request.headers["Cookie"]))
        response = page("<p>Have a cookie.</p>")
        response.set_cookie("visitor", "tracked")
        return response


__all__ = ["Page", "WebStandIn"]
