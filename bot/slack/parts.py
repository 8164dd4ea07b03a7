"""The parts of one answer in Slack: each journalled before it is opened, when it is open, and when it is said.

    open      a stream, or a post that is edited; where a stream does not start, a post
    extend    more of its words
    say       its final words, with what stands under them
    attach    the rest of a long answer, as a file
    hold      what stands there until a person has decided; part of the answer only if there is no other

After a lost reply a part is looked for by its metadata before it is sent again. After a restart one with a ts is
edited whole, and one that was said is left as it is. Whoever lost the lease says nothing.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import structlog

from bot.ask import Lease
from bot.errors import LeaseLost
from bot.journal import Journal, PartState
from bot.slack.allowance import Allowances
from bot.slack.blocks import Block
from bot.slack.pen import LAST_SECONDS, Kind, Pen, Piece, Place
from bot.slack.shapes import Json, items, mapping, words
from bot.slack.tables import has_table
from bot.slack.wire import GONE, Limited, SlackError, SlackWire, Unsure
from bot.store import Store, Transaction

LOOK_BACK = 200  # messages looked through for a lost one
SKEW_SECONDS = 60.0  # by which Slack's clock may be behind ours
WITHDRAWN = "_(withdrawn)_"
UNEDITABLE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})

Send = Callable[[int], Awaitable[str]]
"""Sends the part of this number and gives its ts."""

log = structlog.get_logger()


class Parts:
    """Opens, extends, edits and closes the parts of one answer.

    What it does raises LeaseLost when another worker has the ask, and SlackError when Slack does not do it.

    Args:
        wire: Slack.
        journal: where each step is written first.
        store: commits it.
        lease: every step is conditioned on it.
        allowances: what all answers share of Slack's limits.
        place: where the answer goes.
        us: our own user id, to know our messages.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        wire: SlackWire,
        journal: Journal,
        store: Store,
        *,
        lease: Lease,
        allowances: Allowances,
        place: Place,
        us: str,
        clock: Callable[[], float],
    ) -> None:
        self._wire, self._journal, self._store = wire, journal, store
        self._lease, self._us, self._clock = lease, us, clock
        self._pen = Pen(wire, lease.ask.id, allowances)
        self._before = 0  # parts that stand in another channel
        self._lost: tuple[int, Kind] | None = None  # opened, it may be, but its ts is not known
        self._held: Piece | None = None  # one of the pieces, while it is undecided
        self._file: tuple[int, PartState] | None = (
            None  # the part that is a file, and how far it is
        )
        self.place = self._home = place
        self.pieces: list[Piece] = []
        self.by_url: PartState | None = None  # how far a response_url has come with the answer

    async def resume(self) -> bool:
        """Take over what an earlier attempt had opened; whether there is anything."""
        for part in (await self._journal.read(self._lease.ask.id)).parts:
            if part.channel != self.place.channel:
                self.move(part.channel)
            if part.kind == "url":
                self.by_url = part.state
            elif part.kind == "file":
                self._file = part.n, part.state
            elif not part.ts:
                self._lost = part.n, "stream" if part.kind == "stream" else "post"
            else:
                said = part.state == "said"
                kind: Kind = "torn" if part.kind == "stream" else "post"
                shown = part.text if said else ""
                self.pieces.append(Piece(part.n, kind, part.ts, self._clock(), shown, said))
                if part.kind == "held":
                    self._held = self.pieces[-1]
        return bool(self.pieces or self._lost)

    def move(self, channel: str) -> None:
        """Go on in another channel, outside any thread; what stands elsewhere is left as it is."""
        self._before = self._next - 1
        self.place = replace(self.place, channel=channel, thread="")
        self.pieces, self._lost = [], None

    async def check(self) -> None:
        """Go on only while the ask is ours."""
        lease = self._lease
        held = await self._store.read("inbox.fence", ask_id=lease.ask.id, attempt=lease.attempt)
        if not held:
            raise LeaseLost

    async def open(self, text: str, *, stream: bool, patience: float = 0.0) -> Piece:
        """Open the next part with these words: a stream, or a post where it does not start."""
        if found := await self.reclaim():
            return found
        if stream:
            try:
                return await self._opened(
                    "stream", text, lambda _: self._pen.start(self.place, text)
                )
            except SlackError as error:
                if isinstance(error, Unsure) or error.code in GONE:
                    raise
                log.info("no stream", code=error.code, ask=self._lease.ask.id)
        send: Send = lambda n: self._pen.post(self.place, n, text, patience=patience)  # noqa: E731
        return await self._opened("post", text, send)

    async def post(self, text: str, blocks: Sequence[Block] = ()) -> None:
        """Say the next part whole, in one piece."""
        piece = await self.reclaim() or await self._begin(
            "post",
            text,
            lambda n: self._pen.post(self.place, n, text, blocks, patience=LAST_SECONDS),
        )
        if piece.sent != text:  # one whose reply was lost was found
            await self.say(piece, text, blocks)
            return
        self._said(piece)

    async def extend(self, piece: Piece, text: str, *, patience: float = 0.0) -> None:
        """Bring a part's words up to `text`; when that fails, more can be brought later."""
        if text == piece.sent:
            return
        await self.check()
        if not await self._pen.append(self.place, piece, text, patience=patience):
            await self._pen.close(self.place, piece)
            await self._pen.edit(self.place, piece, text, patience=patience)

    async def close(self, piece: Piece) -> None:
        """Close a part's stream; its message can be edited from then on."""
        await self.check()
        await self._pen.close(self.place, piece)

    async def say(self, piece: Piece, text: str, blocks: Sequence[Block] = ()) -> None:
        """Give a part its final words and what stands under them."""
        if piece.said and piece.sent == text:
            return
        await self.check()
        if piece.kind != "post" or piece.sent != text or blocks:
            await self._finish(piece, text, blocks)
        self._said(piece)

    async def attach(self, name: str, text: str, comment: str) -> bool:
        """Show the rest of the answer as a file behind its parts; whether it stands there.

        After a lost reply or a restart it is looked for by its name before it is handed over again.

        Args:
            name: of the file, the same for the same answer.
            text: Markdown.
            comment: the few words with it.
        """
        n, state = self._file or (self._next, None)
        if state is None or not (state == "said" or await self._shows(name)):
            self._file = n, "opening"
            await self._write(n, "opening", "file")
            try:
                await self._wire.attach(
                    self.place.channel, name, text.encode(), comment, thread=self.place.thread
                )
            except SlackError as error:
                if error.code in GONE and not isinstance(error, Unsure):
                    raise
                log.warning("no file", code=error.code, ask=self._lease.ask.id)
                if not (isinstance(error, Unsure) and await self._shows(name)):
                    return False
        self._file = n, "said"
        await self._write(n, "said", "file")
        return True

    async def _shows(self, name: str) -> bool:
        """Whether a file of ours with this name stands behind the ask."""
        ours = await self._ours()
        return any(file.get("name") == name for m in ours for file in items(m.get("files")))

    async def hold(self, text: str, blocks: Sequence[Block]) -> None:
        """Say something, in the first part's place, that stands until a person has decided."""
        piece = await self.reclaim() or next(iter(self.pieces), None)
        if piece is None:
            send: Send = lambda n: self._pen.post(  # noqa: E731
                self.place, n, text, blocks, patience=LAST_SECONDS
            )
            piece = await self._begin("post", text, send)
            piece.said = piece.sent == text  # what was looked for and found may lack its buttons
        if not (piece.said and piece.sent == text):
            await self.say(piece, text, blocks)
        await self._write(piece.n, "said", "held", piece.ts, text)
        self._held = piece

    async def let_go(self) -> None:
        """It was decided: what was held is no part of the answer, which goes where it would have gone without."""
        held = self._held
        if held is None and (held := await self.reclaim()):
            await self._write(held.n, "said", "held", held.ts, held.sent)
        if held is not None:
            self.pieces = [piece for piece in self.pieces if piece is not held]
            self._before = max(self._before, held.n)
        self._held, self.place = None, self._home

    async def withdraw(self, piece: Piece, notice: str) -> None:
        """Take a part's words back, said or not."""
        piece.said = False
        await self._write(piece.n, "open", piece.kind, piece.ts)
        await self.extend(piece, notice, patience=LAST_SECONDS)

    async def note_url(self, state: PartState) -> None:
        """Journal that a response_url is about to say the answer, or said it; it gives no ts."""
        await self._write(self._next, state, "url")
        self.by_url = state

    async def reclaim(self) -> Piece | None:
        """The part whose reply was lost, if it stands in Slack; where it does not, it is forgotten."""
        if self._lost is None:
            return None
        n, kind = self._lost
        try:
            ts = await self._find(n)
        except SlackError as error:
            if isinstance(error, Unsure | Limited) or error.code == "unreachable":
                raise
            log.warning("not looked for", code=error.code, ask=self._lease.ask.id)
            ts = None
        self._lost = None
        if ts is None:
            return None
        # What a stream has taken is not known, so that nothing can be appended to it.
        piece = Piece(n, "torn" if kind == "stream" else kind, ts, self._clock())
        self.pieces.append(piece)
        self.pieces.sort(key=lambda p: p.n)
        await self._write(n, "open", piece.kind, ts)
        return piece

    async def _find(self, n: int) -> str | None:
        """Our own message after the ask that names this part, else one that names none and is no part's."""
        told = [m for m in await self._ours() if not m.get("files")]
        ours = {words(m.get("ts")): mapping(m.get("metadata")) for m in told}
        wanted = self._pen.metadata(n)
        for ts in sorted(ours, key=lambda ts: (ours[ts] != wanted, ts)):
            if ours[ts] == wanted or not (ours[ts] or await self._is_another(ts, n)):
                return ts
        return None

    async def _ours(self) -> list[Json]:
        """Our own messages after the ask, where the answer goes."""
        place, ask = self.place, self._lease.ask
        oldest = (place.thread and ask.ts) or f"{ask.at - SKEW_SECONDS:.6f}"
        if place.thread:
            page = await self._wire.replies(
                place.channel, place.thread, oldest=oldest, limit=LOOK_BACK
            )
        else:
            page = await self._wire.history(place.channel, oldest=oldest, limit=LOOK_BACK)
        return [
            m
            for m in items(page.get("messages"))
            if m.get("user") == self._us and words(m.get("ts")) > oldest
        ]

    async def _is_another(self, ts: str, n: int) -> bool:
        """Whether a message is known as another part; that it is this one may be noted while it is looked for."""
        rows = await self._store.read("journal.part_at", channel=self.place.channel, ts=ts)
        return any((row["ask_id"], row["n"]) != (self._lease.ask.id, n) for row in rows)

    @property
    def _next(self) -> int:
        file = self._file[0] if self._file else 0
        return max(file, max((piece.n for piece in self.pieces), default=self._before)) + 1

    async def _opened(self, kind: Kind, text: str, send: Send) -> Piece:
        piece = await self._begin(kind, text, send)
        await self._write(piece.n, "open", piece.kind, piece.ts)
        return piece

    async def _begin(self, kind: Kind, text: str, send: Send) -> Piece:
        """Journal the next part and send it; when its reply is lost, it is looked for before it is sent again."""
        n = self._next
        await self._write(n, "opening", kind)
        try:
            ts = await self._sent(n, kind, send)
        except Unsure:
            if found := await self.reclaim():
                return found
            await self.check()
            ts = await self._sent(n, kind, send)
        piece = Piece(n, kind, ts, self._clock(), text)
        self.pieces.append(piece)
        return piece

    async def _sent(self, n: int, kind: Kind, send: Send) -> str:
        self._lost = n, kind
        try:
            ts = await send(n)
        except Unsure:
            raise
        except SlackError:
            self._lost = None
            raise
        self._lost = None
        return ts

    async def _finish(self, piece: Piece, text: str, blocks: Sequence[Block]) -> None:
        """Bring a part's message to its final form; where it can be edited no more, it is posted again.

        A stream shows a table as it is written; its message is edited to have one.
        """
        place, pen = self.place, self._pen
        if (
            not has_table(text)
            and await pen.append(place, piece, text, patience=LAST_SECONDS)
            and await pen.close(place, piece, blocks)
        ):
            return
        await pen.close(place, piece)
        try:
            await pen.edit(place, piece, text, blocks)
        except SlackError as error:
            if error.code not in UNEDITABLE:
                raise
            await self._write(piece.n, "opening", "post")
            piece.ts = await pen.post(place, piece.n, text, blocks, patience=LAST_SECONDS)
            piece.sent = text
            await self._write(piece.n, "open", "post", piece.ts)

    def _said(self, piece: Piece) -> None:
        """Note that a part is said; after a kill it is found in Slack, or brought to the same words again."""
        piece.said = True
        self._store.soon(self._noted(piece.n, "said", "post", piece.ts, piece.sent))

    async def _write(
        self, n: int, state: PartState, kind: str, ts: str = "", text: str = ""
    ) -> None:
        await self._store.commit(self._noted(n, state, kind, ts, text))

    def _noted(self, n: int, state: PartState, kind: str, ts: str, text: str) -> Transaction:
        tx = Transaction(self._lease)
        self._journal.part(
            tx,
            self._lease,
            n=n,
            state=state,
            channel=self.place.channel,
            ts=ts,
            text=text,
            kind="stream" if kind == "torn" else kind,
        )
        return tx
