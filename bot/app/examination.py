"""The doctor's examination: clients of its own, made for it alone, and every check with its own."""

import asyncio
from collections.abc import Callable

from bot.app.clients import (
    admin_client,
    claude_client,
    github_client,
    jira_client,
    secret,
    slack_client,
    slack_session,
)
from bot.doctor import Finding, claude, database, github, here, jira, slack
from bot.policy import Policy
from bot.settings import Settings
from integrations.claude import Claude


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
        database.examine(settings.database_url),
        _slack(settings, policy, now()),
        _claude(settings, policy, now(), spend=spend),
        _claude_keys(settings, now()),
        _jira(settings, policy),
        _github(settings, policy, now),
    )
    found = here.examine(settings, policy)
    return found + [finding for findings in called for finding in findings]


async def _slack(settings: Settings, policy: Policy, now: float) -> list[Finding]:
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
