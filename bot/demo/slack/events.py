"""Deliveries to the app: Slack's envelopes, three retries on their schedule, over sockets or signed HTTP."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.demo.slack.api import background
from bot.demo.slack.troubles import Troubles
from bot.demo.slack.watch import Json
from bot.demo.slack.world import Channel, World

ACK_SECONDS = 3.0  # Slack waits so long for an acknowledgement
RETRY_DELAYS = (0.0, 60.0, 300.0)  # seconds before each redelivery
SHUFFLE_SECONDS = 0.05  # a collected event waits no longer for others


@dataclass(frozen=True, slots=True)
class Carried:
    """How one attempt ended: acknowledged with `payload`, or not and why."""

    ok: bool
    payload: Mapping[str, Any] = field(default_factory=dict[str, Any])
    reason: str = ""
    no_retry: bool = False


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is sent: `kind` is events_api, slash_commands or interactive."""

    kind: str
    payload: Json
    attempt: int = 0
    reason: str = ""
    wants_payload: bool = False


class Carrier(Protocol):
    """A way to the app."""

    async def carry(self, envelope: Envelope, timeout: float) -> Carried:
        """Send once and wait for the acknowledgement, `timeout` seconds at most."""
        ...


@dataclass(slots=True)
class Delivery:
    """One thing on its way, and how each attempt ended."""

    kind: str
    payload: Json
    attempts: list[Carried] = field(default_factory=list[Carried])
    done: bool = False

    @property
    def acked(self) -> bool:
        """Whether the app ever acknowledged it."""
        return any(carried.ok for carried in self.attempts)


class Events:
    """Builds envelopes, sends them, retries events; commands and clicks are sent once."""

    def __init__(
        self,
        world: World,
        carrier: Callable[[], Carrier],
        *,
        troubles: Troubles,
        subscribed: set[str],
        sleep: Callable[[float], Awaitable[None]],
        ack_seconds: float = ACK_SECONDS,
        retry_delays: tuple[float, ...] = RETRY_DELAYS,
    ) -> None:
        self.subscribed = subscribed
        self.ack_seconds = ack_seconds
        self.retry_delays = retry_delays
        self.undelivered: list[Delivery] = []
        self.open = 0  # deliveries on their way
        self._world = world
        self._carrier = carrier
        self._troubles = troubles
        self._sleep = sleep
        self._held: list[Delivery] = []
        self.tasks: set[asyncio.Task[Any]] = set()

    def tell(self, event: Json, *, channel: Channel | None = None) -> Delivery:
        """Send an event to the app, in the background, with retries."""
        payload = self._payload(event, channel)
        return self._start(Delivery("events_api", payload))

    def tell_raw(self, payload: Json) -> Delivery:
        """Send a whole body as it is, for payloads without an inner event."""
        return self._start(Delivery("events_api", payload))

    def tell_pair(
        self, mention: Json | None, message: Json | None, channel: Channel
    ) -> list[Delivery]:
        """A mention as app_mention and as message, in the order that the troubles say."""
        pair = [event for event in (mention, message) if event is not None]
        order = self._troubles.order
        if order == "message first" or (order == "any" and self._world.rng.random() < 0.5):
            pair.reverse()
        return [self.tell(event, channel=channel) for event in pair]

    async def ask(self, kind: str, payload: Json, *, wants_payload: bool = True) -> Carried:
        """Send a command or a click once and give what the app answered."""
        envelope = Envelope(kind, payload, wants_payload=wants_payload)
        return await self._carrier().carry(envelope, self.ack_seconds)

    async def close(self) -> None:
        """Drop what is still on its way."""
        self._held.clear()
        for task in tuple(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def _payload(self, event: Json, channel: Channel | None) -> Json:
        world = self._world
        shared = channel is not None and channel.ext_shared
        return {
            "token": "verification-token-of-the-stand-in",
            "team_id": world.team,
            "context_team_id": world.team,
            "context_enterprise_id": None,
            "api_app_id": world.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": world.new_id("Ev"),
            "event_time": int(world.now()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": world.team,
                    "user_id": world.bot.id,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": shared,
            "event_context": "4-" + world.secret(12),
        }

    def _start(self, delivery: Delivery) -> Delivery:
        self.open += 1
        if self._troubles.shuffle < 2:
            background(self.tasks, self._deliver(delivery))
            return delivery
        self._held.append(delivery)
        if len(self._held) >= self._troubles.shuffle:
            self._let_go()
        else:
            asyncio.get_running_loop().call_later(SHUFFLE_SECONDS, self._let_go)
        return delivery

    def _let_go(self) -> None:
        held, self._held = self._held, []
        for delivery in reversed(held):
            background(self.tasks, self._deliver(delivery))

    async def _deliver(self, delivery: Delivery) -> None:
        reason = ""
        for attempt in range(len(self.retry_delays) + 1):
            if attempt:
                await self._sleep(self.retry_delays[attempt - 1])
            carried = await self._once(delivery, attempt, reason)
            if carried.ok:
                if self._troubles.twice and attempt == 0:
                    await self._once(delivery, 1, "timeout")
                break
            reason = carried.reason
            if carried.no_retry:
                break
        delivery.done = True
        self.open -= 1
        if not delivery.acked:
            self.undelivered.append(delivery)
        self._world.watch.wake()

    async def _once(self, delivery: Delivery, attempt: int, reason: str) -> Carried:
        envelope = Envelope(delivery.kind, delivery.payload, attempt, reason)
        carried = await self._carrier().carry(envelope, self.ack_seconds)
        delivery.attempts.append(carried)
        return carried
