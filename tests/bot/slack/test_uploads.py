"""Files of our own: whole, for whom they are meant, and never to a stranger's address."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.wire import SlackError, SlackWire, Unsure
from tests.bot.slack.answering import Desk, desk, server

DATA = b"feature,cost_usd\nchat,1.000000000001\n"


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk at a whole Slack."""
    async with desk(tmp_path) as made:
        yield made


async def test_a_file_is_handed_over_with_a_few_words(at: Desk) -> None:
    """Its bytes arrive as they are, in one message, in that conversation alone."""
    wire = at.wire()
    channel = await wire.direct("U0ANA")
    await wire.uploads.give(channel, "cost.csv", DATA, comment="Here it is.")

    (message,) = at.slack.by_app("@ana")
    (file,) = message.files
    assert (message.text, file.name, file.data) == ("Here it is.", "cost.csv", DATA)


async def test_a_file_may_be_shown_once_only(at: Desk) -> None:
    """When the last reply is lost it is said so, and nothing is repeated."""
    wire = at.wire()
    channel = await wire.direct("U0ANA")
    at.slack.troubles.lost["files.completeUploadExternal"] = 1

    with pytest.raises(Unsure):
        await wire.uploads.give(channel, "cost.csv", DATA, comment="Here it is.")
    assert len(at.slack.by_app("@ana")) == 1


async def test_no_bytes_leave_for_a_stranger(at: Desk) -> None:
    """An upload address that is not Slack's own is not used."""
    seen: list[str] = []

    def promise(request: web.Request) -> web.Response:
        seen.append(request.path)
        url = "https://evil.example/upload"
        return web.json_response({"ok": True, "upload_url": url, "file_id": "F1"})

    async with server(promise) as slack:
        client = AsyncWebClient("xoxb-1", base_url=f"{slack}/api/", session=at.session)
        wire = SlackWire(client, at.session, token="xoxb-1", clock=at.clock)
        with pytest.raises(SlackError, match="foreign_address"):
            await wire.uploads.give("D1", "cost.csv", DATA, comment="")

    assert seen == ["/api/files.getUploadURLExternal"]
