"""Markdown as one of Jira's documents (ADF): whatever comes in, a document comes out that Jira takes, no word lost.

    Markdown -> marklas -> _sound (few kinds of nodes) -> every word still there? -> document
                                         else part by part; a part that would lose words goes as it is written

Nothing in a text becomes a mention, a picture loaded from elsewhere, or any other node by its HTML.
"""

import re
from collections.abc import Iterator
from itertools import count
from typing import Any, cast
from urllib.parse import unquote

from integrations.jira_node import Node, attrs, children, clean
from integrations.jira_text import ODD

DEPTH = 20  # levels that keep their form

# No text holds these (they are no characters): "<" is never taken for HTML, and a picture is but a link.
_LESS, _BANG = "\ufdd0", "\ufdd1"
_PICTURE = re.compile(r"!(?=\[)")
_HTML = re.compile(r"<(?!https?://)")
_LINKS = re.compile(r"(https?://|mailto:)", re.IGNORECASE)
_MARKERS = re.compile(r"^[\s>]*(?:(?:[-*+]|\d{1,9}[.)])\s+)+(?:\[[ xX]\]\s)?", re.MULTILINE)
_FENCE = re.compile(r"\s{0,3}(```+|~~~+)")
_MARKS = frozenset({"strong", "em", "strike", "code", "link"})
_BOXES = frozenset(
    {"bulletList", "listItem", "blockquote", "table", "tableRow", "tableHeader", "tableCell"}
)


def document(markdown: str) -> Node:
    """A document that says all that the Markdown says; an empty text gives an empty paragraph."""
    text = re.sub(f"[{_LESS}{_BANG}]", "", clean(markdown)).strip()
    content = _converted(text)
    if content is None:
        content = []
        for part in _parts(text):
            made = _converted(part)
            content += _plain(part) if made is None else made
    _number(content, count(1))
    return {"type": "doc", "version": 1, "content": content or [_paragraph([])]}


def _converted(text: str) -> list[Node] | None:
    """The blocks of a text; None when words would be lost."""
    import marklas

    try:
        raw: Any = marklas.to_adf(_PICTURE.sub(_BANG, _HTML.sub(_LESS, text)))
        content = [node for _, part in children(raw) for node in _sound(part, 0)]
    except ODD:
        return None
    wanted = _letters(_MARKERS.sub("", text))
    said = iter(_letters("".join(_said({"content": content}))))
    return content if all(letter in said for letter in wanted) else None


def _number(content: list[Node], numbers: Iterator[int]) -> None:
    """Give each task list and task an id of its own: by it Jira knows which box somebody ticks."""
    for node in content:
        if "localId" in attrs(node):
            node["attrs"]["localId"] = str(next(numbers))
        _number(node.get("content", []), numbers)


def _parts(text: str) -> Iterator[str]:
    """The text cut at empty lines before lines that are not indented, never inside a fence."""
    part: list[str] = []
    fence = ""
    for line in text.split("\n"):
        if not fence and part and not part[-1].strip() and line[:1].strip():
            yield "\n".join(part)
            part = []
        part.append(line)
        if found := _FENCE.match(line):
            if not fence:
                fence = found[1]
            elif found[1].startswith(fence):
                fence = ""
    yield "\n".join(part)


def _plain(text: str) -> list[Node]:
    """A text as it is written, line by line."""
    made: list[Node] = []
    for block in re.split(r"\n\s*\n", text.strip()):
        inlines: list[Node] = []
        for line in block.split("\n"):
            if inlines:
                inlines.append({"type": "hardBreak"})
            if line.strip():
                inlines.append({"type": "text", "text": line})
        made.append(_paragraph(inlines))
    return made


def _sound(node: Node, depth: int) -> list[Node]:
    """A block of the kinds that we write; what is of another kind is what it holds."""
    kind = node.get("type")
    if depth > DEPTH:
        raise RecursionError
    if kind in {"paragraph", "heading"}:
        about = {"attrs": {"level": attrs(node)["level"]}} if kind == "heading" else {}
        return [{"type": kind, **about, "content": _inlines(node)}]
    if kind == "codeBlock":
        return [_code(node)]
    if kind == "rule":
        return [{"type": "rule"}]
    if kind in {"taskItem", "blockTaskItem"}:
        return [_task(node)]
    inner = [made for _, part in children(node) for made in _sound(part, depth + 1)]
    if kind == "taskList":
        return [{"type": "taskList", "attrs": {"localId": ""}, "content": inner}]
    if kind == "orderedList":
        return [{"type": kind, "attrs": {"order": attrs(node).get("order", 1)}, "content": inner}]
    if kind in _BOXES:
        empty = kind in {"listItem", "blockquote", "tableHeader", "tableCell"} and not inner
        return [{"type": kind, "content": [_paragraph([])] if empty else inner}]
    return inner


def _code(node: Node) -> Node:
    code = "".join(_written(part.get("text")) for _, part in children(node))
    about = {"attrs": attrs(node)} if attrs(node) else {}
    return {
        "type": "codeBlock",
        **about,
        "content": [{"type": "text", "text": code}] if code else [],
    }


def _task(node: Node) -> Node:
    """A task in one line, whatever blocks it was written in."""
    inlines: list[Node] = []
    for kind, part in children(node):
        if kind == "paragraph":
            inlines += [{"type": "hardBreak"}, *_inlines(part)] if inlines else _inlines(part)
    state = {"localId": "", "state": attrs(node).get("state", "TODO")}
    return {"type": "taskItem", "attrs": state, "content": inlines or _inlines(node)}


def _inlines(node: Node) -> list[Node]:
    """A line; what makes a link a picture goes, since a ticket loads nothing from a stranger's server."""
    made: list[Node] = []
    parts = list(children(node))
    for (kind, part), (_, after) in zip(parts, [*parts[1:], ("", {})], strict=True):
        text = clean(part.get("text"))
        if text.endswith(_BANG) and any(mark["type"] == "link" for mark in _marks(after)):
            text = text[:-1]
        if kind == "hardBreak":
            made.append({"type": "hardBreak"})
        elif text:
            made += _text(_written(text).replace("\n", " "), _marks(part))
    return made


def _marks(node: Node) -> list[Node]:
    return cast("list[Node]", node.get("marks") or [])


def _text(text: str, marks: list[Node]) -> list[Node]:
    """A text with marks that go together; an address that is no link for people stands beside it."""
    kept = {mark["type"]: mark for mark in marks if mark.get("type") in _MARKS}
    beside = ""
    if link := kept.get("link"):
        href = _written(attrs(link).get("href"))
        title = _written(attrs(link).get("title"))
        kept["link"] = {"type": "link", "attrs": {"href": href}}
        if not _LINKS.match(href):
            del kept["link"]
            beside = f" ({href})"
        beside += f" ({title})" if title else ""
    if "code" in kept:
        kept = {name: mark for name, mark in kept.items() if name in {"code", "link"}}
    made: Node = {"type": "text", "text": text}
    if kept:
        made["marks"] = [{"type": name} if name != "link" else kept[name] for name in kept]
    return [made, {"type": "text", "text": beside}] if beside else [made]


def _paragraph(inlines: list[Node]) -> Node:
    return {"type": "paragraph", "content": inlines}


def _written(text: object) -> str:
    return clean(text).replace(_LESS, "<").replace(_BANG, "!")


def _said(node: Node) -> Iterator[str]:
    """All that a document says, its addresses and languages too."""
    for _, part in children(node):
        yield _written(attrs(part).get("language"))
        yield _written(part.get("text"))
        for mark in _marks(part):
            href = _written(attrs(mark).get("href"))
            yield href + unquote(href)
        yield from _said(part)


def _letters(text: str) -> str:
    """What must not be lost: all but blanks and the signs that Markdown is made of."""
    return "".join(c for c in text if c.isalnum() or (c > "\x7f" and not c.isspace()))
