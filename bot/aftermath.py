"""What becomes of an ask whose work was broken off: handed back, said later, or given up and left to an operator.

the process is told to stop     hand_back    it waits again, at once
the store is down               unbooked     it waits again, and admins are told
Slack does not do it now        unsaid       it waits again for a while, for hours at most; then it is a dead letter
several processes ended over it hopeless     who asked is told, and it is a dead letter
anything else                   broken       the same, and the log has the trace
"""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

import structlog

from bot import audit
from bot.answer import Failed
from bot.ask import Ask, Lease
from bot.errors import LeaseLost, StoreDown
from bot.rooms import Rooms
from bot.slack.aside import Aside
from bot.slack.askers import Untold
from bot.slack.wire import GONE, SlackError
from bot.store import Transaction

AGAIN_SECONDS = 1.0  # until a store that did not take an ask back is asked again
UNSAID_SECONDS = 20.0  # until an answer that Slack did not take is said again
UNSAID_AT_MOST = 6 * 3600.0  # since it, or Claude for it, was asked; then it is a dead letter
DEATHS_AT_MOST = 4  # processes that ended over an ask; the next one says so, and no more
UNTOLD = (
    "Slack does not tell me just now who you are, and I answer only people I know. I go on by myself as soon as it "
    "does; you need not ask again."
)
STRANGE = "Slack did not tell me for hours who you are, so I have given your request up. Please ask again."
HOPELESS = "I ended several times while I worked on this, so I stop trying. Please ask for a part of it, or tell an operator."
UNBOOKED = (
    "For a while nothing could be written to the database ({why}). What cannot be booked is not asked: Claude was "
    "asked nothing meanwhile, and asks waited. It takes writes again now."
)
BROKE = "Something broke on my side. Please ask again; if it happens once more, tell an operator."

log = structlog.get_logger()


class Aftermath:
    """Sees to asks that could not be worked to their end.

    Args:
        rooms: what the worker works with.
    """

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def hand_back(self, lease: Lease, *, patiently: bool = False) -> None:
        """Let the ask wait again, unless another has it already; patiently, until the store takes it."""
        while True:
            try:
                await self._rooms.inbox.give_back(lease)
                return
            except LeaseLost:
                return
            except StoreDown:
                if not patiently:
                    return
            await asyncio.sleep(AGAIN_SECONDS)

    async def unbooked(self, lease: Lease, down: BaseExceptionGroup[StoreDown]) -> None:
        """Keep the ask for when the store is back; then tell admins, once a day, that nothing could be booked."""
        log.warning("the store is down; the ask stays in the inbox", ask=lease.ask.id)
        await self.hand_back(lease, patiently=True)
        day = datetime.fromtimestamp(self._rooms.now(), UTC).date().isoformat()
        with suppress(StoreDown):  # the next one tells them
            sentence = UNBOOKED.format(why=down.exceptions[0])
            await self._rooms.turn.alerts.tell(f"store:{day}", sentence)

    async def unsaid(self, lease: Lease, unsaid: BaseExceptionGroup[SlackError]) -> None:
        """Slack did not take the words, which are journalled and said later at no cost; or it did not say who asks."""
        codes = sorted({error.code for error in unsaid.exceptions if isinstance(error, SlackError)})
        ask, untold = lease.ask, unsaid.subgroup(Untold) is not None
        log.warning("slack does not do it now", ask=ask.id, codes=codes)
        if untold and lease.attempt == 1:
            await self._tell_stranger(ask, UNTOLD)
        try:
            if GONE.isdisjoint(codes) and await self._in_time(ask):
                later = self._rooms.now() + UNSAID_SECONDS
                await self._rooms.inbox.give_back(lease, not_before=later)
                return
            if untold:
                await self._tell_stranger(ask, STRANGE)
            reason = "Slack did not say who asked" if untold else "Slack takes no message there"
            await self._bury(lease, f"{reason}: {', '.join(codes)}")
        except (StoreDown, LeaseLost) as error:
            log.warning("an ask could not be settled", ask=ask.id, problem=str(error))

    async def hopeless(self, lease: Lease) -> None:
        """So many processes ended over the ask that another one would, too."""
        reason = f"{lease.failures} processes ended while they worked on it"
        await self._give_up(lease, HOPELESS, reason)

    async def broken(self, lease: Lease, broken: BaseExceptionGroup[Exception]) -> None:
        """Nobody foresaw this: who asked hears that something broke, and nothing of what."""
        kinds = ", ".join(sorted({type(error).__name__ for error in broken.exceptions}))
        await self._give_up(lease, BROKE, f"it broke: {kinds}; the log has the trace")

    async def _in_time(self, ask: Ask) -> bool:
        """Whether an answer may still come: one that a person agreed to late was late asked of Claude, too."""
        sent = (await self._rooms.turn.journal.read(ask.id)).attempts
        since = max(ask.at, *(one.at for one in sent), 0.0)
        return self._rooms.now() - since < UNSAID_AT_MOST

    async def _tell_stranger(self, ask: Ask, words: str) -> None:
        """Say something to who asks, if anybody waits for it: of a digest nobody does."""
        if not ask.digest:
            with suppress(SlackError):
                await Aside(self._rooms.replies.wire, ask).alone(words)

    async def _give_up(self, lease: Lease, sentence: str, reason: str) -> None:
        """Say so, and leave the ask to an operator: `purser dead` shows it, with the reason."""
        try:
            reply = await self._rooms.replies.open(lease, again=True)
            await reply.end(Failed(sentence))
        except (SlackError, StoreDown, LeaseLost) as error:
            log.warning("a failure could not be told", ask=lease.ask.id, problem=str(error))
        try:
            await self._bury(lease, reason)
        except (StoreDown, LeaseLost) as error:
            log.warning("an ask could not be settled", ask=lease.ask.id, problem=str(error))

    async def _bury(self, lease: Lease, reason: str) -> None:
        """Leave an ask to an operator."""
        tx = Transaction(lease)
        self._rooms.inbox.dead(tx, lease, reason=reason)
        audit.ended(tx, lease.ask, "dead", at=self._rooms.now())
        await self._rooms.store.commit(tx)
