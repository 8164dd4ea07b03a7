"""A review as it would be posted: findings at their lines where the diff has them, everything else in its text. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.diffs import FileDiff, Row, read
from bot.drafts import signed, visible
from bot.findings import Finding
from bot.findings.given import plain
from bot.findings.kept import Kept
from bot.posting.told import SUGGESTION, Piece, parted
from integrations.github import Change, Remark, ReviewDraft
from integrations.github_writing import Side

SUGGESTED_LINES = 6  # of a suggestion that can be taken over by a click there
AT = "Reviewed at commit {head}."
MOVED = (
    "This review is for commit {head}. The branch was pushed to since, so the findings stand here and not at their "
    "lines."
)
_MENTION = re.compile(r"(?<![\w`/@])(@[A-Za-z0-9][\w/-]*)")
_CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]*`)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Place:
    """Lines of a diff, and whether they are letter for letter what was quoted."""

    start: int
    line: int
    side: Side
    exact: bool


def drafted(
    kept: Kept, told: Sequence[str], change: Change, *, link: str, name: str
) -> ReviewDraft:
    """A review to be posted.

    Args:
        kept: the findings that hold.
        told: the answer as people saw it, "" where it is gone; behind it those of earlier reviews, whose words for
            findings that still stand are taken over.
        change: the pull request as it is now.
        link: the beginning of links to its files at the commit that was reviewed.
        name: of who asked for it to be posted.
    """
    answer, *earlier = [parted(visible(one)) for one in told or [""]]
    moved = change.moving or change.head_sha != kept.head
    files = {} if moved else {file.path: file for file in read(change.diff)}
    words = {_key(piece): piece for piece in answer.pieces}
    known = {_key(piece): piece for one in reversed(earlier) for piece in one.pieces}
    remarks: list[Remark] = []
    above: list[str] = []
    for finding in kept.findings:
        piece = words.pop(_key(finding), None)
        place = _place(finding, files)
        if place is not None:
            remarks.append(_remark(finding, piece or known.get(_key(finding)), place))
        elif piece is not None:
            above.append(_plainly(piece.text))
        else:
            above.append(_told(finding, known.get(_key(finding)), link))
    above += [_plainly(piece.text) for piece in words.values()]
    foot = (MOVED if moved else AT).format(head=kept.head[:12])
    text = "\n\n".join(part for part in (answer.verdict, *above, answer.rest, foot) if part)
    return ReviewDraft(
        url=change.url or kept.url,
        repository=change.repository,
        number=change.number,
        title=f"{_line(change.title)} ({change.state})",
        head=kept.head,
        text=f"{signed(_unpinged(visible(text)), name)}, by Purser",
        remarks=tuple(remarks),
        moved=moved,
    )


def _remark(finding: Finding, piece: Piece | None, place: _Place) -> Remark:
    places = f" {piece.places}" if piece and piece.several else ""
    parts = [f"**{finding.severity}: {finding.sentence}**{places}"]
    if piece:
        parts += [piece.detail, _suggested(piece, place)]
    return Remark(
        path=finding.path,
        line=place.line,
        side=place.side,
        text=_unpinged(visible("\n\n".join(part for part in parts if part))),
        start=place.start if place.start < place.line else 0,
    )


def _suggested(piece: Piece, place: _Place) -> str:
    """A block that people can take over where it is short and replaces just what was quoted; else plain code."""
    if piece.suggestion is None:
        return ""
    short = piece.suggestion.count("\n") < SUGGESTED_LINES
    kind = SUGGESTION if short and place.exact and place.side == "RIGHT" else ""
    return f"```{kind}\n{piece.suggestion}\n```"


def _key(one: Finding | Piece) -> tuple[str, str]:
    """By what a finding and its words belong together."""
    return (one.severity, plain(one.sentence))


def _told(finding: Finding, piece: Piece | None, link: str) -> str:
    """A finding that the answer has no words for: as it was kept, with those of an earlier answer."""
    where = f" ([`{finding.path}:{finding.line}`]({link}{finding.path}#L{finding.line}))"
    head = f"**{finding.severity}: {finding.sentence}**{where if finding.path else ''}"
    quote = f"```\n{finding.quote}\n```" if finding.quote else ""
    return "\n".join(part for part in (head, quote, piece.detail if piece else "") if part)


def _place(finding: Finding, files: Mapping[str, FileDiff]) -> _Place | None:
    """Where the diff shows what was quoted: the new version first, what is nearest to the line that was said."""
    file = files.get(finding.path)
    if file is None:
        return None
    wanted = [plain(line) for line in finding.quote.split("\n") if plain(line)]
    sides: tuple[tuple[Side, str], ...] = (("RIGHT", "-"), ("LEFT", "+"))
    for lines in (wanted, wanted[:1]):
        for side, other in sides:
            found = [
                place
                for hunk in file.hunks
                for place in _places(
                    [r for r in hunk.rows if r.sign != other], lines, side, finding
                )
            ]
            if found:
                return min(found, key=lambda place: abs(place.start - finding.line))
    rows = [row for hunk in file.hunks for row in hunk.rows]
    if any(row.new == finding.line for row in rows if row.sign != "-"):
        return _Place(finding.line, finding.line, "RIGHT", exact=False)
    return None


def _places(
    rows: Sequence[Row], wanted: Sequence[str], side: Side, finding: Finding
) -> list[_Place]:
    """Every place of one side of a hunk where neighbouring lines are those that are wanted, empty ones apart."""
    full = [n for n, row in enumerate(rows) if plain(row.text)]
    found: list[_Place] = []
    for i in range(len(full) - len(wanted) + 1 if wanted else 0):
        at = full[i : i + len(wanted)]
        if not all(w in plain(rows[n].text) for n, w in zip(at, wanted, strict=True)):
            continue
        first, last = rows[at[0]], rows[at[-1]]
        start, line = (first.new, last.new) if side == "RIGHT" else (first.old, last.old)
        there = [row.text for row in rows[at[0] : at[-1] + 1]]
        found.append(_Place(start, line, side, there == finding.quote.split("\n")))
    return found


def _plainly(text: str) -> str:
    """Without blocks that only mean something at a line."""
    return text.replace(f"```{SUGGESTION}\n", "```\n")


def _unpinged(text: str) -> str:
    """The same, in which @somebody is code and so calls nobody."""
    parts = _CODE.split(text)
    return "".join(part if n % 2 else _MENTION.sub(r"`\1`", part) for n, part in enumerate(parts))


def _line(text: str) -> str:
    return " ".join(visible(text).split())[:300]
