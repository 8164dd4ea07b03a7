"""What many trials add up to: each figure for each repeat, then its mean and its spread. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import fmean

from bot.evals.marking import FIGURES
from bot.evals.trial import Trial


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over the repeats: its mean, its least and its greatest value."""

    mean: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread | None":
        """Of the repeats' values; None where there are none."""
        return cls(fmean(values), min(values), max(values)) if values else None


@dataclass(frozen=True, slots=True)
class Row:
    """One model's row.

    Attributes:
        figures: by name; None where nothing could be counted, or it was not Claude who answered.
        answered: how many trials were.
        refused: how many Claude declined; they count as answers that found nothing.
        failed: how many have no answer or no judgement; they are in no figure.
        cost: of all answers, in dollars; None where a price is unknown.
        judging: what judging them cost, likewise.
        seconds: of one answer.
        measured: Claude answered something, and nobody in his place, so that the figures are some.
    """

    model: str
    figures: dict[str, Spread | None]
    answered: int
    refused: int
    failed: int
    cost: Decimal | None
    judging: Decimal | None
    seconds: Spread | None
    measured: bool


@dataclass(slots=True)
class _Sum:
    parts: int = 0
    whole: int = 0


def row(which: str, model: str, trials: Iterable[Trial]) -> Row:
    """Add up the trials of a model.

    Args:
        which: the set.
        model: the model.
        trials: all of them.
    """
    mine = [trial for trial in trials if trial.plan.model == model]
    marked = [trial for trial in mine if trial.marks is not None]
    count = {outcome: sum(trial.outcome == outcome for trial in mine) for outcome in _OUTCOMES}
    measured = count["answered"] > 0 and not any(trial.stand_in for trial in mine)
    return Row(
        model=model,
        figures={name: _spread(name, marked) if measured else None for name in FIGURES[which]},
        answered=count["answered"],
        refused=count["refused"],
        failed=count["failed"],
        cost=_sum([trial.cost for trial in mine]),
        judging=_sum([trial.judging for trial in mine]),
        seconds=Spread.of([trial.seconds for trial in marked]),
        measured=measured,
    )


_OUTCOMES = ("answered", "refused", "failed")


def _spread(name: str, marked: Iterable[Trial]) -> Spread | None:
    """A figure of each repeat: what was counted is added up over its cases, then divided."""
    repeats: dict[int, _Sum] = defaultdict(_Sum)
    for trial in marked:
        parts, whole = (trial.marks or {})[name]
        repeats[trial.plan.repeat].parts += parts
        repeats[trial.plan.repeat].whole += whole
    return Spread.of([one.parts / one.whole for one in repeats.values() if one.whole])


def _sum(costs: Iterable[Decimal | None]) -> Decimal | None:
    total = Decimal(0)
    for cost in costs:
        if cost is None:
            return None
        total += cost
    return total
