"""A unified diff as files, hunks and rows with their line numbers; unidiff reads the hunks.

The headers of a file are read here, since git's have forms that unidiff rejects, and each file is read by itself, so
that a damaged one costs no other. Never raises: what is damaged is counted in `FileDiff.damaged`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import Literal

from unidiff.errors import UnidiffParseError
from unidiff.patch import Line, PatchSet

LINE_CHARS = 2_000  # of one line; the rest is cut, visibly
NAME_CHARS = 200  # of a file's name

Sign = Literal[" ", "+", "-"]
Status = Literal["added", "removed", "renamed", "copied", "modified"]

_FILE = re.compile(r"^(?=diff --(?:git|cc|combined) )", re.MULTILINE)
_HUNK = re.compile(r"@@ -\d{1,9}(?:,\d{1,9})? \+\d{1,9}(?:,\d{1,9})? @@")
_GIT = re.compile(r'diff --git (?:"?a/(?P<same>.+?)"? "?b/(?P=same)"?|.* "?b/(?P<new>.+?)"?)$')
_OCTAL = re.compile(rb"\\([0-7]{3})")
_SIGNATURE = re.compile(r"^-- \n\d+\.\d[^\n]*\n?", re.MULTILINE)  # under a patch sent by mail
_CONFLICT = re.compile(r"(<{7}|>{7})( |$)|={7}$")
_MODES = {"100644": "plain", "100755": "executable", "120000": "link", "160000": "submodule"}
# What would break a line, hide in it or turn it round is written as what it is.
_ODD = {
    code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    for code in (
        *range(0x09),
        *range(0x0B, 0x20),
        *range(0x7F, 0xA0),
        *(0x200B, 0x200E, 0x200F, 0x2028, 0x2029, 0xFEFF),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
    )
}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a hunk; its number in the old or new file is 0 where it does not stand there."""

    sign: Sign
    old: int
    new: int
    text: str


@dataclass(frozen=True, slots=True)
class Hunk:
    """Neighbouring rows, under the header that git printed."""

    header: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class FileDiff:
    """What changed in one file.

    Attributes:
        path: as it is now, or was before it was removed.
        old_path: as it was; differs for a file that was renamed or copied.
        notes: what else changed, for people: "mode plain -> executable".
        changed: added and removed lines, those of damaged hunks included.
        damaged: hunks that could not be read.
        conflicts: line numbers of conflict markers that the change adds.
    """

    path: str
    old_path: str
    status: Status
    notes: tuple[str, ...]
    hunks: tuple[Hunk, ...]
    added: int
    removed: int
    binary: bool = False
    combined: bool = False
    damaged: int = 0
    conflicts: tuple[int, ...] = ()

    @property
    def changed(self) -> int:
        """How many lines it adds and removes."""
        return self.added + self.removed


def read(text: str) -> tuple[FileDiff, ...]:
    """Read a whole diff, git's or plain; what stands before its first file is left out."""
    text = _SIGNATURE.sub("", text)
    if _FILE.search(text):
        pieces = [p for p in _FILE.split(text) if p.startswith("diff --")]
        return tuple(_git_file(piece) for piece in pieces)
    return tuple(_plain_files(text))


def clean(line: str) -> str:
    """A line as it is shown: no sign that hides, turns or breaks it, and not endless."""
    line = line.rstrip("\r\n").translate(_ODD)
    rest = len(line) - LINE_CHARS
    return line if rest <= 0 else f"{line[:LINE_CHARS]}…[{rest} more characters]"


def _git_file(piece: str) -> FileDiff:
    lines = piece.split("\n")
    start = next((n for n, line in enumerate(lines) if line.startswith("@@")), len(lines))
    head = [line.rstrip("\r") for line in lines[:start]]
    told = _headers(head)
    hunks, damaged, lost = _hunks(lines[start:])
    status: Status = "modified"
    if "new file mode" in told or told.get("---") == "/dev/null":
        status = "added"
    elif "deleted file mode" in told or told.get("+++") == "/dev/null":
        status = "removed"
    elif "rename to" in told:
        status = "renamed"
    elif "copy to" in told:
        status = "copied"
    path = _path(told, head[0])
    old = _bare(told["rename from"]) if "rename from" in told else path
    old = _bare(told["copy from"]) if "copy from" in told else old
    binary = any(line.startswith(("Binary files ", "GIT binary patch")) for line in head)
    return _file(path, old, status, _notes(told), hunks, damaged, lost, binary, head[0])


def _file(
    path: str,
    old: str,
    status: Status,
    notes: tuple[str, ...],
    hunks: tuple[Hunk, ...],
    damaged: int,
    lost: tuple[int, int],
    binary: bool = False,
    first: str = "",
) -> FileDiff:
    added = removed = 0
    conflicts: list[int] = []
    for hunk in hunks:
        for row in hunk.rows:
            added += row.sign == "+"
            removed += row.sign == "-"
            if row.sign == "+" and _CONFLICT.match(row.text):
                conflicts.append(row.new)
    return FileDiff(
        path=named(path),
        old_path=named(old),
        status=status,
        notes=notes,
        hunks=hunks,
        added=added + lost[0],
        removed=removed + lost[1],
        binary=binary,
        combined=first.startswith(("diff --cc", "diff --combined")),
        damaged=damaged,
        conflicts=tuple(conflicts),
    )


def named(path: str) -> str:
    """A file's name as it is shown, not endless either."""
    shown = clean(path)
    return f"{shown[:NAME_CHARS]}…" if len(shown) > NAME_CHARS else shown or "(no name)"


def _headers(head: Sequence[str]) -> dict[str, str]:
    """The extended headers of a file, by their first words."""
    known = (
        "new file mode",
        "deleted file mode",
        "old mode",
        "new mode",
        "rename from",
        "rename to",
        "copy from",
        "copy to",
        "---",
        "+++",
    )
    told: dict[str, str] = {}
    for line in head[1:]:
        for name in known:
            if line.startswith(name + " "):
                told.setdefault(name, line[len(name) + 1 :].split("\t")[0].strip())
    return told


def _path(told: dict[str, str], first: str) -> str:
    """A file's name, from the least doubtful header that has it."""
    for name in ("rename to", "copy to"):
        if name in told:
            return _bare(told[name])
    for name in ("+++", "---"):
        if told.get(name, "/dev/null") != "/dev/null":
            named = _bare(told[name])
            return named[2:] if named[:2] in {"a/", "b/"} else named
    if first.startswith(("diff --cc ", "diff --combined ")):
        return _bare(first.split(" ", 2)[2])
    found = _GIT.match(first[:LINE_CHARS])
    if found is None:
        return first.removeprefix("diff --git ")
    named = found["same"] if found["same"] is not None else found["new"]
    return _bare(f'"{named}"') if "\\" in named else named


def _bare(name: str) -> str:
    """A name without git's quotation marks and octal escapes."""
    name = name.strip()
    if len(name) < 2 or name[0] != '"' or name[-1] != '"':
        return name
    raw = name[1:-1].encode("utf-8", "replace")
    raw = _OCTAL.sub(lambda m: bytes([int(m[1], 8) & 0xFF]), raw)
    return raw.replace(rb"\"", b'"').replace(rb"\\", b"\\").decode("utf-8", "replace")


def _notes(told: dict[str, str]) -> tuple[str, ...]:
    notes: list[str] = []
    if "old mode" in told and "new mode" in told:
        before, after = (_MODES.get(told[n], told[n][:20]) for n in ("old mode", "new mode"))
        notes.append(f"mode {before} -> {after}")
    for name in ("new file mode", "deleted file mode"):
        mode = _MODES.get(told.get(name, ""), "")
        if mode in {"executable", "link", "submodule"}:
            notes.append(mode)
    return tuple(notes)


def _hunks(lines: Sequence[str]) -> tuple[tuple[Hunk, ...], int, tuple[int, int]]:
    """The hunks of a file, how many could not be read, and how many lines those add and remove."""
    hunks: list[Hunk] = []
    damaged = added = removed = 0
    for part in _split(lines):
        made = _hunk(part)
        if made is not None:
            hunks.append(made)
            continue
        damaged += 1
        added += sum(line.startswith("+") for line in part)
        removed += sum(line.startswith("-") for line in part)
    return tuple(hunks), damaged, (added, removed)


def _split(lines: Sequence[str]) -> Iterator[Sequence[str]]:
    """The lines of each hunk: inside of one, none begins with @@."""
    starts = [n for n, line in enumerate(lines) if line.startswith("@@")]
    for start, end in pairwise([*starts, len(lines)]):
        yield lines[start:end]


def _hunk(lines: Sequence[str]) -> Hunk | None:
    """One hunk; None where it is no whole one."""
    header = clean(lines[0])
    if not _HUNK.match(header):
        return None
    body = list(takewhile(_in_hunk, lines[1:]))
    try:
        parsed = PatchSet(["--- a\n", "+++ b\n", header + "\n", *(f"{line}\n" for line in body)])
    except UnidiffParseError:
        return None
    rows = tuple(_row(line) for line in parsed[0][0] if line.line_type in {" ", "+", "-"})
    if sum(line[:1] in {"+", "-"} for line in body) != sum(row.sign != " " for row in rows):
        return None  # more lines than its header tells, which unidiff passes over
    return Hunk(header, rows)


def _in_hunk(line: str) -> bool:
    """Whether a line can belong to a hunk; an empty one is a blank line whose blank was lost on the way."""
    return line[:1] in {" ", "+", "-", "\\", "", "\r"}


def _row(line: Line) -> Row:
    sign: Sign = "+" if line.is_added else "-" if line.is_removed else " "
    return Row(sign, line.source_line_no or 0, line.target_line_no or 0, clean(line.value))


def _plain_files(text: str) -> Iterator[FileDiff]:
    """Files of a diff that git did not print: `---` and `+++` before the hunks, and nothing else to go by."""
    lines = text.split("\n")
    starts = [
        n
        for n, line in enumerate(lines[:-2])
        if line.startswith("--- ")
        and lines[n + 1].startswith("+++ ")
        and lines[n + 2].startswith("@@")
    ]
    for start, end in pairwise([*starts, len(lines)]):
        told = _headers(["", *lines[start : start + 2]])
        status: Status = "modified"
        if told.get("---") == "/dev/null":
            status = "added"
        elif told.get("+++") == "/dev/null":
            status = "removed"
        path = _path(told, "")
        hunks, damaged, lost = _hunks(lines[start + 2 : end])
        yield _file(path, path, status, (), hunks, damaged, lost)
