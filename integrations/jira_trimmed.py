"""A document of Jira's rebuilt from the few kinds of nodes that convert well, within bounds, nothing lost unsaid."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, cast
from urllib.parse import urlsplit

from integrations.jira_node import INLINES, Node, attrs, children, clean, words

DEPTH = 24  # levels that keep their form; what is deeper becomes bare words
ROWS = 1_000  # of one table
COLUMNS = 60
CELL_ROWS = 50  # that one cell spans
CELL_COLUMNS = 10
URL_CHARS = 2_000
NAME_CHARS = 40  # of the kind of a node, where it is named to the reader

_MARKS = frozenset({"strong", "em", "strike", "code"})
_STRONG: Node = {"type": "strong"}


class Trimmed:
    """Rebuilds one document.

    Args:
        most: characters that are kept; each node counts as one more.

    Attributes:
        left_out: characters that were not kept.
    """

    def __init__(self, most: int) -> None:
        self._left = most
        self.left_out = 0

    def document(self, found: Node) -> Node:
        """The document, of paragraphs, headings, lists, tasks, quotes, code, rules, tables and text alone."""
        return {"type": "doc", "version": 1, "content": self._blocks(found, 0)}

    def _blocks(self, box: Node, depth: int) -> list[Node]:
        """What stands in a box, as blocks; loose words become paragraphs."""
        made: list[Node] = []
        line: list[Node] = []
        for kind, node in children(box):
            if self._full(node):
                continue
            if kind in INLINES:
                line += self._inline(kind, node)
                continue
            if line:
                made.append(_paragraph(*line))
                line = []
            made += self._block(kind, node, depth + 1)
        return [*made, _paragraph(*line)] if line else made

    def _block(self, kind: str, node: Node, depth: int) -> list[Node]:
        if depth > DEPTH:
            text = self._take(words(node))
            return [_paragraph(_text(" ".join(text.split())))] if text else []
        maker = self._MAKERS.get(kind)
        return maker(self, node, depth) if maker else self._unknown(node, depth)

    def _full(self, node: Node) -> bool:
        """Whether there is no room for another node; its words are counted then."""
        if self._left <= 0:
            self.left_out += len(words(node))
            return True
        self._left -= 1
        return False

    def _take(self, text: object) -> str:
        whole = clean(text)
        kept = whole[: max(0, self._left)]
        self._left -= len(kept)
        self.left_out += len(whole) - len(kept)
        return kept

    def _unknown(self, node: Node, depth: int) -> list[Node]:
        """A macro, or a kind of node that nobody here knows: its name, and whatever it holds."""
        about = attrs(node)
        name = _named(about.get("extensionKey")) or _named(node.get("type")) or "part"
        told = self._take(about.get("text") or about.get("title"))
        inner = self._blocks(node, depth)
        said = f"({name}: {told})" if told else f"({name})" if inner else f"({name}, not shown)"
        return [_paragraph(_text(said)), *inner]

    def _line(self, node: Node, depth: int) -> list[Node]:
        return [_paragraph(*self._inlines(node))]

    def _heading(self, node: Node, depth: int) -> list[Node]:
        level = {"level": _whole(attrs(node).get("level"), 1, 6) or 1}
        return [{"type": "heading", "attrs": level, "content": self._inlines(node)}]

    def _code(self, node: Node, depth: int) -> list[Node]:
        code = "".join(self._take(part.get("text")) for _, part in children(node))
        language = {"language": _named(attrs(node).get("language"))}
        return [{"type": "codeBlock", "attrs": language, "content": [_text(code)]}]

    def _box(self, node: Node, depth: int) -> list[Node]:
        """A layout or an expand: what it holds, under its title."""
        title = self._take(attrs(node).get("title")).strip()
        head = [_paragraph(_text(title, _STRONG))] if title else []
        return [*head, *self._blocks(node, depth)]

    def _quote(self, node: Node, depth: int) -> list[Node]:
        return [{"type": "blockquote", "content": self._blocks(node, depth)}]

    def _panel(self, node: Node, depth: int) -> list[Node]:
        kind = (_named(attrs(node).get("panelType")) or "panel").capitalize()
        title = _paragraph(_text(f"{kind}:", _STRONG))
        return [{"type": "blockquote", "content": [title, *self._blocks(node, depth)]}]

    def _rule(self, node: Node, depth: int) -> list[Node]:
        return [{"type": "rule"}]

    def _list(self, node: Node, depth: int) -> list[Node]:
        kind = node["type"]
        items: list[Node] = []
        for part_kind, part in children(node):
            if not self._full(part):
                item = part if part_kind == "listItem" else {"content": [part]}
                items.append({"type": "listItem", "content": self._blocks(item, depth + 1)})
        order = _whole(attrs(node).get("order"), 0, 1_000_000) if kind == "orderedList" else None
        first = {} if order is None else {"order": order}
        return [{"type": kind, "attrs": first, "content": items}] if items else []

    def _decisions(self, node: Node, depth: int) -> list[Node]:
        items: list[Node] = []
        for _, part in children(node):
            if not self._full(part):
                line = _paragraph(_text("Decision:", _STRONG), _text(" "), *self._inlines(part))
                items.append({"type": "listItem", "content": [line]})
        return [{"type": "bulletList", "content": items}] if items else []

    def _tasks(self, node: Node, depth: int) -> list[Node]:
        items: list[Node] = []
        for kind, part in children(node):
            if self._full(part):
                continue
            if kind == "taskList" and depth < DEPTH:
                items += self._tasks(part, depth + 1)
                continue
            state = {"state": "DONE" if attrs(part).get("state") == "DONE" else "TODO"}
            items.append({"type": "taskItem", "attrs": state, "content": self._inlines(part)})
        return [{"type": "taskList", "content": items}] if items else []

    def _table(self, node: Node, depth: int) -> list[Node]:
        rows: list[Node] = []
        for kind, part in children(node):
            if len(rows) == ROWS:
                self.left_out += len(words(part))
            elif not self._full(part):
                cells = self._cells(part if kind == "tableRow" else {"content": [part]}, depth + 1)
                rows += [{"type": "tableRow", "content": cells}] if cells else []
        return [{"type": "table", "content": rows}] if rows else []

    def _cells(self, row: Node, depth: int) -> list[Node]:
        cells: list[Node] = []
        width = 0
        for kind, part in children(row):
            about = attrs(part)
            columns = _whole(about.get("colspan"), 1, CELL_COLUMNS) or 1
            if width + columns > COLUMNS:
                self.left_out += len(words(part))
                continue
            if self._full(part):
                continue
            width += columns
            spans = {
                "colspan": columns,
                "rowspan": _whole(about.get("rowspan"), 1, CELL_ROWS) or 1,
            }
            cell = part if kind in {"tableCell", "tableHeader"} else {"content": [part]}
            made = "tableHeader" if kind == "tableHeader" else "tableCell"
            content = self._blocks(cell, depth + 1)
            cells.append({"type": made, "attrs": spans, "content": content})
        return cells

    def _media(self, node: Node, depth: int) -> list[Node]:
        """Pictures and files by name, what stands outside Jira with its address."""
        made: list[Node] = []
        for kind, part in children(node):
            if kind == "caption":
                made += [_text(" "), *self._inlines(part)]
            elif not self._full(part):
                made.append(self._file(part))
        return [_paragraph(*made)] if made else []

    def _file(self, node: Node) -> Node:
        about = attrs(node)
        name, url = self._take(about.get("alt")), self._take(about.get("url"))
        label = f"(file: {name})" if name else "(a file)"
        return _link(url, label) if url else _text(label)

    def _card(self, node: Node, depth: int) -> list[Node]:
        return [_paragraph(*self._inline("inlineCard", node))]

    def _inlines(self, node: Node) -> list[Node]:
        """What stands in a line; blocks that have got into it as their words."""
        made: list[Node] = []
        for kind, part in children(node):
            if self._full(part):
                continue
            if kind in INLINES:
                made += self._inline(kind, part)
            elif text := self._take(words(part)):
                made.append(_text(f"{' '.join(text.split())} "))
        return made

    def _inline(self, kind: str, node: Node) -> list[Node]:
        about = attrs(node)
        if kind == "text":
            return self._words(node)
        if kind == "hardBreak":
            return [{"type": "hardBreak"}]
        if kind == "inlineCard":
            url = self._take(about.get("url"))
            return [_link(url) if url else _text("(card, not shown)")]
        if kind == "mediaInline":
            return [self._file(node)]
        text = self._take(_said(kind, about))
        marks = [{"type": "code"}] if kind == "status" else []
        return [_text(text, *marks)] if text else []

    def _words(self, node: Node) -> list[Node]:
        text = self._take(node.get("text"))
        if not text:
            return []
        made = _text(text)
        found = node.get("marks")
        for mark in cast("list[Any]", found) if isinstance(found, list) else []:
            if not isinstance(mark, dict):
                continue
            kind = cast("Node", mark).get("type")
            href = clean(attrs(cast("Node", mark)).get("href"))
            if kind == "link" and href:
                linked = _link(href, "" if href == text else text)
                made = _text(linked["text"], *made["marks"], *linked["marks"])
            elif isinstance(kind, str) and kind in _MARKS:
                made["marks"].append({"type": kind})
        return [made]

    _MAKERS: ClassVar[Mapping[str, Callable[[Any, Node, int], list[Node]]]] = {
        "paragraph": _line,
        "heading": _heading,
        "codeBlock": _code,
        "blockquote": _quote,
        "panel": _panel,
        "rule": _rule,
        "bulletList": _list,
        "orderedList": _list,
        "decisionList": _decisions,
        "taskList": _tasks,
        "table": _table,
        "mediaSingle": _media,
        "mediaGroup": _media,
        "blockCard": _card,
        "embedCard": _card,
        "expand": _box,
        "nestedExpand": _box,
        "layoutSection": _box,
        "layoutColumn": _box,
    }


def _text(text: str, *marks: Node) -> Node:
    return {"type": "text", "text": text, "marks": list(marks)}


def _paragraph(*inlines: Node) -> Node:
    return {"type": "paragraph", "content": list(inlines)}


def _whole(value: object, least: int, most: int) -> int | None:
    """A whole number, brought within bounds; None when it is none."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return max(least, min(value, most))


def _named(kind: object) -> str:
    """A name that somebody else chose, fit for our own words."""
    return re.sub(r"[^\w.+#-]", "", clean(kind))[:NAME_CHARS]


def _link(url: str, label: str = "") -> Node:
    """A link that cannot break out of its brackets, labelled with its host when it has no words of its own."""
    safe = re.sub(r"[<>\s\\]", lambda found: f"%{ord(found[0]):02X}", url)[:URL_CHARS]
    try:
        host = urlsplit(safe).hostname or safe
    except ValueError:
        return _text(label or safe)
    return _text(label or host, {"type": "link", "attrs": {"href": safe}})


def _said(kind: str, about: Node) -> str:
    """How an inline node that holds nothing else reads."""
    text = clean(about.get("text"))
    if kind == "mention":
        return f"@{text.lstrip('@') or 'somebody'}"
    if kind == "emoji":
        return text or clean(about.get("shortName"))
    if kind == "date":
        return _day(about.get("timestamp"))
    if kind == "inlineExtension":
        return text or f"({_named(about.get('extensionKey')) or 'macro'}, not shown)"
    # What an editor shows in a template that nobody filled in says nothing about the issue.
    return text if kind == "status" else ""


def _day(timestamp: object) -> str:
    try:
        return f"{datetime.fromtimestamp(int(str(timestamp)) / 1000, UTC):%Y-%m-%d}"
    except (ValueError, OverflowError, OSError):
        return "(a date)"
