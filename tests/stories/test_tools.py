"""Tools go wrong in every way, and the answer goes on: it says what it could not read."""

from pathlib import Path

import pytest

from bot.demo.claude.reply import Draft, Use
from bot.demo.pages.made import Page
from bot.demo.terminal import words_of
from bot.tool_runner import CALLS_PER_ROUND
from tests.stories.account import assert_balanced
from tests.stories.world import Row, World

QUICK = "tool_seconds = 0.4"


def results(world: World) -> list[Row]:
    """The journalled results of tools, in their order."""
    return world.rows("SELECT * FROM tool_results ORDER BY at, use_id")


def blocks(world: World, number: int) -> list[Row]:
    """The tool_result blocks of the nth request."""
    last = world.asked[number].body["messages"][-1]["content"]
    return [block for block in last if block["type"] == "tool_result"]


@pytest.mark.parametrize("path", [Page.SLOW, Page.SLOW_BODY, Page.DRIP])
async def test_a_slow_page_is_cut_and_the_answer_goes_on(tmp_path: Path, path: Page) -> None:
    """A page that does not come in time is given up, Claude is told so, and the answer says it."""
    async with World(tmp_path, policy=QUICK) as world:
        await world.start()
        root = await world.slack.say(
            "ana", "#shop-dev", f"@purser What does {world.web.address(path)} say?"
        )

        answer = await world.answered(root)
        assert "I could not read" in answer
        (block,) = blocks(world, 1)
        assert block["is_error"] is True
        assert_balanced(world)


@pytest.mark.parametrize(
    "path",
    [
        Page.REDIRECT_PRIVATE,
        Page.REDIRECT_METADATA,
        Page.REDIRECT_SCHEME,
        Page.REDIRECT_LOOP,
        Page.BINARY,
        Page.MISSING,
        Page.BROKEN,
        Page.FORBIDDEN,
        Page.CUT,
    ],
)
async def test_an_unreadable_page_becomes_words(world: World, path: Page) -> None:
    """A page that leads astray, is broken or forbidden becomes words for Claude, never an exception's."""
    address = world.web.address(path)
    root = await world.slack.say("ana", "#shop-dev", f"@purser What does {address} say?")

    answer = await world.answered(root)
    (block,) = blocks(world, 1)
    assert block["is_error"] is True
    assert "I could not read" in answer
    assert "Traceback" not in str(block)
    assert "Error(" not in str(block)


async def test_calls_of_a_round_run_side_by_side(tmp_path: Path) -> None:
    """One call that hangs does not hold up its sibling: each has its own result, in the order of the calls."""
    async with World(tmp_path, policy="tool_seconds = 1.5") as world:
        await world.start()
        slow, good = world.web.address(Page.SLOW), world.web.address(Page.TEXT)
        uses = tuple(Use("web_fetch", {"url": url}) for url in (slow, good, slow))
        world.script(Draft("I'll look.", uses=uses), Draft("One of three could be read."))
        root = await world.slack.say("ana", "#shop-dev", f"@purser read {slow} and {good}")

        assert "One of three" in await world.answered(root)
        assert [bool(block.get("is_error")) for block in blocks(world, 1)] == [True, False, True]
        ids = [b["id"] for b in world.asked[0].content if b["type"] == "tool_use"]
        assert [block["tool_use_id"] for block in blocks(world, 1)] == ids
        assert sorted(row["use_id"] for row in results(world)) == sorted(ids)


async def test_a_tool_that_is_not_there(world: World) -> None:
    """A tool nobody declared, and arguments of the wrong shape, have results that say so."""
    uses = (Use("make_coffee", {}), Use("web_fetch", {"address": 1}))
    world.script(Draft(uses=uses), Draft("Then without."))
    root = await world.slack.say("ana", "#shop-dev", "@purser coffee, please")

    assert "Then without." in await world.answered(root)
    assert [block["is_error"] for block in blocks(world, 1)] == [True, True]


async def test_jira_being_down_is_told(world: World) -> None:
    """While Jira cannot be reached, the answer says so in words, and is an answer all the same."""
    await world.jira.stop()
    root = await world.slack.say("ana", "#shop-dev", "@purser summarize SHOP-12")

    answer = await world.answered(root)
    (block,) = blocks(world, 1)
    assert block["is_error"] is True
    assert "SHOP-12" in answer
    await world.jira.start()


async def test_a_project_that_is_not_open_here(tmp_path: Path) -> None:
    """A ticket of a project that the channel may not read is not asked for, and it is said who opens it."""
    async with World(tmp_path, policy='jira_projects = ["PAY"]') as world:
        await world.start()
        root = await world.slack.say("ana", "#shop-dev", "@purser summarize SHOP-12")
        await world.answered(root)

        (block,) = blocks(world, 1)
        assert "jira_projects" in str(block["content"])
        assert world.jira.log == []


async def test_rounds_are_bounded(tmp_path: Path) -> None:
    """A Claude that never stops calling tools is given no more of them after so many rounds, and is told."""
    async with World(tmp_path, policy="rounds = 3") as world:
        await world.start()
        address = world.web.address(Page.TEXT)
        world.script(Draft(uses=(Use("web_fetch", {"url": address}),)))
        root = await world.slack.say("ana", "#shop-dev", f"@purser read {address} on and on")
        ask = await world.ended(root)

        assert ask["outcome"] in {"answer", "stopped", "failed"}
        assert len(results(world)) == 3
        assert world.asked[-1].body["tool_choice"] == {"type": "none"}
        assert world.words(root)
        assert_balanced(world)


async def test_what_a_page_orders_is_not_obeyed_by_us(world: World) -> None:
    """A page that gives orders is data: it reaches Claude as a tool's result, and pings nobody in Slack."""
    world.claude.brain.obeys = True
    address = world.web.address(Page.INJECTION)
    root = await world.slack.say("ana", "#shop-dev", f"@purser What does {address} say?")
    await world.ended(root)

    said = "".join(words_of(m) + str(m.blocks) for m in world.said(root))
    assert "<!channel>" not in said
    assert "<!here>" not in said


async def test_results_stand_between_lines_that_they_cannot_write(world: World) -> None:
    """What a tool read stands between two marked lines, the same bytes in every later request of the thread."""
    address = world.web.address(Page.TEXT)
    root = await world.slack.say("ana", "#shop-dev", f"@purser What does {address} say?")
    await world.answered(root)
    more = await world.slack.say("ana", "#shop-dev", "@purser and why?", thread_ts=root.ts)
    await world.ended(more)

    (block,) = blocks(world, 1)
    first, body, last = (part["text"] for part in block["content"])
    assert first.startswith('<purser:data mark="')
    assert last == first.replace("<", "</")
    assert address in body
    (kept,) = (
        part
        for message in world.asked[2].body["messages"]
        for part in message["content"]
        if part["type"] == "tool_result"
    )
    assert kept["content"] == block["content"]


async def test_a_thousand_calls_in_a_round_end_in_an_answer(world: World) -> None:
    """Of a thousand calls at once some run, each has its one result, and the answer comes."""
    uses = tuple(
        Use("jira_count", {"jql": f"project = SHOP AND key > SHOP-{n}"}) for n in range(1, 1001)
    )
    world.script(Draft("I'll count.", uses=uses), Draft("I counted some of them."))
    root = await world.slack.say("ana", "#shop-dev", "@purser count everything")

    assert "I counted some" in await world.answered(root)
    told = blocks(world, 1)
    assert len({block["tool_use_id"] for block in told}) == len(told) == 1000
    assert sum(not block.get("is_error") for block in told) == CALLS_PER_ROUND
    assert len([heard for heard in world.jira.log if "count" in heard.path]) <= CALLS_PER_ROUND
    assert_balanced(world)
