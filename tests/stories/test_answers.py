"""From a mention to its reply: in both transports, in each place, with what was said before and what is attached."""

from pathlib import Path

import pytest

from bot.demo.pages.made import Page
from bot.demo.scenes import SNIPPET
from bot.demo.slack import SlackStandIn
from bot.demo.slack.methods import EVENTS
from bot.demo.terminal import under, words_of
from tests.stories.world import World


@pytest.mark.parametrize("http", [False, True], ids=["socket mode", "signed HTTP"])
async def test_a_mention_is_answered_in_its_thread(tmp_path: Path, *, http: bool) -> None:
    """A mention is answered once, in its own thread, with the receipt and the feedback buttons under it."""
    async with World(tmp_path, http=http) as world:
        await world.start()
        root = await world.slack.say("ana", "#shop-dev", "@purser What is 6*7?")

        assert "6*7 = 42" in await world.answered(root)
        (answer,) = world.said(root)
        assert answer.thread_ts == root.ts
        (receipt,) = world.notes(root)
        assert receipt.startswith("$0.")
        assert receipt.endswith("claude-sonnet-5-5")
        assert world.slack.events.undelivered == []


async def test_a_direct_message_is_answered(world: World) -> None:
    """A direct message needs no mention, and is answered under itself."""
    root = await world.slack.dm("ana", "What is 2+3?")

    assert "2+3 = 5" in await world.answered(root)


async def test_pasted_code_is_reviewed(world: World) -> None:
    """Pasted code reaches Claude as it was typed, and the findings quote its lines."""
    root = await world.slack.say("ana", "#shop-dev", "@purser please review", code=SNIPPET)

    answer = await world.answered(root)
    ask = world.ask_of(root)
    assert ask is not None
    assert ask["feature"] == "review"
    assert "customer = '\" + customer" in answer
    assert SNIPPET.strip() in str(world.asked[0].body["messages"][-1]["content"][-1]["text"])


async def test_attached_files_are_read(world: World) -> None:
    """A file on a mention is fetched and reviewed by its name."""
    file = world.slack.file("orders.py", SNIPPET)
    root = await world.slack.say("ana", "#shop-dev", "@purser review this", files=[file])

    assert "orders.py" in await world.answered(root)


async def test_a_page_is_fetched_on_the_way(world: World) -> None:
    """An address in a question is read by a tool, and the answer is built on what it says."""
    address = world.web.address(Page.ARTICLE)
    root = await world.slack.say("ana", "#shop-dev", f"@purser What does {address} say?")

    assert "dempoten" in await world.answered(root)
    assert len(world.web.visits(Page.ARTICLE)) == 1
    assert "1 tool" in world.notes(root)[-1]


async def test_a_ticket_is_summarised_by_command(world: World) -> None:
    """`/summarize SHOP-12` is acknowledged at once and answered in the channel, from what Jira says."""
    ack = await world.slack.command("ana", "#shop-dev", "/summarize", "SHOP-12")
    await world.idle()

    assert (ack.acked, ack.text) == (True, "I am reading the tickets; the summary follows.")
    summary = world.slack.by_app("#shop-dev")[-1]
    assert "SHOP-12" in words_of(summary)
    assert summary.thread_ts == ""
    assert [h.path for h in world.jira.log if h.path.endswith("/issue/SHOP-12")]


async def test_a_command_where_the_bot_is_no_member_is_answered(world: World) -> None:
    """Where the bot is no member, a command is answered through its response_url, which names /invite."""
    await world.slack.command("ana", "#random", "/summarize", "SHOP-12")
    await world.idle()

    said = [m for m in world.slack.by_app("#random") if "SHOP-12" in words_of(m)]
    (only,) = said
    assert "/invite" in " ".join(under(only))
    assert only.response_type == "in_channel"


async def test_what_it_cost_is_told_to_the_asker_alone(world: World) -> None:
    """`/cost` adds up the books for the asker, and nobody else sees it."""
    root = await world.slack.say("ana", "#shop-dev", "@purser What is 6*7?")
    await world.answered(root)

    await world.slack.command("ben", "#shop-dev", "/cost", "this month")
    await world.idle()

    told = words_of(world.slack.ephemerals("#shop-dev", "ben")[-1])
    assert "| chat | 1 | less than $0.01 |" in told
    assert "Estimates, made before 1 ask, were off by" in told
    assert len(world.slack.by_app("#shop-dev")) == 1
    assert len(world.asked) == 1


async def test_a_follow_up_reads_what_was_said_since(world: World) -> None:
    """A second mention in a thread is answered with the first one and with the people's replies in between."""
    root = await world.slack.say("ana", "#shop-dev", "@purser What is 6*7?")
    await world.answered(root)
    await world.slack.say(
        "ben", "#shop-dev", "It is about the lighthouse-9 job.", thread_ts=root.ts
    )

    again = await world.slack.say("chi", "#shop-dev", "@purser and now?", thread_ts=root.ts)
    await world.ended(again)

    second = world.asked[1].body["messages"]
    assert [m["role"] for m in second] == ["user", "assistant", "user"]
    assert "lighthouse-9" in str(second[2])
    assert 'from="ben"' in str(second[2])
    assert "lighthouse-9" not in str(second[0])
    assert len(world.said(root)) == 2


async def test_replies_that_do_not_mention_the_bot_are_left_alone(tmp_path: Path) -> None:
    """In a thread the bot hears of all that is said, and answers only what mentions it."""
    slack = SlackStandIn(events=(*EVENTS, "message.channels"))
    async with World(tmp_path, slack=slack) as world:
        await world.start()
        root = await slack.say("ana", "#shop-dev", "@purser What is 6*7?")
        await world.answered(root)
        await slack.say("ben", "#shop-dev", "Thanks, that was it.", thread_ts=root.ts)
        await slack.settled()

        assert len(world.asks()) == 1
        assert await world.dropped("no_mention") == 1


@pytest.mark.parametrize("words", ["@purser", "@purser hello"])
async def test_an_empty_mention_is_helped(world: World, words: str) -> None:
    """An empty mention is answered with three examples, this channel's policy and its budget; Claude is not asked."""
    root = await world.slack.say("ana", "#shop-dev", words)
    await world.ended(root)

    told = words_of(world.slack.ephemerals("#shop-dev", "ana")[-1])
    assert "Three ways to begin" in told
    assert "claude-sonnet-5-5 answers" in told
    assert "**Budget**: $0.00" in told
    assert world.asked == []


async def test_being_invited_is_answered_with_a_greeting(world: World) -> None:
    """Invited into a channel, the bot says there how to begin, what holds and what may be spent."""
    await world.slack.invite("#random", by="ana")
    await world.idle()
    await world.until(lambda: world.slack.by_app("#random"))

    (greeting,) = world.slack.by_app("#random")
    assert "Three ways to begin" in words_of(greeting)
    assert "**Budget**" in words_of(greeting)
    assert world.asked == []


async def test_the_answer_streams_while_claude_speaks(tmp_path: Path) -> None:
    """A longer answer is seen as it comes: a stream is opened, grows, and ends as one whole message."""
    async with World(tmp_path) as world:
        world.claude.tokens_per_second = 90.0
        await world.start()
        root = await world.slack.say("ana", "#shop-dev", "@purser review", code=SNIPPET)
        growing = await world.until(
            lambda: next((m for m in world.said(root) if m.streaming == "in_progress"), None)
        )
        early = len(words_of(growing))

        answer = await world.answered(root)
        assert early < len(answer)
        assert world.slack.calls("chat.startStream") == 1
        assert world.said(root) == [growing]


async def test_one_thread_is_answered_in_order(world: World) -> None:
    """Two mentions in one thread are answered one after the other; who waits longer is told so, once."""
    world.claude.troubles.slow(ttft=4.5)
    root = await world.slack.say("ana", "#shop-dev", "@purser What is 6*7?")
    second = await world.slack.say("ben", "#shop-dev", "@purser What is 2+3?", thread_ts=root.ts)
    await world.ended(second)

    one, other = [words_of(m) for m in world.said(root)]
    assert "6*7 = 42" in one
    assert "2+3 = 5" in other
    told = [words_of(m) for m in world.slack.ephemerals("#shop-dev", "ben")]
    assert told == ["I am still at the request before yours in this thread; yours is next."]


async def test_a_channel_has_its_own_cap_and_who_waits_is_told(tmp_path: Path) -> None:
    """Where a channel lets a person have one ask at work, the second waits its turn, its asker is told, and it is answered."""
    table = "[channels.C0SHOPDEV]\nperson_in_flight = 1"
    async with World(tmp_path, tables=table) as world:
        await world.start()
        world.claude.troubles.slow(ttft=2.5)
        first = await world.slack.say("ana", "#shop-dev", "@purser What is 6*7?")
        second = await world.slack.say("ana", "#shop-dev", "@purser What is 2+3?")
        await world.until(lambda: [a for a in world.asks() if a["state"] == "leased"])
        world.ahead = 4.0  # seconds, by which the second has waited
        (told,) = await world.until(lambda: world.slack.ephemerals("#shop-dev", "ana"))

        assert words_of(told).startswith("I am already at work on 1 of your requests")
        assert told.thread_ts == second.ts
        assert "6*7 = 42" in await world.answered(first)
        assert "2+3 = 5" in await world.answered(second)


async def test_a_thumb_is_kept(world: World) -> None:
    """A press of the feedback button under an answer is acknowledged and kept with its ask."""
    root = await world.slack.say("ana", "#shop-dev", "@purser What is 6*7?")
    await world.answered(root)
    ask = world.ask_of(root)
    assert ask is not None
    (answer,) = world.said(root)
    ack = await world.slack.click("ben", answer, "feedback", value=f"{ask['id']}:bad")

    assert ack.acked
    (thumb,) = world.rows("SELECT * FROM signals")
    assert (thumb["kind"], thumb["ask_id"], thumb["text"]) == ("feedback", ask["id"], "bad")
    audited = world.rows(
        "SELECT user, ask_id, subject, outcome FROM audit WHERE action = ?", "feedback"
    )
    assert [tuple(row.values()) for row in audited] == [("U0BEN", ask["id"], "answer", "bad")]
    assert thumb["user"] == "U0BEN"
