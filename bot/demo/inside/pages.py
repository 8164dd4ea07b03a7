"""The small web as it is: every page, what it is good for, and who came."""

from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

from bot.demo.inside.sources import Json
from bot.demo.pages.made import Page
from bot.demo.web import FILES, MOVES, PAGES, WebStandIn

UNSEEN = frozenset(
    {"script", "style", "title", "noscript", "template", "nav", "header", "footer", "aside", "form"}
)
VISITS = 50  # the newest visits of a page


class Pages:
    """Looks at the pages; knows which were visited since it looked last."""

    def __init__(self, web: WebStandIn) -> None:
        self._web = web
        self._visits: Counter[str] = Counter()
        self._looked = 0
        self._shown = False

    def changes(self) -> list[Json]:
        """Pages that were visited since the last time, every page at first."""
        new = [heard.path for heard in self._web.log[self._looked :]]
        self._looked += len(new)
        self._visits.update(new)
        changed = set(new) & {str(page) for page in Page} if self._shown else set(Page)
        self._shown = True
        return [self._row(page) for page in Page if page in changed]

    def whole(self, path: str) -> Json | None:
        """One page: its words where it has some, and its newest visits; None where there is none."""
        if path not in {str(page) for page in Page}:
            return None
        page = Page(path)
        visits = [h for h in self._web.log if h.path == path][-VISITS:]
        title, words = _read(PAGES / FILES[page]) if page in FILES else ("", "")
        return {
            **self._row(page),
            "title": title,
            "text": words,
            "url": self._web.address(path) if page in FILES else "",
            "log": [{"at": visit.at, "status": visit.status} for visit in visits[::-1]],
        }

    def _row(self, page: Page) -> Json:
        kind = "page" if page in FILES else "redirect" if page in MOVES else "odd"
        target = f" to {MOVES[page][1]}" if page in MOVES else ""
        return {
            "id": str(page),
            "kind": kind,
            "about": page.name.replace("_", " ").lower() + target,
            "visits": self._visits[str(page)],
        }


def _read(path: Path) -> tuple[str, str]:
    reader = _Words()
    reader.feed(path.read_text(encoding="utf-8"))
    lines = ("".join(reader.words)).splitlines()
    return reader.title.strip(), "\n".join(line.strip() for line in lines if line.strip())


class _Words(HTMLParser):
    """A page's title and words, without marks."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.title = ""
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag opens."""
        if tag in UNSEEN:
            self._open.append(tag)
        if tag in ("p", "li", "h1", "h2", "h3", "tr", "pre", "div"):
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """A tag closes."""
        if self._open and self._open[-1] == tag:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        """Words between tags."""
        if not self._open:
            self.words.append(data)
        elif self._open[-1] == "title":
            self.title += data
