"""What a proposal would write, for people: where, and letter for letter. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.proposals import Proposal
from bot.slack.blocks import Block
from integrations.github import Posted, ReviewDraft
from integrations.jira import Draft, Written

WHAT: Mapping[str, str] = {
    "comment": "a comment on",
    "transition": "a new status of",
    "update": "new values of",
    "issue": "a new ticket in",
}
SEEN = "Everybody who may open it in Jira will see it, under the bot's name."
REVIEW_SEEN = (
    "Everybody who may open the pull request will see it, under the bot's name: as a comment, neither approving nor "
    "requesting changes. It cannot be taken back from here."
)
MADE = "A ticket that was made cannot be undone from here; close it in Jira if nobody wants it."
POSTED = "A review that was submitted cannot be deleted; on GitHub its comments can be hidden or resolved."


@dataclass(frozen=True, slots=True)
class Content:
    """What one proposal would write.

    Attributes:
        what: "a comment on", before the name of the place.
        place: the name, and `url` where people open it, or what was written.
        home: where the place is, while nothing stands there.
        done: how it is said that it was written: "Written to Jira".
        shown: all of it, as a block.
        seen: who will see it, "" where it is shown already.
        final: why it cannot be undone, "" where it can.
        forms: whether it can be changed in a form.
    """

    what: str
    place: str
    url: str
    home: str
    done: str
    shown: Block
    seen: str
    final: str = ""
    forms: bool = True


def content(proposal: Proposal) -> Content:
    """What a proposal would write, by its kind."""
    return _review(proposal) if proposal.kind == "review" else _ticket(proposal)


def _ticket(proposal: Proposal) -> Content:
    draft = Draft.from_json(proposal.draft)
    written = Written.from_json(proposal.written) if proposal.written else None
    pairs = [("Ticket", draft.summary), *draft.shown] if draft.kind != "issue" else [*draft.shown]
    return Content(
        what=WHAT[draft.kind],
        place=written.key if written else draft.key or draft.project,
        url=written.url if written else draft.url,
        home=draft.url,
        done="Written to Jira",
        shown=_rich([*_labelled(pairs), *([_literal(draft.markdown)] if draft.markdown else [])]),
        seen="" if draft.audience else SEEN,
        final=MADE if draft.kind == "issue" else "",
    )


def _review(proposal: Proposal) -> Content:
    draft = ReviewDraft.from_json(proposal.draft)
    posted = Posted.from_json(proposal.written) if proposal.written else None
    elements = [*_labelled([("Pull request", draft.title)]), _literal(draft.text)]
    for remark in draft.remarks:
        lines = f"{remark.start}-{remark.line}" if remark.start else f"{remark.line}"
        side = "" if remark.side == "RIGHT" else ", as it was before"
        elements += [*_labelled([("At", f"{remark.path}:{lines}{side}")]), _literal(remark.text)]
    return Content(
        what="a review of",
        place=draft.key,
        url=posted.url if posted else draft.url,
        home=draft.url,
        done="Posted to GitHub",
        shown=_rich(elements),
        seen=REVIEW_SEEN,
        final=POSTED,
        forms=False,
    )


def _rich(elements: Sequence[Block]) -> Block:
    return {"type": "rich_text", "elements": list(elements)}


def _labelled(pairs: Sequence[tuple[str, str]]) -> list[Block]:
    """Names and whole values, in which nothing is markup, a link or a mention."""
    lines: list[Block] = []
    for label, words in pairs:
        lines.append({"type": "text", "text": f"{label}: ", "style": {"bold": True}})
        lines.append({"type": "text", "text": f"{words or '–'}\n"})
    return [{"type": "rich_text_section", "elements": lines}]


def _literal(text: str) -> Block:
    return {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text}]}
