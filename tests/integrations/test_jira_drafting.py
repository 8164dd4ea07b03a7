"""Changes to issues as they are proposed: names resolved, all of it in words, and nothing written."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bot.demo.jira import JiraStandIn
from bot.demo.jira.world import Step
from integrations.jira import Draft, Jira, JiraNotFound, JiraProblem, JiraRejected, Written
from tests.integrations.jira_worlds import SECONDS, SITE, client, standing_in


@pytest.fixture
async def site() -> AsyncIterator[JiraStandIn]:
    """Jira with its seeded company."""
    async with standing_in() as made:
        yield made


@pytest.fixture
async def jira(site: JiraStandIn) -> AsyncIterator[Jira]:
    """Our client."""
    made = client(site)
    yield made
    await made.close()


async def test_a_comment_is_proposed_with_all_that_it_says(site: JiraStandIn, jira: Jira) -> None:
    """The issue, its project and the whole text; nothing is sent that writes."""
    draft = await jira.draft_comment("shop-12", "Looks **good**.", deadline=SECONDS)

    assert (draft.kind, draft.project, draft.key) == ("comment", "SHOP", "SHOP-12")
    assert draft.summary == "Retry a payment without charging twice"
    assert draft.markdown == "Looks **good**."
    assert draft.shown == (("Project", "SHOP · Web shop"), ("Type", "Story"))
    assert (draft.audience, draft.url) == ("", f"{SITE}/browse/SHOP-12")
    assert {heard.method for heard in site.log} == {"GET"}


async def test_drafts_and_results_survive_a_store(jira: Jira) -> None:
    """What was proposed and what was written read back the same, and other text is refused."""
    draft = await jira.draft_update("SHOP-12", {"due date": "2026-12-01"}, deadline=SECONDS)
    written = Written(draft, "p-1", "SHOP-12", draft.url, "7", left="Something.")

    assert Draft.from_json(draft.to_json()) == draft
    assert Written.from_json(written.to_json()) == written
    for text in ("", "[]", '{"kind": "comment"}', written.to_json()):
        with pytest.raises(ValueError, match=r".+"):
            Draft.from_json(text)


async def test_a_moved_issue_is_proposed_where_it_is_now(jira: Jira) -> None:
    """Key and project are those that Jira returned, not those that were asked for."""
    draft = await jira.draft_comment("SHOP-9", "Hello", deadline=SECONDS)

    assert (draft.project, draft.key, draft.url) == ("PAY", "PAY-3", f"{SITE}/browse/PAY-3")


@pytest.mark.parametrize("key", ["SHOP-20", "BOARD-1", "SHOP-999"])
async def test_what_is_restricted_or_hidden_is_not_there(
    key: str, site: JiraStandIn, jira: Jira
) -> None:
    """An issue with a security level, a hidden one and one that never was: not found, each way."""
    if key in site.world.issues:
        site.world.issues[key].security = "Leads only"

    for asked in (
        jira.draft_comment(key, "x", deadline=SECONDS),
        jira.draft_transition(key, "Done", deadline=SECONDS),
        jira.draft_update(key, {"summary": "x"}, deadline=SECONDS),
    ):
        with pytest.raises(JiraNotFound, match=f"{key} does not exist"):
            await asked


async def test_a_desk_comment_says_who_sees_it(jira: Jira) -> None:
    """Internal unless it is asked for in public; the words say so."""
    inside = await jira.draft_comment("HELP-1", "For us", deadline=SECONDS)
    outside = await jira.draft_comment("HELP-1", "For Carla", public=True, deadline=SECONDS)

    assert (inside.audience, inside.shown[-1]) == (
        "internal",
        ("Seen by", "The team alone (internal note)"),
    )
    assert (outside.audience, outside.shown[-1]) == ("customers", ("Seen by", "The customer, too"))


@pytest.mark.parametrize("status", ["in review", "ASK FOR REVIEW"])
async def test_a_step_is_found_by_status_or_by_its_own_name(status: str, jira: Jira) -> None:
    """The name of the status or of the transition, in any case; the words name both."""
    draft = await jira.draft_transition("SHOP-11", status, deadline=SECONDS)

    assert draft.shown[2:] == (
        ("Status", "In Progress → In Review"),
        ("Transition", "Ask for review"),
    )
    assert draft.wire["transition"] == "41"


async def test_a_step_with_words_on_a_desk_stays_inside(jira: Jira) -> None:
    """The comment of a step is an internal note; a bare step is what the customer sees of it."""
    told = await jira.draft_transition(
        "HELP-1", "Waiting for customer", "We wait.", deadline=SECONDS
    )
    bare = await jira.draft_transition("HELP-1", "Waiting for customer", deadline=SECONDS)

    assert (told.audience, told.markdown, bare.audience) == ("internal", "We wait.", "customers")


@pytest.mark.parametrize(
    ("key", "status", "words"),
    [
        (
            "SHOP-12",
            "Done",
            "in Blocked and cannot go to “Done” now; it can go to: To Do .Back to the",
        ),
        ("SHOP-12", "blocked", "SHOP-12 is in Blocked already"),
        ("HELP-1", "Resolved", "asks for Resolution .Done, Won't do.; do it in Jira"),
    ],
)
async def test_an_impossible_step_names_the_possible_ones(
    key: str, status: str, words: str, jira: Jira
) -> None:
    """Where it can go, what a step asks for, or that it is there already."""
    with pytest.raises(JiraRejected, match=words):
        await jira.draft_transition(key, status, deadline=SECONDS)


async def test_of_two_ways_the_one_that_asks_for_nothing_is_taken(
    site: JiraStandIn, jira: Jira
) -> None:
    """Where several transitions lead to a status, the one without a form is proposed."""
    steps = site.world.workflows["desk"]
    site.world.workflows["desk"] = (*steps, Step("91", "Just close", "Resolved"))

    draft = await jira.draft_transition("HELP-1", "resolved", deadline=SECONDS)

    assert draft.wire["transition"] == "91"


async def test_an_account_without_the_right_is_told_so(site: JiraStandIn) -> None:
    """Where nothing can be moved, edited or created, the sentence sends people to a Jira admin."""
    reader = client(site, email="reader@shop.example")

    with pytest.raises(JiraRejected, match="cannot move SHOP-12"):
        await reader.draft_transition("SHOP-12", "To Do", deadline=SECONDS)
    with pytest.raises(JiraRejected, match="cannot change SHOP-12"):
        await reader.draft_update("SHOP-12", {"summary": "x"}, deadline=SECONDS)
    await reader.close()


async def test_what_would_be_is_shown_whole_behind_much_that_was(
    site: JiraStandIn, jira: Jira
) -> None:
    """A long old value is shown by its beginning; the new one to its last letter."""
    labels = [f"old-{n}" for n in range(100)]
    site.world.issues["SHOP-12"].labels = labels
    new = ",".join(f"new-label-{n}" for n in range(300))
    draft = await jira.draft_update("SHOP-12", {"labels": new}, deadline=SECONDS)
    before, _, after = dict(draft.shown)["Labels"].partition(" → ")

    assert (before[:14], before[-1], len(before)) == ("old-0, old-1, ", "…", 201)
    assert after == new.replace(",", ", ")


async def test_fields_are_resolved_by_their_names(jira: Jira) -> None:
    """Each field shows what it was and what it would be, people and options by name."""
    draft = await jira.draft_update(
        "PAY-7",
        {
            "Summary": "Sandbox replays receipts",
            "assignee": "raj@shop.example",
            "PRIORITY": "low",
            "labels": ["provider", "sandbox"],
            "Due date": None,
            "story point estimate": "5",
            "Risk class": "Low",
            "description": "A **new** text",
            "parent": "pay-1",
        },
        deadline=SECONDS,
    )

    shown = dict(draft.shown)
    assert shown["Summary"].endswith("→ Sandbox replays receipts")
    assert shown["Assignee"] == "Yuki Tanaka → Raj Patel"
    assert shown["Priority"] == "Highest → Low"
    assert shown["Labels"] == "provider → provider, sandbox"
    assert shown["Due date"] == "2026-11-25 → nothing"
    assert shown["Story point estimate"] == "3 → 5"
    assert shown["Risk class"] == "High → Low"
    assert shown["Parent"] == "nothing → PAY-1"
    assert shown["Description"].endswith("characters) → the text below")
    assert draft.markdown == "A **new** text"
    assert draft.wire["fields"]["assignee"] == {"accountId": "712020:raj"}
    assert draft.before["fields"]["priority"] == {"id": "1"}


async def test_several_values_are_resolved_one_by_one(jira: Jira) -> None:
    """Components and versions by name, as a list or with commas; an empty list empties the field."""
    draft = await jira.draft_update(
        "SHOP-12", {"component": "basket", "fix versions": []}, deadline=SECONDS
    )

    assert dict(draft.shown)["Components"] == "checkout-api, basket → basket"
    assert dict(draft.shown)["Fix versions"] == "2026.11 → nothing"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"colour": "red"}, "no field “colour” to be set here; there are: Summary, Description"),
        ({"priority": "urgent"}, "Priority cannot be “urgent”; it can be: Highest, High, Medium"),
        ({"components": ["basket", "sink"]}, "Components cannot be “sink”; it can be: basket"),
        ({"duedate": "tomorrow"}, "Due date is a date like 2026-11-30"),
        ({"Story point estimate": "many"}, "Story point estimate is a number"),
        ({"labels": ["two words"]}, "A label has no spaces"),
        ({"Summary": "One", "summary": "Two"}, "Summary is named twice"),
        ({"summary": "x" * 256}, "may have 255 characters; this has 256"),
        ({"summary": ""}, "needs a summary"),
        ({"description": "x" * 30_001}, "Description may have 30,000 characters"),
        ({"Sprint": "Shop 42"}, "Sprint cannot be set from here"),
        ({"assignee": "zoe"}, "Nobody called “zoe” can be Assignee there"),
        ({"assignee": "omar haddad"}, "Nobody called"),
        ({"priority": "High", "due": "2026-11-28"}, "has these values already"),
        ({"labels": "sale, payments, checkout", "Story point estimate": "5"}, "has these values"),
        ({}, "has these values already"),
    ],
    ids=str,
)
async def test_a_wrong_value_names_the_right_ones(
    fields: dict[str, Any], words: str, jira: Jira
) -> None:
    """Unknown fields, values and people: the sentence has the field's name and what would do."""
    with pytest.raises(JiraRejected, match=words):
        await jira.draft_update("SHOP-12", fields, deadline=SECONDS)


async def test_a_text_too_long_to_be_kept_is_left_to_people(site: JiraStandIn, jira: Jira) -> None:
    """What could not be put back is not replaced; the sentence says where to do it."""
    key = max(site.world.issues, key=lambda key: len(str(site.world.issues[key].description)))

    with pytest.raises(JiraRejected, match=f"Description of {key} is too long to be kept"):
        await jira.draft_update(key, {"description": "short"}, deadline=SECONDS)


async def test_people_of_one_name_are_told_apart(site: JiraStandIn, jira: Jira) -> None:
    """Several that fit are named; the whole name, an address or an account id decides."""
    raj = site.world.accounts["712020:raj"]
    twin = replace(
        raj, account_id="712020:raj2", handle="raj2", name="Raj Patel-Singh", hidden=True
    )
    site.world.accounts[twin.account_id] = twin

    with pytest.raises(
        JiraRejected, match=r"can be several: Raj Patel \(raj@shop.example\), Raj Patel-Singh;"
    ):
        await jira.draft_update("SHOP-11", {"assignee": "raj"}, deadline=SECONDS)
    for name, found in (
        ("raj patel-singh", "Raj Patel-Singh"),
        ("712020:raj2", "Raj Patel-Singh"),
        ("raj patel", "Raj Patel"),
    ):
        draft = await jira.draft_update("SHOP-11", {"assignee": name}, deadline=SECONDS)
        assert dict(draft.shown)["Assignee"] == f"Mina Sørensen → {found}"


async def test_a_new_issue_is_proposed_with_its_type_and_fields(
    site: JiraStandIn, jira: Jira
) -> None:
    """Project and type by name, the summary, the text, and whatever else was said."""
    draft = await jira.draft_issue(
        "shop",
        "bug",
        "Basket is empty after login",
        "Steps:\n\n1. log in",
        fields={"assignee": "Ana Ferreira", "labels": "basket"},
        deadline=SECONDS,
    )

    assert (draft.kind, draft.project, draft.key) == ("issue", "SHOP", "")
    assert draft.shown == (
        ("Project", "SHOP · Web shop"),
        ("Type", "Bug"),
        ("Summary", "Basket is empty after login"),
        ("Assignee", "Ana Ferreira"),
        ("Labels", "basket"),
    )
    assert draft.markdown == "Steps:\n\n1. log in"
    assert draft.wire["fields"]["description"]["content"][1]["type"] == "orderedList"
    assert {heard.method for heard in site.log} == {"GET"}


@pytest.mark.parametrize(
    ("project", "kind", "summary", "words"),
    [
        ("NONE", "Bug", "x", "no project NONE in Jira that the bot's account may see"),
        ("BOARD", "Task", "x", "no project BOARD"),
        ("not a key", "Bug", "x", "no key of a Jira project"),
        ("SHOP", "Wish", "x", "SHOP has no type “Wish”; it has: Epic, Story, Task, Bug, Sub-task"),
        ("SHOP", "Bug", " ", "A Bug in SHOP also needs: Summary"),
        ("PAY", "Bug", "x", "A Bug in PAY also needs: Risk class .Low, High."),
    ],
)
async def test_a_wrong_new_issue_names_what_is_wrong(
    project: str, kind: str, summary: str, words: str, jira: Jira
) -> None:
    """Unknown projects and types, and required fields that are missing, by name with their choices."""
    with pytest.raises(JiraProblem, match=words):
        await jira.draft_issue(project, kind, summary, "", deadline=SECONDS)


@pytest.mark.parametrize("text", ["", " \n ", "x" * 30_001])
async def test_an_empty_or_endless_comment_is_refused(text: str, jira: Jira) -> None:
    """Nothing to say, or more than Jira takes, is said before anything is proposed."""
    with pytest.raises(JiraRejected, match="The comment"):
        await jira.draft_comment("SHOP-12", text, deadline=SECONDS)
