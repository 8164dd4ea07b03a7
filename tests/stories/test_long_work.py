"""Long threads, long asks, long answers and hard thought: each is done, or told in a sentence; nothing is cut in silence."""

import json
from pathlib import Path

import pytest

from bot.demo.claude import Trouble
from bot.demo.claude.reply import Draft
from bot.demo.pages.made import pdf
from bot.demo.slack import Message
from bot.demo.slack.message import File
from bot.demo.terminal import under, words_of
from bot.turn.compact import LEFT_OUT, SUMMED_UP
from tests.stories.account import assert_balanced, assert_paid_once
from tests.stories.world import World

pytestmark = pytest.mark.timeout(120)

FOR_EVER = 3600.0  # seconds; longer than any test
OPUS, HAIKU = "claude-opus-5-5", "claude-haiku-5-5"
LINE = "The lighthouse keeper counts the ships once an hour and writes them down.\n"
BOOK = LINE * 1_800  # 130,000 characters, some 40,000 tokens
ANSWER = "\n\n".join(f"Chapter {n}. {LINE * 4}".strip() for n in range(150))
"""Of the length of five messages."""


def book(world: World, name: str, text: str = BOOK) -> File:
    """A long file."""
    return world.slack.file(name, text)


async def asked(world: World, words: str, root: Message | None = None, **more: object) -> Message:
    """An ask that has its answer, in a thread or opening one; the message with the answer's end."""
    ts = root.ts if root else ""
    said = await world.slack.say("ana", "#shop-dev", f"@purser {words}", thread_ts=ts, **more)  # type: ignore[arg-type]
    ask = await world.ended(said)
    assert (ask["state"], ask["outcome"]) == ("done", "answer"), ask
    return said


async def grown(world: World) -> Message:
    """A thread in which three long files were asked about."""
    root = await asked(world, "read this", files=[book(world, "1.txt")])
    for n in (2, 3):
        await asked(world, "and this", root, files=[book(world, f"{n}.txt")])
    return root


async def test_a_long_thread_goes_on(world: World) -> None:
    """Its old part is summed up once, the answer says so, and later asks read the rest from cache."""
    root = await grown(world)
    await asked(world, "what was it about?", root)
    summed = under(world.said(root)[-1])
    await asked(world, "and who counts?", root)

    assert SUMMED_UP in summed
    assert SUMMED_UP not in under(world.said(root)[-1])
    assert [row["model"] for row in world.booked("compact")] == [HAIKU]
    before, after = (exchange.body["messages"] for exchange in world.asked[-2:])
    assert before[0] == after[0]
    assert "<purser:older>" in before[0]["content"][0]["text"]
    assert world.booked()[-1]["cache_read_tokens"] > 35_000
    assert len(json.dumps(after)) < len(BOOK) * 1.5
    assert_balanced(world)


async def test_a_kill_while_a_thread_is_summed_up(tmp_path: Path) -> None:
    """Killed after the summary was paid and before the answer, the bot goes on with it: it is paid once, and said."""
    async with World(tmp_path) as world:
        await world.spawn()
        root = await grown(world)
        world.claude.troubles.add(
            Trouble(hang_first=FOR_EVER, fits=lambda body: "<purser:older>" in str(body))
        )
        said = await world.slack.say("ana", "#shop-dev", "@purser and now?", thread_ts=root.ts)
        await world.until(lambda: len(world.booked("compact")) == 1 and world.rows(OPEN))
        await world.kill()
        world.claude.troubles.clear()
        await world.spawn()
        ask = await world.ended(said)

        assert (ask["state"], ask["outcome"]) == ("done", "answer")
        assert len(world.booked("compact")) == 1
        assert SUMMED_UP in under(world.said(root)[-1])
        assert_paid_once(world)


async def test_a_thread_whose_summary_is_declined_goes_on_without_it(world: World) -> None:
    """The oldest part is left out with a word."""
    root = await grown(world)
    world.claude.troubles.add(
        Trouble(refuse=True, category="bio", fits=lambda body: "<purser:part>" in str(body))
    )
    await asked(world, "what was it about?", root)

    assert LEFT_OUT in under(world.said(root)[-1])
    assert_balanced(world)


async def test_a_mention_of_a_hundred_thousand_characters(world: World) -> None:
    """It is read whole, and answered."""
    text = f"summarise this: {LINE * 1_400}"
    root = await world.slack.say("ana", "#shop-dev", f"@purser {text}")
    await world.answered(root)

    assert len(text) > 100_000
    assert text[:-1] in json.dumps(world.asked[-1].body["messages"]).replace("\\n", "\n")


async def test_ten_large_files_are_too_much_for_one_ask(world: World) -> None:
    """Told at once with both sums; Claude is not asked, and it costs nothing."""
    files = [book(world, f"{n}.txt", LINE * 5_000) for n in range(10)]
    root = await world.slack.say("ana", "#shop-dev", "@purser read these", files=files)
    ask = await world.ended(root)

    assert ask["outcome"] == "failed"
    assert "beyond the limit of $2.00 for one ask, so Claude was not asked" in world.words(root)
    assert "with less text or fewer files" in world.words(root)
    assert world.asked == []
    assert world.booked() == []


async def test_what_is_not_read_of_files_is_told(world: World) -> None:
    """An archive is refused in a sentence, a long file is read to its bound; both stand under the answer."""
    files = [
        world.slack.file("all.zip", b"PK\x03\x04" + bytes(100)),
        book(world, "long.txt", LINE * 5_000),
    ]
    root = await world.slack.say("ana", "#shop-dev", "@purser read these", files=files)
    await world.answered(root)
    archive, long, *_ = world.notes(root)

    assert archive == "`all.zip` was not read: it is an archive; attach the files themselves."
    assert "I read its first 200,000 of" in long


async def test_a_long_pdf_is_named_before_it_costs(world: World) -> None:
    """Its pages and about its tokens stand with the estimate; on *Go* it is read as it is, its pages in the request."""
    file = world.slack.file("manual.pdf", pdf([["words"]] * 180))
    root = await world.slack.say("ana", "#shop-dev", "@purser read this", files=[file])
    await world.until(lambda: [ask for ask in world.asks() if ask["state"] == "parked"])
    (estimate,) = world.said(root)

    assert "`manual.pdf` has 180 pages, about 468,000 tokens" in under(estimate)
    assert world.asked == []
    await world.slack.click("ana", estimate, "estimate:go")
    await world.ended(root)
    blocks = world.asked[-1].body["messages"][-1]["content"]
    assert [b["title"] for b in blocks if b["type"] == "document"] == ["manual.pdf (180 pages)"]
    assert world.booked()[-1]["cost_picos"] < 2 * 10**12
    assert_balanced(world)


async def test_the_rest_of_a_long_answer_is_a_file(world: World) -> None:
    """Three messages, and a file behind them that holds the rest."""
    world.script(Draft(ANSWER))
    root = await asked(world, "tell me all of it")
    *messages, file = world.said(root)

    assert len(messages) == 3
    (rest,) = file.files
    whole = "".join([*(words_of(message) for message in messages), rest.data.decode()])
    assert "".join(whole.split()) == "".join(ANSWER.split())


async def test_hard_thought_is_asked_of_the_deep_model(world: World) -> None:
    """The words "think hard" in any ask call the deep model at high effort; thoughts are seen as status, and counted apart."""
    thought = "The ships come by the hour, so what has to be counted is hours.\n" * 100
    world.script(Draft("Twelve.", thought))
    world.claude.tokens_per_second = 800.0  # beyond the two seconds that the first words stand
    root = await asked(world, "think hard: how many ships?")
    body = world.asked[-1].body

    assert (body["model"], body["output_config"]["effort"]) == (OPUS, "high")
    (row,) = world.booked()
    assert row["thinking_tokens"] > 1_000
    assert f"{row['thinking_tokens']:,} tokens of thought" in under(world.said(root)[-1])[-1]
    told = [str(line.arguments) for line in world.slack.log if line.method.endswith("setStatus")]
    assert any("is thinking: The ships come by the hour" in line for line in told)


OPEN = "SELECT n FROM requests WHERE status = 'open' AND purpose = 'answer'"
