"""What the program says of tickets, searches and proposals: only what stands in the tool results."""

import re
from collections.abc import Sequence

from bot.demo.claude.plans import KEY
from bot.demo.claude.reading import Result
from bot.demo.claude.tickets import Ticket, clipped, read_ticket

QUESTIONS = 5  # told of one ticket
ROWS = 8  # told of a search
HEAD = "| Ticket | Status | Who | Title |\n| --- | --- | --- | --- |"
LABELS = {
    "stands": ("Where it stands", "Stand"),
    "ball": ("Ball", "Am Zug"),
    "last": ("Last comment", "Letzter Kommentar"),
    "blocked": ("Blocked by", "Blockiert"),
    "unclear": ("Unclear", "Offen"),
    "unread": ("Not read", "Nicht gelesen"),
}


def summary(results: Sequence[Result], *, german: bool = False) -> str:
    """Tell where tickets stand, one after the other; and which could not be read."""
    parts: list[str] = []
    tickets = [(str(r.input.get("key", "?")), r) for r in results if r.name == "jira_get_issue"]
    if len(tickets) > 1:
        read = [read_ticket(key, r.text) for key, r in tickets if not r.failed]
        parts.append(_whole(read, len(tickets)))
    for key, result in tickets:
        if result.failed:
            parts.append(f"{key}: I could not read it. {_words(result.text)}")
        else:
            parts.append(_ticket(read_ticket(key, result.text), german=german))
    return "\n\n".join(parts)


def search(result: Result) -> str:
    """Tell what a search, a count or a sprint brought."""
    asked = result.input.get("jql") or result.input.get("board_or_project") or ""
    if result.failed:
        return f"I could not search for `{asked}`. {_words(result.text)}"
    if result.name == "jira_count":
        number = re.search(r"\d[\d,.]*", result.text)
        said = number[0].rstrip(".,") if number else clipped(result.text)
        return f"**{said}** tickets match `{asked}`."
    rows = [line.strip(" \t*-#") for line in result.text.splitlines() if KEY.search(line)]
    if not rows:
        return f"`{asked}` brought: {clipped(result.text)}"
    shown = "\n".join(_row(row) for row in rows[:ROWS])
    more = f"\n\nAnd {len(rows) - ROWS} more." if len(rows) > ROWS else ""
    return f"{len(rows)} tickets came for `{asked}`:\n\n{HEAD}\n{shown}{more}"


def proposal(result: Result) -> str:
    """Tell of a change that lies ready, or why it does not."""
    what = result.name.removeprefix("jira_propose_")
    where = result.input.get("key") or result.input.get("project") or ""
    if result.failed:
        return f"The {what} for {where} could not be prepared. {_words(result.text)}"
    text = result.input.get("markdown") or result.input.get("status") or result.input.get("summary")
    return (
        f"A {what} for {where} lies ready for confirmation: “{clipped(str(text or result.input))}”. "
        "Nothing is changed until somebody confirms it."
    )


def _whole(read: Sequence[Ticket], asked: int) -> str:
    states: dict[str, list[str]] = {}
    for ticket in read:
        states.setdefault(ticket.status or "status not given", []).append(ticket.key)
    told = "; ".join(f"{status}: {', '.join(keys)}" for status, keys in states.items())
    return f"{len(read)} of {asked} tickets read. {told}."


def _ticket(ticket: Ticket, *, german: bool) -> str:
    name = f"[{ticket.key}]({ticket.link})" if ticket.link else ticket.key
    head = f"{name} **{ticket.title or 'without a title that I could find'}**"
    opening = f": {ticket.opening}" if ticket.opening else ""
    stands = f"{ticket.status or 'no status found'}"
    if ticket.updated:
        stands += f", last change {ticket.updated}"
    rows = [("stands", stands), ("ball", ticket.assignee or "nobody is named as assignee")]
    if ticket.comments:
        last = ticket.comments[-1]
        when = f", {last.when}" if last.when else ""
        who = f"[{last.who}]({last.link})" if last.link else last.who
        rows.append(("last", f"{who}{when}: “{clipped(last.text)}”"))
    rows.extend(("blocked", blocker) for blocker in ticket.blockers[:2])
    rows.extend(("unclear", question) for question in ticket.questions[-QUESTIONS:])
    rows.extend(("unread", unread) for unread in ticket.unread)
    told = "\n".join(f"**{LABELS[label][german]}**: {text}" for label, text in rows)
    return f"{head}{opening}\n{told}"


def _row(row: str) -> str:
    """A line of a search as a row: its key first, its title last, its status and who has it between."""
    key, *middle = (clipped(part.replace("|", "/"), 80) for part in row.split(" · "))
    status, who = (*middle[1:2], ""), (*middle[3:4], "")
    return f"| {key} | {status[0]} | {who[0]} | {(middle or [''])[-1]} |"


def _words(text: str) -> str:
    """A tool's error, repeated."""
    return f"The tool said: “{clipped(text)}”" if text.strip() else "The tool gave no reason."
