"""Answers to one person alone: a table and a chart as Slack's own, Markdown where they are refused, once each."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.demo.slack.message import Message
from bot.slack.aside import Aside
from bot.slack.blocks import Block, context
from bot.slack.wire import SlackError
from tests.bot.slack.answering import Desk, desk, words_of

TABLE = "Spent:\n\n| feature | cost |\n| --- | ---: |\n| chat | $1.00 |\n| review | $2.00 |"
CHART: Block = {
    "type": "data_visualization",
    "title": "Dollars a day",
    "chart": {"type": "pie", "segments": [{"label": "chat", "value": 1.0}]},
}
BUTTON: Block = {
    "type": "actions",
    "elements": [
        {"type": "button", "action_id": "b", "text": {"type": "plain_text", "text": "Share"}}
    ],
}
UNDER = (CHART, context("a line"), BUTTON)


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk at a whole Slack."""
    async with desk(tmp_path) as made:
        yield made


def kinds(message: Message) -> list[str]:
    """The kinds of a message's blocks."""
    return [str(block["type"]) for block in message.blocks]


@pytest.mark.parametrize("url", [True, False])
async def test_a_table_and_what_stands_under_it_are_slacks_own(at: Desk, *, url: bool) -> None:
    """By response_url or without one, the asker sees words, table, chart and buttons in one message."""
    lease = await at.command("#payments", **({} if url else {"response_url": ""}))
    await Aside(at.wire(), lease.ask).alone(TABLE, UNDER)

    (message,) = at.slack.ephemerals("#payments", "ana")
    assert kinds(message) == ["markdown", "table", "data_visualization", "context", "actions"]


@pytest.mark.parametrize("method", ["chat.postEphemeral", "chat.postMessage"])
async def test_where_blocks_are_refused_the_table_is_markdown(at: Desk, method: str) -> None:
    """A workspace without tables and charts gets the same words, and the buttons, by the same way."""
    lease = await at.command("#payments", response_url="")
    if method == "chat.postMessage":
        at.slack.troubles.errors["chat.postEphemeral"] = ["user_not_in_channel"]
    at.slack.troubles.errors[method] = ["invalid_blocks"]
    await Aside(at.wire(), lease.ask).alone(TABLE, UNDER)

    alone = at.slack.ephemerals("#payments", "ana") or at.slack.by_app("@ana")
    (message,) = alone
    assert words_of(message) == TABLE
    assert kinds(message) == ["markdown", "context", "actions"]


async def test_a_response_url_that_refuses_blocks_is_given_markdown(at: Desk) -> None:
    """Its word is read: the next post to the same address has the table as Markdown."""
    lease = await at.command("#payments")
    nonsense: Block = {"type": "data_visualization", "title": "", "chart": {}}
    await Aside(at.wire(), lease.ask).alone(TABLE, (nonsense, BUTTON))

    (message,) = at.slack.ephemerals("#payments", "ana")
    assert kinds(message) == ["markdown", "actions"]
    assert at.slack.calls("chat.postEphemeral") == 0


async def test_what_has_other_reasons_is_not_said_again(at: Desk) -> None:
    """Words that are refused for another reason take the next way, with all their blocks."""
    lease = await at.command("#payments", response_url="")
    at.slack.troubles.errors["chat.postEphemeral"] = ["is_archived"]
    at.slack.troubles.errors["chat.postMessage"] = ["is_archived"]

    with pytest.raises(SlackError, match="is_archived"):
        await Aside(at.wire(), lease.ask).alone(TABLE, UNDER)
    assert at.slack.calls("chat.postMessage") == 1


async def test_what_belongs_to_no_channel_is_said_directly(at: Desk) -> None:
    """An alert for an admin is tried nowhere else first."""
    lease = await at.command("#payments", response_url="")
    await Aside(at.wire(), replace(lease.ask, channel="")).alone("Look.")

    (message,) = at.slack.by_app("@ana")
    assert words_of(message) == "Look."
    assert at.slack.calls("chat.postEphemeral") == 0
