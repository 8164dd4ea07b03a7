"""The parts of one answer in Slack: each journalled before it is opened, when it is open, and when it is said.

A part is a stream, or a post that is edited. After a lost reply the part is looked for in the thread before anything
is posted again; after a restart a part with a ts is edited whole, and one that was said is left as it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from bot.ask import Lease
from bot.journal import Journal, PartState
from bot.slack.blocks import Block, markdown
from bot.slack.split import plain
from bot.slack.wire import STREAM_OVER, SlackError, SlackWire, Unsure
from bot.store import Store, Transaction

LOOK_BACK = 50  # messages of the thread looked through for a lost one
WITHDRAWN = "_(withdrawn)_"


@dataclass(slots=True)
class Piece:
    """A part as it stands: `sent` is what Slack shows of it so far."""

    n: int
    kind: str  # "stream" or "post"
    ts: str
    opened: float
    sent: str = ""
    said: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer goes: a channel, and a thread in it or ""."""

    channel: str
    thread: str
    team: str
    user: str


class Parts:
    """Opens, extends, edits and closes the parts of one answer.

    Args:
        wire: Slack.
        journal: where each step is written first.
        store: commits it.
        lease: every step is conditioned on it.
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
        place: Place,
        us: str,
        clock: Callable[[], float],
    ) -> None:
        self._wire, self._journal, self._store = wire, journal, store
        self._lease, self.place, self._us, self._clock = lease, place, us, clock
        self.pieces: list[Piece] = []

    async def resume(self) -> None:
        """Take over what an earlier attempt had opened."""
        told = await self._journal.read(self._lease.ask.id)
        for part in told.parts:
            ts = part.ts
            if part.state == "opening" and not ts:
                ts = await self._find() or ""
                if not ts:
                    continue
            elif part.kind == "stream" and part.state == "open":
                await self._close_stream(ts, None)
            said = part.state == "said"
            piece = Piece(part.n, "post", ts, self._clock(), part.text if said else "", said)
            self.pieces.append(piece)

    async def open(self, text: str, *, stream: bool) -> Piece:
        """Open the next part with its first words.

        Raises:
            LeaseLost: another worker has the ask.
            SlackError: Slack does not let us; nothing was opened.
        """
        n = self.pieces[-1].n + 1 if self.pieces else 1
        kind = "stream" if stream else "post"
        await self._write(n, "opening", kind)
        try:
            ts = await self._begin(text, stream=stream)
        except Unsure:
            found = await self._find()
            if found is None:
                kind, ts = "post", await self._begin(text, stream=False)
            else:
                kind, ts = "post", found
        piece = Piece(n, kind, ts, self._clock())
        if kind == "post":
            piece.sent = text
        self.pieces.append(piece)
        await self._write(n, "open", kind, ts)
        return piece

    async def extend(self, piece: Piece, text: str) -> None:
        """Bring a part's words up to `text`; a stream that died goes on by edits."""
        if text == piece.sent:
            return
        if piece.kind == "stream" and text.startswith(piece.sent):
            try:
                await self._wire.append_stream(
                    self.place.channel, piece.ts, text[len(piece.sent) :]
                )
                piece.sent = text
                return
            except SlackError as error:
                if not isinstance(error, Unsure) and error.code not in STREAM_OVER:
                    raise
                piece.kind = "post"
        if piece.kind == "stream":
            await self.end_stream(piece)
        await self._wire.update(self.place.channel, piece.ts, text)
        piece.sent = text

    async def say(self, piece: Piece, text: str, *, blocks: list[Block] | None = None) -> None:
        """Give a part its final words and close it."""
        if piece.said and piece.sent == text:
            return
        if piece.kind == "stream" and text.startswith(piece.sent):
            try:
                await self.extend(piece, text)
            except SlackError:
                piece.kind = "post"
        if piece.kind == "stream" and piece.sent == text:
            closed = await self._close_stream(piece.ts, blocks)
            if not closed:
                await self._edit(piece, text, blocks)
        else:
            if piece.kind == "stream":
                await self.end_stream(piece)
            if piece.sent != text or blocks:
                await self._edit(piece, text, blocks)
        piece.kind, piece.sent, piece.said = "post", text, True
        await self._write(piece.n, "said", "post", piece.ts, text)

    async def end_stream(self, piece: Piece) -> None:
        """Close a stream so that its message can be edited."""
        await self._close_stream(piece.ts, None)
        piece.kind = "post"

    async def _begin(self, text: str, *, stream: bool) -> str:
        place = self.place
        if stream:
            return await self._wire.start_stream(
                place.channel, place.thread, team=place.team, user=place.user
            )
        return await self._wire.post(place.channel, text, thread=place.thread)

    async def _edit(self, piece: Piece, text: str, blocks: list[Block] | None) -> None:
        if not blocks:
            await self._wire.update(self.place.channel, piece.ts, text)
            return
        whole = [markdown(text), *blocks]
        try:
            await self._wire.update(self.place.channel, piece.ts, plain(text), blocks=whole)
        except SlackError as error:
            if isinstance(error, Unsure):
                raise
            # Better an answer without its receipt than none: blocks may be refused by this workspace.
            await self._wire.update(self.place.channel, piece.ts, text)

    async def _close_stream(self, ts: str, blocks: list[Block] | None) -> bool:
        """Close a stream; False when its blocks could not be put under it."""
        try:
            await self._wire.stop_stream(self.place.channel, ts, blocks=blocks)
        except SlackError as error:
            if blocks and error.code not in STREAM_OVER:
                return await self._close_stream(ts, None) and False
            return blocks is None
        return True

    async def _find(self) -> str | None:
        """Our own message after the ask that no part knows: one whose reply was lost."""
        place, ask = self.place, self._lease.ask
        oldest = ask.ts or f"{ask.at:.6f}"
        if place.thread:
            page = await self._wire.replies(
                place.channel, place.thread, oldest=oldest, limit=LOOK_BACK
            )
        else:
            page = await self._wire.history(place.channel, oldest=oldest, limit=LOOK_BACK)
        known = {piece.ts for piece in self.pieces}
        messages = cast("list[dict[str, Any]]", page.get("messages", []))
        ours = [str(m["ts"]) for m in messages if m.get("user") == self._us]
        fresh = sorted(ts for ts in ours if ts > oldest and ts not in known)
        return await self._unclaimed(fresh)

    async def _unclaimed(self, stamps: list[str]) -> str | None:
        """The first that no other ask's part has."""
        for ts in stamps:
            if not await self._store.read("journal.part_at", channel=self.place.channel, ts=ts):
                return ts
        return None

    async def _write(
        self, n: int, state: PartState, kind: str, ts: str = "", text: str = ""
    ) -> None:
        tx = Transaction(self._lease)
        self._journal.part(
            tx,
            self._lease,
            n=n,
            state=state,
            channel=self.place.channel,
            ts=ts,
            text=text,
            kind=kind,
        )
        await self._store.commit(tx)
