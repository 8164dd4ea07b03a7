"""Reading changes and files on GitHub: public ones as nobody, others with our token where a channel's policy lets it."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from bot.diffs import LINK, PARTS, Fitted, Reading, clean, fit
from bot.errors import ToolProblem
from bot.policy import Policy
from bot.redaction import KEY_LINES, Redactor, redacted
from bot.tool_runner import Tool, ToolContext
from bot.tools.unopened import Unopened
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
CHANGES = ("pull", "commit", "compare")  # what has a diff
OFF_LOOP_CHARS = 60_000  # of a diff, beyond which reading it would hold up other asks

NO_GITHUB = "GitHub is not set up in this installation: say so."
WITHOUT_ONE = (
    "There is no public {repository} with this. If it is private: the bot has no token for it; "
    "an operator sets GITHUB_TOKEN."
)
HIDDEN = "The bot's token does not see this in {repository}: it does not exist, or the token has no right to it."
FORK = "A comparison with a fork is read only where both are public; there is none here that is."
NOT_POINTED_AT = (
    "Not read: nobody in this conversation named this on the code host. Addresses that you put together are not opened. "
    "If it matters, tell the person: write its address here, outside of code and quotations, and I read it."
)
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
        unopened: what becomes of addresses that nobody pointed at.
    """

    github: GitHub | None
    policy: Policy
    unopened: Unopened = field(default_factory=Unopened)

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
        part = int(found[1]) if (found := _PART.search(url)) else 1
        url = await self._pointed_at("pull_request_diff", _PART.sub("", url), context)
        reading = await self.read(url, context)
        if part > max(reading.parts, 1):
            raise ToolProblem(
                f"There is no part {part}; the diff has {reading.parts}, counted from 1."
            )
        return reading.told(part)

    def names_change(self, url: str) -> bool:
        """Whether an address names a pull request, a commit or a comparison that can be read here."""
        try:
            return self.github is not None and self.github.address(url).kind in CHANGES
        except GitHubProblem:
            return False

    async def read(self, url: str, context: ToolContext, *, parts: int = PARTS) -> Reading:
        """A change with its secrets hidden, read as ourselves only where the policy lets us.

        Args:
            url: of a pull request, a commit or a comparison.
            context: for whom, and within which time.
            parts: of its diff, at most.

        Raises:
            ToolProblem: it was not read; the sentence says why and what to do.
        """
        github, address = self._place(url)
        as_us = self._as_us(github, address, context)
        try:
            change = await github.change(address, as_us=as_us, deadline=context.deadline_seconds)
        except GitHubProblem as problem:
            raise self._words(problem, github, address, context) from problem
        names = context.rules.redact
        fitted = await _fitted(change, Redactor(names), parts)
        link = github.link(address, change.head_sha) if change.head_sha else ""
        told = {n: redacted(getattr(change, n), names) for n in ("title", "body", "head", "base")}
        change = replace(change, **told)
        return reading(change, fitted, link, url)

    async def _pointed_at(
        self, tool: str, url: str, context: ToolContext, *, inside: bool = False
    ) -> str:
        """The address of a change as it stands in the conversation.

        Two spellings are one address here if they name the same: of them nothing else is sent.

        Args:
            tool: that is to read it.
            url: as Claude wrote it.
            context: what may be opened.
            inside: whether it is enough that something of the same repository was named.

        Raises:
            ToolProblem: nobody pointed at it.
        """
        if found := context.reach.find(url, self._reads):
            return found.url
        wanted = self._named(url, inside=inside)
        for link in context.reach.links(self._reads) if wanted else ():
            if self._named(link.url, inside=inside) == wanted:
                return url if inside else link.url
        if self.github is None:
            raise ToolProblem(NO_GITHUB)
        unopened = self.unopened if wanted else Unopened()
        raise await unopened.problem(tool, url, context, why=NOT_POINTED_AT)

    def _reads(self, host: str) -> bool:
        """Whether a host is a code host that is read here; where there is none, nothing is."""
        return self.github is not None and host in self.github.hosts

    def _named(self, url: str, *, inside: bool) -> tuple[str, ...]:
        """What an address names, down to the repository or to the change in it; () where it is nothing."""
        try:
            found = self.github.address(url) if self.github is not None else None
        except GitHubProblem:
            found = None
        if found is None:
            return ()
        whole = (found.host, found.repository)
        return whole if inside else (*whole, found.kind, found.ref, found.path)

    async def file(self, given: Mapping[str, Any], context: ToolContext) -> str:
        """A file's numbered lines, or a folder's names, of a repository that a person pointed at."""
        github, address = self._place(
            await self._pointed_at("repository_file", str(given["url"]), context, inside=True)
        )
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

    async def text(self, url: str, path: str, ref: str, context: ToolContext) -> str | None:
        """A file's text at a commit, its secrets hidden; None where no such file is there.

        Args:
            url: of the repository, or of anything in it.
            path: from the repository's top.
            ref: the commit.
            context: for whom, and within which time.

        Raises:
            ToolProblem: it was not read; the sentence says why and what to do.
        """
        github, address = self._place(url)
        as_us = self._as_us(github, address, context)
        try:
            found = await github.file(
                address, path, ref, as_us=as_us, deadline=context.deadline_seconds
            )
        except GitHubNotFound:
            return None
        except GitHubProblem as problem:
            raise self._words(problem, github, address, context) from problem
        redactor = Redactor(context.rules.redact)
        if isinstance(found, Folder):
            return None
        return "\n".join(redactor.line(clean(line)) for line in found.text.split("\n"))

    def _place(self, url: str) -> tuple[GitHub, Address]:
        if self.github is None:
            raise ToolProblem(NO_GITHUB)
        try:
            return self.github, self.github.address(url)
        except GitHubProblem as problem:
            raise ToolProblem(str(problem)) from problem

    def _as_us(self, github: GitHub, address: Address, context: ToolContext) -> bool:
        """Whether our token is used: only where the policy opens the repository to this channel, and for no other one."""
        verdict = self.policy.may_use_token(context.rules, address.repository)
        return verdict.allowed and github.has_token(address) and not _names_fork(address)

    def _words(
        self, problem: GitHubProblem, github: GitHub, address: Address, context: ToolContext
    ) -> ToolProblem:
        """What Claude hears; where nothing was found, the reason that this channel has for it."""
        if type(problem) is not GitHubNotFound or str(problem) != GitHubNotFound.sentence:
            return ToolProblem(str(problem))
        verdict = self.policy.may_use_token(context.rules, address.repository)
        if not verdict.allowed:
            return ToolProblem(verdict.sentence, rule=verdict.rule)
        if _names_fork(address):
            return ToolProblem(FORK)
        words = HIDDEN if github.has_token(address) else WITHOUT_ONE
        return ToolProblem(words.format(repository=address.repository))


def _names_fork(address: Address) -> bool:
    """Whether a comparison names a second repository (`owner:branch`), which may be private, and closed to the channel."""
    return address.kind == "compare" and ":" in address.ref


def reading(change: Change, fitted: Fitted, link: str, url: str = "") -> Reading:
    """A change as text.

    Args:
        change: as GitHub gave it, its secrets hidden.
        fitted: its diff.
        link: the beginning of links to its files, "" where its head is not known.
        url: as it was named.
    """
    body = change.body.strip()
    return Reading(
        url=url,
        name=_name(change),
        sha=change.head_sha,
        head=_head(change, link),
        body=f"## Description\n{_cut(_quoted(body), BODY_CHARS)}" if body else "",
        remarks=tuple(_remarks(change, fitted)),
        fitted=fitted,
    )


def _name(change: Change) -> str:
    return f"{change.repository}#{change.number}" if change.number else change.repository


def _head(change: Change, link: str) -> str:
    by = f"by {_line(change.author)}" if change.author else ""
    ends = f"{_line(change.head)} into {_line(change.base)}" if change.base else ""
    about = " · ".join(part for part in (change.state, by, ends) if part)
    lines = [f"# {_name(change)}: {_line(change.title)}", change.url, about]
    if link:
        lines.append(f"{LINK}{link}PATH#LNUMBER")
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


async def _fitted(change: Change, redactor: Redactor, parts: int) -> Fitted:
    make = partial(fit, change.diff, without=change.without_diff, mask=redactor.line, parts=parts)
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
