"""Jira's tickets as its stand-in has them now, for people to read."""

from collections.abc import Iterable
from typing import Any

from bot.demo.inside.sources import Json
from bot.demo.jira.adf import plain
from bot.demo.jira.server import JiraStandIn
from bot.demo.jira.world import Issue, World

SHOWN = 2_000  # tickets, the last touched first
CHARACTERS = 20_000  # of a description or a comment
HISTORY = 50  # changes and comments of one ticket


class Tickets:
    """Looks at the tickets; knows which changed since it looked last."""

    def __init__(self, jira: JiraStandIn) -> None:
        self._world: World = jira.world
        self._seen: dict[str, tuple[Any, ...]] = {}

    def changes(self) -> list[Json]:
        """Tickets that are new or were touched since the last time, everything at first."""
        changed: list[Json] = []
        for issue in _latest(self._world.issues.values()):
            mark = (issue.updated, issue.status, issue.summary, issue.assignee, len(issue.comments))
            if self._seen.get(issue.key) != mark:
                self._seen[issue.key] = mark
                changed.append(self._row(issue))
        return changed

    def whole(self, key: str) -> Json | None:
        """One ticket with its description, comments and history; None where there is none."""
        issue = self._world.issues.get(key)
        if issue is None:
            return None
        comments = [
            {"who": self._name(c.author), "at": c.created, "text": plain(c.body)[:CHARACTERS]}
            for c in issue.comments[-HISTORY:]
        ]
        changes = [
            {
                "who": self._name(c.author),
                "at": c.at,
                "field": c.field,
                "old": c.old[1] or "",
                "new": c.new[1] or "",
            }
            for c in issue.changes[-HISTORY:]
        ]
        return {
            **self._row(issue),
            "reporter": self._name(issue.reporter),
            "labels": issue.labels,
            "parent": issue.parent,
            "description": plain(issue.description)[:CHARACTERS],
            "comments": comments[::-1],
            "changes": changes[::-1],
        }

    def _row(self, issue: Issue) -> Json:
        status = self._world.statuses[issue.status]
        return {
            "id": issue.key,
            "project": issue.project,
            "type": issue.type,
            "status": status.name,
            "category": status.category,
            "summary": issue.summary,
            "priority": issue.priority,
            "assignee": self._name(issue.assignee),
            "updated": issue.updated,
            "comments": len(issue.comments),
        }

    def _name(self, account: str | None) -> str:
        found = self._world.accounts.get(account or "")
        return found.name if found else ""


def _latest(issues: Iterable[Issue]) -> list[Issue]:
    return sorted(issues, key=lambda issue: issue.updated, reverse=True)[:SHOWN]
