"""The only constructor of clients and store: every room is built here, once, and given what it needs.

    clients   the strangers' clients
    rooms     what a worker works with
    doors     what Slack and operators speak to

Wiring only. What is opened is closed in one AsyncExitStack, in the reverse order.
"""

import asyncio
import math
import os
import socket
import time
import uuid
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.app.clients import secret, slack_client, slack_session
from bot.app.doors import open_doors
from bot.app.examination import checkups
from bot.app.patience import opened
from bot.app.reload import Keyring, Reload, Reread
from bot.app.rooms import furnish
from bot.app.telemetry import collector
from bot.app.timing import REAL, Timing
from bot.ask import Alerts
from bot.audit import ended
from bot.errors import BadSettings
from bot.inbox import Inbox
from bot.metrics import Metrics
from bot.policy import Policy
from bot.settings import MENDS, Settings
from bot.slack.envelope import Us
from bot.slack.listen import Listen
from bot.slack.transport import APART_SECONDS, bolt
from bot.slack.wire import SlackError, SlackWire
from bot.store import Engine, Store
from bot.turn import Turn
from bot.worker import DRAIN_SECONDS, Worker

IDENTITY_SECONDS = 1.0  # between attempts to learn from Slack who we are

T = TypeVar("T")

log = structlog.get_logger()


async def serve(
    settings: Settings,
    policy: Policy,
    *,
    host: str,
    port: int,
    stopping: asyncio.Event,
    ready: Callable[[int], None] = lambda _port: None,
    reread: Reread | None = None,
    apart: float = APART_SECONDS,
    drain: float = DRAIN_SECONDS,
    now: Callable[[], float] | None = None,
    timing: Timing = REAL,
) -> None:
    """Run the bot until `stopping` is set; then let running asks finish and hand back the rest.

    A database that is away is waited for; then the doors open: what is asked before Slack says who we are is kept.

    Args:
        settings: complete, by `Settings.missing`.
        policy: what is allowed where.
        host: where health (and, over HTTP, Slack's requests) are taken.
        port: 0 takes a free one.
        stopping: set by a signal.
        ready: told the port once asks are taken.
        reread: how secrets and policy are read anew while we serve; None is never.
        apart: seconds between the two Socket Mode connections.
        drain: seconds that running asks get when told to stop.
        now: seconds since the epoch; by default the database's, which all who serve it share.
        timing: by which clock turns wait.

    Raises:
        BadSettings: Slack does not know the bot token.
        StoreDown: the database cannot be opened; see `patience.opened`.
    """
    async with AsyncExitStack() as stack:
        if (store := await _store(settings, host, port, stopping, stack)) is None:
            return
        now = now or store.now
        traces = await stack.enter_async_context(collector(settings))
        keyring = Keyring(settings)
        client, wire = await _slack(settings, keyring, stack)
        metrics = Metrics(models=policy.models)
        inbox = await _inbox(store, now)
        new_id = partial(_new_id, now)
        door = Listen(
            inbox, Us(), new_id=new_id, now=now, dropped=metrics.dropped, respond=wire.respond
        )

        async def well() -> bool:
            known = bool(door.us.bot_user) and not stopping.is_set()
            return known and await store.ready() and await wire.answers()

        app = bolt(door, client)
        doors = open_doors(settings, app, host, port, well, metrics, ready, apart, keyring, stack)
        await _unless(stopping, doors)
        if (us := await _unless(stopping, _who_we_are(wire))) is None:
            return
        door.us = us
        rooms = await furnish(
            *(settings, policy, store, inbox, wire, us, metrics, new_id),
            *(replace(timing, now=now), keyring, traces, stack),
        )
        door.home, door.opens = rooms.homes.show, rooms.clicks.opens
        worker = Worker(rooms, drain_seconds=drain)
        _begin(_keep_warm(rooms.turn, policy, stopping, alone=store.alone), stack)
        if reread is not None:
            _begin(_reload(reread, keyring, policy, store, rooms.turn.alerts, now).run(), stack)
        watching = (worker.watch(stopping), rooms.schedule.run(stopping))
        await asyncio.gather(worker.run(stopping), *watching)


async def _store(
    settings: Settings, host: str, port: int, stopping: asyncio.Event, stack: AsyncExitStack
) -> Engine | None:
    """The store, closed with the stack; None when we are told to stop before it is there."""
    store = await opened(settings.database_url, host=host, port=port, stopping=stopping)
    if store is not None:
        stack.push_async_callback(store.close)
    return store


def _reload(
    reread: Reread,
    keyring: Keyring,
    policy: Policy,
    store: Store,
    alerts: Alerts,
    now: Callable[[], float],
) -> Reload:
    look = checkups(keyring, policy, store, alerts, now=now).look
    return Reload(reread, keyring, policy, alerts, look=look, now=now)


async def _slack(
    settings: Settings, keyring: Keyring, stack: AsyncExitStack
) -> tuple[AsyncWebClient, SlackWire]:
    """Slack's client, and our wire over it."""
    session = await stack.enter_async_context(slack_session(settings))
    client = slack_client(settings, session)
    token = secret(settings.slack_bot_token)
    wire = SlackWire(client, session, token=token, clock=time.monotonic)
    keyring.add(wire.rekey, "slack_bot_token")
    return client, wire


async def _who_we_are(wire: SlackWire) -> Us:
    """Our identity by auth.test; while Slack cannot be reached it is asked again."""
    while True:
        try:
            answer = await wire.auth_test()
        except SlackError as error:
            if error.code in {"invalid_auth", "account_inactive", "token_revoked", "not_authed"}:
                mend = MENDS["SLACK_BOT_TOKEN"]
                raise BadSettings(
                    [f"SLACK_BOT_TOKEN: Slack says {error.code}; use {mend}"]
                ) from None
            log.warning("slack does not say who we are", code=error.code)
            await asyncio.sleep(IDENTITY_SECONDS)
            continue
        return Us(
            team=str(answer.get("team_id", "")),
            bot_user=str(answer.get("user_id", "")),
            bot_id=str(answer.get("bot_id", "")),
            host=urlsplit(str(answer.get("url", ""))).hostname or "",
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


async def _inbox(store: Engine, now: Callable[[], float]) -> Inbox:
    """What waits; what other processes put there is heard, and what one that is gone held waits again."""
    worker = f"{socket.gethostname()}:{os.getpid()}"
    inbox = Inbox(
        store, now=now, worker=worker, buried=lambda tx, ask: ended(tx, ask, "dead", at=now())
    )
    store.listen(inbox.hear)
    if store.alone:
        await inbox.reclaim()
    return inbox


async def _keep_warm(turn: Turn, policy: Policy, stopping: asyncio.Event, *, alone: bool) -> None:
    """Have Claude's cache ready for the first ask, and keep there what threads are likely to go on with."""
    warming, carrying = _warm(turn, policy, alone=alone), turn.carry_on(policy, stopping)
    await asyncio.gather(warming, carrying, return_exceptions=True)


async def _warm(turn: Turn, policy: Policy, *, alone: bool) -> None:
    if alone:  # else those that others sent may be on their way; see `calendar`
        await turn.settle_shared(before=math.inf)
    rules = policy.rules("")
    models = sorted({rules.model, rules.quick_model})
    await asyncio.gather(*(turn.warm(model=model, effort=rules.effort) for model in models))


def _begin(work: Coroutine[Any, Any, None], stack: AsyncExitStack) -> None:
    stack.push_async_callback(_ended, asyncio.create_task(work))


async def _ended(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _new_id(now: Callable[[], float]) -> str:
    """An id that sorts by time: milliseconds, then chance."""
    return f"{int(now() * 1000):012x}{uuid.uuid4().hex[:14]}"
