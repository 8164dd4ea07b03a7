"""What Claude refused as people see it who may take it over: the message, its forms, and what is then said. Pure.

The words are shown letter for letter: in them nothing is markup, a link or a mention. Secrets among them are hidden by
their forms, as they are in what Claude reads of code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.conversation import with_code, without_code
from bot.escalations import Escalation, State
from bot.refusal import ADVICE
from bot.slack.blocks import Block, Message, context
from bot.slack.presses import Place, metadata

FORM_CHARS = 3_000  # of one field of a form; Slack takes no more
SHOWN_CHARS = 3_000  # of the words; with the rest they fit into one message
LINE_CHARS = 600  # of what stands above them, each
ANSWER, REWORD, CLOSE = "refused_answer", "refused_reword", "refused_close"
ANSWERED, REWORDED, LAPSE = "refused_answered", "refused_reworded", "refused_lapse"
FIELD = "words"
BUTTONS: Mapping[str, str] = {ANSWER: "Answer", REWORD: "Reword", CLOSE: "Close"}
HOW = (
    "Anybody of this channel may take it over within a day. Answer: your words go to the thread, under your name. "
    "Reword: Claude is asked in your words, for who asked. Close: it stays unanswered."
)
ASKED = "I asked the people of {place} to take it over; what they say comes here."
HEADS: Mapping[State, str] = {
    "open": "Claude declined this. Can you take it over?",
    "answered": "Claude declined this; it was answered by a person.",
    "reworded": "Claude declined this; it was asked in other words.",
    "closed": "Claude declined this; it was closed.",
    "lapsed": "Claude declined this; nobody took it over within a day.",
    "unsent": "Claude declined this.",
}
OUTCOMES: Mapping[State, str] = {
    "answered": "{who} answered it.",
    "reworded": "{who} asked it in other words.",
    "closed": "{who} closed it.",
    "lapsed": "It has lapsed.",
}
ALREADY: Mapping[State, str] = {
    "answered": "It was answered already, by {who}.",
    "reworded": "It was asked in other words already, by {who}.",
    "closed": "It was closed already, by {who}.",
    "lapsed": "It has lapsed: nobody took it over within a day.",
    "unsent": "This is over.",
}
_MARKUP = dict.fromkeys(map(ord, "\\`*_~[]<>|#&\n"), " ")


@dataclass(frozen=True, slots=True)
class Seen:
    """What people are told of an ask beside its words: who asked, where, and the message's address, "" without one."""

    name: str
    place: str
    link: str


def told(found: Escalation, seen: Seen, words: str) -> Message:
    """The message before people, as it stands now; `words` is what was asked."""
    lines: list[Block] = [
        *_line("Asked by", seen.name),
        *_line("Where", seen.place, seen.link),
        *_line("What happened", found.sentence),
        *(part for note in found.notes for part in _line("Tried", note)),
    ]
    cut = words if len(words) <= SHOWN_CHARS else f"{words[:SHOWN_CHARS]}…"
    elements: list[Block] = [{"type": "rich_text_section", "elements": lines}]
    if cut.strip():
        text: Block = {"type": "text", "text": cut}
        elements.append({"type": "rich_text_preformatted", "elements": [text]})
    under: list[Block] = [{"type": "rich_text", "elements": elements}]
    if found.state == "open":
        under += [context(HOW), _buttons(found)]
    else:
        under.append(context(OUTCOMES.get(found.state, "").format(who=found.who_name)))
    return f"**{HEADS[found.state]}**", under


def form(found: Escalation, action: str, words: str, where: Place) -> dict[str, Any]:
    """The form in which somebody answers, or puts it in other words."""
    rewording = action == REWORD
    element: Block = {
        "type": "plain_text_input",
        "action_id": FIELD,
        "multiline": True,
        "max_length": FORM_CHARS,
    }
    plain = without_code(words)
    if rewording and plain and len(plain) <= FORM_CHARS:
        element["initial_value"] = plain
    label = "Your wording; code that was pasted is kept" if rewording else "Your answer"
    return {
        "type": "modal",
        "callback_id": REWORDED if rewording else ANSWERED,
        "private_metadata": metadata(where, found.ask.id),
        "title": _plain("In other words" if rewording else "Answer"),
        "submit": _plain("Ask Claude" if rewording else "Answer"),
        "close": _plain("Cancel"),
        "blocks": [
            {"type": "input", "block_id": FIELD, "label": _plain(label), "element": element}
        ],
    }


def answered(name: str, words: str) -> str:
    """What the thread is told when somebody answered, as Markdown."""
    return f"**{spoken(name)} answers what Claude declined:**\n\n{words}"


def reworded(name: str, words: str) -> str:
    """What the thread is told when somebody put it in other words, as Markdown."""
    quoted = "\n".join(f"> {line}" for line in words.splitlines())
    return f"**{spoken(name)} asked it this way:**\n{quoted}"


def closed(name: str) -> str:
    """What the thread is told when somebody closed it."""
    return f"{spoken(name)} looked at what Claude declined, and closed it without an answer."


def lapsed(place: str) -> str:
    """What the thread is told when nobody took it over."""
    return f"Nobody of {place} took over within a day what Claude declined. {ADVICE}"


def asked_anew(found: Escalation, words: str) -> str:
    """What Claude is asked in somebody's words: with the code that was pasted."""
    return with_code(words, found.ask.text)


def spoken(name: str) -> str:
    """A name in the midst of Markdown, without anything that is markup."""
    return " ".join(name.translate(_MARKUP).split()) or "Somebody"


def _line(label: str, words: str, link: str = "") -> list[Block]:
    cut = words if len(words) <= LINE_CHARS else f"{words[:LINE_CHARS]}…"
    text: Block = {"type": "text", "text": cut or "–"}
    if link:
        text = {"type": "link", "url": link, "text": cut or "–"}
    return [
        {"type": "text", "text": f"{label}: ", "style": {"bold": True}},
        text,
        {"type": "text", "text": "\n"},
    ]


def _buttons(found: Escalation) -> Block:
    elements: list[Block] = [
        {"type": "button", "action_id": action, "text": _plain(label), "value": found.ask.id}
        for action, label in BUTTONS.items()
    ]
    elements[0]["style"] = "primary"
    return {"type": "actions", "elements": elements}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}
