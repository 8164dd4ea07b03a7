"""A thread that has grown too long is shortened before it is sent: its oldest asks are summed up, once and for good.

    by its bytes too long? -> Claude's count -> too long? -> the quick model sums up -> kept in the store -> sent

Too long is what no longer fits, what passes a price cliff, or, once the cache has lost it, what costs ten cents more to
write anew than to sum up.

What stands in their place is kept, so that every later request begins with the same bytes and reads them from cache.
Where summing up fails, the oldest asks are left out. Both are said under the answer.
"""

import math
from collections.abc import Callable

from bot.answer import Event, Waiting
from bot.ask import Lease
from bot.conversation import Conversation, Older
from bot.turn.brief import Brief, Rooms
from bot.turn.call import Calls
from bot.turn.older import fits, load, most, pays_from, split, told
from bot.turn.request import LIKELY_PART, Order, opaque, order
from bot.turn.response import Filtered, Outcome, Response

AT_WORK = "summing up the older messages of this thread"
SUMMARY_CHARS = 12_000  # kept of a summary; more was not asked for
SUMMED_UP = (
    "This thread is long: its older messages were summed up, and their attachments left out."
)
LEFT_OUT = "This thread is long: its older messages were left out, since they could not be summed up just now."


class Compaction:
    """Shortens the thread of one ask.

    Args:
        rooms: what every turn works with.
        lease: the ask.
        brief: who sums up.
        calls: makes the call.
        tell: hears that it is being done.
        lost: whether nothing of the thread is in cache, so that to shorten it makes nothing dearer.
    """

    def __init__(
        self,
        rooms: Rooms,
        lease: Lease,
        brief: Brief,
        calls: Calls,
        tell: Callable[[Event], None],
        *,
        lost: bool,
    ) -> None:
        self._rooms, self._lease, self._brief = rooms, lease, brief
        self._calls, self._tell, self._lost = calls, tell, lost

    async def shortened(
        self, conversation: Conversation, asked: Order
    ) -> tuple[Conversation, str | None]:
        """The conversation as it can be sent, and what a person has to know of it, if anything.

        Args:
            conversation: of the ask.
            asked: its first request as it would be without this.

        Raises:
            LeaseLost: another worker has this ask.
            StoreDown: the books cannot be written.
        """
        going = await self._going(conversation, asked)
        if not going:
            older = conversation.older
            mine = older is not None and older.ask_id == self._lease.ask.id
            return conversation, _said(older) if mine and older else None
        self._tell(Waiting(AT_WORK))
        before = conversation.older.message if conversation.older else None
        outcome = await self._calls.call(self._minutes(told(before, conversation.kept[:going])))
        older = Older(conversation.kept[going - 1].n, _summary(outcome), self._lease.ask.id)
        # What could not be asked just now is asked the next time; a refusal would come again.
        if isinstance(outcome, Response | Filtered) and self._brief.rules.store_text:
            await self._rooms.conversations.shorten(self._lease, older, at=self._rooms.now())
        return conversation.shortened(older), _said(older)

    async def _going(self, conversation: Conversation, asked: Order) -> int:
        """How many of the oldest asks are too much; Claude's count is asked for only where that may be so."""
        at = self._rooms.now()
        if not conversation.kept:
            return 0
        quick = self._brief.rules.quick_model
        pays = pays_from(asked.model, quick, at) if self._lost else math.inf
        if not asked.counted and fits(asked.model, asked.input_tokens, at, pays=pays):
            return 0  # nearly always, and quick to see
        bound = load(conversation.remembered, part=1.0)
        limit = most(asked.model, asked.input_tokens - bound.tokens, at, pays=pays)
        if bound.within(limit):
            return 0
        counted = await self._calls.count(asked)
        part = counted / asked.input_tokens if counted else LIKELY_PART
        rest = (asked.input_tokens - bound.tokens) * part
        limit = most(asked.model, rest, at, pays=pays)
        if load(conversation.remembered, part=part).within(limit):
            return 0
        return split(conversation, limit, part=part)

    def _minutes(self, part: str) -> Order:
        asked = self._rooms.prompts.minutes(part, model=self._brief.rules.quick_model)
        messages = asked.pop("messages")
        asked["metadata"] = {"user_id": opaque(self._lease.ask, self._rooms.user_salt)}
        return order("compact", asked, messages, aloud=False)


def _summary(outcome: Outcome) -> str:
    """A summary that ended well; what broke off or was declined is none."""
    if not isinstance(outcome, Response) or outcome.stop_reason != "end_turn":
        return ""
    return outcome.text.strip()[:SUMMARY_CHARS]


def _said(older: Older) -> str:
    return SUMMED_UP if older.text else LEFT_OUT
