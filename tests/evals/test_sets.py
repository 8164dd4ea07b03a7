"""The evaluation sets are what they are said to be: as many cases, of such kinds, each of them whole."""

import io
import json
import re
from functools import cache
from pathlib import Path

import pytest

from bot.demo.claude import UNLIMITED, ClaudeStandIn
from bot.diffs import fit
from bot.diffs.patch import read
from bot.evals.cases import Defect, ReviewCase, SetName, SummaryCase, load
from bot.evals.course import Course, evaluate
from bot.rules import Rules
from bot.settings import Settings
from bot.tickets import told
from tests.evals.oracle import Oracle

SETS = Path(__file__).parent
WITH_DEFECTS = 30  # changes with something wrong in them, at least
CLEAN = 10  # changes without, at least
TICKETS = 20  # at least
LANGUAGES = 5  # at least
LINES = (40, 600)  # of a diff
WINDOW = 30  # lines of a defect's window, at most: a wider one proves nothing
BEST = (
    "recall",
    "two_places",
    "precision",
    "line_accuracy",
    "musts_met",
)  # whole, where all is right
WORST = ("false_on_clean", "decoys_hit", "must_nots_violated")  # none, where all is right
REACH = 8  # words in a row that a criterion may share with its change


@cache
def reviews() -> tuple[ReviewCase, ...]:
    """The set for reviews."""
    return tuple(case for case in load("review", SETS) if isinstance(case, ReviewCase))


@cache
def summaries() -> tuple[SummaryCase, ...]:
    """The set for summaries."""
    return tuple(case for case in load("summarize", SETS) if isinstance(case, SummaryCase))


def names(which: str) -> list[str]:
    """The folders of a set."""
    return sorted(path.name for path in (SETS / which).iterdir() if path.is_dir())


def review(name: str) -> ReviewCase:
    """One change, read alone, so that a broken one costs no other its test."""
    [case] = load("review", SETS, [name])
    assert isinstance(case, ReviewCase)
    return case


def shown(case: ReviewCase) -> dict[str, set[int]]:
    """The lines of each file, in its new version, that a change shows."""
    return {
        file.path: {row.new for hunk in file.hunks for row in hunk.rows if row.new}
        for file in read(case.diff)
    }


def words(text: str) -> list[str]:
    """A text's words, signs and case apart."""
    return re.findall(r"\w+", text.lower())


def runs(text: str, length: int) -> set[tuple[str, ...]]:
    """All runs of so many words."""
    found = words(text)
    return {tuple(found[i : i + length]) for i in range(len(found) - length + 1)}


def test_there_are_as_many_changes_as_promised() -> None:
    """Thirty with defects, ten clean ones, in several languages."""
    wrong = [case for case in reviews() if case.defects]

    assert len(wrong) >= WITH_DEFECTS
    assert len(reviews()) - len(wrong) >= CLEAN
    assert len({case.language.lower() for case in reviews()}) >= LANGUAGES


def test_half_of_the_changes_need_two_places_and_a_third_has_decoys() -> None:
    """What one hunk shows is not all that is asked for."""
    wrong = [case for case in reviews() if case.defects]
    hard = [case for case in wrong if any(defect.needs_two for defect in case.defects)]

    assert len(hard) * 2 >= len(wrong)
    assert sum(bool(case.decoys) for case in reviews()) * 3 >= len(reviews())


@pytest.mark.parametrize("name", names("review"))
def test_a_change_is_read_whole_and_has_its_size(name: str) -> None:
    """The bot shows all of it: nothing is damaged, skipped, too long or taken for a secret."""
    case = review(name)
    fitted = fit(case.diff)

    assert LINES[0] <= len(case.diff.splitlines()) <= LINES[1]
    assert fitted.coverage.gaps == ()
    assert fitted.coverage.lines == fitted.coverage.all_lines > 0


@pytest.mark.parametrize("name", names("review"))
def test_each_defect_lies_on_lines_that_the_change_shows(name: str) -> None:
    """All of its windows stand in the diff, and some of the first is changed by it."""
    case = review(name)
    lines, added = shown(case), _added(case)

    for defect in case.defects:
        for where in defect.windows:
            assert where.path in lines, where.path
            window = set(range(where.lines[0], where.lines[1] + 1))
            assert window <= lines[where.path], (where.path, sorted(window - lines[where.path]))
            assert len(window) <= WINDOW
        window = set(range(defect.lines[0], defect.lines[1] + 1))
        assert window & added[defect.path] or _beside_a_removal(case, defect), defect.lines


def _added(case: ReviewCase) -> dict[str, set[int]]:
    return {
        file.path: {row.new for hunk in file.hunks for row in hunk.rows if row.sign == "+"}
        for file in read(case.diff)
    }


def _beside_a_removal(case: ReviewCase, defect: Defect) -> bool:
    """Whether something was taken away at a defect's window: what is missing is wrong, too."""
    first, last = defect.lines
    for file in read(case.diff):
        for hunk in file.hunks if file.path == defect.path else ():
            at = 0
            for row in hunk.rows:
                at = row.new or at
                if row.sign == "-" and first - 1 <= at <= last:
                    return True
    return False


@pytest.mark.parametrize("name", names("review"))
def test_no_criterion_stands_in_its_change(name: str) -> None:
    """Neither the diff nor what its author says of it gives the answer away."""
    case = review(name)
    given = runs(f"{case.title}\n{case.description}\n{case.diff}", REACH)

    for defect in case.defects:
        shared = runs(defect.criterion, REACH) & given
        assert shared == set(), (defect.path, shared)


@pytest.mark.parametrize("name", names("review"))
def test_a_defect_that_needs_two_places_has_them(name: str) -> None:
    """Its change has two hunks at least."""
    case = review(name)

    if any(defect.needs_two for defect in case.defects):
        assert sum(len(file.hunks) for file in read(case.diff)) >= 2


def test_there_are_as_many_tickets_as_promised() -> None:
    """Each with several things to say, and several that would be wrong."""
    assert len(summaries()) >= TICKETS
    for case in summaries():
        assert len(case.must) >= 2, case.name
        assert len(case.must_not) >= 2, case.name
        assert not set(case.must) & set(case.must_not), case.name


def test_the_tickets_are_of_many_kinds() -> None:
    """Long threads, links, restricted things, other scripts, signs, and a comment that gives orders."""
    text = {case.name: told(case.issue) for case in summaries()}
    issues = [case.issue for case in summaries()]

    assert max(len(issue.comments) for issue in issues) > 20
    assert any(issue.restricted_comments for issue in issues)
    assert any(issue.security for issue in issues)
    assert any(not link.summary for issue in issues for link in issue.links)
    assert any(issue.changes for issue in issues)
    assert any(not issue.comments and not issue.description for issue in issues)
    assert any(re.search(r"[\u0590-\u06ff]", one) for one in text.values())
    assert any(re.search(r"[\U0001f300-\U0001faff]", one) for one in text.values())
    assert any("AI ASSISTANTS" in one for one in text.values())


@pytest.mark.parametrize("name", names("summarize"))
def test_a_ticket_s_times_can_be(name: str) -> None:
    """Comments and changes stand in their order, after the ticket was made and before anybody asks."""
    [case] = load("summarize", SETS, [name])
    assert isinstance(case, SummaryCase)
    issue = case.issue
    comments = [comment.at for comment in issue.comments if comment.at]
    changes = [change.at for change in issue.changes if change.at]

    assert issue.created is not None
    assert issue.updated is not None
    assert comments == sorted(comments)
    assert changes == sorted(changes)
    assert all(issue.created <= at <= issue.updated for at in comments)
    assert issue.updated <= case.at


@pytest.mark.parametrize("which", ["review", "summarize"])
async def test_the_right_answer_gets_full_marks(which: SetName) -> None:
    """Whoever says what is written down, at its lines, is believed in every case: none of them is out of reach."""
    claude = ClaudeStandIn(tier=UNLIMITED)
    claude.brain = Oracle(load(which, SETS))  # pyright: ignore[reportAttributeAccessIssue]
    await claude.start()
    key = {"ANTHROPIC_API_KEY": claude.api_key, "ANTHROPIC_BASE_URL": claude.url}
    out, err = io.StringIO(), io.StringIO()
    course = Course(which, SETS, as_json=True)
    try:
        code = await evaluate(
            course, Settings.read(key), Rules(), agree=lambda _: True, out=out, err=err
        )
    finally:
        await claude.stop()

    result = json.loads(out.getvalue())
    [row] = result["models"]
    best = {**dict.fromkeys(BEST, 1), **dict.fromkeys(WORST, 0)}
    counted = {
        trial["case"]: {
            name: pair for name, pair in trial["counted"].items() if pair[0] != best[name] * pair[1]
        }
        for trial in result["trials"]
    }
    assert {name: wrong for name, wrong in counted.items() if wrong} == {}
    assert (code, row["failed"], row["refused"]) == (0, 0, 0)
