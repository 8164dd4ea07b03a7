"""What the stand-in for GitHub holds: trees of files, commits, and pull requests as the difference of two."""

import difflib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SEED = Path(__file__).parent / "seed"
CONTEXT = 3  # unchanged lines around a hunk
Json = dict[str, Any]
Tree = Mapping[str, str]


@dataclass(frozen=True)
class Commit:
    """A state of all files; `parent` is a sha or empty."""

    sha: str
    message: str
    author: str
    tree: Tree
    parent: str = ""


@dataclass(frozen=True)
class Change:
    """What happened to one file between two trees; `patch` has the hunks without file headers."""

    path: str
    status: str
    additions: int
    deletions: int
    patch: str
    blob: str


@dataclass
class Pull:
    """A pull request; `days` is its age."""

    number: int
    title: str
    body: str
    author: str
    branch: str
    base: str
    head: str
    days: int
    state: str = "open"
    merged: bool = False
    locked: bool = False
    comments: list[Json] = field(default_factory=list[Json])
    review_comments: list[Json] = field(default_factory=list[Json])
    reviews: list[Json] = field(default_factory=list[Json])


@dataclass
class Repository:
    """A repository with its commits by sha and its branches by name."""

    id: int
    name: str
    private: bool
    branch: str
    commits: dict[str, Commit] = field(default_factory=dict[str, Commit])
    branches: dict[str, str] = field(default_factory=dict[str, str])
    pulls: dict[int, Pull] = field(default_factory=dict[int, Pull])

    def resolve(self, ref: str) -> Commit | None:
        """A commit by branch, full sha, or the beginning of one (at least 7 characters)."""
        sha = self.branches.get(ref.removeprefix("refs/heads/"), ref)
        if sha in self.commits:
            return self.commits[sha]
        found = [c for s, c in self.commits.items() if len(ref) >= 7 and s.startswith(ref)]
        return found[0] if len(found) == 1 else None

    def commit(self, tree: Tree, message: str, author: str, parent: str = "") -> Commit:
        """Keep a new commit."""
        text = json.dumps([parent, message, author, dict(tree)])
        made = Commit(_sha(text), message, author, dict(tree), parent)
        self.commits[made.sha] = made
        return made

    def push(self, number: int, files: Tree, message: str) -> Commit:
        """Add a commit to a pull request, for what a re-review has to see."""
        pull = self.pulls[number]
        tree = {**self.commits[pull.head].tree, **files}
        made = self.commit(tree, message, pull.author, pull.head)
        pull.head = self.branches[pull.branch] = made.sha
        return made

    def force_push(self, number: int, files: Tree, message: str) -> Commit:
        """Put another commit in the place of a pull request's; the old one belongs to it no more."""
        pull = self.pulls[number]
        tree = {**self.commits[pull.head].tree, **files}
        made = self.commit(tree, message, pull.author, pull.base)
        pull.head = self.branches[pull.branch] = made.sha
        return made


MENDED = (
    "f\"SELECT * FROM basket WHERE payment_key = '{key}'\"",
    '"SELECT * FROM basket WHERE payment_key = ?", key',
)
"""One of the planted bugs of the demo's first pull request, and its mend."""


def mend(repository: Repository, *, back: bool = False) -> Commit:
    """Mend that bug, or put it back, and push that: what somebody does between two looks at a change."""
    path, (bug, mended) = "checkout/store.py", MENDED
    text = repository.commits[repository.pulls[7].head].tree[path]
    new = text.replace(mended, bug) if back else text.replace(bug, mended)
    return repository.push(7, {path: new}, "Unbind the key" if back else "Bind the key")


def is_mended(repository: Repository) -> bool:
    """Whether that bug is mended at the pull request's head."""
    return MENDED[1] in repository.commits[repository.pulls[7].head].tree["checkout/store.py"]


def blob(text: str) -> str:
    """Git's own name for a file's content."""
    data = text.encode()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def changes(before: Tree, after: Tree) -> list[Change]:
    """What differs, by path."""
    made: list[Change] = []
    for path in sorted({*before, *after}):
        old, new = before.get(path), after.get(path)
        if old == new:
            continue
        lines = list(_hunks(old or "", new or ""))
        status = "added" if old is None else "removed" if new is None else "modified"
        made.append(
            Change(
                path=path,
                status=status,
                additions=sum(line.startswith("+") for line in lines),
                deletions=sum(line.startswith("-") for line in lines),
                patch="\n".join(lines),
                blob=blob(new if new is not None else old or ""),
            )
        )
    return made


def _hunks(old: str, new: str) -> list[str]:
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=CONTEXT)
    return list(lines)[2:]


def unified(before: Tree, after: Tree) -> str:
    """The whole difference as git prints it."""
    pieces: list[str] = []
    for change in changes(before, after):
        old = blob(before[change.path])[:7] if change.path in before else "0000000"
        new = blob(after[change.path])[:7] if change.path in after else "0000000"
        head = [f"diff --git a/{change.path} b/{change.path}"]
        if change.status == "added":
            head.append("new file mode 100644")
        if change.status == "removed":
            head.append("deleted file mode 100644")
        head.append(f"index {old}..{new}" + (" 100644" if change.status == "modified" else ""))
        head.append("--- /dev/null" if change.status == "added" else f"--- a/{change.path}")
        head.append("+++ /dev/null" if change.status == "removed" else f"+++ b/{change.path}")
        pieces.append("\n".join([*head, change.patch]) + "\n")
    return "".join(pieces)


def files(name: str) -> dict[str, str]:
    """The files written one after another in a seed file, each under a `=== path` line."""
    text = (SEED / name).read_text(encoding="utf-8")
    parts = (part.partition("\n") for part in ("\n" + text).split("\n=== ")[1:])
    return {path: content.rstrip("\n") + "\n" for path, _, content in parts}


def seeded() -> dict[str, Repository]:
    """The repositories of the demo and the tests."""
    entries: Json = json.loads((SEED / "repositories.json").read_text(encoding="utf-8"))
    made: dict[str, Repository] = {}
    for name, entry in entries.items():
        repository = Repository(entry["id"], name, entry["private"], entry["default_branch"])
        first = repository.commit(files(entry["files"]), "Begin", "ana-shop")
        repository.branches[repository.branch] = first.sha
        for pull in entry["pulls"]:
            tree = {**first.tree, **files(pull["files"])}
            head = repository.commit(tree, pull["title"], pull["author"], first.sha)
            repository.branches[pull["branch"]] = head.sha
            told = {k: v for k, v in pull.items() if k != "files"}
            repository.pulls[pull["number"]] = Pull(base=first.sha, head=head.sha, **told)
        made[name] = repository
    return made


def _sha(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
