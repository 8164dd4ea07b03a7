"""What is said about an ask while it waits or is worked on: a stop in each form, a deletion, an edit."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bot.demo.claude import Trouble
from bot.demo.scenes import SNIPPET
from bot.demo.slack import Message, SlackStandIn
from bot.demo.slack.methods import EVENTS
from bot.demo.terminal import words_of
from tests.stories.account import assert_balanced
from tests.stories.world import World

FOR_EVER = 3600.0
EDITED = "You changed your message while I was at work: I answered the earlier wording."


async def answer_of(world: World, root: Message) -> Message:
    """The message in which the answer grows."""
    return await world.until(lambda: next(iter(world.said(root)), None))


async def by_word(world: World, root: Message) -> None:
    """Say so in the thread."""
    await world.slack.say("ana", "#shop-dev", "@purser stop", thread_ts=root.ts)


async def by_anothers_word(world: World, root: Message) -> None:
    """Say so in somebody else's thread, politely."""
    await world.slack.say("ben", "#shop-dev", "@purser please stop.", thread_ts=root.ts)


async def by_button(world: World, root: Message) -> None:
    """Press Slack's own stop button."""
    await world.slack.stop_stream("ana", await answer_of(world, root))


async def by_cross_on_the_answer(world: World, root: Message) -> None:
    """Put a cross on the answer."""
    await world.slack.react("ben", await answer_of(world, root), "x")


async def by_cross_on_the_question(world: World, root: Message) -> None:
    """Put a cross on one's own question."""
    await world.slack.react("ana", root, "x")


@pytest.mark.parametrize(
    ("stop", "who"),
    [
        (by_word, "U0ANA"),
        (by_anothers_word, "U0BEN"),
        (by_button, "U0ANA"),
        (by_cross_on_the_answer, "U0BEN"),
        (by_cross_on_the_question, "U0ANA"),
    ],
)
async def test_a_stop_ends_the_ask(
    world: World, stop: Callable[[World, Message], Awaitable[None]], who: str
) -> None:
    """Stopped while it speaks, the answer ends with what was said, marked as stopped; the audit has who stopped it."""
    world.claude.tokens_per_second = 60.0
    root = await world.slack.say("ana", "#shop-dev", "@purser review", code=SNIPPET * 4)
    await world.until(lambda: any(len(words_of(m)) > 50 for m in world.said(root)))
    await stop(world, root)
    ask = await world.ended(root)

    assert ask["outcome"] == "stopped"
    (answer,) = world.said(root)
    assert words_of(answer).endswith("Stopped.")
    assert answer.streaming != "in_progress"
    await world.claude.wait_for(lambda: world.asked[0].state == "client_gone")
    audited = world.rows("SELECT action, user, ask_id, outcome FROM audit ORDER BY n")
    assert [tuple(row.values()) for row in audited] == [
        ("stop", who, ask["id"], "stopped"),
        ("ask", "U0ANA", ask["id"], "stopped"),
    ]
    assert_balanced(world)


async def test_a_direct_message_is_stopped_by_a_word(world: World) -> None:
    """In direct messages `stop` needs no mention and no thread, and opens no ask of its own."""
    world.claude.troubles.hang(FOR_EVER)
    root = await world.slack.dm("ana", "What is 6*7?")
    await world.until(lambda: world.asked)
    await world.slack.dm("ana", "stop")
    ask = await world.ended(root)

    assert ask["outcome"] == "stopped"
    assert len(world.asks()) == 1
    assert_balanced(world)


async def test_a_stop_cancels_the_tools(world: World) -> None:
    """A stop while a tool runs does not wait for the tool."""
    address = world.web.address("/slow")
    root = await world.slack.say("ana", "#shop-dev", f"@purser What does {address} say?")
    await world.until(lambda: world.web.visits("/slow"))
    await by_word(world, root)
    ask = await world.ended(root)

    assert ask["outcome"] == "stopped"
    assert len(world.asked) == 1


async def test_a_stop_ends_the_one_that_runs_alone(world: World) -> None:
    """A stop in one thread leaves the work in another one alone, and what is asked after it is answered."""
    world.claude.troubles.add(Trouble(hang_first=FOR_EVER, fits=lambda b: "6*7" in str(b)))
    world.claude.troubles.add(Trouble(hang_first=1.0, fits=lambda b: "2+3" in str(b)))
    root = await world.slack.say("ana", "#shop-dev", "@purser What is 6*7?")
    other = await world.slack.say("ana", "#shop-dev", "@purser What is 2+3?")
    await world.until(lambda: len(world.asked) == 2)
    await by_word(world, root)
    await world.ended(root)
    after = await world.slack.say("ana", "#shop-dev", "@purser What is 9-1?", thread_ts=root.ts)

    assert "2+3 = 5" in await world.answered(other)
    assert (await world.ended(after))["outcome"] == "answer"
    assert "9-1 = 8" in words_of(world.said(root)[-1])


async def test_nothing_to_stop(world: World) -> None:
    """A stop where nothing runs is no ask for Claude."""
    root = await world.slack.say("ana", "#shop-dev", "@purser stop")
    await world.ended(root)

    told = [words_of(m) for m in world.slack.ephemerals("#shop-dev", "ana")]
    assert told == [
        "There is nothing running here. Say `stop` in the thread of the answer that shall end."
    ]
    assert world.asked == []


@pytest.fixture
async def attentive(tmp_path: Path) -> AsyncIterator[World]:
    """A world in which the bot hears of edits and deletions in channels."""
    slack = SlackStandIn(events=(*EVENTS, "message.channels"))
    async with World(tmp_path, slack=slack) as made:
        yield await made.start()


async def test_a_deleted_question_is_stopped(attentive: World) -> None:
    """A question deleted while it is worked on is stopped."""
    attentive.claude.troubles.hang(FOR_EVER)
    root = await attentive.slack.say("ana", "#shop-dev", "@purser What is 6*7?")
    await attentive.until(lambda: attentive.asked)
    await attentive.slack.delete(root)
    ask = await attentive.ended(root)

    assert ask["outcome"] == "stopped"
    assert_balanced(attentive)


async def test_a_question_deleted_while_it_waits_is_never_asked(attentive: World) -> None:
    """A question deleted before its turn came is answered by nothing, and costs nothing."""
    attentive.claude.troubles.hang(FOR_EVER)
    root = await attentive.slack.say("ana", "#shop-dev", "@purser What is 6*7?")
    await attentive.until(lambda: attentive.asked)
    waiting = await attentive.slack.say(
        "ben", "#shop-dev", "@purser What is 2+3?", thread_ts=root.ts
    )
    await attentive.until(lambda: attentive.ask_of(waiting))
    await attentive.slack.delete(waiting)
    ask = await attentive.ended(waiting)
    await by_word(attentive, root)
    await attentive.ended(root)

    assert ask["outcome"] == "deleted"
    assert len(attentive.asked) == 1
    assert len(attentive.said(root)) == 1


async def test_an_edit_of_a_waiting_question_replaces_its_words(attentive: World) -> None:
    """A question edited before its turn came is answered once, in its new wording."""
    attentive.claude.troubles.slow(ttft=1.0)
    root = await attentive.slack.say("ana", "#shop-dev", "@purser What is 6*7?")
    await attentive.until(lambda: attentive.asked)
    waiting = await attentive.slack.say(
        "ben", "#shop-dev", "@purser What is 2+3?", thread_ts=root.ts
    )
    await attentive.until(lambda: attentive.ask_of(waiting))
    await attentive.slack.edit(waiting, "@purser What is 2+4?")
    await attentive.ended(waiting)
    await attentive.idle()

    assert len(attentive.asked) == 2
    assert "2+4 = 6" in words_of(attentive.said(root)[-1])
    assert len(attentive.said(root)) == 2
    assert EDITED not in str(attentive.said(root)[-1].blocks)


async def test_an_edit_of_a_question_at_work_is_told(attentive: World) -> None:
    """A question edited while it is worked on is answered as it was asked, and says so."""
    attentive.claude.troubles.slow(ttft=1.0)
    root = await attentive.slack.say("ana", "#shop-dev", "@purser What is 6*7?")
    await attentive.until(lambda: attentive.asked)
    await attentive.slack.edit(root, "@purser What is 6*8?")

    assert "6*7 = 42" in await attentive.answered(root)
    await attentive.idle()
    assert EDITED in attentive.notes(root)
    assert len(attentive.asked) == 1


async def test_an_edit_that_adds_a_mention_is_an_ask(attentive: World) -> None:
    """A message that mentions the bot only since it was edited is answered, once."""
    root = await attentive.slack.say("ana", "#shop-dev", "What is 6*7?")
    await attentive.slack.settled()
    assert attentive.asks() == []
    await attentive.slack.edit(root, "@purser What is 6*7?")

    assert "6*7 = 42" in await attentive.answered(root)
    await attentive.idle()
    assert len(attentive.asked) == 1


async def test_an_edit_after_the_answer_is_no_new_ask(attentive: World) -> None:
    """A question edited after its answer is not answered again."""
    root = await attentive.slack.say("ana", "#shop-dev", "@purser What is 6*7?")
    await attentive.answered(root)
    await attentive.slack.edit(root, "@purser What is 6*8?")
    await attentive.slack.settled()
    await attentive.idle()

    assert len(attentive.asked) == 1
    assert len(attentive.said(root)) == 1


async def test_a_preview_below_a_question_is_no_edit(attentive: World) -> None:
    """Slack hanging a link's preview on a question changes nothing."""
    attentive.claude.troubles.slow(ttft=0.5)
    root = await attentive.slack.say("ana", "#shop-dev", "@purser What is 6*7?")
    await attentive.until(lambda: attentive.asked)
    await attentive.slack.unfurl(root)

    await attentive.answered(root)
    assert len(attentive.notes(root)) == 1
