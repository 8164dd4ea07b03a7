"""Answers that do not stand in the channel: through a command's response_url, to one person alone, or directly."""

from collections.abc import Sequence

import structlog

from bot.ask import Ask
from bot.slack.blocks import Block, markdown
from bot.slack.split import plain, split
from bot.slack.wire import SlackError, SlackWire, Unsure

URL_POSTS = 5  # that one response_url takes

log = structlog.get_logger()


class Aside:
    """Says one ask's answer aside.

    Args:
        wire: Slack.
        ask: what is answered.
    """

    def __init__(self, wire: SlackWire, ask: Ask) -> None:
        self._wire, self._ask = wire, ask

    async def by_url(
        self, text: str, blocks: Sequence[Block] = (), *, public: bool = False
    ) -> bool:
        """Through the command's response_url, for the channel or for the asker alone; whether it was said.

        A reply that was lost counts as said: the answer may stand there, and nobody could find out.
        """
        ask, messages = self._ask, split(text)
        if not ask.response_url or len(messages) > URL_POSTS:
            return False
        try:
            for n, words in enumerate(messages):
                under = blocks if n == len(messages) - 1 else ()
                whole = [markdown(words), *under]
                await self._wire.respond(
                    ask.response_url, plain(words), blocks=whole, public=public
                )
        except Unsure:
            return True
        except SlackError as error:
            log.warning("slack", method="response_url", code=error.code, ask=ask.id)
            return False
        return True

    async def alone(self, text: str) -> None:
        """To the asker alone: by response_url, else shown to them in the channel, else directly.

        Raises:
            SlackError: it can be said nowhere.
        """
        if await self.by_url(text):
            return
        ask = self._ask
        if ask.origin == "own":
            await self._directly(text)
            return
        try:
            for words in split(text):
                await self._wire.ephemeral(
                    ask.channel, ask.user, plain(words), thread=ask.thread, blocks=[markdown(words)]
                )
        except Unsure:
            return
        except SlackError as error:
            log.warning("slack", method=error.method, code=error.code, ask=ask.id)
            await self._directly(text)

    async def _directly(self, text: str) -> None:
        channel = await self._wire.direct(self._ask.user)
        for words in split(text):
            await self._wire.post(channel, plain(words), blocks=[markdown(words)])
