"""The page's face without a browser: who is let in, what a window is told, what it may do."""

import io
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.demo.clock import Clock, Hands
from bot.demo.page import COMMANDS, Page, suggestions
from bot.demo.page.files import MEGABYTE
from bot.demo.slack import SlackStandIn
from bot.slack import manifest
from tests.page.app import app_on

Json = dict[str, Any]


class Visitor:
    """Requests as a browser makes them from the page."""

    def __init__(self, slack: SlackStandIn, session: aiohttp.ClientSession) -> None:
        self.slack = slack
        self.session = session

    async def get(self, path: str, **headers: str) -> aiohttp.ClientResponse:
        """Ask for an address."""
        response = await self.session.get(self.slack.url + path, headers=headers)
        await response.read()
        return response

    async def do(self, who: str, act: str, *, origin: str | None = None, **body: Any) -> Json:
        """Do something as somebody; the answer with its status."""
        url = f"{self.slack.url}/page/do/{act}?as={who}"
        headers = {"Origin": self.slack.url if origin is None else origin}
        async with self.session.post(url, json=body, headers=headers) as response:
            return {"status": response.status, **await response.json()}

    @asynccontextmanager
    async def window(
        self, who: str, more: str = ""
    ) -> AsyncGenerator[aiohttp.ClientWebSocketResponse]:
        """An open window of somebody."""
        headers = {"Origin": self.slack.url}
        url = f"{self.slack.url}/page/live?as={who}{more}"
        async with self.session.ws_connect(url, headers=headers) as socket:
            yield socket


@asynccontextmanager
async def visited(**how: Any) -> AsyncGenerator[Visitor]:
    """A workspace with its page."""
    slack = SlackStandIn(**how)
    slack.mount(Page(slack).routes)
    async with slack, aiohttp.ClientSession() as session:
        yield Visitor(slack, session)


async def frame(socket: aiohttp.ClientWebSocketResponse) -> Json:
    """The next frame."""
    return json.loads(await socket.receive_str(timeout=5))


async def test_every_answer_forbids_what_is_not_ours() -> None:
    """Each address of the page comes with a policy that lets nothing inline, foreign or framed run."""
    async with visited() as visitor:
        for path in (
            "/",
            "/page/static/page.js",
            "/page/static/css/tokens.css",
            "/page/history?channel=C0SHOPDEV",
        ):
            response = await visitor.get(path)
            policy = response.headers["Content-Security-Policy"]

            assert response.status == 200
            assert "default-src 'self'" in policy
            assert "require-trusted-types-for 'script'" in policy
            assert "unsafe" not in policy
            assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
async def test_another_name_for_this_machine_is_refused(host: str) -> None:
    """A request under a foreign name (DNS rebinding) gets no page, no window and no act."""
    async with visited() as visitor:
        for path in ("/", "/page/static/page.js", "/page/history?channel=C0SHOPDEV", "/page/live"):
            assert (await visitor.get(path, Host=host, Origin=f"http://{host}")).status == 403


@pytest.mark.parametrize("origin", ["", "null", "http://evil.example", "http://127.0.0.1:1"])
async def test_only_the_page_itself_acts_and_listens(origin: str) -> None:
    """An act, an upload or a WebSocket from another origin, or from none, is refused and has no effect."""
    async with visited() as visitor:
        before = len(visitor.slack.messages("#shop-dev"))
        said = await visitor.do("ana", "say", origin=origin, channel="C0SHOPDEV", text="forged")
        live = await visitor.get("/page/live", Origin=origin)
        sent = await visitor.session.post(
            visitor.slack.url + "/page/files?name=x", data=b"x", headers={"Origin": origin}
        )

        assert (said["status"], live.status, sent.status) == (403, 403, 403)
        assert len(visitor.slack.messages("#shop-dev")) == before


@pytest.mark.parametrize(
    "path",
    [
        "/page/static/../page.py",
        "/page/static/%2e%2e/page.py",
        "/page/static/index.html",
        "/page/static/nothing.js",
    ],
)
async def test_nothing_beside_the_page_is_served(path: str) -> None:
    """Only the page's own modules, styles and signs are files to fetch."""
    async with visited() as visitor:
        assert (await visitor.get(path)).status == 404


async def test_a_window_is_told_what_its_person_sees() -> None:
    """A private channel, somebody's direct messages and ephemeral words are told to those who see them alone."""
    async with visited() as visitor, app_on(visitor.slack) as app:
        await visitor.slack.dm("ana", "between us")
        await app.call("chat.postEphemeral", channel="C0SHOPDEV", user="U0ANA", text="for ana")
        told: dict[str, Json] = {}
        for who in ("ana", "maya", "petra", "gil"):
            async with visitor.window(who) as window:
                told[who] = await frame(window)
        names = {who: {c["name"] for c in frame_["channels"]} for who, frame_ in told.items()}
        texts = {who: json.dumps(frame_) for who, frame_ in told.items()}

    assert names["ana"] >= {"shop-dev", "payments", "random", "ext-partner"}
    assert "leads" in names["maya"]
    assert "leads" not in names["ana"]
    assert names["petra"] == {"ext-partner", ""}
    assert names["gil"] == {"shop-dev", ""}
    assert [who for who, text in texts.items() if "between us" in text] == ["ana"]
    assert [who for who, text in texts.items() if "for ana" in text] == ["ana"]


async def test_changes_come_in_order_and_a_lost_window_goes_on() -> None:
    """Each frame's number is higher than the last; a window that comes again with its number gets what it missed."""
    async with visited() as visitor:
        async with visitor.window("ana") as window:
            first = await frame(window)
            await visitor.slack.say("ben", "#shop-dev", "one")
            second = await frame(window)
        message = await visitor.slack.say("ben", "#shop-dev", "two")
        await visitor.slack.edit(message, "two and a half")
        more = f"&run={first['run']}&since={second['seq']}"
        async with visitor.window("ana", more) as window:
            resumed, third = await frame(window), await frame(window)
        async with visitor.window("ana", "&run=another&since=1") as window:
            anew = await frame(window)

    assert [c["message"]["text"] for c in second["changes"]] == ["one"]
    assert (resumed["type"], resumed["seq"]) == ("resumed", second["seq"])
    assert [c["message"]["text"] for c in third["changes"]] == [
        "two and a half"
    ]  # once, as it stands
    assert first["seq"] < second["seq"] < third["seq"]
    assert anew["type"] == "snapshot"


async def test_too_far_behind_starts_anew() -> None:
    """A number that lies further back than what is kept is answered with everything."""
    slack = SlackStandIn()
    page = Page(slack)
    slack.mount(page.routes)
    async with slack, aiohttp.ClientSession() as session:
        visitor = Visitor(slack, session)
        async with visitor.window("ana") as window:
            first = await frame(window)
        message = await slack.say("ben", "#shop-dev", "x")
        for _ in range(5_000):
            slack.watch.changed("edited", message.channel, message.ts, message=message)
        await slack.wait_for(lambda: page._steps.last > 5_000)
        async with visitor.window("ana", f"&run={first['run']}&since={first['seq']}") as window:
            anew = await frame(window)

    assert anew["type"] == "snapshot"


async def test_a_long_past_is_told_in_pages() -> None:
    """A window gets the last messages at once and older ones, page by page, until there are none."""
    async with visited() as visitor:
        for n in range(260):
            await visitor.slack.say("ben", "#random", f"message {n}")
        async with visitor.window("ana") as window:
            whole = await frame(window)
        random = next(c for c in whole["channels"] if c["name"] == "random")
        pages = [random["messages"]]
        while pages[-1]:
            path = f"/page/history?as=ana&channel=C0RANDOM&before={pages[-1][0]['ts']}"
            pages.append((await (await visitor.get(path)).json())["messages"])

    assert random["total"] == 261
    assert [len(page) for page in pages] == [50, 100, 100, 11, 0]


@pytest.mark.parametrize(
    ("who", "act", "body", "says"),
    [
        ("ana", "say", {"channel": "C0LEADS", "text": "hi"}, "cannot see"),
        ("ana", "say", {"channel": "C0OLD", "text": "hi"}, "archived"),
        ("petra", "say", {"channel": "C0SHOPDEV", "text": "hi"}, "cannot see"),
        ("ana", "say", {"channel": "C0SHOPDEV", "text": "  "}, "nothing to send"),
        ("ana", "say", {"channel": "C0SHOPDEV", "text": "x" * 40_001}, "at most 40,000"),
        ("ana", "say", {"channel": "C0SHOPDEV", "text": "x", "files": ["F1"]}, "uploaded"),
        ("ana", "command", {"channel": "C0SHOPDEV", "command": "/what"}, "not a command"),
        ("ana", "command", {"channel": "C0SHOPDEV", "command": "/cost"}, "did not answer"),
        (
            "ana",
            "command",
            {"channel": "C0SHOPDEV", "command": "/cost", "thread_ts": "1"},
            "in threads",
        ),
        ("ana", "edit", {"channel": "C0SHOPDEV", "ts": "1", "text": "x"}, "no longer there"),
        ("ana", "shortcut", {"callback_id": "x"}, "no such shortcut"),
        ("ana", "submit", {"view": "V1"}, "closed meanwhile"),
        ("ana", "direct", {"user": "U0GONE"}, "nobody"),
        ("ana", "clock", {"to": "hour"}, "cannot be moved"),
    ],
)
async def test_what_cannot_be_done_is_a_sentence(who: str, act: str, body: Json, says: str) -> None:
    """An act that cannot be done has no effect and says why."""
    async with visited(ack_seconds=0.05) as visitor:
        answer = await visitor.do(who, act, **body)

    assert answer["status"] == 422
    assert says in answer["sentence"]


async def test_windows_are_told_how_the_clock_goes_on(tmp_path: Path) -> None:
    """An hour passes for everybody; while it does nobody can ask for another one, nor to go anywhere else."""
    clock = Clock(tmp_path / "clock")
    slack = SlackStandIn(now=clock)

    async def busy() -> bool:
        return False

    told = lambda: slack.watch.changed("clock")  # noqa: E731
    hands = Hands(clock, busy=busy, told=told, tick=0.01)
    slack.mount(Page(slack, hands=hands).routes)
    async with slack, aiohttp.ClientSession() as session:
        visitor = Visitor(slack, session)
        async with visitor.window("ben") as window:
            assert (await window.receive_json())["clock"] == {"ahead": 0, "going": ""}
            nowhere = await visitor.do("ana", "clock", to="1970")
            went, again = [await visitor.do("ana", "clock", to="hour") for _ in range(2)]
            seen: list[Json] = []
            while not seen or seen[-1]["going"]:
                frame = await window.receive_json(timeout=5)
                seen += [one["clock"] for one in frame["changes"] if one["kind"] == "clock"]

    assert (nowhere["status"], went["status"], again["status"]) == (422, 200, 422)
    assert "on its way already" in again["sentence"]
    assert seen[0]["going"].endswith(" UTC")
    assert 3_590 < seen[-1]["ahead"] <= 3_600


async def test_only_who_wrote_it_changes_a_message() -> None:
    """Editing and deleting another's message is refused; one's own are done."""
    async with visited() as visitor:
        message = await visitor.slack.say("ben", "#shop-dev", "ben's")
        place = {"channel": message.channel, "ts": message.ts}
        edited = await visitor.do("ana", "edit", **place, text="ana's")
        deleted = await visitor.do("ana", "delete", **place)
        own = await visitor.do("ben", "edit", **place, text="ben's own")

    assert (edited["status"], deleted["status"], own["status"]) == (422, 422, 200)
    assert (message.text, message.deleted) == ("ben's own", False)


async def test_large_files_are_refused_in_a_sentence() -> None:
    """A file above the limit is refused before it is read, and nothing is kept of it."""
    async with visited() as visitor:
        sent = await visitor.session.post(
            visitor.slack.url + "/page/files?as=ana&name=dump.sql",
            data=io.BytesIO(bytes(50 * MEGABYTE)),
            headers={"Origin": visitor.slack.url},
        )
        answer = await sent.json()

    assert sent.status == 413
    assert "dump.sql has 50 MB, and this page takes files up to 20 MB" in answer["sentence"]
    assert visitor.slack.world.files == {}


async def test_a_file_is_given_back_as_nothing_that_runs() -> None:
    """An uploaded HTML page comes back as a download in a sandbox; a picture may be shown."""
    async with visited() as visitor:
        page = visitor.slack.file("x.html", "<script>alert(1)</script>")
        picture = visitor.slack.file("x.png", b"\x89PNG")
        told = [await visitor.get(f"/page/files/{one.id}/{one.name}") for one in (page, picture)]

    assert [r.headers["Content-Type"] for r in told] == ["application/octet-stream", "image/png"]
    assert told[0].headers["Content-Disposition"] == "attachment"
    assert all("sandbox" in r.headers["Content-Security-Policy"] for r in told)


async def test_garbage_is_no_act() -> None:
    """A body that is no JSON, or JSON of another shape, is refused without a trace in the workspace."""
    async with visited() as visitor:
        url, headers = visitor.slack.url, {"Origin": visitor.slack.url}
        torn = await visitor.session.post(f"{url}/page/do/say", data=b"{", headers=headers)
        shaped = await visitor.session.post(f"{url}/page/do/say", json=[1], headers=headers)
        unknown = await visitor.session.post(f"{url}/page/do/fly", json={}, headers=headers)

    assert (torn.status, shaped.status, unknown.status) == (400, 422, 404)


def test_the_commands_offered_are_the_bots() -> None:
    """What the composer completes is what the app's manifest registers."""
    assert [command.name for command in COMMANDS] == list(manifest.COMMANDS)


def test_every_use_has_something_to_try() -> None:
    """Suggestions cover the uses, and the pull request is there when GitHub is."""
    tried = suggestions("http://127.0.0.1:9/")

    assert {one.group for one in tried} == {"Code review", "Tickets", "Books", "Refusals"}
    assert any("http://127.0.0.1:9/shop/checkout/pull/7" in one.text for one in tried)
    assert not any("/pull/" in one.text for one in suggestions())
