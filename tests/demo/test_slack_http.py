"""The Slack stand-in over HTTP: signed requests to a real AsyncApp, retries with headers, response_url."""

from typing import Any

import aiohttp
from aiohttp import web
from slack_bolt.async_app import AsyncAck, AsyncRespond, AsyncSay
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.demo.slack import SlackStandIn
from tests.demo.slack_worlds import Clock, app_on, served


async def test_events_commands_and_clicks_reach_a_real_app_signed() -> None:
    """The app verifies each signature itself; events are JSON, commands a form, clicks `payload=`."""
    async with SlackStandIn() as slack:
        app = app_on(slack)

        async def on_mention(say: AsyncSay, event: dict[str, Any]) -> None:
            button = {
                "type": "button",
                "action_id": "again",
                "text": {"type": "plain_text", "text": "Again"},
                "value": "42",
            }
            blocks = [{"type": "actions", "elements": [button]}]
            await say(text="pressed?", blocks=blocks, thread_ts=event["ts"])

        async def on_again(
            ack: AsyncAck, respond: AsyncRespond, action: dict[str, Any], body: dict[str, Any]
        ) -> None:
            await ack()
            await respond(text=f"{body['user']['id']} pressed {action['value']}")

        async def on_cost(ack: AsyncAck) -> None:
            await ack("three dollars")

        app.event("app_mention")(on_mention)
        app.action("again")(on_again)
        app.command("/cost")(on_cost)
        async with served(slack, app):
            challenged = await slack.door.verify("say-this")
            await slack.say("chi", "#payments", "@purser a button please")
            posted = (await slack.wait_for(lambda: slack.by_app("#payments")))[0]
            clicked = await slack.click("chi", posted, "again")
            cost = await slack.command("chi", "#payments", "/cost")
            texts = [m.text for m in slack.messages("#payments", posted.thread_ts)]
            seen = await slack.wait_for(lambda: slack.ephemerals("#payments", "chi"))

    assert challenged == "say-this"
    assert clicked.acked
    assert cost.text == "three dollars"
    assert {m.text for m in seen} >= {"U0CHI pressed 42"}
    assert texts[-1] == "pressed?"


async def test_a_wrong_or_old_signature_is_refused_by_the_app() -> None:
    """`sign` makes what a test needs to try the app's own verification."""
    async with SlackStandIn() as slack, aiohttp.ClientSession() as session:
        app = app_on(slack)
        body = '{"type":"url_verification","challenge":"c"}'
        async with served(slack, app):
            headers = {"Content-Type": "application/json"}
            right = headers | slack.door.sign(body)
            old = headers | slack.door.sign(body, at=int(slack.now()) - 301)
            statuses: list[int] = []
            for signed in (right, old, headers | slack.door.sign(body + " ")):
                async with session.post(slack.events_url, data=body, headers=signed) as answer:
                    statuses.append(answer.status)

    assert statuses == [200, 401, 401]


async def test_retries_carry_their_number_and_stop_when_told() -> None:
    """500 is delivered again with X-Slack-Retry-Num 1 to 3; X-Slack-No-Retry ends it."""
    seen: list[tuple[str, str]] = []

    async def take(request: web.Request) -> web.Response:
        headers = request.headers
        seen.append((headers.get("X-Slack-Retry-Num", ""), headers.get("X-Slack-Retry-Reason", "")))
        enough = {"X-Slack-No-Retry": "1"} if len(seen) == 6 else {}
        return web.Response(status=500, headers=enough)

    async with SlackStandIn(
        retry_delays=(0.0, 0.01, 0.01), routes=[web.post("/mine", take)]
    ) as slack:
        slack.events_url = f"{slack.url}/mine"
        await slack.say("ana", "#payments", "@purser one")
        await slack.settled()
        await slack.say("ana", "#payments", "@purser two")
        await slack.settled()

    retries = [("", ""), ("1", "http_error"), ("2", "http_error"), ("3", "http_error")]
    assert seen == [*retries, *retries[:2]]


async def test_a_response_url_is_good_for_five_posts_and_half_an_hour() -> None:
    """The sixth post and a late one are refused; no answer holds a ts; in_channel needs no membership."""
    clock = Clock()
    async with SlackStandIn(now=clock, people=True) as slack:
        give = slack.response_urls.give
        hook = AsyncWebhookClient(give("C0RANDOM", "U0ANA"), retry_handlers=[])
        first = await hook.send(text="to all", response_type="in_channel")
        rest = [(await hook.send(text=str(n))).status_code for n in range(5)]
        late = AsyncWebhookClient(give("C0RANDOM", "U0ANA"), retry_handlers=[])
        clock.at += 30 * 60 + 1
        expired = await late.send(text="late")

    assert first.body == "ok"
    assert rest == [200, 200, 200, 200, 404]
    assert expired.status_code == 404
    assert [m.text for m in slack.by_app("#random")] == ["to all"]
    assert [m.text for m in slack.ephemerals("#random", "ana")] == ["0", "1", "2", "3"]


async def test_other_applications_share_the_port() -> None:
    """A page can be served by the same port, given at construction."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="the page")

    inner = web.Application()
    inner.router.add_get("/inner", page)
    async with (
        SlackStandIn(routes=[web.get("/", page)], sub_apps={"/workspace": inner}) as slack,
        aiohttp.ClientSession() as session,
    ):
        for path in ("/", "/workspace/inner"):
            async with session.get(slack.url + path) as answer:
                assert await answer.text() == "the page"
