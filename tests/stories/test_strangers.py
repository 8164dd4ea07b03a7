"""Guests, strangers, shared channels, other organisations and bots: refused or dropped, counted, and never paid for."""

from pathlib import Path
from typing import Any

import pytest

from bot.aftermath import STRANGE, UNSAID_AT_MOST
from bot.demo.slack import Message, SlackStandIn
from bot.demo.slack.methods import EVENTS
from bot.demo.slack.world import Person
from bot.demo.terminal import words_of
from tests.stories.world import World

EXTERNAL = "I am not open to people of other organisations, or in channels shared with them"
UNSEEN = "Slack does not show me this channel"
GUESTS = "I am not open to guest accounts"


@pytest.fixture
def slack() -> SlackStandIn:
    """A Slack that also tells of messages without a mention."""
    return SlackStandIn(events=(*EVENTS, "message.channels"))


@pytest.mark.parametrize(
    ("who", "where", "rule", "sentence"),
    [
        ("gil", "#shop-dev", "guests", GUESTS),
        ("sol", "#ext-partner", "external", EXTERNAL),
        ("petra", "#ext-partner", "external", EXTERNAL),
        ("ana", "#ext-partner", "external", EXTERNAL),
        ("gil", "@gil", "guests", GUESTS),
        ("petra", "@petra", "external", EXTERNAL),
    ],
    ids=[
        "a guest",
        "a guest in a shared channel",
        "a stranger",
        "a member in a shared channel",
        "a guest, directly",
        "a stranger, directly",
    ],
)
async def test_outsiders_are_refused_in_a_sentence(
    world: World, who: str, where: str, rule: str, sentence: str
) -> None:
    """Who is not of us is told so where they asked, counted under the rule, and Claude hears nothing of it."""
    root = await world.slack.say(who, where, "@purser What is 6*7?")
    ask = await world.ended(root)

    assert ask["outcome"] == "stopped"
    assert world.words(root).startswith(sentence)
    assert await world.dropped(f"denied:{rule}") == 1
    assert world.asked == []
    assert world.booked() == []


@pytest.mark.parametrize("command", ["/summarize", "/cost", "/purser"])
@pytest.mark.parametrize(("who", "where"), [("gil", "#shop-dev"), ("ana", "#ext-partner")])
async def test_outsiders_commands_are_refused(
    world: World, who: str, where: str, command: str
) -> None:
    """No command answers a guest, nor anybody in a shared channel: neither tickets nor costs are told."""
    text = {"/summarize": "SHOP-12", "/cost": "this month", "/purser": "policy"}[command]
    await world.slack.command(who, where, command, text)
    await world.idle()

    told = [words_of(m) for m in (*world.slack.by_app(where), *world.slack.ephemerals(where, who))]
    assert len([words for words in told if words.startswith("I am not open to")]) == 1
    assert "$" not in "".join(told)
    assert world.jira.log == []
    assert world.asked == []


@pytest.mark.parametrize("command", ["/summarize", "/cost", "/purser"])
@pytest.mark.parametrize("trouble", ["", "internal_error"], ids=["not a member", "Slack is down"])
async def test_a_command_where_nobody_can_tell_who_reads_along_is_refused(
    world: World, command: str, trouble: str
) -> None:
    """A channel that Slack does not show us may be shared: that is said, with how to open it, and nothing else."""
    if trouble:
        world.slack.troubles.down["conversations.info"] = trouble
    who, where = ("ana", "#shop-dev") if trouble else ("maya", "#board")
    text = {"/summarize": "SHOP-12", "/cost": "this month", "/purser": "policy"}[command]
    await world.slack.command(who, where, command, text)
    await world.idle()

    told = [words_of(m) for m in (*world.slack.by_app(where), *world.slack.ephemerals(where, who))]
    assert len([w for w in told if w.startswith(UNSEEN)]) == 1
    assert "$" not in "".join(told)
    assert world.jira.log == []
    assert world.asked == []
    assert await world.dropped("denied:external") == 1


async def test_an_admin_can_pause_where_slack_shows_nothing(world: World) -> None:
    """The kill switch works in a channel that we cannot see, whether or not others read along."""
    await world.slack.command("ruth", "#board", "/purser", "pause everywhere")
    await world.idle()
    root = await world.slack.say("ana", "#shop-dev", "@purser What is 6*7?")
    await world.ended(root)

    assert world.words(root).startswith("I am paused")


async def test_who_slack_cannot_name_is_a_stranger(world: World) -> None:
    """Where Slack says that there is no such person, they are refused: it fails closed."""
    world.slack.troubles.down["users.info"] = "user_not_found"
    root = await world.slack.say("ana", "#shop-dev", "@purser What is 6*7?")
    await world.ended(root)

    assert world.words(root).startswith(EXTERNAL)
    assert world.asked == []


async def test_while_slack_does_not_say_who_asks(world: World) -> None:
    """Who was known goes on for a day; who was not is told once, and answered as soon as Slack says who they are."""
    known = await world.slack.say("ana", "#shop-dev", "@purser What is 2+3?")
    await world.answered(known)
    world.ahead += 3600.0
    world.slack.troubles.down["users.info"] = "internal_error"
    again = await world.slack.say("ana", "#shop-dev", "@purser What is 3+4?")
    unknown = await world.slack.say("ben", "#shop-dev", "@purser What is 6*7?")
    answer = await world.answered(again)
    for attempt in (1, 2):
        await world.until(lambda n=attempt: _put_off(world, unknown, n))
        world.ahead += 30.0
    told, asked = world.slack.ephemerals("#shop-dev", "ben"), len(world.asked)
    world.slack.troubles.down.clear()
    world.ahead += 30.0

    assert "3+4 = 7" in answer
    assert [words_of(one).split(",")[0] for one in told] == [
        "Slack does not tell me just now who you are"
    ]
    assert asked == 2
    assert "6*7 = 42" in await world.answered(unknown)


async def test_nobody_gets_in_while_slack_does_not_say_who_asks(world: World) -> None:
    """A guest who asked while nobody could tell is refused as soon as somebody can."""
    world.slack.troubles.down["users.info"] = "internal_error"
    root = await world.slack.say("gil", "#shop-dev", "@purser What is 6*7?")
    await world.until(lambda: _put_off(world, root, 1))
    world.slack.troubles.down.clear()
    world.ahead += 30.0
    await world.ended(root)

    assert "guest" in world.words(root)
    assert world.asked == []


async def test_a_guest_is_not_taken_for_a_stranger_who_may(tmp_path: Path) -> None:
    """Where other organisations may ask and guests may not, a guest waits, too, while nobody can tell, and is refused."""
    async with World(tmp_path, tables='[channels.C0SHOPDEV]\nexternal = "allow"') as world:
        await world.start()
        world.slack.troubles.down["users.info"] = "internal_error"
        root = await world.slack.say("gil", "#shop-dev", "@purser What is 6*7?")
        await world.until(lambda: _put_off(world, root, 1))
        world.slack.troubles.down.clear()
        world.ahead += 30.0
        await world.ended(root)

        assert world.words(root).startswith(GUESTS)
        assert world.asked == []


async def test_who_is_unknown_is_told_where_they_gave_a_command(world: World) -> None:
    """A command works where we are not: its giver hears there, too, that it waits."""
    world.slack.troubles.down |= {
        "users.info": "internal_error",
        "chat.postEphemeral": "channel_not_found",
    }
    await world.slack.command("ben", "#shop-dev", "/cost")
    told = await world.until(
        lambda: [
            words_of(one)
            for one in world.slack.ephemerals("#shop-dev", "ben")
            if "who you are" in words_of(one)
        ]
    )

    assert len(told) == 1


async def test_who_stays_unknown_is_told_in_the_end(world: World) -> None:
    """After hours the ask is given up: its asker hears it, and `purser dead` says what it waited for."""
    world.slack.troubles.down["users.info"] = "internal_error"
    root = await world.slack.say("ben", "#shop-dev", "@purser What is 6*7?")
    await world.until(lambda: _put_off(world, root, 1))
    world.ahead += UNSAID_AT_MOST
    ask = await world.ended(root)

    assert (ask["state"], ask["sentence"]) == ("dead", "Slack did not say who asked: untold")
    assert words_of(world.slack.ephemerals("#shop-dev", "ben")[-1]) == STRANGE
    assert world.asked == []


def _put_off(world: World, root: Message, attempt: int) -> bool:
    """Whether an ask waits for later after so many attempts."""
    ask = world.ask_of(root)
    return ask is not None and (ask["state"], ask["attempt"]) == ("waiting", attempt)


async def test_a_leaver_is_refused(world: World) -> None:
    """A deactivated account whose last message still arrives gets no answer from Claude."""
    root = await world.slack.say("otto", "#shop-dev", "@purser What is 6*7?")
    await world.ended(root)

    assert "deactivated" in world.words(root)
    assert world.asked == []


async def test_a_member_of_another_workspace_without_a_sign(world: World) -> None:
    """Somebody of another team is external although Slack marks them by nothing but their team."""
    world.slack.world.add_person(Person("U0FAR", "far", "Far Away", "T0ELSE"))
    root = await world.slack.say("far", "#shop-dev", "@purser What is 6*7?")
    await world.ended(root)

    assert world.words(root).startswith(EXTERNAL)
    assert world.asked == []


async def test_the_policy_may_open_a_channel(tmp_path: Path) -> None:
    """Where an admin allows it, a guest is answered; with "no-tools" no tool is run for them."""
    tables = '[channels.C0SHOPDEV]\nguests = "no-tools"'
    async with World(tmp_path, tables=tables) as world:
        await world.start()
        root = await world.slack.say("gil", "#shop-dev", "@purser What is 6*7? See SHOP-12.")

        assert "6*7 = 42" in await world.answered(root)
        assert world.asked[0].body["tool_choice"] == {"type": "none"}
        assert world.jira.log == []


async def test_other_bots_are_dropped(tmp_path: Path, slack: SlackStandIn) -> None:
    """Another bot's mention is no ask: nothing is stored, nothing is said, so that two bots never chat."""
    async with World(tmp_path, slack=slack) as world:
        await world.start()
        root = await slack.say("deploybot", "#shop-dev", "@purser What is 6*7?")
        await slack.settled()

        assert world.asks() == []
        assert world.said(root) == []
        assert await world.dropped("bot") == 2
        assert world.asked == []


async def test_bots_without_a_subtype_are_dropped(tmp_path: Path, slack: SlackStandIn) -> None:
    """Bots of the newer kind, whose messages look like a person's, and Slackbot, are known for what they are."""
    signs = ({"bot_id": "B0DEPLOY"}, {"bot_profile": {"id": "B0X"}}, {"user": "USLACKBOT"})
    async with World(tmp_path, slack=slack) as world:
        await world.start()
        for sign in signs:
            event = told(world, "ben", f"<@{slack.bot_user}> What is 6*7?") | sign
            slack.events.tell(event, channel=slack.world.channel("#shop-dev"))
        await slack.settled()

        assert world.asks() == []
        assert await world.dropped("bot") == len(signs)


async def test_own_messages_are_dropped(tmp_path: Path, slack: SlackStandIn) -> None:
    """What the bot itself says, even where it names itself, is never an ask."""
    async with World(tmp_path, slack=slack) as world:
        await world.start()
        root = await slack.say("ana", "#shop-dev", "@purser What is 6*7?")
        await world.answered(root)
        (mine,) = world.said(root)
        event = mine.wire() | {"channel": root.channel, "text": f"<@{slack.bot_user}> go on"}
        slack.events.tell(event, channel=slack.world.channel("#shop-dev"))
        await slack.settled()

        assert len(world.asks()) == 1
        assert await world.dropped("own") >= 1
        assert len(world.asked) == 1


async def test_what_slack_says_itself_is_dropped(tmp_path: Path, slack: SlackStandIn) -> None:
    """A message that no person typed is no ask, although it may hold a mention."""
    subtypes = ("channel_join", "channel_topic", "reminder_add", "bot_message", "huddle_thread")
    async with World(tmp_path, slack=slack) as world:
        await world.start()
        for subtype in subtypes:
            event = told(world, "ana", f"<@{slack.bot_user}> What is 6*7?") | {"subtype": subtype}
            slack.events.tell(event, channel=slack.world.channel("#shop-dev"))
        await slack.settled()

        assert world.asks() == []
        assert await world.dropped("subtype") + await world.dropped("bot") == len(subtypes)


def told(world: World, who: str, text: str) -> dict[str, Any]:
    """A message event as Slack would word it."""
    slack = world.slack.world
    message = Message(slack.new_ts(), "C0SHOPDEV", slack.person(who).id, text, slack.team)
    return message.wire() | {"channel": "C0SHOPDEV", "channel_type": "channel"}
