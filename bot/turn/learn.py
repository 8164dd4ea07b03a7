"""How soon people go on in threads, from the books: at the start, and now and then, since other processes answer too.

Nothing is written for it. What this process learns itself meanwhile is in the books as well.
"""

from collections import Counter

from bot.caching import Rhythm, Thread
from bot.hindsight import Hindsight
from bot.prices import DAY_SECONDS
from bot.store import Store

LEARN_SECONDS = 1_800.0  # between two looks
SPAN_SECONDS = 14 * DAY_SECONDS  # what was longer ago says little of today
ASKS = 3_000  # that are looked at: some 30 ms


async def learnt(store: Store, *, now: float) -> Rhythm:
    """The rhythm of threads and channels lately.

    Args:
        store: where the books lie.
        now: epoch seconds.

    Raises:
        StoreDown: they cannot be read.
    """
    rhythm, numbers = Rhythm(), Counter[str]()
    for one in await Hindsight(store).followed(since=now - SPAN_SECONDS, most=ASKS):
        rhythm.went(one.feature, one.calls - 1)
        if not one.thread:
            continue
        lane = f"{one.team}:{one.channel}:{one.thread}"
        numbers[lane] += 1
        rhythm.asked(lane, one.asked)
        rhythm.answered(Thread(one.channel, lane, numbers[lane]), one.sent)
    return rhythm
