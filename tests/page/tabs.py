"""Tabs that go from test to test: a new one is three processes of the browser, dearer than all that a page does."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, Page

BLANK = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)
Hears = Mapping[str, Callable[[Any], object]]


class Tabs:
    """The tabs of a browser.

    Args:
        browser: It is ours alone.
        blank: The address of an empty page on the host of all pages of tests: who goes there keeps their process.
    """

    def __init__(self, browser: Browser, blank: str) -> None:
        self._browser, self._blank = browser, blank
        self._idle: tuple[str, Page] | None = None
        self._lent: list[tuple[str, Page, Hears]] = []

    async def lend(self, hears: Hears, **context: Any) -> Page:
        """A tab without a past.

        Args:
            hears: What hears its events, by their names.
            context: Of Playwright: the scheme of colours, the size.
        """
        kind = repr(sorted(context.items()))
        idle, self._idle = self._idle, None
        if idle is not None and idle[0] == kind:
            tab = idle[1]
        else:
            if idle is not None:
                await idle[1].context.close()
            tab = await (await self._browser.new_context(**context)).new_page()
        listens: Any = tab.on  # its names of events are literals, each with a type of its own
        for event, hear in hears.items():
            listens(event, hear)
        self._lent.append((kind, tab, hears))
        return tab

    async def take_back(self) -> None:
        """End what was lent; the first of them is kept for who comes next."""
        lent, self._lent = self._lent, []
        for kind, tab, hears in lent:
            if self._idle is not None or tab.is_closed():
                await tab.context.close()
                continue
            for event, hear in hears.items():
                tab.remove_listener(event, hear)
            await tab.evaluate("localStorage.clear(), sessionStorage.clear()")
            await tab.goto(self._blank)
            await tab.mouse.move(0, 0)
            await tab.context.clear_cookies()
            self._idle = kind, tab


@asynccontextmanager
async def tabs_of(browser: Browser) -> AsyncGenerator[Tabs]:
    """Tabs of a browser, while it runs."""

    async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(BLANK)
        writer.close()

    server = await asyncio.start_server(nothing, "127.0.0.1", 0)
    async with server:
        yield Tabs(browser, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
