"""A query stays within the projects that are open, however it is worded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.jira.jql import Both, Clause, JqlProblem, Negation, parse
from bot.jql import JQL_CHARS, BadQuery, narrowed

OPEN = ("SHOP", "PAY")
BOUND = 'project in ("SHOP", "PAY")'


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ("status = Blocked", f"(status = Blocked) AND {BOUND}"),
        (
            "status = Blocked order by updated DESC",
            f"(status = Blocked) AND {BOUND} order by updated DESC",
        ),
        ("ORDER BY created", f"{BOUND} ORDER BY created"),
        ('summary ~ "order by"', f'(summary ~ "order by") AND {BOUND}'),
        (
            "a = 1 OR b in (1, 2) ORDER BY x, y ASC",
            f"(a = 1 OR b in (1, 2)) AND {BOUND} ORDER BY x, y ASC",
        ),
        (r'text ~ "a \") OR (b"', rf'(text ~ "a \") OR (b") AND {BOUND}'),
    ],
)
def test_what_is_asked_is_bounded(asked: str, sent: str) -> None:
    """The query stands in brackets, the projects beside it, the order behind."""
    assert narrowed(asked, OPEN) == sent


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("project = SECRET) OR (project = SHOP", "brackets"),
        ("(status = Done", "brackets"),
        ("status = Done)", "brackets"),
        ('summary ~ "open', "quotation mark"),
        ("summary ~ 'open", "quotation mark"),
        ("status = Done ORDER BY created) OR (project = SECRET", "brackets|ORDER BY"),
        ("(status = Done ORDER BY created)", "ORDER BY"),
        ("status = Done ORDER BY created (x)", "After ORDER BY"),
        ("", "empty"),
        ("  \n ", "empty"),
        ("x = 1 \0", "characters"),
        ("x" * (JQL_CHARS + 1), "characters"),
        ("(" * 70 + "a = 1" + ")" * 70, "brackets"),
    ],
)
def test_what_would_slip_out_is_refused(asked: str, says: str) -> None:
    """Unbalanced quotes and brackets, an order inside brackets and endless text are each a sentence."""
    with pytest.raises(BadQuery, match=says):
        narrowed(asked, OPEN)


def test_every_project_needs_a_condition() -> None:
    """Where all is open the query goes out as it is, but not without any bound."""
    assert narrowed("status = Done ORDER BY created", ("*",)) == "status = Done ORDER BY created"
    with pytest.raises(BadQuery, match="condition"):
        narrowed("ORDER BY created", ("*",))


def test_a_channel_without_projects_asks_nothing() -> None:
    """No open project is no query, and a key that is none never gets into one."""
    with pytest.raises(BadQuery, match="No Jira project"):
        narrowed("status = Done", ())
    with pytest.raises(BadQuery, match="no project key"):
        narrowed("status = Done", ('A") OR project = "B',))


def bounded(tree: object) -> bool:
    """Whether nothing outside the open projects can satisfy a parsed query: its top is AND with the bound."""
    if isinstance(tree, Clause):
        return (tree.field.lower(), tree.operator, tree.operands) == ("project", "in", OPEN)
    if isinstance(tree, Both):
        return tree.every and any(map(bounded, tree.parts))
    assert isinstance(tree, Negation)
    return False


FRAGMENTS = st.sampled_from(
    [
        "project = SECRET",
        "project = SHOP",
        "status = Done",
        " OR ",
        " AND ",
        " NOT ",
        "(",
        ")",
        '"',
        "'",
        "\\",
        'summary ~ ") OR (',
        "ORDER BY",
        "order by created",
        " , ",
        "key in (A-1, B-2)",
        "\n",
    ]
)


@given(st.lists(FRAGMENTS, min_size=1, max_size=9).map(" ".join))
def test_no_wording_escapes_the_bound(asked: str) -> None:
    """Whatever is asked is refused by us, refused by Jira's grammar, or bounded at its top."""
    try:
        sent = narrowed(asked, OPEN)
        query = parse(sent)
    except (BadQuery, JqlProblem):
        return

    assert query.where is not None
    assert bounded(query.where)
