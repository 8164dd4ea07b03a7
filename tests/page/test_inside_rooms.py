"""The rooms behind the look inside: troubles, redaction, the bot's file, the newest messages, the pace of a viewer."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.github.repositories import is_mended
from bot.demo.inside.botfile import ASKS, BotFile
from bot.demo.inside.feed import BEHIND, Viewer
from bot.demo.inside.redaction import CHARACTERS, HIDDEN, Redaction
from bot.demo.inside.strangers import LogLine, Record, told
from bot.demo.inside.switches import Switches
from bot.demo.inside.wire import ListTap, Wire
from bot.demo.loopback import Heard
from bot.demo.slack.watch import WireLine
from bot.inbox import Arrival, Inbox
from bot.store.sqlite import SqliteStore
from tests.bot.stores import Clock, ask
from tests.page.inside_world import InsideWorld, Json

SECRET = "hunter2-of-this-house"  # without the shape of any known kind of token
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just(f"before {SECRET} after"),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just(SECRET), inner),
    max_leaves=20,
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[InsideWorld]:
    """The stand-ins with the look inside; no bot."""
    async with InsideWorld(tmp_path) as made:
        yield made


@pytest.fixture
def switches(world: InsideWorld, clock: Clock) -> Switches:
    """Every trouble of the world."""
    return Switches(world.sources(), now=clock)


@pytest.fixture
def clock() -> Clock:
    """A clock that stands until it is moved."""
    return Clock()


def trouble(switches: Switches, name: str) -> Json:
    """A trouble as a page is told of it."""
    return next(told for told in switches.wire() if told["name"] == name)


# Each trouble, and where its stranger shows that it is on.
SEEN: dict[str, Callable[[InsideWorld], Any]] = {
    "rate_limit": lambda w: [t.problem.status for t in w.claude.troubles.waiting if t.problem],
    "overload": lambda w: [t.problem.status for t in w.claude.troubles.waiting if t.problem],
    "refusal_early": lambda w: [t for t in w.claude.troubles.waiting if t.refuse and not t.mid],
    "refusal_mid": lambda w: [t for t in w.claude.troubles.waiting if t.refuse and t.mid],
    "cut": lambda w: [t for t in w.claude.troubles.waiting if t.cut],
    "jira_hang": lambda w: w.jira.troubles.hang,
    "slack_429": lambda w: w.slack.troubles.limited.get("*"),
    "double": lambda w: w.slack.troubles.twice,
    "pushed": lambda w: is_mended(w.github.repositories["shop/checkout"]),
}


@pytest.mark.parametrize("name", SEEN)
def test_each_trouble_goes_on_and_off(world: InsideWorld, switches: Switches, name: str) -> None:
    """A trouble that is switched on stands in its stranger, and switched off it is gone from there."""
    assert not SEEN[name](world)

    switches.turn(name, on=True)
    switches.turn(name, on=True)
    assert SEEN[name](world)
    assert trouble(switches, name)["left"] >= 1
    switches.turn(name, on=False)

    assert not SEEN[name](world)
    assert trouble(switches, name)["left"] == 0
    assert trouble(switches, name)["struck"] is None


def test_every_trouble_is_tried(switches: Switches) -> None:
    """There is no trouble that the test above does not know, and each says in a sentence what will be seen."""
    told = {told["name"]: told["sentence"] for told in switches.wire()}

    assert told.keys() == {*SEEN, "kill"}
    assert [name for name, sentence in told.items() if not sentence.endswith(".")] == []


async def test_a_trouble_that_struck_says_when(
    world: InsideWorld, switches: Switches, clock: Clock
) -> None:
    """A trouble that struck the request it was waiting for is off by itself, and says at what time."""
    switches.turn("overload", on=True)
    assert trouble(switches, "overload")["struck"] is None

    assert world.claude.troubles.take({"max_tokens": 100}).problem is not None
    clock.at = 3_000.0

    assert trouble(switches, "overload")["struck"] == 3_000.0
    assert trouble(switches, "overload")["left"] == 0


def test_keeping_caches_warm_strikes_no_trouble(world: InsideWorld, switches: Switches) -> None:
    """A request without words, which only keeps a cache alive, leaves a trouble for the next ask."""
    switches.turn("cut", on=True)

    assert not world.claude.troubles.take({"max_tokens": 0}).cut
    assert trouble(switches, "cut")["left"] == 1


async def test_the_bot_is_killed_once_at_a_time(world: InsideWorld, switches: Switches) -> None:
    """While the bot is being started again it is not killed again; then it is told how long it took."""
    switches.turn("kill", on=True)
    switches.turn("kill", on=True)
    await asyncio.sleep(0)
    assert world.kills == 1
    assert trouble(switches, "kill")["ready"] is None

    world.back.set()
    await world.until(lambda: trouble(switches, "kill")["ready"])
    switches.turn("kill", on=True)
    await world.until(lambda: world.kills == 2)


@given(JSON)
def test_a_secret_is_in_nothing_that_is_shown(value: Any) -> None:
    """Wherever a credential stands, in a value or in a name, it is not in what is shown."""
    assert SECRET not in json.dumps(Redaction({SECRET})(value))


@given(JSON)
def test_what_holds_no_secret_is_shown_as_it_is(value: Any) -> None:
    """JSON without credentials comes out as it went in."""
    assert Redaction(())(json.loads(json.dumps(value).replace(SECRET, "x"))) == json.loads(
        json.dumps(value).replace(SECRET, "x")
    )


@pytest.mark.parametrize(
    "value",
    [
        {"Authorization": "Basic abc"},
        {"response_url": "http://127.0.0.1/response/ABC"},
        {"url": "ws://127.0.0.1/link/?ticket=ABC"},
        {"deep": [{"trigger_id": "ABC"}]},
    ],
    ids=str,
)
def test_what_opens_a_door_is_hidden_by_its_name(value: Any) -> None:
    """Fields and query parameters that are credentials by their nature are hidden though nobody named their value."""
    shown = json.dumps(Redaction(())(value))

    assert "ABC" not in shown
    assert "abc" not in shown
    assert HIDDEN in shown


def test_a_secret_across_the_cut_is_hidden() -> None:
    """A long string is cut, and a credential that begins before the cut is not left in halves."""
    shown = Redaction({SECRET}).text("x" * (CHARACTERS - 3) + SECRET + "y" * 1000)

    assert "hunter" not in shown
    assert len(shown) < CHARACTERS + 100


def test_the_newest_messages_are_kept() -> None:
    """Of more messages than are kept the oldest go, and their numbers find nothing any more."""
    heard: list[Record] = [Heard(float(n), "GET", f"/{n}", {}, status=200) for n in range(10)]
    wire = Wire([ListTap("web", heard)], now=lambda: 100.0, keep=4)

    assert [line.told.name for line in wire.collect()] == ["GET /6", "GET /7", "GET /8", "GET /9"]
    assert wire.line(1) is None
    assert len(wire.lines) == 4


def test_an_answer_that_comes_later_is_told() -> None:
    """A message without an answer is told at once, and again when its answer is there."""
    heard = Heard(1.0, "GET", "/slow", {})
    wire = Wire([ListTap("web", [heard])], now=lambda: 2.0)
    (line,) = wire.collect()
    assert line.told.open
    assert wire.collect() == []

    heard.status = 200
    (again,) = wire.collect()

    assert (again.id, again.told.open, again.told.status) == (line.id, False, 200)


def test_a_broken_message_looks_broken() -> None:
    """A refused call, an error status and a warning in the log are told as bad; what went well is not."""
    refused = WireLine(1.0, "in", "chat.postMessage", {}, {"ok": False, "error": "x"}, 200)
    limited = WireLine(1.0, "in", "chat.postMessage", {}, {"ok": True}, 429)
    well = WireLine(1.0, "in", "chat.postMessage", {}, {"ok": True}, 200)
    warning: LogLine = {"event": "slow", "level": "warning"}

    assert [told(record).bad for record in (refused, limited, warning, well)] == [True] * 3 + [
        False
    ]


async def test_the_file_is_read_only_when_it_changed(tmp_path: Path, clock: Clock) -> None:
    """Everything is read at first, nothing while nobody writes, and then what is new."""
    store = await SqliteStore.open(tmp_path / "purser.db", serve=True)
    inbox = Inbox(store, now=clock, worker="w1")
    file = BotFile(tmp_path / "purser.db")
    await inbox.put(Arrival(("a",), ask(id="first", at=clock.at)))
    first = await file.changes()
    nothing = await file.changes()
    clock.at += 60.0
    await inbox.take(person_in_flight=5, channel_in_flight=5)
    await inbox.put(Arrival(("b",), ask(id="second", at=clock.at)))
    second = await file.changes()
    await file.close()
    await store.close()

    assert first is not None
    assert [kept.id for kept in first.asks] == ["first"]
    assert nothing is None
    assert second is not None
    assert [(kept.id, kept.ask["state"]) for kept in second.asks] == [
        ("first", "leased"),
        ("second", "waiting"),
    ]


async def test_of_many_asks_the_newest_are_read(tmp_path: Path, clock: Clock) -> None:
    """Of more asks than are shown the newest are read, oldest first."""
    store = await SqliteStore.open(tmp_path / "purser.db", serve=True)
    inbox = Inbox(store, now=clock, worker="w1")
    many = [ask(id=f"{n:05d}", at=clock.at + n) for n in range(ASKS + 20)]
    await asyncio.gather(*(inbox.put(Arrival((one.id,), one)) for one in many))
    file = BotFile(tmp_path / "purser.db")
    reading = await file.changes()
    await file.close()
    await store.close()

    assert reading is not None
    assert [kept.id for kept in reading.asks] == [one.id for one in many[20:]]


@pytest.mark.parametrize(
    "content", [None, b"", b"no database" * 1000], ids=["none", "empty", "odd"]
)
async def test_a_file_that_cannot_be_read_is_waited_for(
    tmp_path: Path, content: bytes | None
) -> None:
    """Where the file is not there yet, has no tables or is no database, nothing has changed, and nothing breaks."""
    path = tmp_path / "purser.db"
    if content is not None:
        path.write_bytes(content)
    file = BotFile(path)

    assert await file.changes() is None
    await file.close()


async def test_the_file_is_never_written(tmp_path: Path) -> None:
    """The look inside cannot write to the bot's file."""
    await (await SqliteStore.open(tmp_path / "purser.db", serve=True)).close()
    file = BotFile(tmp_path / "purser.db")
    await file.changes()
    assert file._db is not None

    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        file._db.execute("DELETE FROM asks")
    await file.close()


async def test_a_slow_page_gets_a_snapshot_instead_of_all_it_missed() -> None:
    """A page far behind is told everything anew instead of every change, and then goes on in order."""
    viewer = Viewer()
    assert await viewer.next() is None
    viewer.tell("1")
    assert await viewer.next() == "1"
    for number in range(BEHIND + 1):
        viewer.tell(str(number))

    assert await viewer.next() is None
    viewer.tell("after")
    assert await viewer.next() == "after"
