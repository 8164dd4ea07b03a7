"""The bot's own way: its code chooses marks, lifetimes and keep-alive calls; it knows nothing of the day beforehand."""

from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks.day.asked import Request, head
from benchmarks.day.bill import KeepAlive, Marked, with_marks
from benchmarks.day.usual import asked_end, system_end
from bot.caching import Caching, Size, Ttl
from bot.demo.claude.prompt import Prompt
from bot.turn.request import order


class Purser:
    """Marks as they stand in the bodies that the bot sends.

    Args:
        keep: the policy's `keep_warm`.
    """

    def __init__(self, *, keep: bool = True) -> None:
        self._keep = keep
        self._caching: Caching[KeepAlive] = Caching()
        self._first: dict[str, tuple[Ttl | None, Request]] = {}  # of the ask under way, by thread

    def prompt(self, request: Request) -> Prompt:
        """With the marks of the bot's own request."""
        lane = request.thread.lane
        if request.n == 0:
            ttl = self._caching.asked(
                request.thread,
                feature=request.feature,
                model=request.model,
                at=request.at,
                size=_size(request),
                keep=self._keep,
            )
            self._first[lane] = (ttl, request)
        marks = self._caching.marks(
            self._first[lane][0],
            feature=request.feature,
            model=request.model,
            at=request.at,
            rounds=request.n,
        )
        messages = request.conversation.messages(request.rounds, marks=marks)
        made = order("answer", head(request.model), messages, marked=messages)
        return with_marks(request.prompt, _marks(made.body))

    def answered(self, request: Request) -> None:
        """The ask may have ended."""
        if request.after is None:
            return
        ttl, first = self._first.pop(request.thread.lane)
        self._caching.answered(
            request.thread,
            self._kept(first, request.after) if self._keep else None,
            feature=request.feature,
            model=request.model,
            rounds=request.n,
            size=_size(first, request.after),
            ttl=ttl,
            at=request.at,
        )

    def due(self, now: float) -> Iterable[KeepAlive]:
        """What the bot would send."""
        return self._caching.due(now)

    def _kept(self, first: Request, after: Prompt) -> KeepAlive:
        """What the bot's keep-alive call reads and writes: the thread up to its answer, for an hour."""
        ends = (system_end(after), asked_end(first), len(after.pieces) - 1)
        return KeepAlive(after, dict.fromkeys(ends, "1h"), first.model)


def _size(first: Request, after: Prompt | None = None) -> Size:
    """As the bot estimates it, by bytes; here by the stand-in's own count."""
    shared = first.prompt.pieces[system_end(first.prompt)].tokens
    answer = after.tokens - first.prompt.tokens if after else 0
    return Size(shared, first.prompt.tokens - shared, max(0, answer))


def _marks(body: Mapping[str, Any]) -> Marked:
    """Where cache marks stand in a body, by the place of the block."""
    blocks = [*body["tools"], *body["system"]]
    blocks += [block for message in body["messages"] for block in message["content"]]
    return {n: b["cache_control"]["ttl"] for n, b in enumerate(blocks) if "cache_control" in b}
