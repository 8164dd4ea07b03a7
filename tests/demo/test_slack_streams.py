"""Streams and sessions of the Slack stand-in: recipients, chunks, lifetime, conflicts and the stop button."""

from typing import Any

import pytest
from slack_sdk.models.messages.chunk import MarkdownTextChunk, PlanUpdateChunk, TaskUpdateChunk

from bot.demo.slack import SlackStandIn
from tests.demo.slack_worlds import Clock, client_of, data_of, error_of

TO_ANA: dict[str, Any] = {"recipient_team_id": "T0BAZAAR", "recipient_user_id": "U0ANA"}
IN: dict[str, Any] = {"channel": "C0PAYMENTS"}


async def _started(slack: SlackStandIn, **more: Any) -> str:
    root = await slack.say("ana", "#payments", "@purser go")
    client = client_of(slack)
    call = client.chat_startStream(**IN, thread_ts=root.ts, **TO_ANA, **more)
    return str((await data_of(call))["ts"])


async def test_recipients_are_required_outside_direct_messages() -> None:
    """In a channel a stream names team and person it is for; in a direct message it need not."""
    async with SlackStandIn() as slack:
        client = client_of(slack)
        root = await slack.say("ana", "#payments", "hi")
        direct = await slack.dm("ana", "hi")
        start = client.chat_startStream
        team = await error_of(start(**IN, thread_ts=root.ts, recipient_user_id="U0ANA"))
        user = await error_of(start(**IN, thread_ts=root.ts, recipient_team_id="T0BAZAAR"))
        free = await error_of(start(channel=direct.channel, thread_ts=direct.ts))
        lost = await error_of(start(**IN, thread_ts="1.000001", **TO_ANA))

    assert (team, user) == ("missing_recipient_team_id", "missing_recipient_user_id")
    assert (free, lost) == ("", "thread_not_found")


async def test_text_tasks_and_plan_gather_in_the_message() -> None:
    """Appended text adds up; task cards are kept by id with their last state; stop adds blocks and metadata."""
    async with SlackStandIn() as slack:
        client = client_of(slack)
        ts = await _started(slack, markdown_text="one ")
        task: dict[str, Any] = {"id": "t1", "title": "Reading SHOP-12"}
        await client.chat_appendStream(
            **IN,
            ts=ts,
            chunks=[
                MarkdownTextChunk(text="two "),
                TaskUpdateChunk(**task, status="in_progress"),
                PlanUpdateChunk(title="Looking"),
            ],
        )
        await client.chat_appendStream(
            **IN, ts=ts, chunks=[TaskUpdateChunk(**task, status="complete")]
        )
        live = slack.by_app("#payments")[0].streaming
        await client.chat_stopStream(
            **IN,
            ts=ts,
            markdown_text="three",
            blocks=[{"type": "divider"}],
            metadata={"event_type": "ask", "event_payload": {"id": "1"}},
        )
        message = slack.by_app("#payments")[0]
        wrong = await error_of(client.chat_appendStream(**IN, ts=ts, markdown_text="after the end"))

    assert (live, message.streaming) == ("in_progress", "completed")
    assert message.text == "one two three"
    assert (message.tasks["t1"]["status"], message.plan) == ("complete", "Looking")
    assert [block["type"] for block in message.blocks] == ["divider"]
    assert message.metadata == {"event_type": "ask", "event_payload": {"id": "1"}}
    assert wrong == "message_not_in_streaming_state"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"markdown_text": "x" * 12_001}, "msg_too_long"),
        ({}, "no_text"),
        ({"chunks": [{"type": "sound"}]}, "invalid_chunks"),
        ({"chunks": [{"type": "task_update", "id": "1", "title": "x"}]}, "invalid_chunks"),
        ({"chunks": [{"type": "blocks", "blocks": [{"type": "what"}]}]}, "invalid_blocks"),
    ],
)
async def test_appends_that_slack_refuses(arguments: dict[str, Any], error: str) -> None:
    """A refused append leaves the message as it was."""
    async with SlackStandIn() as slack:
        ts = await _started(slack, markdown_text="kept")

        assert await error_of(client_of(slack).chat_appendStream(**IN, ts=ts, **arguments)) == error
        assert slack.by_app("#payments")[0].text == "kept"


async def test_a_stream_lives_five_minutes_and_is_mended_by_an_edit() -> None:
    """While it runs an edit conflicts; after 300 s append and stop fail, and an edit is allowed."""
    clock = Clock()
    async with SlackStandIn(now=clock) as slack:
        client = client_of(slack)
        ts = await _started(slack)
        conflict = await error_of(client.chat_update(**IN, ts=ts, text="x"))
        clock.at += 299
        alive = await error_of(client.chat_appendStream(**IN, ts=ts, markdown_text="still "))
        clock.at += 1
        late = await error_of(client.chat_appendStream(**IN, ts=ts, markdown_text="late"))
        stop = await error_of(client.chat_stopStream(**IN, ts=ts))
        mended = await error_of(client.chat_update(**IN, ts=ts, markdown_text="whole"))

    assert (conflict, alive) == ("streaming_state_conflict", "")
    assert late == stop == "message_not_in_streaming_state"
    assert mended == ""
    assert slack.by_app("#payments")[0].text == "whole"


async def test_the_stop_button_ends_streams_and_tells_the_app() -> None:
    """After a person's stop appends fail with stopped_by_user, and stopStream still says the last words."""
    async with SlackStandIn(retry_delays=()) as slack:
        client = client_of(slack)
        ts = await _started(slack)
        message = slack.by_app("#payments")[0]
        stopped = await slack.stop_stream("ana", message)
        refused = await error_of(client.chat_appendStream(**IN, ts=ts, markdown_text="x"))
        await client.chat_stopStream(
            **IN, ts=ts, markdown_text="(stopped)", session_status="active"
        )
        await slack.settled()
        told = [line.arguments["event"] for line in slack.log if line.method == "events_api"]
        status = slack.world.channel("#payments").statuses[message.thread_ts]

    assert stopped == [ts]
    assert refused == "stopped_by_user"
    assert (message.text, status.session) == ("(stopped)", "active")
    assert told[-1]["type"] == "agent_session_stopped"
    assert (told[-1]["user"], told[-1]["streaming_message_ts"]) == ("U0ANA", [ts])


async def test_status_lines_and_sessions() -> None:
    """A reply clears the status line but not the session; apps that are no agents have no sessions."""
    async with SlackStandIn() as slack:
        client = client_of(slack)
        root = await slack.say("ana", "#payments", "@purser go")
        where: dict[str, Any] = {"channel_id": "C0PAYMENTS", "thread_ts": root.ts}
        await client.assistant_threads_setStatus(
            **where, status="is thinking", loading_messages=["counting"]
        )
        await client.agents_sessions_setStatus(**where, status="processing", title="Go")
        status = slack.world.channel("#payments").statuses[root.ts]
        shown = status.text
        wrong = await error_of(client.agents_sessions_setStatus(**where, status="busy"))
        await client.chat_postMessage(channel="C0PAYMENTS", thread_ts=root.ts, text="done")
        slack.streams.agent = False
        no_agent = await error_of(client.agents_sessions_setStatus(**where, status="active"))

    assert (shown, status.text, status.session) == ("is thinking", "", "processing")
    assert (wrong, no_agent) == ("invalid_arguments", "unknown_method")
