"""One case worked on once by one model: asked as a person would, answered by the real turn, and marked."""

from contextlib import aclosing
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from bot import review, summarize
from bot.answer import Answer, Ended, Event, Failed, Refused, Stopped
from bot.ask import Ask, Lease
from bot.evals.cases import Case, ReviewCase
from bot.evals.judging import Judge, Unjudged
from bot.evals.marking import Marks, declined, mark
from bot.evals.material import question
from bot.evals.rooms import Rooms
from bot.rules import Rules, Workspace
from bot.store import Transaction
from bot.turn import Brief

PERSON = "Ana"
UNBOUNDED = Decimal(1_000_000)  # dollars: what an evaluation costs was asked beforehand
STAND_IN = "(stand-in Claude: a small program, not the model)"
"""How the stand-in of the demo signs its answers."""

Outcome = Literal["answered", "refused", "failed"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What one trial is to do: `repeat` counts from 1."""

    case: Case
    model: str
    repeat: int


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it.

    Attributes:
        marks: what its figures are made of; None where it failed.
        sentence: why it failed, or was refused; "" otherwise.
        cost: of the answer, in dollars; None where a price is unknown.
        judging: what judging it cost, likewise.
        seconds: until the answer was whole; judging is left out.
        stand_in: it was not Claude who answered.
    """

    plan: Plan
    outcome: Outcome
    marks: Marks | None
    sentence: str
    cost: Decimal | None
    judging: Decimal | None
    seconds: float
    stand_in: bool = False


async def run(plan: Plan, rooms: Rooms, rules: Rules) -> Trial:
    """Work a case once.

    Args:
        plan: which, by whom.
        rooms: what it works with.
        rules: of a channel; the model is replaced, and what would ask or stop for money's sake.

    Raises:
        StoreDown: the books of the evaluation cannot be written.
    """
    brief = brief_of(plan, rules)
    lease = await rooms.take(_ask(plan, rooms.turn.now()))
    rooms.material.cases[lease.ask.id] = plan.case
    try:
        ended = await _answer(rooms, lease, brief)
        trial = await _marked(plan, ended, rooms, lease, brief)
    finally:
        del rooms.material.cases[lease.ask.id]
    tx = Transaction(lease)
    rooms.inbox.done(tx, lease, outcome=trial.outcome)
    await rooms.turn.store.commit(tx)
    return trial


def brief_of(plan: Plan, rules: Rules) -> Brief:
    """What a trial's turn is told: as in a channel with these rules, but by one model alone, without tomorrow's budget."""
    of_one = rules.model_copy(
        update={
            "model": plan.model,
            "fallback_model": None,
            "monthly_budget_usd": UNBOUNDED,
            "confirm_above_usd": UNBOUNDED,
            "ask_limit_usd": UNBOUNDED,
            "store_text": False,
        }
    )
    space = Workspace(monthly_budget_usd=UNBOUNDED)
    if isinstance(plan.case, ReviewCase):
        return review.brief(question(plan.case), of_one, space, tools=True)
    made = summarize.brief(of_one, space, tools=True)
    return replace(made, model=plan.model)


def _ask(plan: Plan, now: float) -> Ask:
    name = f"{plan.case.name}:{plan.model}:{plan.repeat}"
    return Ask(
        id=name,
        key=name,
        team="T0EVAL",
        channel=name,  # each has a budget of its own
        user="U0EVAL",
        feature="review" if isinstance(plan.case, ReviewCase) else "summarize",
        origin="mention",
        text=question(plan.case),
        at=now if isinstance(plan.case, ReviewCase) else plan.case.at.timestamp(),
    )


async def _answer(rooms: Rooms, lease: Lease, brief: Brief) -> Ended:
    """As the worker does it, with nobody who listens."""
    turn = rooms.turn
    fetched = await rooms.prefetch.read(lease, brief, _unheard)
    brief, attached, read = await review.prepared(brief, (), fetched, at=turn.now())
    brief = replace(brief, agreed=brief.beyond)  # whoever runs an evaluation agreed to all of it
    conversation = await turn.conversations.open(
        lease,
        said=(),
        attached=attached,
        question=lease.ask.text,
        asker=PERSON,
        redact=brief.rules.redact,
    )
    async with aclosing(turn.run(lease, conversation.with_read(read), brief)) as events:
        async for event in events:
            if isinstance(event, Answer | Refused | Stopped | Failed):
                return event
    raise RuntimeError("a turn ended without an end")


async def _unheard(_event: Event) -> None:
    return


async def _marked(plan: Plan, ended: Ended, rooms: Rooms, lease: Lease, brief: Brief) -> Trial:
    receipt = ended.receipt
    trial = Trial(plan, "answered", None, "", receipt.cost, Decimal(0), receipt.seconds)
    if isinstance(ended, Refused):
        marks = declined(plan.case)
        return replace(trial, outcome="refused", marks=marks, sentence=ended.sentence)
    if not isinstance(ended, Answer):
        return replace(trial, outcome="failed", sentence=ended.sentence)
    trial = replace(trial, stand_in=STAND_IN in ended.text)
    told = await rooms.turn.journal.read(lease.ask.id)
    judge = Judge(rooms.turn, lease, brief, told)
    try:
        marks = await mark(plan.case, ended.text, judge)
    except Unjudged as unjudged:
        why = f"It was answered, but could not be judged. {unjudged}"
        return replace(trial, outcome="failed", sentence=why, judging=judge.cost)
    return replace(trial, marks=marks, judging=judge.cost)
