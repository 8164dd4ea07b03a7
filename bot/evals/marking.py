"""An answer held against its case: what of it counts, as parts of a whole that can be added up.

A figure is a pair: how many there were, of how many there could have been. Pairs of several cases are added before
they are divided, so that a case with many defects weighs as much as its defects do.
"""

from collections.abc import Mapping, Sequence

from bot.evals.cases import Case, ReviewCase, SummaryCase
from bot.evals.found import Finding, findings
from bot.evals.judging import Judge, Statement
from bot.evals.matching import inside, near, pairs

Marks = Mapping[str, tuple[int, int]]

REVIEW = ("recall", "two_places", "precision", "line_accuracy", "false_on_clean", "decoys_hit")
SUMMARIZE = ("musts_met", "must_nots_violated")
FIGURES = {"review": REVIEW, "summarize": SUMMARIZE}
"""The figures of each set, in the order in which they are shown."""


async def mark(case: Case, answer: str, judge: Judge) -> Marks:
    """Hold an answer against its case.

    Raises:
        Unjudged: what it says could not be judged.
    """
    if isinstance(case, ReviewCase):
        return await _review(case, answer, judge)
    statements = [Statement(words) for words in (*case.must, *case.must_not)]
    return _summary(case, await judge.judge(answer, statements))


def declined(case: Case) -> Marks:
    """What counts where Claude declined: nothing was said, rightly or wrongly."""
    if isinstance(case, ReviewCase):
        return counted(case, (), {}, {})
    return _summary(case, (False,) * (len(case.must) + len(case.must_not)))


async def _review(case: ReviewCase, answer: str, judge: Judge) -> Marks:
    found = findings(answer)
    meant: dict[int, list[int]] = {}
    objects: dict[int, set[int]] = {}
    for n, finding in enumerate(found):
        close = [d for d, defect in enumerate(case.defects) if near(finding, defect)]
        statements = [Statement(case.defects[d].criterion) for d in close]
        statements += [Statement(decoy, "objects") for decoy in case.decoys]
        met = await judge.judge(finding.text, statements)
        meant[n] = [d for d, yes in zip(close, met, strict=False) if yes]
        objects[n] = {k for k, yes in enumerate(met[len(close) :]) if yes}
    return counted(case, found, meant, objects)


def counted(
    case: ReviewCase,
    found: Sequence[Finding],
    meant: Mapping[int, Sequence[int]],
    objects: Mapping[int, set[int]],
) -> Marks:
    """Count what a review found.

    Args:
        case: with its defects.
        found: the findings.
        meant: for each finding the defects that it describes, at or near their lines.
        objects: for each finding the decoys that it takes for mistakes.
    """
    edges = {
        n: [d for d in meant[n] if inside(finding, case.defects[d])]
        for n, finding in enumerate(found)
    }
    matched = pairs(edges)
    used = set(matched.values())
    false = [n for n in range(len(found)) if n not in used]
    described = [n for n in range(len(found)) if meant[n]]
    in_place = [n for n in described if edges[n]]
    fooled: set[int] = set().union(*(objects[n] for n in false))
    hard = [d for d, defect in enumerate(case.defects) if defect.needs_two]
    clean = not case.defects
    return {
        "recall": (len(matched), len(case.defects)),
        "two_places": (len([d for d in hard if d in matched]), len(hard)),
        "precision": (len(used), len(found)),
        "line_accuracy": (len(in_place), len(described)),
        "false_on_clean": (len(found) if clean else 0, 1 if clean else 0),
        "decoys_hit": (len(fooled), len(case.decoys)),
    }


def _summary(case: SummaryCase, met: Sequence[bool]) -> Marks:
    said, not_to_say = met[: len(case.must)], met[len(case.must) :]
    return {
        "musts_met": (sum(said), len(case.must)),
        "must_nots_violated": (sum(not_to_say), len(case.must_not)),
    }
