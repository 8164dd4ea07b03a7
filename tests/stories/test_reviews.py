"""Reviews by address: what is found where, what was not read, whose rights were used, and bad input in a sentence."""

from pathlib import Path

import pytest

from bot.demo.claude.reply import Draft, Use
from bot.demo.loopback import Troubles
from tests.stories.account import assert_balanced
from tests.stories.world import Row, World

FINDING = """\
**2 findings** (2 blockers). I would not merge this yet.

**Blocker: The query is put together from text.** (`checkout/store.py:30`)
```python
    return await db.fetch_one(f"SELECT * FROM basket WHERE payment_key = '{key}'")
```
A key with a quotation mark reads other baskets.

**Blocker: The amount is a float.** (`checkout/pay.py:20`)
```python
    amount = float(basket.total)
```
Cents are lost.

Read: 3 of 5 files.
"""


def pull(world: World, number: int = 7, repository: str = "shop/checkout") -> str:
    """The address of a pull request."""
    return f"{world.github.url}/{repository}/pull/{number}"


def result(world: World, number: int = 1) -> Row:
    """The one tool result of the nth request."""
    last = world.asked[number].body["messages"][-1]["content"]
    (block,) = [block for block in last if block["type"] == "tool_result"]
    return block


def told(world: World, number: int = 0) -> str:
    """What the nth request tells of what was read for it."""
    texts = [
        str(block.get("text")) for block in world.asked[number].body["messages"][-1]["content"]
    ]
    (text,) = [text for text in texts if text.startswith('<purser:read tool="pull_request_diff"')]
    return text


async def test_a_pull_request_is_reviewed(world: World) -> None:
    """By its address alone the diff is read with its numbers; the three planted bugs are found at their lines."""
    root = await world.slack.say("ana", "#shop-dev", f"@purser review {pull(world)}")

    answer = await world.answered(root)
    for place in ("checkout/store.py:32", "checkout/pay.py:38", "checkout/keys.py:18"):
        assert place in answer
    assert (
        answer.count("Read: 3 of 5 files, 62 of 75 changed lines; not read: checkout/api_pb2.py")
        == 1
    )
    assert [heard.path for heard in world.web.log] == []
    assert len(world.asked) == 1
    assert_balanced(world)


async def test_a_finding_leads_to_its_line_and_an_invented_one_is_left_out(world: World) -> None:
    """The true one has its right number and a link to the head commit; the other is dropped, and that is said."""
    sha = world.github.repositories["shop/checkout"].pulls[7].head
    world.script(Draft(FINDING))
    root = await world.slack.say("ana", "#shop-dev", f"@purser review {pull(world)}")

    answer = await world.answered(root)
    assert f"{world.github.url}/shop/checkout/blob/{sha}/checkout/store.py#L32" in answer
    assert "float" not in answer
    assert "Read: 3 of 5 files." not in answer
    assert "Read: 3 of 5 files, 62 of 75 changed lines; not read:" in answer
    assert any("1 finding was left out" in note for note in world.notes(root))
    assert_balanced(world)


async def test_an_invented_finding_is_never_shown(world: World) -> None:
    """While it streams, too: no message of the thread ever held it."""
    world.script(Draft(FINDING))
    root = await world.slack.say("ana", "#shop-dev", f"@purser review {pull(world)}")
    await world.answered(root)

    sent = [str(line.arguments) for line in world.slack.log if line.method.startswith("chat.")]
    assert any("payment_key" in words for words in sent)
    assert not any("float" in words for words in sent)


async def test_pasted_code_is_held_to_as_well(world: World) -> None:
    """A quotation that is not in the pasted snippet is left out of its review."""
    world.script(Draft(FINDING))
    root = await world.slack.say("ana", "#shop-dev", "@purser review ```x = 1```")

    answer = await world.answered(root)
    assert "SELECT" not in answer
    assert any("2 findings were left out" in note for note in world.notes(root))


async def test_a_private_repository_that_is_not_open_here(world: World) -> None:
    """Nothing of it is read, the token stays at home, and it is said how it is opened."""
    url = pull(world, 1, "shop/vault")
    root = await world.slack.say("ana", "#shop-dev", f"@purser review {url}")

    await world.answered(root)
    assert "[not read: " in told(world)
    assert 'repos = ["shop/vault"]' in told(world)
    assert world.github.remaining[world.github.token] == 5000


async def test_a_private_repository_where_it_is_open(tmp_path: Path) -> None:
    """Where the channel's policy names it, it is read with the token."""
    async with World(tmp_path, policy='repos = ["shop/*"]') as world:
        await world.start()
        root = await world.slack.say(
            "ana", "#shop-dev", f"@purser review {pull(world, 1, 'shop/vault')}"
        )

        await world.answered(root)
        assert "Two more replicas" in told(world)


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (Troubles(status=404), "private"),
        (Troubles(limited="secondary", retry_after="30"), "again in 30 s"),
        (Troubles(status=502, html=True), "out of order"),
        (Troubles(refuse=True), "could not be reached"),
    ],
)
async def test_github_in_trouble_is_told(world: World, trouble: Troubles, words: str) -> None:
    """Not there, limited, out of order or down: Claude hears the tool's sentence, and the answer goes on."""
    world.github.troubles = trouble
    root = await world.slack.say("ana", "#shop-dev", f"@purser review {pull(world)}")

    await world.answered(root)
    assert "[not read: " in told(world)
    assert words in told(world)


async def test_follow_ups_read_files_around_a_change(world: World) -> None:
    """A file at the pull request's head is read with its numbers."""
    use = Use("repository_file", {"url": pull(world), "path": "checkout/keys.py"})
    world.script(Draft(uses=(use,)), Draft("It compares the wrong way round."))
    root = await world.slack.say("ana", "#shop-dev", f"@purser look at the keys of {pull(world)}")

    await world.answered(root)
    assert "18|     return now - made_at < KEY_SECONDS" in str(result(world))


async def test_a_secret_in_a_diff_never_reaches_claude(world: World) -> None:
    """It is hidden before the request leaves, and the answer reports where it stands."""
    token = "gh" + "p_" + "a1B2" * 9
    world.github.repositories["shop/checkout"].push(8, {"ci.py": f'TOKEN = "{token}"\n'}, "CI")
    root = await world.slack.say("ana", "#shop-dev", f"@purser review {pull(world, 8)}")

    await world.answered(root)
    assert "hidden from you in these lines: ci.py:1" in told(world)
    assert not any(token in str(exchange.body) for exchange in world.claude.log)


async def test_an_attached_patch_is_reviewed_by_its_lines(world: World) -> None:
    """A patch is given with its line numbers; a finding in it has the line of the file, not of the patch."""
    patch = (
        "diff --git a/shop/db.py b/shop/db.py\n--- a/shop/db.py\n+++ b/shop/db.py\n"
        '@@ -40,0 +41,2 @@ def find(name):\n+    sql = "SELECT * FROM buyer WHERE name = \'" + name\n'
        "+    return db.execute(sql)\n"
        "diff --git a/uv.lock b/uv.lock\n--- a/uv.lock\n+++ b/uv.lock\n@@ -0,0 +1 @@\n+y\n"
    )
    file = world.slack.file("fix.patch", patch)
    root = await world.slack.say("ana", "#shop-dev", "@purser review this", files=[file])

    assert "shop/db.py:41" in await world.answered(root)
    sent = str(world.asked[0].body["messages"])
    assert "Read: 1 of 2 files, 2 of 3 changed lines; not read: uv.lock (lock file)." in sent
