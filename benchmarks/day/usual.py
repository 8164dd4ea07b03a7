"""The ways that others take, and the bot's own before it looked at rhythms."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from benchmarks.day.asked import Request, asked_end, system_end
from benchmarks.day.bill import KeepAlive, Marked, with_marks
from bot.caching import SLOT_SECONDS, Ttl
from bot.demo.claude.prompt import Prompt, digest

BIG_TOKENS = 10_000  # of a thread that is kept alive by rule
CALLS = 3  # keep-alive calls by rule, after one answer


class Uncached:
    """No cache at all."""

    def marks(self, request: Request) -> Marked:
        """None."""
        return {}

    def prompt(self, request: Request) -> Prompt:
        """With this way's marks."""
        return with_marks(request.prompt, self.marks(request))

    def form(self, request: Request) -> Request:
        """What came before it is read as it is remembered."""
        return request

    def answered(self, request: Request) -> None:
        """Of no interest."""

    def due(self, now: float) -> Iterable[KeepAlive]:
        """Nothing."""
        return ()


@dataclass(slots=True)
class Automatic(Uncached):
    """One mark on the system prompt, and one where the request ends."""

    system: Ttl = "5m"
    end: Ttl = "5m"

    def marks(self, request: Request) -> Marked:
        """Both."""
        return {system_end(request.prompt): self.system, len(request.prompt.pieces) - 1: self.end}


class Dated(Automatic):
    """The same with the time of day at the head of the system prompt."""

    def prompt(self, request: Request) -> Prompt:
        """No prefix is ever the same again."""
        now = f"{request.at:.3f}".encode()
        changed = with_marks(request.prompt, self.marks(request))
        return replace(
            changed, pieces=[replace(one, key=digest(one.key, now)) for one in changed.pieces]
        )


class UnderWay(Uncached):
    """The system prompt for an hour; messages for five minutes, where a thread or a tool loop is under way."""

    def marks(self, request: Request) -> Marked:
        """The ends of what was remembered, of the ask, and of the request."""
        system = system_end(request.prompt)
        marks: dict[int, Ttl] = {system: "1h"}
        if not request.rounds and not request.conversation.kept:
            return marks
        new = asked_end(request)
        before = new - len(request.conversation.new["content"])
        for end in (before, new, len(request.prompt.pieces) - 1):
            marks[end] = "1h" if end == system else "5m"
        return marks


@dataclass(slots=True)
class _Kept:
    request: Request
    due: float
    left: int = CALLS


@dataclass(slots=True)
class ByRule(UnderWay):
    """The same, and large threads are kept alive for a while after each answer."""

    calls: int = CALLS
    _kept: dict[str, _Kept] = field(default_factory=dict[str, _Kept])

    def prompt(self, request: Request) -> Prompt:
        """As before; nothing has to be kept alive meanwhile."""
        self._kept.pop(request.thread.lane, None)
        return with_marks(request.prompt, self.marks(request))

    def answered(self, request: Request) -> None:
        """From now on it is kept alive."""
        marked = bool(request.rounds or request.conversation.kept)
        if request.end and marked and request.prompt.tokens >= BIG_TOKENS:
            self._kept[request.thread.lane] = _Kept(request, request.at + SLOT_SECONDS, self.calls)

    def due(self, now: float) -> Iterable[KeepAlive]:
        """Whatever would be lost soon."""
        for lane, kept in list(self._kept.items()):
            if kept.due > now:
                continue
            if not kept.left:
                del self._kept[lane]
                continue
            kept.left, kept.due = kept.left - 1, now + SLOT_SECONDS
            yield kept_alive(kept.request)


def kept_alive(request: Request) -> KeepAlive:
    """The call that renews what the next ask of the thread reads: all up to this ask's own message."""
    end = asked_end(request)
    pieces = request.prompt.pieces[: end + 1]
    prompt = replace(request.prompt, pieces=pieces, tokens=pieces[-1].tokens)
    return KeepAlive(prompt, {system_end(prompt): "1h", end: "5m"}, request.model)
