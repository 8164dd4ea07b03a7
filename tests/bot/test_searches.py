"""Finding tickets for Claude: within the open projects, restricted ones left out, errors as words."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.demo.jira import JiraStandIn
from bot.demo.loopback import Troubles
from bot.errors import ToolProblem
from bot.policy import Policy
from bot.rules import Rules
from bot.tool_runner import ToolContext
from bot.tools.searches import Searches
from bot.tools.tickets import NO_JIRA
from integrations.jira import Jira
from tests.bot.stores import ask

SHOP = Rules(jira_projects=("SHOP",))
BOTH = Rules(jira_projects=("SHOP", "PAY"))
EVERY = Rules(jira_projects=("*",))


@pytest.fixture
async def site() -> AsyncIterator[JiraStandIn]:
    """Jira with its company."""
    stand_in = JiraStandIn()
    await stand_in.start()
    yield stand_in
    await stand_in.stop()


@pytest.fixture
async def searches(site: JiraStandIn) -> AsyncIterator[Searches]:
    """The tools on our client."""
    jira = Jira(
        site_url=site.url, api_url=site.url, email=site.email, token=site.token, in_flight=4
    )
    yield Searches(jira, Policy())
    await jira.close()


async def called(searches: Searches, name: str, rules: Rules, **given: Any) -> str:
    """What a tool gives."""
    tool = next(t for t in searches.tools() if t.name == name)
    found = await tool.call(given, ToolContext(ask(), rules, 10.0))
    return found if isinstance(found, str) else found.text


async def test_only_open_projects_are_searched(searches: Searches) -> None:
    """A query that names no project, or another one, finds what the channel may read, and nothing else."""
    one = await called(searches, "jira_search", SHOP, jql="status != Done", limit=50)
    both = await called(searches, "jira_search", BOTH, jql="status != Done", limit=50)
    other = await called(searches, "jira_search", SHOP, jql="project = PAY")

    assert "[SHOP-12](" in one
    assert "[PAY-" not in one
    assert "[PAY-" in both
    assert other == "No ticket that this channel may see matches the query."


async def test_a_query_that_would_slip_out_is_not_asked(
    searches: Searches, site: JiraStandIn
) -> None:
    """Unbalanced brackets are a sentence, and Jira hears nothing."""
    with pytest.raises(ToolProblem, match="brackets"):
        await called(searches, "jira_search", SHOP, jql="project = PAY) OR (project = SHOP")

    assert site.log == []


async def test_restricted_tickets_are_counted_and_not_shown(
    searches: Searches, site: JiraStandIn
) -> None:
    """A row with a security level is left out, and the gap is said."""
    issue = next(i for i in site.world.issues.values() if i.security)
    text = await called(searches, "jira_search", EVERY, jql=f"key = {issue.key}")

    assert issue.summary not in text
    assert "[1 of them may not be shown here]" in text


async def test_pages_are_named_and_go_on(searches: Searches) -> None:
    """A page says about how many there are and what the next one is called."""
    first = await called(searches, "jira_search", SHOP, jql="project = SHOP ORDER BY key", limit=5)
    page = first.split('page="')[1].split('"')[0]
    second = await called(
        searches, "jira_search", SHOP, jql="project = SHOP ORDER BY key", limit=5, page=page
    )

    assert first.startswith("About ")
    assert "5 of them are here" in first
    assert set(first.splitlines()[1:]).isdisjoint(second.splitlines()[1:])


async def test_a_count_reads_no_ticket(searches: Searches, site: JiraStandIn) -> None:
    """Counting is one call, within the open projects."""
    text = await called(searches, "jira_count", SHOP, jql="status = Blocked")

    assert text.startswith("About ")
    assert [h.path.rpartition("/")[2] for h in site.log] == ["approximate-count"]


async def test_a_sprint_is_told_whole(searches: Searches) -> None:
    """Name, dates, the number by status and a line for each ticket."""
    text = await called(searches, "jira_sprint", SHOP, board_or_project="SHOP")

    assert text.startswith("# Shop 42 (")
    assert "By status: " in text
    assert "[SHOP-12](" in text


async def test_a_sprint_of_a_closed_project_is_not_told(searches: Searches) -> None:
    """The board's own project counts, however the board was named."""
    with pytest.raises(ToolProblem, match="project SHOP is not open"):
        await called(
            searches, "jira_sprint", Rules(jira_projects=("PAY",)), board_or_project="SHOP"
        )


async def test_without_open_projects_it_says_how_to_open_one(
    searches: Searches, site: JiraStandIn
) -> None:
    """A channel with no project open hears how an admin opens one; Jira hears nothing."""
    for name in ("jira_search", "jira_count"):
        with pytest.raises(ToolProblem, match="jira_projects"):
            await called(searches, name, Rules(), jql="status = Done")

    assert site.log == []


async def test_jiras_troubles_are_words(searches: Searches, site: JiraStandIn) -> None:
    """A wrong query has Jira's words, a limited one the seconds; nothing is left running."""
    with pytest.raises(ToolProblem, match="colour"):
        await called(searches, "jira_search", SHOP, jql="colour = red")
    site.troubles = Troubles(status=429, limited="jira-burst-based", retry_after="900")
    with pytest.raises(ToolProblem, match="900 s"):
        await called(searches, "jira_search", SHOP, jql="status = Done")


async def test_without_jira_the_tools_say_so() -> None:
    """Where Jira is not set up each tool says what is missing."""
    tools = Searches(None, Policy())
    for name, given in (
        ("jira_search", {"jql": "status = Done"}),
        ("jira_count", {"jql": "status = Done"}),
        ("jira_sprint", {"board_or_project": "SHOP"}),
    ):
        with pytest.raises(ToolProblem) as raised:
            await called(tools, name, SHOP, **given)
        assert str(raised.value) == NO_JIRA
