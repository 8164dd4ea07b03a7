"""What each delivery is to us: an ask, a signal, a sentence, or a counted nothing."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ask import Ask, Click, Signal
from bot.inbox import Arrival
from bot.slack.arrivals import Reading, read
from bot.slack.envelope import Drop, Opened, Tell, Us, Wrong
from bot.slack.presses import EMPTY, FIELD_CHARS, LONG
from tests.bot.slack.deliveries import (
    APP,
    AT,
    BOT,
    BOT_ID,
    TEAM,
    US,
    USER,
    changed,
    click,
    command,
    direct,
    event,
    form,
    mention,
    said,
)

TS = "1764000000.000100"
EDITED = {"edited": {"user": USER, "ts": "1764000008.000000"}}


def reading(body: dict[str, Any], us: Us = US) -> Reading:
    """What the door makes of a body."""
    return read(body, us, id="ask-1", at=AT)


def ask_of(body: dict[str, Any], us: Us = US) -> Ask:
    """The ask a body must be."""
    found = reading(body, us)
    assert isinstance(found, Arrival)
    assert found.ask is not None
    return found.ask


def signal_of(body: dict[str, Any]) -> Signal:
    """The signal a body must be, and nothing else."""
    found = reading(body)
    assert isinstance(found, Arrival)
    assert found.ask is None
    assert found.signal is not None
    return found.signal


def test_our_home_was_opened() -> None:
    """It is shown to who opened it, and is no ask; the messages beside it need nothing."""
    opened = event({"type": "app_home_opened", "user": USER, "channel": "D1", "tab": "home"})
    beside = event({"type": "app_home_opened", "user": USER, "channel": "D1", "tab": "messages"})

    assert reading(opened) == Opened(USER, "D1")
    assert reading(beside) == Drop("app_home_opened")


def test_a_mention_is_an_ask_in_its_thread() -> None:
    """A mention at the top of a channel opens a thread at itself."""
    found = reading(event(mention("what is new?", client_msg_id="c-1")))

    key = f"ask:{TEAM}:C1:{TS}:"
    assert found == Arrival(
        (f"event:{APP}:{TEAM}:Ev1", key, f"client:{TEAM}:C1:c-1:"),
        Ask(
            id="ask-1",
            key=key,
            team=TEAM,
            channel="C1",
            user=USER,
            feature="chat",
            origin="mention",
            text="what is new?",
            at=AT,
            thread=TS,
            ts=TS,
            channel_kind="channel",
            user_team=TEAM,
        ),
        None,
    )


def test_a_mention_that_comes_as_message_is_the_same_ask() -> None:
    """`app_mention` and `message` of one mention have the same ask key and words, and different event keys."""
    as_mention = reading(event(mention("hi"), "Ev1"))
    as_message = reading(event(said(f"<@{BOT}> hi"), "Ev2"))

    assert isinstance(as_mention, Arrival)
    assert isinstance(as_message, Arrival)
    assert as_mention.keys[1] == as_message.keys[1]
    assert as_mention.keys[0] != as_message.keys[0]
    assert as_mention.ask == as_message.ask


def test_a_follow_up_in_a_thread_stays_in_it() -> None:
    """A mention in a thread is answered there."""
    ask = ask_of(event(mention("and now?", thread_ts="1763.1")))

    assert ask.thread == "1763.1"
    assert ask.lane == f"{TEAM}:C1:1763.1"


def test_each_direct_message_is_an_ask() -> None:
    """In a direct message nobody has to be mentioned; each message roots its own thread."""
    ask = ask_of(event(direct("hello there")))

    assert (ask.origin, ask.text, ask.thread, ask.channel_kind) == (
        "message",
        "hello there",
        TS,
        "im",
    )


def test_files_are_taken_as_announced() -> None:
    """A file share is an ask; of a file that Slack does not describe, or that lies elsewhere, no address is kept."""
    files = [
        {
            "id": "F1",
            "name": "a.py",
            "mimetype": "text/x-python",
            "size": 12,
            "mode": "hosted",
            "url_private_download": "https://files.slack.com/F1",
        },
        {"id": "F2", "mode": "file_access", "file_access": "check_file_info"},
        {
            "id": "F3",
            "name": "doc",
            "mode": "external",
            "url_private_download": "https://evil.test",
        },
        "F4",
    ]
    ask = ask_of(event(direct("", subtype="file_share", files=files)))

    assert ask.feature == "review"
    assert [(f.id, f.name, f.size, f.url) for f in ask.files] == [
        ("F1", "a.py", 12, "https://files.slack.com/F1"),
        ("F2", "file", 0, ""),
        ("F3", "doc", 0, ""),
    ]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (event(said("no mention of anybody")), "no_mention"),
        (event(said(f"<@{BOT}>", user=BOT)), "own"),
        (event(direct("x", bot_id=BOT_ID)), "own"),
        (event(direct("x", app_id=APP)), "own"),
        (event(mention("hi", bot_id="B9")), "bot"),
        (event(mention("hi", subtype="bot_message", bot_id="B9")), "bot"),
        (event(direct("hi", user="USLACKBOT")), "bot"),
        (event(direct("hi", user=None)), "no_user"),
        (event(direct("x joined", subtype="channel_join")), "subtype"),
        (event(direct("x", ts=None)), "malformed"),
        (event({"type": "reaction_added", "reaction": "eyes"}), "reaction"),
        (event({"type": "member_joined_channel", "user": "U7", "channel": "C1"}), "other_joined"),
        (event({"type": "app_home_opened", "user": USER}), "app_home_opened"),
        (event({"type": "tokens_revoked", "tokens": {}}), "tokens_revoked"),
        (event({"type": "app_uninstalled"}), "app_uninstalled"),
        (event({"type": "emoji_changed"}), "unknown_event"),
        (event(mention("hi"), api_app_id="A2"), "other_app"),
        (event(mention("hi"), ""), "malformed"),
        (event({}), "malformed"),
        ({"type": "event_callback", "event_id": "E"}, "malformed"),
        ({"type": "app_rate_limited", "minute_rate_limited": 1}, "app_rate_limited"),
        ({"type": "view_submission", "view": {}}, "not_ours"),
        ({"type": "message_action", "callback_id": "x"}, "not_ours"),
        ({"type": "something_new"}, "unknown"),
        ({}, "malformed"),
        (command("/cost", channel_id=""), "malformed"),
        (click("elsewhere", "1"), "not_ours"),
        (click("stop", "ask-1", actions=[]), "malformed"),
        (click("stop", ""), "malformed"),
        (click("proposal_do", "p-1:hash", trigger_id=""), "malformed"),
        (click("proposal_do", "p-1:hash", channel={}, container={}), "malformed"),
        (form({"said": "x"}, callback_id="elsewhere"), "not_ours"),
        (form({"said": "x"}, user={}), "malformed"),
    ],
)
def test_what_is_no_ask_is_dropped_with_its_reason(body: dict[str, Any], reason: str) -> None:
    """Nothing that is no ask claims a key; each has one of a fixed set of reasons."""
    assert reading(body) == Drop(reason)


def test_without_auth_test_the_delivery_says_who_we_are() -> None:
    """The door works before anything is known of us."""
    nobody = Us()

    assert ask_of(event(mention("hi")), nobody).team == TEAM
    assert ask_of(event(said(f"<@{BOT}> hi")), nobody).text == "hi"
    assert reading(event(said("mine", user=BOT)), nobody) == Drop("own")


@pytest.mark.parametrize(
    ("outer", "inner", "expected"),
    [
        ({}, {}, (False, TEAM)),
        ({"is_ext_shared_channel": True}, {}, (True, TEAM)),
        ({}, {"user_team": "T2"}, (True, "T2")),
        ({}, {"source_team": "T2"}, (True, "T2")),
        ({"is_ext_shared_channel": None}, {"team": None}, (True, "")),
        ({"is_ext_shared_channel": None}, {}, (False, TEAM)),
    ],
)
def test_other_organisations_are_known_or_assumed(
    outer: dict[str, Any], inner: dict[str, Any], expected: tuple[bool, str]
) -> None:
    """A shared channel or a foreign author is external; where Slack says nothing at all, it is too."""
    ask = ask_of(event(mention("hi", **inner), **outer))

    assert (ask.external, ask.user_team) == expected


def test_an_empty_mention_and_an_invitation_say_hello() -> None:
    """Who only calls us, or brings us into a channel, is told what we can do."""
    empty = ask_of(event(mention("")))
    joined = {
        "type": "member_joined_channel",
        "user": BOT,
        "channel": "C1",
        "channel_type": "G",
        "team": TEAM,
        "inviter": USER,
    }
    invited = ask_of(event(joined))

    assert (empty.feature, empty.text, empty.origin) == ("purser", "hello", "mention")
    assert (invited.feature, invited.text, invited.origin) == ("purser", "hello", "invite")
    assert (invited.user, invited.thread, invited.channel_kind) == (USER, "", "private")


def test_an_edited_mention_is_told_both_ways() -> None:
    """The inbox knows whether the message was an ask before; it gets the ask and the edit."""
    found = reading(event(mention("better words", **EDITED)))

    assert isinstance(found, Arrival)
    assert found.ask is not None
    assert found.signal is not None
    assert found.ask.origin == "edit"
    assert found.ask.key == f"ask:{TEAM}:C1:{TS}:1764000008.000000"
    assert (found.signal.kind, found.signal.ts, found.signal.text) == ("edit", TS, "better words")


def test_an_edit_comes_as_mention_and_as_change_with_one_key() -> None:
    """The two events of one edit are one."""
    old, new = said("hi"), said(f"<@{BOT}> hi", **EDITED)
    as_change = reading(event(changed(new, old), "Ev2"))
    as_mention = reading(event(mention("hi", **EDITED), "Ev3"))

    assert isinstance(as_change, Arrival)
    assert isinstance(as_mention, Arrival)
    assert as_change.keys[1:] == as_mention.keys[1:]
    assert as_change.ask == as_mention.ask


def test_a_change_that_is_no_edit_is_dropped() -> None:
    """Slack hanging a preview on a message, or our own stream growing, is no edit."""
    old = direct("see https://a.test")
    preview = {**old, "attachments": [{"title": "A"}]}

    assert reading(event(changed(preview, old))) == Drop("unchanged")
    assert reading(event(changed(direct("x", bot_id=BOT_ID, **EDITED), old))) == Drop("own")
    assert reading(event(changed(said("x", **EDITED), said("y")))) == Drop("no_mention")


def test_an_edit_that_takes_the_mention_out_still_changes_the_words() -> None:
    """It is told as an edit, and is no new ask."""
    signal = signal_of(event(changed(said("never mind", **EDITED), said(f"<@{BOT}> hi"))))

    assert (signal.kind, signal.ts, signal.text) == ("edit", TS, "never mind")


def test_a_deleted_question_is_a_signal() -> None:
    """Deleting the question, with replies under it or without, is told; other deletions are not ours."""
    gone = {
        "type": "message",
        "subtype": "message_deleted",
        "channel": "D1",
        "channel_type": "im",
        "ts": "1764.9",
        "deleted_ts": TS,
        "previous_message": direct("hi"),
    }
    tomb = changed(direct("This message was deleted.", subtype="tombstone"), direct("hi"))

    assert (signal_of(event(gone)).kind, signal_of(event(gone)).ts) == ("delete", TS)
    assert signal_of(event(tomb)).key == signal_of(event(gone)).key
    assert reading(event({**gone, "previous_message": said("x", bot_id=BOT_ID)})) == Drop("own")
    elsewhere = {**gone, "channel": "C1", "channel_type": "channel", "previous_message": said("x")}
    assert reading(event(elsewhere)) == Drop("no_mention")


@pytest.mark.parametrize(
    ("body", "thread", "ts"),
    [
        (event(mention("stop", thread_ts="1763.1")), "1763.1", ""),
        (event(direct("please stop!")), "", ""),
        (event(direct("stop", thread_ts="1763.1")), "1763.1", ""),
        (
            event(
                {
                    "type": "agent_session_stopped",
                    "channel": "D1",
                    "thread_ts": "1763.1",
                    "user": USER,
                    "streaming_message_ts": ["1763.2"],
                }
            ),
            "1763.1",
            "",
        ),
        (
            event(
                {
                    "type": "reaction_added",
                    "reaction": "x",
                    "user": USER,
                    "item_user": BOT,
                    "item": {"type": "message", "channel": "C1", "ts": "1763.2"},
                }
            ),
            "",
            "1763.2",
        ),
    ],
)
def test_each_way_to_stop_is_a_signal(body: dict[str, Any], thread: str, ts: str) -> None:
    """A word in the thread, in a direct message, Slack's button and a cross all stop."""
    signal = signal_of(body)

    assert (signal.kind, signal.user, signal.thread, signal.ts) == ("stop", USER, thread, ts)


def test_stop_at_the_top_of_a_channel_is_answered() -> None:
    """There is nothing to stop; the person is told where to say it."""
    assert ask_of(event(mention("stop"))).text == "stop"


def test_a_cross_on_somebody_elses_message_is_none_of_ours() -> None:
    """Only our answer or one's own question can be stopped by a cross."""
    inner = {
        "type": "reaction_added",
        "reaction": "x",
        "user": USER,
        "item_user": "U7",
        "item": {"type": "message", "channel": "C1", "ts": "1763.2"},
    }

    assert reading(event(inner)) == Drop("reaction")


def test_buttons_are_signals_for_their_ask() -> None:
    """A button says which ask it belongs to, and feedback says how it was."""
    stop = signal_of(click("stop", "ask-9"))
    feedback = signal_of(click("feedback", "ask-9:good"))

    assert (stop.kind, stop.ask_id, stop.text, stop.key) == ("stop", "ask-9", "", "trigger:9.9.xyz")
    assert (feedback.kind, feedback.ask_id, feedback.text) == ("feedback", "ask-9", "good")
    assert (feedback.channel, feedback.thread, feedback.ts) == ("C1", TS, "1764000005.000200")


def test_a_command_is_an_ask_outside_of_threads() -> None:
    """A command carries its response_url, opens no thread and is a lane of its own."""
    ask = ask_of(command("/summarize", "project = SHOP AND created &gt; -7d"))

    assert (ask.feature, ask.text) == ("summarize", "project = SHOP AND created > -7d")
    assert (ask.thread, ask.ts, ask.lane, ask.origin) == ("", "", "trigger:1.2.abc", "command")
    assert ask.response_url == "https://hooks.slack.com/commands/1"
    assert "hooks.slack.com" not in repr(ask)


def test_a_channel_named_in_a_command_keeps_its_id() -> None:
    """A report on another channel needs its id, not its name."""
    assert ask_of(command("/cost", "today <#C7|shop>")).text == "today <#C7>"


def test_a_command_without_words_is_told_how() -> None:
    """`/summarize` alone gets its usage at once, and nothing is stored."""
    assert isinstance(reading(command("/summarize")), Tell)


def test_an_ask_survives_its_storage() -> None:
    """What lies in the inbox is what came in."""
    ask = ask_of(event(mention("ü ✓", files=[{"id": "F1", "name": "x", "size": 1}])))

    assert Ask.from_json(json.loads(json.dumps(ask.to_json()))) == ask


def test_a_hundred_thousand_characters_arrive_whole() -> None:
    """Nothing is cut at the door."""
    assert ask_of(event(mention("x" * 100_000))).text == "x" * 100_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.just(BOT),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
BODIES = [
    event(mention("hi", **EDITED)),
    event(changed(direct("a", **EDITED), direct("b"))),
    event({"type": "message", "subtype": "message_deleted", "channel": "D1", "deleted_ts": "1"}),
    event({"type": "reaction_added", "reaction": "x", "item": {"type": "message"}}),
    event({"type": "agent_session_stopped", "channel": "D1", "thread_ts": "1"}),
    event({"type": "member_joined_channel", "user": BOT, "channel": "C1"}),
    command("/cost", "today"),
    click("stop", "ask-1"),
]


@given(st.data())
def test_no_field_of_any_shape_breaks_the_door(data: st.DataObject) -> None:
    """With any field replaced by anything, a body is read or dropped."""
    body = json.loads(json.dumps(data.draw(st.sampled_from(BODIES))))
    places = [body, *(v for v in body.values() if isinstance(v, dict))]
    places += [v for v in body.get("event", {}).values() if isinstance(v, dict)]
    place = data.draw(st.sampled_from(places))
    place[data.draw(st.sampled_from(sorted(place) or ["x"]))] = data.draw(JSON)

    assert isinstance(reading(body), Arrival | Drop | Tell)


def test_a_press_that_is_no_signal_is_an_ask() -> None:
    """A button of ours becomes an ask about its object, in a lane of its own, never of its thread."""
    found = reading(click("proposal_do:1", "p-1:hash"))

    assert isinstance(found, Arrival)
    assert found.keys == ("trigger:9.9.xyz",)
    assert found.signal is None
    ask = found.ask
    assert ask is not None
    assert (ask.feature, ask.origin, ask.ts, ask.thread) == ("click", "click", "", TS)
    assert ask.click == Click("proposal_do", "p-1:hash", "1764000005.000200")
    assert ask.lane == f"click:{TEAM}:p-1"
    assert ask.response_url == "https://hooks.slack.com/actions/1"
    assert (ask.external, ask.user_team) == (False, TEAM)
    assert Ask.from_json(json.loads(json.dumps(ask.to_json()))) == ask


def test_a_press_by_somebody_of_another_team_is_foreign() -> None:
    """Who presses from another organisation is known as such."""
    ask = ask_of(click("proposal_do", "p-1:hash", user={"id": USER, "team_id": "T2"}))

    assert (ask.external, ask.user_team) == (True, "T2")


def test_a_sent_form_is_a_press_with_fields() -> None:
    """A form that was sent is a click in the place where it was opened, with what was written."""
    ask = ask_of(form({"said": " better \n", "note": ""}))

    assert ask.click == Click(
        "proposal_changed", "p-1:hash", "1764000005.000200", {"said": "better", "note": ""}
    )
    assert (ask.channel, ask.thread, ask.lane) == ("C1", TS, f"click:{TEAM}:p-1")


def test_a_form_that_cannot_be_taken_says_why() -> None:
    """An empty or endless field is told of beside it, and nothing is an ask."""
    assert reading(form({"said": " "})) == Wrong({"said": EMPTY})
    assert reading(form({"said": "x" * (FIELD_CHARS + 1), "note": ""})) == Wrong({"said": LONG})
