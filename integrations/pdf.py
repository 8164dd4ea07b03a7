"""PDFs that people attach: how many pages, before anybody pays for them. A stranger: counted in a process that can be ended."""

from dataclasses import dataclass

from integrations.extractor import Extractor
from integrations.web_errors import TooSlow, Unreadable


@dataclass(frozen=True, slots=True)
class Sheets:
    """How many pages a PDF has, 0 where nobody can say, and whether a password locks it."""

    pages: int = 0
    locked: bool = False


class Pdfs:
    """Counts pages.

    Args:
        extractor: reads documents in processes of their own, which start with the first one.
    """

    def __init__(self, extractor: Extractor | None = None) -> None:
        self._extractor = extractor or Extractor(processes=1)

    async def count(self, body: bytes) -> Sheets:
        """Count the pages of a PDF."""
        try:
            found = await self._extractor.extract("pages", body, None)
        except (TooSlow, Unreadable):
            return Sheets()
        return Sheets(found.pages, found.locked)

    async def close(self) -> None:
        """Let go of the processes."""
        await self._extractor.close()
