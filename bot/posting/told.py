"""A review's answer taken apart as people saw it: the verdict, each finding with its words, and what else was said. Pure.

The words of prompts/review.md; what is written in another form stays where it stands.
"""

import re
from dataclasses import dataclass

_FINDING = re.compile(r"(?:\d+\. |- )?(?=\*\*(?:Blocker|Major|Minor)\b)")
_NEXT = re.compile(r"(?:\d+\. |- )?\*\*|#|(?:Not checked|Read|Questions?|And \d+ more)\b")
_SAID = re.compile(r"\*\*(?P<severity>Blocker|Major|Minor)\W+(?P<sentence>.*?)\*\*(?P<places>.*)")
_PLACE = re.compile(r"`[^`\s]+:\d+(?:-\d+)?`")
_FENCED = re.compile(r"^```(?P<info>[^\n]*)\n(?P<code>.*?)\n?^```[ \t]*$", re.DOTALL | re.MULTILINE)
SUGGESTION = (
    "suggestion"  # the language of a fence that holds what is to stand in the quoted lines' place
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A finding's words.

    Attributes:
        text: all of it.
        severity: Blocker, Major or Minor.
        sentence: what goes wrong.
        places: what stands behind the sentence, mostly its one place.
        several: it names more than one place.
        detail: what stands behind the quotation, a suggestion apart.
        suggestion: what is to stand in the quoted lines' place; None where nothing was suggested.
    """

    text: str
    severity: str
    sentence: str
    places: str
    several: bool
    detail: str
    suggestion: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """An answer: the verdict, its findings, and the rest, such as questions and what was read."""

    verdict: str
    pieces: tuple[Piece, ...]
    rest: str


def parted(text: str) -> Told:
    """Take an answer apart; joined again nothing of it is lost."""
    before: list[str] = []
    rest: list[str] = []
    found: list[tuple[re.Match[str], list[str]]] = []
    into = before
    fenced = False
    for line in text.split("\n"):
        said = _SAID.search(line) if not fenced and _FINDING.match(line) else None
        if said is not None:
            into = [_FINDING.sub("", line, count=1)]
            found.append((said, into))
        else:
            if not fenced and into not in (before, rest) and _NEXT.match(line):
                into = rest
            into.append(line)
        if line.startswith("```"):
            fenced = not fenced
    pieces = tuple(_piece(said, "\n".join(lines).strip()) for said, lines in found)
    return Told("\n".join(before).strip(), pieces, "\n".join(rest).strip())


def _piece(said: re.Match[str], text: str) -> Piece:
    below = text.partition("\n")[2].lstrip("\n")
    quoted = _FENCED.match(below)
    detail = below[quoted.end() :] if quoted else below
    suggested = [m for m in _FENCED.finditer(detail) if m["info"].strip() == SUGGESTION]
    if suggested:
        first = suggested[0]
        detail = f"{detail[: first.start()].rstrip()}\n\n{detail[first.end() :].lstrip()}"
    return Piece(
        text=text,
        severity=said["severity"],
        sentence=said["sentence"],
        places=said["places"].strip(),
        several=len(_PLACE.findall(said["places"])) > 1,
        detail=detail.strip(),
        suggestion=suggested[0]["code"] if suggested else None,
    )
