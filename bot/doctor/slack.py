"""Slack's side: the token and its scopes, the clock, Socket Mode, and the channels and people that the policy names."""

from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime
from typing import Any, cast

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.doctor import Colour, Finding
from bot.policy import Policy
from bot.settings import MENDS, Settings
from bot.slack.manifest import SCOPES

SKEW_SECONDS = 60  # of the clock, beyond which it is worth a look
SKEW_SECONDS_AT_MOST = 300  # beyond which Slack's signatures are refused
ADMINS, CHANNELS = 20, 20  # of the policy's, looked up
PASSING = frozenset({"ratelimited", "internal_error", "fatal_error", "service_unavailable"})
"""What Slack says when it is not our fault."""

MANIFEST = "paste `purser manifest` into the app's manifest page and reinstall the app"

# The SDK raises the last one for an answer in plain text, which is none of Slack's.
_NO_SLACK = (
    aiohttp.ClientError,
    SlackClientError,
    TimeoutError,
    OSError,
    AttributeError,
)


async def examine(
    client: AsyncWebClient, settings: Settings, policy: Policy, now: Callable[[], float]
) -> list[Finding]:
    """Whether Slack knows us, and lets us do what we are for.

    Args:
        client: with the bot token.
        settings: the other secrets.
        policy: names channels and admins.
        now: seconds since the epoch.
    """
    asked = now()
    try:
        answer = await client.auth_test()
    except (SlackApiError, *_NO_SLACK) as error:
        return [_no_slack("Slack bot token", error, MENDS["SLACK_BOT_TOKEN"])]
    headers = {name.lower(): str(value) for name, value in answer.headers.items()}
    found = [Finding("Slack bot token", "green", f"{answer['user']} in {answer['team']}")]
    found += _scopes(headers.get("x-oauth-scopes"))
    found.append(_clock(headers.get("date", ""), asked, now()))
    if settings.slack_app_token is not None:
        found.append(await _socket(client, settings.slack_app_token.get_secret_value()))
    elif settings.slack_signing_secret is not None:
        says = "is set; whether it is the right one shows at Slack's first request"
        found.append(Finding("Slack signing secret", "green", says))
    for channel in sorted({r.escalation_channel or "" for r in policy.everywhere()} - {""}):
        found += await _taking_over(client, channel)
    for channel in policy.named()[:CHANNELS]:
        found += await _named(client, channel)
    for admin in policy.admins[:ADMINS]:
        found += await _admin(client, admin)
    return found


async def _taking_over(client: AsyncWebClient, channel: str) -> Sequence[Finding]:
    """Whether people can be shown there what Claude refused."""
    name, invite = f"Escalation channel {channel}", "invite Purser there: /invite @purser"
    try:
        told: Any = (await client.conversations_info(channel=channel)).get("channel", {})
    except (SlackApiError, *_NO_SLACK) as error:
        if _code(error) != "channel_not_found":
            return _unread(name, error)
        says = "there is no such channel, or it is private and Purser is not in it"
        return [Finding(name, "red", says, f"{invite}; or mend escalation_channel in purser.toml")]
    if told.get("is_archived"):
        return [Finding(name, "red", "is archived", "name another one in purser.toml")]
    if not told.get("is_member"):
        return [Finding(name, "red", "Purser is not in it", invite)]
    if told.get("is_ext_shared"):
        says = "is shared with another organisation, so nothing is shown there"
        return [Finding(name, "red", says, "name another one in purser.toml")]
    return [Finding(name, "green", "Purser is in it")]


async def _named(client: AsyncWebClient, channel: str) -> Sequence[Finding]:
    """Nothing, where there is a channel for which the policy's table of this name holds."""
    try:
        await client.conversations_info(channel=channel)
    except (SlackApiError, *_NO_SLACK) as error:
        if _code(error) != "channel_not_found":
            return _unread(f"Channel {channel}", error)
        says = "there is none of this id, or it is private and Purser is not in it; what its table says holds nowhere"
        mend = f"mend [channels.{channel}] in purser.toml, or invite Purser there"
        return [Finding(f"Channel {channel}", "yellow", says, mend)]
    return ()


async def _admin(client: AsyncWebClient, user: str) -> Sequence[Finding]:
    """Nothing, where somebody is there who can be told something."""
    name, mend = f"Admin {user}", "mend [admins] in purser.toml"
    try:
        told: Any = (await client.users_info(user=user)).get("user", {})
    except (SlackApiError, *_NO_SLACK) as error:
        if _code(error) != "user_not_found":
            return _unread(name, error)
        return [Finding(name, "red", "Slack knows nobody by this id", mend)]
    if told.get("deleted"):
        return [Finding(name, "red", "the account is deactivated", mend)]
    return ()


def _unread(name: str, error: Exception) -> Sequence[Finding]:
    """A scope that is missing is a finding of its own."""
    return () if _code(error) == "missing_scope" else [_no_slack(name, error, "another id")]


def _code(error: Exception) -> str:
    """Slack's own word for what went wrong; "" where it has said none."""
    if not isinstance(error, SlackApiError):
        return ""
    data = getattr(error.response, "data", None)
    return str(cast("dict[str, Any]", data).get("error", "")) if isinstance(data, dict) else ""


def _no_slack(name: str, error: Exception, mend: str) -> Finding:
    """What it means that a call was not answered with ok."""
    code = _code(error)
    if code in PASSING:
        mend = "run the doctor again in a minute"
        return Finding(name, "yellow", f"Slack says {code}", mend, passing=True)
    if code:
        return Finding(name, "red", f"Slack says {code}", f"use {mend}")
    why = "not with Slack's words" if isinstance(error, SlackApiError) else type(error).__name__
    return Finding(
        name,
        "red",
        f"Slack did not answer ({why})",
        "check the network, HTTPS_PROXY, SSL_CERT_FILE and SLACK_API_URL",
        passing=True,
    )


def _scopes(header: str | None) -> list[Finding]:
    """One finding for each scope that is missing, with what it is needed for, and one for those that are too many."""
    if header is None:
        says = "Slack did not name them"
        return [Finding("Slack scopes", "yellow", says, "ask again later", passing=True)]
    held = {scope.strip() for scope in header.split(",")}
    missing = [scope for scope in SCOPES if scope not in held]
    found = [
        Finding(
            f"Slack scope {scope}", "red", f"is missing; it is needed to {SCOPES[scope]}", MANIFEST
        )
        for scope in missing
    ]
    if more := sorted(held - {*SCOPES, ""}):
        says = f"the token may more than Purser needs: {', '.join(more)}"
        found.append(Finding("Slack rights", "yellow", says, MANIFEST))
    return found or [Finding("Slack scopes", "green", f"all {len(SCOPES)} granted")]


def _clock(date: str, asked: float, answered: float) -> Finding:
    """How far this machine's clock is from Slack's at least, by the answer's date; what the answer took is no distance."""
    try:
        told = parsedate_to_datetime(date).timestamp()
        skew = round(max(asked - told, told - answered, 0.0))
    except (ValueError, TypeError):
        says = "Slack told no time to compare with"
        return Finding("Clock", "yellow", says, "ask again later", passing=True)
    if skew <= SKEW_SECONDS:
        return Finding("Clock", "green", f"within {SKEW_SECONDS} s of Slack's")
    colour: Colour = "red" if skew > SKEW_SECONDS_AT_MOST else "yellow"
    says = f"{skew} s from Slack's; at {SKEW_SECONDS_AT_MOST} s its requests are refused"
    return Finding("Clock", colour, says, "let this machine set its clock (NTP)")


async def _socket(client: AsyncWebClient, app_token: str) -> Finding:
    """Whether a connection is granted; none is opened, since it would be sent events."""
    try:
        await client.apps_connections_open(app_token=app_token)
    except (SlackApiError, *_NO_SLACK) as error:
        mend = f"{MENDS['SLACK_APP_TOKEN']}, and switch Socket Mode on"
        return _no_slack("Slack app token", error, mend)
    return Finding("Slack app token", "green", "opens Socket Mode connections")
