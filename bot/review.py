"""A review: what is asked of Claude, of whom, how hard it should think, and what is read in how many passes.

The instructions are in prompts/review.md, which every ask shares; here stands what differs between asks.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from bot.answer import Estimate
from bot.ask import Attached
from bot.diffs import LEGEND, PARTS, PASSES, Pass, Reading, fit, planned
from bot.prefetch import Fetched
from bot.redaction import Redactor
from bot.rules import Rules, Workspace
from bot.turn import Brief, estimate

OFF_LOOP_CHARS = 60_000  # of an attached diff, beyond which reading it would hold up other asks
CHARS_PER_TOKEN = 3.0  # of a diff with its numbers, about
SYSTEM_TOKENS = 8_000  # of the words and tools that stand before everything, about
PASS_OUTPUT_TOKENS = 2_500  # of a pass, thoughts included, about

_DIFF = re.compile(r"^(diff --git |--- |Index: |From [0-9a-f]{7,40} )", re.MULTILINE)
_DEEP = re.compile(r"\b(deep|deeply|think hard|thorough(ly)?)\b", re.IGNORECASE)


def brief(text: str, rules: Rules, workspace: Workspace, *, tools: bool) -> Brief:
    """What a review's turn is told; "deep" asks the deep model.

    Args:
        text: the asker's words.
        rules: the channel's.
        workspace: what holds for all channels together.
        tools: whether this person may have Claude use tools.
    """
    deep = _DEEP.search(_prose(text)) is not None
    made = Brief(
        feature="review",
        model=rules.model,
        effort=rules.effort,
        rules=rules,
        workspace=workspace,
        tools=tools,
    )
    return made.deeper() if deep else made


def question(text: str) -> str:
    """The request as Claude reads it: pasted code alone is a request for a review."""
    return text if _prose(text).strip() else f"Please review this.\n\n{text}"


async def prepared(
    brief: Brief, files: Sequence[Attached], fetched: Sequence[Fetched] = (), *, at: float = 0.0
) -> tuple[Brief, list[Attached], list[tuple[str, str, str]]]:
    """What is to be read in which way: all at once, or part by part before the answer is written.

    Args:
        brief: what the turn is to do.
        files: as they were attached; the diffs among them come back with numbered lines.
        fetched: what the words name, read already.
        at: epoch seconds, for the estimate of what passes take.

    Returns:
        The brief with its changes and passes, the attached files, and what else was read, as tool, input and result.
    """
    opened = [await _opened(file, brief) for file in files]
    if brief.feature != "review":
        return brief, [_all_at_once(file, reading) for file, reading in opened], []
    readings = [one.reading for one in fetched if one.reading]
    readings += [reading for _, reading in opened if reading]
    brief = replace(
        brief,
        readings=tuple(readings),
        passes=passes(readings, small=brief.small),
        standing=tuple(finding for one in fetched for finding in one.standing),
    )
    if brief.passes:
        brief = replace(brief, beyond=brief.beyond + beyond(brief, at))
        attached = [_overview(file, reading) for file, reading in opened]
        return brief, attached, [one.told(whole=False) for one in fetched]
    attached = [_first_part(file, reading) for file, reading in opened]
    return brief, attached, [one.told() for one in fetched]


def passes(readings: Sequence[Reading], *, small: bool = False) -> tuple[Pass, ...]:
    """The parts that are read one by one, the riskiest first; none where one request holds what is to be read.

    Args:
        readings: the changes.
        small: the riskiest part of each is enough.
    """
    return planned(readings, 1 if small else PASSES)


def beyond(brief: Brief, at: float) -> Estimate:
    """What the passes of a review are likely to take together, before the answer is written."""
    overview = sum(len(reading.overview()) for reading in brief.readings)
    shared = SYSTEM_TOKENS + round(overview / CHARS_PER_TOKEN)
    total, seconds = Estimate(), 0.0
    for n, part in enumerate(brief.passes):
        own = round(len(brief.readings[part.change].fitted.parts[part.n - 1]) / CHARS_PER_TOKEN)
        took = estimate.of(
            brief.model,
            prompt=shared + own,
            cached=shared if n else 0,
            output=PASS_OUTPUT_TOKENS,
            at=at,
        )
        total += took
        seconds = took.seconds * (2 if n else 1)  # the first alone, the others side by side
    return replace(total, seconds=seconds)


def _is_diff(file: Attached) -> bool:
    named = file.name.lower().endswith((".diff", ".patch"))
    return bool(file.text) and (named or _DIFF.match(file.text) is not None)


async def _opened(file: Attached, brief: Brief) -> tuple[Attached, Reading | None]:
    """A file, and how it is read if it is a diff."""
    if not _is_diff(file):
        return file, None
    count = PASSES if brief.feature == "review" else PARTS
    make = partial(fit, file.text, mask=Redactor(brief.rules.redact).line, parts=count)
    fitted = make() if len(file.text) < OFF_LOOP_CHARS else await asyncio.to_thread(make)
    if not fitted.coverage.all_files:
        return file, None  # it only looked like a diff
    return file, Reading("", file.name, "", "", "", fitted.warnings, fitted)


def _all_at_once(file: Attached, reading: Reading | None) -> Attached:
    return _with_parts(file, reading, reading.fitted.parts) if reading else file


def _first_part(file: Attached, reading: Reading | None) -> Attached:
    return _with_parts(file, reading, reading.fitted.parts[:1]) if reading else file


def _with_parts(file: Attached, reading: Reading, parts: Sequence[str]) -> Attached:
    head = [f"Read: {reading.fitted.coverage.sentence}.", *reading.remarks, LEGEND]
    return replace(file, text="\n\n".join(["\n".join(head), *parts]))


def _overview(file: Attached, reading: Reading | None) -> Attached:
    return replace(file, text=reading.overview()) if reading else file


def _prose(text: str) -> str:
    """The words around the code, so that a variable named `deep` decides nothing."""
    return re.sub(r"```.*?(```|\Z)", " ", text, flags=re.DOTALL)
