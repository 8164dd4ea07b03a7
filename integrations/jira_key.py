"""An issue's key as somebody wrote it, and the sentence when there is no such issue."""

import re
from collections.abc import Generator
from contextlib import contextmanager

from integrations.jira_errors import JiraNotFound, JiraRejected

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,50}-\d{1,15}")


def checked_key(key: str) -> str:
    """The key in capitals.

    Raises:
        JiraRejected: it is none.
    """
    wanted = key.strip().upper()
    if not _KEY.fullmatch(wanted):
        raise JiraRejected("This is no key of a Jira issue; keys look like SHOP-12.")
    return wanted


def checked_project(key: str) -> str:
    """A project's key in capitals.

    Raises:
        JiraRejected: it is none.
    """
    wanted = key.strip().upper()
    if not _KEY.fullmatch(f"{wanted}-1"):
        raise JiraRejected("This is no key of a Jira project; keys look like SHOP.")
    return wanted


@contextmanager
def named_when_missing(key: str) -> Generator[None]:
    """Say which issue was not found.

    Raises:
        JiraNotFound: with the key in its sentence.
    """
    try:
        yield
    except JiraNotFound:
        raise JiraNotFound(
            f"{key} does not exist in Jira, or the bot's account may not see it; "
            "check the key, and whether the account may browse its project."
        ) from None
