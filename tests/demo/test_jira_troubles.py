"""What goes wrong with the stand-in for Jira when that is ordered."""

import asyncio
import time

import aiohttp
import pytest

from bot.demo.jira import JiraStandIn
from bot.demo.loopback import Troubles
from tests.demo.asking import API, Asker, document

ONE = f"{API}/issue/SHOP-12"


@pytest.fixture
def ask(jira: JiraStandIn, session: aiohttp.ClientSession) -> Asker:
    """Asks the stand-in."""
    return Asker(jira, session)


@pytest.mark.parametrize(
    "reason", ["jira-burst-based", "jira-quota-tenant-based", "jira-per-issue-on-write"]
)
async def test_rate_limits_say_which(reason: str, jira: JiraStandIn, ask: Asker) -> None:
    """A 429 names its kind and how long to wait; after `times` all is well."""
    jira.troubles = Troubles(limited=reason, retry_after="7", times=1)

    first = await ask("GET", ONE)
    second = await ask("GET", ONE)

    assert (first.status, second.status) == (429, 200)
    assert first.headers["ratelimit-reason"] == reason
    assert first.headers["retry-after"] == "7"


async def test_a_gateway_limit_has_no_retry_after(jira: JiraStandIn, ask: Asker) -> None:
    """The header can be left out, or be a date or a fraction."""
    jira.troubles = Troubles(limited="jira-burst-based", retry_after=None, times=1)
    bare = await ask("GET", ONE)
    jira.troubles = Troubles(limited="jira-burst-based", retry_after="1.5", times=1)
    odd = await ask("GET", ONE)

    assert "retry-after" not in bare.headers
    assert odd.headers["retry-after"] == "1.5"


@pytest.mark.parametrize("status", [401, 403, 404, 410, 500, 502, 503, 504])
async def test_any_status_can_be_ordered(status: int, jira: JiraStandIn, ask: Asker) -> None:
    """Nothing is done behind an ordered status, and only matching requests are hit."""
    jira.troubles = Troubles(status=status, on="POST .*/comment$")
    count = len(jira.world.issues["SHOP-12"].comments)

    told = await ask("POST", f"{ONE}/comment", body={"body": document("x")})
    other = await ask("GET", ONE)

    assert (told.status, other.status) == (status, 200)
    assert len(jira.world.issues["SHOP-12"].comments) == count


async def test_a_gateway_answers_in_html(jira: JiraStandIn, ask: Asker) -> None:
    """A 502 may be a page instead of JSON."""
    jira.troubles = Troubles(status=502, html=True)

    told = await ask("GET", ONE)

    assert told.status == 502
    assert told.body.startswith("<html>")


async def test_a_lost_reply_leaves_the_work_done(jira: JiraStandIn, ask: Asker) -> None:
    """`reset`: the comment is written, and the connection is cut without a word."""
    jira.troubles = Troubles(reset=True, on="POST")
    count = len(jira.world.issues["SHOP-12"].comments)

    with pytest.raises(aiohttp.ClientError):
        await ask("POST", f"{ONE}/comment", body={"body": document("x")})

    assert len(jira.world.issues["SHOP-12"].comments) == count + 1
    assert jira.log[-1].status is None


async def test_a_cut_request_leaves_nothing_done(jira: JiraStandIn, ask: Asker) -> None:
    """`refuse`: the connection is cut before the work."""
    jira.troubles = Troubles(refuse=True)
    count = len(jira.world.issues["SHOP-12"].comments)

    with pytest.raises(aiohttp.ClientError):
        await ask("POST", f"{ONE}/comment", body={"body": document("x")})

    assert len(jira.world.issues["SHOP-12"].comments) == count


async def test_half_a_body_is_cut_off(jira: JiraStandIn, ask: Asker) -> None:
    """`cut`: less arrives than was announced."""
    jira.troubles = Troubles(cut=True)

    with pytest.raises(aiohttp.ClientPayloadError):
        await ask("GET", ONE)


async def test_a_drip_lasts(jira: JiraStandIn, session: aiohttp.ClientSession) -> None:
    """`drip`: the first bytes come at once, the last after minutes."""
    jira.troubles = Troubles(drip=0.02)

    async with session.get(f"{jira.url}{API}/serverInfo") as response:
        got = await response.content.read(3)

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(response.read(), 0.1)
    assert got[:1] == b"{"


async def test_a_hanging_request_is_seen_and_let_go(jira: JiraStandIn, ask: Asker) -> None:
    """`hang`: the request is in the log without a status, and stopping does not wait for it."""
    jira.troubles = Troubles(hang=3600)
    asking = asyncio.create_task(ask("GET", ONE))

    await jira.wait_for(lambda: any(h.path == ONE for h in jira.log), 2)
    began = time.monotonic()
    await jira.stop()

    with pytest.raises(aiohttp.ClientError):
        await asking
    assert time.monotonic() - began < 2
    assert jira.log[0].status is None


async def test_expired_tokens_are_told_by_a_header(jira: JiraStandIn, ask: Asker) -> None:
    """Once expired, good credentials are bad ones."""
    jira.expired = True

    told = await ask("GET", f"{API}/myself")

    assert told.status == 401
    assert told.headers["x-seraph-loginreason"] == "AUTHENTICATED_FAILED"


async def test_the_log_holds_requests_and_no_credentials(jira: JiraStandIn, ask: Asker) -> None:
    """Time, method, path, query, body and status are kept; headers are not."""
    await ask("GET", f"{API}/search/jql", jql="project = SHOP")
    heard = jira.log[-1]

    assert (heard.at, heard.method, heard.status) == (jira.now(), "GET", 200)
    assert heard.query == {"jql": "project = SHOP"}
    assert jira.token not in repr(jira.log)


async def test_ten_thousand_matches(jira: JiraStandIn, ask: Asker) -> None:
    """`crowd` makes a project as large as one likes."""
    jira.world.crowd("PAY", 10_000, now=jira.now())

    told = await ask("POST", f"{API}/search/approximate-count", body={"jql": "project = PAY"})

    assert told.body["count"] > 10_000
