"""Claude's reports over a real socket: pages are followed, amounts are exact, and each failure is a sentence."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import aiohttp
import pytest
from aiohttp import web

from bot.demo.claude import ClaudeStandIn
from bot.demo.claude.admin import Use
from bot.demo.claude.errors import Problem
from integrations.claude_admin import (
    AdminBusy,
    AdminDown,
    AdminProblem,
    AdminRefused,
    AdminRejected,
    ClaudeAdmin,
    Key,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SONNET, HAIKU = "claude-sonnet-5-5", "claude-haiku-5-5"
TOKENS = (1_000, 20, 300, 4_000, 101)


@pytest.fixture
async def claude() -> AsyncIterator[ClaudeStandIn]:
    """An organization with one key of ours and one of somebody else."""
    stand_in = ClaudeStandIn(now=NOW.timestamp)
    own = stand_in.admin
    own.add_key("apikey_other", "other", "sk-ant-api03-other", None)
    for days in range(40):
        own.others.append(
            Use(NOW - timedelta(days=days, hours=1), own.key_id, own.workspace, SONNET, TOKENS)
        )
    own.others.append(Use(NOW - timedelta(hours=2), "apikey_other", None, HAIKU, TOKENS))
    own.others.append(Use(NOW - timedelta(minutes=2), own.key_id, own.workspace, SONNET, TOKENS))
    await stand_in.start()
    yield stand_in
    await stand_in.stop()


@pytest.fixture
async def admin(claude: ClaudeStandIn) -> AsyncIterator[ClaudeAdmin]:
    """Its reports, with the right key."""
    async with aiohttp.ClientSession() as session:
        yield ClaudeAdmin(session, base_url=claude.url, key=claude.admin.key)


async def test_usage_is_read_page_by_page(claude: ClaudeStandIn, admin: ClaudeAdmin) -> None:
    """However few buckets stand on a page, each is read once, with its kinds of tokens."""
    claude.admin.page_buckets = 3
    used = await admin.usage(NOW - timedelta(days=35), NOW + timedelta(days=1))

    ours = [one for one in used if one.key == claude.admin.key_id]
    assert len(ours) == 36
    assert [one.at for one in ours] == sorted({one.at for one in ours})
    last = ours[-1]
    assert (last.at, last.model, last.workspace) == (
        *(datetime(2026, 11, 22, tzinfo=UTC), SONNET, claude.admin.workspace),
    )
    assert (
        last.input_tokens,
        last.cache_write_5m_tokens,
        last.cache_write_1h_tokens,
        last.cache_read_tokens,
        last.output_tokens,
    ) == TOKENS  # and not what is two minutes old: the reports are five minutes late


async def test_usage_of_one_key_by_the_minute(claude: ClaudeStandIn, admin: ClaudeAdmin) -> None:
    """Asked about one key and minutes, it tells the minute of each use and nothing of other keys."""
    midnight = NOW.replace(hour=0)
    keys = ["apikey_other"]
    (one,) = await admin.usage(midnight, midnight + timedelta(days=1), width="1m", keys=keys)

    assert (one.at, one.key, one.workspace) == (NOW - timedelta(hours=2), "apikey_other", None)


async def test_cost_is_exact(claude: ClaudeStandIn, admin: ClaudeAdmin) -> None:
    """Cents with their fractions become dollars, by day, workspace and model, to the last digit."""
    charged = await admin.cost(date(2026, 11, 21), date(2026, 11, 23))
    sums: dict[tuple[date, str], Decimal] = {}
    for one in charged:
        sums[one.day, one.model] = sums.get((one.day, one.model), Decimal(0)) + one.dollars

    assert sums == {
        (date(2026, 11, 21), SONNET): Decimal("0.00466"),
        (date(2026, 11, 22), SONNET): Decimal("0.00466"),
        (date(2026, 11, 22), HAIKU): Decimal("0.000253"),
    }


async def test_a_batch_is_charged_half(claude: ClaudeStandIn, admin: ClaudeAdmin) -> None:
    """What went as a batch stands in the cost report at half of the price, and in the usage report whole."""
    own, (first, end) = claude.admin, (date(2026, 11, 22), date(2026, 11, 23))
    batch = Use(NOW - timedelta(hours=1), own.key_id, own.workspace, SONNET, TOKENS, batch=True)
    own.others.append(batch)
    charged = [one.dollars for one in await admin.cost(first, end) if one.model == SONNET]
    used = await admin.usage(NOW.replace(hour=0), NOW + timedelta(days=1))

    assert sum(charged) == Decimal("0.00466") * 3 / 2
    assert 2 * TOKENS[-1] in [one.output_tokens for one in used]


async def test_keys_are_known_by_their_ends(claude: ClaudeStandIn, admin: ClaudeAdmin) -> None:
    """All keys are listed, page by page, and ours is told by the two ends of its value."""
    claude.admin.page_buckets = 1
    keys = await admin.keys()

    assert [key.id for key in keys] == [claude.admin.key_id, "apikey_other"]
    assert [key.id for key in keys if key.is_hinted_at(claude.api_key)] == [claude.admin.key_id]
    assert not Key("k", "k", "", None).is_hinted_at("")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(403, AdminRefused), (429, AdminBusy), (529, AdminBusy), (400, AdminRejected)],
)
async def test_each_failure_is_a_sentence(
    claude: ClaudeStandIn, admin: ClaudeAdmin, status: int, kind: type[AdminProblem]
) -> None:
    """What the other side says is named, with what to do, and without the key."""
    claude.admin.failures.append(Problem(status, "no"))
    with pytest.raises(kind) as caught:
        await admin.keys()

    assert str(caught.value).startswith(str(kind.__doc__))
    assert claude.admin.key not in str(caught.value)


async def test_a_usual_key_is_refused(claude: ClaudeStandIn) -> None:
    """The bot's own key opens no report; the sentence says which one does."""
    async with aiohttp.ClientSession() as session:
        admin = ClaudeAdmin(session, base_url=claude.url, key=claude.api_key)
        with pytest.raises(AdminRefused, match="sk-ant-admin"):
            await admin.cost(date(2026, 11, 21), date(2026, 11, 22))


async def test_nobody_there(claude: ClaudeStandIn, admin: ClaudeAdmin) -> None:
    """An address where nobody answers is told as that."""
    await claude.stop()
    with pytest.raises(AdminDown, match="ANTHROPIC_BASE_URL"):
        await admin.keys()


@pytest.mark.parametrize(
    "body",
    [
        "<html>Welcome</html>",
        json.dumps({"data": [{"results": [{"model": "m", "amount": "1"}]}]}),
        json.dumps(
            {
                "data": [
                    {
                        "starting_at": "2026-11-21T00:00:00Z",
                        "results": [{"model": "m", "amount": "much"}],
                    }
                ]
            }
        ),
        json.dumps({"data": [], "has_more": True, "next_page": "again"}),
    ],
)
async def test_what_is_no_report(body: str) -> None:
    """Pages of something else, buckets without a day, amounts that are none and reports without end are told as that."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=body, content_type="application/json")

    application = web.Application()
    application.router.add_get("/{rest:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession() as session:
        admin = ClaudeAdmin(session, base_url=url, key="sk-ant-admin-x")
        with pytest.raises((AdminDown, AdminRejected)):
            await admin.cost(date(2026, 11, 21), date(2026, 11, 22))
    await runner.cleanup()
