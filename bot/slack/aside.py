"""Answers that do not stand in the channel: through a command's response_url, to one person alone, or directly."""

from collections.abc import Awaitable, Callable, Sequence

import structlog

from bot.ask import Ask
from bot.slack.blocks import Block, markdown
from bot.slack.pen import BLOCKS_REFUSED
from bot.slack.split import plain, split
from bot.slack.tables import laid_out
from bot.slack.wire import SlackError, SlackWire

URL_POSTS = 5  # that one response_url takes
OLD_BLOCKS = frozenset({"actions", "context"})  # taken everywhere

Way = Callable[[str, list[Block]], Awaitable[None]]
"""How one message is said, by a text for notifications and its blocks; raises SlackError where it is not, or may not be."""

log = structlog.get_logger()


class Aside:
    """Says one ask's answer aside.

    Where a reply was lost, the next way is taken: the asker had better read something twice than never.

    Args:
        wire: Slack.
        ask: what is answered.
    """

    def __init__(self, wire: SlackWire, ask: Ask) -> None:
        self._wire, self._ask = wire, ask

    async def in_channel(self, text: str, under: Sequence[Block]) -> bool:
        """Through the command's response_url, for everybody in the channel; whether all of it was said."""
        ask, messages = self._ask, split(text)
        if not ask.response_url or len(messages) > URL_POSTS:
            return False
        try:
            for n, words in enumerate(messages):
                last = under if n == len(messages) - 1 else ()
                blocks = [markdown(words), *last]
                await self._wire.respond(ask.response_url, plain(words), blocks=blocks, public=True)
        except SlackError as error:
            log.warning("slack", method="response_url", code=error.code, ask=ask.id)
            return False
        return True

    async def alone(self, text: str, under: Sequence[Block] = ()) -> None:
        """To the asker alone: by response_url, else shown to them in the channel, else directly.

        Where this workspace refuses tables and charts, a table is Markdown, and there is no chart.

        Args:
            text: Markdown.
            under: what stands under the last of its messages.

        Raises:
            SlackError: it can be said nowhere.
        """
        ways: list[Way] = [self._by_url] if self._ask.response_url else []
        ways += [self._ephemeral, self._directly] if self._ask.channel else [self._directly]
        messages = split(text)
        for n, words in enumerate(messages):
            await self._say(words, under if n == len(messages) - 1 else (), ways)

    async def _say(self, words: str, under: Sequence[Block], ways: list[Way]) -> None:
        """Say one message by the first way that works; one that does not is not tried again."""
        while len(ways) > 1:
            try:
                await self._shown(words, under, ways[0])
                return
            except SlackError as error:
                log.warning("slack", method=error.method, code=error.code, ask=self._ask.id)
                del ways[0]
        await self._shown(words, under, ways[0])

    async def _shown(self, words: str, under: Sequence[Block], way: Way) -> None:
        """Say one message by one way, in older blocks where newer ones are refused."""
        blocks = [*laid_out(words), *under]
        older = [markdown(words), *(block for block in under if block["type"] in OLD_BLOCKS)]
        if blocks == older:
            await way(words, blocks)
            return
        try:
            await way(words, blocks)
        except SlackError as error:
            if error.code not in BLOCKS_REFUSED:
                raise
            await way(words, older)

    async def _by_url(self, words: str, blocks: list[Block]) -> None:
        await self._wire.respond(self._ask.response_url, plain(words), blocks=blocks)

    async def _ephemeral(self, words: str, blocks: list[Block]) -> None:
        ask = self._ask
        await self._wire.ephemeral(
            ask.channel, ask.user, plain(words), thread=ask.thread, blocks=blocks
        )

    async def _directly(self, words: str, blocks: list[Block]) -> None:
        channel = await self._wire.direct(self._ask.user)
        await self._wire.post(channel, plain(words), blocks=blocks)
