"""What it cost, as people see it: the report for the asker alone, its file, its sharing, and the home tab."""

import csv
import io
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.demo.slack import Message
from bot.demo.slack.views import View
from bot.demo.terminal import under, words_of
from bot.slack.sharing import LOST
from tests.stories.world import World

PICOS = Decimal(10) ** 12


async def asked(world: World, who: str = "ana", where: str = "#shop-dev") -> Message:
    """Somebody asks and is answered."""
    root = await world.slack.say(who, where, "@purser What is 6*7?")
    await world.answered(root)
    return root


async def cost(world: World, who: str, text: str = "", where: str = "#shop-dev") -> Message:
    """What `/cost` tells somebody."""
    await world.slack.command(who, where, "/cost", text)
    await world.idle()
    return world.slack.ephemerals(where, who)[-1]


def kinds(message: Message) -> list[str]:
    """The kinds of a message's blocks."""
    return [str(block["type"]) for block in message.blocks]


def spent(world: World, **of: str) -> Decimal:
    """What the books say, of rows like these."""
    rows = [r for r in world.books() if all(r[name] == value for name, value in of.items())]
    return Decimal(sum(r["cost_picos"] for r in rows)) / PICOS


def shown(view: Mapping[str, Any]) -> str:
    """The words of a home tab."""
    return "\n".join(
        str(block["text"]["text"])
        for block in view["blocks"]
        if block["type"] in {"header", "section"}
    )


# The report


async def test_the_report_is_short_first_and_then_a_table(world: World) -> None:
    """Sentences, a table of Slack's own, the dearest answer's address, and a button to share it."""
    root = await asked(world)
    told = await cost(world, "ben")

    drawn = [kind for kind in kinds(told) if kind != "data_visualization"]  # none on the first
    assert drawn == ["markdown", "table", "context", "actions"]
    words = words_of(told)
    assert "for 1 ask, of a budget of $50.00" in words
    assert "too early to foretell" in words
    assert world.slack.world.permalink(root.channel, root.ts) in under(told)[0]
    assert len(world.asked) == 1


async def test_where_slack_refuses_charts_the_report_is_markdown(world: World) -> None:
    """In a thread, where it is shown without a response_url, the same report is said in older blocks."""
    root = await asked(world)
    world.slack.troubles.errors["chat.postEphemeral"] = ["invalid_blocks"]
    await world.slack.say("ana", "#shop-dev", "@purser cost", thread_ts=root.ts)
    await world.idle()

    told = world.slack.ephemerals("#shop-dev", "ana")[-1]
    assert kinds(told) == ["markdown", "context", "actions"]
    assert "| chat | 1 | less than $0.01 |" in words_of(told)


async def test_a_csv_goes_to_the_asker_alone(world: World) -> None:
    """The file lies in their direct messages, to the last digit of the books; in the channel nobody sees it."""
    await asked(world)
    said = len(world.slack.by_app("#shop-dev"))
    told = await cost(world, "ben", "csv")

    (message,) = world.slack.by_app("@ben")
    (file,) = message.files
    rows = list(csv.DictReader(io.StringIO(file.data.decode())))
    assert file.name in words_of(told)
    assert Decimal(rows[-1]["cost_usd"]) == spent(world, channel="C0SHOPDEV")
    assert len(world.slack.by_app("#shop-dev")) == said


async def test_persons_are_for_admins(world: World) -> None:
    """A member sees what they spent and what all others did; an admin sees who."""
    await asked(world, "ana")
    await asked(world, "ben")
    mine, all_of_it = await cost(world, "ana", "by user"), await cost(world, "ruth", "by user")

    assert "others" in words_of(mine)
    assert "ben" not in words_of(mine).lower()
    assert {"ana", "ben"} <= set(words_of(all_of_it).lower().replace("|", " ").split())


async def test_another_channel_is_for_its_members(world: World) -> None:
    """Who is in a channel may ask for it elsewhere; who is not is told so, with an example."""
    leads = await world.slack.say("maya", "#leads", "@purser What is 6*7?")
    await world.answered(leads)
    inside = await cost(world, "maya", "<#C0LEADS|leads>", "#payments")
    outside = await cost(world, "ana", "<#C0LEADS|leads>", "#payments")

    assert "in #leads" in words_of(inside)
    assert "for 1 ask" in words_of(inside)
    assert words_of(outside).startswith("You are not in that channel")


async def test_a_thumb_down_stands_beside_its_cost(world: World) -> None:
    """What somebody disliked is in the report, with what it cost."""
    root = await asked(world)
    (answer,) = world.said(root)
    ask = world.ask_of(root)
    assert ask is not None
    await world.slack.click("ben", answer, "feedback", value=f"{ask['id']}:bad")
    told = words_of(await cost(world, "ben", "by feedback"))

    assert "Thumbs down: 1 answer" in told
    assert "| thumbs down | 1 | less than $0.01 |" in told


@pytest.mark.parametrize("text", ["since the flood", "2099-12", "by colour", "#nowhere"])
async def test_words_that_are_no_report(world: World, text: str) -> None:
    """Nonsense, the future and unknown channels are answered with an example, and nothing breaks."""
    told = words_of(await cost(world, "ana", text))

    assert "such as `/cost last month by model`" in told


# Sharing


async def test_a_report_is_shared_once_by_who_asked_for_it(world: World) -> None:
    """A button posts it into the channel, with who shares it, and nobody's name but theirs; a second press does not."""
    await asked(world, "ana")
    await asked(world, "ben")
    told = await cost(world, "ana", "by user")
    for who in ("ben", "ana", "ana"):
        await world.slack.click(who, told, "share_cost")
        await world.idle()

    shared = [m for m in world.slack.by_app("#shop-dev") if "What Claude cost" in words_of(m)]
    (report,) = shared
    assert "| others | 2 | less than $0.01 |" in words_of(report)
    assert "ben" not in words_of(report).lower()
    assert under(report) == ["Shared by ana"]
    said = [words_of(m) for m in world.slack.ephemerals("#shop-dev", "ana")]
    assert said[-1] == "That report was shared already."
    assert "Only who asked" in words_of(world.slack.ephemerals("#shop-dev", "ben")[-1])


async def test_a_report_that_slack_does_not_take_is_told(world: World) -> None:
    """Where Slack refuses what is shared, who shares it hears so, once, and that a new report can be shared."""
    await asked(world)
    told = await cost(world, "ana")
    world.slack.troubles.down["chat.postMessage"] = "fatal_error"
    await world.slack.click("ana", told, "share_cost")
    await world.idle()

    assert words_of(world.slack.ephemerals("#shop-dev", "ana")[-1]) == LOST
    assert not [m for m in world.slack.by_app("#shop-dev") if "What Claude cost" in words_of(m)]


async def test_where_everybody_may_see_persons_they_are_shared(tmp_path: Path) -> None:
    """The policy that shows persons to members shows them in what is shared, too."""
    async with World(tmp_path, policy='see_persons = "members"') as world:
        await world.start()
        await asked(world, "ben")
        told = await cost(world, "ana", "by user")
        await world.slack.click("ana", told, "share_cost")
        await world.idle()

        assert "| ben | 1 |" in words_of(world.slack.by_app("#shop-dev")[-1])


async def test_a_shared_report_stands_where_charts_are_refused(world: World) -> None:
    """It is posted as Markdown then, once."""
    await asked(world)
    told = await cost(world, "ana")
    world.slack.troubles.errors["chat.postMessage"] = ["invalid_blocks"]
    await world.slack.click("ana", told, "share_cost")
    await world.idle()

    shared = [m for m in world.slack.by_app("#shop-dev") if "What Claude cost" in words_of(m)]
    assert [kinds(m) for m in shared] == [["markdown", "context"]]


async def test_what_cannot_be_posted_is_told(world: World) -> None:
    """Where the bot was removed, who presses hears how to bring it back."""
    await asked(world)
    told = await cost(world, "ana")
    await world.slack.expel("#shop-dev")
    await world.slack.click("ana", told, "share_cost")
    await world.idle()

    assert "/invite @Purser" in words_of(world.slack.ephemerals("#shop-dev", "ana")[-1])


# The home tab


async def home(world: World, who: str) -> View:
    """Somebody's home, once it was drawn up."""
    user = world.slack.world.person(who).id
    before = world.slack.calls("views.publish")
    await world.slack.open_home(who)
    await world.until(lambda: world.slack.calls("views.publish") > before)
    return await world.until(lambda: world.slack.views.homes.get(user))


async def test_the_home_tab_shows_ones_own_use(world: World) -> None:
    """What one spent and what is left where one asks, and nobody else's name; it is brought up to date."""
    await asked(world, "ana")
    await asked(world, "ben", "#payments")
    first = shown((await home(world, "ana")).view)
    await asked(world, "ana", "#payments")
    second = shown((await home(world, "ana")).view)

    assert "for 1 ask." in first
    assert "#shop-dev*: less than $0.01 by you" in first
    assert "payments" not in first
    assert "for 2 asks." in second
    assert "#payments*: less than $0.01 by you" in second
    assert "ben" not in second.lower()
    assert "All channels" not in second


async def test_admins_see_all_channels_and_who_spent_most(world: World) -> None:
    """An admin's home has everything, also before they asked anything themselves."""
    await asked(world, "ana")
    await asked(world, "ben", "#payments")
    told = shown((await home(world, "ruth")).view)

    assert "You have asked nothing yet" in told
    assert "All channels" in told
    for words in ("#shop-dev", "#payments", "ana", "ben"):
        assert words in told.lower()


@pytest.mark.parametrize("who", ["gil", "petra"])
async def test_a_guests_home_says_why_it_is_empty(world: World, who: str) -> None:
    """Whoever may not ask sees no figures, but the rule in a sentence."""
    await asked(world)
    told = shown((await home(world, who)).view)

    assert "I am not open to" in told
    assert "$" not in told


async def test_a_home_that_cannot_be_shown_disturbs_nobody(tmp_path: Path) -> None:
    """When Slack refuses the view, asks go on."""
    async with World(tmp_path) as world:
        await world.start()
        world.slack.troubles.down["views.publish"] = "internal_error"
        await world.slack.open_home("ana")
        await world.until(lambda: world.slack.calls("views.publish"))
        await asked(world)

        assert world.asks()[0]["outcome"] == "answer"
        assert len(world.asks()) == 1
