"""A review is posted on a pull request once, as GitHub wants it; what goes wrong has its sentence, and a lost one is found."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bot.demo.github import GitHubStandIn
from bot.demo.loopback import Troubles
from integrations import github_writing
from integrations.github import (
    GitHub,
    GitHubBusy,
    GitHubDown,
    GitHubProblem,
    GitHubRefused,
    GitHubRejected,
    GitHubUnknown,
    Posted,
    Remark,
    ReviewDraft,
)
from tests.integrations.github_worlds import SECONDS, client, pull_url, standing_in

REVIEWS = "POST .*/reviews$"
SECOND = Remark("checkout/pay.py", 38, "RIGHT", "**Blocker: Paid twice**", start=37)


@pytest.fixture
async def stand_in() -> AsyncIterator[GitHubStandIn]:
    """GitHub with its three pull requests."""
    async with standing_in() as made:
        yield made


@pytest.fixture
async def github(stand_in: GitHubStandIn) -> AsyncIterator[GitHub]:
    """Our client for it, with a token."""
    async with client(stand_in.url, stand_in.token) as made:
        yield made


def draft(stand_in: GitHubStandIn, **changes: Any) -> ReviewDraft:
    """A review of the first pull request at its head."""
    made = ReviewDraft(
        url=pull_url(stand_in),
        repository="shop/checkout",
        number="7",
        title="Pay twice",
        head=stand_in.repositories["shop/checkout"].pulls[7].head,
        text="**1 finding**\n\non behalf of Ana, by Purser",
        remarks=(SECOND,),
    )
    return replace(made, **changes)


def reviews(stand_in: GitHubStandIn) -> list[dict[str, Any]]:
    """What stands there."""
    return stand_in.repositories["shop/checkout"].pulls[7].reviews


async def post(github: GitHub, made: ReviewDraft, within: float = SECONDS) -> Posted:
    """Post it."""
    return await github.post(made, mark="p1", deadline=within)


async def test_a_review_is_posted_as_one_request(github: GitHub, stand_in: GitHubStandIn) -> None:
    """A comment and no verdict, at the commit that was reviewed, with its lines and a mark that pages do not show."""
    made = draft(stand_in)
    posted = await post(github, made)

    (sent,) = [json.loads(h.body) for h in stand_in.log if h.method == "POST"]
    assert sent == {
        "event": "COMMENT",
        "commit_id": made.head,
        "body": f"{made.text}\n\n<!-- purser:p1 -->",
        "comments": [
            {
                "path": "checkout/pay.py",
                "line": 38,
                "side": "RIGHT",
                "body": "**Blocker: Paid twice**",
                "start_line": 37,
                "start_side": "RIGHT",
            }
        ],
    }
    (review,) = reviews(stand_in)
    assert (review["state"], posted.ident) == ("COMMENTED", str(review["id"]))
    assert posted.url == f"{made.url}#pullrequestreview-{review['id']}"
    assert posted.left == ""


async def test_an_enterprise_server_takes_it_too(stand_in: GitHubStandIn) -> None:
    """Under another address of the interface the same is posted."""
    async with client(stand_in.enterprise_url, stand_in.token) as github:
        await post(github, draft(stand_in))

    assert len(reviews(stand_in)) == 1
    assert stand_in.log[-1].path == "/api/v3/repos/shop/checkout/pulls/7/reviews"


async def test_a_push_in_between_is_told(github: GitHub, stand_in: GitHubStandIn) -> None:
    """The review stands at the commit that was reviewed, and it is said that there is another one."""
    made = draft(stand_in)
    stand_in.repositories["shop/checkout"].push(7, {"README.md": "More.\n"}, "More")
    posted = await post(github, made)

    assert reviews(stand_in)[0]["commit_id"] == made.head
    assert posted.left == github_writing.PUSHED.format(head=made.head[:12])


async def test_a_forced_push_in_between_posts_nothing(
    github: GitHub, stand_in: GitHubStandIn
) -> None:
    """A commit that is gone cannot be commented on: that is the sentence."""
    made = draft(stand_in)
    stand_in.repositories["shop/checkout"].force_push(7, {"README.md": "More.\n"}, "More")
    with pytest.raises(GitHubRejected) as told:
        await post(github, made)

    assert str(told.value) == github_writing.FORCED.format(head=made.head[:12])
    assert reviews(stand_in) == []


async def test_one_that_is_moved_names_no_commit(github: GitHub, stand_in: GitHubStandIn) -> None:
    """A review of a commit that is no longer there is posted by its words alone."""
    made = draft(stand_in, moved=True, remarks=(), head="0" * 40)
    posted = await post(github, made)

    assert "commit_id" not in stand_in.log[-1].body
    assert (len(reviews(stand_in)), posted.left) == (1, "")


@pytest.mark.parametrize(
    ("remark", "sentence"),
    [
        (replace(SECOND, line=400, start=0), github_writing.LINES),
        (replace(SECOND, start=1), github_writing.LINES),
        (replace(SECOND, path="nowhere.py"), github_writing.LINES),
    ],
)
async def test_lines_outside_of_the_diff(
    github: GitHub, stand_in: GitHubStandIn, remark: Remark, sentence: str
) -> None:
    """GitHub takes all or nothing; that it was the lines is said."""
    with pytest.raises(GitHubRejected) as told:
        await post(github, draft(stand_in, remarks=(remark,)))

    assert (str(told.value), reviews(stand_in)) == (sentence, [])


async def test_a_review_that_waits_is_told(github: GitHub, stand_in: GitHubStandIn) -> None:
    """Where the bot's account has one that was never submitted, who can mend it is said."""
    waiting = {"id": 1, "login": "purser-bot", "body": "", "state": "PENDING", "commit_id": ""}
    reviews(stand_in).append(waiting)
    with pytest.raises(GitHubRejected) as told:
        await post(github, draft(stand_in))

    assert str(told.value) == github_writing.PENDING


async def test_a_text_that_is_not_taken_is_told_in_githubs_words(
    github: GitHub, stand_in: GitHubStandIn
) -> None:
    """What we know no sentence for keeps GitHub's own."""
    with pytest.raises(GitHubRejected, match=r"GitHub does not take this review: .*too short"):
        await post(github, draft(stand_in, text="x" * 70_000))


async def test_without_the_right_to_write(github: GitHub, stand_in: GitHubStandIn) -> None:
    """A token that reads alone is told apart from one that GitHub does not know."""
    stand_in.may_write = False
    with pytest.raises(GitHubRefused) as told:
        await post(github, draft(stand_in))

    assert str(told.value) == github_writing.NO_RIGHT


async def test_without_a_token_nothing_is_asked(stand_in: GitHubStandIn) -> None:
    """Who has none is told so, and GitHub hears nothing."""
    async with client(stand_in.url) as github:
        with pytest.raises(GitHubRefused, match="GITHUB_TOKEN"):
            await post(github, draft(stand_in))

    assert stand_in.log == []


async def test_a_locked_conversation(github: GitHub, stand_in: GitHubStandIn) -> None:
    """That it is locked is said, and not that a right is missing."""
    stand_in.repositories["shop/checkout"].pulls[7].locked = True
    with pytest.raises(GitHubRefused) as told:
        await post(github, draft(stand_in))

    assert str(told.value) == github_writing.LOCKED


async def test_limits_are_told_and_kept_to(github: GitHub, stand_in: GitHubStandIn) -> None:
    """A secondary limit is a wait with its seconds, and nothing more is asked meanwhile."""
    stand_in.troubles = Troubles(on=REVIEWS, limited="secondary", retry_after="30")
    with pytest.raises(GitHubBusy, match="again in 30 s"):
        await post(github, draft(stand_in))
    asked = len(stand_in.log)
    with pytest.raises(GitHubBusy):
        await post(github, draft(stand_in))

    assert (len(stand_in.log), reviews(stand_in)) == (asked, [])


@pytest.mark.parametrize("pulls", ["GET .*/pulls/7$", ""])
async def test_down_before_it_was_sent(github: GitHub, stand_in: GitHubStandIn, pulls: str) -> None:
    """Where the pull request cannot be read, or nobody listens, nothing was sent for sure."""
    made = draft(stand_in)
    if pulls:
        stand_in.troubles = Troubles(on=pulls, status=502)
    else:
        await stand_in.stop()
    with pytest.raises(GitHubDown):
        await post(github, made)

    assert reviews(stand_in) == []


@pytest.mark.parametrize(
    ("trouble", "stands"),
    [
        (Troubles(on=REVIEWS, reset=True), 1),
        (Troubles(on=REVIEWS, cut=True), 1),
        (Troubles(on=REVIEWS, late=SECONDS), 1),
        (Troubles(on=REVIEWS, status=502), 0),
        (Troubles(on=REVIEWS, refuse=True), 0),
    ],
)
async def test_a_lost_answer_is_looked_for(
    github: GitHub, stand_in: GitHubStandIn, trouble: Troubles, stands: int
) -> None:
    """It is sent once; whether it stands there is known by its mark, on whatever page it is."""
    made = draft(stand_in)
    other = {"id": 1, "login": "ana", "body": "Hm.", "state": "COMMENTED", "commit_id": made.head}
    reviews(stand_in).extend([other] * 120)
    stand_in.troubles = trouble
    within = 0.5 if trouble.late else SECONDS
    with pytest.raises(GitHubUnknown):
        await post(github, made, within)
    stand_in.troubles = Troubles()
    found = await github.posted(made, mark="p1", deadline=SECONDS)

    assert len([h for h in stand_in.log if h.method == "POST"]) == 1
    assert len(reviews(stand_in)) == 120 + stands
    assert (found.url if found else "").count("#pullrequestreview-8121") == stands
    assert await github.posted(made, mark="p2", deadline=SECONDS) is None


async def test_where_nobody_can_look_that_is_said(github: GitHub, stand_in: GitHubStandIn) -> None:
    """A look that fails is a problem, and never a no."""
    stand_in.troubles = Troubles(on="GET .*/reviews$", status=500)
    with pytest.raises(GitHubProblem):
        await github.posted(draft(stand_in), mark="p1", deadline=SECONDS)


def test_a_draft_can_wait_in_a_store() -> None:
    """As text and back it is the same."""
    made = ReviewDraft("u", "o/r", "1", "T", "abc", "x", (SECOND,), moved=True)

    assert ReviewDraft.from_json(made.to_json()) == made
