"""`purser eval` as people run it: a process, its output, its exit code."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.demo.claude import UNLIMITED, ClaudeStandIn, Trouble
from bot.evals.table import STAND_IN
from tests.bot.evals.sets import sets, write
from tests.bot.terminal import CLEAN, PURSER, purser


@pytest.fixture
async def claude() -> AsyncIterator[ClaudeStandIn]:
    """A Claude without limits."""
    stand_in = ClaudeStandIn(tier=UNLIMITED)
    await stand_in.start()
    yield stand_in
    await stand_in.stop()


def environ(claude: ClaudeStandIn) -> dict[str, str]:
    """A key, and where to use it."""
    return {"ANTHROPIC_API_KEY": claude.api_key, "ANTHROPIC_BASE_URL": claude.url}


def left_in(folder: Path) -> list[str]:
    """What lies there."""
    return [path.name for path in folder.iterdir()]


async def test_the_sets_beside_the_folder_are_found(claude: ClaudeStandIn, tmp_path: Path) -> None:
    """A table on the one stream, what it takes on the other."""
    sets(tmp_path / "tests" / "evals")

    ran = await purser("eval", "review", "--repeat", "2", cwd=tmp_path, env=environ(claude))

    assert ran.code == 0, ran.err
    assert "review: 2 cases, 2 times each, judged by claude-haiku-5-5" in ran.out
    assert STAND_IN in ran.out
    assert "This will make about 20 calls and cost about $" in ran.err
    assert left_in(tmp_path) == ["tests"]


async def test_json_is_all_there_is_on_the_output(claude: ClaudeStandIn, tmp_path: Path) -> None:
    """Machines read it as it comes."""
    sets(tmp_path / "copy")

    line = (
        "eval",
        "summarize",
        "--sets",
        "copy",
        "--json",
        "--models",
        "claude-haiku-5-5, claude-opus-5-5",
    )
    ran = await purser(*line, cwd=tmp_path, env=environ(claude))

    told = json.loads(ran.out)
    assert [row["model"] for row in told["models"]] == ["claude-haiku-5-5", "claude-opus-5-5"]
    assert told["set"] == "summarize"


async def test_what_is_dear_wants_a_yes(claude: ClaudeStandIn, tmp_path: Path) -> None:
    """Without a terminal to ask at, nothing is begun; --yes agrees beforehand."""
    write(tmp_path, {"purser.toml": "[defaults]\nconfirm_above_usd = 0.01\n"})
    sets(tmp_path / "tests" / "evals")

    refused = await purser("eval", "review", cwd=tmp_path, env=environ(claude))
    begun = await purser("eval", "review", "--yes", cwd=tmp_path, env=environ(claude))

    assert (refused.code, refused.out) == (2, "")
    assert "--yes agrees beforehand" in refused.err
    assert begun.code == 0, begun.err


@pytest.mark.parametrize(("word", "code"), [(b"n\n", 2), (b"y\n", 0)])
async def test_a_terminal_is_asked(
    claude: ClaudeStandIn, tmp_path: Path, word: bytes, code: int
) -> None:
    """What it takes stands before the question; a no begins nothing."""
    write(tmp_path, {"purser.toml": "[defaults]\nconfirm_above_usd = 0.01\n"})
    sets(tmp_path / "tests" / "evals")
    ours, theirs = os.openpty()
    os.write(ours, word)
    process = await asyncio.create_subprocess_exec(
        PURSER,
        *("eval", "review", "--case", "002-fine"),
        cwd=tmp_path,
        env={**CLEAN, **environ(claude)},
        stdin=theirs,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    os.close(theirs)
    os.close(ours)

    assert process.returncode == code, err
    assert b"This will make about 5 calls" in err
    assert b"Go on? [y/N]" in err
    assert bool(out) == (code == 0) == bool(claude.log)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("review",), "There is no folder tests/evals/review. The evaluation sets lie in"),
        (("review", "--sets", "copy", "--case", "9"), "there is no case 9 in copy/review"),
        (("poems",), "'poems' is not one of 'review', 'summarize'"),
    ],
)
async def test_bad_usage_exits_2_with_what_to_do(
    claude: ClaudeStandIn, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    """No trace, one sentence."""
    sets(tmp_path / "copy")

    ran = await purser("eval", *arguments, cwd=tmp_path, env=environ(claude))

    assert ran.code == 2
    assert sentence in ran.err
    assert "Traceback" not in ran.err


async def test_without_a_key_it_exits_2(tmp_path: Path) -> None:
    """The name of what is missing, and where to get it."""
    ran = await purser("eval", "review", "--sets", str(sets(tmp_path / "copy")), cwd=tmp_path)

    assert (ran.code, ran.out) == (2, "")
    assert "ANTHROPIC_API_KEY: is not set; an API key (sk-ant-…) from the Claude Console" in ran.err


async def test_ctrl_c_ends_it_with_what_was_spent(claude: ClaudeStandIn, tmp_path: Path) -> None:
    """No figures, no trace; 130, as a terminal expects."""
    claude.troubles.add(Trouble(hang_first=300, fits=lambda body: body["max_tokens"] > 0), times=9)
    sets(tmp_path / "copy")
    # A shell that runs us in the background has us, and all that we start, ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = await asyncio.create_subprocess_exec(
        PURSER,
        *("eval", "review", "--sets", "copy"),
        cwd=tmp_path,
        env={**CLEAN, **environ(claude)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    signal.signal(signal.SIGINT, before)
    await claude.wait_for(lambda: sum(x.path == "/v1/messages" for x in claude.log) >= 3, 30)

    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()

    assert process.returncode == 130
    assert out == b""
    assert b"Ended early: 0 of 2 trials were done" in err
    assert b"Traceback" not in err
