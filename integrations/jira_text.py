"""Jira's documents (ADF) as Markdown: whatever comes in, text comes out, and what is left out is said.

    document -> Trimmed (known kinds of nodes, bounded) -> marklas -> Markdown
                                          should marklas fail, the bare words

Mentions read "@Name", panels are quotes that begin with their kind, unknown nodes stand under their name.
"""

from typing import cast

from integrations.jira_node import Node, clean, words
from integrations.jira_trimmed import Trimmed

MARKUP = 3  # characters of Markdown for each of the text, at most; beyond, the words go alone

# What marklas raises on what it does not expect (tried with random documents), and a stack that is full already:
# RecursionError is a RuntimeError.
ODD = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


def markdown(body: object, *, most: int) -> str:
    """A document as Markdown; "" for what is none.

    Args:
        body: ADF, or a string as version 2 of the interface gives it.
        most: characters of text that are kept; the rest is counted in the last line.
    """
    if isinstance(body, str):
        return _cut(body, most)
    if not isinstance(body, dict):
        return ""
    import marklas

    document = cast("Node", body)
    trimmed = Trimmed(most)
    try:
        text = marklas.to_md(trimmed.document(document), plain=True).strip()
    except ODD:
        return _cut(words(document), most)
    if len(text) > MARKUP * most:
        return _cut(words(document), most)
    return _with_rest(text, trimmed.left_out)


def _cut(text: str, most: int) -> str:
    whole = clean(text).strip()
    return _with_rest(whole[:most], len(whole) - most)


def _with_rest(text: str, left_out: int) -> str:
    if left_out <= 0:
        return text
    return f"{text}\n\n[… {left_out:,} more characters are not shown]".strip()
