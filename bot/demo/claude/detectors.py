"""Named detectors: each knows one mistake, finds the lines it is about and says what follows from it."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from bot.demo.claude.sources import Language, Line, Source

Severity = Literal["Blocker", "Major", "Minor"]
Find = Callable[[Source], Iterable[Line]]
ANY: tuple[Language, ...] = ("python", "js", "java", "go", "sql", "shell", "text")
PYTHON: tuple[Language, ...] = ("python", "text")
CURLY: tuple[Language, ...] = ("js", "java", "go", "text")
MONEY = r"(?:price|amount|total|cost|fee|balance|money|tax|salary|invoice|refund|discount)"


@dataclass(frozen=True, slots=True)
class Detector:
    """One mistake.

    Attributes:
        title: what goes wrong, in one sentence.
        when: the input or moment that makes it go wrong.
        mend: what to do instead.
    """

    name: str
    severity: Severity
    languages: tuple[Language, ...]
    find: Find
    title: str
    when: str
    mend: str


def lines(pattern: str, *, unless: str = "", flags: int = 0) -> Find:
    """Find lines that match, unless they match something else."""
    wanted, exempt = re.compile(pattern, flags), re.compile(unless, flags) if unless else None

    def find(source: Source) -> Iterator[Line]:
        for line in source.code:
            if wanted.search(line.text) and not (exempt and exempt.search(line.text)):
                yield line

    return find


def then(first: str, second: str, *, within: int = 3, unless: str = "") -> Find:
    """Find lines that match and are followed closely by a second match.

    `second` may name groups of the first as {name}; `unless` looks at the whole text.
    """
    opening = re.compile(first)

    def find(source: Source) -> Iterator[Line]:
        if unless and re.search(unless, source.text):
            return
        code = source.code
        for i, line in enumerate(code):
            m = opening.search(line.text)
            if m is None:
                continue
            groups = {k: re.escape(v or "") for k, v in m.groupdict().items()}
            follow = second
            for name, value in groups.items():
                follow = follow.replace(f"{{{name}}}", value)
            if any(re.search(follow, after.text) for after in code[i + 1 : i + 1 + within]):
                yield line

    return find


def mutable_defaults(source: Source) -> Iterator[Line]:
    """Find default arguments that all calls share, also in signatures of several lines."""
    depth = 0
    literal = re.compile(
        r"[(,]?\s*\w+\s*(:[^=,()]+(\[[^\]]*\])?)?\s*=\s*(\[\s*\]|\{\s*\}|set\(\)|list\(\)|dict\(\))"
    )
    for line in source.code:
        started = re.match(r"\s*(async\s+)?def\s+\w+\s*\(", line.text)
        if started:
            depth = 0
        if started or depth > 0:
            signature = line.text[started.end() - 1 :] if started else line.text
            if literal.search(signature.split("):")[0]):
                yield line
            depth += line.text.count("(") - line.text.count(")")


def missing_awaits(source: Source) -> Iterator[Line]:
    """Find coroutines that are called and never awaited."""
    names = set(re.findall(r"async def (\w+)", source.text))
    names |= set(re.findall(r"async function (\w+)", source.text))
    names |= set(re.findall(r"(?:const|let) (\w+) = async\b", source.text))
    called = "|".join(sorted(map(re.escape, names))) or "(?!)"
    bare = re.compile(rf"(?<![\w.])(?:self\.|this\.)?(?:{called}|asyncio\.sleep)\(")
    fine = re.compile(
        r"\bawait\b|async def|async function|create_task|ensure_future|gather|run\(|wait|yield|\.then\(|"
        r"Promise\.|TaskGroup|run_until_complete|return "
    )
    for line in source.code:
        if bare.search(line.text) and not fine.search(line.text):
            yield line


def blocking_calls(source: Source) -> Iterator[Line]:
    """Find calls that hold the event loop, inside of coroutines."""
    inside = None
    blocking = re.compile(r"\btime\.sleep\(|\brequests\.(get|post|put|delete|patch)\(|\burlopen\(")
    for line in source.code:
        indent = len(line.text) - len(line.text.lstrip())
        if re.match(r"\s*async def ", line.text):
            inside = indent
        elif inside is not None and indent <= inside:
            inside = None
        elif inside is not None and blocking.search(line.text):
            yield line


def unclosed(source: Source) -> Iterator[Line]:
    """Find what is opened and not closed on every way out."""
    closed = _seen(source, r"finally:[\s\S]*\b{}\.close\(\)|with (closing\()?{}\b")
    opened = re.compile(
        r"(\w+)\s*=\s*(open|socket\.socket|sqlite3\.connect|urlopen|psycopg2?\.connect)\("
    )
    for line in source.code:
        m = opened.search(line.text)
        if m and not re.search(r"^\s*(with|async with)\b", line.text):
            if not closed(m[1]):
                yield line
        elif re.search(r"(?<!\w)open\([^)]*\)\.(read|write|readlines)\(", line.text):
            yield line


def unchecked_index(source: Source) -> Iterator[Line]:
    """Find first or last elements taken of what may be empty."""
    checked = _seen(source, r"\b(if|while|assert)\b[^\n]*\b{}\b|len\({}")
    taken = re.compile(r"(?P<name>[A-Za-z_][\w.]*)(?P<call>\([^()]*\))?\[(0|-1|1)\]")
    for line in source.code:
        m = taken.search(line.text)
        if not m or line.text.lstrip().startswith(("if ", "elif ", "assert ", "while ")):
            continue
        name = re.escape(m["name"].split(".")[0])
        if m["call"] or m["name"].endswith("argv"):
            if (
                re.search(r"\.(split|fetchone|findall|fetchall|match|groups)\(", line.text)
                or "argv" in m["name"]
            ):
                yield line
        elif not checked(name):
            yield line


def backward_expiry(source: Source) -> Iterator[Line]:
    """Find ages that are compared the wrong way round where something is asked to be too old."""
    opened = -1
    for place, line in enumerate(source.code):
        if re.search(
            r"\bis_?(void|expired|stale|outdated|too_old)\b.*[({]", line.text, re.IGNORECASE
        ):
            opened = place
        elif 0 <= opened >= place - 3 and re.search(r"\breturn\b.*\w\s*-\s*\w.*<", line.text):
            yield line


def empty_average(source: Source) -> Iterator[Line]:
    """Find divisions by a length that may be zero."""
    checked = _seen(source, r"\bif\b[^\n]*\b{}\b")
    for line in source.code:
        m = re.search(r"/\s*(?:len\((\w+)\)|(\w+)\.(?:length|size\(\)))", line.text)
        if m and not checked(m[1] or m[2]):
            yield line


def removal_while_iterating(source: Source) -> Iterator[Line]:
    """Find collections that change under their own loop."""
    loop: tuple[str, int] | None = None
    for line in source.code:
        indent = len(line.text) - len(line.text.lstrip())
        m = re.match(r"\s*for\s+.+\s+in\s+(\w+)(\.(?:items|keys|values)\(\))?\s*:", line.text)
        if m:
            loop = (m[1], indent)
        elif loop and indent <= loop[1]:
            loop = None
        elif loop and re.search(
            rf"\b{loop[0]}\.(remove|pop|append|insert)\(|\bdel\s+{loop[0]}\[", line.text
        ):
            yield line


def _seen(source: Source, pattern: str) -> Callable[[str], bool]:
    """Give a test whether the code has the pattern for a name (in place of each {}).

    Each name is looked for once, however many lines it stands in.
    """
    text, known = source.text, dict[str, bool]()

    def seen(name: str) -> bool:
        if name not in known:
            known[name] = re.search(pattern.replace("{}", name), text) is not None
        return known[name]

    return seen


def masked(line: Line) -> str:
    """Give a line's text up to its first quotation mark: a secret is not repeated."""
    return re.split(r"[\"'`]", line.text, maxsplit=1)[0].rstrip()
