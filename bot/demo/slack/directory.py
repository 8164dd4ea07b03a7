"""The Web API's reading methods of the Slack stand-in: who, where, what was said; and reactions."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from bot.demo.slack.api import Call, Run, SlackProblem, entered, seen
from bot.demo.slack.events import Events
from bot.demo.slack.message import Message
from bot.demo.slack.watch import Json
from bot.demo.slack.world import Channel, World

T = TypeVar("T")

PAGE = 100  # messages of history when no limit is given
REPLIES_PAGE = 1000  # replies of a thread when no limit is given


class Directory:
    """The team, its people and channels, and what stands in them."""

    def __init__(self, world: World, events: Events, *, url: str = "") -> None:
        self._world = world
        self._events = events
        self.url = url or f"https://{world.domain}.slack.com/"

    def methods(self) -> Mapping[str, Run]:
        """The reading methods by name."""
        return {
            "api.test": lambda call: {"args": call.arguments},
            "auth.test": self.auth_test,
            "team.info": self.team_info,
            "bots.info": self.bots_info,
            "users.info": self.users_info,
            "users.list": self.users_list,
            "conversations.info": self.info,
            "conversations.list": self.list_channels,
            "conversations.members": self.members,
            "conversations.open": self.open,
            "conversations.history": self.history,
            "conversations.replies": self.replies,
            "reactions.add": self.react,
            "reactions.remove": self.unreact,
            "reactions.get": self.reactions,
        }

    def auth_test(self, _: Call) -> Json:
        """auth.test."""
        world = self._world
        return {
            "url": self.url,
            "team": world.team_name,
            "user": world.bot.name,
            "team_id": world.team,
            "user_id": world.bot.id,
            "bot_id": world.bot.bot_id,
            "is_enterprise_install": False,
        }

    def team_info(self, _: Call) -> Json:
        """team.info."""
        world = self._world
        return {"team": {"id": world.team, "name": world.team_name, "domain": world.domain}}

    def bots_info(self, call: Call) -> Json:
        """bots.info."""
        wanted = call.text("bot")
        for person in self._world.people.values():
            if person.is_bot and person.bot_id == wanted:
                told = {"id": wanted, "name": person.real_name, "app_id": person.app_id}
                return {"bot": {**told, "user_id": person.id, "deleted": person.deleted}}
        raise SlackProblem("bot_not_found")

    def users_info(self, call: Call) -> Json:
        """users.info."""
        person = self._world.people.get(call.need("user", "user_not_found"))
        if person is None:
            raise SlackProblem("user_not_found")
        return {"user": person.wire()}

    def users_list(self, call: Call) -> Json:
        """users.list."""
        people = [p for p in self._world.people.values() if not p.is_stranger]
        page, cursor = paged(people, call, 1000)
        return {"members": [person.wire() for person in page], **cursor}

    def info(self, call: Call) -> Json:
        """conversations.info."""
        channel = seen(self._world, call.need("channel", "channel_not_found"))
        return {"channel": channel.wire(me=self._world.bot.id)}

    def list_channels(self, call: Call) -> Json:
        """conversations.list."""
        kinds = {
            "public_channel": "channel",
            "private_channel": "private",
            "im": "im",
            "mpim": "mpim",
        }
        wanted = {kinds.get(t.strip()) for t in call.text("types", "public_channel").split(",")}
        world = self._world
        shown = [
            channel
            for channel in world.channels.values()
            if channel.kind in wanted
            and (channel.kind == "channel" or world.bot_is_in(channel))
            and not (channel.archived and call.flag("exclude_archived"))
        ]
        page, cursor = paged(shown, call, 100)
        return {"channels": [channel.wire(me=world.bot.id) for channel in page], **cursor}

    def members(self, call: Call) -> Json:
        """conversations.members."""
        channel = seen(self._world, call.need("channel", "channel_not_found"))
        page, cursor = paged(sorted(channel.members), call, 100)
        return {"members": page, **cursor}

    def open(self, call: Call) -> Json:
        """conversations.open with one person."""
        user = call.text("users").split(",")[0]
        person = self._world.people.get(user)
        if person is None:
            raise SlackProblem("user_not_found")
        if person.deleted:
            raise SlackProblem("user_disabled")
        if person.is_bot:
            raise SlackProblem("cannot_dm_bot")
        return {"channel": {"id": self._world.direct(user).id}}

    def history(self, call: Call) -> Json:
        """conversations.history, newest first."""
        channel = self._readable(call)
        stamps = channel.between(
            channel.roots,
            call.text("oldest"),
            call.text("latest"),
            inclusive=call.flag("inclusive"),
        )
        limit = max(1, min(call.number("limit", PAGE), 999))
        end = len(stamps) - _cursor(call)
        page = stamps[max(0, end - limit) : end]
        told = self._told(call, [channel.messages[ts] for ts in reversed(page)])
        return {**told, **_next(len(stamps) - end + limit, len(stamps)), "pin_count": 0}

    def replies(self, call: Call) -> Json:
        """conversations.replies, oldest first; the root comes along even when it is older than `oldest`."""
        channel = self._readable(call)
        message = channel.messages.get(call.need("ts", "thread_not_found"))
        if message is None:
            raise SlackProblem("thread_not_found")
        root = channel.messages.get(message.thread_ts) if message.is_reply else message
        if root is None:
            return self._told(call, [message]) | {"has_more": False}
        stamps = channel.between(
            root.replies,
            call.text("oldest"),
            call.text("latest"),
            inclusive=call.flag("inclusive"),
        )
        limit = max(1, min(call.number("limit", REPLIES_PAGE), 1000))
        start = _cursor(call)
        page = stamps[start : start + limit]
        told = self._told(call, [root, *self._world.said(channel, page)])
        for reply in told["messages"][1:]:
            reply["parent_user_id"] = root.user
        return told | _next(start + limit, len(stamps))

    def react(self, call: Call) -> Json:
        """reactions.add."""
        message, name = self._reacted(call)
        users = message.reactions.setdefault(name, [])
        if self._world.bot.id in users:
            raise SlackProblem("already_reacted")
        self.add_reaction(message, self._world.bot.id, name)
        return {}

    def unreact(self, call: Call) -> Json:
        """reactions.remove."""
        message, name = self._reacted(call)
        users = message.reactions.get(name, [])
        if self._world.bot.id not in users:
            raise SlackProblem("no_reaction")
        users.remove(self._world.bot.id)
        self._world.watch.changed("reaction", message.channel, message.ts, message=message)
        return {}

    def reactions(self, call: Call) -> Json:
        """reactions.get."""
        channel = seen(self._world, call.need("channel", "channel_not_found"))
        message = channel.messages.get(call.text("timestamp"))
        if message is None:
            raise SlackProblem("message_not_found")
        return {"type": "message", "channel": channel.id, "message": message.wire()}

    def add_reaction(self, message: Message, user: str, name: str) -> None:
        """Somebody reacts; the app hears of it when it subscribed."""
        message.reactions.setdefault(name, []).append(user)
        self._world.watch.changed("reaction", message.channel, message.ts, message=message)
        channel = self._world.channels[message.channel]
        if "reaction_added" in self._events.subscribed and self._world.bot_is_in(channel):
            event: Json = {
                "type": "reaction_added",
                "user": user,
                "reaction": name,
                "item_user": message.user,
                "item": {"type": "message", "channel": channel.id, "ts": message.ts},
                "event_ts": self._world.new_ts(),
            }
            self._events.tell(event, channel=channel)

    def _reacted(self, call: Call) -> tuple[Message, str]:
        channel = entered(self._world, call.need("channel", "channel_not_found"))
        message = channel.messages.get(call.text("timestamp"))
        if message is None:
            raise SlackProblem("message_not_found")
        name = call.need("name", "invalid_name")
        if not name.replace("_", "").replace("-", "").replace("+", "").isalnum():
            raise SlackProblem("invalid_name")
        return message, name

    def _readable(self, call: Call) -> Channel:
        channel = seen(self._world, call.need("channel", "channel_not_found"))
        if not self._world.bot_is_in(channel):
            raise SlackProblem("not_in_channel")
        return channel

    def _told(self, call: Call, messages: Sequence[Message]) -> Json:
        metadata = call.flag("include_all_metadata")
        return {"messages": [message.wire(metadata=metadata) for message in messages]}


def paged(rows: Sequence[T], call: Call, limit: int) -> tuple[list[T], Json]:
    """A page of rows and what says how to get the next."""
    start = _cursor(call)
    limit = max(1, min(call.number("limit", limit), 1000))
    return list(rows[start : start + limit]), _next(start + limit, len(rows))


def _cursor(call: Call) -> int:
    cursor = call.text("cursor")
    if not cursor:
        return 0
    if not cursor.startswith("at:") or not cursor[3:].isdigit():
        raise SlackProblem("invalid_cursor")
    return int(cursor[3:])


def _next(at: int, rows: int) -> Json:
    more = at < rows
    return {"has_more": more, "response_metadata": {"next_cursor": f"at:{at}" if more else ""}}
