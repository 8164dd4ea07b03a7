"""What people say and do with messages in the Slack stand-in: say, edit, delete, react, invite, stop."""

from collections.abc import Callable, Sequence

from bot.demo.slack.announce import Announcer
from bot.demo.slack.directory import Directory
from bot.demo.slack.events import Events
from bot.demo.slack.message import File, Message
from bot.demo.slack.streams import Streams
from bot.demo.slack.text import type_in
from bot.demo.slack.watch import Json
from bot.demo.slack.world import Channel, Person, World


class Speech:
    """People at their keyboards. People and channels are named by id or by name ("ana", "#payments").

    Every act returns when the workspace shows it; the app hears of it in the background.
    """

    def __init__(
        self,
        world: World,
        events: Events,
        announcer: Announcer,
        directory: Directory,
        streams: Streams,
        *,
        revoke: Callable[[], None],
    ) -> None:
        self._revoke = revoke
        self._world = world
        self._events = events
        self._announcer = announcer
        self._directory = directory
        self._streams = streams

    async def say(
        self,
        user: str,
        channel: str,
        text: str,
        *,
        thread_ts: str = "",
        files: Sequence[File] = (),
        code: str | None = None,
        blocks: Sequence[Json] | None = None,
    ) -> Message:
        """Say something in a channel or thread.

        Args:
            user: Who says it.
            channel: Where; "@ana" is ana's conversation with the app.
            text: As typed: @purser mentions, ```fences``` are code.
            thread_ts: The root (or any message) of the thread.
            files: Files from `file(...)`.
            code: A pasted code block below the text.
            blocks: The rich_text blocks, where they should differ from what was typed.
        """
        person, where = self._world.person(user), self._world.channel(channel)
        typed = type_in(self._world, text, code)
        message = Message(
            self._world.new_ts(),
            where.id,
            person.id,
            typed.text,
            person.team,
            thread_ts,
            blocks=typed.blocks if blocks is None else list(blocks),
            files=list(files),
            client_msg_id="" if person.is_bot else self._world.secret(32).lower(),
            bot_id=person.bot_id,
            app_id=person.app_id,
            subtype="bot_message" if person.is_bot else "",
        )
        for file in files:
            file.shares.append((where.id, message.ts))
        self._world.put(message)
        self._announcer.posted(message)
        return message

    async def dm(
        self, user: str, text: str, *, thread_ts: str = "", code: str | None = None
    ) -> Message:
        """Say something to the app alone."""
        return await self.say(user, f"@{user.lstrip('@')}", text, thread_ts=thread_ts, code=code)

    async def edit(self, message: Message, text: str, *, code: str | None = None) -> Message:
        """Its author changes a message's wording; its ts stays."""
        typed = type_in(self._world, text, code)
        previous = message.wire()
        message.text, message.blocks = typed.text, typed.blocks
        message.edited = {"user": message.user, "ts": self._world.new_ts()}
        self._world.watch.changed("edited", message.channel, message.ts, message=message)
        self._announcer.edited(message, previous)
        return message

    async def delete(self, message: Message) -> None:
        """Its author deletes a message."""
        self._world.remove(message)
        self._announcer.deleted(message)

    async def unfurl(self, message: Message, title: str = "A page") -> Message:
        """Slack adds a link's preview to a message; the app hears of a change that changes no wording."""
        previous = message.wire()
        message.attachments = [{"title": title, "fallback": title, "id": 1}]
        self._world.watch.changed("edited", message.channel, message.ts, message=message)
        self._announcer.unfurled(message, previous)
        return message

    async def react(self, user: str, message: Message, name: str) -> None:
        """Somebody reacts to a message."""
        self._directory.add_reaction(message, self._world.person(user).id, name)

    async def stop_stream(self, user: str, message: Message) -> list[str]:
        """Somebody presses stop in the message's thread; the ts of the streams that were running there."""
        channel = self._world.channels[message.channel]
        thread_ts = message.thread_ts or message.ts
        stopped = self._streams.stop_by_user(channel, thread_ts)
        if "agent_session_stopped" in self._events.subscribed:
            event: Json = {
                "type": "agent_session_stopped",
                "channel": channel.id,
                "thread_ts": thread_ts,
                "user": self._world.person(user).id,
                "streaming_message_ts": stopped,
                "event_ts": self._world.new_ts(),
            }
            self._events.tell(event, channel=channel)
        return stopped

    async def invite(self, channel: str, *, by: str = "ana") -> Channel:
        """Somebody invites the app into a channel."""
        where = self._world.channel(channel)
        where.members.add(self._world.bot.id)
        self._world.watch.changed("channel", where.id, now=where)
        if "member_joined_channel" in self._events.subscribed:
            event: Json = {
                "type": "member_joined_channel",
                "user": self._world.bot.id,
                "channel": where.id,
                "channel_type": "C" if where.kind == "channel" else "G",
                "team": self._world.team,
                "inviter": self._world.person(by).id,
                "event_ts": self._world.new_ts(),
            }
            self._events.tell(event, channel=where)
        return where

    async def expel(self, channel: str) -> Channel:
        """Somebody removes the app from a channel."""
        where = self._world.channel(channel)
        where.members.discard(self._world.bot.id)
        self._world.watch.changed("channel", where.id, now=where)
        return where

    async def uninstall(self) -> None:
        """An admin removes the app; it hears of it, and the bot token is worthless."""
        revoked: Json = {"type": "tokens_revoked", "tokens": {"bot": [self._world.bot.id]}}
        removed: Json = {"type": "app_uninstalled"}
        for event in (revoked, removed):
            if event["type"] in self._events.subscribed:
                self._events.tell({**event, "event_ts": self._world.new_ts()})
        self._revoke()

    def as_person(self, user: str) -> Person:
        """Who that is."""
        return self._world.person(user)
