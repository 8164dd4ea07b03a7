"""A review by the program: what its detectors found, quoted with place, and what it did not look at."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.demo.claude.catalogue import ALL, SECRETS
from bot.demo.claude.detectors import Detector, masked
from bot.demo.claude.sources import Line, Source

AT_MOST = 8  # findings told in full
PLACES = 4  # named per finding
ORDER = ("Blocker", "Major", "Minor")
FENCES = {"python": "python", "js": "js", "java": "java", "go": "go", "sql": "sql", "shell": "sh"}
PASSED = re.compile(
    r"^### (?P<path>.+?) · finding \d+ · (?P<severity>\w+)\n(?P<rows>(?:[+-] *\d+\| .*\n)+)(?P<sentence>.+)\n(?P<detail>.*)$",
    re.MULTILINE,
)
# Where both strike the same line, the first says it better.
COVERS = {"swallowed-exception": "bare-except", "blocking-in-async": "no-timeout"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake and all the places where it was found."""

    detector: Detector
    source: Source
    lines: tuple[Line, ...]


def review(given: tuple[Source, ...]) -> str:
    """Judge code by all detectors that know its language."""
    findings = sorted(
        (finding for source in given for finding in _judge(source)),
        key=lambda f: ORDER.index(f.detector.severity),
    )
    parts = [_verdict(findings), *(_told(f) for f in findings[:AT_MOST])]
    if len(findings) > AT_MOST:
        rest = ", ".join(f"{f.detector.name} ({_places(f)})" for f in findings[AT_MOST:])
        parts.append(f"And {len(findings) - AT_MOST} more: {rest}.")
    parts.extend((_read(given), _limits(given, names=not findings)))
    return "\n\n".join(parts)


def data(given: tuple[Source, ...]) -> dict[str, Any]:
    """The same findings for a schema, each place by itself."""
    found = [
        {
            "severity": finding.detector.severity,
            "path": finding.source.name,
            "line": line.number,
            "quote": _quote(finding, line),
            "sentence": finding.detector.title,
            "detail": f"{finding.detector.when} {finding.detector.mend}",
        }
        for source in given
        for finding in _judge(source)
        for line in finding.lines[:PLACES]
    ]
    return {"findings": found, "questions": []}


def retold(text: str) -> str:
    """A review out of what passes found."""
    found = [m.groupdict() for m in PASSED.finditer(text)]
    parts = [_merge([f["severity"] for f in found])]
    for f in found[:AT_MOST]:
        quote = "\n".join(row.partition("| ")[2] for row in f["rows"].rstrip("\n").split("\n"))
        line = int(f["rows"][1:].partition("|")[0])
        parts.append(
            f"**{f['severity']}: {f['sentence']}** (`{f['path']}:{line}`)\n```\n{quote}\n```\n{f['detail']}"
        )
    if len(found) > AT_MOST:
        parts.append(f"And {len(found) - AT_MOST} more.")
    return "\n\n".join(parts)


def thought(given: tuple[Source, ...]) -> str:
    """Say what the review goes through, for the thinking that is shown."""
    return " ".join(
        f"Reading {len(s.lines)} lines of {s.language}"
        f"{' in ' + s.name if s.name else ''} with {len(_detectors(s))} detectors."
        for s in given
    )


def _detectors(source: Source) -> list[Detector]:
    return [d for d in ALL if source.language in d.languages]


def _judge(source: Source) -> list[Finding]:
    found = {d.name: Finding(d, source, tuple(d.find(source))) for d in _detectors(source)}
    for better, worse in COVERS.items():
        if better in found and worse in found:
            taken = {line.number for line in found[better].lines}
            rest = tuple(x for x in found[worse].lines if x.number not in taken)
            found[worse] = Finding(found[worse].detector, source, rest)
    return [finding for finding in found.values() if finding.lines]


def _verdict(findings: list[Finding]) -> str:
    return _merge([f.detector.severity for f in findings])


def _merge(findings: Sequence[str]) -> str:
    if not findings:
        return "**No findings.** As far as my detectors reach I would merge it."
    counts = [(s, sum(found == s for found in findings)) for s in ORDER]
    named = ", ".join(f"{n} {s.lower()}{'s' if n > 1 else ''}" for s, n in counts if n)
    merge = "I would not merge this yet" if counts[0][1] or counts[1][1] else "I would merge it"
    word = "finding" if len(findings) == 1 else "findings"
    return f"**{len(findings)} {word}** ({named}). {merge}."


def _told(finding: Finding) -> str:
    detector, first = finding.detector, finding.lines[0]
    quote = _quote(finding, first)
    fence = FENCES.get(finding.source.language, "")
    return (
        f"**{detector.severity}: {detector.title}** ({_places(finding)})\n"
        f"```{fence}\n{quote}\n```\n{detector.when} {detector.mend}"
    )


def _quote(finding: Finding, line: Line) -> str:
    return masked(line) if finding.detector is SECRETS else line.text.strip()


def _places(finding: Finding) -> str:
    shown = [finding.source.place(line) for line in finding.lines[:PLACES]]
    more = len(finding.lines) - PLACES
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _read(given: tuple[Source, ...]) -> str:
    told: list[str] = []
    for source in given:
        code = source.code or source.lines
        where = f" of `{source.name}`" if source.name else ""
        told.append(
            f"{len(source.lines)} lines{where} ({source.language}), from "
            f"`{_short(code[0])}` to `{_short(code[-1])}`"
        )
    return f"Read: {'; '.join(told)}."


def _short(line: Line) -> str:
    secret = any(True for _ in SECRETS.find(Source("", "text", (line,))))
    return (masked(line) if secret else line.text).strip().replace("`", "'")[:80]


def _limits(given: tuple[Source, ...], *, names: bool) -> str:
    used = dict.fromkeys(d.name for source in given for d in _detectors(source))
    listed = f" Looked for: {', '.join(used)}." if names else ""
    return (
        "Not checked: whether it does what was meant, its tests, its callers, and anything that "
        f"my {len(used)} detectors don't know.{listed}"
    )
