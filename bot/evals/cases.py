"""The evaluation sets as they lie in folders: read whole, checked whole, every problem named at once.

review/<name>/      change.diff  case.toml
summarize/<name>/   ticket.toml  case.toml
"""

import difflib
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bot.diffs.patch import read
from bot.errors import PurserError
from bot.evals.issues import Ticket
from integrations.jira import Issue

SetName = Literal["review", "summarize"]
WHERE = (
    "The evaluation sets lie in tests/evals of Purser's repository, not in the package: run the command "
    "there, or name a copy of that folder with --sets."
)

T = TypeVar("T", bound=BaseModel)
Words = Annotated[str, Field(min_length=10)]
Line = Annotated[int, Field(ge=1)]


class BadSets(PurserError):
    """The evaluation sets cannot be used as they are; each problem names the file and the mend."""


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Window(_Table):
    """Lines that a finding may point to.

    Attributes:
        path: of the file as the change leaves it.
        lines: first and last line, in the new file.
    """

    path: Annotated[str, Field(min_length=1)]
    lines: tuple[Line, Line]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.lines[0] > self.lines[1]:
            raise ValueError("lines: the first one lies behind the last one")
        return self


class Defect(Window):
    """A mistake that a review should find.

    Attributes:
        also: its other places: who points to one of them has found it as well.
        needs_two: it is seen only by who reads two hunks or two files.
        criterion: what a finding must say to count.
    """

    severity: Literal["blocker", "major", "minor"]
    also: tuple[Window, ...] = ()
    needs_two: bool = False
    criterion: Words

    @property
    def windows(self) -> tuple[Window, ...]:
        """All of its places."""
        return (self, *self.also)


class _Review(_Table):
    language: Annotated[str, Field(min_length=1)]
    title: Annotated[str, Field(min_length=1)]
    description: str = ""
    clean: bool
    decoys: tuple[Words, ...] = ()
    defects: tuple[Defect, ...] = ()

    @model_validator(mode="after")
    def _clean_or_not(self) -> Self:
        if self.clean == bool(self.defects):
            raise ValueError("a case has defects, or it says clean = true")
        return self


class _Summary(_Table):
    at: datetime
    must: Annotated[tuple[Words, ...], Field(min_length=1)]
    must_not: Annotated[tuple[Words, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class ReviewCase:
    """A change with what is wrong in it; `decoys` look wrong and are not."""

    name: str
    language: str
    title: str
    description: str
    diff: str
    defects: tuple[Defect, ...]
    decoys: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes that Claude reads of it, about."""
        return len(self.diff.encode()) + len(self.description.encode())


@dataclass(frozen=True, slots=True)
class SummaryCase:
    """A ticket with what a summary of it must say, and must not.

    Attributes:
        at: when the summary is asked for.
        must: statements that have to be in it, in their meaning.
        must_not: statements that would be invented, outdated or leaked.
    """

    name: str
    issue: Issue
    at: datetime
    must: tuple[str, ...]
    must_not: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes that Claude reads of it, about."""
        bodies = (comment.body for comment in self.issue.comments)
        return len(self.issue.description.encode()) + sum(len(body.encode()) for body in bodies)


Case = ReviewCase | SummaryCase


def load(which: SetName, sets: Path, only: Collection[str] = ()) -> tuple[Case, ...]:
    """Read a set, in the order of its names.

    Args:
        which: the set.
        sets: the folder that holds both.
        only: names of cases; none is all of them.

    Raises:
        BadSets: there is no such set or case, or some files are broken: all of them are named.
    """
    folder = sets / which
    if not folder.is_dir():
        raise BadSets(f"There is no folder {folder}. {WHERE}")
    found = {path.name: path for path in sorted(folder.iterdir()) if path.is_dir()}
    problems = list(_unknown(only, found, folder))
    cases: list[Case] = []
    for name in [name for name in found if not only or name in only]:
        try:
            cases.append(_case(which, found[name]))
        except _Broken as broken:
            problems += [f"{name}/{problem}" for problem in broken.problems]
    if problems:
        raise BadSets("Mend these first:\n  " + "\n  ".join(problems))
    if not cases:
        raise BadSets(f"There are no cases in {folder}. {WHERE}")
    return tuple(cases)


class _Broken(Exception):
    def __init__(self, problems: list[str]) -> None:
        self.problems = problems


def _unknown(only: Collection[str], found: Collection[str], folder: Path) -> Iterator[str]:
    for name in only:
        if name not in found:
            near = difflib.get_close_matches(name, found, n=1)
            meant = f"; did you mean {near[0]}?" if near else ""
            yield f"there is no case {name} in {folder}{meant}"


def _case(which: SetName, folder: Path) -> Case:
    if which == "review":
        told, diff = _read(_Review, folder / "case.toml"), _text(folder / "change.diff")
        if broken := list(_damage(diff)):
            raise _Broken(broken)
        return ReviewCase(
            folder.name,
            told.language,
            told.title,
            told.description,
            diff,
            told.defects,
            told.decoys,
        )
    told, ticket = _read(_Summary, folder / "case.toml"), _read(Ticket, folder / "ticket.toml")
    return SummaryCase(folder.name, ticket.issue(), told.at, told.must, told.must_not)


def _damage(diff: str) -> Iterator[str]:
    files = read(diff)
    if not files:
        yield "change.diff: is no unified diff"
    for file in files:
        if file.damaged:
            yield f"change.diff: {file.path} has a hunk whose header does not fit its lines"


def _read(kind: type[T], path: Path) -> T:
    try:
        return kind.model_validate(tomllib.loads(_text(path)))
    except tomllib.TOMLDecodeError as error:
        raise _Broken([f"{path.name}: is no TOML: {error}"]) from error
    except ValidationError as error:
        raise _Broken([f"{path.name}: {_said(e)}" for e in error.errors()]) from error


def _said(error: Any) -> str:
    where = ".".join(map(str, error["loc"]))
    words = str(error["msg"]).removeprefix("Value error, ")
    return f"{where}: {words}" if where else words


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _Broken([f"{path.name}: cannot be read as UTF-8 text"]) from error
