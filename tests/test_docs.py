"""What is written for people is what the code does: settings, policy, commands, the books, scopes, file names."""

import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import pytest
from dotenv import dotenv_values

from bot.__main__ import main
from bot.desk import COLUMNS
from bot.metrics import Metrics
from bot.rules import Rules, Workspace
from bot.settings import Settings
from bot.slack.manifest import EVENTS, SCOPES
from bot.tools import ORDER

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
DECISIONS = ROOT / "docs" / "decisions"

# As everybody outside may rely on; a name leaves these only with a word in the changelog.
ENVIRONMENT = """
SLACK_BOT_TOKEN SLACK_APP_TOKEN SLACK_SIGNING_SECRET SLACK_API_URL ANTHROPIC_API_KEY ANTHROPIC_BASE_URL
ANTHROPIC_ADMIN_KEY JIRA_URL JIRA_API_URL JIRA_EMAIL JIRA_API_TOKEN GITHUB_TOKEN GITHUB_API_URL DATABASE_URL AUDIT_KEY PORT
METRICS_PORT SLACK_STREAMS PURSER_POLICY HTTPS_PROXY SSL_CERT_FILE OTEL_EXPORTER_OTLP_ENDPOINT OTEL_EXPORTER_OTLP_HEADERS LOG_LEVEL
LOG_FORMAT
"""
POLICY = """
model effort deep_model quick_model fallback_model monthly_budget_usd confirm_above_usd ask_limit_usd ask_seconds
silence_seconds tool_seconds rounds keep_warm jira_projects jira_writes web_allowed_hosts web_private_origins repos
guests external person_in_flight channel_in_flight allow_users instructions redact store_text retention_days
see_persons weekly_report escalation_channel
"""
COMMANDS = {
    "demo": "--tour --port --no-browser",
    "serve": "--host --port",
    "doctor": "--json",
    "manifest": "--http --only",
    "migrate": "",
    "report": "--month --channel --by --format",
    "ledger": "--format --since --until",
    "policy": "--channel --json",
    "eval": "--repeat --models --case --sets --yes --json",
    "dead": "",
    "backup": "",
    "audit": "--user --channel --ticket --day --since --until --format",
    "forget": "--user --name",
}


def section(title: str) -> str:
    """A section of the README, by its title."""
    return re.split(r"^#+ ", README.split(f"### {title}\n", 1)[1], flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of every table row that begins with a name in backticks."""
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in text.splitlines()
        if line.startswith("| `")
    ]


def names(cell: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def options(command: click.Command) -> set[str]:
    """A command's long options."""
    return {o for p in command.params for o in p.opts if o.startswith("--") and o != "--help"}


def test_each_setting_is_in_the_readme() -> None:
    """Its table names what is read from the environment, no less and no more."""
    told = [name for row in rows(section("Settings")) for name in names(row[0])]

    assert sorted(told) == sorted(name.upper() for name in Settings.model_fields)
    assert sorted(told) == sorted(ENVIRONMENT.split())


def test_the_example_environment_names_settings_alone() -> None:
    """Whoever copies .env.example sets nothing that is not read."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    told = {
        *dotenv_values(ROOT / ".env.example"),
        *re.findall(r"^# ([A-Z_]+)=", text, re.MULTILINE),
    }

    assert told <= set(ENVIRONMENT.split())
    assert {"SLACK_BOT_TOKEN", "ANTHROPIC_API_KEY", "JIRA_API_TOKEN"} <= told


def _default(cell: str) -> Any:
    """A default as the table writes it: in TOML, or none."""
    written = names(cell)
    return tomllib.loads(f"x = {written[0]}")["x"] if written else None


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return list(value) if isinstance(value, tuple) else value


def test_each_key_of_the_policy_is_in_the_readme_with_its_default() -> None:
    """Its tables name what the policy file takes, and what holds without it."""
    told = {
        names(row[0])[0]: _default(row[1])
        for row in rows(section("Policy"))[: len(Rules.model_fields)]
    }
    space = {names(row[0])[0]: _default(row[1]) for row in rows(section("Policy"))[len(told) :]}

    assert told == {key: _plain(value) for key, value in Rules().model_dump().items()}
    assert space == {key: _plain(value) for key, value in Workspace().model_dump().items()}
    assert sorted(told) == sorted(POLICY.split())


def test_each_command_is_in_the_readme_with_its_options() -> None:
    """Its table names every command, and each option that it names is one of that command."""
    told = {names(row[0])[0].removeprefix("purser "): row[1] for row in rows(section("Commands"))}

    assert sorted(told) == sorted(main.commands)
    for name, text in told.items():
        assert {n for n in names(text) if n.startswith("--")} == options(main.commands[name])


def test_the_promised_commands_take_the_promised_options() -> None:
    """What others start Purser with goes on to work."""
    assert {name: sorted(options(main.commands[name])) for name in COMMANDS} == {
        name: sorted(promised.split()) for name, promised in COMMANDS.items()
    }
    dead = main.commands["dead"]
    assert isinstance(dead, click.Group)
    assert set(dead.commands) == {"retry", "drop"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_names_a_command_that_there_is_not(page: Path) -> None:
    """Wherever a page says `purser something`, there is such a command."""
    said = re.findall(r"(?<![@\w/])purser ([a-z]+)", page.read_text(encoding="utf-8"))

    assert [word for word in said if word not in main.commands] == []


def test_the_columns_of_the_books_are_in_the_readme() -> None:
    """In their order."""
    [line] = [line for line in section("The books").splitlines() if line.startswith("`entry_id`")]

    assert tuple(names(line)) == COLUMNS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_names_a_file_that_there_is_not(page: Path) -> None:
    """Each test that is said to hold a promise, and each page that is linked, exists."""
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"`((?:tests|docs|bot|benchmarks)/[\w/.-]+\.\w+)`", text)
    linked = [page.parent / link for link in re.findall(r"\]\(([\w./-]+)\)", text)]

    assert [name for name in named if not (ROOT / name).is_file()] == []
    assert [link for link in linked if not link.exists()] == []


def test_each_trouble_names_the_test_that_holds_it() -> None:
    """Every row of the page on troubles says which test drives the bot into it, or that it is one of the row before."""
    text = (ROOT / "docs" / "troubles.md").read_text(encoding="utf-8")
    told = [line for line in text.splitlines() if line.startswith("| ")][2:]

    assert len(told) > 25
    assert [row for row in told if not re.search(r"`tests/[\w/]+\.py`|same stories", row)] == []


def test_each_threat_names_its_guard_and_the_test_that_holds_it() -> None:
    """Every row of the page on security has both; what nothing guards stands below, with the reason."""
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    told = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("| ")][2:]

    assert len(told) > 20
    assert [row for row in told if len(row) != 3 or not all(cell.strip() for cell in row)] == []
    assert [row for row in told if not re.search(r"`tests/[\w/]+\.py`", row[2])] == []
    assert "## Not covered, and why" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_names_a_make_target_that_there_is_not(page: Path) -> None:
    """`make something` works as written."""
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    said = re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE)

    assert [word for word in said if word not in targets] == []


def test_setup_explains_each_scope_and_event() -> None:
    """The page on setting up gives each with the manifest's own reason."""
    text = (ROOT / "docs" / "setup.md").read_text(encoding="utf-8")
    told = {names(row[0])[0]: row[1].strip(" |") for row in rows(text)}

    assert {scope: told.get(scope) for scope in SCOPES} == dict(SCOPES)
    assert {event: told.get(event) for event in EVENTS} == dict(EVENTS)


def test_each_decision_is_listed_once() -> None:
    """Their list names every page there is, and what a page says of the tree is there."""
    pages = {page.name: page.read_text(encoding="utf-8") for page in DECISIONS.glob("*.md")}
    listed = re.findall(r"^- \[[^]]+\]\(([\w.-]+)\)$", pages.pop("README.md"), re.MULTILINE)
    named = {n for t in pages.values() for n in re.findall(r"`((?:bot|tests|docs)/[\w/.-]+)`", t)}

    assert sorted(listed) == sorted(pages)
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_each_decision_says_what_was_needed_and_chosen() -> None:
    """And what was tried or looked at, and, but for the smallest, what would change our mind."""
    pages = [page for page in DECISIONS.glob("*.md") if page.name != "README.md"]

    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert "**Needed.**" in text, page.name
        assert "**Chosen.**" in text, page.name
        assert re.search(r"\*\*(Tried|Looked at)\.\*\*", text), page.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_names_a_metric_that_there_is_not(page: Path) -> None:
    """Each is one that /metrics gives, by the very name that it has there."""
    families = list(Metrics().registry.collect())
    given = {f"{f.name}_total" if f.type == "counter" else f.name for f in families}
    said = re.findall(r"\bpurser_\w+", page.read_text(encoding="utf-8"))

    assert [name for name in said if name not in given] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_names_a_tool_that_there_is_not(page: Path) -> None:
    """What looks like a tool of Claude's is one of those that are declared."""
    said = re.findall(
        r"`((?:jira_(?!projects|writes)|web_(?!allowed|private)|pull_request_|repository_)\w+)`",
        page.read_text(encoding="utf-8"),
    )

    assert [name for name in said if name not in ORDER] == []
