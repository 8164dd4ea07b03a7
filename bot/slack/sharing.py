"""A cost report for everybody in its channel: who asked for it presses a button, and it is posted there, once.

It is drawn up anew, since what one person may see is not what everybody may.
"""

from collections.abc import Callable, Sequence

import structlog

from bot.answer import Answer, Ended, Receipt, Stopped
from bot.errors import PurserError
from bot.hindsight import Hindsight
from bot.slack.aside import Aside
from bot.slack.blocks import Block, context, markdown
from bot.slack.clicks import Press
from bot.slack.costs import Costs, Names, Unclear
from bot.slack.mrkdwn import shown
from bot.slack.pen import BLOCKS_REFUSED
from bot.slack.split import plain, split
from bot.slack.tables import laid_out
from bot.slack.wire import GONE, SlackError, SlackWire
from bot.store import Store, Transaction

GONE_ASK = "I don't remember that report any more. Ask again with `/cost`, and share the new one."
NOT_YOURS = "Only who asked for a report can share it. Ask for your own with `/cost`."
CLOSED = (
    "I cannot write in this channel. Invite me with `/invite @Purser`, then ask again with `/cost`."
)
TWICE = "That report was shared already."
LOST = (
    "I cannot tell whether the report stands in the channel: Slack did not take it, or did not say so. If it does not, "
    "ask again with `/cost`, and share the new one."
)

log = structlog.get_logger()


class _Shared(PurserError):
    """That report was shared before."""


class Sharing:
    """Shares reports.

    Args:
        wire: Slack.
        store: remembers what was shared.
        hindsight: what was asked.
        costs: draws reports up.
        people: for the name of who shares.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        wire: SlackWire,
        store: Store,
        *,
        hindsight: Hindsight,
        costs: Costs,
        people: Names,
        now: Callable[[], float],
    ) -> None:
        self._wire, self._store, self._hindsight = wire, store, hindsight
        self._costs, self._people, self._now = costs, people, now

    async def press(self, press: Press) -> Ended:
        """Post the report whose button was pressed.

        Raises:
            SlackError: neither it nor why it is not could be said.
            StoreDown: the books cannot be read.
        """
        ask = await self._hindsight.ask(press.value)
        if ask is None or ask.feature != "cost" or ask.channel != press.channel:
            return await self._tell(press, GONE_ASK)
        if ask.user != press.user:
            return await self._tell(press, NOT_YOURS)
        found = await self._costs.public(ask)
        if isinstance(found, Unclear):
            return await self._tell(press, found.sentence)
        text, blocks = shown(found[0], lambda _host, _address: False), found[1]
        name = (await self._people.names([press.user])).get(press.user, press.user)
        try:
            await self._claim(press, ask.id)
            await self._post(press, text, [*blocks, context(f"Shared by {name}")])
        except _Shared:
            # This very press, heard again, has only claimed it for certain.
            return await self._tell(press, TWICE if press.lease.attempt == 1 else LOST)
        except SlackError as error:
            log.warning("slack", method=error.method, code=error.code, ask=press.lease.ask.id)
            return await self._tell(press, CLOSED if error.code in GONE else LOST)
        return Answer(text, Receipt())

    async def _claim(self, press: Press, ask_id: str) -> None:
        """From here on it counts as shared, whatever happens to us: better never than twice before everybody."""
        tx = Transaction(press.lease)
        tx.add("inbox.claim", must=_Shared(), key=f"shared:{ask_id}", now=self._now())
        await self._store.commit(tx)

    async def _post(self, press: Press, text: str, under: Sequence[Block]) -> None:
        messages = split(text)
        for n, words in enumerate(messages):
            below = under if n == len(messages) - 1 else ()
            try:
                await self._wire.post(
                    press.channel, plain(words), blocks=[*laid_out(words), *below]
                )
            except SlackError as error:
                if error.code not in BLOCKS_REFUSED:
                    raise
                older = [markdown(words), *(b for b in below if b["type"] == "context")]
                await self._wire.post(press.channel, plain(words), blocks=older)

    async def _tell(self, press: Press, sentence: str) -> Stopped:
        await Aside(self._wire, press.lease.ask).alone(sentence)
        return Stopped(sentence, Receipt())
