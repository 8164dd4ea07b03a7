"""`purser reconcile` as it is run: what it prints, and how it exits."""

import json
import time
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.demo.claude import ClaudeStandIn
from bot.demo.claude.admin import Use
from bot.ledger import Ledger
from bot.store.sqlite import SqliteStore
from tests.bot.entries import book, entry
from tests.bot.terminal import Ran, purser

SONNET = "claude-sonnet-5-5"
YESTERDAY = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(
    days=1
)


@pytest.fixture
async def claude() -> AsyncIterator[ClaudeStandIn]:
    """Claude, whose reports hold one answer of yesterday."""
    stand_in = ClaudeStandIn()
    own = stand_in.admin
    tokens = (1_000, 0, 0, 0, 100)
    own.others.append(Use(YESTERDAY, own.key_id, own.workspace, SONNET, tokens))
    await stand_in.start()
    yield stand_in
    await stand_in.stop()


@pytest.fixture
async def books(tmp_path: Path) -> AsyncIterator[tuple[SqliteStore, Ledger]]:
    """The books of a running `serve`, with that answer in them."""
    store = await SqliteStore.open(tmp_path / "purser.db", serve=True)
    ledger = Ledger(store, zone=UTC, now=time.time)
    await book(store, ledger, entry(at=YESTERDAY.timestamp()))
    yield store, ledger
    await store.close()


def environ(claude: ClaudeStandIn, **changes: str) -> Mapping[str, str]:
    """What the command needs."""
    own = {
        "ANTHROPIC_API_KEY": claude.api_key,
        "ANTHROPIC_BASE_URL": claude.url,
        "ANTHROPIC_ADMIN_KEY": claude.admin.key,
    }
    return {name: value for name, value in {**own, **changes}.items() if value}


async def reconcile(tmp_path: Path, claude: ClaudeStandIn, *arguments: str, **changes: str) -> Ran:
    """Run it."""
    return await purser("reconcile", *arguments, cwd=tmp_path, env=environ(claude, **changes))


async def test_what_agrees(
    tmp_path: Path, claude: ClaudeStandIn, books: tuple[SqliteStore, Ledger]
) -> None:
    """Equal books are told in one line, and it exits 0."""
    ran = await reconcile(tmp_path, claude)

    assert (ran.code, ran.err) == (0, "")
    assert "Unexplained: $0.0000 of $0.0030 (0.00%); that is little enough." in ran.out


async def test_what_does_not(
    tmp_path: Path, claude: ClaudeStandIn, books: tuple[SqliteStore, Ledger]
) -> None:
    """A difference without a cause is a line with both counts, and it exits 1; as JSON it is the same."""
    await book(*books, entry(at=YESTERDAY.timestamp(), input_tokens=50))
    ran = await reconcile(tmp_path, claude)
    document = json.loads((await reconcile(tmp_path, claude, "--json")).out)

    assert ran.code == 1
    assert "unexplained -50" in ran.out
    assert "that is too much" in ran.out
    assert document["agrees"] is False
    assert [(d["kind"], d["unexplained"]) for d in document["differences"]] == [
        ("input_tokens", -50),
        ("output_tokens", -100),
    ]


async def test_causes_are_explained(
    tmp_path: Path, claude: ClaudeStandIn, books: tuple[SqliteStore, Ledger]
) -> None:
    """Below the lines stands what each cause means; days outside `--since` and `--until` are left out."""
    own = claude.admin
    later = YESTERDAY + timedelta(hours=3)
    own.others.append(Use(later, own.key_id, own.workspace, SONNET, (7, 0, 0, 0, 0)))
    day = f"{YESTERDAY:%Y-%m-%d}"
    ran = await reconcile(tmp_path, claude, "--since", day)
    before = await reconcile(tmp_path, claude, "--until", day)

    assert ran.code == 0
    assert "key used elsewhere +7" in ran.out
    assert (
        "key used elsewhere: our key was used in minutes in which Purser asked nothing" in ran.out
    )
    assert "Unexplained: $0.0000 of $0.0000" in before.out


async def test_another_price_is_told(
    tmp_path: Path, claude: ClaudeStandIn, books: tuple[SqliteStore, Ledger]
) -> None:
    """Where the tokens agree and the dollars do not, both sums are told."""
    claude.admin.prices[SONNET] = ("4", "5", "8", "0.2", "20")
    ran = await reconcile(tmp_path, claude)

    assert f"{SONNET}: price version: $0.0030 here, $0.0060 there" in ran.out
    assert "price version: the tokens agree and their price does not" in ran.out


@pytest.mark.parametrize(
    ("arguments", "changes", "sentence"),
    [
        ((), {"ANTHROPIC_ADMIN_KEY": ""}, "ANTHROPIC_ADMIN_KEY: is not set; an Admin key"),
        ((), {"ANTHROPIC_ADMIN_KEY": "sk-ant-admin-wrong"}, "does not accept ANTHROPIC_ADMIN_KEY"),
        ((), {"ANTHROPIC_API_KEY": "sk-ant-api03-x"}, "is another organization's"),
        (("--since", "soon"), {}, "I don't know the day 'soon'. Write 2026-11-22"),
        (("--since", "2026-02-30"), {}, "There is no day 2026-02-30"),
        (("--since", "2026-03-02", "--until", "2026-03-01"), {}, "does not lie before"),
    ],
)
async def test_bad_input_is_a_sentence(
    tmp_path: Path,
    claude: ClaudeStandIn,
    books: tuple[SqliteStore, Ledger],
    arguments: tuple[str, ...],
    changes: dict[str, str],
    sentence: str,
) -> None:
    """What cannot be compared is told in a sentence that says what to do, and no key is in it."""
    ran = await reconcile(tmp_path, claude, *arguments, **changes)

    assert (ran.code, ran.out) == (2, "")
    assert sentence in ran.err
    assert "sk-ant-admin-wrong" not in ran.err
    assert claude.api_key not in ran.err
