"""An answer's Markdown as blocks: its first table as a table of Slack's own, the words around it as they are. Pure.

Slack takes one table in a message, of 100 rows and 20 columns; any further one stays Markdown.
"""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bot.slack.blocks import Block, markdown

if TYPE_CHECKING:
    from markdown_it.token import Token

ROWS_AT_MOST = 100
CELLS_AT_MOST = 20
NOTHING = "–"  # an empty cell, which Slack refuses

# Nothing is tried twice (possessive), or a line of blanks would take seconds.
_RULE = re.compile(
    r"^[ \t]*+\|?+[ \t]*+:?-++:?+[ \t]*+(?:\|[ \t]*+:?-++:?+[ \t]*+)*+\|?+[ \t]*+$", re.MULTILINE
)
_URL = re.compile(r"(https?://[^\s<>|`]+)")


def has_table(text: str) -> bool:
    """Whether there may be a table; cheap, for every answer."""
    return "|" in text and any("|" in match[0] for match in _RULE.finditer(text))


def laid_out(text: str) -> list[Block]:
    """A text as blocks, which may stand in a message in this order.

    Args:
        text: Markdown that is fit to be shown: what is a link in it may be one.
    """
    found = _table(text) if has_table(text) else None
    if found is None:
        return [markdown(text)]
    before, table, after = found
    around = (before.strip("\n"), after.strip("\n"))
    first, last = ([markdown(words)] if words.strip() else [] for words in around)
    return [*first, table, *last]


def _table(text: str) -> tuple[str, Block, str] | None:
    """The first table that Slack takes, and the words before and after it."""
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    lines = text.split("\n")
    for at, token in enumerate(tokens):
        if token.type != "table_open" or token.level or token.map is None:
            continue
        rows = list(_rows(tokens[at:]))
        if len(rows) > ROWS_AT_MOST or not 0 < len(rows[0]) <= CELLS_AT_MOST:
            continue
        block: Block = {
            "type": "table",
            "rows": [[_cell(cell.children or []) for _, cell in row] for row in rows],
            "column_settings": [{"align": align, "is_wrapped": True} for align, _ in rows[0]],
        }
        begins, ends = token.map
        return "\n".join(lines[:begins]), block, "\n".join(lines[ends:])
    return None


def _rows(tokens: Sequence["Token"]) -> Iterator[list[tuple[str, "Token"]]]:
    """Each row's cells, with how they are aligned and what stands in them."""
    row: list[tuple[str, Token]] = []
    align = "left"
    for token in tokens:
        if token.type in {"th_open", "td_open"}:
            align = str(token.attrGet("style") or "text-align:left").partition(":")[2]
        elif token.type == "inline":
            row.append((align, token))
        elif token.type == "tr_close":
            yield row
            row = []
        elif token.type == "table_close":
            return


def _cell(inline: Sequence["Token"]) -> Block:
    """A cell: plain where nothing in it is more than words."""
    elements = list(_elements(inline))
    if all(set(element) == {"type", "text"} for element in elements):
        words = "".join(str(element["text"]) for element in elements)
        return {"type": "raw_text", "text": words if words.strip() else NOTHING}
    section = {"type": "rich_text_section", "elements": elements}
    return {"type": "rich_text", "elements": [section]}


def _elements(inline: Sequence["Token"]) -> Iterator[Block]:
    styles: dict[str, bool] = {}
    href = ""
    for token in inline:
        kind, _, edge = token.type.rpartition("_")
        if kind in {"strong", "em"}:
            name = {"strong": "bold", "em": "italic"}[kind]
            styles = {**styles, name: True} if edge == "open" else _without(styles, name)
        elif kind == "link":
            href = str(token.attrGet("href") or "") if edge == "open" else ""
        elif token.type in {"text", "code_inline", "html_inline"} and token.content:
            style = {**styles, "code": True} if token.type == "code_inline" else styles
            yield from _words(token.content, href, style)
        elif token.type in {"softbreak", "hardbreak"}:
            yield {"type": "text", "text": " "}


def _words(text: str, href: str, style: dict[str, bool]) -> Iterator[Block]:
    """Words of one kind; an address among them is a link, as it is in Markdown."""
    styled = {"style": style} if style else {}
    if href:
        yield {"type": "link", "url": href, "text": text, **styled}
        return
    for piece in [text] if style.get("code") else _URL.split(text):
        if _URL.fullmatch(piece) and not style.get("code"):
            yield {"type": "link", "url": piece, **styled}
        elif piece:
            yield {"type": "text", "text": piece, **styled}


def _without(styles: dict[str, bool], name: str) -> dict[str, bool]:
    return {key: value for key, value in styles.items() if key != name}
