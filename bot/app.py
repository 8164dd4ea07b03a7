"""The only constructor of clients and store: every room is built here, once, and given what it needs.

Wiring only. What is opened is closed in one AsyncExitStack, in the reverse order.
"""

import asyncio
import hashlib
import os
import random
import socket
import ssl
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp
import httpx2
import structlog
from anthropic import AsyncAnthropic, DefaultAsyncHttpxClient
from pydantic import SecretStr
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.budget import Budget
from bot.conversation import Conversations
from bot.errors import BadSettings
from bot.governor import Governor
from bot.inbox import Inbox
from bot.journal import Journal
from bot.ledger import Ledger
from bot.metrics import Metrics
from bot.policy import Policy
from bot.prompts import Prompts
from bot.settings import Settings
from bot.slack.commands import Commands
from bot.slack.envelope import Us
from bot.slack.files import Files
from bot.slack.listen import Listen
from bot.slack.people import People
from bot.slack.reply import Replies
from bot.slack.thread import Threads
from bot.slack.transport import APART_SECONDS, Sockets, bolt, http_app, listening
from bot.slack.wire import SlackError, SlackWire
from bot.store.sqlite import SqliteStore
from bot.tool_runner import ToolRunner
from bot.tools import declare
from bot.turn import Turn
from bot.worker import DRAIN_SECONDS, SLOTS, Rooms, Worker
from integrations.claude import Claude
from integrations.jira import Jira
from integrations.web import Web

CONNECTIONS = (
    1_000  # to Claude and to Slack at the same time; both libraries' own pools are smaller
)
SLACK_SECONDS = 30  # for one call to Slack
IDENTITY_SECONDS = 1.0  # between attempts to learn from Slack who we are
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
CODE_HOSTS = frozenset({"github.com", "gitlab.com", "docs.python.org"})  # links to them stay links

T = TypeVar("T")

log = structlog.get_logger()


def _secret(value: SecretStr | None) -> str:
    return value.get_secret_value() if value else ""


def _trusted(settings: Settings) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=settings.ssl_cert_file)


@asynccontextmanager
async def slack_session(settings: Settings) -> AsyncGenerator[aiohttp.ClientSession]:
    """The one HTTP session for all of Slack."""
    connector = aiohttp.TCPConnector(limit=CONNECTIONS, ssl=_trusted(settings))
    timeout = aiohttp.ClientTimeout(total=SLACK_SECONDS)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        yield session


def slack_client(settings: Settings, session: aiohttp.ClientSession) -> AsyncWebClient:
    """Slack's Web API with the bot token; nothing is repeated behind our back."""
    return AsyncWebClient(
        _secret(settings.slack_bot_token),
        base_url=settings.slack_api_url,
        session=session,
        proxy=_secret(settings.https_proxy) or None,
        retry_handlers=[],
    )


@asynccontextmanager
async def claude_client(settings: Settings) -> AsyncGenerator[AsyncAnthropic]:
    """Claude's API; its own retries are off, since the governor owns them."""
    limits = httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=100)
    proxy = _secret(settings.https_proxy) or None
    http = DefaultAsyncHttpxClient(
        limits=limits, proxy=proxy, verify=_trusted(settings), trust_env=False
    )
    async with AsyncAnthropic(
        api_key=_secret(settings.anthropic_api_key),
        base_url=settings.anthropic_base_url,
        max_retries=0,
        http_client=http,
    ) as client:
        yield client


def jira_client(settings: Settings, *, in_flight: int = SLOTS) -> Jira | None:
    """Jira, or None where it is not set up; opens no connection."""
    if not (settings.jira_url and settings.jira_email and settings.jira_api_token):
        return None
    return Jira(
        site_url=settings.jira_url,
        api_url=settings.jira_api_url or settings.jira_url,
        email=settings.jira_email,
        token=_secret(settings.jira_api_token),
        in_flight=in_flight,
        proxy=_secret(settings.https_proxy) or None,
        cafile=settings.ssl_cert_file,
    )


async def serve(
    settings: Settings,
    policy: Policy,
    *,
    host: str,
    port: int,
    stopping: asyncio.Event,
    ready: Callable[[int], None] = lambda _port: None,
    apart: float = APART_SECONDS,
    drain: float = DRAIN_SECONDS,
    now: Callable[[], float] = time.time,
) -> None:
    """Run the bot until `stopping` is set; then let running asks finish and hand back the rest.

    The doors open first: what is asked while Slack does not say who we are is kept, and answered when it does.

    Args:
        settings: complete, by `Settings.missing`.
        policy: what is allowed where.
        host: where health (and, over HTTP, Slack's requests) are taken.
        port: 0 takes a free one.
        stopping: set by a signal.
        ready: told the port once asks are taken.
        apart: seconds between the two Socket Mode connections.
        drain: seconds that running asks get when told to stop.
        now: seconds since the epoch.

    Raises:
        BadSettings: Slack does not know the bot token.
        StoreTaken: another process serves this database.
    """
    async with AsyncExitStack() as stack:
        store = await SqliteStore.open(settings.sqlite_path, serve=True)
        stack.push_async_callback(store.close)
        session = await stack.enter_async_context(slack_session(settings))
        client = slack_client(settings, session)
        token = _secret(settings.slack_bot_token)
        wire = SlackWire(client, session, token=token, clock=time.monotonic)
        metrics = Metrics()
        name = f"{socket.gethostname()}:{os.getpid()}"
        inbox = Inbox(store, now=now, worker=name)
        await inbox.reclaim()  # this process serves the file alone: who held a lease is gone
        door = Listen(
            inbox,
            Us(),
            new_id=lambda: _new_id(now),
            now=now,
            dropped=metrics.dropped,
            respond=wire.respond,
        )

        async def well() -> bool:
            return bool(door.us.bot_user) and not stopping.is_set() and await store.ready()

        app = bolt(door, client, signing_secret=_secret(settings.slack_signing_secret) or "none")
        doors = _doors(settings, app, host, port, well, metrics, ready, apart, stack)
        await _unless(stopping, doors)
        us = await _unless(stopping, _who_we_are(wire))
        if us is None:
            return
        door.us = us
        rooms = await _rooms(settings, policy, store, inbox, wire, us, metrics, now, stack)
        worker = Worker(rooms, drain_seconds=drain)
        for model in sorted({policy.rules("").model, policy.rules("").quick_model}):
            stack.push_async_callback(_ended, asyncio.create_task(_warm(rooms.turn, policy, model)))
        watching = asyncio.create_task(worker.watch(stopping))
        await worker.run(stopping)
        await watching


async def _rooms(
    settings: Settings,
    policy: Policy,
    store: SqliteStore,
    inbox: Inbox,
    wire: SlackWire,
    us: Us,
    metrics: Metrics,
    now: Callable[[], float],
    stack: AsyncExitStack,
) -> Rooms:
    """What a worker works with."""
    clock, rng, zone = time.monotonic, random.Random(), policy.workspace.zone  # noqa: S311 - jitter
    journal, ledger = Journal(store, now=now), Ledger(store, zone=zone, now=now)
    budget, conversations = Budget(store, now=now, zone=zone), Conversations(store)
    people = People(wire, team=us.team, now=now)
    web = Web()
    stack.push_async_callback(web.close)
    jira = jira_client(settings)
    if jira is not None:
        stack.push_async_callback(jira.close)
    turn = Turn(
        claude=Claude(await stack.enter_async_context(claude_client(settings))),
        runner=ToolRunner(declare(jira=jira, web=web, policy=policy), clock=clock),
        journal=journal,
        ledger=ledger,
        budget=budget,
        governor=Governor(clock=clock, rng=rng),
        conversations=conversations,
        store=store,
        prompts=Prompts.load(),
        metrics=metrics,
        user_salt=hashlib.sha256(_secret(settings.slack_bot_token).encode()).digest(),
        now=now,
        clock=clock,
        rng=rng,
        sleep=asyncio.sleep,
    )
    hosts = CODE_HOSTS | {urlsplit(settings.jira_url or "").hostname or ""}
    return Rooms(
        store=store,
        inbox=inbox,
        policy=policy,
        people=people,
        threads=Threads(wire, people, Files(wire), us),
        conversations=conversations,
        turn=turn,
        commands=Commands(policy=policy, budget=budget, ledger=ledger, people=people, now=now),
        replies=Replies(
            wire,
            journal,
            store,
            us=us.bot_user,
            hosts=frozenset(hosts),
            metrics=metrics,
            clock=clock,
        ),
        metrics=metrics,
        now=now,
    )


async def _doors(
    settings: Settings,
    app: AsyncApp,
    host: str,
    port: int,
    well: Callable[[], Awaitable[bool]],
    metrics: Metrics,
    ready: Callable[[int], None],
    apart: float,
    stack: AsyncExitStack,
) -> None:
    """Open what Slack and operators speak to; asks are taken from here on."""
    sockets = None
    if settings.slack_app_token is not None:
        proxy = _secret(settings.https_proxy) or None
        app_token = _secret(settings.slack_app_token)
        sockets = Sockets(app, app_token=app_token, proxy=proxy, apart=apart)

    async def healthy() -> bool:
        return (sockets is None or await sockets.connected()) and await well()

    application = http_app(
        None if sockets else app,
        ready=healthy,
        metrics=metrics.text if host in LOOPBACK else None,
        signing_secret=_secret(settings.slack_signing_secret),
        dropped=metrics.dropped,
    )
    taken = await stack.enter_async_context(listening(application, host, port))
    if settings.metrics_port is not None:
        numbers = http_app(None, ready=healthy, metrics=metrics.text)
        await stack.enter_async_context(listening(numbers, host, settings.metrics_port))
    if sockets is not None:
        stack.push_async_callback(sockets.close)
        await sockets.open()
    log.info("ready", host=host, port=taken, mode="socket" if sockets else "http")
    ready(taken)


async def _who_we_are(wire: SlackWire) -> Us:
    """Our identity by auth.test; while Slack cannot be reached it is asked again."""
    while True:
        try:
            answer = await wire.auth_test()
        except SlackError as error:
            if error.code in {"invalid_auth", "account_inactive", "token_revoked", "not_authed"}:
                raise BadSettings([f"SLACK_BOT_TOKEN: Slack says {error.code}"]) from None
            log.warning("slack does not say who we are", code=error.code)
            await asyncio.sleep(IDENTITY_SECONDS)
            continue
        return Us(
            team=str(answer.get("team_id", "")),
            bot_user=str(answer.get("user_id", "")),
            bot_id=str(answer.get("bot_id", "")),
        )


async def _unless(stopping: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """What `work` gives, or None when we are told to stop before it has ended."""
    task, told = asyncio.create_task(work), asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({task, told}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        await _ended(told)
        await _ended(task)


async def _warm(turn: Turn, policy: Policy, model: str) -> None:
    await turn.warm(model=model, effort=policy.rules("").effort)


async def _ended(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _new_id(now: Callable[[], float]) -> str:
    """An id that sorts by time: milliseconds, then chance."""
    return f"{int(now() * 1000):012x}{uuid.uuid4().hex[:14]}"
