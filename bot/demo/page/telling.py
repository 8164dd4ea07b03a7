"""The workspace as one person sees it, in Slack's own shapes and a little more, for the page."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from bot.demo.clock import Hands, told
from bot.demo.page.steps import Thing
from bot.demo.slack import SlackStandIn
from bot.demo.slack.message import File, Message
from bot.demo.slack.views import View
from bot.demo.slack.watch import Json
from bot.demo.slack.world import Channel, Person, Status

FIRST_MESSAGES = 50  # of each channel that a window is told at once
HUES = 8  # colours that people are told apart by
PREVIEW_BYTES = 600  # of a text file
ROLES: Mapping[str, str] = {
    "U0ANA": "Engineer",
    "U0BEN": "Engineer",
    "U0CHI": "Engineer, payments",
    "U0MAYA": "Engineering manager",
    "U0ADMIN": "Workspace admin",
    "U0OUT": "Partner Ltd, another organisation",
}


class Telling:
    """Words the workspace for windows; looks everything up when asked, keeps nothing.

    Args:
        slack: The workspace.
        hands: Of its clock; None where nobody can move it.
    """

    def __init__(self, slack: SlackStandIn, hands: Hands | None = None) -> None:
        self._slack, self._hands = slack, hands
        self._world = slack.world

    def sees(self, me: Person, channel: Channel) -> bool:
        """Whether somebody may read a channel: as a member, or a public one as a full member of the workspace."""
        if me.id in channel.members:
            return True
        guest = me.is_restricted or me.is_ultra_restricted or me.is_stranger
        return channel.kind == "channel" and not guest

    def everything(self, me: Person) -> Json:
        """All that a window has to know at first."""
        self._world.direct(me.id)  # everybody can write to the app
        world = self._world
        return {
            "me": me.id,
            "team": {"id": world.team, "name": world.team_name},
            "app": {"user": world.bot.id, "name": world.bot.real_name, "handle": world.bot.name},
            "people": [
                self.person(one) | {"hue": place % HUES}
                for place, one in enumerate(world.people.values())
            ],
            "channels": [
                self.channel(channel, me)
                | {"messages": self.page(channel, me), **self.notes(channel, me)}
                for channel in world.channels.values()
                if self.sees(me, channel)
            ],
            "views": [self.view(v) for v in self._slack.views.open.values() if v.user == me.id],
            "home": self.home(me.id),
            "bot": self.bot(),
            "clock": self.clock(),
        }

    def change(self, thing: Thing, me: Person) -> Json | None:
        """How a thing stands now; None when it is none of this person's business."""
        if thing.kind == "bot":
            return {"kind": "bot", "bot": self.bot()}
        if thing.kind == "clock":
            return {"kind": "clock", "clock": self.clock()}
        if thing.kind in {"view", "home"}:
            return self._own(thing) if thing.where == me.id else None
        channel = self._world.channels.get(thing.where)
        if channel is None or not self.sees(me, channel):
            return {"kind": "left", "channel": thing.where} if thing.kind == "channel" else None
        if thing.kind == "channel":
            return {
                "kind": "channel",
                "channel": self.channel(channel, me),
                **self.notes(channel, me),
            }
        if thing.kind == "status":
            status = channel.statuses.get(thing.which)
            return status and {
                "kind": "status",
                "status": self.status(channel, thing.which, status),
            }
        return self._message(channel, thing.which, me)

    def person(self, person: Person) -> Json:
        """Somebody, and what they are here."""
        kind = "member"
        if person.is_bot:
            kind = "app"
        elif person.is_stranger:
            kind = "external"
        elif person.is_restricted or person.is_ultra_restricted:
            kind = "guest"
        elif person.is_admin:
            kind = "admin"
        plain = {
            "member": "Member",
            "app": "App",
            "external": "Another organisation",
            "guest": "Guest",
        }
        return {
            "id": person.id,
            "handle": person.name,
            "name": person.real_name,
            "kind": kind,
            "role": ROLES.get(person.id) or plain.get(kind, "Admin"),
            "deleted": person.deleted,
        }

    def channel(self, channel: Channel, me: Person) -> Json:
        """A conversation's outside."""
        others = sorted(channel.members - {me.id})
        return {
            "id": channel.id,
            "name": channel.name,
            "kind": channel.kind,
            "with": others if channel.kind in {"im", "mpim"} else [],
            "topic": channel.topic,
            "members": sorted(channel.members),
            "joined": me.id in channel.members,
            "app_in": self._world.bot_is_in(channel),
            "shared": channel.ext_shared,
            "archived": channel.archived,
            "total": len(channel.roots),
        }

    def notes(self, channel: Channel, me: Person) -> Json:
        """What only this person sees in a channel, and what the app is doing there."""
        return {
            "ephemerals": [self.message(m) for m in channel.ephemerals if m.only_for == me.id],
            "statuses": [self.status(channel, ts, one) for ts, one in channel.statuses.items()],
        }

    def page(self, channel: Channel, me: Person, *, before: str = "", limit: int = 0) -> list[Json]:
        """Messages of a channel that stand in no thread, oldest first, the last ones before a ts."""
        if not self.sees(me, channel):
            return []
        stamps = channel.between(channel.roots, "", before, inclusive=False)
        count = limit or FIRST_MESSAGES
        return [self.message(m) for m in self._world.said(channel, stamps[-count:])]

    def thread(self, channel: Channel, me: Person, ts: str) -> list[Json]:
        """A thread's messages, the root first."""
        if not self.sees(me, channel) or ts not in channel.messages:
            return []
        return [self.message(m) for m in self._world.thread(channel, ts)]

    def message(self, message: Message) -> Json:
        """A message as the wire tells it, and how the page shows it."""
        told = message.wire() | {
            "channel": message.channel,
            "root": message.thread_ts or message.ts,
            "is_reply": message.is_reply,
            "only_for": message.only_for,
            "markdown": message.markdown,
            "plan": message.plan,
            "tasks": list(message.tasks.values()),
        }
        if message.files:
            told["files"] = [self.file(file) for file in message.files]
        return told

    def file(self, file: File) -> Json:
        """A file with what the page may show of it."""
        told: Json = {
            "id": file.id,
            "name": file.title or file.name,
            "mimetype": file.mimetype,
            "size": len(file.data),
            "mode": file.mode,
            "url": f"/page/files/{file.id}/{quote(file.name, safe='')}",
        }
        start = file.data[:PREVIEW_BYTES]
        if not file.mimetype.startswith(("image/", "video/", "audio/")) and b"\0" not in start:
            told["preview"] = start.decode("utf-8", "ignore")
        return told

    def status(self, channel: Channel, thread_ts: str, status: Status) -> Json:
        """What the app says it is doing in a thread."""
        return {
            "channel": channel.id,
            "thread": thread_ts,
            "text": status.text,
            "loading": list(status.loading_messages),
            "session": status.session,
            "title": status.title,
        }

    def view(self, view: View) -> Json:
        """A modal or a home tab."""
        return {"id": view.id, "open": view.open, "view": view.view}

    def home(self, user: str) -> Json | None:
        """What the app published as somebody's home."""
        shown = self._slack.views.homes.get(user)
        return self.view(shown) if shown is not None else None

    def bot(self) -> Json:
        """Whether the app can hear anybody."""
        return {"connected": bool(self._slack.events_url) or self._slack.sockets.count > 0}

    def clock(self) -> Json | None:
        """How far the demo's clock is ahead of this machine's, and where it is going; None where it cannot be moved."""
        if self._hands is None:
            return None
        going = told(self._hands.to) if self._hands.to is not None else ""
        return {"ahead": self._hands.clock.ahead, "going": going}

    def find(self, channel: Channel, ts: str, me: Person) -> Message | None:
        """A message that this person sees, an ephemeral one too."""
        if ts in channel.messages:
            return channel.messages[ts]
        mine = (m for m in reversed(channel.ephemerals) if m.ts == ts and m.only_for == me.id)
        return next(mine, None)

    def _message(self, channel: Channel, ts: str, me: Person) -> Json | None:
        message = self.find(channel, ts, me)
        if message is not None:
            return {
                "kind": "message",
                "message": self.message(message),
                "total": len(channel.roots),
            }
        return {"kind": "gone", "channel": channel.id, "ts": ts, "total": len(channel.roots)}

    def _own(self, thing: Thing) -> Json:
        if thing.kind == "home":
            return {"kind": "home", "home": self.home(thing.where)}
        view: Any = self._slack.views.open.get(thing.which)
        shown = self.view(view) if isinstance(view, View) else {"id": thing.which, "open": False}
        return {"kind": "view", "view": shown}
