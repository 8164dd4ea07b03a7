"""Blocks as Slack takes them, from plain values: an answer with its receipt, its notes and its feedback buttons. Pure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from bot.answer import Receipt
from bot.slack.mrkdwn import escaped

Block = dict[str, Any]
Message = tuple[str, list[Block]]
"""Markdown, and the blocks under it."""

NOTES_AT_MOST = 8
NOTES_CHARS = 1_600  # of all notes under one answer: with its words they fit into one message
THOUGHT_TOKENS = 1_000  # from which thinking is told apart; an ordinary answer takes fewer
SMALLEST = Decimal("0.0001")  # US dollars; the last digit shown
LINE_CHARS = 600  # of another grey line; Slack's limit is 3,000


def markdown(text: str) -> Block:
    """Markdown as Claude writes it."""
    return {"type": "markdown", "text": text}


def context(text: str, limit: int = LINE_CHARS) -> Block:
    """A small grey line, shown as it is: nothing in it is a link, a mention or markup but code."""
    line: Block = {"type": "mrkdwn", "text": _shortened(text, limit), "verbatim": True}
    return {"type": "context", "elements": [line]}


def ending(receipt: Receipt, notes: Sequence[str], ask_id: str) -> list[Block]:
    """What stands under an answer: notes, the receipt, and how to say whether it was good."""
    told = [note for note in notes if note.strip()][:NOTES_AT_MOST]
    blocks = [context(note, NOTES_CHARS // len(told)) for note in told]
    if receipt.model:
        blocks += [context(receipt_line(receipt)), feedback(ask_id)]
    return blocks


def feedback(ask_id: str) -> Block:
    """Thumbs up or down; the value carries the ask."""

    def button(label: str, word: str) -> Block:
        return {"text": {"type": "plain_text", "text": label}, "value": f"{ask_id}:{word}"}

    return {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": "feedback",
                "positive_button": button("Good answer", "good"),
                "negative_button": button("Bad answer", "bad"),
            }
        ],
    }


def receipt_line(receipt: Receipt) -> str:
    """The receipt: "$0.0123 · 87% cached · 2 tools · 8 s · claude-sonnet-5-5"."""
    parts = [money(receipt.cost)]
    if receipt.unconfirmed:
        parts.append(f"of that {money(receipt.unconfirmed)} estimated")
    if receipt.input_tokens:
        parts.append(f"{round(100 * receipt.cached_tokens / receipt.input_tokens)}% cached")
    if receipt.thinking_tokens >= THOUGHT_TOKENS:
        parts.append(f"{receipt.thinking_tokens:,} tokens of thought")
    if receipt.tools:
        parts.append(f"{receipt.tools} tool{'s' if receipt.tools > 1 else ''}")
    parts.append(f"{receipt.seconds:.0f} s" if receipt.seconds >= 1 else "under 1 s")
    return " · ".join([*parts, receipt.model])


def money(cost: Decimal | None) -> str:
    """A small sum in dollars, to a hundredth of a cent; an unknown price is said to be unknown."""
    if cost is None:
        return "price unknown"
    if 0 < cost < SMALLEST:
        return f"under ${SMALLEST}"
    return f"${cost:.2f}" if cost >= 1 else f"${cost:.4f}"


def _shortened(text: str, limit: int) -> str:
    """Text escaped for mrkdwn, so much of it as fits; Slack takes no empty line."""
    short = text[:limit]
    while len(escaped(short)) > limit - (short != text):
        short = short[: -max(1, (len(escaped(short)) - limit) // 5)]
    return escaped(short) + "…" * (short != text) or "–"
