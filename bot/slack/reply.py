"""One visible end for every ask: a first sign at once, the text as it comes, the receipt under it.

    first_sign     Slack's own status, or a placeholder where there is none
    on(event)      text streams from its first words on; what is whole at once is posted in one piece (`allowance`)
    end(ended)     the final words, notes, receipt and feedback buttons; or a sentence that says why there are none

Where it goes: the thread that asked; for a command the channel, else its response_url, else a direct message. What
was asked about costs and settings is for the asker alone.
"""

from collections.abc import Awaitable, Callable, Sequence
from itertools import takewhile

import structlog

from bot.answer import (
    Answer,
    Ended,
    Event,
    Failed,
    Passing,
    Refused,
    Stopped,
    TextDelta,
    Thinking,
    ToolStarted,
    Waiting,
    Whole,
    Withdrawn,
)
from bot.ask import Ask, Lease
from bot.journal import Journal
from bot.metrics import Metrics
from bot.reach import Reach, normal_form
from bot.slack.allowance import STREAMS, Allowances, hold
from bot.slack.aside import Aside
from bot.slack.blocks import Block, Message, context, ending
from bot.slack.flow import FLUSH_SECONDS, MESSAGES, Flow, Hold
from bot.slack.mrkdwn import Known, shown
from bot.slack.parts import WITHDRAWN, Parts
from bot.slack.pen import LAST_SECONDS, Piece, Place
from bot.slack.split import as_messages, plain
from bot.slack.status import StatusLine
from bot.slack.wire import GONE, SlackError, SlackWire, Unsure
from bot.store import Store, Transaction

PLACEHOLDER = "One moment…"
ELSEWHERE = "I am not in that channel, so I answer here. With `/invite @Purser` I can answer there."
CLOSED = "I cannot write in that channel, so I answer here."
ASKED_ELSEWHERE = "I cannot write in the channel where you asked, so I ask here."
NOT_OFFERED = (
    "What is proposed can only be decided on in the channel; invite me there, and ask again."
)
REST = "The answer goes on in this file, with about {chars:,} characters more."

log = structlog.get_logger()


class Replies:
    """Makes a `Reply` for each ask; knows what all of them share.

    Args:
        wire: Slack.
        journal: where parts are written first.
        store: commits them.
        us: our own user id.
        hosts: whose links stay links in every answer (Jira's).
        code_hosts: whose links do where they have no query; with one, signing in there can lead on to anywhere.
        metrics: counts the first sign.
        clock: seconds that only grow.
        streams: that may be started in a minute.
        hold: how long first words wait; see `allowance.hold`.
        flush_seconds: see `flow.FLUSH_SECONDS`.
    """

    def __init__(
        self,
        wire: SlackWire,
        journal: Journal,
        store: Store,
        *,
        us: str,
        hosts: frozenset[str],
        code_hosts: frozenset[str] = frozenset(),
        metrics: Metrics,
        clock: Callable[[], float],
        streams: int = STREAMS,
        hold: Hold = hold,
        flush_seconds: float = FLUSH_SECONDS,
    ) -> None:
        self.wire, self.journal, self.store, self.us = wire, journal, store, us
        self.hosts, self.code_hosts = hosts, code_hosts
        self.metrics, self.clock = metrics, clock
        self.hold, self.flush_seconds = hold, flush_seconds
        self.allowances = Allowances(clock, streams)

    async def open(self, lease: Lease, *, again: bool = False) -> "Reply":
        """A reply to an ask, to be closed (`contextlib.aclosing`).

        Args:
            lease: the ask.
            again: take over what this very attempt has said; of an earlier one it is taken over anyway.

        Raises:
            LeaseLost: another worker has the ask.
            StoreDown: what was said before cannot be read.
        """
        if again:
            await self.store.commit(Transaction(lease))  # what it wrote in passing is there now
        again = again or lease.attempt > 1
        reply = Reply(self, lease, again=again)
        if again:
            await reply.resume()
        return reply

    async def tell(self, ask: Ask, words: str) -> None:
        """Say something beside the answer, to the asker alone."""
        await self.wire.ephemeral(ask.channel, ask.user, plain(words), thread=ask.thread)


class Reply:
    """What one ask is answered with, as it comes."""

    def __init__(self, replies: Replies, lease: Lease, *, again: bool) -> None:
        self._all, self._ask = replies, lease.ask
        ask, wire = lease.ask, replies.wire
        self._parts = Parts(
            wire,
            replies.journal,
            replies.store,
            lease=lease,
            allowances=replies.allowances,
            place=Place(ask.channel, ask.thread, ask.team, ask.user),
            us=replies.us,
            clock=replies.clock,
        )
        self._status = StatusLine(wire, ask, clock=replies.clock, again=again)
        self._aside = Aside(wire, ask)
        self._known = _known(ask, replies.hosts, replies.code_hosts)
        self._flow = Flow(
            self._parts,
            known=self._known,
            clock=replies.clock,
            allowances=replies.allowances,
            hold=replies.hold,
            opening=self._status.replying,
            flush_seconds=replies.flush_seconds,
        )
        self._flow.live = bool(ask.thread) and not self._private
        self._began = replies.clock()
        self._native = False
        self._placeholder: Piece | None = None

    async def resume(self) -> None:
        """Take over the parts of an earlier attempt; they are brought to the final words at the end."""
        if await self._parts.resume():
            self._flow.live = False

    async def first_sign(self) -> None:
        """Let the asker see that it was taken up; a command's acknowledgement was that already."""
        if not self._ask.thread or self._private:
            return
        self._native = await self._status.begin()
        if not self._native and self._flow.live:
            await self._quietly(self._open_placeholder())
        if self._native or self._placeholder is not None:
            self._all.metrics.first_sign(self._all.clock() - self._began)

    async def on(self, event: Event) -> None:
        """Hear what the turn says; Slack's troubles on the way never stop the turn.

        Raises:
            LeaseLost: another worker has the ask.
        """
        if isinstance(event, TextDelta):
            self._flow.take(event.text)
        elif isinstance(event, Whole):
            self._flow.whole = True
        elif isinstance(event, Withdrawn):
            await self._withdraw(event.notice)
        elif isinstance(event, ToolStarted):
            await self._tell(f"is {event.label}…")
        elif isinstance(event, Passing):
            await self._tell(f"is reading, pass {event.n} of {event.of}: {event.where}")
        elif isinstance(event, Waiting):
            await self._tell(f"is {event.reason}")
        elif isinstance(event, Thinking):
            await self._tell(f"is thinking: {event.summary}" if event.summary else "is thinking…")

    async def end(self, ended: Ended, offers: Sequence[Message] = ()) -> None:
        """Say the final words, wherever they can be said, and take the status away.

        Args:
            ended: how it ended.
            offers: messages that stand under the answer in its thread, such as what it proposes; nowhere else.

        Raises:
            LeaseLost: another worker has the ask, and will say them.
            SlackError: they can be said nowhere.
        """
        await self._flow.stop()
        if isinstance(ended, Stopped) and ended.said:
            await self._end_status()
            return
        text, blocks = self._final(ended)
        try:
            if not self._ask.channel:
                await self._say_directly(text, blocks)
            elif self._private:
                await self._parts.check()
                await self._aside.alone(text, blocks)
            elif self._parts.by_url != "said":
                await self._say(text, blocks, offers)
        except SlackError:
            await self._end_status()
            raise
        await self._end_status()

    async def quote(self, text: str, blocks: list[Block]) -> None:
        """Say something that stands, with its buttons, until a person has decided.

        Where the channel is closed to us, it is said to the asker directly.

        Raises:
            LeaseLost: another worker has the ask.
            SlackError: it can be said nowhere.
        """
        await self._flow.stop()
        try:
            await self._parts.hold(text, blocks)
        except SlackError as error:
            if isinstance(error, Unsure) or error.code not in GONE:
                raise
            self._parts.move(await self._all.wire.direct(self._ask.user))
            await self._parts.hold(text, [*blocks, context(ASKED_ELSEWHERE)])
        await self._end_status()

    async def go_on(self) -> None:
        """It was decided: the answer comes in messages of its own."""
        await self._parts.let_go()
        self._flow.live = bool(self._ask.thread) and not self._private and not self._parts.pieces

    async def aclose(self) -> None:
        """Fall silent; what was begun is left to whoever takes the ask over."""
        await self._flow.aclose()
        await self._status.aclose()

    async def _withdraw(self, notice: str) -> None:
        """Take back all that was said; the notice stands in its place until there is something better."""
        await self._flow.restart()
        for n, piece in enumerate(self._parts.pieces):
            words = WITHDRAWN if n else shown(notice, self._known)
            await self._quietly(self._parts.withdraw(piece, words))
        await self._tell(notice)

    # What is said at the end

    def _final(self, ended: Ended) -> tuple[str, list[Block]]:
        """The words and what stands under them."""
        if isinstance(ended, Answer):
            words = shown(ended.text, self._known)
            under = [dict(block) for block in ended.shown]
            return words, [*under, *ending(ended.receipt, ended.notes, self._ask.id)]
        said, notes = ended.text if isinstance(ended, Stopped | Failed) else "", ()
        before = f"{shown(said, self._known)}\n\n" if said.strip() else ""
        sentence = shown(ended.sentence, self._known)
        if isinstance(ended, Failed):
            sentence = f"{sentence} (reference {self._ask.reference})"
        elif isinstance(ended, Refused):
            sentence, notes = f"{sentence} {shown(ended.advice, self._known)}".strip(), ended.notes
        return f"{before}{sentence}", ending(ended.receipt, notes, self._ask.id)

    async def _say(self, text: str, blocks: list[Block], offers: Sequence[Message]) -> None:
        """Bring the parts to the final words: what stands already is left, what differs is edited."""
        if self._parts.by_url:
            await self._say_elsewhere(text, blocks, ELSEWHERE, offers)
            return
        try:
            await self._parts.reclaim()
            await self._say_parts(text, blocks, offers)
        except SlackError as error:
            nobody = not self._ask.user  # our own word to a channel is nobody's to hear elsewhere
            if isinstance(error, Unsure) or error.code not in GONE or nobody:
                raise
            absent = error.code in {"not_in_channel", "channel_not_found"}
            await self._say_elsewhere(text, blocks, ELSEWHERE if absent else CLOSED, offers)

    async def _say_parts(
        self, text: str, blocks: list[Block], offers: Sequence[Message] = ()
    ) -> None:
        said = takewhile(lambda piece: piece.said, self._parts.pieces)
        standing = [piece.sent for piece in said]
        told, rest = as_messages(text, standing, MESSAGES)
        if rest and not await self._attached(told, rest):
            told, _ = as_messages(text, standing)
        *before, last = told
        messages: list[Message] = [*((words, []) for words in before), (last, blocks), *offers]
        await self._bring(messages)
        for extra in self._parts.pieces[len(messages) :]:
            await self._parts.say(extra, WITHDRAWN)

    async def _bring(self, messages: Sequence[Message]) -> None:
        """Say these as the first parts; what stands already is left, what differs is edited."""
        stand = list(self._parts.pieces)
        for n, (words, under) in enumerate(messages):
            if n < len(stand):
                await self._parts.say(stand[n], words, under)
            else:
                replied = self._status.replying()
                await self._parts.post(words, under)
                replied()

    async def _attached(self, told: Sequence[str], rest: str) -> bool:
        """Bring what is too long for messages as a file behind them; whether it stands there."""
        await self._bring([(words, []) for words in told[:-1]])
        if len(self._parts.pieces) < len(told):
            replied = self._status.replying()
            await self._parts.open(told[-1], stream=False, patience=LAST_SECONDS)
            replied()
        comment = REST.format(chars=len(rest))
        return await self._parts.attach(f"answer-{self._ask.reference}.md", rest, comment)

    async def _say_elsewhere(
        self, text: str, blocks: list[Block], why: str, offers: Sequence[Message]
    ) -> None:
        """Where the channel is closed to us: through the command's response_url, else to the asker directly.

        A url that may have said it in an earlier attempt is not asked again; nor is that of a conversation between
        two others, since nobody can tell who the second one is.
        """
        under = [*blocks, context(why), *([context(NOT_OFFERED)] if offers else [])]
        if self._ask.origin == "shortcut":  # who chose it alone knows that something was asked
            await self._aside.alone(text)
            return
        among_others = self._ask.channel.startswith("D")
        if self._ask.response_url and not self._parts.by_url and not among_others:
            await self._parts.note_url("opening")
            if await self._aside.in_channel(text, under):
                await self._parts.note_url("said")
                return
        await self._say_directly(text, under)

    async def _say_directly(self, text: str, blocks: list[Block]) -> None:
        """Directly to the asker, or to whom an alert is for; what stands there of an earlier attempt is gone on with."""
        channel = await self._all.wire.direct(self._ask.user)
        if self._parts.place.channel != channel or self._parts.place.thread:
            self._parts.move(channel)
        await self._parts.reclaim()
        await self._say_parts(text, blocks)

    # The status

    async def _tell(self, words: str) -> None:
        waiting = self._placeholder is not None and not self._flow.begun
        if not (self._native or waiting) or not self._status.due(words):
            return
        if self._native:
            self._status.say(words)
        elif self._placeholder is not None:
            line = shown(f"_{' '.join(words.split())}_", self._known)
            await self._quietly(self._parts.extend(self._placeholder, line))

    async def _end_status(self) -> None:
        if self._ask.thread and not self._private:
            await self._status.end()

    async def _open_placeholder(self) -> None:
        self._placeholder = await self._parts.open(PLACEHOLDER, stream=False)

    async def _quietly(self, act: Awaitable[None]) -> None:
        try:
            await act
        except SlackError as error:
            log.warning("slack", method=error.method, code=error.code, ask=self._ask.id)

    @property
    def _private(self) -> bool:
        """Costs, settings, alerts and what became of a click are for one person alone; a greeting is for the channel."""
        ask = self._ask
        if ask.feature == "click":
            return True
        alone = ask.origin in {"command", "own"} or ask.channel_kind != "im"
        return ask.feature in {"cost", "purser"} and ask.origin != "invite" and alone


def _known(ask: Ask, hosts: frozenset[str], code_hosts: frozenset[str]) -> Known:
    """Which links stay links: those to the given hosts, and what the asker wrote; more on its host could carry data."""
    typed = Reach.words(ask.text).typed

    def known(host: str, address: str) -> bool:
        plain = host in code_hosts and "?" not in address
        return plain or host in hosts or normal_form(address) in typed

    return known
