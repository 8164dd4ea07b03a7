"""A real browser on the page: Debian's chromium, driven by Playwright; where there is none, its tests are skipped."""

import shutil
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect
from playwright.async_api import Page as Tab

from bot.demo.clock import Clock, Hands
from bot.demo.page import Page, Shortcut, suggestions
from bot.demo.slack import SlackStandIn
from tests.conftest import MACHINE
from tests.page.app import App, app_on
from tests.page.tabs import Tabs, tabs_of

SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PULLS = "http://127.0.0.1:9"  # nobody is asked there
SHORTCUT = Shortcut("Review this code", "review_this")
ANYWHERE = Shortcut("Raise a budget", "raise_budget", "global")
EXPECTED = (
    "/inside/static/inside.js",  # the other half is not mounted here
    "422 (Unprocessable Entity)",  # what a person could not do, told in a sentence
)

expect.set_options(timeout=8_000)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One browser for a file of tests."""
    path = MACHINE.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium on PATH and no CHROMIUM")
    async with async_playwright() as driver:
        started = await driver.chromium.launch(executable_path=path, args=list(SWITCHES))
        yield started
        await started.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tabs(browser: Browser) -> AsyncIterator[Tabs]:
    """Its tabs."""
    async with tabs_of(browser) as made:
        yield made


@dataclass
class Desk:
    """A workspace with its page, and the windows opened on it."""

    slack: SlackStandIn
    tabs: Tabs
    wrong: list[str] = field(default_factory=list[str])  # what a console or a network said
    known: list[str] = field(default_factory=lambda: list(EXPECTED))  # and may say

    async def open(
        self,
        who: str = "ana",
        where: str = "C0SHOPDEV",
        *,
        more: str = "",
        through: str = "",
        frames: list[str] | None = None,
        **context: Any,
    ) -> Tab:
        """A window of somebody, ready to be used.

        Args:
            who: A handle.
            where: A channel's id.
            more: What else the address holds.
            through: Another address of the same page.
            frames: Takes what the window is told.
            context: Of Playwright: the scheme of colours, the size.
        """
        hears: dict[str, Callable[[Any], object]] = {
            "console": self._console,
            "pageerror": lambda error: self.wrong.append(str(error)),
            "request": lambda request: self._asked(request.url),
        }
        if frames is not None:
            hears["websocket"] = lambda socket: socket.on(
                "framereceived", lambda text: frames.append(str(text))
            )
        tab = await self.tabs.lend(hears, **context)
        url = through or self.slack.url
        await tab.goto(f"{url}/#as={who}&in={where}{more}")
        await tab.wait_for_selector("body.ready")
        return tab

    def _console(self, message: Any) -> None:
        if message.type in {"error", "warning"} and not any(
            known in f"{message.text} {message.location}" for known in self.known
        ):
            self.wrong.append(message.text)

    def _asked(self, url: str) -> None:
        if not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:")):
            self.wrong.append(f"asked {url}")


async def _idle() -> bool:
    return False


@asynccontextmanager
async def desk_on(tabs: Tabs, clock: Clock | None = None) -> AsyncGenerator[Desk]:
    """A fresh workspace with its page, with a clock that can be moved if one is given; every console and network has to stay quiet."""
    slack = SlackStandIn(limits=False, now=clock or time.time)
    hands = Hands(clock, busy=_idle, told=lambda: slack.watch.changed("clock")) if clock else None
    page = Page(slack, tries=suggestions(PULLS), shortcuts=(SHORTCUT, ANYWHERE), hands=hands)
    slack.mount(page.routes)
    async with slack:
        desk = Desk(slack, tabs)
        yield desk
        await tabs.take_back()
    assert desk.wrong == []


@pytest_asyncio.fixture(loop_scope="module")
async def desk(tabs: Tabs) -> AsyncIterator[Desk]:
    """A workspace whose app is not running."""
    async with desk_on(tabs) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def app(desk: Desk) -> AsyncIterator[App]:
    """An app that runs in the workspace."""
    async with app_on(desk.slack) as made:
        yield made
