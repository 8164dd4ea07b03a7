"""The Slack app manifest: what Purser asks of a workspace, each scope and event with its reason.

`purser manifest` prints it, `purser doctor` checks a token against it, docs/setup explains it from here.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from bot.slack.shortcuts import SHORTCUTS

SCOPES: Mapping[str, str] = {
    "app_mentions:read": "hear when somebody mentions Purser",
    "assistant:write": "show a status and suggested questions where Slack shows agents",
    "channels:history": "read a thread in a public channel where Purser was asked, or all of them for a digest that somebody wants",
    "channels:read": "hear of being invited, and know whether a channel is shared with others",
    "chat:write": "answer",
    "commands": "offer /summarize, /cost and /purser",
    "files:read": "read files attached to a question",
    "files:write": "hand over files, such as a report as CSV",
    "groups:history": "read a thread in a private channel where Purser was asked, or all of them for a digest that somebody wants",
    "groups:read": "the same as channels:read, for private channels",
    "im:history": "read direct messages to Purser",
    "im:write": "answer a command by direct message where its channel is closed to Purser",
    "mpim:history": "read a thread in a group message where Purser was asked",
    "reactions:read": "hear a cross as a stop",
    "users:read": "know guests, bots and people of other organisations, and people's names",
    "users:read.email": "find in Jira who says “assign it to me”, whom it may know by their address alone",
}
"""Bot scopes and why each is needed."""

EVENTS: Mapping[str, str] = {
    "agent_session_stopped": "Slack's own stop button",
    "app_home_opened": "show on the home tab what somebody spent, and what is left",
    "app_mention": "a question in a channel or a thread",
    "app_uninstalled": "tell the operator that Purser was removed",
    "member_joined_channel": "introduce itself where it is invited",
    "message.im": "a question in a direct message, and its edits and deletions",
    "reaction_added": "a cross on an answer stops it",
    "tokens_revoked": "tell the operator that a token no longer holds",
}
"""Event subscriptions and why each is needed."""

COMMANDS: Mapping[str, tuple[str, str]] = {
    "/summarize": (
        "Summarise Jira tickets in this channel",
        "KEY [KEY…] | Jira address | JQL | sprint PROJECT; or one of them, or a project, nightly at 7:00",
    ),
    "/cost": (
        "What Claude cost here, shown to you alone",
        "[today | 7d | this month | last month | 2026-11] [#channel] [by user|model|feature|day|feedback] [csv]",
    ),
    "/purser": (
        "Help, this channel's policy and budget, shown to you alone",
        "help | policy | why | digests | budget [usd] | model | reset | pause | resume | summarize … | cost …",
    ),
}
"""Slash commands: what Slack shows of each, and how it is used."""

DESCRIPTION = "Claude and Jira where your team already talks, with the books kept."
LONG_DESCRIPTION = (
    "Mention Purser with a question, a piece of code or a pull request, and Claude answers in the thread, "
    "with tools that read the web and your Jira. /summarize tells where tickets stand, /cost what it all cost, "
    "by channel, to the cent. Purser runs on your own machines and keeps its books there."
)
SUGGESTED: tuple[tuple[str, str], ...] = (
    ("Review code", "Review this:\n```\ndef mean(xs):\n    return sum(xs) / len(xs)\n```"),
    ("Where does a ticket stand?", "summarize SHOP-12"),
    ("What can you do here?", "help"),
)


def manifest(*, http: str | None = None, only: str | None = None) -> dict[str, Any]:
    """The manifest as Slack takes it.

    Args:
        http: `https://host` where Slack shall send events; None for Socket Mode.
        only: the one command to register, where the other names are taken; all of them work as its words.

    Raises:
        ValueError: an address or a name that Slack would not take; the sentence says which.
    """
    url = f"{_origin(http)}/slack/events" if http is not None else None
    reached: dict[str, Any] = {"request_url": url} if url else {}
    return {
        "display_information": {
            "name": "Purser",
            "description": DESCRIPTION,
            "long_description": LONG_DESCRIPTION,
            "background_color": "#1f3a5f",
        },
        "features": {
            "agent_view": {
                "agent_description": DESCRIPTION,
                "suggested_prompts": [{"title": t, "message": m} for t, m in SUGGESTED],
            },
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "Purser", "always_online": True},
            "slash_commands": [
                {
                    "command": name,
                    "description": description,
                    "usage_hint": hint,
                    "should_escape": True,  # a channel then comes with its id
                    **({"url": url} if url else {}),
                }
                for name, (description, hint) in _commands(only).items()
            ],
            "shortcuts": [
                {
                    "name": shortcut.name,
                    "type": "message",
                    "callback_id": callback,
                    "description": shortcut.description,
                }
                for callback, shortcut in SHORTCUTS.items()
            ],
        },
        "oauth_config": {"scopes": {"bot": sorted(SCOPES)}},
        "settings": {
            "event_subscriptions": {**reached, "bot_events": sorted(EVENTS)},
            "interactivity": {"is_enabled": True, **reached},
            "org_deploy_enabled": False,
            "socket_mode_enabled": url is None,
            "token_rotation_enabled": False,
        },
    }


def _commands(only: str | None) -> Mapping[str, tuple[str, str]]:
    if only is None:
        return COMMANDS
    if not re.fullmatch(r"/[a-z0-9_-]{1,31}", only):
        raise ValueError(f"{only} is no command name; write one such as /purser (lower case)")
    if only in {"/summarize", "/cost"}:
        raise ValueError(
            f"{only} can only do one thing; the one command should be /purser or alike"
        )
    return {only: COMMANDS["/purser"]}


def _origin(address: str) -> str:
    parts = urlsplit(address)
    plain = parts.path in {"", "/"} and not parts.query and not parts.username
    if parts.scheme != "https" or not parts.hostname or not plain:
        raise ValueError(
            f"{address} should be the address Slack reaches, such as https://purser.example.com"
        )
    return f"https://{parts.netloc}"
