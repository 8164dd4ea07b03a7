"""Which files of a change are worth a reviewer's time, and in which order. Pure."""

import re
from pathlib import PurePosixPath

from bot.diffs.patch import FileDiff

GENERATED_LINES = 15  # at a file's top, where it may say that it is generated
MINIFIED_CHARS = 400  # of a line in the middle, beyond which nobody wrote it

LOCKS = frozenset(
    {
        "bun.lock", "bun.lockb", "Cargo.lock", "composer.lock", "deno.lock", "flake.lock", "Gemfile.lock", "go.sum",
        "go.work.sum", "gradle.lockfile", "mix.lock", "npm-shrinkwrap.json", "package-lock.json", "packages.lock.json",
        "pdm.lock", "Pipfile.lock", "pnpm-lock.yaml", "Podfile.lock", "poetry.lock", "pubspec.lock",
        ".terraform.lock.hcl", "uv.lock", "yarn.lock",
    }
)  # fmt: skip
VENDORED = frozenset(
    {"vendor", "vendored", "node_modules", "third_party", "site-packages", "bower_components"}
)
_GENERATED_NAME = re.compile(
    r"(_pb2(_grpc)?\.pyi?|\.pb(\.gw)?\.(go|cc|h)|\.g\.(dart|cs)|\.designer\.cs|\.generated\.\w+|^zz_generated.*|\.snap)$",
    re.IGNORECASE,
)
_GENERATED_WORDS = re.compile(
    r"@generated\b|\bdo not (edit|modify)\b.{0,80}\bgenerated\b|\bgenerated\b.{0,80}\bdo not (edit|modify)\b",
    re.IGNORECASE,
)
_MINIFIED_NAME = re.compile(r"[.-]min\.(js|css|mjs)$|\.(js|css)\.map$", re.IGNORECASE)
_DOCS = re.compile(r"\.(md|rst|txt|adoc)$|(^|/)(docs?|changelog|licen[cs]e)(/|\.|$)", re.IGNORECASE)
_TESTS = re.compile(
    r"(^|/)(tests?|specs?|__tests__|fixtures)/|(^|/)test_|[._](test|spec)\.\w+$", re.IGNORECASE
)
_SETTINGS = re.compile(r"\.(ya?ml|toml|json|ini|cfg|properties)$", re.IGNORECASE)
_RISKY = re.compile(
    r"auth|login|session|token|secret|passw|crypt|permission|polic|admin|pay|bill|charge|migrat|\.sql$|lock|queue|retry",
    re.IGNORECASE,
)


def unread(file: FileDiff) -> str:
    """Why a file is not worth reading, for people; "" if it is.

    The author decides what a file calls itself, so the reason is always said.
    """
    path = PurePosixPath(file.path)
    if path.name in LOCKS:
        return "lock file"
    if VENDORED & set(path.parts[:-1]):
        return "vendored"
    if file.binary:
        return "binary"
    if file.combined:
        return "a merge's combined diff"
    if _MINIFIED_NAME.search(path.name) or _minified(file):
        return "minified"
    if _GENERATED_NAME.search(path.name) or _says_generated(file):
        return "generated"
    return ""


def risk(file: FileDiff) -> int:
    """How early a file is read: 0 first."""
    if _DOCS.search(file.path):
        return 4
    if _TESTS.search(file.path) or file.status == "removed":
        return 3
    if _RISKY.search(file.path):
        return 0
    return 2 if _SETTINGS.search(file.path) else 1


def _says_generated(file: FileDiff) -> bool:
    return any(
        _GENERATED_WORDS.search(row.text)
        for hunk in file.hunks[:1]
        for row in hunk.rows[: GENERATED_LINES * 2]
        if max(row.new, row.old) <= GENERATED_LINES
    )


def _minified(file: FileDiff) -> bool:
    """Whether half of what changed stands in lines that nobody wrote by hand."""
    lengths = sorted(len(row.text) for h in file.hunks for row in h.rows if row.sign != " ")
    return bool(lengths) and lengths[len(lengths) // 2] > MINIFIED_CHARS
