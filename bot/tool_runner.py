"""THE 20 s wrapper: every tool call ends within its time with exactly one result, whatever happens.

Calls of a round run side by side. A result is a value: ok, problem (words that Claude adapts to), timed_out or
broken (our mistake: logged with its trace, and Claude hears only that the tool broke). A cancelled ask cancels its
tools; a sibling is never left running alone.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import structlog

from bot.ask import Ask, Attached
from bot.documents import without_secrets
from bot.errors import ToolProblem
from bot.reach import Reach
from bot.redaction import hidden
from bot.rules import TOOL_SECONDS_AT_MOST, Rules
from bot.spans import span

INNER_SHARE = (
    0.75  # of the time, a tool's own deadline: a thread is free again before the wrapper fires
)
CALLS_PER_ROUND = 16  # more are told to come one round later
RESULT_CHARS = 60_000  # of one result, about 20,000 tokens

Outcome = Literal["ok", "problem", "timed_out", "broken"]
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ToolContext:
    """For whom and by which rules a tool works.

    `deadline_seconds` is the tool's own deadline, `use_id` names the call, `reach` says which addresses may be opened.
    """

    ask: Ask
    rules: Rules
    deadline_seconds: float = TOOL_SECONDS_AT_MOST * INNER_SHARE
    use_id: str = ""
    reach: Reach = field(default_factory=Reach)


@dataclass(frozen=True, slots=True)
class Given:
    """What a tool gives beyond text: pictures and PDFs, which Claude sees as they are, and whose tickets it tells of."""

    text: str
    files: tuple[Attached, ...] = ()
    seen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as Claude is told of it, and how it is called.

    Attributes:
        schema: JSON schema of the arguments; `additionalProperties` is false.
        label: from arguments, for people: "reading SHOP-12".
        call: gives the result, secrets and all; raises ToolProblem for what Claude may adapt to.
    """

    name: str
    description: str
    schema: Mapping[str, Any]
    label: Callable[[Mapping[str, Any]], str]
    call: Callable[[Mapping[str, Any], ToolContext], Awaitable[str | Given]]

    def declared(self) -> dict[str, Any]:
        """As it stands in a request."""
        return {
            "name": self.name,
            "description": self.description,
            "input_schema": dict(self.schema),
            "strict": True,
        }


@dataclass(frozen=True, slots=True)
class ToolRun:
    """The one result of a tool call, how long it took in seconds, and the rule that denied it, if one did.

    `seen` are the keys of the tickets that it tells of.
    """

    use_id: str
    name: str
    outcome: Outcome
    text: str
    seconds: float
    rule: str = ""
    files: tuple[Attached, ...] = ()
    seen: tuple[str, ...] = ()

    def result(self) -> dict[str, Any]:
        """The tool_result block."""
        block: dict[str, Any] = {
            "type": "tool_result",
            "tool_use_id": self.use_id,
            "content": [{"type": "text", "text": self.text}],
        }
        return block if self.outcome == "ok" else {**block, "is_error": True}


class ToolRunner:
    """Runs tool calls.

    Args:
        tools: what there is, in the order in which Claude is told.
        clock: seconds that only grow.
        seconds: within which every call has its result, if the channel's rules don't say less.
    """

    def __init__(
        self,
        tools: Sequence[Tool],
        *,
        clock: Callable[[], float],
        seconds: float = TOOL_SECONDS_AT_MOST,
    ) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._clock = clock
        self._seconds = seconds
        self.declared: tuple[dict[str, Any], ...] = tuple(tool.declared() for tool in tools)

    async def run(
        self,
        uses: Sequence[Mapping[str, Any]],
        context: ToolContext,
        *,
        on_started: Callable[[str, str, str], None],
        on_ended: Callable[[ToolRun], None],
    ) -> list[ToolRun]:
        """Run one round; the results are in the order of the uses, one for each.

        Args:
            uses: tool_use blocks: `id`, `name`, `input`.
            context: for whom.
            on_started: hears use id, name and label when a call begins.
            on_ended: hears each result as it comes.
        """
        seconds = min(self._seconds, context.rules.tool_seconds)
        inner = replace(context, deadline_seconds=seconds * INNER_SHARE)
        tasks: list[asyncio.Task[ToolRun]] = []
        async with asyncio.TaskGroup() as group:
            for place, use in enumerate(uses):
                work = self._one(use, inner, seconds, on_started, late=place >= CALLS_PER_ROUND)
                task = group.create_task(work)
                task.add_done_callback(lambda done: done.cancelled() or on_ended(done.result()))
                tasks.append(task)
        return [task.result() for task in tasks]

    async def _one(
        self,
        use: Mapping[str, Any],
        context: ToolContext,
        seconds: float,
        on_started: Callable[[str, str, str], None],
        *,
        late: bool,
    ) -> ToolRun:
        began = self._clock()

        def ended(outcome: Outcome, text: str) -> ToolRun:
            return ToolRun(
                str(use["id"]), str(use["name"]), outcome, _cut(text), self._clock() - began
            )

        tool = self._tools.get(str(use["name"]))
        if tool is None:
            return ended("problem", f"There is no tool {use['name']}.")
        arguments = use["input"]
        if late:
            words = (
                f"At most {CALLS_PER_ROUND} calls run in one round; call this again in the next."
            )
            return ended("problem", words)
        if wrong := _wrong(tool, arguments):
            return ended("problem", wrong)
        on_started(str(use["id"]), tool.name, tool.label(arguments))
        own = replace(context, use_id=str(use["id"]))
        with span(
            f"execute_tool {tool.name}",
            gen_ai__operation__name="execute_tool",
            gen_ai__tool__name=tool.name,
            gen_ai__tool__call__id=own.use_id,
        ) as recorded:
            run = await self._called(tool, arguments, own, seconds, ended)
            recorded.set_attribute("purser.tool.outcome", run.outcome)
            return run

    async def _called(
        self,
        tool: Tool,
        arguments: Mapping[str, Any],
        context: ToolContext,
        seconds: float,
        ended: Callable[[Outcome, str], ToolRun],
    ) -> ToolRun:
        """Call a tool, within its time, whatever it does."""
        deadline = asyncio.timeout(seconds)
        try:
            async with deadline:
                given = await tool.call(arguments, context)
                given = Given(given) if isinstance(given, str) else given
                run = ended("ok", *await hidden([given.text], context.rules.redact))
                files = await without_secrets(given.files, context.rules.redact)
                return replace(run, files=files, seen=given.seen)
        except TimeoutError:
            if deadline.expired():
                return ended("timed_out", f"No result within {seconds:g} s; go on without it.")
            return ended("problem", "The other side timed out; it may be tried once more.")
        except ToolProblem as problem:
            return replace(ended("problem", str(problem)), rule=problem.rule)
        except Exception:  # the frontier of one tool call: logged whole, told in a word
            log.exception("tool broke", tool=tool.name, ask=context.ask.id)
            return ended("broken", "The tool broke; go on without it, and say so.")


def _wrong(tool: Tool, arguments: Any) -> str:
    """What is wrong with a call's arguments, or ""."""
    import jsonschema  # 3 MB, which a process that calls no tool does without

    validator = jsonschema.Draft202012Validator(tool.schema)
    problems = sorted(
        f"{'.'.join(map(str, e.absolute_path)) or 'arguments'}: {e.validator} is not met"
        for e in validator.iter_errors(arguments)
    )
    if not problems:
        return ""
    return f"These arguments don't fit {tool.name}: {'; '.join(problems)}. " + json.dumps(
        tool.schema.get("properties", {}), sort_keys=True
    )


def _cut(text: str) -> str:
    if len(text) <= RESULT_CHARS:
        return text or "(empty)"
    return f"{text[:RESULT_CHARS]}\n[cut here: {len(text) - RESULT_CHARS} more characters]"
