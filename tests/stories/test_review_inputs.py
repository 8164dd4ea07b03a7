"""Whatever a review is asked of: it is read, or what was not read is said in a sentence, and the answer goes on."""

import base64
from pathlib import Path
from typing import Any

import pytest

from bot.demo.claude.reply import Draft, Use
from bot.demo.pages import made
from tests.stories.account import assert_balanced
from tests.stories.world import World

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
QUERY = 'def find(db, name):\n    return db.execute("SELECT * FROM t WHERE n = \'" + name + "\'")\n'
SHARED = "def add(item, to=[]):\n    to.append(item)\n    return to\n"


class Enterprise(World):
    """A company with a code host of its own: its interface lies under another path."""

    def environ(self) -> dict[str, str]:
        """The bot's settings."""
        return {**super().environ(), "GITHUB_API_URL": self.github.enterprise_url}


def content(world: World) -> list[dict[str, Any]]:
    """The blocks of the last message of the first request."""
    return world.asked[0].body["messages"][-1]["content"]


def words(world: World) -> str:
    """All words of that message."""
    return "\n".join(str(block.get("text", "")) for block in content(world))


async def review(world: World, asked: str, *files: Any) -> str:
    """Ask for a review, and wait for its answer."""
    root = await world.slack.say("ana", "#shop-dev", f"@purser {asked}", files=list(files))
    return await world.answered(root)


async def test_several_snippets_are_reviewed_together(world: World) -> None:
    """Each of several pasted pieces of code has its findings, in one answer and one call."""
    answer = await review(world, f"review ```{QUERY}``` and also ```{SHARED}```")

    assert "db.execute" in answer
    assert "to=[]" in answer
    assert len(world.asked) == 1
    assert_balanced(world)


async def test_a_source_file_is_reviewed_by_its_lines(world: World) -> None:
    """An attached file is code to be reviewed also without a word, and findings name it with its line."""
    file = world.slack.file("find.py", QUERY)
    answer = await review(world, "", file)

    assert "find.py:2" in answer


@pytest.mark.parametrize("name", ["fix.patch", "fix.diff", "fix.txt"])
async def test_a_diff_is_known_by_what_it_is(world: World, name: str) -> None:
    """A diff is read as one whatever it is called: with the lines of its files, and exact coverage."""
    diff = (
        "diff --git a/shop/find.py b/shop/find.py\n--- a/shop/find.py\n+++ b/shop/find.py\n"
        "@@ -40,0 +41,2 @@\n" + "".join(f"+{line}\n" for line in QUERY.splitlines())
    )
    answer = await review(world, "review this", world.slack.file(name, diff))

    assert "+   42|     return db.execute(" in words(world)
    assert "Read: 1 of 1 file, 2 of 2 changed lines." in answer


async def test_a_packed_series_of_patches_is_refused(world: World) -> None:
    """A zip is not opened: that is said, and what stands beside it is reviewed."""
    packed = world.slack.file("series.zip", b"PK\x03\x04" + b"\0" * 99)
    answer = await review(world, f"review these ```{SHARED}```", packed)

    assert "[not read: it is an archive; attach the files themselves]" in words(world)
    assert "I could not read `series.zip`" in answer
    assert "to=[]" in answer


@pytest.mark.parametrize(
    ("name", "data", "kind", "mimetype"),
    [
        ("screen.png", PNG, "image", "image/png"),
        ("design.pdf", made.pdf([["A design."]]), "document", "application/pdf"),
    ],
)
async def test_pictures_and_papers_reach_claude(
    world: World, name: str, data: bytes, kind: str, mimetype: str
) -> None:
    """A screen and a design go to Claude as what they are, byte for byte, beside the request."""
    await review(world, "review this", world.slack.file(name, data, mimetype=mimetype))
    (block,) = [block for block in content(world) if block["type"] == kind]

    assert block["source"]["media_type"] == mimetype
    assert base64.b64decode(block["source"]["data"]) == data
    assert "review this" in words(world)


async def test_a_commit_and_a_comparison_are_reviewed(world: World) -> None:
    """By their addresses, like a pull request: read beforehand, with places that lead to their head."""
    repository = world.github.repositories["shop/checkout"]
    pull = repository.pulls[7]
    for what in (f"commit/{pull.head}", f"compare/{pull.base}...{pull.head}"):
        answer = await review(world, f"review {world.github.url}/shop/checkout/{what}")

        assert f"/blob/{pull.head}/checkout/store.py#L32" in answer
        assert "Read: 3 of 5 files, 62 of 75 changed lines" in answer
    assert len(world.asked) == 2


async def test_an_enterprise_server_is_asked(tmp_path: Path) -> None:
    """A code host of the company's own is read at its own interface, with links to its own pages."""
    async with Enterprise(tmp_path, policy='repos = ["shop/*"]') as world:
        await world.start()
        answer = await review(world, f"review {world.github.url}/shop/vault/pull/1")

        assert "Read: " in answer
        assert {heard.path.split("/")[1] for heard in world.github.log} == {"api"}
        assert "Two more replicas" in words(world)


async def test_code_of_a_thread_is_reviewed(world: World) -> None:
    """Who asks below somebody's code means that code."""
    root = await world.slack.say("ben", "#shop-dev", "Does this work?", code=QUERY)
    asked = await world.slack.say("ana", "#shop-dev", "@purser review", thread_ts=root.ts)
    await world.ended(asked)

    assert "db.execute" in world.words(root)


@pytest.mark.parametrize(
    "steer", ["security only", "be brief", "is the migration safe?", "only the tests, please"]
)
async def test_words_that_steer_reach_claude(world: World, steer: str) -> None:
    """What to look at is said in the asker's own words, in the request and nowhere else."""
    await review(world, f"review {world.github.url}/shop/checkout/pull/7 {steer}")
    (ask,) = [b["text"] for b in content(world) if "<purser:ask" in b.get("text", "")]

    assert steer in ask


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("issues/4", "no address of a pull request"),
        ("pulls", "no address of a pull request"),
        ("blob/main/checkout/pay.py", "the address of a repository or a file, not of a change"),
    ],
)
async def test_an_address_that_is_no_change(world: World, place: str, sentence: str) -> None:
    """What names no change is not read beforehand; when Claude asks for it, the sentence says what would be one."""
    url = f"{world.github.url}/shop/checkout/{place}"
    world.script(Draft(uses=(Use("pull_request_diff", {"url": url}),)), Draft("It is no change."))
    await review(world, f"review {url}")

    assert sentence in str(world.asked[1].body["messages"][-1])
    assert world.github.log == []


@pytest.mark.parametrize(("merged", "state"), [(False, "closed"), (True, "merged")])
async def test_a_closed_one_is_reviewed_and_said_to_be(
    world: World, merged: bool, state: str
) -> None:
    """Claude is told that a pull request is closed or merged already; it is read all the same."""
    pull = world.github.repositories["shop/checkout"].pulls[7]
    pull.state, pull.merged = "closed", merged
    answer = await review(world, f"review {world.github.url}/shop/checkout/pull/7")

    assert f"\n{state} · by " in words(world)
    assert "Read: 3 of 5 files" in answer


HEAD = "diff --git a/{0} b/{0}\n--- a/{0}\n+++ b/{0}\n"
ODD = {
    "other line ends": (HEAD.format("a.py") + "@@ -1 +1 @@\n-a = 1\n+b = 2\n").replace(
        "\n", "\r\n"
    ),
    "no newline": HEAD.format("a.py")
    + "@@ -1 +1 @@\n-a = 1\n\\ No newline at end of file\n+b = 2\n\\ No newline at end of file\n",
    "a rename": "diff --git a/old.py b/new.py\nsimilarity index 100%\nrename from old.py\nrename to new.py\n",
    "a mode": "diff --git a/run.sh b/run.sh\nold mode 100644\nnew mode 100755\n",
    "a submodule": "diff --git a/lib b/lib\nindex 1111111..2222222 160000\n--- a/lib\n+++ b/lib\n"
    "@@ -1 +1 @@\n-Subproject commit 1111111\n+Subproject commit 2222222\n",
    "a conflict": HEAD.format("a.py")
    + "@@ -0,0 +1,5 @@\n+<<<<<<< HEAD\n+a = 1\n+=======\n+b = 2\n+>>>>>>> topic\n",
    "cut off": HEAD.format("b.py")
    + "@@ -1 +1 @@\n-a = 1\n+b = 2\n"
    + HEAD.format("a.py")
    + "@@ -9,3 +9,4 @@\n c = 3\n+d = 4\n",
}


@pytest.mark.parametrize(
    ("name", "told", "coverage"),
    [
        ("other line ends", "+    1| b = 2", "1 of 1 file, 2 of 2 changed lines"),
        ("no newline", "+    1| b = 2", "1 of 1 file, 2 of 2 changed lines"),
        ("a rename", "### new.py · renamed · from old.py", "1 of 1 file, 0 of 0 changed lines"),
        ("a mode", "mode plain -> executable", "1 of 1 file, 0 of 0 changed lines"),
        ("a submodule", "Subproject commit 2222222", "1 of 1 file, 2 of 2 changed lines"),
        (
            "a conflict",
            "conflict markers stand in a.py (lines 1, 3, 5)",
            "1 of 1 file, 5 of 5 changed lines",
        ),
        ("cut off", "1 damaged hunk of its diff", "1 of 2 files, 2 of 3 changed lines"),
    ],
)
async def test_odd_diffs_are_told_as_they_are(
    world: World, name: str, told: str, coverage: str
) -> None:
    """Claude is told what is odd about a diff, and under the answer stands exactly what was read of it."""
    answer = await review(world, "review this", world.slack.file("fix.diff", ODD[name]))

    assert told in words(world)
    assert f"Read: {coverage}" in answer


async def test_a_patch_of_another_encoding_is_told(world: World) -> None:
    """A file whose bytes are not UTF-8 is not guessed at: who attached it reads why."""
    patch = (HEAD.format("a.py") + "@@ -1 +1 @@\n-a\n+caf\xe9\n").encode("latin-1")
    answer = await review(world, "review this", world.slack.file("fix.diff", patch))

    assert "neither text in UTF-8" in words(world)
    assert "I could not read `fix.diff`" in answer
