"""The Slack stand-in's Web API door: reads a call in any of Slack's parameter styles, guards it, runs it, answers."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from email.utils import formatdate
from typing import Any, Protocol

from aiohttp import web

from bot.demo.slack.limits import Limits
from bot.demo.slack.methods import RULES
from bot.demo.slack.troubles import Troubles
from bot.demo.slack.watch import Json, Watch, WireLine
from bot.demo.slack.world import Channel, World


class SlackProblem(Exception):
    """The Web API answers ok=false with `error`, and with whatever else Slack says of it."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.more = more


class Call:
    """One call's arguments, however they came: a query, a form or JSON."""

    def __init__(self, method: str, arguments: Json) -> None:
        self.method = method
        self.arguments = arguments

    def text(self, name: str, default: str = "") -> str:
        """An argument as text; `default` when it is absent or null."""
        value = self.arguments.get(name)
        return default if value is None else str(value)

    def need(self, name: str, error: str = "invalid_arguments") -> str:
        """An argument that must be there and not empty."""
        value = self.text(name)
        if not value:
            message = f"[ERROR] missing required field: {name}"
            raise SlackProblem(error, response_metadata={"messages": [message]})
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """An argument as true or false; Slack takes 1 and "true" alike."""
        value = self.arguments.get(name)
        return default if value is None else str(value).lower() in {"1", "true"}

    def number(self, name: str, default: int) -> int:
        """An argument as a whole number."""
        try:
            return int(self.text(name) or default)
        except ValueError as wrong:
            raise SlackProblem("invalid_arguments") from wrong

    def data(self, name: str, error: str = "invalid_arguments") -> Any:
        """An argument as data: as it is in a JSON body, parsed where it came as text; None when absent."""
        value = self.arguments.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError as wrong:
            raise SlackProblem(error) from wrong


Run = Callable[[Call], Json]
"""A Web API method: takes effect at once and gives its answer without `ok`."""


class Room(Protocol):
    """A part of the Web API."""

    def methods(self) -> Mapping[str, Run]:
        """Its methods by name."""
        ...


def seen(world: World, name: str) -> Channel:
    """The channel as the app sees it: a private one it is not in does not exist.

    Raises:
        SlackProblem: channel_not_found.
    """
    channel = world.channels.get(name) or world.channels.get(world.names.get(name.lstrip("#"), ""))
    if channel is None and name in world.people:
        channel = world.direct(name)
    if channel is None or (channel.kind != "channel" and not world.bot_is_in(channel)):
        raise SlackProblem("channel_not_found")
    return channel


def entered(world: World, name: str) -> Channel:
    """The channel, when the bot is a member and it is not archived.

    Raises:
        SlackProblem: channel_not_found, not_in_channel or is_archived.
    """
    channel = seen(world, name)
    if channel.archived:
        raise SlackProblem("is_archived")
    if not world.bot_is_in(channel):
        raise SlackProblem("not_in_channel")
    return channel


class Api:
    """Every Web API call passes here once."""

    def __init__(
        self,
        rooms: list[Room],
        *,
        watch: Watch,
        limits: Limits,
        troubles: Troubles,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        bot_token: str,
        app_token: str,
        scopes: set[str],
    ) -> None:
        self.scopes = scopes
        self.revoked = False
        self._runs: dict[str, Run] = {}
        for room in rooms:
            self._runs.update(room.methods())
        self._watch = watch
        self._limits = limits
        self._troubles = troubles
        self._now = now
        self._sleep = sleep
        self._bot_token = bot_token
        self._app_token = app_token

    def revoke(self) -> None:
        """The bot token is worthless from now on."""
        self.revoked = True

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one Web API request."""
        began = self._now()
        method = request.match_info["method"]
        arguments = await read(request)
        token = str(arguments.pop("token", "") or "")
        header = request.headers.get("Authorization", "")
        if header.startswith("Bearer "):
            token = header.removeprefix("Bearer ").strip()
        line = WireLine(began, "in", method, arguments)
        troubles = self._troubles
        seconds = troubles.seconds(method)
        if seconds:
            await self._sleep(seconds)
        if troubles.strike(troubles.refused, method):
            self._watch.wrote(line)
            return cut(request)
        status, answer, headers = self._answer(method, arguments, token)
        line.seconds = self._now() - began
        if troubles.strike(troubles.lost, method):
            self._watch.wrote(line)
            return cut(request)
        line.status, line.answer = status, answer
        self._watch.wrote(line)
        headers["Date"] = formatdate(self._now(), usegmt=True)
        headers["X-OAuth-Scopes"] = ",".join(sorted(self.scopes))
        return web.json_response(answer, status=status, headers=headers)

    def _answer(self, method: str, arguments: Json, token: str) -> tuple[int, Json, dict[str, str]]:
        troubles = self._troubles
        if troubles.strike(troubles.broken, method):
            return troubles.broken_status, {"ok": False, "error": "internal_error"}, {}
        wait = self._limits.take(method, str(arguments.get("channel", "")))
        if troubles.strike(troubles.limited, method):
            wait = troubles.retry_after
        if wait:
            return 429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(wait)}
        try:
            self._guard(method, token)
            return 200, {"ok": True, **self._runs[method](Call(method, arguments))}, {}
        except SlackProblem as problem:
            return 200, {"ok": False, "error": problem.error, **problem.more}, {}

    def _guard(self, method: str, token: str) -> None:
        if error := self._troubles.error(method):
            raise SlackProblem(error)
        rule = RULES.get(method)
        if rule is None or method not in self._runs:
            raise SlackProblem("unknown_method", req_method=method)
        if not token:
            raise SlackProblem("not_authed")
        known = {self._bot_token, self._app_token}
        if token not in known:
            raise SlackProblem("invalid_auth")
        if self.revoked and token == self._bot_token:
            raise SlackProblem("token_revoked")
        if (token == self._app_token) != rule.app_token:
            raise SlackProblem("not_allowed_token_type")
        if rule.scopes and not self.scopes.intersection(rule.scopes):
            provided = ",".join(sorted(self.scopes))
            raise SlackProblem("missing_scope", needed=",".join(rule.scopes), provided=provided)


async def read(request: web.Request) -> Json:
    """A request's arguments from its query and its body, JSON, form or multipart."""
    arguments: Json = dict(request.query)
    if request.method != "POST" or not request.can_read_body:
        return arguments
    if request.content_type == "application/json":
        try:
            body: Any = json.loads(await request.read())
        except ValueError:
            body = None
        arguments.update(body if isinstance(body, dict) else {})
    else:
        arguments.update(await request.post())
    return arguments


def cut(request: web.Request) -> web.StreamResponse:
    """Cut the connection under a request; what is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def background(tasks: set[asyncio.Task[Any]], work: Any) -> None:
    """Run `work` beside everything else, with a reference held until it ended."""
    task = asyncio.ensure_future(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
