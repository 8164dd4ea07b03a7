"""Issues read from the stand-in for Jira: what is told, what is left out, and what is asked for it."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.jira import JiraStandIn
from bot.demo.jira.world import Link
from bot.demo.loopback import Troubles
from integrations import jira_reading
from integrations.jira import Issue, Jira, JiraBroken, JiraRejected, Reference
from tests.contract import contract
from tests.integrations.jira_worlds import NOW, SECONDS, SITE, client, standing_in, talk

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=12,
)


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


async def test_an_issue_is_told_with_all_that_matters(jira: Jira) -> None:
    """Fields, names instead of accounts, times in UTC, and the address on the site."""
    issue = await jira.issue("SHOP-12", deadline=SECONDS)

    assert (issue.key, issue.project, issue.type) == ("SHOP-12", "SHOP", "Story")
    assert issue.summary == "Retry a payment without charging twice"
    assert (issue.status.name, issue.status.category) == ("Blocked", "in progress")
    assert (issue.priority, issue.assignee, issue.reporter) == ("High", "Raj Patel", "Ana Ferreira")
    assert issue.created == datetime(2026, 11, 8, 9, 5, tzinfo=UTC)
    assert (issue.due, issue.resolution, issue.security) == (date(2026, 11, 28), "", "")
    assert issue.labels == ("checkout", "payments", "sale")
    assert issue.components == ("checkout-api", "basket")
    assert issue.fix_versions == ("2026.11",)
    assert issue.url == f"{SITE}/browse/SHOP-12" == jira.browse_url("SHOP-12")
    assert [(a.name, a.mimetype) for a in issue.attachments][1:] == [
        ("trace-7f3a.txt", "text/plain"),
        ("load-test.pdf", "application/pdf"),
    ]
    assert "> **Warning:**" in issue.description
    assert "| Double click | `409 in_progress` | wait, poll every 2 s | @Raj Patel |" in (
        issue.description
    )


async def test_no_more_is_asked_than_the_description_allows(
    site: JiraStandIn, jira: Jira, jira_openapi: Path
) -> None:
    """Every request is valid by Atlassian's own description, and an issue takes three at most."""
    await jira.issue("SHOP-12", include=("changelog",), deadline=SECONDS)
    taken = len(site.log)
    await jira.issue("SHOP-12", include=("comments_all",), deadline=SECONDS)
    await jira.myself(deadline=SECONDS)
    judge = contract(jira_openapi)
    found = [
        judge.request(h.method, h.path, h.query, json.loads(h.body) if h.body else None)
        for h in site.log
    ]

    assert taken == 3
    assert [problems for problems in found if problems] == []
    assert {h.path for h in site.log} == {
        "/rest/api/3/myself",
        "/rest/api/3/issue/SHOP-12",
        "/rest/api/3/issue/SHOP-12/comment",
        "/rest/api/3/issue/bulkfetch",
    }


async def test_nothing_is_asked_before_it_is_needed(site: JiraStandIn) -> None:
    """Construction and closing are silent."""
    await client(site).close()

    assert site.log == []


async def test_the_newest_comments_come_oldest_first(jira: Jira) -> None:
    """As many as wanted, the last one last, each with author, time and address; the rest is counted."""
    issue = await jira.issue("SHOP-12", comments=5, deadline=SECONDS)
    last = issue.comments[-1]

    assert len(issue.comments) == 5
    assert [c.at for c in issue.comments] == sorted(c.at for c in issue.comments if c.at)
    assert last.author == "Mina Sørensen"
    assert (
        last.body == "I can run the load test if somebody gives me the 3x profile. @Ana Ferreira?"
    )
    assert last.url == f"{SITE}/browse/SHOP-12?focusedCommentId={last.id}"
    assert issue.older_comments == 25 - 5
    assert not last.edited


async def test_comments_for_some_are_left_out_and_counted(site: JiraStandIn, jira: Jira) -> None:
    """A role's comments and a desk's internal notes are not told although the bot may see them."""
    shop = await jira.issue("SHOP-12", include=("comments_all",), deadline=SECONDS)
    desk = await jira.issue("HELP-1", deadline=SECONDS)

    assert (len(shop.comments), shop.restricted_comments, shop.older_comments) == (24, 1, 0)
    assert "14,000 EUR" not in str(shop)
    assert (len(desk.comments), desk.restricted_comments) == (2, 2)
    assert "voucher" not in str(desk)


async def test_restricted_comments_do_not_crowd_out_the_others(
    site: JiraStandIn, jira: Jira
) -> None:
    """As many comments as wanted are told, however many of the newest are not for everybody."""
    talk(site, "PAY-7", 40, public=False)

    issue = await jira.issue("PAY-7", comments=3, deadline=SECONDS)

    assert len(issue.comments) == 3
    assert (issue.restricted_comments, issue.older_comments) == (40, 1)


async def test_all_comments_are_a_bounded_number(site: JiraStandIn, jira: Jira) -> None:
    """Long threads are read page by page up to the bound; the rest is counted."""
    talk(site, "PAY-7", 400)

    issue = await jira.issue("PAY-7", include=("comments_all",), deadline=SECONDS)

    assert len(issue.comments) == 300
    assert len({c.id for c in issue.comments}) == 300
    assert issue.older_comments == 404 - 300
    assert issue.comments[-1].body == "Remark 399"


async def test_an_edited_comment_says_so(site: JiraStandIn, jira: Jira) -> None:
    """A comment changed after it was written is marked."""
    site.world.issues["PAY-7"].comments[-1].updated += 60

    issue = await jira.issue("PAY-7", deadline=SECONDS)

    assert [c.edited for c in issue.comments] == [False, False, False, True]


async def test_the_changelog_is_told_when_asked_for(jira: Jira) -> None:
    """Changes oldest first, and since when the status holds; without asking neither is known."""
    plain = await jira.issue("SHOP-12", deadline=SECONDS)
    told = await jira.issue("SHOP-12", include=("changelog",), deadline=SECONDS)
    moves = [(c.before, c.after) for c in told.changes if c.field == "status"]

    assert (plain.changes, plain.status.since) == ((), None)
    assert moves[-1] == ("In Progress", "Blocked")
    assert told.status.since == datetime(2026, 11, 21, 9, 45, tzinfo=UTC)
    assert told.changes[0].author == "Ana Ferreira"
    assert [c.at for c in told.changes] == sorted(c.at for c in told.changes if c.at)


async def test_a_status_that_never_changed_holds_from_the_start(jira: Jira) -> None:
    """An issue that was never moved is in its status since it was made."""
    issue = await jira.issue("PAY-3", include=("changelog",), deadline=SECONDS)

    assert issue.status.since == issue.created is not None


async def test_a_long_history_says_what_was_not_read(site: JiraStandIn, jira: Jira) -> None:
    """Jira carries the newest hundred changes; an older status change is not guessed at."""
    issue = site.world.issues["PAY-3"]
    for number in range(130):
        site.world.change(issue, NOW, "712020:ana", "labels", (None, ""), (None, f"l{number}"))

    told = await jira.issue("PAY-3", include=("changelog",), deadline=SECONDS)

    assert (len(told.changes), told.older_changes) == (100, 30)
    assert told.status.since is None


async def test_the_changelog_is_no_side_door(site: JiraStandIn, jira: Jira) -> None:
    """Texts of removed comments are not told, and values only of fields that are shown anyway."""
    issue = site.world.issues["PAY-3"]
    for name in ("Comment", "description", "security", "Link"):
        site.world.change(issue, NOW, "712020:ana", name, (None, "the secret"), (None, "another"))

    told = await jira.issue("PAY-3", include=("changelog",), deadline=SECONDS)

    assert [c.field for c in told.changes] == ["description", "security", "Link"]
    assert {(c.before, c.after) for c in told.changes} == {("", "")}


async def test_other_projects_are_bare_keys(jira: Jira) -> None:
    """Links into other projects carry neither summary nor status; those of the same project do."""
    issue = await jira.issue("SHOP-12", deadline=SECONDS)

    assert issue.links == (
        Reference("PAY-7", "is blocked by"),
        Reference(
            "SHOP-14",
            "relates to",
            "In Review",
            "Safari 18: second tap on Pay is sent although the button is grey",
        ),
        Reference("SECRET-1", "relates to"),
        Reference("SHOP-1", "blocks", "In Progress", "Checkout that survives the November sale"),
    )
    assert issue.parent == Reference(
        "SHOP-1", "parent", "In Progress", "Checkout that survives the November sale"
    )
    assert [(s.key, s.relation, s.status) for s in issue.subtasks] == [
        ("SHOP-13", "sub-task", "In Progress")
    ]


async def test_a_restricted_issue_is_a_bare_key_at_the_end_of_a_link(
    site: JiraStandIn, jira: Jira
) -> None:
    """A link to an issue with a security level does not tell what that issue is about."""
    site.world.links.append(Link("1", "Relates", "SHOP-14", "SHOP-21"))
    site.world.issues["SHOP-14"].parent = "SHOP-21"

    issue = await jira.issue("SHOP-14", deadline=SECONDS)

    assert Reference("SHOP-21", "relates to") in issue.links
    assert issue.parent == Reference("SHOP-21", "parent")
    assert "fraud" not in str(issue)
    assert "Retry a payment" in str(issue.links)


async def test_on_doubt_links_are_bare_keys(site: JiraStandIn, jira: Jira) -> None:
    """When Jira does not say which links are open, the issue is told all the same, its links by key."""
    site.troubles = Troubles(status=500, on="bulkfetch")

    issue = await jira.issue("SHOP-12", deadline=SECONDS)

    assert {(link.status, link.summary) for link in (issue.parent, *issue.links) if link} == {
        ("", "")
    }
    assert len(issue.comments) == 20


async def test_a_security_level_is_named(jira: Jira) -> None:
    """Whoever decides what is shown learns the issue's level."""
    issue = await jira.issue("SHOP-21", deadline=SECONDS)

    assert issue.security == "Leads only"


async def test_a_moved_issue_has_its_new_key_and_project(jira: Jira) -> None:
    """An old key leads to wherever the issue is now, and that is what is returned."""
    issue = await jira.issue("SHOP-31", deadline=SECONDS)

    assert (issue.key, issue.project) == ("SECRET-2", "SECRET")
    assert issue.url == f"{SITE}/browse/SECRET-2"


async def test_keys_are_read_as_people_write_them(jira: Jira) -> None:
    """Case and blanks around a key do not matter."""
    issue = await jira.issue(" shop-14 ", deadline=SECONDS)

    assert issue.key == "SHOP-14"


@pytest.mark.parametrize(
    "key",
    ["", "SHOP", "12", "../myself", "SHOP-12/comment", "SHOP-1?a=b", "SHOP-1%2f", "ＳＨＯＰ-1"],
)
async def test_what_is_no_key_is_not_asked_for(key: str, site: JiraStandIn, jira: Jira) -> None:
    """A text that is no key never becomes part of an address."""
    with pytest.raises(JiraRejected, match="SHOP-12"):
        await jira.issue(key, deadline=SECONDS)

    assert site.log == []


async def test_unknown_inclusions_are_named_with_the_known_ones(
    site: JiraStandIn, jira: Jira
) -> None:
    """Asking to include what nobody knows is answered with what can be."""
    with pytest.raises(JiraRejected, match=r"worklogs; they can changelog, comments_all"):
        await jira.issue("SHOP-12", include=("changelog", "worklogs"), deadline=SECONDS)

    assert site.log == []


async def test_a_scoped_token_works_at_the_gateway(site: JiraStandIn) -> None:
    """Calls go to the gateway, links to the site."""
    jira = client(site, api_url=site.gateway_url, token=site.scoped_token)

    issue = await jira.issue("SHOP-12", deadline=SECONDS)
    await jira.close()

    assert issue.url == f"{SITE}/browse/SHOP-12"
    assert all(h.path.startswith("/ex/jira/") for h in site.log)


async def test_the_account_is_known_by_name(jira: Jira) -> None:
    """Who the bot is in Jira."""
    me = await jira.myself(deadline=SECONDS)

    assert (me.name, me.account_id) == ("Purser", "557058:purser")


async def test_credentials_may_hold_any_letter(site: JiraStandIn) -> None:
    """An address and a token outside Latin-1 are sent as UTF-8."""
    site.token = "ключ-🔑"
    jira = client(site)

    me = await jira.myself(deadline=SECONDS)
    await jira.close()

    assert me.name == "Purser"


async def test_an_empty_issue_is_an_issue(jira: Jira) -> None:
    """Without summary, description, comments or links everything is empty and nothing fails."""
    issue = await jira.issue("SHOP-42", deadline=SECONDS)

    assert (issue.summary, issue.description, issue.assignee) == ("", "", "")
    assert (issue.comments, issue.links, issue.parent, issue.due) == ((), (), None, None)


async def test_two_megabytes_are_cut_and_said(jira: Jira) -> None:
    """A huge description is read as far as it is of use, and the rest is counted."""
    issue = await jira.issue("SHOP-40", deadline=SECONDS)

    assert issue.description.startswith("2026-11-20T06:00:00Z WARN feed row skipped")
    assert len(issue.description) < 15_000
    assert issue.description.endswith("more characters are not shown]")


async def test_an_odd_document_is_read_all_the_same(jira: Jira) -> None:
    """Unknown nodes, missing attributes and lists 150 deep lose none of their words."""
    issue = await jira.issue("SHOP-41", deadline=SECONDS)

    assert "(whiteboardEmbed)" in issue.description
    assert "kept inside an unknown node" in issue.description
    assert "the deepest line" in issue.description


async def test_right_to_left_text_and_emoji_arrive_whole(jira: Jira) -> None:
    """Text is what it was, in any script."""
    issue = await jira.issue("SHOP-14", deadline=SECONDS)

    assert issue.comments[1].body.startswith("שלום from support")
    assert "🙏🏽" in issue.comments[1].body


async def test_no_address_of_a_person_is_kept(jira: Jira) -> None:
    """Names are told, e-mail addresses and account ids are not."""
    issue = await jira.issue("SHOP-12", include=("changelog", "comments_all"), deadline=SECONDS)

    assert "@shop.example" not in str(issue)
    assert "712020:" not in str(issue)


def test_times_are_in_utc_whatever_zone_the_account_has() -> None:
    """Jira tells times in its account's zone; ours are comparable."""
    raw = {"id": "1", "created": "2026-11-24T00:05:00.000+0530"}
    comment = jira_reading.comments({"comments": [raw]}, SITE).comments[0]

    assert comment is not None
    assert comment.at is not None
    assert comment.at.isoformat() == "2026-11-23T18:35:00+00:00"


@given(JSON, JSON)
def test_any_answer_is_an_issue_or_a_problem(one: Any, other: Any) -> None:
    """Whatever shape Jira's JSON has, reading it gives plain data or says that it is none."""
    names = jira_reading.FIELDS.split(",")
    fields = {name: one if number % 2 else other for number, name in enumerate(names)}
    fields["project"] = {"key": "A"}
    raw = {"key": "A-1", "fields": fields, "changelog": {"histories": one, "total": other}}

    issue = jira_reading.issue(raw, SITE)
    page = jira_reading.comments({"comments": [one, other], "total": one}, SITE)

    assert isinstance(issue, Issue)
    assert len(page.comments) == 2
    assert jira_reading.open_keys({"issues": one}) is not None
    if isinstance(one, dict):
        with pytest.raises(JiraBroken):
            jira_reading.issue(one, SITE)


@given(JSON)
def test_a_comment_is_shown_only_when_nothing_restricts_it(mark: Any) -> None:
    """Any `visibility`, and any `jsdPublic` other than true, keep a comment back."""
    body = {"id": "1", "body": "words"}

    kept = jira_reading.comments({"comments": [{**body, "visibility": mark}]}, SITE).comments
    desk = jira_reading.comments({"comments": [{**body, "jsdPublic": mark}]}, SITE).comments

    assert (kept[0] is None) == (mark is not None)
    assert (desk[0] is None) == (mark is not True)
