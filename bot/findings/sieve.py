"""Lets an answer through as it comes, and holds each finding until its quotation was looked for. Pure.

A finding begins with a line such as "**Blocker: …** (`src/app.py:42`)", most often with a fenced quotation under it.
The words of prompts/review.md; whatever is written in another form passes unexamined.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.findings.given import Given
from bot.findings.shape import Finding

LEFT_OUT = "1 finding was left out: its quotation is not in the code that was read."
SEVERAL_LEFT_OUT = "{n} findings were left out: their quotations are not in the code that was read."

_SEVERITIES = ("**Blocker", "**Major", "**Minor")
_FINDING = re.compile(r"(?:\d+\. |- )?\*\*(?:Blocker|Major|Minor)\b")
_BEGINNINGS = tuple(f"{before}{word}" for before in ("", "- ") for word in _SEVERITIES)
# What can follow a finding that is dropped; inside of one no line begins so.
_NEXT = re.compile(r"(?:\d+\. |- )?\*\*|#|(?:Not checked|Read|Questions?|And \d+ more)\b")
_SAID = re.compile(r"\*\*(?P<severity>Blocker|Major|Minor)\W+(?P<sentence>.*?)\*\*")
_COVERAGE = "Read: "  # how a line on what was read begins
_PLACE = re.compile(r"`(?P<path>[^`\s]+?):(?P<line>[1-9]\d{0,6})(?P<to>-\d{1,7})?`")
_QUOTED = re.compile(r"(?P<head>[^\n]*\n)(?P<gap>[ \t\n]*)```[^\n]*\n(?P<code>.*?)^[ \t]*```[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)  # fmt: skip


@dataclass(slots=True)
class Sieve:
    """The state of an answer that is being examined; copied, it is a place to go back to.

    Attributes:
        given: what Claude was given, asked for when a finding is there.
        covered: what was read is said by us: a line of Claude's on it is left out.
        left_out: findings that were dropped.
        passed: findings that were not.
    """

    given: Callable[[], Given]
    covered: bool = False
    left_out: int = 0
    passed: tuple[Finding, ...] = ()
    _held: str = ""
    _mid: bool = False  # in the middle of a line whose beginning has passed
    _fenced: bool = False  # inside of code, where nothing is a finding
    _dropping: bool = False

    def feed(self, text: str) -> str:
        """Take more of the answer; what of it may be said now."""
        if self._mid and not self._held and "\n" not in text:
            return text  # the line goes on
        self._held += text
        return self._pass(whole=False)

    def rest(self) -> str:
        """What may be said of that which is still held: the answer goes no further."""
        said = self._pass(whole=True)
        self._mid = self._fenced = self._dropping = False
        return said

    @property
    def note(self) -> str:
        """A sentence on what was left out, "" where nothing was."""
        if not self.left_out:
            return ""
        return LEFT_OUT if self.left_out == 1 else SEVERAL_LEFT_OUT.format(n=self.left_out)

    def _pass(self, *, whole: bool) -> str:
        said: list[str] = []
        while self._held:
            step = self._step(whole=whole)
            if step is None:
                break
            said.append(step)
        return "".join(said)

    def _step(self, *, whole: bool) -> str | None:
        """The next piece that is decided, "" if it is dropped; None while it is not decided."""
        line, newline, _ = self._held.partition("\n")
        ended = bool(newline) or whole
        if self._mid:
            self._mid = not newline
            return self._take(len(line) + len(newline))
        if not self._fenced and _FINDING.match(line):
            return self._finding(whole=whole)
        coverage = self.covered and not self._fenced
        if not ended and (
            self._dropping
            or _undecided(line)
            or (coverage and _COVERAGE.startswith(line[: len(_COVERAGE)]))
        ):
            return None
        if line.lstrip().startswith("```"):
            self._fenced = not self._fenced
        elif self._dropping and not self._fenced and _NEXT.match(line):
            self._dropping = False
        if coverage and line.startswith(_COVERAGE):
            self._take(len(line) + len(newline))
            return ""
        self._mid = not newline and not self._dropping
        piece = self._take(len(line) + len(newline))
        return "" if self._dropping else piece

    def _finding(self, *, whole: bool) -> str | None:
        """A finding's first line and quotation, as soon as both are whole."""
        head, newline, below = self._held.partition("\n")
        start = below.lstrip()
        if not whole and (not newline or "```".startswith(start[:3])):
            closed = newline and self._held.count("```") > 1
            found = _QUOTED.match(self._held) if closed else None
            if found is None or not found[0].endswith("\n"):
                return None  # the line, or the quotation that comes or may come, is not whole yet
        size, quotation = len(head) + len(newline), ""
        if start.startswith("```"):
            found = _QUOTED.match(self._held)
            if found is None:
                return self._drop(len(self._held))  # it breaks off in its quotation
            size, quotation = found.end(), found["code"]
        given = self.given()
        placed: str | None = head
        if given.judges:
            placed = _placed(head, quotation, given)
            if placed is None or (quotation.strip() and not given.has(quotation)):
                return self._drop(size)
        self._dropping = False
        self.passed += _finding(placed, quotation)
        return placed + self._take(size)[len(head) :]

    def _drop(self, size: int) -> str:
        self.left_out += 1
        self._dropping = True
        self._take(size)
        return ""

    def _take(self, size: int) -> str:
        piece, self._held = self._held[:size], self._held[size:]
        return piece


def _finding(head: str, quotation: str) -> tuple[Finding, ...]:
    """A finding that is said, as data; none where its first line has another form."""
    said = _SAID.search(head)
    if said is None:
        return ()
    place = _PLACE.search(head)
    path, line = (place["path"], int(place["line"])) if place else ("", 0)
    return (Finding(said["severity"], path, line, quotation.strip("\n"), said["sentence"]),)


def _undecided(line: str) -> bool:
    """Whether the beginning of a line may become a finding or a fence."""
    return any(word.startswith(line) for word in (*_BEGINNINGS, "```")) or bool(
        re.fullmatch(r"\d+(\.( (\*{1,2}([BM]\w*)?)?)?)?|\s+`{0,2}", line)
    )


def _placed(head: str, quotation: str, given: Given) -> str | None:
    """A finding's first line with its places put right and linked; None where a place is none.

    Only files whose lines were given with numbers are judged.
    """
    places = list(_PLACE.finditer(head))
    for match in reversed(places):  # from behind, so that what stands before keeps its position
        path = given.path(match["path"])
        if not path:
            continue
        claimed = int(match["line"])
        at = (
            given.place(path, claimed, quotation)
            if quotation.strip() and len(places) == 1
            else given.shown(path, claimed)
        )
        if at is None:
            return None
        to = match["to"] or "" if at.line == claimed else ""
        shown, link = f"`{path}:{at.line}{to}`", given.link(path, at)
        linked = f"[{shown}]({link})" if link else shown
        head = head[: match.start()] + linked + head[match.end() :]
    return head
