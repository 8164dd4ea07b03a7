"""The cheapest way that was found, known afterwards: for each thread the best marks, lifetimes, calls and forms.

Backwards from a thread's last ask, by how much of its beginning is in cache, and whether for an hour. An ask leaves
nothing; or what it sent for five minutes, with as many keep-alive calls as the next one takes; or the same for an hour;
or for five minutes and then, by one call, with its answer's first words for an hour; or what it found in cache itself,
with the block behind it, for an hour. The next one reads each of those before it as it was sent, or as it is
remembered, whichever costs less in the end. What all threads share is kept for an hour. The plan is then played like
any other way. `bound` says below which nothing can be.
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
Left = Literal["", "5m", "1h", "call", "found"]
LASTS: dict[Left, Ttl] = {"5m": "5m", "1h": "1h", "call": "5m"}
Form = tuple[int, ...]  # the asks that are read as they were sent


@dataclass(frozen=True, slots=True)
class Found:
    """Blocks at an ask's beginning that are in cache, and whether for an hour."""

    blocks: int = 0
    hour: bool = False


@dataclass(frozen=True, slots=True)
class Chain:
    """One ask's requests to one model, in one form.

    Attributes:
        requests: in their order.
        form: the asks before them that they read as they were sent.
        carried: blocks at their beginning that the next ask in the thread begins with; 0 where none comes.
        holder: the last request that has all of these.
        following: the next ask's first request, in its form.
        next_form: the asks that one reads as they were sent.
        found: what of the first is in cache.
    """

    requests: tuple[Request, ...]
    form: Form
    found: Found = Found()
    carried: int = 0
    holder: int = 0
    following: Request | None = None
    next_form: Form = ()

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

    @property
    def read(self) -> int:
        """Tokens that its first request finds in cache."""
        prompt = self.first.prompt
        return _tokens(prompt, max(system_end(prompt) + 1, self.found.blocks))

    @property
    def next_to_it(self) -> int:
        """Tokens of the block behind that; none where that is kept for an hour already."""
        blocks = self.found.blocks
        prompt = self.first.prompt
        return 0 if self.found.hour else _tokens(prompt, blocks + 1) - _tokens(prompt, blocks)

    def leaves(self, left: Left) -> Found:
        """What the next ask finds in cache."""
        if left == "call":
            assert self.following is not None
            return Found(_begun(self.following), hour=True)
        if left == "found":
            return Found(self.found.blocks + (not self.found.hour), hour=True)
        return Found(self.carried, hour=left == "1h") if left else Found()


@dataclass(frozen=True, slots=True)
class Plan:
    """What the asks of a thread cost from one on, in fresh tokens, and how each is made and what it leaves."""

    cost: float = 0.0
    steps: tuple[tuple[Chain, Left], ...] = ()


class After:
    """Plays what would have been best.

    Args:
        requests: the whole day's.
    """

    def __init__(self, requests: Sequence[Request]) -> None:
        self._marks: dict[int, tuple[Request, Marked]] = {}  # by the request's identity
        self._calls: list[tuple[float, KeepAlive]] = []
        for asks in threads(requests):
            for chain, left in Thread(asks).best().steps:
                self._play(asks[chain.first.thread.asks], chain, left)
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

    def _play(self, asked: Sequence[Request], chain: Chain, left: Left) -> None:
        for n, request in enumerate(chain.requests):
            marks: dict[int, Ttl] = {}
            if n == 0 and chain.found.blocks:
                behind = left == "found" and not chain.found.hour
                marks[chain.found.blocks - (not behind)] = (
                    "1h" if behind or chain.found.hour else "5m"
                )
            if n > 0:
                marks[len(chain.requests[n - 1].prompt.pieces) - 1] = "5m"
            if n < len(chain.requests) - 1:
                marks[len(request.prompt.pieces) - 1] = "5m"
            if left in LASTS and n <= chain.holder:
                # What lives longer has to stand before what lives shorter; a mark on what is read writes nothing.
                ttl = LASTS[left]
                marks = {k: ttl if k < chain.carried else short for k, short in marks.items()}
                marks[chain.carried - 1] = ttl
            self._marks[id(asked[n])] = request, {system_end(request.prompt): "1h", **marks}
        if left == "call":
            self._carry(chain)
        elif left in ("5m", "1h"):
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
        prompt = _beginning(after(holder, chain.next_form), _begun(following))
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
    _plans: dict[tuple[int, Form, Found], Plan] = field(
        default_factory=dict[tuple[int, Form, Found], Plan]
    )

    def best(self) -> Plan:
        """The cheapest way for all of them."""
        return self._from(list(self.asks), 0, (), Found())

    def _from(self, numbers: Sequence[int], k: int, form: Form, found: Found) -> Plan:
        """The cheapest way from the kth ask on.

        Args:
            numbers: of the asks.
            k: place of the first that is not made yet.
            form: the asks that it reads as they were sent.
            found: what of its beginning is in cache.
        """
        if k == len(numbers):
            return Plan()
        key = (k, form, found)
        if key not in self._plans:
            ways = (
                self._after(numbers, k, chain, left)
                for chain in self._chains(numbers, k, form, found)
                for left in _ways(chain)
            )
            self._plans[key] = min(ways, key=lambda plan: plan.cost)
        return self._plans[key]

    def _after(self, numbers: Sequence[int], k: int, chain: Chain, left: Left) -> Plan:
        rest = self._from(numbers, k + 1, chain.next_form, chain.leaves(left))
        return Plan(_cost(chain, left) + rest.cost, ((chain, left), *rest.steps))

    def _chains(self, numbers: Sequence[int], k: int, form: Form, found: Found) -> Iterable[Chain]:
        """The kth ask's requests with each form that the next one may have."""
        made = tuple(whole(one, form) for one in self.asks[numbers[k]])
        if k + 1 == len(numbers):
            yield Chain(made, form, found)
            return
        following = self.asks[numbers[k + 1]][0]
        sent = {one.n for one in following.conversation.kept if one.sent}
        newer = tuple(range(numbers[k], numbers[k + 1]))
        forms = {tuple(n for n in asks if n in sent) for asks in ((*form, *newer), form, ())}
        for next_form in sorted(forms):
            first = whole(following, next_form)
            common = [_common(request.prompt, first.prompt) for request in made]
            carried = max(common)
            holder = max(n for n, length in enumerate(common) if length == carried)
            yield Chain(made, form, found, carried, holder, first, next_form)


def calls(chain: Chain, left: Ttl) -> int:
    """How many keep-alive calls the next ask takes."""
    return max(0, math.ceil(chain.gap / LIVES[left]) - 1)


def _ways(chain: Chain) -> Sequence[Left]:
    if not chain.carried or chain.following is None:
        return ("",)
    ways: list[Left] = ["", "5m", "1h"]
    if LIVES["5m"] < chain.gap < LIVES["5m"] + LIVES["1h"]:
        ways.append("call")
    lasts = chain.following.at - chain.first.at < LIVES["1h"]
    own = chain.found.blocks + (not chain.found.hour)
    if chain.found.blocks and lasts and own <= _common(chain.first.prompt, chain.following.prompt):
        ways.append("found")
    return ways


def _cost(chain: Chain, left: Left) -> float:
    """Of an ask's requests and of the calls that keep alive what it leaves, in fresh tokens."""
    rates = Rates.of(chain.first.model, chain.first.at)
    writing = {"5m": rates.write_5m, "1h": rates.write_1h}
    read, total = chain.read, 0.0
    for n, request in enumerate(chain.requests):
        end = request.prompt.tokens
        held = chain.held if left in LASTS and n <= chain.holder else 0
        kept = max(held, read)
        goes_on = n < len(chain.requests) - 1
        behind = rates.write_5m if goes_on else 1.0
        total += rates.read * read + behind * (end - kept)
        total += writing[LASTS[left]] * (kept - read) if left in LASTS else 0.0
        total += (rates.write_1h - behind) * chain.next_to_it if left == "found" and not n else 0.0
        read = end if goes_on else kept
    if left == "call":
        assert chain.following is not None
        begun = _tokens(chain.following.prompt, _begun(chain.following)) - chain.held
        return total + rates.read * chain.held + rates.write_1h * begun
    if left in ("5m", "1h"):
        return total + calls(chain, left) * rates.read * chain.held
    return total


def _common(one: Prompt, other: Prompt) -> int:
    """How many blocks at their beginning are the same."""
    pairs = zip(one.pieces, other.pieces, strict=False)
    same = min(len(one.pieces), len(other.pieces))
    return next((n for n, (a, b) in enumerate(pairs) if a.key != b.key), same)


def _begun(request: Request) -> int:
    """How many blocks there are up to the first words of the answer before the ask's own message."""
    new, answer = request.conversation.new, request.conversation.remembered[-1]
    return asked_end(request) + 2 - len(new["content"]) - len(answer["content"])


def _beginning(prompt: Prompt, blocks: int) -> Prompt:
    pieces = prompt.pieces[:blocks]
    return replace(prompt, pieces=pieces, tokens=pieces[-1].tokens)


def _tokens(prompt: Prompt, blocks: int) -> int:
    return prompt.pieces[blocks - 1].tokens if blocks else 0
