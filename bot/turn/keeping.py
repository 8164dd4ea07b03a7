"""What one ask leaves in Claude's cache: how far its requests are marked, and the call that would carry it on."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.ask import Lease
from bot.caching import Size, Thread, Ttl, held
from bot.conversation import Conversation, Message, remembered
from bot.labels import text
from bot.turn.brief import Brief, Carry, Rooms
from bot.turn.request import LIKELY_BYTES_PER_TOKEN, LIKELY_PART, Order

READY = "Ready?"  # in the place of the next ask; nothing is answered
CARRIED_TOKENS = 100_000  # of a thread at most, likely: its messages are held until it is due
_SHARED = ("model", "system", "tools", "thinking", "output_config", "metadata")


class Keeping:
    """Marks the requests of one ask.

    Args:
        rooms: what every turn works with.
        lease: the ask.
        brief: for the feature and the rules.
    """

    def __init__(self, rooms: Rooms, lease: Lease, brief: Brief) -> None:
        self._rooms, self._ask, self._brief = rooms, lease.ask, brief
        self._first: tuple[Ttl | None, Size] | None = None  # of the ask's first request
        self._last = 0.0  # when its last request was made

    def marked(
        self, order: Order, conversation: Conversation, rounds: Sequence[Message], *, last: bool
    ) -> Order:
        """The same request with cache marks where they are likely to pay.

        Args:
            order: without marks.
            conversation: of the ask.
            rounds: what followed in it so far.
            last: whether tools may not be used any more: no other request begins with one that says so.
        """
        self._last = self._rooms.now()
        if self._first is None:
            self._first = self._began(order, conversation)
        if last and self._brief.tools:
            return order
        marks = self._rooms.caching.marks(
            self._first[0],
            feature=self._brief.feature,
            model=order.model,
            at=self._last,
            rounds=_count(rounds),
        )
        messages = conversation.messages(rounds, marks=marks)
        return replace(order, body={**order.body, "messages": messages})

    def answered(self, order: Order, conversation: Conversation, rounds: Sequence[Message]) -> None:
        """The ask was answered, and is remembered.

        Args:
            order: its last request.
            conversation: of the ask.
            rounds: what followed in it, the answer at the end.
        """
        if self._first is None:
            return
        ttl, size = self._first
        kept = remembered((conversation.new, *rounds))
        answer = round(len(json.dumps(kept[1:], ensure_ascii=False)) / LIKELY_BYTES_PER_TOKEN)
        size = replace(size, answer=answer)
        self._rooms.caching.answered(
            self._thread(conversation),
            self._carry(order, conversation, kept, size),
            feature=self._brief.feature,
            model=order.model,
            rounds=_count(rounds),
            size=size,
            ttl=ttl,
            at=self._last,
        )

    def _began(self, order: Order, conversation: Conversation) -> tuple[Ttl | None, Size]:
        thread = (order.input_tokens - order.shared_tokens) * LIKELY_PART
        size = Size(round(order.shared_tokens * LIKELY_PART), max(0, round(thread)))
        ttl = self._rooms.caching.asked(
            self._thread(conversation),
            feature=self._brief.feature,
            model=order.model,
            at=self._last,
            size=size,
            keep=self._brief.rules.keep_warm,
        )
        return ttl, size

    def _thread(self, conversation: Conversation) -> Thread:
        ask, kept = self._ask, conversation.kept
        lane = ask.lane if ask.thread else ""
        return Thread(ask.channel, lane, kept[-1].n + 1 if kept else 1)

    def _carry(
        self,
        order: Order,
        conversation: Conversation,
        kept: Sequence[Message],
        size: Size,
    ) -> Carry | None:
        """The call that reads what this ask left in cache, and writes its answer behind it; None where none helps."""
        whole = size.thread + size.answer
        same = kept[:1] == [conversation.new] and kept[-1]["role"] == "assistant"
        if not (self._brief.rules.keep_warm and same) or whole > CARRIED_TOKENS:
            return None
        asked = len(conversation.remembered)
        messages = held((*conversation.remembered, *kept), asked=asked)
        body = {name: order.body[name] for name in _SHARED if name in order.body}
        if order.body.get("tools") and not self._brief.tools:
            body["tool_choice"] = {"type": "none"}
        ready: Mapping[str, object] = {"role": "user", "content": [text(READY)]}
        return Carry(
            ask=self._ask,
            body={**body, "messages": [*messages, ready]},
            tokens=round((whole + size.shared) / LIKELY_PART),
            fresh_tokens=size.answer,
        )


def _count(rounds: Sequence[Message]) -> int:
    """Of tools, mostly; what else made Claude go on counts too."""
    return sum(message["role"] == "user" for message in rounds)
