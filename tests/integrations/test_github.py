"""Changes and files from GitHub: what is read, with what rights, and what is asked again for nothing."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.demo.github import GitHubStandIn
from bot.demo.loopback import Troubles
from integrations.github import (
    File,
    Folder,
    GitHub,
    GitHubBadAddress,
    GitHubMoved,
    GitHubNotFound,
)
from integrations.github_wire import Kept
from tests.integrations.github_worlds import SECONDS, client, pull_url, standing_in


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


async def test_a_pull_request_with_its_diff(stand_in: GitHubStandIn, github: GitHub) -> None:
    """Title, words, author, state, ends, the head's commit, the count of files, and the diff as git prints it."""
    place = github.address(pull_url(stand_in))
    change = await github.change(place, as_us=False, deadline=SECONDS)

    assert (change.kind, change.number, change.state) == ("pull", "7", "open")
    assert change.repository == "shop/checkout"
    assert change.title == "Retry payments with one idempotency key"
    assert change.body.startswith("Implements SHOP-12.")
    assert change.author == "raj-shop"
    assert (change.base, change.head) == ("main", "shop:retry-keys")
    assert change.head_sha == stand_in.repositories["shop/checkout"].pulls[7].head
    assert change.url == pull_url(stand_in)
    assert change.files == change.diff.count("diff --git ") == 5
    assert not change.moving
    assert change.without_diff == ()


async def test_an_enterprise_server(stand_in: GitHubStandIn) -> None:
    """Its interface lies below a path, its pages do not."""
    async with client(stand_in.enterprise_url) as github:
        change = await github.change(
            github.address(pull_url(stand_in)), as_us=False, deadline=SECONDS
        )

    assert change.number == "7"
    assert all(heard.path.startswith("/api/v3/repos/") for heard in stand_in.log)


async def test_a_commit_and_a_comparison(stand_in: GitHubStandIn, github: GitHub) -> None:
    """Both have the same diff as their pull request; their head is the same commit."""
    sha = stand_in.repositories["shop/checkout"].pulls[7].head
    base = f"{stand_in.url}/shop/checkout"
    urls = (pull_url(stand_in), f"{base}/commit/{sha}", f"{base}/compare/main...retry-keys")
    pull, commit, comparison = [
        await github.change(github.address(url), as_us=False, deadline=SECONDS) for url in urls
    ]

    assert commit.diff == comparison.diff == pull.diff
    assert commit.head_sha == comparison.head_sha == pull.head_sha
    assert (commit.title, commit.author) == (pull.title, "raj-shop")
    assert comparison.title == "main...retry-keys"


@pytest.mark.parametrize(
    ("state", "merged", "told"), [("closed", False, "closed"), ("closed", True, "merged")]
)
async def test_a_closed_one_is_told_as_closed(
    stand_in: GitHubStandIn, github: GitHub, state: str, merged: bool, told: str
) -> None:
    """A pull request that was closed or merged is read all the same, and its state is known."""
    pull = stand_in.repositories["shop/checkout"].pulls[8]
    pull.state, pull.merged = state, merged
    change = await github.change(
        github.address(pull_url(stand_in, 8)), as_us=False, deadline=SECONDS
    )

    assert change.state == told


async def test_a_private_one_needs_our_token(stand_in: GitHubStandIn, github: GitHub) -> None:
    """As nobody it is not there; as ourselves it is."""
    place = github.address(pull_url(stand_in, 1, "shop/vault"))

    with pytest.raises(GitHubNotFound):
        await github.change(place, as_us=False, deadline=SECONDS)
    change = await github.change(place, as_us=True, deadline=SECONDS)
    assert change.title == "Two more replicas"
    with pytest.raises(GitHubNotFound):  # nor does what we know of it as ourselves help nobody
        await github.change(place, as_us=False, deadline=SECONDS)


async def test_a_file_where_the_address_leads(stand_in: GitHubStandIn, github: GitHub) -> None:
    """A pull request means its head, a branch its state, a repository its default branch."""
    repository = f"{stand_in.url}/shop/checkout"
    read: list[File | Folder] = []
    for url, ref in (
        (pull_url(stand_in), ""),
        (repository, ""),
        (repository, "retry-keys"),
        (f"{repository}/tree/retry-keys", ""),
    ):
        place = github.address(url)
        read.append(
            await github.file(place, "checkout/keys.py", ref, as_us=False, deadline=SECONDS)
        )
    texts = [found.text for found in read if isinstance(found, File)]

    assert ["KEY_SECONDS" in text for text in texts] == [True, False, True, True]
    assert read[0].ref == stand_in.repositories["shop/checkout"].pulls[7].head


async def test_a_folder_gives_its_names(stand_in: GitHubStandIn, github: GitHub) -> None:
    """Where the path is a folder, its names are read."""
    place = github.address(f"{stand_in.url}/shop/checkout")
    found = await github.file(place, "/checkout/", "", as_us=False, deadline=SECONDS)

    assert isinstance(found, Folder)
    assert "pay.py" in found.names


async def test_what_has_not_changed_costs_nothing(stand_in: GitHubStandIn, github: GitHub) -> None:
    """A second reading is confirmed by GitHub instead of sent again; a push is seen at once."""
    place = github.address(pull_url(stand_in))
    await github.change(place, as_us=False, deadline=SECONDS)
    left = stand_in.remaining[""]
    await github.change(place, as_us=False, deadline=SECONDS)

    assert stand_in.remaining[""] == left
    assert {heard.status for heard in stand_in.log[-3:]} == {304}

    stand_in.repositories["shop/checkout"].push(7, {"README.md": "new\n"}, "Fix")
    again = await github.change(place, as_us=False, deadline=SECONDS)
    assert "+++ b/README.md" in again.diff


async def test_a_push_in_between_is_seen(stand_in: GitHubStandIn, github: GitHub) -> None:
    """If it is pushed to while it is read, it is read again, so that diff and head belong together."""
    repository = stand_in.repositories["shop/checkout"]
    first = repository.pulls[7].head
    stand_in.troubles = Troubles(delay=0.05)  # so that the push comes before the diff is answered

    async def push_while_the_diff_is_read() -> None:
        await stand_in.wait_for(lambda: len(stand_in.log) == 2, SECONDS)
        repository.push(7, {"README.md": "new\n"}, "Fix")

    place = github.address(pull_url(stand_in))
    change, _ = await asyncio.gather(
        github.change(place, as_us=False, deadline=SECONDS), push_while_the_diff_is_read()
    )

    assert change.head_sha == repository.pulls[7].head != first
    assert not change.moving
    assert "+++ b/README.md" in change.diff
    assert len(stand_in.log) == 5  # looked, read, looked, read, looked


async def test_a_change_too_large_to_print_is_put_together(
    stand_in: GitHubStandIn, github: GitHub
) -> None:
    """Where GitHub refuses one diff of so many files, their list is read, page by page."""
    repository = stand_in.repositories["shop/checkout"]
    files = {f"data/{n:03}.py": f"x = {n}\n" for n in range(420)}
    repository.push(8, files, "Many")
    change = await github.change(
        github.address(pull_url(stand_in, 8)), as_us=False, deadline=SECONDS
    )

    assert change.diff.count("diff --git ") == change.files
    assert "+++ b/data/419.py\n@@ -0,0 +1 @@\n+x = 419\n" in change.diff
    assert sum(heard.path.endswith("/files") for heard in stand_in.log) == 5


async def test_a_moved_repository_is_not_followed(stand_in: GitHubStandIn, github: GitHub) -> None:
    """A former name leads nowhere, so that no pattern of names opens what has another name now."""
    stand_in.moved["shop/till"] = 7001

    with pytest.raises(GitHubMoved):
        await github.change(
            github.address(pull_url(stand_in, 7, "shop/till")), as_us=True, deadline=SECONDS
        )
    assert [heard.path for heard in stand_in.log] == ["/repos/shop/till/pulls/7"]


async def test_a_repository_has_no_diff(stand_in: GitHubStandIn, github: GitHub) -> None:
    """The address of a repository is told to be none of a change, without asking GitHub."""
    with pytest.raises(GitHubBadAddress, match="not of a change"):
        await github.change(
            github.address(f"{stand_in.url}/shop/checkout"), as_us=False, deadline=SECONDS
        )
    assert stand_in.log == []


async def test_links_lead_to_the_head_commit(stand_in: GitHubStandIn, github: GitHub) -> None:
    """The beginning of a file's link is the host's page of that commit."""
    place = github.address(pull_url(stand_in))

    assert github.link(place, "abc") == f"{stand_in.url}/shop/checkout/blob/abc/"


def test_what_is_kept_is_bounded() -> None:
    """However much is read, only so many bytes are remembered, the least used forgotten first."""
    kept = Kept(most=10)
    for number in range(4):
        kept.put((str(number), ""), "tag", {}, b"1234")
        kept.get(("0", ""))

    assert [kept.get((str(n), "")) is not None for n in range(4)] == [True, False, False, True]
