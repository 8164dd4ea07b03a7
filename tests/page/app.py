"""A small app on the Slack stand-in, without any of the bot: it listens over a socket and speaks by Web API calls."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from bot.demo.slack import SlackStandIn

Json = dict[str, Any]


class App:
    """What it heard is in `heard`; how it acknowledges can be set by `answers`."""

    def __init__(self, slack: SlackStandIn, session: aiohttp.ClientSession) -> None:
        self.heard: list[tuple[str, Json]] = []
        self.answers: dict[
            str, Callable[[Json], Mapping[str, Any]]
        ] = {}  # by envelope or payload type
        self._slack = slack
        self._session = session

    async def call(self, method: str, **arguments: Any) -> Json:
        """Call the Web API; what is answered has to be ok."""
        async with self._session.post(self._slack.api_url + method, json=arguments) as response:
            answer: Json = await response.json()
        assert answer["ok"], (method, answer)
        return answer

    async def post(self, channel: str, **message: Any) -> str:
        """Post a message; its ts."""
        answer = await self.call("chat.postMessage", channel=channel, **message)
        return str(answer["ts"])

    async def stream(self, channel: str, thread_ts: str, text: str = "", **more: Any) -> str:
        """Open a stream for ana; its ts."""
        answer = await self.call(
            "chat.startStream",
            channel=channel,
            thread_ts=thread_ts,
            recipient_team_id=self._slack.team,
            recipient_user_id="U0ANA",
            **({"markdown_text": text} if text else {}),
            **more,
        )
        return str(answer["ts"])

    def of(self, kind: str) -> list[Json]:
        """What was heard of a kind: an envelope's type, or the type of what it carries."""
        return [payload for name, payload in self.heard if name == kind or _inner(payload) == kind]

    async def listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Acknowledge what comes."""
        async for frame in socket:
            envelope: Json = json.loads(frame.data)
            if "envelope_id" not in envelope:
                continue
            kind, payload = str(envelope["type"]), envelope["payload"]
            self.heard.append((kind, payload))
            answer = self.answers.get(_inner(payload)) or self.answers.get(kind)
            ack = {"envelope_id": envelope["envelope_id"]}
            await socket.send_json({**ack, "payload": answer(payload)} if answer else ack)


def _inner(payload: Json) -> str:
    event: Any = payload.get("event")
    return str(event["type"] if isinstance(event, dict) else payload.get("type", ""))


@asynccontextmanager
async def app_on(slack: SlackStandIn) -> AsyncGenerator[App]:
    """The app, connected."""
    token = {"Authorization": f"Bearer {slack.bot_token}"}
    async with aiohttp.ClientSession(headers=token) as session:
        app = App(slack, session)
        opening = {"Authorization": f"Bearer {slack.app_token}"}
        async with session.post(
            slack.api_url + "apps.connections.open", headers=opening
        ) as response:
            url = (await response.json())["url"]
        async with session.ws_connect(url) as socket:
            listening = asyncio.create_task(app.listen(socket))
            try:
                yield app
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
