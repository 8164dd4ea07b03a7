"""Jira Cloud through the `jira` library: each call in a thread of its own, and within its deadline.

    Jira.issue -> Calls (a free thread) -> jira_ticket -> Client.read (DeadlineSession)
    (one clock from here on)               (shapes, who may see what; jira_text)
    Jira.draft_... -> Draft -> Jira.write -> Written -> Jira.undo
    (jira_drafting)           (jira_writing: once, never again by itself)

A thread cannot be killed, so it ends itself; whoever waits for it is let go at the deadline, or when cancelled.
"""

import re
from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from integrations import jira_reading, jira_search
from integrations.jira_calls import Calls
from integrations.jira_client import Client
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
from integrations.jira_search import Found, Row, Sprint
from integrations.jira_ticket import ticket

COMMENTS = 20  # the newest ones, read with an issue unless more are asked for
COMMENTS_AT_MOST = 300
BROWSE = "BROWSE_PROJECTS"
INCLUDES = ("changelog", "comments_all")

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,50}-\d{1,15}")


class Jira:
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
        self._site = site_url.rstrip("/")
        self._ask = Calls(
            lambda: Client(
                api_url=api_url.rstrip("/"), email=email, token=token, proxy=proxy, cafile=cafile
            ),
            in_flight,
        )

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
        wanted = _key(key)
        if unknown := sorted(set(include) - set(INCLUDES)):
            raise JiraRejected(
                f"Jira issues cannot include {', '.join(unknown)}; they can {', '.join(INCLUDES)}."
            )
        count = COMMENTS_AT_MOST if "comments_all" in include else comments
        with _named(wanted):
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

    async def may_browse(self, project: str, *, deadline: float) -> bool:
        """Whether the bot's account may see a project's issues; False where there is no such project.

        Args:
            project: its key.
            deadline: seconds, waiting for a thread included.

        Raises:
            JiraProblem: Jira does not say.
        """

        def read(client: Client) -> bool:
            raw = client.read("mypermissions", permissions=BROWSE, projectKey=project)
            return _granted(raw, BROWSE)

        try:
            return await self._ask(read, deadline)
        except JiraNotFound:
            return False

    async def draft_comment(
        self, key: str, markdown: str, *, deadline: float, public: bool = False
    ) -> Draft:
        """What commenting on an issue would write; nothing is written.

        Args:
            key: of the issue.
            markdown: the whole comment.
            deadline: seconds, waiting for a thread included.
            public: in a service desk, whether the customer sees it; elsewhere everybody does who sees the issue.

        Raises:
            JiraProblem: it cannot be written; the sentence says what to change.
        """
        raise NotImplementedError

    async def draft_transition(
        self, key: str, status: str, markdown: str = "", *, deadline: float
    ) -> Draft:
        """What moving an issue would do, with a comment if there is text; nothing is written.

        Args:
            key: of the issue.
            status: where to, by the status's or the transition's name in any case.
            markdown: a comment that goes with it, in a service desk an internal one.
            deadline: seconds, waiting for a thread included.

        Raises:
            JiraProblem: it cannot go there now; the sentence names where it can.
        """
        raise NotImplementedError

    async def draft_update(self, key: str, fields: Mapping[str, Any], *, deadline: float) -> Draft:
        """What changing fields of an issue would write; nothing is written.

        Args:
            key: of the issue.
            fields: by name or id, in any case: texts as Markdown, people by name, e-mail address or account id,
                options by name, several values as a list, dates as 2026-11-30; None or "" empties a field.
            deadline: seconds, waiting for a thread included.

        Raises:
            JiraProblem: a field or value is none; the sentence names those that are.
        """
        raise NotImplementedError

    async def draft_issue(
        self,
        project: str,
        type: str,  # noqa: A002 - the word of Jira's own interface
        summary: str,
        markdown: str,
        *,
        deadline: float,
        fields: Mapping[str, Any] | None = None,
    ) -> Draft:
        """What a new issue would be; nothing is written.

        Args:
            project: its key.
            type: of the issue, by name in any case.
            summary: one line.
            markdown: the description; may be empty.
            deadline: seconds, waiting for a thread included.
            fields: more of them, as in `draft_update`.

        Raises:
            JiraProblem: something is unknown or missing; the sentence names it.
        """
        raise NotImplementedError

    async def write(self, draft: Draft, *, mark: str, deadline: float) -> Written:
        """Write a draft, once and never again by itself; what it stands on is read first.

        Args:
            draft: as one of the `draft_` methods made it.
            mark: the proposal's id, left in Jira where `written` finds it.
            deadline: seconds, waiting for a thread included.

        Raises:
            JiraChanged: the issue is not as the draft shows it any more; nothing was written.
            JiraUnknown: the answer was lost; ask `written`.
            JiraProblem: nothing was written.
        """
        raise NotImplementedError

    async def written(self, draft: Draft, *, mark: str, deadline: float) -> Written | None:
        """Whether a draft stands in Jira after all; None where it is not found.

        Jira's search, where new issues are looked for, lags behind by some seconds.

        Args:
            draft: that was to be written.
            mark: as it was given to `write`.
            deadline: seconds, waiting for a thread included.

        Raises:
            JiraProblem: nobody can tell.
        """
        raise NotImplementedError

    async def undo(self, written: Written, *, deadline: float) -> Undone:
        """Take a change back if nobody built on it since; it is read first.

        Args:
            written: what to take back.
            deadline: seconds, waiting for a thread included.

        Raises:
            JiraNotUndone: it stays; the sentence says why.
            JiraUnknown: the answer was lost; asking again is safe.
            JiraProblem: it was not taken back.
        """
        raise NotImplementedError

    async def attachment(self, ident: str, *, deadline: float, most_bytes: int) -> File:
        """An image or a PDF of an issue whose reading was permitted: an attachment does not tell its issue.

        Args:
            ident: `Attachment.id` of the issue as it was read.
            deadline: seconds, waiting for a thread included.
            most_bytes: larger ones are not read.

        Raises:
            JiraProblem: it is too large, of another kind, or was not read.
        """
        raise NotImplementedError

    async def close(self) -> None:
        """Let go of idle connections; calls that still run end by their own deadlines."""
        self._ask.close()


def _granted(raw: Mapping[str, Any], right: str) -> bool:
    """Whether `mypermissions` grants a right; an answer of another shape grants nothing."""
    told: Any = raw.get("permissions")
    found: Any = told.get(right) if isinstance(told, dict) else None
    return isinstance(found, dict) and found.get("havePermission") is True


def _key(key: str) -> str:
    wanted = key.strip().upper()
    if not _KEY.fullmatch(wanted):
        raise JiraRejected("This is no key of a Jira issue; keys look like SHOP-12.")
    return wanted


@contextmanager
def _named(key: str) -> Generator[None]:
    """Say which issue was not found."""
    try:
        yield
    except JiraNotFound:
        raise JiraNotFound(
            f"{key} does not exist in Jira, or the bot's account may not see it; "
            "check the key, and whether the account may browse its project."
        ) from None


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
