"""The commands at the terminal: what they print, beside a running serve, and how bad usage ends."""

import csv
import io
import json
import socket
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from bot.__main__ import main
from bot.ask import Signal
from bot.audit import Audit, Record, Wanted, record
from bot.demo.slack import SlackStandIn
from bot.inbox import Arrival, Inbox
from bot.ledger import Ledger
from bot.slack.manifest import manifest
from bot.store import Transaction
from bot.store.sqlite import SqliteStore
from tests.bot.entries import NOVEMBER, book, entry, warm
from tests.bot.stores import ask
from tests.bot.terminal import PURSER, Ran, purser, run

UTC = ZoneInfo("UTC")
ROOT = Path(__file__).parents[2]
# As everybody may rely on: the columns of the books, in their order.
COLUMNS = """
entry_id message_id iteration ask_id at team channel user thread feature purpose model prompt_version
input_tokens cache_write_5m_tokens cache_write_1h_tokens cache_read_tokens output_tokens thinking_tokens
service_tier speed inference_geo stop_reason refusal_category billed cost_usd price_version request_id
ttft_ms latency_ms status
"""
FULL = {
    "SLACK_BOT_TOKEN": "xoxb-1-secret",
    "SLACK_APP_TOKEN": "xapp-1-secret",
    "ANTHROPIC_API_KEY": "sk-ant-secret",
}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """A database that a serve holds."""
    store = await SqliteStore.open(tmp_path / "purser.db", serve=True)
    yield store
    await store.close()


@pytest.fixture
def books(served: SqliteStore) -> Ledger:
    """The books in it."""
    return Ledger(served, zone=UTC, now=lambda: NOVEMBER)


def refused(ran: Ran, *words: str) -> None:
    """Bad usage: exit 2, a sentence, no traceback, nothing on stdout."""
    assert (ran.code, ran.out) == (2, ""), ran.err
    assert "Traceback" not in ran.err
    assert [word for word in words if word not in ran.err] == [], ran.err


def names_in(folder: Path) -> list[str]:
    """What lies in a folder."""
    return [path.name for path in folder.iterdir()]


def rows_of(ran: Ran) -> list[dict[str, Any]]:
    """The rows of `ledger` as JSON."""
    assert ran.code == 0, ran.err
    return [json.loads(line) for line in ran.out.splitlines()]


async def test_a_command_loads_no_client_that_it_does_not_need(tmp_path: Path) -> None:
    """The terminal answers at once: strangers' SDKs are loaded by the commands that speak to strangers."""
    heavy = "{'anthropic', 'aiohttp', 'slack_sdk', 'slack_bolt', 'jira', 'jsonschema', 'psycopg'}"
    ran = await run(
        sys.executable,
        "-c",
        f"import sys, bot.__main__; print(sorted({heavy} & sys.modules.keys()))",
        cwd=tmp_path,
    )

    assert (ran.code, ran.out) == (0, "[]\n"), ran.err


# Bad usage


async def test_everything_that_serving_lacks_is_named_at_once(tmp_path: Path) -> None:
    """An empty environment is told each name it needs and where to find it."""
    ran = await purser("serve", cwd=tmp_path)

    refused(ran, "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN", "ANTHROPIC_API_KEY")
    assert not (tmp_path / "purser.db").exists()


async def test_environment_and_policy_are_mended_in_one_go(tmp_path: Path) -> None:
    """What is malformed, what is missing and what is wrong in the policy stand in one list; no secret does."""
    (tmp_path / "purser.toml").write_text(
        '[defaults]\nmodel = "claude-sonnet-latest"\nrounds = 900\n[channels.C1]\neffort = "huge"\n'
    )
    env = {"SLACK_BOT_TOKEN": "hunter2", "PORT": "many", "JIRA_URL": "jira", "LOG_LEVEL": "loud"}
    ran = await purser("serve", cwd=tmp_path, env=env)

    refused(
        ran,
        "SLACK_BOT_TOKEN: should begin with xoxb-",
        "PORT: ",
        "JIRA_URL: should be an address",
        "LOG_LEVEL: should be one of",
        "JIRA_API_TOKEN: is not set",
        "ANTHROPIC_API_KEY: is not set",
        "[defaults]: model: names a moving target; write the model itself, such as claude-sonnet-5-5",
        "[defaults]: rounds: ",
        "[channels.C1]: effort: ",
    )
    assert "hunter2" not in ran.err
    assert ran.err.count("SLACK_BOT_TOKEN") == 1


@pytest.mark.parametrize("command", ["serve", "doctor", "ledger", "report", "policy", "dead"])
async def test_every_command_refuses_a_broken_policy(tmp_path: Path, command: str) -> None:
    """None of them works by half a policy."""
    (tmp_path / "rules.toml").write_text("[defaults]\nmodell = 1\n")
    env = {**FULL, "PURSER_POLICY": "rules.toml"}

    refused(await purser(command, cwd=tmp_path, env=env), "rules.toml", "did you mean model?")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DATABASE_URL", "mysql://root@db/x", "DATABASE_URL: should be sqlite:///path"),
        ("DYNO", "web.1", "DATABASE_URL: Heroku throws a dyno's disk away"),
        ("PURSER_POLICY", "none.toml", "PURSER_POLICY: there is no file none.toml"),
        ("SSL_CERT_FILE", "none.pem", "SSL_CERT_FILE: there is no file none.pem"),
        (
            "ANTHROPIC_API_KEY_FILE",
            "none",
            "ANTHROPIC_API_KEY_FILE: the file that it names cannot be read",
        ),
        (
            "ANTHROPIC_BASE_URL",
            "https://me:pw@host",
            "ANTHROPIC_BASE_URL: should be an address such as https://api.anthropic.com",
        ),
    ],
)
async def test_a_setting_that_cannot_hold_is_named(
    tmp_path: Path, name: str, value: str, words: str
) -> None:
    """Each by its name, with what it should be."""
    refused(await purser("policy", cwd=tmp_path, env={name: value}), words)


async def test_dotenv_is_read_and_a_broken_one_is_named(tmp_path: Path) -> None:
    """`.env` in the folder counts; one that is no text is refused by its name."""
    (tmp_path / ".env").write_text("PORT=many\n")
    refused(await purser("policy", cwd=tmp_path), "PORT: ")

    (tmp_path / ".env").write_bytes("PORT=1".encode("utf-16"))
    refused(await purser("policy", cwd=tmp_path), ".env: cannot be read")


async def test_a_twin_gives_what_serving_needs(tmp_path: Path) -> None:
    """With each secret in a file of its own nothing is missing: what is refused next is the database."""
    for name, value in FULL.items():
        (tmp_path / name).write_text(f"{value}\n")
    env = {f"{name}_FILE": name for name in FULL} | {"DATABASE_URL": "sqlite:///nowhere/purser.db"}
    ran = await purser("serve", cwd=tmp_path, env=env)

    refused(ran, "nowhere")
    assert "is not set" not in ran.err


def _usages() -> list[tuple[str, ...]]:
    """Every command with an option that it does not have, and commands with values they cannot take."""
    unknown = [(name, "--frobnicate") for name in main.commands]
    return [
        *unknown,
        ("frobnicate",),
        ("serve", "--port", "70000"),
        ("demo", "--port", "x"),
        ("ledger", "--format", "xml"),
        ("report", "--format", "xml"),
        ("report", "--by", "moon"),
        ("report", "--channel", "#general"),
        ("policy", "--channel", "general"),
        ("manifest", "--http", "http://insecure.example"),
        ("manifest", "--only", "/cost"),
        ("backup",),
        ("dead", "retry"),
        ("dead", "frobnicate"),
    ]


@pytest.mark.parametrize("usage", _usages(), ids=" ".join)
def test_bad_usage_exits_2_with_a_sentence(usage: tuple[str, ...]) -> None:
    """An unknown command, option or value is refused before anything is read."""
    result = CliRunner().invoke(main, usage)

    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert len(result.stderr.strip()) > 10


async def test_a_database_that_is_served_is_not_served_twice(
    tmp_path: Path, served: SqliteStore
) -> None:
    """A second serve on the file is refused with what to do."""
    assert await served.ready()

    refused(
        await purser("serve", cwd=tmp_path, env=FULL), "Another `purser serve`", "stop it first"
    )


async def test_a_port_that_is_taken_is_said_plainly(tmp_path: Path) -> None:
    """Serving where something else listens ends with a sentence, not a trace."""
    async with SlackStandIn() as slack:
        with closing(socket.create_server(("127.0.0.1", 0))) as taken:
            port = str(taken.getsockname()[1])
            env = {
                **FULL,
                "SLACK_BOT_TOKEN": slack.bot_token,
                "SLACK_API_URL": slack.api_url,
                "ANTHROPIC_BASE_URL": slack.url,
            }
            ran = await purser("serve", "--port", port, cwd=tmp_path, env=env)

    assert ran.code == 2, ran.err
    assert "cannot listen on 127.0.0.1" in ran.err
    assert "--port" in ran.err


async def test_a_demo_beside_another_on_its_port_is_told_so(tmp_path: Path) -> None:
    """Whoever wants the page on a port that is taken reads a sentence, not a trace."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        ran = await purser("demo", "--no-browser", "--port", port, cwd=tmp_path)

    refused(ran, "cannot listen on 127.0.0.1", "another --port")


async def test_a_demo_whose_bot_does_not_start_says_why(tmp_path: Path) -> None:
    """What the bot said last is shown; a certificate that is not there is one such reason."""
    env = {"SSL_CERT_FILE": "none.pem"}
    ran = await purser("demo", "--no-browser", "--tour", cwd=tmp_path, env=env)

    assert ran.code == 1, ran.err
    assert "SSL_CERT_FILE: there is no file none.pem" in ran.err
    assert "Traceback" not in ran.err


async def test_a_terminal_that_knows_few_letters_is_no_obstacle(tmp_path: Path) -> None:
    """Where signs cannot be shown, the words still are."""
    env = {"PYTHONIOENCODING": "iso-8859-15"}
    ran = await run(str(PURSER), "doctor", cwd=tmp_path, env=env)

    assert (ran.code, ran.err) == (1, "")
    assert "? SLACK_BOT_TOKEN: is not set ? the bot token" in ran.out


async def test_the_manifest_is_what_slack_takes(tmp_path: Path) -> None:
    """`purser manifest` and `python -m bot manifest` print the same JSON, in each variant."""
    plain = await purser("manifest", cwd=tmp_path)
    same = await run(
        sys.executable, "-m", "bot", "manifest", cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}
    )
    http = await purser("manifest", "--http", "https://x.example", "--only", "/buddy", cwd=tmp_path)

    assert json.loads(plain.out) == manifest()
    assert same == plain
    assert json.loads(http.out) == manifest(http="https://x.example", only="/buddy")


# The books, row by row


async def test_the_ledger_has_the_promised_columns_in_order(
    tmp_path: Path, served: SqliteStore, books: Ledger
) -> None:
    """Each row is a JSON object: exact decimal text for money, null for an unknown price, UTC for the time."""
    await book(
        served,
        books,
        entry(at=NOVEMBER + 0.1239, cost=Decimal(5).scaleb(-12)),
        entry(at=NOVEMBER + 2, cost=None, price_version=None, model="claude-next"),
        warm(at=NOVEMBER + 1, cost=Decimal("1.50"), billed=False),
    )
    rows = rows_of(await purser("ledger", cwd=tmp_path))

    assert [list(row) for row in rows] == [COLUMNS.split()] * 3
    assert [row["cost_usd"] for row in rows] == ["0.000000000005", "1.5", None]
    assert [row["at"] for row in rows][:2] == [
        "2026-11-18T11:06:40.123Z",
        "2026-11-18T11:06:41.000Z",
    ]
    assert [(row["channel"], row["billed"]) for row in rows][:2] == [("C1", True), (None, False)]


async def test_the_ledger_as_csv_is_the_same_rows(
    tmp_path: Path, served: SqliteStore, books: Ledger
) -> None:
    """A header and one line for each row; null is empty, and no cell is a formula."""
    await book(served, books, entry(cost=None), entry(model='=HYPERLINK("http://x")', billed=False))
    ran = await purser("ledger", "--format", "csv", cwd=tmp_path)
    table = list(csv.DictReader(io.StringIO(ran.out)))

    assert ran.out.splitlines()[0] == ",".join(COLUMNS.split())
    assert [row["cost_usd"] for row in table] == ["", "0.003"]
    assert [row["billed"] for row in table] == ["true", "false"]
    assert table[1]["model"] == '\'=HYPERLINK("http://x")'
    assert table[0]["input_tokens"] == "1000"


@pytest.mark.parametrize(
    ("options", "seen"),
    [
        ((), "abcd"),
        (("--since", "2026-11-18"), "bcd"),
        (("--since", "2026-11-18T12:00"), "cd"),
        (("--since", "2026-11-18T11:00:00Z"), "cd"),
        (("--until", "2026-11-18T12:00:00+01:00"), "ab"),
        (("--since", "2026-11", "--until", "2026-11-18T12:00:00"), "ab"),
        (("--until", "2026-11"), ""),
        (("--since", "2026-12"), ""),
    ],
)
async def test_a_span_of_the_ledger_is_in_the_workspaces_time(
    tmp_path: Path, served: SqliteStore, books: Ledger, options: tuple[str, ...], seen: str
) -> None:
    """Days and times without an offset are the workspace's; `--since` is inside, `--until` is not."""
    (tmp_path / "purser.toml").write_text('[workspace]\ntimezone = "Europe/Berlin"\n')
    noon = 1_794_999_600.0  # 2026-11-18 11:00 in UTC, 12:00 in Berlin
    midnight = noon - 12 * 3600
    times = {"a": midnight - 0.001, "b": midnight, "c": noon, "d": noon + 0.5}
    await book(served, books, *[entry(entry_id=name, at=at) for name, at in times.items()])

    rows = rows_of(await purser("ledger", *options, cwd=tmp_path))
    assert "".join(row["entry_id"] for row in rows) == seen


@pytest.mark.parametrize(
    "options",
    [
        ("--since", "yesterday"),
        ("--until", "2026-13"),
        ("--since", "2026-11-31"),
        ("--since", "2026-12-01", "--until", "2026-11-01"),
    ],
)
async def test_a_span_that_is_none_is_refused(
    tmp_path: Path, served: SqliteStore, options: tuple[str, ...]
) -> None:
    """A moment that cannot be read, or an end before the beginning, exits 2."""
    assert await served.ready()

    refused(await purser("ledger", *options, cwd=tmp_path), options[1])


async def test_a_reader_may_leave_early(tmp_path: Path, served: SqliteStore, books: Ledger) -> None:
    """`purser ledger | head -1` ends without a trace."""
    await book(served, books, *[entry() for _ in range(3_000)])
    ran = await run("/bin/sh", "-c", f"'{PURSER}' ledger | head -n 1", cwd=tmp_path)

    assert len(rows_of(ran)) == 1
    assert ran.err == ""


# Reports


async def test_a_report_for_programs_is_exact(
    tmp_path: Path, served: SqliteStore, books: Ledger
) -> None:
    """JSON has its period, the lines, the total and what the cache saved; money is text."""
    read = entry(input_tokens=0, cache_read_tokens=1_000_000, output_tokens=0, cost=Decimal("0.1"))
    await book(served, books, read, entry(channel="C2", cost=Decimal("0.2")), warm(cost=None))
    ran = await purser("report", "--month", "2026-11", "--format", "json", cwd=tmp_path)
    told = json.loads(ran.out)

    assert [line["channel"] for line in told["lines"]] == ["C2", "C1", "shared"]
    assert told["total"]["cost_usd"] == "0.3"
    assert told["lines"][1]["saved_usd"] == "1.9"
    assert told["unpriced_models"] == ["claude-sonnet-5-5"]
    assert (told["since"], told["until"]) == (
        "2026-11-01T00:00:00+00:00",
        "2026-12-01T00:00:00+00:00",
    )


async def test_a_report_for_spreadsheets_ends_with_the_total(
    tmp_path: Path, served: SqliteStore, books: Ledger
) -> None:
    """CSV by any dimension, of one channel; no cell is a formula."""
    await book(served, books, entry(user="@U1", cost=Decimal(2)), entry(), entry(channel="C2"))
    options = ("--channel", "C1", "--by", "user", "--format", "csv", "--month", "2026-11")
    ran = await purser("report", *options, cwd=tmp_path)
    table = list(csv.DictReader(io.StringIO(ran.out)))

    assert [(row["user"], row["cost_usd"]) for row in table] == [
        ("'@U1", "2"),
        ("U1", "0.003"),
        ("total", "2.003"),
    ]


async def test_a_report_for_people_says_what_to_trust(
    tmp_path: Path, served: SqliteStore, books: Ledger
) -> None:
    """A table with a total, the cache's part, estimates, refusals and what has no price; whole in a pipe."""
    await book(
        served,
        books,
        entry(cost=Decimal("1234.5"), channel="C0" + "X" * 40),
        entry(cost=Decimal("0.25"), status="unconfirmed"),
        entry(cost=Decimal("0.5"), stop_reason="refusal"),
        entry(cost=None, model="claude-next", input_tokens=30, output_tokens=12),
    )
    ran = await purser("report", "--month", "2026-11", cwd=tmp_path)

    assert ran.code == 0
    assert "all channels, 2026-11 (UTC)" in ran.out
    for words in (
        "C0" + "X" * 40,
        "cache saved",
        "total",
        "$1,235.2500",
        "$0.2500 of it is our estimate",
        "$0.5000 of it went into refusals",
        "42 tokens have no known price (claude-next)",
    ):
        assert words in ran.out


@pytest.mark.parametrize(
    ("zone", "cost", "since"),
    [
        ("UTC", "0", "2026-11-01T00:00:00+00:00"),
        ("Pacific/Auckland", "3", "2026-11-01T00:00:00+13:00"),
    ],
)
async def test_a_month_is_counted_where_the_workspace_is(
    tmp_path: Path, served: SqliteStore, zone: str, cost: str, since: str
) -> None:
    """The same row is of October in UTC and of November in Auckland."""
    books = Ledger(served, zone=ZoneInfo(zone), now=time.time)
    await book(served, books, entry(at=1_793_487_600.0, cost=Decimal(3)))  # 2026-10-31 23:00 UTC
    (tmp_path / "purser.toml").write_text(f'[workspace]\ntimezone = "{zone}"\n')
    ran = await purser("report", "--month", "2026-11", "--format", "json", cwd=tmp_path)

    told = json.loads(ran.out)
    assert (told["total"]["cost_usd"], told["since"]) == (cost, since)


async def test_a_report_tells_days_budget_and_forecast(
    tmp_path: Path, served: SqliteStore, books: Ledger
) -> None:
    """The running month has a bar for each day, its budget, and what it will have cost; for programs exactly."""
    now = time.time()
    rows = [entry(at=now - n * 86_400, cost=Decimal("1.25")) for n in range(1, 60)]
    await book(served, books, *rows)
    (tmp_path / "purser.toml").write_text("[workspace]\nmonthly_budget_usd = 30\n")
    told = (await purser("report", cwd=tmp_path)).out
    made = json.loads((await purser("report", "--format", "json", cwd=tmp_path)).out)["forecast"]

    assert "of a budget of $30.0000" in told
    assert "By the month's end about $3" in told
    assert set(made) == {"expected_usd", "low_usd", "high_usd"}
    assert Decimal(made["expected_usd"]) % Decimal("1.25") == 0
    day = datetime.fromtimestamp(now, UTC).day
    assert day == 1 or f"{'█' * (day - 1)}▁  a day, at most $1.2500" in told


async def test_what_was_thumbed_down_stands_apart(
    tmp_path: Path, served: SqliteStore, books: Ledger
) -> None:
    """By feedback: what was disliked and what it cost, and the rest; the sum is that of the books."""
    await book(served, books, entry(ask_id="a", cost=Decimal(2)), entry(cost=Decimal("0.5")))
    press = Signal("s", "k", "feedback", "T1", "C1", "U1", NOVEMBER + 9, ask_id="a", text="bad")
    await Inbox(served, now=time.time, worker="w").put(Arrival(("k",), None, press))
    options = ("--month", "2026-11", "--by", "feedback", "--format", "csv")
    table = list(csv.DictReader(io.StringIO((await purser("report", *options, cwd=tmp_path)).out)))

    assert [(row["feedback"], row["cost_usd"]) for row in table] == [
        ("thumbs down", "2"),
        ("not rated", "0.5"),
        ("total", "2.5"),
    ]


async def test_nothing_spent_and_a_channel_nobody_knows(
    tmp_path: Path, served: SqliteStore, books: Ledger
) -> None:
    """A month without rows is nothing, in a sentence; a channel without any row is said to have none."""
    await book(served, books, entry())
    nothing = await purser("report", "--month", "2026-01", "--channel", "C1", cwd=tmp_path)
    unknown = await purser("report", "--month", "2026-11", "--channel", "C77", cwd=tmp_path)

    assert nothing.out.splitlines()[1:] == ["Nothing."]
    assert unknown.out.splitlines()[1] == "Nothing."
    assert "No row of the books is of channel C77" in unknown.out


async def test_what_no_report_can_show_is_refused(tmp_path: Path, served: SqliteStore) -> None:
    """Months that never were or are to come have no report."""
    assert await served.ready()

    refused(await purser("report", "--month", "2026-13", cwd=tmp_path), "2026-13", "2026-11")
    refused(await purser("report", "--month", "2099-12", cwd=tmp_path), "future")


# The database


@pytest.mark.parametrize("command", [("ledger",), ("report",), ("dead",), ("backup", "copy.db")])
async def test_without_a_database_none_is_made(tmp_path: Path, command: tuple[str, ...]) -> None:
    """Whoever reads in the wrong folder is told so, and leaves nothing behind."""
    refused(await purser(*command, cwd=tmp_path), "purser.db", "DATABASE_URL")
    assert names_in(tmp_path) == []


async def test_migrating_says_what_it_did(tmp_path: Path) -> None:
    """An older file is copied and brought up; a second run has nothing to do; readers are sent here."""
    path = tmp_path / "purser.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE kept (word TEXT)")

    refused(await purser("ledger", cwd=tmp_path), "purser migrate")
    first, second = [await purser("migrate", cwd=tmp_path) for _ in range(2)]
    copies = [name for name in names_in(tmp_path) if ".before-" in name]

    assert (first.code, len(copies)) == (0, 1)
    assert copies[0] in first.out
    assert second.out == "purser.db is up to date.\n"
    assert (await purser("ledger", cwd=tmp_path)).code == 0


def test_a_release_migrates() -> None:
    """The Procfile's lines are the promised ones."""
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())

    assert lines == {
        "web": "purser serve --host 0.0.0.0",
        "release": "purser migrate",
        "worker": "purser serve",
    }


async def test_a_backup_is_taken_beside_a_serve(
    tmp_path: Path, served: SqliteStore, books: Ledger
) -> None:
    """The copy has what was committed, is for its owner alone, and overwrites nothing; of the key beside it is told."""
    await book(served, books, entry(entry_id="kept"))
    tx = Transaction()
    record(tx, Record("T1", "C1", "U1", "", "set", "paused"), at=NOVEMBER)
    await served.commit(tx)
    ran = await purser("backup", "copy.db", cwd=tmp_path)

    assert ran.code == 0
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    assert str(tmp_path / "purser.db-audit-key") in ran.out
    env = {"DATABASE_URL": "sqlite:///copy.db"}
    rows = rows_of(await purser("ledger", cwd=tmp_path, env=env))
    assert [row["entry_id"] for row in rows] == ["kept"]
    refused(await purser("backup", "copy.db", cwd=tmp_path), "copy.db exists already")


# Policy


def _policy(ran: Ran) -> Mapping[str, Any]:
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


async def test_a_policy_says_where_each_value_comes_from(tmp_path: Path) -> None:
    """Every key with its value and its source: default, [defaults] or the channel's own table."""
    (tmp_path / "purser.toml").write_text(
        '[defaults]\neffort = "high"\nmonthly_budget_usd = 10.10\n'
        '[channels.C1]\neffort = "low"\njira_projects = ["SHOP"]\n'
        '[workspace]\ntimezone = "Europe/Berlin"\n[admins]\nusers = ["U1"]\n'
    )
    told = _policy(await purser("policy", "--channel", "C1", "--json", cwd=tmp_path))
    rules = told["policy"]

    assert rules["effort"] == {"value": "low", "source": "[channels.C1]"}
    assert rules["jira_projects"] == {"value": ["SHOP"], "source": "[channels.C1]"}
    assert rules["monthly_budget_usd"] == {"value": "10.1", "source": "[defaults]"}
    assert rules["rounds"] == {"value": 12, "source": "default"}
    assert rules["fallback_model"] == {"value": None, "source": "default"}
    assert told["workspace"]["timezone"] == {"value": "Europe/Berlin", "source": "[workspace]"}
    assert told["workspace"]["paused"] == {"value": False, "source": "default"}
    assert told["admins"] == ["U1"]

    elsewhere = _policy(await purser("policy", "--json", cwd=tmp_path))
    assert elsewhere["policy"]["effort"] == {"value": "high", "source": "[defaults]"}


async def test_a_policy_for_people_is_a_table(tmp_path: Path) -> None:
    """The same, a line for each key."""
    (tmp_path / "purser.toml").write_text('[channels.C1]\ninstructions = "Be brief.\\nVery."\n')
    ran = await purser("policy", "--channel", "C1", cwd=tmp_path)
    lines = [" ".join(line.split()) for line in ran.out.splitlines()]

    assert "instructions Be brief. Very. [channels.C1]" in lines
    assert "rounds 12 default" in lines
    assert "redact all rules default" in lines
    assert "workspace.paused false default" in lines


# Asks that died


async def _bury(store: SqliteStore, *ids: str) -> None:
    """Let asks die as a worker leaves them."""
    inbox = Inbox(store, now=lambda: NOVEMBER, worker="w1")
    for ask_id in ids:
        await inbox.put(Arrival((f"e:{ask_id}",), ask(id=ask_id, at=NOVEMBER, text="a secret")))
        lease = await inbox.take(person_in_flight=9, channel_in_flight=9)
        assert lease is not None
        tx = Transaction(lease)
        inbox.dead(tx, lease, reason="it broke: KeyError; the log has the trace")
        await store.commit(tx)


async def test_dead_asks_are_listed_with_their_reason(tmp_path: Path, served: SqliteStore) -> None:
    """Which, when, whose and why; not what was asked."""
    assert (await purser("dead", cwd=tmp_path)).out == "No dead asks.\n"
    await _bury(served, "0123456789abcdef")
    ran = await purser("dead", cwd=tmp_path)

    for words in ("0123456789abcdef", "2026-11-18 11:06", "C1", "U1", "chat", "it broke: KeyError"):
        assert words in ran.out
    assert "a secret" not in ran.out


async def test_a_dead_ask_gets_another_chance_or_is_given_up(
    tmp_path: Path, served: SqliteStore
) -> None:
    """`retry` lets it wait again, `drop` ends it; by its id or by the reference its asker was told."""
    await _bury(served, "aaaaaaaa11111111", "bbbbbbbb22222222")
    inbox = Inbox(served, now=lambda: NOVEMBER, worker="w1")

    assert (await purser("dead", "retry", "11111111", cwd=tmp_path)).code == 0
    assert (await purser("dead", "drop", "bbbbbbbb22222222", cwd=tmp_path)).code == 0
    queue = await inbox.queue()
    assert (queue.waiting, queue.dead) == (1, 0)
    lease = await inbox.take(person_in_flight=9, channel_in_flight=9)
    assert lease is not None
    assert lease.ask.id == "aaaaaaaa11111111"
    found = [(one["action"], one["outcome"]) async for one in Audit(served).find(Wanted())]
    assert found == [("dead", "retried"), ("dead", "dropped")]


async def test_a_dead_ask_that_is_not_meant_clearly_is_left(
    tmp_path: Path, served: SqliteStore
) -> None:
    """An unknown id and a reference of two asks are refused."""
    await _bury(served, "aaaaaaaa11111111", "bbbbbbbb11111111")

    refused(await purser("dead", "drop", "nothing", cwd=tmp_path), "No dead asks go by nothing")
    refused(await purser("dead", "drop", "11111111", cwd=tmp_path), "2 dead asks go by 11111111")


def test_every_command_says_what_it_does() -> None:
    """Each has a sentence for `--help`."""
    assert [name for name, command in main.commands.items() if not command.help] == []
