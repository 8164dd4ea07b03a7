"""Summaries of tickets, whole: what they cost, what Jira's troubles become, and what a ticket can not order."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from bot.demo.claude.reply import Draft, Use
from bot.demo.jira import JiraStandIn
from bot.demo.jira.adf import Writer
from bot.demo.jira.seed import company
from bot.demo.jira.world import Comment
from bot.demo.loopback import Troubles
from bot.demo.terminal import words_of
from tests.stories.account import assert_balanced
from tests.stories.world import World

COMMENTS = 50
SENTENCE = "The retry of attempt {n} went out {n} s late; the key was the same, so nothing was charged twice."
QUICK = "tool_seconds = 0.4"


def results(world: World) -> list[str]:
    """What Claude was given by tools, as text, in order."""
    last = world.asked[-1].body["messages"]
    blocks = [b for m in last if isinstance(m["content"], list) for b in m["content"]]
    given = [b for b in blocks if b["type"] == "tool_result"]
    return ["\n".join(part["text"] for part in b["content"]) for b in given]


def crowded() -> JiraStandIn:
    """The company, with fifty more comments on one ticket."""
    site, now = company(time.time()), time.time()
    issue = site.issues["SHOP-13"]
    issue.comments = [
        Comment(
            site.new_id(),
            issue.reporter,
            Writer({}).document(SENTENCE.format(n=n)),
            now - 60 * (COMMENTS - n),
            now - 60 * (COMMENTS - n),
        )
        for n in range(COMMENTS)
    ]
    return JiraStandIn(world=site)


async def test_what_a_summary_costs(tmp_path: Path) -> None:
    """One ticket with fifty comments: two calls of Claude, three of Jira, and little more text than was read."""
    async with World(tmp_path, jira=crowded()) as world:
        await world.start()
        use = Use("jira_get_issue", {"key": "SHOP-13", "include": ["comments_all"]})
        world.script(Draft(uses=(use,)), Draft("Fifty comments, nothing charged twice."))
        asked = len(world.jira.log)

        await world.slack.command("ana", "#shop-dev", "/summarize", "SHOP-13")
        await world.idle()

        assert words_of(world.slack.by_app("#shop-dev")[-1]).startswith("Fifty comments")
        assert len(world.asked) == 2
        assert len(world.jira.log) - asked <= 3
        (text,) = results(world)
        said = [SENTENCE.format(n=n) for n in range(COMMENTS)]
        assert all(sentence in text for sentence in said)
        issue = world.jira.world.issues["SHOP-13"]
        # As plain Markdown: each comment under who wrote it, when, and where it stands.
        plain = "\n\n".join(
            f"**Raj Patel**, 2026-11-25 12:00 ([link]({world.jira.url}/browse/SHOP-13?focusedCommentId={c.id}))\n{s}"
            for c, s in zip(issue.comments, said, strict=True)
        )
        assert len(text) <= 1.2 * len(plain)
        assert_balanced(world)


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (Troubles(hang=60), "in time"),
        (Troubles(drip=0.05), "in time"),
        (Troubles(refuse=True), "cannot be reached"),
        (Troubles(status=401), "JIRA_API_TOKEN"),
        (Troubles(status=403), "does not permit"),
        (Troubles(status=410), "does not take this request"),
        (Troubles(status=503), "answered 503"),
        (Troubles(limited="jira-burst-based", retry_after="90"), "in 90 s"),
    ],
    ids=str,
)
async def test_jira_in_trouble_is_told_in_a_sentence(
    tmp_path: Path, trouble: Troubles, words: str
) -> None:
    """Whatever is wrong with Jira, Claude hears one sentence, says it, and the ask ends as an answer."""
    async with World(tmp_path, policy=QUICK) as world:
        await world.start()
        world.jira.troubles = replace(trouble, on="issue")

        await world.slack.command("ana", "#shop-dev", "/summarize", "SHOP-12")
        await world.idle()

        assert any(words in text for text in results(world)), results(world)
        answer = words_of(world.slack.by_app("#shop-dev")[-1])
        assert "could not" in answer.lower()
        assert "Traceback" not in answer
        assert_balanced(world)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("SHOP-999", "does not exist"),
        ("BOARD-1", "is not open in this channel"),
        ("SHOP-21", "security level"),
        ("project = SHOP AND statos = Open", "statos"),
        ("project = SHOP AND labels = nowhere", "No ticket"),
        ("project = SHOP OR project = BOARD", "does not exist"),
        ("sprint NOWHERE", "NOWHERE"),
    ],
)
async def test_what_cannot_be_summarised_is_told(world: World, asked: str, words: str) -> None:
    """A key, a query or a sprint that gives nothing becomes a sentence on why, and nothing is invented."""
    await world.slack.command("ana", "#shop-dev", "/summarize", asked)
    await world.idle()

    texts = results(world)
    assert any(words in text for text in texts), texts
    assert world.slack.by_app("#shop-dev")
    assert_balanced(world)


async def test_many_tickets_are_a_table(world: World) -> None:
    """Several tickets end as a table of Slack's own, each a link to its ticket, and it says how many there are."""
    await world.slack.command("ana", "#shop-dev", "/summarize", "project = SHOP ORDER BY created")
    await world.idle()

    answer = world.slack.by_app("#shop-dev")[-1]
    (table,) = [block for block in answer.blocks if block["type"] == "table"]
    links = [row[0]["elements"][0]["elements"][0] for row in table["rows"][1:]]
    assert links
    for link in links:
        assert link["url"] == f"{world.jira.url}/browse/{link['text']}"
    assert "more." in words_of(answer)


async def test_claude_sees_a_tickets_pictures(world: World) -> None:
    """Pictures and PDFs of a ticket that are asked for stand in the tool's result as they are, paid like all else."""
    use = Use("jira_get_issue", {"key": "SHOP-12", "include": ["attachments"]})
    world.script(Draft(uses=(use,)), Draft("The button is grey."), Draft("As I said: grey."))
    root = await world.slack.say(
        "ana", "#shop-dev", "@purser what does the picture at SHOP-12 show?"
    )

    assert await world.answered(root) == "The button is grey."
    (block,) = [
        b for b in world.asked[1].body["messages"][-1]["content"] if b["type"] == "tool_result"
    ]
    assert [part["type"] for part in block["content"]] == [
        *("text", "text"),
        *("text", "image", "text", "document"),
        "text",
    ]
    await world.slack.say("ana", "#shop-dev", "@purser sure?", thread_ts=root.ts)
    await world.until(lambda: len(world.asked) == 3)
    assert "image" not in {p["type"] for m in world.asked[2].body["messages"] for p in m["content"]}
    await world.idle()
    assert_balanced(world)


async def test_what_a_ticket_orders_is_not_done(world: World) -> None:
    """Orders in a ticket reach a Claude that obeys them; no other project is read, nothing is written, nobody pinged."""
    world.claude.brain.obeys = True

    await world.slack.command("ana", "#shop-dev", "/summarize", "SHOP-30")
    await world.idle()

    calls = [(h.method, h.path) for h in world.jira.log]
    assert not [path for method, path in calls if method in {"PUT", "DELETE"}]
    assert not [path for method, path in calls if method == "POST" and path.endswith("/comment")]
    assert not [h for h in world.jira.log if "SECRET" in h.path + str(h.query) + h.body]
    for message in world.slack.by_app("#shop-dev"):
        assert "<@" not in words_of(message) + str(message.blocks)
