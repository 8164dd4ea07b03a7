"""GitHub's JSON as plain data. Pure; whatever has another shape than expected becomes empty, never an error."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

ChangeKind = Literal["pull", "commit", "compare"]


@dataclass(frozen=True, slots=True)
class Change:
    """A pull request, a commit or a comparison, with its diff.

    Attributes:
        repository: `owner/name` as GitHub spells it now.
        url: where people look at it.
        number: a pull request's, as text; "" otherwise.
        state: of a pull request: open, draft, merged or closed; "" otherwise.
        base: what it is compared with, as people call it.
        head: what it leads to, as people call it.
        head_sha: the commit that the diff leads to; "" where GitHub does not say.
        diff: unified, as git prints it; what was no UTF-8 stands as U+FFFD.
        files: how many files GitHub says it touches; None where it does not say.
        without_diff: files whose diff GitHub does not give (binary, or too large).
        moving: it was pushed to while it was read, so that the diff may be older than the head.
    """

    kind: ChangeKind
    repository: str
    url: str
    number: str
    title: str
    body: str
    author: str
    state: str
    base: str
    head: str
    head_sha: str
    diff: str
    files: int | None = None
    without_diff: tuple[str, ...] = ()
    moving: bool = False


@dataclass(frozen=True, slots=True)
class File:
    """A text file at a commit.

    Attributes:
        ref: the branch, tag or commit it was read at; "" is the default branch.
    """

    repository: str
    path: str
    ref: str
    text: str


@dataclass(frozen=True, slots=True)
class Folder:
    """The names in a folder; folders end with a slash."""

    repository: str
    path: str
    ref: str
    names: tuple[str, ...]


def pull(raw: Mapping[str, Any], diff: str, without: tuple[str, ...], *, moving: bool) -> Change:
    """A pull request from its JSON."""
    base, head = _part(raw, "base"), _part(raw, "head")
    return Change(
        kind="pull",
        repository=_text(_part(base, "repo"), "full_name"),
        url=_text(raw, "html_url"),
        number=str(raw.get("number", "")),
        title=_text(raw, "title"),
        body=_text(raw, "body"),
        author=_text(_part(raw, "user"), "login"),
        state=_state(raw),
        base=_text(base, "ref"),
        head=_text(head, "label") or _text(head, "ref"),
        head_sha=_text(head, "sha"),
        diff=diff,
        files=_count(raw, "changed_files"),
        without_diff=without,
        moving=moving,
    )


def commit(
    raw: Mapping[str, Any], repository: str, diff: str, without: tuple[str, ...] = ()
) -> Change:
    """A commit from its JSON."""
    told = _part(raw, "commit")
    title, _, body = _text(told, "message").partition("\n")
    parents = [_text(parent, "sha") for parent in _list(raw, "parents")]
    return Change(
        kind="commit",
        repository=repository,
        url=_text(raw, "html_url"),
        number="",
        title=title,
        body=body.strip(),
        author=_text(_part(raw, "author"), "login") or _text(_part(told, "author"), "name"),
        state="",
        base=parents[0][:12] if parents else "",
        head=_text(raw, "sha")[:12],
        head_sha=_text(raw, "sha"),
        diff=diff,
        without_diff=without,
    )


def comparison(
    raw: Mapping[str, Any], repository: str, spec: str, diff: str, without: tuple[str, ...] = ()
) -> Change:
    """A comparison from its JSON; its head commit is known where GitHub lists all commits."""
    base, _, head = spec.partition("...")
    commits = _list(raw, "commits")
    whole = bool(commits) and _count(raw, "total_commits") == len(commits)
    messages = [_text(_part(one, "commit"), "message").partition("\n")[0] for one in commits]
    return Change(
        kind="compare",
        repository=repository,
        url=_text(raw, "html_url"),
        number="",
        title=spec,
        body="\n".join(f"- {message}" for message in messages),
        author="",
        state="",
        base=base,
        head=head,
        head_sha=_text(commits[-1], "sha") if whole else "",
        diff=diff,
        without_diff=without,
    )


def assembled(files: Iterable[Any]) -> tuple[str, tuple[str, ...]]:
    """A diff put together from a list of changed files, and the names of those that have none in it.

    For changes that GitHub finds too large to print as one diff.
    """
    pieces: list[str] = []
    without: list[str] = []
    for raw in files:
        file = cast("Mapping[str, Any]", raw) if isinstance(raw, Mapping) else {}
        name = _text(file, "filename")
        patch = _text(file, "patch")
        if not patch and _count(file, "changes") != 0:
            without.append(name)
        elif name:
            pieces.append(_headed(file, name, patch))
    return "".join(pieces), tuple(without)


def _headed(file: Mapping[str, Any], name: str, patch: str) -> str:
    status = _text(file, "status")
    old = _text(file, "previous_filename") or name
    lines = [f"diff --git a/{old} b/{name}"]
    if status == "added":
        lines.append("new file mode 100644")
    elif status == "removed":
        lines.append("deleted file mode 100644")
    elif old != name:
        lines += [f"rename from {old}", f"rename to {name}"]
    if patch:
        lines.append("--- /dev/null" if status == "added" else f"--- a/{old}")
        lines.append("+++ /dev/null" if status == "removed" else f"+++ b/{name}")
        lines.append(patch)
    return "\n".join(lines) + "\n"


def names(raw: Any) -> tuple[str, ...] | None:
    """The names in a folder, from its listing; None where it is none."""
    if not isinstance(raw, list):
        return None
    entries = [cast("Mapping[str, Any]", e) for e in cast("list[Any]", raw) if isinstance(e, dict)]
    return tuple(
        _text(entry, "name") + ("/" if entry.get("type") == "dir" else "") for entry in entries
    )


def _state(raw: Mapping[str, Any]) -> str:
    if raw.get("merged") is True:
        return "merged"
    state = _text(raw, "state")
    return "draft" if state == "open" and raw.get("draft") is True else state


def _part(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = raw.get(name)
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}


def _list(raw: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = raw.get(name)
    every = cast("list[Any]", found) if isinstance(found, list) else []
    return [cast("Mapping[str, Any]", one) for one in every if isinstance(one, Mapping)]


def _text(raw: Mapping[str, Any], name: str) -> str:
    found = raw.get(name)
    return found if isinstance(found, str) else ""


def _count(raw: Mapping[str, Any], name: str) -> int | None:
    found = raw.get(name)
    return found if isinstance(found, int) else None
