"""Stand-ins for Jira, the web and GitHub, started for one test at a fixed moment."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.demo.github import GitHubStandIn
from bot.demo.jira import JiraStandIn
from bot.demo.web import WebStandIn
from tests.contract import Contract
from tests.contract import contract as read_contract
from tests.demo.asking import NOW


@pytest.fixture
def contract(jira_openapi: Path) -> Contract:
    """The judge of Jira's wire; skipped aloud without JIRA_OPENAPI."""
    return read_contract(jira_openapi)


@pytest.fixture
async def jira() -> AsyncIterator[JiraStandIn]:
    """Jira with its seeded company."""
    stand_in = JiraStandIn(now=lambda: NOW)
    await stand_in.start()
    yield stand_in
    await stand_in.stop()


@pytest.fixture
async def small_web() -> AsyncIterator[WebStandIn]:
    """The small web, quick where it is slow for people."""
    stand_in = WebStandIn(now=lambda: NOW, slow_seconds=None, drip_seconds=0.01)
    await stand_in.start()
    yield stand_in
    await stand_in.stop()


@pytest.fixture
async def github() -> AsyncIterator[GitHubStandIn]:
    """GitHub with its three pull requests."""
    stand_in = GitHubStandIn(now=lambda: NOW)
    await stand_in.start()
    yield stand_in
    await stand_in.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP client that keeps nothing."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as made:
        yield made
