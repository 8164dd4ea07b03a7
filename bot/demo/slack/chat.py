"""The Web API's chat methods of the Slack stand-in: post, edit, delete, show to one person, and links."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.demo.slack.announce import Announcer
from bot.demo.slack.api import Call, Run, SlackProblem, entered, seen
from bot.demo.slack.blocks import ALL_TEXT, check, written
from bot.demo.slack.message import Message
from bot.demo.slack.watch import Json
from bot.demo.slack.world import Channel, World

TEXT = 40_000  # characters of a post's text; what is longer is cut off
UPDATE_TEXT = 4_000  # characters of an edit's text
MARKDOWN_TEXT = 12_000  # characters of markdown_text in one call
EPHEMERALS = 200  # kept for each channel


@dataclass(frozen=True, slots=True)
class Content:
    """What a message is to say."""

    text: str
    markdown: str
    blocks: list[Json]
    attachments: list[Json]


class Chat:
    """Messages by the app."""

    def __init__(self, world: World, announcer: Announcer) -> None:
        self._world = world
        self._announcer = announcer

    def methods(self) -> Mapping[str, Run]:
        """The chat methods by name; streams are elsewhere."""
        return {
            "chat.postMessage": self.post,
            "chat.postEphemeral": self.post_ephemeral,
            "chat.update": self.update,
            "chat.delete": self.delete,
            "chat.getPermalink": self.permalink,
        }

    def post(self, call: Call) -> Json:
        """chat.postMessage."""
        channel = entered(self._world, call.need("channel", "channel_not_found"))
        content = read_content(call, text_limit=None)
        thread_ts = call.text("thread_ts")
        if thread_ts in channel.gone and thread_ts not in channel.messages:
            thread_ts = ""  # Slack puts an answer to a deleted message into the channel
        if thread_ts and thread_ts not in channel.messages:
            raise SlackProblem("thread_not_found")
        message = self.own(channel, content, thread_ts)
        message.metadata = call.data("metadata", "invalid_metadata_format")
        message.unfurls = call.flag("unfurl_links", True) or call.flag("unfurl_media", True)
        if thread_ts and call.flag("reply_broadcast"):
            message.subtype = "thread_broadcast"
        self._world.put(message)
        clear_status(self._world, channel, thread_ts)
        self._announcer.posted(message)
        return {"channel": channel.id, "ts": message.ts, "message": message.wire(metadata=True)}

    def own(self, channel: Channel, content: Content, thread_ts: str) -> Message:
        """A message by the app, not yet in its channel."""
        bot = self._world.bot
        return Message(
            self._world.new_ts(),
            channel.id,
            bot.id,
            content.text or content.markdown,
            bot.team,
            thread_ts,
            blocks=with_ids(self._world, content.blocks),
            attachments=content.attachments,
            bot_id=bot.bot_id,
            app_id=bot.app_id,
            markdown=content.markdown,
        )

    def post_ephemeral(self, call: Call) -> Json:
        """chat.postEphemeral."""
        channel = entered(self._world, call.need("channel", "channel_not_found"))
        user = call.need("user", "user_not_in_channel")
        if user not in channel.members:
            raise SlackProblem("user_not_in_channel")
        message = self.own(channel, read_content(call, text_limit=None), call.text("thread_ts"))
        show(self._world, channel, message, user)
        return {"message_ts": message.ts}

    def update(self, call: Call) -> Json:
        """chat.update."""
        channel = entered(self._world, call.need("channel", "channel_not_found"))
        message = self._mine(channel, call.need("ts", "message_not_found"), "cant_update_message")
        if message.streaming == "in_progress":
            raise SlackProblem("streaming_state_conflict")
        content = read_content(call, text_limit=UPDATE_TEXT)
        previous = message.wire()
        message.text = content.text or content.markdown or message.text
        message.markdown = content.markdown
        if content.blocks or content.markdown or "blocks" in call.arguments or content.text:
            message.blocks = with_ids(self._world, content.blocks)
        if "attachments" in call.arguments:
            message.attachments = content.attachments
        if metadata := call.data("metadata", "invalid_metadata_format"):
            message.metadata = metadata
        message.edited = {"user": self._world.bot.id, "ts": self._world.new_ts()}
        message.streaming = "completed" if message.streaming else ""
        self._world.watch.changed("edited", channel.id, message.ts, message=message)
        self._announcer.edited(message, previous)
        return {
            "channel": channel.id,
            "ts": message.ts,
            "text": message.text,
            "message": message.wire(metadata=True),
        }

    def delete(self, call: Call) -> Json:
        """chat.delete."""
        channel = seen(self._world, call.need("channel", "channel_not_found"))
        message = self._mine(channel, call.need("ts", "message_not_found"), "cant_delete_message")
        self._world.remove(message)
        self._announcer.deleted(message)
        return {"channel": channel.id, "ts": message.ts}

    def permalink(self, call: Call) -> Json:
        """chat.getPermalink."""
        channel = seen(self._world, call.need("channel", "channel_not_found"))
        ts = call.need("message_ts", "message_not_found")
        if ts not in channel.messages:
            raise SlackProblem("message_not_found")
        return {"channel": channel.id, "permalink": self._world.permalink(channel.id, ts)}

    def _mine(self, channel: Channel, ts: str, error: str) -> Message:
        message = channel.messages.get(ts)
        if message is None:
            raise SlackProblem("message_not_found")
        if message.user != self._world.bot.id:
            raise SlackProblem(error)
        return message


def read_content(call: Call, *, text_limit: int | None) -> Content:
    """What a call wants said, checked.

    Raises:
        SlackProblem: no_text, msg_too_long, invalid_blocks, msg_blocks_too_long or markdown_text_conflict.
    """
    text, markdown = call.text("text"), call.text("markdown_text")
    blocks: Any = call.data("blocks", "invalid_blocks_format") or []
    attachments: Any = call.data("attachments", "invalid_attachments") or []
    if markdown and (text or blocks):
        raise SlackProblem("markdown_text_conflict")
    if len(markdown) > MARKDOWN_TEXT or (text_limit is not None and len(text) > text_limit):
        raise SlackProblem("msg_too_long")
    check_blocks(blocks)
    if not (text or markdown or blocks or attachments):
        raise SlackProblem("no_text")
    return Content(text[:TEXT], markdown, blocks, attachments)


def check_blocks(blocks: Any, *, error: str = "invalid_blocks") -> None:
    """Let right blocks pass.

    Raises:
        SlackProblem: `error` with what is wrong, or msg_blocks_too_long.
    """
    problems = check(blocks)
    if problems:
        messages = [f"[ERROR] {problem}" for problem in problems]
        raise SlackProblem(error, errors=problems, response_metadata={"messages": messages})
    if written(blocks) > ALL_TEXT:
        raise SlackProblem("msg_blocks_too_long")


def with_ids(world: World, blocks: list[Json]) -> list[Json]:
    """The blocks, each with a block_id."""
    return [
        block if block.get("block_id") else {**block, "block_id": world.secret(5)}
        for block in blocks
    ]


def show(world: World, channel: Channel, message: Message, user: str) -> None:
    """An ephemeral message, seen by one person."""
    message.only_for = user
    message.response_type = "ephemeral"
    channel.ephemerals.append(message)
    del channel.ephemerals[:-EPHEMERALS]
    world.watch.changed("ephemeral", channel.id, message.ts, message=message)


def clear_status(world: World, channel: Channel, thread_ts: str) -> None:
    """A reply of the app ends the line that says what it is doing."""
    status = channel.statuses.get(thread_ts)
    if status is not None and status.text:
        status.text = ""
        world.watch.changed("status", channel.id, thread_ts, status=status)
