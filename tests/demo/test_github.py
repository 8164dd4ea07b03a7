"""GitHub's wire as the stand-in speaks it."""

import base64
import re
from typing import Any

import aiohttp
import pytest

from bot.demo.github import GitHubStandIn
from bot.demo.loopback import Troubles

CHECKOUT = "/repos/shop/checkout"
VAULT = "/repos/shop/vault"
DIFF = {"Accept": "application/vnd.github.diff"}
RAW = {"Accept": "application/vnd.github.raw+json"}


async def get(
    session: aiohttp.ClientSession,
    url: str,
    *,
    token: str = "",
    headers: dict[str, str] | None = None,
) -> tuple[int, dict[str, str], Any]:
    """Status, headers (small letters) and body, JSON read."""
    sent = {**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})}
    async with session.get(url, headers=sent) as response:
        is_json = response.content_type == "application/json"
        body = await response.json() if is_json else await response.text()
        return response.status, {k.lower(): v for k, v in response.headers.items()}, body


@pytest.mark.parametrize("enterprise", [False, True])
async def test_a_pull_request_and_its_diff(
    enterprise: bool,
    github: GitHubStandIn,
    session: aiohttp.ClientSession,
) -> None:
    """Five files, a lock file and a generated one among them, and the ticket it is for."""
    base = github.enterprise_url if enterprise else github.url
    _, _, pull = await get(session, f"{base}{CHECKOUT}/pulls/7")
    _, headers, diff = await get(session, f"{base}{CHECKOUT}/pulls/7", headers=DIFF)
    paths = re.findall(r"^diff --git a/(\S+)", diff, re.MULTILINE)

    assert "SHOP-12" in pull["body"]
    assert pull["url"].startswith(base)
    assert paths == [
        "checkout/api_pb2.py",
        "checkout/keys.py",
        "checkout/pay.py",
        "checkout/store.py",
        "uv.lock",
    ]
    assert pull["changed_files"] == 5
    assert headers["content-type"].startswith("application/vnd.github.diff")
    assert 100 <= len(diff.splitlines()) <= 160


async def test_the_planted_bugs_are_in_the_diff(
    github: GitHubStandIn, session: aiohttp.ClientSession
) -> None:
    """A retry with a fresh key, a comparison the wrong way round, a query put together from text."""
    _, _, diff = await get(session, f"{github.url}{CHECKOUT}/pulls/7", headers=DIFF)

    assert "+        again = new_key(basket.id)" in diff
    assert "+    return now - made_at < KEY_SECONDS" in diff
    assert (
        "+    return await db.fetch_one(f\"SELECT * FROM basket WHERE payment_key = '{key}'\")"
        in diff
    )


async def test_files_come_in_pages(github: GitHubStandIn, session: aiohttp.ClientSession) -> None:
    """Link headers lead through all pages, and no further."""
    url: str | None = f"{github.url}{CHECKOUT}/pulls/7/files?per_page=2"
    seen: list[str] = []
    while url:
        _, headers, files = await get(session, url)
        seen += [file["filename"] for file in files]
        following = re.search(r'<([^>]+)>; rel="next"', headers.get("link", ""))
        url = following[1] if following else None

    assert len(seen) == 5


async def test_contents_at_a_ref(github: GitHubStandIn, session: aiohttp.ClientSession) -> None:
    """A file as JSON and raw, at a branch and at a commit; a folder as a list; a blob by its sha."""
    url = f"{github.url}{CHECKOUT}/contents/checkout/keys.py"
    _, _, old = await get(session, url)
    _, _, new = await get(session, f"{url}?ref=retry-keys", headers=RAW)
    _, _, folder = await get(session, f"{github.url}{CHECKOUT}/contents/checkout")
    _, _, found = await get(session, old["git_url"])
    missing = await get(session, f"{url}?ref=nowhere")

    assert b"KEY_SECONDS" not in base64.b64decode(old["content"])
    assert "KEY_SECONDS" in new
    assert "checkout/pay.py" in [entry["path"] for entry in folder]
    assert found["content"] == old["content"]
    assert missing[0] == 404


async def test_compare_and_commit(github: GitHubStandIn, session: aiohttp.ClientSession) -> None:
    """Both know JSON and diff."""
    head = github.repositories["shop/checkout"].pulls[7].head
    _, _, comparison = await get(session, f"{github.url}{CHECKOUT}/compare/main...retry-keys")
    _, _, commit = await get(session, f"{github.url}{CHECKOUT}/commits/{head[:10]}")
    _, _, diff = await get(session, f"{github.url}{CHECKOUT}/commits/{head}", headers=DIFF)

    assert [f["filename"] for f in comparison["files"]] == [f["filename"] for f in commit["files"]]
    assert commit["sha"] == head
    assert diff.startswith("diff --git")


async def test_private_repositories_need_the_right_token(
    github: GitHubStandIn, session: aiohttp.ClientSession
) -> None:
    """404 without a token or with one that may not; 401 for a bad one."""
    url = github.url + VAULT
    statuses = [
        (await get(session, url, token=token))[0]
        for token in ("", github.public_token, "wrong", github.token)
    ]

    assert statuses == [404, 404, 401, 200]


async def test_unchanged_answers_cost_nothing(
    github: GitHubStandIn, session: aiohttp.ClientSession
) -> None:
    """304 for a known ETag leaves the hour's count alone; a push changes the tag."""
    url = f"{github.url}{CHECKOUT}/pulls/7"
    _, first, _ = await get(session, url)
    known = {"If-None-Match": first["etag"]}
    status, second, _ = await get(session, url, headers=known)
    github.repositories["shop/checkout"].push(7, {"README.md": "new\n"}, "Fix")
    after, _, _ = await get(session, url, headers=known)

    assert (status, after) == (304, 200)
    assert first["x-ratelimit-remaining"] == second["x-ratelimit-remaining"] == "59"


async def test_both_rate_limits(github: GitHubStandIn, session: aiohttp.ClientSession) -> None:
    """Primary: nothing remaining until the reset. Secondary: a Retry-After."""
    github.remaining[""] = 0
    status, primary, body = await get(session, f"{github.url}{CHECKOUT}/pulls/7")
    github.remaining[""] = 5
    github.troubles = Troubles(limited="secondary", retry_after="60")
    limited, secondary, said = await get(session, f"{github.url}{CHECKOUT}/pulls/7")

    assert (status, limited) == (403, 403)
    assert primary["x-ratelimit-remaining"] == "0"
    assert float(primary["x-ratelimit-reset"]) > github.now()
    assert "rate limit exceeded" in body["message"]
    assert secondary["retry-after"] == "60"
    assert "secondary rate limit" in said["message"]


async def test_ordered_errors(github: GitHubStandIn, session: aiohttp.ClientSession) -> None:
    """5xx in GitHub's form."""
    github.troubles = Troubles(status=502, times=1)

    status, _, body = await get(session, f"{github.url}{CHECKOUT}/pulls/7")

    assert (status, body["message"]) == (502, "Server Error")


async def test_comments_stand_on_lines_of_the_diff(
    github: GitHubStandIn, session: aiohttp.ClientSession
) -> None:
    """A comment needs a token; a review comment a line that the diff of the head shows."""
    url = f"{github.url}{CHECKOUT}"
    head = github.repositories["shop/checkout"].pulls[7].head
    sent = {"Authorization": f"Bearer {github.token}"}
    line = {"body": "Why?", "path": "checkout/keys.py", "commit_id": head, "side": "RIGHT"}
    statuses: list[int] = []
    for path, body, headers in (
        ("issues/7/comments", {"body": "Hello"}, {}),
        ("issues/7/comments", {"body": "Hello"}, sent),
        ("issues/7/comments", {"body": " "}, sent),
        ("pulls/7/comments", {**line, "line": 18}, sent),
        ("pulls/7/comments", {**line, "line": 999}, sent),
        ("pulls/7/comments", {**line, "line": 18, "commit_id": "0" * 40}, sent),
    ):
        async with session.post(f"{url}/{path}", json=body, headers=headers) as response:
            statuses.append(response.status)

    assert statuses == [401, 201, 422, 201, 422, 422]
