"""The 20 s wrapper: exactly one result for each call, in time, whatever the tool does."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import ToolProblem
from bot.rules import Rules
from bot.tool_runner import CALLS_PER_ROUND, RESULT_CHARS, Tool, ToolContext, ToolRun, ToolRunner
from tests.bot.stores import ask
from tests.chance import share

Call = Callable[[Mapping[str, Any], ToolContext], Awaitable[str]]
SCHEMA = {
    "type": "object",
    "properties": {"x": {"type": "string"}},
    "required": ["x"],
    "additionalProperties": False,
}


def tool(name: str, call: Call) -> Tool:
    """A tool that takes one word."""
    return Tool(name, "For tests.", SCHEMA, lambda arguments: f"reading {arguments['x']}", call)


def use(name: str, number: int = 1, **arguments: Any) -> dict[str, Any]:
    """A tool_use block."""
    return {
        "type": "tool_use",
        "id": f"tu_{number}",
        "name": name,
        "input": arguments or {"x": "a"},
    }


async def good(arguments: Mapping[str, Any], _context: ToolContext) -> str:
    """Answers."""
    return f"got {arguments['x']}"


async def hangs(_arguments: Mapping[str, Any], _context: ToolContext) -> str:
    """Never answers."""
    await asyncio.Event().wait()
    return ""


async def problem(_arguments: Mapping[str, Any], _context: ToolContext) -> str:
    """Says what is wrong."""
    raise ToolProblem("no such ticket; check the key")


async def bug(_arguments: Mapping[str, Any], _context: ToolContext) -> str:
    """Breaks."""
    raise KeyError("secret-detail")


async def strangers_timeout(_arguments: Mapping[str, Any], _context: ToolContext) -> str:
    """The other side gave up by itself."""
    raise TimeoutError


TOOLS = {"good": good, "hangs": hangs, "problem": problem, "bug": bug, "theirs": strangers_timeout}


async def run(
    uses: list[dict[str, Any]], seconds: float = 0.05, rules: Rules | None = None
) -> tuple[list[ToolRun], list[str]]:
    """One round; the results and what was heard."""
    heard: list[str] = []
    runner = ToolRunner(
        [tool(name, call) for name, call in TOOLS.items()], clock=time.monotonic, seconds=seconds
    )
    runs = await runner.run(
        uses,
        ToolContext(ask(), rules or Rules()),
        on_started=lambda use_id, _name, label: heard.append(f"{use_id} {label}"),
        on_ended=lambda one: heard.append(f"{one.use_id} {one.outcome}"),
    )
    await asyncio.sleep(0)
    return runs, heard


@pytest.mark.parametrize(
    ("name", "outcome", "words"),
    [
        ("good", "ok", "got a"),
        ("hangs", "timed_out", "No result within"),
        ("problem", "problem", "no such ticket; check the key"),
        ("bug", "broken", "The tool broke"),
        ("theirs", "problem", "other side timed out"),
        ("nothing", "problem", "no tool nothing"),
    ],
)
async def test_each_way_a_tool_ends_is_one_result(name: str, outcome: str, words: str) -> None:
    """Ok, too slow, a problem, a bug, a stranger's own timeout, an unknown name: each has its words."""
    (result,), _ = await run([use(name)])

    assert (result.outcome, result.use_id) == (outcome, "tu_1")
    assert words in result.text
    assert result.result().get("is_error", False) is (outcome != "ok")


async def test_a_bugs_words_never_reach_claude() -> None:
    """Of a broken tool Claude hears only that it broke."""
    (result,), _ = await run([use("bug")])

    assert "secret-detail" not in result.text


async def test_calls_run_side_by_side_and_none_is_orphaned() -> None:
    """A slow call holds up nobody, and a failing one leaves its siblings alone."""
    uses = [use(name, n) for n, name in enumerate(["hangs", "good", "bug", "hangs", "problem"])]
    results, heard = await run(uses, seconds=0.1)

    assert [r.use_id for r in results] == [u["id"] for u in uses]
    assert [r.outcome for r in results] == ["timed_out", "ok", "broken", "timed_out", "problem"]
    last = max(n for n, word in enumerate(heard) if word.startswith(uses[-1]["id"]))
    assert last < min(n for n, word in enumerate(heard) if word.endswith("timed_out"))


async def test_the_channels_own_limit_counts_and_never_above_ours() -> None:
    """`tool_seconds` of the policy cuts earlier; the tool's own deadline is three quarters of it."""
    seen: list[float] = []

    async def looks(_arguments: Mapping[str, Any], context: ToolContext) -> str:
        seen.append(context.deadline_seconds)
        return ""

    runner = ToolRunner([tool("looks", looks)], clock=time.monotonic)
    context = ToolContext(ask(), Rules(tool_seconds=8))
    silent: Callable[..., None] = lambda *_: None  # noqa: E731 - nobody listens here
    runs = await runner.run([use("looks")], context, on_started=silent, on_ended=silent)

    assert seen == [6.0]
    assert runs[0].text == "(empty)"


@pytest.mark.parametrize("arguments", [{}, {"x": 1}, {"x": "a", "y": 2}, "text", None, [1]])
async def test_bad_arguments_are_told_and_nothing_runs(arguments: Any) -> None:
    """Arguments that don't fit the schema are answered with what would."""
    (result,), heard = await run([{"id": "tu_1", "name": "good", "input": arguments}])

    assert result.outcome == "problem"
    assert "don't fit good" in result.text
    assert heard == ["tu_1 problem"]


async def test_a_thousand_calls_end_in_bounds() -> None:
    """Beyond the most for a round, calls are told to come later; each still has its result."""
    results, _ = await run([use("good", n) for n in range(1000)])

    assert len(results) == 1000
    assert sum(r.outcome == "ok" for r in results) == CALLS_PER_ROUND


async def test_a_huge_result_is_cut_and_says_so() -> None:
    """A result has at most so many characters; what is missing is named."""

    async def huge(_arguments: Mapping[str, Any], _context: ToolContext) -> str:
        return "x" * (RESULT_CHARS + 7)

    runner = ToolRunner([tool("huge", huge)], clock=time.monotonic)
    silent: Callable[..., None] = lambda *_: None  # noqa: E731 - nobody listens here
    runs = await runner.run(
        [use("huge")], ToolContext(ask(), Rules()), on_started=silent, on_ended=silent
    )

    assert "7 more characters" in runs[0].text


async def test_a_cancelled_ask_cancels_its_tools() -> None:
    """When the ask is stopped, its tools stop with it."""
    ended = asyncio.Event()

    async def watched(_arguments: Mapping[str, Any], _context: ToolContext) -> str:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return ""

    runner = ToolRunner([tool("watched", watched)], clock=time.monotonic)
    begun = asyncio.Event()
    silent: Callable[..., None] = lambda *_: None  # noqa: E731 - nobody listens here
    round_ = asyncio.create_task(
        runner.run(
            [use("watched")],
            ToolContext(ask(), Rules()),
            on_started=lambda *_: begun.set(),
            on_ended=silent,
        )
    )
    await begun.wait()
    round_.cancel()
    with pytest.raises(asyncio.CancelledError):
        await round_
    assert ended.is_set()


@settings(max_examples=share(0.3))
@given(st.lists(st.sampled_from([*TOOLS, "nothing"]), max_size=12))
def test_one_result_for_each_use(names: list[str]) -> None:
    """Whatever mixture is called, there is exactly one result for each use, in order."""
    uses = [use(name, n) for n, name in enumerate(names)]
    results, _ = asyncio.run(run(uses, seconds=0.001))

    assert [r.use_id for r in results] == [u["id"] for u in uses]
