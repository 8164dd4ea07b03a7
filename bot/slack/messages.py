"""Messages, as events tell of them: said, edited, deleted. Which of them is an ask, a signal, or nothing to us.

Pure. In channels only what mentions us is ours; a direct message is always for us.
"""

from bot.ask import Ask, Origin, Signal, SignalKind
from bot.inbox import Arrival
from bot.slack.envelope import (
    Drop,
    Envelope,
    channel_kind,
    edited_ts,
    external,
    files_of,
    teams_of,
)
from bot.slack.shapes import Json, mapping, words
from bot.slack.wishes import wish
from bot.slack.words import asked, mentions

SAID = {
    "",
    "file_share",
    "thread_broadcast",
    "me_message",
}  # subtypes in which somebody says something
SLACKBOT = "USLACKBOT"


def said(event: Json, envelope: Envelope) -> Arrival | Drop:
    """A message, or a mention of us in one (the same message comes as both)."""
    subtype = words(event.get("subtype"))
    if subtype == "message_changed":
        return _changed(event, envelope)
    if subtype == "message_deleted":
        return _deleted(event, envelope)
    if subtype not in SAID:
        return Drop("bot" if subtype == "bot_message" else "subtype")
    if nobody := _not_a_person(event, envelope):
        return nobody
    mention = event.get("type") == "app_mention" or mentions(event, envelope.us.bot_user)
    if not _direct(event) and not mention:
        return Drop("no_mention")
    return _asked(event, envelope)


def _not_a_person(message: Json, envelope: Envelope) -> Drop | None:
    """Why nobody is behind a message: it is our own, another bot's, or Slack's."""
    if envelope.us.wrote(message):
        return Drop("own")
    if message.get("bot_id") or message.get("bot_profile") or message.get("user") == SLACKBOT:
        return Drop("bot")
    if not words(message.get("user")):
        return Drop("no_user")
    if not words(message.get("ts")) or not words(message.get("channel")):
        return Drop("malformed")
    return None


def _direct(event: Json) -> bool:
    return channel_kind(words(event.get("channel")), event.get("channel_type")) == "im"


def _asked(message: Json, envelope: Envelope) -> Arrival:
    """A person's words to us. Of an edited message both are told: it is an ask, unless one of its ts is known."""
    channel, ts, edited = words(message["channel"]), words(message["ts"]), edited_ts(message)
    root = words(message.get("thread_ts"))
    in_thread = root not in ("", ts)
    files = files_of(message)
    key = envelope.message_key(channel, ts, edited)
    keys = (envelope.event_key, key)
    if client := words(message.get("client_msg_id")):
        # Slack was seen telling of one gesture twice, with different ts but the same id of its client.
        keys = (*keys, f"client:{envelope.us.team}:{channel}:{client}:{edited}")
    wanted = wish(asked(message, envelope.us.bot_user), files, in_thread=in_thread)
    if wanted.stop and (in_thread or _direct(message)):
        # In a direct message it stands for itself, not in the thread of what it stops.
        return Arrival(
            keys, None, _signal("stop", message, envelope, key, root if in_thread else "")
        )
    origin: Origin = "message" if _direct(message) else "mention"
    ask = Ask(
        id=envelope.id,
        key=key,
        team=envelope.us.team,
        channel=channel,
        user=words(message["user"]),
        feature=wanted.feature,
        origin="edit" if edited else origin,
        text=wanted.text,
        at=envelope.at,
        thread=root or ts,
        ts=ts,
        edited=edited,
        files=files,
        channel_kind=channel_kind(channel, message.get("channel_type")),
        external=external(envelope.body, message, envelope.us),
        user_team=next(iter(teams_of(message)), ""),
    )
    if not edited:
        return Arrival(keys, ask, None)
    return Arrival(keys, ask, _signal("edit", message, envelope, key, root or ts, ts, wanted.text))


def _changed(event: Json, envelope: Envelope) -> Arrival | Drop:
    """An edit; also what Slack calls a change when it only hangs a link's preview on a message."""
    new, old = mapping(event.get("message")), mapping(event.get("previous_message"))
    place = {"channel": event.get("channel"), "channel_type": event.get("channel_type")}
    if new.get("subtype") == "tombstone":  # a deleted message that has replies
        gone = {**place, "deleted_ts": new.get("ts"), "previous_message": old}
        return _deleted(gone, envelope)
    message = {**new, **place}
    if words(new.get("subtype")) not in SAID:
        return Drop("subtype")
    if nobody := _not_a_person(message, envelope):
        return nobody
    if not edited_ts(new) or edited_ts(new) == edited_ts(old):
        return Drop("unchanged")
    us = envelope.us.bot_user
    if _direct(event) or mentions(new, us):
        return _asked(message, envelope)
    if mentions(old, us):
        key = envelope.message_key(words(message["channel"]), words(new["ts"]), edited_ts(new))
        thread = words(new.get("thread_ts")) or words(new["ts"])
        signal = _signal(
            "edit", message, envelope, key, thread, words(new["ts"]), asked(message, us)
        )
        return Arrival((envelope.event_key, key), None, signal)
    return Drop("no_mention")


def _deleted(event: Json, envelope: Envelope) -> Arrival | Drop:
    old, ts = mapping(event.get("previous_message")), words(event.get("deleted_ts"))
    message = {**old, "ts": ts, "channel": event.get("channel")}
    if nobody := _not_a_person(message, envelope):
        return nobody
    if not _direct(event) and not mentions(old, envelope.us.bot_user):
        return Drop("no_mention")
    key = f"delete:{envelope.us.team}:{words(message['channel'])}:{ts}"
    thread = words(old.get("thread_ts")) or ts
    return Arrival(
        (envelope.event_key, key), None, _signal("delete", message, envelope, key, thread, ts)
    )


def _signal(
    kind: SignalKind,
    message: Json,
    envelope: Envelope,
    key: str,
    thread: str,
    ts: str = "",
    text: str = "",
) -> Signal:
    return Signal(
        id=envelope.id,
        key=key,
        kind=kind,
        team=envelope.us.team,
        channel=words(message.get("channel")),
        user=words(message.get("user")),
        at=envelope.at,
        thread=thread,
        ts=ts,
        text=text,
    )
