"""Shortcuts in a message's menu: what each is called, and the ask that choosing one is. Pure.

It is asked and answered in the thread of that message, as if somebody had said the words there.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.ask import Ask
from bot.inbox import Arrival
from bot.slack.envelope import Drop, Envelope, channel_kind
from bot.slack.shapes import mapping, words


@dataclass(frozen=True, slots=True)
class Shortcut:
    """One entry of a message's menu.

    Attributes:
        name: as Slack shows it, of at most 24 characters.
        description: what it does, for who installs the app.
        asks: what is asked of Claude.
    """

    name: str
    description: str
    asks: str


SHORTCUTS: Mapping[str, Shortcut] = {
    "summarise_thread": Shortcut(
        "Summarise this thread",
        "What a thread says, what was decided in it, and what is open",
        "Summarise this thread: what it is about, what was decided and by whom, which questions are open, and who has "
        "to do what next. If you could not read some of it, say so.",
    ),
    "open_ticket": Shortcut(
        "Open a ticket from this",
        "Proposes a Jira ticket made of a thread; it is written when you confirm it",
        "Open a ticket from this thread. Propose it with jira_propose_issue: the project and the type that fit, a "
        "summary of one line, and a description with what happens, what is wanted instead, how to see it, and what "
        "was said so far. Invent nothing, and where you cannot tell which project, ask me.",
    ),
}
"""By callback id."""


def chosen(envelope: Envelope) -> Arrival | Drop:
    """Somebody chose one of our shortcuts in a message's menu."""
    body, us = envelope.body, envelope.us
    shortcut = SHORTCUTS.get(words(body.get("callback_id")))
    if shortcut is None:
        return Drop("not_ours")
    message, user = mapping(body.get("message")), mapping(body.get("user"))
    channel = words(mapping(body.get("channel")).get("id"))
    root = words(message.get("thread_ts")) or words(message.get("ts"))
    root = root or words(body.get("message_ts"))
    if not channel or not root or not words(user.get("id")) or not words(body.get("trigger_id")):
        return Drop("malformed")
    team = words(user.get("team_id")) or words(mapping(body.get("team")).get("id"))
    ask = Ask(
        id=envelope.id,
        key=envelope.trigger_key,
        team=us.team or words(mapping(body.get("team")).get("id")),
        channel=channel,
        user=words(user.get("id")),
        feature="chat",
        origin="shortcut",
        text=shortcut.asks,
        at=envelope.at,
        thread=root,
        ts=words(body.get("action_ts")),  # what was said until then is in it
        channel_kind=channel_kind(channel, mapping(body.get("channel")).get("name")),
        external=bool(team and us.team) and team != us.team,
        user_team=team,
        response_url=words(body.get("response_url")),
    )
    return Arrival((envelope.trigger_key,), ask, None)
