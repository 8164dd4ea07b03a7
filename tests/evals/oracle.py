"""A mind that knows the sets: it finds exactly what is written down, and says exactly what must be said."""

import html
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.demo.claude.reply import Draft, Use
from bot.diffs.patch import read
from bot.evals.cases import Case, Defect, ReviewCase
from bot.evals.material import PULL


class Oracle:
    """Answers in Claude's place.

    Args:
        cases: all that may be asked about.
    """

    def __init__(self, cases: Sequence[Case]) -> None:
        self._cases = cases

    def answer(self, body: Mapping[str, Any]) -> Draft:
        """A judgement by the very words, the right answer, or first a look at the ticket."""
        if body["max_tokens"] == 0:
            return Draft()
        if (body.get("output_config") or {}).get("format"):
            return Draft(json.dumps(_judgement(str(body["messages"][0]["content"][0]["text"]))))
        given = json.dumps(body["messages"], ensure_ascii=False)
        if PULL in given:
            return Draft(_review(self._of_title(given)))
        [key] = set(re.findall(r"Summarise the ticket ([A-Z]+-\d+)\.", given))
        if '"tool_result"' not in given:
            return Draft("", "", (Use("jira_get_issue", {"key": key}),))
        return Draft(self._summary(key))

    def _of_title(self, given: str) -> ReviewCase:
        """The case whose title stands at the head of the change."""
        [found] = [
            case
            for case in self._cases
            if isinstance(case, ReviewCase)
            and f"#1: {json.dumps(case.title, ensure_ascii=False)[1:-1]}\\n" in html.unescape(given)
        ]
        return found

    def _summary(self, key: str) -> str:
        [case] = [c for c in self._cases if not isinstance(c, ReviewCase) and c.issue.key == key]
        return "\n".join(case.must)


def _review(case: ReviewCase) -> str:
    if not case.defects:
        return "**No findings.** I would merge it."
    return "\n\n".join(
        [f"**{len(case.defects)} findings**.", *(_finding(case, d) for d in case.defects)]
    )


def _finding(case: ReviewCase, defect: Defect) -> str:
    """A finding at the first line of a defect's window that can be quoted."""
    rows = {
        row.new: row.text
        for file in read(case.diff)
        if file.path == defect.path
        for hunk in file.hunks
        for row in hunk.rows
        if row.new
    }
    line = next(n for n in range(defect.lines[0], defect.lines[1] + 1) if rows[n].strip(" {}()[];"))
    head = f"**{defect.severity.title()}: It goes wrong** (`{defect.path}:{line}`)"
    return f"{head}\n```\n{rows[line]}\n```\nNamely: {defect.criterion}"


def _judgement(words: str) -> dict[str, bool]:
    text = words.split("<purser:text>")[1].split("</purser:text>", maxsplit=1)[0]
    said = re.findall(r'<purser:statement n="(\d+)" kind="\w+">(.*?)</purser:statement>', words, re.DOTALL)  # fmt: skip
    return {f"statement_{n}": statement in text for n, statement in said}
