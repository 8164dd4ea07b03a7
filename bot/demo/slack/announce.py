"""What the app hears of messages: app_mention where it is mentioned, message events where it subscribed to them."""

import re

from bot.demo.slack.events import Events
from bot.demo.slack.message import Message
from bot.demo.slack.watch import Json
from bot.demo.slack.world import EVENT_KINDS, Channel, World

SUBSCRIPTIONS = {
    "channel": "message.channels",
    "private": "message.groups",
    "im": "message.im",
    "mpim": "message.mpim",
}


class Announcer:
    """Turns what happens to messages into events for the app."""

    def __init__(self, world: World, events: Events) -> None:
        self._world = world
        self._events = events
        self._mention = re.compile(rf"<@{world.bot.id}(\|[^>]*)?>")

    def mentions_app(self, message: Message) -> bool:
        """Whether a message mentions the app."""
        return self._mention.search(message.text) is not None

    def posted(self, message: Message) -> None:
        """A message was said."""
        channel = self._world.channels[message.channel]
        mention = self._as_mention(message, channel) if self._is_heard_mention(message) else None
        event = None
        if self._hears_messages(channel):
            event = self._inner(message, channel) | {"channel_type": EVENT_KINDS[channel.kind]}
            if message.files and not message.bot_id:
                event["subtype"] = "file_share"
        self._events.tell_pair(mention, event, channel)

    def edited(self, message: Message, previous: Json) -> None:
        """A message was edited; a mention in the new wording is an app_mention again, with `edited`."""
        channel = self._world.channels[message.channel]
        heard = self._is_heard_mention(message)
        mention = self._as_mention(message, channel) if heard else None
        event: Json | None = None
        if self._hears_messages(channel):
            teams = {"source_team": message.team, "user_team": message.team}
            event = self._changed(channel, message.wire() | teams, previous)
        self._events.tell_pair(mention, event, channel)

    def unfurled(self, message: Message, previous: Json) -> None:
        """A preview was added below a message: message_changed without `edited` and the same text."""
        channel = self._world.channels[message.channel]
        if self._hears_messages(channel):
            event = self._changed(channel, message.wire(), previous)
            self._events.tell(event, channel=channel)

    def _changed(self, channel: Channel, message: Json, previous: Json) -> Json:
        return {
            "type": "message",
            "subtype": "message_changed",
            "message": message,
            "previous_message": previous,
            **self._where(channel),
        }

    def deleted(self, message: Message) -> None:
        """A message was deleted; of a root with replies Slack says that it changed into a tombstone."""
        channel = self._world.channels[message.channel]
        if not self._hears_messages(channel):
            return
        if message.ts in channel.messages:
            tombstone = channel.messages[message.ts].wire() | {"hidden": True}
            self._events.tell(self._changed(channel, tombstone, message.wire()), channel=channel)
            return
        event: Json = {
            "type": "message",
            "subtype": "message_deleted",
            "previous_message": message.wire(),
            "deleted_ts": message.ts,
            **self._where(channel),
        }
        self._events.tell(event, channel=channel)

    def _where(self, channel: Channel) -> Json:
        ts = self._world.new_ts()
        return {
            "channel": channel.id,
            "hidden": True,
            "ts": ts,
            "event_ts": ts,
            "channel_type": EVENT_KINDS[channel.kind],
        }

    def _hears_messages(self, channel: Channel) -> bool:
        wanted = SUBSCRIPTIONS[channel.kind] in self._events.subscribed
        return wanted and self._world.bot_is_in(channel)

    def _is_heard_mention(self, message: Message) -> bool:
        """In direct messages Slack sends no app_mention, and to channels it is not in none either."""
        channel = self._world.channels[message.channel]
        return (
            channel.kind != "im"
            and message.user != self._world.bot.id
            and "app_mention" in self._events.subscribed
            and self._world.bot_is_in(channel)
            and self.mentions_app(message)
        )

    def _as_mention(self, message: Message, channel: Channel) -> Json:
        return self._inner(message, channel) | {"type": "app_mention"}

    def _inner(self, message: Message, channel: Channel) -> Json:
        event = message.wire()
        event.pop("streaming_state", None)
        event.pop("reactions", None)
        event |= {"channel": channel.id, "event_ts": message.ts}
        if message.is_reply:
            root = channel.messages.get(message.thread_ts)
            event["parent_user_id"] = root.user if root is not None else "USLACKBOT"
        if channel.ext_shared:
            event |= {"user_team": message.team, "source_team": message.team}
        return event
