"""Two bots on one PostgreSQL: either takes what comes, both together do it once, and one goes on where the other died."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
from structlog.testing import capture_logs

from bot.demo.claude.reply import Draft
from bot.demo.loopback import Troubles
from bot.demo.slack import SlackStandIn
from bot.demo.slack.events import Envelope
from bot.demo.slack.methods import EVENTS
from bot.demo.terminal import has_feedback, under, words_of
from bot.slack.proposed import DO
from tests.postgres import Postgres
from tests.stories.account import assert_balanced, assert_paid_once
from tests.stories.replicas import Replica
from tests.stories.world import Row

pytestmark = pytest.mark.timeout(120)  # a process is started

QUESTION = "@purser What is 6*7?"
COMMENT = "@purser comment on SHOP-12 that the fix is in review"
POSTED = "POST .*/comment$"
DEAR = "confirm_above_usd = 0.0001"
NOWHERE = "http://127.0.0.1:9/"  # nothing listens there
FOR_EVER = 3600.0


class Pair(NamedTuple):
    """Two bots."""

    one: Replica
    other: Replica


@pytest.fixture
async def pair(
    tmp_path: Path, postgres: Postgres, request: pytest.FixtureRequest
) -> AsyncIterator[Pair]:
    """Two bots in this process, which share nothing but the database; Slack speaks to the first."""
    url, policy = postgres.clean(), getattr(request, "param", "")
    async with (
        Replica(tmp_path / "one", url, policy=policy, drain=0.1) as one,
        Replica(tmp_path / "other", url, policy=policy, beside=one) as other,
    ):
        await one.start()
        await other.start()
        await one.until(lambda: len(one.booked("warm")) == 4)
        one.listen()
        yield Pair(one, other)


async def test_either_answers_and_both_keep_one_set_of_books(pair: Pair) -> None:
    """What is asked of one and of the other is answered, and `/cost` of either tells both."""
    first = await pair.one.slack.say("ana", "#shop-dev", QUESTION)
    answer = await pair.one.answered(first)
    pair.other.listen()
    second = await pair.one.slack.say("ana", "#shop-dev", "@purser What is 2+3?")
    other = await pair.one.answered(second)
    await pair.one.slack.command("ana", "#shop-dev", "/cost", "")
    await pair.one.idle()
    told = words_of(pair.one.slack.ephemerals("#shop-dev", "ana")[-1])

    assert "6*7 = 42" in answer
    assert "2+3 = 5" in other
    assert "2 asks" in told or "two asks" in told.lower(), told
    assert_balanced(pair.one)


async def test_one_event_told_to_both_is_answered_once(pair: Pair) -> None:
    """The same delivery at the same moment at both doors is acknowledged twice, and is one ask."""
    slack = pair.one.slack
    slack.events.retry_delays, slack.events_url = (), NOWHERE
    root = await slack.say("ana", "#shop-dev", QUESTION)
    await slack.settled()
    payload = slack.events.undelivered.pop().payload
    doors = []
    for replica in pair:
        replica.listen()
        doors.append(slack.door)
    carried = await asyncio.gather(
        *(door.carry(Envelope("events_api", payload, 1, "timeout"), 5) for door in doors * 2)
    )
    await pair.one.answered(root)

    assert [one.ok for one in carried] == [True] * 4
    assert len(pair.one.asks()) == 1
    assert len(pair.one.asked) == 1


@pytest.mark.parametrize("pair", [DEAR], indirect=True)
async def test_a_click_at_the_other_one(pair: Pair) -> None:
    """The estimate that one showed is decided by a click that the other takes, once."""
    root = await pair.one.slack.say("ana", "#shop-dev", QUESTION)
    await pair.one.until(lambda: [ask["state"] for ask in pair.one.asks()] == ["parked"])
    (estimate,) = pair.one.said(root)
    pair.other.listen()
    assert (await pair.one.slack.click("ana", estimate, "estimate:go")).acked
    ask = await pair.one.ended(root)
    await pair.one.idle()

    assert ask["outcome"] == "answer"
    place, answer = pair.one.said(root)
    assert "Go, said ana" in under(place)[0]
    assert "6*7 = 42" in words_of(answer)
    assert len(pair.one.asked) == 1
    assert_balanced(pair.one)


async def test_a_stop_at_the_other_one(pair: Pair) -> None:
    """A stop that one's door takes ends at once what the other works on."""
    pair.one.claude.troubles.hang(FOR_EVER)
    root = await pair.one.slack.say("ana", "#shop-dev", QUESTION)
    await pair.one.until(lambda: pair.one.asked)
    pair.other.listen()
    await pair.one.slack.say("ana", "#shop-dev", "@purser stop", thread_ts=root.ts)
    ask = await pair.one.ended(
        root, seconds=8
    )  # at the next renewal of the lease it would be heard anyway, after 10

    assert ask["outcome"] == "stopped"


async def test_a_pause_at_the_other_one(pair: Pair) -> None:
    """What an admin sets by way of one holds in the other, too."""
    pair.other.listen()
    await pair.one.slack.command("ruth", "#shop-dev", "/purser", "pause everywhere")
    await pair.one.idle()
    pair.one.listen()

    async def refused() -> bool:
        """Whether somebody who asks here is told so."""
        root = await pair.one.slack.say("ben", "#shop-dev", QUESTION)
        await pair.one.ended(root)
        return "paused everywhere" in pair.one.words(root)

    async with asyncio.timeout(10):
        while not await refused():
            pass


async def test_a_press_at_each_of_them_writes_once(pair: Pair) -> None:
    """Of two people who press *Do it* at the same moment, one at each, one writes to Jira; the other is told so."""
    jira = pair.one.jira
    root = await pair.one.slack.say("ana", "#shop-dev", COMMENT)
    await pair.one.ended(root)
    proposal = pair.one.said(root)[-1]
    jira.troubles = Troubles(on=POSTED, late=0.3)
    await pair.one.slack.click("ana", proposal, DO)
    pair.other.listen()
    await pair.one.slack.click("ruth", proposal, DO)
    await pair.one.idle()

    assert [seen.path for seen in jira.log if seen.method == "POST" and "comment" in seen.path] == [
        "/rest/api/3/issue/SHOP-12/comment"
    ]
    assert [row["state"] for row in pair.one.rows("SELECT state FROM proposals")] == ["written"]


async def test_what_one_hands_back_the_other_finishes(pair: Pair) -> None:
    """Told to stop, one hands back what it does not finish in time, and the other ends it in the same message."""
    text = " ".join(f"word-{n}" for n in range(200))
    pair.one.script(Draft(text))
    pair.one.claude.tokens_per_second = 60.0
    root = await pair.one.slack.say("ana", "#shop-dev", "@purser tell me")
    begun = await pair.one.until(
        lambda: next((m for m in pair.one.said(root) if words_of(m)), None)
    )
    pair.one.claude.tokens_per_second = None  # for requests from now on
    await pair.one.stop()

    assert await pair.one.answered(root) == text
    assert [ask["attempt"] for ask in pair.one.asks()] == [2]
    assert pair.one.said(root) == [begun]
    assert_paid_once(pair.one)
    assert_balanced(pair.one)


async def test_two_in_socket_mode(tmp_path: Path, postgres: Postgres) -> None:
    """Slack sends each delivery to one of their connections, in turn; whatever comes is answered once."""
    url = postgres.clean()
    slack = SlackStandIn(events=(*EVENTS, "message.channels"), limits=False)
    async with (
        Replica(tmp_path / "one", url, http=False, slack=slack) as one,
        Replica(tmp_path / "other", url, http=False, beside=one) as other,
    ):
        await one.start()
        await other.start(warm=False)
        roots = [await slack.say("ana", "#shop-dev", f"@purser What is {n}*7?") for n in range(3)]
        answers = [await one.answered(root) for root in roots]
        await one.idle()

        assert slack.sockets.count == 2
        assert [f"{n}*7 = {n * 7}" in answers[n] for n in range(3)] == [True] * 3
        assert len(one.asked) == len(one.asks()) == 3
        assert slack.events.undelivered == []


async def test_one_that_starts_takes_nothing_from_the_other(
    tmp_path: Path, postgres: Postgres
) -> None:
    """What one works on stays its own while another starts."""
    url = postgres.clean()
    async with (
        Replica(tmp_path / "one", url) as one,
        Replica(tmp_path / "other", url, beside=one) as other,
    ):
        await one.start()
        one.claude.troubles.slow(ttft=1.0)
        root = await one.slack.say("ana", "#shop-dev", QUESTION)
        await one.until(lambda: one.asked)
        await other.start(warm=False)

        assert "6*7 = 42" in await one.answered(root)
        assert [ask["attempt"] for ask in one.asks()] == [1]
        assert len(one.asked) == 1


async def test_one_goes_on_where_the_other_was_killed(tmp_path: Path, postgres: Postgres) -> None:
    """Killed in mid-answer, a bot's ask is finished by the other one in the same message; books and bill agree."""
    url = postgres.clean()
    async with (
        Replica(tmp_path / "one", url) as one,
        Replica(tmp_path / "other", url, beside=one) as other,
    ):
        await other.start()
        await one.spawn(warm=False)
        await one.until(lambda: len(one.booked("warm")) == 4)
        one.listen()
        text = " ".join(f"word-{n}" for n in range(300))
        one.script(Draft(text))
        one.claude.tokens_per_second = 60.0
        root = await one.slack.say("ana", "#shop-dev", "@purser tell me")
        begun = await one.until(lambda: next((m for m in one.said(root) if words_of(m)), None))
        held = one.ask_of(root)
        await one.kill()
        one.claude.tokens_per_second = None
        other.ahead += 40  # the dead one's lease runs out
        ask = await one.ended(root)

        assert held is not None
        assert (held["state"], held["attempt"], ask["attempt"]) == ("leased", 1, 2)
        assert worker(held) != worker(ask)
        assert one.said(root) == [begun]
        assert words_of(begun) == text
        assert has_feedback(begun)
        assert_paid_once(one)
        assert_balanced(one)


def worker(ask: Row) -> str:
    """Which process has, or had, an ask."""
    return str(ask["worker"])


async def test_what_a_killed_one_had_sent_is_booked_by_another(
    tmp_path: Path, postgres: Postgres
) -> None:
    """Requests in nobody's name, sent by a process that is gone, are booked by one that lives, minutes later."""
    url = postgres.clean()
    async with Replica(tmp_path / "one", url, drain=0.1) as one:
        for _ in range(2):
            one.claude.troubles.hang(FOR_EVER)
        await one.start(warm=False)
        await one.until(lambda: len(one.rows("SELECT * FROM requests WHERE status = 'open'")) == 2)
        await one.stop()
        one.claude.troubles.clear()
        async with Replica(tmp_path / "other", url, beside=one, drain=0.1) as other:
            other.ahead = 600.0
            await other.start(warm=False)
            await other.until(lambda: len(other.booked("warm")) == 4)
            lost = [row for row in other.booked("warm") if row["status"] == "unconfirmed"]

    assert len(lost) == 2


async def test_bot_and_database_restarted_at_once(tmp_path: Path, postgres: Postgres) -> None:
    """Who starts while the database is away waits for it, and answers then what Slack tells again."""
    slack = SlackStandIn(retry_delays=(0.1,) * 100)
    slack.events_url = NOWHERE
    async with Replica(tmp_path / "one", postgres.clean(), slack=slack, drain=0.1) as one:
        with postgres.away(), capture_logs() as logs:
            starting = asyncio.create_task(one.start(warm=False))
            root = await slack.say("ana", "#shop-dev", QUESTION)
            await one.until(lambda: "waiting for the database" in str(logs))
        await starting

        assert "6*7 = 42" in await one.answered(root)
