"""Reading changes and files on GitHub: public ones as nobody, others with our token where a channel's policy lets it."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bot.diffs import LEGEND, Fitted, clean, fit
from bot.errors import ToolProblem
from bot.policy import Policy
from bot.redaction import KEY_LINES, Redactor, redacted
from bot.tool_runner import Tool, ToolContext
from integrations.github import (
    Address,
    Change,
    File,
    Folder,
    GitHub,
    GitHubNotFound,
    GitHubProblem,
    lines_of,
)

TITLE_CHARS = 300
BODY_CHARS = 6_000  # of a description
FILE_CHARS = 44_000  # of one file's numbered lines
NAMES = 500  # of a folder
OFF_LOOP_CHARS = 60_000  # of a diff, beyond which reading it would hold up other asks

NO_GITHUB = "GitHub is not set up in this installation: say so."
WITHOUT_ONE = (
    "There is no public {repository} with this. If it is private: the bot has no token for it; "
    "an operator sets GITHUB_TOKEN."
)
HIDDEN = "The bot's token does not see this in {repository}: it does not exist, or the token has no right to it."
_PART = re.compile(r"#part-([1-9]\d?)$")

PULL_REQUEST_DIFF = {
    "type": "object",
    "properties": {
        "url": {
            "type": "string",
            "description": "Its address, as in a browser. Behind it #part-2 gives the second part of a long one.",
        },
    },
    "required": ["url"],
    "additionalProperties": False,
}
REPOSITORY_FILE = {
    "type": "object",
    "properties": {
        "url": {
            "type": "string",
            "description": "The address of the repository, or of a pull request or commit in it.",
        },
        "path": {
            "type": "string",
            "description": "From the repository's top, such as src/app.py; #L120-L260 behind it reads these lines.",
        },
        "ref": {
            "type": "string",
            "description": "A branch, tag or commit; without it, what the address names: a pull request's head.",
        },
    },
    "required": ["url", "path"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Pulls:
    """The tools that read GitHub.

    Attributes:
        github: None where it is not set up; the tools are declared all the same and say so.
        policy: which repositories a channel may read with our token.
    """

    github: GitHub | None
    policy: Policy

    def tools(self) -> tuple[Tool, ...]:
        """pull_request_diff and repository_file."""
        return (
            Tool(
                name="pull_request_diff",
                description=(
                    "Read a pull request, a commit or a comparison on GitHub: title, description, state, and the diff "
                    "with a number before each line. Lock, generated, vendored, minified and binary files are left "
                    "out; says exactly how much was read, and how to get the next part of a long one."
                ),
                schema=PULL_REQUEST_DIFF,
                label=lambda given: f"reading {_short(str(given.get('url', '')))}",
                call=self.diff,
            ),
            Tool(
                name="repository_file",
                description=(
                    "Read a file of a repository on GitHub with its line numbers, or the names in a folder, at any "
                    "branch, tag or commit. For what stands around a change."
                ),
                schema=REPOSITORY_FILE,
                label=lambda given: f"reading {str(given.get('path', ''))[:60]}",
                call=self.file,
            ),
        )

    async def diff(self, given: Mapping[str, Any], context: ToolContext) -> str:
        """A change's text: what it says of itself, how much of it was read, and its numbered lines."""
        url = str(given["url"]).strip()
        part = _PART.search(url)
        github, address = self._place(_PART.sub("", url))
        as_us = self._as_us(github, address, context)
        try:
            change = await github.change(address, as_us=as_us, deadline=context.deadline_seconds)
        except GitHubProblem as problem:
            raise self._words(problem, github, address, context) from problem
        fitted = await _fitted(change, Redactor(context.rules.redact))
        link = github.link(address, change.head_sha) if change.head_sha else ""
        names = context.rules.redact
        change = replace(
            change, title=redacted(change.title, names), body=redacted(change.body, names)
        )
        return told(change, fitted, link, int(part[1]) if part else 1)

    async def file(self, given: Mapping[str, Any], context: ToolContext) -> str:
        """A file's numbered lines, or a folder's names."""
        github, address = self._place(str(given["url"]))
        path, _, fragment = str(given["path"]).partition("#")
        lines = lines_of(fragment) if fragment else address.lines
        try:
            found = await github.file(
                address,
                path.strip() or address.path,
                str(given.get("ref", "")).strip(),
                as_us=self._as_us(github, address, context),
                deadline=context.deadline_seconds,
            )
        except GitHubProblem as problem:
            raise self._words(problem, github, address, context) from problem
        if isinstance(found, Folder):
            return _folder(found)
        return _file(found, lines, Redactor(context.rules.redact))

    def _place(self, url: str) -> tuple[GitHub, Address]:
        if self.github is None:
            raise ToolProblem(NO_GITHUB)
        try:
            return self.github, self.github.address(url)
        except GitHubProblem as problem:
            raise ToolProblem(str(problem)) from problem

    def _as_us(self, github: GitHub, address: Address, context: ToolContext) -> bool:
        """Whether our token is used: only where the policy opens the repository to this channel."""
        verdict = self.policy.may_use_token(context.rules, address.repository)
        return verdict.allowed and github.has_token(address)

    def _words(
        self, problem: GitHubProblem, github: GitHub, address: Address, context: ToolContext
    ) -> ToolProblem:
        """What Claude hears; where nothing was found, the reason that this channel has for it."""
        if type(problem) is not GitHubNotFound or str(problem) != GitHubNotFound.sentence:
            return ToolProblem(str(problem))
        verdict = self.policy.may_use_token(context.rules, address.repository)
        if not verdict.allowed:
            return ToolProblem(verdict.sentence)
        words = HIDDEN if github.has_token(address) else WITHOUT_ONE
        return ToolProblem(words.format(repository=address.repository))


def told(change: Change, fitted: Fitted, link: str, part: int) -> str:
    """A change as text: its head, its description, and one part of its diff behind what was read of it.

    Args:
        change: as it was read.
        fitted: its diff.
        link: the beginning of links to its files, "" where its head is not known.
        part: which, from 1.

    Raises:
        ToolProblem: there is no such part.
    """
    count = len(fitted.parts)
    if part > max(count, 1):
        raise ToolProblem(f"There is no part {part}; the diff has {count}, counted from 1.")
    sections = [_head(change, link)]
    if part == 1 and change.body.strip():
        sections.append(f"## Description\n{_cut(_quoted(change.body.strip()), BODY_CHARS)}")
    heading = f"## Diff, part {part} of {count}" if count > 1 else "## Diff"
    if fitted.coverage.all_files == 0:
        return "\n\n".join([*sections, f"{heading}\nIt changes nothing: its diff is empty."])
    told = [heading, f"Read: {fitted.coverage.sentence}.", *_remarks(change, fitted)]
    if part < count:
        told.append(
            f"That counts all {count} parts; the next one: the same address with #part-{part + 1} behind it. "
            "Say so if you leave any out."
        )
    if not fitted.parts:
        return "\n\n".join([*sections, "\n".join(told)])
    return "\n\n".join([*sections, "\n".join([*told, LEGEND]), fitted.parts[part - 1]])


def _head(change: Change, link: str) -> str:
    name = f"{change.repository}#{change.number}" if change.number else change.repository
    by = f"by {_line(change.author)}" if change.author else ""
    ends = f"{_line(change.head)} into {_line(change.base)}" if change.base else ""
    about = " · ".join(part for part in (change.state, by, ends) if part)
    lines = [f"# {name}: {_line(change.title)}", change.url, about]
    if link:
        lines.append(f"Link to a line of it: {link}PATH#LNUMBER")
    return "\n".join(line for line in lines if line)


def _remarks(change: Change, fitted: Fitted) -> list[str]:
    remarks = list(fitted.warnings)
    shown = fitted.coverage.all_files
    if change.files is not None and change.files > shown:
        remarks.append(
            f"GitHub counts {change.files:,} files; {change.files - shown:,} of them are not in what it gave."
        )
    if change.moving:
        remarks.append("It was pushed to while it was read: the diff may be older than its head.")
    return remarks


async def _fitted(change: Change, redactor: Redactor) -> Fitted:
    make = partial(fit, change.diff, without=change.without_diff, mask=redactor.line)
    return make() if len(change.diff) < OFF_LOOP_CHARS else await asyncio.to_thread(make)


def _file(file: File, lines: tuple[int, int], redactor: Redactor) -> str:
    """The lines that were asked for, as far as there is room, their secrets hidden."""
    if "\0" in file.text:
        raise ToolProblem(f"{file.path} is no text; it cannot be read here.")
    every = file.text.removesuffix("\n").split("\n") if file.text else []
    first, last = lines if lines[0] else (1, len(every))
    if first > max(len(every), 1):
        raise ToolProblem(f"{file.path} has {len(every):,} lines; there is no line {first:,}.")
    shown: list[str] = []
    room = FILE_CHARS
    for line in every[max(0, first - 1 - KEY_LINES) : first - 1]:
        redactor.line(line)  # a key may have begun there
    for number, line in enumerate(every[first - 1 : last], start=first):
        row = f"{number:>5}| {redactor.line(clean(line))}"
        room -= len(row) + 1
        if room < 0:
            break
        shown.append(row)
    end = first + len(shown) - 1
    read = f"Lines {first:,} to {end:,} of {len(every):,}" if shown else "It is empty"
    if shown and end < min(last, len(every)):
        read += f"; the next ones: {file.path}#L{end + 1}-L{min(last, len(every))}"
    where = f" at {file.ref}" if file.ref else ""
    return "\n".join([f"# {file.path} of {file.repository}{where}", f"{read}.", "", *shown])


def _folder(folder: Folder) -> str:
    where = f" at {folder.ref}" if folder.ref else ""
    names = [f"- {clean(name)}" for name in folder.names[:NAMES]]
    if len(folder.names) > NAMES:
        names.append(f"[{len(folder.names) - NAMES:,} more are not shown]")
    return "\n".join([f"# The folder {folder.path or '/'} of {folder.repository}{where}", *names])


def _short(url: str) -> str:
    return url.partition("://")[2][:60]


def _line(text: str) -> str:
    """One line, so that a title cannot pass for a section."""
    return _cut(clean(" ".join(text.split())), TITLE_CHARS)


def _quoted(text: str) -> str:
    """Every line marked as somebody's words, so that none can pass for a section or a line of the diff."""
    return "\n".join(f"> {clean(line)}" for line in text.split("\n"))


def _cut(text: str, most: int) -> str:
    return (
        text
        if len(text) <= most
        else f"{text[:most]}\n[cut here: {len(text) - most:,} more characters]"
    )
