"""`/purser why` tells who asks what happened to what they asked last."""

from bot.demo.claude.reply import Draft, Use
from bot.demo.terminal import words_of
from tests.stories.world import World


async def why(world: World, who: str, words: str = "") -> str:
    """What the command tells somebody."""
    channel = world.slack.world.channel("#shop-dev").id
    before = len(world.slack.ephemerals(channel, who))
    await world.slack.command(who, "#shop-dev", "/purser", f"why {words}".strip())
    await world.idle()
    told = world.slack.ephemerals(channel, who)[before:]
    return "\n".join(words_of(message) for message in told)


async def test_a_refusal_is_told_with_all_its_rungs(world: World) -> None:
    """Outcome, category, rungs, cost and reference of one's own ask; nobody else's."""
    world.claude.troubles.refuse_next("general_harms")
    root = await world.slack.say("ana", "#shop-dev", "@purser How do I kill orphans?")
    ask = await world.ended(root)
    other = await world.slack.say("ben", "#shop-dev", "@purser What is 6*7?")
    await world.ended(other)

    told = await why(world, "ana")
    assert f"chat: answered** (reference `{ask['id'][-8:]}`)" in told
    assert "Claude refused once, category `general_harms`." in told
    assert "It was put in neutral words, to be asked once more." in told
    assert "in 3 calls of Claude" in told
    assert told.count("reference `") == 1
    assert "orphans" not in told
    assert "I answer you here (rule `member`)" in told


async def test_tools_that_failed_are_told(world: World) -> None:
    """A tool that gave nothing is named."""
    use = Use("jira_get_issue", {"key": "NOPE-1"})
    world.script(Draft("Let me see.", uses=(use,)), Draft("It is not open here."))
    root = await world.slack.say("ana", "#shop-dev", "@purser What is NOPE-1?")
    await world.ended(root)

    assert "1 call of tools; not well: `jira_get_issue` problem." in await why(world, "ana")


async def test_a_reference_is_ones_own_or_an_admins(world: World) -> None:
    """By its reference an ask is told to who asked it, and to admins; to others it is unknown."""
    root = await world.slack.say("ana", "#payments", "@purser What is 6*7?")
    reference = (await world.ended(root))["id"][-8:]

    assert "chat in C0PAYMENTS: answered**" in await why(world, "ana", reference)
    assert "chat in C0PAYMENTS: answered**" in await why(world, "ruth", f"`{reference}`")
    assert "no ask of yours" in await why(world, "ben", reference)
    assert "Nothing that you asked here" in await why(world, "ben")
