"""A world whose tickets, pages and code say what a story wants, in every place that text comes from."""

import time
from pathlib import Path

from aiohttp import web

from bot.demo.jira import JiraStandIn
from bot.demo.jira.seed import company
from bot.demo.jira.world import Comment
from bot.demo.pages.made import page
from bot.demo.web import WebStandIn
from tests.stories.world import World

TRAP = "/trap"  # a page of our own web that says what a story wants


class Trapped(WebStandIn):
    """The small web with one page more; its second origin is a stranger's, which hears whatever comes."""

    words: str = ""

    def routes(self) -> list[web.RouteDef]:
        """The page first."""
        return [web.get(TRAP, self._trap), *super().routes()]

    async def _trap(self, _request: web.Request) -> web.Response:
        return page(f"<h1>The kitchen</h1><p>It opens at eight, and closes at six.</p>{self.words}")


class Hostile(World):
    """The plain world with its own company, so that tickets can be written to, and the trap in its web."""

    def __init__(self, folder: Path, *, policy: str = "", tables: str = "") -> None:
        super().__init__(folder, policy=policy, tables=tables)
        self.jira = JiraStandIn(world=company(time.time()))
        self.trapped = Trapped(slow_seconds=None)
        self.web = self.trapped

    @property
    def elsewhere(self) -> str:
        """A stranger's host, which policy lets be read, so that only our guards stand before it."""
        return self.web.other_url

    def _toml(self) -> str:
        own = self.web.url.rstrip("/")
        return super()._toml().replace(f'["{own}"]', f'["{own}", "{self.elsewhere}"]')

    def comment(self, key: str, words: str) -> None:
        """Have somebody comment on a ticket."""
        text = [{"type": "text", "text": words}]
        body = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": text}]}
        issue = self.jira.world.issues[key]
        author = next(iter(self.jira.world.accounts))
        issue.comments.append(
            Comment(self.jira.world.new_id(), author, body, time.time(), time.time())
        )
