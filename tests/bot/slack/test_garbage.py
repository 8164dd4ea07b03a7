"""Whatever comes in at the door or is typed after a command: never an exception, and never an ask from garbage."""

import asyncio
import json
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.answer import Answer
from bot.inbox import Arrival
from bot.slack.arrivals import read
from bot.slack.envelope import Drop, Opened, Tell, Wrong
from bot.slack.transport import UNREADABLE
from bot.slack.wishes import Usage, Wish, command, wish
from bot.store import Store
from bot.summarize import USAGE, question
from tests.bot.slack.deliveries import AT, BOT, TEAM, US, USER
from tests.bot.slack.test_commands import RUTH, Room
from tests.bot.slack.test_listen import House
from tests.bot.stores import ask
from tests.chance import share

KEYS = st.sampled_from([
    "type", "event", "event_id", "command", "text", "user", "user_id", "channel", "channel_id", "team", "team_id", "ts", "thread_ts", "subtype",
    "message", "previous_message", "edited", "bot_id", "files", "actions", "action_id", "value", "view", "state", "values", "callback_id",
    "private_metadata", "blocks", "block_id", "container", "item", "item_user", "reaction", "tab", "authorizations", "api_app_id", "trigger_id",
    "is_ext_shared_channel", "channel_type", "id", "x",
])  # fmt: skip
WORDS = st.sampled_from([
    "event_callback", "block_actions", "view_submission", "message_action", "app_mention", "message", "message_changed", "message_deleted",
    "reaction_added", "app_home_opened", "member_joined_channel", "agent_session_stopped", "file_share", "bot_message", "im", "channel", "home",
    "/cost", "/summarize", "/purser", "stop", "feedback", "proposal_changed", f"<@{BOT}> hi", BOT, USER, TEAM, "A1", "C1", "D1", "1764000000.000100",
    "Ev1", "x", "", "{}", '{"channel": 1}', "\x00", "\ud800",
])  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | WORDS
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=6)
    ),
    max_leaves=25,
)
BODIES = st.dictionaries(KEYS, JSON, max_size=10)
FOREIGN = st.dictionaries(st.text(max_size=5).filter(lambda k: k not in {"type", "command"}), JSON)
TYPED = st.one_of(
    st.text(max_size=80),
    st.lists(
        st.sampled_from([
            "summarize", "SHOP-12", "shop-1", "sprint", "of", "cost", "today", "7d", "99999999d", "this month", "2026-11", "2026-99", "0000-00", "#shop",
            "<#C1|shop>", "<#|>", "by", "user", "model", "csv", "budget", "80", "-1", "1e999", "NaN", "Infinity", "$", "model", "claude-x", "reset",
            "pause", "resume", "everywhere", "policy", "why", "audit", "help", "stop", "http://[", "https://]:x/browse/SHOP-1", "https://℀/browse/A-1",
            "https://jira.example/browse/SHOP-12", "https://jira.example/x?jql=", "?jql=a%", "project = SHOP", "key in (", "|", "<", ">", "`", "```", "\n",
            "\x00", "\ud800", "x" * 300, "<!channel>", "<@U1>", "🙏",
        ]),
        max_size=6,
    ).map(" ".join),
)  # fmt: skip


def strings(value: Any) -> set[str]:
    """Every text that stands somewhere in some JSON."""
    if isinstance(value, dict):
        return set(value) | {one for inner in value.values() for one in strings(inner)}
    if isinstance(value, list):
        return {one for inner in value for one in strings(inner)}
    return {value} if isinstance(value, str) else set()


@given(BODIES)
def test_whatever_says_it_is_from_slack_is_read_or_dropped(body: dict[str, Any]) -> None:
    """Any JSON in Slack's own words is something to us, and an ask has the person and the channel that stood in it."""
    found = read(body, US, id="id-1", at=AT)

    assert isinstance(found, Arrival | Drop | Tell | Wrong | Opened)
    if isinstance(found, Arrival):
        assert all(found.keys)
    if isinstance(found, Arrival) and found.ask is not None:
        assert found.ask.user in strings(body)
        assert found.ask.channel in strings(body)
        assert "" not in (found.ask.user, found.ask.channel)


@given(FOREIGN)
def test_what_has_no_kind_is_nothing(body: dict[str, Any]) -> None:
    """JSON that neither has a type nor is a command is dropped."""
    assert isinstance(read(body, US, id="id-1", at=AT), Drop)


FORMS = st.one_of(
    st.text(max_size=200),
    JSON.map(json.dumps),
    BODIES.map(json.dumps),
    BODIES.map(lambda body: "payload=" + quote(json.dumps(body))),
    st.text(max_size=60).map(lambda text: "payload=" + text),
    st.sampled_from(["", "{", "[]", "null", "0", '"x"', "payload=", "payload=[]", "payload=null", "payload=%7B", "a" * 999, "[" * 999, "%00", "&=&", '{"type":' * 50]),
)  # fmt: skip


@settings(max_examples=share(0.5))
@given(FORMS, st.sampled_from(["application/json", "application/x-www-form-urlencoded", ""]))
@example("payload=[]", "application/x-www-form-urlencoded")
@example("[1]", "application/json")
def test_a_body_of_any_form_breaks_nothing(raw: str, kind: str) -> None:
    """Whatever is sent in Slack's name is told to be unreadable or answered, and what is no ask is none."""
    raw = raw.encode("utf-8", "replace").decode()

    async def deliver() -> House:
        house = House()
        try:
            asked = AsyncBoltRequest(body=raw, headers={"Content-Type": kind})
        except UNREADABLE:
            return house
        assert (await house.app.async_dispatch(asked)).status < 500
        return house

    house = asyncio.run(deliver())

    assert all(ask.user and ask.channel for ask in house.inbox.asks)


@given(st.sampled_from(["/summarize", "/cost", "/purser"]), TYPED)
@example("/summarize", "http://[")
@example("/summarize", "https://℀/browse/A-1")
def test_any_words_after_a_command_are_a_wish_or_a_sentence(name: str, text: str) -> None:
    """Nothing that is typed breaks the reading of it, and a summary names a ticket or says how it is asked for."""
    for wanted in (command(name, text), wish(text), wish(f"summarize {text}", in_thread=True)):
        assert isinstance(wanted, Wish | Usage)
        asked = wanted.text if isinstance(wanted, Wish) else wanted.sentence
        assert asked or getattr(wanted, "feature", "") == "cost"
        if isinstance(wanted, Wish) and wanted.feature == "summarize":
            assert (question(wanted.text) or USAGE).strip()


@settings(max_examples=share(0.5), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=TYPED, name=st.sampled_from(["/cost", "/purser"]))
async def test_any_words_get_an_answer_in_words(store: Store, words: str, name: str) -> None:
    """Whatever an admin types after a command, it is answered with something to read, of bounded length."""
    room = Room(store)
    wanted = command(name, words)
    if isinstance(wanted, Usage) or wanted.feature == "summarize":
        return
    answer = await room.commands.answer(
        ask(feature=wanted.feature, text=wanted.text, user=RUTH.id), RUTH
    )

    assert isinstance(answer, Answer)
    assert 0 < len(answer.text) < 12_000
