"""Slack limits us, is slow, or is down in mid-answer: the answer is whole in the end, once, and nothing is paid twice."""

from pathlib import Path

import pytest

from bot.demo.claude.reply import Draft
from bot.demo.scenes import SNIPPET
from bot.demo.slack import SlackStandIn
from bot.demo.terminal import has_feedback, words_of
from tests.stories.account import assert_balanced
from tests.stories.world import World

QUESTION = "@purser What is 6*7?"


@pytest.mark.parametrize(
    "method",
    ["chat.postMessage", "chat.update", "users.info", "agents.sessions.setStatus"],
)
async def test_a_limit_is_waited_for(world: World, method: str) -> None:
    """A 429 of any method is waited for, as long as Slack asks; the answer comes once."""
    world.slack.troubles.limited[method] = 1
    root = await world.slack.say("ana", "#shop-dev", QUESTION)

    assert "6*7 = 42" in await world.answered(root)
    assert_balanced(world)


@pytest.mark.parametrize(
    "method", ["chat.startStream", "chat.appendStream", "chat.stopStream", "chat.update"]
)
@pytest.mark.parametrize("trouble", ["limited", "broken", "refused", "lost"])
async def test_a_stream_in_trouble_is_whole_in_the_end(
    world: World, method: str, trouble: str
) -> None:
    """Whatever call of a stream fails, in whatever way, the answer stands whole at the end, once."""
    getattr(world.slack.troubles, trouble)[method] = 1
    world.claude.tokens_per_second = 150.0
    text = " ".join(f"word-{n}" for n in range(150))
    world.script(Draft(text))
    root = await world.slack.say("ana", "#shop-dev", "@purser tell me")
    await world.ended(root, 20)

    assert "\n".join(words_of(m) for m in world.said(root)) == text
    assert has_feedback(world.said(root)[-1])
    assert len(world.asked) == 1
    assert_balanced(world)


@pytest.mark.parametrize("error", ["message_not_in_streaming_state", "streaming_state_conflict"])
async def test_a_stream_that_ended_by_itself(world: World, error: str) -> None:
    """A stream that Slack closed in the middle goes on by edits, in the same message."""
    world.slack.troubles.errors["chat.appendStream"] = ["", error]
    world.claude.tokens_per_second = 120.0
    root = await world.slack.say("ana", "#shop-dev", "@purser review", code=SNIPPET)

    answer = await world.answered(root, 20)
    assert answer.count("stand-in Claude") == 1
    assert_balanced(world)


async def test_no_streams_at_all(world: World) -> None:
    """In a workspace without streams the answer grows by edits of a posted message."""
    world.slack.troubles.down["chat.startStream"] = "unknown_method"
    world.claude.tokens_per_second = 100.0
    text = " ".join(f"word-{n}" for n in range(150))
    world.script(Draft(text))
    root = await world.slack.say("ana", "#shop-dev", "@purser tell me")
    begun = await world.until(lambda: next(iter(world.said(root)), None))
    early = words_of(begun)

    assert await world.answered(root, 20) == text
    assert len(early) < len(text)
    assert world.slack.calls("chat.postMessage") == 1


async def test_no_agent_sessions(tmp_path: Path) -> None:
    """Where the app is no agent, the older status, or a placeholder that becomes the answer, is the first sign."""
    async with World(tmp_path, slack=SlackStandIn(agent=False)) as world:
        world.slack.troubles.down["assistant.threads.setStatus"] = "not_allowed"
        await world.start()
        world.claude.troubles.slow(ttft=0.5)
        root = await world.slack.say("ana", "#shop-dev", QUESTION)
        first = await world.until(lambda: next(iter(world.said(root)), None))

        assert "6*7 = 42" in await world.answered(root)
        assert world.said(root) == [first]


async def test_an_answer_that_slack_did_not_take_is_said_later(world: World) -> None:
    """Slack is down when the answer is ready: it is said as soon as Slack is back, and Claude is not asked again."""
    world.claude.troubles.slow(ttft=0.5)
    root = await world.slack.say("ana", "#shop-dev", QUESTION)
    await world.until(lambda: world.asked)
    for method in ("chat.postMessage", "chat.startStream", "chat.update", "chat.postEphemeral"):
        world.slack.troubles.down[method] = "fatal_error"
    await world.until(lambda: put_off(world))
    world.slack.troubles.down.clear()
    world.ahead += 60

    assert "6*7 = 42" in await world.answered(root)
    assert len(world.asked) == 1
    assert_balanced(world)


def put_off(world: World) -> bool:
    """Whether an ask was given back for later."""
    return any(a["state"] == "waiting" and a["not_before"] > a["at"] for a in world.asks())


async def test_slack_unreachable_in_mid_answer(world: World) -> None:
    """Every call to Slack fails for a while, in mid-stream: the message that had begun is finished afterwards."""
    world.claude.tokens_per_second = 60.0
    root = await world.slack.say("ana", "#shop-dev", "@purser review", code=SNIPPET * 3)
    begun = await world.until(lambda: next((m for m in world.said(root) if words_of(m)), None))
    world.slack.troubles.broken["*"] = 6

    answer = await world.answered(root, 30)
    assert answer.count("stand-in Claude") == 1
    assert world.said(root) == [begun]
    assert len(world.asked) == 1
    assert_balanced(world)


async def test_a_thread_that_cannot_be_read(world: World) -> None:
    """Where Slack does not show us the thread, the question is answered all the same, and Claude knows what it lacks."""
    root = await world.slack.say("ana", "#shop-dev", "It is about plover-17.")
    world.slack.troubles.down["conversations.replies"] = "missing_scope"
    asked = await world.slack.say("ben", "#shop-dev", QUESTION, thread_ts=root.ts)
    await world.ended(asked)

    assert "could not be read" in str(world.asked[0].body["messages"])
    assert "6*7 = 42" in words_of(world.said(root)[0])
