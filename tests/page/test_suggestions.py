"""The demo whole: each suggestion of the page, pressed in a browser, answered by the real bot in its process."""

import os
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from bot.demo.slack.message import Message
from bot.demo.stage import Stage
from bot.demo.terminal import has_feedback, words_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENVIRON = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
SEEN = {  # what must stand in the answer
    "Find two planted bugs": ("SQL", "default argument"),
    "A dear one: go, smaller or cancel?": ("This is likely to take", "tokens"),
    "Review a pull request": ("checkout/store.py:32",),
    "Where does SHOP-12 stand?": ("SHOP-12", "Blocked"),
    "Two long tickets at once": ("SHOP-12", "SHOP-14"),
    "The whole sprint": ("SHOP-12",),
    "A digest every morning": ("I write a digest of project SHOP here, nightly at 7:00",),
    "Which digests come here?": ("project SHOP, nightly at 7:00, asked for by ana",),
    "Change a ticket, by your click": ("SHOP-11", "lies ready"),
    "A harmless question that a filter refuses": ("child processes",),
    "One that stays refused": ("I asked the people of #leads to take it over",),
    "What happened to my last questions?": ("refused by Claude", "reference"),
    "What did it cost?": ("What Claude cost in this channel", "total"),
    "Cost by model": ("claude-",),
    "What may it do here?": ("jira_projects",),
}


async def test_each_suggestion_is_answered(browser: Browser, tmp_path: Path) -> None:
    """Whatever the page offers to try is filled in by a press, sent by Enter, and answered as it should be."""
    async with Stage(tmp_path, ENVIRON, tokens_per_second=None) as stage:
        await stage.start_bot()
        tab = await browser.new_page(viewport={"width": 1500, "height": 900})
        await tab.goto(f"{stage.slack.url}/#as=ana&in=C0SHOPDEV")
        await tab.wait_for_selector("body.ready")
        offered = await tab.locator(".try").count()
        for title, words in SEEN.items():
            known = {m.ts for m in _said(stage)}
            await tab.locator(".try").filter(has_text=title).click()
            await tab.keyboard.press("Enter")
            await stage.slack.wait_for(lambda k=known, w=words: _whole(stage, k, w), 30.0)
        assert offered == len(SEEN)
        await expect(tab.get_by_text("What Claude cost in this channel").last).to_be_visible()
        await tab.close()


async def test_a_change_is_proposed_altered_and_made(browser: Browser, tmp_path: Path) -> None:
    """In the page a person asks for a comment, rewords it in the form, does it, and undoes it."""
    async with Stage(tmp_path, ENVIRON, tokens_per_second=None) as stage:
        await stage.start_bot()
        tab = await browser.new_page(viewport={"width": 1500, "height": 900})
        root = await stage.slack.say("ana", "#shop-dev", "@purser comment on SHOP-12 that hi")
        await tab.goto(f"{stage.slack.url}/#as=ana&in=C0SHOPDEV")
        await tab.wait_for_selector("body.ready")
        await stage.slack.wait_for(
            lambda: [m for m in stage.slack.by_app("#shop-dev", root.ts) if _asks(m)], 30.0
        )
        await tab.get_by_text("2 replies").first.click()
        await tab.get_by_role("button", name="Change", exact=True).click()
        form = tab.locator("dialog.modal")
        await expect(form.get_by_role("textbox")).to_have_value("hi")
        await form.get_by_role("textbox").fill("The fix is out.")
        await form.get_by_role("button", name="Change", exact=True).click()
        await expect(tab.get_by_text("The fix is out.").last).to_be_visible()
        await tab.get_by_role("button", name="Do it", exact=True).click()
        await tab.get_by_role("button", name="Undo", exact=True).click()
        await expect(tab.get_by_text("Undone by Ana Duarte.").last).to_be_visible()
        await tab.close()


async def test_a_digest_comes_when_the_clock_is_moved_on(browser: Browser, tmp_path: Path) -> None:
    """In the page a person sets one up, lets time pass until seven, reads it, lists and stops it."""
    async with Stage(tmp_path, ENVIRON, tokens_per_second=None) as stage:
        stage.clock.move(stage.hands.next(4) - stage.clock())
        await stage.start_bot()
        tab = await browser.new_page(viewport={"width": 1500, "height": 900})
        await tab.goto(f"{stage.slack.url}/#as=ana&in=C0SHOPDEV")
        await tab.wait_for_selector("body.ready")
        clock = tab.get_by_role("group", name="The demo's clock")
        await expect(clock).to_contain_text("04:0")
        await tab.locator(".try").filter(has_text="A digest every morning").click()
        await tab.keyboard.press("Enter")
        await expect(tab.get_by_text("I write a digest of project SHOP").last).to_be_visible()
        await clock.get_by_role("button", name="Let time pass until 7:00 (UTC)").click()
        await expect(clock.get_by_role("button").first).to_be_disabled()
        await expect(tab.get_by_text("Digest: project SHOP").last).to_be_visible(timeout=30_000)
        await expect(clock).to_contain_text("07:00")
        await expect(tab.get_by_text("Today").last).to_be_visible()
        await expect(tab.get_by_text("This was due")).to_have_count(0)
        (asked,) = (m for m in stage.slack.ephemerals("#shop-dev", "ana") if "stops this" in m.text)
        name = asked.text.split("digests stop ")[1][:8]
        await tab.locator(".channel .writing").fill(f"/purser digests stop {name}")
        await tab.keyboard.press("Enter")
        await expect(tab.get_by_text("comes no more").last).to_be_visible()
        await tab.close()


def _said(stage: Stage) -> list[Message]:
    """Everything the bot has said to ana, in threads, in the channel and to her alone."""
    slack = stage.slack
    return [*slack.by_app("#shop-dev"), *slack.ephemerals("#shop-dev", "ana"), *_replies(stage)]


def _replies(stage: Stage) -> list[Message]:
    roots = [m for m in stage.slack.messages("#shop-dev") if m.replies]
    return [reply for root in roots for reply in stage.slack.by_app("#shop-dev", root.ts)]


def _whole(stage: Stage, known: set[str], words: tuple[str, ...]) -> Message | None:
    """A new answer (or what stands before one) with all the words that must stand in it."""
    new = [m for m in _said(stage) if m.ts not in known]
    fresh = [m for m in new if m.only_for or has_feedback(m) or _asks(m)]
    return next((m for m in fresh if all(word in words_of(m) for word in words)), None)


def _asks(message: Message) -> bool:
    """Whether a person has to press a button."""
    return any(block.get("type") == "actions" for block in message.blocks)
