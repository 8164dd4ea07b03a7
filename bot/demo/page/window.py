"""One open window: it is told everything at first, then each step as it comes, each thing as it stands by then."""

import asyncio
import json
from collections.abc import Mapping

from aiohttp import web

from bot.demo.page.steps import Steps, Thing
from bot.demo.page.telling import Telling
from bot.demo.slack.watch import Json
from bot.demo.slack.world import Person

HEARTBEAT_SECONDS = 20.0  # between signs of life on a silent connection


class Window:
    """Follows the steps for the person who sits at it.

    Args:
        steps: What to follow.
        telling: How things stand.
        me: Who sits there.
        offers: What the page says beside the workspace, sent with the first frame.
    """

    def __init__(
        self, steps: Steps, telling: Telling, me: Person, *, offers: Mapping[str, object]
    ) -> None:
        self._steps = steps
        self._telling = telling
        self._me = me
        self._offers = offers
        self._socket = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS, compress=False)
        self._at = 0

    async def serve(self, request: web.Request, *, run: str, since: int) -> web.WebSocketResponse:
        """Tell the window what happens until either side leaves.

        Args:
            request: The handshake.
            run: The row of numbers the window knows; "" at first.
            since: The last number it has of it.
        """
        self._steps.begin()
        await self._socket.prepare(request)
        known = run == self._steps.run and self._steps.since(since) is not None
        self._at = since if known else -1
        following = asyncio.create_task(self._follow())
        try:
            async for _ in self._socket:
                pass  # windows speak by requests; here they only listen
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        return self._socket

    async def _follow(self) -> None:
        try:
            if self._at < 0:
                await self._tell_all()
            else:
                await self._send({"type": "resumed", "seq": self._at})
            while await self._steps.beyond(self._at):
                changed = self._steps.since(self._at)
                if changed is None:
                    await self._tell_all()
                else:
                    await self._tell(changed)
            await self._socket.close()
        except ConnectionError:
            pass  # the window was closed; whoever reads it sees that too

    async def _tell_all(self) -> None:
        self._at = self._steps.last
        whole = self._telling.everything(self._me)
        frame: Json = {"type": "snapshot", "run": self._steps.run, "seq": self._at, **whole}
        await self._send({**frame, "offers": self._offers})

    async def _tell(self, changed: list[Thing]) -> None:
        self._at = self._steps.last
        told = [self._telling.change(thing, self._me) for thing in changed]
        changes = [change for change in told if change is not None]
        await self._send({"type": "changes", "seq": self._at, "changes": changes})

    async def _send(self, frame: Json) -> None:
        await self._socket.send_str(json.dumps(frame, ensure_ascii=False))
