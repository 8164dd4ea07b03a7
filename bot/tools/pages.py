"""Reading pages of the web, where a channel's rules let it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from bot.errors import ToolProblem
from bot.redaction import hidden
from bot.rules import Rules
from bot.tool_runner import Tool, ToolContext
from bot.tools.unopened import Unopened
from integrations.addresses import within
from integrations.web import CHARS_PER_PAGE, Web
from integrations.web_errors import WebProblem

LABEL_CHARS = 60  # of an address in the status line
NOT_POINTED_AT = (
    "Not read: nobody in this conversation wrote this address, letter for letter, and it is no link of a page that "
    "somebody named, on the same host. Addresses that you put together are not opened, since they could carry something "
    "out. If it matters, tell the person: write the address here, outside of code and quotations, and I read it."
)
WEB_FETCH = {
    "type": "object",
    "properties": {
        "url": {
            "type": "string",
            "description": (
                "The page's whole address, letter for letter as a person wrote it or as it stands in what was read."
            ),
        },
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
        hosts: to which links may be followed that stand in what was read, Jira's and the code hosts, with their ports
            where those are unusual.
        unopened: what becomes of addresses that may not be opened.
    """

    web: Web
    hosts: frozenset[str] = frozenset()
    unopened: Unopened = field(default_factory=Unopened)

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
        """The text of a page that a person pointed at, behind a line that says where it is from."""
        rules = context.rules
        link = context.reach.find(given["url"], lambda host: self._allowed(host, rules))
        if link is None:
            raise await self._left(given["url"], context)
        # Where a link leads on to is not a person's choice: it stays on its host, unless an admin has named hosts.
        stay = None if link.typed else (urlsplit(link.url).hostname or "",)
        try:
            page = await self.web.fetch(
                link.url,
                page=given.get("page", 1),
                deadline=context.deadline_seconds,
                allowed_hosts=stay if rules.web_allowed_hosts is None else rules.web_allowed_hosts,
                private_origins=rules.web_private_origins,
                edited=lambda text: _discreet(text, rules),
            )
        except WebProblem as problem:
            raise ToolProblem(str(problem)) from problem
        part = f" · page {page.page} of {page.pages}" if page.pages > 1 else ""
        title = " ".join(page.title.split()) or "(no title)"
        return f"{title}\n{page.final_url}{part}\n\n{page.text}"

    async def _left(self, url: str, context: ToolContext) -> ToolProblem:
        """What Claude hears of an address outside of its reach; where an admin has named hosts, no person opens others."""
        hosts = context.rules.web_allowed_hosts
        narrowed = hosts is not None and not within(urlsplit(url).hostname or "", hosts)
        unopened = Unopened() if narrowed else self.unopened
        return await unopened.problem("web_fetch", url, context, why=NOT_POINTED_AT)

    def _allowed(self, host: str, rules: Rules) -> bool:
        """Whether links in what was read may be followed to a host: it is one of ours, or an admin named it."""
        return host in self.hosts or within(host, rules.web_allowed_hosts or ())


async def _discreet(text: str, rules: Rules) -> str:
    """A long text with its secrets hidden before it is cut, or else both halves of one would look like none."""
    return (await hidden([text], rules.redact))[0] if len(text) > CHARS_PER_PAGE else text


def short(url: str) -> str:
    """An address's host and path, as far as a status line has room."""
    parts = urlsplit(url)
    return f"{parts.hostname or url}{parts.path}"[:LABEL_CHARS]
