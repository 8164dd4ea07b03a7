"""The bot's own way: its code chooses marks, lifetimes and keep-alive calls; it knows nothing of the day beforehand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.day.asked import Request, after, asked_end, head, system_end, whole
from benchmarks.day.bill import KeepAlive, Marked, with_marks
from bot.caching import HOUR_SECONDS, Asking, Caching, Left, Read, Size
from bot.conversation import NONE_WHOLE
from bot.demo.claude.prompt import Prompt
from bot.turn.request import order


@dataclass(slots=True)
class _Thread:
    """What is known of a thread: the ask under way, how it reads those before it, and what the last one left."""

    asking: Asking | None = None
    since: tuple[int, ...] = NONE_WHOLE
    left: Left | None = None


class Purser:
    """Marks as they stand in the bodies that the bot sends.

    Args:
        keep: the policy's `keep_warm`.
    """

    def __init__(self, *, keep: bool = True) -> None:
        self._keep = keep
        self._caching: Caching[KeepAlive] = Caching()
        self._threads: dict[str, _Thread] = {}
        self._calls: dict[int, _Thread] = {}  # by the call's identity

    def prompt(self, request: Request) -> Prompt:
        """With the marks of the bot's own request."""
        thread = self._threads.setdefault(request.thread.lane, _Thread())
        read: Read = ""
        if request.n == 0:
            thread.since, read = self._begun(thread.left, request)
        shaped = whole(request, thread.since)
        if request.n == 0:
            thread.asking = self._asked(shaped, read, thread.left)
        assert thread.asking is not None
        conversation = shaped.conversation
        marks = self._caching.marks(
            thread.asking,
            rounds=request.n,
            last=len(conversation.remembered) + len(request.rounds),
            tokens=shaped.prompt.tokens - _shared(shaped.prompt),
            at=request.at,
        )
        messages = conversation.messages(request.rounds, marks=marks)
        made = order("answer", head(request.model), messages, marked=messages)
        return with_marks(shaped.prompt, _marks(made.body))

    def form(self, request: Request) -> Request:
        """As the bot reads what came before it, once it is sent."""
        return whole(request, self._threads[request.thread.lane].since)

    def answered(self, request: Request) -> None:
        """The ask may have ended."""
        if request.end is None:
            return
        thread = self._threads[request.thread.lane]
        asking, n = thread.asking, request.thread.asks
        assert asking is not None
        left = thread.left = asking.left(n, thread.since, "")
        prompt = after(request, left.whole)
        inside = asking.in_cache + asking.size.shared
        call = self._kept(whole(request, thread.since), prompt, asking) if self._keep else None
        if call:
            self._calls[id(call)] = thread
        head = prompt.pieces[_head(request, prompt)].tokens
        answer = head - max(inside, asking.sent + asking.size.shared)
        upto = asking.lasting.n if asking.lasting else 0
        lighter = prompt.tokens - after(request, tuple(k for k in left.whole if k <= upto)).tokens
        self._caching.answered(
            asking, call, rounds=request.n, answer=max(0, answer), lighter=max(0, lighter)
        )

    def due(self, now: float) -> Iterable[KeepAlive]:
        """What the bot would send."""
        for call in self._caching.due(now):
            thread = self._calls[id(call)]
            if thread.left:
                thread.left = thread.left.carried(now + HOUR_SECONDS)
            yield call

    def _begun(self, left: Left | None, request: Request) -> tuple[tuple[int, ...], Read]:
        if left is None or left.model != request.model:
            return NONE_WHOLE, ""
        return left.ways(request.at, last=request.thread.asks - 1)[0]

    def _asked(self, request: Request, read: Read, left: Left | None) -> Asking:
        place, lasting, last = None, None, request.thread.asks - 1
        if left and read:
            ends = request.conversation.ends
            place, lasting = left.place(read, ends, request.at, last=last)
        shared = _shared(request.prompt)
        return self._caching.asked(
            request.thread,
            feature=request.feature,
            model=request.model,
            at=request.at,
            size=Size(
                shared,
                request.prompt.tokens - shared,
                lasting=_upto(request, lasting.messages) if lasting else 0,
            ),
            keep=self._keep,
            read=place,
            lasting=lasting,
            cached=_upto(request, place[0] + 1) if place else 0,
        )

    def _kept(self, request: Request, prompt: Prompt, asking: Asking) -> KeepAlive:
        """What the bot's keep-alive call reads and writes: the thread up to its answer, for an hour."""
        pieces = prompt.pieces[: _head(request, prompt) + 1]
        prompt = replace(prompt, pieces=pieces, tokens=pieces[-1].tokens)
        ends = [system_end(prompt), asked_end(request), len(prompt.pieces) - 1]
        if asking.held:
            messages = (*request.conversation.remembered, request.conversation.new, *request.rounds)
            blocks = sum(len(m["content"]) for m in messages[: asking.held[0] + 1])
            ends.append(min(system_end(prompt) + blocks, len(prompt.pieces) - 1))
        return KeepAlive(prompt, dict.fromkeys(ends, "1h"), request.model)


def _upto(request: Request, messages: int) -> int:
    """Tokens of so many messages before an ask; of an answer that ends them the first words alone are in cache."""
    before = request.conversation.remembered[:messages]
    blocks = sum(len(message["content"]) for message in before)
    if before and before[-1]["role"] == "assistant":
        blocks -= len(before[-1]["content"]) - 1
    prompt = request.prompt
    return prompt.pieces[system_end(prompt) + blocks].tokens - _shared(prompt)


def _head(request: Request, prompt: Prompt) -> int:
    """The place of the answer's first words."""
    assert request.end
    return len(prompt.pieces) - len(request.end.messages[-1]["content"])


def _shared(prompt: Prompt) -> int:
    return prompt.pieces[system_end(prompt)].tokens


def _marks(body: Mapping[str, Any]) -> Marked:
    """Where cache marks stand in a body, by the place of the block."""
    blocks = [*body["tools"], *body["system"]]
    blocks += [block for message in body["messages"] for block in message["content"]]
    return {n: b["cache_control"]["ttl"] for n, b in enumerate(blocks) if "cache_control" in b}
