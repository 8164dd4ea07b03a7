"""A diff made fit for Claude: read file by file, ordered by risk, numbered, bounded, and every gap said.

    text -> patch (unidiff) -> FileDiff, ... -> kinds (what is not worth reading)
                                             -> shown (numbered, in parts) -> Fitted, with its Coverage
                                                                                   -> Reading, with its head

Pure, and made for diffs that nobody vouches for: cut off, of any encoding and of any size. What cannot be read is
named, never dropped.
"""

from bot.diffs.coverage import Coverage, Held, without
from bot.diffs.passes import PASSES, Pass, covered, planned
from bot.diffs.patch import FileDiff, Hunk, Row, clean, read
from bot.diffs.reading import LINK, Reading
from bot.diffs.shown import LEGEND, PARTS, Fitted, fit

__all__ = [
    "LEGEND",
    "LINK",
    "PARTS",
    "PASSES",
    "Coverage",
    "FileDiff",
    "Fitted",
    "Held",
    "Hunk",
    "Pass",
    "Reading",
    "Row",
    "clean",
    "covered",
    "fit",
    "planned",
    "read",
    "without",
]
