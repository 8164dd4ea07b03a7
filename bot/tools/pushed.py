"""Another look at a change that was reviewed: what was pushed since, and what became of each finding.

    kept review -> the change now -> compare old head...new head -> Reading, with a fact about each earlier finding

Whether the quoted code still stands in its file is decided here and told to Claude as a fact; whether what was wrong
is mended, or only moved, it has to judge by what changed.
"""

import asyncio
import re
from dataclasses import replace

from bot.diffs import PASSES, Coverage, Fitted, Reading
from bot.errors import ToolProblem
from bot.findings.kept import Kept, standing
from bot.findings.shape import Finding, digest
from bot.tool_runner import ToolContext
from bot.tools.pulls import Pulls

UNCHANGED = "Nothing was pushed since the earlier review, at {head}."
SINCE = "Only what was pushed since the earlier review is given: {old} to {head}."
FORCED = (
    "What was pushed since the earlier review, at {old}, cannot be compared: {problem} Most likely the branch was "
    "force-pushed. The whole change is given as it is now."
)
STILL = "still there, at line {line}"
GONE = "its code is no longer in the file: judge by the changes whether it is fixed, or gone with its code"
FILE_GONE = "its file is gone"
UNKNOWN = "its file could not be read"
_PULL = re.compile(r"/pulls?/\d+[^/]*.*$")


def moves(url: str) -> bool:
    """Whether what an address names may change: a pull request's head does, a commit's never."""
    return _PULL.search(url) is not None


async def pushed(
    pulls: Pulls, kept: Kept, context: ToolContext
) -> tuple[Reading, tuple[Finding, ...]]:
    """Read what happened to a change since its review.

    Args:
        pulls: reads GitHub, as far as the policy lets it.
        kept: the review.
        context: for whom, and within which time.

    Returns:
        The change, and the earlier findings whose code still stands.

    Raises:
        ToolProblem: the change was not read; the sentence says why and what to do.
    """
    now = await pulls.read(kept.url, context, parts=PASSES)
    fitted, remarks = await _since(pulls, kept, now, context)
    lines = await asyncio.gather(
        *(_line(pulls, kept, one, now.sha, context) for one in kept.findings)
    )
    told = [
        _told(n, one, at) for n, (one, at) in enumerate(zip(kept.findings, lines, strict=True), 1)
    ]
    heading = f"## What the earlier review found, at {kept.head[:12]}"
    body = "\n".join([heading, *(told or ["No findings."])])
    still = tuple(
        replace(one, line=at) for one, at in zip(kept.findings, lines, strict=True) if at and at > 0
    )
    sections = [section for section in (now.body, body) if section]
    return replace(now, body="\n\n".join(sections), remarks=remarks, fitted=fitted), still


async def _since(
    pulls: Pulls, kept: Kept, now: Reading, context: ToolContext
) -> tuple[Fitted, tuple[str, ...]]:
    """The diff of what was pushed, and sentences on it."""
    old, head = kept.head[:12], now.sha[:12]
    if now.sha == kept.head:
        return Fitted((), Coverage(0, 0, 0, 0)), (UNCHANGED.format(head=head),)
    compare = _PULL.sub(f"/compare/{kept.head}...{now.sha}", kept.url)
    try:
        since = await pulls.read(compare, context, parts=PASSES)
    except ToolProblem as problem:
        return now.fitted, (FORCED.format(old=old, problem=problem), *now.remarks)
    return since.fitted, (SINCE.format(old=old, head=head), *since.remarks)


async def _line(
    pulls: Pulls, kept: Kept, one: Finding, sha: str, context: ToolContext
) -> int | None:
    """Where a finding's code stands now: 0 nowhere, -1 where its file is gone, None where nobody can say."""
    if not one.path:
        return None
    try:
        text = await pulls.text(kept.url, one.path, sha, context)
    except ToolProblem:
        return None
    return -1 if text is None else standing(one, text)


def _told(n: int, one: Finding, at: int | None) -> str:
    """A finding with its code and the fact about it."""
    fact = {None: UNKNOWN, 0: GONE, -1: FILE_GONE}.get(at, STILL.format(line=at))
    there = at is not None and at > 0
    shown = replace(one, line=at or 0, gone=False) if there else replace(one, gone=True)
    place = f"{one.path}:{one.line}" if one.path else "no place"
    return f"{digest([shown], [n])}\nEarlier finding {n}, {one.severity} at {place}: {fact}."
