"""Every ask ends in one visible end, whatever Claude does: an answer, a failure with a reference, or a bound's word."""

import gc
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.demo.claude import Trouble
from bot.demo.claude.reply import Draft
from bot.demo.claude.troubles import Troubles
from bot.demo.slack import Message
from bot.demo.terminal import words_of
from bot.slack.reply import Reply
from tests.stories.account import assert_balanced
from tests.stories.world import World

QUESTION = "@purser What is 6*7?"


async def failed(world: World, root: Message, seconds: float = 10.0) -> str:
    """The words of an ask that failed: one message, with the reference, and nothing of an exception."""
    ask = await world.ended(root, seconds)
    words = world.words(root)

    assert ask["outcome"] == "failed"
    assert f"(reference {ask['id'][-8:]})" in words
    assert "Error" not in words
    assert "Traceback" not in words
    return words


def attempts(world: World) -> list[tuple[str, str]]:
    """Of each request in the journal: whether it ended, and with which error."""
    rows = world.rows("SELECT status, error FROM requests ORDER BY at, n")
    return [(row["status"], row["error"] or "") for row in rows]


PASSING: dict[str, Callable[[Troubles], None]] = {
    "a rate limit": lambda t: t.rate_limit(retry_after=1),
    "overloaded": lambda t: t.overload(retry_after=1),
    "a server error": lambda t: t.fail(500, retry_after=1),
    "a gateway in trouble": lambda t: t.fail(503, retry_after=1),
    "a cut stream": lambda t: t.cut(),
    "overloaded in mid-stream": lambda t: t.fail_in_stream(529),
    "garbage in mid-stream": lambda t: t.malformed(),
}


@pytest.mark.parametrize("trouble", PASSING.values(), ids=PASSING.keys())
async def test_passing_trouble_is_tried_once_more(
    world: World, trouble: Callable[[Troubles], None]
) -> None:
    """What passes is tried once more after the time Claude asks for, and the person has one whole answer."""
    trouble(world.claude.troubles)
    root = await world.slack.say("ana", "#shop-dev", QUESTION)

    assert "6*7 = 42" in await world.answered(root)
    first, second = world.asked
    wait = float(first.response_headers.get("retry-after", "0"))
    assert first.ended is not None
    assert second.at - first.ended >= wait
    assert_balanced(world)


LASTING: dict[str, tuple[Callable[[Troubles], None], str, int]] = {
    "a rate limit, again and again": (
        lambda t: t.rate_limit(9, retry_after=0),
        "rate limit is reached",
        9,
    ),
    "overloaded, again and again": (
        lambda t: t.overload(4, retry_after=0),
        "Claude is overloaded",
        4,
    ),
    "a server error, again and again": (
        lambda t: t.fail(500, times=4, retry_after=0),
        "again and again",
        4,
    ),
    "a cut stream, twice": (lambda t: t.cut(times=2), "broke twice", 2),
    "our own spend limit": (lambda t: t.spend_limit(), "reached its spending limit", 1),
    "the tier's spend limit": (
        lambda t: t.rate_limit(retry_after=None, code="enforced_spend_limit_reached"),
        "reached its spending limit",
        1,
    ),
    "the contract's spend limit": (
        lambda t: t.rate_limit(retry_after=None, code="contract_spend_limit_reached"),
        "reached its spending limit",
        1,
    ),
    "a bad key": (lambda t: t.fail(401), "does not accept Purser's key", 1),
    "no such model": (lambda t: t.fail(404), "does not know the model", 1),
    "too large": (lambda t: t.fail(413), "more than Claude can read at once", 1),
    "a request it rejects": (lambda t: t.fail(400, "messages: odd"), "a bug of Purser", 1),
}


@pytest.mark.parametrize(("trouble", "told", "calls"), LASTING.values(), ids=LASTING.keys())
async def test_lasting_trouble_is_told(
    world: World, trouble: Callable[[Troubles], None], told: str, calls: int
) -> None:
    """What does not pass ends in a sentence that says what it is and what to do; nothing is tried in vain."""
    trouble(world.claude.troubles)
    root = await world.slack.say("ana", "#shop-dev", QUESTION)

    assert told in await failed(world, root)
    assert len(world.asked) == calls
    assert_balanced(world)


async def test_text_of_a_broken_answer_is_withdrawn(world: World) -> None:
    """An answer that breaks off while people read it is taken back, and the second one stands alone."""
    world.claude.tokens_per_second = 60.0
    world.script(Draft("The wolves come. " * 40), Draft("The second attempt is whole."))
    world.claude.troubles.cut(after=400)
    root = await world.slack.say("ana", "#shop-dev", "@purser tell me")
    await world.until(lambda: any("wolves" in words_of(m) for m in world.said(root)))

    assert await world.answered(root) == "The second attempt is whole."
    assert_balanced(world)


async def test_a_long_rate_limit_is_not_waited_for(tmp_path: Path) -> None:
    """A wait longer than an ask may take ends the ask at once, and says so."""
    async with World(tmp_path, policy="ask_seconds = 30") as world:
        await world.start()
        world.claude.troubles.rate_limit(retry_after=3600)
        root = await world.slack.say("ana", "#shop-dev", QUESTION)

        assert "It asks to wait about" in await failed(world, root)
        assert len(world.asked) == 1


async def test_silence_is_bounded(tmp_path: Path) -> None:
    """A Claude that falls silent is given up after the silence that is allowed, and asked once more."""
    async with World(tmp_path, policy="silence_seconds = 1") as world:
        await world.start()
        world.claude.troubles.hang(3600.0)
        root = await world.slack.say("ana", "#shop-dev", QUESTION)

        assert "6*7 = 42" in await world.answered(root)
        assert len(world.asked) == 2
        assert_balanced(world)


async def test_another_model_than_asked_is_told_to_admins(world: World) -> None:
    """When another model answers than the one that is set, it is booked as itself, and each admin hears of it once."""
    for n in (1, 2):
        world.claude.troubles.add(Trouble(served_by="claude-opus-5"))
        root = await world.slack.say("ana", "#shop-dev", f"@purser What is {n}+3?")
        await world.answered(root)
    await world.idle()

    assert [row["model"] for row in world.booked()] == ["claude-opus-5"] * 2
    (told,) = world.slack.by_app("@ruth")
    assert "`claude-opus-5` answered where `claude-sonnet-5-5` is set" in words_of(told)
    assert_balanced(world)


@pytest.mark.parametrize(
    ("reason", "note"),
    [
        ("max_tokens", "longer than one answer may be"),
        ("model_context_window_exceeded", "longer than Claude can read"),
    ],
)
async def test_a_cut_answer_says_so(world: World, reason: str, note: str) -> None:
    """An answer that Claude had to end is an answer still, with a line under it that says it was cut."""
    world.claude.troubles.add(Trouble(stop_reason=reason), times=3)
    root = await world.slack.say("ana", "#shop-dev", QUESTION)

    assert "6*7 = 42" in await world.answered(root)
    assert note in " ".join(world.notes(root))
    assert_balanced(world)


@pytest.mark.parametrize("closed", ["archived", "deleted", "left"])
async def test_a_closed_channel_is_answered_directly(world: World, closed: str) -> None:
    """A channel that was closed to us while Claude worked has its answer in the asker's direct messages."""
    world.claude.troubles.slow(ttft=0.5)
    root = await world.slack.say("ana", "#shop-dev", QUESTION)
    await world.until(lambda: world.asked)
    channel = world.slack.world.channel("#shop-dev")
    if closed == "archived":
        channel.archived = True
    elif closed == "left":
        await world.slack.expel("#shop-dev")
    else:
        del world.slack.world.channels[channel.id]
    ask = await world.ended(root)

    assert ask["outcome"] == "answer"
    (direct,) = world.slack.by_app("@ana")
    assert "6*7 = 42" in words_of(direct)
    assert_balanced(world)


async def test_a_bug_is_told_and_kept_for_an_operator(world: World) -> None:
    """An ask that breaks on our side ends in a sentence with its reference and in `purser dead`; others go on."""
    root = await world.slack.say("ana", "#shop-dev", QUESTION)
    await world.answered(root)
    world.damage("UPDATE conversation SET messages = '{'")
    again = await world.slack.say("ana", "#shop-dev", QUESTION, thread_ts=root.ts)
    ask = await world.ended(again)
    other = await world.slack.say("ben", "#payments", QUESTION)
    await world.answered(other)

    words = words_of(world.said(root)[-1])
    assert words.startswith("Something broke on my side.")
    assert f"(reference {ask['id'][-8:]})" in words
    assert ask["state"] == "dead"
    assert ask["sentence"] == "it broke: JSONDecodeError; the log has the trace"


async def test_a_broken_ask_lets_go_of_what_it_read(world: World) -> None:
    """Nothing of an ask that broke, or that Slack did not take, waits for the collector, which seldom looks."""
    gc.collect()
    gc.disable()
    try:
        root = await world.slack.say("ana", "#shop-dev", QUESTION)
        await world.answered(root)
        world.damage("UPDATE conversation SET messages = 'no json'")
        again = await world.slack.say("ana", "#shop-dev", "@purser and now?", thread_ts=root.ts)
        await world.ended(again)
        for method in ("chat.postMessage", "chat.startStream"):
            world.slack.troubles.down[method] = "is_archived"
        await world.ended(await world.slack.say("ben", "#payments", QUESTION))

        await world.until(lambda: not any(isinstance(one, Reply) for one in gc.get_objects()))
    finally:
        gc.enable()


async def test_an_ask_that_kills_its_processes_is_told(tmp_path: Path) -> None:
    """An ask over which four processes ended is not tried a fifth time: the person is told, an operator can look."""
    async with World(tmp_path) as world:
        await world.start()
        world.claude.troubles.hang(3600.0)
        root = await world.slack.say("ana", "#shop-dev", QUESTION)
        await world.until(lambda: world.asked)
        world.damage("UPDATE asks SET failures = 3")
        world.ahead += 40  # nobody renewed the lease: its worker is taken for dead, too
        ask = await world.ended(root)

        assert ask["state"] == "dead"
        assert ask["sentence"] == "4 processes ended while they worked on it"
        assert world.words(root).startswith("I ended several times while I worked on this")
        assert f"(reference {ask['id'][-8:]})" in world.words(root)
        assert len(world.asked) == 1
