"""A long text as several messages: cut at paragraphs, tables and fences kept whole or closed and opened again. Pure."""

import re
import unicodedata
from collections.abc import Sequence

from bot.slack.mrkdwn import GAP, PING, escaped

LIMIT = 11_000  # characters of one message as Slack counts them; its limit is 12,000
FALLBACK = 3_000  # characters of a notification's plain text; Slack's limit is 4,000
CLOSING = 8  # characters kept free for a fence to be closed
NO_WORDS = "(no words)"
MARKS = 64  # characters a hard cut goes back so as not to part a letter from its marks

_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})([^`\n]*)$")


def cut(text: str, limit: int = LIMIT) -> tuple[str, str]:
    """The first message of a long text, and what goes on in the next.

    It ends at a paragraph where one ends late enough, else before a table or at a line, else at a space. A fence
    that is open there is closed, and opened again with its language in what goes on.
    """
    text = text.lstrip("\n")
    if _units(text) <= limit:
        return text, ""
    end, fence = _border(text, _room(text, limit - CLOSING))
    first, rest = text[:end].rstrip("\n"), text[end:].lstrip("\n")
    if not fence:
        return first, rest
    return f"{first}\n{_run(fence)}", _reopened(fence, rest)


def split(text: str, limit: int = LIMIT) -> list[str]:
    """All messages of a long text; see `cut`."""
    parts: list[str] = []
    while text.strip():
        part, text = cut(text, limit)
        parts.append(part)
    return parts


def follow(text: str, part: str, limit: int = LIMIT) -> str | None:
    """What goes on after a message that `cut` made of a text; None if it did not."""
    text = text.lstrip("\n")
    begins, rest = text.startswith(part), text[len(part) :]
    if begins and (not rest or rest.startswith("\n")):
        return rest.lstrip("\n")
    body, _, run = part.rpartition("\n")
    fence = _fence_at(text, len(body)) if body and text.startswith(body) else ""
    if fence and run == _run(fence):
        return _reopened(fence, text[len(body) :].lstrip("\n"))
    return rest if begins and _units(part) >= limit // 3 - CLOSING else None


def as_messages(
    text: str, standing: Sequence[str], most: int | None = None
) -> tuple[list[str], str]:
    """A text as messages, and what is beyond the most.

    Args:
        text: all of it.
        standing: messages that stand already; they come first, as far as the text goes on after them.
        most: messages; None for as many as there are.
    """
    kept: list[str] = []
    for words in standing:
        rest = follow(text, words)
        if rest is None:
            break
        kept.append(words)
        text = rest
    while text.strip() and (most is None or len(kept) < most):
        part, text = cut(text)
        kept.append(part)
    return kept or [NO_WORDS], text.strip("\n") if text.strip() else ""


def _reopened(fence: str, rest: str) -> str:
    """What goes on in an open fence; where it only closes, what comes after it."""
    line, _, after = rest.partition("\n")
    return f"{fence}\n{rest}" if _after(fence, line) else after.lstrip("\n")


def plain(text: str, limit: int = FALLBACK) -> str:
    """A short plain form for notifications: no pings, links or marks, escaped for Slack's mrkdwn."""
    bare = re.sub(r"^[ \t]*(?:#{1,6}|>)[ \t]+|^```.*$|\*\*|`+", "", text, flags=re.MULTILINE)
    # What was code above is none here any more: an address in it would be a link.
    words = PING.sub(f"<{GAP}", bare).replace("://", f":{GAP}//").strip()
    short = words[:limit]
    while len(escaped(short)) > limit - (short != words):
        short = short[: min(len(short) - 1, len(short) * limit // len(escaped(short)))]
    return escaped(short) if short == words else f"{escaped(short)}…"


def _units(text: str) -> int:
    """Characters as JavaScript counts them, which may be how Slack does."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _room(text: str, units: int) -> int:
    """How many characters fit into so many units."""
    start = text[:units]
    if _units(start) <= units:
        return len(start)
    data = start.encode("utf-16-le", "surrogatepass")[: 2 * units]
    return len(data.decode("utf-16-le", "ignore"))


def _border(text: str, room: int) -> tuple[int, str]:
    """Where to cut, and the line that opened the fence which is open there (or "")."""
    paragraph = line_end = position = 0
    table = -1  # where the table begins that we are in
    fence = line_fence = ""
    for line in _lines(text[: room + 1]):
        position += len(line)
        if position > room:
            break
        fence = _after(fence, line)
        if fence or not line.lstrip().startswith("|"):
            table = -1
        elif table < 0:
            table = line_end
        line_end, line_fence = position, fence
        if not line.strip() and not fence:
            paragraph = position
    if paragraph > room // 3:
        return paragraph, ""
    if table > 0 and line_end < _table_end(text, line_end) <= table + room:
        return table, ""
    if line_end > room // 3:
        return line_end, line_fence
    space = text.rfind(" ", room // 3, room)
    return (space + 1 if space > 0 else _whole_letter(text, room)), line_fence


def _table_end(text: str, at: int) -> int:
    while text[at : at + 1] == "|" or text[at : at + 64].lstrip(" \t").startswith("|"):
        newline = text.find("\n", at)
        if newline < 0:
            return len(text)
        at = newline + 1
    return at


def _whole_letter(text: str, end: int) -> int:
    """A place at or before `end` where no letter is parted from its marks."""
    for at in range(end, max(end - MARKS, 1), -1):
        joined = unicodedata.combining(text[at]) or text[at] in "\u200d\ufe0f"
        if not joined and text[at - 1] != "\u200d":
            return at
    return end


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _after(fence: str, line: str) -> str:
    """The fence that is open after a line: the line that opened it, or ""."""
    found = _FENCE.match(line.rstrip("\n"))
    if not found:
        return fence
    if not fence:
        return line.rstrip("\n")
    closes = not found[2].strip() and found[1].startswith(_run(fence))
    return "" if closes else fence


def _fence_at(text: str, upto: int) -> str:
    fence = ""
    for line in _lines(text[:upto]):
        fence = _after(fence, line)
    return fence


def _run(fence: str) -> str:
    found = _FENCE.match(fence)
    return found[1] if found else "```"
