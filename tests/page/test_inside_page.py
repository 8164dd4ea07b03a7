"""The look inside in a real browser: drawn live, used by keyboard, calm on a narrow screen, deaf to hostile text."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from bot.demo.jira.world import Comment
from bot.demo.slack.watch import WireLine
from bot.inbox import Arrival, Inbox
from bot.store.sqlite import SqliteStore
from tests.bot.stores import ask
from tests.page.inside_world import InsideWorld, Windows
from tests.page.tabs import Tabs

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = "@purser what is the state of SHOP-12?"
HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>"\'>`${1}`\u202e'
TABS = ["Asks", "Wire", "Books", "Jira", "Web", "Troubles"]


@pytest_asyncio.fixture(loop_scope="module")
async def world(tmp_path: Path) -> AsyncIterator[InsideWorld]:
    """The stand-ins with the look inside; the bot is not started yet."""
    async with InsideWorld(tmp_path) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def windows(tabs: Tabs, world: InsideWorld) -> AsyncIterator[Windows]:
    """Opens windows; at the end no console may have complained, and nothing elsewhere was asked for."""
    async with Windows(tabs, world) as made:
        yield made
    assert made.complaints == []


async def answered(world: InsideWorld, text: str = QUESTION) -> None:
    """Somebody asked, and has their answer."""
    await world.ended(await world.slack.say("ana", "#shop-dev", text))


def step(page: Page, kind: str) -> Locator:
    """The first step of a kind in the chosen ask's way."""
    return page.locator(f'.way li[data-kind="{kind}"]').first


async def show(page: Page, tab: str) -> None:
    """Choose a tab by the mouse."""
    await page.get_by_role("tab", name=re.compile(f"^{tab}")).click()


async def test_an_ask_is_drawn_while_it_is_on_its_way(world: InsideWorld, windows: Windows) -> None:
    """An open window draws a new ask by itself, station by station, up to its end with what it cost."""
    await world.start()
    page = await windows.open()
    await expect(page.get_by_text("Nobody has asked anything yet")).to_be_visible()

    await answered(world)

    await expect(page.locator('.row .stop[data-state="done"]')).to_have_count(7)
    for kind in ("listened", "committed", "leased", "sent", "tools", "parts", "settled"):
        await expect(step(page, kind)).to_have_attribute("data-state", "done")
    detail = page.get_by_label("The chosen ask")
    await expect(detail.get_by_role("definition").filter(has_text="$0.0")).to_be_visible()
    await expect(step(page, "sent").locator(".lasted")).to_have_text(
        re.compile(r"\d+ ms|\d\.\d+ s")
    )
    await expect(page.get_by_role("status")).to_contain_text("ana's ask ended: answer")


async def test_a_step_opens_to_its_messages_and_a_message_to_its_json(
    world: InsideWorld, windows: Windows
) -> None:
    """A click on a step shows its wire messages, a click on one shows all of it, and a second click closes it."""
    await world.start()
    await answered(world)
    page = await windows.open()
    tools = step(page, "tools")
    await tools.locator(".step").click()
    message = tools.locator(".message-line").filter(has_text="issue/SHOP-12/comment")
    await message.click()
    await expect(tools.locator(".tree")).to_contain_text("GET /rest/api/3/issue/SHOP-12/comment")
    await expect(message).to_have_attribute("aria-expanded", "true")

    await message.click()
    await expect(tools.locator(".tree")).to_have_count(0)
    await tools.locator(".step").click()
    await expect(tools.locator(".message-line").first).to_be_hidden()


async def test_a_stop_of_the_track_opens_its_step(world: InsideWorld, windows: Windows) -> None:
    """A click on a stop in the list chooses the ask and opens that step of it."""
    await world.start()
    await answered(world)
    await answered(world, "@purser what is 2+3?")
    page = await windows.open()

    row = page.get_by_role("option").filter(has_text="SHOP-12")
    await row.locator('.stop[data-kind="parts"]').click()

    await expect(row).to_have_attribute("aria-selected", "true")
    await expect(step(page, "parts").locator(".message-line").first).to_be_visible()
    await expect(page.get_by_role("button", name="Follow the newest")).to_have_attribute(
        "aria-pressed", "false"
    )


async def test_the_chosen_ask_stays_chosen(world: InsideWorld, windows: Windows) -> None:
    """Who reads an older ask goes on reading it when new ones come; following takes them to the newest again."""
    await world.start()
    await answered(world)
    await answered(world, "@purser what is 2+3?")
    page = await windows.open()
    quote = page.get_by_label("The chosen ask").locator("blockquote")
    await page.get_by_role("option").filter(has_text="SHOP-12").click()
    await answered(world, "@purser what is 4+4?")
    await expect(page.get_by_role("option")).to_have_count(3)
    await expect(quote).to_contain_text("SHOP-12")

    await page.get_by_role("button", name="Follow the newest").click()
    await expect(quote).to_contain_text("4+4")


async def test_the_books_fill(world: InsideWorld, windows: Windows) -> None:
    """Each booked row and each channel's sum against its budget are there, and a row leads to its ask."""
    await world.start()
    page = await windows.open()
    await show(page, "Books")
    await answered(world)

    await expect(page.get_by_role("meter", name=re.compile("#shop-dev"))).to_be_visible()
    await expect(page.locator(".sum").filter(has_text="#shop-dev")).to_contain_text("of $50.00")
    row = page.get_by_role("option").filter(has_text="ana in #shop-dev").filter(visible=True)
    await expect(row).to_have_count(2)
    await row.first.click()
    await expect(page.get_by_role("tab", name="Asks")).to_have_attribute("aria-selected", "true")


async def test_the_wire_is_searched_and_sorted_by_stranger(
    world: InsideWorld, windows: Windows
) -> None:
    """The list of all messages is narrowed by stranger and by words, and one of them is shown whole."""
    await world.start()
    await answered(world)
    page = await windows.open()
    await show(page, "Wire")
    rows = page.locator(".panel.wire .row")
    await page.get_by_label("Find in the wire messages").fill("issue/SHOP-12")
    await expect(rows).to_have_count(2)
    await page.get_by_role("button", name="jira", exact=True).click()
    await expect(rows).to_have_count(0)
    await page.get_by_role("button", name="jira", exact=True).click()
    await rows.first.click()
    await expect(page.get_by_label("The chosen message").locator(".tree")).to_contain_text(
        "SHOP-12"
    )

    await page.get_by_role("button", name="Show its ask").click()
    await expect(page.get_by_role("tab", name="Asks")).to_have_attribute("aria-selected", "true")


async def test_tickets_and_pages_are_there_to_read(world: InsideWorld, windows: Windows) -> None:
    """A ticket and a page of the small web can be read, and a ticket that changes changes on the screen."""
    page = await windows.open()
    await show(page, "Jira")
    await page.get_by_role("option").filter(has_text="SHOP-12").click()
    detail = page.get_by_label("The chosen ticket")
    await expect(detail).to_contain_text("Retry a payment without charging twice")
    issue = world.jira.world.issues["SHOP-12"]
    world.jira.world.move(issue, "Done", world.jira.now(), issue.reporter)
    await expect(detail.locator(".pill")).to_have_text("Done")

    await show(page, "Web")
    await page.get_by_role("option").filter(has_text="/articles/idempotency").first.click()
    await expect(page.get_by_label("The chosen page")).to_contain_text("key")


async def test_a_trouble_is_switched_by_the_keyboard(world: InsideWorld, windows: Windows) -> None:
    """A switch is reached and turned by the keyboard, says its state, is counted on its tab, and is turned off again."""
    page = await windows.open()
    await show(page, "Troubles")
    switch = page.get_by_role("switch", name="Jira hangs")
    await switch.focus()
    await page.keyboard.press("Space")
    await expect(switch).to_be_checked()
    await expect(page.get_by_role("tab", name="Troubles 1")).to_be_visible()
    assert world.jira.troubles.hang

    await page.keyboard.press("Enter")
    await expect(switch).not_to_be_checked()
    assert not world.jira.troubles.hang


async def test_a_kill_is_one_click(world: InsideWorld, windows: Windows) -> None:
    """A click kills the bot; the button rests until the bot is back, and the page says how long that took."""
    page = await windows.open()
    await show(page, "Troubles")
    kill = page.get_by_role("button", name="Kill it")
    await kill.click()
    await expect(page.get_by_text("starting again")).to_be_visible()
    await expect(kill).to_be_disabled()
    assert world.kills == 1

    world.back.set()
    await expect(page.get_by_text("ready again after")).to_be_visible()
    await expect(kill).to_be_enabled()


async def test_tabs_and_lists_are_used_by_the_keyboard(
    world: InsideWorld, windows: Windows
) -> None:
    """Tabs are one stop with arrows between them, a list is one stop with arrows between its rows."""
    await world.start()
    await answered(world)
    await answered(world, "@purser what is 2+3?")
    page = await windows.open()
    await page.get_by_role("tab", name="Asks").focus()
    for name in [*TABS[1:], "Asks"]:
        await page.keyboard.press("ArrowRight")
        await expect(page.get_by_role("tab", name=name)).to_be_focused()
        await expect(page.get_by_role("tab", name=name)).to_have_attribute("tabindex", "0")
    await expect(page.locator('[role="tab"][tabindex="0"]')).to_have_count(1)
    await page.keyboard.press("ArrowLeft")
    await expect(page.get_by_role("tab", name="Troubles")).to_be_focused()
    await page.keyboard.press("Home")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("listbox", name="Asks, the newest first")).to_be_focused()

    await page.keyboard.press("ArrowDown")
    chosen = page.locator('[role="option"][aria-selected="true"]')
    await expect(chosen).to_contain_text("SHOP-12")
    active = await page.evaluate("document.activeElement.getAttribute('aria-activedescendant')")
    assert active == await chosen.get_attribute("id")


async def test_hostile_text_is_only_text(world: InsideWorld, windows: Windows) -> None:
    """Markup in a person's words, a ticket, a comment, a log line or a wire message is shown as it was written."""
    await world.start()
    issue = world.jira.world.issues["SHOP-12"]
    issue.summary = issue.priority = HOSTILE
    said = {"type": "doc", "version": 1, "content": [{"type": "text", "text": HOSTILE}]}
    issue.comments.append(Comment("9", issue.reporter, said, world.jira.now(), world.jira.now()))
    world.lines.append({"event": HOSTILE, HOSTILE: HOSTILE, "level": "error"})
    hostile = {HOSTILE: HOSTILE, "text": HOSTILE, "__proto__": {"hacked": 1}}
    world.slack.watch.wrote(WireLine(world.slack.now(), "in", HOSTILE, hostile))
    await answered(world, f"@purser what is 2+3? {HOSTILE}")
    page = await windows.open()

    await expect(page.locator(".row .words").first).to_contain_text("<img src=x")
    for kind in ("listened", "sent", "parts"):
        await step(page, kind).locator(".step").click()
        await step(page, kind).locator(".message-line").first.click()
        await step(page, kind).locator(".tree").wait_for()
        await page.evaluate(UNFOLD)
    await show(page, "Wire")
    await page.get_by_label("Find in the wire messages").fill("onerror")
    await page.locator('.panel.wire .row[data-who="slack"]').first.click()
    await expect(page.get_by_label("The chosen message").locator(".tree")).to_contain_text("<img")
    await show(page, "Jira")
    await page.get_by_role("option").filter(has_text="SHOP-12").click()
    await expect(page.get_by_label("The chosen ticket").locator("h3")).to_contain_text("<script>")
    assert await page.evaluate("[window.hacked, ({}).hacked]") == [None, None]
    await expect(page.locator(".inside img, .inside script")).to_have_count(0)


async def test_a_thousand_asks_and_ten_thousand_messages_draw_only_what_is_seen(
    world: InsideWorld, windows: Windows
) -> None:
    """With 1,000 asks and 10,000 messages the page holds a screenful of rows, at the top and at the end."""
    await _fill(world, asks=1_000, lines=10_000)
    page = await windows.open()
    asks = page.get_by_role("listbox", name="Asks, the newest first")
    await expect(asks.get_by_role("option").first).to_have_attribute("aria-setsize", "1000")
    assert await asks.get_by_role("option").count() < 40
    await asks.focus()
    await page.keyboard.press("End")
    await expect(asks.locator('[aria-posinset="1000"]')).to_be_visible()
    assert await asks.get_by_role("option").count() < 40

    await show(page, "Wire")
    rows = page.locator(".panel.wire .row")
    await expect(rows.first).to_have_attribute("aria-setsize", "10000")
    assert await rows.count() < 60
    assert await page.evaluate("document.querySelectorAll('*').length") < 3_000


async def test_what_is_read_stays_where_it_is_when_more_comes(
    world: InsideWorld, windows: Windows
) -> None:
    """New messages above do not move the row that is being read."""
    await _fill(world, asks=0, lines=500)
    page = await windows.open()
    await show(page, "Wire")
    rows = page.get_by_role("listbox", name=re.compile("Wire messages"))
    await rows.evaluate("node => { node.scrollTop = 2800 }")
    row = page.get_by_role("option").filter(has_text="call.380")
    before = await row.bounding_box()
    for number in range(40):
        world.slack.watch.wrote(WireLine(world.slack.now(), "in", f"later.{number}", {}, {}, 200))
    await expect(rows.get_by_role("option").first).to_have_attribute("aria-setsize", "540")

    assert await row.bounding_box() == before


@pytest.mark.parametrize("width", [280, 360, 560, 1_200])
async def test_nothing_is_wider_than_the_screen(
    world: InsideWorld, windows: Windows, width: int
) -> None:
    """On a phone, beside a workspace and on a wide screen no tab scrolls sideways."""
    await world.start()
    await answered(world, f"{QUESTION} {'long' * 60}")
    page = await windows.open(width=width, height=740)
    await step(page, "sent").locator(".step").click()
    await step(page, "sent").locator(".message-line").first.click()
    await step(page, "sent").locator(".tree").wait_for()
    for tab in TABS:
        await show(page, tab)
        if tab in ("Jira", "Web", "Wire"):
            await page.get_by_role("tabpanel").get_by_role("option").first.click()
        wide = await page.evaluate(
            """() => [...document.querySelectorAll(".panel:not([hidden]), .panel:not([hidden]) .detail, "
                + ".panel:not([hidden]) .rows, .panel:not([hidden]) .message, html")]
                .filter((node) => node.scrollWidth > node.clientWidth + 1)
                .map((node) => `${node.className} ${node.textContent.slice(0, 200)}`)"""
        )
        assert (tab, wide) == (tab, [])


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_words_stand_out_in_light_and_dark(
    world: InsideWorld, windows: Windows, scheme: Any
) -> None:
    """In both schemes every text has the contrast that WCAG AA asks for: 4.5 to 1."""
    await world.start()
    await answered(world)
    page = await windows.open(color_scheme=scheme)
    await step(page, "sent").locator(".step").click()
    for tab in TABS:
        await show(page, tab)
        if tab in ("Jira", "Web", "Wire"):
            await page.get_by_role("tabpanel").get_by_role("option").first.click()
        assert (tab, await page.evaluate(FAINT)) == (tab, [])


async def test_the_page_around_may_choose_the_theme(world: InsideWorld, windows: Windows) -> None:
    """`data-theme` on the root wins over what the system prefers, and the page's own colours over ours."""
    page = await windows.open(color_scheme="light")
    paper = "getComputedStyle(document.querySelector('.inside')).backgroundColor"
    light = await page.evaluate(paper)
    await page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert await page.evaluate(paper) != light

    await page.evaluate("document.documentElement.style.setProperty('--paper', 'rgb(1, 2, 3)')")
    assert await page.evaluate(paper) == "rgb(1, 2, 3)"


async def test_nothing_moves_for_whoever_wants_no_motion(
    world: InsideWorld, windows: Windows
) -> None:
    """With reduced motion nothing is animated, not even while an ask runs; else what runs is."""
    await world.start()
    world.claude.ttft = 3_600.0
    still = await windows.open(reduced_motion="reduce")
    lively = await windows.open(reduced_motion="no-preference")
    await world.slack.say("ana", "#shop-dev", QUESTION)
    for page in (still, lively):
        await expect(step(page, "sent")).to_have_attribute("data-state", "now")

    moving = "document.getAnimations().length"
    assert await still.evaluate(moving) == 0
    assert await lively.evaluate(moving) > 0


async def test_a_page_that_lost_its_connection_comes_back(
    world: InsideWorld, windows: Windows
) -> None:
    """When the connection is cut the page says so, connects again, and shows what came meanwhile."""
    await world.start()
    page = await windows.open()
    for socket in tuple(world.inside._sockets):
        await socket.close()
    await answered(world)

    await expect(page.locator('.lamp[data-state="live"]')).to_be_visible()
    await expect(page.get_by_role("option")).to_have_count(1)


async def test_a_page_says_when_the_bot_is_away(world: InsideWorld, windows: Windows) -> None:
    """Whether the bot is connected is seen at once, when it comes and when it goes."""
    page = await windows.open()
    await expect(page.get_by_text("The bot is away")).to_be_visible()
    await world.start()
    await expect(page.get_by_text("The bot is connected")).to_be_visible()
    await world.stop()
    await expect(page.get_by_text("The bot is away")).to_be_visible()


async def test_what_is_mounted_can_be_taken_away(world: InsideWorld, windows: Windows) -> None:
    """What `mount` gives back empties the element and lets go of the connection."""
    page = await windows.open()
    await page.evaluate(
        """async () => {
            const { mount } = await import(new URL("static/inside.js", location.href));
            const place = document.createElement("div");
            document.body.append(place);
            window.unmount = mount(place);
        }"""
    )
    await expect(page.locator(".inside")).to_have_count(2)
    await world.until(lambda: len(world.inside._sockets) == 2)
    await page.evaluate("window.unmount()")

    await expect(page.locator(".inside")).to_have_count(1)
    await world.until(lambda: len(world.inside._sockets) == 1)


async def test_what_is_folded_away_watches_nothing(world: InsideWorld, windows: Windows) -> None:
    """While the look inside is hidden it holds no connection; shown again it is live again."""
    page = await windows.open()
    await page.evaluate("document.getElementById('inside').hidden = true")
    await world.until(lambda: not world.inside._sockets)

    await page.evaluate("document.getElementById('inside').hidden = false")
    await world.until(lambda: len(world.inside._sockets) == 1)
    await expect(page.locator(".lamp")).not_to_have_attribute("data-state", "lost")


UNFOLD = """async () => {
    for (let closed; (closed = document.querySelectorAll(".tree details:not([open])")).length; ) {
        for (const fold of closed) fold.open = true;
        await new Promise(requestAnimationFrame);
    }
}"""
"""Opens everything that is folded in the JSON shown."""

FAINT = """() => {
    const parse = (text) => text.match(/[\\d.]+/g).map(Number);
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const rgba = (colour) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const light = ([r, g, b]) => {
        const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const ground = (node) => {
        for (; node; node = node.parentElement) {
            const colour = rgba(getComputedStyle(node).backgroundColor);
            if (colour[3] === 255) return colour;
        }
        return [255, 255, 255];
    };
    const faint = new Set();
    const texts = document.createTreeWalker(document.querySelector(".inside"), NodeFilter.SHOW_TEXT);
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
        const node = text.parentElement;
        if (!text.data.trim() || !node.checkVisibility() || node.closest(".unseen, [data-none=true], :disabled")) continue;
        const [a, b] = [light(rgba(getComputedStyle(node).color)), light(ground(node))];
        const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (contrast < 4.5) faint.add(`${node.className || node.tagName}: ${text.data.slice(0, 20)} ${contrast.toFixed(2)}`);
    }
    return [...faint];
}"""
"""Finds texts whose contrast to the ground they stand on is too small."""


async def _fill(world: InsideWorld, *, asks: int, lines: int) -> None:
    """A file with so many asks, and so many messages on the wire."""
    store = await SqliteStore.open(world.folder / "purser.db", serve=True)
    inbox = Inbox(store, now=world.slack.now, worker="w1")
    many = [ask(id=f"{n:05d}", at=world.slack.now() + n / 1000) for n in range(asks)]
    await asyncio.gather(*(inbox.put(Arrival((one.id,), one)) for one in many))
    await store.close()
    for number in range(lines):
        world.slack.watch.wrote(WireLine(world.slack.now(), "in", f"call.{number}", {}, {}, 200))
