"""The `jira` library against the stand-in: what our client will build on works on the wire."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import pytest
from jira import JIRA, JIRAError

from bot.demo.jira import JiraStandIn
from tests.demo.asking import document

T = TypeVar("T")


@pytest.fixture
async def client(jira: JiraStandIn) -> AsyncIterator[Any]:
    """A client as the facts recommend it: v3, no retries."""

    def connect() -> Any:
        return JIRA(
            server=jira.url,
            basic_auth=(jira.email, jira.token),
            options={"rest_api_version": "3"},
            max_retries=0,
            timeout=5,
        )

    made = await asyncio.to_thread(connect)
    yield made
    await asyncio.to_thread(made.close)


async def told(work: Callable[[], T]) -> T:
    """What a blocking call gives."""
    return await asyncio.to_thread(work)


async def test_reading(client: Any) -> None:
    """Account, ticket, comments, transitions and search."""
    issue = await told(lambda: client.issue("SHOP-12", fields="summary,description,comment"))
    comments = await told(lambda: client.comments("SHOP-12", max_results=3, order_by="-created"))
    steps = await told(lambda: client.transitions("SHOP-12"))
    found = await told(lambda: client.enhanced_search_issues("project = SHOP", maxResults=60))

    assert (await told(client.myself))["emailAddress"] == "purser@shop.example"
    assert issue.raw["fields"]["description"]["type"] == "doc"
    assert len(comments) == 3
    assert {step["name"] for step in steps} == {"Start work", "Back to the list"}
    assert len(found) > 30


async def test_the_agile_part(client: Any) -> None:
    """Boards and sprints."""
    boards = await told(lambda: client.boards(projectKeyOrID="SHOP"))
    sprints = await told(lambda: client.sprints(boards[0].id, state="active"))

    assert sprints[0].name == "Shop 42"


async def test_writing(client: Any) -> None:
    """Comment as ADF, create, transition; text as a comment is Jira's 400."""
    comment = await told(lambda: client.add_comment("SHOP-12", document("From the library")))
    fields = {
        "project": {"key": "SHOP"},
        "issuetype": {"name": "Bug"},
        "summary": "Made",
        "description": document("x"),
    }
    made = await told(lambda: client.create_issue(fields=fields, prefetch=False))
    await told(lambda: client.transition_issue("SHOP-12", "21"))

    with pytest.raises(JIRAError) as raised:
        await told(lambda: client.add_comment("SHOP-12", "just text"))
    assert comment.id
    assert made.key.startswith("SHOP-")
    assert raised.value.status_code == 400
    assert "Comment body is not valid!" in str(raised.value.text)
