"""One visible end for every ask: a first sign, the text as it comes, the receipt under it, wherever it can be said."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.answer import (
    Answer,
    Ended,
    Event,
    Failed,
    Passing,
    Receipt,
    Refused,
    Stopped,
    Thinking,
    ToolStarted,
    Waiting,
    Whole,
    Withdrawn,
)
from bot.ask import Lease
from bot.demo.slack.text import pings
from bot.demo.slack.world import Status
from bot.errors import LeaseLost
from bot.slack.allowance import Allowances, Left
from bot.slack.aside import Aside
from bot.slack.flow import Flow
from bot.slack.mrkdwn import escaped
from bot.slack.parts import Parts
from bot.slack.reply import PLACEHOLDER, Replies
from bot.slack.status import StatusLine
from bot.slack.wire import SlackError, SlackWire
from tests.bot.slack.answering import (
    LINE,
    NEVER,
    RECEIPT,
    SOON,
    Desk,
    answer,
    desk,
    grey,
    has_buttons,
    say,
    server,
    words_of,
)

LONG = "\n\n".join(f"Paragraph {n}: {'word ' * 60}".strip() for n in range(90))
"""Of the length of three messages."""


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk at a whole Slack."""
    async with desk(tmp_path) as made:
        yield made


def status_of(at: Desk, lease: Lease) -> Status:
    """What a thread shows under our name."""
    return at.slack.world.channel(lease.ask.channel).statuses.get(lease.ask.thread, Status())


def no_status(at: Desk) -> None:
    """A workspace without a native status of either kind."""
    for method in ("agents.sessions.setStatus", "assistant.threads.setStatus"):
        at.slack.troubles.down[method] = "unknown_method"


async def answered(at: Desk, lease: Lease, ended: Ended, *events: Event) -> None:
    """Let an ask be answered."""
    async with aclosing(await at.replies().open(lease)) as reply:
        await reply.first_sign()
        for event in events:
            await reply.on(event)
        await reply.end(ended)


def letters(texts: list[str]) -> str:
    """The text of several messages, without the white space between them."""
    return "".join("".join(texts).split())


# The first sign

ENDS: tuple[Ended, ...] = (
    answer("Because of the tests."),
    Refused("Claude declined.", RECEIPT),
    Stopped("Stopped.", RECEIPT, "Because"),
    Failed("Claude cannot be reached."),
)


@pytest.mark.parametrize("ended", ENDS, ids=lambda ended: type(ended).__name__)
async def test_the_status_is_shown_at_once_and_cleared_at_each_end(at: Desk, ended: Ended) -> None:
    """Slack's own session is marked as busy, with words; whatever the end, neither stays."""
    lease = await at.mention()
    replies = at.replies()
    async with aclosing(await replies.open(lease)) as reply:
        await reply.first_sign()
        status = status_of(at, lease)
        shown = (status.text, status.session, status.title, status.initiator)
        await reply.end(ended)

    assert shown == ("is reading…", "processing", "why is the build red?", "U0ANA")
    assert (status.text, status.session) == ("", "active")
    assert b"purser_first_sign_seconds_count 1.0" in replies.metrics.text()


async def test_without_a_status_a_placeholder_becomes_the_answer(at: Desk) -> None:
    """It stands there at once, is edited as the text comes, and no stream opens beside it."""
    no_status(at)
    lease = await at.mention()
    async with aclosing(await at.replies(whole=0).open(lease)) as reply:
        await reply.first_sign()
        assert at.texts(lease) == [PLACEHOLDER]
        await say(reply, "Because of ", "the tests")
        await at.shown(lease, "Because of the")
        await reply.end(answer("Because of the tests."))

    (message,) = at.thread(lease)
    assert (at.texts(lease), grey(message)) == (["Because of the tests."], [LINE])
    assert at.slack.calls("chat.startStream") == 0
    assert [(p.n, p.state) for p in await at.journalled(lease)] == [(1, "said")]


@pytest.mark.parametrize("missing", ["agents.sessions.setStatus", "assistant.threads.setStatus"])
async def test_half_a_status_is_a_sign_too(at: Desk, missing: str) -> None:
    """Words without a session, or a session without words: no placeholder is needed."""
    at.slack.troubles.down[missing] = "unknown_method"
    lease = await at.mention()
    await answered(at, lease, answer("Because."))

    assert at.texts(lease) == ["Because."]
    assert at.slack.calls("chat.update") == 0


async def test_words_under_a_message_are_taken_away_again(at: Desk) -> None:
    """What is being done after the first words were shown is cleared at the end as well."""
    lease = await at.mention()
    async with aclosing(await at.replies(whole=0).open(lease)) as reply:
        await reply.first_sign()
        await say(reply, "Because ")
        await at.shown(lease, "Because")
        at.clock.at += 2
        await reply.on(ToolStarted("1", "jira_get_issue", "reading SHOP-12"))
        await at.slack.wait_for(lambda: status_of(at, lease).text == "is reading SHOP-12…")
        await reply.end(answer("Because of the tests."))

    assert status_of(at, lease).text == ""


async def test_a_status_that_is_limited_is_not_waited_for(at: Desk) -> None:
    """A placeholder takes its place at once."""
    for method in ("agents.sessions.setStatus", "assistant.threads.setStatus"):
        at.slack.troubles.limited[method] = 1
    lease = await at.mention()
    async with aclosing(await at.replies().open(lease)) as reply:
        await reply.first_sign()

    assert at.texts(lease) == [PLACEHOLDER]
    assert at.waits == []


async def test_a_slow_status_holds_up_nobody(tmp_path: Path) -> None:
    """After a while the ask goes on without knowing whether it stands there, and takes it away at the end."""
    async with desk(tmp_path, sleep=asyncio.sleep) as at:
        lease = await at.mention()
        at.slack.troubles.slow["agents.sessions.setStatus"] = NEVER
        at.slack.troubles.slow["assistant.threads.setStatus"] = NEVER
        line = StatusLine(at.wire(), lease.ask, clock=at.clock, sign_seconds=0.02)

        assert await line.begin()
        at.slack.troubles.slow.clear()
        await line.end()
        assert at.slack.calls("agents.sessions.setStatus") == 1
        assert status_of(at, lease).session == "active"


DOINGS: tuple[tuple[Event, str], ...] = (
    (ToolStarted("1", "jira_get_issue", "reading SHOP-12"), "is reading SHOP-12…"),
    (Passing(2, 4, "src/pay.py"), "is reading, pass 2 of 4: src/pay.py"),
    (Waiting("waiting for Claude's rate limit"), "is waiting for Claude's rate limit"),
    (Thinking("comparing\nboth diffs"), "is thinking: comparing both diffs"),
    (Thinking(), "is thinking…"),
)


@pytest.mark.parametrize("native", [True, False])
async def test_what_is_being_done_is_told(at: Desk, native: bool) -> None:
    """Tools, waits and thoughts show as they come, in the status or in the placeholder, not too often."""
    if not native:
        no_status(at)
    lease = await at.mention()

    def shown() -> str:
        return status_of(at, lease).text if native else at.texts(lease)[0].strip("_")

    async with aclosing(await at.replies().open(lease)) as reply:
        await reply.first_sign()
        for event, words in DOINGS:
            at.clock.at += 2
            await reply.on(event)
            await at.slack.wait_for(lambda said=words: shown() == said)
        at.clock.at += 1
        await reply.on(Waiting("too soon"))
        assert shown() == "is thinking…"
        at.clock.at += 2
        before = len(at.slack.log)
        await reply.on(Thinking())
        assert len(at.slack.log) == before
        await reply.end(answer("Done."))

    assert at.texts(lease) == ["Done."]


async def test_words_of_the_answer_wait_for_no_status(tmp_path: Path) -> None:
    """While Slack takes its time to show what is being done, the first words are shown."""
    async with desk(tmp_path, sleep=asyncio.sleep) as at:
        lease = await at.mention()
        async with aclosing(await at.replies(whole=0).open(lease)) as reply:
            await reply.first_sign()
            at.slack.troubles.slow["assistant.threads.setStatus"] = NEVER
            at.clock.at += 2
            await reply.on(Thinking())
            await say(reply, "Because ")
            await at.shown(lease, "Because")


async def test_doings_do_not_hide_words(at: Desk) -> None:
    """Once the placeholder shows words of the answer, no doing is written over them."""
    no_status(at)
    lease = await at.mention()
    async with aclosing(await at.replies(whole=0).open(lease)) as reply:
        await reply.first_sign()
        await say(reply, "Because of ")
        await at.shown(lease, "Because of")
        at.clock.at += 9
        await reply.on(ToolStarted("1", "jira_get_issue", "reading SHOP-12"))

        assert at.texts(lease) == ["Because of"]


async def test_the_status_goes_even_when_nothing_can_be_said(at: Desk) -> None:
    """A thread is not left busy by an answer that Slack takes nowhere."""
    at.slack.troubles.down["chat.postMessage"] = "no_permission"
    lease = await at.mention()

    with pytest.raises(SlackError):
        await answered(at, lease, answer("Because."))
    assert status_of(at, lease).session == "active"


async def test_the_next_attempt_takes_away_an_earlier_ones_status(at: Desk) -> None:
    """A status shown before a kill does not stay, though none could be shown after it."""
    lease = await at.mention()
    async with aclosing(await at.replies().open(lease)) as reply:
        await reply.first_sign()
    after = await at.taken_over()
    at.slack.troubles.limited["agents.sessions.setStatus"] = 1
    at.slack.troubles.errors["assistant.threads.setStatus"] = ["internal_no_idea"]

    await answered(at, after, answer("Because."))
    status = status_of(at, lease)
    assert (status.text, status.session) == ("", "active")


# The text as it comes


async def test_a_short_answer_is_posted_in_one_piece(at: Desk) -> None:
    """Whole soon after its first words, it costs one call, with receipt and buttons."""
    lease = await at.mention()
    async with aclosing(await at.replies().open(lease)) as reply:
        await say(reply, "Because of ", "the tests.")
        await asyncio.sleep(0.03)
        assert at.spoken() == 0
        await reply.end(answer("Because of the tests.", "I answered the earlier wording."))

    (message,) = at.thread(lease)
    assert at.spoken() == 1
    assert at.texts(lease) == ["Because of the tests."]
    assert grey(message) == ["I answered the earlier wording.", LINE]
    assert has_buttons(message)
    assert message.unfurls is False


async def test_a_longer_answer_streams(at: Desk) -> None:
    """Words show while others are still to come, by time alone; the end adds the rest and the receipt."""
    lease = await at.mention()
    async with aclosing(await at.replies(whole=0).open(lease)) as reply:
        await say(reply, "\n\nBecause ")
        await at.shown(lease, "Because")
        await say(reply, "of ", "the tests")
        await at.shown(lease, "Because of the")
        assert at.thread(lease)[0].streaming == "in_progress"
        await reply.end(answer("\n\nBecause of the tests."))

    (message,) = at.thread(lease)
    assert (at.texts(lease), grey(message)) == (["Because of the tests."], [LINE])
    assert message.streaming == "completed"
    assert at.slack.calls("chat.update") == 0


async def test_first_words_come_with_the_stream(at: Desk) -> None:
    """One call shows them: a stream is not started empty."""
    lease = await at.mention()
    async with aclosing(await at.replies(whole=0, flush=NEVER).open(lease)) as reply:
        await say(reply, "Because of ")
        await at.shown(lease, "Because of")

    assert at.spoken() == 1


async def test_after_words_were_withdrawn_a_placeholder_tells_what_is_done(at: Desk) -> None:
    """Where there is no native status, its place is that of the status again until other words come."""
    no_status(at)
    lease = await at.mention()
    async with aclosing(await at.replies(whole=0).open(lease)) as reply:
        await reply.first_sign()
        await say(reply, "Because of ")
        await at.shown(lease, "Because of")
        await reply.on(Withdrawn("The beginning is taken back."))
        at.clock.at += 3
        await reply.on(Waiting("waiting for Claude", 3.0))
        await at.shown(lease, "_is waiting for Claude_")


async def test_words_that_may_change_are_shown_as_soon_as_they_are_decided(at: Desk) -> None:
    """A first word that is not whole waits for the rest of it, and no longer than that."""
    lease = await at.mention()
    async with aclosing(await at.replies(whole=SOON, flush=NEVER).open(lease)) as reply:
        await say(reply, "Bec")
        await asyncio.sleep(4 * SOON)
        await say(reply, "ause of")
        await say(reply, " it")
        await at.shown(lease, "Because of")


async def test_what_has_come_to_its_end_opens_no_stream(at: Desk) -> None:
    """While an answer that is whole is booked, its first words wait for that, and it is posted in one piece."""
    lease = await at.mention()
    async with aclosing(await at.replies(whole=SOON).open(lease)) as reply:
        await say(reply, "Because of ", "the tests.")
        await reply.on(Whole())
        await asyncio.sleep(4 * SOON)
        assert at.spoken() == 0
        await reply.end(answer("Because of the tests."))

    assert (at.texts(lease), at.spoken()) == (["Because of the tests."], 1)


def waiting(at: Desk, parts: Parts) -> Flow:
    """A flow whose first words wait for a minute."""
    return Flow(
        parts,
        known=lambda *_: False,
        clock=at.clock,
        allowances=Allowances(at.clock),
        hold=lambda *_: NEVER,
        opening=lambda: lambda: None,
    )


class Stalling(asyncio.SelectorEventLoop):
    """A loop that can stand still for a while."""

    stood = 0.0  # seconds

    def time(self) -> float:
        """The time by which it waits."""
        return super().time() + self.stood


def test_a_moment_in_which_all_stood_still_opens_no_stream(tmp_path: Path) -> None:
    """What had come to its end meanwhile is heard before the wait of first words is over."""
    loop = Stalling()

    async def answered() -> None:
        async with desk(tmp_path) as at:
            parts = at.parts_of(await at.mention())
            flow = waiting(at, parts)
            flow.take("Because of the tests. ")
            await asyncio.sleep(0)
            loop.stood += 2 * NEVER
            for _ in range(20):
                await asyncio.sleep(0)
            flow.whole = True
            await flow.stop()
            assert parts.pieces == []

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(answered())


async def test_an_end_within_the_wait_of_first_words_waits_for_nothing(at: Desk) -> None:
    """What is whole and booked before its first words are due is said at once."""
    flow = waiting(at, at.parts_of(await at.mention()))
    flow.take("Because of the tests.")
    flow.whole = True
    await asyncio.sleep(0)
    ending = asyncio.create_task(flow.stop())
    for _ in range(20):
        await asyncio.sleep(0)

    assert ending.done()
    await ending


async def test_more_after_the_end_is_shown_as_it_comes(at: Desk) -> None:
    """An answer that was whole and is gone on with streams like any other."""
    lease = await at.mention()
    async with aclosing(await at.replies(whole=SOON).open(lease)) as reply:
        await say(reply, "Because of ")
        await reply.on(Whole())
        await say(reply, "the tests. ", "And ")
        await at.shown(lease, "Because of the tests. And")


async def test_a_stream_that_is_refused_loses_no_words(at: Desk) -> None:
    """Others start streams, too: after Slack's 429 the first words are a post, and streams count as scarce."""
    at.slack.troubles.limited["chat.startStream"] = 1
    lease, replies = await at.mention(), at.replies(whole=0)
    async with aclosing(await replies.open(lease)) as reply:
        await say(reply, "Because ")
        await at.shown(lease, "Because")
        await say(reply, "of ")
        await at.shown(lease, "Because of")
        await reply.end(answer("Because of the tests."))

    (message,) = at.thread(lease)
    assert (at.texts(lease), grey(message)) == (["Because of the tests."], [LINE])
    assert at.waits == []
    assert not replies.allowances.streams.left().plenty


async def test_an_edit_that_is_refused_makes_edits_scarce(at: Desk) -> None:
    """Others edit, too: after Slack's 429 first words that no stream brings wait longer, and none is lost."""
    no_status(at)
    at.slack.troubles.limited["chat.update"] = 1
    lease, replies = await at.mention(), at.replies(whole=0)
    async with aclosing(await replies.open(lease)) as reply:
        await reply.first_sign()
        await say(reply, "Because ")
        await at.slack.wait_for(lambda: at.slack.calls("chat.update"))
        await reply.end(answer("Because of the tests."))

    assert at.texts(lease) == ["Because of the tests."]
    assert not replies.allowances.edits.left().plenty


async def test_where_nothing_opens_first_words_come_later(at: Desk) -> None:
    """With streams and posts limited at once nothing is lost: words are brought when Slack takes them."""
    at.slack.troubles.limited |= {"chat.startStream": 1, "chat.postMessage": 1}
    lease = await at.mention()
    async with aclosing(await at.replies(whole=0).open(lease)) as reply:
        await say(reply, "Because ")
        await at.slack.wait_for(lambda: at.slack.calls("chat.postMessage"))
        at.clock.at += 2
        await at.shown(lease, "Because")


@pytest.mark.parametrize("native", [True, False])
async def test_first_words_wait_by_what_would_bring_them(at: Desk, native: bool) -> None:
    """What is left of streams decides, or of edits where a placeholder stands; and each that is used is counted."""
    if not native:
        no_status(at)
    asked: list[tuple[Left | None, Left]] = []

    def at_once(streams: Left | None, edits: Left) -> float:
        asked.append((streams, edits))
        return 0.0

    lease, replies = await at.mention(), at.replies(whole=at_once)
    async with aclosing(await replies.open(lease)) as reply:
        await reply.first_sign()
        await say(reply, "Because of ")
        await at.shown(lease, "Because of")

    streams, edits = replies.allowances.streams.left(), replies.allowances.edits.left()
    assert asked == [(Left(streams.of, streams.of) if native else None, Left(edits.of, edits.of))]
    assert (streams.of - streams.now, edits.of - edits.now) == ((1, 0) if native else (0, 1))


async def test_much_text_does_not_wait_for_the_time(at: Desk) -> None:
    """Thousands of characters are brought at once, and thousands more again."""
    lease = await at.mention()
    async with aclosing(await at.replies(whole=NEVER, flush=NEVER).open(lease)) as reply:
        await say(reply, "word " * 700)
        await at.slack.wait_for(lambda: len("".join(at.texts(lease))) > 3_000)
        await say(reply, *["more " * 100] * 7)
        await at.slack.wait_for(lambda: len("".join(at.texts(lease))) > 6_000)


@pytest.mark.parametrize("way", ["whole", "stream", "edits"])
async def test_a_long_answer_stands_in_numbered_parts(at: Desk, way: str) -> None:
    """However it came, every word stands once and in order; the receipt is under the last part."""
    if way == "edits":
        no_status(at)
    lease = await at.mention()
    whole = NEVER if way == "whole" else 0
    async with aclosing(await at.replies(whole=whole).open(lease)) as reply:
        await reply.first_sign()
        for paragraph in LONG.split("\n\n") if whole == 0 else ():
            await say(reply, f"{paragraph}\n\n")
            await asyncio.sleep(0.001)
        await reply.end(answer(LONG))

    thread = at.thread(lease)
    assert letters(at.texts(lease)) == letters([LONG])
    assert len(thread) == 3
    assert max(len(text) for text in at.texts(lease)) <= 12_000
    assert [grey(message) for message in thread] == [[], [], [LINE]]
    assert [(p.n, p.state) for p in await at.journalled(lease)] == [
        (1, "said"),
        (2, "said"),
        (3, "said"),
    ]


async def test_a_part_that_was_said_stays_as_it_is(at: Desk) -> None:
    """Where the whole text would be cut elsewhere than its beginning was, the rest goes on after what stands."""
    intro, row = "Before the table. " * 150, "| some | cells | of a long table |\n"
    text = f"{intro}\n\n{row * 600}"
    lease = await at.mention()
    async with aclosing(await at.replies(whole=NEVER, flush=NEVER).open(lease)) as reply:
        await say(reply, text[:11_500])
        await at.slack.wait_for(lambda: len(at.thread(lease)) == 2 and at.texts(lease)[1])
        first = at.texts(lease)[0]
        await reply.end(answer(text))

    assert first.strip() == intro.strip()
    assert at.texts(lease)[0] == first
    assert letters(at.texts(lease)) == letters([text])


async def test_a_stream_is_closed_before_slack_kills_it(at: Desk) -> None:
    """Long before its five minutes are over it goes on by edits: nobody sees it stuck."""
    lease = await at.mention()
    async with aclosing(await at.replies(whole=0).open(lease)) as reply:
        await say(reply, "Because ")
        await at.shown(lease, "Because")
        at.clock.at += 240
        await at.slack.wait_for(lambda: at.thread(lease)[0].streaming == "completed")
        await say(reply, "of ")
        await at.shown(lease, "Because of")
        await reply.end(answer("Because of the tests."))

    assert at.texts(lease) == ["Because of the tests."]
    assert [line.answer.get("error") for line in at.slack.log if line.answer.get("error")] == []


async def test_nobody_streams_more_often_than_slack_lets_us(at: Desk) -> None:
    """After eighteen streams in a minute answers are posts, which are edited."""
    replies = at.replies(whole=0)
    assert [replies.allowances.streams.use() for _ in range(19)] == [True] * 18 + [False]
    lease = await at.mention()
    async with aclosing(await replies.open(lease)) as reply:
        await say(reply, "Because ")
        await at.shown(lease, "Because")
        await say(reply, "of ")
        await at.shown(lease, "Because of")

    assert at.slack.calls("chat.startStream") == 0
    at.clock.at += 61
    assert replies.allowances.streams.use()


async def test_troubles_on_the_way_never_reach_the_turn(at: Desk) -> None:
    """Errors and limits of Slack's cost nothing but time; at the end every word stands once."""
    no_status(at)
    lease = await at.mention()
    async with aclosing(await at.replies(whole=0).open(lease)) as reply:
        await reply.first_sign()
        at.slack.troubles.limited["chat.update"] = 1
        at.slack.troubles.errors["chat.update"] = ["internal_error", "fatal_error", "cant_say"]
        for word in ("Because ", "of ", "the ", "tests ", "that "):
            before = len(at.slack.log)
            await say(reply, word)
            at.clock.at += 1
            await at.slack.wait_for(lambda before=before: len(at.slack.log) > before)
        await reply.end(answer("Because of the tests that fail."))

    assert at.texts(lease) == ["Because of the tests that fail."]
    assert at.slack.troubles.errors["chat.update"] == []


async def test_a_closed_channel_is_not_tried_again_and_again(at: Desk) -> None:
    """Once Slack says that we are no member, only the end speaks."""
    lease = await at.mention()
    async with aclosing(await at.replies(whole=0).open(lease)) as reply:
        await at.slack.expel("#payments")
        await say(reply, "Because ")
        await at.slack.wait_for(lambda: at.spoken() == 1)
        await say(reply, "of ")
        await asyncio.sleep(0.05)

    assert at.spoken() == 1


@pytest.mark.parametrize("whole", [NEVER, 0])
async def test_words_that_slack_takes_away_are_left_to_it(at: Desk, whole: float) -> None:
    """A message of ours ends the status words by itself: no further call is made for that."""
    lease = await at.mention()
    async with aclosing(await at.replies(whole=whole).open(lease)) as reply:
        await reply.first_sign()
        await say(reply, "Because ")
        if not whole:
            await at.shown(lease, "Because")
        await reply.end(answer("Because of the tests."))

    assert at.slack.calls("assistant.threads.setStatus") == 1
    assert status_of(at, lease).text == ""


# What must not be seen


async def test_nothing_pings_and_no_unknown_host_is_linked(at: Desk) -> None:
    """However it is cut, in words, sentences, doings and notices, nothing that we ever send does either."""
    nasty = "<!channel> <@U0BEN> https://evil.example/?q=1 "
    lease = await at.mention(text="see http://exa\u2100mple.com and https://wiki.example/page")
    no_status(at)
    async with aclosing(await at.replies(whole=0).open(lease)) as reply:
        await reply.first_sign()
        at.clock.at += 9
        await reply.on(Thinking(nasty))
        await say(reply, "Said: <!chan", "nel> <@U0", "BEN> https://evil.", "example/?q=1 ")
        await at.slack.wait_for(lambda: "Said" in at.texts(lease)[0])
        await reply.on(Withdrawn(nasty))
        await reply.end(Failed(nasty, RECEIPT, nasty))
    other = await at.mention()
    await answered(at, other, answer(nasty, nasty))

    sent = [str(line.arguments) for line in at.slack.log if line.method.startswith("chat.")]
    assert sum("evil.example" in one for one in sent) > 4
    assert pings("".join(sent)) == []
    assert "https://evil.example" not in "".join(sent).replace(escaped(nasty).strip(), "")


async def test_an_address_in_code_is_none_in_a_notification(at: Desk) -> None:
    """The plain form of an answer has no signs of code, so no address in it is one: it would be a link, and unfurled."""
    lease = await at.mention()
    evil = "https://evil.example/?q=1"
    await answered(at, lease, answer(f"```\n{evil}\n```\n`{evil}` {evil}"))

    (message,) = at.thread(lease)
    assert "evil.example/?q=1" in message.text
    assert "://" not in message.text


async def test_notes_cannot_ping_either(at: Desk) -> None:
    """A note is shown as it is, in a grey line."""
    lease = await at.mention(text="see https://wiki.example/page")
    text = "[wiki](https://wiki.example/page) [shop](https://shop.atlassian.net/browse/SHOP-1)"
    await answered(at, lease, Answer(text, Receipt(), ("<!channel> & <@U0BEN>",)))

    (message,) = at.thread(lease)
    assert at.texts(lease) == [text]
    assert grey(message) == ["&lt;!channel&gt; &amp; &lt;@U0BEN&gt;"]
    assert pings(message.text) == []


async def test_a_link_is_one_as_the_asker_wrote_it(at: Desk) -> None:
    """An address that the asker wrote stays a link to the letter; more behind it, or beside it on its host, is text."""
    lease = await at.mention(text="see https://wiki.example/page.")
    text = (
        "https://wiki.example/page [a](https://wiki.example/page?q=1) [b](https://wiki.example/x)"
    )
    await answered(at, lease, Answer(text, Receipt()))

    (words,) = at.texts(lease)
    assert words == "https://wiki.example/page [a] (`wiki.example/page?q=1`) [b] (`wiki.example/x`)"


async def test_a_code_hosts_link_asks_for_nothing(at: Desk) -> None:
    """A link to a code host stays one without a query alone: with one, signing in there leads on to wherever it says."""
    lease = await at.mention()
    plain = "https://github.com/shop/checkout/pull/7#L3"
    away = "https://github.com/login/oauth/authorize?client_id=1&state=secret"
    await answered(at, lease, Answer(f"{plain} [a]({away}) {away}", Receipt()))

    (words,) = at.texts(lease)
    assert words.startswith(f"{plain} [a] (`github.com/")
    assert away not in words


# The ends


@pytest.mark.parametrize(
    ("ended", "words", "lines"),
    [
        (answer("Yes."), "Yes.", [LINE]),
        (answer("Yes.", "Asked anew."), "Yes.", ["Asked anew.", LINE]),
        (answer("  \n"), "(no words)", [LINE]),
        (Answer("Help.", Receipt()), "Help.", []),
        (Refused("Claude declined.", RECEIPT), "Claude declined.", [LINE]),
        (Stopped("Stopped.", RECEIPT, "Bec"), "Bec\n\nStopped.", [LINE]),
        (Stopped("Not here.", Receipt()), "Not here.", []),
        (Failed("It broke."), "It broke. (reference abcdefgh)", []),
        (
            Failed("It broke.", RECEIPT, "```py\nx"),
            "```py\nx\n```\n\nIt broke. (reference abcdefgh)",
            [LINE],
        ),
    ],
)
async def test_each_end_is_seen(at: Desk, ended: Ended, words: str, lines: list[str]) -> None:
    """An answer, a refusal, a stop or a failure: a sentence, its notes, its receipt, and a reference to quote."""
    lease = await at.mention()

    await answered(at, lease, ended)

    (message,) = at.thread(lease)
    assert (at.texts(lease), grey(message)) == ([words], lines)
    assert has_buttons(message) is (LINE in lines)


async def test_withdrawn_words_are_replaced_by_the_notice(at: Desk) -> None:
    """What Claude takes back in mid-stream is gone at once; what it says instead comes in the same message."""
    lease = await at.mention()
    async with aclosing(await at.replies(whole=0).open(lease)) as reply:
        await say(reply, "First take ", "and its unfinished wo")
        await at.shown(lease, "First take and its unfinished")
        await reply.on(Withdrawn("That is taken back."))
        assert at.texts(lease) == ["That is taken back."]
        await say(reply, "Second ")
        await at.shown(lease, "Second")
        await reply.end(answer("Second take."))

    (message,) = at.thread(lease)
    assert (at.texts(lease), grey(message)) == (["Second take."], [LINE])
    assert message.streaming == "completed"


async def test_all_parts_are_withdrawn(at: Desk) -> None:
    """Of a long answer no part stays; those that the new one does not need say so."""
    lease = await at.mention()
    async with aclosing(await at.replies(whole=0).open(lease)) as reply:
        await say(reply, LONG)
        await at.slack.wait_for(lambda: len(at.thread(lease)) == 3 and at.texts(lease)[2])
        await reply.on(Withdrawn("That is taken back."))
        assert at.texts(lease) == ["That is taken back.", "_(withdrawn)_", "_(withdrawn)_"]
        await reply.end(answer("another " * 2_000))

    texts = at.texts(lease)
    assert (letters(texts[:2]), texts[2]) == ("another" * 2_000, "_(withdrawn)_")
    assert [grey(message) for message in at.thread(lease)] == [[], [LINE], []]


async def test_what_nobody_saw_needs_no_notice(at: Desk) -> None:
    """Words taken back before they were shown leave no message."""
    lease = await at.mention()
    async with aclosing(await at.replies().open(lease)) as reply:
        await say(reply, "First take ")
        await reply.on(Withdrawn("That is taken back."))
        assert at.spoken() == 0
        await reply.end(answer("Second take."))

    assert at.texts(lease) == ["Second take."]


async def test_a_persons_stop_shows_what_was_said(at: Desk) -> None:
    """Slack's stop button ends the stream under our hands; the message says so all the same."""
    lease = await at.mention()
    async with aclosing(await at.replies(whole=0).open(lease)) as reply:
        await say(reply, "Because ")
        await at.shown(lease, "Because")
        await at.slack.stop_stream("ana", at.thread(lease)[0])
        await say(reply, "of ")
        await reply.end(Stopped("Stopped.", RECEIPT, "Because of"))

    (message,) = at.thread(lease)
    assert (at.texts(lease), grey(message)) == (["Because of\n\nStopped."], [LINE])
    assert message.streaming == "completed"


# Where it is said


async def test_a_command_is_answered_in_its_channel(at: Desk) -> None:
    """Where we are a member: as a message of its own, for everybody."""
    lease = await at.command("#payments")
    async with aclosing(await at.replies(whole=0).open(lease)) as reply:
        await reply.first_sign()
        await say(reply, "SHOP-12 is ", "done ")
        await asyncio.sleep(0.05)
        assert at.spoken() == 0
        await reply.end(answer("SHOP-12 is done."))

    message = at.slack.by_app("#payments")[-1]
    assert (words_of(message), grey(message), message.thread_ts) == ("SHOP-12 is done.", [LINE], "")
    assert at.spoken() == 1


@pytest.mark.parametrize(("text", "posts"), [("SHOP-12 is done.", 1), (LONG, 3)])
async def test_where_we_are_no_member_the_response_url_is_taken(
    at: Desk, text: str, posts: int
) -> None:
    """The channel sees the answer, and how to invite us."""
    lease = await at.command("#random")

    await answered(at, lease, answer(text))

    said = at.slack.by_app("#random")
    assert letters([words_of(message) for message in said]) == letters([text])
    assert (len(said), {message.response_type for message in said}) == (posts, {"in_channel"})
    assert [len(grey(message)) for message in said] == [0] * (posts - 1) + [2]
    assert grey(said[-1])[0] == LINE
    assert "/invite @Purser" in grey(said[-1])[1]
    assert [m.unfurls for m in said] == [False] * posts
    assert at.slack.by_app("@ana") == []


@pytest.mark.parametrize("reason", ["expired", "too long", "no url"])
async def test_where_the_url_does_not_do_it_is_said_directly(at: Desk, reason: str) -> None:
    """After half an hour, for more than five messages, or without a url: to the asker, whole, naming the invitation."""
    lease = await at.command("#random", **({"response_url": ""} if reason == "no url" else {}))
    text = LONG * 3 if reason == "too long" else LONG
    if reason == "expired":
        at.clock.at += 1801

    await answered(at, lease, answer(text))

    said = at.slack.by_app("@ana")
    spoken = [message for message in said if not message.files]
    rest = [file.data.decode() for message in said for file in message.files]
    assert len(rest) == (reason == "too long")
    assert letters([*(words_of(message) for message in spoken), *rest]) == letters([text])
    assert "/invite @Purser" in grey(spoken[-1])[1]
    assert at.slack.by_app("#random") == []


async def test_between_two_others_only_the_asker_is_answered(at: Desk) -> None:
    """In a conversation that Slack does not show us the answer goes to the asker directly, not to both."""
    lease = await at.command("#random")
    lease = replace(lease, ask=replace(lease.ask, channel="D0OTHERS"))

    await answered(at, lease, answer("SHOP-12 is done."))

    assert [words_of(message) for message in at.slack.by_app("@ana")] == ["SHOP-12 is done."]
    assert at.slack.by_app("#random") == []


async def test_a_doubtful_url_is_not_asked_twice(at: Desk) -> None:
    """When its reply is lost the next way is taken, for the rest of the answer too; nothing goes there again."""
    posts: list[str] = []

    def cut(request: web.Request) -> web.Response:
        posts.append(request.path)
        if request.path != "/response/1":
            return web.json_response({"ok": True, "channel": {"id": "D1"}, "ts": "1.0"})
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with server(cut) as slack:
        client = AsyncWebClient("xoxb-1", base_url=f"{slack}/api/", session=at.session)
        wire = SlackWire(client, at.session, token="xoxb-1", clock=at.clock)
        lease = await at.command("#random", response_url=f"{slack}/response/1")

        assert not await Aside(wire, lease.ask).in_channel(LONG, ())
        await Aside(wire, lease.ask).alone(LONG)

    assert posts == ["/response/1"] * 2 + ["/api/chat.postEphemeral"] * 3


@pytest.mark.parametrize(
    ("close", "words"), [("expel", "/invite @Purser"), ("archive", "cannot write in that channel")]
)
@pytest.mark.parametrize("begun", [True, False])
async def test_a_channel_that_closes_meanwhile_loses_no_answer(
    at: Desk, close: str, words: str, begun: bool
) -> None:
    """When we are removed, or the channel archived, the asker gets the whole answer directly."""
    lease = await at.mention()
    async with aclosing(await at.replies(whole=0 if begun else NEVER).open(lease)) as reply:
        await say(reply, "Because ")
        if begun:
            await at.shown(lease, "Because")
        if close == "expel":
            await at.slack.expel("#payments")
        else:
            at.slack.world.channel("#payments").archived = True
        await say(reply, "of ")
        await reply.end(answer("Because of the tests."))

    (message,) = at.slack.by_app("@ana")
    assert words_of(message) == "Because of the tests."
    assert words in grey(message)[1]


async def test_an_invitation_is_greeted_in_the_channel(at: Desk) -> None:
    """Whoever is there shall see how to begin."""
    lease = await at.leased(
        channel="C0PAYMENTS", feature="purser", origin="invite", text="hello", thread="", ts=""
    )
    await answered(at, lease, Answer("I am Purser.", Receipt()))

    assert words_of(at.slack.by_app("#payments")[-1]) == "I am Purser."


# For the asker alone

PRIVATE: dict[str, Any] = {"feature": "cost"}


async def test_costs_are_for_the_asker_alone(at: Desk) -> None:
    """The answer to a command goes through its url, seen by nobody else."""
    lease = await at.command("#payments", **PRIVATE)

    await answered(at, lease, Answer("**$1.25**", Receipt()))

    (alone,) = at.slack.ephemerals("#payments", "ana")
    assert words_of(alone) == "**$1.25**"
    assert at.slack.by_app("#payments") == []
    assert at.spoken() == 0


@pytest.mark.parametrize("feature", ["cost", "purser"])
async def test_spoken_twins_are_answered_in_the_thread_to_the_asker(at: Desk, feature: str) -> None:
    """After a mention the answer is ephemeral, where it was asked, without status or placeholder."""
    lease = await at.mention(feature=feature)

    async with aclosing(await at.replies(whole=0).open(lease)) as reply:
        await reply.first_sign()
        await reply.on(Thinking())
        await say(reply, "**$1.25** ")
        await asyncio.sleep(0.05)
        await reply.end(Answer("**$1.25**", Receipt()))

    (alone,) = at.slack.ephemerals("#payments", "ana")
    assert (words_of(alone), alone.thread_ts) == ("**$1.25**", lease.ask.thread)
    assert at.thread(lease) == []
    assert status_of(at, lease) == Status()


async def test_the_longest_private_answer_goes_on_where_the_url_ends(at: Desk) -> None:
    """A response_url takes five messages; those that are left are shown in the channel, none twice."""
    lease = await at.command("#payments", **PRIVATE)
    await answered(at, lease, Answer(LONG * 3, Receipt()))

    said = [words_of(m) for m in at.slack.ephemerals("#payments", "ana")]
    assert letters(said) == letters([LONG * 3])
    assert at.slack.calls("chat.postEphemeral") == len(said) - 5 > 0


async def test_a_long_private_answer_comes_whole(at: Desk) -> None:
    """Nothing is left out of a long table, by the url or without one."""
    rows = "```csv\n" + "\n".join(f"row {n},{n}" for n in range(1500)) + "\n```"
    for expired in (False, True):
        lease = await at.command("#payments", **PRIVATE)
        at.clock.at += 1801 * expired
        before = len(at.slack.ephemerals("#payments", "ana"))
        await answered(at, lease, Answer(rows, Receipt()))
        await at.settle(lease)

        said = [words_of(m) for m in at.slack.ephemerals("#payments", "ana")[before:]]
        assert len(said) == 2
        assert "".join(said).count("row ") == 1500
        assert all(words.startswith("```csv\n") for words in said)


async def test_where_we_are_no_member_it_is_said_directly(at: Desk) -> None:
    """With the url used up and the channel closed to us, the asker is written to."""
    lease = await at.command("#random", **PRIVATE)
    at.clock.at += 1801

    await answered(at, lease, Answer("**$1.25**", Receipt()))

    assert [words_of(message) for message in at.slack.by_app("@ana")] == ["**$1.25**"]
    assert at.slack.ephemerals("#random", "ana") == []


async def test_in_a_direct_message_it_is_a_plain_answer(at: Desk) -> None:
    """There nobody else reads along: it is journalled and stays."""
    lease = await at.direct(**PRIVATE)

    await answered(at, lease, Answer("**$1.25**", Receipt()))

    assert at.texts(lease) == ["**$1.25**"]
    assert [part.state for part in await at.journalled(lease)] == ["said"]


async def test_a_command_among_others_stays_private(at: Desk) -> None:
    """In a direct message between two people a cost report is for the one who asked."""
    lease = await at.command("#random", **PRIVATE, channel_kind="im")

    await answered(at, lease, Answer("**$1.25**", Receipt()))

    assert len(at.slack.ephemerals("#random", "ana")) == 1
    assert at.slack.by_app("#random") == []


async def test_what_is_told_beside_the_answer_is_for_the_asker(at: Desk) -> None:
    """A word on the queue is ephemeral, and escaped."""
    lease = await at.mention()

    await at.replies().tell(lease.ask, "yours is <!here> next")

    (alone,) = at.slack.ephemerals("#payments", "ana")
    assert (pings(alone.text), alone.thread_ts) == ([], lease.ask.thread)


# Without the lease, and at the last moment


async def test_the_end_lets_a_call_under_way_finish(tmp_path: Path) -> None:
    """A stream that is just being started is not started a second time."""
    arrived = asyncio.Event()

    async def slowly(seconds: float) -> None:
        arrived.set()
        await asyncio.sleep(seconds)

    async with desk(tmp_path, sleep=slowly) as at:
        at.slack.troubles.slow["chat.startStream"] = 0.05
        lease = await at.mention()
        async with aclosing(await at.replies(whole=0).open(lease)) as reply:
            await say(reply, "Because ")
            await arrived.wait()
            await reply.end(answer("Because of the tests."))

        await asyncio.sleep(0.06)
        assert at.texts(lease) == ["Because of the tests."]


async def test_who_lost_the_lease_falls_silent(at: Desk) -> None:
    """Text that still comes is not shown, and the end is left to the other worker."""
    lease = await at.mention()
    async with aclosing(await at.replies(whole=0).open(lease)) as reply:
        await say(reply, "Because ")
        await at.shown(lease, "Because")
        await at.taken_over()
        spoken = at.spoken()
        await say(reply, "of ")

        with pytest.raises(LeaseLost):
            await reply.end(answer("Because of the tests."))

    assert at.spoken() == spoken
    assert at.texts(lease) == ["Because"]


async def test_private_words_need_the_lease_too(at: Desk) -> None:
    """What another worker will say is not said here."""
    lease = await at.mention(**PRIVATE)
    await at.taken_over()

    with pytest.raises(LeaseLost):
        await answered(at, lease, Answer("**$1.25**", Receipt()))
    assert at.slack.ephemerals("#payments", "ana") == []


async def test_a_closed_reply_says_nothing_more(at: Desk) -> None:
    """Whoever stops working on an ask leaves nobody behind who goes on speaking."""
    lease = await at.mention()
    async with aclosing(await at.replies(whole=0).open(lease)) as reply:
        await say(reply, "Because ")
        await at.shown(lease, "Because")
    spoken, others = at.spoken(), asyncio.all_tasks()

    await say(reply)
    await asyncio.sleep(0.05)
    assert at.spoken() == spoken
    assert not any("Flow" in repr(task) for task in others)


async def test_a_broken_ask_is_told_in_its_first_attempt(at: Desk) -> None:
    """The failure takes the place of what this very attempt had said."""
    lease = await at.mention()
    replies: Replies = at.replies(whole=0)
    async with aclosing(await replies.open(lease)) as reply:
        await say(reply, "Because ")
        await at.shown(lease, "Because")

    last = await replies.open(lease, again=True)
    await last.end(Failed("It broke."))
    assert at.texts(lease) == ["It broke. (reference abcdefgh)"]
    assert at.thread(lease)[0].streaming == "completed"


async def test_what_breaks_behind_the_answer_takes_its_place(at: Desk) -> None:
    """What this attempt said just now is known, even where nobody may look for it in Slack."""
    lease, replies = await at.mention(), at.replies()
    async with aclosing(await replies.open(lease)) as reply:
        await reply.end(answer("Because."))

    at.slack.troubles.down["conversations.replies"] = "missing_scope"
    async with aclosing(await replies.open(lease, again=True)) as last:
        await last.end(Failed("It broke."))
    assert at.texts(lease) == ["It broke. (reference abcdefgh)"]
