"""The parts of an answer: journalled before they are opened, never lost, never doubled, silent without the lease."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.ask import Lease
from bot.errors import LeaseLost
from bot.slack.blocks import context
from bot.slack.parts import Parts
from bot.slack.wire import Limited, SlackError, Unsure
from tests.bot.slack.answering import Desk, desk, grey

UNDER = [context("the receipt")]


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk at a whole Slack."""
    async with desk(tmp_path) as made:
        yield made


class Witness(AsyncWebClient):
    """A client that looks around before each call."""

    look: Callable[[str], Awaitable[None]]

    async def api_call(self, api_method: str, **options: Any) -> AsyncSlackResponse:
        """Look, then call."""
        await self.look(api_method)
        return await super().api_call(api_method, **options)


async def states(at: Desk, lease: Lease) -> list[tuple[int, str, str]]:
    """Number, state and kind of each part in the journal."""
    return [(part.n, part.state, part.kind) for part in await at.journalled(lease)]


async def test_each_step_is_journalled_before_it_shows(at: Desk) -> None:
    """Before a stream starts it is "opening", before it takes words its ts is known, at the end it is "said"."""
    lease = await at.mention()
    client = at.client(Witness)
    assert isinstance(client, Witness)
    seen: list[tuple[str, str, bool]] = []

    async def look(method: str) -> None:
        (part,) = await at.journalled(lease)
        seen.append((method, part.state, bool(part.ts)))

    client.look = look
    parts = at.parts_of(lease, client)
    piece = await parts.open("", stream=True)
    await parts.extend(piece, "Hello")
    await parts.say(piece, "Hello world", UNDER)

    assert seen == [
        ("chat.startStream", "opening", False),
        ("chat.appendStream", "open", True),
        ("chat.appendStream", "open", True),
        ("chat.stopStream", "open", True),
    ]
    (part,) = await at.journalled(lease)
    assert (part.state, part.text, part.ts) == ("said", "Hello world", at.thread(lease)[0].ts)


async def test_a_whole_part_is_one_call(at: Desk) -> None:
    """Words and what stands under them are posted together, naming the ask and the part."""
    lease = await at.mention()

    await at.parts_of(lease).post("Hello", UNDER)

    (message,) = at.thread(lease)
    assert at.spoken() == 1
    assert (at.texts(lease), grey(message)) == (["Hello"], ["the receipt"])
    assert (message.text, message.blocks[0]["text"]) == ("Hello", "Hello")
    assert message.unfurls is False
    assert message.metadata == {
        "event_type": "purser_answer",
        "event_payload": {"ask_id": lease.ask.id, "part": 1},
    }
    assert await states(at, lease) == [(1, "said", "post")]


async def test_a_stream_ends_with_metadata_too(at: Desk) -> None:
    """A stream cannot be started with it; it has it from its end on."""
    lease = await at.mention()
    parts = at.parts_of(lease)
    await parts.say(await parts.open("", stream=True), "Hello")

    metadata = at.thread(lease)[0].metadata
    assert metadata is not None
    assert metadata["event_payload"] == {"ask_id": lease.ask.id, "part": 1}


# A stream that does not start


@pytest.mark.parametrize(
    "error", ["missing_recipient_team_id", "unknown_method", "internal_no_idea", "429"]
)
async def test_where_no_stream_starts_a_post_is_edited(at: Desk, error: str) -> None:
    """Nothing is lost and nothing doubled by it, and nobody waits for the limit on streams."""
    if error == "429":
        at.slack.troubles.limited["chat.startStream"] = 1
    else:
        at.slack.troubles.errors["chat.startStream"] = [error]
    lease = await at.mention()
    parts = at.parts_of(lease)

    piece = await parts.open("Hello", stream=True)
    assert at.texts(lease) == ["Hello"]
    await parts.extend(piece, "Hello world")
    await parts.say(piece, "Hello world.")

    assert at.texts(lease) == ["Hello world."]
    assert at.waits == []
    assert await states(at, lease) == [(1, "said", "post")]


async def test_in_a_closed_channel_nothing_is_tried_twice(at: Desk) -> None:
    """Where we are no member a post would fare no better than the stream."""
    lease = await at.mention()
    await at.slack.expel("#payments")

    with pytest.raises(SlackError) as told:
        await at.parts_of(lease).open("Hello", stream=True)
    assert told.value.code == "not_in_channel"
    assert at.spoken() == 1


# A reply that was lost


async def crowd(at: Desk, lease: Lease) -> None:
    """Messages around a lost one: another answer's, whole, streaming and unknown to the journal, and a person's."""
    channel, thread = lease.ask.channel, lease.ask.thread
    theirs = {"event_type": "purser_answer", "event_payload": {"ask_id": "another", "part": 1}}
    await at.wire().post(channel, "lost by another", thread=thread, metadata=theirs)
    other = at.parts_of(await at.mention())
    other.place = replace(other.place, thread=thread)
    await other.post("another answer")
    await other.open("", stream=True)
    await at.slack.say("ana", "#payments", "hm", thread_ts=thread)


@pytest.mark.parametrize("stream", [True, False])
async def test_what_was_posted_unheard_is_taken_over(at: Desk, stream: bool) -> None:
    """A part whose reply was lost is found in the thread, among others, and goes on there."""
    lease = await at.mention()
    await crowd(at, lease)
    if not stream:  # an unnamed message of ours, which might be a lost stream
        ask = lease.ask
        await at.wire().streams.start(ask.channel, ask.thread, "", team=ask.team, user=ask.user)
    before = at.texts(lease)
    method = "chat.startStream" if stream else "chat.postMessage"
    calls = at.slack.calls(method)
    at.slack.troubles.lost[method] = 1
    parts = at.parts_of(lease)

    piece = await parts.open("Hello", stream=stream)
    (part,) = await at.journalled(lease)
    assert (part.state, part.ts) == ("open", at.thread(lease)[-1].ts)
    await parts.extend(piece, "Hello world")
    await parts.say(piece, "Hello world.", UNDER)

    assert at.texts(lease) == [*before, "Hello world."]
    assert at.slack.calls(method) == calls + 1
    assert await states(at, lease) == [(1, "said", "post")]
    assert at.thread(lease)[-1].streaming != "in_progress"

    await parts.post("And more.")
    assert at.texts(lease) == [*before, "Hello world.", "And more."]


async def test_a_whole_part_posted_unheard_is_taken_over(at: Desk) -> None:
    """It stands there once, with its receipt once."""
    lease = await at.mention()
    await crowd(at, lease)
    at.slack.troubles.lost["chat.postMessage"] = 1

    await at.parts_of(lease).post("Hello", UNDER)

    assert at.texts(lease).count("Hello") == 1
    assert grey(at.thread(lease)[-1]) == ["the receipt"]
    assert await states(at, lease) == [(1, "said", "post")]


async def test_without_a_thread_the_channel_is_searched(at: Desk) -> None:
    """A command's answer, lost on the way back, is found in the channel's history, even by a slow clock of Slack's."""
    lease = await at.command("#payments", at=at.clock.at + 30)
    at.slack.troubles.lost["chat.postMessage"] = 1

    await at.parts_of(lease).post("Hello")
    assert at.texts(lease) == ["Hello"]
    assert at.slack.calls("chat.postMessage") == 1


@pytest.mark.parametrize("stream", [True, False])
async def test_what_was_not_posted_is_sent_again(at: Desk, stream: bool) -> None:
    """When it stands nowhere it is sent once more."""
    method = "chat.startStream" if stream else "chat.postMessage"
    at.slack.troubles.refused[method] = 1
    lease = await at.mention()
    parts = at.parts_of(lease)

    await parts.say(await parts.open("Hello", stream=stream), "Hello world")
    assert at.texts(lease) == ["Hello world"]
    assert at.slack.calls(method) == 2


@pytest.mark.parametrize("stream", [True, False])
async def test_nothing_is_sent_again_before_the_look(at: Desk, stream: bool) -> None:
    """While Slack cannot say whether a part stands there, no other is sent; later it is found."""
    at.slack.troubles.lost |= {"chat.postMessage": 1, "chat.startStream": 1}
    at.slack.troubles.down["conversations.replies"] = "internal_error"
    lease = await at.mention()
    parts = at.parts_of(lease)

    for _ in range(2):
        with pytest.raises(Unsure):
            await parts.open("Hello", stream=stream)
    assert at.spoken() == 1

    at.slack.troubles.down.clear()
    await parts.post("Hello world", UNDER)
    assert at.texts(lease) == ["Hello world"]
    assert grey(at.thread(lease)[0]) == ["the receipt"]


async def test_where_nobody_may_look_it_is_sent_again(at: Desk) -> None:
    """An answer is worth more than the doubt, where Slack never lets us read."""
    at.slack.troubles.refused["chat.postMessage"] = 1
    at.slack.troubles.down["conversations.replies"] = "missing_scope"
    lease = await at.mention()

    await at.parts_of(lease).post("Hello")
    assert at.texts(lease) == ["Hello"]


async def test_a_failed_opening_leaves_no_doubt(at: Desk) -> None:
    """When Slack said no, nothing is looked for."""
    at.slack.troubles.errors["chat.postMessage"] = ["restricted_action"]
    lease = await at.mention()
    parts = at.parts_of(lease)

    with pytest.raises(SlackError):
        await parts.post("Hello")
    await parts.post("Hello again")

    assert at.slack.calls("conversations.replies") == 0
    assert await states(at, lease) == [(1, "said", "post")]


# A stream that ends before its time


async def streaming(at: Desk) -> tuple[Lease, Parts]:
    """A part that streams its first words."""
    lease = await at.mention()
    parts = at.parts_of(lease)
    await parts.extend(await parts.open("", stream=True), "Hello ")
    return lease, parts


async def lose_an_append(at: Desk, lease: Lease) -> None:
    """More words arrive, and their reply does not."""
    at.slack.troubles.lost["chat.appendStream"] = 1


async def outlive_the_stream(at: Desk, lease: Lease) -> None:
    """Five minutes pass."""
    at.clock.at += 300


async def press_stop(at: Desk, lease: Lease) -> None:
    """A person presses Slack's stop button."""
    await at.slack.stop_stream("ana", at.thread(lease)[0])


async def close_unheard(at: Desk, lease: Lease) -> None:
    """An append gets lost, and then the reply to the closing too."""
    at.slack.troubles.lost |= {"chat.appendStream": 1, "chat.stopStream": 1}


@pytest.mark.parametrize("trouble", [lose_an_append, outlive_the_stream, press_stop, close_unheard])
@pytest.mark.parametrize("goes_on", [True, False])
async def test_a_stream_that_takes_no_more_goes_on_by_edits(
    at: Desk, trouble: Callable[[Desk, Lease], Awaitable[None]], goes_on: bool
) -> None:
    """The same message shows every word once, whether more is to come or this was the end."""
    lease, parts = await streaming(at)
    await trouble(at, lease)

    if goes_on:
        await parts.extend(parts.pieces[0], "Hello wor")
        assert at.texts(lease) == ["Hello wor"]
    await parts.say(parts.pieces[0], "Hello world", UNDER)

    (message,) = at.thread(lease)
    assert (at.texts(lease), grey(message)) == (["Hello world"], ["the receipt"])
    assert message.streaming == "completed"
    assert await states(at, lease) == [(1, "said", "post")]


async def test_an_expired_stream_is_mended_though_all_was_said(at: Desk) -> None:
    """Slack shows a stream past its time as stuck: it is edited even when no word is missing."""
    lease, parts = await streaming(at)
    at.clock.at += 300

    await parts.say(parts.pieces[0], "Hello ")
    assert at.slack.calls("chat.update") == 1
    assert at.thread(lease)[0].streaming == "completed"


async def test_a_limited_append_is_brought_later(at: Desk) -> None:
    """Nobody waits for a flush; what was not taken comes with the next one, once."""
    lease, parts = await streaming(at)
    at.slack.troubles.limited["chat.appendStream"] = 1

    with pytest.raises(Limited):
        await parts.extend(parts.pieces[0], "Hello wor")
    assert at.waits == []
    at.clock.at += 1
    await parts.extend(parts.pieces[0], "Hello world")

    assert at.texts(lease) == ["Hello world"]
    assert at.slack.calls("chat.update") == 0


async def test_a_stream_that_cannot_be_closed_yet_is_closed_before_it_is_edited(at: Desk) -> None:
    """While the closing is limited the part is not edited in vain; nothing doubles afterwards."""
    lease, parts = await streaming(at)
    at.slack.troubles.lost["chat.appendStream"] = 1
    at.slack.troubles.limited["chat.stopStream"] = 1
    at.slack.troubles.retry_after = 100

    with pytest.raises(Limited):
        await parts.extend(parts.pieces[0], "Hello wor")
    assert at.slack.calls("chat.update") == 0
    at.clock.at += 100
    await parts.say(parts.pieces[0], "Hello world")

    assert at.texts(lease) == ["Hello world"]


async def test_final_words_wait_for_the_limit(at: Desk) -> None:
    """The end of an answer is worth Slack's half a minute."""
    lease, parts = await streaming(at)
    at.slack.troubles.limited |= {"chat.appendStream": 1, "chat.stopStream": 1}
    at.slack.troubles.retry_after = 30

    await parts.say(parts.pieces[0], "Hello world")
    assert at.texts(lease) == ["Hello world"]
    assert at.waits == [30, 30]


async def test_other_words_replace_what_was_streamed(at: Desk) -> None:
    """Words that do not go on from those shown are edited in whole."""
    lease, parts = await streaming(at)

    await parts.say(parts.pieces[0], "Goodbye")
    assert at.texts(lease) == ["Goodbye"]


@pytest.mark.parametrize("stream", [True, False])
async def test_a_table_ends_as_one(at: Desk, stream: bool) -> None:
    """A table that was streamed as it is written stands as a table in the end."""
    lease = await at.mention()
    parts = at.parts_of(lease)
    piece = await parts.open("| a | b |", stream=stream)
    await parts.extend(piece, "| a | b |\n| - | - |")
    await parts.say(piece, "| a | b |\n| - | - |\n| 1 | 2 |", UNDER)

    (message,) = at.slack.by_app(lease.ask.channel, lease.ask.thread)
    assert [block["type"] for block in message.blocks] == ["table", "context"]
    assert message.streaming != "in_progress"


# What stands under an answer, and what stands no more


@pytest.mark.parametrize("way", ["post", "stream", "edit"])
async def test_refused_blocks_do_not_take_the_answer_with_them(at: Desk, way: str) -> None:
    """Where a workspace takes no such blocks, the words are said without them, once."""
    lease = await at.mention()
    parts = at.parts_of(lease)
    for method in ("chat.postMessage", "chat.stopStream", "chat.update"):
        at.slack.troubles.errors[method] = ["invalid_blocks"]
    if way == "post":
        await parts.post("Hello", UNDER)
    else:
        at.slack.troubles.errors["chat.postMessage"] = []
        await parts.say(await parts.open("Hello", stream=way == "stream"), "Hello", UNDER)

    assert at.texts(lease) == ["Hello"]
    assert await states(at, lease) == [(1, "said", "post")]


@pytest.mark.parametrize("problem", ["message_not_found", "edit_window_closed"])
async def test_what_can_be_edited_no_more_is_posted_again(at: Desk, problem: str) -> None:
    """When somebody deleted our message, or it is too old, the answer still has its end."""
    lease = await at.mention()
    parts = at.parts_of(lease)
    piece = await parts.open("One moment…", stream=False)
    if problem == "message_not_found":
        at.slack.world.remove(at.thread(lease)[0])
    at.slack.troubles.errors["chat.update"] = [problem]

    await parts.say(piece, "Hello", UNDER)

    assert at.texts(lease)[-1] == "Hello"
    (part,) = await at.journalled(lease)
    assert (part.state, part.ts, part.text) == ("said", at.thread(lease)[-1].ts, "Hello")


async def test_parts_keep_their_order(at: Desk) -> None:
    """One that was lost while it was posted again takes its old place in the next process."""
    lease = await at.mention()
    parts = at.parts_of(lease)
    for words in ("one", "two", "three"):
        await parts.post(words)
    at.slack.world.remove(at.thread(lease)[1])
    at.slack.troubles.lost["chat.postMessage"] = 1
    with pytest.raises(Unsure):
        await parts.say(parts.pieces[1], "two, again")

    after = at.parts_of(await at.taken_over())
    await after.resume()
    assert [piece.n for piece in after.pieces] == [1, 3]
    await after.reclaim()
    assert [piece.n for piece in after.pieces] == [1, 2, 3]
    found = (await at.journalled(lease))[1]
    assert (found.state, found.ts) == ("open", after.pieces[1].ts)
    assert found.ts == at.thread(lease)[-1].ts


async def test_what_was_said_is_not_said_again(at: Desk) -> None:
    """A part that was said costs no further call."""
    lease = await at.mention()
    await at.parts_of(lease).post("Hello", UNDER)
    await at.written(lease)
    after = at.parts_of(lease)
    await after.resume()

    await after.say(after.pieces[0], "Hello", UNDER)
    assert at.spoken() == 1


async def test_what_was_said_just_before_a_kill_is_found(at: Desk) -> None:
    """A part that was said, and not yet noted as that, stands once: it is found in Slack, and its words stay."""
    lease = await at.mention()
    await at.parts_of(lease).post("Hello", UNDER)
    after = at.parts_of(await at.taken_over())
    await after.resume()

    await after.post("Hello", UNDER)
    assert at.texts(lease) == ["Hello"]


async def test_what_was_said_can_be_withdrawn(at: Desk) -> None:
    """The notice takes its place, and no restart believes that the words still stand."""
    lease = await at.mention()
    parts = at.parts_of(lease)
    await parts.post("Hello")
    await parts.withdraw(parts.pieces[0], "Taken back.")

    assert at.texts(lease) == ["Taken back."]
    after = at.parts_of(lease)
    await after.resume()
    await after.say(after.pieces[0], "Hello")
    assert at.texts(lease) == ["Hello"]


# Another process


async def test_a_torn_stream_is_closed_by_the_next_process(at: Desk) -> None:
    """A stream left open is closed and its message edited whole."""
    lease, _ = await streaming(at)
    after = at.parts_of(await at.taken_over())
    assert await after.resume()

    await after.say(after.pieces[0], "Goodbye")
    assert (at.texts(lease), at.thread(lease)[0].streaming) == (["Goodbye"], "completed")
    assert at.slack.calls("chat.startStream") == 1


async def test_parts_go_on_in_a_direct_message(at: Desk) -> None:
    """When an answer had to move, the next process goes on where it moved to."""
    lease = await at.mention()
    parts = at.parts_of(lease)
    await parts.post("here")
    direct = at.slack.world.direct("U0ANA").id
    parts.move(direct)
    await parts.post("there")
    await at.written(lease)

    after = at.parts_of(await at.taken_over())
    await after.resume()
    assert (after.place.channel, after.place.thread) == (direct, "")
    await after.say(after.pieces[0], "there, whole")
    assert [m.text for m in at.slack.by_app("@ana")] == ["there, whole"]
    assert [part.n for part in await at.journalled(lease)] == [1, 2]


ACTS: dict[str, Callable[[Parts], Awaitable[object]]] = {
    "open a stream": lambda parts: parts.open("more", stream=True),
    "open a post": lambda parts: parts.open("more", stream=False),
    "post": lambda parts: parts.post("more"),
    "extend": lambda parts: parts.extend(parts.pieces[0], "Hello world"),
    "close": lambda parts: parts.close(parts.pieces[0]),
    "say": lambda parts: parts.say(parts.pieces[0], "Hello world"),
    "withdraw": lambda parts: parts.withdraw(parts.pieces[0], "Taken back."),
    "note_url": lambda parts: parts.note_url("opening"),
    "check": lambda parts: parts.check(),
}


@pytest.mark.parametrize("act", ACTS)
async def test_who_lost_the_lease_says_nothing(at: Desk, act: str) -> None:
    """Whatever it was about to do, no call that shows something leaves."""
    lease, parts = await streaming(at)
    await at.taken_over()
    before = at.spoken()

    with pytest.raises(LeaseLost):
        await ACTS[act](parts)
    assert at.spoken() == before
    assert at.texts(lease) == ["Hello "]


async def test_who_lost_the_lease_does_not_send_again(at: Desk) -> None:
    """Not even what it sent just before, when the reply to that was lost."""
    lease = await at.mention()
    client = at.client(Witness)
    assert isinstance(client, Witness)

    async def look(method: str) -> None:
        if method == "conversations.replies":
            await at.taken_over()

    client.look = look
    at.slack.troubles.refused["chat.postMessage"] = 1

    with pytest.raises(LeaseLost):
        await at.parts_of(lease, client).post("Hello")
    assert at.texts(lease) == []
