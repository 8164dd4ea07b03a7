"""Reads Jira Cloud through the `jira` library, each call within its deadline."""

from collections.abc import Collection

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

COMMENTS = 20  # the newest ones, read with an issue unless more are asked for
INCLUDES = ("changelog", "comments_all")


class Jira:
    """Reads Jira with one account.

    Args:
        site_url: for links that people open.
        api_url: where calls go: the site, or the gateway for scoped tokens.
        email: of the account.
        token: its API token.
        in_flight: calls at a time, each in a thread of its own; further ones wait.
        proxy: of the environment, or None.
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
        cafile: str | None = None,
    ) -> None:
        self._site = site_url.rstrip("/")
        self._api = api_url.rstrip("/")
        self._in_flight = in_flight

    def __repr__(self) -> str:
        return f"Jira({self._api})"

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
        """Read an issue with its newest comments.

        Args:
            key: as a person wrote it; a moved issue answers to its old key too.
            comments: how many of the newest to read.
            include: more than the usual, of INCLUDES.
            deadline: seconds for everything, waiting for a thread included.

        Raises:
            JiraProblem: it was not read; the message is a sentence for the reader.
        """
        raise JiraBroken

    async def myself(self, *, deadline: float) -> Account:
        """Who the bot is in Jira: the one way to see that its credentials are good.

        Raises:
            JiraProblem: they are not, or Jira does not answer within `deadline` seconds.
        """
        raise JiraBroken

    async def close(self) -> None:
        """Let go of connections; calls still running end by their own deadlines."""


__all__ = [
    "COMMENTS",
    "INCLUDES",
    "Account",
    "Attachment",
    "Change",
    "Comment",
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
    "Status",
]
