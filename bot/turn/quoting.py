"""Before an ask begins: what it is likely to take, and whether a person has to agree to that first."""

from collections.abc import Sequence

from bot.answer import Failed, Quote
from bot.caching import Left
from bot.journal import Told
from bot.prices import picos
from bot.turn.books import Tally
from bot.turn.brief import Brief, Rooms
from bot.turn.call import Calls
from bot.turn.estimate import bound, counted, likely
from bot.turn.request import Order


class Quoting:
    """Estimates one ask.

    Args:
        rooms: what every turn works with.
        brief: what is to be done, and what was agreed to.
        told: what the journal knows from before a restart.
        calls: count.
        tally: hears the estimate.
    """

    def __init__(self, rooms: Rooms, brief: Brief, told: Told, calls: Calls, tally: Tally) -> None:
        self._rooms, self._brief, self._told = rooms, brief, told
        self._calls, self._tally = calls, tally

    async def quoted(
        self, order: Order, previous: str | None, left: Left | None, documents: Sequence[str]
    ) -> Quote | Failed | None:
        """What it is likely to take, if a person has to agree to it first, or why it cannot be done at all.

        Claude's count is asked for only near that.

        Args:
            order: its first request.
            previous: Claude's last message in the thread.
            left: what the ask before left in cache.
            documents: that are read, with about their tokens.

        Raises:
            StoreDown: the books cannot be read.
        """
        brief, now = self._brief, self._rooms.now()
        if any(one.purpose != "compact" for one in self._told.attempts):
            return None  # it began before a restart
        expected = likely(order, brief.feature, effort=brief.effort, at=now) + brief.beyond
        self._tally.estimate = expected
        if brief.agreed is not None:
            self._tally.estimate = expected if brief.small else brief.agreed
            return None
        limit = picos(brief.rules.confirm_above_usd)
        most = bound(order, brief.feature, effort=brief.effort, at=now) + brief.beyond
        if most.picos <= limit:
            return None
        warm = await self._rooms.estimates.warmth(
            model=order.model,
            prompt_version=self._rooms.prompts.version,
            message_id=previous,
            until=left.until(order.model) if left else 0.0,
        )
        if tokens := await self._calls.count(order):
            if sentence := self._calls.beyond(order):
                return Failed(sentence)
            expected = brief.beyond + counted(
                order, tokens, brief.feature, effort=brief.effort, warm=warm, at=now
            )
        self._tally.estimate = expected
        return Quote(expected, tuple(documents)) if expected.picos > limit else None
