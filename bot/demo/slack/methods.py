"""What Slack demands of a Web API call: each method's scope and how often it may be called.

Tiers and scopes as of November 2026; "1+/min" is taken at its word, which is the safe reading.
"""

from dataclasses import dataclass

TIER_1, TIER_2, TIER_3, TIER_4 = 1, 20, 50, 100  # calls a minute, per method, app and team
AUTH_TEST = 600  # calls a minute
STATUS = 60  # calls a minute of assistant.threads.setStatus
CONNECT_BURST = 10  # an app that lost all its sockets can open them again
POST_PER_CHANNEL = 60  # posts a minute to one channel, one a second
POST_BURST = 5  # posts to one channel before that one a second is felt
POST_PER_TEAM = 600  # posts a minute to all channels; Slack says "several hundred"


@dataclass(frozen=True, slots=True)
class Rule:
    """One method: calls a minute, and the bot scopes of which one must be granted ("" = none needed)."""

    per_minute: int
    scopes: tuple[str, ...] = ()
    app_token: bool = False
    per_channel: bool = False
    burst: int = 0  # calls at once before the rate is felt; 0 = a minute's worth


_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")
_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_WRITE = ("chat:write",)

RULES: dict[str, Rule] = {
    "api.test": Rule(TIER_4),
    "auth.test": Rule(AUTH_TEST),
    "apps.connections.open": Rule(TIER_1, app_token=True, burst=CONNECT_BURST),
    "team.info": Rule(TIER_3, ("team:read",)),
    "bots.info": Rule(TIER_3, ("users:read",)),
    "users.info": Rule(TIER_4, ("users:read",)),
    "users.list": Rule(TIER_2, ("users:read",)),
    "chat.postMessage": Rule(POST_PER_TEAM, _WRITE, per_channel=True),
    "chat.postEphemeral": Rule(TIER_4, _WRITE),
    "chat.update": Rule(TIER_3, _WRITE),
    "chat.delete": Rule(TIER_3, _WRITE),
    "chat.getPermalink": Rule(TIER_4),
    "chat.startStream": Rule(TIER_2, _WRITE),
    "chat.appendStream": Rule(TIER_4, _WRITE),
    "chat.stopStream": Rule(TIER_2, _WRITE),
    "agents.sessions.setStatus": Rule(TIER_3, _WRITE),
    "assistant.threads.setStatus": Rule(STATUS, ("assistant:write", "chat:write")),
    "assistant.threads.setTitle": Rule(TIER_3, ("assistant:write",)),
    "assistant.threads.setSuggestedPrompts": Rule(TIER_3, ("assistant:write",)),
    "conversations.history": Rule(TIER_3, _HISTORY),
    "conversations.replies": Rule(TIER_3, _HISTORY),
    "conversations.info": Rule(TIER_3, _READ),
    "conversations.list": Rule(TIER_2, _READ),
    "conversations.members": Rule(TIER_4, _READ),
    "conversations.open": Rule(TIER_3, ("im:write",)),
    "reactions.add": Rule(TIER_3, ("reactions:write",)),
    "reactions.remove": Rule(TIER_2, ("reactions:write",)),
    "reactions.get": Rule(TIER_3, ("reactions:read",)),
    "files.info": Rule(TIER_4, ("files:read",)),
    "files.getUploadURLExternal": Rule(TIER_4, ("files:write",)),
    "files.completeUploadExternal": Rule(TIER_4, ("files:write",)),
    "views.open": Rule(TIER_4),
    "views.push": Rule(TIER_4),
    "views.update": Rule(TIER_4),
    "views.publish": Rule(TIER_4),
}

SCOPES: tuple[str, ...] = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "mpim:history",
    "mpim:read",
    "reactions:read",
    "reactions:write",
    "team:read",
    "users:read",
    "users:read.email",
)
"""What the stand-in's bot token is granted unless a test says otherwise."""

EVENTS: tuple[str, ...] = (
    "agent_session_stopped",
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "member_joined_channel",
    "message.im",
    "reaction_added",
    "tokens_revoked",
)
"""What the app subscribes to unless a test says otherwise; message.channels and message.groups on demand."""
