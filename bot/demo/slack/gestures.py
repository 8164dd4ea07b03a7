"""What people do besides talking in the Slack stand-in: commands, clicks, shortcuts, modals, the App Home."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from bot.demo.slack.blocks import actions
from bot.demo.slack.events import Carried, Events
from bot.demo.slack.message import Message
from bot.demo.slack.response_urls import Capability, ResponseUrls
from bot.demo.slack.views import View, Views
from bot.demo.slack.watch import Json
from bot.demo.slack.world import Channel, Person, World

KIND_NAMES = {"im": "directmessage", "private": "privategroup", "mpim": "mpdm"}
PICKED = {
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
}
"""What an action or a view's state calls the value of a field that is picked, not typed."""


@dataclass(frozen=True, slots=True)
class Ack:
    """What the app answered at once. `acked` is False where the person saw "did not respond"."""

    acked: bool
    payload: Mapping[str, Any]
    reason: str = ""

    @property
    def text(self) -> str:
        """The answer's text, "" when it had none."""
        return str(self.payload.get("text", ""))


class Gestures:
    """People's commands and clicks. Slack delivers these once and never again."""

    def __init__(
        self, world: World, events: Events, views: Views, response_urls: ResponseUrls
    ) -> None:
        self._world = world
        self._events = events
        self._views = views
        self._response_urls = response_urls

    async def command(self, user: str, channel: str, command: str, text: str = "") -> Ack:
        """Type a slash command; what the app acknowledged with is shown to the person."""
        person, where = self._world.person(user), self._world.channel(channel)
        payload: Json = {
            "token": "verification-token-of-the-stand-in",
            "team_id": self._world.team,
            "team_domain": self._world.domain,
            "channel_id": where.id,
            "channel_name": KIND_NAMES.get(where.kind, where.name),
            "user_id": person.id,
            "user_name": person.name,
            "command": command,
            "text": text,
            "api_app_id": self._world.app_id,
            "is_enterprise_install": "false",
            "response_url": self._response_urls.give(where.id, person.id),
            "trigger_id": self._views.trigger(person.id),
        }
        carried = await self._events.ask("slash_commands", payload)
        if carried.payload.get("text") or carried.payload.get("blocks"):
            right = Capability(where.id, person.id, self._world.now())
            self._response_urls.say(right, dict(carried.payload))
        return _ack(carried)

    async def click(
        self, user: str, message: Message | View, action_id: str, *, value: str | None = None
    ) -> Ack:
        """Press a button (or choose `value` in a menu) in a message, a modal or the App Home.

        Raises:
            KeyError: Nothing there has this action_id.
        """
        person = self._world.person(user)
        blocks = message.blocks if isinstance(message, Message) else message.view["blocks"]
        element, block_id = actions(blocks)[action_id]
        action = {key: element[key] for key in ("type", "text", "value", "style") if key in element}
        action |= {
            "action_id": action_id,
            "block_id": block_id,
            "action_ts": self._world.new_ts(),
        }
        if value is not None:
            action |= _chosen(element, value)
        payload = self._interaction("block_actions", person) | {"actions": [action]}
        if isinstance(message, Message):
            payload |= self._at_message(message, person)
        else:
            payload |= {
                "container": {"type": "view", "view_id": message.id},
                "view": message.wire(self._world),
            }
        return _ack(await self._events.ask("interactive", payload, wants_payload=False))

    async def shortcut(self, user: str, callback_id: str, message: Message | None = None) -> Ack:
        """Choose a shortcut, of a message or a global one."""
        person = self._world.person(user)
        payload = self._interaction("shortcut" if message is None else "message_action", person)
        payload |= {"callback_id": callback_id, "action_ts": self._world.new_ts()}
        if message is not None:
            payload |= self._at_message(message, person)
            payload |= {"message_ts": message.ts, "message": message.wire()}
        return _ack(await self._events.ask("interactive", payload, wants_payload=False))

    async def view_submit(
        self, user: str, view: View, values: Mapping[str, Any] | None = None
    ) -> Ack:
        """Press a modal's submit button.

        Args:
            user: Whose modal it is.
            view: From `views.open`.
            values: What was filled in: action_id -> text or value, or a whole state element as a mapping.
        """
        person = self._world.person(user)
        view.values = _state(view.view, values or {})
        payload = self._interaction("view_submission", person)
        payload |= {"view": view.wire(self._world), "response_urls": []}
        carried = await self._events.ask("interactive", payload)
        if carried.ok:
            self._after_submit(person, view, carried.payload)
        return _ack(carried)

    async def view_close(self, user: str, view: View) -> Ack | None:
        """Close a modal; the app hears of it where it asked to (`notify_on_close`)."""
        self._views.close(view)
        if not view.view.get("notify_on_close"):
            return None
        payload = self._interaction("view_closed", self._world.person(user))
        payload |= {"view": view.wire(self._world), "is_cleared": False}
        return _ack(await self._events.ask("interactive", payload, wants_payload=False))

    async def open_home(self, user: str, *, tab: str = "home") -> View | None:
        """Open the App Home, "home" or "messages"; what is published there so far."""
        person = self._world.person(user)
        home = self._views.homes.get(person.id)
        event: Json = {
            "type": "app_home_opened",
            "user": person.id,
            "channel": self._world.direct(person.id).id,
            "tab": tab,
            "event_ts": self._world.new_ts(),
        }
        if tab == "home" and home is not None:
            event["view"] = home.wire(self._world)
        if "app_home_opened" in self._events.subscribed:
            self._events.tell(event)
        return home

    def _after_submit(self, person: Person, view: View, answer: Mapping[str, Any]) -> None:
        action = answer.get("response_action")
        shown: Any = answer.get("view")
        if action == "errors":
            self._world.watch.changed("view", view=view, errors=answer.get("errors"))
            return
        if action == "update" and isinstance(shown, dict):
            view.view = cast("Json", shown)
            self._world.watch.changed("view", view=view)
            return
        if action == "push" and isinstance(shown, dict):
            self._views.show(person.id, cast("Json", shown))
            return
        if action == "clear":
            for other in [v for v in self._views.open.values() if v.user == person.id]:
                self._views.close(other)
        self._views.close(view)

    def _interaction(self, kind: str, person: Person) -> Json:
        return {
            "type": kind,
            "team": {"id": self._world.team, "domain": self._world.domain},
            "user": {
                "id": person.id,
                "username": person.name,
                "name": person.name,
                "team_id": person.team,
            },
            "api_app_id": self._world.app_id,
            "token": "verification-token-of-the-stand-in",
            "trigger_id": self._views.trigger(person.id),
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _at_message(self, message: Message, person: Person) -> Json:
        channel: Channel = self._world.channels[message.channel]
        told = message.wire()
        container: Json = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel.id,
            "is_ephemeral": bool(message.only_for),
        }
        if message.thread_ts:
            container["thread_ts"] = message.thread_ts
        return {
            "container": container,
            "channel": {"id": channel.id, "name": KIND_NAMES.get(channel.kind, channel.name)},
            **({} if message.only_for else {"message": told}),
            "response_url": self._response_urls.give(channel.id, person.id, message),
        }


def _ack(carried: Carried) -> Ack:
    return Ack(carried.ok, carried.payload, carried.reason)


def _chosen(element: Json, value: str) -> Json:
    kind = str(element.get("type"))
    if kind in {"static_select", "radio_buttons", "overflow"}:
        named = {"value": value, "text": {"type": "plain_text", "text": value}}
        options: list[Json] = element.get("options") or []
        chosen = next((one for one in options if one.get("value") == value), named)
        return {"selected_option": chosen}
    return {PICKED.get(kind, "value"): value}


def _state(view: Json, values: Mapping[str, Any]) -> Json:
    state: Json = {}
    for action_id, (element, block_id) in actions(view["blocks"]).items():
        given = values.get(action_id)
        if isinstance(given, Mapping):
            one: Json = dict(given)
        else:
            text = element.get("initial_value") if given is None else given  # left as it was
            one = _chosen(element, text) if isinstance(text, str) else {"value": None}
        state.setdefault(block_id, {})[action_id] = {"type": element.get("type"), **one}
    return state
