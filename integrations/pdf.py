"""PDFs that people attach: how many pages, before anybody pays for them, and which words. A stranger: read in a process that can be ended."""

import asyncio
from dataclasses import dataclass

from integrations.extractor import Extractor
from integrations.web_errors import TooSlow, Unreadable

WORDS_SECONDS = 5.0  # that reading the words of one may take, waiting for its turn included


@dataclass(frozen=True, slots=True)
class Sheets:
    """How many pages a PDF has, 0 where nobody can say, and whether a password locks it."""

    pages: int = 0
    locked: bool = False


class Pdfs:
    """Counts pages, and reads their words.

    Args:
        extractor: reads documents in processes of their own, which start with the first one.
    """

    def __init__(self, extractor: Extractor | None = None) -> None:
        self._extractor = extractor or Extractor()

    async def count(self, body: bytes) -> Sheets:
        """Count the pages of a PDF."""
        try:
            found = await self._extractor.extract("pages", body, None)
        except (TooSlow, Unreadable):
            return Sheets()
        return Sheets(found.pages, found.locked)

    async def words(self, body: bytes, *, seconds: float = WORDS_SECONDS) -> str:
        """The text of its first 500 pages, at most a million characters; "" where it has none, or takes too long."""
        try:
            async with asyncio.timeout(seconds):
                return (await self._extractor.extract("pdf", body, None)).text
        except (TimeoutError, TooSlow, Unreadable):
            return ""

    async def close(self) -> None:
        """Let go of the processes."""
        await self._extractor.close()
