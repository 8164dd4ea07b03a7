"""Claude's Markdown as Slack may show it: nothing pings, no image renders, a link stays one only where it is known.

Pure, and the same however the text is chunked: a `Filter` decides word by word, and holds back what the next
characters may still change, so that nothing is smuggled across the border of two chunks.

    <!channel> <@U1> <#C1>        a zero-width space after "<", in code too
    ![alt](url)                   a link or its text, never an image
    [label](url), bare url        kept where known, else the label and host/path as code
    fenced code                   always as ``` at the line's beginning, so that Slack and we agree where it ends;
                                  inside it only pings and other fences are broken
"""

import html
import re
from collections.abc import Callable
from urllib.parse import urlsplit

RUN = 2_048  # characters without white space, or of a fence's line, that are held back at most
GAP = "\u200b"
PING = re.compile(
    r"<(?=!(?:channel|here|everyone|group|subteam|date)|@[UWB]|#[CGD])", re.IGNORECASE
)

_OPENS = re.compile(
    r"(?P<lead>[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*)(?P<run>`{3,}|~{3,})(?P<info>.*)", re.DOTALL
)
_CLOSES = re.compile(r"[ \t]*(`{3,}|~{3,})\s*")
_MAY_OPEN = re.compile(r"[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(?:[-*+]|\d{1,9}[.)]?)?(?:``?|~~?)?")
_MAY_CLOSE = re.compile(r"[ \t]*(?:`*|~*)[ \t]*")
_LANGUAGE = re.compile(r"[\w+#.-]{1,20}")
_UNIT = re.compile(rf"\n|[^\S\n]+|\S{{1,{RUN}}}")
_PLAIN = re.compile(  # whole words of a line in which nothing has to be looked at, for speed
    rf"(?:[^\S\n]+|(?=\S{{1,{RUN - 1}}}+\s)(?!\S*?(?:[<&\\`\[\]]|://|www\.))\S+)+", re.IGNORECASE
)
_UNSAFE_END = re.compile(r"(?:<\S{0,11}|`+)$")  # where a long run is not cut
_SPECIAL = re.compile(r"[<&\\`\[\]]|://|www\.", re.IGNORECASE)
_HIDDEN = re.compile(r"://|www\.|<[!@#]", re.IGNORECASE)
_TOKEN = re.compile(
    r"(?P<image>!+(?=\[))"
    r"|\]\((?P<target><?[^\s<>()\[\]]*(?:\([^\s<>()\[\]]*\)[^\s<>()\[\]]*)*>?)"
    r"|(?P<definition>\](?=:))"
    r"|(?P<url>(?:[a-z][a-z0-9+.-]{0,30})?://[^\s<>|`\[\]]*|(?<![a-z0-9])www\.[^\s<>|`\[\]]+)"
    r"|(?P<ticks>`+)",
    re.IGNORECASE,
)
_TRAILING = ".,;:!?*_~)\"'}"
_AUTHORITY = re.compile(
    r"(?:https?://|(?=www\.))[a-z0-9.-]+(?::\d{1,5})?(?=[/?#]|$)", re.IGNORECASE
)
# Never seen, but able to hide what is: control characters, and those that turn the direction of others.
_UNSEEN: dict[int, str | None] = {
    **dict.fromkeys([*range(9), *range(11, 32), *range(0x7F, 0xA0)]),
    **dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)]),
    0x2028: "\n",
    0x2029: "\n",
}

Known = Callable[[str, str], bool]
"""Whether a link may stay one: its host in lower case, and its whole address."""


class Filter:
    """Makes a text safe while it comes.

    Args:
        known: which links may stay links.
    """

    def __init__(self, known: Known) -> None:
        self._known = known
        self._held = ""
        self._fresh = True  # at the beginning of a line
        self._fence = ""  # the run that opened the block we are in
        self._indent = 0  # of that block
        self._in_code = False  # between backticks of this line

    def feed(self, delta: str) -> str:
        """Take more of the text; give what can no longer change."""
        self._held += delta.translate(_UNSEEN)
        return self._take(final=False)

    def finish(self) -> str:
        """Give the rest; an open fence is closed."""
        out = self._take(final=True)
        if self._fence:
            out += "```" if self._fresh else "\n```"
            self._fence = ""
        return out

    def _take(self, *, final: bool) -> str:
        out: list[str] = []
        at: int | None = 0
        done = 0
        while at is not None and at < len(self._held):
            step = self._line if self._fresh else self._word
            at = step(at, out, final=final)
            done = done if at is None else at
        self._held = self._held[done:]
        return "".join(out)

    def _line(self, at: int, out: list[str], *, final: bool) -> int | None:
        """Begin a line: a fence's is taken whole, of any other the indentation; None while that is open."""
        held = self._held
        newline = held.find("\n", at, at + RUN)
        if newline < 0 and len(held) - at < RUN and not final:
            begun = held[at:]
            may = _MAY_CLOSE.fullmatch(begun) if self._fence else _may_open(begun)
            if may:
                return None
        end = newline if newline >= 0 else len(held)
        if end - at < RUN and (newline >= 0 or final):
            line = held[at:end]
            if (fence := self._fence_line(line)) is not None:
                out.append(fence + ("\n" if newline >= 0 or self._fence else ""))
                return end + (newline >= 0)
        self._fresh = False
        if self._fence:
            blank = re.compile(rf"[ \t]{{0,{self._indent}}}").match(held, at)
            return blank.end() if blank else at
        return at

    def _fence_line(self, line: str) -> str | None:
        """What a line that opens or closes a block is written as; None if it does neither."""
        if self._fence:
            closes = _CLOSES.fullmatch(line)
            if not closes or not closes[1].startswith(self._fence):
                return None
            self._fence = ""
            return "```"
        opens = _OPENS.fullmatch(line)
        if not opens or (opens["run"][0] == "`" and "`" in opens["info"]):
            return None
        self._fence, self._indent = opens["run"], len(opens["lead"])
        language = _LANGUAGE.match(opens["info"].strip())
        marker = f"{opens['lead'].rstrip()}\n" if opens["lead"].strip() else ""
        return f"{marker}```{language[0] if language else ''}"

    def _word(self, at: int, out: list[str], *, final: bool) -> int | None:
        """Take white space, a newline or a word, or many plain ones; None while a word may go on."""
        if plain := _PLAIN.match(self._held, at):
            out.append(plain[0])
            return plain.end()
        unit = _UNIT.match(self._held, at)
        if unit is None:
            return None
        text, end = unit[0], unit.end()
        if text == "\n":
            self._fresh, self._in_code = True, False
        elif not text.isspace():
            if len(text) < RUN and end == len(self._held) and not final:
                return None
            if len(text) == RUN and (unsafe := _UNSAFE_END.search(text)) and unsafe.start():
                text, end = text[: unsafe.start()], at + unsafe.start()
            long = len(unit[0]) == RUN
            text = _fenced(text) if self._fence else self._safe_word(text)
            text += GAP * (long and (not self._fence or text.endswith("`")))
        out.append(text)
        return end

    def _safe_word(self, word: str) -> str:
        if not _SPECIAL.search(word):
            return word
        if not self._in_code and "`" not in word:
            word = _uncovered(word)
        return _unpinged(_TOKEN.sub(self._safe, word))

    def _safe(self, token: re.Match[str]) -> str:
        before = token.string[token.start() - 1 : token.start()]
        if token["ticks"]:
            self._in_code = not self._in_code
            return token[0] if len(token[0]) < 3 else "`"
        if token["image"]:
            return f"!{GAP}" if self._in_code or before.isalnum() else ""
        if token["definition"]:
            return "]" if self._in_code else f"]{GAP}"
        after = token.string[token.end() : token.end() + 1]
        if token["target"] is not None:
            return self._link(token["target"], after)
        image = GAP * (after == "[" and token["url"].endswith("!"))
        return self._bare(token["url"], before, after) + image

    def _link(self, target: str, after: str) -> str:
        address = target.strip("<>")
        if after in {"", ")"} and self._is_known(address):
            return f"]({target}"
        shown = _visible(address)
        return f"] (`{shown}`" if shown else "] ("

    def _bare(self, url: str, before: str, after: str) -> str:
        address = url.rstrip(_TRAILING)
        trailing = url[len(address) :]
        if self._is_known(address):
            # An address that ends with its host goes on in what follows, were it not for the slash.
            open_ended = not trailing and after in {"[", "]"} and _AUTHORITY.fullmatch(address)
            return f"{address}/" if open_ended else url
        if self._in_code:
            return re.sub(r"www\.", f"www{GAP}.", url, flags=re.IGNORECASE).replace(
                "://", f":{GAP}//"
            )
        shown = _visible(address)
        if not shown:
            return f":{GAP}//{trailing}"
        left, right = GAP * (before == "`"), GAP * (after == "`" and not trailing)
        return f"{left}`{shown}`{right}{trailing}"

    def _is_known(self, address: str) -> bool:
        """Whether an address leads to a known place, and can be read in one way only."""
        authority = _AUTHORITY.match(address)
        if not authority or html.unescape(address) != address or "\\" in address:
            return False
        if _HIDDEN.search(address, authority.end()):
            return False  # a second address in it, which Slack may take for one of its own
        try:
            host = urlsplit(address if "://" in address else f"https://{address}").hostname
        except ValueError:
            return False
        return bool(host) and self._known(str(host), address)


def shown(text: str, known: Known) -> str:
    """A whole text made safe."""
    made = Filter(known)
    return made.feed(text) + made.finish()


def escaped(text: str) -> str:
    """Text that Slack's own mrkdwn shows as it is."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _may_open(begun: str) -> bool:
    if _MAY_OPEN.fullmatch(begun):
        return True
    opens = _OPENS.fullmatch(begun)
    return opens is not None and not (opens["run"][0] == "`" and "`" in opens["info"])


def _fenced(word: str) -> str:
    """A word of code: no ping, and nothing that could end the block."""
    if "`" in word:
        word = re.sub(r"`{3,}", lambda run: GAP.join(re.findall("``?", run[0])), word)
    return _unpinged(word)


def _unpinged(text: str) -> str:
    return PING.sub(f"<{GAP}", text)


def _uncovered(word: str) -> str:
    """A word as Slack would read it, where entities or backslashes hide a link or a ping."""
    if "&" not in word and "\\" not in word:
        return word
    read = re.sub(r"\\(?=[!-/:-@\[-`{-~])", "", html.unescape(word)).translate(_UNSEEN)
    if len(_HIDDEN.findall(read)) <= len(_HIDDEN.findall(word)):
        return word
    return re.sub(r"\s", " ", read).replace("`", "'")


def _visible(address: str) -> str:
    """An address without what would make it a link."""
    bare = re.sub(r"^https?://", "", address, flags=re.IGNORECASE)
    inner = bare.replace("`", "'").replace("://", f":{GAP}//")
    return re.sub(r"www\.", f"www{GAP}.", inner, flags=re.IGNORECASE)
