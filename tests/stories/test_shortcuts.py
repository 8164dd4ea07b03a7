"""What is chosen in a message's menu: a summary of its thread, a ticket made of it."""

from pathlib import Path

from bot.demo.slack import Message
from bot.demo.slack.events import Envelope
from bot.demo.terminal import has_feedback, words_of
from tests.stories.account import assert_balanced
from tests.stories.world import World


async def test_a_thread_is_summarised_in_its_place(world: World) -> None:
    """The answer stands in the thread of the message, with all that was said in it before Claude."""
    root = await world.slack.say("ana", "#shop-dev", "The checkout times out since noon.")
    reply = await world.slack.say(
        "ben", "#shop-dev", "We roll back to 4.2 today.", thread_ts=root.ts
    )
    assert (await world.slack.shortcut("chi", "summarise_thread", reply)).acked
    await world.until(world.asks)
    await world.idle()

    (ask,) = world.asks()
    assert (ask["outcome"], ask["user"]) == ("answer", "U0CHI")
    (answer,) = world.said(root)
    assert has_feedback(answer)
    assert "ben: “We roll back to 4.2 today.”" in words_of(answer)
    sent = str(world.asked[0].body)
    assert "times out since noon" in sent
    assert "roll back to 4.2" in sent
    assert "Summarise this thread" in sent
    assert_balanced(world)


async def test_a_message_without_replies_is_a_thread_of_one(world: World) -> None:
    """Chosen on a message that nobody answered, the answer opens its thread."""
    root = await world.slack.say("ana", "#shop-dev", "The checkout times out since noon.")
    await world.slack.shortcut("ana", "summarise_thread", root)
    await world.until(world.asks)
    await world.idle()

    (answer,) = world.said(root)
    assert has_feedback(answer)
    assert "times out since noon" in str(world.asked[0].body)


async def test_a_ticket_is_proposed_from_a_thread(world: World) -> None:
    """What would be written stands in the thread with its buttons; nothing is written yet."""
    root = await world.slack.say("ana", "#shop-dev", "The checkout times out, like SHOP-12.")
    await world.slack.shortcut("ana", "open_ticket", root)
    await world.until(world.asks)
    await world.idle()

    proposal = "".join(words_of(message) for message in world.said(root) if asks(message))
    assert "a new ticket in [SHOP]" in proposal
    assert [r for r in world.jira.log if r.method == "POST" and r.path.endswith("/issue")] == []


def asks(message: Message) -> bool:
    """Whether a message has buttons to decide with."""
    return any(block.get("type") == "actions" for block in message.blocks)


async def test_where_the_bot_is_no_member_it_says_so_to_one_alone(world: World) -> None:
    """Who chose it hears why nothing was read, and nobody else sees anything."""
    root = await world.slack.say("ana", "#random", "The checkout times out since noon.")
    await world.slack.shortcut("ana", "summarise_thread", root)
    await world.until(world.asks)
    await world.idle()

    told = [words_of(message) for message in world.slack.ephemerals("#random", "ana")]
    assert len(told) == 1
    assert "I am not in this channel" in told[0]
    assert world.slack.by_app("#random") == []
    assert world.slack.by_app("#random", root.ts) == []
    assert world.asked == []


async def test_a_shortcut_told_twice_is_one_ask(tmp_path: Path) -> None:
    """Slack telling of one choice twice is one ask."""
    async with World(tmp_path, http=True) as world:
        await world.start()
        root = await world.slack.say("ana", "#shop-dev", "The checkout times out since noon.")
        await world.slack.shortcut("ana", "summarise_thread", root)
        sent = next(line for line in world.slack.log if line.method == "interactive")
        await world.slack.door.carry(Envelope("interactive", dict(sent.arguments)), 5)
        await world.idle()

        assert len(world.asks()) == 1
        assert len(world.said(root)) == 1
