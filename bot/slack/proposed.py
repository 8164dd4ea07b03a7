"""A proposal as it stands in the thread, in each of its states, and the form in which it is changed. Pure.

What would be written is shown letter for letter: in it nothing is markup, a link or a mention.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.ask import Person
from bot.proposals import Proposal, State
from bot.slack import unread
from bot.slack.blocks import Block, Message, context
from bot.slack.content import Content, content
from bot.slack.presses import Place, metadata

FORM_CHARS = 3_000  # of one field of a form; Slack takes no more
HEADS: Mapping[State, str] = {
    "open": "Proposed",
    "writing": "Being written",
    "failed": "Not written",
    "dropped": "Dropped",
    "expired": "Expired",
    "undoing": "Being undone",
    "undone": "Undone",
}
"""How a proposal's message begins; in the other states it says what stands where."""
DO, CHANGE, DROP, UNDO = ("proposal_do", "proposal_change", "proposal_drop", "proposal_undo")
CHANGED = "proposal_changed"
WHO = "Nothing is written yet. Who asked, or an admin, decides within a day."
TOO_LONG = (
    "It is too long to be changed in a form: ask me again in words if it should be different."
)
LAPSED = "Nobody decided within a day, so nothing was done. Ask again if you still want it."


def told(proposal: Proposal) -> Message:
    """A proposal's message: what it is, letter for letter, and what can be done or was done, by whom."""
    if proposal.kind == "address":
        return unread.told(proposal)
    would = content(proposal)
    url = would.home if proposal.state == "undone" else would.url
    stands = (
        f"Perhaps {would.done[0].lower()}{would.done[1:]}"
        if proposal.state == "unknown"
        else would.done
    )
    begins = HEADS.get(proposal.state, stands)
    head = f"**{begins}: {would.what} [{would.place}]({url})**"
    return head, [would.shown, *_foot(proposal, would)]


def name_of(person: Person) -> str:
    """How somebody is called where it is said what they decided."""
    return person.real_name or person.name


def form(proposal: Proposal, where: Place) -> dict[str, Any]:
    """The form in which a proposal is changed."""
    return {
        "type": "modal",
        "callback_id": CHANGED,
        "private_metadata": metadata(where, proposal.value),
        "title": _plain("Change the proposal"),
        "submit": _plain("Change"),
        "close": _plain("Cancel"),
        "blocks": [_input(*field) for field in _fields(proposal)],
    }


def changed(proposal: Proposal, fields: Mapping[str, str]) -> dict[str, Any]:
    """What a proposal asks for once a form has been filled in; what the form does not hold stays."""
    asked = dict(proposal.asked)
    if proposal.tool == "jira_propose_update":
        names = list(asked["fields"])
        values = {name: fields.get(f"field-{n}") for n, name in enumerate(names)}
        new = {name: asked["fields"][name] if v is None else v for name, v in values.items()}
        return {**asked, "fields": new}
    return asked | {
        name: fields[name] for name in ("markdown", "status", "type", "summary") if name in fields
    }


def can_change(proposal: Proposal) -> bool:
    """Whether all of a change to a ticket fits into a form."""
    return all(len(value) <= FORM_CHARS for _, _, value, *_ in _fields(proposal))


def _foot(proposal: Proposal, would: Content) -> Iterator[Block]:
    state, by = proposal.state, proposal.who_name
    if state == "open":
        yield context(f"{WHO} {would.seen}".strip())
        short = would.forms and can_change(proposal)
        if would.forms and not short:
            yield context(TOO_LONG)
        names = [(DO, "Do it"), *([(CHANGE, "Change")] if short else []), (DROP, "Drop")]
        yield _buttons(proposal, names)
        return
    said: Mapping[State, str] = {
        "writing": f"{by} said yes; it is being written.",
        "written": f"{by} said yes.",
        "unknown": f"{by} said yes.",
        "failed": f"{by} said yes, but nothing was written.",
        "allowed": f"{by} said yes.",
        "dropped": f"Dropped by {by}; nothing was written.",
        "expired": LAPSED,
        "undoing": f"{by} wants it undone.",
        "undone": f"Undone by {by}.",
        "kept": f"{by} wanted it undone.",
    }
    yield context(" ".join(part for part in (said[state], proposal.sentence) if part))
    if state in {"writing", "unknown"}:
        yield _buttons(proposal, [(DO, "Look again")])
    elif state == "written" and would.final:
        yield context(would.final)
    elif state in {"written", "undoing"}:
        yield _buttons(proposal, [(UNDO, "Undo")])


def _buttons(proposal: Proposal, names: list[tuple[str, str]]) -> Block:
    elements: list[Block] = [
        {
            "type": "button",
            "action_id": action,
            "text": _plain(label),
            "value": proposal.value,
            **({"style": "primary"} if label == "Do it" else {}),
        }
        for action, label in names
    ]
    return {"type": "actions", "elements": elements}


def _fields(proposal: Proposal) -> list[tuple[str, str, str, bool, bool]]:
    """What can be changed: block, label, value now, whether it may be empty, whether it has lines."""
    asked = proposal.asked
    if proposal.tool == "jira_propose_update":
        named = enumerate(asked["fields"].items())
        return [(f"field-{n}", name, str(v), True, len(str(v)) > 80) for n, (name, v) in named]
    labels = {"status": "Status", "type": "Type", "summary": "Summary"}
    single = [(n, label, str(asked[n]), False, False) for n, label in labels.items() if n in asked]
    free = proposal.tool != "jira_propose_comment"
    return [*single, ("markdown", "Text", str(asked.get("markdown", "")), free, True)]


def _input(block: str, label: str, value: str, free: bool, long: bool) -> Block:
    element: Block = {
        "type": "plain_text_input",
        "action_id": block,
        "multiline": long,
        "max_length": FORM_CHARS,
    }
    if value:
        element["initial_value"] = value
    return {
        "type": "input",
        "block_id": block,
        "label": _plain(label[:100] or "Value"),
        "optional": free,
        "element": element,
    }


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}
