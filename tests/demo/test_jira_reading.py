"""What the stand-in for Jira shows, and to whom."""

import json

import aiohttp
import pytest

from bot.demo.jira import JiraStandIn
from tests.demo.asking import API, Asker


@pytest.fixture
def ask(jira: JiraStandIn, session: aiohttp.ClientSession) -> Asker:
    """Asks the stand-in."""
    return Asker(jira, session)


async def test_a_hidden_ticket_and_a_missing_one_look_alike(ask: Asker) -> None:
    """404 with the same words, whether a ticket is hidden or was never there."""
    hidden = await ask("GET", f"{API}/issue/BOARD-1")
    missing = await ask("GET", f"{API}/issue/SHOP-9999")

    assert (hidden.status, missing.status) == (404, 404)
    assert hidden.body == missing.body


async def test_a_security_level_hides_from_those_outside(ask: Asker) -> None:
    """A ticket with a security level is there for its members alone, in searches too."""
    inside = await ask("GET", f"{API}/issue/SHOP-21")
    outside = await ask("GET", f"{API}/issue/SHOP-21", email="reader@shop.example")
    found = await ask(
        "POST",
        f"{API}/search/approximate-count",
        body={"jql": "summary ~ fraud"},
        email="reader@shop.example",
    )

    assert inside.body["fields"]["security"]["name"] == "Leads only"
    assert outside.status == 404
    assert found.body == {"count": 0}


async def test_a_moved_ticket_answers_to_its_old_key(ask: Asker) -> None:
    """The old key gives the ticket under its new key, wherever that is."""
    told = await ask("GET", f"{API}/issue/SHOP-9", fields="project")
    leak = await ask("GET", f"{API}/issue/SHOP-31", fields="project")

    assert (told.body["key"], told.body["fields"]["project"]["key"]) == ("PAY-3", "PAY")
    assert leak.body["key"] == "SECRET-2"


async def test_restricted_and_internal_comments_depend_on_the_reader(ask: Asker) -> None:
    """Comments for a role, and a desk's internal ones, are listed for those who may see them."""
    both = await ask("GET", f"{API}/issue/HELP-1/comment")
    customer = await ask("GET", f"{API}/issue/HELP-1/comment", email="carla@customer.example")
    role = await ask("GET", f"{API}/issue/SHOP-12/comment")
    plain = await ask("GET", f"{API}/issue/SHOP-12/comment", email="raj@shop.example")

    assert [c["jsdPublic"] for c in both.body["comments"]] == [True, False, True, False]
    assert [c["jsdPublic"] for c in customer.body["comments"]] == [True, True]
    assert role.body["total"] == plain.body["total"] + 1
    assert [c["visibility"]["value"] for c in role.body["comments"] if "visibility" in c] == [
        "Administrators"
    ]


async def test_comments_come_in_pages_from_either_end(ask: Asker) -> None:
    """Paging and orderBy work together, and the total is of all."""
    oldest = await ask("GET", f"{API}/issue/SHOP-12/comment", startAt="2", maxResults="2")
    newest = await ask("GET", f"{API}/issue/SHOP-12/comment", orderBy="-created", maxResults="1")

    assert oldest.body["startAt"] == 2
    assert len(oldest.body["comments"]) == 2
    assert oldest.body["total"] >= 25
    assert "3x profile" in json.dumps(newest.body["comments"])


async def test_search_pages_by_token_and_gives_ids_alone_by_default(ask: Asker) -> None:
    """No total, a token until the last page, only `id` unless fields are named."""
    seen: list[str] = []
    query = {"jql": "project = SHOP order by key", "maxResults": "17"}
    while True:
        told = await ask("GET", f"{API}/search/jql", params=query)
        assert all(set(issue) == {"id"} for issue in told.body["issues"])
        assert "total" not in told.body
        seen += [issue["id"] for issue in told.body["issues"]]
        if told.body["isLast"]:
            assert "nextPageToken" not in told.body
            break
        query["nextPageToken"] = told.body["nextPageToken"]
    count = await ask("POST", f"{API}/search/approximate-count", body={"jql": "project = SHOP"})

    assert len(seen) == len(set(seen)) == count.body["count"]


async def test_a_page_token_is_good_for_its_own_query_only(ask: Asker) -> None:
    """A token of another query, or a made-up one, is a 400."""
    first = await ask("GET", f"{API}/search/jql", jql="project = SHOP", maxResults="2")
    token = first.body["nextPageToken"]

    other = await ask("GET", f"{API}/search/jql", jql="project = PAY", nextPageToken=token)
    made_up = await ask("GET", f"{API}/search/jql", jql="project = PAY", nextPageToken="abc")

    assert (other.status, made_up.status) == (400, 400)


@pytest.mark.parametrize("version", ["2", "3", "latest"])
async def test_the_old_search_is_gone(version: str, ask: Asker) -> None:
    """410, with the words that name the new one."""
    told = await ask("GET", f"/rest/api/{version}/search", jql="project = SHOP")

    assert told.status == 410
    assert "/rest/api/3/search/jql" in told.body["errorMessages"][0]


async def test_dropped_credentials_look_like_an_empty_site(ask: Asker) -> None:
    """Anonymous: searches find nothing, tickets are not there, myself says 401."""
    found = await ask("GET", f"{API}/search/jql", jql="created > -90d", email=None)
    ticket = await ask("GET", f"{API}/issue/SHOP-12", email=None)
    myself = await ask("GET", f"{API}/myself", email=None)

    assert (found.status, found.body["issues"]) == (200, [])
    assert (ticket.status, myself.status) == (404, 401)


async def test_scoped_tokens_work_at_the_gateway_alone(jira: JiraStandIn, ask: Asker) -> None:
    """A scoped token is a 401 on the site and good behind the gateway, whose id anybody may ask."""
    site = await ask("GET", f"{API}/myself", token=jira.scoped_token)
    gateway = await ask("GET", f"{API}/myself", token=jira.scoped_token, gateway=True)
    tenant = await ask("GET", "/_edge/tenant_info", email=None)

    assert site.status == 401
    assert site.headers["x-seraph-loginreason"] == "AUTHENTICATED_FAILED"
    assert gateway.status == 200
    assert jira.gateway_url.endswith(tenant.body["cloudId"])


async def test_rights_of_others_are_told_to_administrators_alone(ask: Asker) -> None:
    """permissions/check about somebody else needs ADMINISTER; what is hidden is left out."""
    body = {
        "accountId": "712020:raj",
        "projectPermissions": [
            {"permissions": ["BROWSE_PROJECTS"], "issues": [10000012, 10000021, 99]}
        ],
    }
    refused = await ask("POST", f"{API}/permissions/check", body=body)
    told = await ask("POST", f"{API}/permissions/check", body=body, email="admin@shop.example")

    assert refused.status == 403
    assert told.body["projectPermissions"][0]["issues"] == [10000012]


async def test_people_with_private_addresses_are_not_found_by_them(ask: Asker) -> None:
    """user/search matches shown addresses only; viewissue/search keeps those who see the ticket."""
    shown = await ask("GET", f"{API}/user/search", query="ana@shop.example")
    private = await ask("GET", f"{API}/user/search", query="tom@shop.example")
    sees = await ask(
        "GET", f"{API}/user/viewissue/search", issueKey="SHOP-21", accountId="712020:raj"
    )

    assert [u["displayName"] for u in shown.body] == ["Ana Ferreira"]
    assert private.body == []
    assert sees.body == []


async def test_the_sprint_has_a_goal_and_its_tickets(ask: Asker) -> None:
    """Boards lead to the active sprint, and that to its tickets; kanban boards have none."""
    boards = await ask("GET", "/rest/agile/1.0/board", projectKeyOrId="SHOP")
    board = boards.body["values"][0]["id"]
    sprints = await ask("GET", f"/rest/agile/1.0/board/{board}/sprint", state="active")
    sprint = sprints.body["values"][0]
    issues = await ask("GET", f"/rest/agile/1.0/sprint/{sprint['id']}/issue", fields="summary")
    kanban = await ask("GET", "/rest/agile/1.0/board/2/sprint")

    assert "November sale" in sprint["goal"]
    assert "SHOP-12" in [issue["key"] for issue in issues.body["issues"]]
    assert issues.body["total"] >= 10
    assert kanban.status == 400


async def test_attachments_are_behind_a_redirect(ask: Asker, jira: JiraStandIn) -> None:
    """The content address leads to the media host, where no login is needed."""
    ticket = await ask("GET", f"{API}/issue/SHOP-12", fields="attachment")
    files = {a["filename"]: a for a in ticket.body["fields"]["attachment"]}
    told = await ask("GET", files["trace-7f3a.txt"]["content"].removeprefix(jira.url))

    assert set(files) == {"checkout-timeout.png", "trace-7f3a.txt", "load-test.pdf"}
    assert "basket=88213" in told.body
    assert jira.log[-1].path.startswith("/media/")


async def test_the_company_is_large_rich_and_the_same_each_time(jira: JiraStandIn) -> None:
    """At least 40 tickets, every kind of ADF node people use, and no chance in it."""
    again = JiraStandIn(now=jira.now)
    issues = jira.world.issues.values()
    text = json.dumps([[i.description, *(c.body for c in i.comments)] for i in issues])
    kinds = (
        "table panel codeBlock mention status taskList emoji inlineCard expand mediaSingle date "
        "blockquote orderedList heading"
    )

    assert len(jira.world.issues) >= 40
    assert [k for k in kinds.split() if f'"type": "{k}"' not in text] == []
    assert [vars(i) for i in jira.world.issues.values()] == [
        vars(i) for i in again.world.issues.values()
    ]
    assert all(a.email.endswith(".example") for a in jira.world.accounts.values())


async def test_one_ticket_is_two_megabytes(ask: Asker) -> None:
    """SHOP-40 is as large as a ticket can be."""
    told = await ask("GET", f"{API}/issue/SHOP-40", fields="description")

    assert len(json.dumps(told.body)) > 1_900_000
