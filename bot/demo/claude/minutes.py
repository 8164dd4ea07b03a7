"""The oldest part of a thread summed up by the program: who asked what, and how the answer began."""

import re
from collections.abc import Mapping
from typing import Any

from bot.demo.claude.prompt import blocks_of
from bot.demo.claude.talk import clipped

TASK = re.compile(r"\bkeep the minutes of a thread\b", re.IGNORECASE)
TURN = re.compile(
    r'<purser:(?P<kind>ask|answer|older)(?: from="(?P<who>[^"]*)")?[^>]*>\n(?P<text>.*?)\n</purser:',
    re.DOTALL,
)
WORDS = 160  # characters of an ask or an answer
MINUTES = 8_000  # characters of all


def wanted(body: Mapping[str, Any]) -> bool:
    """Whether a request is there to have a thread summed up: its system prompt says so."""
    system = "\n".join(str(block.get("text", "")) for block in blocks_of(body.get("system")))
    return not body.get("tools") and TASK.search(system) is not None


def written(body: Mapping[str, Any]) -> str:
    """The minutes; of a part of nothing but files and results they say so."""
    text = "\n".join(
        str(block.get("text", ""))
        for message in body["messages"]
        for block in blocks_of(message["content"])
    )
    lines = [_line(found) for found in TURN.finditer(text)]
    return "\n".join(lines)[-MINUTES:] or "Nothing was asked in this part."


def _line(found: re.Match[str]) -> str:
    words = clipped(" ".join(found["text"].split()), WORDS)
    if found["kind"] == "older":
        return found["text"]
    if found["kind"] == "ask":
        return f"- {found['who'] or 'Somebody'} asked: “{words}”"
    return f"  The answer began: “{words}”"
