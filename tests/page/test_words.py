"""What is said, drawn in a real browser: Markdown, mrkdwn, rich text and every block, and nothing of it ever runs."""

from typing import Any

import pytest
from playwright.async_api import expect

from bot.demo.slack.world import Channel, Person
from tests.page.app import App
from tests.page.conftest import Desk

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHOP = "C0SHOPDEV"
NAMES = """{
  me: "U1",
  channels: new Map([["C1", { about: { name: "shop" } }]]),
  person: (id) => ({ id, name: id === "U1" ? "Ana" : "Ben", role: "" }),
}"""
PROSE = f"""async (text) => {{
  const {{ Prose }} = await import("/page/static/words/prose.js");
  return new Prose({NAMES}).show(text).element.innerHTML;
}}"""
MRKDWN = f"""async (text) => {{
  const {{ mrkdwn }} = await import("/page/static/words/mrkdwn.js");
  const place = document.createElement("div");
  place.append(...mrkdwn(text, {NAMES}));
  return place.innerHTML;
}}"""
GROWN = f"""async (text) => {{
  const {{ Prose }} = await import("/page/static/words/prose.js");
  const grown = new Prose({NAMES});
  for (let at = 1; at <= text.length; at += 1) grown.show(text.slice(0, at), {{ live: true }});
  const whole = new Prose({NAMES}).show(text);
  return [grown.element.innerHTML, whole.element.innerHTML];
}}"""
HTML = "<img src=x onerror=\"window.ran=1\"><script>window.ran=1</script><a href='javascript:window.ran=1'>x</a>"


def bare(html: str) -> str:
    """Without what every element carries."""
    for same in (
        ' dir="auto"',
        ' target="_blank"',
        ' rel="noopener noreferrer nofollow"',
        ' dir="ltr"',
    ):
        html = html.replace(same, "")
    return html


MARKDOWN_CASES = {
    "a **b** *c* ***d*** __e__ _f_ ~~g~~": "<p>a <strong>b</strong> <em>c</em> <strong><em>d</em></strong> "
    "<strong>e</strong> <em>f</em> <s>g</s></p>",
    "snake_case_name and 2 * 3 * 4": "<p>snake_case_name and 2 * 3 * 4</p>",
    "**open and *torn": "<p>**open and *torn</p>",
    "`a*b*` and ``x ` y``": "<p><code>a*b*</code> and <code>x ` y</code></p>",
    r"\*plain\* \[x\](y)": "<p>*plain* [x](y)</p>",
    "one\ntwo": "<p>one<br>two</p>",
    "# A\n### B": '<h3 class="h1">A</h3><h5 class="h3">B</h5>',
    "a\n\n---\n\nb": "<p>a</p><hr><p>b</p>",
    "> a\n> > b": "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote>",
    "- a\n- b\n  - c\n- d": "<ul><li>a</li><li>b<ul><li>c</li></ul></li><li>d</li></ul>",
    "3. a\n4. b": '<ol start="3"><li>a</li><li>b</li></ol>',
    "[t](https://x.example/a_(b)) <https://y.example>": '<p><a href="https://x.example/a_(b)">t</a> '
    '<a href="https://y.example">https://y.example</a></p>',
    "see https://x.example/a_b_c.": '<p>see <a href="https://x.example/a_b_c">https://x.example/a_b_c</a>.</p>',
    "[x](javascript:alert(1)) [y](data:text/html,z)": '<p><span class="dead-link">x</span> '
    '<span class="dead-link">y</span></p>',
    "![alt](https://x.example/p.png)": '<p><span class="no-picture">Picture: alt</span></p>',
    "<@U1> <@U2> <!here> &lt;b&gt; &amp;amp;": '<p><span class="mention mine">@Ana</span> '
    '<span class="mention">@Ben</span> <span class="mention mine">@here</span> &lt;b&gt; &amp;amp;</p>',
    "<b>x</b>": "<p>&lt;b&gt;x&lt;/b&gt;</p>",
    "": "",
}
MRKDWN_CASES = {
    "*b* _i_ ~s~ `c`": "<p><strong>b</strong> <em>i</em> <s>s</s> <code>c</code></p>",
    "a*b*c and x_y_z": "<p>a*b*c and x_y_z</p>",
    "<https://x.example|label> <mailto:a@x.example|a>": '<p><a href="https://x.example">label</a> '
    '<a href="mailto:a@x.example">a</a></p>',
    "&lt;b&gt; &amp;lt; `a &lt; b`": "<p>&lt;b&gt; &amp;lt; <code>a &lt; b</code></p>",
    "&gt; quoted\nnot": "<blockquote>quoted</blockquote><p>not</p>",
    "<javascript:alert(1)|x>": "<p>&lt;javascript:alert(1)|x&gt;</p>",
    "**not markdown**": "<p>**not markdown**</p>",
}


async def test_markdown_becomes_what_it_says(desk: Desk) -> None:
    """Each form of Markdown is drawn as its element; what is no Markdown stays as it was typed."""
    tab = await desk.open()
    drawn = {text: bare(await tab.evaluate(PROSE, text)) for text in MARKDOWN_CASES}

    assert drawn == MARKDOWN_CASES


async def test_mrkdwn_becomes_what_it_says(desk: Desk) -> None:
    """Slack's own marks, links and entities are drawn; other dialects' are not."""
    tab = await desk.open()
    drawn = {text: bare(await tab.evaluate(MRKDWN, text)) for text in MRKDWN_CASES}

    assert drawn == MRKDWN_CASES


async def test_code_and_tables(desk: Desk) -> None:
    """A fence keeps every sign, names its language and can hold fences; a table keeps its columns' sides."""
    text = (
        "````python\ndef f(x):\n    return '''a *b*'''  # <b>\n```\n````\n\n"
        "| a | b |\n| :-- | --: |\n| `x|y` | 1 |\n| \\| | |\n"
    )
    tab = await desk.open()
    await desk.slack.say("ana", "#random", "x")
    shown = await tab.evaluate(
        f"""async (text) => {{
          const {{ Prose }} = await import("/page/static/words/prose.js");
          const {{ element }} = new Prose({NAMES}).show(text);
          return {{
            code: element.querySelector("pre code").textContent,
            language: element.querySelector("figcaption span").textContent,
            keys: [...element.querySelectorAll(".t-key")].map((one) => one.textContent),
            cells: [...element.querySelectorAll("tr")].map((row) => [...row.cells].map((cell) => cell.textContent)),
            right: [...element.querySelectorAll(".right")].length,
          }};
        }}""",
        text,
    )

    assert shown["code"] == "def f(x):\n    return '''a *b*'''  # <b>\n```"
    assert (shown["language"], shown["keys"]) == ("python", ["def", "return"])
    assert shown["cells"] == [["a", "b"], ["x|y", "1"], ["|", ""]]
    assert shown["right"] == 3


async def test_text_that_grows_ends_as_text_that_came_whole(desk: Desk) -> None:
    """A streamed text looks in the end as if it had been there at once, wherever it was cut."""
    texts = (
        "# T\n\nsome **bold** text\n\n- a\n- b\n\n```python\nx = 1\n```\n\nend",
        "| a | b |\n| --- | --- |\n| 1 | 2 |\n\n> quote\n> more\n\n1. x\n2. y",
        "1. x\n\n2. y",
        "***~~`[(<@U1",
    )
    tab = await desk.open()
    for text in texts:
        grown, whole = await tab.evaluate(GROWN, text)

        assert grown == whole


async def test_nasty_text_is_drawn_all_the_same(desk: Desk) -> None:
    """12,000 characters made to trip a parser are drawn, and the page goes on."""
    texts = ["*" * 12_000, "> " * 6_000, "[" * 12_000, "`" * 11_999, "- " * 6_000, "<" * 12_000]
    texts += ["*a **b " * 1_700, "| " * 6_000 + "\n" + "|-" * 6_000, "~~" * 6_000 + "\n" * 50]
    tab = await desk.open()
    drawn = [
        await tab.evaluate(f"(text) => ({PROSE})(text).then((html) => html.length)", t)
        for t in texts
    ]

    assert all(length > 0 for length in drawn)
    await expect(tab.locator(".channel .composer .writing")).to_be_editable()


def hostile_blocks() -> list[dict[str, Any]]:
    """Each block with HTML in each field that takes a text."""
    plain = {"type": "plain_text", "text": HTML[:75]}
    long = {"type": "plain_text", "text": HTML}
    mark = {"type": "mrkdwn", "text": HTML}
    option = {"text": plain, "value": HTML}
    rich = {"type": "rich_text_section", "elements": [{"type": "text", "text": HTML}]}
    link = {"type": "link", "url": "javascript:window.ran=1", "text": HTML}
    series = {"name": HTML[:20], "data": [{"label": HTML[:20], "value": 1}]}
    return [
        {"type": "header", "text": long},
        {"type": "section", "text": mark, "fields": [mark, long]},
        {
            "type": "section",
            "text": mark,
            "accessory": {
                "type": "button",
                "action_id": "a",
                "text": plain,
                "url": "javascript:window.ran=1",
            },
        },
        {
            "type": "context",
            "elements": [
                mark,
                {"type": "image", "image_url": "http://evil.example/x.png", "alt_text": HTML},
            ],
        },
        {
            "type": "image",
            "image_url": "http://evil.example/y.png",
            "alt_text": HTML,
            "title": plain,
        },
        {
            "type": "actions",
            "elements": [
                {"type": "button", "action_id": "b", "text": plain, "style": HTML},
                {
                    "type": "static_select",
                    "action_id": "c",
                    "placeholder": plain,
                    "options": [option],
                },
                {"type": "overflow", "action_id": "d", "options": [option]},
            ],
        },
        {
            "type": "markdown",
            "text": HTML
            + f"\n\n| {HTML} |\n| --- |\n| ![{HTML}](http://evil.example/z.png) |\n\n```{HTML}\n{HTML}\n```",
        },
        {
            "type": "rich_text",
            "elements": [
                rich,
                {"type": "rich_text_section", "elements": [link]},
                {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": HTML}]},
                {"type": "rich_text_list", "style": HTML, "elements": [rich]},
                {"type": "rich_text_quote", "elements": [{"type": "text", "text": HTML}]},
            ],
        },
        {
            "type": "table",
            "rows": [[{"type": "raw_text", "text": HTML}], [{"type": "raw_text", "text": HTML}]],
        },
        {
            "type": "data_visualization",
            "title": HTML[:50],
            "chart": {
                "type": "bar",
                "series": [series],
                "axis_config": {
                    "categories": [HTML[:20]],
                    "x_label": HTML[:50],
                    "y_label": HTML[:50],
                },
            },
        },
        {
            "type": "data_visualization",
            "title": HTML[:50],
            "chart": {"type": "pie", "segments": [{"label": HTML[:20], "value": 1}]},
        },
        {
            "type": "task_card",
            "task_id": "1",
            "title": HTML,
            "status": "error",
            "sources": [{"url": "javascript:window.ran=1", "text": HTML}],
        },
        {
            "type": "plan",
            "title": HTML,
            "tasks": [{"task_id": "2", "title": HTML, "details": HTML}],
        },
        {"type": "alert", "text": mark, "level": HTML},
        {"type": "card", "title": mark, "subtitle": mark, "body": mark},
        {"type": "container", "title": mark, "child_blocks": [{"type": "header", "text": long}]},
        {"type": "carousel", "elements": [{"type": "card", "title": mark}]},
        {"type": "video", "title": plain, "alt_text": HTML, "title_url": "javascript:window.ran=1"},
        {"type": "file", "external_id": HTML},
    ]


async def test_html_in_every_field_runs_nothing_and_fetches_nothing(desk: Desk, app: App) -> None:
    """Names, topics, messages, files, blocks and modals full of HTML are shown as text; no script runs, no picture loads."""
    world = desk.slack.world
    world.add_person(Person("U0EVIL", "evil", HTML, world.team))
    everyone = {"U0ANA", "U0EVIL", world.bot.id}
    world.add_channel(Channel("C0EVIL", HTML, members=everyone, topic=HTML))
    blocks = hostile_blocks()
    for start in range(0, len(blocks), 5):
        await app.post("C0EVIL", text=HTML, blocks=blocks[start : start + 5])
    file = desk.slack.file(HTML, HTML, user="evil")
    said = await desk.slack.say("evil", "C0EVIL", HTML, files=[file])
    await desk.slack.say("ana", "C0EVIL", "`<b>` <@U0EVIL> @purser", thread_ts=said.ts)
    await app.call("chat.postEphemeral", channel="C0EVIL", user="U0ANA", text=HTML)
    await app.call(
        "assistant.threads.setStatus",
        channel_id="C0EVIL",
        thread_ts=said.ts,
        status=HTML,
        loading_messages=[HTML],
    )
    tab = await desk.open(where="C0EVIL", more=f"&thread={said.ts}")
    await expect(tab.locator(".channel article.message")).to_have_count(
        len(range(0, len(blocks), 5)) + 2
    )
    plain = {"type": "plain_text", "text": HTML[:24]}
    field = {
        "type": "input",
        "label": {"type": "plain_text", "text": HTML},
        "element": {"type": "plain_text_input", "action_id": "x", "initial_value": HTML},
    }
    desk.slack.views.show(
        "U0ANA", {"type": "modal", "title": plain, "submit": plain, "blocks": [field, *blocks]}
    )
    await expect(tab.get_by_role("dialog")).to_contain_text(HTML)

    inside = await tab.evaluate(
        """() => ({
          ran: window.ran ?? null,
          scripts: [...document.scripts].filter((one) => !one.src).length,
          pictures: document.images.length,
          links: [...document.querySelectorAll("a[href]")].filter((one) => /^(javascript|data):/i.test(one.getAttribute("href"))).length,
          handlers: [...document.querySelectorAll("*")].filter((one) => one.getAttributeNames().some((name) => name.startsWith("on"))).length,
        })"""
    )
    assert inside == {"ran": None, "scripts": 0, "pictures": 0, "links": 0, "handlers": 0}
    await expect(tab.locator(".channel h1")).to_contain_text(HTML)


async def test_markup_is_impossible_even_by_mistake(desk: Desk) -> None:
    """The page's policy makes the browser itself refuse to turn a text into markup or code."""
    desk.known += ["requires 'Trusted"]
    tab = await desk.open()
    refused = await tab.evaluate(
        """() => {
          const tries = {
            html: () => (document.body.innerHTML = "<b>x</b>"),
            written: () => document.write("x"),
            text: () => document.createElement("script").text = "1",
          };
          return Object.keys(tries).filter((name) => {
            try {
              tries[name]();
              return false;
            } catch {
              return true;
            }
          });
        }"""
    )

    assert refused == ["html", "written", "text"]


async def test_every_block_is_drawn(desk: Desk, app: App) -> None:
    """Sections with fields, charts with their numbers, tables, task cards and plans show what they carry."""
    days = ["Mon", "Tue"]
    data = [{"label": day, "value": value} for day, value in zip(days, (1.5, 3), strict=True)]
    charts = [
        {
            "type": "data_visualization",
            "title": f"As {kind}",
            "chart": {
                "type": kind,
                "series": [{"name": "cost", "data": data}],
                "axis_config": {"categories": days},
            },
        }
        for kind in ("bar", "line", "area")
    ]
    pie = {
        "type": "data_visualization",
        "title": "As pie",
        "chart": {
            "type": "pie",
            "segments": [{"label": "a", "value": 1}, {"label": "b", "value": 3}],
        },
    }
    await app.post(SHOP, text="x", blocks=[*charts[:2]])
    await app.post(SHOP, text="x", blocks=[charts[2], pie])
    rows = [
        [{"type": "raw_text", "text": "feature"}, {"type": "raw_text", "text": "cost"}],
        [{"type": "raw_text", "text": "chat"}, {"type": "raw_number", "value": 3, "text": "$3"}],
    ]
    fields = [{"type": "mrkdwn", "text": "*Spent*\n$3"}, {"type": "mrkdwn", "text": "*Left*\n$47"}]
    await app.post(
        SHOP,
        text="x",
        blocks=[
            {"type": "table", "rows": rows},
            {"type": "section", "fields": fields},
            {"type": "divider"},
        ],
    )
    root = await desk.slack.say("ana", "#shop-dev", "go")
    step: dict[str, Any] = {
        "type": "task_update",
        "id": "1",
        "title": "Read the ticket",
        "details": "SHOP-12",
    }
    chunks = [{"type": "plan_update", "title": "Summing up"}, {**step, "status": "in_progress"}]
    ts = await app.stream(SHOP, root.ts, chunks=chunks)
    tab = await desk.open(more=f"&thread={root.ts}")

    await expect(tab.locator(".chart")).to_have_count(4)
    await expect(tab.locator(".chart rect")).to_have_count(2)
    await expect(tab.locator(".chart polyline")).to_have_count(2)
    await expect(tab.locator(".chart polygon")).to_have_count(1)
    await expect(tab.locator(".chart path")).to_have_count(2)
    await tab.get_by_text("As a table").first.click()
    await expect(tab.locator(".chart").first.locator("td")).to_have_text(["Mon", "1.5", "Tue", "3"])
    await expect(tab.locator(".blocks > .grid td.right")).to_have_text("$3")
    await expect(tab.locator(".fields strong")).to_have_text(["Spent", "Left"])
    await expect(tab.locator(".plan")).to_contain_text("0 of 1")
    await app.call(
        "chat.appendStream", channel=SHOP, ts=ts, chunks=[{**step, "status": "complete"}]
    )
    await expect(tab.locator(".plan")).to_contain_text("1 of 1")
    await expect(tab.locator(".task-card").get_by_label("done")).to_be_visible()


async def test_other_scripts_are_written_their_own_way(desk: Desk) -> None:
    """Arabic and Hebrew run from right to left; letters with towers of marks do not reach into other messages."""
    tower = "Z" + "\u0335\u0321\u0310\u0352" * 40
    await desk.slack.say("ana", "#shop-dev", "\u0645\u0631\u062d\u0628\u0627 SHOP-12")
    await desk.slack.say("ben", "#shop-dev", tower)
    tab = await desk.open()
    arabic = (
        tab.locator("article.message", has_text="\u0645\u0631\u062d\u0628\u0627").locator("p").first
    )
    zalgo = tab.locator("article.message", has_text="Z\u0335").locator(".part.blocks")

    assert await arabic.evaluate("(p) => getComputedStyle(p).direction") == "rtl"
    assert await zalgo.evaluate("(part) => getComputedStyle(part).overflowY") == "clip"


async def test_a_block_nobody_knows_is_named(desk: Desk) -> None:
    """A block of a type from the future says that it is not shown, and the rest of the message is."""
    message = await desk.slack.say(
        "ana", "#shop-dev", "x", blocks=[{"type": "hologram"}, {"type": "divider"}]
    )
    tab = await desk.open()

    await expect(tab.locator(f'article[data-ts="{message.ts}"]')).to_contain_text(
        "A block of type hologram is not shown here."
    )
