"""How what Claude reads is labelled: what was said and by whom, which file it is, who asks for what. Pure.

What people wrote cannot open or close one of these labels, so that no text poses as somebody's request.
"""

import base64
import hashlib
import hmac
import html
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from bot.ask import Attached, Said
from bot.documents import INSTEAD
from bot.prompts import untagged

SAID_CHARS = 8_000  # of one message of the thread
THREAD_CHARS = 80_000  # of all newer messages of the thread together
CUTS = 5  # told of under one answer, which has room for a few lines more
FILE_CHARS = 200_000  # of one text file
ATTACHMENT_CHARS = 1_500_000  # base64 of one picture or PDF that is remembered after the answer
PAGE_TOKENS = 2_600  # of a page of a PDF, mostly: its text, 1,500 to 3,000, and its picture
_BOUNDED = re.compile(r'<purser:data mark="\w+">\n(.*)\n</purser:data mark="\w+">', re.DOTALL)
NOT_READ = "This thread has more than I read at once: its {n} earliest new messages were left out."


def text(words: str) -> dict[str, Any]:
    """A block of text."""
    return {"type": "text", "text": words}


def mark_of(key: bytes, ask_id: str, source: str) -> str:
    """The mark of what one source gave for one ask: the same each time, and known to nobody who wrote it."""
    return hmac.new(key, f"{ask_id}\0{source}".encode(), hashlib.sha256).hexdigest()[:16]


def bounded(words: str, mark: str) -> list[dict[str, Any]]:
    """Text from elsewhere as blocks, between two lines that it can neither write nor end."""
    line = f'<purser:data mark="{mark}">'
    body = untagged(words).replace(mark, "[mark]")
    return [text(line), text(body), text(line.replace("<", "</"))]


def unbounded(words: str) -> str:
    """What stands between those two lines; a text without them as it is."""
    found = _BOUNDED.fullmatch(words)
    return found[1] if found else words


def named(name: str) -> str:
    """A name fit to stand in a label."""
    return html.escape(" ".join(name.split()), quote=True)[:80]


def cut(words: str, limit: int) -> str:
    """The beginning of a text, and how much was cut off."""
    if len(words) <= limit:
        return words
    return f"{words[:limit]}\n[cut here: {len(words) - limit} more characters]"


def said_before(newer: Sequence[Said]) -> tuple[list[dict[str, Any]], list[str]]:
    """All newer messages as one block, and what had to be left out; the newest win where there are too many."""
    parts: list[str] = []
    cuts: list[str] = []
    room = THREAD_CHARS
    for one in reversed(newer):
        files = "".join(f"\n[attached: {file.name}]" for file in one.files)
        words = cut(untagged(one.text + files), SAID_CHARS)
        room -= len(words)
        if room < 0:
            left = len(newer) - len(parts)
            parts.append(f"[{left} earlier messages of this thread are left out]")
            cuts.append(NOT_READ.format(n=left))
            break
        who = "Purser" if one.ours else named(one.name or one.user)
        kind = ' kind="app"' if one.bot and not one.ours else ""
        parts.append(f'<purser:said from="{who}"{kind}>\n{words}\n</purser:said>')
    return ([text("\n".join(reversed(parts)))] if parts else []), cuts


def cuts_of(file: Attached) -> list[str]:
    """What a person has to know of a file: it was not read, or not wholly."""
    name = _shown(file)
    if file.problem:
        return [f"`{name}` was not read: {file.problem}."]
    if len(file.data) * 4 // 3 > ATTACHMENT_CHARS:
        return [
            f"`{name}` is large: I read it for this question alone. Attach it again for another."
        ]
    cuts: list[str] = []
    if file.text.startswith(INSTEAD):
        cuts.append(f"`{name}` has secrets in it: I read its text with them hidden, no pictures.")
    if len(file.text) > FILE_CHARS:
        cuts.append(
            f"`{name}` is long: I read its first {FILE_CHARS:,} of {len(file.text):,} characters."
        )
    return cuts


def document(file: Attached) -> list[str]:
    """What a PDF is likely to cost, for who has to agree to it; nothing of other files."""
    if not file.pages:
        return []
    likely = file.pages * PAGE_TOKENS
    pages = f"{file.pages:,} pages" if file.pages > 1 else "1 page"
    return [f"`{_shown(file)}` has {pages}, about {likely:,} tokens"]


def few(cuts: Sequence[str]) -> list[str]:
    """So many sentences as stand under an answer; of the others, how many there are."""
    if len(cuts) <= CUTS:
        return list(cuts)
    return [*cuts[: CUTS - 1], f"{len(cuts) - CUTS + 1} more files were not read, or not wholly."]


def _shown(file: Attached) -> str:
    return " ".join(file.name.replace("`", "'").split())[:80]


def file_blocks(file: Attached) -> list[dict[str, Any]]:
    """A file, or why it was not read."""
    name = named(file.name)
    if file.problem:
        return [text(f'<purser:file name="{name}">\n[not read: {file.problem}]\n</purser:file>')]
    if file.data:
        kind = "document" if file.mimetype == "application/pdf" else "image"
        source = {
            "type": "base64",
            "media_type": file.mimetype,
            "data": base64.b64encode(file.data).decode(),
        }
        block: dict[str, Any] = {"type": kind, "source": source}
        if file.pages:
            block["title"] = f"{name} ({file.pages} pages)"  # by which its tokens are estimated
        return [text(f"The file {name}:"), block]
    body = cut(untagged(file.text), FILE_CHARS)
    return [text(f'<purser:file name="{name}">\n{body}\n</purser:file>')]


def request(question: str, asker: str, at: float) -> dict[str, Any]:
    """What is asked for, by whom and when."""
    who = f' from="{named(asker)}"' if asker else ""
    when = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return text(f'<purser:ask{who} at="{when}">\n{untagged(question)}\n</purser:ask>')
