"""Reading pages of the web, where a channel's rules let it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bot.errors import ToolProblem
from bot.tool_runner import Tool, ToolContext
from integrations.web import Web
from integrations.web_errors import WebProblem

LABEL_CHARS = 60  # of an address in the status line
WEB_FETCH = {
    "type": "object",
    "properties": {
        "url": {"type": "string", "description": "The page's whole address, http or https."},
        "page": {
            "type": "integer",
            "description": "Which part of a long page, from 1. The result says how many there are.",
        },
    },
    "required": ["url"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Pages:
    """The tools that read the web.

    Attributes:
        web: reads the public web.
    """

    web: Web

    def tools(self) -> tuple[Tool, ...]:
        """web_fetch."""
        return (
            Tool(
                name="web_fetch",
                description=(
                    "Read a public web page, a text or JSON file, or a PDF. Gives its text as Markdown, in parts of "
                    "about 20,000 characters. Pages behind a login, scripts and private addresses are not read."
                ),
                schema=WEB_FETCH,
                label=lambda given: f"reading {short(str(given.get('url', '')))}",
                call=self.fetch,
            ),
        )

    async def fetch(self, given: Mapping[str, Any], context: ToolContext) -> str:
        """The text of a page, behind a line that says where it is from."""
        try:
            page = await self.web.fetch(
                given["url"],
                page=given.get("page", 1),
                deadline=context.deadline_seconds,
                allowed_hosts=context.rules.web_allowed_hosts,
                private_origins=context.rules.web_private_origins,
            )
        except WebProblem as problem:
            raise ToolProblem(str(problem)) from problem
        part = f" · page {page.page} of {page.pages}" if page.pages > 1 else ""
        title = " ".join(page.title.split()) or "(no title)"
        return f"{title}\n{page.final_url}{part}\n\n{page.text}"


def short(url: str) -> str:
    """An address's host and path, as far as a status line has room."""
    parts = urlsplit(url)
    return f"{parts.hostname or url}{parts.path}"[:LABEL_CHARS]
