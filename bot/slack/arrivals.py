"""What a delivery is to us: an ask, a signal, a sentence at once, or nothing. Decided before anything is claimed.

Pure: the body of an event, a command or a click -> Arrival | Drop | Tell. The door commits an Arrival. A press of a
button is a signal to the ask it names, or an ask of its own (`clicks`).
"""

import re
from collections.abc import Callable, Mapping

from bot.ask import Ask, Signal, SignalKind
from bot.inbox import Arrival
from bot.slack import messages, presses, shortcuts
from bot.slack.envelope import (
    Drop,
    Envelope,
    Opened,
    Tell,
    Us,
    Wrong,
    channel_kind,
    external,
    teams_of,
)
from bot.slack.shapes import Json, items, mapping, words
from bot.slack.wishes import Usage, command
from bot.slack.words import unescaped

STOP_REACTION = "x"
_CHANNEL = re.compile(r"<#(\w+)\|[^>]*>")
ACTIONS: Mapping[str, SignalKind] = {
    "stop": "stop",
    "feedback": "feedback",
}
"""Our buttons' action ids, up to the first colon; a button's value is `ask id` or `ask id:word`."""

NOTICES = ("app_rate_limited", "tokens_revoked", "app_uninstalled")
"""Drops that an operator has to hear of."""

Reading = Arrival | Drop | Tell | Wrong | Opened


def read(body: Json, us: Us, *, id: str, at: float) -> Reading:  # noqa: A002 - the id it would get
    """What one delivery is to us.

    Args:
        body: as Slack sent it, in either transport.
        us: who we are.
        id: the id that an ask or a signal gets.
        at: now, seconds since the epoch.
    """
    envelope = Envelope(body, us.as_in(body), id, at)
    app = words(body.get("api_app_id"))
    if us.app_id and app and app != us.app_id:
        return Drop("other_app")
    if "command" in body:
        return _command(envelope)
    kind = words(body.get("type"))
    if kind == "event_callback":
        return _event(mapping(body.get("event")), envelope)
    if kind == "block_actions":
        return _click(envelope)
    if kind == "app_rate_limited":
        return Drop(kind)
    if kind == "view_submission":
        return presses.sent(envelope)
    if kind == "message_action":
        return shortcuts.chosen(envelope)
    if kind in {"view_closed", "shortcut"}:
        return Drop("not_ours")  # a closed form is nothing to us, and we have no global shortcut
    return Drop("unknown" if kind else "malformed")


def _event(event: Json, envelope: Envelope) -> Arrival | Drop | Opened:
    readers: Mapping[str, Callable[[Json, Envelope], Arrival | Drop | Opened]] = {
        "app_mention": messages.said,
        "message": messages.said,
        "reaction_added": _reaction,
        "agent_session_stopped": _session_stopped,
        "member_joined_channel": _invited,
        "app_home_opened": _home,
    }
    kind = words(event.get("type"))
    if not words(envelope.body.get("event_id")):
        return Drop("malformed")
    if kind in NOTICES:
        return Drop(kind)
    reader = readers.get(kind)
    return reader(event, envelope) if reader else Drop("unknown_event" if kind else "malformed")


def _home(event: Json, _envelope: Envelope) -> Drop | Opened:
    """Our home was opened, or the messages beside it, which need nothing."""
    user = words(event.get("user"))
    if event.get("tab") != "home" or not user:
        return Drop("app_home_opened")
    return Opened(user, words(event.get("channel")))


def _reaction(event: Json, envelope: Envelope) -> Arrival | Drop:
    """A cross on our answer, or on one's own question, stops the work on it."""
    item, user = mapping(event.get("item")), words(event.get("user"))
    author, ours = words(event.get("item_user")), envelope.us.bot_user
    if event.get("reaction") != STOP_REACTION or item.get("type") != "message":
        return Drop("reaction")
    if not user or user == ours or author not in (ours, user):
        return Drop("reaction")
    return _stop(envelope, channel=words(item.get("channel")), user=user, ts=words(item.get("ts")))


def _session_stopped(event: Json, envelope: Envelope) -> Arrival | Drop:
    """Slack's own stop button beside the status."""
    return _stop(
        envelope,
        channel=words(event.get("channel")) or words(event.get("channel_id")),
        user=words(event.get("user")) or words(event.get("user_id")),
        thread=words(event.get("thread_ts")),
    )


def _stop(
    envelope: Envelope, *, channel: str, user: str, thread: str = "", ts: str = ""
) -> Arrival | Drop:
    if not channel or not (thread or ts):
        return Drop("malformed")
    key = envelope.event_key
    signal = Signal(
        id=envelope.id,
        key=key,
        kind="stop",
        team=envelope.us.team,
        channel=channel,
        user=user,
        at=envelope.at,
        thread=thread,
        ts=ts,
    )
    return Arrival((key,), None, signal)


def _invited(event: Json, envelope: Envelope) -> Arrival | Drop:
    """We came into a channel: we say what we can do there."""
    channel, us = words(event.get("channel")), envelope.us
    if not us.bot_user or event.get("user") != us.bot_user:
        return Drop("other_joined")
    if not channel:
        return Drop("malformed")
    ask = Ask(
        id=envelope.id,
        key=envelope.event_key,
        team=us.team,
        channel=channel,
        user=words(event.get("inviter")),
        feature="purser",
        origin="invite",
        text="hello",
        at=envelope.at,
        channel_kind=channel_kind(
            channel, {"C": "channel", "G": "group"}.get(words(event.get("channel_type")))
        ),
        external=external(envelope.body, event, us),
        user_team=next(iter(teams_of(event)), ""),
    )
    return Arrival((envelope.event_key,), ask, None)


def _command(envelope: Envelope) -> Reading:
    """A slash command. Slack never sends it again, and it comes without the signs of a shared channel."""
    body = envelope.body
    channel, user = words(body.get("channel_id")), words(body.get("user_id"))
    if not channel or not user or not words(body.get("trigger_id")):
        return Drop("malformed")
    text = _CHANNEL.sub(r"<#\1>", words(body.get("text")))  # its id says more than its name
    wanted = command(words(body.get("command")), unescaped(text))
    if isinstance(wanted, Usage):
        return Tell(wanted.sentence)
    team = words(body.get("team_id"))
    ask = Ask(
        id=envelope.id,
        key=envelope.trigger_key,
        team=envelope.us.team,
        channel=channel,
        user=user,
        feature=wanted.feature,
        origin="command",
        text=wanted.text,
        at=envelope.at,
        channel_kind=channel_kind(channel, body.get("channel_name")),
        external=bool(team) and team != envelope.us.team,
        user_team=team,
        response_url=words(body.get("response_url")),
    )
    return Arrival((envelope.trigger_key,), ask, None)


def _click(envelope: Envelope) -> Arrival | Drop:
    """A button of ours was pressed."""
    body = envelope.body
    action = next(iter(items(body.get("actions"))), None)
    if action is None:
        return Drop("malformed")
    kind = ACTIONS.get(words(action.get("action_id")).partition(":")[0])
    if kind is None:
        return presses.pressed(action, envelope)
    ask_id, _, said = words(action.get("value")).partition(":")
    place = presses.place(body)
    signal = Signal(
        id=envelope.id,
        key=envelope.trigger_key,
        kind=kind,
        team=envelope.us.team,
        channel=place.channel,
        user=words(mapping(body.get("user")).get("id")),
        at=envelope.at,
        thread=place.thread,
        ts=place.message,
        ask_id=ask_id,
        text=said,
    )
    if not signal.ask_id or not signal.user or not words(body.get("trigger_id")):
        return Drop("malformed")
    return Arrival((envelope.trigger_key,), None, signal)
