"""How a reply travels: as one JSON body or as a stream, at its pace, with its trouble."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.demo.claude import sse
from bot.demo.claude.record import Exchange, State
from bot.demo.claude.reply import Reply
from bot.demo.claude.troubles import Trouble

CHUNK = 16_384  # bytes collected before a write, where no pace is kept
TEXT = b'"text_delta"'  # in the bytes of an event that has some
BROKEN = b'event: content_block_delta\ndata: {"type": "content_block_de\n\n'


@dataclass(slots=True)
class Delivery:
    """One reply on its way.

    Attributes:
        envelope: the message without content; its usage has the input side.
        begin: called when the response begins, with the response headers still to be given.
        generated: called with output tokens as they go out.
        now: epoch seconds.
        tokens_per_second: None for as fast as it goes.
    """

    request: web.Request
    exchange: Exchange
    reply: Reply
    envelope: dict[str, Any]
    trouble: Trouble
    begin: Callable[[], dict[str, str]]
    generated: Callable[[int], None]
    now: Callable[[], float]
    tokens_per_second: float | None
    delta_characters: int
    bytes_per_token: float
    _spent: int = 0

    async def send(self, *, stream: bool) -> web.StreamResponse:
        """Send the reply.

        Raises:
            Problem: instead of a JSON body, where the trouble says so.
        """
        if not stream:
            return await self._whole()
        return await self._stream()

    def _begin(self) -> dict[str, str]:
        headers = self.begin()
        self.envelope["id"] = self.exchange.message_id
        return headers

    def _usage(self) -> dict[str, Any]:
        return {**self.envelope["usage"], **self.reply.usage()}

    async def _whole(self) -> web.StreamResponse:
        trouble, reply = self.trouble, self.reply
        if trouble.error_event is not None:
            raise trouble.error_event
        if self.tokens_per_second:
            await asyncio.sleep(reply.output_tokens / self.tokens_per_second)
        await asyncio.sleep(trouble.hang)
        headers = self._begin()
        body = json.dumps(whole(self.envelope, reply)).encode()
        self._spend(reply.output_tokens)
        if trouble.malformed:
            body = b"<html>502 Bad Gateway</html>"
        response = web.StreamResponse(headers={**headers, "content-type": "application/json"})
        response.content_length = len(body)
        await response.prepare(self.request)
        if trouble.cut:
            await response.write(body[: len(body) // 2])
            return self._break_off(response)
        self._finish("broken_off" if trouble.malformed else "done", self._usage())
        await response.write(body)
        return response

    async def _stream(self) -> web.StreamResponse:
        headers = {
            **self._begin(),
            "content-type": "text/event-stream; charset=utf-8",
            "cache-control": "no-cache",
        }
        response = web.StreamResponse(headers=headers)
        await response.prepare(self.request)
        await response.write(sse.message_start(self.envelope, self.reply))
        said, hang = 0, self.trouble.hang
        async for data, characters in self._paced():
            if self.exchange.spoke is None and TEXT in data:
                self.exchange.spoke = self.now()
            await response.write(data)
            said += characters
            self._count(said)
            if self.trouble.breaks_off and said >= self.trouble.after:
                return await self._go_wrong(response)
            if said >= self.trouble.after:
                await asyncio.sleep(hang)
                hang = 0.0  # it falls silent once
        if self.trouble.breaks_off:
            return await self._go_wrong(response)
        self._spend(self.reply.output_tokens)
        # Known as done before the client can know it, so that whoever waits for the client
        # finds the record complete.
        self._finish("done", self._usage())
        await response.write(sse.ending(self.reply, self._usage()))
        await response.write_eof()
        return response

    async def _paced(self) -> AsyncIterator[tuple[bytes, int]]:
        """Give (bytes, characters) to be written: at the pace, or in large pieces."""
        careful = self.trouble.breaks_off or self.trouble.hang
        held, characters = bytearray(), 0
        for step in sse.steps(self.reply, self.delta_characters):
            if self.tokens_per_second and step.characters:
                await asyncio.sleep(step.characters / self.bytes_per_token / self.tokens_per_second)
            held += step.data
            characters += step.characters
            if careful or self.tokens_per_second or len(held) >= CHUNK:
                yield bytes(held), characters
                held, characters = bytearray(), 0
        if held:
            yield bytes(held), characters

    def _count(self, characters: int) -> None:
        """Keep what an answer that ends here would be billed for."""
        said = self.reply.thinking_tokens + round(characters / self.bytes_per_token)
        tokens = max(1, min(self.reply.output_tokens, said))
        self.exchange.usage = {**self._usage(), "output_tokens": tokens}
        self._spend(tokens)

    def _spend(self, total: int) -> None:
        """Tell the limits what was generated since they were told last."""
        self.generated(total - self._spent)
        self._spent = total

    async def _go_wrong(self, response: web.StreamResponse) -> web.StreamResponse:
        trouble = self.trouble
        if trouble.malformed:
            await response.write(BROKEN)
        if trouble.error_event is not None:
            self.exchange.error = trouble.error_event.kind
            self._finish("broken_off", self.exchange.usage)
            await response.write(
                sse.event("error", trouble.error_event.body(self.exchange.request_id))
            )
            await response.write_eof()
            return response
        return self._break_off(response)

    def _break_off(self, response: web.StreamResponse) -> web.StreamResponse:
        self._finish("broken_off", self.exchange.usage)
        if self.request.transport is not None:
            # Closed, not aborted: what was written before still arrives.
            self.request.transport.close()
        return response

    def _finish(self, state: State, usage: dict[str, Any]) -> None:
        finish(self.exchange, self.reply, state, usage)


def whole(envelope: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    """Give a reply as one message."""
    return {
        **envelope,
        "content": list(reply.blocks),
        "stop_reason": reply.stop_reason,
        "stop_sequence": reply.stop_sequence,
        "stop_details": reply.stop_details,
        "usage": {**envelope["usage"], **reply.usage()},
    }


def finish(exchange: Exchange, reply: Reply, state: State, usage: dict[str, Any]) -> None:
    """Keep how an exchange has ended, and what it is billed for."""
    exchange.usage, exchange.state = usage, state
    exchange.content = [dict(block) for block in reply.blocks]
    if state == "done":
        exchange.stop_reason = reply.stop_reason
        exchange.refusal_category = (reply.stop_details or {}).get("category")
        exchange.billed = reply.billed
