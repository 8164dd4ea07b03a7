"""A node of one of Jira's documents (ADF), read without trusting that it is one."""

import re
from collections.abc import Iterator
from typing import Any, cast

Node = dict[str, Any]

INLINES = frozenset(
    {
        "text",
        "hardBreak",
        "mention",
        "emoji",
        "date",
        "status",
        "inlineCard",
        "placeholder",
        "mediaInline",
        "inlineExtension",
    }
)
# Control characters break terminals, and PostgreSQL takes no NUL.
_CONTROLS = {code: None for code in (*range(32), 127) if chr(code) not in "\n\t"}


def clean(text: object) -> str:
    """A string that can be stored and sent: no half characters, no controls; "" for what is no string."""
    if not isinstance(text, str):
        return ""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.translate(_CONTROLS)


def attrs(node: Node) -> Node:
    """A node's attributes; none when they are in no shape."""
    found = node.get("attrs")
    return cast("Node", found) if isinstance(found, dict) else {}


def children(node: Node) -> Iterator[tuple[str, Node]]:
    """The nodes inside a node, each with its kind ("" without one)."""
    for child in _content(node):
        if isinstance(child, dict):
            part = cast("Node", child)
            yield _kind(part), part


def words(node: Node) -> str:
    """The bare words of a node, a line for each block inside it, at any depth."""
    pieces: list[str] = []
    stack: list[object] = [node]
    while stack:
        here = stack.pop()
        if isinstance(here, str):
            pieces.append(here)
        elif isinstance(here, dict):
            part = cast("Node", here)
            about = attrs(part)
            shown = (part.get("text"), about.get("text"), about.get("url"), about.get("title"))
            pieces.append(next((t for s in shown if (t := clean(s))), ""))
            if _kind(part) not in INLINES:
                stack.append("\n")
                pieces.append("\n")
            stack += reversed(_content(part))
    return re.sub(r"\s*\n\s*", "\n", "".join(pieces)).strip()


def _kind(node: Node) -> str:
    found = node.get("type")
    return found if isinstance(found, str) else ""


def _content(node: Node) -> list[Any]:
    found = node.get("content")
    return cast("list[Any]", found) if isinstance(found, list) else []
