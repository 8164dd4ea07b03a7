"""What the program makes of a request: who asks what, what was attached, what tools brought.

A user turn may hold `<purser:ask>`, `<purser:said>` and `<purser:file>` parts; without
them the text of the turn is the question. Of the system prompt only its task is looked at.
"""

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.demo.claude.prompt import blocks_of

PART = re.compile(
    r"<purser:(?P<tag>\w+)(?P<attributes>[^>]*)>(?P<text>.*?)</purser:(?P=tag)>", re.DOTALL
)
BOUNDARY = re.compile(r'\A<purser:data mark="\w+">\n|\n</purser:data mark="\w+">\Z')
ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
FENCE = re.compile(r"```(?P<language>[\w+-]*)[^\n]*\n(?P<code>.*?)(?:```|\Z)", re.DOTALL)
UMLAUTS = frozenset("äöüß")
GERMAN = frozenset(
    [
        "der",
        "die",
        "das",
        "und",
        "ist",
        "nicht",
        "ich",
        "du",
        "wir",
        "bitte",
        "was",
        "wie",
        "warum",
        "kannst",
        "kann",
        "mit",
        "für",
        "eine",
        "einen",
        "auf",
        "zusammen",
        "fasse",
        "prüfe",
        "diesen",
        "dieses",
        "mir",
        "uns",
        "noch",
        "steht",
        "wer",
        "hat",
        "welche",
        "gibt",
    ]
)
ENGLISH = frozenset(
    [
        "the",
        "and",
        "is",
        "not",
        "i",
        "you",
        "we",
        "please",
        "what",
        "how",
        "why",
        "can",
        "with",
        "for",
        "a",
        "an",
        "on",
        "this",
        "that",
        "me",
        "us",
        "review",
        "summarize",
        "summarise",
        "who",
        "has",
        "which",
        "does",
        "do",
        "it",
        "of",
        "to",
        "in",
    ]
)


@dataclass(frozen=True, slots=True)
class Text:
    """Text from somewhere: `name` is a person or a file."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """A tool call of this ask and what it brought."""

    name: str
    input: Mapping[str, Any]
    text: str
    failed: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """A request as the program understands it.

    Attributes:
        question: the newest ask, whole; `words` is the same without code blocks.
        code: fenced blocks of the ask, (language, text).
        said: other messages of the thread in the same turn.
        files: what was attached to the ask as text; `pictures` whether images or PDFs were.
        before: the same of earlier turns.
        earlier: asks of earlier turns, oldest first.
        answered: whether the assistant has spoken before in this conversation, and `spoken` what.
        results: tool calls since the newest ask, in their order.
        tools: names on offer.
        system: the system prompt.
    """

    question: str
    said: tuple[Text, ...]
    before: tuple[Text, ...]
    files: tuple[Text, ...]
    pictures: bool
    earlier: tuple[str, ...]
    answered: bool
    spoken: tuple[str, ...]
    results: tuple[Result, ...]
    tools: frozenset[str]
    system: str

    @property
    def words(self) -> str:
        """The ask without its code."""
        return FENCE.sub(" ", self.question).strip()

    @property
    def code(self) -> tuple[tuple[str, str], ...]:
        """The code blocks of the ask."""
        return tuple((m["language"].lower(), m["code"]) for m in FENCE.finditer(self.question))

    @property
    def german(self) -> bool:
        """Whether the ask is clearly German."""
        words = re.findall(r"[a-zäöüß]+", self.words.lower())
        german = sum(w in GERMAN or not UMLAUTS.isdisjoint(w) for w in words)
        return german > 1 and german > sum(w in ENGLISH for w in words)

    def result_of(self, *names: str) -> tuple[Result, ...]:
        """Give the results of these tools."""
        return tuple(r for r in self.results if r.name in names)


def hear(body: Mapping[str, Any]) -> Heard:
    """Read a checked request."""
    messages: Sequence[Mapping[str, Any]] = body["messages"]
    asked = [i for i, m in enumerate(messages) if m["role"] == "user" and _asks(m)]
    newest = asked[-1] if asked else 0
    parts = list(_parts(_own_text(messages[newest])))
    earlier = [_asks(messages[i]) for i in asked[:-1]]
    return Heard(
        question=_question(parts),
        said=tuple(_said(parts)),
        before=tuple(
            text for i in asked[:-1] for text in _said(list(_parts(_own_text(messages[i]))))
        ),
        files=tuple(Text(name, text) for tag, name, text in parts if tag == "file"),
        pictures=any(b.get("type") in ("image", "document") for b in _blocks(messages[newest])),
        earlier=tuple(earlier),
        answered=any(m["role"] == "assistant" for m in messages[:newest]),
        spoken=tuple(_own_text(m) for m in messages[:newest] if m["role"] == "assistant"),
        results=(*_reread(parts), *_results(messages[newest:])),
        tools=frozenset(tool["name"] for tool in body.get("tools") or ()),
        system="\n\n".join(str(b.get("text", "")) for b in blocks_of(body.get("system"))),
    )


def asks_of(body: Mapping[str, Any]) -> Iterator[str]:
    """Give each ask of the conversation, for the filter: a refused one left in it refuses again."""
    for message in body["messages"]:
        if message["role"] == "user":
            text = FENCE.sub(" ", _asks(message))
            if text.strip():
                yield text


def _asks(message: Mapping[str, Any]) -> str:
    """The ask in a user message; "" for tool results, notes and other people's words alone."""
    return _question(list(_parts(_own_text(message))))


def text_of(content: Any) -> str:
    """Give the text of a tool result's content."""
    return "\n".join(str(b.get("text", "")) for b in blocks_of(content) if b.get("type") == "text")


def _blocks(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(blocks_of(message["content"]))


def _own_text(message: Mapping[str, Any]) -> str:
    return "\n".join(str(b["text"]) for b in _blocks(message) if b.get("type") == "text")


def _parts(text: str) -> Iterator[tuple[str, str, str]]:
    """Give (tag, name, text); text outside of all tags is an ask where there is no tagged one."""
    found = list(PART.finditer(text))
    for match in found:
        attributes = dict(ATTRIBUTE.findall(match["attributes"]))
        name = attributes.get("from") or attributes.get("name") or ""
        if match["tag"] == "read":
            name = f"{attributes.get('tool', '')} {attributes.get('input', '{}')}"
        yield match["tag"], html.unescape(name), match["text"].strip("\n")
    if not any(match["tag"] in ("ask", "request") for match in found):
        yield "ask", "", PART.sub("", text).strip("\n")


def _said(parts: Sequence[tuple[str, str, str]]) -> Iterator[Text]:
    return (Text(name, text) for tag, name, text in parts if tag == "said")


def _question(parts: Sequence[tuple[str, str, str]]) -> str:
    asks = [text for tag, _name, text in parts if tag in ("ask", "request") and text.strip()]
    return asks[-1] if asks else ""


def _reread(parts: Sequence[tuple[str, str, str]]) -> Iterator[Result]:
    """What was read for the ask before it came, or before it had to begin again."""
    for tag, name, text in parts:
        tool, _, given = name.partition(" ")
        if tag == "read":
            try:
                arguments = json.loads(given)
            except ValueError:
                arguments = {}
            yield Result(tool, arguments, text, failed=text.startswith("[not read"))


def _results(messages: Sequence[Mapping[str, Any]]) -> Iterator[Result]:
    uses: dict[str, Mapping[str, Any]] = {}
    for message in messages:
        for block in blocks_of(message["content"]):
            if block["type"] == "tool_use":
                uses[block["id"]] = block
            elif block["type"] == "tool_result" and block["tool_use_id"] in uses:
                use = uses[block["tool_use_id"]]
                text = BOUNDARY.sub("", text_of(block.get("content")))
                yield Result(use["name"], use["input"], text, bool(block.get("is_error")))
