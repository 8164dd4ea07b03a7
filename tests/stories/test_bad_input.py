"""Bad input: a clear sentence to the person where there is one, a counted drop where there is none."""

import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.demo.slack.files import LOGIN_PAGE
from bot.demo.terminal import words_of
from tests.stories.account import assert_balanced
from tests.stories.world import World

MIB = 1024 * 1024


@pytest.fixture
async def by_http(tmp_path: Path) -> AsyncIterator[World]:
    """A world in which Slack speaks to the bot over signed HTTP."""
    async with World(tmp_path, http=True) as made:
        yield await made.start()


async def post(world: World, body: bytes, headers: Mapping[str, str] | None = None) -> int:
    """Send a body to the request URL; the status of the answer."""
    signed = world.slack.door.sign(body.decode("utf-8", "replace"))
    sent = {"Content-Type": "application/json", **signed, **(headers or {})}
    async with (
        aiohttp.ClientSession() as session,
        session.post(world.slack.events_url, data=BytesIO(body), headers=sent) as answer,
    ):
        return answer.status


def event(world: World, **changes: Any) -> bytes:
    """A good event, as Slack would send it, with changes."""
    message = {
        "type": "app_mention",
        "channel": "C0SHOPDEV",
        "user": "U0ANA",
        "text": f"<@{world.slack.bot_user}> What is 6*7?",
        "ts": world.slack.world.new_ts(),
    }
    body = {
        "type": "event_callback",
        "team_id": world.slack.team,
        "api_app_id": world.slack.app_id,
        "event_id": "Ev1",
        "event": message,
    }
    return json.dumps(body | changes).encode()


FORGED: tuple[dict[str, str], ...] = (
    {"X-Slack-Signature": "v0=" + "0" * 64},
    {"X-Slack-Signature": ""},
    {"X-Slack-Signature": "v0=é"},
    {"X-Slack-Request-Timestamp": "1"},
    {"X-Slack-Request-Timestamp": "yesterday"},
    {"X-Slack-Request-Timestamp": ""},
)


async def test_what_slack_did_not_sign_is_turned_away(by_http: World) -> None:
    """A bad signature, or a good one of another time, is a 401; nothing of it is stored, and it is counted."""
    answers = [await post(by_http, event(by_http), headers) for headers in FORGED]

    assert answers == [401] * len(FORGED)
    assert by_http.asks() == []
    assert by_http.rows("SELECT * FROM keys") == []
    assert await by_http.dropped("unsigned") == len(FORGED)


async def test_an_old_signature_is_good_no_more(by_http: World) -> None:
    """A request that was signed six minutes ago is turned away, although its signature is right."""
    body = event(by_http)
    old = by_http.slack.door.sign(body.decode(), at=int(by_http.slack.now()) - 360)

    assert await post(by_http, body, old) == 401
    assert by_http.asks() == []


async def test_a_body_too_large_is_refused(by_http: World) -> None:
    """More than a MiB is refused before it is read to its end, and counted."""
    assert await post(by_http, b"x" * (MIB + 1)) == 413
    assert await by_http.dropped("too_large") == 1


GARBAGE = (
    b"{not json",
    b"",
    b"[]",
    b"null",
    b'"words"',
    b"[" * 5000,
    b'{"type":"event_callback"}',
    b'{"type":"event_callback","event":[]}',
    b'{"type":7,"event":{"type":{}}}',
    b"payload=%7Bnot",
    b"\xff\xfe",
)


async def test_garbage_is_turned_away(by_http: World) -> None:
    """What is no delivery of Slack's, although signed, stores nothing and breaks nothing."""
    answers = [await post(by_http, body) for body in GARBAGE]

    assert set(answers) <= {200, 400, 401}
    assert by_http.asks() == []
    root = await by_http.slack.say("ana", "#shop-dev", "@purser What is 6*7?")
    assert "6*7 = 42" in await by_http.answered(root)


UNKNOWN: tuple[tuple[dict[str, Any], str], ...] = (
    ({"type": "team_join", "user": {"id": "U9"}}, "unknown_event"),
    ({"type": "app_home_opened", "user": "U0ANA"}, "app_home_opened"),
    ({"type": "tokens_revoked"}, "tokens_revoked"),
    ({"type": "app_mention"}, "no_user"),
    ({"type": "app_mention", "user": "U0ANA", "text": "x"}, "malformed"),
    ({"type": "message", "subtype": "message_changed"}, "no_user"),
    ({"type": "reaction_added", "reaction": "tada", "user": "U0ANA"}, "reaction"),
    ({}, "malformed"),
)


async def test_unknown_events_are_dropped(world: World) -> None:
    """An event of a kind, or in a shape, that is not ours is acknowledged at once, counted and forgotten."""
    deliveries = [world.slack.events.tell(inner) for inner, _ in UNKNOWN]
    await world.slack.settled()

    assert [(d.acked, len(d.attempts)) for d in deliveries] == [(True, 1)] * len(UNKNOWN)
    for reason, count in Counter(reason for _, reason in UNKNOWN).items():
        assert await world.dropped(reason) == count
    assert world.asks() == []


async def test_a_body_without_an_event(world: World) -> None:
    """Slack's notice that it limits us has no event in it; it is counted."""
    world.slack.events.tell_raw({"type": "app_rate_limited", "team_id": world.slack.team})
    await world.slack.settled()

    assert await world.dropped("app_rate_limited") == 1


async def test_a_mention_of_a_hundred_thousand_characters(world: World) -> None:
    """A very long question is taken whole, and answered within Slack's limits."""
    words = "plover-17 " + "word " * 20_000
    root = await world.slack.say("ana", "#shop-dev", f"@purser {words}")
    await world.answered(root)

    assert len(str(world.asked[0].body["messages"])) > 100_000
    assert_balanced(world)


async def test_a_question_too_long_for_claude(tmp_path: Path) -> None:
    """More than an ask may cost is told in a sentence before anything is spent."""
    async with World(tmp_path, policy="ask_limit_usd = 0.20") as world:
        await world.start()
        file = world.slack.file("big.txt", "word " * 40_000)
        root = await world.slack.say("ana", "#shop-dev", "@purser read this", files=[file])
        await world.ended(root)

        assert "limit of $0.20" in world.words(root)
        assert world.asked == []


BAD_FILES = (
    ("blob.bin", b"\x00\x01\x02\xff" * 99, "neither text in UTF-8 nor an image"),
    ("nul.txt", b"plain words\x00and a NUL", "it is binary"),
    ("utf.txt", b"caf\xe9 au lait", "neither text in UTF-8"),
    ("code.zip", b"PK\x03\x04" + b"\x00" * 99, "an archive"),
    ("big.log", b"x" * (MIB + 1), "larger than 1 MiB"),
    ("page.txt", LOGIN_PAGE.encode(), "login page"),
    ("empty.txt", b"", "empty"),
)


async def test_files_that_cannot_be_read_are_told(world: World) -> None:
    """Binary, packed, oversized and empty files, and a login page in a file's place, are told as such; the rest goes on."""
    bad = [world.slack.file(name, data, mimetype="text/plain") for name, data, _ in BAD_FILES]
    good = world.slack.file("plover.py", "def plover(x=[]):\n    return x\n")
    root = await world.slack.say("ana", "#shop-dev", "@purser review", files=[*bad, good])

    answer = await world.answered(root)
    asked = str(world.asked[0].body["messages"])
    for name, _, why in BAD_FILES:
        (told,) = re.findall(rf'name="{name}">\\n\[not read: (.*?)\]', asked)
        assert why in told
        assert f"I could not read `{name}`" in answer
    assert "def plover" in answer


async def test_files_that_are_not_there_are_told(world: World) -> None:
    """Files that are deleted, hidden or elsewhere are not fetched, and Claude is told why."""
    modes = ("tombstone", "hidden_by_limit", "external")
    files = [world.slack.file("notes.txt", "the secret of plover-17", mode=mode) for mode in modes]
    root = await world.slack.say("ana", "#shop-dev", "@purser read this", files=files)
    await world.answered(root)

    asked = str(world.asked[0].body["messages"])
    assert asked.count("[not read: ") == len(modes)
    assert "plover-17" not in asked


async def test_commands_nobody_understands(world: World) -> None:
    """A command without what it needs, or with words of no meaning, is answered with how it is used."""
    for command, text, told in (
        ("/summarize", "", "Which tickets?"),
        ("/purser", "dance", "I don't know `dance`"),
        ("/cost", "since the flood", "this month"),
        ("/purser", "", "**What I do**"),
    ):
        before = len(world.slack.ephemerals("#shop-dev", "ana"))
        ack = await world.slack.command("ana", "#shop-dev", command, text)
        await world.idle()
        said = [words_of(m) for m in world.slack.ephemerals("#shop-dev", "ana")[before:]]
        assert told in " ".join([ack.text, *said])
    assert world.asked == []


async def test_words_that_would_ping(world: World) -> None:
    """What a person makes Claude repeat pings nobody and opens no link by itself."""
    text = "@purser repeat <!channel> <@U0BEN> and https://evil.example/?q=secret"
    root = await world.slack.say("ana", "#shop-dev", text)
    await world.answered(root)

    (said,) = world.said(root)
    assert "<!channel>" not in words_of(said)
    assert "<@U0BEN>" not in words_of(said)
    assert not said.unfurls
