"""An answer's text as it comes: made safe, gathered, and brought to Slack by time, and sooner when much has come."""

import asyncio
from collections.abc import Callable

import structlog

from bot.slack.allowance import WHOLE_SECONDS, Allowances, Left
from bot.slack.mrkdwn import Filter, Known
from bot.slack.parts import Parts
from bot.slack.pen import Piece
from bot.slack.split import cut
from bot.slack.wire import GONE, Limited, SlackError

MESSAGES = 3  # of one answer; what is longer goes on in a file, since nobody reads on a screen
FLUSH_SECONDS = 1.2  # between appends or edits of one answer; Slack takes about 50 edits a minute
FLUSH_CHARS = 3_000  # so much that waits is brought at once
STEPS = 2  # in which first words wait, so that a moment in which all stood still does not use it up
STREAM_SECONDS = 230.0  # a stream dies at about 300 s; it is closed before, and its message edited

Hold = Callable[[Left | None, Left], float]
"""See `allowance.hold`."""

log = structlog.get_logger()


class Flow:
    """Brings text to Slack while it comes.

    Args:
        parts: of the answer.
        known: which links may stay links.
        clock: seconds that only grow.
        allowances: what all answers share of Slack's limits.
        hold: how long first words wait.
        opening: told when a part is about to be opened, and what it gives when it was.
        flush_seconds: see `FLUSH_SECONDS`.

    Attributes:
        live: whether text is shown before it is whole.
        begun: whether there were any words.
        whole: whether all of them have come, and the end is about to follow.
    """

    def __init__(
        self,
        parts: Parts,
        *,
        known: Known,
        clock: Callable[[], float],
        allowances: Allowances,
        hold: Hold,
        opening: Callable[[], Callable[[], None]],
        flush_seconds: float = FLUSH_SECONDS,
    ) -> None:
        self._parts, self._known, self._clock = parts, known, clock
        self._allowances, self._hold, self._opening = allowances, hold, opening
        self._flush_seconds = flush_seconds
        self._filter = Filter(known)
        self._unread = ""  # what came since the last look: a short answer is never looked at here
        self._tail = ""  # what was let through and is in no part that was said
        self._full_at = FLUSH_CHARS  # characters of the tail at which it waits no longer
        self._task: asyncio.Task[None] | None = None
        self._stir = asyncio.Event()  # there is something to do
        self._ending = False
        self.live = True
        self.begun = False
        self.whole = False

    def take(self, delta: str) -> None:
        """Take more of the text."""
        before = len(self._tail) + len(self._unread)
        self._unread += delta
        self.whole = False
        self.begun = self.begun or bool(delta.strip())
        if not self.live or not self.begun:
            return
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        if before < self._full_at <= before + len(delta):
            self._stir.set()

    async def stop(self) -> None:
        """Bring no more; what has begun is finished, since a call cut in two could show twice.

        Raises:
            LeaseLost: another worker has the ask.
            StoreDown: it could not be journalled.
        """
        task, self._task = self._task, None
        if task is not None:
            self._ending = True
            self._stir.set()
            await task
            self._ending = False
            self._stir.clear()

    async def restart(self) -> None:
        """Forget the text so far: another one comes. Raises like `stop`."""
        await self.stop()
        self._filter = Filter(self._known)
        self._unread, self._tail, self._full_at, self.begun = "", "", FLUSH_CHARS, False

    async def aclose(self) -> None:
        """Fall silent at once, whatever has begun."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled():
                task.exception()

    async def _run(self) -> None:
        held = self._held() / STEPS
        for _ in range(STEPS):
            if await self._stirred(held):
                break
        if self.whole and not self._ending:  # its end brings it in one piece, however busy we are
            await self._stirred(WHOLE_SECONDS)
        while not self._ending:
            try:
                await self._flush()
            except Limited:
                pass  # it comes with the next flush, or at the end
            except SlackError as error:
                log.warning("not shown yet", method=error.method, code=error.code)
                if error.code in GONE:
                    return
            await self._stirred(self._flush_seconds)

    def _held(self) -> float:
        """Seconds that the first words wait; where a message stands already, it is edited, and no stream starts."""
        streams = None if self._parts.pieces else self._allowances.streams.left()
        return self._hold(streams, self._allowances.edits.left())

    async def _stirred(self, seconds: float) -> bool:
        """Whether there is something to do before that time has passed."""
        try:
            async with asyncio.timeout(seconds):
                await self._stir.wait()
        except TimeoutError:
            return False
        self._stir.clear()
        return True

    async def _flush(self) -> None:
        """Bring Slack up to what is let through; a part that is full is said, and the next one opened, up to the last."""
        fresh, self._unread = self._filter.feed(self._unread), ""
        self._tail = (self._tail + fresh).lstrip("\n")
        while self._said < MESSAGES - 1 and cut(self._tail.rstrip())[1]:
            part, rest = cut(self._tail)
            await self._parts.say(await self._current(part), part)
            self._tail = rest
        words, rest = cut(self._tail.rstrip())
        if not words:  # what came may still change; more of it is looked at when it comes
            self._full_at = 1
            return
        self._full_at = len(words) + len(rest) + FLUSH_CHARS
        piece = await self._current(words)
        if piece.kind == "stream" and self._clock() - piece.opened > STREAM_SECONDS:
            await self._parts.close(piece)
        await self._parts.extend(piece, words)

    @property
    def _said(self) -> int:
        return sum(piece.said for piece in self._parts.pieces)

    async def _current(self, words: str) -> Piece:
        """The part that is being said, opened with these words if there is none."""
        for piece in self._parts.pieces:
            if not piece.said:
                return piece
        opened = self._opening()
        piece = await self._parts.open(words, stream=self._allowances.streams.use())
        opened()
        return piece
