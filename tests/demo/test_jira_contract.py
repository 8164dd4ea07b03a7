"""Each operation of the stand-in for Jira, judged by Atlassian's own description."""

from typing import Any

import aiohttp
import pytest

from bot.demo.jira import JiraStandIn
from tests.contract import Contract
from tests.demo.asking import API, Asker, document

ONE = f"{API}/issue/SHOP-12"
OPERATIONS: list[tuple[str, str, dict[str, str], Any]] = [
    ("GET", f"{API}/serverInfo", {}, None),
    ("GET", f"{API}/myself", {}, None),
    ("GET", f"{API}/mypermissions", {"permissions": "BROWSE_PROJECTS,ADMINISTER"}, None),
    (
        "POST",
        f"{API}/permissions/check",
        {},
        {
            "globalPermissions": ["ADMINISTER"],
            "projectPermissions": [
                {
                    "permissions": ["BROWSE_PROJECTS"],
                    "issues": [10000012],
                    "projects": [10000, 10004],
                }
            ],
        },
    ),
    ("GET", ONE, {"expand": "changelog,names,transitions"}, None),
    ("GET", f"{API}/issue/SHOP-1", {"fields": "summary,subtasks,issuelinks"}, None),
    ("GET", f"{ONE}/comment", {"orderBy": "-created", "maxResults": "5"}, None),
    ("POST", f"{ONE}/comment", {}, {"body": document("Hello")}),
    ("GET", f"{ONE}/changelog", {"startAt": "2"}, None),
    ("GET", f"{ONE}/transitions", {"expand": "transitions.fields"}, None),
    ("GET", f"{API}/issue/HELP-1/transitions", {"expand": "transitions.fields"}, None),
    ("POST", f"{ONE}/transitions", {}, {"transition": {"id": "21"}}),
    ("PUT", ONE, {}, {"fields": {"summary": "Another"}}),
    (
        "POST",
        f"{API}/issue",
        {},
        {
            "fields": {
                "project": {"key": "SHOP"},
                "issuetype": {"name": "Bug"},
                "summary": "New",
                "description": document("It hurts"),
            }
        },
    ),
    ("POST", f"{API}/issue", {}, {"fields": {"project": {"key": "NONE"}}}),
    (
        "POST",
        f"{API}/issue/bulkfetch",
        {},
        {"issueIdsOrKeys": ["SHOP-12", "BOARD-1"], "fields": ["summary"]},
    ),
    (
        "GET",
        f"{API}/search/jql",
        {"jql": "project = SHOP", "fields": "summary,status", "maxResults": "3"},
        None,
    ),
    (
        "POST",
        f"{API}/search/jql",
        {},
        {"jql": "project = PAY", "fields": ["summary"], "maxResults": 2},
    ),
    ("GET", f"{API}/search/jql", {"jql": "nonsense ="}, None),
    ("POST", f"{API}/search/approximate-count", {}, {"jql": "project = SHOP"}),
    ("GET", f"{API}/field", {}, None),
    ("GET", f"{API}/project/search", {"keys": "SHOP"}, None),
    ("GET", f"{API}/issue/createmeta/PAY/issuetypes", {}, None),
    ("GET", f"{API}/issue/createmeta/PAY/issuetypes/10103", {}, None),
    ("GET", f"{API}/issue/createmeta/SHOP/issuetypes/10103", {"startAt": "5"}, None),
    ("GET", f"{ONE}/editmeta", {}, None),
    ("GET", f"{API}/project/SHOP", {}, None),
    ("GET", f"{API}/project/BOARD", {}, None),
    ("GET", f"{API}/user/assignable/search", {"query": "a", "issueKey": "SHOP-12"}, None),
    ("GET", f"{API}/user/assignable/search", {"accountId": "712020:ana", "project": "PAY"}, None),
    ("POST", f"{API}/comment/list", {"expand": "properties"}, {"ids": [20000, 20001, 20002]}),
    (
        "PUT",
        ONE,
        {},
        {"fields": {"duedate": None}, "historyMetadata": {"extraData": {"mark": "7"}}},
    ),
    ("GET", f"{API}/user/search", {"query": "ana"}, None),
    ("GET", f"{API}/user/viewissue/search", {"issueKey": "SHOP-12", "query": "ra"}, None),
    ("GET", f"{API}/attachment/content/1", {"redirect": "false"}, None),
    ("GET", f"{API}/issueLinkType", {}, None),
    ("GET", f"{API}/issue/BOARD-1", {}, None),
]


@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    OPERATIONS,
    ids=[f"{m} {p} {n}" for n, (m, p, *_) in enumerate(OPERATIONS)],
)
async def test_answers_have_the_described_shape(
    method: str,
    path: str,
    query: dict[str, str],
    body: Any,
    contract: Contract,
    jira: JiraStandIn,
    session: aiohttp.ClientSession,
) -> None:
    """What is asked and what is answered is valid by the official description, errors too."""
    assert contract.request(method, path, query, body) == []

    told = await Asker(jira, session)(method, path, body=body, params=query)

    assert contract.response(method, path, told.status, told.body) == []


async def test_every_ticket_has_the_described_shape(
    contract: Contract, jira: JiraStandIn, session: aiohttp.ClientSession
) -> None:
    """All seeded tickets, with all fields and their history, are valid."""
    ask = Asker(jira, session)
    for key in jira.world.issues:
        told = await ask("GET", f"{API}/issue/{key}", expand="changelog")
        if told.status == 200:
            assert contract.response("GET", f"{API}/issue/{key}", 200, told.body) == []


async def test_comments_are_changed_and_removed_as_described(
    contract: Contract, jira: JiraStandIn, session: aiohttp.ClientSession
) -> None:
    """A comment of one's own can be edited and deleted, with the described answers."""
    ask = Asker(jira, session)
    made = await ask("POST", f"{ONE}/comment", body={"body": document("One")})
    path = f"{ONE}/comment/{made.body['id']}"

    edited = await ask("PUT", path, body={"body": document("Two")})
    removed = await ask("DELETE", path)

    assert contract.response("POST", f"{ONE}/comment", made.status, made.body) == []
    assert contract.response("PUT", path, edited.status, edited.body) == []
    assert (edited.status, removed.status) == (200, 204)


def test_the_judge_sees_what_is_wrong(contract: Contract) -> None:
    """Unknown parameters, wrong types and wrong shapes are named."""
    path = f"{API}/search/jql"

    assert contract.request("GET", path, {"startAt": "3"}) == ["unknown parameter startAt"]
    assert contract.request("GET", path, {"maxResults": "many"}) != []
    assert contract.request("POST", path, {}, {"jql": "a = b", "expand": None}) != []
    assert contract.response("GET", path, 200, {"issues": [{"key": 3}]}) != []
    assert contract.response("GET", path, 200, {"total": 3}) != []
