"""Before an expensive ask a person decides: *Go*, *Smaller* or *Cancel*; until then it costs and holds nothing."""

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.aftermath import UNSAID_AT_MOST
from bot.demo.claude.record import Exchange
from bot.demo.scenes import SNIPPET
from bot.demo.slack import Message, SlackStandIn
from bot.demo.slack.events import Envelope
from bot.demo.slack.methods import EVENTS
from bot.demo.terminal import has_feedback, under, words_of
from bot.estimates import Estimates
from bot.store.sqlite import SqliteStore
from tests.stories.account import assert_balanced
from tests.stories.world import Row, World

DEAR = (
    'confirm_above_usd = 0.0001\nquick_model = "claude-haiku-5-5"'  # nearly everything needs a word
)
DAY = 86_400.0
FOR_EVER = 3600.0


@pytest.fixture
async def dear(tmp_path: Path) -> AsyncIterator[World]:
    """A world in which nearly every ask needs a person's word."""
    async with World(tmp_path, policy=DEAR) as made:
        yield await made.start()


def counts(world: World) -> list[Exchange]:
    """The requests to count tokens."""
    return [one for one in world.claude.log if one.path == "/v1/messages/count_tokens"]


def decisions(message: Message) -> list[str]:
    """The buttons under a message, by their words."""
    rows = [block for block in message.blocks if block.get("type") == "actions"]
    return [str(e["text"]["text"]) for row in rows for e in row["elements"]]


async def quoted(world: World, root: Message, n: int = 1) -> Message:
    """The estimate under a message, once its ask is parked."""
    await parked(world, n)
    (estimate,) = world.said(root)
    return estimate


async def parked(world: World, n: int = 1) -> list[Row]:
    """The parked asks, once there are so many."""

    def found() -> list[Row] | None:
        asks = [ask for ask in world.asks() if ask["state"] == "parked"]
        return asks if len(asks) == n else None

    return await world.until(found)


def estimate_of(world: World, ask_id: str) -> Row:
    """What is kept of an ask's estimate."""
    (row,) = world.rows("SELECT * FROM estimates WHERE ask_id = ?", ask_id)
    return row


async def review(world: World, user: str = "ana") -> Message:
    """Somebody asks for a review."""
    return await world.slack.say(user, "#shop-dev", "@purser review this", code=SNIPPET)


async def test_an_ordinary_ask_makes_no_extra_call(world: World) -> None:
    """Where an ask is cheap by far, nobody is asked for its count, and nobody for a word; its estimate is kept."""
    root = await review(world)
    await world.answered(root)
    ask = world.ask_of(root)

    assert ask is not None
    assert counts(world) == []
    assert len(world.asked) == 1
    kept, spent = estimate_of(world, ask["id"]), sum(r["cost_picos"] for r in world.booked())
    assert kept["state"] == ""
    assert 0.2 < kept["picos"] / spent < 20


async def test_an_estimate_stands_as_it_was_posted(dear: World) -> None:
    """It comes with its buttons and is not edited again, so that no press, however quick, is overwritten."""
    await quoted(dear, await review(dear))

    assert [line for line in dear.slack.log if line.method == "chat.update"] == []


async def test_go(dear: World) -> None:
    """The estimate stands with its buttons; after Go they are gone, the place says who, and the answer follows."""
    root = await review(dear)
    estimate = await quoted(dear, root)

    assert "tokens, $0.0" in words_of(estimate)
    assert decisions(estimate) == ["Go", "Smaller", "Cancel"]
    assert dear.asked == []
    assert len(counts(dear)) == 1
    assert (await dear.slack.click("ana", estimate, "estimate:go")).acked
    ask = await dear.ended(root)

    assert ask["outcome"] == "answer"
    place, answer = dear.said(root)
    assert decisions(place) == []
    assert "Go, said ana" in under(place)[0]
    assert "SQL" in words_of(answer)
    assert has_feedback(answer)
    assert len(dear.asked) == 1
    assert len(counts(dear)) == 1
    assert_balanced(dear)


async def test_an_answer_that_was_agreed_to_late_is_late_given_up(dear: World) -> None:
    """Hours after the ask somebody says Go, and Slack fails for a moment: the answer, which is paid, comes still."""
    root = await review(dear)
    estimate = await quoted(dear, root)
    dear.ahead += UNSAID_AT_MOST + 3600.0
    dear.slack.troubles.down |= dict.fromkeys(
        ("chat.startStream", "chat.postMessage"), "fatal_error"
    )
    await dear.slack.click("ana", estimate, "estimate:go")
    await dear.until(lambda: dear.asked and (dear.ask_of(root) or {})["state"] != "leased")
    state = (dear.ask_of(root) or {})["state"]
    dear.slack.troubles.down.clear()
    dear.ahead += 30.0

    assert state == "waiting"
    assert (await dear.ended(root))["outcome"] == "answer"
    assert len(dear.asked) == 1
    assert_balanced(dear)


async def test_smaller(dear: World) -> None:
    """Smaller asks with less effort, and the answer says so."""
    root = await dear.slack.say("ana", "#shop-dev", "@purser What is 6*7?")
    estimate = await quoted(dear, root)
    await dear.slack.click("ana", estimate, "estimate:smaller")
    await dear.ended(root)

    place, answer = dear.said(root)
    assert "Smaller, said ana" in under(place)[0]
    assert "6*7 = 42" in words_of(answer)
    assert "Done smaller, as you wanted: claude-haiku-5-5, low effort" in under(answer)[0]
    body: Any = dear.asked[0].body
    assert (body["model"], body["output_config"]["effort"]) == ("claude-haiku-5-5", "low")
    assert "wants it for less" in json.dumps(body["messages"])


async def test_cancel(dear: World) -> None:
    """After Cancel the place says so, nothing is asked of Claude, and the ask has its end."""
    root = await review(dear)
    estimate = await quoted(dear, root)
    await dear.slack.click("ana", estimate, "estimate:cancel")
    ask = await dear.ended(root)
    await dear.idle()

    assert ask["outcome"] == "stopped"
    (place,) = dear.said(root)
    assert decisions(place) == []
    assert "Cancel, said ana" in under(place)[0]
    assert dear.asked == []
    assert dear.booked() == []


async def test_a_day_without_a_decision(dear: World) -> None:
    """After a day it has lapsed: the place says so, the ask is stopped, and a late press of the button changes nothing."""
    root = await review(dear)
    estimate = await quoted(dear, root)
    copied = list(estimate.blocks)
    dear.ahead = DAY + 1
    ask = await dear.ended(root)

    assert ask["outcome"] == "stopped"
    (place,) = dear.said(root)
    assert "has lapsed" in words_of(place)
    assert decisions(place) == []
    place.blocks = copied  # as somebody's window may still show it
    await dear.slack.click("ana", place, "estimate:go")
    await dear.idle()
    told = [words_of(m) for m in dear.slack.ephemerals("#shop-dev", "ana")]
    assert told == ["This has lapsed; please ask again."]
    assert dear.asked == []


async def test_who_did_not_ask_decides_nothing(dear: World) -> None:
    """Another person's press is answered to them alone, and the ask waits on; an admin's decides."""
    root = await review(dear)
    estimate = await quoted(dear, root)
    await dear.slack.click("ben", estimate, "estimate:go")
    await dear.until(lambda: dear.slack.ephemerals("#shop-dev", "ben"))
    await parked(dear)

    told = [words_of(m) for m in dear.slack.ephemerals("#shop-dev", "ben")]
    assert told == ["Only who asked, or an admin, can decide this."]
    assert decisions(estimate) == ["Go", "Smaller", "Cancel"]
    assert dear.asked == []


async def test_an_admin_decides(dear: World) -> None:
    """An admin of Purser's may decide for who asked."""
    root = await review(dear)
    await dear.slack.click("ruth", await quoted(dear, root), "estimate:go")

    assert (await dear.ended(root))["outcome"] == "answer"
    assert "Go, said ruth" in under(dear.said(root)[0])[0]


async def test_a_decision_counts_where_its_place_is_gone(dear: World) -> None:
    """Where the estimate can be edited no more it is decided on all the same, and no press is left to an operator."""
    root = await review(dear)
    estimate = await quoted(dear, root)
    dear.slack.troubles.errors["chat.update"] = ["is_archived"]
    await dear.slack.click("ana", estimate, "estimate:cancel")
    await dear.idle()

    assert [ask["state"] for ask in dear.asks()] == ["done", "done"]
    assert dear.asked == []


async def test_presses_that_come_twice_count_once(dear: World) -> None:
    """Of two presses the first decides, however close the second; who pressed the second one hears so."""
    root = await review(dear)
    estimate = await quoted(dear, root)
    copied = list(estimate.blocks)
    await dear.slack.click("ana", estimate, "estimate:go")
    estimate.blocks = copied
    await dear.slack.click("ana", estimate, "estimate:cancel")
    ask = await dear.ended(root)
    await dear.idle()

    assert ask["outcome"] == "answer"
    assert estimate_of(dear, ask["id"])["state"] == "go"
    told = [words_of(m) for m in dear.slack.ephemerals("#shop-dev", "ana")]
    assert told == ["It was decided already: Go."]
    assert len(dear.asked) == 1


async def test_a_press_delivered_twice_counts_once(dear: World) -> None:
    """Slack telling of one press twice is one press."""
    root = await review(dear)
    await dear.slack.click("ana", await quoted(dear, root), "estimate:go")
    sent = next(one for one in dear.slack.log if one.method == "interactive")
    await dear.slack.sockets.carry(Envelope("interactive", dict(sent.arguments)), 5)
    await dear.ended(root)
    await dear.idle()

    assert len([ask for ask in dear.asks() if ask["feature"] == "click"]) == 1
    assert len(dear.asked) == 1


async def test_a_parked_ask_holds_neither_slot_nor_lane(tmp_path: Path) -> None:
    """While one ask waits for a person, others in its thread and of the same person are answered."""
    policy = "person_in_flight = 1\nconfirm_above_usd = 0.04"
    async with World(tmp_path, policy=policy) as world:
        await world.start()
        root = await review(world)
        await quoted(world, root)
        after = await world.slack.say("ana", "#shop-dev", "@purser What is 6*7?", thread_ts=root.ts)
        assert (await world.ended(after))["outcome"] == "answer"

        estimate, answer = world.said(root)
        assert has_feedback(answer)
        await world.slack.click("ana", estimate, "estimate:go")
        assert (await world.ended(root))["outcome"] == "answer"
        assert len(world.said(root)) == 3


async def test_a_kill_while_it_waits(tmp_path: Path) -> None:
    """Killed while an ask is parked, the bot neither says its estimate again nor forgets that it waits."""
    async with World(tmp_path, policy=DEAR) as world:
        await world.spawn()
        root = await review(world)
        await quoted(world, root)
        await world.kill()
        await world.spawn()
        estimate = await quoted(world, root)
        await world.slack.click("ana", estimate, "estimate:go")

        assert (await world.ended(root))["outcome"] == "answer"
        assert len(world.said(root)) == 2
        assert len(world.asked) == 1
        assert_balanced(world)


async def test_a_kill_before_the_estimate_is_known_to_stand(tmp_path: Path) -> None:
    """Killed between saying the estimate and writing down that it was said, the bot finds it and says it no second time."""
    async with World(tmp_path, policy=DEAR) as world:
        await world.spawn()
        world.slack.troubles.lost["chat.postMessage"] = 1
        world.slack.troubles.slow["conversations.replies"] = FOR_EVER
        root = await review(world)
        await world.until(lambda: world.said(root))
        await world.kill()
        world.slack.troubles.slow.clear()
        await world.spawn()
        estimate = await quoted(world, root)

        assert decisions(estimate) == ["Go", "Smaller", "Cancel"]
        await world.slack.click("ana", estimate, "estimate:smaller")
        assert (await world.ended(root))["outcome"] == "answer"
        assert len(world.said(root)) == 2


@pytest.mark.parametrize("word", ["go", "smaller", "cancel"])
async def test_a_kill_after_the_decision(tmp_path: Path, word: str) -> None:
    """Killed once it was decided, the bot does what was decided, asks nobody again, and pays once."""
    async with World(tmp_path, policy=DEAR) as world:
        await world.spawn()
        root = await review(world)
        estimate = await quoted(world, root)
        world.claude.troubles.hang(FOR_EVER)
        world.slack.troubles.slow["chat.update"] = FOR_EVER
        await world.slack.click("ana", estimate, f"estimate:{word}")
        await world.until(lambda: estimate_of(world, root_id(world, root))["state"] == word)
        await world.kill()
        world.slack.troubles.slow.clear()
        world.claude.troubles.clear()
        await world.spawn()
        ask = await world.ended(root)
        await world.idle()

        assert ask["outcome"] == ("stopped" if word == "cancel" else "answer")
        place, *answers = world.said(root)
        assert decisions(place) == []
        assert f"{word.title()}, said ana" in under(place)[0]
        assert len(answers) == (word != "cancel")
        assert len([e for e in world.asked if e.state == "done"]) == len(answers)
        assert_balanced(world)


def root_id(world: World, root: Message) -> str:
    """The id of a message's ask."""
    ask = world.ask_of(root)
    assert ask is not None
    return str(ask["id"])


async def test_a_kill_in_the_answer_that_was_agreed_to(tmp_path: Path) -> None:
    """Killed while the answer is under way, the bot finishes it, without asking again."""
    async with World(tmp_path, policy=DEAR) as world:
        await world.spawn()
        world.claude.tokens_per_second = 60.0
        root = await review(world)
        await world.slack.click("ana", await quoted(world, root), "estimate:go")
        await world.until(lambda: len(world.said(root)) == 2)
        await world.kill()
        world.claude.tokens_per_second = None
        await world.spawn()
        ask = await world.ended(root)

        assert ask["outcome"] == "answer"
        place, answer = world.said(root)
        assert "Go, said ana" in under(place)[0]
        assert has_feedback(answer)
        assert "SQL" in words_of(answer)
        assert_balanced(world)


async def test_a_stop_of_what_waits(dear: World) -> None:
    """A stop by word, or a cross on the estimate, ends the ask that waits; its place says so."""
    root = await review(dear)
    await quoted(dear, root)
    await dear.slack.say("ben", "#shop-dev", "@purser stop", thread_ts=root.ts)
    assert (await dear.ended(root))["outcome"] == "stopped"
    other = await review(dear)
    await dear.slack.react("ana", await quoted(dear, other), "x")
    assert (await dear.ended(other))["outcome"] == "stopped"

    for one in (root, other):
        (place,) = dear.said(one)
        assert words_of(place) == "Stopped before Claude was asked; it has cost nothing."
        assert decisions(place) == []
    assert dear.asked == []


async def test_a_stop_in_direct_messages(dear: World) -> None:
    """In direct messages the word alone stops what waits there."""
    root = await dear.slack.dm("ana", "What is 6*7?")
    await parked(dear)
    await dear.slack.dm("ana", "stop")

    assert (await dear.ended(root))["outcome"] == "stopped"


@pytest.fixture
async def attentive(tmp_path: Path) -> AsyncIterator[World]:
    """The same, where the bot hears of edits and deletions in channels."""
    slack = SlackStandIn(events=(*EVENTS, "message.channels"))
    async with World(tmp_path, policy=DEAR, slack=slack) as made:
        yield await made.start()


async def test_a_question_deleted_while_it_waits(attentive: World) -> None:
    """A question that is deleted while a person has to decide is stopped."""
    root = await review(attentive)
    await quoted(attentive, root)
    await attentive.slack.delete(root)

    assert (await attentive.ended(root))["outcome"] == "stopped"
    assert attentive.asked == []


async def test_a_question_edited_while_it_waits(attentive: World) -> None:
    """A question that is edited while a person has to decide is estimated anew in the same place, and asked as edited."""
    root = await attentive.slack.say("ana", "#shop-dev", "@purser What is 6*7?")
    before = words_of(await quoted(attentive, root))
    await attentive.slack.edit(root, "@purser What is 2+3? " + "And why? " * 4000)
    await attentive.until(lambda: words_of(attentive.said(root)[0]) != before)
    estimate = await quoted(attentive, root)
    await attentive.slack.click("ana", estimate, "estimate:go")
    await attentive.ended(root)

    _, answer = attentive.said(root)
    assert "2+3 = 5" in words_of(answer)
    assert "earlier wording" not in str(under(answer))
    assert len(attentive.asked) == 1


async def test_a_question_made_cheap_by_an_edit(tmp_path: Path) -> None:
    """A question that is edited so that it needs no word any more is answered, in the place of its estimate."""
    slack = SlackStandIn(events=(*EVENTS, "message.channels"))
    async with World(tmp_path, policy="confirm_above_usd = 0.03", slack=slack) as world:
        await world.start()
        long = "@purser What is 6*7? " + "And why? " * 4000
        root = await world.slack.say("ana", "#shop-dev", long)
        await quoted(world, root)
        await world.slack.edit(root, "@purser What is 2+3?")

        assert "2+3 = 5" in await world.answered(root)
        assert "earlier wording" not in str(world.notes(root))
        assert decisions(world.said(root)[0]) == []


async def test_a_command_where_the_bot_is_no_member(dear: World) -> None:
    """Where the channel is closed to us, the estimate and its buttons come by direct message; the answer goes its usual way."""
    await dear.slack.command("ana", "#random", "/summarize", "SHOP-12")
    await parked(dear)
    (estimate,) = dear.slack.by_app(dear.slack.world.direct("U0ANA").id)
    assert decisions(estimate) == ["Go", "Smaller", "Cancel"]
    await dear.slack.click("ana", estimate, "estimate:go")
    await dear.idle()

    assert "Go, said ana" in under(estimate)[0]
    assert any("SHOP-12" in words_of(m) for m in dear.slack.messages("#random"))


async def test_what_was_expected_is_told_beside_what_was_spent(dear: World) -> None:
    """The books of estimates give each with what it came to."""
    root = await review(dear)
    await dear.slack.click("ana", await quoted(dear, root), "estimate:go")
    ask = await dear.ended(root)
    store = await SqliteStore.open(dear.folder / "purser.db", serve=False)
    try:
        (pair,) = await Estimates(store, now=lambda: 0.0).pairs(since=0.0, until=1e12)
    finally:
        await store.close()

    spent = Decimal(sum(row["cost_picos"] for row in dear.booked())) / 10**12
    assert (pair.ask_id, pair.feature, pair.state, pair.cost) == (ask["id"], "review", "go", spent)
    assert pair.error == spent / (Decimal(pair.estimate.picos) / 10**12) - 1
