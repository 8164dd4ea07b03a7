"""What came back from Claude as rows of the books: one for each iteration that is billed.

A response is one iteration, unless Claude's side went on by itself: where another model took over, or a conversation
was compacted, `usage.iterations` names each with its own tokens, and the usage on top covers only the last of them.
Source: `BetaIterationsUsage` of the SDK, https://platform.claude.com/docs/en/build-with-claude/refusals-and-fallback.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from bot.ledger import Entry
from bot.prices import Cost, dollars, price
from bot.turn.response import Response
from bot.usage import Usage

PURPOSES = {"fallback_message": "fallback", "compaction": "compact"}
"""Of an iteration by its kind; every other one is what the request was for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Whose call it was and what for; what all share has no ask, channel, person and feature."""

    purpose: str
    prompt_version: str
    ask_id: str | None = None
    team: str | None = None
    channel: str | None = None
    user: str | None = None
    thread: str | None = None
    feature: str | None = None


@dataclass(frozen=True, slots=True)
class _Iteration:
    usage: Usage
    model: str
    purpose: str
    stop_reason: str | None
    category: str | None = None
    billed: bool = True


def settled(response: Response, cause: Cause, *, at: float) -> list[Entry]:
    """The rows of a response that was read to its end, priced as of `at` (epoch seconds)."""
    known = response.message
    return [
        replace(
            _row(one.usage, one.model, cause, at, billed=one.billed),
            entry_id=f"{response.id}:{n}",
            message_id=response.id,
            iteration=n,
            purpose=one.purpose,
            stop_reason=one.stop_reason,
            refusal_category=one.category,
            request_id=known.get("request_id"),
            ttft_ms=known.get("ttft_ms"),
            latency_ms=known.get("latency_ms"),
            status="settled",
        )
        for n, one in enumerate(_iterations(response, cause.purpose))
    ]


def unconfirmed(
    usage: Usage,
    cause: Cause,
    *,
    entry_id: str,
    model: str,
    at: float,
    message_id: str | None = None,
) -> Entry:
    """The row of a request whose response was never read to its end, by an estimate of its tokens."""
    row = _row(usage, model, cause, at, billed=True)
    return replace(row, entry_id=entry_id, message_id=message_id)


def _iterations(response: Response, purpose: str) -> list[_Iteration]:
    top = Usage.from_wire(response.message["usage"])
    last = _Iteration(
        top, response.model, purpose, response.stop_reason, response.category, response.billed
    )
    listed = response.message["usage"].get("iterations")
    wires = [_mapping(wire) for wire in cast("list[object]", listed or [])]
    if len(wires) < 2:  # the usage on top says the same, and more
        kind = PURPOSES.get(str(wires[0].get("type")), purpose) if wires else purpose
        return [replace(last, purpose=kind)]
    found = [_listed(wire, last, purpose) for wire in wires]
    served = found.pop()
    thinking = replace(served.usage, thinking_tokens=top.thinking_tokens)
    end = replace(last, usage=thinking, model=served.model, purpose=served.purpose)
    if served.purpose == "fallback":  # who did not serve, refused
        found = [
            replace(one, stop_reason="refusal" if one.model != served.model else None)
            for one in found
        ]
    return [*found, end]


def kinds(row: Entry) -> dict[str, int]:
    """A row's tokens by the kinds in which `/metrics` counts them."""
    return {
        "input": row.input_tokens,
        "cache_read": row.cache_read_tokens,
        "cache_write": row.cache_write_5m_tokens + row.cache_write_1h_tokens,
        "output": row.output_tokens,
    }


def _listed(wire: Mapping[str, Any], last: _Iteration, purpose: str) -> _Iteration:
    """An iteration before the last; how it ended is not said, and that it cost nothing neither."""
    usage = replace(
        Usage.from_wire(wire),
        service_tier=last.usage.service_tier,
        speed=last.usage.speed,
        inference_geo=last.usage.inference_geo,
    )
    kind = PURPOSES.get(str(wire.get("type")), purpose)
    return _Iteration(usage, str(wire.get("model") or last.model), kind, None)


def _mapping(wire: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", wire) if isinstance(wire, Mapping) else {}


def _row(usage: Usage, model: str, cause: Cause, at: float, *, billed: bool) -> Entry:
    """Tokens and price; an unknown price is None, what is not billed costs exactly nothing."""
    cost = price(usage, model=model, at=at) if billed else Cost(0, "")
    return Entry(
        entry_id="",
        message_id=None,
        iteration=0,
        ask_id=cause.ask_id,
        at=at,
        team=cause.team,
        channel=cause.channel,
        user=cause.user,
        thread=cause.thread,
        feature=cause.feature,
        purpose=cause.purpose,
        model=model,
        prompt_version=cause.prompt_version,
        input_tokens=usage.input_tokens,
        cache_write_5m_tokens=usage.cache_write_5m_tokens,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        output_tokens=usage.output_tokens,
        thinking_tokens=usage.thinking_tokens,
        service_tier=usage.service_tier,
        speed=usage.speed,
        inference_geo=usage.inference_geo,
        stop_reason=None,
        refusal_category=None,
        billed=billed,
        cost=dollars(cost.picos) if cost else None,
        price_version=cost.version if cost else None,
        request_id=None,
        ttft_ms=None,
        latency_ms=None,
        status="unconfirmed",
    )
