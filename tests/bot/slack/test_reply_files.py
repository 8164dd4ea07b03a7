"""An answer too long for three messages goes on in a file: once, whole, whoever dies; as messages where files are refused."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from bot.ask import Lease
from bot.slack.flow import MESSAGES
from bot.slack.reply import Replies
from tests.bot.slack.answering import (
    LINE,
    NEVER,
    Desk,
    Died,
    Life,
    answer,
    desk,
    grey,
    has_buttons,
    say,
    words_of,
)

LONG = "\n\n".join(f"Paragraph {n}: {'word ' * 60}".strip() for n in range(150))
"""Of the length of five messages."""
CODE = "```python\n" + "print('much')\n" * 4_000 + "```"
OFFER = "Shall I write this down?"
STEPS = 120  # commits and calls that such an answer takes at most, each counted before and after it


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk at a whole Slack that limits nothing."""
    async with desk(tmp_path, limits=False) as made:
        yield made


def letters(texts: list[str]) -> str:
    """A text without its blanks and fences, which a cut may add or take."""
    return "".join("".join(texts).split()).replace("```python", "").replace("```", "")


def spoken(at: Desk, lease: Lease) -> list[str]:
    """The words of the messages that are no file."""
    return [words_of(message) for message in at.thread(lease) if not message.files]


def files(at: Desk, lease: Lease) -> list[str]:
    """The words of the files."""
    return [file.data.decode() for message in at.thread(lease) for file in message.files]


async def answered(
    at: Desk, lease: Lease, replies: Replies, text: str, *, live: bool, offered: bool = False
) -> None:
    """Let an answer be said, as it comes or whole."""
    async with aclosing(await replies.open(lease)) as reply:
        await reply.first_sign()
        if live:
            for paragraph in text.split("\n\n"):
                await say(reply, f"{paragraph}\n\n")
            await at.slack.wait_for(lambda: len(at.thread(lease)) >= MESSAGES)
        await reply.end(answer(text), [(OFFER, [])] if offered else ())


@pytest.mark.parametrize("text", [LONG, CODE], ids=["paragraphs", "code"])
@pytest.mark.parametrize("live", [False, True])
async def test_the_rest_of_a_long_answer_is_a_file(at: Desk, text: str, live: bool) -> None:
    """Three messages and a file behind them, nothing lost; the receipt under the third, a sentence with the file."""
    lease = await at.mention()
    await answered(at, lease, at.replies(whole=0 if live else NEVER), text, live=live)

    *messages, file = at.thread(lease)
    assert len(messages) == MESSAGES
    assert [message.files for message in messages] == [[], [], []]
    assert file.files[0].name == f"answer-{lease.ask.reference}.md"
    assert "The answer goes on in this file" in file.text
    assert letters([*spoken(at, lease), *files(at, lease)]) == letters([text])
    assert [grey(message) for message in messages] == [[], [], [LINE]]
    assert has_buttons(messages[-1])
    assert all(message.streaming != "in_progress" for message in messages)


async def test_three_messages_need_no_file(at: Desk) -> None:
    """What fits into three messages is said in three."""
    lease = await at.mention()
    text = "\n\n".join(LONG.split("\n\n")[:90])
    await answered(at, lease, at.replies(), text, live=False)

    assert len(at.thread(lease)) == MESSAGES
    assert files(at, lease) == []


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
@pytest.mark.parametrize("live", [False, True])
async def test_where_files_are_refused_all_is_said(at: Desk, method: str, live: bool) -> None:
    """Without the right to upload, or when Slack does not take the file, the rest comes as messages."""
    at.slack.troubles.down[method] = "missing_scope"
    lease = await at.mention()
    await answered(at, lease, at.replies(whole=0 if live else NEVER), LONG, live=live)

    assert files(at, lease) == []
    assert letters(spoken(at, lease)) == letters([LONG])
    assert len(spoken(at, lease)) == 5
    assert [grey(message) for message in at.thread(lease)] == [[], [], [], [], [LINE]]


async def test_a_file_whose_reply_was_lost_is_not_sent_again(at: Desk) -> None:
    """It is found in the thread by its name."""
    at.slack.troubles.lost["files.completeUploadExternal"] = 1
    lease = await at.mention()
    await answered(at, lease, at.replies(), LONG, live=False)

    assert len(files(at, lease)) == 1
    assert len(spoken(at, lease)) == MESSAGES


async def test_a_command_gets_its_file_in_the_channel(at: Desk) -> None:
    """Where there is no thread, the file stands in the channel behind the messages."""
    lease = await at.command("#payments")
    await answered(at, lease, at.replies(), LONG, live=False)

    assert letters([*spoken(at, lease), *files(at, lease)]) == letters([LONG])
    assert len(files(at, lease)) == 1


async def test_wherever_it_dies_one_file_stands(at: Desk) -> None:
    """Killed before or after any commit or call: three messages, the file and what is offered, each once, in order."""
    died, steps = True, 0
    while died:
        lease = await at.mention()
        life, died = Life(steps), False
        try:
            replies = at.replies(life=life)
            await answered(at, lease, replies, LONG, live=False, offered=True)
        except Died:
            died = True
            lease = await at.taken_over()
            await answered(at, lease, at.replies(), LONG, live=False, offered=True)
        await at.settle(lease)

        thread = at.thread(lease)
        assert [len(message.files) for message in thread] == [0, 0, 0, 1, 0], steps
        *messages, offer = spoken(at, lease)
        assert offer == OFFER, steps
        assert letters([*messages, *files(at, lease)]) == letters([LONG]), steps
        assert [has_buttons(message) for message in thread] == [False, False, True, False, False]
        assert [(p.n, p.state) for p in await at.journalled(lease)] == [
            (n, "said") for n in range(1, 6)
        ]
        steps += 1

    assert 20 < steps < STEPS
