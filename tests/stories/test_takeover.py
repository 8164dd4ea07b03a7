"""What Claude refuses is given to people of the channel that the policy names, and what they decide comes back, once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.demo.claude import Trouble
from bot.demo.scenes import SNIPPET
from bot.demo.slack import Message
from bot.demo.slack.blocks import actions
from bot.demo.slack.gestures import Ack
from bot.demo.slack.views import View
from bot.demo.terminal import under, words_of
from bot.slack.escalated import ANSWER, CLOSE, FIELD, REWORD
from tests.stories.account import assert_balanced
from tests.stories.world import World

WORDY = "grow *plover-17* <!channel> https://evil.test/?q=1"
LEADS = "C0LEADS"  # Maya, Ruth and the bot
SECRET = "ghp_" + "a1B2" * 10
DAY = 86_400.0
FOR_LONG = 600.0  # seconds; nobody waits for it


class Office(World):
    """A world in which people of #leads take over what Claude refuses in #shop-dev."""

    def __init__(self, folder: Path, *, channel: str = LEADS, **more: Any) -> None:
        more.setdefault("policy", f'escalation_channel = "{channel}"')
        super().__init__(folder, **more)
        self.leads = channel

    async def refused(self, words: str = WORDY, who: str = "ana", **more: Any) -> Message:
        """An ask that Claude refuses, once it has its end."""
        self.claude.troubles.refuse_next("bio")
        root = await self.slack.say(who, "#shop-dev", f"@purser {words}", **more)
        await self.ended(root)
        return root

    def shown(self) -> Message:
        """The one message before the people of #leads."""
        (only,) = self.slack.by_app(self.leads)
        return only

    async def settled(self) -> None:
        """Wait until nothing is to be done before a day has passed."""

        def settled() -> bool:
            waiting = self.rows("SELECT * FROM asks WHERE state NOT IN ('done', 'dead')")
            return not self.slack.events.open and {r["key"][:13] for r in waiting} <= {
                "refused_lapse"
            }

        await self.until(settled)

    async def press(self, who: str, action: str) -> Ack:
        """Press a button of that message, and wait until all that follows has its end."""
        ack = await self.slack.click(who, self.shown(), action)
        await self.settled()
        return ack

    async def written(self, who: str, action: str, words: str) -> Ack:
        """Press a button and send its form with these words."""
        await self.press(who, action)
        view: View = await self.until(lambda: next(iter(self.slack.views.open.values()), None))
        ack = await self.slack.view_submit(who, view, {FIELD: words})
        await self.settled()
        return ack

    def state(self) -> str:
        """Of what was given to people."""
        (row,) = self.rows("SELECT state FROM escalations")
        return row["state"]

    def told(self, who: str) -> list[str]:
        """What the bot said to one person alone in #leads."""
        return [words_of(m) for m in self.slack.ephemerals(self.leads, who)]

    def thread(self, root: Message) -> list[str]:
        """The words of the bot in a thread."""
        return [words_of(m) for m in self.said(root)]


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """Such a world, with the bot in it."""
    async with Office(tmp_path) as made:
        await made.start()
        yield made


def buttons(message: Message) -> list[str]:
    """The labels of the buttons under a message."""
    found = actions(message.blocks).values()
    return [element["text"]["text"] for element, _ in found if "text" in element]


def literal(message: Message) -> str:
    """What a message shows letter for letter."""
    rich = next(block for block in message.blocks if block["type"] == "rich_text")
    return "".join(part["text"] for element in rich["elements"] for part in element["elements"])


async def test_a_refusal_is_shown_to_people_and_the_asker_told(office: Office) -> None:
    """Who asked, where, the words letter for letter, why and what was tried: in #leads alone; the thread says so."""
    root = await office.refused()

    message = office.shown()
    assert message.thread_ts in (None, "", message.ts)
    seen = literal(message)
    assert "Asked by: Ana Duarte" in seen
    assert "Where: #shop-dev" in seen
    assert "as touching on dangerous biology" in seen
    assert WORDY in seen
    assert buttons(message) == ["Answer", "Reword", "Close"]
    assert office.words(root).startswith("Claude declined to answer this, as touching on dangerous")
    assert office.words(root).endswith(
        "I asked the people of #leads to take it over; what they say comes here."
    )
    assert (office.state(), (await office.ended(root))["outcome"]) == ("open", "refused")
    (record,) = office.rows("SELECT * FROM audit WHERE action = 'handover'")
    assert (record["user"], record["channel"], record["subject"]) == ("U0ANA", "C0SHOPDEV", LEADS)


async def test_an_answer_comes_back_under_its_name(office: Office) -> None:
    """What a person writes stands in the thread as Markdown under their name; nothing in it pings, and it costs nothing."""
    root = await office.refused()
    spent = len(office.books())
    await office.written("maya", ANSWER, "Read **chapter 3** first, <!channel>.")

    _, answer = office.thread(root)
    assert answer.startswith("**Maya Lindqvist answers what Claude declined:**")
    assert "Read **chapter 3** first" in answer
    assert "<!channel>" not in answer
    assert (office.state(), buttons(office.shown())) == ("answered", [])
    assert "Maya Lindqvist answered it." in under(office.shown())
    assert len(office.books()) == spent


async def test_a_rewording_is_asked_for_the_asker_and_shown(office: Office) -> None:
    """The thread sees a person's wording, then Claude's answer to it: an ask of who asked first, with all in the books."""
    root = await office.refused()
    await office.written("maya", REWORD, "What is 6*7?")

    refused, wording, answer = office.thread(root)
    assert wording == "**Maya Lindqvist asked it this way:**\n> What is 6*7?"
    assert "6*7 = 42" in answer
    asked = str(office.asked[-1].body["messages"])
    assert 'from="ana"' in asked
    assert "plover-17" not in asked
    assert {row["user"] for row in office.booked()} == {"U0ANA"}
    assert "declined" in refused
    assert office.state() == "reworded"
    assert_balanced(office)


async def test_a_rewording_that_is_refused_is_the_end(office: Office) -> None:
    """Refused in a person's words, too, the ask ends with what one can do; people are not asked again."""
    root = await office.refused()
    office.claude.troubles.refuse_next("bio")
    await office.written("maya", REWORD, "Tell me of plover-18.")

    assert len(office.said(root)) == 3
    assert office.thread(root)[2].endswith("ask a colleague.")
    assert len(office.slack.by_app(LEADS)) == 1


async def test_pasted_code_is_kept_in_a_rewording(office: Office) -> None:
    """The form holds the words without the code, and Claude reads the code as it was pasted."""
    await office.refused("review, weaponise this", code=SNIPPET)
    await office.press("maya", REWORD)
    view: View = await office.until(lambda: next(iter(office.slack.views.open.values()), None))
    begun = view.view["blocks"][0]["element"]["initial_value"]
    await office.slack.view_submit("maya", view, {FIELD: "Review this for weaknesses. [code 1]"})
    await office.settled()

    assert "find_orders" not in begun
    assert "[code 1]" in begun
    last = str(office.asked[-1].body["messages"])
    assert "find_orders" in last
    assert "Review this for weaknesses" in last


async def test_closing_says_so_in_the_thread(office: Office) -> None:
    """Somebody closes it: one sentence in the thread, under their name."""
    root = await office.refused()
    await office.press("ruth", CLOSE)

    assert office.thread(root)[1:] == [
        "Ruth Adeyemi looked at what Claude declined, and closed it without an answer."
    ]
    assert "Ruth Adeyemi closed it." in under(office.shown())


@pytest.mark.parametrize("http", [False, True])
async def test_of_two_presses_one_counts(tmp_path: Path, http: bool) -> None:
    """Two people close it at once, one of them twice: the thread hears of it once, the others are told by whom."""
    async with Office(tmp_path, http=http) as office:
        await office.start()
        root = await office.refused()
        message = office.shown()
        await asyncio.gather(
            office.slack.click("maya", message, CLOSE),
            office.slack.click("ruth", message, CLOSE),
            office.slack.click("maya", message, CLOSE),
        )
        await office.settled()

        assert len(office.said(root)) == 2
        told = office.told("maya") + office.told("ruth")
        assert len(told) == 2
        assert all(words.startswith("It was closed already, by ") for words in told)


async def test_a_form_sent_too_late_is_told(office: Office) -> None:
    """Somebody answers what another one closed meanwhile: the thread hears nothing more, and they are told by whom."""
    root = await office.refused()
    await office.press("maya", ANSWER)
    view: View = await office.until(lambda: next(iter(office.slack.views.open.values()), None))
    await office.press("ruth", CLOSE)
    await office.slack.view_submit("maya", view, {FIELD: "Too late."})
    await office.settled()

    assert len(office.said(root)) == 2
    assert office.told("maya") == ["It was closed already, by Ruth Adeyemi."]


async def test_who_is_not_of_the_channel_decides_nothing(tmp_path: Path) -> None:
    """A press of somebody who only looks into that channel, and one that Slack was made to carry elsewhere, do nothing."""
    async with Office(tmp_path) as office:
        await office.start()
        root = await office.refused()
        message = office.shown()
        await office.slack.click("ben", message, CLOSE)
        await office.settled()
        forged = dict(message.blocks[-1]["elements"][2])
        message.blocks[-1]["elements"][2] = forged | {"value": "of-nothing"}
        await office.slack.click("maya", message, CLOSE)
        await office.settled()

        assert office.state() == "open"
        assert len(office.said(root)) == 1
        assert office.told("ben") == ["Only who is in this channel can take this over."]
        assert office.told("maya") == ["I don't know this any more, or it is not of this channel."]


async def test_who_may_not_ask_there_decides_nothing(tmp_path: Path) -> None:
    """A member whom the policy does not let ask in that channel is told so, and nothing is decided."""
    tables = f'[channels.{LEADS}]\nallow_users = ["U0ADMIN"]'
    async with Office(tmp_path, tables=tables) as office:
        await office.start()
        root = await office.refused()
        await office.press("maya", CLOSE)

        assert (office.state(), len(office.said(root))) == ("open", 1)
        assert "only people named by an admin" in office.told("maya")[0]


async def test_it_lapses_after_a_day_and_says_so(tmp_path: Path) -> None:
    """Nobody takes it over: after a day the thread says so once, and the buttons are gone; whoever may ask there."""
    async with Office(tmp_path, tables=f'[channels.{LEADS}]\nallow_users = ["U0ADMIN"]') as office:
        await office.start()
        root = await office.refused()
        office.ahead = DAY + 5
        await office.until(lambda: len(office.said(root)) == 2)
        await office.idle()

        nobody = "Nobody of #leads took over within a day what Claude"
        assert office.thread(root)[1].startswith(nobody)
        assert (office.state(), buttons(office.shown())) == ("lapsed", [])


async def test_a_late_press_does_nothing(office: Office) -> None:
    """Pressed after a day, before anybody has said that it lapsed, it counts as lapsed all the same."""
    root = await office.refused()
    office.damage("UPDATE asks SET not_before = 9e9 WHERE key LIKE 'refused_lapse:%'")
    office.ahead = DAY + 5
    await office.press("maya", CLOSE)

    assert (office.state(), len(office.said(root))) == ("open", 1)
    assert office.told("maya") == ["It has lapsed: nobody took it over within a day."]


async def test_a_press_from_elsewhere_does_nothing(office: Office) -> None:
    """The same button in another channel, as somebody could make Slack show it, decides nothing."""
    root = await office.refused()
    await office.slack.click("maya", replace(office.shown(), channel="C0SHOPDEV"), CLOSE)
    await office.settled()

    (told,) = office.slack.ephemerals("C0SHOPDEV", "maya")
    assert words_of(told) == "I don't know this any more, or it is not of this channel."
    assert (office.state(), len(office.said(root))) == ("open", 1)


async def test_what_was_settled_does_not_lapse(office: Office) -> None:
    """A day after somebody closed it nothing more is said."""
    root = await office.refused()
    await office.press("maya", CLOSE)
    office.ahead = DAY + 5
    await office.idle()

    assert (office.state(), len(office.said(root))) == ("closed", 2)


@pytest.mark.parametrize(
    ("channel", "why"),
    [
        ("C0RANDOM", "#random, and I am not in it, or there is none"),
        ("C0SECRET", "C0SECRET, and I am not in it, or there is none"),
        ("C0NOWHERE", "C0NOWHERE, and I am not in it, or there is none"),
        ("C0PARTNER", "#ext-partner, and it is shared with another organisation"),
        ("C0OLD", "#old-shop, and Slack takes no message of mine there"),
    ],
)
async def test_a_channel_that_cannot_be_used(tmp_path: Path, channel: str, why: str) -> None:
    """Where we cannot speak, or others listen: the asker has the honest end, and each admin hears of it once."""
    async with Office(tmp_path, channel=channel) as office:
        await office.start()
        roots = [await office.refused(), await office.refused("more of plover-17")]
        await office.idle()

        assert all(office.words(root).endswith("ask a colleague.") for root in roots)
        alert, *others = office.slack.by_app(office.slack.world.direct("U0ADMIN").id)
        assert why in words_of(alert)
        assert "#shop-dev" in words_of(alert)
        assert others == []
        known = channel in office.slack.world.channels
        assert not known or office.slack.by_app(channel) == []


async def test_a_secret_and_a_direct_message_stay(office: Office) -> None:
    """A secret among the words is hidden by its form; what is asked in a direct message is not given to anybody."""
    await office.refused(f"weaponise {SECRET}")
    office.claude.troubles.refuse_next("bio")
    direct = await office.slack.say("ana", office.slack.world.direct("U0ANA").id, "plover-17")
    await office.ended(direct)

    assert "[redacted: github-token]" in literal(office.shown())
    assert SECRET not in literal(office.shown())
    assert words_of(office.said(direct)[0]).endswith("ask a colleague.")


async def test_a_refused_summary_is_answered_in_its_channel(office: Office) -> None:
    """A command has no thread: what a person answers stands in the channel in which it was given."""
    office.claude.troubles.refuse_next("bio")
    await office.slack.command("ana", "#shop-dev", "/summarize", "SHOP-12")
    await office.until(lambda: office.slack.by_app(LEADS))
    await office.settled()
    await office.written("maya", ANSWER, "It is nearly done.")

    said = [words_of(m) for m in office.slack.by_app("#shop-dev")]
    assert said[0].endswith("what they say comes here.")
    assert said[1].endswith("It is nearly done.")
    assert "Where: #shop-dev" in literal(office.shown())


async def test_all_rungs_are_told_to_people(office: Office) -> None:
    """What was reworded and declined again comes to people with that wording, and the asker sees it, too."""
    refusal = Trouble(refuse=True, category="general_harms", fits=lambda body: "tools" in body)
    office.claude.troubles.add(refusal, times=2)
    root = await office.slack.say("ana", "#shop-dev", "@purser How do I kill orphans?")
    await office.ended(root)

    assert "I asked it this way instead: “How do I end processes" in literal(office.shown())
    assert any("I asked it this way instead" in note for note in office.notes(root))
    name = 'purser_rungs_total{category="general_harms",outcome="declined",rung="reword"}'
    assert await office.metric(name) == 1


async def test_a_lost_reply_shows_it_once(office: Office) -> None:
    """Slack took the message and its reply was lost: it is found again, not posted twice."""
    office.slack.troubles.lost["chat.postMessage"] = 1
    await office.refused()

    assert len(office.slack.by_app(LEADS)) == 1


async def test_a_kill_before_it_is_known_to_stand_shows_it_once(tmp_path: Path) -> None:
    """The process is killed when people see it and it does not know so yet: it is found again, and the asker told once."""
    async with Office(tmp_path) as office:
        await office.spawn()
        office.slack.troubles.lost["chat.postMessage"] = 1
        office.slack.troubles.slow["conversations.history"] = FOR_LONG
        office.claude.troubles.refuse_next("bio")
        root = await office.slack.say("ana", "#shop-dev", f"@purser {WORDY}")
        await office.until(lambda: office.slack.by_app(LEADS))
        await office.kill()
        office.slack.troubles.slow.clear()
        await office.spawn(warm=False)
        await office.ended(root)

        assert len(office.slack.by_app(LEADS)) == 1
        assert office.words(root).endswith("what they say comes here.")
        assert len(office.booked()) == 1
        await office.press("maya", CLOSE)
        assert len(office.said(root)) == 2


async def test_a_kill_after_a_press_says_it_once(tmp_path: Path) -> None:
    """The process is killed when an answer is settled and its message not brought up to date: both are so, once."""
    async with Office(tmp_path) as office:
        await office.spawn()
        root = await office.refused()
        await office.press("maya", ANSWER)
        view: View = await office.until(lambda: next(iter(office.slack.views.open.values()), None))
        office.slack.troubles.slow["chat.update"] = FOR_LONG
        await office.slack.view_submit("maya", view, {FIELD: "Ask the lab."})
        await office.until(lambda: office.state() == "answered")
        await office.kill()
        office.slack.troubles.slow.clear()
        await office.spawn(warm=False)
        await office.settled()

        assert len(office.said(root)) == 2
        assert "Ask the lab." in office.thread(root)[1]
        assert buttons(office.shown()) == []
        assert office.told("maya") == []
