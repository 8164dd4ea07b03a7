"""What an evaluation found, as a table for people and as JSON for machines. Pure but for the writing."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, TextIO

from bot.evals.cases import SetName
from bot.evals.figures import Row, Spread
from bot.evals.marking import FIGURES
from bot.evals.trial import Trial
from bot.tables import write

NOT_MEASURED = "not measured"
NOTHING = "–"
SPREAD = "Each figure is the mean over the repeats; behind it, where there are several, the least and the greatest. Seconds are those of single answers."
STAND_IN = "Not Claude but its stand-in answered: this proves that the command works, and says nothing of quality."
UNANSWERED = "Nothing was answered, so nothing is measured."
HEADS = {
    "recall": "recall",
    "two_places": "two places",
    "precision": "precision",
    "line_accuracy": "right line",
    "false_on_clean": "false if clean",
    "decoys_hit": "decoys hit",
    "musts_met": "musts met",
    "must_nots_violated": "must-nots said",
}
COSTS = ("model", "answered", "refused", "failed", "cost", "judging", "seconds")
NAMED = 5  # cases that are named where trials failed for the same reason


@dataclass(frozen=True, slots=True)
class Result:
    """All that an evaluation found; `spent` is all that stands in its books, in dollars, writing the cache too."""

    which: SetName
    cases: int
    repeat: int
    judge: str
    rows: Sequence[Row]
    trials: Sequence[Trial]
    spent: Decimal

    @property
    def measured(self) -> bool:
        """Whether some of the figures are any."""
        return any(row.measured for row in self.rows)

    @property
    def notice(self) -> str:
        """How the figures are to be read, or why there are none."""
        if any(trial.stand_in for trial in self.trials):
            return STAND_IN
        return SPREAD if self.measured else UNANSWERED

    @property
    def failed(self) -> bool:
        """Whether something has no answer or no judgement."""
        return any(row.failed for row in self.rows)


def tell(result: Result, out: TextIO) -> None:
    """Write a result for people: its worth and its cost, a row for each model, and what one has to know."""
    out.write(
        f"{result.which}: {result.cases} cases, {result.repeat} times each, judged by {result.judge}\n"
    )
    names = FIGURES[result.which]
    heads = [HEADS[name] for name in names]
    write(out, ("model", *heads), [_quality(row, names) for row in result.rows], words=1)
    write(out, COSTS, [_costs(row) for row in result.rows], words=1)
    out.write(
        f"In the books of this run: ${result.spent:,.4f}, writing the cache beforehand too.\n"
    )
    out.write(f"{result.notice}\n")
    out.writelines(f"{line}\n" for line in _failures(result.trials))


def document(result: Result) -> str:
    """A result as JSON: money as exact text, shares as numbers from 0 to 1."""
    names = FIGURES[result.which]
    made = {
        "set": result.which,
        "measured": result.measured,
        "notice": result.notice,
        "cases": result.cases,
        "repeat": result.repeat,
        "judge": result.judge,
        "spent_usd": _exact(result.spent),
        "models": [_model(row, names) for row in result.rows],
        "trials": [_trial(trial) for trial in result.trials],
    }
    return json.dumps(made, indent=2, ensure_ascii=False)


def _model(row: Row, names: Sequence[str]) -> dict[str, Any]:
    return {
        "model": row.model,
        "measured": row.measured,
        **{name: _plain(row.figures[name]) for name in names},
        "answered": row.answered,
        "refused": row.refused,
        "failed": row.failed,
        "cost_usd": _exact(row.cost),
        "judging_usd": _exact(row.judging),
        "seconds": _plain(row.seconds),
    }


def _trial(trial: Trial) -> dict[str, Any]:
    """One trial, so that it can be seen which cases a figure is made of: how many there were, of how many."""
    marks = None if trial.stand_in or trial.marks is None else trial.marks
    return {
        "case": trial.plan.case.name,
        "model": trial.plan.model,
        "repeat": trial.plan.repeat,
        "outcome": trial.outcome,
        "sentence": trial.sentence,
        "counted": marks and {name: list(pair) for name, pair in marks.items() if pair[1]},
        "cost_usd": _exact(trial.cost),
        "seconds": trial.seconds,
    }


def _quality(row: Row, names: Sequence[str]) -> list[str]:
    if not row.measured:
        return [row.model, *(NOT_MEASURED for _ in names)]
    shown = (
        _spread(row.figures[name], ".2f")
        if name == "false_on_clean"
        else _spread(row.figures[name], ".0f", times=100, unit="%")
        for name in names
    )
    return [row.model, *shown]


def _costs(row: Row) -> list[str]:
    counts = [f"{row.answered:,}", f"{row.refused:,}", f"{row.failed:,}"]
    money = [_money(row.cost), _money(row.judging)]
    return [row.model, *counts, *money, _spread(row.seconds, ".1f")]


def _spread(spread: Spread | None, form: str, *, times: int = 1, unit: str = "") -> str:
    if spread is None:
        return NOTHING
    mean, least, most = (format(v * times, form) for v in (spread.mean, spread.least, spread.most))
    return f"{mean}{unit}" if least == most else f"{mean}{unit} ({least}..{most})"


def _money(cost: Decimal | None) -> str:
    return "price unknown" if cost is None else f"${cost:,.4f}"


def _failures(trials: Sequence[Trial]) -> list[str]:
    """A line for each way in which trials went wrong, with the cases that did."""
    by_reason: dict[tuple[str, str, str], dict[str, None]] = defaultdict(dict)
    times: dict[tuple[str, str, str], int] = defaultdict(int)
    for trial in trials:
        if trial.outcome != "answered":
            key = (trial.outcome, trial.plan.model, trial.sentence)
            by_reason[key][trial.plan.case.name] = None
            times[key] += 1
    by = {"refused": "refused by", "failed": "failed with"}
    return [
        f"{times[key]} {by[key[0]]} {key[1]} ({_listed(list(names))}): {key[2]}"
        for key, names in by_reason.items()
    ]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _plain(spread: Spread | None) -> dict[str, Any] | None:
    return None if spread is None else asdict(spread)


def _exact(cost: Decimal | None) -> str | None:
    return None if cost is None else f"{cost:f}"
