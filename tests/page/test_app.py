"""The app in the page, in a real browser: its streams, status and stop, buttons, modals, home, and its absence."""

from typing import Any

import pytest
from playwright.async_api import expect

from bot.demo.slack.message import Message
from tests.page.app import App, app_on
from tests.page.cable import cable_to
from tests.page.conftest import ANYWHERE, SHORTCUT, Desk

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHOP = "C0SHOPDEV"
FEEDBACK: dict[str, Any] = {
    "type": "context_actions",
    "elements": [
        {
            "type": "feedback_buttons",
            "action_id": "feedback",
            "positive_button": {
                "text": {"type": "plain_text", "text": "Good answer"},
                "value": "a:good",
            },
            "negative_button": {
                "text": {"type": "plain_text", "text": "Bad answer"},
                "value": "a:bad",
            },
        }
    ],
}
MODAL: dict[str, Any] = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Raise the budget"},
    "submit": {"type": "plain_text", "text": "Ask"},
    "blocks": [
        {
            "type": "input",
            "block_id": "amount",
            "label": {"type": "plain_text", "text": "Dollars"},
            "element": {"type": "number_input", "action_id": "amount", "is_decimal_allowed": False},
        },
        {
            "type": "input",
            "block_id": "who",
            "optional": True,
            "label": {"type": "plain_text", "text": "Who decides"},
            "element": {"type": "users_select", "action_id": "who"},
        },
        {
            "type": "input",
            "block_id": "tell",
            "optional": True,
            "label": {"type": "plain_text", "text": "Tell"},
            "element": {
                "type": "checkboxes",
                "action_id": "tell",
                "options": [
                    {"text": {"type": "plain_text", "text": "the channel"}, "value": "channel"},
                    {"text": {"type": "plain_text", "text": "the admins"}, "value": "admins"},
                ],
            },
        },
    ],
}


def button(action_id: str, label: str, **more: Any) -> dict[str, Any]:
    """A button's element."""
    return {
        "type": "button",
        "action_id": action_id,
        "text": {"type": "plain_text", "text": label},
        **more,
    }


async def asked(desk: Desk, text: str = "@purser go") -> Message:
    """An ask of ana's."""
    return await desk.slack.say("ana", "#shop-dev", text)


async def test_an_ask_opens_its_thread_and_streams_there(desk: Desk, app: App) -> None:
    """A mention opens its thread; text appears as it is appended, redrawing nothing that stood, until it is whole."""
    tab = await desk.open()
    field = tab.locator(".channel .composer .writing")
    await field.fill("@purser what is it?")
    await field.press("Enter")
    thread = tab.locator(".thread")
    await expect(thread).to_contain_text("what is it?")
    heard = await desk.slack.wait_for(lambda: app.of("app_mention"))

    ts = await app.stream(SHOP, heard[0]["event"]["ts"], "# First\n\nIt is ")
    await expect(thread.locator(".prose.live")).to_contain_text("It is")
    heading = await thread.locator(".prose h3").element_handle()
    await app.call("chat.appendStream", channel=SHOP, ts=ts, markdown_text="**this**:\n\n- one")
    await expect(thread.locator(".prose strong")).to_have_text("this")
    await expect(thread.locator(".prose li")).to_have_text("one")
    assert heading is not None
    assert await heading.evaluate("(element) => element.isConnected")
    await app.call("chat.stopStream", channel=SHOP, ts=ts, blocks=[FEEDBACK])
    await expect(thread.locator(".prose.live")).to_have_count(0)
    await expect(thread.get_by_role("button", name="Good answer")).to_be_visible()
    await expect(tab.locator(".channel .thread-line")).to_contain_text("1 reply")


async def test_a_reload_in_mid_stream_goes_on(desk: Desk, app: App) -> None:
    """A window reloaded while text streams shows what was said so far and follows what comes."""
    root = await asked(desk)
    tab = await desk.open(more=f"&thread={root.ts}")
    ts = await app.stream(SHOP, root.ts, "before the reload")
    await expect(tab.locator(".thread .prose.live")).to_contain_text("before the reload")
    await tab.reload()
    await expect(tab.locator(".thread .prose.live")).to_contain_text("before the reload")
    await app.call("chat.appendStream", channel=SHOP, ts=ts, markdown_text=", and after it")
    await expect(tab.locator(".thread .prose.live")).to_have_text("before the reload, and after it")


async def test_a_lost_connection_comes_back_by_itself(desk: Desk, app: App) -> None:
    """A window without its connection says so; when that is back it goes on from its last number, missing nothing."""
    root = await asked(desk)
    frames: list[str] = []
    desk.known.append("WebSocket connection to")  # a browser says so of each attempt
    async with cable_to(desk.slack.url) as cable:
        tab = await desk.open(more=f"&thread={root.ts}", through=cable.url, frames=frames)
        ts = await app.stream(SHOP, root.ts, "one")
        await expect(tab.locator(".thread .prose")).to_have_text("one")
        cable.pull()
        await expect(tab.locator(".banner")).to_contain_text("The demo does not answer")
        await app.call("chat.appendStream", channel=SHOP, ts=ts, markdown_text=" two")
        await desk.slack.say("ben", "#shop-dev", "meanwhile")
        cable.is_in = True
        await expect(tab.locator(".thread .prose")).to_have_text("one two")
        await expect(tab.locator(".channel")).to_contain_text("meanwhile")
        await expect(tab.locator(".banner")).to_be_hidden()
        await tab.close()

    assert sum('"snapshot"' in frame for frame in frames) == 1
    assert sum('"resumed"' in frame for frame in frames) == 1


async def test_status_and_stop(desk: Desk, app: App) -> None:
    """What the app says it does stands in the thread and under its root; stop reaches the app and ends the stream."""
    root = await asked(desk)
    tab = await desk.open(more=f"&thread={root.ts}")
    await app.call(
        "assistant.threads.setStatus",
        channel_id=SHOP,
        thread_ts=root.ts,
        status="is reading SHOP-12…",
    )
    await expect(tab.locator(".thread .working")).to_contain_text("Purser is reading SHOP-12…")
    await expect(tab.locator(".channel .busy")).to_contain_text("Purser is reading SHOP-12…")
    ts = await app.stream(SHOP, root.ts, "well, ")
    await expect(tab.locator(".thread .working")).to_contain_text("Purser is answering…")
    await tab.get_by_role("button", name="Stop").click()

    stopped = (await desk.slack.wait_for(lambda: app.of("agent_session_stopped")))[0]["event"]
    assert (stopped["thread_ts"], stopped["streaming_message_ts"]) == (root.ts, [ts])
    await expect(tab.locator(".thread .working")).to_be_hidden()


async def test_words_for_one_person_alone(desk: Desk, app: App) -> None:
    """An ephemeral message is shown as such to its person, to nobody else, and can be dismissed."""
    ana, ben = await desk.open("ana"), await desk.open("ben")
    await app.call("chat.postEphemeral", channel=SHOP, user="U0ANA", text="your budget is *low*")
    shown = ana.locator("article.message", has_text="your budget is low")
    await expect(shown).to_contain_text("Only visible to you")
    await desk.slack.say("chi", "#shop-dev", "for all")
    await expect(ben.locator(".channel")).to_contain_text("for all")
    await expect(ben.locator(".channel")).not_to_contain_text("your budget")
    await shown.hover()
    await ana.get_by_role("button", name="More").click()
    await ana.get_by_role("button", name="Dismiss").click()
    await expect(shown).to_have_count(0)


async def test_a_command_is_answered_to_its_person(desk: Desk, app: App) -> None:
    """A slash command reaches the app with its words, and its answer is shown to who typed it."""
    app.answers["slash_commands"] = lambda payload: {"text": f"heard {payload['text']}"}
    tab = await desk.open()
    field = tab.locator(".channel .composer .writing")
    await field.fill("/cost this month")
    await field.press("Enter")
    await expect(tab.locator(".channel article.ephemeral")).to_contain_text("heard this month")
    heard = app.of("slash_commands")[0]
    assert (heard["command"], heard["user_id"], heard["channel_id"]) == ("/cost", "U0ANA", SHOP)


async def test_buttons_menus_and_feedback_reach_the_app(desk: Desk, app: App) -> None:
    """A button, its confirmation, a menu and a thumb each reach the app with their values; a thumb stays pressed."""
    confirm = {
        "title": {"type": "plain_text", "text": "Really?"},
        "text": {"type": "plain_text", "text": "It costs."},
        "confirm": {"type": "plain_text", "text": "Go on"},
        "deny": {"type": "plain_text", "text": "No"},
    }
    options = [
        {"text": {"type": "plain_text", "text": f"by {x}"}, "value": x} for x in ("model", "day")
    ]
    day = {"type": "datepicker", "action_id": "day"}
    menu = {"type": "static_select", "action_id": "by", "options": options}
    elements = [button("yes", "Yes", value="1"), button("sure", "Sure", confirm=confirm), menu, day]
    await app.post(SHOP, text="?", blocks=[{"type": "actions", "elements": elements}, FEEDBACK])
    tab = await desk.open()
    await tab.get_by_role("button", name="Yes").click()
    await tab.get_by_role("button", name="Sure").click()
    await tab.get_by_role("button", name="No", exact=True).click()
    await tab.get_by_role("button", name="Sure").click()
    await tab.get_by_role("button", name="Go on").click()
    await tab.locator(".actions select").select_option("day")
    await tab.locator(".actions input").fill("2026-11-25")
    await tab.locator(".actions input").blur()
    await tab.get_by_role("button", name="Good answer").click()
    await expect(tab.get_by_role("button", name="Good answer")).to_have_attribute(
        "aria-pressed", "true"
    )

    clicks = [payload["actions"][0] for payload in app.of("block_actions")]
    assert [click["action_id"] for click in clicks] == ["yes", "sure", "by", "day", "feedback"]
    assert clicks[2]["selected_option"] == options[1]
    assert clicks[3]["selected_date"] == "2026-11-25"
    assert clicks[4]["value"] == "a:good"


async def test_a_modal_is_filled_in_refused_and_sent(desk: Desk, app: App) -> None:
    """What is missing or wrong is said beside its field and keeps what was typed; then it is sent and gone."""
    app.answers["view_submission"] = lambda payload: (
        {"response_action": "errors", "errors": {"amount": "At most 500."}}
        if payload["view"]["state"]["values"]["amount"]["amount"]["value"] == "900"
        else {}
    )
    await app.post(
        SHOP, text="?", blocks=[{"type": "actions", "elements": [button("raise", "Raise")]}]
    )
    tab = await desk.open()
    await tab.get_by_role("button", name="Raise").click()
    heard = await desk.slack.wait_for(lambda: app.of("block_actions"))
    await app.call("views.open", trigger_id=heard[0]["trigger_id"], view=MODAL)
    modal = tab.get_by_role("dialog", name="Raise the budget")
    await expect(modal.get_by_label("Dollars")).to_be_focused()
    await modal.get_by_role("button", name="Ask").click()
    await expect(modal.get_by_role("alert").first).to_have_text("Please fill this in.")
    await modal.get_by_label("Dollars").fill("900")
    await modal.get_by_label("Who decides").select_option("U0MAYA")
    await modal.get_by_label("the admins").check()
    await modal.get_by_role("button", name="Ask").click()
    await expect(modal.get_by_role("alert").first).to_have_text("At most 500.")
    await expect(modal.get_by_label("Dollars")).to_have_value("900")
    await modal.get_by_label("Dollars").fill("400")
    await modal.get_by_label("Dollars").press("Enter")
    await expect(modal).to_have_count(0)

    values = app.of("view_submission")[-1]["view"]["state"]["values"]
    assert values["amount"]["amount"]["value"] == "400"
    assert values["who"]["who"]["selected_user"] == "U0MAYA"
    assert [one["value"] for one in values["tell"]["tell"]["selected_options"]] == ["admins"]


async def test_a_modal_is_left_by_escape(desk: Desk, app: App) -> None:
    """Esc closes a modal, and the app hears of it where it asked to."""
    desk.slack.views.show("U0ANA", {**MODAL, "notify_on_close": True})
    tab = await desk.open()
    modal = tab.get_by_role("dialog", name="Raise the budget")
    await expect(modal).to_be_visible()
    await tab.keyboard.press("Escape")
    await expect(modal).to_have_count(0)
    await desk.slack.wait_for(lambda: app.of("view_closed"))


async def test_the_home_tab(desk: Desk, app: App) -> None:
    """Opening the home tells the app; what it publishes is shown, and its buttons reach it."""
    tab = await desk.open()
    await tab.get_by_role("link", name="Purser").click()
    await tab.get_by_role("tab", name="Home").click()
    await expect(tab.locator(".home")).to_contain_text("nothing on your home yet")
    await desk.slack.wait_for(lambda: app.of("app_home_opened"))
    words = {"type": "header", "text": {"type": "plain_text", "text": "Good morning"}}
    blocks = [words, {"type": "actions", "elements": [button("hi", "Hello")]}]
    await app.call("views.publish", user_id="U0ANA", view={"type": "home", "blocks": blocks})
    await expect(tab.locator(".home")).to_contain_text("Good morning")
    await tab.get_by_role("button", name="Hello").click()
    await desk.slack.wait_for(lambda: app.of("block_actions"))
    await tab.get_by_role("tab", name="Messages").click()
    await expect(tab.locator(".home")).to_be_hidden()


async def test_a_shortcut_of_a_message(desk: Desk, app: App) -> None:
    """The app's shortcuts stand in a message's menu and reach it with that message."""
    tab = await desk.open()
    await tab.locator("article.message", has_text="Basket totals").hover()
    await tab.get_by_role("button", name="More").click()
    await tab.get_by_role("button", name=SHORTCUT.name).click()
    heard = (await desk.slack.wait_for(lambda: app.of("message_action")))[0]
    assert heard["callback_id"] == SHORTCUT.callback_id
    assert "Basket totals" in heard["message"]["text"]


async def test_a_shortcut_from_anywhere(desk: Desk, app: App) -> None:
    """The app's global shortcuts stand among the commands; one that is chosen is told, not written."""
    tab = await desk.open()
    field = tab.locator(".channel .composer .writing")
    await field.press_sequentially("/rai")
    await field.press("Enter")
    heard = (await desk.slack.wait_for(lambda: app.of("shortcut")))[0]
    assert heard["callback_id"] == ANYWHERE.callback_id
    await expect(field).to_have_value("")


async def test_without_the_app_one_writes_on(desk: Desk) -> None:
    """While the app is not running a banner says so; words are taken, a command fails in a sentence; then all is well."""
    tab = await desk.open()
    banner = tab.locator(".banner")
    field = tab.locator(".channel .composer .writing")
    await expect(banner).to_contain_text("Purser is not running")
    await field.fill("still here")
    await field.press("Enter")
    await expect(tab.locator(".channel")).to_contain_text("still here")
    await field.fill("/cost")
    await field.press("Enter")
    await expect(tab.locator(".channel .notice")).to_contain_text("Is it running?")
    await expect(field).to_have_value("/cost")
    async with app_on(desk.slack):
        await expect(banner).to_be_hidden()
    await expect(banner).to_contain_text("Purser is not running")
