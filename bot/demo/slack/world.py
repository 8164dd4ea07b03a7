"""The Slack stand-in's state: one team with its people and channels, and what is said in them."""

import random
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.demo.slack.message import File, Message, tombstone_of
from bot.demo.slack.watch import Json, Watch

ChannelKind = Literal["channel", "private", "mpim", "im"]
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
EVENT_KINDS = {"channel": "channel", "private": "group", "mpim": "mpim", "im": "im"}
"""What Slack calls a channel's kind in a message event."""


@dataclass
class Person:
    """A user of the workspace, or somebody from another one seen through a shared channel."""

    id: str
    name: str  # the handle, as in @ana
    real_name: str
    team: str
    tz: str = "Europe/Berlin"
    is_admin: bool = False
    is_restricted: bool = False  # a guest in several channels
    is_ultra_restricted: bool = False  # a guest in one channel
    is_stranger: bool = False  # of an organisation that shares a channel with us
    is_bot: bool = False
    deleted: bool = False  # deactivated
    bot_id: str = ""
    app_id: str = ""

    def wire(self) -> Json:
        """As users.info tells it."""
        told: Json = {
            "id": self.id,
            "team_id": self.team,
            "name": self.name,
            "deleted": self.deleted,
            "real_name": self.real_name,
            "tz": self.tz,
            "profile": {
                "real_name": self.real_name,
                "display_name": self.name,
                "team": self.team,
                **(
                    {}
                    if self.is_bot or self.is_stranger
                    else {"email": f"{self.name}@shop.example"}
                ),
                **({"bot_id": self.bot_id, "api_app_id": self.app_id} if self.is_bot else {}),
            },
            "is_bot": self.is_bot,
            "is_app_user": False,
            "updated": 1_700_000_000,
        }
        if self.is_stranger:
            return {**told, "is_stranger": True}
        return {
            **told,
            "is_admin": self.is_admin,
            "is_owner": False,
            "is_primary_owner": False,
            "is_restricted": self.is_restricted,
            "is_ultra_restricted": self.is_ultra_restricted,
        }


@dataclass
class Status:
    """What a thread shows under the app's name while it works."""

    text: str = ""
    loading_messages: list[str] = field(default_factory=list[str])
    session: str = ""  # processing, active, suspended or closed; "" where no session was opened
    title: str = ""
    initiator: str = ""


@dataclass
class Channel:
    """A conversation and everything said in it."""

    id: str
    name: str
    kind: ChannelKind = "channel"
    members: set[str] = field(default_factory=set[str])
    archived: bool = False
    ext_shared: bool = False
    topic: str = ""
    messages: dict[str, Message] = field(default_factory=dict[str, Message])
    roots: list[str] = field(
        default_factory=list[str]
    )  # ts of what stands in no thread, oldest first
    ephemerals: list[Message] = field(default_factory=list[Message])
    gone: set[str] = field(default_factory=set[str])  # ts of deleted messages
    statuses: dict[str, Status] = field(default_factory=dict[str, Status])  # by thread

    def wire(self, *, me: str) -> Json:
        """As conversations.info tells it to the app's bot user `me`."""
        told: Json = {
            "id": self.id,
            "name": self.name,
            "is_channel": self.kind == "channel",
            "is_group": self.kind == "private",
            "is_im": self.kind == "im",
            "is_mpim": self.kind == "mpim",
            "is_private": self.kind != "channel",
            "is_archived": self.archived,
            "is_ext_shared": self.ext_shared,
            "is_shared": self.ext_shared,
            "is_member": me in self.members,
            "topic": {"value": self.topic, "creator": "", "last_set": 0},
            "num_members": len(self.members),
        }
        if self.kind == "im":
            told["user"] = next((user for user in self.members if user != me), me)
            del told["name"]
        return told

    def between(self, stamps: list[str], oldest: str, latest: str, *, inclusive: bool) -> list[str]:
        """Those of the ordered `stamps` between two ts; "" is no bound."""
        low = bisect_left(stamps, oldest) if oldest else 0
        high = bisect_left(stamps, latest) if latest else len(stamps)
        if oldest and not inclusive and low < len(stamps) and stamps[low] == oldest:
            low += 1
        if latest and inclusive and high < len(stamps) and stamps[high] == latest:
            high += 1
        return stamps[low:high]


class World:
    """The workspace: who and what there is, and the ids and times it gives."""

    def __init__(self, *, now: Callable[[], float], seed: int, watch: Watch) -> None:
        self.now = now
        self.watch = watch
        self.rng = random.Random(seed)
        self._last_ts = 0
        self._given = 0
        self.team = "T0BAZAAR"
        self.team_name = "Bazaar"
        self.domain = "bazaar"
        self.app_id = "A0PURSER"
        self.bot = Person(
            "U0PURSER",
            "purser",
            "Purser",
            self.team,
            is_bot=True,
            bot_id="B0PURSER",
            app_id=self.app_id,
        )
        self.people: dict[str, Person] = {self.bot.id: self.bot}
        self.channels: dict[str, Channel] = {}
        self.files: dict[str, File] = {}
        self.handles: dict[str, str] = {self.bot.name: self.bot.id}
        self.names: dict[str, str] = {}
        self.directs: dict[str, str] = {}  # the bot's direct message channels by person

    def new_id(self, prefix: str) -> str:
        """An id as Slack makes them; never given twice."""
        self._given += 1
        return prefix + "0" + "".join(self.rng.choices(ALPHABET, k=5)) + f"{self._given:04X}"

    def secret(self, length: int = 24) -> str:
        """Letters nobody guesses within a test."""
        return "".join(self.rng.choices(ALPHABET, k=length))

    def new_ts(self) -> str:
        """The next message's ts: unique in the workspace and always growing."""
        self._last_ts = max(int(self.now() * 1_000_000), self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def add_person(self, person: Person) -> Person:
        """Somebody more, found by id and by handle."""
        self.people[person.id] = person
        self.handles[person.name] = person.id
        return person

    def add_channel(self, channel: Channel) -> Channel:
        """A channel more, found by id and by name."""
        self.channels[channel.id] = channel
        if channel.name:
            self.names[channel.name] = channel.id
        return channel

    def person(self, who: str) -> Person:
        """Somebody by id or handle, with or without the @.

        Raises:
            KeyError: Nobody is called that.
        """
        found = self.people.get(who) or self.people.get(self.handles.get(who.lstrip("@"), ""))
        if found is None:
            raise KeyError(f"nobody here is called {who!r}; there are {', '.join(self.handles)}")
        return found

    def channel(self, where: str) -> Channel:
        """A channel by id or name, with or without the #; "@ana" is ana's conversation with the bot.

        Raises:
            KeyError: There is no such channel.
        """
        if where.startswith("@"):
            return self.direct(self.person(where).id)
        found = self.channels.get(where) or self.channels.get(self.names.get(where.lstrip("#"), ""))
        if found is None:
            raise KeyError(f"there is no channel {where!r}; there are {', '.join(self.names)}")
        return found

    def direct(self, user: str) -> Channel:
        """A person's direct messages with the bot, opened when needed."""
        if user not in self.directs:
            channel = Channel(self.new_id("D"), "", kind="im", members={user, self.bot.id})
            self.directs[user] = self.add_channel(channel).id
        return self.channels[self.directs[user]]

    def bot_is_in(self, channel: Channel) -> bool:
        """Whether the bot is a member, and so hears what is said."""
        return self.bot.id in channel.members

    def put(self, message: Message) -> Message:
        """A new message in its channel and thread."""
        channel = self.channels[message.channel]
        if message.thread_ts:
            root = channel.messages.get(message.thread_ts)
            if root is not None and root.is_reply:
                message.thread_ts = root.thread_ts
                root = channel.messages.get(message.thread_ts)
            if root is not None:
                root.thread_ts = root.ts
                root.replies.append(message.ts)
                if message.user not in root.reply_users:
                    root.reply_users.append(message.user)
        channel.messages[message.ts] = message
        if not message.is_reply or message.subtype == "thread_broadcast":
            channel.roots.append(message.ts)
        self.watch.changed("message", channel.id, message.ts, message=message)
        return message

    def remove(self, message: Message) -> None:
        """A message is gone from its channel; a root with replies leaves a tombstone above them."""
        channel = self.channels[message.channel]
        message.deleted = True
        channel.gone.add(message.ts)
        if message.replies and not message.is_reply:
            channel.messages[message.ts] = tombstone_of(message)
        else:
            del channel.messages[message.ts]
            if message.ts in channel.roots:
                channel.roots.remove(message.ts)
        root = channel.messages.get(message.thread_ts) if message.is_reply else None
        if root is not None:
            root.replies.remove(message.ts)
        self.watch.changed("deleted", channel.id, message.ts, message=message)

    def thread(self, channel: Channel, thread_ts: str) -> list[Message]:
        """A thread's root and replies, oldest first."""
        root = channel.messages.get(thread_ts)
        if root is None:
            return [m for m in channel.messages.values() if m.thread_ts == thread_ts]
        return [root, *(channel.messages[ts] for ts in root.replies)]

    def said(self, channel: Channel, stamps: Iterable[str]) -> list[Message]:
        """The messages of these stamps."""
        return [channel.messages[ts] for ts in stamps]

    def permalink(self, channel: str, ts: str) -> str:
        """Where a browser would show the message."""
        return f"https://{self.domain}.slack.com/archives/{channel}/p{ts.replace('.', '')}"

    def told(self, **more: Any) -> Json:
        """The team's fields that go with most payloads."""
        return {"team_id": self.team, "api_app_id": self.app_id, **more}
