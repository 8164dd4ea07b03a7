"""The page's form, in a real browser: dark and light, narrow and wide, by keys alone, with thousands of messages."""

import re

import pytest
from playwright.async_api import Page as Tab
from playwright.async_api import expect

from bot.demo.slack.message import Message
from tests.page.app import App
from tests.page.conftest import Desk

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAPER = "() => getComputedStyle(document.body).backgroundColor"
ROWS = "() => document.querySelectorAll('.channel article.message').length"
TOP = "() => { document.querySelector('.channel .scroller').scrollTop = 0; }"
CONTRAST = """() => {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (color) => {
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3).map((one) => one / 255);
  };
  const light = (color) => rgb(color).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)).reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const value = (name) => {
    const probe = document.body.appendChild(document.createElement("i"));
    probe.style.color = `var(--${name})`;
    const color = getComputedStyle(probe).color;
    probe.remove();
    return light(color);
  };
  const pairs = [];
  for (const paper of ["paper", "paper-low", "paper-high"])
    for (const ink of ["ink", "ink-quiet", "ink-faint", "accent", "brass", "bad", "good"]) {
      const [a, b] = [value(paper), value(ink)].sort((x, y) => y - x);
      pairs.push([`${ink} on ${paper}`, (a + 0.05) / (b + 0.05)]);
    }
  for (const kind of ["brass", "bad", "good"]) {
    const [a, b] = [value(kind), value(`${kind}-soft`)].sort((x, y) => y - x);
    pairs.push([`${kind} on its soft`, (a + 0.05) / (b + 0.05)]);
  }
  return Object.fromEntries(pairs.filter(([, ratio]) => ratio < 4.5));
}"""
MOVED = """async () => {
  const scroller = document.querySelector(".channel .scroller");
  const rows = () => [...scroller.querySelectorAll("article.message")];
  const before = rows().length;
  scroller.scrollTop = 300;
  const edge = scroller.getBoundingClientRect().top + 50;
  const seen = rows().find((row) => row.getBoundingClientRect().top > edge);
  const at = seen.getBoundingClientRect().top;
  while (rows().length === before) await new Promise(requestAnimationFrame);
  return seen.getBoundingClientRect().top - at;
}"""
UNNAMED = """() => [...document.querySelectorAll("button, a[href], input, select, textarea")]
  .filter((one) => one.offsetParent && !one.matches("[type=file]"))
  .filter((one) => !(one.textContent.trim() || one.getAttribute("aria-label") || one.labels?.length))
  .map((one) => one.outerHTML.slice(0, 80))"""


def fill(desk: Desk, count: int, where: str = "C0RANDOM") -> None:
    """So many messages in a channel, as if they had been there for long."""
    world = desk.slack.world
    for n in range(count):
        text = f"message {n}" + " and some words more" * (n % 7)
        world.put(Message(world.new_ts(), where, ("U0BEN", "U0CHI")[n // 3 % 2], text, world.team))


async def focused(tab: Tab) -> str:
    """What has the focus, by its name or its words."""
    return await tab.evaluate(
        "() => document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
    )


async def test_dark_and_light_follow_the_machine_until_one_chooses(desk: Desk) -> None:
    """The scheme of colours is the machine's; the button turns it, and a reload keeps what was chosen."""
    light = await desk.open(color_scheme="light")
    dark = await desk.open(color_scheme="dark")
    papers = await light.evaluate(PAPER), await dark.evaluate(PAPER)
    await dark.get_by_role("button", name="Switch to light").click()
    chosen = await dark.evaluate(PAPER)
    await dark.reload()
    kept = await dark.evaluate(PAPER)

    assert papers[0] != papers[1]
    assert chosen == kept == papers[0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_ink_can_be_read_on_every_paper(desk: Desk, scheme: str) -> None:
    """Text has a contrast of 4.5 at least, in both schemes."""
    tab = await desk.open(color_scheme=scheme)

    assert await tab.evaluate(CONTRAST) == {}


async def test_a_narrow_screen_has_one_column(desk: Desk, app: App) -> None:
    """On a phone nothing is cut off sideways; channels come in a drawer, a thread takes the place of its channel."""
    root = await desk.slack.say("ana", "#shop-dev", "@purser go", code="x = 1  # " + "long " * 60)
    await app.post("C0SHOPDEV", text="a reply", thread_ts=root.ts)
    tab = await desk.open(viewport={"width": 360, "height": 740})
    wide = "() => document.documentElement.scrollWidth"
    assert await tab.evaluate(wide) == 360
    await expect(tab.get_by_role("link", name="payments")).to_be_hidden()
    await tab.get_by_role("button", name="Channels").click()
    await tab.get_by_role("link", name="payments").click()
    await expect(tab.locator("h1")).to_have_text("payments")
    await expect(tab.get_by_role("link", name="payments")).to_be_hidden()
    await tab.get_by_role("button", name="Channels").click()
    await tab.keyboard.press("Escape")
    await expect(tab.get_by_role("link", name="payments")).to_be_hidden()
    await tab.go_back()
    await tab.get_by_role("button", name=re.compile("1 reply")).click()
    await expect(tab.locator(".channel")).to_be_hidden()
    assert await tab.evaluate(wide) == 360
    await tab.get_by_role("button", name="Back to the channel").click()
    await expect(tab.locator(".channel")).to_be_visible()


async def test_everything_is_reached_by_keys(desk: Desk) -> None:
    """Arrows walk channels and messages, Enter opens a thread, Esc leaves it where it was, letters act on messages."""
    tab = await desk.open()
    await tab.get_by_role("link", name="shop-dev").focus()
    await tab.keyboard.press("ArrowDown")
    assert "payments" in await focused(tab)
    await tab.keyboard.press("Home")
    assert "Purser" in await focused(tab)
    await tab.locator(".channel article.message").last.focus()
    await tab.keyboard.press("ArrowUp")
    assert "Ben Okafor" in await focused(tab)
    await tab.keyboard.press("Enter")
    thread = tab.get_by_role("region", name="Thread", exact=True).first
    await expect(thread).to_be_visible()
    await tab.locator(".thread .composer .writing").focus()
    await tab.keyboard.press("Escape")
    await expect(thread).to_be_hidden()
    assert "Ben Okafor" in await focused(tab)
    await tab.keyboard.press("r")
    await expect(tab.get_by_role("dialog", name="Choose an emoji")).to_be_visible()
    await tab.keyboard.press("Escape")
    await expect(tab.get_by_role("dialog", name="Choose an emoji")).to_have_count(0)
    await tab.locator("article.message", has_text="half done").focus()
    await tab.keyboard.press("e")
    await expect(tab.get_by_role("textbox", name="Edit the message")).to_be_focused()
    await tab.keyboard.press("Escape")
    await expect(tab.get_by_role("textbox", name="Edit the message")).to_have_count(0)


async def test_a_screen_reader_finds_its_way(desk: Desk, app: App) -> None:
    """There are landmarks with names, everything that can be pressed has one, and new words are spoken once."""
    root = await desk.slack.say("ana", "#shop-dev", "@purser go")
    await desk.slack.react("ben", root, "eyes")
    tab = await desk.open(more=f"&thread={root.ts}")
    for role, name in (("navigation", "Channels"), ("main", "Channel"), ("region", "Thread")):
        await expect(tab.get_by_role(role, name=name, exact=True).first).to_be_visible()  # type: ignore[arg-type]
    assert await tab.evaluate(UNNAMED) == []
    await desk.slack.say("ben", "#shop-dev", "spoken words")
    await expect(tab.locator("#spoken")).to_have_text("Ben Okafor: spoken words")
    ts = await app.stream("C0SHOPDEV", root.ts, "half")
    await expect(tab.locator(".thread .prose")).to_have_text("half")
    await expect(tab.locator("#spoken")).to_have_text("Ben Okafor: spoken words")
    await app.call("chat.stopStream", channel="C0SHOPDEV", ts=ts, markdown_text=" and whole")
    await expect(tab.locator("#spoken")).to_have_text("Purser: half and whole")


async def test_a_still_page_for_those_who_want_it(desk: Desk, app: App) -> None:
    """Who asks for less motion sees nothing pulse or slide."""
    root = await desk.slack.say("ana", "#shop-dev", "@purser go")
    await app.call(
        "assistant.threads.setStatus", channel_id="C0SHOPDEV", thread_ts=root.ts, status="is on it"
    )
    tab = await desk.open(more=f"&thread={root.ts}", reduced_motion="reduce")
    await expect(tab.locator(".thread .working")).to_be_visible()

    assert await tab.evaluate("() => document.getAnimations().length") == 0


async def test_five_thousand_messages_keep_the_page_small(desk: Desk) -> None:
    """However far one scrolls, only a stretch of the messages stands in the page; the oldest and the newest are reached."""
    fill(desk, 5_000)
    tab = await desk.open(where="C0RANDOM")
    await expect(tab.locator(".channel article.message").last).to_contain_text("message 4999")
    most = 0
    for _ in range(400):
        await tab.evaluate(TOP)
        most = max(most, await tab.evaluate(ROWS))
        if await tab.locator(".beginning").count():
            break
        await tab.evaluate("() => new Promise(requestAnimationFrame)")
    await expect(tab.locator(".beginning")).to_contain_text("The beginning of #random")
    await tab.evaluate(TOP)
    await expect(tab.locator(".channel article.message").first).to_contain_text("Cinnamon buns")
    assert most <= 220
    await tab.get_by_role("button", name="Newest").click()
    await expect(tab.locator(".channel article.message").last).to_contain_text("message 4999")
    await expect(tab.locator(".channel article.message").last).to_be_in_viewport()


async def test_reading_the_past_is_not_disturbed(desk: Desk) -> None:
    """While one reads further up, new words and older pages leave what is in sight where it is."""
    fill(desk, 300)
    tab = await desk.open(where="C0RANDOM")
    scroller = tab.locator(".channel .scroller")
    await scroller.hover()
    await tab.mouse.wheel(0, -600)
    await expect(tab.get_by_role("button", name="Newest")).to_be_visible()
    seen = tab.locator("article.message", has_text="message 285")
    await expect(seen).to_be_in_viewport()
    before = await seen.bounding_box()
    await desk.slack.say("ben", "#random", "something new")
    await desk.slack.say("ben", "#random", "something newer")
    await desk.slack.wait_for(lambda: len(desk.slack.messages("#random")) == 303)
    await expect(tab.locator(".channel article.message").last).to_contain_text("something newer")
    after = await seen.bounding_box()

    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) < 2


async def test_older_messages_come_above_without_a_jump(desk: Desk) -> None:
    """When more of the past is drawn above, what is in sight stays where it is."""
    fill(desk, 300)
    tab = await desk.open(where="C0RANDOM")
    await expect(tab.locator(".channel article.message").last).to_be_in_viewport()

    assert abs(await tab.evaluate(MOVED)) < 2


async def test_the_header_says_what_is_real(desk: Desk) -> None:
    """The header names each stand-in and, when asked, how each becomes real."""
    tab = await desk.open()
    await expect(tab.locator(".worlds .world")).to_have_text(
        [re.compile(name) for name in ("Slack", "Claude", "Jira", "GitHub")]
    )
    await tab.locator(".worlds").click()
    told = tab.get_by_role("dialog", name="What is real here")
    await expect(told).to_contain_text("ANTHROPIC_API_KEY")
    await expect(told).to_contain_text("purser manifest")


async def test_without_the_look_inside_the_page_is_whole(desk: Desk) -> None:
    """Where no other module fills the side, neither it nor its button is there."""
    tab = await desk.open()

    await expect(tab.locator("#inside")).to_be_hidden()
    await expect(tab.locator(".inside-button")).to_be_hidden()
