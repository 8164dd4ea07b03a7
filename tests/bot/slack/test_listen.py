"""The door: committed before it is acknowledged, whatever way it came."""

import asyncio
import itertools
import json
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.ask import Ask
from bot.inbox import Inbox
from bot.slack.envelope import Us
from bot.slack.listen import APOLOGY, LATE, Listen
from bot.slack.presses import EMPTY
from bot.slack.transport import bolt
from tests.bot.slack.deliveries import (
    BOT,
    US,
    USER,
    Kept,
    changed,
    click,
    command,
    direct,
    event,
    form,
    mention,
    said,
    signed,
)

SECRET = "made-up-secret"
NOWHERE = "http://127.0.0.1:1/api/"  # auth.test and all else are down


class House:
    """A real Bolt app with the door in front, an inbox behind it, and Slack's Web API down."""

    def __init__(
        self, *, us: Us = US, commit_seconds: float = 2.0, behind: Inbox | None = None
    ) -> None:
        self.inbox = Kept()
        self.dropped: Counter[str] = Counter()
        self.told: list[tuple[str, str]] = []
        ids = (f"id-{n}" for n in itertools.count(1))
        door = Listen(
            behind or self.inbox,
            us,
            new_id=lambda: next(ids),
            now=lambda: 1_764_000_000.0,
            dropped=lambda reason: self.dropped.update([reason]),
            respond=self._respond,
            commit_seconds=commit_seconds,
        )
        client = AsyncWebClient("xoxb-made-up", base_url=NOWHERE)
        self.door = door
        self.app: AsyncApp = bolt(door, client)

    async def _respond(self, url: str, sentence: str) -> None:
        self.told.append((url, sentence))

    async def socket(self, body: dict[str, Any], retry: int = 0) -> BoltResponse:
        """Deliver by socket; Slack's retry number stands there from the first delivery on."""
        headers: dict[str, str | Sequence[str]] = {
            "x-slack-retry-num": str(retry),
            "x-slack-retry-reason": "",
        }
        asked = AsyncBoltRequest(mode="socket_mode", body=body, headers=headers)
        return await self.app.async_dispatch(asked)

    async def http(self, body: dict[str, Any]) -> BoltResponse:
        """Deliver by HTTP, signed, as Slack encodes each kind."""
        if "command" in body:
            raw = urlencode(body)
        elif body.get("type") in {"block_actions", "view_submission"}:
            raw = urlencode({"payload": json.dumps(body)})
        else:
            raw = json.dumps(body)
        headers: dict[str, str | Sequence[str]] = {**signed(raw, SECRET)}
        asked = AsyncBoltRequest(body=raw, headers=headers)
        return await self.app.async_dispatch(asked)


@pytest.fixture
async def house() -> House:
    """A house for one test."""
    return House()


def answer(response: BoltResponse) -> tuple[int, str]:
    """Status and the words that somebody sees."""
    body = response.body
    return response.status, json.loads(body)["text"] if body else ""


@pytest.mark.parametrize("way", ["http", "socket"])
async def test_events_commands_and_clicks_are_committed_with_auth_test_down(
    house: House, way: str
) -> None:
    """All of them are taken in both transports while Slack's Web API does not answer."""
    deliver = house.http if way == "http" else house.socket

    assert answer(await deliver(event(mention("hi")))) == (200, "")
    status, words = answer(await deliver(command("/cost", "today")))
    assert (status, bool(words)) == (200, True)
    assert answer(await deliver(click("stop", "ask-1"))) == (200, "")
    assert [ask.feature for ask in house.inbox.asks] == ["chat", "cost"]
    assert [signal.kind for signal in house.inbox.signals] == ["stop"]


async def test_only_the_asker_sees_what_a_command_is_told(house: House) -> None:
    """The sentence in a command's acknowledgement is ephemeral."""
    response = await house.socket(command("/summarize", "SHOP-12"))

    assert json.loads(response.body)["response_type"] == "ephemeral"


async def test_an_event_that_could_not_be_committed_is_not_acknowledged(house: House) -> None:
    """Slack hears no, sends it again, and then it is taken."""
    house.inbox.down = True
    refused = await house.http(event(mention("hi")))
    house.inbox.down = False
    taken = await house.http(event(mention("hi")))

    assert (refused.status, taken.status) == (500, 200)
    assert len(house.inbox.asks) == 1
    assert house.dropped == {"commit_failed": 1}


async def test_a_command_that_could_not_be_committed_gets_an_apology(house: House) -> None:
    """Slack never sends a command again, so the person has to know."""
    house.inbox.down = True

    assert answer(await house.http(command("/cost"))) == (200, APOLOGY)


async def test_a_click_that_could_not_be_committed_gets_an_apology(house: House) -> None:
    """The acknowledgement of a click shows nothing, so it is said through its response_url too."""
    house.inbox.down = True

    assert answer(await house.http(click("stop", "ask-1"))) == (200, APOLOGY)
    await asyncio.sleep(0)
    assert house.told == [("https://hooks.slack.com/actions/1", APOLOGY)]


@pytest.mark.parametrize("way", ["http", "socket"])
async def test_a_form_is_opened_after_the_commit_and_once(house: House, way: str) -> None:
    """A press that is an ask may open a form; delivered again, or not committed, it opens none."""
    opened: list[tuple[str, str, int]] = []

    async def opens(ask: Ask, trigger: str) -> None:
        opened.append((ask.id, trigger, len(house.inbox.asks)))

    house.door.opens = opens
    deliver = house.http if way == "http" else house.socket
    press = click("proposal_change", "p-1:hash")
    house.inbox.down = True
    await deliver(press)
    house.inbox.down = False
    for _ in range(2):
        assert answer(await deliver(press)) == (200, "")
    await asyncio.sleep(0)

    assert opened == [("id-2", "9.9.xyz", 1)]


async def test_a_form_that_is_wrong_or_not_committed_stays_open(house: House) -> None:
    """What was written in a form is never lost: it stays, with a sentence under it."""
    wrong = await house.socket(form({"said": ""}))
    house.inbox.down = True
    refused = await house.http(form({"said": "good"}))
    house.inbox.down = False
    taken = await house.http(form({"said": "good"}))

    assert json.loads(wrong.body) == {"response_action": "errors", "errors": {"said": EMPTY}}
    assert json.loads(refused.body) == {"response_action": "errors", "errors": {"said": APOLOGY}}
    assert (taken.status, taken.body) == (200, "")
    assert len(house.inbox.asks) == 1


async def test_a_commit_that_takes_too_long_is_answered_in_time() -> None:
    """Slack's three seconds are kept: an event comes again, a command is told."""
    house = House(commit_seconds=0.02)
    house.inbox.seconds = 5.0

    assert (await house.socket(event(mention("hi")))).status == 500
    assert answer(await house.socket(command("/cost"))) == (200, LATE)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (event(said("nothing for us")), "no_mention"),
        (event(direct("mine", user=BOT)), "own"),
        ({"type": "app_rate_limited", "minute_rate_limited": 1}, "app_rate_limited"),
        ({}, "malformed"),
    ],
)
async def test_what_is_no_ask_is_acknowledged_and_counted(
    house: House, body: dict[str, Any], reason: str
) -> None:
    """It claims no key, costs no commit, and Slack does not send it again."""
    house.inbox.down = True

    assert answer(await house.socket(body)) == (200, "")
    assert house.dropped == {reason: 1}


async def test_a_retry_is_known_by_its_key_and_never_by_its_header(house: House) -> None:
    """What comes first with a retry number is taken; what was taken is not taken again."""
    first = await house.socket(event(mention("hi")), retry=3)
    again = await house.socket(event(mention("hi")), retry=0)

    assert (first.status, again.status) == (200, 200)
    assert len(house.inbox.asks) == 1
    assert house.dropped == {"repeat": 1}


async def test_usage_is_told_at_once(house: House) -> None:
    """`/summarize` alone is answered in its acknowledgement."""
    status, words = answer(await house.http(command("/summarize")))

    assert status == 200
    assert "SHOP-12" in words
    assert house.inbox.asks == []


async def test_slacks_checks_of_the_address_pass_through(house: House) -> None:
    """url_verification is answered with its challenge with auth.test down, and ssl_check with 200."""
    challenge = await house.http({"type": "url_verification", "challenge": "c-1"})
    check = await house.http({"command": "", "ssl_check": "1", "token": "x"})

    assert challenge.status == 200
    assert "c-1" in challenge.body
    assert check.status == 200
    assert house.dropped == {}


EDITED = {"edited": {"user": USER, "ts": "1764000008.000000"}}
TELLINGS: list[dict[str, Any]] = [
    event(mention("hi", client_msg_id="c-1"), "Ev1"),
    event(said(f"<@{BOT}> hi", client_msg_id="c-1"), "Ev2"),
    event(mention("ho", client_msg_id="c-1", **EDITED), "Ev3"),
    event(
        changed(said(f"<@{BOT}> ho", client_msg_id="c-1", **EDITED), said(f"<@{BOT}> hi")), "Ev4"
    ),
]


@given(st.lists(st.sampled_from(TELLINGS), min_size=1, max_size=12), st.booleans())
def test_any_mixture_of_deliveries_is_one_ask(told: list[dict[str, Any]], known: bool) -> None:
    """Twice told, retried, edited, in any order: one message is one ask."""

    async def deliver() -> House:
        house = House(us=US if known else Us())
        for body in told:
            assert (await house.socket(body)).status == 200
        return house

    house = asyncio.run(deliver())

    assert len(house.inbox.asks) == 1
    assert len(house.inbox.signals) <= 1


async def test_the_real_inbox_keeps_the_same_promise(inbox: Inbox) -> None:
    """Forty messages, each told in a random mixture and all at once, are forty asks on disk."""
    chance = random.Random(7)
    house = House(behind=inbox)
    mixtures: list[dict[str, Any]] = []
    for n in range(40):
        text = json.dumps(chance.choices(TELLINGS, k=chance.randint(1, 8)))
        for old, new in (("Ev", f"Ev{n}-"), ("1764000000.000100", f"17640{n:05d}.000100")):
            text = text.replace(old, new)
        mixtures += json.loads(text.replace("c-1", f"c-{n}"))
    chance.shuffle(mixtures)

    answers = await asyncio.gather(*(house.socket(body) for body in mixtures))

    assert {answer.status for answer in answers} == {200}
    assert (await inbox.queue()).waiting == 40
