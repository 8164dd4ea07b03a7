"""Claude's Markdown as Slack may show it: nothing pings, nothing unfurls, no image renders, links only where known.

Pure, and the same however the text is chunked: a `Filter` holds back what the next characters may still change, so a
ping or a link cannot be smuggled across the border of two chunks.

    <!channel> <@U1> <#C1>        a zero-width space after "<", in code too
    ![alt](url)                   a link, never an image
    [label](url), bare url        kept where the host is known, else the label and host/path as code
    fenced code                   left alone but for pings: Slack links nothing inside it
"""

import html
import re
from collections.abc import Callable
from urllib.parse import urlsplit

LIMIT = 11_000  # characters of one message; Slack's is 12,000, and a closing fence must fit
FALLBACK = 3_000  # characters of a notification's plain text; Slack's is 4,000
RUN = 2_048  # characters without white space that are held back at most
GAP = "\u200b"
PING = re.compile(r"<(?=!(?:channel|here|everyone|subteam|date)|@[UWB]|#[CGD])", re.IGNORECASE)
_FENCE = re.compile(r"\s*(`{3,}|~{3,})([^`\n]*)$")
_FENCE_BEGUN = re.compile(r"[ \t]*(?:`|~~|~$)")
_TOKEN = re.compile(
    r"!+(?=\[)"  # an image's mark
    r"|\]\((?P<target><?[^\s<>()\[\]]*(?:\([^\s<>()\[\]]*\)[^\s<>()\[\]]*)*>?)"  # where a link leads
    r"|\](?=:(?:\s|$))"  # a definition that a link could refer to
    r"|(?P<url>\b(?:[a-z][a-z0-9+.-]{1,15}://|www\.)[^\s<>|`\"'!\[\])}]+)"
    r"|(?P<ticks>`+)",
    re.IGNORECASE,
)
_WORD = re.compile(r"\s+|\S+")

Known = Callable[[str], bool]
"""Whether links to a host may stay links."""


class Filter:
    """Makes a text safe while it comes.

    Args:
        known: whether links to a host may stay links.
    """

    def __init__(self, known: Known) -> None:
        self._known = known
        self._held = ""
        self._line = ""  # of the current line, what was let through before it was changed
        self._fence = ""  # the run of backticks or tildes that opened the block we are in
        self._in_code = False

    def feed(self, delta: str) -> str:
        """Take more of the text; give what can no longer change."""
        self._held += delta
        out: list[str] = []
        while (end := self._decided()) > 0:
            out.append(self._shown(self._held[:end]))
            self._held = self._held[end:]
        return "".join(out)

    def finish(self) -> str:
        """Give the rest; an open fence is closed."""
        out = self._shown(self._held)
        self._held = ""
        if self._fence:
            out += f"\n{self._fence}"
            self._fence = ""
        return out

    def _decided(self) -> int:
        """How much of what is held is decided: a whole line, or in a line that is no fence, a whole word."""
        newline = self._held.find("\n")
        if newline >= 0:
            return newline + 1
        line = self._line + self._held
        if _FENCE_BEGUN.match(line) or (not line.strip() and len(line) < RUN):
            return 0
        word = _WORD.match(self._held)
        if word is None:
            return 0
        if word.end() < len(self._held):
            return word.end()
        return RUN if len(word[0]) >= RUN else 0

    def _shown(self, text: str) -> str:
        line = self._line + text.removesuffix("\n")
        ends = text.endswith("\n") or not text
        fence = _FENCE.match(line) if (ends or not self._line) else None
        self._line = "" if text.endswith("\n") else line
        if self._fence:
            if fence and fence[1].startswith(self._fence) and not fence[2].strip():
                self._fence = ""
            return _unpinged(text)
        if fence and not (fence[1][0] == "`" and "`" in fence[2]):
            self._fence = fence[1]
            return _unpinged(text)
        shown = _unpinged(_TOKEN.sub(self._safe, text))
        if text.endswith("\n"):
            self._in_code = False
        return shown

    def _safe(self, token: re.Match[str]) -> str:
        if token["ticks"]:
            self._in_code = not self._in_code
            return token[0]
        if token[0] == "!":
            return ""
        if token["target"] is not None:
            return self._link(token["target"])
        if token["url"]:
            return self._bare(token["url"])
        return f"]{GAP}"

    def _link(self, target: str) -> str:
        address = target.strip("<>")
        if _host(address, self._known):
            return f"]({target}"
        shown = _visible(address)
        return f"] (`{shown}`" if shown else "] ("

    def _bare(self, url: str) -> str:
        if _host(url, self._known):
            return url
        trailing = url[len(url.rstrip(".,;:!?*_~")) :]
        shown = _visible(url.removesuffix(trailing) if trailing else url)
        return f"{shown}{trailing}" if self._in_code else f"`{shown}`{trailing}"


def shown(text: str, known: Known) -> str:
    """A whole text made safe."""
    made = Filter(known)
    return made.feed(text) + made.finish()


def cut(text: str, limit: int = LIMIT) -> tuple[str, str]:
    """The first message of a long text, and what goes on in the next.

    It ends at a paragraph where one ends late enough, else at a line, else at a space; a fence that is open there
    is closed, and opened again with its language in what goes on.
    """
    if len(text) <= limit:
        return text, ""
    room = limit - 8  # for a fence to be closed
    end, fence = _border(text, room)
    first, rest = text[:end].rstrip("\n"), text[end:].lstrip("\n")
    if not fence:
        return first, rest
    run = re.match(r"\s*(`+|~+)", fence)
    return f"{first}\n{run[1] if run else '```'}", f"{fence}\n{rest}"


def split(text: str, limit: int = LIMIT) -> list[str]:
    """All messages of a long text; see `cut`."""
    parts: list[str] = []
    while text:
        part, text = cut(text, limit)
        parts.append(part)
    return parts


def plain(text: str, limit: int = FALLBACK) -> str:
    """A short plain form for notifications: no pings, no marks, no links."""
    words = re.sub(r"[*_`#>]+", "", _unpinged(text)).strip()
    return words if len(words) <= limit else f"{words[: limit - 1]}…"


def _unpinged(text: str) -> str:
    return PING.sub(f"<{GAP}", text)


def _host(address: str, known: Known) -> bool:
    """Whether an address, as a browser would read it, leads to a known host."""
    read = html.unescape(address).replace("\\", "")
    if read != address:
        return False  # written so that we and Slack could read it differently
    try:
        parts = urlsplit(read if "://" in read else f"https://{read}")
        host = parts.hostname
    except ValueError:
        return False
    return (
        parts.scheme.lower() in {"http", "https"}
        and bool(host)
        and parts.username is None
        and ("://" in read or read.lower().startswith("www."))
        and known(str(host).lower())
    )


def _visible(address: str) -> str:
    """An address without what would make it a link."""
    bare = re.sub(r"^[a-z][a-z0-9+.-]*:(//)?", "", address, flags=re.IGNORECASE)
    inner = bare.replace("`", "'").replace("://", f":{GAP}//")
    return re.sub(r"www\.", f"www{GAP}.", inner, flags=re.IGNORECASE)


def _border(text: str, room: int) -> tuple[int, str]:
    """Where to cut, and the line that opened the fence which is open there (or "")."""
    paragraph = line_end = 0
    paragraph_fence = line_fence = fence = ""
    position = 0
    for line in text.splitlines(keepends=True):
        position += len(line)
        if position > room:
            break
        found = _FENCE.match(line.rstrip("\n"))
        if found and not fence:
            fence = line.rstrip("\n")
        elif found and not found[2].strip() and found[1].startswith(fence.strip()[:3]):
            fence = ""
        line_end, line_fence = position, fence
        if not line.strip() and not fence:
            paragraph, paragraph_fence = position, fence
    if paragraph > room // 3:
        return paragraph, paragraph_fence
    if line_end > room // 3:
        return line_end, line_fence
    space = text.rfind(" ", room // 3, room)
    return (space + 1 if space > 0 else room), line_fence
