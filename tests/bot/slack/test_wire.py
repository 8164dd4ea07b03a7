"""Calls to Slack: one gate per method, nothing shown twice, every failure named, the token for Slack alone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.gate import AGAIN_SECONDS
from bot.slack.wire import REACH_SECONDS, Limited, SlackError, SlackWire, Unsure
from tests.bot.slack.answering import Desk, desk, server
from tests.demo.slack_worlds import Clock

ROOM = "C0PAYMENTS"


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk at a whole Slack."""
    async with desk(tmp_path) as made:
        yield made


Act = Callable[[SlackWire, str], Awaitable[object]]
"""Something done to a message of ours, by its ts."""

ONCE: dict[str, Act] = {
    "chat.postMessage": lambda wire, _: wire.post(ROOM, "hi"),
    "chat.postEphemeral": lambda wire, _: wire.ephemeral(ROOM, "U0ANA", "hi"),
    "chat.startStream": lambda wire, ts: wire.streams.start(
        ROOM, ts, "", team="T0BAZAAR", user="U0ANA"
    ),
    "chat.appendStream": lambda wire, ts: wire.streams.append(ROOM, ts, "more"),
}
AGAIN: dict[str, Act] = {
    "chat.update": lambda wire, ts: wire.update(ROOM, ts, "new"),
    "conversations.replies": lambda wire, ts: wire.replies(ROOM, ts),
    "users.info": lambda wire, _: wire.user_info("U0ANA"),
}


async def message(at: Desk, method: str) -> str:
    """A message of ours that the method can be applied to; its ts."""
    wire = at.wire()
    ts = await wire.post(ROOM, "old")
    if method == "chat.appendStream":
        ts = await wire.streams.start(ROOM, ts, "", team=at.slack.team, user="U0ANA")
    return ts


@pytest.mark.parametrize("method", ONCE)
async def test_what_would_show_twice_is_not_sent_again(at: Desk, method: str) -> None:
    """When the reply is lost the caller is told that it may have been done; one call was made."""
    ts = await message(at, method)
    before = at.slack.calls(method)
    at.slack.troubles.lost[method] = 1

    with pytest.raises(Unsure):
        await ONCE[method](at.wire(), ts)
    assert at.slack.calls(method) == before + 1


@pytest.mark.parametrize("method", AGAIN)
async def test_what_may_be_done_twice_is_sent_once_more(at: Desk, method: str) -> None:
    """A read or an edit whose reply was lost is repeated; when that is lost too, it is told."""
    ts = await message(at, method)
    at.slack.troubles.lost[method] = 1

    await AGAIN[method](at.wire(), ts)
    assert at.slack.calls(method) == 2

    at.slack.troubles.lost[method] = 9
    with pytest.raises(Unsure):
        await AGAIN[method](at.wire(), ts)
    assert at.waits.count(AGAIN_SECONDS) == len(at.waits) <= 2


@pytest.mark.parametrize("method", ONCE)
async def test_trouble_inside_slack_may_have_been_done(at: Desk, method: str) -> None:
    """An internal error says that some of it may have happened: it counts as a lost reply."""
    ts = await message(at, method)
    for trouble in ("internal_error", "fatal_error"):
        at.slack.troubles.errors[method] = [trouble]
        with pytest.raises(Unsure):
            await ONCE[method](at.wire(), ts)

    at.slack.troubles.broken[method] = 1
    with pytest.raises(Unsure):
        await ONCE[method](at.wire(), ts)


async def test_an_edit_outlasts_one_error_of_a_gateway(at: Desk) -> None:
    """A 503 on an edit is no end."""
    ts = await message(at, "chat.update")
    at.slack.troubles.broken["chat.update"] = 1

    await at.wire().update(ROOM, ts, "new")
    assert at.slack.by_app("#payments")[0].text == "new"


async def test_what_never_left_is_no_doubt(at: Desk) -> None:
    """Without a connection nothing was done: it is tried once more, and then told as such, for posts too."""
    wire = at.wire()
    await at.slack.stop()

    with pytest.raises(SlackError) as told:
        await wire.post(ROOM, "hi")
    with pytest.raises(SlackError) as url:
        await wire.respond(f"{at.slack.url}/response/x", "hi")

    assert (type(told.value), told.value.code) == (SlackError, "unreachable")
    assert (type(url.value), url.value.code) == (SlackError, "unreachable")
    assert at.waits == [AGAIN_SECONDS]


async def test_slacks_no_is_named(at: Desk) -> None:
    """Its own word and the method, and no token."""
    with pytest.raises(SlackError) as told:
        await at.wire().post("C0RANDOM", "hi")

    assert (told.value.code, told.value.method) == ("not_in_channel", "chat.postMessage")
    assert str(told.value) == "chat.postMessage: not_in_channel"


async def test_a_429_is_waited_for_as_long_as_slack_says(at: Desk) -> None:
    """The call comes through afterwards."""
    at.slack.troubles.limited["chat.postMessage"] = 2
    at.slack.troubles.retry_after = 7

    await at.wire().post(ROOM, "hi")
    assert at.waits == [7, 7]
    assert at.slack.calls("chat.postMessage") == 3


async def test_a_gate_is_shut_for_one_method_and_for_everybody(at: Desk) -> None:
    """Another post waits without being sent; an edit goes on meanwhile."""
    ts = await message(at, "chat.update")
    waiting, opened = asyncio.Event(), asyncio.Event()

    async def asleep(seconds: float) -> None:
        waiting.set()
        await opened.wait()
        at.clock.at += seconds

    wire = SlackWire(
        at.client(), at.session, token=at.slack.bot_token, clock=at.clock, sleep=asleep
    )
    at.slack.troubles.limited["chat.postMessage"] = 1
    first = asyncio.create_task(wire.post(ROOM, "first"))
    await waiting.wait()
    second = asyncio.create_task(wire.post(ROOM, "second"))
    await wire.update(ROOM, ts, "edited")

    assert at.slack.calls("chat.postMessage") == 2
    assert not first.done()
    assert not second.done()

    opened.set()
    await asyncio.gather(first, second)
    assert at.slack.calls("chat.postMessage") == 4


async def test_who_waited_looks_at_the_gate_again(at: Desk) -> None:
    """Another's 429 in the meantime is heeded too."""
    troubles = at.slack.troubles
    waits: list[float] = []

    async def asleep(seconds: float) -> None:
        at.clock.at += seconds
        waits.append(seconds)
        if len(waits) == 1:
            troubles.limited["chat.postMessage"], troubles.retry_after = 1, 10
            with pytest.raises(Limited):
                await wire.post(ROOM, "another", patience=0)

    wire = SlackWire(
        at.client(), at.session, token=at.slack.bot_token, clock=at.clock, sleep=asleep
    )
    troubles.limited["chat.postMessage"] = 1
    await wire.post(ROOM, "first")

    assert waits == [1, 10]
    assert at.slack.calls("chat.postMessage") == 3


async def test_no_call_waits_for_ever(at: Desk) -> None:
    """Where Slack wants more than the caller's patience, it is told at once, and nothing more is sent."""
    at.slack.troubles.limited["chat.postMessage"] = 1
    at.slack.troubles.retry_after = 600
    wire = at.wire()

    for _ in range(2):
        with pytest.raises(Limited):
            await wire.post(ROOM, "hi")
    assert at.waits == []
    assert at.slack.calls("chat.postMessage") == 1

    at.clock.at += 600
    await wire.post(ROOM, "hi")


async def test_the_impatient_do_not_wait_at_all(at: Desk) -> None:
    """A second is too long for a sign that nobody would miss."""
    at.slack.troubles.limited["assistant.threads.setStatus"] = 1
    said = await at.slack.say("ana", "#payments", "hi")

    with pytest.raises(Limited):
        await at.wire().status(ROOM, said.ts, "is reading…")
    assert at.waits == []


async def test_nothing_unfurls_and_metadata_stays(at: Desk) -> None:
    """A posted link is not fetched by Slack's crawler; an edit and a response_url keep to that."""
    wire = at.wire()
    meta = {"event_type": "x", "event_payload": {"ask_id": "1"}}
    ts = await wire.post(ROOM, "https://evil.example/?q=secret", metadata=meta)
    await wire.update(ROOM, ts, "https://evil.example/?q=more")
    url = at.slack.response_urls.give(ROOM, "U0ANA")
    await wire.respond(url, "https://evil.example/", public=True)

    posted, responded = at.slack.messages("#payments")[-2:]
    assert (posted.unfurls, responded.unfurls) == (False, False)
    assert posted.metadata == meta


async def test_an_app_without_sessions_is_asked_once(tmp_path: Path) -> None:
    """Where Slack says that this app is no agent, it is not asked again."""
    async with desk(tmp_path, agent=False) as at:
        wire = at.wire()
        said = await at.slack.say("ana", "#payments", "hi")
        for _ in range(3):
            with pytest.raises(SlackError):
                await wire.session(ROOM, said.ts, busy=True)

        assert at.slack.calls("agents.sessions.setStatus") == 1


# The token, and addresses

FOREIGN = (
    "https://files.slack.com.evil.example/x",
    "https://evil.example/files.slack.com",
    "https://files.slack.com@evil.example/x",
    "https://files.slack.com:8443/x",
    "http://files.slack.com/x",
    "https://slack.com/x",
    "https://hooks.slack.com/x/../",
    "https://files.slack.com\t.evil.example/",
    "ftp://files.slack.com/x",
    "http://[::bad/x",
    "//files.slack.com/x",
    "",
)


@pytest.mark.parametrize("url", FOREIGN)
async def test_only_slacks_file_host_is_asked_with_our_token(url: str) -> None:
    """Any other address, however like it, is refused before anything is sent."""
    async with aiohttp.ClientSession() as session:
        wire = SlackWire(AsyncWebClient("xoxb-1"), session, token="xoxb-1", clock=Clock())

        with pytest.raises(SlackError) as told:
            await wire.download(url, limit=10)
        assert told.value.code == "foreign_address"

        if not url.startswith("https://hooks.slack.com/"):
            with pytest.raises(SlackError) as answered:
                await wire.respond(url, "secret words")
            assert answered.value.code == "foreign_address"


@pytest.mark.parametrize("status", [302, 307, 308])
async def test_no_redirect_carries_the_token_or_the_words_away(status: int) -> None:
    """A redirect is a failure, and where it leads hears nothing."""
    heard: list[str] = []

    def thief(request: web.Request) -> web.Response:
        heard.append(request.path)
        return web.Response(text="thanks")

    async with server(thief) as away:

        def moved(_request: web.Request) -> web.Response:
            return web.Response(status=status, headers={"Location": f"{away}/stolen"})

        async with server(moved) as slack, aiohttp.ClientSession() as session:
            client = AsyncWebClient("xoxb-1", base_url=f"{slack}/api/", session=session)
            wire = SlackWire(client, session, token="xoxb-1", clock=Clock())
            with pytest.raises(SlackError) as file:
                await wire.download(f"{slack}/files-pri/1", limit=10)
            with pytest.raises(SlackError) as answered:
                await wire.respond(f"{slack}/response/1", "secret words")

    assert (file.value.code, answered.value.code) == (f"http_{status}",) * 2
    assert heard == []


async def test_a_proxy_is_used_for_files_and_response_urls_too() -> None:
    """What goes to Slack goes through the proxy that the client was given."""
    through: list[str] = []

    def proxy(request: web.Request) -> web.Response:
        through.append(str(request.url))
        return web.Response(text="ok")

    async with server(proxy) as address, aiohttp.ClientSession() as session:
        slack = "http://slack.test"
        client = AsyncWebClient("xoxb-1", base_url=f"{slack}/api/", session=session, proxy=address)
        wire = SlackWire(client, session, token="xoxb-1", clock=Clock())

        assert await wire.download(f"{slack}/files-pri/1", limit=10) == b"ok"
        await wire.respond(f"{slack}/response/1", "hi")

    assert through == [f"{slack}/files-pri/1", f"{slack}/response/1"]


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (502, "text/html", "<html>Bad gateway"),
        (502, "application/json", "<html>Bad gateway"),
        (200, "application/json", "{not json"),
        (200, "application/json", "[1]"),
        (200, "application/json", "{}"),
        (200, "text/html", "<html>captive portal"),
        (200, "text/plain", "ok"),
    ],
)
async def test_an_answer_that_is_not_slacks_is_no_crash(status: int, kind: str, body: str) -> None:
    """Whatever a gateway says in Slack's place, a post may have been done, and an edit is tried once more."""
    asked: list[str] = []

    def gateway(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=status, body=body.encode(), content_type=kind)

    async def no_wait(_seconds: float) -> None:
        return None

    async with server(gateway) as slack, aiohttp.ClientSession() as session:
        client = AsyncWebClient(
            "xoxb-1", base_url=f"{slack}/api/", session=session, retry_handlers=[]
        )
        wire = SlackWire(client, session, token="xoxb-1", clock=Clock(), sleep=no_wait)
        with pytest.raises(Unsure):
            await wire.post("C1", "hi")
        with pytest.raises(Unsure):
            await wire.update("C1", "1.0", "hi")

    assert asked == ["/api/chat.postMessage", "/api/chat.update", "/api/chat.update"]


async def test_whether_slack_answers_is_asked_now_and_then(at: Desk) -> None:
    """A look is remembered for a while, so that health costs Slack nothing; a silence is seen, and its end."""
    wire = at.wire()
    assert [await wire.answers() for _ in range(3)] == [True] * 3
    assert at.slack.calls("auth.test") == 1

    at.slack.troubles.down["auth.test"] = "fatal_error"
    assert await wire.answers()
    at.clock.at += REACH_SECONDS
    assert not await wire.answers()
    at.slack.troubles.down.clear()
    at.clock.at += REACH_SECONDS
    assert await wire.answers()
