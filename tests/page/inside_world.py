"""A whole Purser with the look inside mounted, a watcher of its feed, and windows on it."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Self, TypeVar

import aiohttp
from aiohttp import web_app
from playwright.async_api import Page

from bot.demo.inside import Inside, Sources
from bot.demo.slack import SlackStandIn
from tests.page.tabs import Tabs
from tests.stories.world import SECONDS, World

T = TypeVar("T")
Json = dict[str, Any]
LISTS = ("asks", "lines", "entries", "tickets", "pages")


class InsideWorld(World):
    """A world whose inside may be looked at.

    Attributes:
        lines: what the bot is said to have logged.
        kills: how often it was to be killed; `back` is set when it is ready again.
    """

    def __init__(self, folder: Path, **more: Any) -> None:
        self.lines: list[Mapping[str, Any]] = []
        self.kills = 0
        self.back = asyncio.Event()
        self.inside = Inside(self.sources)
        slack = SlackStandIn(sub_apps={"/inside": self.inside.app}, limits=False)
        super().__init__(folder, slack=slack, **more)

    async def __aexit__(self, *ended: object) -> None:
        await super().__aexit__(*ended)
        web_app._cached_build_middleware.cache_clear()  # it keeps a thousand worlds behind a middleware

    def sources(self) -> Sources:
        """Everything that is looked at."""
        return Sources(
            slack=self.slack,
            claude=self.claude,
            jira=self.jira,
            web=self.web,
            github=self.github,
            database=self.folder / "purser.db",
            lines=self.lines,
            budget=lambda channel: Decimal(50) if channel else Decimal(500),
            kill=self.kill_and_start,
        )

    async def kill_and_start(self) -> None:
        """What the stage would do; it only counts, and waits until it is told that the bot is back."""
        self.kills += 1
        await self.back.wait()

    @property
    def address(self) -> str:
        """Of the bare page."""
        return f"{self.slack.url}/inside/"


class Watcher:
    """A page without a browser: keeps what the feed tells, as a page does."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.rows: dict[str, dict[Any, Json]] = {name: {} for name in LISTS}
        self.whole: Json = {}
        self.frames: list[Json] = []

    async def take(self) -> Json:
        """Take the next frame."""
        frame: Json = json.loads((await self.socket.receive(SECONDS)).data)
        self.frames.append(frame)
        for name, value in frame.items():
            if name in LISTS:
                self.rows[name].update((row["id"], row) for row in value or ())
            else:
                self.whole[name] = value
        return frame

    async def until(self, seen: Callable[[], T | None]) -> T:
        """Take frames until `seen` gives something true."""
        async with asyncio.timeout(SECONDS):
            while not (found := seen()):
                await self.take()
            return found

    async def ask(self, text: str) -> Json:
        """The ask with these words, once it is settled and all its steps are over."""

        def settled() -> Json | None:
            return next(
                (a for a in self.rows["asks"].values() if text in a["text"] and a["ended"]), None
            )

        return await self.until(settled)

    def of(self, ask: Json, step: str) -> list[Json]:
        """The wire messages of a step."""
        lines = self.rows["lines"].values()
        return [line for line in lines if (line["ask"], line["step"]) == (ask["id"], step)]

    def trouble(self, name: str) -> Json:
        """A trouble as it was told last."""
        return next(trouble for trouble in self.whole["troubles"] if trouble["name"] == name)

    async def turn(self, name: str, *, on: bool) -> None:
        """Switch a trouble."""
        await self.socket.send_json({"turn": name, "on": on})


@asynccontextmanager
async def watching(world: InsideWorld) -> AsyncGenerator[Watcher]:
    """Watch by the feed itself; the snapshot has been taken."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(
            f"{world.address}live", headers={"Origin": world.slack.url}, max_msg_size=0
        ) as socket,
    ):
        watcher = Watcher(socket)
        await watcher.take()
        yield watcher


class Windows:
    """Opens windows on a world's inside; at its end none of them may have complained.

    Attributes:
        complaints: errors in the console, and requests that left the world's own port.
    """

    def __init__(self, tabs: Tabs, world: InsideWorld) -> None:
        self._tabs = tabs
        self._world = world
        self.complaints: list[str] = []

    async def open(self, *, width: int = 1200, height: int = 800, **more: Any) -> Page:
        """A window that is live."""
        hears: dict[str, Callable[[Any], object]] = {
            "console": lambda said: self._heard(said.type, said.text),
            "pageerror": lambda error: self.complaints.append(str(error)),
            "dialog": lambda dialog: self._heard("error", f"a dialog: {dialog.message}"),
            "request": lambda request: self._left(request.url),
        }
        viewport = {"width": width, "height": height}
        page = await self._tabs.lend(hears, viewport=viewport, **more)
        page.set_default_timeout(SECONDS * 1000)
        await page.goto(self._world.address)
        await page.locator('.lamp[data-state="live"], .lamp[data-state="away"]').wait_for()
        return page

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def _left(self, url: str) -> None:
        if not url.startswith(self._world.slack.url):
            self.complaints.append(f"a request to {url}")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._tabs.take_back()
