"""A workspace in a terminal: what people say, what the bot says while it says it, and what stands under it."""

import asyncio
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from bot.demo.slack.message import Message
from bot.demo.slack.watch import Change, Listener

BOT = "purser"
INDENT = "    "


class Terminal:
    """Shows changes of the workspace as they come.

    Args:
        console: where to write.
        bot_user: whose messages are shown while they grow; people's are printed by `said`.
    """

    def __init__(self, console: Console, *, bot_user: str) -> None:
        self._console = console
        self._bot = bot_user
        self._shown: dict[str, str] = {}
        self._under: dict[str, list[str]] = {}
        self._status = ""
        self._open = ""

    def scene(self, number: int, title: str) -> None:
        """Announce a step of the tour."""
        self._line()
        self._console.print()
        self._console.rule(Text(f"{number}. {title}", style="bold"), align="left", style="dim")

    def said(self, who: str, where: str, words: str) -> None:
        """What a person typed."""
        self._line()
        self._console.print(Text(f"{who} in {where}", style="bold cyan"))
        self._console.print(Text(_indented(words)))

    def aside(self, words: str, style: str = "dim") -> None:
        """A remark of the tour itself."""
        self._line()
        self._console.print(Text(f"  {words}", style=style))

    async def follow(self, changes: Listener) -> None:
        """Show every change until the listener is closed."""
        async for change in changes:
            self.show(change)

    def show(self, change: Change) -> None:
        """Show one change; what does not concern the bot is left out."""
        if change.kind == "status":
            self._tell_status(str(change.what["status"].text))
        message = change.what.get("message")
        if isinstance(message, Message) and message.user == self._bot:
            self._tell(message, private=change.kind == "ephemeral")

    async def settle(self) -> None:
        """Let what has just changed be shown, and end the line."""
        await asyncio.sleep(0)
        self._line()

    def _tell_status(self, words: str) -> None:
        if words and words != self._status:
            self._line()
            self._console.print(Text(f"  · {BOT} {words}", style="italic dim"))
        self._status = words

    def _tell(self, message: Message, *, private: bool) -> None:
        text, before = words_of(message), self._shown.get(message.ts)
        if before is None:
            self._line()
            to_one = " (only visible to you)" if private else ""
            self._console.print(Text(f"{BOT}{to_one}", style="bold green"))
            before = ""
        elif not text.startswith(before):
            self.aside("↻ the message is edited:")
            before = ""
        if more := text[len(before) :]:
            start = INDENT if self._open != message.ts else ""
            self._console.print(
                Text(start + more.replace("\n", f"\n{INDENT}")), end="", soft_wrap=True
            )
            self._open = message.ts
        self._shown[message.ts] = text
        lines = under(message)
        if lines != self._under.get(message.ts, []):
            self._under[message.ts] = lines
            for line in lines:
                self.aside(line)

    def _line(self) -> None:
        if self._open:
            self._console.print()
            self._open = ""


def words_of(message: Message) -> str:
    """What a message says: its markdown and its tables, or its text."""
    told = [block for block in message.blocks if block.get("type") in {"markdown", "table"}]
    said = [_rows(b) if b["type"] == "table" else str(b.get("text", "")) for b in told]
    return "\n".join(said) if said else message.markdown or message.text


def under(message: Message) -> list[str]:
    """The small lines under a message: notes and the receipt."""
    return [
        str(element.get("text", ""))
        for block in message.blocks
        if block.get("type") == "context"
        for element in _elements(block)
    ]


def literal(message: Message) -> list[str]:
    """The texts that stand in a message letter for letter, such as what would be written."""
    rich = [block for block in message.blocks if block.get("type") == "rich_text"]
    return [
        "".join(str(part.get("text", "")) for part in _elements(element))
        for block in rich
        for element in _elements(block)
        if element.get("type") == "rich_text_preformatted"
    ]


def has_feedback(message: Message) -> bool:
    """Whether the buttons stand under it, as they do under a whole answer."""
    return any(block.get("type") == "context_actions" for block in message.blocks)


def _elements(block: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(block.get("elements", ()))


def _rows(table: Mapping[str, Any]) -> str:
    """A table as lines with bars."""
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in table["rows"])


def _cell(cell: Mapping[str, Any]) -> str:
    if "elements" not in cell:
        return str(cell.get("text") or cell.get("url") or "")
    return "".join(map(_cell, _elements(cell)))


def _indented(words: str) -> str:
    return "\n".join(f"{INDENT}{line}" for line in words.splitlines())
