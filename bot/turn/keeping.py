"""What one ask leaves in Claude's cache: how its requests begin and are marked, and the call that would carry it on."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from bot.ask import Lease
from bot.caching import Asking, Left, Read, Size, Thread, held
from bot.conversation import Conversation
from bot.labels import text
from bot.remembered import Message, as_sent, opened, remembered
from bot.turn.brief import Brief, Carry, Rooms
from bot.turn.older import fits
from bot.turn.request import LIKELY_PART, Order, bound_of

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
        self._asking: Asking | None = None
        self._form: object = None  # in which the thread was sent last, and to whom
        self._read: Read = ""  # up to where the ask before left something in cache
        self._sections = ""  # of the last request that others may begin with
        self._left: Left | None = None

    def begun(
        self,
        conversation: Conversation,
        asked: Callable[[Conversation], Order],
        recorded: Collection[str],
    ) -> Conversation:
        """The conversation as it is read from cache best: nothing of what lies there is changed.

        Args:
            conversation: of the ask, all of it as it is remembered.
            asked: makes its first request.
            recorded: keys of requests that were answered before a restart, which have to be the same again.
        """
        left, now, last = conversation.left, self._rooms.now(), conversation.n - 1
        if left is None or not conversation.kept:
            return conversation
        if recorded:
            ways = (conversation.whole(asks) for asks in left.forms(last=last))
            return next((way for way in ways if asked(way).key in recorded), conversation)
        for asks, read in left.ways(now, last=last):
            way = conversation.whole(asks)
            order = asked(way)
            likely = round(order.input_tokens * LIKELY_PART)
            short = not way.as_sent or fits(order.model, likely, now)
            held = left.holds(order.sections, order.model, read, whole=way.as_sent)
            if read and short and held:
                self._read = read
                return way
        return conversation

    @property
    def reads(self) -> bool:
        """Whether something of the thread is in cache."""
        return bool(self._read)

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
        tokens = max(0, round((order.input_tokens - order.shared_tokens) * LIKELY_PART))
        form = (order.model, conversation.older, conversation.whole_asks)
        if self._asking is None or form != self._form:
            if self._asking is not None:
                self._read = ""  # of another form, or of another model, nothing is in cache
            self._form, self._asking = form, self._began(order, conversation, tokens)
        if last and self._brief.tools:
            return order
        marks = self._rooms.caching.marks(
            self._asking,
            rounds=_count(rounds),
            last=len(conversation.remembered) + len(rounds),
            tokens=tokens,
            at=self._rooms.now(),
        )
        self._sections = order.sections
        messages = conversation.messages(rounds, marks=marks)
        return replace(order, body={**order.body, "messages": messages})

    def left(self, conversation: Conversation) -> Left | None:
        """What the ask leaves in cache; None where it sent nothing.

        Args:
            conversation: of the ask.
        """
        if self._asking:
            asks = conversation.whole_asks
            self._left = self._asking.left(conversation.n, asks, self._sections)
        return self._left

    def answered(self, order: Order, conversation: Conversation, rounds: Sequence[Message]) -> None:
        """The ask was answered, and is remembered.

        Args:
            order: its last request.
            conversation: of the ask.
            rounds: what followed in it, the answer at the end.
        """
        asking, left = self._asking, self._left
        if asking is None or left is None:
            return
        messages = (conversation.new, *rounds)
        light = remembered(messages)
        kept = as_sent(messages) if conversation.n in left.whole else light
        begun = opened(kept)
        answer = _likely(begun[1:] if kept is light else begun[-1:])
        lighter = 0
        if conversation.as_sent or _count(rounds):
            lasting = conversation.lasting(asking.lasting.n if asking.lasting else 0)
            sent = _likely((*conversation.remembered, *kept))
            lighter = sent - _likely((*lasting.remembered, *light))
        self._rooms.caching.answered(
            asking,
            self._carry(order, conversation, begun, asking, answer),
            rounds=_count(rounds),
            answer=answer,
            lighter=max(0, lighter),
        )

    def _began(self, order: Order, conversation: Conversation, tokens: int) -> Asking:
        left, now, cached, read, lasting = conversation.left, self._rooms.now(), 0, None, None
        if left and self._read:
            read, lasting = left.place(self._read, conversation.ends, now, last=conversation.n - 1)
            cached = _upto(conversation, read[0] + 1) if read else 0
        shared = round(order.shared_tokens * LIKELY_PART)
        kept = _upto(conversation, lasting.messages) if lasting else 0
        return self._rooms.caching.asked(
            self._thread(conversation),
            feature=self._brief.feature,
            model=order.model,
            at=now,
            size=Size(shared, tokens, lasting=kept),
            keep=self._brief.rules.keep_warm,
            read=read,
            lasting=lasting,
            cached=cached,
        )

    def _thread(self, conversation: Conversation) -> Thread:
        ask = self._ask
        return Thread(ask.channel, ask.lane if ask.thread else "", conversation.n)

    def _carry(
        self,
        order: Order,
        conversation: Conversation,
        begun: Sequence[Message],
        asking: Asking,
        answer: int,
    ) -> Carry | None:
        """The call that reads what this ask left in cache, and writes behind it how its answer begins; None where none helps."""
        whole = asking.sent + answer
        same = begun[:1] == [conversation.new] and begun[-1]["role"] == "assistant"
        if not (self._brief.rules.keep_warm and same) or whole > CARRIED_TOKENS:
            return None
        asked = len(conversation.remembered)
        places = [asked, *([asking.held[0]] if asking.held else [])]
        messages = held((*conversation.remembered, *begun), at=places)
        body = {name: order.body[name] for name in _SHARED if name in order.body}
        if order.body.get("tools") and not self._brief.tools:
            body["tool_choice"] = {"type": "none"}
        ready: Mapping[str, object] = {"role": "user", "content": [text(READY)]}
        return Carry(
            ask=self._ask,
            body={**body, "messages": [*messages, ready]},
            tokens=round((whole + asking.size.shared) / LIKELY_PART),
            fresh_tokens=answer,
            n=conversation.n,
            left=self._left,
        )


def _upto(conversation: Conversation, messages: int) -> int:
    """Tokens of so many messages before an ask, about; of an answer that ends them the first words alone are in cache."""
    before = conversation.remembered[:messages]
    return _likely(opened(before) if before and before[-1]["role"] == "assistant" else before)


def _likely(messages: Sequence[Message]) -> int:
    """Tokens that messages have, about."""
    return round(bound_of(messages) * LIKELY_PART)


def _count(rounds: Sequence[Message]) -> int:
    """Of tools, mostly; what else made Claude go on counts too."""
    return sum(message["role"] == "user" for message in rounds)
