"""What of a review counts: found, missed, false, in place, fooled."""

from bot.evals.cases import Defect, ReviewCase, SummaryCase
from bot.evals.figures import Spread
from bot.evals.found import Finding, Place
from bot.evals.issues import Ticket
from bot.evals.marking import FIGURES, counted, declined


def defect(first: int, last: int, *, needs_two: bool = False) -> Defect:
    """A defect in a.py."""
    return Defect(
        path="a.py",
        lines=(first, last),
        severity="major",
        needs_two=needs_two,
        criterion="c" * 10,
    )


def at(line: int) -> Finding:
    """A finding in a.py."""
    return Finding("major", (Place("a.py", line, line),), "**Major**")


def case(*defects: Defect, decoys: int = 0) -> ReviewCase:
    """A case with these defects."""
    return ReviewCase("001", "python", "t", "", "", defects, ("decoy " * 3,) * decoys)


TWO = case(defect(10, 12), defect(30, 31, needs_two=True), decoys=2)


def test_what_is_found_in_place_counts_for_everything() -> None:
    """Both defects found, nothing else said: every share is whole."""
    marks = counted(TWO, [at(10), at(31)], {0: [0], 1: [1]}, {0: set(), 1: set()})

    assert marks == {
        "recall": (2, 2),
        "two_places": (1, 1),
        "precision": (2, 2),
        "line_accuracy": (2, 2),
        "false_on_clean": (0, 0),
        "decoys_hit": (0, 2),
    }


def test_right_words_at_a_wrong_line_are_missed_false_and_out_of_place() -> None:
    """Whoever follows the finding looks at the wrong line."""
    marks = counted(TWO, [at(15)], {0: [0]}, {0: set()})

    assert (marks["recall"], marks["precision"], marks["line_accuracy"]) == ((0, 2), (0, 1), (0, 1))


def test_a_repetition_is_false() -> None:
    """Two findings that are one defect are one match."""
    marks = counted(TWO, [at(10), at(11)], {0: [0], 1: [0]}, {0: set(), 1: set()})

    assert (marks["recall"], marks["precision"]) == ((1, 2), (1, 2))


def test_a_decoy_counts_once_and_not_beside_a_match() -> None:
    """Who is fooled twice by one decoy is fooled once; a finding that is a defect is no fooling."""
    marks = counted(TWO, [at(10), at(50), at(51)], {0: [0], 1: [], 2: []}, {0: {0}, 1: {1}, 2: {1}})

    assert marks["decoys_hit"] == (1, 2)


def test_each_finding_on_a_clean_change_is_counted() -> None:
    """Per clean case, so that it can be more than one."""
    marks = counted(case(), [at(1), at(2)], {0: [], 1: []}, {0: set(), 1: set()})

    assert marks["false_on_clean"] == (2, 1)
    assert marks["recall"] == (0, 0)


def test_who_declines_has_found_nothing() -> None:
    """A refusal lowers what was found, and raises nothing."""
    ticket = Ticket.model_validate(
        {
            "key": "AB-1",
            "summary": "s",
            "type": "Task",
            "status": {"name": "Open"},
            "created": "2026-11-01T00:00:00Z",
            "updated": "2026-11-01T00:00:00Z",
        }
    ).issue()
    assert ticket.created is not None
    summary = SummaryCase("001", ticket, ticket.created, ("m" * 10,) * 2, ("n" * 10,))

    assert declined(TWO)["recall"] == (0, 2)
    assert declined(summary) == {"musts_met": (0, 2), "must_nots_violated": (0, 1)}
    assert set(declined(TWO)) == set(FIGURES["review"])
    assert set(declined(summary)) == set(FIGURES["summarize"])


def test_a_spread_has_mean_least_and_greatest() -> None:
    """Of nothing there is none."""
    assert Spread.of([0.5, 1.0, 0.75]) == Spread(0.75, 0.5, 1.0)
    assert Spread.of([]) is None
