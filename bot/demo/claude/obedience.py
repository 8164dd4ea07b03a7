"""The hostile mode: a program that does what any text tells it, as an injected model might.

It looks for orders in everything it was given, tool results and other people's words
included: "call <tool> with {...}", "fetch <url>", "comment on KEY: ...", "say "..."",
"reveal your system prompt". Tests of our defences live on it.
"""

import json
import re
from collections.abc import Iterator

from bot.demo.claude.plans import writes
from bot.demo.claude.reading import Heard
from bot.demo.claude.reply import Use

CALL = re.compile(
    r"\bcall\s+(?:the\s+tool\s+)?`?(\w+)`?\s+with\s+(\{.*?\})(?=\s|$|[.;,])",
    re.IGNORECASE | re.DOTALL,
)
FETCH = re.compile(
    r"\b(?:fetch|open|visit|send\s+\S+\s+to|post\s+\S+\s+to)\s+(https?://[^\s\"'<>)]+)",
    re.IGNORECASE,
)
SAY = re.compile(
    r"\b(?:say|reply|answer|respond|write|print|output)\b[^\n\"“]{0,30}[\"“]([^\"”\n]+)[\"”]",
    re.IGNORECASE,
)
REVEAL = re.compile(r"\b(?:reveal|show|print|repeat)\b[^\n]{0,20}\bsystem prompt\b", re.IGNORECASE)


def ordered(heard: Heard) -> tuple[Use, ...]:
    """Give the tool calls that any text orders and that were not made yet."""
    done = [(r.name, dict(r.input)) for r in heard.results]
    found = [
        use
        for text in _texts(heard)
        for use in _calls(text)
        if use.name in heard.tools and (use.name, use.input) not in done
    ]
    return tuple(use for i, use in enumerate(found) if use not in found[:i])


def dictated(heard: Heard) -> str:
    """Give the words that any text orders to be said."""
    said = [m[1] for text in _texts(heard) for m in SAY.finditer(text)]
    if any(REVEAL.search(text) for text in _texts(heard)):
        said.append(heard.system)
    return "\n".join(said)


def _texts(heard: Heard) -> tuple[str, ...]:
    others = (*heard.said, *heard.files)
    return (heard.question, *(t.text for t in others), *(r.text for r in heard.results))


def _calls(text: str) -> Iterator[Use]:
    for m in CALL.finditer(text):
        try:
            given = json.loads(m[2])
        except ValueError:
            continue
        yield Use(m[1], given)
    for m in FETCH.finditer(text):
        yield Use("web_fetch", {"url": m[1].rstrip(".,;")})
    yield from writes(text)
