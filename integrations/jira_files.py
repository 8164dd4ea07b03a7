"""Reads an image or a PDF of an issue, within a cap of bytes, and by what it is instead of what it is called.

Jira is asked not to redirect to its media host, so the credentials go nowhere else; a redirect is never followed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from integrations.jira_errors import JiraNotFound, JiraRejected
from integrations.jira_values import line, number

if TYPE_CHECKING:
    from integrations.jira_client import Client


KINDS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"%PDF-": "application/pdf",
}


@dataclass(frozen=True, slots=True)
class File:
    """A file of an issue; `mimetype` is by its first bytes, not by what somebody called it."""

    name: str
    mimetype: str
    content: bytes


def file(client: Client, ident: str, *, most_bytes: int) -> File:
    """An image or a PDF.

    Args:
        client: asks Jira.
        ident: of the attachment.
        most_bytes: larger ones are not read; BODY_BYTES is the most of all.

    Raises:
        JiraRejected: it is larger, or of another kind.
        JiraProblem: it was not read.
    """
    from integrations.jira_session import BODY_BYTES

    if not ident.isdigit():
        raise JiraNotFound(MISSING)
    try:
        told = client.read(f"attachment/{ident}")
        name, most = line(told.get("filename")), min(most_bytes, BODY_BYTES)
        if number(told.get("size")) > most:
            raise JiraRejected(_too_large(name, most))
        content = client.file(f"attachment/content/{ident}", redirect="false")
    except JiraNotFound:
        raise JiraNotFound(MISSING) from None
    if len(content) > most:
        raise JiraRejected(_too_large(name, most))
    kind = _kind(content)
    if not kind:
        raise JiraRejected(f"{name} is neither an image nor a PDF; open it in Jira.")
    return File(name, kind, content)


MISSING = "This attachment does not exist in Jira any more, or the bot's account may not see it."


def _too_large(name: str, most: int) -> str:
    return f"{name} is larger than {most // 1024:,} KiB and was not read; open it in Jira."


def _kind(content: bytes) -> str:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for first, kind in KINDS.items() if content.startswith(first)), "")
