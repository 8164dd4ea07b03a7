"""A review is posted to its pull request: proposed word for word, and posted once by a click, or told why not."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.demo.claude.reply import Draft
from bot.demo.github.repositories import mend
from bot.demo.loopback import Troubles
from bot.demo.slack import Message
from bot.demo.slack.blocks import actions
from bot.demo.terminal import under, words_of
from bot.posting import GUESTS, NO_PULL
from bot.slack.content import POSTED
from bot.slack.offers import NOT_YOURS
from bot.slack.proposed import DO, DROP
from tests.stories.account import assert_balanced
from tests.stories.world import World

OPEN = 'repos = ["shop/*"]'
REVIEWS = "POST .*/reviews$"
MENDED = '    return await db.fetch_one("SELECT * FROM basket WHERE payment_key = ?", key)'
SUGGESTED = """\
**1 finding** (1 blocker). I would not merge this yet, @team.

**Blocker: The query is put together from text.** (`checkout/store.py:30`)
```python
    return await db.fetch_one(f"SELECT * FROM basket WHERE payment_key = '{key}'")
```
A key with a quotation mark reads other baskets.
```suggestion
    return await db.fetch_one("SELECT * FROM basket WHERE payment_key = ?", key)
```

Questions: who calls it?
"""


class Forge(World):
    """A world with a review to be posted."""

    async def reviewed(self, number: int = 7, who: str = "ana") -> Message:
        """A review of a pull request; its thread."""
        url = f"{self.github.url}/shop/checkout/pull/{number}"
        root = await self.slack.say(who, "#shop-dev", f"@purser review {url}")
        await self.answered(root)
        return root

    async def asked_in(self, root: Message, words: str, who: str = "ana") -> list[Message]:
        """Ask in a thread; what is said to that."""
        before = len(self.said(root))
        asked = await self.slack.say(who, "#shop-dev", f"@purser {words}", thread_ts=root.ts)
        await self.ended(asked)
        return self.said(root)[before:]

    async def proposed(self, words: str = "post it to the PR") -> Message:
        """The proposal to post a review."""
        return (await self.asked_in(await self.reviewed(), words))[-1]

    async def press(self, who: str, message: Message, action: str = DO) -> None:
        """Press a button, and wait until all that follows has its end."""
        await self.slack.click(who, message, action)
        await self.idle()

    @property
    def reviews(self) -> list[dict[str, Any]]:
        """What stands on the pull request."""
        return self.github.repositories["shop/checkout"].pulls[7].reviews

    @property
    def head(self) -> str:
        """Of the pull request."""
        return self.github.repositories["shop/checkout"].pulls[7].head

    def state(self) -> str:
        """Of the one proposal."""
        (row,) = self.rows("SELECT state FROM proposals")
        return row["state"]


class Tokenless(Forge):
    """One whose bot asks GitHub as nobody."""

    def environ(self) -> dict[str, str]:
        """The bot's settings."""
        return {name: v for name, v in super().environ().items() if name != "GITHUB_TOKEN"}


@pytest.fixture
async def forge(tmp_path: Path) -> AsyncIterator[Forge]:
    """Where the policy opens the repository."""
    async with Forge(tmp_path, policy=OPEN) as made:
        await made.start()
        yield made


def shown(message: Message) -> list[str]:
    """The texts of a proposal, each as it would be posted."""
    rich = next(block for block in message.blocks if block["type"] == "rich_text")
    kind = "rich_text_preformatted"
    return [e["elements"][0]["text"] for e in rich["elements"] if e["type"] == kind]


async def test_a_review_is_proposed_and_nothing_is_posted(forge: Forge) -> None:
    """It stands in the thread word for word, without a call of Claude; GitHub has nothing, and there is no Change."""
    root = await forge.reviewed()
    calls = len(forge.asked)
    answer, message = await forge.asked_in(root, "post it to the PR")

    assert "3 comments at their lines, and its text. Nothing is posted yet." in words_of(answer)
    assert words_of(message).startswith("**Proposed: a review of [shop/checkout#7](")
    assert "cannot be taken back from here" in under(message)[0]
    assert set(actions(message.blocks)) == {DO, DROP}
    text, *remarks = shown(message)
    assert text.startswith("**3 findings** (3 blockers).")
    assert "Read: 3 of 5 files, 62 of 75 changed lines; not read: checkout/api_pb2.py" in text
    assert f"Reviewed at commit {forge.head[:12]}." in text
    assert text.endswith("on behalf of Ana Duarte, by Purser")
    assert [remark.split("\n")[0] for remark in remarks] == [
        "**Blocker: The second attempt has a key of its own**",
        "**Blocker: What is still good is called too old, and the other way round**",
        "**Blocker: The SQL is put together from values, so a value can change the statement**",
    ]
    assert "```" not in "".join(remarks)
    assert (forge.reviews, len(forge.asked)) == ([], calls)
    assert_balanced(forge)


async def test_a_click_posts_what_was_shown(forge: Forge) -> None:
    """Once, as a comment at the commit that was reviewed, letter for letter; the place links to it, and has no Undo."""
    message = await forge.proposed()
    text, *remarks = shown(message)
    await forge.press("ana", message)

    (review,) = forge.reviews
    (row,) = forge.rows("SELECT id FROM proposals")
    assert (review["state"], review["commit_id"]) == ("COMMENTED", forge.head)
    assert review["body"] == f"{text}\n\n<!-- purser:{row['id']} -->"
    assert [(c["path"], c["line"], c["side"], c["body"]) for c in review["comments"]] == [
        ("checkout/pay.py", 38, "RIGHT", remarks[0]),
        ("checkout/keys.py", 18, "RIGHT", remarks[1]),
        ("checkout/store.py", 32, "RIGHT", remarks[2]),
    ]
    assert f"pull/7#pullrequestreview-{review['id']}" in words_of(message)
    assert words_of(message).startswith("**Posted to GitHub: a review of [shop/checkout#7](")
    assert under(message) == ["Ana Duarte said yes.", POSTED]
    assert actions(message.blocks) == {}


async def test_many_clicks_post_once(forge: Forge) -> None:
    """Two clicks at once and one of an admin: one review."""
    message = await forge.proposed()
    await asyncio.gather(
        forge.slack.click("ana", message, DO),
        forge.slack.click("ana", message, DO),
        forge.slack.click("ruth", message, DO),
    )
    await forge.idle()

    assert len(forge.reviews) == 1


async def test_only_who_asked_or_an_admin_decides(forge: Forge) -> None:
    """Somebody else's click posts nothing and is told so; dropped, it is over."""
    message = await forge.proposed()
    await forge.press("ben", message)
    told = [words_of(m) for m in forge.slack.world.channel("#shop-dev").ephemerals]
    await forge.press("ruth", message, DROP)

    assert told == [NOT_YOURS]
    assert (forge.reviews, forge.state(), actions(message.blocks)) == ([], "dropped", {})


async def test_what_was_posted_is_not_proposed_again(forge: Forge) -> None:
    """The same review of the same commit is posted once, whoever asks for it."""
    root = await forge.reviewed()
    *_, message = await forge.asked_in(root, "post it to the PR")
    await forge.press("ana", message)
    (again,) = await forge.asked_in(root, "please publish the review", who="ben")

    assert "posted already, by a press of Ana Duarte" in words_of(again)
    assert len(forge.reviews) == 1


async def test_a_second_look_is_posted_with_the_words_of_the_first(forge: Forge) -> None:
    """After a fix what is left is posted at its lines of the new head, with what was said of it at first."""
    root = await forge.reviewed()
    mend(forge.github.repositories["shop/checkout"])
    await forge.asked_in(root, "re-review")
    *_, message = await forge.asked_in(root, "post it to the PR")
    text, *remarks = shown(message)
    await forge.press("ana", message)

    assert f"Reviewed at commit {forge.head[:12]}." in text
    assert {remark.split("\n\n")[0] for remark in remarks} == {
        "**Blocker: The second attempt has a key of its own**",
        "**Blocker: What is still good is called too old, and the other way round**",
    }
    assert any("Turn the comparison round" in remark for remark in remarks)
    (review,) = forge.reviews
    assert {comment["path"] for comment in review["comments"]} == {
        "checkout/pay.py",
        "checkout/keys.py",
    }


async def test_one_review_has_one_proposal(forge: Forge) -> None:
    """While it lies ready it is not proposed a second time, so that two clicks cannot post it twice; dropped, it is."""
    root = await forge.reviewed()
    *_, message = await forge.asked_in(root, "post it to the PR")
    (again,) = await forge.asked_in(root, "post it to the PR", who="ben")
    await forge.press("ana", message, DROP)
    fresh = await forge.asked_in(root, "post it to the PR")

    assert "lies ready in this thread already; Ana Duarte or an admin decides" in words_of(again)
    assert len(fresh) == 2
    assert [row["state"] for row in forge.rows("SELECT state FROM proposals ORDER BY at")] == [
        "dropped",
        "open",
    ]


async def test_one_whose_day_is_over_is_proposed_anew(forge: Forge) -> None:
    """What nobody decided on within a day stands in nobody's way."""
    root = await forge.reviewed()
    await forge.asked_in(root, "post it to the PR")
    forge.ahead = 86_500.0

    assert len(await forge.asked_in(root, "post it to the PR")) == 2


async def test_a_review_too_long_to_be_shown_is_not_posted(forge: Forge) -> None:
    """Nobody decides on what they cannot see: the sentence says what can be done."""
    forge.script(Draft(f"**No findings.**\n\nQuestions: {'who calls it, and why? ' * 400}"))
    (said,) = await forge.asked_in(await forge.reviewed(), "post it to the PR")

    assert "too long to be shown here exactly as it would be posted (9," in words_of(said)
    assert forge.rows("SELECT id FROM proposals") == []


async def test_without_a_token_that_is_said(tmp_path: Path) -> None:
    """Where the bot has no token for the host, an operator is named."""
    async with Tokenless(tmp_path, policy=OPEN) as forge:
        await forge.start()
        (said,) = await forge.asked_in(await forge.reviewed(), "post it to the PR")

        assert "an operator sets GITHUB_TOKEN" in words_of(said)


async def test_a_short_mend_is_a_suggestion(forge: Forge) -> None:
    """What replaces quoted lines exactly can be taken over there by a click; nobody is pinged."""
    forge.script(Draft(SUGGESTED))
    message = await forge.proposed()
    text, remark = shown(message)

    assert "I would not merge this yet, `@team`." in text
    assert "Questions: who calls it?" in text
    assert remark.split("\n\n") == [
        "**Blocker: The query is put together from text.**",
        "A key with a quotation mark reads other baskets.",
        f"```suggestion\n{MENDED}\n```",
    ]
    await forge.press("ana", message)
    assert forge.state() == "written"


async def test_a_push_before_it_is_asked_for(forge: Forge) -> None:
    """The review names its commit, its findings stand in its text with their links, and a re-review is advised."""
    root = await forge.reviewed()
    head = forge.head
    forge.github.repositories["shop/checkout"].force_push(7, {"README.md": "More.\n"}, "More")
    answer, message = await forge.asked_in(root, "post the findings on the pull request")
    (text,) = shown(message)
    await forge.press("ana", message)

    assert "The branch was pushed to since; ask for a re-review" in words_of(answer)
    assert f"This review is for commit {head[:12]}." in text
    assert f"/blob/{head}/checkout/pay.py#L38" in text
    (review,) = forge.reviews
    assert (review["commit_id"], review["comments"]) == (forge.head, [])


async def test_a_forced_push_before_the_click(forge: Forge) -> None:
    """Nothing is posted, and that it is for a commit that is gone is said."""
    message = await forge.proposed()
    head = forge.head
    forge.github.repositories["shop/checkout"].force_push(7, {"README.md": "More.\n"}, "More")
    await forge.press("ana", message)

    assert (forge.reviews, forge.state()) == ([], "failed")
    assert f"The branch was force-pushed: commit {head[:12]}" in under(message)[0]


async def test_a_lost_answer_is_found(forge: Forge) -> None:
    """GitHub posted it and its answer was lost: it is found, not sent again."""
    message = await forge.proposed()
    forge.github.troubles = Troubles(on=REVIEWS, reset=True, times=1)
    await forge.press("ana", message)

    assert (len(forge.reviews), forge.state()) == (1, "written")
    assert "#pullrequestreview-" in words_of(message)


async def test_what_nobody_can_tell_is_looked_for_again(forge: Forge) -> None:
    """Where the look fails, too, it says so and offers another; it is never sent a second time."""
    message = await forge.proposed()
    forge.github.troubles = Troubles(on="/reviews$", reset=True)
    await forge.press("ana", message)
    state, said = forge.state(), under(message)[0]
    forge.github.troubles = Troubles()
    await forge.press("ana", message)

    assert state == "unknown"
    assert "I will not send it a second time" in said
    assert (len(forge.reviews), forge.state()) == (1, "written")


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (Troubles(on=REVIEWS, limited="secondary", retry_after="30"), "again in 30 s"),
        (Troubles(on=REVIEWS, status=403), "the right to write to pull requests"),
        (Troubles(on="GET .*/pulls/7$", status=502), "out of order"),
    ],
)
async def test_what_github_refuses_is_told(forge: Forge, trouble: Troubles, words: str) -> None:
    """Limited, without the right, or out of order: nothing is posted, and the place says why."""
    message = await forge.proposed()
    forge.github.troubles = trouble
    await forge.press("ana", message)

    assert (forge.reviews, forge.state(), actions(message.blocks)) == ([], "failed", {})
    assert words in under(message)[0]


async def test_github_in_trouble_when_it_is_asked_for(forge: Forge) -> None:
    """Without the pull request nothing is proposed, and the sentence says why."""
    root = await forge.reviewed()
    forge.github.troubles = Troubles(refuse=True)
    (said,) = await forge.asked_in(root, "post it to the PR")

    assert "could not be reached" in words_of(said)
    assert "nothing was proposed" in words_of(said)


async def test_a_closed_repository_is_told(tmp_path: Path) -> None:
    """A public pull request can be reviewed everywhere, but posted to only where the policy names it."""
    async with Forge(tmp_path) as forge:
        await forge.start()
        (said,) = await forge.asked_in(await forge.reviewed(), "post it to the PR")

        assert 'repos = ["shop/checkout"]' in words_of(said)
        assert forge.rows("SELECT id FROM proposals") == []


async def test_a_repository_that_was_closed_meanwhile(tmp_path: Path) -> None:
    """The policy is asked again at the click."""
    async with Forge(tmp_path, policy=OPEN) as forge:
        await forge.start()
        message = await forge.proposed()
        await forge.stop()
        toml = forge.folder / "purser.toml"
        toml.write_text(toml.read_text(encoding="utf-8").replace(OPEN, ""), encoding="utf-8")
        await forge.start()
        await forge.press("ana", message)

        assert (forge.reviews, forge.state()) == ([], "open")


async def test_guests_post_nothing(tmp_path: Path) -> None:
    """Who is a guest may be answered where the policy says so, but has nothing posted."""
    async with Forge(tmp_path, policy=f'{OPEN}\nguests = "allow"') as forge:
        await forge.start()
        (said,) = await forge.asked_in(await forge.reviewed(), "post it to the PR", who="gil")

        assert GUESTS in words_of(said)
        assert forge.rows("SELECT id FROM proposals") == []


async def test_a_commit_has_nowhere_to_post(forge: Forge) -> None:
    """The review of a commit is not posted, and it is said why."""
    url = f"{forge.github.url}/shop/checkout/commit/{forge.head}"
    root = await forge.slack.say("ana", "#shop-dev", f"@purser review {url}")
    await forge.answered(root)
    (said,) = await forge.asked_in(root, "publish the review")

    assert NO_PULL in words_of(said)


async def test_another_pull_request_is_not_this_one(forge: Forge) -> None:
    """A review goes where it belongs, whatever address is named."""
    url = f"{forge.github.url}/shop/checkout/pull/8"
    (said,) = await forge.asked_in(await forge.reviewed(), f"post it to {url}")

    assert "/shop/checkout/pull/7; ask for a review of the other one first" in words_of(said)


async def test_without_a_review_the_words_are_claudes(forge: Forge) -> None:
    """In a thread that has no review the same words are a question like any other."""
    root = await forge.slack.say("ana", "#shop-dev", "@purser hello, what is a lock?")
    await forge.answered(root)
    calls = len(forge.asked)
    await forge.asked_in(root, "post it to the PR")

    assert len(forge.asked) == calls + 1
