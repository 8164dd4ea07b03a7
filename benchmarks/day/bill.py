"""A day's requests through the stand-in's prompt cache, by a virtual clock; what they cost, and why a cache was missed."""

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Protocol

from benchmarks.day import content
from benchmarks.day.asked import BEGINS_SECONDS, Request
from bot.caching import Ttl
from bot.demo.claude.cache import Plan, PromptCache
from bot.demo.claude.prompt import Prompt
from bot.prices import PICOS, price
from bot.usage import Usage

TICK_SECONDS = 5.0  # between looks at what is due
MARGIN_SECONDS = 15.0  # before its end, what lies in cache is taken for lost
AFTER_SECONDS = 3_900.0  # after the last answer, in which keep-alive calls may still be made

Marked = Mapping[int, Ttl]  # by the place of a block among tools, system and messages


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """A call without an answer, which reads what is in cache and so renews it."""

    prompt: Prompt
    marks: Marked
    model: str


class Way(Protocol):
    """A way to use the cache."""

    def prompt(self, request: Request) -> Prompt:
        """What is sent, with its marks."""
        ...

    def form(self, request: Request) -> Request:
        """The request as it was sent: with what came before it as it was sent, or as it is remembered."""
        ...

    def answered(self, request: Request) -> None:
        """The answer has ended."""
        ...

    def due(self, now: float) -> Iterable[KeepAlive]:
        """What is to be sent by itself now."""
        ...


@dataclass(slots=True)
class Bill:
    """What a day cost, in pico-dollars; tokens by kind."""

    picos: int = 0
    keeping: int = 0  # part of it, for keep-alive calls
    calls: int = 0  # of those
    usage: Usage = field(default_factory=Usage)
    resent: int = 0  # tokens that an earlier request had sent with everything before them
    read: int = 0  # of those, read from cache
    sent: int = 0  # tokens of all requests
    spare: int = 0  # of those, what their asks did not need
    cheap: int = 0  # of those, what was read from cache
    missed: Counter[str] = field(default_factory=Counter[str])  # picos, by cause

    @property
    def dollars(self) -> float:
        """All of it."""
        return self.picos / PICOS

    @property
    def content(self) -> float:
        """Tokens sent, in those that were needed or cheaper to send than to leave out."""
        return self.sent / max(1, self.sent - self.spare + self.cheap)

    @property
    def strictly(self) -> float:
        """The same in those that were needed."""
        return self.sent / max(1, self.sent - self.spare)

    @property
    def read_share(self) -> float:
        """Of what was sent again, how much was read from cache."""
        return self.read / self.resent if self.resent else 1.0


def with_marks(prompt: Prompt, marks: Marked) -> Prompt:
    """The same with cache marks."""
    pieces = [replace(piece, ttl=marks.get(n)) for n, piece in enumerate(prompt.pieces)]
    return replace(prompt, pieces=pieces)


def bill(requests: Sequence[Request], way: Way) -> Bill:
    """Play a day."""
    return _Day(way).played(requests)


class _Day:
    """One day under way: what happens in the order of time."""

    def __init__(self, way: Way) -> None:
        self._way, self._cache, self._bill = way, PromptCache(), Bill()
        self._sent: set[bytes] = set()  # every prefix that was sent
        self._last: dict[tuple[str, str], Prompt] = {}  # by thread and model
        self._written: dict[bytes, float] = {}  # prefixes at marks, and from when they can be read

    def played(self, requests: Sequence[Request]) -> Bill:
        order = count()
        events = [(one.at, next(order), one) for one in requests]
        tick, until = requests[0].at, max(one.ends for one in requests) + AFTER_SECONDS
        queue: list[tuple[float, int, Request | tuple[str, object]]] = list(events)
        heapq.heapify(queue)
        heapq.heappush(queue, (tick, next(order), ("tick", None)))
        while queue:
            now, _, what = heapq.heappop(queue)
            match what:
                case Request():
                    plan = self._request(what, now)
                    heapq.heappush(queue, (what.begins, next(order), ("begins", plan)))
                    heapq.heappush(queue, (what.ends, next(order), ("ends", what)))
                case ("begins", Plan() as plan):
                    self._cache.commit(plan, now)
                case ("ends", Request() as request):
                    self._way.answered(request)
                case _:
                    for call in self._way.due(now):
                        plan = self._keep_alive(call, now)
                        begins = now + BEGINS_SECONDS
                        heapq.heappush(queue, (begins, next(order), ("begins", plan)))
                    if now < until:
                        heapq.heappush(queue, (now + TICK_SECONDS, next(order), ("tick", None)))
        return self._bill

    def _request(self, request: Request, now: float) -> Plan:
        prompt = self._way.prompt(request)
        plan = self._cache.plan(prompt, now)
        picos = self._pay(plan, request.model, request.output_tokens, now)
        self._bill.picos += picos
        if not self._rewritten(prompt, plan, request, now, picos):
            self._look_back(prompt, plan, request, now, picos)
        spare, cheap = content.spare(self._way.form(request), plan.read)
        self._bill.sent += prompt.tokens
        self._bill.spare += spare
        self._bill.cheap += cheap
        self._sent.update(piece.key for piece in prompt.pieces)
        self._note(plan, request.begins)
        return plan

    def _keep_alive(self, call: KeepAlive, now: float) -> Plan:
        plan = self._cache.plan(with_marks(call.prompt, call.marks), now)
        picos = self._pay(plan, call.model, 0, now)
        self._bill.picos += picos
        self._bill.keeping += picos
        self._bill.calls += 1
        self._note(plan, now + BEGINS_SECONDS)
        return plan

    def _note(self, plan: Plan, begins: float) -> None:
        for key, _ in plan.writes:
            self._written.setdefault(key, begins)

    def _pay(self, plan: Plan, model: str, output: int, now: float) -> int:
        usage = _usage(plan, output)
        self._bill.usage = _sum(self._bill.usage, usage)
        return _price(usage, model, now)

    def _rewritten(
        self, prompt: Prompt, plan: Plan, request: Request, now: float, picos: int
    ) -> bool:
        """Whether what lies in cache of the thread was not read since it was sent in another form."""
        before = self._last.get((request.thread.lane, request.model))
        self._last[request.thread.lane, request.model] = prompt
        alive = self._cache.plan(before, now + MARGIN_SECONDS).read if before else 0
        if before is None or alive <= plan.read:
            return False
        pairs = zip(before.pieces, prompt.pieces, strict=False)
        same = max((a.tokens for a, b in pairs if a.key == b.key), default=0)
        if same >= alive:
            return False
        self._missed("prefix changed", alive - plan.read, plan, request, now, picos)
        return True

    def _missed(
        self, cause: str, tokens: int, plan: Plan, request: Request, now: float, picos: int
    ) -> None:
        usage = _usage(_read_more(plan, min(tokens, plan.limited)), request.output_tokens)
        self._bill.missed[cause] += picos - _price(usage, request.model, now)

    def _look_back(
        self, prompt: Prompt, plan: Plan, request: Request, now: float, picos: int
    ) -> None:
        """What of the request had been sent before, and why it was not read if it was not."""
        again = [piece for piece in prompt.pieces if piece.key in self._sent]
        if not again:
            return
        resent = again[-1].tokens
        self._bill.resent += resent
        self._bill.read += min(plan.read, resent)
        missed = resent - plan.read
        if missed <= 0:
            return
        beyond = [piece for piece in again if piece.tokens > plan.read]
        written = [self._written[one.key] for one in beyond if one.key in self._written]
        if resent < prompt.model.cache_minimum:
            cause = "too short"
        elif not written:
            cause = "no mark"
        else:
            cause = "cold start in parallel" if min(written) > now else "expired"
        self._missed(cause, missed, plan, request, now, picos)


def _read_more(plan: Plan, tokens: int) -> Plan:
    """The same, had so many tokens more been in cache."""
    left, five, hour, fresh = tokens, plan.write_5m, plan.write_1h, plan.uncached
    moved = min(left, hour)
    hour, left = hour - moved, left - moved
    moved = min(left, five)
    five, left = five - moved, left - moved
    return replace(
        plan, read=plan.read + tokens, write_5m=five, write_1h=hour, uncached=fresh - left
    )


def _usage(plan: Plan, output: int) -> Usage:
    return Usage(
        input_tokens=plan.uncached,
        cache_write_5m_tokens=plan.write_5m,
        cache_write_1h_tokens=plan.write_1h,
        cache_read_tokens=plan.read,
        output_tokens=output,
    )


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(
        input_tokens=one.input_tokens + other.input_tokens,
        cache_write_5m_tokens=one.cache_write_5m_tokens + other.cache_write_5m_tokens,
        cache_write_1h_tokens=one.cache_write_1h_tokens + other.cache_write_1h_tokens,
        cache_read_tokens=one.cache_read_tokens + other.cache_read_tokens,
        output_tokens=one.output_tokens + other.output_tokens,
    )


def _price(usage: Usage, model: str, now: float) -> int:
    cost = price(usage, model=model, at=now)
    assert cost is not None, model
    return cost.picos
