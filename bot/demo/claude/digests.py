"""A digest by the program: the counts and rows that were read, grouped; of threads who said how much, and what they asked."""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from bot.demo.claude.prompt import blocks_of
from bot.demo.claude.talk import clipped

TASK = re.compile(r"\bYou write the digest\b")
TODAY = re.compile(r"Today is \w+, (\d\d? \w+ \d{4})")
COUNT = re.compile(
    r'jira_count \{"jql": "(?P<jql>[^\n]*)"\}:.*?About (?P<n>[\d,]+) tickets?', re.DOTALL
)
ROW = re.compile(r"^- (?P<link>\[(?P<key>[A-Z]\w+-\d+)\]\([^)]*\)) · (?P<rest>.+)$", re.MULTILINE)
TICKET = re.compile(r"^# (?P<key>[A-Z]\w+-\d+): ", re.MULTILINE)
SAID = re.compile(
    r"A thread at (?P<link>https://[^\s<]+):"
    r'|<purser:said from="(?P<who>[^"]*)"[^>]*>\n(?P<text>.*?)\n</purser:said>',
    re.DOTALL,
)
DUE = re.compile(r" · due (\d{4}-\d\d-\d\d)")
FEW = 5  # that need attention
WORDS = 90  # characters of a title or a question


def wanted(body: Mapping[str, Any]) -> bool:
    """Whether a request is there to have a digest written: its system prompt says so."""
    system = "\n".join(str(block.get("text", "")) for block in blocks_of(body.get("system")))
    return not body.get("tools") and TASK.search(system) is not None


def written(body: Mapping[str, Any]) -> str:
    """The digest."""
    text = "\n".join(
        str(block.get("text", ""))
        for message in body["messages"]
        for block in blocks_of(message["content"])
    )
    if said := list(SAID.finditer(text)):
        return _of_threads(said)
    found = TODAY.search(text)
    today = (
        datetime.strptime(found[1], "%d %B %Y").replace(tzinfo=UTC).date() if found else date.min
    )
    return _of_tickets(text, today)


def _of_tickets(text: str, today: date) -> str:
    rows = {row["key"]: row for row in ROW.finditer(text)}
    counts = {_counted(one["jql"]): one["n"] for one in COUNT.finditer(text)}
    keys = rows.keys() | {one["key"] for one in TICKET.finditer(text)}
    whole = f"{counts.get('Open', len(keys))} tickets, of which {len(keys)} were listed."
    states = Counter(row["rest"].split(" · ")[1] for row in rows.values())
    groups = [f"**{name}** {n}" for name, n in counts.items() if name != "Open"]
    groups += [f"**{name}** {n}" for name, n in states.most_common()]
    urgent = sorted(rows.values(), key=lambda row: _urgency(row["rest"], today))[:FEW]
    few = [_line(row, today) for row in urgent if _urgency(row["rest"], today) < (2, "")]
    return "\n".join([whole, "", ", ".join(groups) or "No ticket.", "", *few]).strip()


def _counted(jql: str) -> str:
    if "created" in jql:
        return "New"
    return "Done" if "resolved" in jql else "Open"


def _urgency(rest: str, today: date) -> tuple[int, str]:
    """Blocked ones first, then what is due soon, then the rest; each by its dates."""
    due = DUE.search(rest)
    if rest.split(" · ")[1] == "Blocked":
        return 0, due[1] if due else "9"
    if due and (date.fromisoformat(due[1]) - today).days < 7:
        return 1, due[1]
    return 2, rest


def _line(row: re.Match[str], today: date) -> str:
    kind, status, priority, who, *_, title = row["rest"].split(" · ")
    due = DUE.search(row["rest"])
    late = f", due {due[1]}" + (" (overdue)" * (date.fromisoformat(due[1]) < today)) if due else ""
    return f"- {row['link']} {clipped(title, WORDS)}: {who}; {kind}, {status}, {priority}{late}"


def _of_threads(said: list[re.Match[str]]) -> str:
    people = Counter(one["who"] for one in said if one["who"])
    told = ", ".join(f"{who} {n}" for who, n in people.most_common())
    asked: list[str] = []
    link = ""
    for one in said:
        if one["link"]:
            link = one["link"]
        elif one["text"].rstrip().endswith("?"):
            where = f" ([thread]({link}))" if link else ""
            asked.append(f"- {one['who']} asked: “{clipped(one['text'], WORDS)}”{where}")
    return "\n".join([f"{people.total()} messages: {told}.", "", *asked[:FEW]]).strip()
