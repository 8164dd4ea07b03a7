"""The company's tickets, read from the seed files and dated from `now` backwards, the same each time."""

import json
import random
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from bot.demo.jira.adf import Writer
from bot.demo.jira.world import (
    RISK_FIELD,
    Account,
    Attachment,
    Board,
    Comment,
    Issue,
    IssueType,
    Json,
    Link,
    Project,
    Sprint,
    Status,
    Step,
    World,
    handles,
)
from bot.demo.pages.made import PIXEL, pdf

SEED = Path(__file__).parent / "seed"
WHEN = re.compile(r"(?P<days>[+-]\d+)d(?: (?P<hour>\d\d):(?P<minute>\d\d))?")
COMMENT = re.compile(r"(?P<who>\w+) (?P<when>[+-]\d+d \d\d:\d\d)(?: (?P<more>\{.*\}))?")
PATHS = {
    "To Do": [],
    "In Progress": ["In Progress"],
    "Blocked": ["In Progress", "Blocked"],
    "In Review": ["In Progress", "In Review"],
    "Done": ["In Progress", "In Review", "Done"],
    "Waiting for support": [],
    "Waiting for customer": ["Waiting for customer"],
    "Resolved": ["Resolved"],
}
MIMES = {"png": "image/png", "pdf": "application/pdf", "txt": "text/plain"}
LINE = "2026-11-20T06:00:00Z WARN feed row skipped: price missing for article "


class Seed:
    """Builds one World.

    Args:
        now: The moment that the seed's days count from, epoch seconds.
    """

    def __init__(self, now: float) -> None:
        self._now = now
        self._rng = random.Random(20_261_124)
        self._world = World()
        self._site: Json = _json("site.json")
        self._writer = Writer({})

    def build(self) -> World:
        """The whole site."""
        self._people()
        self._structure()
        for name in ("shop.md", "others.md"):
            for block in (SEED / name).read_text(encoding="utf-8").split("%%% ")[1:]:
                self._told(block)
        bulk = _json("bulk.json")
        for row in bulk["rows"]:
            self._bulk(dict(zip(bulk["columns"], row, strict=True)))
        world = self._world
        world.moved.update(self._site["moved"])
        for kind, source, target in self._site["links"]:
            world.links.append(Link(world.new_id(), kind, source, target))
        return world

    def _people(self) -> None:
        for entry in self._site["accounts"]:
            sets = {k: frozenset(v) for k, v in entry.items() if isinstance(v, list)}
            told: Json = {**entry, **sets}
            account = Account(**told)
            self._world.accounts[account.account_id] = account
        self._writer = Writer(handles(self._world.accounts.values()))

    def _structure(self) -> None:
        site, world = self._site, self._world
        for entry in site["projects"]:
            lead = world.account(entry["lead"]).account_id
            told: Json = {**entry, "types": tuple(entry["types"]), "lead": lead}
            project = Project(**told)
            world.projects[project.key] = project
        world.statuses.update({s["name"]: Status(**s) for s in site["statuses"]})
        world.types.update({t["name"]: IssueType(**t) for t in site["types"]})
        for name, steps in site["workflows"].items():
            world.workflows[name] = tuple(
                Step(
                    id=s["id"],
                    name=s["name"],
                    to=s["to"],
                    sources=frozenset(s.get("sources", ())),
                    required=tuple(s.get("required", ())),
                )
                for s in steps
            )
        world.boards.update({b["id"]: Board(**b) for b in site["boards"]})
        for entry in site["sprints"]:
            times = {k: self._when(entry[k]) for k in ("start", "end", "completed") if k in entry}
            dated: Json = {**entry, **times}
            world.sprints[entry["id"]] = Sprint(**dated)
        world.link_types.extend(site["link_types"])

    def _when(self, text: str) -> float:
        found = WHEN.fullmatch(text)
        assert found, text
        day = datetime.fromtimestamp(self._now, UTC) + timedelta(days=int(found["days"]))
        at = day.replace(hour=int(found["hour"] or 0), minute=int(found["minute"] or 0))
        return at.replace(second=0, microsecond=0).timestamp()

    def _id(self, handle: str | None) -> str | None:
        return self._world.account(handle).account_id if handle else None

    def _told(self, block: str) -> None:
        """A ticket written out in full: a line of JSON, its description, its comments."""
        head, _, rest = block.partition("\n")
        entry: Json = json.loads(head)
        parts = re.split(r"^%% ", rest, flags=re.MULTILINE)
        created = self._when(entry["created"])
        issue = self._world.add(self._issue(entry, created))
        if parts[0].strip():
            issue.description = self._writer.document(parts[0])
        if "huge" in entry:
            issue.description = _huge(entry["huge"])
        if entry.get("odd"):
            issue.description = _odd()
        for part in parts[1:]:
            self._comment(issue, part)
        self._history(issue, entry)
        for name in entry.get("attachments", ()):
            mime = MIMES.get(name.rpartition(".")[2], "application/octet-stream")
            content = _file(name, mime)
            made = Attachment(self._world.new_id(), name, mime, content, issue.reporter, created)
            issue.attachments.append(made)
        for url, title in entry.get("remote", ()):
            issue.remote_links.append({"url": url, "title": title})

    def _issue(self, entry: Json, created: float) -> Issue:
        world = self._world
        number = int(entry["key"].rpartition("-")[2])
        project = world.projects[entry["key"].rpartition("-")[0]]
        issue = Issue(
            id=f"{project.id}{number:03}",
            key=entry["key"],
            project=project.key,
            type=entry["type"],
            summary=entry["summary"],
            status="To Do" if project.workflow == "software" else "Waiting for support",
            reporter=self._id(entry["reporter"]) or "",
            created=created,
            updated=created,
            priority=entry.get("priority", "Medium"),
            assignee=self._id(entry.get("assignee")),
            labels=list(entry.get("labels", ())),
            components=list(entry.get("components", ())),
            versions=list(entry.get("versions", ())),
            parent=entry.get("parent"),
            security=entry.get("security"),
            sprint=entry.get("sprint"),
            points=entry.get("points"),
        )
        if "due" in entry:
            issue.due = datetime.fromtimestamp(self._when(entry["due"]), UTC).date().isoformat()
        if "risk" in entry:
            issue.extra[RISK_FIELD] = {"id": "10301", "value": entry["risk"]}
        return issue

    def _comment(self, issue: Issue, part: str) -> None:
        head, _, text = part.partition("\n")
        found = COMMENT.fullmatch(head.strip())
        assert found, head
        more: Json = json.loads(found["more"] or "{}")
        at = self._when(found["when"])
        comment = Comment(
            id=self._world.new_id(),
            author=self._id(found["who"]) or "",
            body=self._writer.document(text),
            created=at,
            updated=at,
            public=not more.get("internal", False),
        )
        if "role" in more:
            comment.visibility = {"type": "role", "value": more["role"], "identifier": more["role"]}
        issue.comments.append(comment)
        issue.updated = max(issue.updated, at)

    def _history(self, issue: Issue, entry: Json) -> None:
        """Changes told one by one, or a plausible way to the status it has."""
        moves = [
            (self._when(w), self._id(who) or "", to) for w, who, to in entry.get("history", ())
        ]
        if not moves:
            way = PATHS[entry["status"]]
            span = max(issue.updated, self._now - 3600) - issue.created
            by = issue.assignee or issue.reporter
            moves = [
                (issue.created + span * (n + 1) / (len(way) + 2), by, to)
                for n, to in enumerate(way)
            ]
        edits = [(self._when(edit[0]), edit) for edit in entry.get("edits", ())]
        for at, edit in sorted(edits):
            _, who, name, old, new = edit
            pair = (self._named(name, old), self._named(name, new))
            self._world.change(issue, at, self._id(who) or "", name, *pair)
        for at, by, to in moves:
            self._world.move(issue, to, at, by)
        issue.changes.sort(key=lambda change: change.at)
        issue.changes = [replace(c, id=str(30_000 + n)) for n, c in enumerate(issue.changes)]

    def _named(self, name: str, value: str) -> tuple[str | None, str]:
        if name == "assignee":
            account = self._world.account(value)
            return account.account_id, account.name
        return None, value

    def _bulk(self, row: Json) -> None:
        """A ticket from one row: its text, what "done" means for its kind, perhaps a comment."""
        minute = self._rng.randrange(60)
        created = self._when(f"-{row['days']}d {self._rng.randrange(8, 17):02}:{minute:02}")
        issue = self._world.add(self._issue({**row, "created": ""}, created))
        issue.description = self._writer.document(_text(row))
        self._history(issue, row)
        if row["assignee"] and self._rng.random() < 0.6:
            at = min(issue.updated + 3600 * self._rng.randrange(1, 20), self._now - 60)
            text = self._rng.choice(REMARKS[row["status"]])
            made = Comment(
                self._world.new_id(), issue.assignee or "", self._writer.document(text), at, at
            )
            issue.comments.append(made)
            issue.updated = max(issue.updated, at)


REMARKS = {
    "To Do": ["Not before the sale, I think.", "Who needs this, and by when?"],
    "In Progress": ["Half of it works. Tests tomorrow.", "Found the cause, writing the fix."],
    "Blocked": ["Still nothing. I ask again on Thursday.", "Waiting, see the description."],
    "In Review": ["Ready for a look. :eyes:", "Review please, it is small."],
    "Done": ["Live since this morning. :tada:", "Closed, nobody complained for a week."],
}
ENDINGS = {
    "Bug": "**Expected**: it works.\n\n**Seen**: it does not; reproduced {yellow:2 OF 3}.",
    "Story": "## Done when\n\n- [ ] a buyer can do it\n- [ ] it is measured\n- [ ] support knows",
    "Task": "## Steps\n\n1. look\n2. change\n3. tell the team",
    "Epic": ":::info\nThe stories below tell the rest.\n:::",
}


def _text(row: Json) -> str:
    return f"{row['text']}\n\n{ENDINGS[row['type']]}"


def _json(name: str) -> Json:
    return json.loads((SEED / name).read_text(encoding="utf-8"))


@cache
def _huge(size: int) -> Json:
    """A log of about `size` bytes as JSON, thousands of paragraphs: one for all companies, since nobody edits within."""
    overhead = 60  # bytes of JSON around each line
    count = size // (len(LINE) + overhead + 6)
    lines: list[Any] = [
        {"type": "paragraph", "content": [{"type": "text", "text": f"{LINE}{n:06}"}]}
        for n in range(count)
    ]
    return {"type": "doc", "version": 1, "content": lines}


def _odd() -> Json:
    """What converters break on: unknown nodes, missing attributes, lists 150 deep."""
    deep: Json = {"type": "paragraph", "content": [{"type": "text", "text": "the deepest line"}]}
    for _ in range(150):
        deep = {"type": "bulletList", "content": [{"type": "listItem", "content": [deep]}]}
    inner = {
        "type": "paragraph",
        "content": [{"type": "text", "text": "kept inside an unknown node"}],
    }
    return {
        "type": "doc",
        "version": 1,
        "content": [
            {"type": "whiteboardEmbed", "attrs": {"x": 1}, "content": [inner]},
            {"type": "paragraph"},
            {"type": "mediaSingle", "content": [{"type": "media", "attrs": {"type": "external"}}]},
            {
                "type": "paragraph",
                "content": [{"type": "mention", "attrs": {}}, {"type": "hardBreak"}],
            },
            deep,
        ],
    }


def _file(name: str, mime: str) -> bytes:
    if mime == "image/png":
        return PIXEL
    if mime == "application/pdf":
        return pdf(
            [[name, "200 checkouts a minute: p99 1.9 s", "400 a minute: p99 31 s, timeouts"]]
        )
    return f"{name}\n12:00:31.204 charge basket=88213 key=k_7f3a\n12:01:01.377 timeout\n".encode()


def company(now: float) -> World:
    """The seeded site of the demo and the tests."""
    return Seed(now).build()
