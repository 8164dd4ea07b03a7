"""Another look at a change: what was pushed since, and what became of each earlier finding."""

import re

from bot.demo.claude.reply import Draft, Use
from bot.demo.slack import Message
from bot.demo.terminal import words_of
from tests.stories.account import assert_balanced
from tests.stories.world import World

INJECTION = "checkout/store.py"


async def reviewed(world: World, number: int = 7) -> Message:
    """A review of a pull request; its thread."""
    url = f"{world.github.url}/shop/checkout/pull/{number}"
    root = await world.slack.say("ana", "#shop-dev", f"@purser review {url}")
    await world.answered(root)
    return root


async def again(world: World, root: Message, words: str = "re-review") -> str:
    """What is answered to another request in a thread."""
    count = len(world.said(root))
    asked = await world.slack.say("ana", "#shop-dev", f"@purser {words}", thread_ts=root.ts)
    ask = await world.ended(asked)
    assert (ask["state"], ask["outcome"], ask["feature"]) == ("done", "answer", "review")
    said = world.said(root)[count:]
    return "\n".join(words_of(message) for message in said)


def given(world: World) -> str:
    """What the last request tells of what was read for it."""
    texts = [str(block.get("text")) for block in world.asked[-1].body["messages"][-1]["content"]]
    (text,) = [text for text in texts if text.startswith('<purser:read tool="pull_request_diff"')]
    return text


def mend(world: World, number: int = 7) -> str:
    """Mend one of the findings and push it; the new head."""
    repository = world.github.repositories["shop/checkout"]
    tree = repository.commits[repository.pulls[number].head].tree
    mended = tree[INJECTION].replace(
        "f\"SELECT * FROM basket WHERE payment_key = '{key}'\"",
        '"SELECT * FROM basket WHERE payment_key = ?", key',
    )
    assert mended != tree[INJECTION]
    return repository.push(number, {INJECTION: mended}, "Bind the key").sha


async def test_findings_are_kept_in_their_order(world: World) -> None:
    """What people saw is kept with the change, its head, and each place and quotation."""
    head = world.github.repositories["shop/checkout"].pulls[7].head
    await reviewed(world)

    review, *found = world.rows("SELECT * FROM findings ORDER BY n")
    assert (review["n"], review["head"], review["severity"]) == (0, head, "")
    assert {(row["path"], row["line"]) for row in found} == {
        ("checkout/store.py", 32),
        ("checkout/pay.py", 38),
        ("checkout/keys.py", 18),
    }
    assert all(row["quote"] and row["sentence"] for row in found)


async def test_a_second_look_reads_what_was_pushed_alone(world: World) -> None:
    """After a fix only the fix is given; what is mended has lost its code, the others are still there at their lines."""
    root = await reviewed(world)
    head = mend(world)
    answer = await again(world, root)

    text = given(world)
    assert f"{head[:12]}." in text
    assert "1 of 1 file, 2 of 2 changed lines" in text
    assert "checkout/api_pb2.py" not in text
    assert re.search(
        r"^### checkout/keys.py · finding \d · \w+\n\+   18\| return now", text, re.MULTILINE
    )
    assert "store.py:32: its code is no longer in the file" in answer
    assert "pay.py:38: still there, at line 38" in answer
    assert "keys.py:18: still there, at line 18" in answer
    assert "Read: 1 of 1 file, 2 of 2 changed lines." in answer
    assert_balanced(world)


async def test_what_still_stands_is_kept_for_the_next_look(world: World) -> None:
    """A third look knows the findings of the first, without the one that was mended."""
    root = await reviewed(world)
    mend(world)
    await again(world, root)
    answer = await again(world, root, "review it again, please")

    assert "Nothing was pushed since" in given(world)
    assert "pay.py:38: still there" in answer
    assert "store.py" not in answer


async def test_an_earlier_finding_may_be_quoted(world: World) -> None:
    """What still stands in lines that nobody touched is in no diff, and may be said again all the same."""
    root = await reviewed(world)
    mend(world)
    finding = "**Major: Still there.** (`checkout/keys.py:18`)\n```\n    return now - made_at < KEY_SECONDS\n```\nSo.\n"
    world.script(Draft(f"One is left.\n\n{finding}"))
    answer = await again(world, root)

    assert "Still there." in answer
    assert "checkout/keys.py#L18" in answer


async def test_a_forced_push_is_told_and_read_whole(world: World) -> None:
    """The commit that was reviewed is gone: the whole change is read, and it is said why."""
    root = await reviewed(world)
    repository = world.github.repositories["shop/checkout"]
    old = repository.pulls[7].head
    mend(world)
    del repository.commits[old]
    await again(world, root)

    text = given(world)
    assert "Most likely the branch was force-pushed" in text
    assert "3 of 5 files" in text


async def test_a_question_about_a_finding_reads_nothing_again(world: World) -> None:
    """A finding's reason is told from the thread: GitHub is not asked, and Claude has the code before it."""
    root = await reviewed(world)
    asked = len(world.github.log)
    world.script(Draft("Because a key lives for ever."))
    question = await world.slack.say(
        "ana", "#shop-dev", "@purser why is 2 a problem?", thread_ts=root.ts
    )
    await world.ended(question)

    assert len(world.github.log) == asked
    assert "made_at < KEY_SECONDS" in str(world.asked[-1].body["messages"])
    first, last = (dict(world.asked[n].usage or {}) for n in (0, -1))
    told = first["cache_read_input_tokens"] + first["cache_creation_input_tokens"]
    assert last["cache_read_input_tokens"] >= told > 6_000  # the change is not paid for again


async def test_a_ticket_that_a_change_names_can_be_read(world: World) -> None:
    """The description's ticket is before Claude, and it may read it where the policy opens its project."""
    world.script(Draft(uses=(Use("jira_get_issue", {"key": "SHOP-12"}),)), Draft("It does."))
    await reviewed(world)

    assert "> Implements SHOP-12." in str(world.asked[0].body)
    (result,) = world.asked[1].body["messages"][-1]["content"]
    assert result["type"] == "tool_result"
    assert "SHOP-12" in str(result["content"])
    assert "is_error" not in result
