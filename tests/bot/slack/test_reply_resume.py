"""A process that dies at any step of speaking: the next one brings one whole answer, and says nothing twice."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from pathlib import Path

import pytest

from bot.ask import Lease
from bot.journal import Journal
from bot.slack.reply import Replies, Reply
from bot.slack.split import split
from bot.store import Transaction
from tests.bot.slack.answering import (
    LINE,
    NEVER,
    Desk,
    Died,
    Life,
    answer,
    desk,
    grey,
    has_buttons,
    say,
    words_of,
)

SHORT = "Because of the tests."
LONG = "\n\n".join(f"Paragraph {n}: {'word ' * 60}".strip() for n in range(50))
"""Of the length of two messages."""


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk at a whole Slack that limits nothing."""
    async with desk(tmp_path, limits=False) as made:
        yield made


async def seen(at: Desk, lease: Lease, text: str, life: Life) -> None:
    """Wait until these words show, or nobody is left to show them."""
    await at.slack.wait_for(
        lambda: life.left < 0 or any(text in shown for shown in at.texts(lease))
    )


async def whole(at: Desk, lease: Lease, reply: Reply, life: Life) -> None:
    """A short answer, posted in one piece."""
    await say(reply, "Because of ", "the tests.")
    await reply.end(answer(SHORT))


async def streamed(at: Desk, lease: Lease, reply: Reply, life: Life) -> None:
    """An answer of one message, streamed."""
    await say(reply, "Because ")
    await seen(at, lease, "Because", life)
    await say(reply, "of the ")
    await seen(at, lease, "Because of the", life)
    await reply.end(answer(SHORT))


async def streamed_in_parts(at: Desk, lease: Lease, reply: Reply, life: Life) -> None:
    """An answer of two messages, streamed."""
    for n, paragraph in enumerate(LONG.split("\n\n")):
        await say(reply, f"{paragraph}\n\n")
        if n % 20 == 0:
            await seen(at, lease, f"Paragraph {n}: ", life)
    await reply.end(answer(LONG))


async def posted_in_parts(at: Desk, lease: Lease, reply: Reply, life: Life) -> None:
    """An answer of two messages that was whole at once."""
    await reply.end(answer(LONG))


Way = Callable[[Desk, Lease, Reply, Life], Awaitable[None]]


async def lives(at: Desk, lease: Lease, replies: Replies, way: Way, life: Life) -> bool:
    """Whether a process gets to its end before its life is used up."""
    try:
        async with aclosing(await replies.open(lease)) as reply:
            await reply.first_sign()
            await way(at, lease, reply, life)
    except Died:
        return False
    return True


@pytest.mark.parametrize(
    ("way", "messages"),
    [
        (whole, [SHORT]),
        (streamed, [SHORT]),
        (posted_in_parts, split(LONG)),
        (streamed_in_parts, split(LONG)),
    ],
)
@pytest.mark.parametrize("native", [True, False])
async def test_wherever_it_dies_one_answer_stands(
    at: Desk, way: Way, messages: list[str], native: bool
) -> None:
    """Killed before or after any commit or call, once or twice: every part once, its receipt once, no status left."""
    if not native:
        for method in ("agents.sessions.setStatus", "assistant.threads.setStatus"):
            at.slack.troubles.down[method] = "unknown_method"
    whole_seconds = NEVER if way in {whole, posted_in_parts} else 0.0
    died, steps = True, 0
    while died:
        lease = await at.mention()
        life = Life(steps)
        died = not await lives(at, lease, at.replies(whole=whole_seconds, life=life), way, life)
        if died and steps % 2:
            lease = await at.taken_over()
            again = Life(steps // 2)
            replies = at.replies(life=again)
            await lives(at, lease, replies, posted_in_parts if len(messages) > 1 else whole, again)
        if died:
            lease = await at.taken_over()
            text = LONG if len(messages) > 1 else SHORT
            async with aclosing(await at.replies().open(lease)) as reply:
                await reply.first_sign()
                await reply.end(answer(text))
        await at.settle(lease)

        thread = at.thread(lease)
        assert at.texts(lease) == messages, f"killed after {steps} steps"
        assert [line for message in thread for line in grey(message)] == [LINE]
        assert has_buttons(thread[-1])
        assert {message.streaming for message in thread} <= {"", "completed"}
        parts = await at.journalled(lease)
        assert [(p.n, p.state, p.ts) for p in parts] == [
            (n + 1, "said", message.ts) for n, message in enumerate(thread)
        ]
        for status in at.slack.world.channel("#payments").statuses.values():
            assert (status.text, status.session) in {("", "active"), ("", "")}
        steps += 1

    assert steps > 8


async def test_what_was_said_costs_no_call_after_a_restart(at: Desk) -> None:
    """When all parts were said and only the books were open, nothing is sent again."""
    lease = await at.mention()
    async with aclosing(await at.replies().open(lease)) as reply:
        await reply.end(answer(LONG))
    await at.written(lease)
    spoken = at.spoken()

    async with aclosing(await at.replies().open(await at.taken_over())) as reply:
        await say(reply, LONG)
        await reply.end(answer(LONG))
    assert at.spoken() == spoken


async def test_another_answer_after_the_restart_replaces_the_first(at: Desk) -> None:
    """Claude, asked again, says other and fewer words: they stand in the parts there are, the rest is withdrawn."""
    lease = await at.mention()
    async with aclosing(await at.replies(whole=0).open(lease)) as reply:
        await say(reply, LONG)
        await at.slack.wait_for(lambda: len(at.thread(lease)) == 2 and at.texts(lease)[1])

    async with aclosing(await at.replies(whole=0).open(await at.taken_over())) as reply:
        await reply.first_sign()
        await say(reply, "Something ")
        await asyncio.sleep(0.05)
        assert len(at.texts(lease)[0]) > 10_000  # what stood is not shortened while more may come
        await reply.end(answer("Something else."))

    first, second = at.thread(lease)
    assert at.texts(lease) == ["Something else.", "_(withdrawn)_"]
    assert (grey(first), grey(second)) == ([LINE], [])


async def test_nothing_said_yet_is_begun_as_if_nothing_had_been(at: Desk) -> None:
    """Killed before its first words an answer streams in the next attempt as it would have in the first."""
    await at.mention()
    lease = await at.taken_over()
    async with aclosing(await at.replies(whole=0).open(lease)) as reply:
        await reply.first_sign()
        await say(reply, "Because ")
        await at.shown(lease, "Because")
        await reply.end(answer(SHORT))

    assert at.texts(lease) == [SHORT]


@pytest.mark.parametrize("url", [True, False])
async def test_an_answer_said_elsewhere_is_not_repeated(at: Desk, url: bool) -> None:
    """Said through a response_url or directly, and killed before it was settled: it stands there once."""
    lease = await at.command("#random", **({} if url else {"response_url": ""}))
    async with aclosing(await at.replies().open(lease)) as reply:
        await reply.end(answer(SHORT))

    async with aclosing(await at.replies().open(await at.taken_over())) as reply:
        await reply.end(answer(SHORT))

    said = at.slack.by_app("#random" if url else "@ana")
    assert [words_of(message) for message in said] == [SHORT]
    assert len(at.slack.by_app("#random")) + len(at.slack.by_app("@ana")) == 1


@pytest.mark.parametrize("steps", range(6))
async def test_through_a_url_one_message_stands_in_the_channel(at: Desk, steps: int) -> None:
    """Killed at any step, the channel never sees it twice, and the asker always sees it somewhere."""
    lease, life = await at.command("#random"), Life(steps)
    assert not await lives(at, lease, at.replies(life=life), whole, life)
    async with aclosing(await at.replies().open(await at.taken_over())) as reply:
        await reply.end(answer(SHORT))

    public, direct = at.slack.by_app("#random"), at.slack.by_app("@ana")
    assert len(public) <= 1
    assert len(direct) <= 1
    assert {words_of(message) for message in (*public, *direct)} == {SHORT}


async def test_an_invitation_in_between_doubles_nothing(at: Desk) -> None:
    """Said through a url, killed before that was noted, invited: the channel is not told a second time."""
    lease, life = await at.command("#random"), Life(5)
    assert not await lives(at, lease, at.replies(life=life), whole, life)
    assert [part.state for part in await at.journalled(lease)] == ["opening"]
    assert len(at.slack.by_app("#random")) == 1
    await at.slack.invite("#random")

    async with aclosing(await at.replies().open(await at.taken_over())) as reply:
        await reply.end(answer(SHORT))
    assert len(at.slack.by_app("#random")) == 1
    assert [words_of(message) for message in at.slack.by_app("@ana")] == [SHORT]


async def test_slack_down_at_the_restart_is_waited_out(at: Desk) -> None:
    """A part may stand there unheard: while Slack cannot say, opening the reply costs no call and nothing fails."""
    lease = await at.mention()
    life = Life(2)
    assert not await lives(at, lease, at.replies(life=life), whole, life)
    at.slack.troubles.down["*"] = "internal_error"
    lease = await at.taken_over()

    async with aclosing(await at.replies().open(lease)) as reply:
        await reply.first_sign()
        at.slack.troubles.down.clear()
        await reply.end(answer(SHORT))
    assert at.texts(lease) == [SHORT]


async def alert(at: Desk) -> Lease:
    """What Ana, an admin, has to know; an ask of our own, in no channel."""
    return await at.leased(channel="", feature="purser", origin="own", channel_kind="im")


async def test_an_alert_whose_reply_was_lost_is_said_once(at: Desk) -> None:
    """What Slack took, and did not say so, is found by its metadata and not said to an admin again."""
    lease = await alert(at)
    at.slack.troubles.lost["chat.postMessage"] = 1
    async with aclosing(await at.replies().open(lease)) as reply:
        await reply.end(answer(SHORT))

    assert [words_of(message) for message in at.slack.by_app("@ana")] == [SHORT]


@pytest.mark.parametrize("steps", range(11))
async def test_wherever_it_dies_an_admin_is_told_once(at: Desk, steps: int) -> None:
    """A process that dies at any step of an alert leaves the next one to say it, if it was not said."""
    lease = await alert(at)
    with suppress(Died):
        async with aclosing(await at.replies(life=Life(steps)).open(lease)) as reply:
            await reply.end(answer(SHORT))
    again = await at.taken_over()
    async with aclosing(await at.replies().open(again)) as reply:
        await reply.end(answer(SHORT))

    assert [words_of(message) for message in at.slack.by_app("@ana")] == [SHORT]


async def test_a_part_that_is_noted_while_it_is_looked_for_is_found(at: Desk) -> None:
    """What a cancelled attempt still commits, after its successor has read the journal, hides no message."""
    lease, life = await at.mention(), Life(7)
    assert not await lives(at, lease, at.replies(whole=0.0, life=life), streamed, life)
    (message,) = at.thread(lease)
    async with aclosing(await at.replies().open(lease, again=True)) as reply:
        tx = Transaction(lease)
        where = {"channel": lease.ask.channel, "ts": message.ts, "kind": "stream"}
        Journal(at.store, now=at.clock).part(tx, lease, n=1, state="open", **where)
        await at.store.commit(tx)
        await reply.end(answer(SHORT))

    assert at.texts(lease) == [SHORT]
