"""What the tests of our GitHub client share: the stand-in, and a client for it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp

from bot.demo.github import GitHubStandIn
from integrations.github import GitHub

NOW = 1_795_500_000.0  # 2026-11-24, a Tuesday
SECONDS = 10.0  # far beyond what a healthy call takes


@asynccontextmanager
async def standing_in() -> AsyncGenerator[GitHubStandIn]:
    """The seeded repositories at a fixed moment."""
    stand_in = GitHubStandIn(now=lambda: NOW)
    await stand_in.start()
    try:
        yield stand_in
    finally:
        await stand_in.stop()


@asynccontextmanager
async def client(api_url: str, token: str = "", now: float = NOW) -> AsyncGenerator[GitHub]:
    """Our client for some address."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield GitHub(session, api_url=api_url, token=token, now=lambda: now)


def pull_url(stand_in: GitHubStandIn, number: int = 7, repository: str = "shop/checkout") -> str:
    """A pull request as a person copies it."""
    return f"{stand_in.url}/{repository}/pull/{number}"
