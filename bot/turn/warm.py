"""Before the first ask of the day: the cached beginning of all requests, written once."""

from typing import Any

import structlog

from bot.ledger import Entry
from bot.prices import dollars, price
from bot.store import Transaction
from bot.turn.brief import Rooms
from bot.turn.request import frame
from bot.turn.response import Response
from bot.usage import Usage
from integrations.claude_errors import ClaudeError

log = structlog.get_logger()


async def warm(rooms: Rooms, *, model: str, effort: str) -> bool:
    """Write the shared system block and the tools to Claude's cache; nothing is generated.

    Who asks first then reads them, and so do all who ask at the same moment: without it,
    each of them would pay for writing. Booked as shared by all. A failure is logged only.

    Returns:
        Whether it went through.

    Raises:
        StoreDown: it could not be booked.
    """
    body: dict[str, Any] = {
        **frame(prompts=rooms.prompts, tools=rooms.runner.declared, model=model, effort=effort),
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Ready?"}]}],
    }
    try:
        response = Response.of(await rooms.claude.prewarm(body))
    except ClaudeError as error:
        log.warning("pre-warm failed", model=model, status=type(error).__name__)
        return False
    tx = Transaction()
    rooms.ledger.book(tx, _entry(rooms, response))
    await rooms.store.commit(tx)
    return True


def _entry(rooms: Rooms, response: Response) -> Entry:
    usage = Usage.from_wire(response.message["usage"])
    cost = price(usage, model=response.model, at=rooms.now())
    return Entry(
        entry_id=f"{response.id}:0",
        message_id=response.id,
        iteration=0,
        ask_id=None,
        at=rooms.now(),
        team=None,
        channel=None,
        user=None,
        thread=None,
        feature=None,
        purpose="warm",
        model=response.model,
        prompt_version=rooms.prompts.version,
        input_tokens=usage.input_tokens,
        cache_write_5m_tokens=usage.cache_write_5m_tokens,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        output_tokens=usage.output_tokens,
        thinking_tokens=usage.thinking_tokens,
        service_tier=usage.service_tier,
        speed=usage.speed,
        inference_geo=usage.inference_geo,
        stop_reason=response.stop_reason,
        refusal_category=None,
        billed=True,
        cost=dollars(cost.picos) if cost else None,
        price_version=cost.version if cost else None,
        request_id=response.message["request_id"],
        ttft_ms=response.message["ttft_ms"],
        latency_ms=response.message["latency_ms"],
        status="settled",
    )
