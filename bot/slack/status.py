"""That an ask is being worked on: Slack's own session with its stop button, and a line of words under the thread.

Neither is worth waiting for: what Slack does not take at once is left out, and words that come too fast are skipped.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bot.ask import Ask
from bot.slack.wire import SlackError, SlackWire, Unsure

FIRST_WORDS = "is reading…"
SIGN_SECONDS = 3.0  # a sign that takes longer holds up nobody
WORDS_SECONDS = 2.0  # between changes of the words
WORDS_CHARS = 100
UNTITLED = "A question"

log = structlog.get_logger()


class StatusLine:
    """The status of one ask's thread.

    Args:
        wire: Slack.
        ask: whose thread it is.
        clock: seconds that only grow.
        again: an earlier attempt may have shown a status, which has to be taken away.
        sign_seconds: how long one call may hold up the ask.
    """

    def __init__(
        self,
        wire: SlackWire,
        ask: Ask,
        *,
        clock: Callable[[], float],
        again: bool = False,
        sign_seconds: float = SIGN_SECONDS,
    ) -> None:
        self._wire, self._ask, self._clock = wire, ask, clock
        self._sign_seconds = sign_seconds
        self._busy = self._worded = again  # what is to be taken away at the end
        self._last, self._last_at = "", float("-inf")
        self._changes = 0  # of the words
        self._next = ""  # words that are to be shown, and no others come before them
        self._saying: asyncio.Task[None] | None = None

    async def begin(self) -> bool:
        """Show both; whether at least one of them stands there, as far as we know."""
        ask = self._ask
        self.due(FIRST_WORDS)
        title = " ".join(ask.text.split()) or UNTITLED
        busy = self._wire.session(ask.channel, ask.thread, busy=True, user=ask.user, title=title)
        marked, worded = await asyncio.gather(
            self._tried(busy), self._tried(self._words(FIRST_WORDS))
        )
        self._busy, self._worded = self._busy or marked, self._worded or worded
        return marked or worded

    def due(self, words: str) -> bool:
        """Whether these words are news, and the last ones have stood for a while; if so they count as shown."""
        now = self._clock()
        if words == self._last or now - self._last_at < WORDS_SECONDS:
            return False
        self._last, self._last_at = words, now
        return True

    def say(self, words: str) -> None:
        """Change the words, while the answer goes on: nobody waits for Slack to take them."""
        self._next = words
        if self._saying is None or self._saying.done():
            self._saying = asyncio.create_task(self._say())

    async def _say(self) -> None:
        while words := self._next:
            self._next = ""
            self._changes += 1
            if await self._tried(self._words(words)):
                self._worded = True

    def replying(self) -> Callable[[], None]:
        """Something is about to be posted; tell what is given back when it stands there.

        Slack then takes the words away itself, but none that were shown meanwhile.
        """
        before = self._changes

        def replied() -> None:
            self._worded = self._worded and self._changes != before

        return replied

    async def end(self) -> None:
        """Take away what was shown."""
        ask = self._ask
        self._next = ""
        if self._saying is not None:
            await self._saying
        if self._worded:
            await self._tried(self._wire.status(ask.channel, ask.thread, ""), bounded=False)
        if self._busy:
            idle = self._wire.session(ask.channel, ask.thread, busy=False)
            await self._tried(idle, bounded=False)

    async def aclose(self) -> None:
        """Say nothing more."""
        if self._saying is not None and not self._saying.done():
            self._saying.cancel()
            await asyncio.wait({self._saying})

    async def _words(self, words: str) -> None:
        shown = " ".join(words.split())[:WORDS_CHARS]
        await self._wire.status(self._ask.channel, self._ask.thread, shown)

    async def _tried(self, call: Awaitable[None], *, bounded: bool = True) -> bool:
        """Whether it may stand there now."""
        try:
            async with asyncio.timeout(self._sign_seconds if bounded else None):
                await call
        except (Unsure, TimeoutError):
            return True
        except SlackError as error:
            log.info("no status", method=error.method, code=error.code, ask=self._ask.id)
            return False
        return True
