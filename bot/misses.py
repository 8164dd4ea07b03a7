"""What Claude's cache missed: each response that read less than had been sent before, what that cost, and why. Pure.

    rows of the books ── missed ── explained (by the journal's hashes, Claude's own word, who else was under way)

A thread's requests are compared with the one before, of the same model; what all threads share with whoever wrote it at
the same time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from bot.caching import Sections, cache_minimum
from bot.hindsight import Cold
from bot.ledger import Entry
from bot.prices import dollars, price

CACHE_SECONDS = 300.0  # for which what a thread wrote to the cache is kept, from its last use
HOUR_SECONDS = 3600.0  # the same for what was written for an hour

Cause = Literal[
    "expired", "tools", "system", "channel", "settings", "messages", "short", "cold", "unmarked", ""
]
"""The cache had lapsed; a section of what was sent before had changed; it was too short; several wrote it at once; it
was not marked; or nobody knows."""

CLAUDES: Mapping[str, Cause] = {
    "tools_changed": "tools",
    "system_changed": "system",
    "messages_changed": "messages",
}
"""Claude's own word for it, from the response."""


@dataclass(frozen=True, slots=True)
class Miss:
    """A response that read less from the cache than had been sent before, and what that cost more.

    Attributes:
        before: the row before it in its thread, None where it shares nothing but what all share.
        entry: the response's row.
        tokens: that were not read.
        extra: dollars.
        cause: why.
    """

    before: Entry | None
    entry: Entry
    tokens: int
    extra: Decimal
    cause: Cause = ""


@dataclass(frozen=True, slots=True)
class _Sent:
    """What a thread had sent when its next request came.

    Attributes:
        last: its last row.
        at: when its cache was used last, in epoch seconds.
        kept: tokens that stood in cache after it.
        first: tokens of the first request of its ask, all of which the next ask begins with.
        lasts: tokens of that which were written for an hour, with all that stood before them.
    """

    last: Entry
    at: float
    kept: int
    first: int
    lasts: int


def misses(entries: Iterable[Entry]) -> list[Miss]:
    """Each response that read less than its thread had sent before; its cause as far as the books know it."""
    threads: dict[tuple[str, str, str], list[Entry]] = {}
    for entry in entries:
        if entry.status == "settled" and entry.thread and entry.channel and entry.message_id:
            threads.setdefault((entry.channel, entry.thread, entry.model), []).append(entry)
    return [miss for rows in threads.values() for miss in _missed(_in_order(rows))]


def colds(entries: Iterable[Entry], cold: Sequence[Cold]) -> list[Miss]:
    """Each response that wrote what all share while another one was about to.

    Args:
        entries: rows of the books; of others nothing is told.
        cold: responses of the same time that found nothing in cache, these among them.
    """
    rows = {entry.entry_id: entry for entry in entries}
    found: list[Miss] = []
    for one in cold:
        entry = rows.get(one.entry_id)
        others = (other for other in cold if other.head == one.head and other is not one)
        if entry and any(other.left < one.left < other.begun for other in others):
            tokens = entry.cache_write_1h_tokens
            found.append(Miss(None, entry, tokens, _extra(entry, tokens), "cold"))
    return found


def explained(miss: Miss, sections: Mapping[str, str], causes: Mapping[str, str]) -> Miss:
    """The same with its cause, where the books alone do not know it.

    Args:
        miss: of a thread.
        sections: what requests began with, by message id.
        causes: Claude's own words, by message id.
    """
    before, entry = miss.before, miss.entry
    if miss.cause or before is None:
        return miss
    now, then = (Sections.read(sections.get(row.message_id or "", "")) for row in (entry, before))
    cause: Cause = ""
    if now and then:
        same = entry.ask_id == before.ask_id
        cause = now.changed_since(then, same_ask=same) or ""
        if not cause and not same and _kept(before) > entry.cache_read_tokens:
            cause = "messages" if now.rewritten_since(then) else ""
    return replace(miss, cause=cause or CLAUDES.get(causes.get(entry.message_id or "", ""), ""))


def by_cause(found: Iterable[Miss]) -> dict[Cause, tuple[int, Decimal]]:
    """How many there were of each cause, and what they cost more together, the dearest first."""
    sums: dict[Cause, tuple[int, Decimal]] = {}
    for miss in found:
        calls, extra = sums.get(miss.cause, (0, Decimal(0)))
        sums[miss.cause] = (calls + 1, extra + miss.extra)
    return dict(sorted(sums.items(), key=lambda one: (-one[1][1], one[0])))


def _missed(rows: Sequence[Entry]) -> Iterable[Miss]:
    sent: _Sent | None = None
    for entry in rows:
        if entry.purpose == "keep_warm":
            kept = _kept(entry)
            sent = sent and replace(sent, at=entry.at, kept=kept, lasts=kept)
            continue
        if sent and (miss := _miss(sent, entry)):
            yield miss
        same = sent is not None and sent.last.ask_id == entry.ask_id
        sent = _Sent(
            entry,
            entry.at,
            _kept(entry),
            sent.first if sent and same else entry.usage.prompt_tokens,
            _lasts(sent, entry),
        )


def _miss(sent: _Sent, entry: Entry) -> Miss | None:
    before = sent.last
    own = before.usage.prompt_tokens if before.ask_id == entry.ask_id else sent.first
    resent = min(max(sent.kept, own), entry.usage.prompt_tokens)
    missed = resent - entry.cache_read_tokens
    if missed <= 0 or entry.cost is None:
        return None
    cause: Cause = ""
    if resent < cache_minimum(entry.model):
        cause = "short"
    elif sent.kept <= entry.cache_read_tokens:
        cause = "unmarked"
    elif _expired(sent, entry):
        cause = "expired"
    return Miss(before, entry, missed, _extra(entry, missed), cause)


def _expired(sent: _Sent, entry: Entry) -> bool:
    """Whether what was missed had lapsed by then: what lasts an hour is read after five minutes still."""
    silence = entry.at - sent.at
    lasts = sent.lasts if silence <= HOUR_SECONDS else 0
    return silence > CACHE_SECONDS and entry.cache_read_tokens >= lasts


def _lasts(sent: _Sent | None, entry: Entry) -> int:
    """Tokens that stand in cache for an hour: what was written for one, with all before it, or lasted and was read again."""
    if entry.cache_write_1h_tokens:
        return entry.cache_read_tokens + entry.cache_write_1h_tokens
    return min(sent.lasts, entry.cache_read_tokens) if sent else 0


def _kept(entry: Entry) -> int:
    usage = entry.usage
    return usage.cache_read_tokens + usage.cache_write_5m_tokens + usage.cache_write_1h_tokens


def _extra(entry: Entry, tokens: int) -> Decimal:
    """What a response cost more than if so many tokens more had come from the cache."""
    usage, left = entry.usage, tokens
    for kind in ("cache_write_5m_tokens", "cache_write_1h_tokens", "input_tokens"):
        moved = min(left, int(getattr(usage, kind)))
        usage = replace(usage, **{kind: int(getattr(usage, kind)) - moved})
        left -= moved
    usage = replace(usage, cache_read_tokens=usage.cache_read_tokens + tokens - left)
    cost = price(usage, model=entry.model, at=entry.at)
    if cost is None or entry.cost is None:
        return Decimal(0)
    return max(entry.cost - dollars(cost.picos), Decimal(0))


def _in_order(rows: list[Entry]) -> list[Entry]:
    return sorted(rows, key=lambda entry: (entry.at, entry.iteration))
