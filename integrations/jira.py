"""Reads Jira Cloud through the `jira` library: each call in a thread of its own, and within its deadline.

    Jira.issue -> a free thread -> Client.read (DeadlineSession) -> jira_reading -> Issue
    (one clock from here on)       (the wire)                       (shapes, who may see what; jira_text)

A thread cannot be killed, so it ends itself; whoever waits for it is let go at the deadline, or when cancelled.
"""

import asyncio
import queue
import re
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from integrations import jira_reading, jira_search
from integrations.jira_client import Client
from integrations.jira_errors import (
    JiraBroken,
    JiraBusy,
    JiraNotFound,
    JiraProblem,
    JiraRefused,
    JiraRejected,
    JiraSlow,
)
from integrations.jira_issue import Account, Attachment, Change, Comment, Issue, Reference, Status
from integrations.jira_search import Found, Row, Sprint
from integrations.jira_session import until

COMMENTS = 20  # the newest ones, read with an issue unless more are asked for
COMMENTS_AT_MOST = 300
COMMENTS_PAGE = 100
SPARE = 10  # comments asked for beyond the wanted ones, since some may not be shown
BULK = 100  # issues of one bulk question, at most
IDLE_CLIENTS = 8  # kept with their open connections
BROWSE = "BROWSE_PROJECTS"
INCLUDES = ("changelog", "comments_all")

NO_THREAD = "Too much is asked of Jira at this moment; try again in a minute."

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,50}-\d{1,15}")

T = TypeVar("T")


class Jira:
    """Reads Jira with one account.

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
        self._connect = lambda: Client(
            api_url=api_url.rstrip("/"), email=email, token=token, proxy=proxy, cafile=cafile
        )
        self._free = asyncio.Semaphore(in_flight)
        self._idle: queue.LifoQueue[Client] = queue.LifoQueue(IDLE_CLIENTS)
        self._closed = False

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
        wanted = key.strip().upper()
        if not _KEY.fullmatch(wanted):
            raise JiraRejected("This is no key of a Jira issue; keys look like SHOP-12.")
        if unknown := sorted(set(include) - set(INCLUDES)):
            raise JiraRejected(
                f"Jira issues cannot include {', '.join(unknown)}; they can {', '.join(INCLUDES)}."
            )
        count = COMMENTS_AT_MOST if "comments_all" in include else comments
        expand = {"expand": "changelog"} if "changelog" in include else {}
        try:
            return await self._ask(
                lambda client: self._issue(client, wanted, count, expand), deadline
            )
        except JiraNotFound:
            raise JiraNotFound(
                f"{wanted} does not exist in Jira, or the bot's account may not see it; "
                "check the key, and whether the account may browse its project."
            ) from None

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

    async def close(self) -> None:
        """Let go of idle connections; calls that still run end by their own deadlines."""
        self._closed = True
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def _issue(self, client: Client, key: str, count: int, expand: dict[str, str]) -> Issue:
        raw = client.read(f"issue/{key}", fields=jira_reading.FIELDS, **expand)
        read = jira_reading.issue(raw, self._site)
        read = _with_comments(client, read, min(max(1, count), COMMENTS_AT_MOST))
        return jira_reading.hushed(read, _open(client, read))

    async def _ask(self, read: Callable[[Client], T], deadline: float) -> T:
        """Run a blocking reader in a thread, once one is free."""
        ends = time.monotonic() + deadline
        if self._closed:
            raise JiraBroken
        try:
            async with asyncio.timeout(deadline):
                await self._free.acquire()
                return await asyncio.wrap_future(self._begin(read, ends))
        except TimeoutError:
            raise JiraSlow from None

    def _begin(self, read: Callable[[Client], T], ends: float) -> "Future[T]":
        """Start a thread that is gone when its work is; its place is free only then."""
        loop = asyncio.get_running_loop()

        def freed(_: object) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits for a place any more
                loop.call_soon_threadsafe(self._free.release)

        thread = ThreadPoolExecutor(1, thread_name_prefix="jira")
        try:
            running = thread.submit(self._work, read, ends)
        except RuntimeError:  # the machine gives no more threads
            self._free.release()
            raise JiraBroken(NO_THREAD) from None
        running.add_done_callback(freed)
        thread.shutdown(wait=False)
        return running

    def _work(self, read: Callable[[Client], T], ends: float) -> T:
        try:
            client = self._idle.get_nowait()
        except queue.Empty:
            client = self._connect()
        try:
            with until(ends):
                return read(client)
        finally:
            self._put_back(client)

    def _put_back(self, client: Client) -> None:
        try:
            self._idle.put_nowait(client)
        except queue.Full:
            client.close()
        if self._closed:
            client.close()


def _granted(raw: Mapping[str, Any], right: str) -> bool:
    """Whether `mypermissions` grants a right; an answer of another shape grants nothing."""
    told: Any = raw.get("permissions")
    found: Any = told.get(right) if isinstance(told, dict) else None
    return isinstance(found, dict) and found.get("havePermission") is True


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


__all__ = [
    "COMMENTS",
    "INCLUDES",
    "Account",
    "Attachment",
    "Change",
    "Comment",
    "Found",
    "Issue",
    "Jira",
    "JiraBroken",
    "JiraBusy",
    "JiraNotFound",
    "JiraProblem",
    "JiraRefused",
    "JiraRejected",
    "JiraSlow",
    "Reference",
    "Row",
    "Sprint",
    "Status",
]
