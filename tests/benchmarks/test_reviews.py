"""The benchmark of reviews: that it measures a whole review, and judges by its limits."""

import pytest

from benchmarks.reviews import LINES, Study, judged, made, study, table
from bot.diffs import fit


def test_the_diff_is_as_long_as_said() -> None:
    """So many lines, all of which can be read, in more than one pass."""
    fitted = fit(made(), parts=8)

    assert sum(part.count("| ") for part in fitted.parts) == LINES
    assert len(fitted.parts) > 1
    assert fitted.coverage.gaps == ()


async def test_a_study_reads_all_and_keeps_what_holds() -> None:
    """Each round has its time and its longest stall, and the findings of the passes hold."""
    seen = await study(1)

    assert (len(seen.cpu), len(seen.stalls)) == (1, 1)
    assert seen.parts > 1
    assert seen.kept == 40
    assert f"{seen.parts} passes" in table(seen)


@pytest.mark.parametrize(
    ("cpu", "stall", "verdicts"),
    [(0.15, 0.05, [True, True]), (0.151, 0.05, [False, True]), (0.15, 0.051, [True, False])],
)
def test_limits(cpu: float, stall: float, verdicts: list[bool]) -> None:
    """At its limit a target is met, beyond it missed."""
    assert [target.ok for target in judged(Study([cpu], [stall], 5, 40))] == verdicts
