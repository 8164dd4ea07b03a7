"""The Slack stand-in's Web API as the real client calls it: every parameter style, every error Slack has."""

import asyncio
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from bot.demo.slack import SlackStandIn
from bot.demo.slack.text import pings
from tests.demo.slack_worlds import Clock, client_of, data_of, error_of

SECTION: dict[str, Any] = {"type": "section", "text": {"type": "mrkdwn", "text": "x"}}


async def test_who_am_i_and_what_may_i() -> None:
    """auth.test tells team, bot and user; every answer names the granted scopes; wrong tokens are refused."""
    async with SlackStandIn(scopes=["chat:write"]) as slack:
        client = client_of(slack)
        answer = await client.auth_test()
        unknown = await error_of(client_of(slack, "xoxb-other").auth_test())
        scope = await error_of(client.users_info(user="U0ANA"))
        method = await error_of(client.api_call("nothing.here"))
        slack.api.revoked = True
        revoked = await error_of(client.auth_test())

    assert (answer["team_id"], answer["user_id"], answer["bot_id"]) == (
        slack.team,
        slack.bot_user,
        slack.bot_id,
    )
    assert answer.headers["X-OAuth-Scopes"] == "chat:write"
    assert [unknown, scope, method, revoked] == [
        "invalid_auth",
        "missing_scope",
        "unknown_method",
        "token_revoked",
    ]


async def test_people_of_every_kind() -> None:
    """users.info tells guests, strangers, bots, admins and the deactivated apart."""
    async with SlackStandIn() as slack:
        client = client_of(slack)
        told = {
            name: (await data_of(client.users_info(user=slack.world.person(name).id)))["user"]
            for name in ("ana", "ruth", "gil", "sol", "petra", "otto", "deploybot")
        }
        bot = await data_of(client.bots_info(bot="B0DEPLOY"))
        missing = await error_of(client.users_info(user="U0NOBODY"))
        listed = await data_of(client.users_list(limit=3))

    assert told["ruth"]["is_admin"]
    assert told["gil"]["is_restricted"]
    assert told["sol"]["is_ultra_restricted"]
    assert told["petra"]["is_stranger"]
    assert told["petra"]["team_id"] != slack.team
    assert told["otto"]["deleted"]
    assert told["deploybot"]["is_bot"]
    assert not any(told["ana"][flag] for flag in ("is_admin", "is_restricted", "is_bot", "deleted"))
    assert bot["bot"]["user_id"] == "U0DEPLOY"
    assert missing == "user_not_found"
    assert len(listed["members"]) == 3
    assert listed["response_metadata"]["next_cursor"]


@pytest.mark.parametrize(
    ("channel", "arguments", "error"),
    [
        ("#random", {"text": "x"}, "not_in_channel"),
        ("#board", {"text": "x"}, "channel_not_found"),
        ("#old-shop", {"text": "x"}, "is_archived"),
        ("C0NOWHERE", {"text": "x"}, "channel_not_found"),
        ("#payments", {"text": ""}, "no_text"),
        ("#payments", {"text": "x", "markdown_text": "y"}, "markdown_text_conflict"),
        ("#payments", {"markdown_text": "y" * 12_001}, "msg_too_long"),
        ("#payments", {"text": "x", "blocks": [{"type": "what"}]}, "invalid_blocks"),
        ("#payments", {"text": "x", "blocks": [SECTION] * 51}, "invalid_blocks"),
        ("#payments", {"text": "x", "blocks": "{not json"}, "invalid_blocks_format"),
        ("#payments", {"text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
    ],
)
async def test_posts_that_slack_refuses(
    channel: str, arguments: dict[str, Any], error: str
) -> None:
    """A post is refused with Slack's own error, and nothing is posted."""
    async with SlackStandIn() as slack:
        where = slack.world.names.get(channel.lstrip("#"), channel)
        call = client_of(slack).api_call("chat.postMessage", json={"channel": where, **arguments})

        assert await error_of(call) == error
        assert all(not slack.by_app(name) for name in ("#random", "#payments", "#old-shop"))


async def test_messages_too_long_in_their_other_ways() -> None:
    """Text over 40,000 is cut off; an edit over 4,000 and blocks over 13,200 characters are refused."""
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3000}}
    async with SlackStandIn() as slack:
        client = client_of(slack)
        posted = await data_of(client.chat_postMessage(channel="C0PAYMENTS", text="x" * 40_001))
        where: dict[str, Any] = {"channel": "C0PAYMENTS", "ts": posted["ts"]}
        edit = await error_of(client.chat_update(**where, text="y" * 4_001))
        blocks = await error_of(client.chat_update(**where, text="y", blocks=[section] * 5))

    assert len(posted["message"]["text"]) == 40_000
    assert (edit, blocks) == ("msg_too_long", "msg_blocks_too_long")


async def test_edits_and_deletes_are_for_own_messages() -> None:
    """The app edits and deletes what it said, and nothing else."""
    async with SlackStandIn() as slack:
        client = client_of(slack)
        theirs = await slack.say("ana", "#payments", "mine")
        ours = (await data_of(client.chat_postMessage(channel="C0PAYMENTS", text="ours")))["ts"]
        where: dict[str, Any] = {"channel": "C0PAYMENTS"}
        errors = [
            await error_of(client.chat_update(**where, ts=theirs.ts, text="x")),
            await error_of(client.chat_update(**where, ts="1.000001", text="x")),
            await error_of(client.chat_delete(**where, ts=theirs.ts)),
        ]
        await client.chat_update(**where, ts=ours, markdown_text="**better**")
        edited = slack.by_app("#payments")[0]
        link = await data_of(client.chat_getPermalink(**where, message_ts=ours))
        await client.chat_delete(**where, ts=ours)

    assert errors == ["cant_update_message", "message_not_found", "cant_delete_message"]
    assert (edited.markdown, edited.edited is not None) == ("**better**", True)
    assert link["permalink"].endswith(ours.replace(".", ""))
    assert slack.by_app("#payments") == []


async def test_threads_and_history_come_in_pages() -> None:
    """Replies are oldest first with the root always there, history newest first without replies; cursors go on."""
    async with SlackStandIn(limits=False) as slack:
        client = client_of(slack)
        root = await slack.say("maya", "#leads", "root")
        said = [await slack.say("ruth", "#leads", f"{n}", thread_ts=root.ts) for n in range(5)]
        await slack.say("maya", "#leads", "next")
        where: dict[str, Any] = {"channel": "C0LEADS"}
        first = await data_of(client.conversations_replies(**where, ts=root.ts, limit=2))
        cursor = first["response_metadata"]["next_cursor"]
        second = await data_of(
            client.conversations_replies(**where, ts=root.ts, limit=2, cursor=cursor)
        )
        newer = await data_of(
            client.conversations_replies(**where, ts=root.ts, oldest=said[3].ts, inclusive=False)
        )
        history = await data_of(client.conversations_history(**where, limit=1))
        rest = await data_of(
            client.conversations_history(
                **where, cursor=history["response_metadata"]["next_cursor"]
            )
        )
        lost = await error_of(client.conversations_replies(**where, ts="1.000001"))

    assert [m["text"] for m in first["messages"]] == ["root", "0", "1"]
    assert [m["text"] for m in second["messages"]] == ["root", "2", "3"]
    assert [m["text"] for m in newer["messages"]] == ["root", "4"]
    assert first["messages"][0]["reply_count"] == 5
    assert first["messages"][1]["parent_user_id"] == "U0MAYA"
    assert [m["text"] for m in history["messages"]] == ["next"]
    assert [m["text"] for m in rest["messages"]] == ["root"]
    assert not rest["has_more"]
    assert lost == "thread_not_found"


async def test_channels_and_direct_messages() -> None:
    """conversations.* tell kinds, members and sharing; a direct message is opened by user id."""
    async with SlackStandIn() as slack:
        client = client_of(slack)
        shared = (await data_of(client.conversations_info(channel="C0PARTNER")))["channel"]
        hidden = await error_of(client.conversations_info(channel="C0SECRET"))
        members = await data_of(client.conversations_members(channel="C0PARTNER"))
        opened = (await data_of(client.conversations_open(users="U0ANA")))["channel"]["id"]
        gone = await error_of(client.conversations_open(users="U0GONE"))
        await client.chat_postMessage(channel=opened, text="hello")
        await client.chat_postEphemeral(channel="C0PAYMENTS", user="U0ANA", text="psst")
        away = await error_of(
            client.chat_postEphemeral(channel="C0PAYMENTS", user="U0OUT", text="psst")
        )
        await client.reactions_add(
            channel=opened, name="eyes", timestamp=slack.by_app("@ana")[0].ts
        )

    assert shared["is_ext_shared"]
    assert shared["is_member"]
    assert hidden == "channel_not_found"
    assert "U0OUT" in members["members"]
    assert gone == "user_disabled"
    assert [m.text for m in slack.by_app("@ana")] == ["hello"]
    assert [m.text for m in slack.ephemerals("#payments", "ana")] == ["psst"]
    assert away == "user_not_in_channel"
    assert slack.by_app("@ana")[0].reactions == {"eyes": [slack.bot_user]}


async def test_rate_limits_by_method_and_channel() -> None:
    """The 21st users.list of a minute and a burst of posts to one channel get 429 with Retry-After."""
    clock = Clock()
    async with SlackStandIn(now=clock) as slack:
        client = client_of(slack)
        for _ in range(20):
            await client.users_list(limit=1)
        with pytest.raises(SlackApiError) as limited:
            await client.users_list(limit=1)
        clock.at += 3.0
        await client.users_list(limit=1)
        posts = [
            await error_of(client.chat_postMessage(channel="C0PAYMENTS", text=f"{n}"))
            for n in range(6)
        ]
        elsewhere = await error_of(client.chat_postMessage(channel="C0SHOPDEV", text="x"))

    assert limited.value.response["error"] == "ratelimited"
    assert limited.value.response.status_code == 429
    assert limited.value.response.headers["Retry-After"] == "3"
    assert posts == ["", "", "", "", "", "ratelimited"]
    assert elsewhere == ""


async def test_troubles_of_single_calls() -> None:
    """429, 5xx, a named error, a cut connection before or after the effect: each as often as ordered."""
    async with SlackStandIn(limits=False) as slack:
        client, troubles = client_of(slack), slack.troubles

        async def post(text: str) -> Any:
            return await client.chat_postMessage(channel="C0PAYMENTS", text=text)

        troubles.limited["chat.postMessage"] = 1
        assert await error_of(post("limited")) == "ratelimited"
        troubles.broken["chat.postMessage"] = 1
        assert await error_of(post("broken")) == "internal_error"
        troubles.errors["chat.postMessage"] = ["fatal_error"]
        assert await error_of(post("error")) == "fatal_error"
        troubles.down["auth.test"] = "internal_error"
        assert await error_of(client.auth_test()) == "internal_error"
        troubles.refused["*"] = 1
        with pytest.raises(aiohttp.ClientError):
            await post("refused")
        troubles.lost["chat.postMessage"] = 1
        with pytest.raises(aiohttp.ClientError):
            await post("lost")
        await post("fine")

    assert [m.text for m in slack.by_app("#payments")] == ["lost", "fine"]
    assert slack.calls("chat.postMessage") == 6


async def test_what_would_ping_or_unfurl_can_be_seen() -> None:
    """A message keeps whether Slack's crawler was kept away, and what in it would notify somebody."""
    async with SlackStandIn() as slack:
        client = client_of(slack)
        await client.chat_postMessage(
            channel="C0PAYMENTS",
            text="hi <!channel> <@U0ANA>",
            unfurl_links=False,
            unfurl_media=False,
        )
        await client.chat_postMessage(
            channel="C0PAYMENTS", text="https://example.com &lt;!here&gt;"
        )
        quiet, loud = slack.by_app("#payments")

    assert (quiet.unfurls, loud.unfurls) == (False, True)
    assert (pings(quiet.text), pings(loud.text)) == (["<!channel>", "<@U0ANA>"], [])


async def test_every_change_can_be_listened_to() -> None:
    """A listener reads posts, edits, reactions and wire messages as they happen, and ends when closed."""
    async with SlackStandIn() as slack:
        client = client_of(slack)
        kinds: list[str] = []
        with slack.listen() as changes:
            posted = await data_of(client.chat_postMessage(channel="C0PAYMENTS", text="x"))
            await client.chat_update(channel="C0PAYMENTS", ts=posted["ts"], text="y")
            await slack.react("ana", slack.by_app("#payments")[0], "tada")
            async with asyncio.timeout(2):
                async for change in changes:
                    kinds.append(change.kind)
                    if change.kind == "reaction":
                        break

    assert [kind for kind in kinds if kind != "wire"] == ["message", "edited", "reaction"]
    assert kinds.count("wire") >= 2
