"""What happened to somebody's last asks, in lines for them: the end, refusals and rungs, waits, tools, the cost. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from itertools import pairwise

from bot.slack.blocks import money
from bot.traces import Called, Trace

WAIT_SECONDS = 3.0  # a shorter wait is not worth a word
ENDS: Mapping[str, str] = {
    "answer": "answered",
    "refused": "refused by Claude",
    "stopped": "stopped",
    "failed": "failed",
    "deleted": "its message was deleted",
    "dead": "given up",
    "dropped": "given up",
}
STATES: Mapping[str, str] = {
    "waiting": "waiting for its turn",
    "leased": "being worked on",
    "parked": "waiting for somebody's word",
}
PEOPLE: Mapping[str, str] = {
    "open": "people were asked to take it over, and may still",
    "answered": "{who} answered it",
    "reworded": "{who} asked it in other words",
    "closed": "{who} closed it",
    "lapsed": "people were asked, and none took it over within a day",
    "unsent": "people could not be asked",
}
BROKEN: Mapping[str, str] = {
    "RateLimited": "Claude's rate limit was reached",
    "RampLimited": "Claude's limit on growing load was reached",
    "Overloaded": "Claude was overloaded",
    "ServerFailed": "Claude's server failed",
    "Unreachable": "Claude could not be reached",
    "StreamCut": "the line broke",
    "WentSilent": "Claude went silent",
    "Malformed": "what came could not be read",
    "SpendLimited": "the account's spending limit was reached",
    "OutputFiltered": "Claude's output filter blocked the answer",
    "cancelled": "it was cancelled",
    "lost": "nobody saw its end",
}
NOTHING = "Nothing that you asked here is known; what was asked long ago is forgotten."
UNKNOWN = "I know no ask of yours by that reference. It is the end of a sentence such as `(reference 1a2b3c4d)`."


def told(traces: Sequence[Trace], zone: tzinfo, *, abroad: bool = False) -> str:
    """What happened to these asks, as Markdown, the first one first.

    Args:
        traces: the asks.
        zone: of the workspace, for the time of day.
        abroad: whether they may be of other channels, which are then named.
    """
    return "\n".join(line for trace in traces for line in _lines(trace, zone, abroad=abroad))


def _lines(trace: Trace, zone: tzinfo, *, abroad: bool) -> Iterator[str]:
    when = datetime.fromtimestamp(trace.at, zone).strftime("%Y-%m-%d %H:%M")
    end = ENDS.get(trace.outcome, trace.outcome) or STATES.get(trace.state, trace.state)
    where = f" in {trace.channel}" if abroad else ""
    yield f"**{when}, {trace.feature}{where}: {end}** (reference `{trace.reference}`)"
    if trace.sentence:
        yield f"- {' '.join(trace.sentence.split())}"
    yield from (f"- {line}" for line in _rungs(trace))
    yield from (f"- {line}" for line in _waits(trace))
    yield from (f"- {line}" for line in _tools(trace))
    if trace.attempts > 1:
        yield f"- It was taken up {trace.attempts} times, as I was restarted or waited for a word."
    yield f"- {_cost(trace)}"


def _rungs(trace: Trace) -> Iterator[str]:
    """Each refusal, and what was done about it."""
    refused = [c for c in trace.calls if c.stop_reason == "refusal" or c.error == "OutputFiltered"]
    for kind, count in Counter(map(_kind, refused)).items():
        yield f"Claude refused {_times(count)}, {kind}."
    if any(c.purpose == "rephrase" for c in trace.calls):
        yield "It was put in neutral words, to be asked once more."
    for model in dict.fromkeys(c.model for c in trace.calls if c.purpose == "fallback"):
        yield f"{model} was asked instead."
    if trace.people:
        said = PEOPLE.get(trace.people, trace.people).format(who=trace.who or "somebody")
        yield f"{said[0].upper()}{said[1:]}."


def _kind(call: Called) -> str:
    if call.error:
        return "by its output filter"
    return f"category `{call.category}`" if call.category else "without a category"


def _waits(trace: Trace) -> Iterator[str]:
    """What it waited for, and which calls broke off."""
    if trace.calls and (first := trace.calls[0].at - trace.at) >= WAIT_SECONDS:
        yield f"It waited {first:.0f} s before Claude was asked."
    again = sum(
        max(0.0, two.at - one.ended)
        for one, two in pairwise(trace.calls)
        if one.error and one.ended
    )
    broken = Counter(c.error for c in trace.calls if c.error and c.error != "OutputFiltered")
    for error, count in broken.items():
        yield f"{_times(count).capitalize()} a call of Claude broke off: {BROKEN.get(error, error)}."
    if again >= WAIT_SECONDS:
        yield f"It waited {again:.0f} s before it was tried again."


def _tools(trace: Trace) -> Iterator[str]:
    bad = Counter(one for one in trace.tools if one[1] != "ok")
    if trace.tools:
        failed = ", ".join(
            f"`{name}` {outcome.replace('_', ' ')}{f' ({n} times)' if n > 1 else ''}"
            for (name, outcome), n in bad.items()
        )
        calls = "1 call" if len(trace.tools) == 1 else f"{len(trace.tools)} calls"
        yield f"{calls} of tools{f'; not well: {failed}' if failed else ', all well'}."


def _cost(trace: Trace) -> str:
    if not trace.calls:
        return "Claude was not asked; it cost nothing."
    calls = "1 call" if len(trace.calls) == 1 else f"{len(trace.calls)} calls"
    return f"It cost {money(trace.cost)}, in {calls} of Claude."


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
