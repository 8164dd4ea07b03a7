"""The doctor's examination: clients of its own, made for it alone, and every check with its own."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime

from pydantic import SecretStr

from bot.app.clients import (
    admin_client,
    claude_client,
    github_client,
    jira_client,
    secret,
    slack_client,
    slack_session,
)
from bot.app.reload import Keyring
from bot.ask import Alerts
from bot.doctor import Finding, claude, database, github, heard, jira, sealed, slack
from bot.doctor import here as locally
from bot.doctor.daily import Checkups
from bot.errors import StoreDown
from bot.policy import Policy
from bot.schedule import Daily, Due, Look
from bot.settings import Settings
from bot.store import Store
from bot.store.opening import beside, exists
from integrations.claude import Claude

HOUR = 8  # of the workspace's morning, when somebody is there to mend something
SERVED_SECONDS = 600.0  # by a process, before it examines anything by itself


async def examine(
    settings: Settings, policy: Policy, *, now: Callable[[], float], spend: bool
) -> list[Finding]:
    """Every finding, in the order in which one would mend them; what is not set up is not called.

    Args:
        settings: as they are in force.
        policy: what it names is looked up.
        now: seconds since the epoch.
        spend: whether Claude is asked for a token, which is booked; else for what costs nothing.
    """
    called = await asyncio.gather(
        _database(settings.database_url),
        _slack(settings, policy, now),
        _claude(settings, policy, now(), spend=spend),
        _claude_keys(settings, now()),
        _jira(settings, policy),
        _github(settings, policy, now),
    )
    found = locally.examine(settings, policy)
    return found + [finding for findings in called for finding in findings]


def checkups(
    keyring: Keyring, policy: Policy, store: Store, alerts: Alerts, *, now: Callable[[], float]
) -> Checkups:
    """Examinations of a process that serves, which cost nothing.

    Args:
        keyring: its settings are those in force.
        policy: as `examine`.
        store: remembers what was told.
        alerts: tells admins.
        now: seconds since the epoch.
    """

    async def examined() -> Sequence[Finding]:
        return await examine(keyring.settings, policy, now=now, spend=False)

    return Checkups(examined, store, alerts, now=now)


def daily(made: Checkups, *, now: Callable[[], float], here: Callable[[], datetime]) -> Look:
    """A look a day, once this process has served for a while: a restart is no reason for one.

    Args:
        made: looks.
        now: seconds since the epoch.
        here: the time of the workspace.
    """
    began, look = now(), Daily("doctor", made.look, hour=HOUR, here=here)

    async def later() -> Sequence[Due]:
        return await look.look() if now() - began >= SERVED_SECONDS else ()

    return later


async def _database(url: SecretStr) -> list[Finding]:
    """One thing after the other: a small PostgreSQL has few connections to give."""
    found = await database.examine(url)
    with suppress(StoreDown):  # which is a finding already
        if await exists(url):
            async with beside(url) as store:
                found += await heard.examine(store, url)
                found += await sealed.examine(store, url)
    return found


async def _slack(settings: Settings, policy: Policy, now: Callable[[], float]) -> list[Finding]:
    if settings.slack_bot_token is None:
        return []
    async with slack_session(settings) as session:
        return await slack.examine(slack_client(settings, session), settings, policy, now)


async def _claude(settings: Settings, policy: Policy, now: float, *, spend: bool) -> list[Finding]:
    if settings.anthropic_api_key is None:
        return []
    books = settings.database_url if spend else None
    async with claude_client(settings) as client:
        return await claude.examine(Claude(client), policy, now, books=books)


async def _claude_keys(settings: Settings, now: float) -> list[Finding]:
    if settings.anthropic_admin_key is None:
        return []
    async with admin_client(settings) as admin:
        return await claude.keys(admin, secret(settings.anthropic_api_key), now)


async def _jira(settings: Settings, policy: Policy) -> list[Finding]:
    client = jira_client(settings)
    if client is None:
        unset = settings.jira_url is settings.jira_email is settings.jira_api_token is None
        return [Finding("Jira", "green", "is not set up; it is optional")] if unset else []
    try:
        return await jira.examine(client, policy)
    finally:
        await client.close()


async def _github(settings: Settings, policy: Policy, now: Callable[[], float]) -> list[Finding]:
    """Where nobody asked for it, nothing is sent there."""
    wanted = settings.github_token is not None or any(r.repos for r in policy.everywhere())
    if not wanted and "github_api_url" not in settings.model_fields_set:
        return [Finding("GitHub", "green", github.NOBODY)]
    async with github_client(settings, now) as client:
        return await github.examine(client, now())
