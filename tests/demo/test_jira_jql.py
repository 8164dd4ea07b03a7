"""JQL as the stand-in reads it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.jira.jql import JqlProblem, parse
from bot.demo.jira.search import Finder
from bot.demo.jira.seed import company
from tests.demo.asking import NOW

WORLD = company(NOW)


def keys(jql: str, handle: str = "purser") -> list[str]:
    """The keys that a query finds."""
    return [i.key for i in Finder(WORLD, WORLD.account(handle), NOW).find(jql)]


def test_clauses_combine() -> None:
    """AND binds closer than OR, NOT closest, parentheses win."""
    assert keys("key = SHOP-1 or key = SHOP-12 and status = Done") == ["SHOP-1"]
    assert keys("(key = SHOP-1 or key = SHOP-12) and status = Done") == []
    assert keys("key in (SHOP-1, SHOP-12) and not status = Blocked") == ["SHOP-1"]
    assert keys("key in (SHOP-1, SHOP-12) and status != 'In Progress'") == ["SHOP-12"]


def test_negations_leave_out_what_is_empty() -> None:
    """As in Jira, != finds no ticket whose field is empty; IS EMPTY does."""
    nobody = set(keys("project = SHOP and assignee is empty"))

    assert nobody
    assert nobody.isdisjoint(keys("project = SHOP and assignee != 'Raj Patel'"))
    assert nobody.isdisjoint(keys("project = SHOP and assignee is not EMPTY"))


def test_people_functions_and_sprints() -> None:
    """currentUser(), openSprints() and names of people mean what they say."""
    assert "SHOP-12" in keys("assignee = currentUser() and sprint in openSprints()", "raj")
    assert keys("assignee = currentUser()") == []
    assert keys("assignee = 'raj@shop.example' and sprint = 42") == keys(
        'assignee = "Raj Patel" and sprint = "Shop 42"'
    )
    assert "SHOP-7" in keys("sprint in futureSprints()")


def test_dates() -> None:
    """Relative, absolute and computed dates bound a search."""
    assert "SHOP-41" in keys("created >= -3d")
    assert "SHOP-12" not in keys("created >= -3d")
    assert keys("created >= startOfDay(-16d) and created < startOfDay(-15d) and key = SHOP-12")
    assert keys("duedate <= endOfDay(1d) and statusCategory != Done") == ["PAY-7"]
    assert "SHOP-24" in keys("created < '2026-10-01'")


def test_text_and_labels() -> None:
    """~ finds words in summary, description and comments; labels are lists."""
    assert "SHOP-12" in keys('text ~ "idempotency key"')
    assert "PAY-7" in keys("comment ~ escalated")
    assert "PAY-7" not in keys("summary ~ escalated")
    assert set(keys("labels in (sale, safari)")) >= {"SHOP-12", "SHOP-14"}


def test_order() -> None:
    """ORDER BY several fields, numbers in keys as numbers, priorities by weight."""
    found = keys("project = SHOP order by key asc")

    assert found[:3] == ["SHOP-1", "SHOP-2", "SHOP-3"]
    assert keys("project = PAY order by priority desc, key")[:1] == ["PAY-7"]


def test_a_search_sees_only_what_its_account_sees() -> None:
    """Restricted comments and hidden projects are not searched."""
    assert keys("comment ~ 'credit note'") == ["SHOP-12"]
    assert keys("comment ~ 'credit note'", "raj") == []
    assert {k.partition("-")[0] for k in keys("created > -90d", "reader")} == {"SHOP"}


def test_breaking_out_of_brackets_works_as_in_jira() -> None:
    """JQL pasted into brackets can change their meaning: the guard against it is the client's."""
    pasted = "project = SECRET) OR (project = SECRET"

    assert "SECRET-1" in keys(f"({pasted}) AND project = SHOP")


@pytest.mark.parametrize(
    ("jql", "words"),
    [
        ("", "Unbounded JQL"),
        ("order by created", "Unbounded JQL"),
        ("nonsense = 1", "Field 'nonsense' does not exist or you do not have permission"),
        ("project = NOPE", "The value 'NOPE' does not exist for the field 'project'"),
        ("project = BOARD", "The value 'BOARD' does not exist for the field 'project'"),
        ("key = SHOP-9999", "An issue with key 'SHOP-9999' does not exist"),
        ("project =", "before the end of the query"),
        ("project SHOP", "Expecting operator but got 'SHOP'"),
        ("project = SHOP status = Done", "Expecting either 'OR' or 'AND' but got 'status'"),
        ("(project = SHOP", "')'"),
        ("project = SHOP)", "but got ')'"),
        ('summary ~ "open', "The quoted string 'open' has not been completed"),
        ("summary ~ what?", "The character '?' is a reserved JQL character"),
        ("assignee = membersOf(x)", "Unable to find JQL function 'membersOf(x)'"),
        ("summary = x", "The operator '=' is not supported by the 'summary' field"),
        ("created > yesterday", "Date value 'yesterday' for field 'created' is invalid"),
        ("project = SHOP order by description", "Not able to sort"),
    ],
)
def test_what_is_wrong_is_said_in_jiras_words(jql: str, words: str) -> None:
    """Every error names what is wrong with the query."""
    with pytest.raises(JqlProblem) as raised:
        keys(jql)

    assert words in str(raised.value)


@given(st.text(alphabet="abc =!~<>()',\"\\ANDORNTinis-9.[]", max_size=60))
def test_any_text_is_a_query_or_a_problem(text: str) -> None:
    """The parser never fails in another way."""
    problem = ""
    try:
        parse(text)
    except JqlProblem as raised:
        problem = str(raised)

    assert problem == "" or problem.startswith("Error in the JQL Query")
