"""One part of an answer brought to Slack: started, appended to, closed, posted, edited. Remembers nothing.

A stream takes more words until it is closed, its time has passed, or a person stopped it. It is torn when it may not
have taken what was appended: then it is closed, and its message edited whole.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import structlog

from bot.slack.allowance import Allowances
from bot.slack.blocks import Block
from bot.slack.split import plain
from bot.slack.tables import has_table, laid_out
from bot.slack.wire import GONE, Limited, SlackError, SlackWire, Unsure

LAST_SECONDS = 60.0  # that final words may wait for Slack's rate limits
EVENT_TYPE = "purser_answer"  # of the metadata under which our messages are found again
BLOCKS_REFUSED = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "invalid_arguments"}
)

Kind = Literal["stream", "torn", "post"]
T = TypeVar("T")

log = structlog.get_logger()


@dataclass(slots=True)
class Piece:
    """A part as it stands: `sent` is what Slack shows of it, as far as we know; `opened` is by the clock."""

    n: int
    kind: Kind
    ts: str
    opened: float
    sent: str = ""
    said: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer goes: a channel, and a thread in it or ""; a stream needs to know for whom."""

    channel: str
    thread: str
    team: str
    user: str


class Pen:
    """Writes parts; each act raises SlackError when Slack does not do it.

    Args:
        wire: Slack.
        ask_id: named by every message, with the part's number.
        allowances: hear of what Slack limits.
    """

    def __init__(self, wire: SlackWire, ask_id: str, allowances: Allowances) -> None:
        self._wire, self._ask_id, self._allowances = wire, ask_id, allowances

    def metadata(self, n: int) -> Mapping[str, Any]:
        """How a message says which part of which answer it is."""
        return {"event_type": EVENT_TYPE, "event_payload": {"ask_id": self._ask_id, "part": n}}

    async def start(self, place: Place, text: str) -> str:
        """Start a stream with its first words, without waiting for Slack's rate limits; its ts."""
        try:
            return await self._wire.streams.start(
                place.channel, place.thread, text, team=place.team, user=place.user, patience=0.0
            )
        except Limited:
            self._allowances.streams.refused()
            raise

    async def post(
        self, place: Place, n: int, text: str, blocks: Sequence[Block] = (), *, patience: float
    ) -> str:
        """Post a part; its ts."""

        async def post(said: str, under: list[Block] | None) -> str:
            return await self._wire.post(
                place.channel,
                said,
                thread=place.thread,
                blocks=under,
                metadata=self.metadata(n),
                patience=patience,
            )

        return await _with_blocks(text, blocks, post)

    async def append(self, place: Place, piece: Piece, text: str, *, patience: float) -> bool:
        """Whether a stream has taken the rest of a text; if not, its message has to be edited."""
        if piece.kind != "stream" or not text.startswith(piece.sent):
            return False
        if more := text[len(piece.sent) :]:
            try:
                await self._wire.streams.append(place.channel, piece.ts, more, patience=patience)
            except SlackError as error:
                if isinstance(error, Limited) or error.code in GONE:
                    raise
                piece.kind = "torn"
                return False
            piece.sent = text
        return True

    async def close(self, place: Place, piece: Piece, blocks: Sequence[Block] = ()) -> bool:
        """Whether a stream is closed with these blocks under it; if not, its message has to be edited."""
        if piece.kind == "post":
            return False
        try:
            await self._wire.streams.stop(
                place.channel,
                piece.ts,
                blocks=list(blocks) or None,
                metadata=self.metadata(piece.n),
                patience=LAST_SECONDS,
            )
        except SlackError as error:
            if isinstance(error, Unsure | Limited) or error.code in GONE:
                raise
            # It is over already: its time had passed, or its closing was done and the reply lost.
            piece.kind = "torn" if blocks and error.code in BLOCKS_REFUSED else "post"
            return False
        piece.kind = "post"
        return True

    async def edit(
        self,
        place: Place,
        piece: Piece,
        text: str,
        blocks: Sequence[Block] = (),
        *,
        patience: float = LAST_SECONDS,
    ) -> None:
        """Replace the words of a message, which is no stream any more."""
        self._allowances.edits.use()

        async def update(said: str, under: list[Block] | None) -> None:
            await self._wire.update(
                place.channel,
                piece.ts,
                said,
                blocks=under,
                metadata=self.metadata(piece.n),
                patience=patience,
            )

        try:
            await _with_blocks(text, blocks, update)
        except Limited:
            self._allowances.edits.refused()
            raise
        piece.sent = text


async def _with_blocks(
    text: str, blocks: Sequence[Block], say: Callable[[str, list[Block] | None], Awaitable[T]]
) -> T:
    """Say a text with blocks under it, and a table as one; without them where this workspace refuses them."""
    if blocks or has_table(text):
        try:
            return await say(plain(text), [*laid_out(text), *blocks])
        except SlackError as error:
            if error.code not in BLOCKS_REFUSED:
                raise
            log.warning("blocks refused", code=error.code)
    return await say(text, None)
