"""What a digest is about, and what is read for it: all of it before Claude is asked, since a batch asks for nothing. Pure.

project SHOP | sprint SHOP | JQL or its address | SHOP-12 SHOP-13 | this channel
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from bot import summarize

LISTED = 50  # tickets of a query, a line each
CHANGED = 30  # of those that changed
LOOKED_AT = 6  # tickets that are read whole: those that changed last
USAGE = (
    "A digest of what? `/summarize project SHOP nightly at 7:00`, `/summarize sprint SHOP on weekdays at 8:30`, "
    "JQL such as `project = SHOP AND status = Blocked`, several keys, or `this channel weekly`."
)
Kind = Literal["project", "sprint", "query", "tickets", "channel"]
_PROJECT = re.compile(r"(?:the\s+)?(?:project\s+)?(?P<key>[A-Z][A-Z0-9_]{1,9})", re.ASCII)
_NAMED = re.compile(r"(?:the\s+)?project\s+(?P<key>[A-Za-z][A-Za-z0-9_]{1,9})", re.ASCII)
_CHANNEL = re.compile(r"(?:the\s+threads\s+(?:of|in)\s+)?(?:this|the)\s+channel", re.IGNORECASE)
_SEEN = re.compile(r"^(?:- \[|# )(?P<project>[A-Z][A-Z0-9_]+)-\d+[\]:]", re.MULTILINE)
_ROW = re.compile(r"^- \[(?P<key>[A-Z][A-Z0-9_]+-\d+)\].* · updated (?P<day>\d{4}-\d\d-\d\d)\b")


@dataclass(frozen=True, slots=True)
class Subject:
    """What it is about: `name` is a key, a board, a query or keys; "" for the channel itself."""

    kind: Kind
    name: str = ""

    @property
    def told(self) -> str:
        """For people: "project SHOP"."""
        shown = " ".join(self.name.replace("`", "'").split())
        return {
            "project": f"project {shown}",
            "sprint": f"the sprint of {shown}",
            "query": f"`{shown}`",
            "tickets": shown,
            "channel": "this channel",
        }[self.kind]


def subject(words: str) -> Subject | None:
    """What these words name; None where they name nothing that a digest can be of."""
    bare = words.strip().rstrip(".,:;")
    if _CHANNEL.fullmatch(bare):
        return Subject("channel")
    if found := _PROJECT.fullmatch(bare) or _NAMED.fullmatch(bare):
        return Subject("project", found["key"].upper())
    if jql := summarize.query(bare):
        return Subject("query", jql)
    if found := summarize.SPRINT.match(bare):
        return Subject("sprint", " ".join(found["board"].split()))
    keys = summarize.keys(bare)[: summarize.KEYS_AT_MOST]
    return Subject("tickets", " ".join(keys)) if keys else None


def reads(about: Subject, days: int) -> list[dict[str, Any]]:
    """The tool uses that read it first.

    Args:
        about: what it is about; of the channel no tool reads anything.
        days: how many days back "since the last time" lies.
    """
    name, asked = about.name, list[tuple[str, dict[str, Any]]]()
    if about.kind == "project":
        own = f"project = {name}"
        asked += [
            ("jira_count", {"jql": f"{own} AND statusCategory != Done"}),
            ("jira_count", {"jql": f"{own} AND created >= -{days}d"}),
            ("jira_count", {"jql": f"{own} AND resolved >= -{days}d"}),
            (
                "jira_search",
                {
                    "jql": f"{own} AND statusCategory != Done ORDER BY priority DESC, updated DESC",
                    "limit": LISTED,
                },
            ),
            (
                "jira_search",
                {"jql": f"{own} AND updated >= -{days}d ORDER BY updated DESC", "limit": CHANGED},
            ),
        ]
    elif about.kind == "sprint":
        asked.append(("jira_sprint", {"board_or_project": name}))
    elif about.kind == "query":
        asked.append(("jira_search", {"jql": name, "limit": LISTED}))
    elif about.kind == "tickets":
        asked += [("jira_get_issue", {"key": key}) for key in name.split()]
    return _uses("first", asked)


def looks(results: Iterable[str], since: date) -> list[dict[str, Any]]:
    """The tool uses that look closer: at the tickets that changed last, of those that were listed.

    Args:
        results: what was listed.
        since: the day of the last digest; what changed before it was in that one.
    """
    rows = [found for text in results for line in text.split("\n") if (found := _ROW.match(line))]
    days = {found["key"]: found["day"] for found in rows if found["day"] >= since.isoformat()}
    newest = sorted(days, key=lambda key: days[key], reverse=True)[:LOOKED_AT]
    return _uses("closer", [("jira_get_issue", {"key": key}) for key in newest])


def projects(about: Subject, results: Iterable[str]) -> set[str]:
    """The Jira projects that are told of, as far as it can be seen: those that are named, and those of tickets found.

    Args:
        about: what it is about.
        results: what tools gave for it.
    """
    found = {one["project"] for text in results for one in _SEEN.finditer(text)}
    if about.kind == "project":
        found.add(about.name)
    elif about.kind == "tickets":
        found |= {key.rpartition("-")[0] for key in about.name.split()}
    return found


def since(due: date, days: int) -> date:
    """The day of the last digest."""
    return due - timedelta(days=days)


def _uses(round_: str, asked: Iterable[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    return [
        {"type": "tool_use", "id": f"{round_}:{n}", "name": tool, "input": given}
        for n, (tool, given) in enumerate(asked)
    ]
