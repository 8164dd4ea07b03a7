"""How deliveries reach the door: our HTTP application, and two Socket Mode connections."""

import asyncio
import io
import itertools
import json
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.listen import Listen
from bot.slack.transport import BODY_BYTES, Sockets, bolt, http_app, listening
from tests.bot.slack.deliveries import US, Kept, command, event, mention, signed

SECRET = "made-up-secret"


class Behind:
    """The door with an inbox in memory, as a Bolt app."""

    def __init__(self, base_url: str = "http://127.0.0.1:1/api/") -> None:
        self.inbox = Kept()
        self.dropped: Counter[str] = Counter()
        ids = (f"id-{n}" for n in itertools.count(1))
        door = Listen(
            self.inbox,
            US,
            new_id=lambda: next(ids),
            now=lambda: 0.0,
            dropped=self.drop,
        )
        self.app: AsyncApp = bolt(door, AsyncWebClient("xoxb-made-up", base_url=base_url))
        self.good = True

    def drop(self, reason: str) -> None:
        """Count."""
        self.dropped[reason] += 1

    async def ready(self) -> bool:
        """Whether all is well."""
        return self.good


@asynccontextmanager
async def served(
    behind: Behind, *, sockets: bool = False, metrics: Callable[[], bytes] | None = None
) -> AsyncGenerator[aiohttp.ClientSession]:
    """Our application listening, and somebody who can call it."""
    application = http_app(
        None if sockets else behind.app,
        ready=behind.ready,
        metrics=metrics,
        verifier=SignatureVerifier(SECRET),
        dropped=behind.drop,
    )
    async with (
        listening(application, "127.0.0.1", 0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        yield session


async def post(session: aiohttp.ClientSession, body: str, **headers: str) -> tuple[int, str]:
    """Post as Slack does, signed, and read the answer."""
    sent = {**signed(body, SECRET), **headers}
    async with session.post(
        "/slack/events", data=io.BytesIO(body.encode()), headers=sent
    ) as response:
        return response.status, await response.text()


async def test_a_signed_event_is_taken() -> None:
    """An event that Slack signed is committed and answered 200 with an empty body."""
    behind = Behind()
    async with served(behind) as session:
        assert await post(session, json.dumps(event(mention("hi")))) == (200, "")

    assert [ask.text for ask in behind.inbox.asks] == ["hi"]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Slack-Signature": "v0=" + "0" * 64},
        {"X-Slack-Signature": "v0=é"},
        {"X-Slack-Signature": ""},
        {"X-Slack-Request-Timestamp": "yesterday"},
        {"X-Slack-Request-Timestamp": ""},
        signed(json.dumps(event(mention("hi"))), SECRET, at=1_500_000_000),
        signed(json.dumps(event(mention("hi"))), "another-secret"),
    ],
)
async def test_what_slack_did_not_sign_is_401_and_stored_nowhere(headers: dict[str, str]) -> None:
    """A bad signature or a stale timestamp is refused before anything is parsed."""
    behind = Behind()
    async with served(behind) as session:
        status, _ = await post(session, json.dumps(event(mention("hi"))), **headers)

    assert status == 401
    assert behind.inbox.asks == []
    assert behind.dropped == {"unsigned": 1}


@pytest.mark.parametrize(
    "body", ["{not json", "[1, 2]", "[" * 100_000, "payload=%7B", "", '{"authorizations": [null]}']
)
async def test_garbage_is_a_counted_drop(body: str) -> None:
    """Signed or not, what is no delivery of Slack's harms nothing."""
    behind = Behind()
    async with served(behind) as session:
        status, _ = await post(session, body, **{"Content-Type": "application/json"})
        good, _ = await post(session, json.dumps(event(mention("still here"))))

    assert status in {200, 400}
    assert behind.dropped == {"malformed": 1}
    assert good == 200


async def test_a_body_over_a_mebibyte_is_refused() -> None:
    """One byte more than 1 MiB is 413, also when its length is not announced."""
    behind = Behind()

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    async with served(behind) as session:
        status, _ = await post(session, "x" * (BODY_BYTES + 1))
        assert status == 413
        async with session.post("/slack/events", data=endless()) as response:
            assert response.status == 413

    assert behind.dropped == {"too_large": 2}


async def test_a_hundred_thousand_characters_are_taken() -> None:
    """A very long mention is no error."""
    behind = Behind()
    async with served(behind) as session:
        assert (await post(session, json.dumps(event(mention("ü" * 100_000)))))[0] == 200

    assert behind.inbox.asks[0].text == "ü" * 100_000


async def test_slacks_check_of_the_certificate_is_answered() -> None:
    """ssl_check comes without a signature; it is answered 200 and does nothing."""
    behind = Behind()
    async with served(behind) as session:
        for path in ("ssl_check=1&token=x",):
            status, _ = await post(session, path, **{"X-Slack-Signature": ""})
            assert status == 200

    assert behind.inbox.asks == []


async def test_a_failed_commit_is_500() -> None:
    """Slack redelivers what could not be written down."""
    behind = Behind()
    behind.inbox.down = True
    async with served(behind) as session:
        status, _ = await post(session, json.dumps(event(mention("hi"))))

    assert status == 500


async def test_health_and_numbers_are_told_and_nothing_else() -> None:
    """/healthz, /readyz and /metrics answer; what is not ours is 404."""
    behind = Behind()
    async with served(behind, metrics=lambda: b"purser_asks 1\n") as session:
        assert (await session.get("/healthz")).status == 200
        assert (await session.get("/readyz")).status == 200
        behind.good = False
        assert (await session.get("/readyz")).status == 503
        numbers = await session.get("/metrics")
        assert (await numbers.text(), numbers.content_type) == ("purser_asks 1\n", "text/plain")
        assert (await session.get("/slack/events")).status == 405
        assert (await session.get("/")).status == 404
        assert (await session.post("/healthz")).status == 405


async def test_in_socket_mode_nothing_is_taken_over_http() -> None:
    """Without an app there is no /slack/events, and without leave no /metrics."""
    async with served(Behind(), sockets=True) as session:
        assert (await session.post("/slack/events")).status == 404
        assert (await session.get("/metrics")).status == 404
        assert (await session.get("/healthz")).status == 200


class Wire:
    """As much of Slack as Socket Mode needs: apps.connections.open, and sockets with envelopes and acks."""

    def __init__(self) -> None:
        self.base_url = ""
        self.sockets: list[web.WebSocketResponse] = []
        self.opened = 0
        self.acks: dict[str, Any] = {}
        self.changed = asyncio.Condition()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["Wire"]:
        """Listen on a free port."""
        application = web.Application()
        application.router.add_post("/api/apps.connections.open", self._open)
        application.router.add_get("/link", self._link)
        async with listening(application, "127.0.0.1", 0) as port:
            self.base_url = f"http://127.0.0.1:{port}/api/"
            yield self
            for socket in list(self.sockets):
                await socket.close()

    async def _open(self, _request: web.Request) -> web.Response:
        address = self.base_url.replace("http", "ws").replace("/api/", "/link")
        return web.json_response({"ok": True, "url": address})

    async def _link(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        self.opened += 1
        await self._tell()
        async for frame in socket:
            if frame.type is aiohttp.WSMsgType.TEXT:
                said = json.loads(frame.data)
                self.acks[said["envelope_id"]] = said.get("payload")
                await self._tell()
        self.sockets.remove(socket)
        await self._tell()
        return socket

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def until(self, done: Any) -> None:
        """Wait for a condition of this stand-in."""
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(done)

    async def send(self, socket: web.WebSocketResponse, envelope_id: str, **envelope: Any) -> None:
        """Send one envelope."""
        await socket.send_json({"envelope_id": envelope_id, "retry_attempt": 0, **envelope})


async def test_two_connections_take_envelopes_and_ack_on_their_own() -> None:
    """The second follows the first; each takes and acknowledges; a command's sentence rides on the ack."""
    wire = Wire()
    async with wire.running():
        behind = Behind(wire.base_url)
        sockets = Sockets(behind.app, app_token="xapp-made-up", apart=0.01)
        await sockets.open()
        await wire.until(lambda: len(wire.sockets) == 2)
        first, second = wire.sockets
        await wire.send(first, "e1", type="events_api", payload=event(mention("hi"), "Ev1"))
        await wire.send(second, "e2", type="slash_commands", payload=command("/cost"))
        await wire.until(lambda: {"e1", "e2"} <= set(wire.acks))
        assert await sockets.connected()
        await sockets.close()

    assert sorted(ask.feature for ask in behind.inbox.asks) == ["chat", "cost"]
    assert wire.acks["e1"] is None
    assert wire.acks["e2"]["response_type"] == "ephemeral"


async def test_an_event_that_could_not_be_committed_is_not_acked() -> None:
    """Slack hears nothing of it and sends it again on any connection."""
    wire = Wire()
    async with wire.running():
        behind = Behind(wire.base_url)
        sockets = Sockets(behind.app, app_token="xapp-made-up", apart=60)
        await sockets.open()
        await wire.until(lambda: len(wire.sockets) == 1)
        behind.inbox.down = True
        await wire.send(wire.sockets[0], "e1", type="events_api", payload=event(mention("hi")))
        await behind.inbox.refused.wait()
        behind.inbox.down = False
        await wire.send(wire.sockets[0], "e2", type="events_api", payload=event(mention("hi")))
        await wire.until(lambda: "e2" in wire.acks)
        await sockets.close()

    assert "e1" not in wire.acks
    assert len(behind.inbox.asks) == 1


async def test_while_one_connection_is_refreshed_the_other_stands() -> None:
    """A disconnect for one opens a new one in its place and leaves the other alone."""
    wire = Wire()
    async with wire.running():
        behind = Behind(wire.base_url)
        sockets = Sockets(behind.app, app_token="xapp-made-up", apart=0.01, ping_seconds=0.05)
        await sockets.open()
        await wire.until(lambda: len(wire.sockets) == 2)
        first, second = wire.sockets
        await first.send_json({"type": "disconnect", "reason": "refresh_requested"})
        await wire.until(lambda: wire.opened == 3 and len(wire.sockets) == 2)
        assert not second.closed
        await wire.send(second, "e1", type="events_api", payload=event(mention("hi")))
        await wire.until(lambda: "e1" in wire.acks)
        await sockets.close()
        await wire.until(lambda: not wire.sockets)

    assert not await sockets.connected()


async def test_closing_ends_an_attempt_to_connect() -> None:
    """With Slack away, opening waits, and closing ends it."""
    behind = Behind()
    sockets = Sockets(behind.app, app_token="xapp-made-up", ping_seconds=0.01)
    opening = asyncio.create_task(sockets.open())
    await asyncio.sleep(0.05)
    assert not await sockets.connected()
    await sockets.close()
    async with asyncio.timeout(5):
        await opening
