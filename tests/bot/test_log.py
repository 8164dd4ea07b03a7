"""Logs say what happened, never a secret."""

import io
import json
import logging

import pytest
import structlog
from slack_sdk.web.async_client import AsyncWebClient
from structlog.testing import capture_logs

from bot.log import AGAIN_SECONDS, Spell, configure, scrub


@pytest.mark.parametrize(
    "secret",
    [
        "xoxb-12-abc",
        "xapp-1-A1-b",
        "sk-ant-api03-x_y",
        "ghp_abcdefghij0123456789",
        "https://hooks.slack.com/commands/T1/2/x",
    ],
)
def test_secrets_are_scrubbed(secret: str) -> None:
    """Whatever looks like one of our secrets is taken out of a text."""
    assert secret not in scrub(f"before {secret} after")


def test_an_address_is_scrubbed_of_its_password() -> None:
    """Of a database's or a proxy's address host and name are left; one without a password is left as it is."""
    text = "no way to postgresql://purser:hunt%21er2@db.example:5432/books"

    assert scrub(text) == "no way to postgresql://[secret]@db.example:5432/books"
    assert scrub("postgresql://db.example/books and a@b.example") == (
        "postgresql://db.example/books and a@b.example"
    )


def test_an_address_of_slacks_is_scrubbed_of_its_ticket() -> None:
    """Whoever had it could take what is delivered to us."""
    text = "no way to wss://wss.slack.example/link/?ticket=a1b2-c3&app_id=A1"

    assert scrub(text) == "no way to wss://wss.slack.example/link/?ticket=[secret]&app_id=A1"


def test_a_json_line_has_its_fields_and_no_secret() -> None:
    """One event is one JSON object; values are scrubbed, traces too."""
    out = io.StringIO()
    configure(level="INFO", form="json", stream=out)
    try:
        structlog.get_logger("t").info("ask", channel="C1", note="Bearer xoxb-1-2")
        trace = ValueError("token xoxb-9-9 leaked")
        logging.getLogger("other").error("broke", exc_info=trace)
        first, second = (json.loads(line) for line in out.getvalue().splitlines())
        assert (first["event"], first["channel"], first["level"]) == ("ask", "C1", "info")
        assert "xoxb" not in out.getvalue()
        assert "ValueError" in second["exception"]
    finally:
        logging.getLogger().handlers.clear()
        structlog.reset_defaults()


def test_no_call_of_slack_is_written_out_for_nobody() -> None:
    """The SDK's client, which writes out requests and answers unless its own logger says no, is told no."""
    configure(level="DEBUG", form="json", stream=io.StringIO())
    try:
        assert AsyncWebClient("xoxb-1").logger.level > logging.DEBUG
    finally:
        logging.getLogger().handlers.clear()
        structlog.reset_defaults()


def test_an_outage_does_not_fill_the_log() -> None:
    """Of what fails each second its beginning, a line every half minute and its end are told, with how long it lasts."""
    now = 100.0
    spell = Spell("it is down", over="it is back", clock=lambda: now)
    with capture_logs() as lines:
        spell.went()
        for _ in range(round(3 * AGAIN_SECONDS)):
            spell.failed("why")
            now += 1.0
        for _ in range(3):
            spell.went()
        spell.failed("why")

    told = [(line["log_level"], line["event"], line["seconds"]) for line in lines]
    down = [("warning", "it is down", second) for second in (0, 30, 60)]
    assert told == [*down, ("info", "it is back", 90), ("warning", "it is down", 0)]
    assert lines[0]["problem"] == "why"


@pytest.mark.parametrize(
    "name",
    [
        "slack_sdk.web.async_base_client",
        "slack_bolt.AsyncApp",
        "anthropic._base_client",
        "httpx2",
        "httpcore2.http11",
        "aiohttp.client",
        "jira",
        "urllib3.connectionpool",
    ],
)
def test_libraries_do_not_print_what_they_send(name: str) -> None:
    """Also where we are told to say everything, theirs would be requests with their tokens."""
    configure(level="DEBUG", form="json", stream=io.StringIO())

    assert not logging.getLogger(name).isEnabledFor(logging.DEBUG)
