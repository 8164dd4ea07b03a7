"""An address that was not opened as it stands in the thread, with the button that lets it be read. Pure.

It is shown whole, letter for letter, as text: nothing in it is a link, so that nothing opens or unfurls it before a
person has read where it leads.
"""

from collections.abc import Mapping

from bot.proposals import Proposal, State
from bot.reach import host_of
from bot.slack.blocks import Block, Message, context

READ = "address_read"
HEADS: Mapping[State, str] = {"allowed": "Let be read: a link that nobody here wrote"}
HEAD = "Not opened: a link that nobody here wrote"
WHO = (
    "It stands in what I read. Look where it leads: its owner sees that it was opened. Who asked, or an admin, may let "
    "it be read within a day."
)
LAPSED = "Nobody let it be read within a day, so it was not opened."


def told(proposal: Proposal) -> Message:
    """The message of one address: where it leads, and what can be done or was done, by whom."""
    said: Mapping[State, str] = {
        "allowed": f"{proposal.who_name} let it be read; what comes of it follows.",
        "expired": LAPSED,
    }
    under = [_shown(proposal.draft), context(said.get(proposal.state, WHO))]
    if proposal.state == "open":
        under.append(_button(proposal))
    return f"**{HEADS.get(proposal.state, HEAD)}**", under


def _shown(url: str) -> Block:
    """The address, its host in bold."""
    scheme, _, rest = url.partition("://")
    host = rest[: len(host_of(url))]
    parts: list[Block] = [
        {"type": "text", "text": f"{scheme}://"},
        {"type": "text", "text": host, "style": {"bold": True}},
        {"type": "text", "text": rest[len(host) :]},
    ]
    section: Block = {"type": "rich_text_section", "elements": [p for p in parts if p["text"]]}
    return {"type": "rich_text", "elements": [section]}


def _button(proposal: Proposal) -> Block:
    button: Block = {
        "type": "button",
        "action_id": READ,
        "text": {"type": "plain_text", "text": "Read it"},
        "value": proposal.value,
    }
    return {"type": "actions", "elements": [button]}
