"""Findings as data: asked for by a schema, held against the code, merged, and told again as text. Pure.

What a pass of a large review gives is never shown as it is: whatever does not hold is dropped and counted, what two
passes found alike is one finding, and the answer is written from the rest.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from bot.findings.given import Given, plain

Severity = Literal["Blocker", "Major", "Minor"]
SEVERITIES: tuple[Severity, ...] = ("Blocker", "Major", "Minor")
MOST = 40  # findings of all passes that the answer is written from, the worst first
QUESTIONS = 10
QUOTE_CHARS = 1_000
SENTENCE_CHARS = 600

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "findings": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "severity": {"type": "string", "enum": list(SEVERITIES)},
                    "path": {"type": "string"},
                    "line": {"type": "integer"},
                    "quote": {"type": "string"},
                    "sentence": {"type": "string"},
                    "detail": {"type": "string"},
                },
                "required": ["severity", "path", "line", "quote", "sentence", "detail"],
                "additionalProperties": False,
            },
        },
        "questions": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["findings", "questions"],
    "additionalProperties": False,
}
"""Of what a pass gives; the same bytes always, since another one empties the cache of all that stands behind it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong in one place.

    Attributes:
        line: in the new version, or in the old one where `gone`; 0 where it is not known.
        quote: the line or the few lines it is about.
        sentence: what goes wrong.
        detail: when, what then happens, and the mend.
    """

    severity: str
    path: str
    line: int
    quote: str
    sentence: str
    detail: str = ""
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What a pass gave: findings that hold, how many did not, and questions."""

    findings: tuple[Finding, ...] = ()
    dropped: int = 0
    questions: tuple[str, ...] = ()


def parsed(text: str) -> Found | None:
    """Findings out of a response; None where it breaks off or is none."""
    try:
        value: Any = json.loads(text)
        findings = tuple(_finding(one) for one in value["findings"])
        questions = tuple(_cut(str(one)) for one in value["questions"])
    except (ValueError, KeyError, TypeError):
        return None
    return Found(findings, 0, questions)


def checked(found: Found, given: Given) -> Found:
    """The findings whose file is there and whose quotation stands in it, each at its true line."""
    held = [_held(one, given) for one in found.findings]
    kept = tuple(one for one in held if one is not None)
    return replace(found, findings=kept, dropped=found.dropped + len(held) - len(kept))


def merged(passes: Iterable[Found]) -> Found:
    """What several passes gave as one, the worst first, nothing twice."""
    every = list(passes)
    findings: dict[tuple[str, int, bool], Finding] = {}
    quoted: set[tuple[str, str]] = set()
    for one in sorted((f for found in every for f in found.findings), key=_order):
        quote = (one.path, plain(one.quote))
        if (one.path, one.line, one.gone) not in findings and quote not in quoted:
            findings[one.path, one.line, one.gone] = one
        quoted.add(quote)
    questions = tuple(dict.fromkeys(q for found in every for q in found.questions))
    return Found(
        tuple(findings.values())[:MOST],
        sum(found.dropped for found in every),
        questions[:QUESTIONS],
    )


def digest(findings: Sequence[Finding], numbers: Sequence[int], *, link: str = "") -> str:
    """Findings as the answer is written from them: the code with its number, then the words.

    Args:
        findings: in their order.
        numbers: of each.
        link: the line that says where people look at the files, "" where nothing is known.
    """
    told = [link] if link else []
    for n, one in zip(numbers, findings, strict=True):
        sign = "-" if one.gone else "+"
        told.append(f"### {one.path} · finding {n} · {one.severity}")
        rows = one.quote.strip("\n").split("\n")
        told += [f"{sign}{one.line + i:>5}| {_unsigned(row)}" for i, row in enumerate(rows)]
        told += [one.sentence, *([one.detail] if one.detail else [])]
    return "\n".join(told)


def markdown(findings: Sequence[Finding]) -> str:
    """Findings as people read them, where nobody is left to write the answer."""
    return "\n\n".join(
        f"**{one.severity}: {one.sentence}** (`{one.path}:{one.line}`)\n"
        f"```\n{one.quote.strip(chr(10))}\n```\n{one.detail}".rstrip()
        for one in findings
    )


def _finding(value: Any) -> Finding:
    one = cast("dict[str, Any]", value)
    return Finding(
        severity=one["severity"] if one["severity"] in SEVERITIES else "Minor",
        path=str(one["path"]).strip(),
        line=max(0, int(one["line"])),
        quote=str(one["quote"])[:QUOTE_CHARS],
        sentence=_cut(str(one["sentence"])),
        detail=_cut(str(one["detail"])),
    )


def _held(one: Finding, given: Given) -> Finding | None:
    path = given.path(one.path)
    if not path or not given.has(one.quote):
        return None
    at = given.place(path, one.line, one.quote)
    return None if at is None else replace(one, path=path, line=at.line, gone=at.gone)


def _order(one: Finding) -> tuple[int, str, int]:
    rank = SEVERITIES.index(cast("Severity", one.severity))
    return (rank, one.path, one.line)


def _unsigned(row: str) -> str:
    """A quoted line without the sign or the number that stood before it."""
    return row[1:] if row[:1] in {"+", "-"} else row


def _cut(text: str) -> str:
    """One line, so that no word of it passes for code or for a heading."""
    return " ".join(text.split())[:SENTENCE_CHARS]
