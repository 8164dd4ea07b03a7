"""What was said before an ask, and the files that hang on it."""

from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.ask import Ask, Attached, FileRef
from bot.demo.slack import SlackStandIn
from bot.errors import ToolProblem
from bot.slack import files as limits
from bot.slack.envelope import Us, files_of
from bot.slack.files import Files
from bot.slack.people import People
from bot.slack.thread import MESSAGES, MORE, Threads
from bot.slack.wire import SlackError, SlackWire

US = Us("A1", "T1", "U0BOT", "B0BOT")
ROOT = "1764000000.000100"


def ask(ts: str = "1764000900.000100", thread: str = ROOT) -> Ask:
    """An ask in a thread."""
    return Ask("id", "key", "T1", "C1", "U1", "chat", "mention", "hi", 0.0, thread=thread, ts=ts)


class Slack:
    """A thread, a directory and a shelf of files."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = [{"ts": ROOT, "user": "U1", "text": "root"}]
        self.roots: list[dict[str, Any]] = []
        self.problem = ""
        self.lost = False
        self.pages = 0
        self.bytes: dict[str, list[bytes]] = {}
        self.infos: dict[str, Any] = {}
        self.page = 200

    async def user_info(self, user: str) -> Mapping[str, Any]:
        """users.info."""
        return {"team_id": "T1", "name": f"name-{user}"}

    async def members(self, channel: str, cursor: str = "") -> Mapping[str, Any]:
        """conversations.members: none that we may see."""
        raise SlackError("channel_not_found")

    async def channel_info(self, channel: str) -> Mapping[str, Any]:
        """conversations.info."""
        raise SlackError("channel_not_found")

    async def permalink(self, channel: str, ts: str) -> str:
        """chat.getPermalink."""
        if self.lost:
            raise SlackError("message_not_found")
        return f"https://shop.slack.com/archives/{channel}/p{ts.replace('.', '')}"

    async def replies(
        self, channel: str, thread: str, *, oldest: str, latest: str, limit: int, cursor: str
    ) -> Mapping[str, Any]:
        """conversations.replies: the root comes with every page, `latest` is not exact."""
        assert (channel, thread) == ("C1", ROOT)
        if self.problem:
            raise SlackError(self.problem)
        self.pages += 1
        start = int(cursor or 1)
        newer = [m for m in self.messages[1:] if m["ts"] > oldest]
        page = newer[start - 1 : start - 1 + self.page]
        more = start - 1 + self.page < len(newer)
        return {
            "messages": [self.messages[0], *page],
            "has_more": more,
            "response_metadata": {"next_cursor": str(start + self.page) if more else ""},
        }

    async def history(self, channel: str, *, oldest: str, limit: int) -> Mapping[str, Any]:
        """conversations.history, the newest first."""
        assert channel == "C1"
        if self.problem:
            raise SlackError(self.problem)
        newer = [m for m in self.roots if m["ts"] >= oldest]
        return {"messages": newer[::-1][:limit], "has_more": len(newer) > limit}

    async def file_info(self, file_id: str) -> Mapping[str, Any]:
        """files.info."""
        if file_id not in self.infos:
            raise SlackError("file_not_found")
        return self.infos[file_id]

    async def download(self, url: str, *, limit: int) -> bytes:
        """A file's bytes, those of the next try."""
        tries = self.bytes[url]
        return tries.pop(0)[: limit + 1] if len(tries) > 1 else tries[0][: limit + 1]


async def _no_wait(_seconds: float) -> None:
    return None


@pytest.fixture
def slack() -> Slack:
    """A Slack of one thread."""
    return Slack()


def threads(slack: Slack) -> Threads:
    """The room under test."""
    people = People(slack, team="T1", now=lambda: 0.0)
    return Threads(slack, people, Files(slack, sleep=_no_wait), US)


def reply(n: int, text: str, **fields: Any) -> dict[str, Any]:
    """The nth reply."""
    return {"ts": f"1764000{n:03d}.000100", "thread_ts": ROOT, "user": "U2", "text": text, **fields}


async def test_what_was_said_is_labelled_by_name(slack: Slack) -> None:
    """People, other apps and we ourselves are told apart; names stand for ids."""
    slack.messages += [
        reply(1, "ask <@U7> &amp; me"),
        reply(
            2, "", bot_id="B9", bot_profile={"name": "Pager"}, attachments=[{"text": "disk full"}]
        ),
        reply(3, "my answer", user="U0BOT", bot_id="B0BOT"),
        reply(4, "x joined", subtype="channel_join"),
        reply(900, "the ask itself"),
        reply(901, "later"),
    ]

    said = await threads(slack).since(ask())

    assert [(s.name, s.text, s.ours, s.bot) for s in said] == [
        ("name-U1", "root", False, False),
        ("name-U2", "ask @name-U7 & me", False, False),
        ("Pager", "disk full", False, True),
        ("Purser", "my answer", True, False),
    ]


async def test_only_what_is_newer_is_given(slack: Slack) -> None:
    """After the last one seen, without the root that Slack always adds."""
    slack.messages += [reply(1, "old"), reply(2, "new")]

    said = await threads(slack).since(ask(), after_ts="1764000001.000100")

    assert [s.text for s in said] == ["new"]


async def test_a_message_that_opens_its_thread_costs_no_call(slack: Slack) -> None:
    """There is nothing before it; a command has no thread at all."""
    assert await threads(slack).since(ask(ts=ROOT)) == []
    assert await threads(slack).since(ask(ts="", thread="")) == []
    assert slack.pages == 0


async def test_a_long_thread_is_read_in_pages_and_bounded(slack: Slack) -> None:
    """Pages follow each other without doubles, to the bound."""
    slack.messages += [reply(n, str(n)) for n in range(1, 800)]
    slack.page = 100

    said = await threads(slack).since(ask())

    assert [s.text for s in said] == ["root", *(str(n) for n in range(1, 800))]
    assert slack.pages == 8
    assert len(said) <= MESSAGES


async def test_a_thread_that_cannot_be_read_says_so(slack: Slack) -> None:
    """Claude is told that it lacks what was said before."""
    slack.problem = "missing_scope"

    (lost,) = await threads(slack).since(ask())

    assert "missing_scope" in lost.text
    assert lost.ts < ask().ts


async def test_what_was_said_in_a_channel_lately(slack: Slack) -> None:
    """Threads that began since then, with their answers and addresses; then what nobody answered; ours are left out."""
    slack.messages += [reply(1, "an answer")]
    slack.roots = [
        {"ts": "1763000000.000100", "user": "U1", "text": "too old"},
        {"ts": "1763999998.000100", "user": "U3", "text": "first alone"},
        {"ts": ROOT, "user": "U1", "text": "root", "reply_count": 1},
        {"ts": "1764000100.000100", "user": "U0BOT", "text": "a digest", "reply_count": 3},
        {"ts": "1764000200.000100", "user": "U2", "text": "second alone"},
    ]

    found = await threads(slack).lately(ask(ts="", thread=""), 1763900000.0)

    assert [([s.text for s in talk.said], talk.link) for talk in found] == [
        (["root", "an answer"], f"https://shop.slack.com/archives/C1/p{ROOT.replace('.', '')}"),
        (["first alone", "second alone"], ""),
    ]
    slack.lost = True
    assert [t.link for t in await threads(slack).lately(ask(ts="", thread=""), 0.0)] == ["", ""]
    slack.roots = [{"ts": f"17641{n:05d}.000100", "user": "U1", "text": str(n)} for n in range(201)]
    *_, last = await threads(slack).lately(ask(ts="", thread=""), 1763900000.0)
    assert [s.text for s in last.said] == [MORE]
    slack.roots = []
    assert await threads(slack).lately(ask(ts="", thread=""), 1763900000.0) == []


async def test_a_channel_that_cannot_be_read_says_so(slack: Slack) -> None:
    """The sentence says why, and how it could be."""
    slack.problem = "not_in_channel"

    with pytest.raises(ToolProblem, match=r"not_in_channel.*/invite"):
        await threads(slack).lately(ask(ts="", thread=""), 0.0)


def ref(name: str, mimetype: str = "text/plain", size: int = 10, url: str = "u") -> FileRef:
    """A file as announced."""
    return FileRef("F1", name, mimetype, size, url)


PNG = b"\x89PNG\r\n\x1a\nrest"


@pytest.mark.parametrize(
    ("file", "data", "expected"),
    [
        (ref("a.py"), b"x = 1 < 2\n", Attached("a.py", "text/plain", text="x = 1 < 2\n")),
        (ref("bom.txt"), "ü".encode("utf-8-sig"), Attached("bom.txt", "text/plain", text="ü")),
        (ref("w.txt"), "ü".encode("utf-16"), Attached("w.txt", "text/plain", text="ü")),
        (ref("p.png", "image/png"), PNG, Attached("p.png", "image/png", data=PNG)),
        (ref("lies.txt"), PNG, Attached("lies.txt", "image/png", data=PNG)),
        (ref("d.pdf"), b"%PDF-1.7", Attached("d.pdf", "application/pdf", data=b"%PDF-1.7")),
        (ref("i.html", "text/html"), b"<html>", Attached("i.html", "text/html", text="<html>")),
    ],
)
async def test_what_can_be_read_is_given(
    slack: Slack, file: FileRef, data: bytes, expected: Attached
) -> None:
    """Text, images and PDF, by their bytes and not by what they are called."""
    slack.bytes["u"] = [data]

    assert await threads(slack).files([file]) == [expected]


@pytest.mark.parametrize(
    ("file", "data", "words"),
    [
        (ref("a.zip", "application/zip"), b"PK\x03\x04..", "archive"),
        (ref("a.bin"), b"\x00\x01\x02", "binary"),
        (ref("a.bin"), b"\xff\xc3\x28\x80", "neither text"),
        (ref("a.py"), b"<!DOCTYPE html><html>sign in", "login page"),
        (ref("big.txt", size=limits.TEXT_BYTES + 1), b"", "larger than 1 MiB"),
        (ref("lied.txt", size=0), b"x" * (limits.TEXT_BYTES + 5), "larger than 1 MiB"),
        (ref("big.pdf", "application/pdf", limits.PDF_BYTES + 1), b"", "larger than 10 MiB"),
        (ref("none.txt"), b"", "empty"),
    ],
)
async def test_what_cannot_be_read_says_why(
    slack: Slack, file: FileRef, data: bytes, words: str
) -> None:
    """A sentence stands in the place of the content."""
    slack.bytes["u"] = [data]

    (read,) = await threads(slack).files([file])

    assert words in read.problem
    assert (read.text, read.data) == ("", b"")


async def test_a_file_of_a_shared_channel_is_asked_for(slack: Slack) -> None:
    """Slack Connect gives an id; files.info gives the rest, or the reason why not."""
    slack.infos["F1"] = {
        "id": "F1",
        "name": "real.py",
        "mimetype": "text/x-python",
        "size": 3,
        "mode": "hosted",
        "url_private_download": "there",
    }
    slack.bytes["there"] = [b"abc"]

    assert await threads(slack).files([ref("file", "", 0, "")]) == [
        Attached("real.py", "text/x-python", text="abc")
    ]
    slack.infos["F1"] = {"id": "F1", "mode": "tombstone"}
    assert "deleted" in (await threads(slack).files([ref("file", url="")]))[0].problem
    slack.infos.clear()
    assert "file_not_found" in (await threads(slack).files([ref("file", url="")]))[0].problem


async def test_a_file_that_is_not_ready_is_tried_once_more(slack: Slack) -> None:
    """Slack may announce a file a moment before its bytes are there."""
    slack.bytes["u"] = [b"", b"now"]

    assert (await threads(slack).files([ref("a.txt")]))[0].text == "now"


async def test_all_files_together_are_bounded(slack: Slack) -> None:
    """What does not fit into one request to Claude is named, not sent."""
    slack.bytes["u"] = [b"%PDF-" + b"x" * (limits.PDF_BYTES - 5)]
    sizes = (limits.PDF_BYTES, 0, 1)  # what has no size counts as the largest

    read = await threads(slack).files(
        [ref(f"{size}.pdf", "application/pdf", size) for size in sizes]
    )

    assert [bool(file.data) for file in read] == [True, True, False]
    assert "too much together" in read[2].problem


async def test_on_the_wire() -> None:
    """At a whole Slack: names, a thread with another bot in it, files of each kind, who is external."""
    async with SlackStandIn() as slack, aiohttp.ClientSession() as session:
        client = AsyncWebClient(slack.bot_token, base_url=slack.api_url, session=session)
        wire = SlackWire(client, session, token=slack.bot_token, clock=slack.now)
        people = People(wire, team=slack.team, now=slack.now)
        us = Us(slack.app_id, slack.team, slack.bot_user, slack.bot_id)
        room = Threads(wire, people, Files(wire, sleep=_no_wait), us)
        root = await slack.say("ana", "#shop-dev", "the build is red, @ben")
        await slack.say("deploybot", "#shop-dev", "deploy 7 failed", thread_ts=root.ts)
        asked = await slack.say("ben", "#shop-dev", "@purser why?", thread_ts=root.ts)
        await slack.say("ana", "#shop-dev", "later", thread_ts=root.ts)
        files = [
            slack.file("a.py", "x = 1\n"),
            slack.file("stub.py", "y = 2\n", stub=True),
            slack.file("gone.py", "z", mode="tombstone"),
            slack.file("far.py", "z", mode="external"),
        ]

        lane = Ask(
            "id", "key", slack.team, "C0SHOPDEV", "U0BEN", "chat", "mention", "why?", 0.0,
            thread=root.ts, ts=asked.ts,
        )  # fmt: skip
        said = await room.since(lane)
        read = await room.files(files_of({"files": [file.announced() for file in files]}))
        guest, petra = await people.look("U0GUEST"), await people.look("U0OUT", "T0PARTNER")
        shared = [await people.shared(c) for c in ("C0SHOPDEV", "C0PARTNER", "C0SECRET")]

    assert [(one.name, one.text, one.bot) for one in said] == [
        ("ana", "the build is red, @ben", False),
        (said[1].name, "deploy 7 failed", True),
    ]
    assert [file.text for file in read] == ["x = 1\n", "y = 2\n", "", ""]
    assert [bool(file.problem) for file in read] == [False, False, True, True]
    assert (guest.is_guest, petra.is_external) == (True, True)
    assert shared == [False, True, None]
