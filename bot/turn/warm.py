"""Before the first ask of the day: the cached beginning of all requests, written once."""

import json
from typing import Any

import structlog

from bot.errors import PurserError
from bot.ledger import Entry
from bot.store import Transaction
from bot.turn.brief import Rooms
from bot.turn.request import BYTES_PER_TOKEN, frame, head_of
from bot.turn.response import Response
from bot.turn.rows import Cause, kinds, settled, unconfirmed
from bot.usage import Usage
from integrations.claude_errors import ClaudeError

PURPOSE = "warm"
SHARED = "shared"  # in the place of a channel, where all share the cost
CARRY = "keep_warm"  # the purpose of a call that carries a thread's cache on; see `carry`

log = structlog.get_logger()


class Settled(PurserError):
    """The end of this call was booked before."""


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
    call = call_id(rooms, f"{PURPOSE}:{model}")
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
        lost = unconfirmed(likely, cause, entry_id=lost_id(call), model=model, at=rooms.now())
        await end(rooms, call, [lost] if error.facts.may_be_billed else [], why)
        return False
    rooms.governor.learn(model, finished.limits)
    rooms.starts.begun(head_of(body), rooms.clock())
    await end(rooms, call, settled(Response.of(finished), cause, at=rooms.now()))
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
        cause = cause_of(one.call, one.prompt_version)
        lost = unconfirmed(
            one.estimate, cause, entry_id=lost_id(one.call), model=one.model, at=one.at
        )
        await end(rooms, one.call, [lost], "lost")


def cause_of(call: str, prompt_version: str) -> Cause:
    """Whose call it was, by its id: `warm:…` is everybody's, `keep_warm:team:channel:thread:…` a thread's."""
    purpose, *parts = call.split(":")
    if purpose != CARRY:
        return Cause(purpose=purpose, prompt_version=prompt_version)
    team, channel, thread, *_ = parts
    return Cause(
        purpose=purpose, prompt_version=prompt_version, team=team, channel=channel, thread=thread
    )


def call_id(rooms: Rooms, name: str) -> str:
    """The id of a call that no ask makes: its name, the time, and chance, since processes call at the same moment."""
    return f"{name}:{rooms.now():.3f}:{rooms.rng.getrandbits(64):016x}"


def lost_id(call: str) -> str:
    """The id of the row of a call whose end nobody saw."""
    return f"{call}:unconfirmed"


async def end(
    rooms: Rooms, call: str, rows: list[Entry], why: str = "", *, tx: Transaction | None = None
) -> None:
    """Book what came of a call that no ask made, unless its end was booked; what was reserved for it is free again.

    Args:
        rooms: what a turn works with.
        call: its id.
        rows: of the books.
        why: it failed, if it did.
        tx: what becomes true with it.
    """
    tx = tx or Transaction()
    rooms.journal.shared(tx, call, error=why, must=Settled())
    for row in rows:
        rooms.ledger.book(tx, row)
    rooms.budget.release_call(tx, call)
    try:
        await rooms.store.commit(tx)
    except Settled:
        # By another process, which took this one for gone, or for gone the one that called.
        log.warning("a call's end was booked before", call=call, why=why)
        return
    for row in rows:
        rooms.metrics.booked(row.channel or SHARED, row.model, kinds(row), row.cost)
