"""What changed in the workspace, numbered: the stand-in's changes made into steps that windows follow."""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from bot.demo.slack.message import Message
from bot.demo.slack.views import View
from bot.demo.slack.watch import Change, Listener, Watch

KEPT = 4_000  # steps; a window further behind is told everything anew


@dataclass(frozen=True, slots=True)
class Thing:
    """What changed; how it stands now is looked up when it is told.

    Attributes:
        kind: message, status, view, home, channel, bot or clock.
        where: A channel's or a person's id.
        which: A message's ts, a thread's ts or a view's id.
    """

    kind: str
    where: str = ""
    which: str = ""


class Steps:
    """Every change since the first window opened, in order.

    Args:
        watch: Whom to listen to.
        run: Names this row of numbers; a number of another run means nothing here.
        kept: So many of the last steps can be followed.
    """

    def __init__(self, watch: Watch, *, run: str, kept: int = KEPT) -> None:
        self.run = run
        self.last = 0  # number of the newest step
        self.closed = False
        self._watch = watch
        self._kept: deque[Thing] = deque(maxlen=kept)
        self._more = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Listen from now on; more calls change nothing."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(self._watch.listen()))

    def since(self, number: int) -> list[Thing] | None:
        """What changed after a step, each thing once; None when that is too long ago to say."""
        missed = self.last - number
        if not 0 <= missed <= len(self._kept):
            return None
        newest = list(self._kept)[len(self._kept) - missed :]
        return list(dict.fromkeys(newest))

    async def beyond(self, number: int) -> bool:
        """Wait for a step after this one; False when there will be none."""
        while self.last <= number and not self.closed:
            await self._more.wait()
        return self.last > number

    async def _read(self, listener: Listener) -> None:
        async for change in listener:
            before = self.last
            for thing in things(change):
                self._kept.append(thing)
                self.last += 1
            if self.last > before:
                self._wake()
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        self._more.set()
        self._more = asyncio.Event()


def things(change: Change) -> Iterator[Thing]:
    """What has to be told anew after a change."""
    if change.kind in {"message", "edited", "deleted", "ephemeral", "stream", "reaction"}:
        yield from _around(change)
    elif change.kind == "status":
        yield Thing("status", change.channel, change.ts)
    elif change.kind in {"view", "home"}:
        view = change.what.get("view")
        if isinstance(view, View):
            yield Thing(change.kind, view.user, view.id if change.kind == "view" else "")
    elif change.kind == "channel":
        yield Thing("channel", change.channel)
    elif change.kind == "socket":
        yield Thing("bot")
    elif change.kind == "clock":
        yield Thing("clock")


def _around(change: Change) -> Iterator[Thing]:
    """A message, and with it what stands differently because of it: its thread's root and status."""
    yield Thing("message", change.channel, change.ts)
    message = change.what.get("message")
    if not isinstance(message, Message) or change.kind in {"stream", "reaction"}:
        return
    if message.is_reply:
        yield Thing("message", change.channel, message.thread_ts)
    if message.thread_ts:
        yield Thing("status", change.channel, message.thread_ts)
