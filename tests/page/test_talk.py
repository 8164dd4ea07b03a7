"""People talking in the page, in a real browser: write, answer, change, react, attach, be two people at once."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import Page as Tab
from playwright.async_api import WebSocketRoute, expect

from bot.demo.clock import Clock
from bot.demo.slack.message import Message
from tests.page.app import App
from tests.page.conftest import Desk, desk_on
from tests.page.tabs import Tabs

pytestmark = pytest.mark.asyncio(loop_scope="module")

CODE = "def mean(xs):\n    total = sum(xs)\n    return total / len(xs)"
DROP = """([selector, name, size]) => {
  const carried = new DataTransfer();
  carried.items.add(new File([new Uint8Array(size).fill(65)], name, { type: "text/plain" }));
  for (const kind of ["dragenter", "dragover", "drop"]) {
    const event = new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true });
    document.querySelector(selector).dispatchEvent(event);
  }
}"""
PASTE = """(text) => {
  const carried = new DataTransfer();
  carried.setData("text/plain", text);
  const event = new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true });
  document.activeElement.dispatchEvent(event);
}"""


async def write(tab: Tab, text: str, pane: str = ".channel") -> None:
    """Type something into a composer and send it."""
    field = tab.locator(f"{pane} .composer .writing")
    await field.fill(text)
    await field.press("Enter")


def said(desk: Desk, where: str, text: str) -> Message | None:
    """The message with that text, as the workspace holds it."""
    return next((m for m in desk.slack.messages(where) if m.text == text), None)


async def test_two_windows_are_two_people(desk: Desk) -> None:
    """What one says, answers, edits and deletes, the other sees at once."""
    ana, ben = await desk.open("ana"), await desk.open("ben")

    await write(ana, "hello from ana")
    await expect(ana.locator(".channel .composer .writing")).to_have_value("")
    heard = ben.locator("article.message", has_text="hello from ana")
    await expect(heard).to_have_attribute("aria-label", re.compile("Ana Duarte"))
    await heard.hover()
    await ben.get_by_role("button", name="Reply in a thread").click()
    await write(ben, "hello back", ".thread")
    await expect(ana.locator("article.message", has_text="hello from ana")).to_contain_text(
        "1 reply"
    )
    await ana.get_by_role("button", name=re.compile("1 reply")).click()
    await expect(ana.locator(".thread")).to_contain_text("hello back")

    message = await desk.slack.wait_for(lambda: said(desk, "#shop-dev", "hello from ana"))
    await desk.slack.edit(message, "hello again")
    await expect(ben.locator(".channel")).to_contain_text("hello again")
    await desk.slack.delete(desk.slack.messages("#shop-dev", message.ts)[1])
    await expect(ana.locator(".thread")).not_to_contain_text("hello back")


async def test_ones_own_words_can_be_changed_and_taken_back(desk: Desk) -> None:
    """Arrow up edits the last own message; the menu deletes it after a question; of others' there is neither."""
    tab = await desk.open()
    await write(tab, "teh typo")
    await expect(tab.locator(".channel")).to_contain_text("teh typo")

    await tab.locator(".channel .composer .writing").press("ArrowUp")
    field = tab.get_by_role("textbox", name="Edit the message")
    await expect(field).to_have_value("teh typo")
    await field.fill("the typo")
    await field.press("Enter")
    mine = tab.locator(".channel article.message", has_text="the typo")
    await expect(mine).to_contain_text("edited")

    await mine.hover()
    await tab.get_by_role("button", name="More").click()
    await tab.get_by_role("button", name="Delete").click()
    await tab.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(mine).to_have_count(0)
    await tab.locator(".channel article.message", has_text="Basket totals").hover()
    await tab.get_by_role("button", name="More").click()
    await expect(tab.locator(".menu")).to_contain_text("Copy its text")
    await expect(tab.locator(".menu")).not_to_contain_text("Delete")


async def test_reactions_are_added_and_taken_back(desk: Desk) -> None:
    """A reaction is chosen by name, counted for everybody, and gone when it is pressed again."""
    ana, ben = await desk.open("ana"), await desk.open("ben")
    await ana.locator(".channel article.message", has_text="Basket totals").hover()
    await ana.get_by_role("button", name="Add a reaction").first.click()
    await ana.get_by_role("searchbox", name="Find an emoji").fill("rocket")
    await ana.get_by_role("button", name="rocket", exact=True).click()

    seen = ben.get_by_role("button", name="rocket, 1: Ana Duarte")
    await expect(seen).to_have_attribute("aria-pressed", "false")
    await seen.click()
    both = ana.get_by_role("button", name=re.compile("rocket, 2"))
    await expect(both).to_have_attribute("aria-pressed", "true")
    await both.click()
    await expect(ana.get_by_role("button", name="rocket, 1: Ben Okafor")).to_be_visible()


async def test_names_commands_and_channels_are_completed_by_keys(desk: Desk) -> None:
    """After @, # and / a list opens that arrows, Enter and Esc work on; in a thread there are no commands."""
    tab = await desk.open()
    field = tab.locator(".channel .composer .writing")
    options = tab.locator(".channel [role=option]")

    await field.press_sequentially("@p")
    await expect(options.first).to_have_attribute("aria-selected", "true")
    await expect(options).to_have_text([re.compile("Purser"), re.compile("Petra")])
    await field.press("ArrowDown")
    await field.press("Enter")
    await expect(field).to_have_value("@petra ")
    await field.press_sequentially("in #pay")
    await field.press("Tab")
    await expect(field).to_have_value("@petra in #payments ")
    await field.fill("")
    await field.press_sequentially("/su")
    await expect(options).to_contain_text(["Summarise Jira tickets"])
    await field.press("Escape")
    await expect(options).to_have_count(0)
    await expect(field).to_have_value("/su")

    await tab.locator("article.message").first.press("t")
    reply = tab.locator(".thread .composer .writing")
    await reply.press_sequentially("/su")
    await expect(tab.locator(".thread [role=option]")).to_have_count(0)


async def test_pasted_code_becomes_a_code_block(desk: Desk) -> None:
    """Code is fenced when it is pasted, reaches the app exactly, and can be made plain text again."""
    tab = await desk.open()
    field = tab.locator(".channel .composer .writing")
    await field.press_sequentially("look:")
    await tab.evaluate(PASTE, CODE)

    await expect(field).to_have_value(f"look:\n```\n{CODE}\n```\n")
    await field.press("Control+Enter")
    block = tab.locator(".channel figure.code", has_text="def mean")
    await expect(block).to_be_visible()
    message = await desk.slack.wait_for(
        lambda: next((m for m in desk.slack.messages("#shop-dev") if "mean" in m.text), None)
    )
    assert message.blocks[0]["elements"][1]["elements"][0]["text"] == CODE

    await field.focus()
    await tab.evaluate(PASTE, CODE)
    await tab.get_by_role("button", name="As plain text instead").click()
    await expect(field).to_have_value(CODE)


async def test_a_dropped_file_is_sent_with_the_message(desk: Desk) -> None:
    """A file dropped on the channel waits in the composer and goes with the words."""
    tab = await desk.open()
    await tab.evaluate(DROP, [".channel .talk", "notes.txt", 12])
    await expect(tab.locator(".channel ul.attached")).to_contain_text("notes.txt")
    await write(tab, "the notes")

    card = tab.locator("article.message", has_text="the notes").locator(".file-card")
    await expect(card).to_contain_text("12 bytes")
    await expect(card.locator("pre")).to_have_text("A" * 12)
    await expect(tab.locator(".channel ul.attached")).to_be_hidden()
    message = said(desk, "#shop-dev", "the notes")
    assert message is not None
    assert [(f.name, f.data) for f in message.files] == [("notes.txt", b"A" * 12)]


async def test_a_file_of_50_megabytes_is_refused_in_a_sentence(desk: Desk) -> None:
    """Too large a file is not uploaded; a sentence says how much is allowed, and the composer goes on."""
    tab = await desk.open()
    await tab.evaluate(DROP, [".channel .talk", "dump.sql", 50 * 1024 * 1024])

    await expect(tab.locator(".channel ul.attached [role=alert]")).to_contain_text(
        "dump.sql has 50 MB, and this page takes files up to 20 MB."
    )
    await tab.get_by_role("button", name="Remove dump.sql").click()
    await write(tab, "without it")
    await expect(tab.locator(".channel")).to_contain_text("without it")


async def test_what_is_half_written_waits_for_its_place(desk: Desk) -> None:
    """Each channel keeps its own draft, through moving about and through a reload."""
    tab = await desk.open()
    field = tab.locator(".channel .composer .writing")
    await field.fill("half a thought")
    await tab.get_by_role("link", name="payments").click()
    await expect(field).to_have_value("")
    await tab.get_by_role("link", name="shop-dev").click()
    await expect(field).to_have_value("half a thought")
    await tab.reload()
    await expect(field).to_have_value("half a thought")


async def test_a_very_long_message_is_said_whole(desk: Desk) -> None:
    """12,000 characters go through; more than 40,000 are refused with the words kept."""
    tab = await desk.open()
    long = "word " * 2_399 + "the end"
    await write(tab, long)
    await expect(tab.locator("article.message", has_text="the end")).to_be_visible()

    await write(tab, "y" * 40_001)
    await expect(tab.locator(".channel .notice")).to_contain_text("at most 40,000 characters")
    await expect(tab.locator(".channel .composer .writing")).to_have_value("y" * 40_001)


async def test_what_one_has_not_seen_is_marked(desk: Desk) -> None:
    """Words elsewhere make their channel bold, a mention gives it a number; both go when one looks."""
    tab = await desk.open()
    await desk.slack.say("chi", "#payments", "some news")
    place = tab.get_by_role("link", name=re.compile("payments"))
    await expect(place).to_have_class(re.compile("unread"))
    await desk.slack.say("chi", "#payments", "@ana please look")
    await expect(place.locator(".badge")).to_have_text("1")
    await expect(tab).to_have_title(re.compile(r"^\(1\)"))
    await place.click()
    await expect(tab.locator(".divider.new")).to_have_count(1)
    await expect(place).not_to_have_class(re.compile("unread"))


async def test_a_place_that_is_pressed_stays_under_the_finger(desk: Desk) -> None:
    """News elsewhere between press and release loses no click on another place."""
    tab = await desk.open()
    elsewhere = tab.get_by_role("link", name=re.compile("payments"))
    await tab.get_by_role("link", name="random").hover()
    await tab.mouse.down()
    await desk.slack.say("chi", "#payments", "some news")
    await expect(elsewhere).to_have_class(re.compile("unread"))
    await tab.mouse.up()
    await expect(tab.locator("h1")).to_have_text("random")


async def test_replies_one_has_not_seen_are_marked(desk: Desk) -> None:
    """New replies in a thread one takes part in are counted under its root until one opens it."""
    root = await desk.slack.say("ana", "#shop-dev", "a question")
    tab = await desk.open()
    await desk.slack.say("ben", "#shop-dev", "an answer", thread_ts=root.ts)
    line = tab.get_by_role("button", name=re.compile("1 reply 1 new"))
    await line.click()
    await expect(tab.locator(".thread")).to_contain_text("an answer")
    await expect(tab.locator(".channel .thread-line .fresh")).to_have_count(0)


async def test_one_can_be_somebody_else(desk: Desk) -> None:
    """The menu of people makes this window another person's, with what that person may see."""
    tab = await desk.open("ana")
    await expect(tab.get_by_role("link", name="leads")).to_have_count(0)
    await tab.get_by_role("button", name=re.compile("You are Ana Duarte")).click()
    await tab.get_by_role("dialog").get_by_role("button", name=re.compile("Maya")).click()
    await expect(tab.get_by_role("link", name="leads")).to_be_visible()
    await tab.get_by_role("button", name=re.compile("You are Maya")).click()
    await tab.get_by_role("dialog").get_by_role("button", name=re.compile("Petra")).click()
    await expect(tab.locator(".sidebar [data-place^=C0]")).to_have_text("ext-partner")


async def test_a_draft_is_its_persons(desk: Desk) -> None:
    """What one has half written does not stand there for the next who sits at the window."""
    tab = await desk.open("ana")
    field = tab.locator(".channel .composer .writing")
    await field.fill("ana's thought")
    await tab.get_by_role("button", name=re.compile("You are Ana Duarte")).click()
    await tab.get_by_role("dialog").get_by_role("button", name=re.compile("Ben")).click()
    await expect(tab.get_by_role("button", name=re.compile("You are Ben"))).to_be_visible()
    await expect(field).to_have_value("")


async def test_every_suggestion_fills_the_composer(desk: Desk) -> None:
    """A press on each suggestion puts it there ready to be sent, the two bugs with their fence."""
    tab = await desk.open()
    field = tab.locator(".channel .composer .writing")
    tries = tab.locator(".try")
    filled: list[str] = []
    for n in range(await tries.count()):
        await tries.nth(n).click()
        filled.append(await field.input_value())
        await expect(field).to_be_focused()

    assert len(set(filled)) == len(filled) >= 6
    assert filled[0].startswith("@purser review this:\n```python\ndef find_orders")
    assert {"/summarize SHOP-12", "/cost this month"} < set(filled)


async def test_the_app_can_be_invited(desk: Desk, app: App) -> None:
    """Where the app is no member a mention offers to invite it; /invite and /remove do the same by words."""
    tab = await desk.open(where="C0RANDOM")
    await write(tab, "@purser are you there?")
    await expect(tab.locator(".channel .notice")).to_contain_text("Purser is not in #random")
    await tab.locator(".notice").get_by_role("button", name="Invite Purser").click()
    await desk.slack.wait_for(lambda: app.of("member_joined_channel"))
    await write(tab, "/remove @purser")
    await expect(
        tab.locator(".pane-head").get_by_role("button", name="Invite Purser")
    ).to_be_visible()
    await write(tab, "/invite @purser")
    await desk.slack.wait_for(lambda: len(app.of("member_joined_channel")) == 2)


async def test_people_write_to_each_other_directly(desk: Desk) -> None:
    """A direct message reaches the other window, marked, and nobody else's."""
    ana, ben, chi = [await desk.open(who) for who in ("ana", "ben", "chi")]
    await expect(chi.locator("h1")).to_have_text("shop-dev")  # so that the list moves no more
    await ana.get_by_role("link", name="Ben Okafor").click()
    await expect(ana.locator("h1")).to_have_text("Ben Okafor")
    await write(ana, "just between us")
    place = ben.get_by_role("link", name=re.compile("Ana Duarte"))
    await expect(place.locator(".badge")).to_have_text("1")
    await place.click()
    await expect(ben.locator(".channel")).to_contain_text("just between us")
    assert "just between us" not in await chi.content()


async def test_a_window_that_hears_late_goes_where_it_was_sent(desk: Desk) -> None:
    """Whose new direct messages are answered before the window hears of them comes there all the same."""
    tab = await desk.open(viewport={"width": 1281, "height": 861})  # a tab of its own
    late: list[str | bytes] = []
    sockets: list[WebSocketRoute] = []
    holds = asyncio.Event()

    def between(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.connect_to_server().on_message(
            lambda said: late.append(said) if holds.is_set() else socket.send(said)
        )

    await tab.route_web_socket("**", between)
    await tab.reload()
    await tab.wait_for_selector("body.ready")
    holds.set()
    async with tab.expect_response(lambda one: one.request.method == "POST"):
        await tab.get_by_role("link", name="Ben Okafor").click()
    await tab.evaluate("new Promise((done) => setTimeout(done))")  # the page has its answer
    for said in late:
        sockets[-1].send(said)
    holds.clear()

    await expect(tab.locator("h1")).to_have_text("Ben Okafor")


async def test_a_day_that_is_over_is_called_yesterday(tabs: Tabs, tmp_path: Path) -> None:
    """When the clock has gone on to the next day, what was said before stands under yesterday's name."""
    clock = Clock(tmp_path / "clock")
    async with desk_on(tabs, clock) as desk:
        tab = await desk.open()
        await write(tab, "good night")
        day = tab.locator(".channel .divider.day").last
        await expect(day).to_have_text("Today")

        clock.move(86_400)
        desk.slack.watch.changed("clock")
        await expect(day).to_have_text("Yesterday")
