"""Which finding is which defect: by file and lines here, by meaning through what the judge said. Pure."""

from collections.abc import Mapping, Sequence

from bot.evals.cases import Defect, Window
from bot.evals.found import Finding, Place

NEAR_LINES = 15  # beside a defect's window, within which a finding is still asked about: it may be right at a wrong line


def near(finding: Finding, defect: Defect) -> bool:
    """Whether a finding points to a defect's file, at one of its windows or not far from it."""
    return _points(finding, defect, NEAR_LINES)


def inside(finding: Finding, defect: Defect) -> bool:
    """Whether a finding points into one of a defect's windows."""
    return _points(finding, defect, 0)


def _points(finding: Finding, defect: Defect, slack: int) -> bool:
    return any(_meets(p, window, slack) for p in finding.places for window in defect.windows)


def _meets(place: Place, window: Window, slack: int) -> bool:
    first, last = window.lines[0] - slack, window.lines[1] + slack
    same = place.path == window.path or window.path.endswith(f"/{place.path}")
    return same and place.first <= last and place.last >= first


def pairs(edges: Mapping[int, Sequence[int]]) -> dict[int, int]:
    """As many pairs as can be made where each finding and each defect stands in one at most.

    Args:
        edges: for each finding the defects that it may be.

    Returns:
        The finding of each defect that has one. (Kuhn's augmenting paths.)
    """
    taken: dict[int, int] = {}

    def placed(finding: int, seen: set[int]) -> bool:
        for defect in edges[finding]:
            if defect in seen:
                continue
            seen.add(defect)
            if defect not in taken or placed(taken[defect], seen):
                taken[defect] = finding
                return True
        return False

    for finding in edges:
        placed(finding, set())
    return taken
