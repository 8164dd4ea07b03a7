"""Changes written to the stand-in for Jira: once, only on what was shown, and told apart when the answer is lost."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.demo.jira import JiraStandIn
from bot.demo.loopback import Troubles
from integrations.jira import (
    Draft,
    Jira,
    JiraBroken,
    JiraBusy,
    JiraChanged,
    JiraProblem,
    JiraRefused,
    JiraRejected,
    JiraSlow,
    JiraUnknown,
    Written,
)
from tests.contract import contract
from tests.integrations.jira_worlds import (
    NOW,
    SECONDS,
    SHORT,
    SITE,
    client,
    elsewhere,
    happened,
    serving,
    standing_in,
    threads,
)

MARK = "proposal-7f3a"
Drafts = Callable[[Jira], Coroutine[Any, Any, Draft]]


async def comment(jira: Jira) -> Draft:
    """A comment on SHOP-12."""
    return await jira.draft_comment("SHOP-12", "Done, see **the log**.", deadline=SECONDS)


async def transition(jira: Jira) -> Draft:
    """SHOP-11 to review, with a comment."""
    return await jira.draft_transition("SHOP-11", "In Review", "Please look.", deadline=SECONDS)


async def update(jira: Jira) -> Draft:
    """Three fields of SHOP-12."""
    fields = {"summary": "Never twice", "assignee": "ana ferreira", "description": "All *new*."}
    return await jira.draft_update("SHOP-12", fields, deadline=SECONDS)


async def issue(jira: Jira) -> Draft:
    """A new bug."""
    return await jira.draft_issue("SHOP", "Bug", "Basket is empty", "Always.", deadline=SECONDS)


ALL: list[Drafts] = [comment, transition, update, issue]
PATHS: dict[Drafts, str] = {
    comment: "POST .*/comment$",
    transition: "POST .*/transitions",
    update: "PUT ",
    issue: "POST .*/issue$",
}


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


def state(site: JiraStandIn) -> tuple[object, ...]:
    """All that these drafts could change."""
    issues = site.world.issues
    return (
        len(issues),
        *(
            (i.summary, i.status, i.assignee, len(i.comments), len(i.changes))
            for i in issues.values()
        ),
    )


def sent(site: JiraStandIn) -> list[str]:
    """The requests that change something, as they came in."""
    lines = [f"{h.method} {h.path.removeprefix('/rest/api/3/')}" for h in site.log]
    asking = ("GET ", "POST comment/list", "POST issue/bulkfetch", "POST search")
    return [line for line in lines if not line.startswith(asking)]


async def test_a_comment_is_written_as_it_was_shown(site: JiraStandIn, jira: Jira) -> None:
    """Its text as a document, its address, and the proposal's mark beside it."""
    written = await jira.write(await comment(jira), mark=MARK, deadline=SECONDS)
    last = site.world.issues["SHOP-12"].comments[-1]

    assert written.url == f"{SITE}/browse/SHOP-12?focusedCommentId={last.id}"
    assert last.properties == [{"key": "purser", "value": {"mark": MARK}}]
    assert last.body["content"][0]["content"][1] == {
        "type": "text",
        "text": "the log",
        "marks": [{"type": "strong"}],
    }


@pytest.mark.parametrize("public", [False, True])
async def test_a_desk_comment_goes_to_whom_the_draft_says(
    public: bool, site: JiraStandIn, jira: Jira
) -> None:
    """Internal by default; the customer sees only what was proposed as public."""
    draft = await jira.draft_comment("HELP-1", "Refund is out.", public=public, deadline=SECONDS)

    await jira.write(draft, mark=MARK, deadline=SECONDS)

    assert site.world.issues["HELP-1"].comments[-1].public is public


async def test_a_step_is_made_and_its_comment_goes_with_it(site: JiraStandIn, jira: Jira) -> None:
    """The status moves first, then the words are written, internal on a desk."""
    written = await jira.write(await transition(jira), mark=MARK, deadline=SECONDS)
    draft = await jira.draft_transition("HELP-1", "Waiting for customer", "Hm.", deadline=SECONDS)
    await jira.write(draft, mark=MARK, deadline=SECONDS)
    moved = site.world.issues["SHOP-11"]

    assert (moved.status, moved.comments[-1].id) == ("In Review", written.comment)
    assert (written.left, written.url) == ("", f"{SITE}/browse/SHOP-11")
    assert not site.world.issues["HELP-1"].comments[-1].public


async def test_a_step_without_its_comment_says_so(site: JiraStandIn, jira: Jira) -> None:
    """The status has moved; that the words are missing, and why, is part of the result."""
    draft = await transition(jira)
    site.troubles = Troubles(on="POST .*/comment", status=403)

    written = await jira.write(draft, mark=MARK, deadline=SECONDS)

    assert site.world.issues["SHOP-11"].status == "In Review"
    assert written.left.startswith("The status was changed, but the comment was not written: Jira")


async def test_fields_are_written_as_they_were_shown(site: JiraStandIn, jira: Jira) -> None:
    """Texts, people and options; nothing else is touched."""
    draft = await jira.draft_update(
        "PAY-7",
        {"priority": "Low", "Risk class": "low", "labels": [], "assignee": None, "due": ""},
        deadline=SECONDS,
    )
    await jira.write(draft, mark=MARK, deadline=SECONDS)
    issue = site.world.issues["PAY-7"]

    assert (issue.priority, issue.labels, issue.assignee, issue.due) == ("Low", [], None, None)
    assert issue.extra["customfield_10045"]["value"] == "Low"
    assert issue.summary == "Sandbox answers 200 instead of 409 for a key in use"


async def test_a_new_issue_is_made_and_has_its_key(site: JiraStandIn, jira: Jira) -> None:
    """What comes back is the new issue's own key and address; the mark is among its properties."""
    written = await jira.write(await issue(jira), mark=MARK, deadline=SECONDS)
    made = site.world.issues[written.key]

    assert written.url == f"{SITE}/browse/{written.key}"
    assert (made.summary, made.type, made.project) == ("Basket is empty", "Bug", "SHOP")
    assert made.properties == [{"key": "purser", "value": {"mark": MARK}}]


async def test_every_request_is_as_the_description_says(
    site: JiraStandIn, jira: Jira, jira_openapi: Path
) -> None:
    """All that proposing, writing, looking and undoing send is valid by Atlassian's own description."""
    for drafts in ALL:
        draft = await drafts(jira)
        written = await jira.write(draft, mark=MARK, deadline=SECONDS)
        assert await jira.written(draft, mark=MARK, deadline=SECONDS) is not None
        if draft.kind != "issue":
            await jira.undo(written, deadline=SECONDS)
    image = (await jira.issue("SHOP-12", deadline=SECONDS)).attachments[0]
    await jira.attachment(image.id, deadline=SECONDS, most_bytes=100_000)
    judge = contract(jira_openapi)
    found = [
        judge.request(h.method, h.path, h.query, json.loads(h.body) if h.body else None)
        for h in site.log
    ]

    assert [problems for problems in found if problems] == []
    assert len(sent(site)) == 9


async def move(site: JiraStandIn) -> None:
    """Somebody else moves both issues."""
    for key, status in (("SHOP-12", "In Progress"), ("SHOP-11", "Blocked")):
        site.world.move(site.world.issues[key], status, NOW, "712020:raj")


async def reword(site: JiraStandIn) -> None:
    """Somebody else rewords SHOP-12."""
    site.world.issues["SHOP-12"].summary = "Another"


async def lock(site: JiraStandIn) -> None:
    """A security level comes upon both issues."""
    for key in ("SHOP-12", "SHOP-11"):
        site.world.issues[key].security = "Leads only"


async def shift(site: JiraStandIn) -> None:
    """Both issues move to another project."""
    for key, other in (("SHOP-12", "PAY-3"), ("SHOP-11", "PAY-7")):
        site.world.moved[key] = other


async def open_to_customers(site: JiraStandIn) -> None:
    """The project becomes a service desk."""
    site.world.projects["SHOP"] = replace(site.world.projects["SHOP"], kind="service_desk")


async def close(site: JiraStandIn) -> None:
    """The step asks for a form now."""
    steps = site.world.workflows["software"]
    site.world.workflows["software"] = tuple(
        type(s)(s.id, s.name, s.to, s.sources, ("resolution",)) if s.id == "41" else s
        for s in steps
    )


async def remove(site: JiraStandIn) -> None:
    """The step is gone from the workflow."""
    steps = site.world.workflows["software"]
    site.world.workflows["software"] = tuple(s for s in steps if s.id != "41")


@pytest.mark.parametrize(
    ("drafts", "meanwhile", "words"),
    [
        (transition, move, "SHOP-11 is in Blocked now, no more in In Progress"),
        (transition, close, "asks for Resolution .Done, Won't do. now"),
        (transition, remove, "can no more go to In Review"),
        (transition, lock, "does not exist any more, or is restricted"),
        (transition, shift, "SHOP-11 has moved to PAY-7"),
        (update, reword, "Summary of SHOP-12 changed meanwhile"),
        (update, lock, "restricted now"),
        (comment, lock, "restricted now"),
        (comment, open_to_customers, "Others than the proposal says see SHOP-12 now"),
        (comment, shift, "SHOP-12 has moved to PAY-3"),
    ],
)
async def test_nothing_is_written_on_what_has_changed(
    drafts: Drafts,
    meanwhile: Callable[[JiraStandIn], Awaitable[None]],
    words: str,
    site: JiraStandIn,
    jira: Jira,
) -> None:
    """What the proposal stands on is read again; where it is not so any more, a sentence says what is."""
    draft = await drafts(jira)
    await meanwhile(site)

    with pytest.raises(JiraChanged, match=words):
        await jira.write(draft, mark=MARK, deadline=SECONDS)
    assert sent(site) == []


async def test_what_does_not_touch_a_proposal_does_not_stop_it(
    site: JiraStandIn, jira: Jira
) -> None:
    """A comment may be written whatever the status is by now, and fields whatever other fields hold."""
    drafts = [await comment(jira), await update(jira)]
    await move(site)

    for draft in drafts:
        await jira.write(draft, mark=MARK, deadline=SECONDS)

    assert len(sent(site)) == 2


LOST = [
    Troubles(reset=True, times=1),
    Troubles(cut=True, times=1),
    Troubles(late=60, times=1),
    Troubles(status=500, times=1),
    Troubles(status=503, retry_after="1", times=1),
    Troubles(refuse=True, times=1),
    Troubles(status=502, html=True, times=1),
]


# An answer without a body cannot be cut.
PAIRS = [(d, t) for d in ALL for t in LOST if not (t.cut and d in (transition, update))]


@pytest.mark.parametrize(
    ("drafts", "trouble"), PAIRS, ids=lambda value: getattr(value, "__name__", str(value))
)
async def test_a_lost_answer_is_unknown_sent_once_and_looked_up(
    drafts: Drafts, trouble: Troubles, site: JiraStandIn, jira: Jira
) -> None:
    """Whatever happens after sending: unknown, never sent again, and a look tells what is true."""
    draft = await drafts(jira)
    before = state(site)
    trouble = replace(trouble, on=PATHS[drafts])
    hangs = trouble.late > 0
    site.troubles = trouble

    with pytest.raises(JiraUnknown, match="may stand there or not"):
        await jira.write(draft, mark=MARK, deadline=SHORT if hangs else SECONDS)
    await happened(lambda: threads() == 0)
    changed = state(site) != before
    found = await jira.written(draft, mark=MARK, deadline=SECONDS)

    assert len(sent(site)) == 1
    assert (found is not None) is changed
    assert changed is (trouble.reset or trouble.cut or hangs)


async def test_what_was_found_can_be_undone(site: JiraStandIn, jira: Jira) -> None:
    """A look gives back all that undoing needs; a step that lost its comment says so."""
    for drafts in (comment, transition, update):
        draft = await drafts(jira)
        site.troubles = Troubles(on=PATHS[drafts], reset=True, times=1)
        with pytest.raises(JiraUnknown):
            await jira.write(draft, mark=f"{MARK}-{draft.kind}", deadline=SECONDS)
        found = await jira.written(draft, mark=f"{MARK}-{draft.kind}", deadline=SECONDS)
        assert isinstance(found, Written)
        assert ("comment that goes with it" in found.left) is (drafts is transition)
        await jira.undo(found, deadline=SECONDS)

    assert site.world.issues["SHOP-11"].status == "In Progress"
    assert site.world.issues["SHOP-12"].summary == "Retry a payment without charging twice"


@pytest.mark.parametrize("drafts", ALL)
async def test_another_proposals_change_is_not_taken_for_ours(
    drafts: Drafts, site: JiraStandIn, jira: Jira
) -> None:
    """The same words under another mark are another change."""
    draft = await drafts(jira)
    await jira.write(draft, mark="another", deadline=SECONDS)

    assert await jira.written(draft, mark=MARK, deadline=SECONDS) is None


@pytest.mark.parametrize("drafts", [transition, update])
async def test_our_change_is_known_where_its_mark_was_dropped(
    drafts: Drafts, site: JiraStandIn, jira: Jira
) -> None:
    """Without marks in the changelog, our account's own change after the draft counts; others' do not."""
    draft = await drafts(jira)
    issue = site.world.issues[draft.key]
    await jira.write(draft, mark=MARK, deadline=SECONDS)
    ours = [c for c in issue.changes if c.origin]
    issue.changes = [type(c)(c.id, c.at, c.author, c.field, c.old, c.new) for c in issue.changes]

    assert len(ours) >= 1
    assert await jira.written(draft, mark=MARK, deadline=SECONDS) is not None
    issue.changes = [
        type(c)(c.id, c.at, "712020:raj", c.field, c.old, c.new) for c in issue.changes
    ]
    assert await jira.written(draft, mark=MARK, deadline=SECONDS) is None


@pytest.mark.parametrize(
    ("trouble", "kind", "words"),
    [
        (Troubles(status=400), JiraRejected, "does not take this request"),
        (Troubles(status=403), JiraRefused, "does not permit"),
        (Troubles(status=401), JiraRefused, "API token has expired"),
        (Troubles(limited="jira-burst-based"), JiraBusy, "all apps of this site together.* in 1 s"),
        (
            Troubles(limited="jira-quota-tenant-based", retry_after="1800"),
            JiraBusy,
            "hour's quota.* in 1800 s",
        ),
        (
            Troubles(limited="jira-per-issue-on-write", retry_after="2"),
            JiraBusy,
            "one issue is changed.* in 2 s",
        ),
        (Troubles(limited="jira-cost-based", retry_after=None), JiraBusy, "in a minute"),
    ],
    ids=str,
)
@pytest.mark.parametrize("drafts", ALL)
async def test_what_jira_refuses_is_known_and_sent_once(
    drafts: Drafts,
    trouble: Troubles,
    kind: type[JiraProblem],
    words: str,
    site: JiraStandIn,
    jira: Jira,
) -> None:
    """A refusal is no lost answer; a limited write is not sent again, and its sentence names the limit."""
    draft = await drafts(jira)
    before = state(site)
    site.troubles = replace(trouble, on=PATHS[drafts])

    with pytest.raises(kind, match=words):
        await jira.write(draft, mark=MARK, deadline=SECONDS)

    assert len(sent(site)) == 1
    assert state(site) == before


async def test_field_errors_have_the_fields_names(site: JiraStandIn, jira: Jira) -> None:
    """What Jira says of a field is told with the field."""
    draft = await issue(jira)
    draft.wire["fields"]["labels"] = ["two words"]

    with pytest.raises(JiraRejected, match="labels: The label 'two words' contains spaces"):
        await jira.write(draft, mark=MARK, deadline=SECONDS)


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say nothing."""


async def test_what_was_never_sent_is_not_unknown(site: JiraStandIn, jira: Jira) -> None:
    """No connection, no time left, no thread free: the problem says so, and nothing was written."""
    draft = await issue(jira)
    async with serving(silence) as port:
        nowhere = elsewhere(f"http://127.0.0.1:{port}")
    with pytest.raises(JiraBroken):
        await nowhere.write(draft, mark=MARK, deadline=SECONDS)
    site.troubles = Troubles(on="GET", hang=60)
    busy = client(site, in_flight=1)
    waiting = asyncio.create_task(busy.issue("SHOP-12", deadline=SHORT * 2))
    await site.wait_for(lambda: "SHOP-12" in site.log[-1].path, SECONDS)

    with pytest.raises(JiraSlow):
        await busy.write(draft, mark=MARK, deadline=SHORT)
    with pytest.raises(JiraSlow):
        await waiting

    assert sent(site) == []
    await busy.close()
    await nowhere.close()


async def test_a_scoped_token_writes_through_the_gateway(site: JiraStandIn) -> None:
    """Calls go to the gateway, addresses for people stay on the site."""
    scoped = client(site, api_url=site.gateway_url, token=site.scoped_token)

    written = await scoped.write(await comment(scoped), mark=MARK, deadline=SECONDS)

    assert written.url.startswith(f"{SITE}/browse/SHOP-12")
    assert all(h.path.startswith("/ex/jira/") for h in site.log)
    await scoped.close()
