"""Runs the tools of one round, and remembers what they gave so that nothing is read twice."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bot.answer import Event, ToolEnded, ToolStarted
from bot.ask import Lease
from bot.audit import of_tool, record
from bot.journal import Told
from bot.labels import bounded, file_blocks, mark_of, unbounded
from bot.reach import Reach
from bot.store import Transaction
from bot.tool_runner import ToolContext, ToolRun
from bot.turn.brief import Brief, Rooms


async def run_tools(
    rooms: Rooms,
    lease: Lease,
    brief: Brief,
    uses: Sequence[Mapping[str, Any]],
    *,
    given: Iterable[Mapping[str, Any]],
    known: Mapping[str, Any],
    tell: Callable[[Event], None],
) -> list[dict[str, Any]]:
    """Give the tool_result blocks of a round, one for each use, in the order of the uses.

    Args:
        rooms: the runner, the journal and the store.
        lease: the ask.
        brief: the rules that tools work by.
        uses: tool_use blocks of a response that ended in order to have them run.
        given: the messages of the request they came of: they say which addresses may be opened.
        known: results from before a restart, by use id.
        tell: hears when a tool starts and ends.

    Raises:
        LeaseLost: another worker has this ask.
        StoreDown: the results could not be journalled.
    """

    def started(use_id: str, name: str, label: str) -> None:
        tell(ToolStarted(use_id, name, label))

    def ended(run: ToolRun) -> None:
        tell(ToolEnded(run.use_id, run.name, run.outcome, run.seconds))

    missing = [use for use in uses if use["id"] not in known]
    context = ToolContext(ask=lease.ask, rules=brief.rules, reach=Reach.of(given))
    runs = await rooms.runner.run(missing, context, on_started=started, on_ended=ended)
    asked = {str(use["id"]): use["input"] for use in missing}
    results = {run.use_id: _result(rooms, lease, run, asked[run.use_id]) for run in runs}
    if runs:
        tx = Transaction(lease)
        for run in runs:
            rooms.journal.tool_result(
                tx,
                lease,
                use_id=run.use_id,
                content=results[run.use_id],
                outcome=run.outcome,
            )
            given_to = asked[run.use_id]
            read = of_tool(lease.ask, run.name, given_to, run.outcome, rule=run.rule, seen=run.seen)
            record(tx, read, at=rooms.now())
        await rooms.store.commit(tx)
    return [dict(known.get(use["id"]) or results[use["id"]]) for use in uses]


def _result(rooms: Rooms, lease: Lease, run: ToolRun, asked: Any) -> dict[str, Any]:
    """The block for one run; what came from elsewhere stands between two lines that it cannot write."""
    block = run.result()
    if run.outcome != "ok":
        return block
    source = f"{run.name} {json.dumps(asked, sort_keys=True)}"
    mark = mark_of(rooms.user_salt, lease.ask.id, source)
    *before, after = bounded(run.text, mark)
    files = [part for file in run.files for part in file_blocks(file)]
    return {**block, "content": [*before, *files, after]}


def already_read(told: Told) -> list[tuple[str, str, str]]:
    """What tools gave before a restart: name, arguments as JSON, and the text of the result; what failed is left out."""
    uses = {
        str(block["id"]): block
        for message in told.responses.values()
        for block in message["content"]
        if block["type"] == "tool_use"
    }
    return [
        (str(use["name"]), json.dumps(use["input"], ensure_ascii=False), _words(result))
        for use_id, use in uses.items()
        if (result := told.tool_results.get(use_id)) is not None and not result.get("is_error")
    ]


def _words(result: Mapping[str, Any]) -> str:
    """The text of a tool_result block."""
    content = result["content"]
    if isinstance(content, str):
        return unbounded(content)
    texts = [str(part["text"]) for part in content if part.get("type") == "text"]
    return unbounded("\n".join(texts))
