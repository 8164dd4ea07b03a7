"""What people do at the Slack stand-in, and how the app hears of it: edits, deletes, guests, files, modals, home."""

from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.slack import SlackStandIn
from tests.demo.slack_worlds import Clock, app_on, client_of, connected, data_of, error_of

MODAL: dict[str, Any] = {
    "type": "modal",
    "callback_id": "budget",
    "title": {"type": "plain_text", "text": "Budget"},
    "submit": {"type": "plain_text", "text": "Save"},
    "blocks": [
        {
            "type": "input",
            "block_id": "b",
            "label": {"type": "plain_text", "text": "Dollars"},
            "element": {"type": "plain_text_input", "action_id": "usd"},
        }
    ],
}


def told(slack: SlackStandIn) -> list[dict[str, Any]]:
    """The events sent so far, oldest first."""
    return [dict(line.arguments) for line in slack.log if line.method == "events_api"]


async def test_an_edit_is_a_new_mention_of_the_same_ts() -> None:
    """Editing gives message_changed and a fresh app_mention with `edited`; deleting gives message_deleted."""
    subscribed = ["app_mention", "message.channels"]
    async with SlackStandIn(events=subscribed, retry_delays=()) as slack:
        message = await slack.say("ana", "#payments", "@purser one")
        await slack.edit(message, "@purser two")
        await slack.delete(message)
        await slack.settled()
        events = [body["event"] for body in told(slack)]
        ids = {body["event_id"] for body in told(slack)}

    kinds = [(event["type"], event.get("subtype", "")) for event in events]
    assert kinds == [
        ("app_mention", ""),
        ("message", ""),
        ("app_mention", ""),
        ("message", "message_changed"),
        ("message", "message_deleted"),
    ]
    assert len(ids) == 5
    assert events[0]["ts"] == events[2]["ts"] == events[3]["message"]["ts"]
    assert "edited" not in events[0]
    assert events[2]["edited"]["user"] == "U0ANA"
    assert events[3]["previous_message"]["text"].endswith("one")
    assert events[4]["deleted_ts"] == message.ts


async def test_a_deleted_root_with_replies_leaves_a_tombstone() -> None:
    """The app is told of a change into a tombstone; the thread stands; an answer to what is gone lands outside."""
    async with SlackStandIn(events=["message.channels"], retry_delays=()) as slack:
        client = client_of(slack)
        root = await slack.say("ana", "#payments", "one")
        alone = await slack.say("ana", "#payments", "two")
        await client.chat_postMessage(channel="C0PAYMENTS", thread_ts=root.ts, text="answer")
        await slack.delete(root)
        await slack.delete(alone)
        await slack.settled()
        events = [body["event"] for body in told(slack)][-2:]
        replies = await data_of(client.conversations_replies(channel="C0PAYMENTS", ts=root.ts))
        posted = await data_of(
            client.chat_postMessage(channel="C0PAYMENTS", thread_ts=alone.ts, text="late")
        )

    assert [event["subtype"] for event in events] == ["message_changed", "message_deleted"]
    assert events[0]["message"]["subtype"] == "tombstone"
    assert events[0]["previous_message"]["text"] == "one"
    assert [m["text"] for m in replies["messages"]] == ["This message was deleted.", "answer"]
    assert "thread_ts" not in posted["message"]


async def test_a_preview_changes_a_message_without_editing_it() -> None:
    """An unfurled link is message_changed with the same text and no `edited`, and no new mention."""
    events = ["app_mention", "message.channels"]
    async with SlackStandIn(events=events, retry_delays=()) as slack:
        message = await slack.say("ana", "#payments", "@purser https://example.com")
        await slack.unfurl(message)
        await slack.settled()
        last = told(slack)[-1]["event"]

    assert len(told(slack)) == 3
    assert last["subtype"] == "message_changed"
    assert last["message"]["text"] == last["previous_message"]["text"]
    assert "edited" not in last["message"]


async def test_own_messages_come_back_in_direct_messages() -> None:
    """What the app says in a direct message is a message.im event with its own bot_id."""
    async with SlackStandIn(retry_delays=()) as slack:
        asked = await slack.dm("ana", "hello")
        await client_of(slack).chat_postMessage(channel=asked.channel, text="hello back")
        await slack.settled()
        own = told(slack)[-1]["event"]

    assert (own["type"], own["bot_id"], own["user"]) == ("message", slack.bot_id, slack.bot_user)


async def test_an_uninstalled_app_is_told_and_locked_out() -> None:
    """Removing the app sends tokens_revoked and app_uninstalled; calls fail from then on."""
    async with SlackStandIn(retry_delays=()) as slack:
        await slack.uninstall()
        await slack.settled()
        kinds = {body["event"]["type"] for body in told(slack)}

        assert kinds == {"tokens_revoked", "app_uninstalled"}
        assert await error_of(client_of(slack).auth_test()) == "token_revoked"


async def test_a_handle_may_be_written_as_a_name() -> None:
    """`@Purser`, as pages write it, is the app as much as `@purser` is; who is called neither is nobody."""
    async with SlackStandIn() as slack:
        said = [
            await slack.say("ana", "#payments", f"{who} hello") for who in ("@Purser", "@Pursers")
        ]

    assert [message.text for message in said] == ["<@U0PURSER> hello", "@Pursers hello"]


async def test_the_app_hears_only_where_it_is() -> None:
    """No event from channels without the app; a direct message is message.im, never app_mention."""
    async with SlackStandIn(retry_delays=()) as slack:
        await slack.say("ana", "#random", "@purser can you hear me?")
        await slack.dm("ana", "@purser hello")
        await slack.invite("#random", by="maya")
        reply = await slack.say("ana", "#random", "and @purser now?")
        await slack.say("ben", "#random", "@purser in here", thread_ts=reply.ts)
        await slack.settled()
        events = [body["event"] for body in told(slack)]

    assert [e["type"] for e in events] == [
        "message",
        "member_joined_channel",
        "app_mention",
        "app_mention",
    ]
    assert (events[0]["channel_type"], events[1]["inviter"]) == ("im", "U0MAYA")
    assert (events[3]["thread_ts"], events[3]["parent_user_id"]) == (reply.ts, "U0ANA")


async def test_people_of_other_organisations_and_bots() -> None:
    """A shared channel is flagged, its strangers bring their own team, and bots come as bot_message."""
    async with SlackStandIn(retry_delays=()) as slack:
        await slack.say("petra", "#ext-partner", "@purser hello")
        await slack.say("deploybot", "#shop-dev", "@purser deployed")
        await slack.settled()
        outside, bot = told(slack)

    assert outside["is_ext_shared_channel"]
    assert outside["event"]["user_team"] == "T0PARTNER"
    assert outside["team_id"] == slack.team
    assert not bot["is_ext_shared_channel"]
    assert (bot["event"]["bot_id"], bot["event"]["subtype"]) == ("B0DEPLOY", "bot_message")


async def test_references_and_code_as_slack_writes_them() -> None:
    """@names, #channels, links, `code` and fences become Slack's forms; blocks hold the code unescaped."""
    async with SlackStandIn() as slack:
        message = await slack.say(
            "ana",
            "#payments",
            "@ben see #shop-dev https://a.b/?x=1&y `i<0`\n```python\nif a<b:\n```",
        )

    assert message.text == (
        "<@U0BEN> see <#C0SHOPDEV|shop-dev> <https://a.b/?x=1&amp;y> `i&lt;0`\n```if a&lt;b:```"
    )
    section, fence = message.blocks[0]["elements"]
    kinds = [element["type"] for element in section["elements"]]
    assert kinds == ["user", "text", "channel", "text", "link", "text", "text", "text"]
    assert fence["elements"] == [{"type": "text", "text": "if a<b:"}]


async def test_files_are_announced_fetched_and_uploaded() -> None:
    """A shared file comes with its URL, a Slack Connect one as a stub; without the token a login page answers."""
    async with SlackStandIn(retry_delays=()) as slack, aiohttp.ClientSession() as session:
        client = client_of(slack)
        full = slack.file("a.py", "print(1)")
        stub = slack.file("b.py", "print(2)", stub=True)
        await slack.say("ana", "#payments", "@purser look", files=[full, stub])
        await slack.settled()
        announced = told(slack)[0]["event"]["files"]
        info = (await data_of(client.files_info(file=stub.id)))["file"]
        bearer = {"Authorization": f"Bearer {slack.bot_token}"}
        async with session.get(announced[0]["url_private_download"], headers=bearer) as answer:
            fetched = await answer.text()
        async with session.get(info["url_private_download"]) as answer:
            stranger = (answer.status, answer.content_type, (await answer.text())[:9])
        root = await slack.say("ana", "#payments", "and back?")
        await client.files_upload_v2(
            content="id,cost\n1,2\n",
            filename="cost.csv",
            title="Costs",
            channel="C0PAYMENTS",
            thread_ts=root.ts,
            initial_comment="here",
        )
        shared = slack.by_app("#payments", root.ts)[0]
        missing = await error_of(client.files_info(file="F0NONE"))

    assert announced[0]["size"] == 8
    assert announced[1]["file_access"] == "check_file_info"
    assert "url_private" not in announced[1]
    assert fetched == "print(1)"
    assert stranger == (200, "text/html", "<!DOCTYPE")
    assert (shared.text, shared.files[0].data) == ("here", b"id,cost\n1,2\n")
    assert (shared.files[0].title, shared.files[0].mimetype) == ("Costs", "text/csv")
    assert missing == "file_not_found"


async def test_a_modal_from_click_to_submit() -> None:
    """A trigger opens one modal; submitted values come as state; errors keep it open, an empty ack closes it."""
    async with SlackStandIn() as slack:
        app = app_on(slack)
        opened: list[str] = []

        async def on_command(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
            await ack()
            await client.views_open(trigger_id=body["trigger_id"], view=MODAL)
            again = client.views_open(trigger_id=body["trigger_id"], view=MODAL)
            opened.append(await error_of(again))

        async def on_submit(ack: AsyncAck, view: dict[str, Any]) -> None:
            value = view["state"]["values"]["b"]["usd"]["value"]
            if value.isdigit():
                await ack()
            else:
                await ack(response_action="errors", errors={"b": "a number, please"})

        app.command("/purser")(on_command)
        app.view("budget")(on_submit)
        async with connected(slack, app):
            await slack.command("ruth", "#payments", "/purser", "budget")
            await slack.wait_for(lambda: opened)
            (modal,) = slack.views.open.values()
            wrong = await slack.view_submit("ruth", modal, {"usd": "lots"})
            still = modal.open
            await slack.view_submit("ruth", modal, {"usd": "50"})

    assert opened == ["exchanged_trigger_id"]
    assert wrong.payload["errors"] == {"b": "a number, please"}
    assert (still, modal.open) == (True, False)


async def test_triggers_expire_and_views_are_checked() -> None:
    """After three seconds a trigger is worthless; a view with a title too long or without a type is refused."""
    clock = Clock()
    async with SlackStandIn(now=clock) as slack:
        client = client_of(slack)
        fresh, old = slack.views.trigger("U0ANA"), slack.views.trigger("U0ANA")
        long = MODAL | {"title": {"type": "plain_text", "text": "x" * 25}}
        wrong = await error_of(client.views_open(trigger_id=fresh, view=long))
        right = await error_of(client.views_open(trigger_id=fresh, view=MODAL))
        clock.at += 3.1
        late = await error_of(client.views_open(trigger_id=old, view=MODAL))
        unknown = await error_of(client.views_open(trigger_id="1.2", view=MODAL))

    assert (wrong, right) == ("invalid_arguments", "")
    assert (late, unknown) == ("expired_trigger_id", "invalid_trigger_id")


async def test_the_home_tab_is_published_per_person() -> None:
    """Opening the home tells the app; what it publishes is that person's home; an old hash conflicts."""
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    async with SlackStandIn(retry_delays=()) as slack:
        client = client_of(slack)
        assert await slack.open_home("ana") is None
        await client.views_publish(user_id="U0ANA", view=home)
        conflict = await error_of(client.views_publish(user_id="U0ANA", view=home, hash="old"))
        shown = await slack.open_home("ana")
        await slack.settled()
        events = [body["event"] for body in told(slack)]

    assert conflict == "hash_conflict"
    assert shown is not None
    assert shown.view == home
    assert [("view" in event, event["tab"]) for event in events] == [
        (False, "home"),
        (True, "home"),
    ]


async def test_a_message_shortcut_carries_the_message() -> None:
    """A shortcut on a message brings the message and a response_url."""
    async with SlackStandIn() as slack:
        app = app_on(slack)
        heard: list[dict[str, Any]] = []

        async def on_shortcut(ack: AsyncAck, body: dict[str, Any]) -> None:
            heard.append(body)
            await ack()

        app.shortcut("review")(on_shortcut)
        async with connected(slack, app):
            message = await slack.say("ana", "#payments", "look at this")
            ack = await slack.shortcut("ben", "review", message)

    assert ack.acked
    assert heard[0]["message"]["text"] == "look at this"
    assert heard[0]["response_url"].startswith(slack.url)
    assert heard[0]["user"]["id"] == "U0BEN"


async def test_nobody_of_that_name() -> None:
    """A wrong name is told with the names there are."""
    async with SlackStandIn() as slack:
        with pytest.raises(KeyError, match="ana, ben"):
            await slack.say("anna", "#payments", "x")
        with pytest.raises(KeyError, match="payments"):
            await slack.say("ana", "#paiments", "x")
