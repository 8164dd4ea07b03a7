"""kill -9 at each journalled step: after the restart there is one whole answer, and nothing was paid twice."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.demo.claude import Trouble
from bot.demo.claude.reply import Draft
from bot.demo.pages.made import Page
from bot.demo.scenes import BLUNT, LONG
from bot.demo.slack import Message
from bot.demo.terminal import has_feedback, words_of
from tests.stories.account import assert_balanced, assert_paid_once
from tests.stories.world import World

pytestmark = pytest.mark.timeout(120)  # processes are started, and started again

FOR_EVER = 3600.0  # seconds; longer than any test
PARAGRAPH = "The lighthouse keeper counts the ships once an hour and writes them down. "
CHAPTERS = "\n\n".join(f"Chapter {n}. {PARAGRAPH * 4}" for n in range(1, 56))
"""Longer than one Slack message may be."""


@dataclass(frozen=True)
class Step:
    """A moment of an ask's life at which the power goes.

    Attributes:
        name: what has just happened.
        asked: what was asked.
        code: pasted with it.
        arrange: makes the moment last, before the ask.
        then: the same, once the first sign was given.
        reached: whether the moment has come.
        parts: messages that the answer has.
        lost: requests to Claude that the kill cuts off.
    """

    name: str
    reached: Callable[[World, Message], Any]
    arrange: Callable[[World], None] = lambda _: None
    then: Callable[[World], None] = lambda _: None
    asked: str = "@purser please review"
    code: str | None = LONG
    parts: int = 1
    lost: int = 0


def requests(world: World, *, opened: int, ended: int) -> bool:
    """Whether so many requests of asks stand open, and so many ended, in the journal."""
    rows = world.rows("SELECT status FROM requests WHERE ask_id NOT LIKE 'shared:%'")
    return [row["status"] for row in rows].count("open") == opened and len(rows) == opened + ended


def parts(world: World, *states: str) -> bool:
    """Whether the answer's parts stand so."""
    return [row["state"] for row in world.rows("SELECT state FROM parts ORDER BY n")] == [*states]


def begun(world: World) -> bool:
    """Whether an answer's beginning is journalled."""
    return bool(world.rows("SELECT n FROM requests WHERE message_id <> '' AND status = 'open'"))


def stream(world: World) -> None:
    """Let Claude speak so that its answer streams."""
    world.claude.tokens_per_second = 120.0


def stuck(method: str, *, streaming: bool = False) -> Callable[[World], None]:
    """Let a method of Slack's never answer, nor take effect."""

    def arrange(world: World) -> None:
        if streaming:
            stream(world)
        world.slack.troubles.slow[method] = FOR_EVER

    return arrange


def hang_behind_the_first_message(world: World) -> None:
    """Let Claude fall silent when it has said more than one message of Slack holds."""
    world.script(Draft(CHAPTERS))
    world.claude.troubles.hang(FOR_EVER, first=False, after=12_400)


def hang_after_tools(world: World) -> None:
    """Let Claude fall silent where it is given the results of tools."""
    trouble = Trouble(hang_first=FOR_EVER, fits=lambda body: len(body["messages"]) > 1)
    world.claude.troubles.add(trouble)


def hang_after_rewording(world: World) -> None:
    """Let Claude fall silent where the reworded question comes."""
    reworded = "end all child processes"
    trouble = Trouble(hang_first=FOR_EVER, fits=lambda b: reworded in str(b["messages"]))
    world.claude.troubles.add(Trouble(fits=lambda b: not b.get("tools")))  # the rewording itself
    world.claude.troubles.add(trouble)


def lose_the_reply(world: World) -> None:
    """Let a message be posted and its ts never be heard of: neither from the call nor from a look."""
    world.slack.troubles.lost["chat.postMessage"] = 1
    world.slack.troubles.slow["conversations.replies"] = FOR_EVER


STEPS = (
    Step(
        "the request was journalled, and no byte came back",
        arrange=lambda w: w.claude.troubles.hang(FOR_EVER),
        reached=lambda w, _: requests(w, opened=1, ended=0) and w.asked,
        lost=1,
    ),
    Step(
        "message_start was noted",
        arrange=lambda w: w.claude.troubles.hang(FOR_EVER, first=False, after=1),
        reached=lambda w, _: begun(w),
        lost=1,
    ),
    Step(
        "the answer streams, its part known by ts",
        arrange=stream,
        reached=lambda w, m: any(len(words_of(said)) > 200 for said in w.said(m)),
        lost=1,
    ),
    Step(
        "a stream was about to be opened",
        arrange=stuck("chat.startStream", streaming=True),
        reached=lambda w, _: parts(w, "opening"),
        lost=1,
    ),
    Step(
        "the response was journalled, the message about to be posted",
        arrange=stuck("chat.postMessage"),
        reached=lambda w, _: requests(w, opened=0, ended=1) and parts(w, "opening"),
    ),
    Step(
        "the message stands there, its ts unheard of",
        arrange=lose_the_reply,
        reached=lambda w, m: w.said(m) and parts(w, "opening"),
    ),
    Step(
        "the response was journalled, the stream not closed",
        arrange=stuck("chat.stopStream", streaming=True),
        reached=lambda w, _: requests(w, opened=0, ended=1) and parts(w, "open"),
    ),
    Step(
        "all was said, the ask not settled",
        arrange=lambda w: w.claude.troubles.slow(ttft=0.5),
        then=stuck("agents.sessions.setStatus"),
        reached=lambda w, _: parts(w, "said"),
    ),
    Step(
        "the first of two messages was said",
        arrange=hang_behind_the_first_message,
        reached=lambda w, _: parts(w, "said", "open"),
        asked="@purser tell me all of it",
        code=None,
        parts=2,
        lost=1,
    ),
    Step(
        "a tool runs",
        asked="@purser What does {slow} say?",
        code=None,
        reached=lambda w, _: w.web.visits(Page.SLOW),
    ),
    Step(
        "a tool's result was journalled",
        asked="@purser What does {article} say?",
        code=None,
        arrange=hang_after_tools,
        reached=lambda w, _: requests(w, opened=1, ended=1) and len(w.asked) == 2,
        lost=1,
    ),
    Step(
        "a refusal was reworded",
        asked=f"@purser {BLUNT}",
        code=None,
        arrange=hang_after_rewording,
        reached=lambda w, _: requests(w, opened=1, ended=2) and len(w.asked) == 3,
        lost=1,
    ),
)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
async def test_a_kill_ends_in_one_whole_answer(tmp_path: Path, step: Step) -> None:
    """Killed at this step, the bot finishes the same answer after its restart; books and bill agree."""
    async with World(tmp_path) as world:
        await world.spawn()
        step.arrange(world)
        slow, article = world.web.address(Page.SLOW), world.web.address(Page.ARTICLE)
        text = step.asked.format(slow=slow, article=article)
        root = await world.slack.say("ana", "#shop-dev", text, code=step.code)
        await world.until(lambda: world.slack.calls("agents.sessions.setStatus"))
        step.then(world)
        await world.until(lambda: step.reached(world, root))
        await world.kill()
        await again(world)
        ask = await world.ended(root)

        assert ask["outcome"] == "answer"
        assert len(world.said(root)) == step.parts
        assert_whole(world, root, world.asked[-1].text)
        assert len(world.web.visits(Page.ARTICLE)) <= 1
        assert_paid_once(world)
        assert_balanced(world)
        assert len([r for r in world.books() if r["status"] == "unconfirmed"]) == step.lost


async def test_an_answer_that_comes_out_otherwise_replaces_the_lost_one(tmp_path: Path) -> None:
    """Asked again after a kill, Claude may say other words: nothing of the lost ones is left standing."""
    async with World(tmp_path) as world:
        await world.spawn()
        hang_behind_the_first_message(world)
        root = await world.slack.say("ana", "#shop-dev", "@purser tell me all of it")
        await world.until(lambda: parts(world, "said", "open"))
        await world.kill()
        world.script(Draft("The short of it: ships pass."))
        await again(world)
        await world.ended(root)

        first, other = [words_of(message) for message in world.said(root)]
        assert first == "The short of it: ships pass."
        assert other == "_(withdrawn)_"
        assert_balanced(world)


async def test_what_waited_behind_a_killed_ask_is_answered_too(tmp_path: Path) -> None:
    """An ask that was committed, and not begun, is answered after the restart, behind the one before it."""
    async with World(tmp_path) as world:
        await world.spawn()
        world.claude.troubles.hang(FOR_EVER)
        root = await world.slack.say("ana", "#shop-dev", "@purser What is 6*7?")
        await world.until(lambda: world.asked)
        second = await world.slack.say(
            "ben", "#shop-dev", "@purser What is 2+3?", thread_ts=root.ts
        )
        await world.until(lambda: world.ask_of(second))
        await world.slack.settled()
        await world.kill()
        await again(world)
        await world.ended(second)

        one, other = [words_of(message) for message in world.said(root)]
        assert "6*7 = 42" in one
        assert "2+3 = 5" in other
        assert_balanced(world)


async def test_a_killed_command_is_answered_once_in_its_channel(tmp_path: Path) -> None:
    """The summary whose posting was cut off by the kill is found in the channel and finished, not posted again."""
    async with World(tmp_path) as world:
        await world.spawn()
        world.slack.troubles.lost["chat.postMessage"] = 1
        world.slack.troubles.slow["conversations.history"] = FOR_EVER
        await world.slack.command("ana", "#shop-dev", "/summarize", "SHOP-12")
        await world.until(lambda: world.slack.by_app("#shop-dev") and parts(world, "opening"))
        await world.kill()
        read = len(world.jira.log)
        await again(world)
        await world.idle()

        (summary,) = world.slack.by_app("#shop-dev")
        assert "SHOP-12" in words_of(summary)
        assert has_feedback(summary)
        assert len(world.jira.log) == read
        assert_paid_once(world)
        assert_balanced(world)


async def again(world: World) -> None:
    """Start the bot again in a world where all goes well."""
    world.slack.troubles.slow.clear()
    world.claude.tokens_per_second = None
    world.web.slow_seconds = 0.0
    await world.spawn()


def assert_whole(world: World, root: Message, text: str) -> None:
    """All of an answer stands in a thread, once, with its receipt under the last part."""
    said = world.said(root)
    whole = "\n".join(words_of(message) for message in said)

    assert [word for word in text.split() if word not in whole] == []
    assert whole.count(text.splitlines()[0]) == 1
    assert [m for m in said if m.streaming == "in_progress"] == []
    assert [has_feedback(m) for m in said] == [False] * (len(said) - 1) + [True]
