"""What people do in the page, done in the workspace: each act is one of the stand-in's gestures, with its rights."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from bot.demo.clock import Hands
from bot.demo.page.body import Body, Refused
from bot.demo.page.offers import Command, Shortcut
from bot.demo.page.telling import Telling
from bot.demo.slack import SlackStandIn
from bot.demo.slack.gestures import Ack
from bot.demo.slack.message import File, Message
from bot.demo.slack.views import View
from bot.demo.slack.watch import Json
from bot.demo.slack.world import Channel, Person

TEXT = 40_000  # characters of a message
HOUR_SECONDS = 3_600.0
MORNING = 7  # o'clock, at which a digest comes that names no time
Act = Callable[[Person, Body], Awaitable[Json]]

SILENT = "Purser did not answer within three seconds. Is it running? Try again."
GONE = "That message is no longer there."


class Acts:
    """Everything a window can do, by name.

    Args:
        slack: The workspace.
        telling: Knows what somebody sees.
        commands: The app's slash commands; others are not known here.
        shortcuts: The app's shortcuts.
        hands: Of the demo's clock; None where nobody can move it.
    """

    def __init__(
        self,
        slack: SlackStandIn,
        telling: Telling,
        *,
        commands: Sequence[Command],
        shortcuts: Sequence[Shortcut],
        hands: Hands | None = None,
    ) -> None:
        self._slack, self._hands = slack, hands
        self._world = slack.world
        self._telling = telling
        self._commands = {command.name for command in commands}
        self._shortcuts = {shortcut.callback_id: shortcut for shortcut in shortcuts}
        self.acts: Mapping[str, Act] = {
            "say": self.say,
            "edit": self.edit,
            "delete": self.delete,
            "dismiss": self.dismiss,
            "react": self.react,
            "stop": self.stop,
            "command": self.command,
            "click": self.click,
            "shortcut": self.shortcut,
            "submit": self.submit,
            "close": self.close,
            "home": self.home,
            "join": self.join,
            "invite": self.invite,
            "direct": self.direct,
            "clock": self.clock,
        }

    async def say(self, me: Person, body: Body) -> Json:
        """Say something; `files` are ids of uploads."""
        channel, text = self._open_channel(me, body), body.text("text")
        files = [self._file(me, one) for one in body.texts("files")]
        if not text.strip() and not files:
            raise Refused("There is nothing to send yet.")
        message = await self._slack.say(
            me.id, channel.id, _bounded(text), thread_ts=body.text("thread_ts"), files=files
        )
        return {"ts": message.ts}

    async def edit(self, me: Person, body: Body) -> Json:
        """Change one's own words."""
        text = body.text("text")
        if not text.strip():
            raise Refused("An edited message needs some words; delete it instead.")
        await self._slack.edit(self._own(me, body), _bounded(text))
        return {}

    async def delete(self, me: Person, body: Body) -> Json:
        """Delete one's own message."""
        await self._slack.delete(self._own(me, body))
        return {}

    async def dismiss(self, me: Person, body: Body) -> Json:
        """Let an ephemeral message disappear."""
        message = self._message(me, body)
        if message.only_for == me.id:
            self._world.channels[message.channel].ephemerals.remove(message)
            self._slack.watch.changed("deleted", message.channel, message.ts, message=message)
        return {}

    async def react(self, me: Person, body: Body) -> Json:
        """Add a reaction, or take one's own back."""
        message, name = self._message(me, body), body.text("name")
        if not name.replace("_", "").replace("-", "").replace("+", "").isalnum():
            raise Refused("That is no emoji's name.")
        users = message.reactions.get(name, [])
        if me.id in users:
            users.remove(me.id)
            self._slack.watch.changed("reaction", message.channel, message.ts, message=message)
        else:
            await self._slack.react(me.id, message, name)
        return {}

    async def stop(self, me: Person, body: Body) -> Json:
        """Press stop in a thread."""
        await self._slack.stop_stream(me.id, self._message(me, body))
        return {}

    async def command(self, me: Person, body: Body) -> Json:
        """Type a slash command."""
        channel, name = self._open_channel(me, body), body.text("command")
        if body.text("thread_ts"):
            raise Refused(
                f"Slack takes no slash commands in threads. Write @purser {name.lstrip('/')} … instead."
            )
        if name not in self._commands:
            known = ", ".join(sorted(self._commands)) or "none"
            raise Refused(f"{name} is not a command here. There are: {known}.")
        ack = await self._slack.command(me.id, channel.id, name, body.text("text"))
        if not ack.acked:
            raise Refused(
                f"{name} failed: Purser did not answer within three seconds. Is it running?"
            )
        return {}

    async def click(self, me: Person, body: Body) -> Json:
        """Press a button or choose in a menu, in a message, a modal or the home tab."""
        place = self._view(me, body) if body.text("view") else self._message(me, body)
        value = body.text("value")
        try:
            ack = await self._slack.click(me.id, place, body.text("action_id"), value=value or None)
        except KeyError:
            raise Refused("That button is no longer there.") from None
        return _heard(ack)

    async def shortcut(self, me: Person, body: Body) -> Json:
        """Choose one of the app's shortcuts."""
        chosen = self._shortcuts.get(body.text("callback_id"))
        if chosen is None:
            raise Refused("The app has no such shortcut.")
        message = self._message(me, body) if chosen.kind == "message" else None
        return _heard(await self._slack.shortcut(me.id, chosen.callback_id, message))

    async def submit(self, me: Person, body: Body) -> Json:
        """Send a modal's values; what is wrong with them comes back by block."""
        ack = await self._slack.view_submit(me.id, self._view(me, body), body.mapping("values"))
        wrong: Any = (
            ack.payload.get("errors") if ack.payload.get("response_action") == "errors" else {}
        )
        return {"errors": wrong, **_heard(ack)}

    async def close(self, me: Person, body: Body) -> Json:
        """Close a modal."""
        await self._slack.view_close(me.id, self._view(me, body))
        return {}

    async def home(self, me: Person, body: Body) -> Json:
        """Open the app's home, or its messages."""
        await self._slack.open_home(me.id, tab=body.text("tab") or "home")
        return {}

    async def join(self, me: Person, body: Body) -> Json:
        """Become a member of a public channel."""
        channel = self._channel(me, body)
        channel.members.add(me.id)
        self._slack.watch.changed("channel", channel.id)
        return {}

    async def invite(self, me: Person, body: Body) -> Json:
        """Invite the app into a channel, or with `out` remove it."""
        channel = self._open_channel(me, body)
        if channel.kind == "im":
            raise Refused("A direct message is between two; invite Purser into a channel.")
        if body.text("out"):
            await self._slack.expel(channel.id)
        else:
            await self._slack.invite(channel.id, by=me.id)
        return {}

    async def direct(self, me: Person, body: Body) -> Json:
        """Open the direct messages with somebody."""
        other = self._world.people.get(body.text("user"))
        if other is None or other.deleted or other.id == me.id:
            raise Refused("There is nobody to write to.")
        if other.id == self._world.bot.id:
            return {"channel": self._world.direct(me.id).id}
        both = {me.id, other.id}
        known = self._world.channels.values()
        channel = next((c for c in known if c.kind == "im" and c.members == both), None)
        if channel is None:
            channel = Channel(self._world.new_id("D"), "", kind="im", members=both)
            self._world.add_channel(channel)
            self._slack.watch.changed("channel", channel.id)
        return {"channel": channel.id}

    async def clock(self, _me: Person, body: Body) -> Json:
        """Let time go on: by an `hour`, or to the next `morning`."""
        if self._hands is None or body.text("to") not in {"hour", "morning"}:
            raise Refused("This clock cannot be moved.")
        hour = body.text("to") == "hour"
        moment = self._hands.clock() + HOUR_SECONDS if hour else self._hands.next(MORNING)
        if self._hands.to is not None:
            raise Refused("The clock is on its way already; wait until it is there.")
        self._hands.set_out(moment)
        return {}

    def _channel(self, me: Person, body: Body) -> Channel:
        channel = self._world.channels.get(body.text("channel"))
        if channel is None or not self._telling.sees(me, channel):
            raise Refused("You cannot see that channel.")
        return channel

    def _open_channel(self, me: Person, body: Body) -> Channel:
        """A channel that takes words of this person."""
        channel = self._channel(me, body)
        if channel.archived:
            raise Refused(f"#{channel.name} is archived: it can be read, and nothing more.")
        if me.id not in channel.members:
            raise Refused(f"Join #{channel.name} first.")
        return channel

    def _message(self, me: Person, body: Body) -> Message:
        message = self._telling.find(self._channel(me, body), body.text("ts"), me)
        if message is None:
            raise Refused(GONE)
        return message

    def _own(self, me: Person, body: Body) -> Message:
        message = self._message(me, body)
        if message.user != me.id:
            raise Refused("Only who wrote a message can change it.")
        return message

    def _view(self, me: Person, body: Body) -> View:
        shown = self._slack.views
        homes = [home for home in [shown.homes.get(me.id)] if home is not None]
        for view in [*shown.open.values(), *homes]:
            if view.id == body.text("view") and view.user == me.id:
                return view
        raise Refused("That window was closed meanwhile.")

    def _file(self, me: Person, file_id: str) -> File:
        file = self._world.files.get(file_id)
        if file is None or file.user != me.id:
            raise Refused("A file was not uploaded completely; attach it again.")
        return file


def _bounded(text: str) -> str:
    if len(text) > TEXT:
        raise Refused(
            f"A message has at most {TEXT:,} characters; this one has {len(text):,}. Attach it as a file."
        )
    return text


def _heard(ack: Ack) -> Json:
    if not ack.acked:
        raise Refused(SILENT)
    return {}
