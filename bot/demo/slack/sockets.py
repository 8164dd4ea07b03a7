"""Socket Mode as Slack speaks it: tickets, hello, envelopes to one of the connections, acks, disconnects."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import WSMsgType, web

from bot.demo.slack.api import Call, Run, SlackProblem
from bot.demo.slack.events import Carried, Envelope
from bot.demo.slack.troubles import Troubles
from bot.demo.slack.watch import Json, Watch, WireLine
from bot.demo.slack.world import World

CONNECTIONS = 10  # open at the same time for one app
CONNECTION_SECONDS = 18_060  # what hello promises; the stand-in ends none by itself
TICKET_SECONDS = 30.0  # a socket address is good for so long, once


class Sockets:
    """The app's open connections. Each envelope goes to one of them, in turn."""

    def __init__(self, world: World, watch: Watch, troubles: Troubles) -> None:
        self.enabled = True
        self.url = ""  # ws://…, set when the stand-in listens
        self._world = world
        self._watch = watch
        self._troubles = troubles
        self._tickets: dict[str, float] = {}
        self._open: list[web.WebSocketResponse] = []
        self._wires: dict[web.WebSocketResponse, asyncio.BaseTransport | None] = {}
        self._turn = 0
        self._acks: dict[str, asyncio.Future[Mapping[str, Any]]] = {}

    @property
    def count(self) -> int:
        """Connections that are open now."""
        return len(self._open)

    def methods(self) -> Mapping[str, Run]:
        """The one Web API method that belongs to sockets."""
        return {"apps.connections.open": self._connect}

    def _connect(self, call: Call) -> Json:
        if not self.enabled:
            raise SlackProblem("forbidden_team")
        ticket = self._world.secret()
        self._tickets[ticket] = self._world.now() + TICKET_SECONDS
        return {"url": f"{self.url}/link/?ticket={ticket}&app_id={self._world.app_id}"}

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """One connection, from its ticket to its end."""
        until = self._tickets.pop(request.query.get("ticket", ""), 0.0)
        if until < self._world.now():
            return web.Response(status=403, text="ticket unknown or used")
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        if len(self._open) >= CONNECTIONS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        self._open.append(socket)
        self._wires[socket] = request.transport
        try:
            hello = self._hello()
            await socket.send_json(hello)
            self._watch.wrote(WireLine(self._world.now(), "out", "hello", hello))
            self._watch.changed("socket", open=len(self._open))
            async for frame in socket:
                if frame.type is WSMsgType.PING and not self._troubles.mute:
                    await socket.pong(frame.data)
                elif frame.type is WSMsgType.TEXT:
                    self._heard(frame.data)
        except ConnectionError:
            pass  # the app left without a word
        finally:
            self._forget(socket)
        return socket

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._open),
            "debug_info": {
                "host": "applink-stand-in",
                "build_number": 1,
                "approximate_connection_time": CONNECTION_SECONDS,
            },
            "connection_info": {"app_id": self._world.app_id},
        }

    def _forget(self, socket: web.WebSocketResponse) -> None:
        if socket in self._open:
            self._open.remove(socket)
            self._wires.pop(socket, None)
            self._watch.changed("socket", open=len(self._open))

    def _heard(self, text: str) -> None:
        try:
            said: Any = json.loads(text)
        except ValueError:
            return
        if not isinstance(said, dict):
            return
        if self._troubles.deaf > 0:
            self._troubles.deaf -= 1
            return
        payload: Any = said.get("payload")
        waiting = self._acks.pop(str(said.get("envelope_id", "")), None)
        if waiting is not None and not waiting.done():
            waiting.set_result(payload if isinstance(payload, dict) else {})

    async def carry(self, envelope: Envelope, timeout: float) -> Carried:
        """Send one envelope on one connection and wait for its ack, from whichever connection that comes."""
        began = self._world.now()
        line = WireLine(began, "out", envelope.kind, envelope.payload)
        socket = self._next()
        if socket is None:
            self._watch.wrote(line)
            return Carried(False, reason="connection_failed")
        envelope_id = self._world.secret(32).lower()
        ack: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._acks[envelope_id] = ack
        frame: Json = {
            "envelope_id": envelope_id,
            "type": envelope.kind,
            "payload": envelope.payload,
            "accepts_response_payload": envelope.wants_payload,
        }
        if envelope.kind == "events_api":
            frame |= {"retry_attempt": envelope.attempt, "retry_reason": envelope.reason}
        try:
            self._watch.wrote(line)
            async with asyncio.timeout(timeout):
                await socket.send_str(json.dumps(frame))
                payload = await ack
        except TimeoutError:
            return Carried(False, reason="timeout")
        except ConnectionError:
            self._forget(socket)
            return Carried(False, reason="connection_failed")
        finally:
            self._acks.pop(envelope_id, None)
            line.seconds = self._world.now() - began
        line.status, line.answer = 200, payload
        self._watch.wake()
        return Carried(True, payload)

    def _next(self) -> web.WebSocketResponse | None:
        for _ in range(len(self._open)):
            self._turn = (self._turn + 1) % len(self._open)
            if not self._open[self._turn].closed:
                return self._open[self._turn]
        return None

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Tell every connection to come again: refresh_requested, warning or link_disabled."""
        if reason == "link_disabled":
            self.enabled = False
        for socket in tuple(self._open):
            self._watch.wrote(WireLine(self._world.now(), "out", "disconnect", {"reason": reason}))
            await socket.send_json(
                {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-stand-in"}}
            )

    def cut(self) -> int:
        """Cut every connection without a word, as a broken network does; how many there were."""
        wires = [wire for wire in self._wires.values() if isinstance(wire, asyncio.Transport)]
        for socket in tuple(self._open):
            self._forget(socket)
        for wire in wires:
            wire.abort()
        return len(wires)

    async def close(self) -> None:
        """Close what is open; the stand-in stops."""
        for socket in tuple(self._open):
            await socket.close()
