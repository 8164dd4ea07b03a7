"""A message and a file of the Slack stand-in, as they stand now and as the wire tells them."""

from dataclasses import dataclass, field

from bot.demo.slack.watch import Json


@dataclass
class File:
    """A file and its bytes. `stub` is how Slack Connect announces it: an id and "check_file_info"."""

    id: str
    name: str
    mimetype: str
    user: str
    data: bytes = field(default=b"", repr=False)
    mode: str = "hosted"
    title: str = ""
    stub: bool = False
    created: int = 0
    url: str = ""  # where its bytes can be fetched with the bot token
    shares: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])  # channel, ts

    def wire(self) -> Json:
        """As files.info tells it."""
        filetype = self.name.rsplit(".", 1)[-1] if "." in self.name else "text"
        told: Json = {
            "id": self.id,
            "created": self.created,
            "name": self.name,
            "title": self.title or self.name,
            "mimetype": self.mimetype,
            "filetype": filetype,
            "pretty_type": filetype.upper(),
            "user": self.user,
            "mode": self.mode,
            "editable": self.mode == "snippet",
            "size": len(self.data),
            "is_external": False,
            "url_private": self.url,
            "url_private_download": self.url,
        }
        if self.mode == "snippet":
            told["preview"] = self.data[:200].decode("utf-8", "replace")
        if self.mode == "tombstone":
            return {"id": self.id, "mode": "tombstone"}
        return told

    def announced(self) -> Json:
        """As a message carries it."""
        if self.stub:
            return {"id": self.id, "mode": "file_access", "file_access": "check_file_info"}
        return self.wire()


@dataclass
class Message:
    """One message as it stands now. `thread_ts` is its root's ts, or its own once it has replies."""

    ts: str
    channel: str
    user: str
    text: str = ""
    team: str = ""
    thread_ts: str = ""
    blocks: list[Json] = field(default_factory=list[Json])
    attachments: list[Json] = field(default_factory=list[Json])
    files: list[File] = field(default_factory=list[File])
    bot_id: str = ""
    app_id: str = ""
    subtype: str = ""
    client_msg_id: str = ""
    edited: Json | None = None
    metadata: Json | None = None
    markdown: str = ""  # what markdown_text said, when it was said that way
    tasks: dict[str, Json] = field(default_factory=dict[str, Json])  # task_update chunks by id
    plan: str = ""
    streaming: str = ""  # "", "in_progress", "stopped_by_user", "expired" or "completed"
    unfurls: bool = True  # Slack's crawler was not told to stay away
    only_for: str = ""  # the one person who sees an ephemeral message
    response_type: str = ""
    reactions: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    replies: list[str] = field(default_factory=list[str])  # ts of the replies, oldest first
    reply_users: list[str] = field(default_factory=list[str])
    deleted: bool = False

    @property
    def is_reply(self) -> bool:
        """Whether it stands in a thread below a root."""
        return bool(self.thread_ts) and self.thread_ts != self.ts

    def wire(self, *, metadata: bool = False) -> Json:
        """As the Web API and events tell it."""
        told: Json = {"type": "message", "user": self.user, "ts": self.ts, "text": self.text}
        optional = {
            "subtype": self.subtype,
            "team": self.team,
            "client_msg_id": self.client_msg_id,
            "bot_id": self.bot_id,
            "app_id": self.app_id,
            "blocks": self.blocks,
            "attachments": self.attachments,
            "files": [file.announced() for file in self.files],
            "edited": self.edited,
            "thread_ts": self.thread_ts,
            "metadata": self.metadata if metadata else None,
            "streaming_state": self.streaming,
            "reactions": [
                {"name": name, "users": list(users), "count": len(users)}
                for name, users in self.reactions.items()
                if users
            ],
        }
        told.update({key: value for key, value in optional.items() if value})
        if self.files:
            told["upload"] = False
        if self.replies:
            told["reply_count"] = len(self.replies)
            told["reply_users"] = list(self.reply_users)
            told["latest_reply"] = self.replies[-1]
        return told


def tombstone_of(message: Message) -> Message:
    """What is left of a deleted root above its replies."""
    return Message(
        message.ts,
        message.channel,
        "USLACKBOT",
        "This message was deleted.",
        thread_ts=message.ts,
        subtype="tombstone",
        replies=message.replies,
        reply_users=message.reply_users,
    )
