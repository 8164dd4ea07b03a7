"""A whole evaluation: the sets are checked, the outlay is agreed to, every trial is run, and the result is written."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TextIO

from bot.errors import BadSettings, PurserError
from bot.evals.cases import SetName, load
from bot.evals.figures import row
from bot.evals.outlay import Outlay, expect
from bot.evals.rooms import Rooms, furnish
from bot.evals.table import Result, document, tell
from bot.evals.trial import Plan, Trial, run
from bot.rules import Rules
from bot.settings import MENDS, Settings
from bot.turn.request import frame

PARALLEL = 8  # trials at the same time
EARLY = "Ended early: {done} of {all} trials were done, for ${spent:,.4f}. No figures are given.\n"


class NotAgreed(PurserError):
    """Nothing was begun: the outlay was not agreed to; --yes agrees beforehand."""


@dataclass(frozen=True, slots=True)
class Course:
    """What is to be evaluated.

    Attributes:
        which: the set.
        sets: the folder that holds both.
        only: names of cases; none is all of them.
        models: who is asked; none is the one whom the policy names.
        repeat: how often each case is worked on.
        as_json: for machines.
    """

    which: SetName
    sets: Path
    only: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    repeat: int = 1
    as_json: bool = False


async def evaluate(
    course: Course,
    settings: Settings,
    rules: Rules,
    *,
    agree: Callable[[Outlay], bool],
    out: TextIO,
    err: TextIO,
) -> int:
    """Run an evaluation.

    Args:
        course: what of.
        settings: Claude's key and address.
        rules: of channels that the policy file does not name.
        agree: asked beforehand whether the outlay is agreed to.
        out: where the result goes.
        err: where progress goes, if somebody looks.

    Returns:
        The exit code: 1 where some trial has no answer or no judgement.

    Raises:
        BadSettings: there is no key, or a model's name is none.
        BadSets: the sets cannot be used.
        NotAgreed: the outlay was not agreed to.
    """
    if settings.anthropic_api_key is None:
        raise BadSettings([f"ANTHROPIC_API_KEY: is not set; {MENDS['ANTHROPIC_API_KEY']}"])
    models = _models(course, rules)
    cases = load(course.which, course.sets, course.only)
    plans = [
        Plan(case, model, n)
        for n in range(1, course.repeat + 1)
        for model in models
        for case in cases
    ]
    async with furnish(settings) as rooms:
        prefix = frame(
            prompts=rooms.turn.prompts,
            tools=rooms.turn.runner.declared,
            model=models[0],
            effort=rules.effort,
        )
        outlay = expect(plans, prefix, judge=rules.quick_model, at=time.time())
        if not agree(outlay):
            raise NotAgreed(str(NotAgreed.__doc__))
        trials = await _all(plans, rooms, rules, err)
        spent = await _spent(rooms)
    rows = [row(course.which, model, trials) for model in models]
    judge = rules.quick_model
    result = Result(course.which, len(cases), course.repeat, judge, rows, trials, spent)
    if course.as_json:
        out.write(document(result) + "\n")
    else:
        tell(result, out)
    return 1 if result.failed else 0


def _models(course: Course, rules: Rules) -> tuple[str, ...]:
    """Who is asked, each once."""
    problems = [
        f"--models: {name} names a moving target; write the model itself, such as {rules.model}"
        for name in course.models
        if name.endswith("-latest")
    ]
    if problems:
        raise BadSettings(problems)
    usual = rules.model if course.which == "review" else rules.quick_model
    return tuple(dict.fromkeys(course.models)) or (usual,)


async def _all(plans: Sequence[Plan], rooms: Rooms, rules: Rules, err: TextIO) -> list[Trial]:
    """Run the trials, some at a time; who ends it early is told how far it came.

    What all requests to a model begin with is written to Claude's cache first, for all of them to read.
    """
    done = 0
    places = asyncio.Semaphore(PARALLEL)

    async def one(plan: Plan) -> Trial:
        nonlocal done
        async with places:
            trial = await run(plan, rooms, rules)
        done += 1
        if err.isatty():
            err.write(f"\r{done} of {len(plans)}" + ("\n" if done == len(plans) else ""))
            err.flush()
        return trial

    try:
        for model in dict.fromkeys(plan.model for plan in plans):
            await rooms.turn.warm(model=model, effort=rules.effort)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(plan)) for plan in plans]
    except asyncio.CancelledError:
        told = EARLY.format(done=done, all=len(plans), spent=await _spent(rooms))
        err.write(told)
        raise
    except ExceptionGroup as broken:
        raise broken.exceptions[0] from broken
    return [task.result() for task in tasks]


async def _spent(rooms: Rooms) -> Decimal:
    """What the books of this evaluation add up to, as far as prices are known."""
    entries = await rooms.turn.ledger.rows(since=0, until=math.inf)
    return sum((entry.cost for entry in entries if entry.cost is not None), Decimal(0))
