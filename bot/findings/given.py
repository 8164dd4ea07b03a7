"""What Claude was given, as lines that a quotation can be looked for in, and as files with numbered lines. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PART_OF_A_LINE = 6  # characters from which on a piece of a line is a quotation of it

_ROW = re.compile(r"([ +-])\s*(\d+)\| ?(.*)$")
_HEADING = re.compile(r"### (.+?) · ")  # of a file in a diff
_FILE = re.compile(r"# (.+?) of \S+/\S+")  # of a file by itself
_LINK = re.compile(r"Link to a line of it: (\S+)PATH#LNUMBER$")
_ATTACHED = re.compile(r'<purser:file name="([^"]*)">$')
_ELLIPSIS = re.compile(r"[#/*\s]*(\.{3}|…)[#/*\s]*$")


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, by its number in the new version, or in the old one if it is gone."""

    line: int
    gone: bool = False


@dataclass(slots=True)
class Given:
    """Every line that Claude was shown.

    Attributes:
        code: code is among it.
        opaque: something was given that cannot be read here, such as an image: nothing can be disproved.
    """

    code: bool = False
    opaque: bool = False
    _text: str = "\n"
    _lines: set[str] = field(default_factory=set[str])
    _rows: dict[str, dict[Place, str]] = field(
        default_factory=lambda: defaultdict(dict[Place, str])
    )
    _links: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(cls, messages: Iterable[Mapping[str, Any]]) -> "Given":
        """Read the messages of a request.

        Args:
            messages: whose words count as given; Claude's own of the same turn don't.
        """
        given = cls()
        pieces: list[str] = []
        for message in messages:
            for text in _texts(message["content"]):
                if text is None:
                    given.opaque = True
                else:
                    pieces.extend(given._read(text))
                    given.code = given.code or "```" in text or "<purser:file" in text
        given.code = given.code or bool(given._rows)
        given._lines = set(pieces)
        given._text = "\n".join(["", *pieces, ""])
        return given

    @property
    def judges(self) -> bool:
        """Whether a finding can be held against it at all."""
        return self.code and not self.opaque

    def has(self, quotation: str) -> bool:
        """Whether every line of a quotation is there, blanks apart; what is left out with ... counts for nothing."""
        wanted = _quoted(quotation)
        return bool(wanted) and all(self._has(line) for line in wanted)

    def path(self, written: str) -> str:
        """A file that was given with its lines' numbers, by its path or the unambiguous end of it; "" if there is none."""
        if written in self._rows:
            return written
        ends = [path for path in self._rows if path.endswith(f"/{written}")]
        return ends[0] if len(ends) == 1 else ""

    def place(self, path: str, claimed: int, quotation: str) -> "Place | None":
        """Where a quotation begins in a file, as near as possible to the claimed line; None if it is not there."""
        first = next(iter(_quoted(quotation)), "")
        bare = plain(first[1:]) if first[:1] in {"+", "-"} else first
        rows = self._rows[path].items()
        places = [at for at, text in rows if first and (first in text or (bare and bare in text))]
        return min(places, key=lambda at: (at.gone, abs(at.line - claimed)), default=None)

    def shown(self, path: str, line: int) -> "Place | None":
        """A line by its number; None if it was not given."""
        places = (Place(line), Place(line, gone=True))
        return next((at for at in places if at in self._rows[path]), None)

    def link(self, path: str, at: "Place") -> str:
        """Where people look at a line at the change's head; "" where that is not known, or the line is gone."""
        start = self._links.get(path, "")
        return f"{start}{path}#L{at.line}" if start and not at.gone else ""

    def _has(self, line: str) -> bool:
        if line in self._lines:
            return True
        bare = plain(line[1:]) if line[:1] in {"+", "-"} else line
        return bare in self._lines or (len(bare) >= PART_OF_A_LINE and bare in self._text)

    def _read(self, text: str) -> Iterator[str]:
        """The lines of a text without what we put before them; files and numbers are noted on the way."""
        path = link = ""
        counted = 0
        bare = not (
            "\n@@ " in text or "| " in text[:400]
        )  # a file as it is, whose lines can be counted
        for line in text.split("\n"):
            if row := _ROW.match(line):
                code = plain(row[3])
                self._note(path, Place(int(row[2]), row[1] == "-"), code, link)
                yield code
                continue
            if found := _LINK.match(line):
                link = found[1]
            elif heading := _HEADING.match(line) or _FILE.match(line):
                path = heading[1]
            elif attached := _ATTACHED.match(line):
                path, counted = attached[1], 0
            elif path and line.startswith("</purser:file"):
                path = ""
            elif path and bare:
                counted += 1
                self._note(path, Place(counted), plain(line), "")
            yield plain(line)

    def _note(self, path: str, at: Place, code: str, link: str) -> None:
        if path:
            self._rows[path][at] = code
        if path and link:
            self._links[path] = link


def _quoted(quotation: str) -> list[str]:
    """The lines of a quotation that have to be somewhere."""
    lines = [plain(line) for line in quotation.split("\n") if not _ELLIPSIS.match(line)]
    return [line for line in lines if line]


def plain(line: str) -> str:
    """A line without the blanks that indenting, pasting and quoting change."""
    return " ".join(line.split())


def _texts(content: Any) -> Iterator[str | None]:
    """The texts of a message's content; None for each thing that is no text."""
    if isinstance(content, str):
        yield content
        return
    blocks: Sequence[Mapping[str, Any]] = content
    for block in blocks:
        if block["type"] == "text":
            yield str(block["text"])
        elif block["type"] == "tool_result":
            yield from _texts(block.get("content", ""))
        elif block["type"] in {"image", "document"}:
            yield None
