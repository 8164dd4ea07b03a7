"""What a web address on a code host names: a pull request, a commit, a comparison, a file, a repository.

Pure. Whatever becomes part of a path of the interface is checked here, so that no spelling leads elsewhere.
"""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from yarl import URL

from integrations.github_errors import GitHubBadAddress

ADDRESS_CHARS = 2_000
PUBLIC_API = "https://api.github.com"

Kind = Literal["pull", "commit", "compare", "file", "repository"]

_OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_NUMBER = re.compile(r"[1-9]\d{0,9}")
# What git forbids in a name, and what would end a path.
_REF = re.compile(r"[^\x00-\x20\x7f~^:?*\[\\#]{1,255}")
_LINES = re.compile(r"L(\d{1,7})(?:C\d+)?(?:-L?(\d{1,7})(?:C\d+)?)?")


@dataclass(frozen=True, slots=True)
class Address:
    """A place on a code host.

    Attributes:
        host: as people write it, with its port where that is unusual.
        repository: `owner/name`.
        ref: a pull request's number, a commit, `base...head`, or a file's branch, tag or commit; may be "".
        path: of a file, "" otherwise.
        lines: the first and last line meant, counted from 1; (0, 0) where none are.
    """

    host: str
    repository: str
    kind: Kind
    ref: str = ""
    path: str = ""
    lines: tuple[int, int] = (0, 0)


def web_of(api_url: str) -> URL:
    """Where people look at what an interface gives.

    Args:
        api_url: `https://api.github.com`, `https://api.NAME.ghe.com`, or `https://host/api/v3`.
    """
    origin = URL(api_url).origin()
    host = origin.host or ""
    if host == "api.github.com" or (host.startswith("api.") and host.endswith(".ghe.com")):
        return origin.with_host(host.removeprefix("api."))
    return origin


def host_of(web: URL) -> str:
    """A host as people write it: with its port only where that is unusual."""
    port = "" if web.is_default_port() else f":{web.port}"
    return f"{web.host}{port}"


def address(url: str, web: URL) -> Address | None:
    """What an address names on one host; None where it is of another host.

    Raises:
        GitHubBadAddress: it is of this host, and names nothing that can be read.
    """
    try:
        asked = URL(url.strip()[:ADDRESS_CHARS])
        parts = [part for part in asked.path.split("/") if part]
    except ValueError:
        raise GitHubBadAddress from None
    if not _same_host(asked, web):
        return None
    if len(parts) < 2 or not _OWNER.fullmatch(parts[0]):
        raise GitHubBadAddress
    name = parts[1].removesuffix(".git")
    if not _NAME.fullmatch(name) or set(name) == {"."}:
        raise GitHubBadAddress
    host = host_of(web)
    kind, ref, path = _named(parts[2:])
    return Address(host, f"{parts[0]}/{name}", kind, ref, path, lines_of(asked.fragment))


def lines_of(fragment: str) -> tuple[int, int]:
    """The lines that `L12` or `L12-L20` means; (0, 0) for anything else."""
    found = _LINES.fullmatch(fragment)
    if found is None:
        return (0, 0)
    first = int(found[1])
    return (first, max(first, int(found[2] or first)))


def ref_in_path(ref: str) -> str:
    """A branch, tag or commit as one part of a path of the interface.

    Raises:
        GitHubBadAddress: it is no name that git knows.
    """
    parts = ref.split("/")
    if not _REF.fullmatch(ref) or ".." in ref or any(p.startswith(".") or not p for p in parts):
        raise GitHubBadAddress(
            "This is no name of a branch, tag or commit; give it as GitHub shows it."
        )
    return quote(ref, safe="")


def path_in_path(path: str) -> str:
    """A file's path as part of a path of the interface, "" for the topmost folder.

    Raises:
        GitHubBadAddress: it leads out of the repository.
    """
    parts = [part for part in path.strip().strip("/").split("/") if part]
    if any(part in {".", ".."} or "\0" in part or "\\" in part for part in parts):
        raise GitHubBadAddress(
            "This is no path of a file; give it from the repository's top, such as src/app.py."
        )
    return quote("/".join(parts)[:ADDRESS_CHARS], safe="/")


def _same_host(asked: URL, web: URL) -> bool:
    if asked.scheme not in {"http", "https"} or asked.user or asked.password:
        return False
    host = (asked.host or "").lower()
    if web.host == "github.com":
        host = host.removeprefix("www.")
    usual = asked.is_default_port() and web.is_default_port()
    return host == web.host and (usual or asked.port == web.port)


def _named(rest: list[str]) -> tuple[Kind, str, str]:
    """What the parts behind owner and name say."""
    match rest:
        case []:
            return "repository", "", ""
        case ["pull" | "pulls", _, "commits", sha, *_]:
            return "commit", _suffixless(sha), ""
        case ["pull" | "pulls", number, *_] if _NUMBER.fullmatch(_suffixless(number)):
            return "pull", _suffixless(number), ""
        case ["commit" | "commits", sha]:
            return "commit", _suffixless(sha), ""
        case ["compare", *spec] if spec:
            return "compare", _compared("/".join(spec)), ""
        case ["blob" | "raw" | "blame", ref, *path] if path:
            return "file", ref, "/".join(path)
        case ["tree", *ref] if ref:
            return "repository", "/".join(ref), ""
        case _:
            raise GitHubBadAddress


def _suffixless(text: str) -> str:
    return text.removesuffix(".diff").removesuffix(".patch")


def _compared(spec: str) -> str:
    base, dots, head = _suffixless(spec).partition("...")
    if dots and base and head and ".." not in base and ".." not in head:
        return f"{base}...{head}"
    raise GitHubBadAddress(
        "A comparison is read by both its ends with three dots between them, such as main...topic."
    )
