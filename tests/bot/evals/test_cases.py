"""The evaluation sets' files: read whole, and everything wrong with them named at once."""

from pathlib import Path

import pytest

from bot.evals.cases import BadSets, ReviewCase, SummaryCase, load
from tests.bot.evals.sets import CASE, DEFECT, DIFF, SUMMARY, TICKET, sets, write


def test_a_review_case_has_its_change_and_what_is_wrong_in_it(tmp_path: Path) -> None:
    """Diff, defects and decoys come as they were written; cases stand in the order of their names."""
    first, second = load("review", sets(tmp_path))

    assert isinstance(first, ReviewCase)
    assert (first.name, first.diff) == ("001-average", DIFF)
    assert [(d.path, d.lines, d.needs_two) for d in first.defects] == [
        ("shop/cart.py", (8, 9), True)
    ]
    assert len(first.decoys) == 1
    assert isinstance(second, ReviewCase)
    assert second.defects == ()


def test_a_summary_case_has_its_ticket_as_jira_would_give_it(tmp_path: Path) -> None:
    """Comments have addresses, the project follows from the key."""
    [case] = load("summarize", sets(tmp_path))

    assert isinstance(case, SummaryCase)
    assert (case.issue.key, case.issue.project) == ("SHOP-1", "SHOP")
    assert case.issue.comments[0].url.startswith("https://example.atlassian.net/browse/SHOP-1?")
    assert len(case.must) == 2


def test_one_case_can_be_named(tmp_path: Path) -> None:
    """Only what is named is read."""
    assert [case.name for case in load("review", sets(tmp_path), ["002-fine"])] == ["002-fine"]


def test_every_broken_file_is_named_at_once(tmp_path: Path) -> None:
    """Whoever mends the set learns of everything in one go."""
    good = CASE.format(clean="false") + DEFECT
    folder = write(
        tmp_path,
        {
            "review/001-no-diff/case.toml": good,
            "review/002-no-toml/change.diff": DIFF,
            "review/002-no-toml/case.toml": "language = ",
            "review/003-clean-with-defect/change.diff": DIFF,
            "review/003-clean-with-defect/case.toml": good.replace("clean = false", "clean = true"),
            "review/004-turned-round/change.diff": DIFF,
            "review/004-turned-round/case.toml": good.replace("[8, 9]", "[9, 8]"),
            "review/005-wrong-header/change.diff": DIFF.replace("+1,9", "+1,11"),
            "review/005-wrong-header/case.toml": good,
            "review/006-unknown-key/change.diff": DIFF,
            "review/006-unknown-key/case.toml": good + 'sverity = "x"\n',
            "review/007-good/change.diff": DIFF,
            "review/007-good/case.toml": good,
            "review/008-no-diff-at-all/change.diff": "hello\n",
            "review/008-no-diff-at-all/case.toml": good,
        },
    )

    with pytest.raises(BadSets) as caught:
        load("review", folder)

    told = str(caught.value).splitlines()
    assert [line.split(": ")[0].strip() for line in told[1:]] == [
        "001-no-diff/change.diff",
        "002-no-toml/case.toml",
        "003-clean-with-defect/case.toml",
        "004-turned-round/case.toml",
        "005-wrong-header/change.diff",
        "006-unknown-key/case.toml",
        "008-no-diff-at-all/change.diff",
    ]
    assert "defects.0.sverity" in told[6]


def test_a_ticket_with_a_time_that_is_none_is_named(tmp_path: Path) -> None:
    """The key that is wrong is told."""
    folder = write(
        tmp_path,
        {
            "summarize/001-a/ticket.toml": TICKET.replace("2026-11-02T10:00:00Z", '"soon"', 1),
            "summarize/001-a/case.toml": SUMMARY,
        },
    )

    with pytest.raises(BadSets, match=r"001-a/ticket\.toml: updated: "):
        load("summarize", folder)


def test_without_the_sets_it_says_where_they_are(tmp_path: Path) -> None:
    """They are not in the package."""
    with pytest.raises(BadSets, match="name a copy of that folder with --sets"):
        load("review", tmp_path)

    (tmp_path / "review").mkdir()
    with pytest.raises(BadSets, match="There are no cases in"):
        load("review", tmp_path)


def test_a_case_that_there_is_not_is_told_with_the_nearest_name(tmp_path: Path) -> None:
    """A typing mistake is mended at a glance."""
    with pytest.raises(BadSets, match=r"no case 001-averge in .*; did you mean 001-average\?"):
        load("review", sets(tmp_path), ["001-averge"])
