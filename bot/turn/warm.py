"""Before the first ask of the day: the cached beginning of all requests, written once."""

import json
from typing import Any

import structlog

from bot.ledger import Entry
from bot.store import Transaction
from bot.turn.brief import Rooms
from bot.turn.request import BYTES_PER_TOKEN, frame
from bot.turn.response import Response
from bot.turn.rows import Cause, settled, unconfirmed
from bot.usage import Usage
from integrations.claude_errors import ClaudeError

PURPOSE = "warm"

log = structlog.get_logger()


async def warm(rooms: Rooms, *, model: str, effort: str) -> bool:
    """Write the shared system block and the tools to Claude's cache; nothing is generated.

    Who asks first then reads them, and so do all who ask at the same moment: without it,
    each of them would pay for writing. Journalled before it leaves and booked as shared by
    all. A failure is logged only, and booked as unconfirmed where it may be billed.

    Returns:
        Whether it went through.

    Raises:
        StoreDown: it could not be written down; then nothing left, or it stands open in the journal.
    """
    body: dict[str, Any] = {
        **frame(prompts=rooms.prompts, tools=rooms.runner.declared, model=model, effort=effort),
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Ready?"}]}],
    }
    call = f"{PURPOSE}:{model}:{rooms.now():.3f}"
    cause = Cause(purpose=PURPOSE, prompt_version=rooms.prompts.version)
    size = len(json.dumps(body, ensure_ascii=False).encode())
    likely = Usage(cache_write_1h_tokens=round(size / BYTES_PER_TOKEN))
    tx = Transaction()
    rooms.journal.sharing(
        tx, call, model=model, purpose=PURPOSE, estimate=likely, prompt_version=cause.prompt_version
    )
    await rooms.store.commit(tx)
    try:
        finished = await rooms.claude.prewarm(body)
    except ClaudeError as error:
        why = type(error).__name__
        log.warning("pre-warm failed", model=model, status=why)
        lost = unconfirmed(likely, cause, entry_id=_lost(call), model=model, at=rooms.now())
        await _end(rooms, call, [lost] if error.facts.may_be_billed else [], why)
        return False
    rooms.governor.learn(model, finished.limits)
    await _end(rooms, call, settled(Response.of(finished), cause, at=rooms.now()))
    return True


async def settle_shared(rooms: Rooms, *, before: float) -> None:
    """Book as unconfirmed what a process that is gone had sent in nobody's name.

    Args:
        rooms: what a turn works with.
        before: epoch seconds; what was sent since may still be in the hands of a process that lives.

    Raises:
        StoreDown: it could not be booked; it stays open.
    """
    for one in await rooms.journal.shared_open():
        if one.at >= before:
            continue
        cause = Cause(purpose=one.purpose, prompt_version=one.prompt_version)
        lost = unconfirmed(
            one.estimate, cause, entry_id=_lost(one.call), model=one.model, at=one.at
        )
        await _end(rooms, one.call, [lost], "lost")


def _lost(call: str) -> str:
    return f"{call}:unconfirmed"


async def _end(rooms: Rooms, call: str, rows: list[Entry], why: str = "") -> None:
    tx = Transaction()
    for row in rows:
        rooms.ledger.book(tx, row)
    rooms.journal.shared(tx, call, error=why)
    await rooms.store.commit(tx)
