"""A ticket as the program reads it from a tool's text: fields, comments, questions, what blocks it.

The text may be Markdown, lines of "Name: value", or JSON; what is not found is not told.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
DATE = rf"(?:\d{{4}}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d| UTC)?)?|\d{{1,2}}\.? {MONTH}(?: \d{{4}})?(?:,? \d\d:\d\d)?|{MONTH} \d{{1,2}}(?:, \d{{4}})?|\d+ (?:minutes?|hours?|days?|weeks?) ago)"
NAME = r"[^\W\d_][\w.'’-]*(?: [^\W\d_][\w.'’-]*){0,3}"
HEADS = (
    re.compile(rf"^[\s>*#\-]*(?:comment(?:ed)?\s+(?:\d+\s+)?by\s+)\**(?P<who>{NAME})\**\W{{0,4}}(?:on |at )?(?P<when>{DATE})?\W*(?P<text>.*)$", re.IGNORECASE),
    re.compile(rf"^[\s>*#\-]*\[?(?P<when>{DATE})\]?[\s,·|–—:-]*(?:by )?\**(?P<who>{NAME})\**(?: \([^)]*\))?\s*(?:[:,–—|-]\s*(?P<text>.*))?$"),
    re.compile(rf"^[\s>*#\-]*\**(?P<who>{NAME})\**(?: \((?!\d)[^)]*\))?[\s,·|–—(\[:-]+(?:commented )?(?:on |at )?(?P<when>{DATE})[)\]]?\**\s*[:,–—|-]*\s*(?P<text>.*)$"),
)  # fmt: skip
KINDS = re.compile(r"^(story|bug|task|epic|sub-?task|incident|improvement)$", re.IGNORECASE)
UPDATED = re.compile(rf"\b(?:updated|last change[d]?)\W{{1,4}}(?P<when>{DATE})", re.IGNORECASE)
NOT_NAMES = re.compile(
    r"^(created|updated|due|due date|status|assignee|reporter|resolved|since|until|last change|sprint|"
    r"priority|start|changed|comments?|history|attachments?|description|reported|by)\b", re.IGNORECASE
)  # fmt: skip
FIELD = r"(?im)(?:^|[·|;,]\s)[ \t>*#\-]*{name}\**\s*[:=]\**[ \t]*\**(?P<value>[^\n·|;]+)"
BLOCKED = re.compile(
    r"\b(is blocked by|blocked by|blocked on|blocker|waiting for|waits for|depends on|"
    r"wartet auf|blockiert)\b",
    re.IGNORECASE,
)
ANY_KEY = re.compile(r"\b[A-Z][A-Z0-9_]{1,9}-[1-9]\d{0,6}\b")
UNREAD = re.compile(
    r"\b(not read|left out|omitted|truncated|cut (?:off|here|after|short)|not shown|out of reach|"
    r"restricted|no permission|page \d+ of \d+|more comments|older comments)\b",
    re.IGNORECASE,
)
QUOTED = 240  # characters of a comment that are quoted


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment."""

    who: str
    when: str
    text: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What was found in the text of one ticket; "" and () where nothing was."""

    key: str
    title: str
    link: str
    status: str
    assignee: str
    updated: str
    comments: tuple[Comment, ...]
    questions: tuple[str, ...]
    blockers: tuple[str, ...]
    unread: tuple[str, ...]
    opening: str


def read_ticket(key: str, text: str) -> Ticket:
    """Find in a tool's text what a summary needs."""
    text = _flat(text)
    comments = tuple(map(_linked, _comments(text)))
    return Ticket(
        key=key,
        title=_field(text, "summary", "title") or _heading(key, text),
        link=_link(key, text),
        status=_field(text, "status"),
        assignee=_field(text, "assignee", "assigned to"),
        updated=found["when"] if (found := UPDATED.search(text)) else "",
        comments=_in_order(comments),
        questions=tuple(_questions(text, comments)),
        blockers=tuple(dict.fromkeys(b for b in _lines(text, BLOCKED) if ANY_KEY.search(b)))[:4],
        unread=tuple(dict.fromkeys(_lines(text, UNREAD)))[:3],
        opening=_opening(key, text),
    )


def clipped(text: str, limit: int = QUOTED) -> str:
    """Shorten a quotation at a word, with a sign that it goes on."""
    text = " ".join(text.split())
    return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0] + " …"


def _flat(text: str) -> str:
    """Bring JSON into lines of "name: value"; other text stays as it is."""
    if not text.lstrip().startswith("{"):
        return text
    try:
        return "\n".join(_walk(json.loads(text), ""))
    except ValueError:
        return text


def _walk(value: Any, name: str) -> Iterator[str]:
    if isinstance(value, dict):
        author, body = value.get("author"), value.get("body") or value.get("text")
        if author and isinstance(body, str):
            who = author.get("displayName", "") if isinstance(author, dict) else str(author)
            when = str(value.get("created") or value.get("date") or value.get("when") or "")
            yield f"{who} ({when}): {body}" if when else f"Comment by {who}: {body}"
            return
        shown = value.get("displayName") or value.get("name") or value.get("value")
        if isinstance(shown, str) and name:
            yield f"{name}: {shown}"
            return
        for key, inner in value.items():
            yield from _walk(inner, str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, name)
    elif value not in (None, ""):
        yield f"{name}: {value}"


def _field(text: str, *names: str) -> str:
    for name in names:
        found = re.search(FIELD.format(name=name), text)
        if found:
            return found["value"].strip().strip("*").strip()
    return ""


def _heading(key: str, text: str) -> str:
    for line in text.splitlines()[:8]:
        if key in line:
            rest = line.split(key, 1)[1]
            rest = re.sub(r"^\]?(\([^)]*\))?[\s:*\])–—-]*", "", rest)
            parts = [
                p.strip(" *") for p in re.split(r"(?:^|\s)[·|](?:\s|$)", rest) if p.strip(" *")
            ]
            named = [p for p in parts if not KINDS.match(p)]
            if named:
                return named[0]
    return ""


def _link(key: str, text: str) -> str:
    found = re.search(rf"https?://[^\s)>\]\"']+/browse/{re.escape(key)}\b", text)
    return found[0] if found else ""


def _comments(text: str) -> Iterator[Comment]:
    head: tuple[str, str] | None = None
    body: list[str] = []
    section = re.search(r"(?im)^[\s#*>\-]*comments?\b[^\n]{0,40}$", text)
    for line in (text[section.end() :] if section else text).splitlines():
        found = _head(line)
        if found:
            if head:
                yield Comment(*head, "\n".join(body).strip())
            head, body = found[:2], [found[2]]
        elif head and re.match(
            r"^#{1,3} |^(history|attachments|links|work ?log)\b", line, re.IGNORECASE
        ):
            yield Comment(*head, "\n".join(body).strip())
            head, body = None, []
        else:
            body.append(line)
    if head:
        yield Comment(*head, "\n".join(body).strip())


def _linked(comment: Comment) -> Comment:
    """A comment whose last line is its own address has it as its link."""
    before, _, last = comment.text.rpartition("\n")
    if not re.fullmatch(r"https?://\S+omment\S*", last.strip()):
        return comment
    return replace(comment, text=before.strip(), link=last.strip())


def _head(line: str) -> tuple[str, str, str] | None:
    for pattern in HEADS:
        m = pattern.match(line)
        if m and not NOT_NAMES.match(m["who"]):
            return m["who"].strip(), m["when"] or "", (m["text"] or "").strip()
    return None


def _in_order(comments: tuple[Comment, ...]) -> tuple[Comment, ...]:
    """Oldest first, where dates can be compared; else as they stand."""
    dates = [c.when for c in comments]
    if all(re.match(r"\d{4}-", d) for d in dates):
        return tuple(sorted(comments, key=lambda c: c.when))
    return comments


def _questions(text: str, comments: tuple[Comment, ...]) -> Iterator[str]:
    """Give sentences with a question mark; of comments with who asked."""
    seen: set[str] = set()
    told = [(c.who, c.text) for c in comments] or [("", text)]
    for who, part in [*told, ("", _before_comments(text) if comments else "")]:
        for sentence in re.split(r"(?<=[.!?])\s+|\n", part):
            asked = sentence.strip(" \t*>-#|")
            if asked.endswith("?") and len(asked) > 6 and asked not in seen:
                seen.add(asked)
                yield f"{who}: {clipped(asked)}" if who else clipped(asked)


def _before_comments(text: str) -> str:
    rows = re.split(r"(?im)^[\s#*>\-]*comments?\b[^\n]{0,40}$", text)[0].splitlines()
    return "\n".join(row for row in rows if not _head(row))


def _lines(text: str, pattern: re.Pattern[str]) -> Iterator[str]:
    for line in text.splitlines():
        if pattern.search(line):
            yield clipped(line.strip(" \t*>-#"), 160)


def _opening(key: str, text: str) -> str:
    """The first sentence of the description, or the first line of text at all."""
    m = re.search(
        r"(?im)^[\s#*>\-]*description\**:?\**[ \t]*\n?(?:#+ [^\n]*\n+)*(?P<text>[^\n]+(?:\n[^\n#]+)?)",
        text,
    )
    if m:
        return clipped(re.split(r"(?<=[.!?])\s", m["text"].strip())[0])
    for line in text.splitlines():
        if (
            len(line.split()) > 5
            and key not in line
            and not _head(line)
            and not re.match(r"^[\s>*#\-]*\w+\**:", line)
        ):
            return clipped(line.strip(" \t*>-#"))
    return ""
