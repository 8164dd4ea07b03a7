"""What Claude refuses is reworded at most once, visibly, and both calls are in the books."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.demo.claude import Trouble
from bot.demo.claude.filters import rewording
from bot.demo.claude.reply import Draft, Use
from bot.demo.scenes import BLUNT, SNIPPET
from bot.demo.slack import Message
from bot.demo.terminal import under, words_of
from tests.stories.account import assert_balanced
from tests.stories.world import World

NEVER = ("bio", "frontier_llm", "reasoning_extraction")
WORDY = "How do I kill orphans?"
INSTEAD = "Claude declined the first wording. I asked it this way instead:"


def notes(world: World, root: Message) -> list[str]:
    """The notes under the answer that tell of a rewording."""
    (answer,) = world.said(root)
    return [line for line in under(answer) if line.startswith(INSTEAD)]


def purposes(world: World) -> list[tuple[str, str]]:
    """Of each call in the books: what for, and how it ended; what only warmed the cache is left out."""
    rows = [row for row in world.books() if row["purpose"] != "warm"]
    return [(row["purpose"], row["refusal_category"] or row["stop_reason"] or "") for row in rows]


async def test_a_refusal_is_reworded_once_and_shown(world: World) -> None:
    """A harmless question in blunt words is refused, reworded once, answered; the new wording stands under it."""
    root = await world.slack.say("ana", "#shop-dev", f"@purser {BLUNT}")
    await world.answered(root)

    (note,) = notes(world, root)
    assert "end all child processes" in note
    assert purposes(world) == [
        ("answer", "general_harms"),
        ("rephrase", "end_turn"),
        ("answer", "end_turn"),
    ]
    assert_balanced(world)


@pytest.mark.parametrize("category", ["general_harms", None])
@pytest.mark.parametrize("when", ["early", "mid"])
async def test_each_form_of_refusal(world: World, category: str | None, when: str) -> None:
    """Refused before a word or after some, the question is reworded, and nothing of the refused answer stays."""
    world.script(Draft("The first attempt spoke of wolves at length."), Draft("Here is how."))
    world.claude.troubles.refuse_next(category, when)
    root = await world.slack.say("ana", "#shop-dev", f"@purser {WORDY}")

    seen = {"early": "The first attempt spoke of wolves at length.", "mid": "Here is how."}
    assert await world.answered(root) == seen[when]
    assert len(notes(world, root)) == 1
    assert [purpose for purpose, _ in purposes(world)] == ["answer", "rephrase", "answer"]
    assert_balanced(world)


async def test_text_that_was_seen_is_withdrawn(world: World) -> None:
    """An answer refused while people read it is taken back before their eyes, and the next one takes its place."""
    world.claude.tokens_per_second = 60.0
    world.script(Draft("The wolves come. " * 40), Draft("Here is how it is done."))
    world.claude.troubles.add(Trouble(refuse=True, category="general_harms", mid=True, after=400))
    root = await world.slack.say("ana", "#shop-dev", f"@purser {WORDY}")
    await world.until(lambda: any("wolves" in words_of(m) for m in world.said(root)))

    answer = await world.answered(root)
    assert "wolves" not in answer
    assert answer.startswith("Here is how it is done.")
    assert len(world.said(root)) == 1
    assert_balanced(world)


@pytest.mark.parametrize("category", NEVER)
@pytest.mark.parametrize("when", ["early", "mid"])
async def test_some_refusals_are_never_reworded(world: World, category: str, when: str) -> None:
    """A refusal for one of these reasons ends in a sentence that names it; nothing is asked again."""
    world.script(Draft("The first attempt spoke of wolves at length."))
    world.claude.troubles.refuse_next(category, when)
    root = await world.slack.say("ana", "#shop-dev", f"@purser {WORDY}")
    ask = await world.ended(root)

    assert ask["outcome"] == "refused"
    assert world.words(root).startswith("Claude declined to answer this, as ")
    assert "wolves" not in world.words(root)
    assert purposes(world) == [("answer", category)]
    assert_balanced(world)


async def test_a_refusal_of_both_wordings_ends_honestly(world: World) -> None:
    """Refused again in neutral words, the ask ends, saying what was tried; a third call is not made."""
    refusal = Trouble(refuse=True, category="general_harms", fits=lambda body: "tools" in body)
    world.claude.troubles.add(refusal, times=2)  # the rewording itself has no tools
    root = await world.slack.say("ana", "#shop-dev", f"@purser {WORDY}")
    ask = await world.ended(root)

    assert ask["outcome"] == "refused"
    assert "I asked it once more in neutral words; that was declined too." in world.words(root)
    assert [purpose for purpose, _ in purposes(world)] == ["answer", "rephrase", "answer"]
    assert_balanced(world)


async def test_cyber_is_reworded_only_about_code(world: World) -> None:
    """What touches on attacks is reworded where the ask is a review; elsewhere it ends with the refusal."""
    world.claude.troubles.refuse_next("cyber")
    review = await world.slack.say("ana", "#shop-dev", "@purser review this exploit", code=SNIPPET)
    await world.answered(review)
    world.claude.troubles.refuse_next("cyber")
    chat = await world.slack.say("ana", "#payments", "@purser tell me of an exploit")
    ask = await world.ended(chat)

    assert len(notes(world, review)) == 1
    assert ask["outcome"] == "refused"
    assert_balanced(world)


async def test_code_is_not_reworded(world: World) -> None:
    """Only the person's words are put otherwise; the code they pasted reaches Claude as it was, both times."""
    world.claude.troubles.refuse_next("general_harms")
    root = await world.slack.say("ana", "#shop-dev", "@purser review, kill orphans", code=SNIPPET)
    await world.answered(root)

    first, rewording, second = [str(e.body["messages"][-1]["content"]) for e in world.asked]
    assert "find_orders" in first
    assert "find_orders" not in rewording
    assert "find_orders" in second


@pytest.mark.parametrize("when", ["early", "mid"])
async def test_the_output_filter_is_a_refusal_too(world: World, when: str) -> None:
    """What the output filter blocks, as a 400 or in mid-answer, is reworded once, and shown."""
    world.claude.troubles.block_output(when)
    root = await world.slack.say("ana", "#shop-dev", f"@purser {WORDY}")
    await world.answered(root)

    assert len(notes(world, root)) == 1
    assert_balanced(world)


async def test_an_empty_end_is_asked_for_once_more(world: World) -> None:
    """An answer without a word is asked for once more in the same conversation; then there is one."""
    world.claude.troubles.empty_end()
    root = await world.slack.say("ana", "#shop-dev", "@purser What is 6*7?")

    assert "6*7 = 42" in await world.answered(root)
    assert "without an answer" in str(world.asked[1].body["messages"][-1])
    assert purposes(world) == [("answer", "end_turn"), ("answer", "end_turn")]
    assert_balanced(world)


async def test_two_empty_ends_are_a_failure_in_words(world: World) -> None:
    """Empty twice, the ask ends with a sentence and a reference, not in silence."""
    world.claude.troubles.empty_end(times=2)
    root = await world.slack.say("ana", "#shop-dev", "@purser What is 6*7?")
    ask = await world.ended(root)

    assert ask["outcome"] == "failed"
    assert "twice" in world.words(root)
    assert ask["id"][-8:] in world.words(root)
    assert len(world.asked) == 2
    assert_balanced(world)


async def test_a_refused_turn_is_forgotten(world: World) -> None:
    """What was refused stays out of the thread's memory, so that the next question is not refused with it."""
    world.claude.troubles.refuse_next("bio")
    root = await world.slack.say("ana", "#shop-dev", "@purser something about plover-17")
    await world.ended(root)
    again = await world.slack.say("ana", "#shop-dev", "@purser What is 6*7?", thread_ts=root.ts)
    await world.ended(again)

    assert [m["role"] for m in world.asked[-1].body["messages"]] == ["user"]
    assert "plover-17" not in str(world.asked[-1].body["messages"])
    assert "declined" not in str(world.asked[-1].body["messages"])
    assert "6*7 = 42" in words_of(world.said(root)[-1])


async def test_another_model_is_asked_where_the_policy_names_one(tmp_path: Path) -> None:
    """Where the channel has a fallback model, it is asked first, said so, and billed at its own price."""
    async with World(tmp_path, policy='fallback_model = "claude-opus-5"') as world:
        await world.start()
        world.claude.troubles.refuse_next("cyber")
        root = await world.slack.say("ana", "#shop-dev", "@purser What is 6*7?")

        assert "6*7 = 42" in await world.answered(root)
        assert "claude-opus-5 was asked instead" in world.notes(root)[0]
        assert world.notes(root)[1].endswith("claude-opus-5")
        assert purposes(world) == [("answer", "cyber"), ("fallback", "end_turn")]
        assert_balanced(world)


def has_results(body: Mapping[str, Any]) -> bool:
    """Whether a request brings back what tools gave."""
    return "tool_result" in str(body["messages"])


async def test_a_refusal_inside_a_round_of_tools(world: World) -> None:
    """Refused with a tool's result in hand, the question is reworded and asked from the beginning, without that round."""
    use = Use("jira_get_issue", {"key": "SHOP-12"})
    world.script(Draft("Let me see.", uses=(use,)), Draft("It is open, of wolves."), Draft("Open."))
    world.claude.troubles.add(Trouble(refuse=True, mid=True, fits=has_results))
    root = await world.slack.say("ana", "#shop-dev", "@purser Tell me of SHOP-12, plover!!")

    assert await world.answered(root) == "Open."
    assert len(notes(world, root)) == 1
    last = world.asked[-1].body["messages"]
    assert (len(last), "wolves" in str(last), "!!" in str(last)) == (1, False, False)
    assert purposes(world) == [
        ("answer", "tool_use"),
        ("answer", "refusal"),
        ("rephrase", "end_turn"),
        ("answer", "end_turn"),
    ]
    assert_balanced(world)


async def test_a_half_made_tool_call_is_never_run(world: World) -> None:
    """A refusal breaks off an answer that was about to use a tool: the tool is not run, its words are taken back."""
    use = Use("jira_get_issue", {"key": "SHOP-12", "include": ["comments", "links", "history"]})
    world.script(Draft("I look for wolves.", uses=(use,)), Draft("Without it."))
    world.claude.troubles.add(Trouble(refuse=True, category="general_harms", mid=True, after=30))
    root = await world.slack.say("ana", "#shop-dev", f"@purser {WORDY}")

    assert await world.answered(root) == "Without it."
    assert world.rows("SELECT * FROM tool_results") == []
    assert "wolves" not in str(world.asked[-1].body["messages"])
    assert_balanced(world)


@pytest.mark.parametrize("mid", [False, True])
async def test_a_rewording_that_is_refused_skips_the_rung(world: World, mid: bool) -> None:
    """Where the rewording itself is refused, nothing is asked again, and the end does not claim that it was."""
    world.claude.troubles.add(Trouble(refuse=True, fits=lambda body: not rewording(body)))
    world.claude.troubles.add(Trouble(refuse=True, mid=mid, after=10, fits=rewording))
    root = await world.slack.say("ana", "#shop-dev", f"@purser {WORDY}")
    ask = await world.ended(root)

    assert ask["outcome"] == "refused"
    assert "neutral words" not in world.words(root)
    assert [purpose for purpose, _ in purposes(world)] == ["answer", "rephrase"]
    name = 'purser_rungs_total{category="none",outcome="skipped",rung="reword"}'
    assert await world.metric(name) == 1
    assert_balanced(world)


async def test_a_rewording_is_asked_of_the_quick_model_at_lowest_effort(world: World) -> None:
    """In a review it is put as one; the person's words alone are given, and nobody's purpose is asked for."""
    world.claude.troubles.refuse_next("cyber")
    root = await world.slack.say("ana", "#shop-dev", "@purser review this exploit", code=SNIPPET)
    await world.answered(root)

    (asked,) = [e.body for e in world.asked if e.body is not None and rewording(e.body)]
    words = str(asked["messages"])
    assert (asked["model"], asked["output_config"]) == ("claude-haiku-5-5", {"effort": "low"})
    assert "Kind of work: a code review" in words
    assert "<purser:request>\\nreview this exploit" in words
    assert "Never add a purpose" in str(asked["system"])


async def test_what_came_of_each_rung_is_counted(tmp_path: Path) -> None:
    """Each rung is counted by category with what came of it, the last one, too."""
    async with World(tmp_path, policy='fallback_model = "claude-opus-5"') as world:
        await world.start()
        refusal = Trouble(refuse=True, category="cyber", fits=lambda body: not rewording(body))
        world.claude.troubles.add(refusal, times=2)
        root = await world.slack.say("ana", "#shop-dev", "@purser review this now!!", code=SNIPPET)
        await world.answered(root)

        for rung, outcome in (("model", "declined"), ("reword", "answered")):
            labels = f'category="cyber",outcome="{outcome}",rung="{rung}"'
            assert await world.metric(f"purser_rungs_total{{{labels}}}") == 1
            assert (
                await world.metric(f'purser_refusals_total{{category="cyber",rung="{rung}"}}') == 1
            )
        assert [purpose for purpose, _ in purposes(world)] == [
            "answer",
            "fallback",
            "rephrase",
            "fallback",
        ]
        assert_balanced(world)
