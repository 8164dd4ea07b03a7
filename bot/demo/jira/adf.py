"""Atlassian Document Format for the stand-in: written from a compact markup, read as plain text, checked.

The markup is a small Markdown with a few marks of its own:
`:::info` ... `:::` panels, `:::expand Title`, `:::decision`, `- [x]` tasks, `!file.png!` pictures,
`@ana` mentions, `{green:DONE}` lozenges, `{date:2026-11-03}`, `:warning:`, bare addresses as cards.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

Node = dict[str, Any]

EMOJI = {
    "warning": ("26a0", "⚠️"),
    "tada": ("1f389", "🎉"),
    "eyes": ("1f440", "👀"),
    "thumbsup": ("1f44d", "👍"),
    "fire": ("1f525", "🔥"),
    "rocket": ("1f680", "🚀"),
    "thinking": ("1f914", "🤔"),
    "white_check_mark": ("2705", "✅"),
}
PANELS = ("info", "note", "warning", "error", "success")
BLOCKS = frozenset(
    [
        "doc",
        "paragraph",
        "heading",
        "bulletList",
        "orderedList",
        "listItem",
        "codeBlock",
        "blockquote",
        "panel",
        "rule",
        "table",
        "tableRow",
        "tableHeader",
        "tableCell",
        "taskList",
        "taskItem",
        "decisionList",
        "decisionItem",
        "expand",
        "nestedExpand",
        "mediaSingle",
        "mediaGroup",
        "media",
        "blockCard",
        "embedCard",
        "extension",
        "bodiedExtension",
        "layoutSection",
        "layoutColumn",
    ]
)
INLINES = frozenset(
    [
        "text",
        "hardBreak",
        "mention",
        "emoji",
        "date",
        "status",
        "inlineCard",
        "mediaInline",
        "inlineExtension",
        "placeholder",
    ]
)
TEXT_BLOCKS = frozenset({"paragraph", "codeBlock", "mediaSingle", "mediaGroup"})
LISTS = frozenset({"bulletList", "orderedList", "taskList", "decisionList"})
CELL = TEXT_BLOCKS | LISTS | {"heading", "blockquote", "panel", "rule", "nestedExpand", "blockCard"}
# What Jira takes inside a node; kinds that are not named here take what they like.
INSIDE = {
    "paragraph": INLINES,
    "heading": INLINES,
    "codeBlock": frozenset({"text"}),
    "taskItem": INLINES,
    "decisionItem": INLINES,
    "bulletList": frozenset({"listItem"}),
    "orderedList": frozenset({"listItem"}),
    "taskList": frozenset({"taskItem", "taskList"}),
    "listItem": TEXT_BLOCKS | {"bulletList", "orderedList", "taskList"},
    "blockquote": TEXT_BLOCKS | {"bulletList", "orderedList"},
    "table": frozenset({"tableRow"}),
    "tableRow": frozenset({"tableHeader", "tableCell"}),
    "tableHeader": CELL,
    "tableCell": CELL,
}
NEVER_EMPTY = frozenset(INSIDE) - {"paragraph", "heading", "codeBlock", "taskItem", "decisionItem"}
INLINE = re.compile(
    r"\*\*(?P<strong>.+?)\*\*|`(?P<code>[^`]+)`|\[(?P<label>[^\]]+)\]\((?P<href>[^)\s]+)\)"
    r"|(?<!\w)@(?P<who>[a-z]+)|\{(?P<color>red|green|yellow|blue|purple|neutral):(?P<status>[^}]+)\}"
    r"|\{date:(?P<date>\d{4}-\d\d-\d\d)\}|:(?P<emoji>[a-z_]+):|(?P<url>https?://[^\s)]+)"
    r"|(?<!\w)_(?P<em>[^_]+)_(?!\w)|(?P<break>\\\n)"
)


class Writer:
    """Markup -> ADF; people are named by handle.

    Args:
        people: handle -> (account id, display name).
    """

    def __init__(self, people: Mapping[str, tuple[str, str]]) -> None:
        self._people = people
        self._count = 0

    def document(self, markup: str) -> Node:
        """A whole ADF document; empty markup gives one without content."""
        self._count = 0
        return {
            "type": "doc",
            "version": 1,
            "content": list(self._blocks(markup.strip("\n").split("\n"))) if markup.strip() else [],
        }

    def _local(self) -> str:
        self._count += 1
        return f"local-{self._count}"

    def _blocks(self, lines: list[str]) -> Iterator[Node]:
        at = 0
        while at < len(lines):
            line = lines[at]
            if not line.strip():
                at += 1
            elif line.startswith("```"):
                end = _until(lines, at + 1, "```")
                yield _code(line[3:].strip(), lines[at + 1 : end])
                at = end + 1
            elif line.startswith(":::"):
                end = _until(lines, at + 1, ":::")
                yield self._fence(line[3:].strip(), lines[at + 1 : end])
                at = end + 1
            else:
                end = _run(lines, at)
                yield self._block(lines[at:end])
                at = end

    def _block(self, lines: list[str]) -> Node:
        first = lines[0]
        if first.startswith("#"):
            level = len(first) - len(first.lstrip("#"))
            return _node("heading", self.inline(first.lstrip("# ")), level=level)
        if first == "---":
            return {"type": "rule"}
        if first.startswith("|"):
            return self._table(lines)
        if first.startswith("> "):
            return _node("blockquote", list(self._blocks([s[2:] for s in lines])))
        if re.match(r"- \[[ x]\] ", first):
            return self._tasks(lines)
        if re.match(r"(- |\d+\. )", first):
            return self._list(lines)
        if picture := re.fullmatch(r"!([\w.-]+)!", first):
            media = {
                "id": f"media-{picture[1]}",
                "type": "file",
                "collection": "",
                "alt": picture[1],
            }
            return _node("mediaSingle", [{"type": "media", "attrs": media}], layout="center")
        return _node("paragraph", self.inline("\n".join(lines)))

    def _fence(self, head: str, lines: list[str]) -> Node:
        if head.startswith("expand"):
            return _node("expand", list(self._blocks(lines)), title=head[7:])
        if head == "decision":
            items = [
                _node("decisionItem", self.inline(s), localId=self._local(), state="DECIDED")
                for s in lines
            ]
            return _node("decisionList", items, localId=self._local())
        return _node("panel", list(self._blocks(lines)), panelType=head)

    def _table(self, lines: list[str]) -> Node:
        rows: list[Node] = []
        headed = len(lines) > 1 and set(lines[1]) <= set("|- ")
        for number, line in enumerate(lines):
            if headed and number == 1:
                continue
            kind = "tableHeader" if headed and number == 0 else "tableCell"
            cells = [c.strip() for c in line.strip().strip("|").split("|")]
            rows.append(_node("tableRow", [self._cell(kind, c) for c in cells]))
        return _node("table", rows, isNumberColumnEnabled=False, layout="default")

    def _cell(self, kind: str, text: str) -> Node:
        parts = text.split("<br>")
        if len(parts) > 1 and all(p.strip().startswith("- ") for p in parts):
            return _node(kind, [self._list([p.strip() for p in parts])])
        return _node(kind, [_node("paragraph", self.inline(p.strip())) for p in parts])

    def _tasks(self, lines: list[str]) -> Node:
        items = [
            _node(
                "taskItem",
                self.inline(s[6:]),
                localId=self._local(),
                state="DONE" if s[3] == "x" else "TODO",
            )
            for s in lines
        ]
        return _node("taskList", items, localId=self._local())

    def _list(self, lines: list[str]) -> Node:
        kind = "bulletList" if lines[0].startswith("- ") else "orderedList"
        items: list[Node] = []
        at = 0
        while at < len(lines):
            end = at + 1
            while end < len(lines) and lines[end].startswith("  "):
                end += 1
            text = re.sub(r"^(- |\d+\. )", "", lines[at])
            content = [_node("paragraph", self.inline(text))]
            if end > at + 1:
                content.append(self._list([s[2:] for s in lines[at + 1 : end]]))
            items.append(_node("listItem", content))
            at = end
        return _node(kind, items)

    def inline(self, text: str) -> list[Node]:
        """The inline nodes of one paragraph's markup."""
        nodes: list[Node] = []
        last = 0
        for match in INLINE.finditer(text):
            node = self._inline(match)
            if node is None:
                continue
            nodes += _words(text[last : match.start()])
            nodes.append(node)
            last = match.end()
        return nodes + _words(text[last:])

    def _inline(self, match: re.Match[str]) -> Node | None:
        kind, value = next((k, v) for k, v in match.groupdict().items() if v is not None)
        if kind in {"strong", "em", "code"}:
            return {"type": "text", "text": value, "marks": [{"type": kind}]}
        if kind == "label":
            link = {"type": "link", "attrs": {"href": match["href"]}}
            return {"type": "text", "text": value, "marks": [link]}
        if kind == "who":
            return self._mention(value)
        if kind == "color":
            attrs = {"text": match["status"], "color": value, "localId": self._local(), "style": ""}
            return {"type": "status", "attrs": attrs}
        if kind == "date":
            day = datetime.fromisoformat(value).replace(tzinfo=UTC)
            return {"type": "date", "attrs": {"timestamp": str(int(day.timestamp() * 1000))}}
        if kind == "emoji":
            if value not in EMOJI:
                return None
            code, sign = EMOJI[value]
            return {"type": "emoji", "attrs": {"shortName": f":{value}:", "id": code, "text": sign}}
        if kind == "url":
            return {"type": "inlineCard", "attrs": {"url": value}}
        return {"type": "hardBreak"}

    def _mention(self, handle: str) -> Node | None:
        if handle not in self._people:
            return None
        account, name = self._people[handle]
        return {"type": "mention", "attrs": {"id": account, "text": f"@{name}", "accessLevel": ""}}


def _node(kind: str, content: list[Node], **attrs: object) -> Node:
    node: Node = {"type": kind}
    if attrs:
        node["attrs"] = attrs
    node["content"] = content
    return node


def _words(text: str) -> list[Node]:
    text = text.replace("\n", " ")
    return [{"type": "text", "text": text}] if text else []


def _code(language: str, lines: list[str]) -> Node:
    attrs = {"language": language} if language else {}
    return _node("codeBlock", [{"type": "text", "text": "\n".join(lines)}], **attrs)


def _until(lines: list[str], at: int, fence: str) -> int:
    while at < len(lines) and lines[at].strip() != fence:
        at += 1
    return at


def _run(lines: list[str], at: int) -> int:
    """Where the block that begins here ends: a heading or rule is one line, others go to a blank line."""
    if lines[at].startswith("#") or lines[at] == "---":
        return at + 1
    end = at + 1
    while (
        end < len(lines) and lines[end].strip() and not lines[end].startswith(("```", ":::", "#"))
    ):
        end += 1
    return end


def plain(node: object) -> str:
    """The words of a document, blocks on lines of their own; for searching, not for showing."""
    pieces: list[str] = []
    _collect(node, pieces)
    return re.sub(r"\n+", "\n", "".join(pieces)).strip()


def _collect(node: object, pieces: list[str]) -> None:
    stack: list[object] = [node]
    while stack:
        here = stack.pop()
        if isinstance(here, str):
            pieces.append(here)
            continue
        if not isinstance(here, dict):
            continue
        typed: dict[str, Any] = here
        attrs: dict[str, Any] = typed.get("attrs") or {}
        pieces.append(str(typed.get("text") or attrs.get("text") or attrs.get("url") or ""))
        if typed.get("type") in BLOCKS:
            stack.append("\n")
        stack.extend(reversed(typed.get("content") or []))


def problem(document: object) -> str | None:
    """Why Jira would not take this as a document, or None when it would."""
    if not isinstance(document, dict):
        return "not an Atlassian Document"
    doc: dict[str, Any] = document
    if (
        doc.get("type") != "doc"
        or doc.get("version") != 1
        or not isinstance(doc.get("content"), list)
    ):
        return "a document is {type: doc, version: 1, content: [...]}"
    stack: list[Any] = list(doc["content"])
    while stack:
        node = stack.pop()
        if not isinstance(node, dict):
            return "a node is an object"
        found = _wrong(node)
        if found:
            return found
        stack.extend(node.get("content") or [])
    return None


def _wrong(node: dict[str, Any]) -> str | None:
    kind = node.get("type")
    if kind not in BLOCKS | INLINES:
        return f"unknown node {kind!r}"
    if kind == "text":
        text = node.get("text")
        if not isinstance(text, str) or not text:
            return "an empty text node"
    inside = [c for c in node.get("content") or [] if isinstance(c, dict)]
    if kind != "codeBlock" and any("\n" in str(c.get("text", "")) for c in inside):
        return "a newline inside a text node"
    if any(c.get("type") not in INSIDE.get(kind, BLOCKS | INLINES) for c in inside):
        return f"a node that may not stand in a {kind}"
    if kind in NEVER_EMPTY and not inside:
        return f"an empty {kind}"
    marks = {m.get("type") for m in node.get("marks") or []}
    if "code" in marks and not marks <= {"code", "link"}:
        return "a mark that code may not have beside it"
    if kind == "mention" and not (node.get("attrs") or {}).get("id"):
        return "a mention without an id"
    return None
