"""The clients of strangers, with every address, key and limit that the settings name."""

import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import aiohttp
import httpx2
from anthropic import AsyncAnthropic, DefaultAioHttpClient
from opentelemetry.trace import TracerProvider
from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient

from bot.settings import Settings
from integrations.claude_admin import ClaudeAdmin
from integrations.github import GitHub
from integrations.jira import Jira

CONNECTIONS = 1_000  # to Claude and to Slack at a time; both libraries' own pools are smaller
GITHUB_CONNECTIONS = 50  # GitHub counts a hundred at a time as abuse
SLACK_SECONDS = 30  # for one call to Slack


@asynccontextmanager
async def slack_session(settings: Settings) -> AsyncGenerator[aiohttp.ClientSession]:
    """The one HTTP session for all of Slack."""
    connector = aiohttp.TCPConnector(limit=CONNECTIONS, ssl=_trusted(settings.ssl_cert_file))
    timeout = aiohttp.ClientTimeout(total=SLACK_SECONDS)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        yield session


def slack_client(settings: Settings, session: aiohttp.ClientSession) -> AsyncWebClient:
    """Slack's Web API with the bot token; nothing is repeated behind our back."""
    return AsyncWebClient(
        secret(settings.slack_bot_token),
        base_url=settings.slack_api_url,
        session=session,
        proxy=secret(settings.https_proxy) or None,
        retry_handlers=[],
    )


@asynccontextmanager
async def claude_client(
    settings: Settings, traces: TracerProvider | None = None
) -> AsyncGenerator[AsyncAnthropic]:
    """Claude's API; its own retries are off, since the governor owns them.

    Its own spans go to `traces`, without content; Anthropic is told of no trace.
    """
    http = DefaultAioHttpClient(
        limits=httpx2.Limits(max_connections=CONNECTIONS),
        proxy=secret(settings.https_proxy) or None,
        verify=_trusted(settings.ssl_cert_file),
        trust_env=False,
    )
    async with AsyncAnthropic(
        api_key=secret(settings.anthropic_api_key),
        base_url=settings.anthropic_base_url,
        max_retries=0,
        http_client=http,
        open_telemetry={"tracer_provider": traces, "propagation": False} if traces else False,
    ) as client:
        yield client


@asynccontextmanager
async def admin_client(settings: Settings) -> AsyncGenerator[ClaudeAdmin]:
    """Claude's usage and cost reports, with the Admin key."""
    connector = aiohttp.TCPConnector(ssl=_trusted(settings.ssl_cert_file))
    async with aiohttp.ClientSession(connector=connector) as session:
        yield ClaudeAdmin(
            session,
            base_url=settings.anthropic_base_url,
            key=secret(settings.anthropic_admin_key),
            proxy=secret(settings.https_proxy) or None,
        )


@asynccontextmanager
async def github_client(settings: Settings, now: Callable[[], float]) -> AsyncGenerator[GitHub]:
    """GitHub, with our token for its host where there is one; deadlines are the caller's."""
    connector = aiohttp.TCPConnector(limit=GITHUB_CONNECTIONS, ssl=_trusted(settings.ssl_cert_file))
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
    ) as session:
        yield GitHub(
            session,
            api_url=settings.github_api_url,
            token=secret(settings.github_token),
            proxy=secret(settings.https_proxy) or None,
            now=now,
        )


def jira_client(settings: Settings, *, in_flight: int = 1) -> Jira | None:
    """Jira, or None where it is not set up; opens no connection."""
    if not (settings.jira_url and settings.jira_email and settings.jira_api_token):
        return None
    return Jira(
        site_url=settings.jira_url,
        api_url=settings.jira_api_url or settings.jira_url,
        email=settings.jira_email,
        token=secret(settings.jira_api_token),
        in_flight=in_flight,
        proxy=secret(settings.https_proxy) or None,
        cafile=settings.ssl_cert_file,
    )


def secret(value: SecretStr | None) -> str:
    """A secret's value, "" where there is none."""
    return value.get_secret_value() if value else ""


@cache
def _trusted(cafile: Path | None) -> ssl.SSLContext:
    """Whom we trust; one for all clients, since reading the machine's certificates takes 30 ms."""
    return ssl.create_default_context(cafile=cafile)
