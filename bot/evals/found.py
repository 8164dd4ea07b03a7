"""The findings of a review that is whole, read from the form that prompts/review.md asks for. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_HEAD = re.compile(r"(?:\d+\. |- )?\*\*(Blocker|Major|Minor)\b")
# What ends a finding: the next one, a heading, or one of the closing lines.
_END = re.compile(r"(?:\d+\. |- )?\*\*|#|(?:Not checked|Read|Questions?|And \d+ more)\b")
_PLACE = re.compile(r"`(?P<path>[^`\s]+?):(?P<first>[1-9]\d{0,6})(?:-(?P<last>[1-9]\d{0,6}))?`")


@dataclass(frozen=True, slots=True)
class Place:
    """Lines of a file, first and last, as a finding names them."""

    path: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: how bad, where, and all its words, the quotation among them."""

    severity: str
    places: tuple[Place, ...]
    text: str


def findings(answer: str) -> tuple[Finding, ...]:
    """The findings of an answer, in their order."""
    return tuple(_finding(block) for block in _blocks(answer))


def _blocks(answer: str) -> Iterator[list[str]]:
    """The lines of each finding; inside of fenced code nothing begins or ends one."""
    block: list[str] = []
    fenced = False
    for line in answer.split("\n"):
        if not fenced and _HEAD.match(line):
            if block:
                yield block
            block = [line]
        elif block and not fenced and _END.match(line):
            yield block
            block = []
        elif block:
            block.append(line)
        fenced ^= line.lstrip().startswith("```")
    if block:
        yield block


def _finding(block: list[str]) -> Finding:
    head = _HEAD.match(block[0])
    places = tuple(
        Place(found["path"], int(found["first"]), int(found["last"] or found["first"]))
        for found in _PLACE.finditer(block[0])
    )
    return Finding(head[1].lower() if head else "", places, "\n".join(block).strip())
