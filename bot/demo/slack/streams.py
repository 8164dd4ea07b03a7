"""Streams and sessions of the Slack stand-in: text as it comes, task cards, the status line, the stop button."""

from collections.abc import Mapping
from typing import Any

from bot.demo.slack.announce import Announcer
from bot.demo.slack.api import Call, Run, SlackProblem, entered
from bot.demo.slack.blocks import TASK_STATES
from bot.demo.slack.chat import MARKDOWN_TEXT, Chat, Content, check_blocks, clear_status, with_ids
from bot.demo.slack.message import Message
from bot.demo.slack.watch import Json
from bot.demo.slack.world import Channel, Status, World

STREAM_SECONDS = 300.0  # a stream ends by itself so long after its start, whatever is appended
CHUNK_BLOCKS = 50  # blocks that chunks may add to a message
SESSIONS = ("processing", "active", "suspended", "closed")


class Streams:
    """The app's streams. `agent` says whether the app is declared as an agent, which sessions need."""

    def __init__(
        self,
        world: World,
        chat: Chat,
        announcer: Announcer,
        *,
        seconds: float = STREAM_SECONDS,
        agent: bool = True,
    ) -> None:
        self.seconds = seconds
        self.agent = agent
        self._world = world
        self._chat = chat
        self._announcer = announcer
        self._started: dict[tuple[str, str], float] = {}
        self._running: dict[tuple[str, str], list[Message]] = {}  # by channel and thread

    def methods(self) -> Mapping[str, Run]:
        """Streams, sessions and status lines by method name."""
        return {
            "chat.startStream": self.start,
            "chat.appendStream": self.append,
            "chat.stopStream": self.stop,
            "agents.sessions.setStatus": self.set_session,
            "assistant.threads.setStatus": self.set_status,
            "assistant.threads.setTitle": self.set_title,
            "assistant.threads.setSuggestedPrompts": lambda _: {},
        }

    def start(self, call: Call) -> Json:
        """chat.startStream."""
        channel = entered(self._world, call.need("channel", "channel_not_found"))
        thread_ts = call.text("thread_ts")
        if thread_ts and thread_ts not in channel.messages:
            raise SlackProblem("thread_not_found")
        if channel.kind != "im":
            self._check_recipient(call)
        message = self._chat.own(channel, Content("", "", [], []), thread_ts)
        message.streaming = "in_progress"
        self._add(message, call)
        self._world.put(message)
        self._started[channel.id, message.ts] = self._world.now()
        self._running.setdefault((channel.id, message.thread_ts), []).append(message)
        clear_status(self._world, channel, thread_ts)
        self._announcer.posted(message)
        return {"channel": channel.id, "ts": message.ts}

    def append(self, call: Call) -> Json:
        """chat.appendStream."""
        channel, message = self._running_one(call)
        if message.streaming == "stopped_by_user":
            raise SlackProblem("stopped_by_user")
        if not call.text("markdown_text") and not call.data("chunks"):
            raise SlackProblem("no_text")
        self._add(message, call)
        self._world.watch.changed("stream", channel.id, message.ts, message=message)
        return {"channel": channel.id, "ts": message.ts}

    def stop(self, call: Call) -> Json:
        """chat.stopStream; allowed after a person's stop too, to say what is left."""
        channel, message = self._running_one(call)
        blocks: Any = call.data("blocks", "invalid_blocks_format") or []
        check_blocks(blocks)
        session = call.text("session_status")
        if session and session not in SESSIONS:
            raise SlackProblem("invalid_arguments")
        previous = message.wire()
        self._add(message, call)
        message.blocks += with_ids(self._world, blocks)
        if metadata := call.data("metadata", "invalid_metadata_format"):
            message.metadata = metadata
        self._end(message, "completed")
        if session:
            self._status(channel, message.thread_ts).session = session
        self._world.watch.changed("edited", channel.id, message.ts, message=message)
        self._announcer.edited(message, previous)
        return {"channel": channel.id, "ts": message.ts, "message": message.wire(metadata=True)}

    def stop_by_user(self, channel: Channel, thread_ts: str) -> list[str]:
        """A person pressed stop: the thread's streams take no more text; their ts."""
        running = self._running.get((channel.id, thread_ts), [])
        live = [message for message in running if self._is_live(message)]
        for message in live:
            message.streaming = "stopped_by_user"
            self._world.watch.changed("stream", channel.id, message.ts, message=message)
        return [message.ts for message in live]

    def set_session(self, call: Call) -> Json:
        """agents.sessions.setStatus."""
        if not self.agent:
            raise SlackProblem("unknown_method")
        channel = entered(self._world, call.need("channel_id", "channel_not_found"))
        session = call.need("status")
        if session not in SESSIONS:
            raise SlackProblem("invalid_arguments")
        status = self._status(channel, call.text("thread_ts"))
        status.session = session
        status.title = call.text("title", status.title)
        status.initiator = call.text("initiator_user_id", status.initiator)
        self._world.watch.changed("status", channel.id, call.text("thread_ts"), status=status)
        return {}

    def set_status(self, call: Call) -> Json:
        """assistant.threads.setStatus."""
        channel = entered(self._world, call.need("channel_id", "channel_not_found"))
        thread_ts = call.need("thread_ts")
        status = self._status(channel, thread_ts)
        status.text = call.text("status")
        status.loading_messages = list(call.data("loading_messages") or [])
        self._world.watch.changed("status", channel.id, thread_ts, status=status)
        return {}

    def set_title(self, call: Call) -> Json:
        """assistant.threads.setTitle."""
        channel = entered(self._world, call.need("channel_id", "channel_not_found"))
        self._status(channel, call.need("thread_ts")).title = call.need("title")
        return {}

    def _status(self, channel: Channel, thread_ts: str) -> Status:
        return channel.statuses.setdefault(thread_ts, Status())

    def _check_recipient(self, call: Call) -> None:
        if not call.text("recipient_team_id"):
            raise SlackProblem("missing_recipient_team_id")
        user = call.text("recipient_user_id")
        if not user:
            raise SlackProblem("missing_recipient_user_id")
        if user not in self._world.people:
            raise SlackProblem("user_not_found")

    def _running_one(self, call: Call) -> tuple[Channel, Message]:
        channel = entered(self._world, call.need("channel", "channel_not_found"))
        message = channel.messages.get(call.need("ts", "message_not_found"))
        if message is None:
            raise SlackProblem("message_not_found")
        if message.user != self._world.bot.id:
            raise SlackProblem("message_not_owned_by_app")
        if not self._is_live(message) and message.streaming != "stopped_by_user":
            raise SlackProblem("message_not_in_streaming_state")
        return channel, message

    def _is_live(self, message: Message) -> bool:
        """Whether it takes text; a stream past its time ends here."""
        if message.streaming != "in_progress":
            return False
        started = self._started.get((message.channel, message.ts), 0.0)
        if self._world.now() - started >= self.seconds:
            self._end(message, "expired")
        return message.streaming == "in_progress"

    def _end(self, message: Message, state: str) -> None:
        message.streaming = state
        self._started.pop((message.channel, message.ts), None)
        key = (message.channel, message.thread_ts)
        left = [other for other in self._running.get(key, []) if other is not message]
        if left:
            self._running[key] = left
        else:
            self._running.pop(key, None)

    def _add(self, message: Message, call: Call) -> None:
        text = call.text("markdown_text")
        chunks: Any = call.data("chunks") or []
        check_chunks(chunks)
        if text and chunks:
            raise SlackProblem("invalid_arguments")
        text += "".join(str(c.get("text", "")) for c in chunks if c.get("type") == "markdown_text")
        if len(text) > MARKDOWN_TEXT:
            raise SlackProblem("msg_too_long")
        blocks = [
            block for c in chunks if c.get("type") == "blocks" for block in c.get("blocks", [])
        ]
        if len(message.blocks) + len(blocks) > CHUNK_BLOCKS:
            raise SlackProblem("invalid_blocks")
        check_blocks(blocks)
        for chunk in chunks:
            self._take(message, chunk)
        message.blocks += with_ids(self._world, blocks)
        message.markdown += text
        message.text += text

    def _take(self, message: Message, chunk: Json) -> None:
        if chunk["type"] == "plan_update":
            message.plan = str(chunk.get("title", ""))
        elif chunk["type"] == "task_update":
            message.tasks[str(chunk["id"])] = dict(chunk)


def check_chunks(chunks: Any) -> None:
    """Let right chunks pass.

    Raises:
        SlackProblem: invalid_chunks.
    """
    known = {"markdown_text", "task_update", "plan_update", "blocks"}
    if not isinstance(chunks, list):
        raise SlackProblem("invalid_chunks")
    for chunk in chunks:
        if not isinstance(chunk, dict) or chunk.get("type") not in known:
            raise SlackProblem("invalid_chunks")
        if chunk["type"] == "task_update" and not (
            chunk.get("id") and chunk.get("title") and chunk.get("status") in TASK_STATES
        ):
            raise SlackProblem("invalid_chunks")
