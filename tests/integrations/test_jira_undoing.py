"""Changes taken back at the stand-in for Jira: only where nobody built on them, and always read first."""

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from bot.demo.jira import JiraStandIn
from bot.demo.jira.world import Step
from bot.demo.loopback import Troubles
from integrations.jira import Jira, JiraBusy, JiraNotUndone, JiraUnknown, Written
from tests.integrations.jira_worlds import NOW, SECONDS, SITE, client, paragraph, standing_in
from tests.integrations.test_jira_writing import MARK, comment, issue, sent, transition, update

Writes = Callable[[Jira], Coroutine[Any, Any, Written]]


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


async def commented(jira: Jira) -> Written:
    """A comment of ours on SHOP-12."""
    return await jira.write(await comment(jira), mark=MARK, deadline=SECONDS)


async def moved(jira: Jira) -> Written:
    """SHOP-11 in review, with a comment."""
    return await jira.write(await transition(jira), mark=MARK, deadline=SECONDS)


async def updated(jira: Jira) -> Written:
    """SHOP-12 with three new values."""
    return await jira.write(await update(jira), mark=MARK, deadline=SECONDS)


async def test_a_comment_nobody_edited_goes(site: JiraStandIn, jira: Jira) -> None:
    """It is deleted, and the sentence says where."""
    before = len(site.world.issues["SHOP-12"].comments)

    undone = await jira.undo(await commented(jira), deadline=SECONDS)

    assert len(site.world.issues["SHOP-12"].comments) == before
    assert (undone.key, undone.url) == ("SHOP-12", f"{SITE}/browse/SHOP-12")
    assert undone.sentence == "The comment on SHOP-12 was removed."


async def test_a_step_goes_back_with_its_comment(site: JiraStandIn, jira: Jira) -> None:
    """The status is as before, and the words that went with it are gone."""
    before = len(site.world.issues["SHOP-11"].comments)

    undone = await jira.undo(await moved(jira), deadline=SECONDS)

    assert site.world.issues["SHOP-11"].status == "In Progress"
    assert len(site.world.issues["SHOP-11"].comments) == before
    assert (
        undone.sentence
        == "SHOP-11 is back in In Progress. The comment that went with it was removed."
    )


async def test_fields_go_back_to_what_they_held(site: JiraStandIn, jira: Jira) -> None:
    """Texts, people, options, lists and empty fields are as before."""
    kept = site.world.issues["PAY-7"]
    before = (kept.summary, kept.description, kept.assignee, kept.priority, kept.labels, kept.due)
    draft = await jira.draft_update(
        "PAY-7",
        {
            "summary": "x",
            "description": "y",
            "assignee": "nobody",
            "priority": "Low",
            "labels": "a,b",
            "due": None,
            "Risk class": "Low",
            "Story point estimate": 8,
        },
        deadline=SECONDS,
    )
    written = await jira.write(draft, mark=MARK, deadline=SECONDS)
    assert (kept.summary, kept.assignee, kept.points) == ("x", None, 8)

    undone = await jira.undo(written, deadline=SECONDS)

    after = (kept.summary, kept.description, kept.assignee, kept.priority, kept.labels, kept.due)
    assert after == before
    assert (kept.points, kept.extra["customfield_10045"]["value"]) == (3, "High")
    assert undone.sentence.startswith("Summary, Description, Assignee, Priority")


async def test_a_new_issue_stays(site: JiraStandIn, jira: Jira) -> None:
    """It is not deleted: the sentence says so and what to do."""
    written = await jira.write(await issue(jira), mark=MARK, deadline=SECONDS)

    with pytest.raises(
        JiraNotUndone, match=f"{written.key} was created and is not deleted from here"
    ):
        await jira.undo(written, deadline=SECONDS)
    assert written.key in site.world.issues


def edit_comment(site: JiraStandIn) -> None:
    """Somebody edits our comment."""
    mine = site.world.issues["SHOP-12"].comments[-1]
    mine.body, mine.updated = paragraph("Better"), NOW + 60


def take_comment(site: JiraStandIn) -> None:
    """Our comment is somebody else's."""
    site.world.issues["SHOP-12"].comments[-1].author = "712020:raj"


def drop_comment(site: JiraStandIn) -> None:
    """Somebody deletes our comment."""
    site.world.issues["SHOP-12"].comments.pop()


def move_on(site: JiraStandIn) -> None:
    """Raj moves the issue on."""
    site.world.move(site.world.issues["SHOP-11"], "Done", NOW + 60, "712020:raj")


def move_round(site: JiraStandIn) -> None:
    """Raj moves the issue away and to the same status again."""
    for status in ("In Progress", "In Review"):
        site.world.move(site.world.issues["SHOP-11"], status, NOW + 60, "712020:raj")


def close_way(site: JiraStandIn) -> None:
    """No transition leads back."""
    steps = site.world.workflows["software"]
    site.world.workflows["software"] = tuple(s for s in steps if s.to != "In Progress")


def ask_on_way(site: JiraStandIn) -> None:
    """The way back asks for a form."""
    close_way(site)
    form = Step("21", "Start work", "In Progress", required=("resolution",))
    site.world.workflows["software"] = (*site.world.workflows["software"], form)


def reassign(site: JiraStandIn) -> None:
    """Somebody else is assigned."""
    site.world.issues["SHOP-12"].assignee = "712020:mina"


def lock(site: JiraStandIn) -> None:
    """A security level comes upon the issue."""
    for key in ("SHOP-11", "SHOP-12"):
        site.world.issues[key].security = "Leads only"


@pytest.mark.parametrize(
    ("made", "meanwhile", "words"),
    [
        (commented, edit_comment, "was edited since, so it stays"),
        (commented, take_comment, "not by the bot's account"),
        (commented, drop_comment, "is not there any more"),
        (moved, move_on, "Raj Patel has moved SHOP-11 since, it is in Done now"),
        (moved, move_round, "Raj Patel has moved SHOP-11 since, it is in In Review now"),
        (moved, close_way, "no way from In Review back to In Progress"),
        (moved, ask_on_way, "The way back to In Progress asks for Resolution"),
        (moved, lock, "may not see it; nothing was taken back"),
        (updated, reassign, "Assignee of SHOP-12 changed since, so nothing was taken back"),
        (updated, lock, "may not see it; nothing was taken back"),
    ],
)
async def test_what_others_built_on_stays(
    made: Writes,
    meanwhile: Callable[[JiraStandIn], None],
    words: str,
    site: JiraStandIn,
    jira: Jira,
) -> None:
    """It is read first; the sentence says why it stays, and nothing is sent."""
    written = await made(jira)
    meanwhile(site)
    already = len(sent(site))

    with pytest.raises(JiraNotUndone, match=words):
        await jira.undo(written, deadline=SECONDS)
    assert len(sent(site)) == already


async def test_an_edited_comment_of_a_step_stays(site: JiraStandIn, jira: Jira) -> None:
    """The status goes back all the same, and the sentence says that the words stay."""
    written = await moved(jira)
    mine = site.world.issues["SHOP-11"].comments[-1]
    mine.updated += 60

    undone = await jira.undo(written, deadline=SECONDS)

    assert site.world.issues["SHOP-11"].comments[-1] is mine
    assert "is back in In Progress. The comment on SHOP-11 was edited since" in undone.sentence


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (
            moved,
            "SHOP-11 is back in In Progress. The comment that went with it was removed.",
        ),
        (updated, "Summary, Assignee, Description of SHOP-12 is as before."),
    ],
)
async def test_undoing_whose_answer_is_lost_may_be_asked_again(
    made: Writes, words: str, site: JiraStandIn, jira: Jira
) -> None:
    """Unknown first; asked again it finds what is true and undoes nothing twice."""
    written = await made(jira)
    site.troubles = Troubles(on="PUT|POST .*/transitions", reset=True, times=1)

    with pytest.raises(JiraUnknown):
        await jira.undo(written, deadline=SECONDS)
    already = sent(site)

    assert (await jira.undo(written, deadline=SECONDS)).sentence == words
    assert [line for line in sent(site)[len(already) :] if "comment" not in line] == []


async def test_a_comment_whose_removal_was_lost_is_gone(site: JiraStandIn, jira: Jira) -> None:
    """Asked again, the sentence says that there is nothing left to take back."""
    written = await commented(jira)
    site.troubles = Troubles(on="DELETE", reset=True, times=1)

    with pytest.raises(JiraUnknown):
        await jira.undo(written, deadline=SECONDS)
    with pytest.raises(JiraNotUndone, match="is not there any more, so there is nothing"):
        await jira.undo(written, deadline=SECONDS)


async def test_a_limited_undo_is_not_sent_again(site: JiraStandIn, jira: Jira) -> None:
    """Jira's limit is told, and nothing is repeated."""
    written = await commented(jira)
    site.troubles = Troubles(on="DELETE", limited="jira-per-issue-on-write", retry_after="1")

    with pytest.raises(JiraBusy, match="one issue"):
        await jira.undo(written, deadline=SECONDS)
    assert sent(site)[-1].startswith("DELETE")
    assert len(sent(site)) == 2
