"""One visible end for every ask: a first sign at once, the text as it comes, the receipt under it.

    first_sign     the native status line, or a placeholder where there is none
    on(event)      text streams; an answer that is whole within 1.5 s is posted in one piece
    end(ended)     the final words, notes, receipt and feedback buttons; or a sentence that says why there are none

Where it goes: the thread that asked; for a command the channel, else its response_url, else a direct message. What
was asked about costs and settings is for the asker alone.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable
from urllib.parse import urlsplit

import structlog

from bot.answer import (
    Answer,
    Ended,
    Event,
    Failed,
    Stopped,
    TextDelta,
    Thinking,
    ToolStarted,
    Waiting,
    Withdrawn,
)
from bot.ask import Ask, Lease
from bot.journal import Journal
from bot.metrics import Metrics
from bot.slack.blocks import Block, context, ending, markdown
from bot.slack.mrkdwn import Filter, Known, shown
from bot.slack.parts import WITHDRAWN, Parts, Piece, Place
from bot.slack.split import LIMIT, cut, plain, split
from bot.slack.wire import GONE, SlackError, SlackWire, Unsure
from bot.store import Store

WHOLE_SECONDS = 1.5  # an answer whole within this is posted in one piece
FLUSH_SECONDS = 1.2  # between appends or edits of one answer; Slack takes about 50 edits a minute
STATUS_SECONDS = 2.0  # between changes of the status line
ROTATE_SECONDS = 230.0  # a stream lives about 300 s; a new one is opened before
STREAM_STARTS = 18  # in a minute and workspace; Slack takes 20
FIRST_STATUS = "is reading…"
PLACEHOLDER = "One moment…"
ELSEWHERE = "I am not in that channel, so I answer here. With `/invite @Purser` I can answer there."
_URL = re.compile(r"https?://[^\s<>()\[\]`\"']+")

log = structlog.get_logger()


class Replies:
    """Makes a `Reply` for each ask; knows what all of them share.

    Args:
        wire: Slack.
        journal: where parts are written first.
        store: commits them.
        us: our own user id.
        hosts: whose links stay links in every answer (Jira's, the code host's).
        metrics: counts the first sign.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        wire: SlackWire,
        journal: Journal,
        store: Store,
        *,
        us: str,
        hosts: frozenset[str],
        metrics: Metrics,
        clock: Callable[[], float],
        whole_seconds: float = WHOLE_SECONDS,
        flush_seconds: float = FLUSH_SECONDS,
    ) -> None:
        self.wire, self.journal, self.store, self.us = wire, journal, store, us
        self.hosts, self.metrics, self.clock = hosts, metrics, clock
        self.whole_seconds, self.flush_seconds = whole_seconds, flush_seconds
        self._starts: deque[float] = deque()

    async def open(self, lease: Lease) -> "Reply":
        """A reply to an ask; one that was begun before a restart goes on where it stopped."""
        reply = Reply(self, lease)
        if lease.attempt > 1:
            await reply.resume()
        return reply

    async def tell(self, ask: Ask, words: str) -> None:
        """Say something beside the answer, to the asker alone."""
        await self.wire.ephemeral(ask.channel, ask.user, words, thread=ask.thread)

    def may_stream(self) -> bool:
        """Whether one more stream may be started this minute; counts it."""
        now = self.clock()
        while self._starts and now - self._starts[0] > 60:
            self._starts.popleft()
        if len(self._starts) >= STREAM_STARTS:
            return False
        self._starts.append(now)
        return True


class Reply:
    """What one ask is answered with, as it comes."""

    def __init__(self, replies: Replies, lease: Lease) -> None:
        self._all, self._ask = replies, lease.ask
        ask = lease.ask
        place = Place(ask.channel, ask.thread, ask.team, ask.user)
        self._parts = Parts(
            replies.wire,
            replies.journal,
            replies.store,
            lease=lease,
            place=place,
            us=replies.us,
            clock=replies.clock,
        )
        self._known = _known(ask, replies.hosts)
        self._filter = Filter(self._known)
        self._shown = self._tail = ""  # all that was let through; of it, the current part's
        self._began = replies.clock()
        self._resumed = lease.attempt > 1
        self._native = False
        self._status, self._status_at = "", float("-inf")
        self._flusher: asyncio.Task[None] | None = None
        self._enough = asyncio.Event()

    async def resume(self) -> None:
        """Take over the parts of an earlier attempt."""
        await self._parts.resume()

    async def first_sign(self) -> None:
        """Let the asker see that it was taken up; a command's acknowledgement was that already."""
        if not self._ask.thread or self._private or self._parts.pieces:
            return
        try:
            await self._set_status(FIRST_STATUS)
            self._native = True
        except SlackError:
            await self._placeholder()
        self._all.metrics.first_sign(self._all.clock() - self._began)

    async def on(self, event: Event) -> None:
        """Hear what the turn says; Slack's troubles on the way never stop the turn."""
        if isinstance(event, TextDelta):
            self._take(event.text)
        elif isinstance(event, Withdrawn):
            await self._withdraw(event.notice)
        elif isinstance(event, ToolStarted):
            await self._tell(f"is {event.label}…")
        elif isinstance(event, Waiting):
            await self._tell(f"is {event.reason}")
        elif isinstance(event, Thinking):
            await self._tell(f"is thinking: {event.summary}" if event.summary else "is thinking…")

    async def end(self, ended: Ended) -> None:
        """Say the final words, wherever they can be said.

        Raises:
            LeaseLost: another worker has the ask, and will say them.
            SlackError: they can be said nowhere.
        """
        await self._stop_flushing()
        text, blocks = self._final(ended)
        if self._private:
            await self._say_privately(text)
        else:
            await self._say(text, blocks)
        if self._native:
            await self._quietly("")

    # What is said while it comes

    def _take(self, delta: str) -> None:
        fresh = self._filter.feed(delta)
        self._shown += fresh
        self._tail += fresh
        if self._flusher is None and not self._resumed and self._can_stream:
            self._flusher = asyncio.create_task(self._flush_by_time())

    async def _flush_by_time(self) -> None:
        wait = self._all.whole_seconds - (self._all.clock() - self._began)
        while not await self._told_to_stop(max(0.0, wait)):
            wait = self._all.flush_seconds
            try:
                await self._flush()
            except SlackError as error:
                log.warning("slack", method=error.method, code=error.code, ask=self._ask.id)
                if error.code in GONE:
                    return

    async def _told_to_stop(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._enough.wait()
        except TimeoutError:
            return False
        return True

    async def _flush(self) -> None:
        """Bring Slack up to what was let through."""
        if not self._tail.strip():
            return
        while len(self._tail) > LIMIT:
            part, self._tail = cut(self._tail)
            await self._parts.say(await self._current(part), part)
        piece = await self._current(self._tail)
        if piece.kind == "stream" and self._all.clock() - piece.opened > ROTATE_SECONDS:
            part, rest = _rotation(self._tail)
            await self._parts.say(piece, part)
            self._tail = rest
            return
        await self._parts.extend(piece, self._tail)

    async def _current(self, text: str) -> Piece:
        pieces = self._parts.pieces
        if pieces and not pieces[-1].said:
            return pieces[-1]
        return await self._parts.open(text, stream=self._all.may_stream())

    async def _withdraw(self, notice: str) -> None:
        """Take back all that was said; the notice stands in its place."""
        await self._stop_flushing()
        for piece in self._parts.pieces:
            await self._quietly_edit(piece, notice if piece is self._parts.pieces[0] else WITHDRAWN)
        self._filter = Filter(self._known)
        self._shown = self._tail = ""
        self._resumed = bool(self._parts.pieces)  # what follows is edited in, at the end
        await self._tell(notice)

    async def _stop_flushing(self) -> None:
        """Let the flusher finish what it has begun: a call cut in two could show twice."""
        task, self._flusher = self._flusher, None
        if task is not None:
            self._enough.set()
            await task
            self._enough.clear()

    # What is said at the end

    def _final(self, ended: Ended) -> tuple[str, list[Block]]:
        """The words and what stands under them."""
        if isinstance(ended, Answer):
            return shown(ended.text, self._known), ending(ended.receipt, ended.notes, self._ask.id)
        said = ended.text if isinstance(ended, Stopped | Failed) else ""
        before = f"{shown(said, self._known)}\n\n" if said.strip() else ""
        sentence = ended.sentence
        if isinstance(ended, Failed):
            sentence = f"{sentence} (reference {self._ask.reference})"
        notes: tuple[str, ...] = ()
        blocks = ending(ended.receipt, notes, self._ask.id) if not isinstance(ended, Failed) else []
        return f"{before}{sentence}", blocks

    async def _say(self, text: str, blocks: list[Block]) -> None:
        """Bring the parts to the final words: what stands already is left, what differs is edited."""
        said = [p for p in self._parts.pieces if p.said and text.startswith(p.sent)]
        pieces = split(text) or ["(no words)"]
        if said and self._shown and text.startswith(self._shown) and not self._resumed:
            rest = self._tail + text[len(self._shown) :]
            pieces = [p.sent for p in said] + split(rest)
        try:
            for place, words in enumerate(pieces):
                under = blocks if place == len(pieces) - 1 else None
                await self._say_piece(place, words, under)
            for extra in self._parts.pieces[len(pieces) :]:
                await self._parts.say(extra, WITHDRAWN)
        except SlackError as error:
            if isinstance(error, Unsure) or error.code not in GONE or self._parts.pieces:
                raise
            await self._say_elsewhere(text, blocks)

    async def _say_piece(self, place: int, words: str, blocks: list[Block] | None) -> None:
        if place < len(self._parts.pieces):
            piece = self._parts.pieces[place]
        else:
            piece = await self._parts.open(words, stream=False)
        await self._parts.say(piece, words, blocks=blocks)

    async def _say_elsewhere(self, text: str, blocks: list[Block]) -> None:
        """Where the channel is closed to us: through the command's response_url, else to the asker directly."""
        whole = [markdown(split(text)[0]), *blocks, context(ELSEWHERE)]
        wire, ask = self._all.wire, self._ask
        if ask.response_url:
            try:
                await wire.respond(ask.response_url, plain(text), blocks=whole, public=True)
                return
            except Unsure:
                return  # it may stand there; twice would be worse
            except SlackError as error:
                log.warning("slack", method="response_url", code=error.code, ask=ask.id)
        await wire.post(await wire.direct(ask.user), plain(text), blocks=whole)

    async def _say_privately(self, text: str) -> None:
        """To the asker alone: through the command's response_url, else as an ephemeral message."""
        wire, ask = self._all.wire, self._ask
        blocks = [markdown(part) for part in split(text)[:1]]
        if ask.response_url:
            try:
                await wire.respond(ask.response_url, plain(text), blocks=blocks)
                return
            except Unsure:
                return
            except SlackError as error:
                log.warning("slack", method="response_url", code=error.code, ask=ask.id)
        if ask.channel_kind == "im":
            await wire.post(ask.channel, plain(text), thread=ask.thread, blocks=blocks)
            return
        await wire.ephemeral(ask.channel, ask.user, plain(text), thread=ask.thread, blocks=blocks)

    # The status line

    async def _tell(self, words: str) -> None:
        now = self._all.clock()
        if words == self._status or now - self._status_at < STATUS_SECONDS or self._private:
            return
        if self._native:
            await self._quietly(words)
            return
        pieces = self._parts.pieces
        if len(pieces) == 1 and not pieces[0].sent.strip(PLACEHOLDER) and not self._tail:
            self._status, self._status_at = words, now
            await self._quietly_edit(pieces[0], f"_{words}_")

    async def _set_status(self, words: str) -> None:
        ask = self._ask
        await self._all.wire.status(ask.channel, ask.thread, ask.user, words)
        self._status, self._status_at = words, self._all.clock()

    async def _quietly(self, words: str) -> None:
        try:
            await self._set_status(words)
        except SlackError as error:
            log.warning("slack", method=error.method, code=error.code, ask=self._ask.id)

    async def _quietly_edit(self, piece: Piece, words: str) -> None:
        try:
            await self._parts.extend(piece, words)
        except SlackError as error:
            log.warning("slack", method=error.method, code=error.code, ask=self._ask.id)

    async def _placeholder(self) -> None:
        try:
            await self._parts.open(PLACEHOLDER, stream=False)
        except SlackError as error:
            log.warning("slack", method=error.method, code=error.code, ask=self._ask.id)

    @property
    def _private(self) -> bool:
        """Costs and settings are for the asker alone; an invitation's greeting is for the channel."""
        return self._ask.feature in {"cost", "purser"} and self._ask.origin != "invite"

    @property
    def _can_stream(self) -> bool:
        return bool(self._ask.thread) and not self._private


def _rotation(text: str) -> tuple[str, str]:
    """Where a part may end so that a new stream can go on: at the last line, with fences closed."""
    end = text.rfind("\n")
    if end <= 0:
        return text, ""
    first, rest = cut(text, max(64, end))
    return first, rest


def _known(ask: Ask, hosts: frozenset[str]) -> Known:
    """Hosts whose links stay links: the given ones, and those the asker wrote."""
    asked = {urlsplit(url).hostname or "" for url in _URL.findall(ask.text)}
    every = hosts | {host.lower() for host in asked}
    return lambda host, _address: host in every
