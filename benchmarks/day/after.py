"""The cheapest way that was found, known afterwards: for each thread the best marks, lifetimes, calls and forms.

Backwards from a thread's last ask, with three states: of what stood before it nothing is in cache, or what the ask
before had sent, or its answer too. An ask leaves nothing; or what it sent for five minutes, with as many keep-alive
calls as the next one takes; or the same for an hour; or for five minutes and then, by one call, with its answer for an
hour. The next one reads those before it as they were sent, or as they are remembered, whichever costs less in the end.
What all threads share is kept for an hour. The plan is then played like any other way. `bound` says below which nothing
can be.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from benchmarks.day.asked import Request, after, asked_end, system_end, whole
from benchmarks.day.bill import KeepAlive, Marked, with_marks
from bot.caching import Rates, Ttl
from bot.demo.claude.prompt import Prompt

LIVES: dict[Ttl, float] = {
    "5m": 290.0,
    "1h": 3_590.0,
}  # seconds from a call to the next one that renews
Left = Literal["", "5m", "1h", "call"]
STATES: dict[Left, int] = {"": 0, "5m": 1, "1h": 1, "call": 2}
LASTS: dict[Left, Ttl] = {"5m": "5m", "1h": "1h", "call": "5m"}


@dataclass(frozen=True, slots=True)
class Chain:
    """One ask's requests to one model, in one form.

    Attributes:
        requests: in their order.
        since: the first ask before them that they read as it was sent.
        carried: blocks at their beginning that the next ask in the thread begins with; 0 where none comes.
        holder: the last request that has all of these.
        following: the next ask's first request, in its form.
        form: the first ask that one reads as it was sent.
        own: blocks at the beginning of the first that the ask before had sent.
    """

    requests: tuple[Request, ...]
    since: int
    carried: int = 0
    holder: int = 0
    following: Request | None = None
    form: int = 0
    own: int = 0

    @property
    def first(self) -> Request:
        """The first of them."""
        return self.requests[0]

    @property
    def held(self) -> int:
        """Tokens of what is carried."""
        return _tokens(self.requests[self.holder].prompt, self.carried)

    @property
    def gap(self) -> float:
        """Seconds until the next ask, since what is carried was read last."""
        return self.following.at - self.requests[self.holder].at if self.following else math.inf

    def found(self, state: int) -> int:
        """Tokens that its first request finds in cache."""
        prompt = self.first.prompt
        return _tokens(prompt, (system_end(prompt) + 1, self.own, _before(self.first))[state])


@dataclass(frozen=True, slots=True)
class Plan:
    """What the asks of a thread cost from one on, in fresh tokens, and how each is made and what it leaves."""

    cost: float = 0.0
    steps: tuple[tuple[Chain, int, Left], ...] = ()


class After:
    """Plays what would have been best.

    Args:
        requests: the whole day's.
    """

    def __init__(self, requests: Sequence[Request]) -> None:
        self._marks: dict[int, tuple[Request, Marked]] = {}  # by the request's identity
        self._calls: list[tuple[float, KeepAlive]] = []
        for asks in threads(requests):
            for chain, state, left in Thread(asks).best().steps:
                self._play(asks[chain.requests[0].thread.asks], chain, state, left)
        self._calls.sort(key=lambda call: -call[0])

    def prompt(self, request: Request) -> Prompt:
        """With the marks that were best."""
        shaped, marks = self._marks[id(request)]
        return with_marks(shaped.prompt, marks)

    def form(self, request: Request) -> Request:
        """In the form that was best."""
        return self._marks[id(request)][0]

    def answered(self, request: Request) -> None:
        """Nothing new."""

    def due(self, now: float) -> Iterable[KeepAlive]:
        """The calls that were worth it."""
        while self._calls and self._calls[-1][0] <= now:
            yield self._calls.pop()[1]

    def _play(self, asked: Sequence[Request], chain: Chain, state: int, left: Left) -> None:
        for n, request in enumerate(chain.requests):
            marks: dict[int, Ttl] = {}
            if n == 0 and state:
                marks[(0, chain.own, _before(request))[state] - 1] = "5m"
            if n > 0:
                marks[len(chain.requests[n - 1].prompt.pieces) - 1] = "5m"
            if n < len(chain.requests) - 1:
                marks[len(request.prompt.pieces) - 1] = "5m"
            if left and n <= chain.holder:
                # What lives longer has to stand before what lives shorter; a mark on what is read writes nothing.
                ttl = LASTS[left]
                marks = {k: ttl if k < chain.carried else short for k, short in marks.items()}
                marks[chain.carried - 1] = ttl
            self._marks[id(asked[n])] = request, {system_end(request.prompt): "1h", **marks}
        if left == "call":
            self._carry(chain)
        elif left:
            self._keep(chain, left)

    def _keep(self, chain: Chain, left: Ttl) -> None:
        holder = chain.requests[chain.holder]
        prompt = _beginning(holder.prompt, chain.carried)
        marks: Marked = {system_end(prompt): "1h", chain.carried - 1: left}
        for n in range(calls(chain, left)):
            at = holder.at + (n + 1) * LIVES[left]
            self._calls.append((at, KeepAlive(prompt, marks, holder.model)))

    def _carry(self, chain: Chain) -> None:
        holder, following = chain.requests[chain.holder], chain.following
        assert following is not None
        prompt = after(holder, chain.form)
        ends = (system_end(prompt), chain.carried - 1, len(prompt.pieces) - 1)
        call = KeepAlive(prompt, dict.fromkeys(ends, "1h"), holder.model)
        self._calls.append((holder.at + LIVES["5m"], call))


def threads(requests: Sequence[Request]) -> list[dict[int, list[Request]]]:
    """Each thread's asks of one model, by their number."""
    found: dict[tuple[str, str], dict[int, list[Request]]] = {}
    for one in requests:
        asks = found.setdefault((one.thread.lane, one.model), {})
        asks.setdefault(one.thread.asks, []).append(one)
    return list(found.values())


@dataclass(slots=True)
class Thread:
    """The asks of a thread, by their number, and what was found of the best way to make them."""

    asks: Mapping[int, Sequence[Request]]
    _found: dict[tuple[int, int, int, int], Plan] = field(
        default_factory=dict[tuple[int, int, int, int], Plan]
    )

    def best(self) -> Plan:
        """The cheapest way for all of them."""
        numbers = list(self.asks)
        return self._from(numbers, 0, since=numbers[0], own=0, state=0)

    def _from(self, numbers: Sequence[int], k: int, *, since: int, own: int, state: int) -> Plan:
        """The cheapest way from the kth ask on.

        Args:
            numbers: of the asks.
            k: place of the first that is not made yet.
            since: the first ask that it reads as it was sent.
            own: blocks at its beginning that the ask before left in cache.
            state: of what is found there.
        """
        if k == len(numbers):
            return Plan()
        key = (k, since, own, state)
        if key not in self._found:
            ways = (
                self._after(numbers, k, chain, state, left)
                for chain in self._chains(numbers, k, since, own)
                for left in _ways(chain)
            )
            self._found[key] = min(ways, key=lambda plan: plan.cost)
        return self._found[key]

    def _after(self, numbers: Sequence[int], k: int, chain: Chain, state: int, left: Left) -> Plan:
        rest = self._from(numbers, k + 1, since=chain.form, own=chain.carried, state=STATES[left])
        cost = _cost(chain, left, state) + rest.cost
        return Plan(cost, ((chain, state, left), *rest.steps))

    def _chains(self, numbers: Sequence[int], k: int, since: int, own: int) -> Iterable[Chain]:
        """The kth ask's requests with each form that the next one may have."""
        made = tuple(whole(one, since) for one in self.asks[numbers[k]])
        if k + 1 == len(numbers):
            yield Chain(made, since, own=own)
            return
        seen: set[int] = set()
        for form in (since, numbers[k + 1]):
            first = whole(self.asks[numbers[k + 1]][0], form)
            if id(first) in seen:
                continue
            seen.add(id(first))
            common = [_common(request.prompt, first.prompt) for request in made]
            carried = max(common)
            holder = max(n for n, length in enumerate(common) if length == carried)
            yield Chain(made, since, carried, holder, first, form, own)


def calls(chain: Chain, left: Ttl) -> int:
    """How many keep-alive calls the next ask takes."""
    return max(0, math.ceil(chain.gap / LIVES[left]) - 1)


def _ways(chain: Chain) -> Sequence[Left]:
    if not chain.carried:
        return ("",)
    carries = LIVES["5m"] < chain.gap < LIVES["5m"] + LIVES["1h"]
    return ("", "5m", "1h", "call") if carries else ("", "5m", "1h")


def _cost(chain: Chain, left: Left, state: int) -> float:
    """Of an ask's requests and of the calls that keep alive what it leaves, in fresh tokens."""
    rates = Rates.of(chain.first.model, chain.first.at)
    writing = {"5m": rates.write_5m, "1h": rates.write_1h}
    read, total = chain.found(state), 0.0
    for n, request in enumerate(chain.requests):
        end = request.prompt.tokens
        held = chain.held if left and n <= chain.holder else 0
        kept = max(held, read)
        goes_on = n < len(chain.requests) - 1
        total += rates.read * read + (rates.write_5m if goes_on else 1.0) * (end - kept)
        total += writing[LASTS[left]] * (kept - read) if left else 0.0
        read = end if goes_on else kept
    if not left:
        return total
    if left == "call":
        assert chain.following is not None
        behind = _tokens(chain.following.prompt, _before(chain.following)) - chain.held
        return total + rates.read * chain.held + rates.write_1h * behind
    return total + calls(chain, left) * rates.read * chain.held


def _common(one: Prompt, other: Prompt) -> int:
    """How many blocks at their beginning are the same."""
    pairs = zip(one.pieces, other.pieces, strict=False)
    same = min(len(one.pieces), len(other.pieces))
    return next((n for n, (a, b) in enumerate(pairs) if a.key != b.key), same)


def _before(request: Request) -> int:
    """How many blocks stand before the ask's own message."""
    return asked_end(request) + 1 - len(request.conversation.new["content"])


def _beginning(prompt: Prompt, blocks: int) -> Prompt:
    pieces = prompt.pieces[:blocks]
    return replace(prompt, pieces=pieces, tokens=pieces[-1].tokens)


def _tokens(prompt: Prompt, blocks: int) -> int:
    return prompt.pieces[blocks - 1].tokens if blocks else 0
