"""Where code stands in what was given: pasted, attached, in a diff, in the thread."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bot.demo.claude.reading import FENCE, Heard

LINE = 500  # characters of a line that is judged
Language = Literal["python", "js", "java", "go", "sql", "shell", "text"]
HUNK = re.compile(r"^@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@")
SHOWN = re.compile(r"^([ +-])\s*(\d+)\| (.*)$")  # a line of a diff with its number before it
HEADING = re.compile(r"^### (.+?) · ")  # of a file in such a diff
NUMBERED = re.compile(r"^\s{0,6}(\d{1,6})[ \t]*[|:\t][ \t]?(.*)$")
COMMENT = re.compile(r"^\s*(#(?!!)|//|--\s|\*|/\*)")
CODE_FILE = re.compile(
    r"\.(py|js|jsx|ts|tsx|mjs|java|kt|go|rb|rs|c|h|cc|cpp|cs|php|sql|sh|bash|diff|patch)$",
    re.IGNORECASE,
)
BY_NAME: dict[str, Language] = {
    "py": "python",
    "python": "python",
    "js": "js",
    "jsx": "js",
    "ts": "js",
    "tsx": "js",
    "mjs": "js",
    "javascript": "js",
    "typescript": "js",
    "java": "java",
    "kt": "java",
    "cs": "java",
    "go": "go",
    "golang": "go",
    "sql": "sql",
    "sh": "shell",
    "bash": "shell",
}
SIGNS: tuple[tuple[Language, re.Pattern[str]], ...] = (
    ("python", re.compile(r"^\s*(async )?def \w+\(|^\s*(import \w+|from [\w.]+ import)|^\s*elif |^\s*(if|for|while|with|try|except|class)\b.*:\s*$", re.MULTILINE)),
    ("go", re.compile(r"^\s*func |:=|^package \w+", re.MULTILINE)),
    ("java", re.compile(r"^\s*(public|private|protected|static|final)\s|\bString \w+", re.MULTILINE)),
    ("js", re.compile(r"\b(const|let|var) \w+|=>|\bfunction\b|===|console\.", re.MULTILINE)),
    ("sql", re.compile(r"^\s*(select|insert|update|delete|alter|create)\b", re.MULTILINE | re.IGNORECASE)),
    ("shell", re.compile(r"^#!|\$\{?\w+\}?|\bfi\b", re.MULTILINE)),
)  # fmt: skip
PASTED = re.compile(r"[;{}]\s*$|\w\(.*\)|^\s*(def|class|func|import|return|if|for)\b|[^=!<>]=[^=]")


@dataclass(frozen=True, slots=True)
class Line:
    """One line that may be judged; `number` as it was given or counted."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Source:
    """Some code: in a diff only what was added.

    Attributes:
        name: the file's, "" for what was pasted.
        read: how many lines were looked at.
    """

    name: str
    language: Language
    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        """All its lines."""
        return "\n".join(line.text for line in self.lines)

    @property
    def code(self) -> tuple[Line, ...]:
        """Its lines without comments, empty ones, and those too long to be written by a person."""
        return tuple(
            x
            for x in self.lines
            if x.text.strip() and len(x.text) <= LINE and not COMMENT.match(x.text)
        )

    def place(self, line: Line) -> str:
        """Where a line stands."""
        return f"`{self.name}:{line.number}`" if self.name else f"line {line.number}"


def sources(heard: Heard) -> tuple[Source, ...]:
    """Give all code of an ask: its own first; of the thread only where it has none itself."""
    found = [s for language, code in heard.code for s in _read("", code, language)]
    for file in heard.files:
        if not file.text.startswith("[not read") and _is_code(file.name, file.text):
            found.extend(_read(file.name, file.text, ""))
    for result in heard.result_of("pull_request_diff", "repository_file"):
        if not result.failed:
            found.extend(_read(str(result.input.get("path", "")), result.text, ""))
    if not found:
        found.extend(_unfenced(heard.question))
    if not found:
        for said in heard.said:
            for m in FENCE.finditer(said.text):
                found.extend(_read("", m["code"], m["language"]))
    return tuple(source for source in found if source.lines)


def _is_code(name: str, text: str) -> bool:
    return CODE_FILE.search(name) is not None or HUNK.search(text) is not None


def _unfenced(question: str) -> Iterator[Source]:
    """Lines of code pasted without a fence."""
    lines = question.splitlines()
    coded = [
        i
        for i, line in enumerate(lines)
        if len(line) <= LINE and "http" not in line and PASTED.search(line)
    ]
    if len(coded) < 2:
        return
    part = lines[coded[0] : coded[-1] + 1]
    yield from _read("", "\n".join(part), "")


def _read(name: str, text: str, language: str) -> Iterator[Source]:
    if re.search(HUNK.pattern, text, re.MULTILINE):
        yield from _diff(text)
        return
    rows = text.splitlines()
    numbered = [m for row in rows if (m := NUMBERED.match(row))]
    lines: list[Line] = []
    if len(numbered) * 2 > sum(bool(row.strip()) for row in rows):  # a heading may stand above
        lines = [Line(int(m[1]), m[2]) for m in numbered]
    else:
        lines = [Line(i, row) for i, row in enumerate(rows, start=1)]
    yield Source(name, _language(name, language, text), tuple(lines))


def _diff(text: str) -> Iterator[Source]:
    """The lines that a unified diff adds, with their numbers in the new file."""
    name, number, added = "", 0, list[Line]()
    for row in text.splitlines():
        hunk, heading, shown = HUNK.match(row), HEADING.match(row), SHOWN.match(row)
        if heading or row.startswith(("+++ ", "diff --git ")):
            if added:
                yield Source(name, _language(name, "", _joined(added)), tuple(added))
            added = []
            name = heading[1] if heading else row.split()[-1].removeprefix("b/")
        elif shown:
            if shown[1] == "+":
                added.append(Line(int(shown[2]), shown[3]))
        elif hunk:
            number = int(hunk[1])
        elif row.startswith("+"):
            added.append(Line(number, row[1:]))
            number += 1
        elif row.startswith(" ") or not row:
            number += 1
    if added:
        yield Source(name, _language(name, "", _joined(added)), tuple(added))


def _joined(lines: list[Line]) -> str:
    return "\n".join(line.text for line in lines)


def _language(name: str, hint: str, text: str) -> Language:
    told = BY_NAME.get(hint.lower()) or BY_NAME.get(name.rpartition(".")[2].lower())
    if told:
        return told
    scores: list[tuple[int, Language]] = [
        (len(pattern.findall(text)), language) for language, pattern in SIGNS
    ]
    best = max(scores, key=lambda pair: pair[0])
    guess: Language = best[1]
    return guess if best[0] else "text"
