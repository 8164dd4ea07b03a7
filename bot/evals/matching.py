"""Which finding is which defect: by file and lines here, by meaning through what the judge said. Pure."""

from collections.abc import Mapping, Sequence

from bot.evals.cases import Defect
from bot.evals.found import Finding, Place

NEAR_LINES = 15  # beside a defect's window, within which a finding is still asked about: it may be right at a wrong line


def near(finding: Finding, defect: Defect) -> bool:
    """Whether a finding points to a defect's file, at its window or not far from it."""
    return any(_meets(place, defect, NEAR_LINES) for place in finding.places)


def inside(finding: Finding, defect: Defect) -> bool:
    """Whether a finding points into a defect's window."""
    return any(_meets(place, defect, 0) for place in finding.places)


def _meets(place: Place, defect: Defect, slack: int) -> bool:
    first, last = defect.lines[0] - slack, defect.lines[1] + slack
    same = place.path == defect.path or defect.path.endswith(f"/{place.path}")
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
