"""The doctor: each ill is found and named with its mend, and no secret is told."""

import asyncio
import itertools
import json
import re
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.app.examination import examine
from bot.audit import Record, record
from bot.demo.claude import ClaudeStandIn
from bot.demo.github import GitHubStandIn
from bot.demo.jira import JiraStandIn
from bot.demo.slack import SlackStandIn
from bot.doctor import Finding, database, heard, show
from bot.doctor.heard import ASKS, SLOW_MS
from bot.inbox import Arrival, Inbox
from bot.ledger import Ledger
from bot.policy import Policy
from bot.rules import PolicyFile
from bot.settings import Settings
from bot.slack.manifest import SCOPES
from bot.store import Transaction
from bot.store.postgres import PostgresStore
from bot.store.sqlite import SqliteStore
from bot.store.sqlite.migrations import migrate
from bot.store.sqlite.seal import key_path
from tests.bot.stores import ask, url
from tests.bot.terminal import purser
from tests.contract import contract
from tests.postgres import Postgres

NOW = 1_795_000_000.0  # 2026-11-18
PURSER = "557058:purser"  # in Jira
DAY = 24 * 3600.0
GOOD = PolicyFile(admins=("U0ADMIN",), defaults={"jira_projects": ["SHOP"]})


@dataclass(frozen=True)
class World:
    """Every stranger on loopback, and a folder for the database."""

    slack: SlackStandIn
    claude: ClaudeStandIn
    jira: JiraStandIn
    github: GitHubStandIn
    folder: Path

    def environ(self, **changes: str) -> dict[str, str]:
        """Everything that is set, with changes; "" takes a name away."""
        environ = {
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_API_URL": self.slack.api_url,
            "ANTHROPIC_API_KEY": self.claude.api_key,
            "ANTHROPIC_BASE_URL": self.claude.url,
            "JIRA_URL": self.jira.url,
            "JIRA_EMAIL": self.jira.email,
            "JIRA_API_TOKEN": self.jira.token,
            "GITHUB_API_URL": self.github.url,
            "GITHUB_TOKEN": self.github.token,
            "DATABASE_URL": f"sqlite:///{self.folder / 'purser.db'}",
        }
        return {name: value for name, value in {**environ, **changes}.items() if value}

    async def examine(
        self,
        file: PolicyFile = GOOD,
        *,
        now: Callable[[], float] = time.time,
        spend: bool = True,
        **changes: str,
    ) -> dict[str, Finding]:
        """The findings by their names."""
        settings = Settings.read(self.environ(**changes))
        return {f.name: f for f in await examine(settings, Policy(file), now=now, spend=spend)}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A world in which all is well."""
    made = World(SlackStandIn(), ClaudeStandIn(), JiraStandIn(), GitHubStandIn(), tmp_path)
    made.slack.api.scopes = {*SCOPES}
    await migrate(tmp_path / "purser.db")
    strangers = (made.slack, made.claude, made.jira, made.github)
    for stranger in strangers:
        await stranger.start()
    yield made
    for stranger in strangers:
        await stranger.stop()


def ill(found: dict[str, Finding]) -> dict[str, str]:
    """What is not green, by its colour."""
    return {name: f.colour for name, f in found.items() if f.colour != "green"}


async def test_all_is_well(world: World) -> None:
    """With everything in order each part is examined and found green, and nothing needs mending."""
    found = await world.examine()

    assert ill(found) == {}
    assert {f.mend for f in found.values()} == {""}
    assert list(found) == [
        "Policy",
        "Database",
        "Database engine",
        "Slack events",
        "Audit key",
        "Slack bot token",
        "Slack scopes",
        "Clock",
        "Slack app token",
        "Claude",
        "Model claude-haiku-5-5",
        "Model claude-opus-5-5",
        "Model claude-sonnet-5-5",
        "Jira",
        "GitHub",
    ]


async def test_claude_is_asked_for_one_token(world: World) -> None:
    """The examination costs one call of one token, by the quick model."""
    await world.examine()

    [asked] = [e.body for e in world.claude.log if e.path == "/v1/messages"]
    assert (asked["max_tokens"], asked["model"]) == (1, "claude-haiku-5-5")


async def test_that_call_is_booked(world: World) -> None:
    """What the examination costs stands in the books, as nobody's; without a database it is made all the same."""
    await world.examine()
    async with SqliteStore.beside(world.folder / "purser.db") as store:
        (row,) = await Ledger(store, zone=UTC, now=time.time).rows(since=0, until=2.0**40)
    (world.folder / "purser.db").unlink()
    found = await world.examine()

    (served, _) = world.claude.served
    assert (row.message_id, row.model, row.output_tokens) == (
        *(served.message_id, served.model, served.usage["output_tokens"]),
    )
    assert (row.status, row.channel, row.ask_id, row.feature) == ("settled", None, None, None)
    assert row.cost is not None
    assert 0 < row.cost < Decimal("0.0001")
    assert found["Claude"].colour == "green"


async def test_no_connection_is_opened_that_would_be_sent_events(world: World) -> None:
    """The app token is tried without taking a place among the connections that serve."""
    await world.examine()

    assert world.slack.calls("apps.connections.open") == 1
    assert world.slack.sockets.count == 0


# What is not set


async def test_what_is_unset_is_named_and_the_rest_examined(world: World) -> None:
    """Without tokens nothing is called with them; what is set is examined all the same."""
    found = await world.examine(SLACK_BOT_TOKEN="", SLACK_APP_TOKEN="", ANTHROPIC_API_KEY="")

    assert ill(found) == dict.fromkeys(
        ["SLACK_BOT_TOKEN", "ANTHROPIC_API_KEY", "SLACK_SIGNING_SECRET"], "red"
    )
    assert "SLACK_APP_TOKEN" in found["SLACK_SIGNING_SECRET"].mend
    assert found["Jira"].colour == "green"
    assert list(world.slack.log) == []


async def test_jira_is_optional_but_whole(world: World) -> None:
    """None of its settings is well; half of them is not."""
    none = await world.examine(JIRA_URL="", JIRA_EMAIL="", JIRA_API_TOKEN="")
    half = await world.examine(JIRA_EMAIL="")

    assert none["Jira"].says == "is not set up; it is optional"
    assert ill(half) == {"JIRA_EMAIL": "red"}


async def test_over_http_the_signing_secret_is_enough(world: World) -> None:
    """Without Socket Mode there is no app token to examine."""
    found = await world.examine(SLACK_APP_TOKEN="", SLACK_SIGNING_SECRET="s")

    assert ill(found) == {}
    assert "Slack app token" not in found
    assert "Slack signing secret" in found


async def test_nobody_to_ask_is_worth_a_word(world: World) -> None:
    """Without admins and without an open project it works, but perhaps not as meant."""
    found = await world.examine(PolicyFile())

    assert ill(found) == {"Policy": "yellow", "Jira projects": "yellow"}
    assert "[admins]" in found["Policy"].mend
    assert "jira_projects" in found["Jira projects"].mend


# Slack


async def test_each_missing_scope_is_named_with_its_reason(world: World) -> None:
    """A line for each, with what it is needed for and where it is granted."""
    world.slack.api.scopes = {*SCOPES} - {"files:read", "users:read"}
    found = await world.examine()

    assert ill(found) == {"Slack scope files:read": "red", "Slack scope users:read": "red"}
    assert "read files attached to a question" in found["Slack scope files:read"].says
    assert "purser manifest" in found["Slack scope files:read"].mend


async def test_a_token_that_may_more_than_is_needed_is_found(world: World) -> None:
    """Each scope beyond the manifest's is named."""
    world.slack.api.scopes |= {"chat:write.public", "admin"}
    found = await world.examine()

    assert ill(found) == {"Slack rights": "yellow"}
    assert "admin, chat:write.public" in found["Slack rights"].says


@pytest.mark.parametrize(
    ("channel", "colour", "words"),
    [
        ("C0LEADS", "green", "is in it"),
        ("C0RANDOM", "red", "not in it"),
        ("C0SECRET", "red", "no such channel, or it is private"),
        ("C0OLD", "red", "is archived"),
        ("C0PARTNER", "red", "another organisation"),
    ],
)
async def test_a_channel_where_nobody_can_be_shown_what_was_refused_is_found(
    world: World, channel: str, colour: str, words: str
) -> None:
    """Each channel that the policy names for it is looked at: Purser has to be in it, and it has to be ours."""
    file = replace(GOOD, channels={"C1": {"escalation_channel": channel}})
    found = (await world.examine(file))[f"Escalation channel {channel}"]

    assert (found.colour, words in found.says) == (colour, True), found


async def test_a_table_for_no_channel_is_found(world: World) -> None:
    """A channel's id that was mistyped is told: its rules would hold nowhere, in silence."""
    file = replace(GOOD, channels={"C0RANDOM": {"rounds": 3}, "C0RANDON": {"rounds": 3}})
    found = await world.examine(file)

    assert ill(found) == {"Channel C0RANDON": "yellow"}
    assert "[channels.C0RANDON]" in found["Channel C0RANDON"].mend


@pytest.mark.parametrize("user", ["U0NOBODY", "U0ANA"])
async def test_an_admin_who_can_be_told_nothing_is_found(world: World, user: str) -> None:
    """Unknown, or deactivated."""
    world.slack.world.people["U0ANA"] = replace(world.slack.world.people["U0ANA"], deleted=True)
    found = await world.examine(replace(GOOD, admins=("U0ADMIN", user)))

    assert ill(found) == {f"Admin {user}": "red"}
    assert "[admins]" in found[f"Admin {user}"].mend


@pytest.mark.parametrize(
    ("error", "colour"),
    [
        ("invalid_auth", "red"),
        ("token_revoked", "red"),
        ("account_inactive", "red"),
        ("internal_error", "yellow"),
    ],
)
async def test_a_refused_bot_token_ends_slacks_examination(
    world: World, error: str, colour: str
) -> None:
    """Slack's own word is told; what passes by itself is no fault of the token."""
    world.slack.troubles.down["auth.test"] = error
    found = await world.examine()

    assert ill(found) == {"Slack bot token": colour}
    assert error in found["Slack bot token"].says
    assert ("OAuth & Permissions" in found["Slack bot token"].mend) == (colour == "red")
    assert "Slack scopes" not in found


async def test_an_app_token_that_opens_nothing_is_found(world: World) -> None:
    """It is tried by itself, and the mend names the scope it needs."""
    found = await world.examine(SLACK_APP_TOKEN="xapp-1-wrong")

    assert ill(found) == {"Slack app token": "red"}
    assert "connections:write" in found["Slack app token"].mend


@pytest.mark.parametrize(("skew", "colour"), [(0, "green"), (-100, "yellow"), (400, "red")])
async def test_a_wrong_clock_is_found(world: World, skew: int, colour: str) -> None:
    """Beyond five minutes Slack's signatures are refused; a minute is worth a look."""
    found = await world.examine(now=lambda: time.time() + skew)

    assert found["Clock"].colour == colour
    assert ("NTP" in found["Clock"].mend) == (colour != "green")


async def test_a_slow_answer_is_no_wrong_clock(world: World) -> None:
    """What lies between the question and its answer is no distance between two clocks."""
    began = time.time()
    found = await world.examine(
        now=lambda: began + (400 if world.slack.calls("auth.test") else -200)
    )

    assert found["Clock"].colour == "green"


async def test_a_world_that_cannot_be_reached_is_said_in_a_line_each(world: World) -> None:
    """A refused connection is not a traceback; each stranger is named with what to check."""
    with closing(socket.socket()) as deaf:
        deaf.bind(("127.0.0.1", 0))  # nobody listens, and nobody else can
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        found = await world.examine(SLACK_API_URL=url, ANTHROPIC_BASE_URL=url, JIRA_URL=url)

    assert ill(found) == {"Slack bot token": "red", "Claude": "red", "Jira": "red"}
    assert "SLACK_API_URL" in found["Slack bot token"].mend
    assert "ANTHROPIC_BASE_URL" in found["Claude"].mend
    assert "JIRA_URL" in found["Jira"].mend


@pytest.mark.parametrize("kind", [b"text/plain", b"text/html", b"application/json"])
async def test_what_is_not_slack_is_not_taken_for_it(world: World, kind: bytes) -> None:
    """A proxy's page, in whatever form, is said to be none of Slack's answers."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: " + kind + b"\r\n\r\n<p>No</p>"
        )
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        found = await world.examine(SLACK_API_URL=f"http://127.0.0.1:{port}/api/")

    assert ill(found) == {"Slack bot token": "red"}
    assert "SLACK_API_URL" in found["Slack bot token"].mend


# Claude


async def test_it_can_be_asked_for_nothing_that_costs(world: World) -> None:
    """Without spending, the key is tried by what is free; a wrong one is found all the same."""
    found = await world.examine(spend=False)
    wrong = await world.examine(spend=False, ANTHROPIC_API_KEY="sk-ant-wrong")

    assert [e for e in world.claude.log if e.path == "/v1/messages"] == []
    assert (found["Claude"].colour, ill(wrong)) == ("green", {"Claude": "red"})


@pytest.mark.parametrize(
    ("ends", "colour"), [(None, ""), (2 * DAY, "red"), (10 * DAY, "yellow"), (60 * DAY, "green")]
)
async def test_a_claude_key_that_ends_is_found_in_time(
    world: World, ends: float | None, colour: str
) -> None:
    """With an Admin key the Console tells until when our own key holds."""
    (key,) = world.claude.admin._keys
    when = None if ends is None else datetime.fromtimestamp(time.time() + ends, UTC).isoformat()
    key["expires_at"] = when
    found = await world.examine(ANTHROPIC_ADMIN_KEY=world.claude.admin.key)

    assert found["Claude Admin key"].colour == "green"
    assert (found["Claude key"].colour if "Claude key" in found else "") == colour


async def test_an_admin_key_that_is_refused_is_found(world: World) -> None:
    """It is tried by itself; it may also be another organization's."""
    wrong = await world.examine(ANTHROPIC_ADMIN_KEY="sk-ant-admin-wrong")
    (key,) = world.claude.admin._keys
    key["partial_key_hint"] = "sk-ant-xx...yyyy"
    other = await world.examine(ANTHROPIC_ADMIN_KEY=world.claude.admin.key)

    assert (ill(wrong), ill(other)) == ({"Claude Admin key": "red"}, {"Claude Admin key": "yellow"})


async def test_a_key_that_is_refused_is_one_line(world: World) -> None:
    """With a wrong key the models are not asked about one after the other."""
    found = await world.examine(ANTHROPIC_API_KEY="sk-ant-wrong")

    assert ill(found) == {"Claude": "red"}
    assert "ANTHROPIC_API_KEY" in found["Claude"].mend
    assert [name for name in found if name.startswith("Model")] == []


@pytest.mark.parametrize(("status", "colour"), [(529, "yellow"), (500, "yellow"), (402, "red")])
async def test_trouble_at_claude_is_told_apart_from_ours(
    world: World, status: int, colour: str
) -> None:
    """What waiting helps is yellow, money is red; each with its own mend."""
    world.claude.troubles.fail(status)
    found = await world.examine()

    assert ill(found) == {"Claude": colour}
    assert str(status) in found["Claude"].says
    assert found["Claude"].mend


@pytest.mark.parametrize(
    ("rules", "colour", "words"),
    [
        ({"lifecycle": "retired"}, "red", "is retired"),
        ({"lifecycle": "deprecated"}, "yellow", "is deprecated"),
        ({"retires": "2026-12-08T00:00:00Z"}, "red", "retires on 2026-12-08, in 19 days"),
        ({"retires": "2027-01-20T00:00:00Z"}, "yellow", "retires on 2027-01-20, in 62 days"),
        ({"retires": "2028-01-01T00:00:00Z"}, "green", "retires on 2028-01-01"),
        ({"lifecycle": "deprecated", "retires": "2028-01-01T00:00:00Z"}, "yellow", "2028"),
    ],
)
async def test_a_model_that_ends_is_found_in_time(
    world: World, rules: dict[str, Any], colour: str, words: str
) -> None:
    """By its lifecycle and its day of retirement, with the mend while there is time."""
    world.claude.change_model("claude-opus-5-5", **rules)
    found = await world.examine(now=lambda: NOW)

    opus = found["Model claude-opus-5-5"]
    assert (opus.colour, words in opus.says) == (colour, True), opus
    assert ("purser.toml" in opus.mend) == (colour != "green")


async def test_a_model_that_nobody_knows_is_found(world: World) -> None:
    """Each model that some channel may call is looked up."""
    file = PolicyFile(admins=("U0ADMIN",), channels={"C0RANDOM": {"deep_model": "claude-typo-9"}})
    found = await world.examine(file, JIRA_URL="", JIRA_EMAIL="", JIRA_API_TOKEN="")

    assert ill(found) == {"Model claude-typo-9": "red"}
    assert "policy" in found["Model claude-typo-9"].mend


async def test_a_quick_model_that_nobody_knows_hides_nothing(world: World) -> None:
    """When the one-token call fails for its model, the others are still looked up."""
    found = await world.examine(
        PolicyFile(admins=("U0ADMIN",), defaults={"quick_model": "claude-typo-9"}),
        JIRA_URL="",
        JIRA_EMAIL="",
        JIRA_API_TOKEN="",
    )

    assert ill(found) == {"Claude": "red", "Model claude-typo-9": "red"}
    assert found["Model claude-sonnet-5-5"].colour == "green"


async def test_a_model_without_a_price_is_found(world: World) -> None:
    """What it costs would be missing in the books."""
    world.claude.models["claude-next-1"] = world.claude.models["claude-opus-5-5"]
    found = await world.examine(
        PolicyFile(admins=("U0ADMIN",), defaults={"model": "claude-next-1", "jira_projects": ["*"]})
    )

    assert ill(found) == {"Model claude-next-1": "yellow"}
    assert "genai-prices" in found["Model claude-next-1"].mend


# Jira


async def test_an_expired_jira_token_is_found(world: World) -> None:
    """Jira's 401 is told as what it most likely is, with the setting to renew."""
    world.jira.expired = True
    found = await world.examine()

    assert ill(found) == {"Jira": "red"}
    assert "JIRA_API_TOKEN" in found["Jira"].mend


async def test_a_project_that_the_account_may_not_browse_is_found(world: World) -> None:
    """Each project that the policy opens is tried; "*" is whatever the account sees."""
    file = PolicyFile(admins=("U0ADMIN",), defaults={"jira_projects": ["SHOP", "NOPE", "*"]})
    found = await world.examine(file)

    assert ill(found) == {"Jira project NOPE": "red"}
    assert "Browse Projects" in found["Jira project NOPE"].mend


def may_in_jira(world: World, change: Callable[[frozenset[str]], frozenset[str]]) -> None:
    """Change what the bot's account may do in Jira."""
    accounts = world.jira.world.accounts
    accounts[PURSER] = replace(accounts[PURSER], rights=change(accounts[PURSER].rights))


async def test_rights_that_writing_needs_are_found_where_writing_is_permitted(
    world: World,
) -> None:
    """A right that a confirmed change needs is named; where nothing is written, none is missed."""
    may_in_jira(world, lambda rights: rights - {"TRANSITION_ISSUES"})
    found = await world.examine()
    reads = await world.examine(replace(GOOD, defaults={**GOOD.defaults, "jira_writes": "off"}))

    assert (ill(found), ill(reads)) == ({"Jira project SHOP": "yellow"}, {})
    assert "Transition Issues" in found["Jira project SHOP"].says


async def test_a_jira_administrator_is_more_than_is_needed(world: World) -> None:
    """The bot's account should not be able to change Jira itself."""
    may_in_jira(world, lambda rights: rights | {"ADMINISTER"})

    assert ill(await world.examine()) == {"Jira administrator": "yellow"}


async def test_what_is_asked_of_jira_is_in_its_description(
    world: World, jira_openapi: Path
) -> None:
    """Every request is one that Atlassian's own description knows."""
    await world.examine()
    judge = contract(jira_openapi)
    asked = {(heard.method, heard.path): heard.query for heard in world.jira.log}

    assert {path for _, path in asked} == {"/rest/api/3/myself", "/rest/api/3/mypermissions"}
    for (method, path), query in asked.items():
        assert judge.request(method, path, query) == []


# GitHub


async def test_a_github_token_is_tried_and_its_end_and_rights_are_told(world: World) -> None:
    """Refused, too mighty, about to end: each has its own line."""
    ends = datetime.fromtimestamp(time.time() + 5 * DAY, UTC)
    world.github.told = {
        "X-OAuth-Scopes": "repo, delete_repo",
        "GitHub-Authentication-Token-Expiration": f"{ends:%Y-%m-%d %H:%M:%S} UTC",
    }
    found = await world.examine()
    wrong = await world.examine(GITHUB_TOKEN="wrong")

    assert ill(found) == {"GitHub token": "yellow", "GitHub rights": "yellow"}
    assert "delete_repo" in found["GitHub rights"].says
    assert f"{ends:%Y-%m-%d}" in found["GitHub token"].says
    assert (ill(wrong), "GITHUB_TOKEN" in str(wrong["GitHub"])) == ({"GitHub": "red"}, True)


async def test_without_a_token_github_is_reached_as_nobody(world: World) -> None:
    """It is said that private repositories are not read; a GitHub that is down is worth a look."""
    nobody = await world.examine(GITHUB_TOKEN="")
    await world.github.stop()
    down = await world.examine()

    assert (nobody["GitHub"].colour, "public" in nobody["GitHub"].says) == ("green", True)
    assert (down["GitHub"].colour, down["GitHub"].passing) == ("yellow", True)
    assert "GITHUB_API_URL" in down["GitHub"].mend


# Files


async def test_files_that_others_may_read_or_change_are_found(world: World) -> None:
    """Secrets that others may read, and a policy that others may change; closed ones are not worth a line."""
    key, policy = world.folder / "key", world.folder / "purser.toml"
    key.write_text(world.claude.api_key)
    policy.write_text("")
    modes: list[dict[str, str]] = []
    for secret, open_ in ((0o640, 0o664), (0o600, 0o644)):
        key.chmod(secret)
        policy.chmod(open_)
        modes.append(
            ill(
                await world.examine(
                    ANTHROPIC_API_KEY="", ANTHROPIC_API_KEY_FILE=str(key), PURSER_POLICY=str(policy)
                )
            )
        )

    assert modes == [{"File key": "yellow", "File purser.toml": "yellow"}, {}]


# The database


async def test_a_database_in_a_bad_state_is_found(world: World, tmp_path: Path) -> None:
    """Too open, of an older schema, or none at all: each has its own line."""
    (tmp_path / "purser.db").chmod(0o644)
    (tmp_path / "old.db").touch()
    (tmp_path / "text.db").write_text("this is no database, only some words of text")
    names = ("purser.db", "old.db", "text.db", "new.db", "nowhere/purser.db")
    said = {
        name: (await world.examine(DATABASE_URL=f"sqlite:///{tmp_path / name}"))["Database"]
        for name in names
    }

    assert [said[name].colour for name in names] == ["yellow", "red", "red", "green", "red"]
    assert "chmod 600" in said["purser.db"].mend
    assert said["old.db"].mend == "run `purser migrate`"
    assert str(tmp_path / "text.db") in said["text.db"].says
    assert "DATABASE_URL" in said["text.db"].mend
    assert "will be made" in said["new.db"].says
    assert "DATABASE_URL" in said["nowhere/purser.db"].mend
    assert not (tmp_path / "new.db").exists()


async def test_an_event_that_never_comes_is_found(world: World) -> None:
    """When people ask in other ways alone, mentions are probably not subscribed to; before that nothing is said."""
    async with SqliteStore.beside(world.folder / "purser.db") as store:
        inbox = Inbox(store, now=time.time, worker="w1")
        few = [ask(origin="command", ts="", at=NOW) for _ in range(ASKS)]
        last = few.pop()
        for one in few:
            await inbox.put(Arrival((one.key,), one))
        found = await world.examine()
        await inbox.put(Arrival((last.key,), last))
    silent = await world.examine()

    assert (found["Slack events"].colour, ill(silent)) == ("green", {"Slack events": "yellow"})
    assert "app_mention" in silent["Slack events"].mend


async def test_a_team_that_writes_to_nobody_directly_is_well(world: World) -> None:
    """That no direct message has come is told to who asks, with what to do if one was sent, and is no illness."""
    async with SqliteStore.beside(world.folder / "purser.db") as store:
        inbox = Inbox(store, now=time.time, worker="w1")
        for _ in range(ASKS + 1):
            one = ask(channel="C1", at=NOW)
            await inbox.put(Arrival((one.key,), one))
    found = (await world.examine())["Slack events"]

    assert found.colour == "green"
    assert "mentions came last on" in found.says
    assert "message.im" in found.says


async def test_a_database_on_postgresql_is_examined_the_same(
    world: World, postgres: Postgres
) -> None:
    """Its schema, version and pace, what has come, and whether the audit is signed by the key."""
    store = await PostgresStore.open(postgres.clean(), serve=True)
    tx = Transaction()
    record(tx, Record("T1", "C1", "U1", "", "set", "paused"), at=NOW)
    await store.commit(tx)
    await store.close()
    found = await world.examine(DATABASE_URL=postgres.url)

    changed = await world.examine(DATABASE_URL=postgres.url, AUDIT_KEY="k" * 32)

    assert ill(found) == {}
    assert "PostgreSQL" in found["Database engine"].says
    assert found["Audit key"].says.startswith("signed the end of 1 days; it lies in the database")
    assert ill(changed) == {"Audit key": "red"}
    assert "purser audit sign" in changed["Audit key"].mend


@pytest.mark.parametrize(
    ("version", "colour"),
    [
        ("PostgreSQL 14.20", "yellow"),
        ("PostgreSQL 9.6", "yellow"),
        ("PostgreSQL 15.4", "green"),
        ("PostgreSQL 19beta1", "green"),
        ("SQLite 3.40.1", "green"),
    ],
)
def test_an_old_server_is_found(version: str, colour: str) -> None:
    """A PostgreSQL that nobody tried Purser with is told with its version."""
    finding = heard.engine("postgresql://db/purser", version, 1.0)

    assert (finding.colour, version in finding.says) == (colour, True)


async def test_a_large_database_that_is_alive_is_well(world: World) -> None:
    """However large it is, nothing has to be cleared away where most of it is in use."""
    (finding,) = await database.examine(url(world.folder / "purser.db"), room=1)

    assert finding.colour == "green"


async def test_a_database_that_is_more_dead_than_alive_is_found(
    world: World, postgres: Postgres
) -> None:
    """What nobody clears away is told with the mend of its engine, where it is large enough to matter."""
    path = world.folder / "purser.db"
    for engine in (SqliteStore.beside(path), PostgresStore.beside(postgres.clean())):
        async with engine as store:
            for n in range(200):
                tx = Transaction()
                tx.add("inbox.claim", key=f"{'k' * 900}{n}", now=NOW)
                await store.commit(tx)
            tx = Transaction()
            tx.add("inbox.purge_keys", before=NOW + 1)
            await store.commit(tx)
    postgres.run("SELECT pg_stat_force_next_flush()")

    async def found(where: SecretStr, room: int) -> Finding:
        return (await database.examine(where, room=room))[0]

    of_file, of_server = url(path), SecretStr(postgres.url)
    uncleared = await found(of_server, 8_192)
    for _ in range(200):  # it counts a moment later
        if uncleared.colour == "yellow":
            break
        await asyncio.sleep(0.05)
        uncleared = await found(of_server, 8_192)

    assert "keys" in uncleared.says
    assert "autovacuum" in uncleared.mend
    assert (await found(of_file, 8_192)).mend.endswith("VACUUM`")
    assert {(await found(where, 200_000_000)).colour for where in (of_file, of_server)} == {"green"}


async def test_a_slow_database_is_found(world: World) -> None:
    """The middle one of some answers counts."""
    seconds, path = itertools.count(), world.folder / "purser.db"
    async with SqliteStore.beside(path) as store:
        found = await heard.examine(store, url(path), clock=lambda: next(seconds) * SLOW_MS / 500)

    assert [f.colour for f in found] == ["yellow", "green"]
    assert "SQLite 3" in found[0].says


async def test_an_audit_key_that_is_gone_open_or_another_is_found(world: World) -> None:
    """What it has signed shows whether it is the one; and only we may read it."""
    path = world.folder / "purser.db"
    async with SqliteStore.beside(path) as store:
        tx = Transaction()
        record(tx, Record("T1", "C1", "U1", "", "set", "paused"), at=NOW)
        await store.commit(tx)
    key = key_path(path)
    good = await world.examine()
    key.chmod(0o640)
    open_ = await world.examine()
    key.write_text("0" * 64)
    other = await world.examine()
    key.write_text("no key")
    broken = await world.examine()
    key.unlink()
    gone = await world.examine()

    assert good["Audit key"].says == "signed the end of 1 days"
    assert ill(open_) == {"Audit key": "yellow"}
    assert [ill(found) for found in (other, broken, gone)] == [{"Audit key": "red"}] * 3


# At the terminal


async def test_the_command_ends_0_when_nothing_is_red(world: World) -> None:
    """Yellow lines are no failure; the JSON has every finding."""
    ran = await purser("doctor", "--json", cwd=world.folder, env=world.environ())

    assert ran.code == 0, ran.err
    found = [Finding(**one) for one in json.loads(ran.out)]
    assert {f.name: f.colour for f in found if f.colour != "green"} == {
        "Policy": "yellow",
        "Jira projects": "yellow",
    }
    assert ran.err == ""


async def test_the_command_ends_1_when_something_is_red(world: World) -> None:
    """A line for each finding: a sign, what it is, and the mend behind an arrow; no colour codes in a pipe."""
    ran = await purser("doctor", cwd=world.folder, env=world.environ(SLACK_BOT_TOKEN=""))

    assert ran.code == 1
    lines = ran.out.splitlines()
    assert lines[0].startswith("✘ SLACK_BOT_TOKEN: is not set → the bot token")
    assert [line for line in lines if not re.match(r"[✔!✘] [^:]+: \S", line)] == []
    assert "\x1b" not in ran.out


async def test_no_secret_is_told(world: World) -> None:
    """Whatever is refused, the words of the secret stand nowhere."""
    secrets = {
        "SLACK_BOT_TOKEN": "xoxb-hunter2-bot",
        "SLACK_APP_TOKEN": "xapp-hunter2-app",
        "ANTHROPIC_API_KEY": "sk-ant-hunter2",
        "JIRA_API_TOKEN": "jira-hunter2",
        "SLACK_SIGNING_SECRET": "sign-hunter2",
    }
    for options in ((), ("--json",)):
        ran = await purser("doctor", *options, cwd=world.folder, env=world.environ(**secrets))

        assert ran.code == 1
        assert "hunter2" not in ran.out + ran.err
        assert "invalid_auth" in ran.out


def test_a_terminal_gets_colours() -> None:
    """The sign alone is coloured."""
    line = show([Finding("Clock", "red", "is wrong", "set it")], as_json=False, colour=True)

    assert line == "\x1b[31m✘\x1b[0m Clock: is wrong → set it"
