"""What may be written to the stand-in for Jira, and what it refuses as Jira does."""

from typing import Any

import aiohttp
import pytest

from bot.demo.jira import JiraStandIn
from tests.demo.asking import API, Asker, document

ONE = f"{API}/issue/SHOP-12"


@pytest.fixture
def ask(jira: JiraStandIn, session: aiohttp.ClientSession) -> Asker:
    """Asks the stand-in."""
    return Asker(jira, session)


@pytest.mark.parametrize(
    "body",
    [
        "plain text",
        {"type": "doc", "version": 1},
        {"type": "doc", "version": 1, "content": [{"type": "nonsense"}]},
        document("two\nlines"),
        document(""),
        None,
    ],
)
async def test_a_comment_has_to_be_a_document(body: object, ask: Asker) -> None:
    """Text, half a document, unknown nodes, line breaks in a text: 400, and nothing is written."""
    before = await ask("GET", f"{ONE}/comment")
    told = await ask("POST", f"{ONE}/comment", body={"body": body})
    after = await ask("GET", f"{ONE}/comment")

    assert told.status == 400
    assert told.body["errors"]["comment"] == "Comment body is not valid!"
    assert after.body["total"] == before.body["total"]


def boxed(*nodes: dict[str, Any]) -> dict[str, Any]:
    """A document of these nodes."""
    return {"type": "doc", "version": 1, "content": list(nodes)}


WORD = {"type": "text", "text": "x"}
LINE = {"type": "paragraph", "content": [WORD]}
HEADING = {"type": "heading", "attrs": {"level": 1}, "content": [WORD]}


@pytest.mark.parametrize(
    "body",
    [
        boxed({"type": "bulletList", "content": [LINE]}),
        boxed({"type": "bulletList", "content": [{"type": "listItem", "content": [HEADING]}]}),
        boxed({"type": "bulletList", "content": [{"type": "listItem", "content": []}]}),
        boxed({"type": "blockquote", "content": [HEADING]}),
        boxed({"type": "paragraph", "content": [LINE]}),
        boxed({"type": "heading", "content": [{"type": "text", "text": "two\nlines"}]}),
        boxed({"type": "table", "content": []}),
        boxed(
            {
                "type": "paragraph",
                "content": [{**WORD, "marks": [{"type": "code"}, {"type": "strong"}]}],
            }
        ),
    ],
    ids=str,
)
async def test_nodes_stand_only_where_they_may(body: object, ask: Asker) -> None:
    """A node in the wrong place, an empty box, marks that do not go together: 400, as Jira does it."""
    told = await ask("POST", f"{ONE}/comment", body={"body": body})

    assert (told.status, told.body["errors"]["comment"]) == (400, "Comment body is not valid!")


async def test_what_a_writer_leaves_behind_is_found_again(ask: Asker) -> None:
    """Properties of comments and new tickets, and what a change says of itself, are told when asked for."""
    mark = [{"key": "purser", "value": {"mark": "7"}}]
    origin = {"type": "purser:proposal", "extraData": {"mark": "7"}}
    fields = {"project": {"key": "SHOP"}, "issuetype": {"name": "Bug"}, "summary": "New"}
    comment = await ask("POST", f"{ONE}/comment", body={"body": document("x"), "properties": mark})
    made = await ask("POST", f"{API}/issue", body={"fields": fields, "properties": mark})
    await ask("PUT", ONE, body={"fields": {"summary": "y"}, "historyMetadata": origin})
    ids = {"ids": [int(comment.body["id"])]}
    listed = await ask("POST", f"{API}/comment/list", body=ids, expand="properties")
    bare = await ask("POST", f"{API}/comment/list", body=ids)
    found = await ask(
        "GET",
        f"{API}/search/jql",
        jql="project = SHOP AND creator = currentUser() AND created >= -1d",
        fields="summary",
        properties="purser",
    )
    told = await ask("GET", ONE, fields="summary", expand="changelog")

    assert listed.body["values"][0]["properties"] == mark
    assert "properties" not in bare.body["values"][0]
    assert [(i["key"], i["properties"]) for i in found.body["issues"]] == [
        (made.body["key"], {"purser": {"mark": "7"}})
    ]
    assert told.body["changelog"]["histories"][0]["historyMetadata"] == origin


async def test_only_people_of_the_project_can_be_assigned(ask: Asker, jira: JiraStandIn) -> None:
    """By the beginning of a name or an open address; nobody who left, no customer, nobody from elsewhere."""
    path = f"{API}/user/assignable/search"

    async def names(**asked: str) -> list[str]:
        return [p["displayName"] for p in (await ask("GET", path, params=asked)).body]

    assert await names(project="SHOP", query="raj") == ["Raj Patel"]
    assert await names(issueKey="SHOP-12", query="yuki") == []
    assert await names(project="HELP", query="customer") == []
    assert await names(project="SHOP", query="omar") == []
    assert await names(project="SHOP", query="tom@") == []
    assert await names(project="SHOP", query="mina@") == ["Mina Sørensen"]
    assert await names(project="SHOP", accountId="712020:tom") == ["Tom Okafor"]


async def test_chosen_values_are_those_of_the_screen(ask: Asker) -> None:
    """What editmeta allows can be set by its id, a list can be emptied, and anything else is refused."""
    screen = (await ask("GET", f"{ONE}/editmeta")).body["fields"]
    basket = next(c for c in screen["components"]["allowedValues"] if c["name"] == "basket")

    one = await ask("PUT", ONE, body={"fields": {"components": [{"id": basket["id"]}]}})
    read = await ask("GET", ONE, fields="components")
    none = await ask("PUT", ONE, body={"fields": {"components": [], "fixVersions": []}})
    empty = await ask("GET", ONE, fields="components,fixVersions")
    wrong = await ask("PUT", ONE, body={"fields": {"components": [{"name": "sink"}]}})

    assert (one.status, none.status, wrong.status) == (204, 204, 400)
    assert [c["name"] for c in read.body["fields"]["components"]] == ["basket"]
    assert empty.body["fields"] == {"components": [], "fixVersions": []}
    assert set(wrong.body["errors"]) == {"components"}


async def test_comments_of_others_cannot_be_changed(ask: Asker, jira: JiraStandIn) -> None:
    """Editing and deleting are for one's own comments."""
    theirs = jira.world.issues["SHOP-12"].comments[0].id

    edited = await ask("PUT", f"{ONE}/comment/{theirs}", body={"body": document("x")})
    removed = await ask("DELETE", f"{ONE}/comment/{theirs}")

    assert (edited.status, removed.status) == (400, 400)


async def test_a_desk_comment_is_internal_when_it_says_so(ask: Asker) -> None:
    """sd.public.comment with internal: true is what keeps a comment from the customer."""
    mark = [{"key": "sd.public.comment", "value": {"internal": True}}]
    body = {"body": document("For us"), "properties": mark}
    inside = await ask("POST", f"{API}/issue/HELP-1/comment", body=body)
    outside = await ask("POST", f"{API}/issue/HELP-1/comment", body={"body": document("For all")})

    assert (inside.body["jsdPublic"], outside.body["jsdPublic"]) == (False, True)


@pytest.mark.parametrize("number", ["21", 21], ids=["text", "number"])
async def test_a_transition_moves_and_is_remembered(number: object, ask: Asker) -> None:
    """The id may be text or a number; the status and the history change."""
    told = await ask("POST", f"{ONE}/transitions", body={"transition": {"id": number}})
    after = await ask("GET", ONE, fields="status", expand="changelog")

    assert told.status == 204
    assert after.body["fields"]["status"]["name"] == "In Progress"
    assert after.body["changelog"]["histories"][0]["items"][0]["toString"] == "In Progress"


async def test_impossible_transitions_and_missing_fields_are_refused(ask: Asker) -> None:
    """A step that is not possible now, or that insists on a field, is a 400 in Jira's words."""
    wrong = await ask("POST", f"{ONE}/transitions", body={"transition": {"id": "51"}})
    path = f"{API}/issue/HELP-1/transitions"
    bare = await ask("POST", path, body={"transition": {"id": "81"}})
    full = {"transition": {"id": "81"}, "fields": {"resolution": {"name": "Done"}}}
    good = await ask("POST", path, body=full)

    assert wrong.body["errorMessages"] == ["Transition id '51' is not valid for this issue."]
    assert bare.body["errors"] == {"resolution": "Resolution is required."}
    assert good.status == 204


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"project": {"key": "BOARD"}}, {"project"}),
        ({"project": {"key": "SHOP"}, "issuetype": {"name": "Wish"}}, {"issuetype", "summary"}),
        (
            {"project": {"key": "PAY"}, "issuetype": {"name": "Bug"}, "summary": "x"},
            {"customfield_10045"},
        ),
        (
            {
                "project": {"key": "SHOP"},
                "issuetype": {"name": "Sub-task"},
                "summary": "a\nb",
                "description": "text",
                "nonsense": 1,
                "assignee": {"accountId": "nobody"},
                "labels": ["two words"],
            },
            {"summary", "description", "nonsense", "assignee", "labels", "parent"},
        ),
    ],
)
async def test_a_bad_ticket_is_refused_field_by_field(
    fields: dict[str, Any], wrong: set[str], ask: Asker
) -> None:
    """Everything that is wrong is said at once, by field, and no ticket is made."""
    told = await ask("POST", f"{API}/issue", body={"fields": fields})

    assert told.status == 400
    assert set(told.body["errors"]) == wrong


async def test_a_new_ticket_can_be_read_and_edited(ask: Asker) -> None:
    """Create, read, edit: the history names what changed."""
    fields = {
        "project": {"key": "PAY"},
        "issuetype": {"name": "Bug"},
        "summary": "New one",
        "customfield_10045": {"value": "Low"},
        "description": document("Here"),
    }
    made = await ask("POST", f"{API}/issue", body={"fields": fields})
    path = f"{API}/issue/{made.body['key']}"
    change = {
        "fields": {"summary": "Better", "assignee": {"accountId": "712020:yuki"}},
        "update": {"labels": [{"add": "seen"}]},
    }
    edited = await ask("PUT", path, body=change)
    read = await ask("GET", path, expand="changelog")

    assert (made.status, edited.status) == (201, 204)
    assert read.body["fields"]["summary"] == "Better"
    assert read.body["fields"]["labels"] == ["seen"]
    assert {h["items"][0]["field"] for h in read.body["changelog"]["histories"]} == {
        "summary",
        "assignee",
        "labels",
    }


async def test_readers_write_nothing(ask: Asker) -> None:
    """An account without the rights gets 403, an anonymous one 401 or 404."""
    reader = "reader@shop.example"
    body = {"body": document("x")}
    comment = await ask("POST", f"{ONE}/comment", body=body, email=reader)
    step = await ask("POST", f"{ONE}/transitions", body={"transition": {"id": "21"}}, email=reader)
    steps = await ask("GET", f"{ONE}/transitions", email=reader)
    nobody = await ask("POST", f"{ONE}/comment", body=body, email=None)

    assert (comment.status, step.status, nobody.status) == (403, 403, 404)
    assert steps.body["transitions"] == []


async def test_many_writes_to_one_ticket_are_limited(ask: Asker) -> None:
    """The 21st write within two seconds is a 429 of its own kind."""
    for number in range(20):
        await ask("POST", f"{ONE}/comment", body={"body": document(str(number))})
    told = await ask("POST", f"{ONE}/comment", body={"body": document("one more")})
    other = await ask("POST", f"{API}/issue/SHOP-13/comment", body={"body": document("fine")})

    assert told.status == 429
    assert told.headers["ratelimit-reason"] == "jira-per-issue-on-write"
    assert other.status == 201


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{ONE}/transitions", {"transition": 5}),
        (f"{ONE}/transitions", {"transition": {"id": "21"}, "fields": [1]}),
        (f"{API}/issue", {"fields": "all"}),
        (f"{API}/issue", {"fields": {"project": "SHOP"}}),
        (f"{API}/search/jql", {"jql": 3}),
        (f"{API}/search/jql", {"jql": "project = SHOP", "expand": None}),
        (f"{API}/issue/bulkfetch", {"issueIdsOrKeys": "SHOP-12"}),
        (f"{ONE}/comment", [1]),
    ],
    ids=str,
)
async def test_bodies_of_the_wrong_shape_are_refused(path: str, body: object, ask: Asker) -> None:
    """400 in Jira's form, whatever stands where an object belongs."""
    told = await ask("POST", path, body=body)

    assert told.status == 400
    assert told.body["errorMessages"] or told.body["errors"]
