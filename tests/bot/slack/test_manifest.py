"""The manifest: what Slack takes, in both variants, each wish with its reason."""

import pytest

from bot.demo.page.offers import SHORTCUTS as OFFERED
from bot.slack.manifest import COMMANDS, EVENTS, SCOPES, manifest


def test_socket_mode_is_the_default() -> None:
    """Without an address nothing in it points anywhere."""
    made = manifest()

    assert made["settings"]["socket_mode_enabled"] is True
    assert "://" not in str(made)
    assert [c["command"] for c in made["features"]["slash_commands"]] == list(COMMANDS)


def test_the_http_variant_points_to_our_one_path() -> None:
    """Events, buttons and commands all go to /slack/events."""
    made = manifest(http="https://purser.example.com/")
    url = "https://purser.example.com/slack/events"

    assert made["settings"]["socket_mode_enabled"] is False
    assert made["settings"]["event_subscriptions"]["request_url"] == url
    assert made["settings"]["interactivity"]["request_url"] == url
    assert {c["url"] for c in made["features"]["slash_commands"]} == {url}


def test_one_command_may_stand_for_all() -> None:
    """Where other names are taken, one command of any name does it all."""
    made = manifest(only="/acme-purser")

    assert [c["command"] for c in made["features"]["slash_commands"]] == ["/acme-purser"]


@pytest.mark.parametrize("http", ["http://a.test", "https://", "purser.test", "https://a.test/x"])
def test_an_address_slack_cannot_use_is_refused(http: str) -> None:
    """Only https and a bare host."""
    with pytest.raises(ValueError, match=r"such as https://purser\.example\.com"):
        manifest(http=http)


@pytest.mark.parametrize("only", ["purser", "/Purser", "/a b", "/cost", "/"])
def test_a_name_slack_would_not_take_is_refused(only: str) -> None:
    """A command is a slash and lower case letters; the one command cannot be /cost."""
    with pytest.raises(ValueError, match="/purser"):
        manifest(only=only)


def test_every_scope_and_event_says_why_and_is_asked_for() -> None:
    """Nothing is asked of a workspace without a reason."""
    made = manifest()

    assert made["oauth_config"]["scopes"]["bot"] == sorted(SCOPES)
    assert made["settings"]["event_subscriptions"]["bot_events"] == sorted(EVENTS)
    assert all(reason for reason in (*SCOPES.values(), *EVENTS.values()))


def test_shortcuts_stand_in_the_menu_of_a_message() -> None:
    """Each with a name that Slack has room for, and the one that the page of the demo shows."""
    made = manifest()["features"]["shortcuts"]

    assert {s["callback_id"]: s["name"] for s in made} == {s.callback_id: s.name for s in OFFERED}
    assert {s["type"] for s in made} == {"message"}
    assert [s["name"] for s in made if len(s["name"]) > 24 or len(s["description"]) > 150] == []


def test_lengths_are_what_slack_allows() -> None:
    """Slack refuses a manifest whose texts are too long or too short."""
    made = manifest()
    shown = made["display_information"]

    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    assert 174 <= len(shown["long_description"]) <= 4000
    assert len(made["features"]["agent_view"]["agent_description"]) <= 300
    assert all(len(description) <= 2000 for description, _ in COMMANDS.values())
