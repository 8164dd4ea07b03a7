"""Digests, whole: wanted by a word, written in the night at half the price, said at their hour, whatever happens."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.demo.claude.batches import Batch
from bot.demo.claude.reply import Draft
from bot.demo.terminal import under
from tests.stories.account import assert_balanced
from tests.stories.night import CHANNEL, HOUR, MORNING, Night


def request(batch: Batch) -> dict[str, Any]:
    """The one request of a batch."""
    (only,) = batch.requests.values()
    return only


async def test_a_digest_is_written_in_the_night_and_said_in_the_morning(tmp_path: Path) -> None:
    """Through restarts at each step: one batch, booked once at half the price, said once, at its hour."""
    async with Night(tmp_path) as world:
        await world.wanted()
        batch = await world.made()
        await world.stop()
        world.at(-1)
        await world.start()
        await world.until(lambda: any(row["feature"] == "digest" for row in world.books()))
        assert world.reserved == []
        await world.stop()
        assert world.posted == []
        world.at(-0.001)
        await world.start()
        assert (await world.ended_at(0.01))["outcome"] == "answer"
        await world.slack.command("ana", CHANNEL, "/cost", "today by feature")
        await world.idle()

        (said,) = [text for text in world.posted if text.startswith("**Digest")]
        assert said.startswith("**Digest: project SHOP**")
        assert "25 tickets" in said
        assert "**Blocked** 2" in said
        assert f"- [SHOP-12]({world.jira.url}/browse/SHOP-12) Retry a payment" in said
        assert world.claude.batches.all == [batch]
        (row,) = [row for row in world.books() if row["feature"] == "digest"]
        assert (row["service_tier"], row["purpose"], row["status"]) == (
            "batch",
            "answer",
            "settled",
        )
        assert (row["channel"], row["user"]) == ("C0SHOPDEV", world.digest["user"])
        assert_balanced(world)


async def test_what_claude_is_given_for_a_digest(tmp_path: Path) -> None:
    """Everything that was read, between marks; the digest's own task, the quick model, low effort and no tools."""
    async with Night(tmp_path) as world:
        await world.wanted()
        world.jira.world.issues["SHOP-13"].updated = (MORNING - timedelta(hours=5)).timestamp()
        body = request(await world.made())
        texts = [block["text"] for block in body["messages"][0]["content"]]
        whole = "\n".join(texts)

        assert body["model"] == "claude-haiku-5-5"
        assert body["output_config"] == {"effort": "low"}
        assert "tools" not in body
        assert body["system"][0]["text"].startswith("# Role\n\nYou write the digest")
        assert texts[0].startswith("<purser:note>The digest of project SHOP. Today is ")
        marks = [text for text in texts if text.startswith('<purser:data mark="')]
        assert len(marks) == len([text for text in texts if text.startswith("</purser:data mark=")])
        assert whole.count("jira_count") == 3
        assert "# SHOP-13: " in whole  # a closer look at a ticket
        audited = world.rows("SELECT reference FROM audit WHERE action = 'tool'")
        assert {row["reference"] for row in audited} == {
            "jira_count",
            "jira_search",
            "jira_get_issue",
        }


async def test_a_batch_whose_making_nobody_heard_of_is_found_again(tmp_path: Path) -> None:
    """The line broke after it was made: no second one is, and its answer is booked and said once."""
    async with Night(tmp_path) as world:
        await world.wanted()
        world.claude.batches.cut = 1
        world.at(-2.5)
        await world.start()
        await world.until(lambda: world.claude.batches.all)
        await world.until(lambda: world.digest["state"] == "waiting")
        await world.stop()
        world.at(-2)
        await world.start()
        await world.until(
            lambda: world.digest["attempt"] == 2 and world.digest["state"] == "waiting"
        )
        assert (await world.ended_at(0.01))["outcome"] == "answer"

        assert len(world.claude.batches.all) == 1
        assert len([text for text in world.posted if text.startswith("**Digest")]) == 1
        assert_balanced(world)


async def test_a_digest_that_comes_late_says_so(tmp_path: Path) -> None:
    """A batch that takes until noon is said at noon, with the hour at which it was due."""
    async with Night(tmp_path) as world:
        await world.wanted()
        world.claude.batches.seconds = 7 * HOUR
        await world.made()
        world.at(1)
        await world.until(
            lambda: world.digest["attempt"] == 2 and world.digest["state"] == "waiting"
        )
        assert world.posted == []
        await world.ended_at(5)

        (message,) = world.slack.by_app(CHANNEL)
        assert any("This was due at 7:00 on " in note for note in under(message))


async def test_a_batch_that_expires_is_told(tmp_path: Path) -> None:
    """Where Claude had no time within a day a sentence says so; nothing is booked, and nothing stays reserved."""
    async with Night(tmp_path) as world:
        await world.wanted(f"project SHOP weekly on {MORNING:%A} at 7:00")
        world.claude.batches.seconds = 30 * HOUR
        await world.made()
        await world.ended_at(22)

        (said,) = world.posted
        assert said.startswith("There is no digest of project SHOP this time: Claude had no time")
        assert "The next one comes at 7:00 on" in said
        assert [row for row in world.books() if row["feature"] == "digest"] == []
        assert world.reserved == []


@pytest.mark.parametrize(("category", "billed"), [("cyber", 0), ("bio", 1)])
async def test_a_digest_that_claude_declines_is_told(
    tmp_path: Path, category: str, billed: int
) -> None:
    """One honest line, no other words and no other model; booked, and billed where refusals of its kind are."""
    async with Night(tmp_path) as world:
        await world.wanted()
        await world.made()
        world.claude.troubles.refuse_next(category)
        assert (await world.ended_at(0.01))["outcome"] == "refused"

        (said,) = world.posted
        assert said.startswith("Claude declined to write the digest of project SHOP")
        (row,) = [row for row in world.books() if row["feature"] == "digest"]
        assert (row["stop_reason"], row["billed"]) == ("refusal", billed)
        assert len(world.claude.batches.all) == 1


@pytest.mark.parametrize(
    ("status", "times", "outcome", "batches"),
    [(500, 1, "answer", 2), (500, 2, "failed", 2), (400, 1, "failed", 1)],
    ids=["once", "twice", "not taken"],
)
async def test_a_batch_that_fails_on_claudes_side_is_tried_once_more(
    tmp_path: Path, status: int, times: int, outcome: str, batches: int
) -> None:
    """An error of Claude's costs nothing, so another batch is made; a second one, or one of ours, ends it with a sentence."""
    async with Night(tmp_path) as world:
        await world.wanted()
        await world.made()
        world.claude.troubles.fail(status, times=times)
        world.at(-1)
        sql = "SELECT status FROM requests WHERE message_id LIKE 'msgbatch%' ORDER BY n"
        seen = ["ended", "open"][:batches]
        await world.until(lambda: [row["status"] for row in world.rows(sql)] == seen)
        await world.until(lambda: world.digest["state"] == "waiting")
        assert (await world.ended_at(0.5))["outcome"] == outcome

        told = "its batch ended with an error on Claude's side" in world.posted[0]
        assert (told, world.reserved) == (outcome == "failed", [])
        assert len(world.claude.batches.all) == batches
        assert_balanced(world)


@pytest.mark.parametrize(
    ("text", "outcome", "said"),
    [
        ("", "failed", "There is no digest of project SHOP this time: Claude's answer was empty."),
        ("word " * 20_000, "answer", "It was cut at its length."),
    ],
    ids=["nothing", "too much"],
)
async def test_what_claude_writes_too_little_or_too_much_of(
    tmp_path: Path, text: str, outcome: str, said: str
) -> None:
    """An empty digest is none, and one that reached its length says so; some minutes are not late."""
    async with Night(tmp_path) as world:
        await world.wanted()
        world.script(Draft(text))
        await world.made()
        assert (await world.ended_at(0.1))["outcome"] == outcome

        notes = [note for message in world.slack.by_app(CHANNEL) for note in under(message)]
        assert said in " ".join([*world.posted, *notes])
        assert not any("This was due" in note for note in notes)
        assert_balanced(world)


async def test_a_digest_that_is_stopped_under_way_says_nothing(tmp_path: Path) -> None:
    """Its batch is given up, and no other one is begun."""
    async with Night(tmp_path) as world:
        wanted = await world.wanted()
        batch = await world.made()
        await world.slack.command("ana", CHANNEL, "/purser", f"digests stop {wanted['id']}")
        await world.until(lambda: world.rows("SELECT 1 FROM digests WHERE stopped_at IS NOT NULL"))
        world.at(-2.2)
        await world.until(lambda: batch.canceled)
        assert (await world.ended_at(-1.9))["outcome"] == "stopped"
        await world.stop()
        world.at(22)
        await world.start()

        assert world.posted == []
        assert (batch.counts()["canceled"], world.reserved) == (1, [])
        assert len(world.claude.batches.all) == 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"deleted": True}, "who asked for it, has left"),
        ({"is_restricted": True}, "who asked for it, may not ask here any more"),
    ],
    ids=["left", "a guest now"],
)
async def test_the_digest_of_who_may_no_more_is_stopped(
    tmp_path: Path, change: dict[str, bool], why: str
) -> None:
    """Of who left, or may have nothing read any more, the channel reads at the hour that it ended and why, no more."""
    async with Night(tmp_path) as world:
        await world.wanted()
        file = tmp_path / "purser.toml"
        file.write_text('[defaults]\nguests = "no-tools"\njira_projects = ["SHOP"]\n')
        people = world.slack.world.people
        ana = world.slack.world.person("ana")
        people[ana.id] = replace(ana, **change)
        world.at(-2.5)
        await world.start()
        await world.until(
            lambda: world.digest["attempt"] == 1 and world.digest["state"] == "waiting"
        )
        assert world.posted == []
        await world.ended_at(0.01)

        (said,) = world.posted
        assert said.startswith("I write the digest of project SHOP no more: ")
        assert why in said
        assert world.claude.batches.all == []
        assert world.rows("SELECT 1 FROM digests WHERE stopped_at IS NULL") == []


async def test_a_digest_waits_while_slack_does_not_say_who_wants_it(tmp_path: Path) -> None:
    """It is neither stopped nor left out, and nobody is told in the night that it waits."""
    async with Night(tmp_path) as world:
        await world.wanted()
        told = len(world.slack.ephemerals(CHANNEL, "ana"))
        world.slack.troubles.down["users.info"] = "internal_error"
        world.at(-2.5)
        await world.start()
        await world.until(
            lambda: world.digest["attempt"] == 1 and world.digest["state"] == "waiting"
        )
        world.slack.troubles.down.clear()
        world.at(-2.4)
        await world.until(lambda: world.claude.batches.all)
        assert (await world.ended_at(0.01))["outcome"] == "answer"

        assert [text for text in world.posted if not text.startswith("**Digest")] == []
        assert len(world.slack.ephemerals(CHANNEL, "ana")) == told


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("jira_projects = []", "The Jira project KEY is not open in this channel."),
        ("monthly_budget_usd = 0", "This would go beyond this channel's budget"),
    ],
    ids=["closed", "spent"],
)
async def test_what_the_policy_says_at_night_counts(tmp_path: Path, policy: str, said: str) -> None:
    """A project that was closed since, or a budget that is spent: a sentence at the hour, and no batch."""
    async with Night(tmp_path) as world:
        await world.wanted()
        file = tmp_path / "purser.toml"
        file.write_text(f'[admins]\nusers = ["U0ADMIN"]\n[defaults]\n{policy}\n', encoding="utf-8")
        if "jira" not in policy:
            file.write_text(file.read_text() + 'jira_projects = ["SHOP"]\n', encoding="utf-8")
        world.at(-2.5)
        await world.start()
        await world.until(
            lambda: world.digest["attempt"] == 1 and world.digest["state"] == "waiting"
        )
        assert world.posted == []
        await world.ended_at(0.01)

        assert said in world.posted[0]
        assert world.claude.batches.all == []


async def test_a_paused_channel_has_no_digest_that_day(tmp_path: Path) -> None:
    """While an admin has paused it nothing is written or said; the digest itself stays."""
    async with Night(tmp_path) as world:
        await world.wanted()
        await world.start()
        await world.slack.command("U0ADMIN", CHANNEL, "/purser", "pause")
        await world.idle()
        await world.stop()
        world.at(-2.5)
        await world.start()
        await world.until(
            lambda: world.digest["attempt"] == 1 and world.digest["state"] == "waiting"
        )
        await world.ended_at(0.01)

        assert world.posted == []
        assert world.claude.batches.all == []
        assert len(world.rows("SELECT 1 FROM digests WHERE stopped_at IS NULL")) == 1


async def test_where_we_are_no_more_nothing_is_written(tmp_path: Path) -> None:
    """Removed from its channel Purser pays for no digest that nobody there could read; invited again it writes one."""
    async with Night(tmp_path) as world:
        await world.wanted()
        ours = world.slack.world.channels["C0SHOPDEV"].members
        us = "U0PURSER"
        ours.remove(us)
        world.at(-2.5)
        await world.start()
        await world.until(
            lambda: world.digest["attempt"] == 1 and world.digest["state"] == "waiting"
        )
        await world.ended_at(0.01)
        assert (world.claude.batches.all, world.posted) == ([], [])
        ours.add(us)
        world.at(21.5)
        await world.until(lambda: world.claude.batches.all)

        assert len(world.rows("SELECT 1 FROM digests WHERE stopped_at IS NULL")) == 1


async def test_the_threads_of_a_channel(tmp_path: Path) -> None:
    """A digest of the channel is given what was said in its threads, with secrets hidden; nothing of it is a request."""
    async with Night(tmp_path) as world:
        await world.wanted("this channel nightly at 7:00")
        root = await world.slack.say(
            "ben", CHANNEL, "key: sk-ant-" + "a" * 24 + ". Who takes the release?"
        )
        await world.slack.say("ana", CHANNEL, "I do, on Friday.", thread_ts=root.ts)
        world.claude.batches.seconds = 0
        body = request(await world.made())
        whole = "\n".join(block["text"] for block in body["messages"][0]["content"])
        await world.stop()
        world.at(0.01)
        await world.start()
        await world.ended_at(0.01)

        link = world.slack.world.permalink(root.channel, root.ts)
        assert f"<purser:note>A thread at {link}:</purser:note>" in whole
        assert "I do, on Friday." in whole
        assert "[redacted: anthropic-key]" in whole
        assert '<purser:said from="' in whole
        assert "<purser:ask" not in whole
        assert world.posted[-1].startswith("**Digest: this channel**")
        assert f"Who takes the release?” ([thread]({link}))" in world.posted[-1]
        notes = under(world.slack.by_app(CHANNEL)[-1])
        assert "1 secret was hidden before this went to Claude." in notes


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("this channel nightly at 7:00", "In the threads of this channel nothing was said since"),
        (
            "project = SHOP AND status = Blocked AND priority = Lowest nightly at 7:00",
            "No ticket that this channel may see is in it now.",
        ),
    ],
    ids=["threads", "query"],
)
async def test_a_digest_of_nothing_costs_nothing(tmp_path: Path, words: str, why: str) -> None:
    """Where nothing was said, or no ticket is found, a sentence at the hour says so, and Claude is not asked."""
    async with Night(tmp_path) as world:
        world.slack.world.channels["C0SHOPDEV"].roots.clear()
        await world.wanted(words)
        world.at(-2.5)
        await world.start()
        await world.until(
            lambda: world.digest["attempt"] == 1 and world.digest["state"] == "waiting"
        )
        await world.ended_at(0.01)

        assert why in world.posted[0]
        assert world.claude.batches.all == []


async def test_one_ticket_that_cannot_be_read_takes_no_digest_away(tmp_path: Path) -> None:
    """Of several tickets those that are there are told of; Claude is given the others as what they are, failed."""
    async with Night(tmp_path) as world:
        await world.wanted("SHOP-12 SHOP-99999 nightly at 7:00")
        body = request(await world.made())
        whole = "\n".join(block["text"] for block in body["messages"][0]["content"])
        assert (await world.ended_at(0.01))["outcome"] == "answer"

        assert "# SHOP-12: " in whole
        assert whole.count("(it failed):") == 1
        assert world.posted[0].startswith("**Digest: SHOP-12 SHOP-99999**")


async def test_a_project_that_was_closed_meanwhile_is_not_told_of(tmp_path: Path) -> None:
    """Closed between reading and posting: the hour says that it is closed, and nothing of what was read and paid for."""
    async with Night(tmp_path) as world:
        await world.wanted("status = Blocked ORDER BY key nightly at 7:00")
        await world.made()
        file = tmp_path / "purser.toml"
        file.write_text(file.read_text().replace('"SHOP", "PAY"', '"PAY"'))
        world.again.set()
        world.at(-1)
        await world.until(lambda: any(row["feature"] == "digest" for row in world.books()))
        assert (await world.ended_at(0.01))["outcome"] == "stopped"

        (said,) = world.posted
        assert said.startswith("There is no digest of `status = Blocked ORDER BY key` this time. ")
        assert "The Jira project SHOP is not open in this channel." in said
        assert "SHOP-12" not in said
        assert_balanced(world)


async def test_a_secret_in_a_query_stays_here(tmp_path: Path) -> None:
    """What the digest is of is told to Claude with its secrets hidden, too; Jira is asked what was wanted."""
    key = "sk-ant-" + "a" * 24
    async with Night(tmp_path) as world:
        await world.wanted(f'project = SHOP AND text !~ "{key}" ORDER BY updated nightly at 7:00')
        body = request(await world.made())
        whole = "\n".join(block["text"] for block in body["messages"][0]["content"])

        assert key not in whole
        assert whole.count("[redacted: anthropic-key]") >= 2
