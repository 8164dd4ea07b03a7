"""Jira Cloud through the `jira` library: each call in a thread of its own, and within its deadline.

    Jira.issue -> Calls (a free thread) -> jira_ticket -> Client.read (DeadlineSession)
    (one clock from here on)               (shapes, who may see what; jira_text)
    Jira.draft_..., write, written, undo: jira_changing

A thread cannot be killed, so it ends itself; whoever waits for it is let go at the deadline, or when cancelled.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from integrations import jira_files, jira_reading, jira_search
from integrations.jira_calls import Calls
from integrations.jira_changing import Changing
from integrations.jira_draft import Draft, Undone, Written
from integrations.jira_errors import (
    JiraBroken,
    JiraBusy,
    JiraChanged,
    JiraNotFound,
    JiraNotUndone,
    JiraProblem,
    JiraRefused,
    JiraRejected,
    JiraSlow,
    JiraUnknown,
)
from integrations.jira_files import File
from integrations.jira_issue import Account, Attachment, Change, Comment, Issue, Reference, Status
from integrations.jira_key import checked_key, named_when_missing
from integrations.jira_search import Found, Row, Sprint
from integrations.jira_ticket import ticket

if TYPE_CHECKING:
    from integrations.jira_client import Client

COMMENTS = 20  # the newest ones, read with an issue unless more are asked for
COMMENTS_AT_MOST = 300
INCLUDES = ("changelog", "comments_all")


class Jira(Changing):
    """Jira, read and written with one account.

    Args:
        site_url: for links that people open.
        api_url: where calls go: the site, or the gateway for tokens with scopes.
        email: of the account.
        token: its API token.
        in_flight: calls at a time, each in a thread of its own; further ones wait.
        proxy: for https, or None.
        cafile: certificates to trust, or None for the usual ones.
    """

    def __init__(
        self,
        *,
        site_url: str,
        api_url: str,
        email: str,
        token: str,
        in_flight: int,
        proxy: str | None = None,
        cafile: Path | None = None,
    ) -> None:
        # The library, and what it brings along, only where there is a Jira to ask.
        from integrations.jira_client import Client

        def connect() -> Client:
            email, token = self._account
            return Client(
                api_url=api_url.rstrip("/"), email=email, token=token, proxy=proxy, cafile=cafile
            )

        self._account = email, token
        super().__init__(Calls(connect, in_flight), site_url.rstrip("/"))

    def rekey(self, email: str, token: str) -> None:
        """Use another account or token from the next call on; calls on their way end with the one they have."""
        self._account = email, token
        self._ask.renew()

    def __repr__(self) -> str:
        return f"Jira({self._site!r})"

    def browse_url(self, key: str) -> str:
        """Where a person opens an issue."""
        return f"{self._site}/browse/{key}"

    async def issue(
        self,
        key: str,
        *,
        comments: int = COMMENTS,
        include: Collection[str] = (),
        deadline: float,
    ) -> Issue:
        """Read an issue with its newest comments, in at most three calls unless many are restricted.

        Args:
            key: as a person wrote it; a moved issue answers to its old key, too.
            comments: how many of the newest to read, at most COMMENTS_AT_MOST.
            include: more than the usual, of INCLUDES: how fields changed; as many comments as can be.
            deadline: seconds for everything, waiting for a thread included.

        Raises:
            JiraProblem: it was not read; the message is a sentence for the reader.
        """
        wanted = checked_key(key)
        if unknown := sorted(set(include) - set(INCLUDES)):
            raise JiraRejected(
                f"Jira issues cannot include {', '.join(unknown)}; they can {', '.join(INCLUDES)}."
            )
        count = COMMENTS_AT_MOST if "comments_all" in include else comments
        with named_when_missing(wanted):
            return await self._ask(
                lambda client: ticket(
                    client,
                    wanted,
                    comments=min(max(1, count), COMMENTS_AT_MOST),
                    changelog="changelog" in include,
                    site=self._site,
                ),
                deadline,
            )

    async def search(self, jql: str, *, limit: int, page: str = "", deadline: float) -> Found:
        """A page of what a query finds, in one call.

        Args:
            jql: bounded, as Jira demands.
            limit: rows at most, up to ROWS_AT_MOST.
            page: `next_page` of the page before.
            deadline: seconds, waiting for a thread included.

        Raises:
            JiraProblem: nothing was found out; of a wrong query it has Jira's own words.
        """
        return await self._ask(
            lambda client: jira_search.search(client, jql, limit=limit, page=page, site=self._site),
            deadline,
        )

    async def count(self, jql: str, *, deadline: float) -> int:
        """About how many issues a query finds, in one call.

        Args:
            jql: bounded, as Jira demands.
            deadline: seconds, waiting for a thread included.

        Raises:
            JiraProblem: nothing was found out.
        """
        return await self._ask(lambda client: jira_search.count(client, jql), deadline)

    async def sprint(self, board_or_project: str, *, deadline: float) -> Sprint:
        """The active sprint of a board, in two or three calls.

        Args:
            board_or_project: a board's number or name, or a project's key.
            deadline: seconds, waiting for a thread included.

        Raises:
            JiraProblem: there is none, or nothing was found out.
        """
        return await self._ask(
            lambda client: jira_search.sprint(client, board_or_project), deadline
        )

    async def myself(self, *, deadline: float) -> Account:
        """Who the bot is in Jira: the one sure sign that its credentials are good.

        Args:
            deadline: seconds, waiting for a thread included.

        Raises:
            JiraProblem: they are not, or Jira does not answer in time.
        """
        return await self._ask(lambda client: jira_reading.account(client.read("myself")), deadline)

    async def rights(
        self, wanted: Collection[str], *, project: str = "", deadline: float
    ) -> frozenset[str]:
        """Which of these rights the bot's account has; none where there is no such project.

        Args:
            wanted: by Jira's own names, such as `BROWSE_PROJECTS`.
            project: its key; "" asks for global rights.
            deadline: seconds, waiting for a thread included.

        Raises:
            JiraProblem: Jira does not say.
        """
        query = {"permissions": ",".join(wanted)} | ({"projectKey": project} if project else {})

        def read(client: Client) -> frozenset[str]:
            raw = client.read("mypermissions", **query)
            return frozenset(right for right in wanted if _granted(raw, right))

        try:
            return await self._ask(read, deadline)
        except JiraNotFound:
            return frozenset()

    async def attachment(self, ident: str, *, deadline: float, most_bytes: int) -> File:
        """An image or a PDF of an issue whose reading was permitted: an attachment does not tell its issue.

        Args:
            ident: `Attachment.id` of the issue as it was read.
            deadline: seconds, waiting for a thread included.
            most_bytes: larger ones are not read.

        Raises:
            JiraProblem: it is too large, of another kind, or was not read.
        """
        return await self._ask(
            lambda client: jira_files.file(client, ident, most_bytes=most_bytes), deadline
        )

    async def close(self) -> None:
        """Let go of idle connections; calls that still run end by their own deadlines."""
        self._ask.close()


def _granted(raw: Mapping[str, Any], right: str) -> bool:
    """Whether `mypermissions` grants a right; an answer of another shape grants nothing."""
    told: Any = raw.get("permissions")
    found: Any = told.get(right) if isinstance(told, dict) else None
    return isinstance(found, dict) and found.get("havePermission") is True


__all__ = [
    "COMMENTS",
    "INCLUDES",
    "Account",
    "Attachment",
    "Change",
    "Comment",
    "Draft",
    "File",
    "Found",
    "Issue",
    "Jira",
    "JiraBroken",
    "JiraBusy",
    "JiraChanged",
    "JiraNotFound",
    "JiraNotUndone",
    "JiraProblem",
    "JiraRefused",
    "JiraRejected",
    "JiraSlow",
    "JiraUnknown",
    "Reference",
    "Row",
    "Sprint",
    "Status",
    "Undone",
    "Written",
]
