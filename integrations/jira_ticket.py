"""Reads one ticket in at most three calls: its fields, its newest comments, and which linked ones may be shown."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from integrations import jira_reading
from integrations.jira_errors import JiraProblem
from integrations.jira_issue import Comment, Issue

if TYPE_CHECKING:
    from integrations.jira_client import Client


COMMENTS_PAGE = 100
SPARE = 10  # comments asked for beyond the wanted ones, since some may not be shown
BULK = 100  # issues of one bulk question, at most


def ticket(client: Client, key: str, *, comments: int, changelog: bool, site: str) -> Issue:
    """An issue with its newest comments; many restricted ones take more calls.

    Args:
        client: asks Jira.
        key: of the issue; a moved one answers to its old key.
        comments: how many of the newest.
        changelog: whether to read how its fields changed.
        site: where people open issues.

    Raises:
        JiraProblem: it was not read.
    """
    expand = {"expand": "changelog"} if changelog else {}
    raw = client.read(f"issue/{key}", fields=jira_reading.FIELDS, **expand)
    read = _with_comments(client, jira_reading.issue(raw, site), comments)
    return jira_reading.hushed(read, _open(client, read))


def _with_comments(client: Client, read: Issue, wanted: int) -> Issue:
    """The issue with its newest comments, those that are not for everybody left out and counted."""
    shown: dict[str, Comment] = {}
    restricted = seen = total = 0
    while len(shown) < wanted:
        size = min(COMMENTS_PAGE, wanted - len(shown) + SPARE)
        raw = client.read(
            f"issue/{read.key}/comment", orderBy="-created", startAt=seen, maxResults=size
        )
        page = jira_reading.comments(raw, read.url)
        total = page.total
        for comment in page.comments:
            if len(shown) == wanted:
                break
            seen += 1
            if comment is None:
                restricted += 1
            else:
                # By id: pages shift when somebody comments meanwhile.
                shown.setdefault(comment.id or str(-seen), comment)
        if not page.comments or seen >= total:
            break
    return replace(
        read,
        comments=tuple(reversed(shown.values())),
        older_comments=max(0, total - seen),
        restricted_comments=restricted,
    )


def _open(client: Client, read: Issue) -> Collection[str]:
    """Keys of linked issues that may be shown: what a link carries does not say who may see its end.

    Sub-tasks have their parent's security level, so they need no look.
    """
    others = [link for link in (read.parent, *read.links) if link and link.summary]
    if not others or read.security:
        return ()
    keys = list(dict.fromkeys(link.key for link in others))[:BULK]
    try:
        raw = client.query("issue/bulkfetch", {"issueIdsOrKeys": keys, "fields": ["security"]})
    except JiraProblem:
        return ()  # nothing is shown on suspicion; the issue itself was read
    return jira_reading.open_keys(raw)
