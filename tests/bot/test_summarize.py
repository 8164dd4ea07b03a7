"""Which tickets a person means, and what is asked of Claude."""

import pytest

from bot.rules import Rules, Workspace
from bot.summarize import KEYS_AT_MOST, brief, keys, query, question


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SHOP-12", ["SHOP-12"]),
        ("shop-12, PAY-7 and SHOP-12", ["SHOP-12", "PAY-7"]),
        ("https://shop.atlassian.net/browse/SHOP-12?focusedCommentId=3", ["SHOP-12"]),
        ("<https://shop.atlassian.net/browse/SHOP-12|SHOP-12>", ["SHOP-12"]),
        (
            "https://x.atlassian.net/jira/software/projects/SHOP/boards/1?selectedIssue=SHOP-9",
            ["SHOP-9"],
        ),
        ("what is new", []),
    ],
)
def test_keys_are_found_as_people_write_them(text: str, expected: list[str]) -> None:
    """Keys in any case, several, and addresses as they are pasted; each once, in order."""
    assert keys(text) == expected


def test_no_key_is_no_question() -> None:
    """Prose without a ticket asks nothing of Claude."""
    assert question("the release please") is None


def test_more_than_ten_are_named_as_not_read() -> None:
    """Tickets beyond the most are said not to be read."""
    asked = question(" ".join(f"SHOP-{n}" for n in range(1, KEYS_AT_MOST + 3)))

    assert asked is not None
    assert "not read" in asked
    assert f"SHOP-{KEYS_AT_MOST + 2}" in asked


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("project = SHOP AND status = Blocked", "project = SHOP AND status = Blocked"),
        ("key in (SHOP-1,\n SHOP-2) ORDER BY updated", "key in (SHOP-1, SHOP-2) ORDER BY updated"),
        ("https://x.atlassian.net/issues/?jql=project%20%3D%20SHOP", "project = SHOP"),
        ("<https://x.atlassian.net/issues/?filter=1&jql=status+%3D+Done|these>", "status = Done"),
        ("SHOP-12", ""),
        ("the project is late", ""),
    ],
)
def test_a_query_is_found_as_written_or_pasted(text: str, expected: str) -> None:
    """JQL stands for itself, also in a Jira address; it is asked exactly so."""
    assert query(text) == expected
    assert (f"`{expected}`" in str(question(text))) == bool(expected)


def test_a_sprint_is_asked_for_by_board_or_project() -> None:
    """`sprint SHOP` and `sprint of Team Blue` name the board."""
    assert "the active sprint of SHOP." in str(question("sprint SHOP"))
    assert "the active sprint of Team Blue." in str(question("Sprint of Team Blue"))


def test_the_persons_words_are_kept() -> None:
    """What stands beside the keys reaches Claude."""
    assert "only the blockers" in str(question("SHOP-12 only the blockers"))


def test_the_quick_model_summarises() -> None:
    """A summary is the quick model's work."""
    made = brief(Rules(), Workspace(), tools=True)

    assert (made.feature, made.model) == ("summarize", Rules().quick_model)
