"""A change as text that Claude can point into: every line with its number, in parts, each gap with its reason. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from bot.diffs.coverage import Coverage, Held, listed, plural
from bot.diffs.kinds import risk, unread
from bot.diffs.patch import FileDiff, Hunk, Row, named, read

PART_CHARS = 40_000  # of one part, so that a tool's result holds it with what stands before it
PARTS = 4  # at most, that Claude pages through; a review in passes has more

LEGEND = (
    "Each line begins with + (added), - (removed) or a blank (unchanged) and its line number: in the new file, "
    "for removed lines in the old one."
)
TOO_LONG = "beyond what is read of one change"


@dataclass(frozen=True, slots=True)
class Fitted:
    """A change that Claude can read.

    Attributes:
        parts: numbered text, the riskiest files first; empty where nothing can be read.
        warnings: sentences on what is odd about it.
        held: what stands in each part, file by file.
    """

    parts: tuple[str, ...]
    coverage: Coverage
    warnings: tuple[str, ...] = ()
    held: tuple[tuple[Held, ...], ...] = ()


@dataclass(slots=True)
class _Pages:
    """Parts that are being filled, and the changed lines that found no room."""

    most: int
    count: int
    done: list[str] = field(default_factory=list[str])
    lines: list[str] = field(default_factory=list[str])
    size: int = 0
    held: list[dict[str, Held]] = field(default_factory=lambda: [{}])

    def room(self) -> int:
        return self.most - self.size

    def full(self) -> bool:
        return len(self.done) >= self.count

    def put(self, line: str) -> None:
        self.lines.append(line)
        self.size += len(line) + 1

    def note(self, file: FileDiff, lines: int) -> None:
        """So many more of a file's changed lines stand in this part."""
        before = self.held[-1].get(file.path)
        lines += before.lines if before else 0
        self.held[-1][file.path] = Held(file.path, lines, file.changed)

    def turn(self) -> None:
        if self.lines:
            self.done.append("\n".join(self.lines))
            self.held.append({})
            self.lines, self.size = [], 0


def fit(
    diff: str,
    *,
    without: Sequence[str] = (),
    mask: Callable[[str], str] | None = None,
    part_chars: int = PART_CHARS,
    parts: int = PARTS,
) -> Fitted:
    """Make a diff fit for Claude.

    Args:
        diff: unified, as git prints it, or what calls itself so.
        without: files that belong to the change and whose diff is not there.
        mask: hides what must not be shown; given each line that is, in its order. None hides nothing.
        part_chars: of one part.
        parts: at most.
    """
    files = read(diff)
    gaps: list[tuple[str, str]] = [(named(path), "no diff is given for it") for path in without]
    skipped = {id(file): why for file in files if (why := unread(file))}
    wanted = sorted((f for f in files if id(f) not in skipped), key=risk)
    pages = _Pages(part_chars, parts)
    masked: list[str] = []
    shown = whole = 0
    for file in wanted:
        seen = file if mask is None or pages.full() else _masked(file, mask, masked)
        count = _put_file(pages, seen)
        shown += count
        if file.damaged:
            gaps.append((file.path, f"{_many(file.damaged, 'damaged hunk')} of its diff"))
        elif count < file.changed or (not file.hunks and pages.full()):
            left = f": {count:,} of its {file.changed:,} lines are read" if count else ""
            gaps.append((file.path, f"{TOO_LONG}{left}"))
        else:
            whole += 1
    pages.turn()
    gaps += [(file.path, skipped[id(file)]) for file in files if id(file) in skipped]
    total = sum(file.changed for file in files)
    coverage = Coverage(whole, len(files) + len(without), shown, total, tuple(gaps))
    held = tuple(tuple(part.values()) for part in pages.held[: len(pages.done)])
    return Fitted(tuple(pages.done), coverage, tuple(_warnings(diff, files, masked)), held)


def _masked(file: FileDiff, mask: Callable[[str], str], masked: list[str]) -> FileDiff:
    """A file with what must not be shown hidden; its lines where that was so are added to `masked`."""

    def hidden(row: Row) -> Row:
        text = mask(row.text)
        if text == row.text:
            return row
        masked.append(f"{file.path}:{_number(row)}")
        return replace(row, text=text)

    hunks = [Hunk(mask(hunk.header), tuple(map(hidden, hunk.rows))) for hunk in file.hunks]
    return replace(file, hunks=tuple(hunks))


def _put_file(pages: _Pages, file: FileDiff) -> int:
    """Write a file into the parts, beginning a new one where it helps; how many changed lines found room."""
    text = [_heading(file), *(line for hunk in file.hunks for line in _hunk(hunk))]
    size = sum(len(line) + 1 for line in text)
    if pages.room() < size <= pages.most:
        pages.turn()
    if pages.full():
        return 0
    if len(text[0]) + 1 > pages.room():
        pages.turn()
        if pages.full():
            return 0
    pages.put(text[0])
    shown = noted = 0
    for hunk in file.hunks:
        pages.put(hunk.header)
        for row in hunk.rows:
            line = _row(row)
            if len(line) + 1 > pages.room():
                pages.note(file, shown - noted)
                noted = shown
                pages.turn()
                if pages.full():
                    return shown
                pages.put(f"{_heading(file)} · continued")
                pages.put("(inside of the same hunk)")
            pages.put(line)
            shown += row.sign != " "
    pages.note(file, shown - noted)
    return shown


def _heading(file: FileDiff) -> str:
    moved = f" · from {file.old_path}" if file.old_path != file.path else ""
    notes = "".join(f" · {note}" for note in file.notes)
    return f"### {file.path} · {file.status}{moved}{notes} · +{file.added} -{file.removed}"


def _hunk(hunk: Hunk) -> Iterator[str]:
    yield hunk.header
    yield from map(_row, hunk.rows)


def _row(row: Row) -> str:
    return f"{row.sign}{_number(row):>5}| {row.text}"


def _number(row: Row) -> int:
    return row.old if row.sign == "-" else row.new


def _warnings(diff: str, files: Iterable[FileDiff], masked: Sequence[str]) -> Iterator[str]:
    unfinished = [f"{file.path} ({_first(file.conflicts)})" for file in files if file.conflicts]
    if unfinished:
        yield f"A merge was not finished; conflict markers stand in {listed(unfinished)}."
    if "\ufffd" in diff:
        yield "Some bytes are not UTF-8; they stand as \ufffd."
    if masked:
        yield (
            f"Secrets were hidden from you in these lines: {listed(masked)}. "
            "Report that they stand there: whoever owns them has to revoke and replace them."
        )


def _first(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:5]))
    return f"{plural(len(numbers), 'line')} {shown}{', …' if len(numbers) > 5 else ''}"


def _many(count: int, what: str) -> str:
    return f"{count:,} {plural(count, what)}"
