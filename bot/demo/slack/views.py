"""Modals and the App Home of the Slack stand-in, and the trigger ids that open them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.demo.slack.api import Call, Run, SlackProblem
from bot.demo.slack.blocks import VIEW_BLOCKS, check
from bot.demo.slack.watch import Json
from bot.demo.slack.world import World

TRIGGER_SECONDS = 3.0  # a trigger id opens a modal within so long, once
TITLE = 24  # characters of a modal's title, submit and close
PRIVATE_METADATA = 3_000  # characters
STACK = 3  # modals on top of each other


@dataclass
class View:
    """A modal or a home tab as somebody sees it."""

    id: str
    user: str
    view: Json
    hash: str
    open: bool = True
    values: Json = field(default_factory=dict[str, Any])

    def wire(self, world: World) -> Json:
        """As the Web API and payloads tell it."""
        return {
            **self.view,
            "id": self.id,
            "team_id": world.team,
            "app_id": world.app_id,
            "bot_id": world.bot.bot_id,
            "app_installed_team_id": world.team,
            "hash": self.hash,
            "root_view_id": self.id,
            "previous_view_id": None,
            "callback_id": self.view.get("callback_id", ""),
            "private_metadata": self.view.get("private_metadata", ""),
            "state": {"values": self.values},
        }


class Views:
    """Every modal opened and every home published."""

    def __init__(self, world: World) -> None:
        self.homes: dict[str, View] = {}  # by person
        self.open: dict[str, View] = {}  # by view id
        self._triggers: dict[str, tuple[str, float]] = {}
        self._world = world

    def methods(self) -> Mapping[str, Run]:
        """The view methods by name."""
        return {
            "views.open": self.open_view,
            "views.push": self.open_view,
            "views.update": self.update,
            "views.publish": self.publish,
        }

    def trigger(self, user: str) -> str:
        """A trigger id for what somebody did just now."""
        trigger = f"{self._world.secret(13)}.{self._world.secret(8)}"
        self._triggers[trigger] = (user, self._world.now() + TRIGGER_SECONDS)
        return trigger

    def open_view(self, call: Call) -> Json:
        """views.open and views.push."""
        trigger = call.need("trigger_id")
        user, until = self._triggers.get(trigger, ("", 0.0))
        if not user:
            raise SlackProblem("invalid_trigger_id")
        if until < 0:
            raise SlackProblem("exchanged_trigger_id")
        if until < self._world.now():
            raise SlackProblem("expired_trigger_id")
        view = self._checked(call, "modal")
        self._triggers[trigger] = (user, -1.0)
        shown = self.show(user, view)
        return {"view": shown.wire(self._world)}

    def show(self, user: str, view: Json) -> View:
        """A modal opens before somebody."""
        if sum(1 for one in self.open.values() if one.user == user) >= STACK:
            raise SlackProblem("push_limit_reached")
        shown = View(self._world.new_id("V"), user, view, self._world.secret(10))
        self.open[shown.id] = shown
        self._world.watch.changed("view", view=shown)
        return shown

    def update(self, call: Call) -> Json:
        """views.update."""
        view_id, external_id = call.text("view_id"), call.text("external_id")
        shown = self.open.get(view_id) or next(
            (
                v
                for v in self.open.values()
                if external_id and v.view.get("external_id") == external_id
            ),
            None,
        )
        if shown is None:
            raise SlackProblem("not_found")
        self._write(shown, call, "modal")
        self._world.watch.changed("view", view=shown)
        return {"view": shown.wire(self._world)}

    def publish(self, call: Call) -> Json:
        """views.publish."""
        user = call.need("user_id")
        if user not in self._world.people:
            raise SlackProblem("user_not_found")
        shown = self.homes.get(user)
        if shown is None:
            shown = View(self._world.new_id("V"), user, self._checked(call, "home"), "")
            self.homes[user] = shown
        self._write(shown, call, "home")
        self._world.watch.changed("home", view=shown)
        return {"view": shown.wire(self._world)}

    def close(self, shown: View) -> None:
        """A modal is gone."""
        shown.open = False
        self.open.pop(shown.id, None)
        self._world.watch.changed("view", view=shown)

    def _write(self, shown: View, call: Call, kind: str) -> None:
        if call.text("hash") and call.text("hash") != shown.hash:
            raise SlackProblem("hash_conflict")
        shown.view = self._checked(call, kind)
        shown.hash = self._world.secret(10)

    def _checked(self, call: Call, kind: str) -> Json:
        view: Any = call.data("view")
        problems = problems_of(view, kind)
        if problems:
            messages = [f"[ERROR] {problem}" for problem in problems]
            raise SlackProblem("invalid_arguments", response_metadata={"messages": messages})
        return view


def problems_of(view: Any, kind: str) -> list[str]:
    """What Slack would complain of in a view of that kind."""
    if not isinstance(view, dict) or view.get("type") != kind:
        return [f"view type must be {kind}"]
    problems = check(view.get("blocks"), most=VIEW_BLOCKS)
    if len(str(view.get("private_metadata", ""))) > PRIVATE_METADATA:
        problems.append(f"private_metadata has more than {PRIVATE_METADATA} characters")
    if kind == "modal":
        for part in ("title", "submit", "close"):
            text = view.get(part)
            if part == "title" and not isinstance(text, dict):
                problems.append("missing required field: title")
            elif isinstance(text, dict) and not 0 < len(str(text.get("text", ""))) <= TITLE:
                problems.append(f"{part} has 1 to {TITLE} characters")
        inputs = any(block.get("type") == "input" for block in view.get("blocks") or [])
        if inputs and not view.get("submit"):
            problems.append("submit is required where there are input blocks")
    return problems
