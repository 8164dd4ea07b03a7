"""A review: what is asked of Claude, of whom, how hard it should think, and attached diffs made fit for it.

The instructions are in prompts/review.md, which every ask shares; here stands what differs between asks.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from bot.ask import Attached
from bot.diffs import LEGEND, fit
from bot.redaction import Redactor
from bot.rules import Rules, Workspace
from bot.turn import Brief

OFF_LOOP_CHARS = 60_000  # of an attached diff, beyond which reading it would hold up other asks

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
    return Brief(
        feature="review",
        model=rules.deep_model if deep else rules.model,
        effort="high" if deep else rules.effort,
        rules=rules,
        workspace=workspace,
        tools=tools,
    )


def question(text: str) -> str:
    """The request as Claude reads it: pasted code alone is a request for a review."""
    return text if _prose(text).strip() else f"Please review this.\n\n{text}"


async def readable(files: Sequence[Attached], rules: Rules) -> list[Attached]:
    """Attached files, the diffs among them with numbered lines and with what was left out of them named.

    Args:
        files: as they were attached; all others come back as they are.
        rules: the channel's.
    """
    return [await _numbered(file, rules) if _is_diff(file) else file for file in files]


def _is_diff(file: Attached) -> bool:
    named = file.name.lower().endswith((".diff", ".patch"))
    return bool(file.text) and (named or _DIFF.match(file.text) is not None)


async def _numbered(file: Attached, rules: Rules) -> Attached:
    make = partial(fit, file.text, mask=Redactor(rules.redact).line)
    fitted = make() if len(file.text) < OFF_LOOP_CHARS else await asyncio.to_thread(make)
    if not fitted.coverage.all_files:
        return file  # it only looked like a diff
    head = [f"Read: {fitted.coverage.sentence}.", *fitted.warnings, LEGEND]
    return replace(file, text="\n\n".join(["\n".join(head), *fitted.parts]))


def _prose(text: str) -> str:
    """The words around the code, so that a variable named `deep` decides nothing."""
    return re.sub(r"```.*?(```|\Z)", " ", text, flags=re.DOTALL)
