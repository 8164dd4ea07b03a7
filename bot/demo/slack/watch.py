"""The Slack stand-in's memory of what happened: every wire message, every change, and waiting for one."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

Json = dict[str, Any]
T = TypeVar("T")

LOG_LINES = 50_000  # wire messages kept; the oldest go first
LOOK_AGAIN = 0.02  # seconds; what is waited for may lie outside the stand-in
LOOK_SECONDS = (
    0.0002  # between looks for each who waits, so that many waiting cost no more than few
)
UNREAD_CHANGES = 10_000  # changes kept for a listener that does not read; the oldest go first


@dataclass(slots=True)
class WireLine:
    """One message on the wire.

    Attributes:
        direction: "in" from the app (Web API calls, acks), "out" to the app (events, commands, clicks).
        method: The Web API method, or events_api, slash_commands, interactive, hello, disconnect, ack.
        arguments: What was sent, without tokens.
        answer: What came back; empty until it did, and for ever when it never did.
        status: The HTTP status of the answer, 0 for none.
        seconds: How long the answer took.
    """

    at: float
    direction: Literal["in", "out"]
    method: str
    arguments: Mapping[str, Any]
    answer: Mapping[str, Any] = field(default_factory=dict[str, Any])
    status: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Change:
    """Something in the workspace changed: what a page would redraw.

    `kind` is message, edited, deleted, ephemeral, stream, status, reaction, view, home, file, channel, socket, wire or
    clock (somebody moved it); `what` holds the details in Slack's own shapes.
    """

    at: float
    kind: str
    channel: str = ""
    ts: str = ""
    what: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Listener:
    """The changes from now on, as an async iterator; `close()` it, or use it with `with`."""

    def __init__(self, leave: Callable[["Listener"], None]) -> None:
        self._unread: deque[Change] = deque(maxlen=UNREAD_CHANGES)
        self._more = asyncio.Event()
        self._leave = leave
        self._closed = False

    def tell(self, change: Change) -> None:
        """One more change to read."""
        self._unread.append(change)
        self._more.set()

    def close(self) -> None:
        """Hear no more; a waiting reader ends."""
        self._closed = True
        self._leave(self)
        self._more.set()

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __aiter__(self) -> AsyncIterator[Change]:
        return self

    async def __anext__(self) -> Change:
        while not self._unread:
            if self._closed:
                raise StopAsyncIteration
            self._more.clear()
            await self._more.wait()
        return self._unread.popleft()


class Watch:
    """Keeps the log, tells listeners, wakes those who wait for something."""

    def __init__(self, *, now: Callable[[], float], keep: int = LOG_LINES) -> None:
        self.log: deque[WireLine] = deque(maxlen=keep)
        self._now = now
        self._listeners: set[Listener] = set()
        self._waiting: set[asyncio.Event] = set()
        self._look: asyncio.TimerHandle | None = None
        self._is_soon = False

    def wrote(self, line: WireLine) -> None:
        """Log a wire message, and tell."""
        self.log.append(line)
        if self._listeners:
            self.changed("wire", line=line)
        else:
            self.wake()

    def changed(self, kind: str, channel: str = "", ts: str = "", **what: Any) -> None:
        """Tell every listener of a change, and let those who wait look again."""
        if self._listeners:
            change = Change(self._now(), kind, channel, ts, what)
            for listener in tuple(self._listeners):
                listener.tell(change)
        self.wake()

    def wake(self) -> None:
        """Let those who wait look again, soon."""
        if self._waiting and (self._look is None or not self._is_soon):
            self._plan(0.0)
            self._is_soon = True

    def _plan(self, delay: float) -> None:
        if self._look is not None:
            self._look.cancel()
        delay = max(delay, LOOK_SECONDS * len(self._waiting))
        self._look = asyncio.get_running_loop().call_later(delay, self._look_now)
        self._is_soon = False

    def _look_now(self) -> None:
        self._look = None
        for waiting in self._waiting:
            waiting.set()
        if self._waiting:
            self._plan(LOOK_AGAIN)

    def listen(self) -> Listener:
        """Every change from now on."""
        listener = Listener(self._listeners.discard)
        self._listeners.add(listener)
        return listener

    async def wait_for(self, predicate: Callable[[], T | None], timeout: float = 5.0) -> T:
        """What `predicate()` gives as soon as that is true; it is asked again at each change, and now and then.

        Raises:
            TimeoutError: It was not true within `timeout` seconds; the last wire messages are named.
        """
        look = asyncio.Event()
        self._waiting.add(look)
        self.wake()
        try:
            async with asyncio.timeout(timeout):
                while not (found := predicate()):
                    look.clear()
                    await look.wait()
                return found
        except TimeoutError as late:
            last = ", ".join(f"{line.direction} {line.method}" for line in list(self.log)[-8:])
            raise TimeoutError(f"not seen within {timeout} s; last on the wire: {last}") from late
        finally:
            self._waiting.discard(look)

    def close(self) -> None:
        """End every listener; look no more."""
        if self._look is not None:
            self._look.cancel()
        for listener in tuple(self._listeners):
            listener.close()
