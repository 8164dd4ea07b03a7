"""A thread's cache is kept while people are silent: one call, in the books, on a line of its own in /cost."""

from bot.caching import SLOT_SECONDS
from bot.demo.slack import Message
from bot.demo.terminal import words_of
from tests.stories.world import World

CODE = "@purser what does this do?\n```\n" + "total += price(item) * basket[item]\n" * 400 + "```"


async def asked(world: World) -> Message:
    """Somebody pastes code, and is answered."""
    root = await world.slack.say("ana", "#shop-dev", CODE)
    await world.answered(root)
    return root


async def test_a_thread_is_kept_warm_and_told_in_the_costs(world: World) -> None:
    """Five minutes later one call reads it, the next answer reads it too, and the asker sees what that cost."""
    root = await asked(world)
    (first,) = world.booked()
    world.ahead = SLOT_SECONDS + 2
    await world.until(lambda: world.booked("keep_warm"))
    await world.slack.say("ana", "#shop-dev", "@purser and why?", thread_ts=root.ts)
    await world.until(lambda: len(world.booked()) == 2)
    await world.idle()
    (call,), after = world.booked("keep_warm"), world.booked()[-1]
    await world.slack.command("ben", "#shop-dev", "/cost", "")
    await world.idle()

    assert (call["channel"], call["ask_id"], call["output_tokens"]) == (first["channel"], None, 0)
    read = call["cache_read_tokens"] + call["cache_write_1h_tokens"]
    assert after["cache_read_tokens"] == read
    assert read > first["cache_write_5m_tokens"] > 2_000
    told = words_of(world.slack.ephemerals("#shop-dev", "ben")[-1])
    assert "Keeping the cache of threads warm: " in told
    assert "for 1 call, in the sum above." in told
    assert len(world.asked) == 2
