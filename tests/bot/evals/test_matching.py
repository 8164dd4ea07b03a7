"""A finding is a defect by file and lines; each is matched at most once, as many as can be."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.evals.cases import Defect, Window
from bot.evals.found import Finding, Place
from bot.evals.matching import NEAR_LINES, inside, near, pairs

DEFECT = Defect(
    path="src/shop/cart.py",
    lines=(20, 24),
    also=(Window(path="src/shop/till.py", lines=(7, 8)),),
    severity="major",
    criterion="x" * 10,
)


def finding(path: str, first: int, last: int = 0) -> Finding:
    """A finding at a place."""
    return Finding("major", (Place(path, first, last or first),), "**Major: x**")


@pytest.mark.parametrize(
    ("found", "is_inside", "is_near"),
    [
        (finding("src/shop/cart.py", 20), True, True),
        (finding("src/shop/cart.py", 24), True, True),
        (finding("src/shop/cart.py", 10, 20), True, True),
        (finding("shop/cart.py", 22), True, True),
        (finding("src/shop/cart.py", 25), False, True),
        (finding("src/shop/cart.py", 20 - NEAR_LINES), False, True),
        (finding("src/shop/cart.py", 19 - NEAR_LINES), False, False),
        (finding("src/shop/till.py", 7), True, True),
        (finding("src/shop/till.py", 20), False, True),
        (finding("src/shop/till.py", 8 + NEAR_LINES + 1), False, False),
        (finding("art.py", 22), False, False),
        (finding("src/shop/other.py", 22), False, False),
        (Finding("major", (), "**Major: somewhere**"), False, False),
    ],
)
def test_where_a_finding_points(found: Finding, *, is_inside: bool, is_near: bool) -> None:
    """Into one of the windows, beside it, or elsewhere; a path may be the unmistakable end of one."""
    assert (inside(found, DEFECT), near(found, DEFECT)) == (is_inside, is_near)


def test_a_finding_that_came_first_makes_room() -> None:
    """The first finding could be either defect, the second only one of them: both are matched."""
    assert pairs({0: [0, 1], 1: [0]}) == {0: 1, 1: 0}


@given(st.lists(st.lists(st.integers(0, 4), max_size=5, unique=True), max_size=5))
def test_no_other_matching_is_larger(edges: list[list[int]]) -> None:
    """Compared with every possible choice; nobody stands in two pairs."""
    matched = pairs(dict(enumerate(edges)))
    choices = itertools.product(*([None, *mine] for mine in edges))
    sizes = [
        len(taken)
        for choice in choices
        if len(taken := [d for d in choice if d is not None]) == len(set(taken))
    ]

    assert len(matched) == max(sizes)
    assert len(set(matched.values())) == len(matched)
    assert all(d in edges[f] for d, f in matched.items())
