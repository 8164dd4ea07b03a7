"""Slack on 127.0.0.1: the whole workspace behind one port, for the demo, the tests and the benchmark."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping

import aiohttp
from aiohttp import web

from bot.demo.slack.announce import Announcer
from bot.demo.slack.api import Api
from bot.demo.slack.chat import Chat
from bot.demo.slack.directory import Directory
from bot.demo.slack.events import ACK_SECONDS, RETRY_DELAYS, Carrier, Events
from bot.demo.slack.files import Files
from bot.demo.slack.gestures import Gestures
from bot.demo.slack.http_door import HttpDoor
from bot.demo.slack.limits import Limits
from bot.demo.slack.message import Message
from bot.demo.slack.methods import EVENTS, SCOPES
from bot.demo.slack.response_urls import ResponseUrls
from bot.demo.slack.seed import settle
from bot.demo.slack.sockets import Sockets
from bot.demo.slack.speech import Speech
from bot.demo.slack.streams import STREAM_SECONDS, Streams
from bot.demo.slack.troubles import Troubles
from bot.demo.slack.views import Views
from bot.demo.slack.watch import LOG_LINES, Watch
from bot.demo.slack.world import World

BODY_BYTES = 64 * 1024 * 1024  # bytes of a request's body that are taken, uploads too
SHUTDOWN_SECONDS = 0.2  # a stopping stand-in waits no longer for its answers


class SlackStandIn:
    """A Slack workspace that runs on this machine and speaks Slack's wire.

    Give the app `api_url` as its base URL, and the tokens. In Socket Mode nothing more is needed; for HTTP set
    `events_url` to the app's request URL.

    Args:
        now: The clock, in seconds since the epoch: ts, limits, stream lifetimes, trigger ids.
        seed: Of all chance: ids, tickets, orders.
        sleep: How latency and retry delays are waited for.
        port: Where to listen; 0 takes a free port.
        limits: Whether rate limits are kept; a benchmark turns them off.
        troubles: What goes wrong; can be changed at any time.
        scopes: What the bot token is granted.
        events: What the app subscribes to ("message.channels" has to be asked for).
        events_url: The app's request URL for HTTP; "" is Socket Mode.
        agent: Whether the app is declared as an agent (sessions and the stop button need it).
        stream_seconds: How long a stream lives.
        ack_seconds: How long Slack waits for an acknowledgement.
        retry_delays: Seconds before each redelivery of an event.
        people: Whether the seeded workspace stands there at the start.
        keep: Wire messages that the log keeps.
        routes: More routes for the same port, for a page.
        sub_apps: More applications for the same port, by prefix.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.time,
        seed: int = 0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        port: int = 0,
        limits: bool = True,
        troubles: Troubles | None = None,
        scopes: Iterable[str] = SCOPES,
        events: Iterable[str] = EVENTS,
        events_url: str = "",
        agent: bool = True,
        stream_seconds: float = STREAM_SECONDS,
        ack_seconds: float = ACK_SECONDS,
        retry_delays: tuple[float, ...] = RETRY_DELAYS,
        people: bool = True,
        keep: int = LOG_LINES,
        routes: Iterable[web.AbstractRouteDef] = (),
        sub_apps: Mapping[str, web.Application] | None = None,
    ) -> None:
        self.now = now
        self.troubles = troubles or Troubles()
        self.events_url = events_url
        self.bot_token = "xoxb-stand-in-bot-token"
        self.app_token = "xapp-1-stand-in-app-token"
        self.signing_secret = "stand-in-signing-secret"
        self.watch = Watch(now=now, keep=keep)
        self.world = world = World(now=now, seed=seed, watch=self.watch)
        self.limits = Limits(now=now, on=limits)
        self.sockets = Sockets(world, self.watch, self.troubles)
        self.events = Events(
            world,
            self._carrier,
            troubles=self.troubles,
            subscribed=set(events),
            sleep=sleep,
            ack_seconds=ack_seconds,
            retry_delays=retry_delays,
        )
        self._furnish(set(scopes), sleep, stream_seconds, agent=agent)
        self._lend()
        self._port = port
        self._routes = list(routes)
        self._sub_apps = dict(sub_apps or {})
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None
        self._door: HttpDoor | None = None
        if people:
            settle(world)

    def _furnish(
        self,
        scopes: set[str],
        sleep: Callable[[float], Awaitable[None]],
        stream_seconds: float,
        *,
        agent: bool,
    ) -> None:
        """The rooms that answer the app, and the people."""
        world = self.world
        announcer = Announcer(world, self.events)
        self.chat = Chat(world, announcer)
        self.streams = Streams(world, self.chat, announcer, seconds=stream_seconds, agent=agent)
        self.directory = Directory(world, self.events)
        self.files = Files(world, self.chat, announcer, token=self.bot_token)
        self.views = Views(world)
        self.response_urls = ResponseUrls(world, self.chat, announcer)
        self.api = Api(
            [self.sockets, self.chat, self.streams, self.directory, self.files, self.views],
            watch=self.watch,
            limits=self.limits,
            troubles=self.troubles,
            now=self.now,
            sleep=sleep,
            bot_token=self.bot_token,
            app_token=self.app_token,
            scopes=scopes,
        )
        self.speech = Speech(
            world,
            self.events,
            announcer,
            self.directory,
            self.streams,
            revoke=self.api.revoke,
        )
        self.gestures = Gestures(world, self.events, self.views, self.response_urls)

    def _lend(self) -> None:
        """What people do is said to the stand-in itself: `await slack.say("ana", "#payments", "@purser hi")`."""
        self.say, self.dm = self.speech.say, self.speech.dm
        self.edit, self.delete = self.speech.edit, self.speech.delete
        self.react, self.stop_stream = self.speech.react, self.speech.stop_stream
        self.unfurl, self.uninstall = self.speech.unfurl, self.speech.uninstall
        self.invite, self.expel = self.speech.invite, self.speech.expel
        self.file = self.files.file
        self.command, self.click = self.gestures.command, self.gestures.click
        self.shortcut, self.view_submit = self.gestures.shortcut, self.gestures.view_submit
        self.open_home, self.view_close = self.gestures.open_home, self.gestures.view_close
        self.wait_for, self.listen, self.log = (
            self.watch.wait_for,
            self.watch.listen,
            self.watch.log,
        )

    def mount(self, routes: Iterable[web.AbstractRouteDef]) -> None:
        """More routes for the same port, for a page that needs the stand-in first; before `start()`."""
        self._routes += routes

    async def start(self) -> None:
        """Listen; `api_url` is known afterwards."""
        app = web.Application(client_max_size=BODY_BYTES)
        app.router.add_route("*", "/api/{method}", self.api.answer)
        app.router.add_get("/link/", self.sockets.connect)
        app.router.add_post("/response/{secret}", self.response_urls.answer)
        app.router.add_post("/upload/{secret}", self.files.take)
        app.router.add_get("/files-pri/{id}/download/{name}", self.files.give)
        app.add_routes(self._routes)
        for prefix, sub_app in self._sub_apps.items():
            app.add_subapp(prefix, sub_app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, backlog=1024)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.sockets.url = f"ws://127.0.0.1:{self._port}"
        self.files.url = self.response_urls.url = self.url
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def stop(self) -> None:
        """Close everything; deliveries still on their way are dropped."""
        await self.events.close()
        self.watch.close()
        await self.sockets.close()
        if self._session is not None:
            await self._session.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> "SlackStandIn":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def api_url(self) -> str:
        """The base URL for a Slack client."""
        return f"{self.url}/api/"

    @property
    def team(self) -> str:
        """The team's id."""
        return self.world.team

    @property
    def app_id(self) -> str:
        """The app's id."""
        return self.world.app_id

    @property
    def bot_user(self) -> str:
        """The app's user id, the one people mention."""
        return self.world.bot.id

    @property
    def bot_id(self) -> str:
        """The app's bot id, as its messages carry it."""
        return self.world.bot.bot_id

    @property
    def door(self) -> HttpDoor:
        """The way to the app by HTTP, for requests that a test words itself."""
        assert self._session is not None, "start() comes first"
        if self._door is None or self._door.url != self.events_url:
            self._door = HttpDoor(
                self.watch, self._session, self.events_url, secret=self.signing_secret, now=self.now
            )
        return self._door

    def _carrier(self) -> Carrier:
        return self.door if self.events_url else self.sockets

    def messages(self, channel: str, thread_ts: str | None = None) -> list[Message]:
        """What stands in a channel, oldest first; with `thread_ts` that thread, root first."""
        where = self.world.channel(channel)
        if thread_ts is None:
            return list(where.messages.values())
        return self.world.thread(where, thread_ts)

    def by_app(self, channel: str, thread_ts: str | None = None) -> list[Message]:
        """What the app said there, oldest first."""
        return [m for m in self.messages(channel, thread_ts) if m.user == self.bot_user]

    def ephemerals(self, channel: str, user: str) -> list[Message]:
        """What only that person sees in a channel, oldest first."""
        who = self.world.person(user).id
        return [m for m in self.world.channel(channel).ephemerals if m.only_for == who]

    def calls(self, method: str) -> int:
        """How often the app called a Web API method, answered or not."""
        return sum(1 for line in self.log if line.method == method and line.direction == "in")

    async def settled(self, timeout: float = 5.0) -> None:
        """Wait until every delivery was acknowledged or given up."""
        await self.wait_for(lambda: self.events.open == 0, timeout)
