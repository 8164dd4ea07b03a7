"""What the stand-ins for strangers share: a port on loopback, a log of what was asked, and troubles to order."""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

BODY_BYTES = 8 * 1024 * 1024  # bytes of a request's body that are taken
KEPT_CHARACTERS = 65_536  # characters of a request's body that the log keeps
SHUTDOWN_SECONDS = 0.2  # a stopping stand-in waits no longer for its answers


@dataclass
class Heard:
    """One request as the stand-in saw it; headers, and with them credentials, are never kept.

    Attributes:
        at: When it arrived, by the stand-in's clock.
        status: What was answered; None while it hangs, and for ever when the connection was cut.
    """

    at: float
    method: str
    path: str
    query: Mapping[str, str]
    body: str = ""
    status: int | None = None


@dataclass
class Troubles:
    """What goes wrong with the requests that match; nothing does by default.

    Attributes:
        on: A regular expression searched in "METHOD /path"; empty matches every request.
        times: How many matching requests are hit before all is well again; None = no end.
        delay: Seconds every matching answer takes although all is well.
        hang: Seconds of silence before the work is done.
        late: Seconds of silence after the work is done.
        refuse: The connection is cut before any work.
        reset: The work is done, then the connection is cut without a word.
        drip: Seconds between the single bytes of the answer's body.
        cut: The answer's body is half of what its headers announce.
        status: Answered instead of doing the work.
        limited: The RateLimit-Reason of a 429 (GitHub: "primary", "secondary"); empty = no limit.
        retry_after: The Retry-After of a 429 or 503; None leaves the header out.
        html: The answer to `status` is a gateway's HTML page instead of JSON.
    """

    on: str = ""
    times: int | None = None
    delay: float = 0.0
    hang: float = 0.0
    late: float = 0.0
    refuse: bool = False
    reset: bool = False
    drip: float = 0.0
    cut: bool = False
    status: int = 0
    limited: str = ""
    retry_after: str | None = "1"
    html: bool = False

    def strike(self, line: str) -> bool:
        """Whether this request is hit; counts down `times`."""
        if self.times == 0 or not re.search(self.on, line):
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Loopback:
    """A web server on 127.0.0.1 and a free port, started and stopped by whoever made it."""

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self.log: list[Heard] = []
        self.troubles = Troubles()
        self._changed = asyncio.Event()
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._ports: list[int] = []
        self._hosts = ["127.0.0.1"]

    def routes(self) -> list[web.RouteDef]:
        """The paths this stand-in answers."""
        raise NotImplementedError

    def complaint(self, request: web.Request, trouble: Troubles) -> web.StreamResponse:
        """How this stranger words a status that was ordered."""
        if trouble.html:
            page = (
                f"<html><head><title>{trouble.status}</title></head><body>Bad gateway</body></html>"
            )
            return web.Response(status=trouble.status, text=page, content_type="text/html")
        return web.json_response({"message": "ordered by troubles"}, status=trouble.status)

    async def start(self) -> None:
        """Listen; `url` is known afterwards."""
        app = web.Application(client_max_size=BODY_BYTES)
        routes = [*self.routes(), web.route("*", "/{unknown:.*}", _unknown)]
        # Not as a middleware: aiohttp keeps a thousand chains of those, and with each all that it stands for.
        app.add_routes(
            [web.route(r.method, r.path, self._heard(r.handler), **r.kwargs) for r in routes]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await self._runner.setup()
        for host in self._hosts:
            await web.TCPSite(self._runner, host, 0).start()
        self._ports = [address[1] for address in self._runner.addresses]

    async def stop(self) -> None:
        """Close the port; answers that hang are let go."""
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://127.0.0.1:{self._ports[0]}"

    async def wait_for(self, predicate: Callable[[], bool], timeout: float) -> None:
        """Return once `predicate()` is true; asked again at each change of the log.

        Raises:
            TimeoutError: It was not true within `timeout` seconds.
        """
        async with asyncio.timeout(timeout):
            while not predicate():
                self._changed.clear()
                await self._changed.wait()

    async def pause(self, seconds: float) -> bool:
        """Be silent for so long; True when the stand-in is stopping meanwhile."""
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _heard(self, handler: Any) -> Handler:
        """A route's handler, its requests written down and its troubles with it."""

        async def heard(request: web.Request) -> web.StreamResponse:
            return await self._hear(request, handler)

        return heard

    async def _hear(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        body = (await request.read()).decode("utf-8", "replace")
        heard = Heard(
            self.now(), request.method, request.path, dict(request.query), body[:KEPT_CHARACTERS]
        )
        self.log.append(heard)
        self._changed.set()
        line = f"{request.method} {request.path}"
        trouble = self.troubles if self.troubles.strike(line) else Troubles()
        response = await self._answer(request, handler, trouble)
        heard.status = response.status if response is not None else None
        self._changed.set()
        return response if response is not None else cut(request)

    async def _answer(
        self,
        request: web.Request,
        handler: Handler,
        trouble: Troubles,
    ) -> web.StreamResponse | None:
        if trouble.refuse:
            return None
        if (trouble.delay or trouble.hang) and await self.pause(trouble.delay + trouble.hang):
            return None
        if trouble.status or trouble.limited:
            response = self.complaint(request, trouble)
        else:
            try:
                response = await handler(request)
            except web.HTTPException as raised:
                response = web.Response(
                    status=raised.status, body=raised.body, headers=raised.headers
                )
        if trouble.late and await self.pause(trouble.late):
            return None
        if trouble.reset:
            return None
        if (trouble.drip or trouble.cut) and isinstance(response, web.Response):
            return await self._slowly(request, response, trouble)
        return response

    async def _slowly(
        self, request: web.Request, response: web.Response, trouble: Troubles
    ) -> web.StreamResponse:
        body = response.body if isinstance(response.body, bytes) else b""
        headers = {k: v for k, v in response.headers.items() if k.lower() != "content-length"}
        stream = web.StreamResponse(status=response.status, headers=headers)
        stream.content_length = len(body)
        try:
            await stream.prepare(request)
            await self.drip(stream, body[: len(body) // 2] if trouble.cut else body, trouble.drip)
        except ConnectionError:
            return stream  # whoever asked has left
        if trouble.cut:
            cut(request)
        return stream

    async def drip(self, stream: web.StreamResponse, body: bytes, seconds: float) -> None:
        """Write byte by byte, `seconds` apart; in one piece when that is 0."""
        if not seconds:
            await stream.write(body)
            return
        for at in range(len(body)):
            await stream.write(body[at : at + 1])
            if await self.pause(seconds):
                return


async def _unknown(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPNotFound


def cut(request: web.Request) -> web.StreamResponse:
    """Cut the connection under a request; what is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


@dataclass(frozen=True)
class Refusal(Exception):
    """A stranger's error answer, raised where it is found out and worded by its stand-in.

    Attributes:
        messages: Sentences for the whole request.
        fields: Sentences by field.
    """

    status: int
    messages: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
